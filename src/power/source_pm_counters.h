/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cray and HPE Cray EX nodes: energy counters of the node's own meter below
 * SYSROOT/sys/cray/pm_counters, of the node as a whole (accelerators included), its CPUs, memory
 * and each accelerator, in whole joules, ten times a second.
 */
#ifndef CARNOT_POWER_SOURCE_PM_COUNTERS_H
#define CARNOT_POWER_SOURCE_PM_COUNTERS_H

#include "common/err.h"
#include "power/source.h"

/* Probe into sources, of which there is room for max. How many there are (0 where the machine has
 * none), or -1 and e. Opens files, allocates. */
int source_pm_counters_probe(const char *sysroot, struct source sources[], int max, struct err *e);

#endif
