/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lambda, steered so that jobs wait as long on average as the site names (ALGORITHMS section 10).
 * Each planned wait multiplies lambda by exp(gain x (wait / target - 1)): unclipped, since the
 * mean is made by rare long waits. Until there are jobs enough to start from, lambda is solved for
 * on those that have been seen. Pure but for steer_solve's time.
 */
#ifndef CARNOT_PLACEMENT_STEER_H
#define CARNOT_PLACEMENT_STEER_H

#include <stddef.h>
#include <stdint.h>
#include "placement/search.h"

/* How much one job moves lambda, and how far below the target is aimed. From the experiments of
 * ALGORITHMS section 10 ("about 2e-4", "aim a few per cent low"), which were made on another
 * simulator. */
#define STEER_GAIN 2e-4
#define STEER_AIM 0.97

struct steer {
    double target_s;        /* mean wait that is wanted, > 0 */
    double lambda_ug_per_s; /* for a job of weight 1 */
};

/* Takes a job's planned wait into account. O(1). */
void steer_planned(struct steer *s, double wait_s);

/*
 * The lambda with which these jobs would have waited target_s on average; each search's
 * lambda_ug_per_s is the job's weight (1: lambda as it is). Where even lambda 0 makes them wait
 * less, a lambda close to 0. O(n x 40 searches); no allocation. n > 0.
 */
double steer_solve(const struct search *jobs, size_t n, double target_s);

#endif
