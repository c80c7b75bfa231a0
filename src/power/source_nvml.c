/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVML. Types, numbers and meanings are those of NVIDIA's API reference ("NVML API Reference
 * Guide"); only what is used here is declared. A GPU is known by its PCI address, since its index
 * changes when another one is lost; its device number is what Slurm calls it by.
 *
 * A GPU that sleeps is left alone: a call would wake it (it draws next to nothing meanwhile).
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/path.h"
#include "power/slow_reader.h"
#include "power/source_nvml.h"
#include "power/sysfs.h"

#define GPUS_MAX 64
#define MINOR "Device Minor:"
#define PERIOD_MS 1000
#define DEADLINE_MS 3500 /* the value is older than three periods: it is no longer one */
#define RETRY_MS 10000   /* an init without persistence mode takes seconds */
#define CEILING_MW UINT64_C(3000000)

enum nvml_return {
    NVML_SUCCESS = 0,
    NVML_ERROR_UNINITIALIZED = 1,
    NVML_ERROR_NOT_SUPPORTED = 3,
    NVML_ERROR_NO_PERMISSION = 4,
    NVML_ERROR_DRIVER_NOT_LOADED = 9,
    NVML_ERROR_GPU_IS_LOST = 15
};

struct nvml_device; /* nvmlDevice_t points to one */

struct nvml {
    void *library;
    int (*init)(void);
    int (*shutdown)(void);
    int (*by_address)(const char *pci, struct nvml_device **device);
    int (*energy)(struct nvml_device *device, unsigned long long *mj);
    int (*power)(struct nvml_device *device, unsigned *mw);
};

struct gpu {
    char pci[32]; /* "0000:3b:00.0" */
    char status[SOURCE_PATH_MAX];
    int minor; /* N of /dev/nvidiaN, which is what Slurm calls it */
    struct nvml_device *device;
    bool no_energy; /* older than Volta: power_uj is integrated */
    int64_t power_ms;
    uint64_t power_uj;
    uint64_t last_uj;
};

/* All GPUs of the node; the reader's thread alone touches it after the probe. */
struct gpus {
    struct gpu gpu[GPUS_MAX];
    int n;
    struct nvml nvml;
    bool ready;       /* init() has worked */
    int64_t retry_ms; /* not before then */
};

struct own {
    struct slow_reader *reader;
    int index;
};

const char *source_nvml_library = "libnvidia-ml.so.1";

/* ---- in the reader's thread ---- */

static int _load(struct nvml *v)
{
    if (v->library)
        return 0;
    v->library = dlopen(source_nvml_library, RTLD_NOW | RTLD_LOCAL);
    if (!v->library) {
        errno = ENOENT;
        return -1;
    }
    *(void **)&v->init = dlsym(v->library, "nvmlInit_v2");
    *(void **)&v->shutdown = dlsym(v->library, "nvmlShutdown");
    *(void **)&v->by_address = dlsym(v->library, "nvmlDeviceGetHandleByPciBusId_v2");
    *(void **)&v->energy = dlsym(v->library, "nvmlDeviceGetTotalEnergyConsumption");
    *(void **)&v->power = dlsym(v->library, "nvmlDeviceGetPowerUsage");
    if (v->init && v->shutdown && v->by_address && v->power)
        return 0;
    (void)dlclose(v->library);
    memset(v, 0, sizeof(*v));
    errno = ENOSYS;
    return -1;
}

static int _errno_of(int rc)
{
    return rc == NVML_SUCCESS                   ? 0
           : rc == NVML_ERROR_NO_PERMISSION     ? EACCES
           : rc == NVML_ERROR_GPU_IS_LOST       ? ENODEV
           : rc == NVML_ERROR_DRIVER_NOT_LOADED ? ENXIO
           : rc == NVML_ERROR_NOT_SUPPORTED     ? ENOTSUP
                                                : EIO;
}

/* The library ready for use: 0, or an errno. */
static int _begin(struct gpus *g)
{
    int rc;

    if (g->ready)
        return 0;
    if (clock_mono_ms(&clock_system) < g->retry_ms)
        return ENXIO;
    g->retry_ms = clock_mono_ms(&clock_system) + RETRY_MS;
    if (_load(&g->nvml) < 0)
        return errno;
    rc = g->nvml.init();
    g->ready = rc == NVML_SUCCESS;
    for (int i = 0; i < g->n; i++)
        g->gpu[i].device = NULL;
    return _errno_of(rc);
}

static bool _sleeps(const struct gpu *gpu)
{
    char text[32];

    return sysfs_text(gpu->status, "power/runtime_status", text, sizeof(text)) > 0 &&
           strcmp(text, "suspended") == 0;
}

static int _integrate(const struct nvml *v, struct gpu *gpu)
{
    unsigned mw;
    int64_t now_ms = clock_mono_ms(&clock_system);
    int rc = v->power(gpu->device, &mw);

    if (rc != NVML_SUCCESS)
        return rc;
    if (gpu->power_ms)
        gpu->power_uj += (uint64_t)mw * (uint64_t)(now_ms - gpu->power_ms);
    gpu->power_ms = now_ms;
    gpu->last_uj = gpu->power_uj;
    return rc;
}

static int _ask(const struct nvml *v, struct gpu *gpu)
{
    unsigned long long mj = 0;
    int rc = NVML_SUCCESS;

    if (!gpu->device)
        rc = v->by_address(gpu->pci, &gpu->device);
    if (rc != NVML_SUCCESS)
        return rc;
    if (!gpu->no_energy) {
        rc = v->energy ? v->energy(gpu->device, &mj) : NVML_ERROR_NOT_SUPPORTED;
        gpu->no_energy = rc == NVML_ERROR_NOT_SUPPORTED;
    }
    if (gpu->no_energy)
        return _integrate(v, gpu);
    if (rc == NVML_SUCCESS && mj <= INT64_MAX / 1000)
        gpu->last_uj = mj * 1000;
    return rc;
}

static void _fetch(void *arg, struct slow_value values[], int n)
{
    struct gpus *g = arg;
    int error = _begin(g);

    for (int i = 0; i < n; i++) {
        struct gpu *gpu = &g->gpu[i];
        int rc = NVML_SUCCESS;

        values[i].error = error;
        if (error)
            continue;
        if (!_sleeps(gpu))
            rc = _ask(&g->nvml, gpu);
        values[i].error = _errno_of(rc);
        values[i].uj = gpu->last_uj;
        if (rc == NVML_ERROR_GPU_IS_LOST || rc == NVML_ERROR_UNINITIALIZED)
            gpu->device = NULL;
        if (rc == NVML_ERROR_UNINITIALIZED || rc == NVML_ERROR_DRIVER_NOT_LOADED) {
            (void)g->nvml.shutdown(); /* the driver went away: begin anew */
            g->ready = false;
            error = ENXIO;
        }
    }
}

static void _release(void *arg)
{
    struct gpus *g = arg;

    if (g->ready)
        (void)g->nvml.shutdown();
    if (g->nvml.library)
        (void)dlclose(g->nvml.library);
    free(g);
}

/* ---- sources ---- */

static int _read(struct source *s, int64_t t_ms, uint64_t *raw_uj)
{
    const struct own *own = s->own;

    (void)t_ms;
    return slow_reader_get(own->reader, own->index, DEADLINE_MS, raw_uj);
}

static void _close(struct source *s)
{
    struct own *own = s->own;

    if (own)
        slow_reader_release(own->reader);
    free(own);
    s->own = NULL;
}

static const struct source_ops ops = {.read = _read, .reopen = NULL, .close = _close};

static int _fill(struct source *s, const struct gpu *gpu, int index, struct slow_reader *reader)
{
    struct own *own = calloc(1, sizeof(*own));
    char name[SOURCE_NAME_MAX];

    if (!own)
        return -1;
    memset(s, 0, sizeof(*s));
    own->reader = reader;
    own->index = index;
    s->own = own;
    s->ops = &ops;
    s->fd = s->rights = s->package = -1;
    s->quality = QUALITY_MEASURED;
    s->coverage = (struct coverage){COMPONENT_GPU, UINT64_C(1) << gpu->minor};
    (void)snprintf(name, sizeof(name), "nvml:gpu-%d", gpu->minor);
    source_set_name(s, name);
    (void)snprintf(s->path, sizeof(s->path), "%s", gpu->pci);
    counter_init(&s->counter, 0, CEILING_MW, 0);
    return 0;
}

struct listing {
    struct gpus *g;
    const char *sysroot, *dir;
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
    const struct listing *l = arg;
    struct gpu *gpu = &l->g->gpu[l->g->n];

    if (l->g->n == GPUS_MAX || strlen(name) >= sizeof(gpu->pci) ||
        path_format(gpu->status, sizeof(gpu->status), "%s/sys/bus/pci/devices/%s", l->sysroot,
                    name) < 0)
        return;
    memcpy(gpu->pci, name, strlen(name) + 1);
    gpu->minor = _minor(l->dir, name, l->g->n);
    l->g->n++;
}

int source_nvml_probe(const char *sysroot, struct source sources[], int max, struct err *e)
{
    struct gpus *g = calloc(1, sizeof(*g));
    char dir[SOURCE_PATH_MAX];
    struct listing l = {g, sysroot, dir};
    struct slow_reader *reader;
    int n = 0;

    if (!g)
        return err_errno(e, "no memory for GPUs");
    if (path_format(dir, sizeof(dir), "%s/proc/driver/nvidia/gpus", sysroot) == 0)
        (void)sysfs_each(dir, "", _list, &l);
    if (g->n > max)
        g->n = max;
    if (g->n == 0) {
        free(g);
        return 0;
    }
    reader = slow_reader_create(g->n, PERIOD_MS, _fetch, _release, g, e);
    if (!reader)
        return -1;
    while (n < g->n && _fill(&sources[n], &g->gpu[n], n, slow_reader_use(reader)) == 0)
        n++;
    slow_reader_release(reader);
    return n;
}
