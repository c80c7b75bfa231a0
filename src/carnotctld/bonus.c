/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Written down before it is ordered, so that a restart gives nothing twice; an order that is lost
 * with the process is a bonus lost, which is the lesser fault.
 */
#include "config.h"

#include "carnotctld/bonus.h"
#include "carnotctld/runs.h"
#include "carnotctld/slurm_client.h"
#include "carnotctld/tracker.h"
#include "common/log.h"

/* Slurm: age x weight, and age is 1 from PriorityMaxAge on (priority/multifactor). */
static int64_t worth(const struct snapshot *s, int64_t delay_s)
{
    if (s->age_weight == 0 || s->age_full_s <= 0)
        return 0;
    int64_t counted_s = delay_s < s->age_full_s ? delay_s : s->age_full_s;
    return (int64_t)((double)s->age_weight * (double)counted_s / (double)s->age_full_s + 0.5);
}

static void give(struct ctl *c, const struct slurm_job *job, struct ledger_job *row)
{
    struct slurm_order o = slurm_client_order_for(ORDER_FACTOR, row);
    int64_t bonus = worth(c->snap, row->delay_s);
    if (bonus <= 0 || (int64_t)job->site_factor + bonus > UINT32_MAX)
        return;
    row->bonus = bonus;
    if (tracker_store(c, row) < 0)
        return;
    o.site_factor = (uint32_t)((int64_t)job->site_factor + bonus);
    slurm_client_order(&o);
    log_debug("job %u: %lld of priority given back for its wait", row->key.job_id,
              (long long)bonus);
}

void bonus_run(struct ctl *c)
{
    int64_t now_s = ctl_now_s(c);
    if (!c->snap || c->snap->age_weight == 0)
        return;
    for (size_t i = 0; i < c->snap->n_jobs; i++) {
        const struct slurm_job *job = &c->snap->jobs[i];
        struct ledger_job *row = job->phase == PHASE_PENDING ? runs_newest(c, job->job_id) : NULL;
        if (row && !row->released && !row->bonus && row->delay_s > 0 && row->planned_s > 0 &&
            row->planned_s <= now_s && !job->dependency && !job->held && tracker_acting(c, row))
            give(c, job, row);
    }
}

void bonus_ordered(struct ctl *c, uint32_t job_id, int ok)
{
    struct ledger_job *row = runs_newest(c, job_id);
    if (!row || ok)
        return;
    row->bonus = 0;
    tracker_store(c, row);
}
