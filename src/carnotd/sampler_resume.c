/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Going on after an earlier run of the daemon: numbers of records, and, within
 * one boot, what the counters and jobs went on by while nobody looked. That time becomes
 * the beginning of the first interval, which is marked as a gap: jobs that were in the last
 * record and still run get their shares of it, the rest is idle or the system's.
 */
#include "config.h"

#include <string.h>

#include "carnotd/job_origin.h"
#include "carnotd/record.h"
#include "carnotd/sampler_private.h"
#include "carnotd/spool.h"
#include "carnotd/state_file.h"
#include "common/log.h"
#include "common/when.h"

/* Time that nobody looked at for longer than this is left out: carnotctld takes no record that
 * spans more, and a share of it says little about any job. */
#define GAP_MAX_MS (60 * 60 * 1000)

/* Is it of this boot of the machine? NULL is of none. */
static bool _is_of_boot(const struct sampler *s, const json_t *object)
{
    const char *boot = json_string_value(json_object_get(object, "boot"));

    return boot && strcmp(boot, s->boot) == 0 && strcmp(boot, "unknown") != 0;
}

static uint64_t _seq(const json_t *object)
{
    json_int_t seq = json_integer_value(json_object_get(object, "seq"));

    return seq > 0 ? (uint64_t)seq : 0;
}

/* Nothing else makes a job's quality worse than its record's. */
static bool _was_guessed(const json_t *record, const json_t *entry)
{
    const char *whole = json_string_value(json_object_get(record, "quality"));
    const char *part = json_string_value(json_object_get(entry, "quality"));

    if (json_is_true(json_object_get(entry, "cpus_guessed")))
        return true;
    return whole && part && strcmp(part, "modelled") == 0 && strcmp(whole, "modelled") != 0;
}

/* Has the line about the job that the log says last about it said that it ended? */
static bool _has_ended(const json_t *events, json_int_t id)
{
    const json_t *event;
    bool ended = false;
    size_t i;

    json_array_foreach(events, i, event)
    {
        const char *ev = json_string_value(json_object_get(event, "ev"));

        if (ev && json_integer_value(json_object_get(event, "job")) == id)
            ended = strcmp(ev, "job.end") == 0;
    }
    return ended;
}

/* Does it still run? With cgroups its directory says so, without them its slurmstepd. */
static bool _still_runs(struct sampler *s, struct job *job)
{
    if (job_cpu_update(&job->cpu, &s->cgroup, job->id, job->uid))
        return true;
    return !s->cgroup.root[0] && job_origin_stepd_runs(s->sysroot, job->id);
}

/* A job that was there: entry is its share in the last record, or the line of its beginning. */
static void _resume_job(struct sampler *s, const json_t *record, const json_t *entry)
{
    json_int_t id = json_integer_value(json_object_get(entry, "job"));
    json_int_t cpus = json_integer_value(json_object_get(entry, "cpus"));
    const json_t *uid = json_object_get(entry, "uid");
    const json_t *used = json_object_get(entry, "cpu_total_us");
    const char *begun = json_string_value(json_object_get(entry, "begun"));
    struct job *job;

    if (id <= 0 || id >= UINT32_MAX || cpus <= 0 || cpus > UINT16_MAX ||
        jobs_find(&s->jobs, (uint32_t)id))
        return;
    job = sampler_add_job(s, (uint32_t)id, JOB_BY_LOG);
    if (!job)
        return;
    job->cpus = (uint32_t)cpus;
    job->cpus_guessed = _was_guessed(record, entry);
    job->gpus = (uint64_t)json_integer_value(json_object_get(entry, "gpus"));
    if (json_is_integer(uid))
        job->uid = (uint32_t)json_integer_value(uid);
    if (begun && when_parse_rfc3339(begun, &job->begun_ms, NULL) < 0)
        job->begun_ms = 0;
    if (json_is_integer(used) && json_integer_value(used) >= 0)
        job_cpu_resume(&job->cpu, (uint64_t)json_integer_value(used));
    job->mark_us = job_cpu_total_us(&job->cpu);
    job->phase = JOB_RUNNING;
    if (!_still_runs(s, job)) {
        log_info("job %u: ended while carnotd was away", job->id);
        record_job_end(s, job);
        jobs_remove(&s->jobs, job);
        return;
    }
    job->had_process = true;
    if (!s->gap)
        job->mark_us = job_cpu_total_us(&job->cpu);
    record_job_start(s, job);
}

static void _resume_jobs(struct sampler *s, const json_t *record, const json_t *events)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(json_object_get(record, "jobs"), i, entry)
    {
        if (!_has_ended(events, json_integer_value(json_object_get(entry, "job"))))
            _resume_job(s, record, entry);
    }
    json_array_foreach(events, i, entry)
    {
        if (!_has_ended(events, json_integer_value(json_object_get(entry, "job"))))
            _resume_job(s, record, entry);
    }
}

/* The interval since then becomes the first one, unless it is too long: then it is left out, and
 * what the sources went on by as well. */
static void _begin_gap(struct sampler *s, const json_t *from, int64_t wall_ms, int64_t mono_ms)
{
    const json_t *busy = json_object_get(from, "busy_us");

    if (s->start_mono_ms - mono_ms >= GAP_MAX_MS) {
        for (int i = 0; i < s->meter->n; i++)
            counter_forget(&s->meter->sources[i].counter);
        return;
    }
    s->start_mono_ms = mono_ms;
    s->start_wall_ms = wall_ms;
    s->gap = true;
    if (json_is_integer(busy) && (uint64_t)json_integer_value(busy) <= s->start_busy_us)
        s->start_busy_us = (uint64_t)json_integer_value(busy);
}

/* Go on from the last record. */
static void _resume_record(struct sampler *s, const json_t *state, const json_t *record,
                           const json_t *events)
{
    const char *ts = json_string_value(json_object_get(record, "ts"));
    const json_t *mono = json_object_get(record, "mono_ms");
    int64_t wall_ms, mono_ms = json_integer_value(mono), gap_ms = s->start_mono_ms - mono_ms;

    if (!ts || !json_is_integer(mono) || gap_ms < 0 || when_parse_rfc3339(ts, &wall_ms, NULL) < 0)
        return;
    sampler_take_bases(s, state, record, mono_ms);
    _begin_gap(s, record, wall_ms, mono_ms);
    _resume_jobs(s, record, events);
    log_info("record %llu of %s is the last one: going on after %lld ms",
             (unsigned long long)s->seq, ts, (long long)gap_ms);
}

/* The log has lost records that were written: only the state file knows where they ended. Jobs are
 * found by their cgroups, since what the log says of them may be counted already. */
static void _resume_state(struct sampler *s, const json_t *state)
{
    int64_t mono_ms = json_integer_value(json_object_get(state, "mono_ms"));

    log_warn("%s: the log has lost its last records, up to %llu", s->state_path,
             (unsigned long long)json_integer_value(json_object_get(state, "seq")));
    sampler_take_bases(s, state, NULL, 0);
    _begin_gap(s, state, json_integer_value(json_object_get(state, "wall_ms")), mono_ms);
}

/* The state file, NULL when there is none of use. */
static json_t *_load_state(const struct sampler *s)
{
    struct err e = {""};
    json_t *state = s->state_path ? state_file_load(s->state_path, s->node, &e) : NULL;

    /* times that are still to come are not of this boot, whatever it says */
    if (state && _is_of_boot(s, state) &&
        json_integer_value(json_object_get(state, "mono_ms")) > s->start_mono_ms) {
        (void)err_set(&e, "it is of the future");
        json_decref(state);
        state = NULL;
    }
    if (e.text[0])
        log_warn("%s is not used: %s; what only it knows begins anew", s->state_path, e.text);
    return state;
}

void sampler_resume(struct sampler *s, uint64_t min_seq)
{
    json_t *record, *events, *state = _load_state(s);
    uint64_t log_seq, state_seq = _seq(state);

    spool_tail(s->log, &record, &events);
    log_seq = _seq(record);
    s->seq = log_seq > state_seq ? log_seq : state_seq;
    if (min_seq > s->seq)
        s->seq = min_seq;
    if (_is_of_boot(s, state) && state_seq > log_seq)
        _resume_state(s, state);
    else if (_is_of_boot(s, record))
        _resume_record(s, _is_of_boot(s, state) ? state : NULL, record, events);
    json_decref(state);
    json_decref(record);
    json_decref(events);
}
