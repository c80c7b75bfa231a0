/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vendor's library, its thread, and a source for each of its GPUs. All GPUs share one reader: the
 * libraries are not made for several threads at a time.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/path.h"
#include "power/gpu_library.h"
#include "power/slow_source.h"
#include "power/sysfs.h"

#define PERIOD_MS 1000
#define DEADLINE_MS (3 * PERIOD_MS + 500) /* what is older is no longer a value */
#define RETRY_PERIODS 10                  /* to begin may take seconds */
#define RELIST_PERIODS_MAX 640            /* for a GPU that the library never sees */
#define GAP_MAX_MS 10000                  /* power between two answers further apart is not known */
#define CEILING_MW UINT64_C(3000000)

int64_t gpu_library_period_ms = PERIOD_MS;

/* All GPUs of the vendor; the reader's thread alone touches it after the probe. */
struct gpus {
    const struct gpu_vendor *vendor;
    void *own;
    struct gpu gpu[GPUS_MAX];
    int n;
    bool ready;           /* begin() has worked */
    int64_t retry_ms;     /* it is not called before then */
    int64_t wait_periods; /* before the library has to list its GPUs anew */
};

void *gpu_library_open(const char *const names[], const struct gpu_symbol symbols[], size_t n,
                       void *calls)
{
    void *library = NULL;

    for (size_t i = 0; names[i] && !library; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        errno = ELIBACC;
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        void *symbol = dlsym(library, symbols[i].name);

        if (!symbol && !symbols[i].optional) {
            (void)dlclose(library);
            errno = ENOSYS;
            return NULL;
        }
        memcpy((char *)calls + symbols[i].offset, &symbol, sizeof(symbol));
    }
    return library;
}

void gpu_integrate(struct gpu *gpu, uint64_t power_uw)
{
    int64_t now_ms = clock_mono_ms(&clock_system), past_ms = now_ms - gpu->power_ms;

    if (gpu->power_ms && past_ms <= GAP_MAX_MS)
        gpu->uj += power_uw * (uint64_t)past_ms / 1000;
    gpu->power_ms = now_ms;
}

/* ---- in the reader's thread ---- */

/* The library ready for use: 0, or an errno. */
static int _begin(struct gpus *g)
{
    int error;

    if (g->ready)
        return 0;
    if (clock_mono_ms(&clock_system) < g->retry_ms)
        return ENXIO;
    g->retry_ms = clock_mono_ms(&clock_system) + g->wait_periods * gpu_library_period_ms;
    error = g->vendor->begin(g->own);
    g->ready = error == 0;
    return error;
}

static void _end(struct gpus *g)
{
    if (g->ready)
        g->vendor->end(g->own);
    g->ready = false;
}

static bool _sleeps(const struct gpu *gpu)
{
    char text[32];

    return sysfs_text(gpu->dir, "power/runtime_status", text, sizeof(text)) > 0 &&
           strcmp(text, "suspended") == 0;
}

/* A GPU that is gone may be back, or be a new one in its place; one that stays away is looked for
 * less and less often. */
static void _relist(struct gpus *g, bool lost)
{
    if (!lost) {
        g->wait_periods = RETRY_PERIODS;
        return;
    }
    if (!g->vendor->relists || clock_mono_ms(&clock_system) < g->retry_ms)
        return;
    _end(g);
    if (g->wait_periods < RELIST_PERIODS_MAX)
        g->wait_periods *= 2;
}

static void _fetch(void *arg, struct slow_value values[], int n)
{
    struct gpus *g = arg;
    int error = _begin(g);
    bool lost = false;

    for (int i = 0; i < n; i++) {
        struct gpu *gpu = &g->gpu[i];

        values[i].error = error;
        if (error)
            continue;
        if (gpu->place.kind == GPU_SECOND_DIE)
            values[i].error = ENODATA;
        else if (!_sleeps(gpu))
            values[i].error = g->vendor->ask(g->own, i, gpu);
        values[i].uj = gpu->uj;
        lost |= values[i].error == ENODEV;
        if (values[i].error == ENXIO) {
            _end(g); /* the driver went away */
            error = ENXIO;
        }
    }
    _relist(g, lost);
}

static void _release(void *arg)
{
    struct gpus *g = arg;

    _end(g);
    g->vendor->release(g->own);
    free(g);
}

/* ---- sources ---- */

static int _fill(struct source *s, const struct gpus *g, int i, struct slow_reader *reader)
{
    const struct gpu_place *place = &g->gpu[i].place;
    bool integrated = place->kind == GPU_INTEGRATED;
    char name[SOURCE_NAME_MAX];

    memset(s, 0, sizeof(*s));
    if (slow_source_open(s, reader, i, DEADLINE_MS) < 0)
        return -1;
    s->fd = s->rights = s->package = -1;
    s->quality = QUALITY_MEASURED;
    s->coverage = place->coverage;
    s->inside = integrated || place->kind == GPU_SECOND_DIE;
    if (integrated)
        s->package = 0;
    (void)snprintf(name, sizeof(name), "%s:%s-%d", g->vendor->name,
                   integrated ? "integrated" : "gpu", integrated ? i : place->number);
    source_set_name(s, name);
    (void)snprintf(s->path, sizeof(s->path), "%s", place->pci);
    counter_init(&s->counter, 0, CEILING_MW, 0);
    return 0;
}

static struct gpus *_gpus(const struct gpu_vendor *vendor, void *own, const char *sysroot,
                          const struct gpu_place places[], int n)
{
    struct gpus *g = calloc(1, sizeof(*g));

    if (!g)
        return NULL;
    g->vendor = vendor;
    g->own = own;
    g->n = n;
    g->wait_periods = RETRY_PERIODS;
    for (int i = 0; i < n; i++) {
        struct gpu *gpu = &g->gpu[i];

        gpu->place = places[i];
        if (path_format(gpu->dir, sizeof(gpu->dir), "%s/sys/bus/pci/devices/%s", sysroot,
                        places[i].pci) < 0)
            gpu->dir[0] = '\0';
    }
    return g;
}

int gpu_library_probe(const struct gpu_vendor *vendor, void *own, const char *sysroot,
                      const struct gpu_place places[], int n, struct source sources[], int max,
                      struct err *e)
{
    struct gpus *g;
    struct slow_reader *reader;
    int filled = 0;

    if (n > max)
        n = max;
    g = n > 0 ? _gpus(vendor, own, sysroot, places, n) : NULL;
    if (!g) {
        vendor->release(own);
        return n > 0 ? err_errno(e, "no memory for GPUs") : 0;
    }
    reader = slow_reader_create(n, gpu_library_period_ms, _fetch, _release, g, e);
    if (!reader)
        return -1;
    while (filled < n && _fill(&sources[filled], g, filled, reader) == 0)
        filled++;
    slow_reader_release(reader);
    return filled;
}
