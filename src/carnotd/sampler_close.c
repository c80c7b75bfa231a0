/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Closing an interval: the node's energy, its shares, the record. Nothing of the
 * state changes before the record is in the log, so that an interval that cannot be
 * written goes on and is in the next record.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "carnotd/record.h"
#include "carnotd/sampler_private.h"
#include "carnotd/state_file.h"
#include "common/log.h"

/* The wall clock may differ so much from the monotonic one before it counts as set anew. */
#define WALL_SLACK_MS 100

struct closing {
    int64_t mono_ms;
    int64_t busy_us;      /* of the whole machine in the interval, -1 unknown */
    bool by_cores;        /* no CPU time of jobs is known */
    uint64_t jobs_us;     /* of all jobs */
    uint64_t modelled_us; /* the same, no job beyond what its CPUs can do */
    struct record record;
    struct share_node node;
    struct meter_interval interval;
};

/* Is all work of this machine this node's work? Not where several slurmd share it (tests). */
static bool _owns_machine(const struct sampler *s)
{
    return !s->cgroup.others && (s->is_host || s->cgroup.root[0]);
}

static void _read_clocks(struct sampler *s, struct closing *c)
{
    uint64_t busy_us;

    c->mono_ms = clock_mono_ms(s->clock);
    c->record.end_ms = clock_wall_ms(s->clock);
    c->record.mono_ms = c->mono_ms;
    c->record.dt_ms = c->record.end_ms - s->start_wall_ms;
    if (c->record.dt_ms - (c->mono_ms - s->start_mono_ms) > WALL_SLACK_MS ||
        c->record.dt_ms - (c->mono_ms - s->start_mono_ms) < -WALL_SLACK_MS)
        c->record.dt_ms = c->mono_ms - s->start_mono_ms;
    c->record.start_ms = c->record.end_ms - c->record.dt_ms;
    c->busy_us = -1;
    c->record.busy_known = s->busy_known && cpu_busy_read(&s->busy, &busy_us) == 0;
    c->record.busy_us = c->record.busy_known ? busy_us : 0;
    if (c->record.busy_known)
        c->busy_us = busy_us > s->start_busy_us ? (int64_t)(busy_us - s->start_busy_us) : 0;
}

/* What the job's CPUs can do in the interval. */
static uint64_t _capacity_us(const struct closing *c, uint32_t cpus)
{
    return (uint64_t)c->record.dt_ms * 1000 * cpus;
}

/* Without CPU time a job counts as its CPUs' part of what the machine did, or as busy where that
 * is not known either. */
static uint64_t _guess_us(const struct sampler *s, const struct closing *c, uint32_t cpus,
                          uint64_t held)
{
    uint64_t capacity_us = _capacity_us(c, cpus);
    uint64_t part_us;

    if (c->busy_us < 0 || !_owns_machine(s) || held == 0)
        return capacity_us;
    part_us = (uint64_t)((unsigned __int128)c->busy_us * cpus / held);
    return part_us < capacity_us ? part_us : capacity_us;
}

/* Weights of the jobs that were there, in table order. How many. */
static int _weigh_jobs(struct sampler *s, struct closing *c)
{
    uint64_t held = 0;
    int n = 0;

    for (int i = 0; i < s->jobs.n; i++)
        held += s->jobs.v[i].phase == JOB_STARTING ? 0 : s->jobs.v[i].cpus;
    c->node.cpus = held > s->pus && held < UINT32_MAX ? (uint32_t)held : s->pus;
    c->by_cores = held > 0 && !s->cgroup.root[0];
    for (int i = 0; i < s->jobs.n; i++) {
        struct job *job = &s->jobs.v[i];
        uint64_t used_us = job_cpu_total_us(&job->cpu) - job->mark_us;

        if (job->phase == JOB_STARTING)
            continue;
        if (c->by_cores)
            used_us = _guess_us(s, c, job->cpus, held);
        s->shares[n].cpus = job->cpus;
        s->shares[n].gpus = job->gpus;
        s->shares[n++].cpu_us = used_us;
        c->jobs_us += used_us;
        c->modelled_us +=
            used_us < _capacity_us(c, job->cpus) ? used_us : _capacity_us(c, job->cpus);
    }
    return n;
}

/* The node's energy: counters, or the model, which lets no job draw more than its CPUs can. */
static void _add_up(struct sampler *s, struct closing *c, int n)
{
    const struct power_model model = {s->settings->power.cpu_idle_mw,
                                      s->settings->power.cpu_max_mw};
    uint64_t whole_us = _capacity_us(c, c->node.cpus), system_us = 0;

    c->node.idle_limit_uj = model_idle_uj(&model, c->node.cpus, c->record.dt_ms);
    if (c->busy_us > 0 && _owns_machine(s) && (uint64_t)c->busy_us > c->modelled_us)
        system_us = (uint64_t)c->busy_us - c->modelled_us;
    if (c->modelled_us + system_us > whole_us)
        system_us = whole_us > c->modelled_us ? whole_us - c->modelled_us : 0;
    meter_sum(s->meter, c->node.idle_limit_uj + model_active_uj(&model, c->modelled_us + system_us),
              &c->interval);
    c->node.uj = c->interval.sum.uj;
    memcpy(c->node.gpu_uj, c->interval.gpu_uj, sizeof(c->node.gpu_uj));
    if (c->interval.modelled) {
        c->node.system_us = system_us;
        for (int i = 0; i < n; i++) {
            uint64_t capacity_us = _capacity_us(c, s->shares[i].cpus);

            if (s->shares[i].cpu_us > capacity_us)
                s->shares[i].cpu_us = capacity_us;
        }
    } else if (c->busy_us > 0 && (uint64_t)c->busy_us > c->jobs_us) {
        c->node.system_us = (uint64_t)c->busy_us - c->jobs_us;
    }
}

static void _add_sums(struct sampler *s, const struct closing *c)
{
    s->sums.idle_uj += c->node.idle_uj;
    s->sums.system_uj += c->node.system_uj;
    s->sums.jobs_uj += c->node.uj - c->node.idle_uj - c->node.system_uj;
    s->sums.last_quality = c->interval.quality;
    s->sums.last_components = coverage_sum_components(&c->interval.sum);
    memcpy(s->sums.last_counted, c->interval.counted, sizeof(s->sums.last_counted));
}

/* The record is written: the next interval begins. Allocates nothing. */
static void _commit(struct sampler *s, struct closing *c)
{
    int share = 0;

    _add_sums(s, c);
    meter_commit(s->meter, &c->interval);
    for (int i = 0; i < s->jobs.n; i++) {
        struct job *job = &s->jobs.v[i];
        uint64_t total_us = job_cpu_total_us(&job->cpu);

        if (job->phase == JOB_STARTING) {
            /* its CPU time so far is its own, so the mark stays where it began; the line comes
             * behind the record, where the next run of the daemon looks for it */
            job->phase = JOB_RUNNING;
            record_job_start(s, job);
            continue;
        }
        job->running_uj = 0;
        job->total_uj += share_job_uj(&s->shares[share]);
        job->total_us += total_us - job->mark_us;
        job->mark_us = total_us;
        share++;
    }
    for (int i = s->jobs.n - 1; i >= 0; i--) {
        if (s->jobs.v[i].phase != JOB_ENDED)
            continue;
        record_job_end(s, &s->jobs.v[i]);
        steps_end_job(&s->steps, s->jobs.v[i].id);
        jobs_remove(&s->jobs, &s->jobs.v[i]);
    }
    s->total_uj += c->node.uj;
    s->running_uj = 0;
    s->seq = c->record.seq;
    s->start_mono_ms = c->mono_ms;
    s->start_wall_ms = c->record.end_ms;
    if (c->record.busy_known)
        s->start_busy_us = c->record.busy_us;
    s->edge = false;
    s->gap = false;
    if (s->state_path)
        state_file_save(s, s->ending);
}

static int _write(struct sampler *s, struct closing *c)
{
    struct err e;
    int n;

    c->record.seq = s->seq + 1;
    c->record.by_cores = c->by_cores;
    c->record.node = &c->node;
    c->record.shares = s->shares;
    c->record.interval = &c->interval;
    n = record_write(s, &c->record);
    if (n < 0) {
        errno = EMSGSIZE;
        (void)err_set(&e, "a record is longer than %u bytes", SAMPLER_LINE_MAX);
    } else if (telemetry_log_append(s->log, s->line, (size_t)n, &e) == 0) {
        if (s->failing)
            log_info("the telemetry log can be written again");
        s->failing = false;
        return 0;
    }
    if (!s->failing)
        log_err("%s: energy is kept for the next record", e.text);
    s->failing = true;
    return -1;
}

/* All of the running interval up to now, as it would be closed. How many jobs have shares, or -1
 * when no time has passed. */
static int _compute(struct sampler *s, struct closing *c)
{
    int n;

    memset(c, 0, sizeof(*c));
    _read_clocks(s, c);
    if (c->record.dt_ms <= 0)
        return -1;
    sampler_read(s, c->mono_ms);
    n = _weigh_jobs(s, c);
    _add_up(s, c, n);
    attribution_split(&c->node, s->shares, n);
    return n;
}

void sampler_estimate(struct sampler *s)
{
    struct closing c;
    int share = 0;

    if (_compute(s, &c) < 0)
        return;
    s->running_uj = c.node.uj;
    for (int i = 0; i < s->jobs.n; i++) {
        if (s->jobs.v[i].phase != JOB_STARTING)
            s->jobs.v[i].running_uj = share_job_uj(&s->shares[share++]);
    }
}

int sampler_close(struct sampler *s)
{
    struct closing c;

    if (_compute(s, &c) < 0)
        return 0;
    if (_write(s, &c) < 0)
        return -1;
    _commit(s, &c);
    return 1;
}

int sampler_end(struct sampler *s)
{
    s->ending = true;
    return sampler_close(s);
}
