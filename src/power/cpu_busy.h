/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long the machine's CPUs have been busy since boot, all together.
 */
#ifndef CARNOT_POWER_CPU_BUSY_H
#define CARNOT_POWER_CPU_BUSY_H

#include <stddef.h>
#include <stdint.h>

enum cpu_busy_kind {
    CPU_BUSY_NONE = 0,
    CPU_BUSY_CPUACCT,  /* cgroup v1: cpuacct.usage of the root, nanoseconds */
    CPU_BUSY_CPU_STAT, /* cgroup v2: cpu.stat of the root, usage_usec */
    CPU_BUSY_PROC      /* /proc/stat, ticks */
};

struct cpu_busy {
    enum cpu_busy_kind kind;
    int fd;
};

/* Find the best file below sysroot: the root cgroup's, which counts as the jobs' own files do
 * and is cheap on large machines, else /proc/stat. 0, or -1 when there is none. */
int cpu_busy_open(struct cpu_busy *b, const char *sysroot);

/* Microseconds of CPU time. 0, or -1 and errno. No allocation. */
int cpu_busy_read(const struct cpu_busy *b, uint64_t *busy_us);

void cpu_busy_close(struct cpu_busy *b);

/* The pure part: the text of such a file (terminated) to microseconds. 0, or -1 and errno. */
int cpu_busy_parse(enum cpu_busy_kind kind, const char *text, long ticks_per_s, uint64_t *busy_us);

#endif
