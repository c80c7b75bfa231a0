/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a job may draw: nodes, CPUs, GPUs and time limit filled in as Slurm
 * would, times the site's watts at full load. An upper estimate on purpose: reservations count with
 * it, and what was reserved and not used goes back when the job ends. Pure.
 */
#include "config.h"

#include <math.h>

#include "placement/placement.h"

static uint32_t clamp_u32(uint64_t x)
{
    return x > UINT32_MAX ? UINT32_MAX : (uint32_t)x;
}

/* Slurm counts limits in minutes and "unlimited" is no number to price: a year stands for it. */
#define LIMIT_UNLIMITED_S (365LL * 86400)

static int64_t limit_of(const struct board_partition *p, int64_t asked_s)
{
    if (asked_s > 0)
        return asked_s < LIMIT_UNLIMITED_S ? asked_s : LIMIT_UNLIMITED_S;
    if (p && p->default_time_s > 0)
        return p->default_time_s;
    if (p && p->max_time_s > 0)
        return p->max_time_s;
    return LIMIT_UNLIMITED_S;
}

/* The job in partition p; NULL = one that the board does not know. */
static void price_in(const struct board *b, const struct placement_job *job,
                     const struct board_partition *p, struct placement_price *out)
{
    uint32_t per_node = p && p->cpus_per_node ? p->cpus_per_node : 1;
    uint64_t nodes = job->nodes, cpus = job->cpus;

    if (nodes == 0)
        nodes = cpus ? (cpus + per_node - 1) / per_node : 1;
    if ((job->flags & PLACEMENT_EXCLUSIVE) || (p && p->exclusive))
        cpus = cpus > nodes * per_node ? cpus : nodes * per_node;
    else if (cpus < nodes)
        cpus = nodes;

    out->nodes = clamp_u32(nodes);
    out->cpus = clamp_u32(cpus);
    out->gpus = job->gpus;
    out->limit_s = limit_of(p, job->limit_s);
    out->power_w = (double)out->cpus * b->head.cpu_max_w + (double)out->gpus * b->head.gpu_max_w;
    /* Slurm counts the licence in whole watts: what is reserved is what it counts. */
    if (b->head.watts_total > 0)
        out->power_w = out->power_w > 1 ? ceil(out->power_w) : 1;
    /* Whole microjoules, as the ledger counts them: the sum of what is promised must be what will
     * be reserved. */
    out->energy_uj = ceil(out->power_w * (double)out->limit_s * 1e6);
    out->power_all_w = out->power_w * (double)(job->tasks ? job->tasks : 1);
    out->energy_all_uj = out->energy_uj * (double)(job->tasks ? job->tasks : 1);
}

/* -p a,b: Slurm takes whichever is free first, so the dearest is what the job may cost. */
void placement_price(const struct board *b, const struct placement_job *job,
                     struct placement_price *out)
{
    uint32_t i = 0;
    struct placement_price other;
    const struct board_partition *p = board_partition_each(b, job->partition, &i);
    price_in(b, job, p, out);
    while (p && (p = board_partition_each(b, job->partition, &i))) {
        price_in(b, job, p, &other);
        if (other.energy_uj > out->energy_uj)
            *out = other;
    }
}
