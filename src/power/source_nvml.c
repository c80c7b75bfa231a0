/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVML. Types, numbers and meanings are those of NVIDIA's API reference ("NVML API Reference
 * Guide"); only what is used here is declared. A GPU is known by its PCI address, since its index
 * changes when another one is lost; its device number is what Slurm calls it by.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/path.h"
#include "power/gpu_library.h"
#include "power/source_nvml.h"
#include "power/sysfs.h"

#define MINOR "Device Minor:"

enum nvml_return {
    NVML_SUCCESS = 0,
    NVML_ERROR_UNINITIALIZED = 1,
    NVML_ERROR_NOT_SUPPORTED = 3,
    NVML_ERROR_NO_PERMISSION = 4,
    NVML_ERROR_DRIVER_NOT_LOADED = 9,
    NVML_ERROR_GPU_IS_LOST = 15
};

struct nvml_device; /* nvmlDevice_t points to one */

struct nvml_calls {
    int (*init)(void);
    int (*shutdown)(void);
    int (*by_address)(const char *pci, struct nvml_device **device);
    int (*energy)(struct nvml_device *device, unsigned long long *mj);
    int (*power)(struct nvml_device *device, unsigned *mw);
};

struct nvml {
    void *library;
    struct nvml_calls calls;
    struct {
        struct nvml_device *device;
        bool no_energy; /* older than Volta: its power is integrated */
    } gpu[GPUS_MAX];
};

const char *source_nvml_library = "libnvidia-ml.so.1";

/* ---- in the reader's thread ---- */

static int _errno_of(int rc)
{
    return rc == NVML_SUCCESS                                                     ? 0
           : rc == NVML_ERROR_NO_PERMISSION                                       ? EACCES
           : rc == NVML_ERROR_GPU_IS_LOST                                         ? ENODEV
           : rc == NVML_ERROR_NOT_SUPPORTED                                       ? ENOTSUP
           : rc == NVML_ERROR_DRIVER_NOT_LOADED || rc == NVML_ERROR_UNINITIALIZED ? ENXIO
                                                                                  : EIO;
}

static int _begin(void *own)
{
    static const struct gpu_symbol symbols[] = {
        {"nvmlInit_v2", offsetof(struct nvml_calls, init), false},
        {"nvmlShutdown", offsetof(struct nvml_calls, shutdown), false},
        {"nvmlDeviceGetHandleByPciBusId_v2", offsetof(struct nvml_calls, by_address), false},
        {"nvmlDeviceGetTotalEnergyConsumption", offsetof(struct nvml_calls, energy), true},
        {"nvmlDeviceGetPowerUsage", offsetof(struct nvml_calls, power), false}};
    const char *const names[] = {source_nvml_library, NULL};
    struct nvml *v = own;

    if (!v->library)
        v->library =
            gpu_library_open(names, symbols, sizeof(symbols) / sizeof(symbols[0]), &v->calls);
    if (!v->library)
        return errno;
    for (int i = 0; i < GPUS_MAX; i++)
        v->gpu[i].device = NULL;
    return _errno_of(v->calls.init());
}

static int _integrate(const struct nvml *v, int i, struct gpu *gpu)
{
    unsigned mw = 0;
    int rc = v->calls.power(v->gpu[i].device, &mw);

    if (rc == NVML_SUCCESS)
        gpu_integrate(gpu, (uint64_t)mw * 1000);
    return rc;
}

static int _ask_device(struct nvml *v, int i, struct gpu *gpu)
{
    unsigned long long mj = 0;
    int rc = NVML_SUCCESS;

    if (!v->gpu[i].device)
        rc = v->calls.by_address(gpu->place.pci, &v->gpu[i].device);
    if (rc != NVML_SUCCESS)
        return rc;
    if (!v->gpu[i].no_energy) {
        rc = v->calls.energy ? v->calls.energy(v->gpu[i].device, &mj) : NVML_ERROR_NOT_SUPPORTED;
        v->gpu[i].no_energy = rc == NVML_ERROR_NOT_SUPPORTED;
    }
    if (v->gpu[i].no_energy)
        return _integrate(v, i, gpu);
    if (rc == NVML_SUCCESS && mj <= INT64_MAX / 1000)
        gpu->uj = mj * 1000;
    return rc;
}

static int _ask(void *own, int i, struct gpu *gpu)
{
    struct nvml *v = own;
    int rc = _ask_device(v, i, gpu);

    if (rc == NVML_ERROR_GPU_IS_LOST)
        v->gpu[i].device = NULL;
    return _errno_of(rc);
}

static void _end(void *own)
{
    (void)((struct nvml *)own)->calls.shutdown();
}

static void _release(void *own)
{
    struct nvml *v = own;

    if (v->library)
        (void)dlclose(v->library);
    free(v);
}

static const struct gpu_vendor vendor = {
    .name = "nvml", .begin = _begin, .ask = _ask, .end = _end, .release = _release};

/* ---- the driver's list ---- */

struct listing {
    struct gpu_place *places;
    int n;
    const char *dir;
};

/* "Device Minor: 	 3" in the driver's file of the GPU; its place in the list where that is
 * missing. */
static int _minor(const char *dir, const char *pci, int place)
{
    char path[SOURCE_PATH_MAX], text[1024];
    const char *line;
    long minor;

    if (path_format(path, sizeof(path), "%s/%s", dir, pci) < 0 ||
        sysfs_text(path, "information", text, sizeof(text)) < 0)
        return place;
    line = strstr(text, MINOR);
    minor = line ? strtol(line + strlen(MINOR), NULL, 10) : place;
    return minor >= 0 && minor < GPUS_MAX ? (int)minor : place;
}

static void _list(const char *name, void *arg)
{
    struct listing *l = arg;
    struct gpu_place *place = &l->places[l->n];

    if (l->n == GPUS_MAX || strlen(name) >= sizeof(place->pci))
        return;
    memcpy(place->pci, name, strlen(name) + 1);
    place->number = _minor(l->dir, name, l->n);
    place->coverage = (struct coverage){COMPONENT_GPU, UINT64_C(1) << place->number};
    l->n++;
}

/* ---- MIG ---- */

struct counting {
    char dir[SOURCE_PATH_MAX];
    int n;
};

static void _count_compute(const char *name, void *arg)
{
    (void)name;
    ((struct counting *)arg)->n++;
}

static void _count_instance(const char *name, void *arg)
{
    struct counting *c = arg;
    char dir[SOURCE_PATH_MAX];

    if (path_format(dir, sizeof(dir), "%s/%s", c->dir, name) == 0)
        (void)sysfs_each(dir, "ci", _count_compute, c);
}

/* How many compute instances, each of which is a GPU to Slurm, GPU number has; 0 without MIG. The
 * driver shows them below capabilities ("NVIDIA Multi-Instance GPU User Guide", Device Nodes and
 * Capabilities). */
static int _instances(const char *sysroot, int number)
{
    struct counting c = {.n = 0};

    if (path_format(c.dir, sizeof(c.dir), "%s/proc/driver/nvidia/capabilities/gpu%d/mig", sysroot,
                    number) < 0)
        return 0;
    (void)sysfs_each(c.dir, "gi", _count_instance, &c);
    return c.n;
}

static struct gpu_place *_numbered(struct listing *l, int number)
{
    for (int i = 0; i < l->n; i++) {
        if (l->places[i].number == number)
            return &l->places[i];
    }
    return NULL;
}

/* Where a GPU is divided, Slurm numbers what there is of each one, in the order of the GPUs. The
 * counter stays the whole GPU's: it covers all of its instances. */
static void _number_instances(struct listing *l, const char *sysroot)
{
    int parts[GPUS_MAX] = {0}, next = 0;
    bool divided = false;

    for (int i = 0; i < l->n; i++) {
        int number = l->places[i].number;

        parts[number] = _instances(sysroot, number);
        divided = divided || parts[number] > 0;
    }
    for (int number = 0; divided && number < GPUS_MAX; number++) {
        struct gpu_place *place = _numbered(l, number);

        if (!place)
            continue;
        place->coverage.domains = 0;
        for (int k = 0; k < (parts[number] ? parts[number] : 1); k++, next++)
            place->coverage.domains |= UINT64_C(1) << (next < GPUS_MAX ? next : GPUS_MAX - 1);
    }
}

int source_nvml_list(const char *sysroot, struct gpu_place places[GPUS_MAX])
{
    char dir[SOURCE_PATH_MAX];
    struct listing l = {.places = places, .dir = dir};

    memset(places, 0, GPUS_MAX * sizeof(places[0]));
    if (path_format(dir, sizeof(dir), "%s/proc/driver/nvidia/gpus", sysroot) == 0)
        (void)sysfs_each(dir, "", _list, &l);
    _number_instances(&l, sysroot);
    return l.n;
}

int source_nvml_probe(const char *sysroot, struct source sources[], int max, struct err *e)
{
    struct gpu_place places[GPUS_MAX];
    int n = source_nvml_list(sysroot, places);
    struct nvml *v;

    if (n == 0)
        return 0;
    v = calloc(1, sizeof(*v));
    return v ? gpu_library_probe(&vendor, v, sysroot, places, n, sources, max, e)
             : err_errno(e, "no memory for GPUs");
}
