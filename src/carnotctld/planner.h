/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Planning again: when the forecast changes, each job that waits because of Carnot gets the start
 * that the new forecast favours, never later than it was promised.
 */
#ifndef CARNOT_CARNOTCTLD_PLANNER_H
#define CARNOT_CARNOTCTLD_PLANNER_H

#include "carnotctld/ctl.h"

/* Plan again if the samples changed since last time; orders the moves. */
void planner_run(struct ctl *c);

/* An order of ours came back: note what Slurm now has. */
void planner_ordered(struct ctl *c, uint32_t job_id, int64_t begin_s, int ok);

/* Give up the wait of a job: 0, or -1 and a sentence. by: who asked. */
int planner_release(struct ctl *c, struct ledger_job *row, const char *code, const char *by,
                    struct err *e);

#endif
