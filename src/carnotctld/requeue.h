/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One job has one reservation, whatever its runs: it is the newest run's, and an earlier one has
 * what it used.
 */
#ifndef CARNOT_CARNOTCTLD_REQUEUE_H
#define CARNOT_CARNOTCTLD_REQUEUE_H

#include "carnotctld/ctl.h"

/* What a new run takes over from the run before it. */
void requeue_inherit(const struct ledger_job *before, struct ledger_job *row);

/* Judge a run that the plugin has not seen, when it is new and when its claim is due; before is the
 * run before it, NULL if it is the first. The run before gives back what it has not used, and keeps
 * it after all, for the records that are still on their way, as long as this one reserves nothing.
 */
void requeue_admit(struct ctl *c, const struct slurm_job *job, struct ledger_job *before,
                   struct ledger_job *row);

/* slurmctld has forgotten that the job was queued again as row, and is back at the run before: what
 * row has reserved and not used is for that one. Stores both. */
void requeue_forget(struct ctl *c, struct ledger_job *row, struct ledger_job *before);

/* A run is about to be charged with so much. What it lacks for that, and the job has been requeued
 * since, comes out of what its newest run has reserved. */
void requeue_lend(struct ctl *c, struct job_key key, uint64_t uj, uint64_t ug);

#endif
