/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AMD GPUs, by AMD's own library (amd_library.h), which is opened when there is a GPU and not
 * linked. Energy since the driver was loaded (MI200 and later), else power, which is integrated.
 */
#ifndef CARNOT_POWER_SOURCE_ROCM_SMI_H
#define CARNOT_POWER_SOURCE_ROCM_SMI_H

#include "common/err.h"
#include "power/source.h"

/* Probe into sources, of which there is room for max: the GPUs that the kernel's amdgpu driver
 * has below SYSROOT/sys/bus/pci/drivers, in the order of their addresses. How many there are, or -1
 * and e. A card with two dies is one source and covers both. */
int source_rocm_smi_probe(const char *sysroot, struct source sources[], int max, struct err *e);

#endif
