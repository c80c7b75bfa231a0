/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's list -> the ledger: every run of a job has a row from the first time the list shows it
 * until it is settled. What Carnot promised is rebuilt from the notes in the list itself, so that
 * nothing hangs on what this process remembers.
 */
#ifndef CARNOT_CARNOTCTLD_TRACKER_H
#define CARNOT_CARNOTCTLD_TRACKER_H

#include "carnotctld/ctl.h"
#include "placement/placement.h"

/* A run in which nobody has waited for this long may wait anew. */
#define TRACKER_RUN_REST_S (24 * 3600)
/* So long after its end a job may still be busy on a node (epilogs, processes that do not end), or
 * its records on their way. */
#define TRACKER_LEFTOVER_S 300

/* Load the rows that are not settled, and what is learnt of those that are. 0 or -1. */
int tracker_init(struct ctl *c, struct err *e);
void tracker_fini(struct ctl *c);

/* Take over a complete list (ownership of s): rows, starts, ends, changes by users, settlements. */
void tracker_apply(struct ctl *c, struct snapshot *s);

/* Reload one row from the ledger after its consumption changed. */
void tracker_refresh(struct ctl *c, struct job_key key);

/* Write a row that a module changed, and keep the list in step. 0 or -1. */
int tracker_store(struct ctl *c, struct ledger_job *row);

/* May Carnot act on this job, or does it only observe? 1 or 0. */
int tracker_acting(const struct ctl *c, const struct ledger_job *row);

/* The list's job as the decision sees it, without a request. Strings point into job. */
void tracker_placement_job(const struct slurm_job *job, struct placement_job *out);

/* What the run's energy would have emitted, had Carnot not made it wait; 0 = not known. */
uint64_t tracker_asap_ug(const struct ctl *c, const struct ledger_job *row);

#endif
