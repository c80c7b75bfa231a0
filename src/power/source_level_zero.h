/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel GPUs, by oneAPI Level Zero's Sysman, which is opened when there is a GPU and not linked.
 */
#ifndef CARNOT_POWER_SOURCE_LEVEL_ZERO_H
#define CARNOT_POWER_SOURCE_LEVEL_ZERO_H

#include "common/err.h"
#include "power/source.h"

/* What is opened; tests have a library of their own. */
extern const char *source_level_zero_library;

/* What drivers of before zesInit want in the environment; to be called before there are threads. */
void source_level_zero_environment(void);

/* Probe into sources, of which there is room for max: the GPUs that the kernel's i915 and xe
 * drivers have below SYSROOT/sys/bus/pci/drivers, in the order of their addresses. How many there
 * are, or -1 and e. */
int source_level_zero_probe(const char *sysroot, struct source sources[], int max, struct err *e);

#endif
