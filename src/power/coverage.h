/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which parts of a node a figure includes, and the only way to add figures up.
 *
 * A coverage is a set of cells: components (cpu, dram, gpu, board) times
 * domains (package or device 0 .. 63). A sum takes each cell once: what overlaps with
 * something that is in it already is refused, so that no joule is counted twice, whatever
 * zones a machine shows (a package and its mmio twin, psys and the packages within it).
 * Pure, no allocation.
 */
#ifndef CARNOT_POWER_COVERAGE_H
#define CARNOT_POWER_COVERAGE_H

#include <stddef.h>
#include <stdint.h>

enum component_b {
    COMPONENT_NONE = 0,
    COMPONENT_CPU = 1,
    COMPONENT_DRAM = 2,
    COMPONENT_GPU = 4,
    COMPONENT_BOARD = 8, /* all else: fans, network, disks, losses */
    COMPONENT_ALL = 15   /* a meter of the whole node */
};
#define COVERAGE_COMPONENTS 4
#define COVERAGE_EVERYWHERE UINT64_MAX
#define COVERAGE_TEXT_SIZE 24

struct coverage {
    unsigned components; /* bits of enum component_b */
    uint64_t domains;    /* one bit a package (cpu, dram) or device (gpu) */
};

struct coverage_sum {
    uint64_t taken[COVERAGE_COMPONENTS]; /* domains of each component that are in uj */
    uint64_t uj;
};

void coverage_sum_init(struct coverage_sum *sum);

/* Add uj, which covers c. 0, or -1 and sum unchanged: errno EEXIST when a cell of c is
 * in it already, EINVAL when c is empty, EOVERFLOW when the sum would not fit. */
int coverage_sum_add(struct coverage_sum *sum, struct coverage c, uint64_t uj);

/* Add what a meter of c has seen beyond the parts of c that are in the sum: the sum then covers all
 * of c. 0, or -1 and errno EINVAL or EOVERFLOW. */
int coverage_sum_beyond(struct coverage_sum *sum, struct coverage c, uint64_t beyond_uj);

/* 1 when all cells of a lie in b; 1 when a and b have one in common; else 0. */
int coverage_within(struct coverage a, struct coverage b);
int coverage_overlap(struct coverage a, struct coverage b);

/* 1 when every cell of c is in the sum already, else 0. */
int coverage_sum_has(const struct coverage_sum *sum, struct coverage c);

/* The components of which at least one cell is in the sum. */
unsigned coverage_sum_components(const struct coverage_sum *sum);

/* "cpu,dram"; "node" when all are there; "" for none. Returns buf; COVERAGE_TEXT_SIZE suffices. */
char *coverage_format(char *buf, size_t size, unsigned components);

#endif
