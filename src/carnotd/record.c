/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From numbers to lines. The order of the keys is part of the format. Beyond
 * what readers need, a record keeps what the next run of the daemon goes on from: the
 * sources' counters (raw), the jobs' CPU time (cpu_total_us), the monotonic clock.
 */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "carnotd/line.h"
#include "carnotd/record.h"

static void _begin(struct sampler *s, struct line *l, int64_t t_ms, const char *ev)
{
    line_begin(l, s->line, SAMPLER_LINE_MAX);
    line_u64(l, "v", 1);
    line_time(l, "ts", t_ms);
    line_str(l, "ev", ev);
    line_str(l, "node", s->node);
}

/* Quality of a job's share. */
static enum quality _job_quality(const struct job *job, const struct record *r)
{
    if (r->interval->modelled || r->by_cores || job->cpus_guessed)
        return QUALITY_MODELLED;
    return r->interval->quality == QUALITY_STALE ? QUALITY_STALE : QUALITY_SPLIT;
}

static void _write_sources(const struct sampler *s, struct line *l, const struct record *r)
{
    line_array(l, "sources");
    for (int i = 0; i < s->meter->n; i++) {
        const struct source *source = &s->meter->sources[i];
        bool is_model = !source->ops->read;

        if (!r->interval->counted[i] && !r->interval->absent[i])
            continue;
        line_object(l);
        line_str(l, "name", source->name);
        if (r->interval->absent[i])
            line_null(l, "uj");
        else
            line_u64(l, "uj", r->interval->uj[i]);
        line_str(l, "state", source_state_name(source->worst));
        if (source->error)
            line_str(l, "error", source_error_text(source));
        /* one that was not read just now has an older value, which only the state file dates */
        if (!is_model && source->counter.primed && source->counter.last_ms == r->mono_ms)
            line_u64(l, "raw", source->counter.last_uj);
        line_object_end(l);
    }
    line_array_end(l);
}

static void _write_jobs(const struct sampler *s, struct line *l, const struct record *r,
                        const char *coverage)
{
    int n = 0;

    line_array(l, "jobs");
    for (int i = 0; i < s->jobs.n; i++) {
        const struct job *job = &s->jobs.v[i];
        const struct share_job *share = &r->shares[n];
        uint64_t total_us = job_cpu_total_us(&job->cpu);

        if (job->phase == JOB_STARTING)
            continue;
        n++;
        line_object(l);
        line_u64(l, "job", job->id);
        if (job->uid == UINT32_MAX)
            line_null(l, "uid");
        else
            line_u64(l, "uid", job->uid);
        line_u64(l, "cpus", job->cpus);
        line_u64(l, "uj", share_job_uj(share));
        line_u64(l, "idle_uj", share->idle_uj);
        line_u64(l, "active_uj", share->active_uj);
        if (job->gpus) {
            line_u64(l, "gpu_uj", share->gpu_uj);
            line_u64(l, "gpus", job->gpus);
        }
        /* differences of whole milliseconds: what is cut off here is in the next record */
        if (r->by_cores)
            line_null(l, "cpu_ms");
        else
            line_u64(l, "cpu_ms", total_us / 1000 - job->mark_us / 1000);
        line_str(l, "quality", quality_name(_job_quality(job, r)));
        line_str(l, "coverage", coverage);
        if (job->begun_ms)
            line_time(l, "begun", job->begun_ms);
        if (job->cpu.known)
            line_u64(l, "cpu_total_us", total_us);
        line_object_end(l);
    }
    line_array_end(l);
}

int record_write(struct sampler *s, const struct record *r)
{
    char coverage[COVERAGE_TEXT_SIZE];
    struct line l;

    coverage_format(coverage, sizeof(coverage), coverage_sum_components(&r->interval->sum));
    _begin(s, &l, r->end_ms, "record");
    line_str(&l, "boot", s->boot);
    line_u64(&l, "seq", r->seq);
    line_time(&l, "start", r->start_ms);
    line_i64(&l, "dt_ms", r->dt_ms);
    line_u64(&l, "uj", r->node->uj);
    line_u64(&l, "idle_uj", r->node->idle_uj);
    line_u64(&l, "system_uj", r->node->system_uj);
    line_str(&l, "quality", quality_name(r->interval->quality));
    line_str(&l, "coverage", coverage);
    line_str(&l, "method", r->by_cores ? "cores" : "cores+cputime");
    _write_sources(s, &l, r);
    _write_jobs(s, &l, r, coverage);
    line_i64(&l, "mono_ms", r->mono_ms);
    if (r->busy_known)
        line_u64(&l, "busy_us", r->busy_us);
    if (s->gap)
        line_bool(&l, "gap", true);
    return line_end(&l);
}

static void _commit(struct sampler *s, struct line *l)
{
    int n = line_end(l);

    if (n > 0)
        (void)telemetry_log_append(s->log, s->line, (size_t)n, NULL);
}

void record_daemon_start(struct sampler *s)
{
    const struct topology *t = s->topology;
    struct line l;

    _begin(s, &l, clock_wall_ms(s->clock), "start");
    line_str(&l, "boot", s->boot);
    line_str(&l, "version", PACKAGE_VERSION);
    line_i64(&l, "pid", (int64_t)getpid());
    line_i64(&l, "interval_ms", s->settings->node.interval_ms);
    line_u64(&l, "cpus", s->pus);
    line_u64(&l, "packages", t->n_packages);
    line_str(&l, "topology", t->fingerprint[0] ? t->fingerprint : NULL);
    line_array(&l, "sources");
    for (int i = 0; i < s->meter->n; i++) {
        const struct source *source = &s->meter->sources[i];
        char coverage[COVERAGE_TEXT_SIZE];

        if (source->inside)
            continue;
        line_object(&l);
        line_str(&l, "name", source->name);
        line_str(&l, "coverage",
                 coverage_format(coverage, sizeof(coverage), source->coverage.components));
        line_str(&l, "quality", quality_name(source->quality));
        line_object_end(&l);
    }
    line_array_end(&l);
    _commit(s, &l);
}

void record_daemon_stop(struct sampler *s, const char *why)
{
    struct line l;

    _begin(s, &l, clock_wall_ms(s->clock), "stop");
    line_str(&l, "why", why);
    line_u64(&l, "last", s->seq);
    _commit(s, &l);
}

void record_source(struct sampler *s, const struct source *source, enum source_state was)
{
    struct line l;

    _begin(s, &l, clock_wall_ms(s->clock), "source");
    line_str(&l, "name", source->name);
    line_str(&l, "state", source_state_name(source->state));
    line_str(&l, "was", source_state_name(was));
    if (source->error)
        line_str(&l, "error", source_error_text(source));
    _commit(s, &l);
}

void record_job_start(struct sampler *s, const struct job *job)
{
    struct line l;

    _begin(s, &l, clock_wall_ms(s->clock), "job.start");
    line_u64(&l, "job", job->id);
    if (job->uid == UINT32_MAX)
        line_null(&l, "uid");
    else
        line_u64(&l, "uid", job->uid);
    line_u64(&l, "cpus", job->cpus);
    line_bool(&l, "cpus_guessed", job->cpus_guessed);
    if (job->begun_ms)
        line_time(&l, "begun", job->begun_ms);
    if (job->gpus)
        line_u64(&l, "gpus", job->gpus);
    line_str(&l, "by", job_by_name(job->by));
    _commit(s, &l);
}

void record_job_end(struct sampler *s, const struct job *job)
{
    struct line l;

    _begin(s, &l, clock_wall_ms(s->clock), "job.end");
    line_u64(&l, "job", job->id);
    line_u64(&l, "uj", job->total_uj);
    if (job->cpu.known)
        line_u64(&l, "cpu_ms", job->total_us / 1000);
    else
        line_null(&l, "cpu_ms");
    _commit(s, &l);
}

void record_cap(struct sampler *s, uint32_t job, const struct power_cap *cap,
                const struct cap_answer *a)
{
    char ev[32], text[POWER_CAP_TEXT_SIZE];
    struct line l;

    (void)snprintf(ev, sizeof(ev), "cap.%s", cap_result_name(a->result));
    _begin(s, &l, clock_wall_ms(s->clock), ev);
    if (job)
        line_u64(&l, "job", job);
    else
        line_null(&l, "job");
    line_str(&l, "cap", cap ? power_cap_format(text, sizeof(text), cap) : NULL);
    line_u64(&l, "limits", a->limits);
    if (a->asked_mw) {
        line_u64(&l, "asked_mw", a->asked_mw);
        line_u64(&l, "actual_mw", a->actual_mw);
    }
    if (a->why.text[0])
        line_str(&l, "why", a->why.text);
    _commit(s, &l);
}
