/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ROCm SMI or AMD SMI, whichever the node has, with one face. Results are 0 or an errno: ENODEV
 * when a GPU is gone, ENXIO when the library has to begin anew, ENOTSUP when it has no such
 * counter. One thread.
 *
 * ROCm SMI comes first: its calls are the same since ROCm 4, and it gives power as well. AMD SMI
 * takes its place in releases that have no ROCm SMI any more. They are never open both: of the
 * same process, AMD SMI then sees no GPU (rocm-systems issue 8768).
 */
#ifndef CARNOT_POWER_AMD_LIBRARY_H
#define CARNOT_POWER_AMD_LIBRARY_H

#include "power/amd_abi.h"

struct amd_library {
    void *library;
    int is_amdsmi;
    struct rsmi_calls rsmi;
    struct amdsmi_calls amdsmi;
};

/* A GPU of the library, as of amd_library_find(). */
struct amd_device {
    uint32_t index;                     /* ROCm SMI */
    struct amdsmi_processor *processor; /* AMD SMI */
};

/* The names that are tried, in this order; NULL ends them. Tests have libraries of their own. */
extern const char *const *amd_library_rsmi, *const *amd_library_amdsmi;

/* Open a library if none is, and make it ready. */
int amd_library_begin(struct amd_library *l);
void amd_library_end(struct amd_library *l);
void amd_library_close(struct amd_library *l);

/* The GPU at a PCI address ("0000:c1:00.0"). */
int amd_library_find(const struct amd_library *l, const char *pci, struct amd_device *device);

/* Its energy counter, and what a count is worth, as the library has it. */
int amd_library_energy(const struct amd_library *l, const struct amd_device *device,
                       uint64_t *count, float *resolution_uj);

/* What it draws now, or has drawn of late. */
int amd_library_power(const struct amd_library *l, const struct amd_device *device,
                      uint64_t *power_uw);

#endif
