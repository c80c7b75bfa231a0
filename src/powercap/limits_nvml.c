/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GPUs by NVML. Names, types and meanings are those of NVIDIA's API reference; only what is used
 * here is declared. All calls are made in this process, which ends itself if one hangs.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "power/gpu_library.h"
#include "power/source_nvml.h"
#include "powercap/limits.h"

enum { NVML_SUCCESS = 0, NVML_ERROR_NOT_SUPPORTED = 3, NVML_ERROR_NO_PERMISSION = 4 };

struct nvml_device; /* nvmlDevice_t points to one */

struct nvml_calls {
    int (*init)(void);
    int (*shutdown)(void);
    int (*by_address)(const char *pci, struct nvml_device **device);
    int (*get)(struct nvml_device *device, unsigned *mw);
    int (*bounds)(struct nvml_device *device, unsigned *min_mw, unsigned *max_mw);
    int (*set)(struct nvml_device *device, unsigned mw);
};

struct nvml_limits {
    void *library;
    struct nvml_calls calls;
};

static int _result(int rc)
{
    errno = rc == NVML_ERROR_NO_PERMISSION   ? EACCES
            : rc == NVML_ERROR_NOT_SUPPORTED ? ENOTSUP
                                             : EIO;
    return rc == NVML_SUCCESS ? 0 : -1;
}

static struct nvml_limits *_begin(void)
{
    static const struct gpu_symbol symbols[] = {
        {"nvmlInit_v2", offsetof(struct nvml_calls, init), false},
        {"nvmlShutdown", offsetof(struct nvml_calls, shutdown), false},
        {"nvmlDeviceGetHandleByPciBusId_v2", offsetof(struct nvml_calls, by_address), false},
        {"nvmlDeviceGetPowerManagementLimit", offsetof(struct nvml_calls, get), false},
        {"nvmlDeviceGetPowerManagementLimitConstraints", offsetof(struct nvml_calls, bounds),
         false},
        {"nvmlDeviceSetPowerManagementLimit", offsetof(struct nvml_calls, set), false}};
    const char *const names[] = {source_nvml_library, NULL};
    struct nvml_limits *v = calloc(1, sizeof(*v));

    if (!v)
        return NULL;
    v->library = gpu_library_open(names, symbols, sizeof(symbols) / sizeof(symbols[0]), &v->calls);
    if (v->library && v->calls.init() == NVML_SUCCESS)
        return v;
    if (v->library)
        (void)dlclose(v->library);
    free(v);
    return NULL;
}

static void _add(struct limits *l, const struct gpu_place *place)
{
    const struct nvml_calls *calls = &l->nvml->calls;
    struct limit *limit = &l->v[l->n];
    struct nvml_device *device = NULL;
    unsigned min_mw = 0, max_mw = 0;

    if (l->n == LIMITS_MAX || calls->by_address(place->pci, &device) != NVML_SUCCESS)
        return;
    memset(limit, 0, sizeof(*limit));
    limit->kind = LIMIT_NVML;
    limit->gpus = place->coverage.domains;
    limit->device = device;
    memcpy(limit->id, place->pci, sizeof(place->pci));
    (void)snprintf(limit->name, sizeof(limit->name), "gpu-%d", place->number);
    if (limits_nvml_read(l, limit, &limit->now_uw) < 0 ||
        calls->bounds(device, &min_mw, &max_mw) != NVML_SUCCESS)
        return;
    limit->min_uw = (uint64_t)min_mw * 1000;
    limit->max_uw = (uint64_t)max_mw * 1000;
    l->n++;
}

void limits_nvml_list(struct limits *l)
{
    struct gpu_place places[GPUS_MAX];
    int n = source_nvml_list(l->sysroot, places);

    if (n > 0)
        l->nvml = _begin();
    for (int i = 0; i < n && l->nvml; i++)
        _add(l, &places[i]);
}

void limits_nvml_close(struct limits *l)
{
    if (!l->nvml)
        return;
    (void)l->nvml->calls.shutdown();
    (void)dlclose(l->nvml->library);
    free(l->nvml);
    l->nvml = NULL;
}

int limits_nvml_read(const struct limits *l, const struct limit *limit, uint64_t *uw)
{
    unsigned mw = 0;

    if (_result(l->nvml->calls.get(limit->device, &mw)) < 0)
        return -1;
    *uw = (uint64_t)mw * 1000;
    return 0;
}

int limits_nvml_write(const struct limits *l, const struct limit *limit, uint64_t uw)
{
    return _result(l->nvml->calls.set(limit->device, (unsigned)(uw / 1000)));
}
