/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm as carnotctld sees it at one moment: a complete list of jobs and partitions, without
 * any Slurm type. Made by slurm_client's thread, owned by the main loop once handed over.
 */
#ifndef CARNOT_CARNOTCTLD_SNAPSHOT_H
#define CARNOT_CARNOTCTLD_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "carnotctld/accounting.h"
#include "placement/placement.h"

#define SNAPSHOT_NAME_MAX 64

enum job_phase { PHASE_PENDING = 0, PHASE_RUNNING, PHASE_SUSPENDED, PHASE_ENDED };

struct slurm_job {
    uint32_t job_id, array_job_id, restart, uid;
    uint32_t het_job_id; /* the first component of a heterogeneous job; 0 = no such job */
    int64_t array_task;  /* -1 = none, or several */
    uint32_t tasks;      /* pending tasks of an array in this record, else 1 */
    uint32_t nodes, cpus, gpus;
    uint32_t watts; /* of the licence, each task; 0 = none */
    enum job_phase phase;
    char state[24];  /* COMPLETED, PENDING, ... */
    char reason[48]; /* why it is pending, in Slurm's words */
    int held;        /* priority 0 */
    int exclusive;
    int completing; /* its epilogs run: nodelist, nodes and cpus are those that are not through */
    int bound;      /* reservation, cron, part of a whole: Carnot does not move it */
    uint32_t cpus_per_task;
    uint32_t site_factor; /* as Slurm has it, around NICE_OFFSET */
    int64_t limit_s;      /* 0 = unlimited */
    int64_t submit_s, eligible_s, start_s,
        end_s; /* 0 = not set; start_s of a pending job: expected */
    char user[SNAPSHOT_NAME_MAX], account[SNAPSHOT_NAME_MAX], partition[SNAPSHOT_NAME_MAX];
    char name[SNAPSHOT_NAME_MAX], wckey[SNAPSHOT_NAME_MAX];
    char nodelist[256];
    struct placement_note *note; /* owned; what the plugin wrote of it, NULL = nothing of ours */
    char *dependency;            /* owned; what it still waits for, NULL = nothing */
    char *licences;              /* owned; of one with watts, NULL = none */
};

struct slurm_part {
    char name[SNAPSHOT_NAME_MAX];
    int is_default, exclusive;
    uint32_t nodes, cpus_per_node, gpus_per_node;
    int64_t default_time_s, max_time_s; /* 0 = none, unlimited */
};

/* A maintenance reservation that has not ended, once for each partition that it touches. */
struct slurm_outage {
    int64_t start_s, end_s;
    char partition[SNAPSHOT_NAME_MAX]; /* "" = all */
};

struct snapshot {
    int64_t listed_ms;      /* wall clock before the list was asked for */
    struct slurm_job *jobs; /* sorted by job_id */
    size_t n_jobs;
    struct slurm_part *parts;
    size_t n_parts;
    uint32_t cpus; /* of all nodes in partitions, each once; 0 = not known */
    struct slurm_outage *outages;
    size_t n_outages;
    uint32_t age_weight; /* what a full priority age is worth; 0 = age does not count here */
    int64_t age_full_s;  /* when it is full */
    struct accounting_usage *usage; /* of the accounts watched, read before the list; owned */
    size_t n_usage;
    struct accounting *accounting; /* when it was read this time, else NULL; owned */
};

/* What the plugin wrote into this text, or NULL: nothing, or no memory, which is as if some other
 * tool had written over it. The caller frees. */
struct placement_note *snapshot_note(const char *admin_comment);

void snapshot_destroy(struct snapshot *s); /* NULL is legal */

/* By id; NULL when the list has none. O(log n) */
const struct slurm_job *snapshot_job(const struct snapshot *s, uint32_t job_id);

#endif
