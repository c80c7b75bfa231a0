/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AMD GPUs. What their energy counter says, and does not:
 *
 * - counts, not energy: of 2^-16 J (gpu_metrics of the kernel: "15.259uJ (2^-16) units"), which the
 *   libraries round to 15.3 uJ, 0.27 % too much. No overflow in a GPU's life: 64 bits of them;
 *   where the firmware's own counter is shorter and wraps, it begins anew, and that is not guessed;
 * - all ones where the kernel has none, and 0 from what has none of its own (the second die of a
 *   card that is not known as such): then power, and where that is 0 as well, no value;
 * - it may stand still for ever while the GPU works (MI100: amdsmi issue 38): then power as well.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "power/amd_library.h"
#include "power/gpu_library.h"
#include "power/source_rocm_smi.h"

#define RESOLUTION_UJ 15.2587890625f   /* 2^-16 J, */
#define RESOLUTION_ROUNDED_UJ 15.3f    /* and as the libraries have it */
#define COUNTS_MAX (UINT64_C(1) << 59) /* beyond what fits in INT64_MAX microjoules */
#define STILL_MAX 10                   /* even an idle GPU draws watts, millions of counts */

struct device {
    struct amd_device device;
    bool found, no_energy;
    uint64_t count; /* as of the last answer, 0 = none yet */
    int still;      /* for so many answers it has stood there */
};

struct rocm {
    struct amd_library library;
    struct device gpu[GPUS_MAX];
};

static int _begin(void *own)
{
    struct rocm *r = own;

    for (int i = 0; i < GPUS_MAX; i++)
        r->gpu[i].found = false;
    return amd_library_begin(&r->library);
}

/* Exact for counts of 2^-16 J, which are 15625 / 1024 uJ. */
static int _to_uj(uint64_t count, float resolution_uj, uint64_t *uj)
{
    float off = resolution_uj - RESOLUTION_ROUNDED_UJ;
    bool is_usual = (off > -0.05f && off < 0.05f) || resolution_uj == RESOLUTION_UJ;

    if (count >= COUNTS_MAX || !(resolution_uj > 0 && resolution_uj < 1e6f))
        return ERANGE;
    if (is_usual)
        *uj = count / 1024 * 15625 + count % 1024 * 15625 / 1024;
    else if ((double)count * (double)resolution_uj < (double)INT64_MAX)
        *uj = (uint64_t)((double)count * (double)resolution_uj);
    else
        return ERANGE;
    return 0;
}

/* The counter, into gpu->uj; ENODATA when there is none that moves. */
static int _energy(struct rocm *r, struct device *d, struct gpu *gpu)
{
    uint64_t count = 0;
    float resolution_uj = 0;
    int error = amd_library_energy(&r->library, &d->device, &count, &resolution_uj);

    if (error)
        return error;
    if (count == UINT64_MAX || (count == 0 && d->count == 0))
        return ENODATA;
    d->still = count == d->count ? d->still + 1 : 0;
    d->count = count;
    return d->still >= STILL_MAX ? ENODATA : _to_uj(count, resolution_uj, &gpu->uj);
}

static int _power(struct rocm *r, struct device *d, struct gpu *gpu)
{
    uint64_t power_uw = 0;
    int error = amd_library_power(&r->library, &d->device, &power_uw);

    if (error)
        return error;
    if (power_uw == 0 || power_uw == UINT64_MAX)
        return ENODATA;
    if (power_uw > (uint64_t)INT32_MAX * 1000)
        return ERANGE;
    gpu_integrate(gpu, power_uw);
    return 0;
}

static int _ask(void *own, int i, struct gpu *gpu)
{
    struct rocm *r = own;
    struct device *d = &r->gpu[i];
    int power_error,
        error = d->found ? 0 : amd_library_find(&r->library, gpu->place.pci, &d->device);

    d->found = error == 0;
    if (error)
        return error;
    error = d->no_energy ? ENOTSUP : _energy(r, d, gpu);
    d->no_energy = error == ENOTSUP;
    /* kernels without gpu_metrics lack the file, as a GPU does that is gone: power tells */
    if (error != ENOTSUP && error != ENODATA && (error != ENODEV || d->count > 0))
        return error;
    power_error = _power(r, d, gpu);
    return power_error == ENOTSUP ? error : power_error;
}

static void _end(void *own)
{
    amd_library_end(&((struct rocm *)own)->library);
}

static void _release(void *own)
{
    struct rocm *r = own;

    amd_library_close(&r->library);
    free(r);
}

static const struct gpu_vendor vendor = {.name = "rocm",
                                         .relists = true,
                                         .begin = _begin,
                                         .ask = _ask,
                                         .end = _end,
                                         .release = _release};

int source_rocm_smi_probe(const char *sysroot, struct source sources[], int max, struct err *e)
{
    struct gpu_place places[GPUS_MAX];
    int n = gpu_list(sysroot, gpu_list_amd, places);
    struct rocm *r;

    if (n == 0)
        return 0;
    r = calloc(1, sizeof(*r));
    return r ? gpu_library_probe(&vendor, r, sysroot, places, n, sources, max, e)
             : err_errno(e, "no memory for GPUs");
}
