/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the sampler's own files call of each other.
 */
#ifndef CARNOT_CARNOTD_SAMPLER_PRIVATE_H
#define CARNOT_CARNOTD_SAMPLER_PRIVATE_H

#include <jansson.h>

#include "carnotd/sampler.h"

/* Read sources and jobs; t_ms is monotonic. */
void sampler_read(struct sampler *s, int64_t t_ms);

/* A new job in the table, with room for its share. NULL when there is no room, which is
 * logged once. */
struct job *sampler_add_job(struct sampler *s, uint32_t id, enum job_by by);

/* A job has ended: it gets its share of the running interval and leaves when that is closed. */
void sampler_end_job(struct sampler *s, struct job *job);

/* Take up where the last record of this log ended. min_seq as in sampler_start(). Sets the
 * running interval's beginning when the last record is of this boot. */
void sampler_resume(struct sampler *s, uint64_t min_seq);

/* Read everything, and share out what the running interval has used so far as if it were closed
 * now: running_uj of the node and of each job. Writes and commits nothing. */
void sampler_estimate(struct sampler *s);
/* Give the sources their last values, of this boot's state file and last record, either of which
 * may be NULL. The record is of record_mono_ms. */
void sampler_take_bases(struct sampler *s, const json_t *state, const json_t *record,
                        int64_t record_mono_ms);

/* After the first reading: sources that cannot tell what the gap took give nothing for it. */
void sampler_mark_gap(struct sampler *s);

/* List the cgroup tree: adopt jobs that nobody announced, end those that have gone without a
 * word. At most every few seconds. */
void sampler_discover(struct sampler *s, int64_t t_ms);

#endif
