/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sensors of the kernel's hwmon class, SYSROOT/sys/class/hwmon: energy counters of CPUs and GPUs,
 * and power meters of nodes and modules (ACPI, NVIDIA Grace), whose power is integrated.
 */
#ifndef CARNOT_POWER_SOURCE_HWMON_H
#define CARNOT_POWER_SOURCE_HWMON_H

#include "common/err.h"
#include "power/source.h"

/* Probe into sources, of which there is room for max. How many there are (0 where the machine has
 * none), or -1 and e. Opens files, allocates. */
int source_hwmon_probe(const char *sysroot, struct source sources[], int max, struct err *e);

#endif
