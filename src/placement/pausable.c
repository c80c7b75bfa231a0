/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which jobs --carbon-requeue can work for: those that Slurm can queue again and that have some
 * waiting to spend. Pure.
 */
#include "config.h"

#include "placement/placement.h"

int64_t placement_done_by_s(const struct placement_decision *d)
{
    /* A bound that lies before 1970 is one all the same. */
    if (d->bound_s == INT64_MAX)
        return 0;
    int64_t done_by_s = d->bound_s + d->price.limit_s;
    return done_by_s > 0 ? done_by_s : 1;
}

const char *placement_unpausable(const struct placement_job *job,
                                 const struct placement_decision *d)
{
    if (!job->request.requeue)
        return NULL;
    if (job->flags & PLACEMENT_INTERACTIVE)
        return "--carbon-requeue does nothing here: only a batch job can be queued again";
    if (job->flags & PLACEMENT_NO_REQUEUE)
        return "--carbon-requeue does nothing here: --no-requeue forbids it";
    if (job->flags & PLACEMENT_IMMEDIATE)
        return "--carbon-requeue does nothing here: a job with a reservation, of cron or in parts "
               "is never made to wait";
    if (d->policy == POLICY_ASAP || d->wait_s <= 0)
        return "--carbon-requeue does nothing here: the job may not wait; say for how long with "
               "--carbon-delay or --carbon-finish-by";
    return NULL;
}
