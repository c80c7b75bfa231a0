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

void attribution_split(struct share_node *node, struct share_job jobs[], int n_jobs)
{
    uint64_t idle_uj = node->idle_limit_uj < node->uj ? node->idle_limit_uj : node->uj;

    _split_idle(node, idle_uj, jobs, n_jobs);
    _split_active(node, node->uj - idle_uj, jobs, n_jobs);
}
