/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The heart of carnotd: reads all sources on each tick, the jobs' CPU time every few seconds, and
 * closes the node's energy balance at least every log_interval and at every job's beginning and
 * end. Between two closings the set of jobs does not change, so that a record is exact.
 *
 * Knows nothing of the event loop: it is told when to tick. A tick allocates nothing. One thread.
 */
#ifndef CARNOT_CARNOTD_SAMPLER_H
#define CARNOT_CARNOTD_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "carnotd/attribution.h"
#include "carnotd/cgroup.h"
#include "carnotd/jobs.h"
#include "carnotd/steps.h"
#include "carnotd/telemetry_log.h"
#include "common/clock.h"
#include "common/energy_query.h"
#include "common/settings.h"
#include "power/cpu_busy.h"
#include "power/meter.h"
#include "topology/topology.h"

#define SAMPLER_LINE_MAX (1u << 20)
#define SAMPLER_RECENT 64
/* Edges closer together than this share a record. */
#define SAMPLER_EDGE_MS 20
/* However many ask, the running interval is not estimated more often. */
#define SAMPLER_ESTIMATE_MS 200

/* What was written down in records in this boot, and how the last one was made up. */
struct sampler_sums {
    uint64_t idle_uj, system_uj, jobs_uj;
    enum quality last_quality;
    unsigned last_components;
    bool last_counted[METER_SOURCES_MAX];
};

struct sampler {
    /* Set by the caller before sampler_start(). */
    const struct clock_ops *clock;
    const struct settings *settings; /* power.* and node.*; may change between two calls */
    const char *node;                /* its name in Slurm */
    const char *boot;                /* what counters and the monotonic clock belong to */
    const char *sysroot;
    bool is_host; /* the node's name is the machine's own */
    struct telemetry_log *log;
    struct meter *meter;
    const struct topology *topology;
    const char *state_path; /* of the state file; NULL: none */

    /* Private. */
    uint32_t pus; /* hardware threads of the machine, at least 1 */
    struct cgroup cgroup;
    struct cpu_busy busy;
    struct jobs jobs;
    struct share_job *shares; /* as many as jobs has room for */
    int shares_capacity;
    char *line;   /* SAMPLER_LINE_MAX bytes; pages that no line has reached are never touched */
    uint64_t seq; /* of the last record */
    struct sampler_sums sums;
    int64_t start_wall_ms, start_mono_ms; /* of the running interval */
    uint64_t start_busy_us;
    bool busy_known;
    bool gap;                         /* the running interval began before this run of the daemon */
    bool edge;                        /* a job begins or ends: close as soon as that is worth it */
    bool ending;                      /* the record that is written is the last one */
    bool state_failing;               /* the state file could not be written, and that was said */
    bool failing;                     /* the log could not be written, and that was said */
    bool full_said;                   /* that the table of jobs is full */
    int64_t scan_mono_ms;             /* when to list jobs again */
    int64_t jobs_mono_ms;             /* when all jobs' CPU time was read last */
    int64_t look_mono_ms;             /* when to see after the cgroup tree again */
    int64_t looked_mono_ms;           /* when it was looked for last */
    int64_t look_wait_ms;             /* and how long to wait if it is not found again */
    uint32_t ended[SAMPLER_RECENT];   /* jobs whose cgroup may outlive them by a moment */
    uint32_t foreign[SAMPLER_RECENT]; /* jobs in our tree that are another cluster's */
    unsigned n_ended, n_foreign;
    /* For questions: empty and untouched where nobody asks. */
    struct steps steps;
    uint64_t run;         /* names this run of the daemon */
    uint64_t total_uj;    /* the node's, up to the last record of this run */
    uint64_t running_uj;  /* and of the running interval, by the newest estimate */
    uint64_t told_uj;     /* what was made of both: only grows */
    int64_t estimated_ms; /* monotonic */
};

/* Write the "start" line, find cgroups, take up what the last record knows, read everything once;
 * what happened since the last record becomes a record of its own. min_seq: numbers up to it were
 * seen elsewhere. 0 or -1. */
int sampler_start(struct sampler *s, uint64_t min_seq, struct err *e);

/* Read what is due; close the interval if it is time to. Returns 1 when a record was written, else
 * 0. */
int sampler_tick(struct sampler *s);

/* A message came. Returns 1 when a record was written at once. */
int sampler_event(struct sampler *s, const struct node_event *ev);

/* A question came: how much energy the node, or a step of a job, has used up to now. Estimates the
 * running interval, at most every SAMPLER_ESTIMATE_MS. */
void sampler_query(struct sampler *s, const struct energy_query *q, struct energy_answer *a);

/* How long until an edge that waits can be closed, ms; -1 when none waits. */
int64_t sampler_edge_wait_ms(const struct sampler *s);

/* Close the running interval now: 1 written, 0 nothing to write, -1 it could not be. */
int sampler_close(struct sampler *s);

/* The same for the last time: what it writes is on the disk when the daemon has ended. */
int sampler_end(struct sampler *s);

/* Numbers up to seq are taken: go on behind it. */
void sampler_skip_to(struct sampler *s, uint64_t seq);

/* Free everything; writes nothing. */
void sampler_fini(struct sampler *s);

#endif
