/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs that wait for other jobs: when may they run, by what those others are doing? Reads the last
 * list and the rows, changes nothing. Main loop only.
 */
#ifndef CARNOT_CARNOTCTLD_DEPENDENTS_H
#define CARNOT_CARNOTCTLD_DEPENDENTS_H

#include "carnotctld/ctl.h"

/* When what job depends on is predicted to have ended (or begun, for `after`), at their time
 * limits; now when nothing of it is left. Chains are followed eight jobs deep. */
int64_t dependents_eligible_s(const struct ctl *c, const struct slurm_job *job);

/* What the jobs that it depends on, and those before them, have waited for the grid: the longest
 * chain, at least at_least_s (jobs that have ended are in no list any more). */
int64_t dependents_spent_s(const struct ctl *c, const struct slurm_job *job, int64_t at_least_s);

#endif
