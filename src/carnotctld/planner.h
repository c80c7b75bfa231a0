/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Planning again: when the forecast or the jobs beside it change, each job that waits because of
 * Carnot gets the start that they favour now, never later than it was promised.
 */
#ifndef CARNOT_CARNOTCTLD_PLANNER_H
#define CARNOT_CARNOTCTLD_PLANNER_H

#include "carnotctld/ctl.h"
#include "placement/explain.h"

/* Plan what the newest list gives a reason to plan and, if the samples changed or (once a slot at
 * most) jobs came, started or ended, all that waits: a piece of some milliseconds a call, the moves
 * that save most first, as fast as slurmctld is to be asked. Writes the ledger; does not wait for
 * slurmctld. */
void planner_run(struct ctl *c);
void planner_fini(struct ctl *c);

/* Is every waiting job planned with the newest samples? 1 or 0; the moves may be under way still.
 */
int planner_planned(const struct ctl *c);

/* Moves for the newest forecast that are not ordered yet; *all: of that many. 0: none. */
size_t planner_moves_left(const struct ctl *c, size_t *all);

/* An order of ours came back: note what Slurm now has. */
void planner_ordered(struct ctl *c, uint32_t job_id, int64_t begin_s, int ok);

/* Give up the wait of a job: 0, or -1 and a sentence. by: who asked. */
int planner_release(struct ctl *c, struct ledger_job *row, const char *code, const char *by,
                    struct err *e);

/* The window that a job waits in, by the last board without the job itself: 0, or -1 when there is
 * no board or the job was promised nothing. Allocates and frees one row of slots a partition. */
int planner_explain(const struct ctl *c, const struct slurm_job *job, const struct ledger_job *row,
                    struct explain *out);

#endif
