/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The jobs that run on this node, and what is known of them. They come from
 * SPANK's messages, from the cgroup tree and from the last record of an earlier run of the
 * daemon; the sampler decides which to believe. Allocates when a job is added, never on a tick.
 */
#ifndef CARNOT_CARNOTD_JOBS_H
#define CARNOT_CARNOTD_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "carnotd/job_cpu.h"
#include "common/node_event.h"

#define JOBS_MAX 2048 /* fit into one line; what comes on top is the system's */

enum job_phase {
    JOB_STARTING, /* known since the running interval began; its share begins with the next */
    JOB_RUNNING,
    JOB_ENDED /* gets its share of the running interval, then leaves the table */
};

/* How we came to know of it, from sure to guessed. */
enum job_by { JOB_BY_SPANK, JOB_BY_LOG, JOB_BY_CGROUP };

struct job {
    uint32_t id;
    uint32_t uid;      /* UINT32_MAX unknown */
    uint32_t cpus;     /* held, at least 1 */
    bool cpus_guessed; /* nobody told us how many */
    int64_t begun_ms;  /* wall clock of its prolog here; 0 nobody told us */
    uint64_t gpus;     /* held: one bit a device of the node */
    enum job_phase phase;
    enum job_by by;
    struct job_cpu cpu;
    uint64_t mark_us;  /* cpu's total when the running interval began */
    int64_t seen_ms;   /* monotonic: last time its cgroup or a message was seen */
    bool had_process;  /* so that its absence means something */
    uint64_t total_uj; /* given to it by this run of the daemon */
    uint64_t total_us; /* and CPU time */
    /* For those who ask before the running interval is closed (sampler_query.c): */
    uint64_t running_uj; /* its share of that so far, by the newest estimate */
    uint64_t told_uj;    /* what was made of both: only grows */
    uint64_t rest_uj;    /* of that, what no step was there for yet */
};

struct jobs {
    struct job *v; /* n of them, in no order */
    int n;
    int capacity;
};

void jobs_fini(struct jobs *jobs);

/* The job or NULL. Pointers hold until the next add or remove. */
struct job *jobs_find(struct jobs *jobs, uint32_t id);

/* A new job, phase JOB_STARTING, 1 CPU guessed. NULL and errno: ENOMEM, ENOSPC when the table is
 * full, EEXIST. */
struct job *jobs_add(struct jobs *jobs, uint32_t id, enum job_by by);

/* Closes its descriptor; the last job takes its place. */
void jobs_remove(struct jobs *jobs, struct job *job);

/* Take over what a message knows: uid, CPUs. */
void job_learn(struct job *job, const struct node_event *ev);

const char *job_by_name(enum job_by by); /* "spank", "log", "cgroup" */

#endif
