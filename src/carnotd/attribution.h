/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sharing a node's energy of one interval out over its jobs.
 *
 * The idle part goes by CPUs held (a job that holds CPUs keeps others from them), the
 * active part by CPU time; what no job holds stays idle, what no job's CPU time
 * accounts for is the system's. For every input, to the microjoule:
 *
 *   node = idle + system + sum over jobs (idle + active + gpu)
 *
 * What a GPU was measured to use goes to the jobs that hold it, in equal parts where several do,
 * and stays idle where none does; CPU time has no say in it.
 *
 * Pure integer arithmetic, no allocation.
 */
#ifndef CARNOT_CARNOTD_ATTRIBUTION_H
#define CARNOT_CARNOTD_ATTRIBUTION_H

#include <stdint.h>

struct share_job {
    uint32_t cpus;   /* held */
    uint64_t cpu_us; /* used in the interval */
    /* the result: */
    uint64_t idle_uj;
    uint64_t active_uj;
    uint64_t gpus;   /* held: one bit a device of the node */
    uint64_t gpu_uj; /* the result */
};

#define SHARE_GPUS_MAX 64

struct share_node {
    uint64_t uj;            /* to be shared out */
    uint64_t idle_limit_uj; /* what all CPUs would draw if they did nothing; more is active */
    uint32_t cpus;          /* of the node; taken as larger when the jobs hold more */
    uint64_t system_us;     /* CPU time that is no job's */
    /* the result: */
    uint64_t idle_uj;   /* idle part of CPUs that no job holds, and GPUs that none holds */
    uint64_t system_uj; /* active part that is no job's */
    /* of uj, what GPUs were measured to use, by device; no more than uj in all */
    uint64_t gpu_uj[SHARE_GPUS_MAX];
};

/* All that a job gets. */
static inline uint64_t share_job_uj(const struct share_job *j)
{
    return j->idle_uj + j->active_uj + j->gpu_uj;
}

/* Fill in the results. Shares differ from the exact ones by less than a microjoule; a job
 * without CPUs and CPU time gets nothing. If nobody used any CPU time, the active part is the
 * system's. */
void attribution_split(struct share_node *node, struct share_job jobs[], int n_jobs);

#endif
