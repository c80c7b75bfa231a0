/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a job may run, going by runs that were like it: the lengths over which a search takes
 * the mean. One rule for slurmctld, planner, dry run and simulator. Pure, no allocation.
 *
 * Grams alone are judged by it. What is promised or held (latest start, finish-by, slots, budgets,
 * prices) stays with the time limit: a bad guess costs grams and breaks nothing.
 */
#ifndef CARNOT_PLACEMENT_SCENARIOS_H
#define CARNOT_PLACEMENT_SCENARIOS_H

#include <stddef.h>
#include <stdint.h>
#include "placement/placement.h"
#include "placement/search.h"

#define SCENARIOS_MAX (SEARCH_FURTHER_MAX + 1)
/* A longer limit is taken for this: people ask for 13 times what they use, and no forecast reaches
 * further (ALGORITHMS, sections 5 and 10). */
#define SCENARIOS_LIMIT_S (96 * 3600)

/* A length in whole seconds, 1 at least and limit_s (> 0) at most. */
int64_t scenarios_within(double length_s, int64_t limit_s);

/* `predicted`: the mean of n runs, each the limit at most; the limit where there is none. */
int64_t scenarios_mean(const int64_t *runs_s, size_t n, int64_t limit_s);

/* `mix`: each of the runs, the limit at most, and the limit, SCENARIOS_LIMIT_S at most. Returns how
 * many, n + 1; runs beyond SCENARIOS_MAX - 1 are left out. runs_s may be out. */
size_t scenarios_mix(const int64_t *runs_s, size_t n, int64_t limit_s, int64_t out[SCENARIOS_MAX]);

/* How long a job that has run for done_s may still run: the mean of the lengths that it has not
 * outlived, n >= 1; behind all of them as much again as it has run. > 0 if limit_left_s is, which
 * is the most. */
int64_t scenarios_left(const int64_t *length_s, size_t n, int64_t done_s, int64_t limit_left_s);

/* What a board knows of a job before it has run. */
struct scenarios {
    int64_t length_s[SCENARIOS_MAX]; /* of one task; all as likely */
    uint32_t n;                      /* >= 1; 1 and the whole limit where no run is known */
    double power_w;                  /* of one task; as measured before, as priced at most */
    const struct board_past *past;   /* those runs, or NULL */
};

/* The last runs of the job's user, those of its name first. price is the job's. O(log n) */
void scenarios_of(const struct board *b, const struct placement_job *job,
                  const struct placement_price *price, struct scenarios *out);

#endif
