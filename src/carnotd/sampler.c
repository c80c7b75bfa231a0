/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ticks, messages and the table of jobs. Closing an interval is in
 * sampler_close.c, questions in sampler_query.c, jobs that were not announced in
 * sampler_discover.c, the start after an earlier run in sampler_resume.c.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "carnotd/record.h"
#include "carnotd/sampler_private.h"
#include "common/log.h"

#define LOOK_SOON_MS 5000           /* no cgroup tree yet: slurmd may still be starting */
#define LOOK_RARELY_MS (300 * 1000) /* looking visits every cgroup of the machine */
#define LOOK_THERE_MS 60000         /* is the tree still there? That is cheap */
/* What jobs have used is asked for when it counts: at edges, records and questions. In between for
 * those alone that end without a word, who are found as late as that, too. */
#define JOBS_MS 5000

static void _on_source(const struct source *source, enum source_state was, void *arg)
{
    struct sampler *s = arg;

    if (source->state == SOURCE_MISSING)
        log_warn("source %s: cannot be read: %s", source->name, source_error_text(source));
    else
        log_info("source %s: %s (was %s)", source->name, source_state_name(source->state),
                 source_state_name(was));
    record_source(s, source, was);
}

int sampler_start(struct sampler *s, uint64_t min_seq, struct err *e)
{
    s->line = malloc(SAMPLER_LINE_MAX);
    if (!s->line)
        return err_errno(e, "no memory for records");
    s->pus = s->topology->pus ? s->topology->pus : 1;
    record_daemon_start(s);
    s->start_wall_ms = clock_wall_ms(s->clock);
    s->start_mono_ms = clock_mono_ms(s->clock);
    s->run = s->start_wall_ms > 0 ? (uint64_t)s->start_wall_ms : 1;
    s->estimated_ms = s->start_mono_ms - SAMPLER_ESTIMATE_MS;
    cgroup_init(&s->cgroup, s->sysroot, s->node);
    (void)cpu_busy_open(&s->busy, s->sysroot);
    s->busy_known = cpu_busy_read(&s->busy, &s->start_busy_us) == 0;
    s->looked_mono_ms = s->start_mono_ms;
    s->look_wait_ms = LOOK_SOON_MS;
    s->look_mono_ms = s->start_mono_ms + LOOK_SOON_MS;
    s->meter->on_change = _on_source;
    s->meter->arg = s;
    sampler_resume(s, min_seq);
    sampler_read(s, clock_mono_ms(s->clock));
    sampler_discover(s, clock_mono_ms(s->clock));
    if (s->gap) {
        sampler_mark_gap(s);
        (void)sampler_close(s);
    }
    return 0;
}

void sampler_fini(struct sampler *s)
{
    jobs_fini(&s->jobs);
    steps_fini(&s->steps);
    cpu_busy_close(&s->busy);
    free(s->shares);
    s->shares = NULL;
    free(s->line);
    s->line = NULL;
}

struct job *sampler_add_job(struct sampler *s, uint32_t id, enum job_by by)
{
    struct job *job = jobs_add(&s->jobs, id, by);
    struct share_job *shares;

    if (job && s->shares_capacity < s->jobs.capacity) {
        shares = realloc(s->shares, (size_t)s->jobs.capacity * sizeof(*shares));
        if (!shares) {
            jobs_remove(&s->jobs, job);
            job = NULL;
        } else {
            s->shares = shares;
            s->shares_capacity = s->jobs.capacity;
        }
    }
    if (!job && !s->full_said) {
        s->full_said = true;
        log_err("job %u: cannot be followed (%s): its energy goes to the system", id,
                strerror(errno));
    }
    if (job)
        job->seen_ms = clock_mono_ms(s->clock);
    return job;
}

void sampler_end_job(struct sampler *s, struct job *job)
{
    if (job->phase == JOB_ENDED)
        return;
    job->phase = JOB_ENDED;
    s->ended[s->n_ended++ % SAMPLER_RECENT] = job->id;
    s->edge = true;
}

static void _read_jobs(struct sampler *s, int64_t t_ms)
{
    s->jobs_mono_ms = t_ms;
    for (int i = 0; i < s->jobs.n; i++) {
        struct job *job = &s->jobs.v[i];

        if (job_cpu_update(&job->cpu, &s->cgroup, job->id, job->uid)) {
            job->had_process = true;
            job->seen_ms = t_ms;
        }
    }
}

void sampler_read(struct sampler *s, int64_t t_ms)
{
    _read_jobs(s, t_ms);
    meter_read(s->meter, t_ms, false);
}

/* slurmd makes its tree when it starts, which may be after us; and it may be told to put it
 * elsewhere. */
static void _look_for_cgroups(struct sampler *s, int64_t t_ms)
{
    if (t_ms < s->look_mono_ms)
        return;
    if (cgroup_is_there(&s->cgroup) && t_ms - s->looked_mono_ms < LOOK_RARELY_MS) {
        s->look_mono_ms = t_ms + LOOK_THERE_MS;
        return;
    }
    s->looked_mono_ms = t_ms;
    if (cgroup_look(&s->cgroup)) {
        s->look_wait_ms = LOOK_SOON_MS;
        s->look_mono_ms = t_ms + LOOK_THERE_MS;
        return;
    }
    s->look_mono_ms = t_ms + s->look_wait_ms;
    s->look_wait_ms = 2 * s->look_wait_ms < LOOK_RARELY_MS ? 2 * s->look_wait_ms : LOOK_RARELY_MS;
}

/* Would the next tick be too late? Ticks come some milliseconds early and late. */
static bool _is_due(const struct sampler *s, int64_t t_ms)
{
    int64_t interval_ms = s->settings->node.interval_ms;

    return t_ms - s->start_mono_ms + interval_ms >
           s->settings->node.log_interval_ms + interval_ms / 4;
}

int sampler_tick(struct sampler *s)
{
    int64_t t_ms = clock_mono_ms(s->clock);

    _look_for_cgroups(s, t_ms);
    sampler_discover(s, t_ms);
    if (sampler_edge_wait_ms(s) == 0 || _is_due(s, t_ms))
        return sampler_close(s) == 1;
    if (t_ms - s->jobs_mono_ms >= JOBS_MS)
        _read_jobs(s, t_ms);
    meter_read(s->meter, t_ms, false);
    return 0;
}

int64_t sampler_edge_wait_ms(const struct sampler *s)
{
    int64_t wait_ms = s->start_mono_ms + SAMPLER_EDGE_MS - clock_mono_ms(s->clock);

    if (!s->edge)
        return -1;
    return wait_ms > 0 ? wait_ms : 0;
}

static void _begin_job(struct sampler *s, const struct node_event *ev)
{
    struct job *job = jobs_find(&s->jobs, ev->job_id);

    if (job && job->phase == JOB_ENDED) {
        /* requeued, and back already: the old run's share has to be written first */
        if (sampler_close(s) == 1)
            job = NULL;
        else
            job->phase = JOB_RUNNING;
    }
    if (job) {
        job_learn(job, ev);
        return;
    }
    job = sampler_add_job(s, ev->job_id, JOB_BY_SPANK);
    if (!job)
        return;
    job_learn(job, ev);
    /* a prolog is there before the cgroup; with a step, what was used before is not ours */
    (void)job_cpu_update(&job->cpu, &s->cgroup, job->id, job->uid);
    job->mark_us = job_cpu_total_us(&job->cpu);
    s->edge = true;
}

int sampler_event(struct sampler *s, const struct node_event *ev)
{
    struct job *job = jobs_find(&s->jobs, ev->job_id);

    if (job) {
        job->seen_ms = clock_mono_ms(s->clock);
        (void)job_cpu_update(&job->cpu, &s->cgroup, job->id, job->uid);
    }
    switch (ev->kind) {
    case NODE_EVENT_START:
        _begin_job(s, ev);
        break;
    case NODE_EVENT_STEP:
        if (!job || job->phase != JOB_ENDED)
            _begin_job(s, ev);
        break;
    case NODE_EVENT_END:
        if (job)
            sampler_end_job(s, job);
        break;
    case NODE_EVENT_STEP_END: /* its CPU time was read above, before its cgroup goes */
        steps_end(&s->steps, ev->job_id, ev->step);
        break;
    case NODE_EVENT_NONE:
        break;
    }
    return sampler_edge_wait_ms(s) == 0 && sampler_close(s) == 1;
}

void sampler_skip_to(struct sampler *s, uint64_t seq)
{
    if (seq > s->seq)
        s->seq = seq;
}
