/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs that nobody announced, and jobs that went without a word: messages may be
 * lost, or the daemon may not have been there. The cgroup tree says what runs.
 */
#include "config.h"

#include <string.h>

#include "carnotd/job_origin.h"
#include "carnotd/sampler_private.h"
#include "common/log.h"

#define SCAN_MS 5000
#define SCAN_PROCESSES_MS 60000 /* looks at every process of the machine */
/* A job without extern step has no cgroup between two steps: only a long absence is an end. */
#define GONE_MS (15 * 60 * 1000)
/* A job that never had one may be an idle salloc; its end is told. This is for when it was not. */
#define NEVER_SEEN_MS (24 * 60 * 60 * 1000)

struct discovery {
    struct sampler *s;
    int64_t t_ms;
};

static bool _is_in(const uint32_t list[], uint32_t id)
{
    for (int i = 0; i < SAMPLER_RECENT; i++) {
        if (list[i] == id)
            return true;
    }
    return false;
}

static void _adopt(struct discovery *d, uint32_t id, uint32_t uid, const char *dir)
{
    struct sampler *s = d->s;
    struct job_origin origin;
    struct job *job;
    uint32_t cpus;

    job_origin_look(&origin, s->sysroot, dir);
    /* no process: it is about to begin, and announced in a moment, or has just ended */
    if (!origin.found)
        return;
    if (origin.foreign) {
        s->foreign[s->n_foreign++ % SAMPLER_RECENT] = id;
        return;
    }
    job = sampler_add_job(s, id, JOB_BY_CGROUP);
    if (!job)
        return;
    job->uid = uid != UINT32_MAX ? uid : origin.uid;
    cpus = cgroup_job_cpus(&s->cgroup, dir);
    if (cpus > 0) {
        job->cpus = cpus;
        job->cpus_guessed = false;
    }
    (void)job_cpu_update(&job->cpu, &s->cgroup, job->id, job->uid);
    /* what it used before is in earlier intervals: the system's, since we did not know of it */
    job->mark_us = job_cpu_total_us(&job->cpu);
    s->edge = true;
    log_info("job %u: found in its cgroup, %u CPUs%s", id, job->cpus,
             job->cpus_guessed ? " (guessed)" : "");
}

static void _on_job(uint32_t id, uint32_t uid, const char *dir, void *arg)
{
    struct discovery *d = arg;
    struct job *job = jobs_find(&d->s->jobs, id);

    if (job) {
        job->seen_ms = d->t_ms;
        job->had_process = true;
        if (job->uid == UINT32_MAX)
            job->uid = uid;
        return;
    }
    if (!_is_in(d->s->ended, id) && !_is_in(d->s->foreign, id))
        _adopt(d, id, uid, dir);
}

/* Jobs whose end nobody told. */
static void _end_silent_jobs(struct sampler *s, int64_t t_ms)
{
    for (int i = 0; i < s->jobs.n; i++) {
        struct job *job = &s->jobs.v[i];
        int64_t limit_ms = job->had_process ? GONE_MS : NEVER_SEEN_MS;

        if (job->phase != JOB_ENDED && t_ms - job->seen_ms > limit_ms) {
            log_info("job %u: no process of it for %lld min: taken as ended", job->id,
                     (long long)(limit_ms / 60000));
            sampler_end_job(s, job);
        }
    }
}

/* Without cgroups, processes say what still runs; nothing new can be learnt from them, since they
 * do not tell which node's they are. */
static void _look_for_processes(struct sampler *s, int64_t t_ms)
{
    for (int i = 0; i < s->jobs.n; i++) {
        struct job *job = &s->jobs.v[i];

        if (job_origin_stepd_runs(s->sysroot, job->id)) {
            job->seen_ms = t_ms;
            job->had_process = true;
        }
    }
}

void sampler_discover(struct sampler *s, int64_t t_ms)
{
    struct discovery d = {s, t_ms};

    if (t_ms < s->scan_mono_ms)
        return;
    if (cgroup_list(&s->cgroup, _on_job, &d) < 0) {
        s->scan_mono_ms = t_ms + SCAN_PROCESSES_MS;
        _look_for_processes(s, t_ms);
    } else {
        s->scan_mono_ms = t_ms + SCAN_MS;
    }
    _end_silent_jobs(s, t_ms);
}
