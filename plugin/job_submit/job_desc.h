/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's job description <-> the job and decision of src/placement. Everything read here came from
 * a user: lengths are bounded, counts saturate. No I/O.
 */
#ifndef CARNOT_PLUGIN_JOB_SUBMIT_JOB_DESC_H
#define CARNOT_PLUGIN_JOB_SUBMIT_JOB_DESC_H

#include "placement/board.h"
#include "placement/change.h"
#include "placement/placement.h"
#include "compat/slurm_compat.h"

/* Fill *job from the description: options of all layers, sizes, limit, window. The strings point
 * into desc. `leader` is what the first component of the same heterogeneous job asked for (only
 * that one has the script), NULL otherwise. 0, or -1 and one sentence (a bad option). */
int job_desc_read(const job_desc_msg_t *desc, const struct request *leader, int64_t now_s,
                  struct placement_job *job, struct err *e);

/* Which component of a heterogeneous job this is: 0, 1, ...; -1 = no such job. */
int64_t job_desc_component(const job_desc_msg_t *desc);

/* Fill *change from the description of an update, in which what is not to change is unset. */
void job_desc_change(const job_desc_msg_t *desc, struct placement_change *change);

/* Does a person read what the submitting command prints? The SPANK plugin looked. */
int job_desc_has_reader(const job_desc_msg_t *desc);

/* Was this submission only a test (sbatch --test-only)? By its command line: a forged one gains
 * nothing, see job_submit_carnot.c. */
int job_desc_is_test(const job_desc_msg_t *desc);

/* Does Slurm give the job whole nodes, as far as is known? 1 or 0. */
int job_desc_is_exclusive(const struct board *b, const struct placement_job *job);

/* Tell the nodes' prologs the job's power cap, or with is_set 0 that there is none, in the entry
 * that the SPANK plugin has put into the SPANK environment (REQUEST_CAP_EXCLUSIVE). A submission
 * without any SPANK plugin gets that environment here, if it has a cap. */
void job_desc_pass_cap(job_desc_msg_t *desc, const struct request *r, int is_set, int exclusive);

/* Append text to a string that Slurm owns, separated by `separator` from what stands there. */
void job_desc_append(char **where, const char *separator, const char *text);

#endif
