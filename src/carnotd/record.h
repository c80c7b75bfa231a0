/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of the telemetry log, as docs/formats.md has them. Only text; what
 * is in them is worked out by the sampler.
 */
#ifndef CARNOT_CARNOTD_RECORD_H
#define CARNOT_CARNOTD_RECORD_H

#include "carnotd/sampler.h"
#include "common/cap_message.h"

struct record {
    uint64_t seq;
    int64_t start_ms, end_ms; /* wall clock */
    int64_t dt_ms;
    int64_t mono_ms;  /* at the end */
    uint64_t busy_us; /* the machine's CPU time since boot, at the end */
    bool busy_known;
    bool by_cores; /* CPU time was not known: shared by cores alone */
    const struct share_node *node;
    const struct share_job *shares; /* one for each job that was there */
    const struct meter_interval *interval;
};

/* The record into s->line. Its length, or -1 when it does not fit. */
int record_write(struct sampler *s, const struct record *r);

/* Events: written to the log at once. That one cannot be written is no error of the caller's. */
void record_daemon_start(struct sampler *s);
void record_daemon_stop(struct sampler *s, const char *why);
void record_source(struct sampler *s, const struct source *source, enum source_state was);
void record_job_start(struct sampler *s, const struct job *job);
void record_job_end(struct sampler *s, const struct job *job);
/* What became of a job's power cap; job 0 and cap NULL: of whatever an earlier run left. */
void record_cap(struct sampler *s, uint32_t job, const struct power_cap *cap,
                const struct cap_answer *a);

#endif
