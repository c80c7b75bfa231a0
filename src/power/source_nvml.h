/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVIDIA GPUs, by the driver's own library (NVML), which is opened when there is a GPU and not
 * linked. Energy since the driver was loaded (Volta and later), else power, which is integrated.
 */
#ifndef CARNOT_POWER_SOURCE_NVML_H
#define CARNOT_POWER_SOURCE_NVML_H

#include "common/err.h"
#include "power/gpu_list.h"
#include "power/source.h"

/* What is opened; tests have a library of their own. */
extern const char *source_nvml_library;

/* The GPUs that the driver shows below SYSROOT/proc/driver/nvidia/gpus, in the order of their
 * addresses; their coverage is by Slurm's numbers. How many there are. Needs no library. */
int source_nvml_list(const char *sysroot, struct gpu_place places[GPUS_MAX]);

/* Probe into sources, of which there is room for max: those GPUs, named and covered by
 * their device numbers. How many there are, or -1 and e. All calls of the library are made in a
 * thread of its own (slow_reader.h), the first ones too: a GPU that says nothing is stale, and
 * nothing waits for it. */
int source_nvml_probe(const char *sysroot, struct source sources[], int max, struct err *e);

#endif
