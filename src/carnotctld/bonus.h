/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nobody loses by helping: Slurm counts no priority age before a begin time, so a job that waited
 * for the grid gets the age of that wait back, as its site factor, when the wait is over. Main loop
 * only.
 */
#ifndef CARNOT_CARNOTCTLD_BONUS_H
#define CARNOT_CARNOTCTLD_BONUS_H

#include "carnotctld/ctl.h"

/* Look at the last list for jobs whose wait is over and that pend still. Does nothing where
 * priority age counts for nothing (PriorityType, PriorityWeightAge), nor for waits that were given
 * up. */
void bonus_run(struct ctl *c);

/* The order came back: a bonus that Slurm refused is tried again. */
void bonus_ordered(struct ctl *c, uint32_t job_id, int ok);

#endif
