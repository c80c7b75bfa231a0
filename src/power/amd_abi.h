/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is used of AMD's two libraries, in declarations of our own:
 *
 * - ROCm SMI, librocm_smi64: rocm_smi/rocm_smi.h of ROCm 5.2.3 (Debian 12), and rsmi_dev_power_get
 *   of ROCm 6. All arguments are plain numbers;
 * - AMD SMI, libamd_smi: amd_smi/amdsmi.h of ROCm 6. Only calls without structures, whose layout
 *   changes from release to release.
 */
#ifndef CARNOT_POWER_AMD_ABI_H
#define CARNOT_POWER_AMD_ABI_H

#include <stdint.h>

enum rsmi_status {
    RSMI_SUCCESS = 0,
    RSMI_NOT_SUPPORTED = 2,
    RSMI_FILE_ERROR = 3,
    RSMI_PERMISSION = 4,
    RSMI_INIT_ERROR = 8,
    RSMI_NOT_YET_IMPLEMENTED = 9,
    RSMI_NOT_FOUND = 10,
    RSMI_NO_DATA = 14,
    RSMI_BUSY = 16
};

enum amdsmi_status {
    AMDSMI_SUCCESS = 0,
    AMDSMI_NOT_SUPPORTED = 2,
    AMDSMI_NOT_YET_IMPLEMENTED = 3,
    AMDSMI_NO_PERM = 10,
    AMDSMI_FILE_ERROR = 14,
    AMDSMI_INIT_ERROR = 18,
    AMDSMI_BUSY = 30,
    AMDSMI_NOT_FOUND = 31,
    AMDSMI_NOT_INIT = 32,
    AMDSMI_DRIVER_NOT_LOADED = 34,
    AMDSMI_NO_DATA = 40
};

#define AMDSMI_INIT_GPUS UINT64_C(2)

/* A PCI address as both have it: function in bits 0-2, device in 3-7, bus in 8-15; the domain from
 * bit 32 on with ROCm SMI, where partitions of a GPU have their number in 28-31, and from bit 16 on
 * with AMD SMI (amdsmi_bdf_t, a union of 8 bytes that is passed by value as this number is). */
#define RSMI_BDF_MASK UINT64_C(0xffffffff0000ffff)

struct amdsmi_processor; /* amdsmi_processor_handle points to one */

struct rsmi_calls {
    int (*init)(uint64_t flags);
    int (*shut_down)(void);
    int (*count)(uint32_t *n);
    int (*pci_id)(uint32_t device, uint64_t *bdf);
    int (*energy)(uint32_t device, uint64_t *count, float *resolution_uj, uint64_t *t_ns);
    int (*power)(uint32_t device, uint64_t *uw, int *type); /* since ROCm 6.0 */
    int (*average_power)(uint32_t device, uint32_t sensor, uint64_t *uw);
};

struct amdsmi_calls {
    int (*init)(uint64_t flags);
    int (*shut_down)(void);
    int (*by_address)(uint64_t bdf, struct amdsmi_processor **processor);
    int (*energy)(struct amdsmi_processor *processor, uint64_t *count, float *resolution_uj,
                  uint64_t *t_ns);
};

#endif
