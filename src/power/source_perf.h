/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAPL by the kernel's perf events, PMU "power" of SYSROOT/sys/bus/event_source/devices: counted
 * in 64 bits by the kernel, so nothing wraps here, and CAP_PERFMON suffices. The same packages as
 * powercap's and preferred to them; they step in where an event may not be opened, and for the
 * time in which nobody had it open, since an event counts from when it was opened.
 */
#ifndef CARNOT_POWER_SOURCE_PERF_H
#define CARNOT_POWER_SOURCE_PERF_H

#include "common/err.h"
#include "power/source.h"

/* How events are opened and read; tests have their own. */
struct source_perf_ops {
    /* A descriptor, or -1 and errno. */
    int (*open)(uint32_t type, uint64_t config, int cpu);
    /* 0 and the count, or -1 and errno. */
    int (*read)(int fd, uint64_t *count);
};
extern const struct source_perf_ops *source_perf_ops;

/* Probe into sources, of which there is room for max: for each package (or die) of the PMU's
 * cpumask what it counts. How many there are (0 where the machine has no such PMU), or -1 and e.
 * Those that may not be opened are among them, with their error. Allocates. */
int source_perf_probe(const char *sysroot, struct source sources[], int max, struct err *e);

#endif
