/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A board under construction, between publisher.c and publisher_jobs.c. Nobody else includes this.
 */
#ifndef CARNOT_CARNOTCTLD_PUBLISHER_PRIVATE_H
#define CARNOT_CARNOTCTLD_PUBLISHER_PRIVATE_H

#include <stdlib.h>
#include <string.h>

#include "carnotctld/ctl.h"

/* The sections are ours until the board is encoded; b points to them. */
struct build {
    struct board b;
    struct board_partition *parts;
    struct board_budget *budgets;
    struct board_user *users;
    struct board_switch *switches;
    uint64_t *decisions;
    struct board_account *accounts;
    struct board_job *jobs;
    struct board_run *runs;
    struct board_outage *outages;
    struct board_past *pasts;
    uint32_t *planned;
};

/* Zeroed room for n records, one at least; NULL: no memory. */
static inline void *publisher_section(size_t n, size_t size)
{
    return calloc(n ? n : 1, size);
}

/* The section with zeroed room for record n, which comes after those that are there; it may have
 * moved. NULL: no memory, and it stays as it was. For sections to which few of the jobs add. */
static inline void *publisher_grow(void *section, size_t n, size_t size)
{
    const size_t first = 64;
    if (section && (n < first || (n & (n - 1)) != 0))
        return section;
    size_t room = section ? 2 * n : first;
    char *grown = realloc(section, room * size);
    if (grown)
        memset(grown + n * size, 0, (room - n) * size);
    return grown;
}

/* What is said of jobs: the index, their accounts, decisions seen, what is planned, runs, outages,
 * pasts. Head and partitions are there already. 0 or -1. */
int publisher_jobs(const struct ctl *c, struct build *w, struct err *e);

#endif
