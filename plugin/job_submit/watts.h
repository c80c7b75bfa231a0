/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The licence `watts`: where Slurm's own limits hold energy budgets, each job of an account with
 * one asks for as many as it is priced for, and Slurm counts watt-minutes.
 */
#ifndef CARNOT_PLUGIN_JOB_SUBMIT_WATTS_H
#define CARNOT_PLUGIN_JOB_SUBMIT_WATTS_H

#include "placement/change.h"
#include "placement/placement.h"
#include "compat/slurm_compat.h"

/* The licences with exactly w watts in place of whatever watts they held; w 0 takes them out. A new
 * string of Slurm's allocator, NULL for none at all. Returns 0; -1 where nothing can be joined
 * ("a|b", or too long), *out is untouched then. */
int watts_join(const char *licences, uint32_t w, char **out);

/* Write what a decided job has to ask for into the description; on a board without the licence
 * nothing is touched. 0, or -1 and one sentence in e: the job's licences leave no room for what its
 * budget needs. */
int watts_apply(const struct board *b, const struct placement_job *job,
                const struct placement_decision *d, job_desc_msg_t *desc, struct err *e);

/* An update that names licences: what it says of watts is replaced by what the changed job is
 * priced for. 0, or -1 and one sentence in e. */
int watts_change(const struct board *b, const struct placement_change *change, job_desc_msg_t *desc,
                 struct err *e);

#endif
