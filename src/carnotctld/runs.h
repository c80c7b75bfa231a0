/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runs of jobs that are not settled, as the ledger has them: ctl.jobs, sorted by job id,
 * restart count and submit time, and which of them a job of Slurm's list is. Main loop's thread. No
 * function here writes to the ledger.
 */
#ifndef CARNOT_CARNOTCTLD_RUNS_H
#define CARNOT_CARNOTCTLD_RUNS_H

#include "carnotctld/ctl.h"

/* From the ledger; what was there is forgotten, unless the ledger cannot be read (logged). */
void runs_load(struct ctl *c);
void runs_free(struct ctl *c);
void runs_sort(struct ctl *c);

/* Add a copy behind the sorted ones; the caller sorts. Pointers into the list die here. NULL:
 * no memory (logged). */
struct ledger_job *runs_append(struct ctl *c, const struct ledger_job *row);

/* The run of this key, or NULL. O(log n), as all below. */
struct ledger_job *runs_row(const struct ctl *c, struct job_key key);

/* Place in ctl.jobs of the first run of the first job from this number on; ctl.n_jobs: none. */
size_t runs_from(const struct ctl *c, uint32_t job_id);

/* The run of this job that had begun last by t_s, else its oldest; NULL when there is none. */
struct ledger_job *runs_at(const struct ctl *c, uint32_t job_id, int64_t t_s);

/* The newest run of this job: what pends or runs now. NULL when there is none. */
struct ledger_job *runs_newest(const struct ctl *c, uint32_t job_id);
/* The same for jobs in order of their numbers, *at being 0 with the first: O(1) a job. */
struct ledger_job *runs_newest_along(const struct ctl *c, size_t *at, uint32_t job_id);
struct ledger_job *runs_newest_of(const struct ctl *c, size_t n,
                                  uint32_t job_id); /* of the first n */

/* Does the list's job go on with this run of its number? Slurm sets the submit time anew some
 * seconds after the restart count of a requeue, and without one when a component of a heterogeneous
 * job found no nodes and the start of the others is taken back (22.05: "hetjob start failure"). The
 * number of a job that slurmctld lost is given to another one, which the plugin judged anew. 1 or 0
 */
int runs_same(const struct ledger_job *row, const struct slurm_job *job);

/* The run that the list shows, among the first n_sorted; NULL: it is new, or settled. */
struct ledger_job *runs_listed(const struct ctl *c, size_t n_sorted, const struct slurm_job *job);

#endif
