/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a planner may believe of a job's length before it has run (ALGORITHMS section 10). Learns
 * from jobs that have ended.
 */
#ifndef CARNOT_SIMULATE_LENGTHS_H
#define CARNOT_SIMULATE_LENGTHS_H

#include <stddef.h>
#include <stdint.h>
#include "placement/scenarios.h"
#include "simulate/workload.h"

enum lengths_kind {
    LENGTHS_EXACT = 0, /* its run time: an oracle */
    LENGTHS_REQUESTED, /* its limit */
    LENGTHS_PREDICTED, /* mean of the user's last two runs, the limit at most */
    LENGTHS_MIX,       /* seven runs like it, and its limit: eight scenarios */
    LENGTHS_N
};
const char *lengths_name(enum lengths_kind k); /* "exact", ... */

#define LENGTHS_MAX SCENARIOS_MAX

typedef struct lengths lengths_t;

/* NULL: no memory. */
lengths_t *lengths_create(enum lengths_kind kind);
void lengths_destroy(lengths_t *l);

/* Lengths in seconds, all > 0, into out; returns how many, 1 to LENGTHS_MAX. A job without a limit
 * counts as if its limit were its run time. */
size_t lengths_of(const lengths_t *l, const struct sim_job *job, int64_t out[LENGTHS_MAX]);

/* The job has ended. 0, or -1: no memory (it is not remembered). */
int lengths_ended(lengths_t *l, const struct sim_job *job);

/* Limits for a workload that has none: each job's run time by a share that people use of what they
 * ask for (MetaCentrum 2013, deciles), rounded up to what people type, at most the first such
 * limit that covers the longest job. The same seed gives the same limits. */
void lengths_draw_limits(struct workload *w, uint64_t seed);

#endif
