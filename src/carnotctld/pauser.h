/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pausing jobs that go on from checkpoints (--carbon-requeue): while the grid is dirty such a job
 * is requeued, keeps its id, and its next run begins in the next green piece. Its waits, of all
 * runs together, stay inside its one allowance; the time in which it runs is no wait.
 *
 * What is to be is in the ledger before it is ordered (row.resume_s), the order is for one run, by
 * its restart count, and only for one that runs: so a kill at any time requeues nothing twice and
 * nothing that has ended. A run that follows one with a resume_s is Carnot's doing; after any other
 * requeue, a hold, or `carnot now`, Carnot pauses the job no more.
 */
#ifndef CARNOT_CARNOTCTLD_PAUSER_H
#define CARNOT_CARNOTCTLD_PAUSER_H

#include "carnotctld/ctl.h"
#include "carnotctld/slurm_client.h"

/* What the list first shows of a run takes over from the run before it; the rest of row is filled
 * in. row is for the caller to store. */
void pauser_inherit(const struct ctl *c, const struct ledger_job *before, struct ledger_job *row);

/* Is this run's begin time the pauser's, and not the planner's? That of a run after a pause is, and
 * that of a first run which waits and may be long: it starts with its first piece. 1 or 0. */
int pauser_plans(const struct ctl *c, const struct ledger_job *row);

/* May Carnot pause the job in this run or a later one? 1 or 0. */
int pauser_may(const struct ctl *c, const struct ledger_job *row);

/* After each list: jobs that are to pause, and when those that stand still go on. */
void pauser_run(struct ctl *c);

/* An ORDER_REQUEUE came back. */
void pauser_ordered(struct ctl *c, const struct slurm_order *done);

/* A job that runs is to run to its end: 0, or -1 and a sentence. by: who asked. */
int pauser_release(struct ctl *c, struct ledger_job *row, const char *code, const char *by,
                   struct err *e);

#endif
