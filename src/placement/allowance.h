/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a job may be made to wait for the grid. Pure.
 */
#ifndef CARNOT_PLACEMENT_ALLOWANCE_H
#define CARNOT_PLACEMENT_ALLOWANCE_H

#include "placement/placement.h"

static inline int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Fill d->layer (who asked), d->wait_s (how long, >= 0; shared with the jobs of its run and with
 * those that it depends on) and d->bound_s (the latest start by finish-by and deadline, each minus
 * the limit; INT64_MAX = none), for a job that could run at a_s. d->price is set. */
void allowance_find(const struct board *b, const struct placement_job *job, int64_t a_s,
                    int64_t now_s, struct placement_decision *d);

/* bound_s, or an earlier latest start: a job that would be over before a maintenance if it started
 * at a_s is not pushed across it. */
int64_t allowance_before_outages(const struct board *b, const struct placement_job *job,
                                 int64_t limit_s, int64_t a_s, int64_t bound_s);

#endif
