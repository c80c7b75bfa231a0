/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * {sweep, decide, take}. Pure but for the table that the caller guards.
 */
#include "config.h"

#include "placement/admit.h"

void admit_init(struct admit *a, int64_t now_ms)
{
    lease_init(&a->leases);
    a->started_ms = now_ms;
    a->seq = 0;
    a->published_ms = 0;
}

/* A partition that the board does not know: Slurm refuses the job, or the partition is new. */
static int unknown_partition(const struct board *b, const struct placement_job *job)
{
    return b->n_partitions > 0 && job->partition && job->partition[0] &&
           !board_partition_find(b, job->partition);
}

/* Leases that a later board has shown are gone, and this one does not count them yet. Both marks:
 * boards may be numbered anew, and clocks may step. */
static int is_older(const struct admit *a, const struct board *b)
{
    return b->head.seq < a->seq && b->head.published_ms < a->published_ms;
}

/* Can every promise be seen, as a lease or in the board's own figures? */
static int counted(struct admit *a, const struct board *b, int64_t now_ms)
{
    if (is_older(a, b))
        return 0;
    /* Only a new board ends a lease. */
    if (b->head.seq != a->seq || b->head.published_ms != a->published_ms)
        lease_sweep(&a->leases, b, now_ms);
    a->seq = b->head.seq;
    a->published_ms = b->head.published_ms;
    return b->head.listed_ms >= a->started_ms;
}

/* What nothing would hold must not be promised. */
static void refuse_for_now(const struct board_budget *budget, struct placement_decision *d)
{
    d->verdict = VERDICT_REFUSE;
    d->code = CODE_NO_BOARD;
    d->lack.budget = budget;
    d->start_s = d->latest_s = d->start_s - d->delay_s;
    d->delay_s = 0;
}

void admit_job(struct admit *a, const struct board *b, struct placement_job *job, uint64_t id,
               int test, int64_t now_ms, struct admit_outcome *out)
{
    const struct board_budget *budget;
    struct lease lease;
    budgets_any(b, placement_account(b, job), job->uid, &budget);
    *out = (struct admit_outcome){.id = id};
    if (!counted(a, b, now_ms))
        job->flags |= PLACEMENT_UNCOUNTED;
    job->stagger = (uint32_t)id;
    placement_decide(b, &a->leases, job, now_ms / 1000, &out->d);
    out->binding = budget || out->d.verdict == VERDICT_DELAY || out->d.code == CODE_DEP_END;
    if (!out->binding || out->d.mode != 1 || out->d.verdict == VERDICT_REFUSE)
        return;
    if (test || (budget && unknown_partition(b, job))) {
        out->not_before_s = (now_ms + LEASE_LIFE_MS) / 1000;
        return;
    }
    if (unknown_partition(b, job))
        return;
    placement_lease(b, job, &out->d, &lease);
    lease.id = id;
    if (lease_take(&a->leases, &lease, now_ms) == 0)
        return;
    if (budget)
        refuse_for_now(budget, &out->d);
}

void admit_change(struct admit *a, const struct board *b, const struct placement_change *change,
                  int by_operator, int64_t now_ms, struct placement_growth *out)
{
    struct lease lease;
    int known = counted(a, b, now_ms);
    placement_change_decide(b, &a->leases, change, now_ms / 1000, out);
    if (by_operator)
        out->verdict = VERDICT_RUN;
    if (out->verdict == VERDICT_REFUSE || out->energy_uj <= 0 ||
        !budgets_any(b, out->account, out->uid, NULL))
        return;
    placement_change_lease(change, out, &lease);
    if ((known || by_operator) && lease_take(&a->leases, &lease, now_ms) == 0)
        return;
    if (by_operator)
        return;
    out->verdict = VERDICT_REFUSE;
    out->code = CODE_NO_BOARD;
}
