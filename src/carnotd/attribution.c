/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sharing by running totals: with the weights laid end to end, each share is the
 * difference of two rounded marks. The marks telescope, so the sum is exact, and
 * there is nothing left over to deal out. Pure.
 */
#include "config.h"

#include "carnotd/attribution.h"

/* total x part / whole, rounded down; part <= whole, whole > 0. The weights' sums are kept
 * below 2^64, so the product fits into 128 bits. */
static uint64_t _mark(uint64_t total, uint64_t part, uint64_t whole)
{
    return (uint64_t)((unsigned __int128)total * part / whole);
}

/* a + b, saturating: weights that large are nonsense, but must not wrap. */
static uint64_t _add(uint64_t a, uint64_t b)
{
    uint64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return UINT64_MAX;
    return sum;
}

static void _split_idle(struct share_node *node, uint64_t total, struct share_job jobs[], int n)
{
    uint64_t held = 0, whole, at = 0, before = 0;

    for (int i = 0; i < n; i++)
        held += jobs[i].cpus;
    whole = held > node->cpus ? held : node->cpus;
    for (int i = 0; i < n; i++) {
        uint64_t mark;

        at += jobs[i].cpus;
        mark = whole ? _mark(total, at, whole) : 0;
        jobs[i].idle_uj = mark - before;
        before = mark;
    }
    node->idle_uj = total - before;
}

static void _split_active(struct share_node *node, uint64_t total, struct share_job jobs[], int n)
{
    uint64_t whole = node->system_us, at = 0, before = 0;

    for (int i = 0; i < n; i++)
        whole = _add(whole, jobs[i].cpu_us);
    for (int i = 0; i < n; i++) {
        uint64_t mark;

        at = _add(at, jobs[i].cpu_us);
        mark = whole ? _mark(total, at, whole) : 0;
        jobs[i].active_uj = mark - before;
        before = mark;
    }
    node->system_uj = total - before;
}

/* One GPU among those who hold it. What is left to nobody. */
static uint64_t _split_gpu(unsigned gpu, uint64_t uj, struct share_job jobs[], int n)
{
    uint64_t bit = UINT64_C(1) << gpu, holders = 0, at = 0, before = 0;

    for (int i = 0; i < n; i++)
        holders += (jobs[i].gpus & bit) != 0;
    for (int i = 0; i < n && holders; i++) {
        uint64_t mark;

        if (!(jobs[i].gpus & bit))
            continue;
        mark = _mark(uj, ++at, holders);
        jobs[i].gpu_uj += mark - before;
        before = mark;
    }
    return uj - before;
}

void attribution_split(struct share_node *node, struct share_job jobs[], int n_jobs)
{
    uint64_t rest_uj = node->uj, unheld_uj = 0, idle_uj;

    for (int i = 0; i < n_jobs; i++)
        jobs[i].gpu_uj = 0;
    for (unsigned gpu = 0; gpu < SHARE_GPUS_MAX; gpu++) {
        uint64_t uj = node->gpu_uj[gpu] < rest_uj ? node->gpu_uj[gpu] : rest_uj;

        rest_uj -= uj;
        unheld_uj += uj ? _split_gpu(gpu, uj, jobs, n_jobs) : 0;
    }
    idle_uj = node->idle_limit_uj < rest_uj ? node->idle_limit_uj : rest_uj;
    _split_idle(node, idle_uj, jobs, n_jobs);
    _split_active(node, rest_uj - idle_uj, jobs, n_jobs);
    node->idle_uj += unheld_uj;
}
