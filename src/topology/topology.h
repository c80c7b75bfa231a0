/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What hwloc knows of the node, boiled down to a small struct: how many packages,
 * NUMA nodes, cores and hardware threads, which physical package is which, and a fingerprint of the
 * shape. hwloc's own topology is freed before topology_load() returns, because
 * it is larger than the rest of the daemon.
 */
#ifndef CARNOT_TOPOLOGY_TOPOLOGY_H
#define CARNOT_TOPOLOGY_TOPOLOGY_H

#include <stdint.h>

#include "common/err.h"

#define TOPOLOGY_PACKAGES_MAX 64
#define TOPOLOGY_MODEL_MAX 64
#define TOPOLOGY_FINGERPRINT_SIZE 17 /* 16 hexadecimal digits and NUL */

struct topology_package {
    int number;     /* the kernel's physical_package_id, as in RAPL's "package-N"; -1 unknown */
    uint32_t cores; /* inside it */
    uint32_t pus;   /* hardware threads inside it, Slurm's CPUs */
    uint32_t numa;  /* NUMA nodes that lie inside it */
};

struct topology {
    uint32_t n_packages; /* may be larger than what packages[] holds */
    struct topology_package packages[TOPOLOGY_PACKAGES_MAX];
    uint32_t cores;
    uint32_t pus; /* 0 when nothing could be found out */
    uint32_t numa;
    char model[TOPOLOGY_MODEL_MAX]; /* of the CPU, "" unknown; printable ASCII */
    /* Equal for equal machines: a hash of types, sizes and counts in the order of the tree; not
     * of names, addresses or numbers that the firmware deals out as it likes. */
    char fingerprint[TOPOLOGY_FINGERPRINT_SIZE];
};

/* Look at this machine; with sysroot (not ""), at the tree below it; with an XML file (not NULL),
 * at the machine that it describes. A sysroot without CPUs in it is an error; XML of hwloc 3 is
 * one that says how to convert it. Not thread-safe (hwloc reads the environment): at start. 0 or
 * -1, and *t unchanged. */
int topology_load(struct topology *t, const char *sysroot, const char *xml, struct err *e);

/* Index in packages[] of the physical package with this number, or -1. */
int topology_package_index(const struct topology *t, int number);

#endif
