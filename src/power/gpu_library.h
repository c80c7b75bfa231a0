/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all GPUs that are read through a vendor's library have in common. The library is opened when
 * there is a GPU and not linked, and all calls of it are made in a thread of its own
 * (slow_reader.h), the first ones too: a GPU that says nothing is stale, and nothing waits for it.
 * A vendor's file says how to begin, and how to ask a GPU.
 *
 * A GPU that sleeps is left alone: a call would wake it (it draws next to nothing meanwhile).
 */
#ifndef CARNOT_POWER_GPU_LIBRARY_H
#define CARNOT_POWER_GPU_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "power/gpu_list.h"
#include "power/source.h"

/* How often the GPUs are asked; tests do not wait that long. */
extern int64_t gpu_library_period_ms;

struct gpu {
    struct gpu_place place;
    char dir[SOURCE_PATH_MAX]; /* the kernel's, of the device */
    uint64_t uj;               /* the counter, as of the last answer */
    int64_t power_ms;          /* when power was last added to it, 0 = never */
};

/* All are called in the reader's thread, one at a time; own is the vendor's. Results are 0 or an
 * errno: ENODEV says that the GPU is gone, ENXIO that the library has to begin anew. */
struct gpu_vendor {
    const char *name; /* sources are NAME:gpu-N */
    bool relists;     /* a GPU that is gone is found again only if the library begins anew */
    int (*begin)(void *own);
    int (*ask)(void *own, int i, struct gpu *gpu); /* sets gpu->uj; i is the GPU's place */
    void (*end)(void *own);                        /* what begin() began */
    void (*release)(void *own);                    /* after the last end() */
};

/* A source for each of n GPUs, as many as there is room for. The vendor's own things are taken
 * over, also when it fails. How many sources, or -1 and e. */
int gpu_library_probe(const struct gpu_vendor *vendor, void *own, const char *sysroot,
                      const struct gpu_place places[], int n, struct source sources[], int max,
                      struct err *e);

struct gpu_symbol {
    const char *name;
    size_t offset; /* of the pointer to it in the vendor's calls */
    bool optional;
};

/* Open the first library of names (NULL ends them) that is there, and fill in calls. The library,
 * for dlclose(); or NULL and errno: ELIBACC when there is none, ENOSYS when it lacks a call. */
void *gpu_library_open(const char *const names[], const struct gpu_symbol symbols[], size_t n,
                       void *calls);

/* Add the energy since the last call to gpu->uj, of a GPU that only says what it draws. */
void gpu_integrate(struct gpu *gpu, uint64_t power_uw);

#endif
