/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a job may wait: what was asked for, by which layer, less what its run or the jobs before
 * it have used up, and what bounds it. Pure.
 */
#include "config.h"

#include "placement/allowance.h"

/* What jobs that share this one's allowance have used of it: those of its run, or those it depends
 * on. */
static int64_t spent(const struct board *b, const struct placement_job *job, int64_t now_s)
{
    const struct board_run *run =
        job->request.run[0] ? board_run_find(b, job->uid, job->request.run) : NULL;
    int64_t together_s = run ? board_run_waited(run, now_s) : 0;
    return together_s > job->spent_s ? together_s : job->spent_s;
}

/* The longest wait that was asked for, whatever else bounds it. */
static int64_t asked(const struct board_head *h, const struct placement_job *job,
                     enum request_layer *layer)
{
    const struct request *r = &job->request;
    *layer = LAYER_NONE;
    if (r->delay != DELAY_UNSET) {
        *layer = r->layer[REQUEST_CARBON_DELAY];
        return r->delay == DELAY_FOR ? r->delay_s : r->delay == DELAY_SITE ? h->site_delay_s : 0;
    }
    if (r->finish_by_s > 0) {
        *layer = r->layer[REQUEST_CARBON_FINISH_BY];
        return h->max_delay_s;
    }
    return job->flags & PLACEMENT_INTERACTIVE ? 0 : h->default_delay_s;
}

/* The latest start by finish-by and deadline, each minus the limit; INT64_MAX without them. */
static int64_t bound(const struct placement_job *job, int64_t limit_s)
{
    int64_t bound_s = INT64_MAX;
    if (job->request.finish_by_s > 0)
        bound_s = job->request.finish_by_s - limit_s;
    if (job->deadline_s > 0)
        bound_s = min64(bound_s, job->deadline_s - limit_s);
    return bound_s;
}

int64_t allowance_before_outages(const struct board *b, const struct placement_job *job,
                                 int64_t limit_s, int64_t a_s, int64_t bound_s)
{
    const struct board_partition *p = board_partition_find(b, job->partition);
    for (uint32_t i = 0; i < b->n_outages; i++) {
        const struct board_outage *o = &b->outages[i];
        int here = o->partition < 0 || !p || &b->partitions[o->partition] == p;
        if (here && o->start_s > a_s && a_s + limit_s <= o->start_s)
            bound_s = min64(bound_s, o->start_s - limit_s);
    }
    return bound_s;
}

void allowance_find(const struct board *b, const struct placement_job *job, int64_t a_s,
                    int64_t now_s, struct placement_decision *d)
{
    int64_t limit_s = d->price.limit_s;
    int64_t wait_s = asked(&b->head, job, &d->layer) - spent(b, job, now_s);
    d->bound_s = bound(job, limit_s);
    if (job->request.finish_by_s > 0 && d->bound_s - a_s < wait_s)
        d->layer = job->request.layer[REQUEST_CARBON_FINISH_BY];
    wait_s = min64(wait_s, b->head.max_delay_s);
    d->wait_s = wait_s > 0 ? wait_s : 0;
}
