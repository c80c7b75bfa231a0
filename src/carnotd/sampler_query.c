/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Slurm's own accounting asks for: the energy of the node and of steps up to now, which is
 * between two records. What was closed is known, the running interval is estimated. An estimate
 * may shrink, as when a second job gets busy; what was told never does: it waits until the sum has
 * caught up.
 */
#include "config.h"

#include <string.h>

#include "carnotd/sampler_private.h"

static void _estimate(struct sampler *s, int64_t t_ms)
{
    if (t_ms - s->estimated_ms < SAMPLER_ESTIMATE_MS)
        return;
    s->estimated_ms = t_ms;
    sampler_estimate(s);
}

/* Raise what was told to what is known; how much more that is. */
static uint64_t _raise(uint64_t *told_uj, uint64_t total_uj, uint64_t running_uj)
{
    uint64_t before_uj = *told_uj, now_uj;

    if (__builtin_add_overflow(total_uj, running_uj, &now_uj) || now_uj <= before_uj)
        return 0;
    *told_uj = now_uj;
    return now_uj - before_uj;
}

/* The extern step stands for the job; of the others each has its share. What a job used while it
 * had no step goes to those that come next. */
static bool _step(struct sampler *s, const struct energy_query *q, int64_t t_ms, uint64_t *uj)
{
    struct job *job = jobs_find(&s->jobs, q->job_id);
    struct step *step;

    if (!job)
        return false;
    step = steps_take(&s->steps, &s->cgroup, job, q->step, job->by == JOB_BY_SPANK, t_ms);
    if (!step)
        return false;
    job->rest_uj += _raise(&job->told_uj, job->total_uj, job->running_uj);
    if (job->rest_uj > 0)
        job->rest_uj = steps_share(&s->steps, &s->cgroup, job, job->rest_uj, t_ms);
    *uj = step_is_extern(q->step) ? job->told_uj : step->uj;
    return true;
}

void sampler_query(struct sampler *s, const struct energy_query *q, struct energy_answer *a)
{
    int64_t t_ms = clock_mono_ms(s->clock);
    uint64_t uj = 0;

    memset(a, 0, sizeof(*a));
    _estimate(s, t_ms);
    if (q->of == ENERGY_OF_NODE) {
        (void)_raise(&s->told_uj, s->total_uj, s->running_uj);
        uj = s->told_uj;
    } else if (q->of != ENERGY_OF_STEP || !_step(s, q, t_ms, &uj)) {
        return;
    }
    a->of = q->of;
    a->run = s->run;
    a->uj = uj;
    a->mono_ms = s->estimated_ms;
}
