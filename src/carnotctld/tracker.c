/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Following jobs through Slurm's list. One transaction a list: a kill -9 leaves the ledger at the
 * list before or at this one.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/enforcer.h"
#include "carnotctld/events.h"
#include "carnotctld/history.h"
#include "carnotctld/native.h"
#include "carnotctld/pauser.h"
#include "carnotctld/requeue.h"
#include "carnotctld/row_price.h"
#include "carnotctld/runs.h"
#include "carnotctld/settle.h"
#include "carnotctld/steering.h"
#include "carnotctld/tracker.h"
#include "common/log.h"
#include "common/user.h"

int tracker_init(struct ctl *c, struct err *e)
{
    runs_load(c);
    if (history_load(c, e) < 0)
        return -1;
    return steering_load(c, e);
}

void tracker_fini(struct ctl *c)
{
    runs_free(c);
    history_free(c);
    snapshot_destroy(c->snap);
    c->snap = NULL;
}

int tracker_acting(const struct ctl *c, const struct ledger_job *row)
{
    return board_mode(&c->board, row->partition, row->account, row->uid);
}

static void text(char *to, size_t size, const char *from)
{
    size_t len = strnlen(from, size - 1);
    memcpy(to, from, len);
    memset(to + len, 0, size - len);
}

/* A start that Slurm has taken back was on the nodes that the row shows still. */
static void read_nodes(struct ledger_job *row, const struct slurm_job *job)
{
    if (job->nodelist[0] && job->phase != PHASE_PENDING)
        text(row->nodelist, sizeof(row->nodelist), job->nodelist);
    row->nodes = job->nodes;
    row->cpus = job->cpus;
    row->gpus = job->gpus;
}

/* What the list says of the run now. */
static void read_list(struct ledger_job *row, const struct slurm_job *job)
{
    row->array_job_id = job->array_job_id;
    row->array_task = job->array_task;
    row->uid = job->uid;
    text(row->account, sizeof(row->account), job->account);
    text(row->partition, sizeof(row->partition), job->partition);
    text(row->name, sizeof(row->name), job->name);
    text(row->state, sizeof(row->state), job->state);
    if (!job->completing || !row->nodelist[0])
        read_nodes(row, job);
    row->limit_s = job->limit_s;
    /* Slurm gives a job that was cancelled while it was pending a start, but no nodes. */
    int never = job->phase == PHASE_PENDING || (job->phase == PHASE_ENDED && !job->nodelist[0]);
    row->start_s = never ? 0 : job->start_s;
    row->live = job->phase != PHASE_ENDED;
}

static void read_note(struct ledger_job *row, const struct slurm_job *job,
                      const struct placement_note *note)
{
    if (note->run[0])
        text(row->run, sizeof(row->run), note->run);
    row->decision = note->id;
    row->limit_uj = note->energy_budget_uj;
    row->limit_ug = note->carbon_budget_ug;
    row->action = note->action == ACTION_WARN ? 0 : note->action == ACTION_TERM ? 1 : 2;
    row->allowance_s = note->wait_s;
    row->requeue = note->requeue;
    row->done_by_s = note->done_by_s;
    if (note->requeue)
        row->policy = (int)note->policy;
    /* A run after a requeue has a begin time of Slurm's own; its bound is what it was. */
    if (note->code == CODE_GREENER_LATER) {
        row->latest_s = note->latest_s;
        row->policy = (int)note->policy;
    }
    if (note->code == CODE_GREENER_LATER && job->restart == 0) {
        row->planned_s = row->begin_set_s = note->begin_s;
        row->delay_s = note->begin_s > note->asked_s ? note->begin_s - note->asked_s : 0;
    }
}

static void new_row(struct ctl *c, size_t n_sorted, const struct slurm_job *job,
                    struct ledger_job *row)
{
    const struct placement_note *note = job->note;
    struct ledger_job *before = job->restart ? runs_newest_of(c, n_sorted, job->job_id) : NULL;
    if (before && settle_is_lost(before))
        before = NULL; /* another job of this number, which may go on to run on its node */
    memset(row, 0, sizeof(*row));
    row->key = (struct job_key){job->job_id, job->restart, job->submit_s};
    read_list(row, job);
    row->watts = native_watts(c, job);
    if (job->user[0])
        text(row->user, sizeof(row->user), job->user);
    else
        user_name(row->user, sizeof(row->user), job->uid);
    text(row->run, sizeof(row->run), job->wckey[0] ? job->wckey : job->name);
    row->tasks = job->tasks;
    row->action = 2;
    if (before)
        requeue_inherit(before, row);
    row_price(c, job, note, row);
    if (note) {
        read_note(row, job, note);
        if (job->restart == 0)
            steering_count(c, note);
    }
    if (before)
        pauser_inherit(c, before, row);
    /* The plugin has not seen this one, or not the run after a requeue. */
    if (!note || job->restart > 0)
        requeue_admit(c, job, before, row);
    events_job(c, row->planned_s ? "job.wait" : "job.pass",
               note ? placement_code_name(note->code) : "NONE", row, "carnot");
}

/* The begin time is not what Carnot set: somebody took the job out of its hands. */
static void notice_change(struct ctl *c, const struct slurm_job *job, struct ledger_job *row)
{
    int64_t now_s = ctl_now_s(c);
    /* While its dependencies stand Slurm clears a begin time that passes: nobody's doing. */
    if (job->dependency || (row->allowance_s > 0 && row->latest_s == 0))
        return;
    if (row->released || row->begin_set_s == 0 || job->phase != PHASE_PENDING ||
        job->eligible_s <= 0 || job->eligible_s == row->begin_set_s ||
        job->eligible_s == row->planned_s)
        return;
    int early = job->eligible_s <= now_s + 1;
    row->released = 1;
    row->delay_s = early && now_s - row->key.submit_s < row->delay_s ? now_s - row->key.submit_s
                                                                     : row->delay_s;
    events_job(c, "job.now", early ? "USER_NOW" : "OPERATOR", row, row->user);
}

static void end_row(struct ctl *c, struct ledger_job *row, const char *state, int64_t end_s)
{
    struct err e = {.text = ""};
    if (ledger_job_end(c->ledger, row->key, state, end_s, &e) < 0)
        log_err("ledger: job %u: %s", row->key.job_id, e.text);
    row->live = 0;
    row->end_s = end_s;
    c->jobs_changes++;
    text(row->state, sizeof(row->state), state);
    events_job(c, "job.end", state, row, "carnot");
}

/* The wait that has been served counts for all jobs of its run. */
static void note_wait(struct ctl *c, const struct slurm_job *job, const struct ledger_job *row)
{
    const struct placement_note *note = job->note;
    struct err e = {.text = ""};
    if (row->delay_s <= 0 || !note || !note->run[0])
        return;
    int64_t to_s = row->planned_s < row->start_s ? row->planned_s : row->start_s;
    if (ledger_run_waited(c->ledger, row->uid, note->run, to_s - row->delay_s, to_s,
                          TRACKER_RUN_REST_S, &e) < 0)
        log_err("ledger: run %s: %s", note->run, e.text);
}

/* A job that was first seen when some of its nodes were through: now Slurm shows all. */
static void update_nodes(struct ctl *c, const struct slurm_job *job, struct ledger_job *row)
{
    if (job->completing || !job->nodelist[0] || strcmp(row->nodelist, job->nodelist) == 0)
        return;
    read_nodes(row, job);
    tracker_store(c, row);
}

/* slurmctld was killed before it had written this end down: the run is to come once more. What it
 * has reserved is for that, too; if that is gone by now, it needs once more what it needed, but
 * where slurmctld takes it for running: it will find out that it has ended long ago. */
static void begin_again(struct ctl *c, const struct slurm_job *job, struct ledger_job *row)
{
    struct err e = {.text = ""};
    int settled = row->settled;
    if (ledger_job_reopen(c->ledger, row->key, &e) < 0) {
        log_err("ledger: job %u: %s", job->job_id, e.text);
        return;
    }
    log_info("job %u: ended, as Slurm said, and is to run again", job->job_id);
    row->live = 1;
    row->settled = 0;
    row->end_s = 0;
    if (settled) {
        int pends = job->phase == PHASE_PENDING;
        row->reserved_uj = row->energy_uj + (pends ? row->estimate_uj : 0);
        row->reserved_ug = row->carbon_ug + (pends ? row->estimate_ug : 0);
        enforcer_admit(c, job, row, 1);
    }
    tracker_store(c, row);
}

static void update_row(struct ctl *c, const struct slurm_job *job, struct ledger_job *row)
{
    struct ledger_job before = *row;
    if (!row->live && row->end_s && job->phase != PHASE_ENDED)
        begin_again(c, job, row);
    if (!row->live && row->end_s) { /* it ended before: only its settlement is left */
        update_nodes(c, job, row);
        return;
    }
    read_list(row, job);
    row->watts = native_watts(c, job);
    if (row->tasks != job->tasks && row->tasks > 0) {
        /* Tasks of an array went their own ways, with rows of their own. */
        row->reserved_uj = row->reserved_uj / row->tasks * job->tasks;
        row->reserved_ug = row->reserved_ug / row->tasks * job->tasks;
        row->estimate_uj = row->estimate_uj / row->tasks * job->tasks;
        row->estimate_ug = row->estimate_ug / row->tasks * job->tasks;
        row->estimate_now_ug = row->estimate_now_ug / row->tasks * job->tasks;
        row->tasks = job->tasks;
    }
    row_price_change(c, job, &before, row);
    notice_change(c, job, row);
    /* Slurm's limit held it until now: judged like one that came past the plugin. */
    enforcer_admit(c, job, row, before.watts && !row->watts);
    if (before.start_s == 0 && row->start_s > 0) {
        c->jobs_changes++;
        note_wait(c, job, row);
        int64_t waited_s = row->start_s - row->key.submit_s;
        if (row->delay_s > waited_s)
            row->delay_s = waited_s > 0 ? waited_s : 0;
        events_job(c, "job.start", "", row, "carnot");
        if (row->latest_s && row->begin_set_s > row->latest_s)
            events_job(c, "promise.missed", "", row, "carnot");
    }
    int ended = job->phase == PHASE_ENDED;
    if (ended)
        row->live = 1; /* until ledger_job_end */
    if (memcmp(&before, row, sizeof(before)) != 0) {
        struct err e = {.text = ""};
        if (ledger_job_put(c->ledger, row, &e) < 0)
            log_err("ledger: job %u: %s", row->key.job_id, e.text);
        c->dirty = 1;
    }
    if (ended)
        end_row(c, row, job->state, job->end_s ? job->end_s : ctl_now_s(c));
}

/* Slurm shows ended jobs for some minutes: has this run ended already? It has a newer submit time
 * than its row when Slurm has queued it again before it ran; what was submitted after the row's end
 * is another job of its number. */
static int has_ended(struct ctl *c, const struct slurm_job *job, struct ledger_job *row)
{
    struct job_key key = {job->job_id, job->restart, job->submit_s};
    struct err e = {.text = ""};
    if (ledger_job_get(c->ledger, key, row, &e) == 1)
        return 1;
    uint64_t decision = job->note ? job->note->id : 0;
    return ledger_job_decided(c->ledger, job->job_id, job->restart, decision, row, &e) == 1 &&
           runs_same(row, job) && row->end_s >= job->submit_s;
}

/* Is it judged here, for the plugin has not seen it? */
static int comes_past(const struct slurm_job *job)
{
    return job->restart > 0 || !job->note;
}

static void add_job(struct ctl *c, const struct slurm_job *job, size_t n_sorted)
{
    struct ledger_job row;
    struct err e = {.text = ""};
    if (has_ended(c, job, &row)) {
        struct ledger_job *run = job->phase == PHASE_ENDED ? NULL : runs_append(c, &row);
        if (run)
            update_row(c, job, run);
        return;
    }
    new_row(c, n_sorted, job, &row);
    notice_change(c, job, &row); /* also before any list has shown it */
    int ended = job->phase == PHASE_ENDED;
    row.live = 1;
    if (ledger_job_put(c->ledger, &row, &e) < 0) {
        log_err("ledger: job %u: %s", job->job_id, e.text);
        return;
    }
    c->dirty = 1;
    c->jobs_changes++;
    struct ledger_job *added = runs_append(c, &row);
    if (added && ended)
        end_row(c, added, job->state, job->end_s ? job->end_s : ctl_now_s(c));
}

static void judge_claim(struct ctl *c, const struct slurm_job *job, struct ledger_job *row)
{
    struct ledger_job *before = row > c->jobs ? row - 1 : NULL;
    if (before && (before->key.job_id != job->job_id || settle_is_lost(before)))
        before = NULL;
    requeue_admit(c, job, before, row);
    tracker_store(c, row);
}

/* What came past the plugin is judged after all that the plugin has let in: what they may use is
 * spoken for already. */
static void take_jobs(struct ctl *c, const struct snapshot *s, size_t n_sorted)
{
    int past = 0;
    for (size_t i = 0; i < s->n_jobs; i++) {
        struct ledger_job *known = runs_listed(c, n_sorted, &s->jobs[i]);
        if (known) {
            update_row(c, &s->jobs[i], known);
            past = past || enforcer_claim_is_due(c, &s->jobs[i], known);
        } else if (comes_past(&s->jobs[i])) {
            past = 1;
        } else {
            add_job(c, &s->jobs[i], n_sorted);
        }
    }
    for (size_t i = 0; past && i < s->n_jobs; i++) {
        struct ledger_job *known = runs_listed(c, n_sorted, &s->jobs[i]);
        if (known && enforcer_claim_is_due(c, &s->jobs[i], known))
            judge_claim(c, &s->jobs[i], known);
        else if (!known && comes_past(&s->jobs[i]))
            add_job(c, &s->jobs[i], n_sorted);
    }
}

/* slurmctld was killed before it had written down that it queued the job again. */
static void forget_requeue(struct ctl *c, const struct slurm_job *job, struct ledger_job *row)
{
    struct ledger_job *now = runs_listed(c, c->n_jobs, job);
    if (now && now->decision == row->decision && now->uid == row->uid)
        requeue_forget(c, row, now);
}

/* An id that is missing from a complete list has ended; so has a run that was requeued. */
static void end_missing(struct ctl *c, const struct snapshot *s)
{
    for (size_t i = 0; i < c->n_jobs; i++) {
        struct ledger_job *row = &c->jobs[i];
        const struct slurm_job *job = snapshot_job(s, row->key.job_id);
        if (!row->live)
            continue;
        if (job && runs_same(row, job))
            continue;
        /* It was submitted after this list was asked for? Then the list says nothing of it. */
        if (!job && row->key.submit_s * 1000 >= s->listed_ms)
            continue;
        if (job && job->restart < row->key.restart)
            forget_requeue(c, job, row);
        /* The id of a job that slurmctld lost is given to another one. */
        int requeued = job && job->restart > row->key.restart;
        int64_t end_s = s->listed_ms / 1000;
        if (requeued && job->phase != PHASE_PENDING && job->start_s > 0 && job->start_s < end_s)
            end_s = job->start_s; /* the next run has begun already */
        end_row(c, row, requeued ? "REQUEUED" : "GONE", end_s);
        c->dirty = 1;
    }
}

static void settle_ended(struct ctl *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->n_jobs; i++) {
        struct ledger_job *row = &c->jobs[i];
        struct err e = {.text = ""};
        /* One job, one reservation: it is held until the earlier runs are accounted for as well. */
        int awaits = kept && c->jobs[kept - 1].key.job_id == row->key.job_id &&
                     c->jobs[kept - 1].key.restart < row->key.restart;
        int due = !row->live && !awaits && settle_is_due(c, row);
        if (due) {
            row->asap_ug = tracker_asap_ug(c, row);
            int rc = ledger_job_settle(c->ledger, row->key, row->delay_s, row->asap_ug, &e);
            if (rc < 0)
                log_err("ledger: job %u: %s", row->key.job_id, e.text);
            if (rc == 1) {
                events_job(c, "job.settle", "", row, "carnot");
                history_note(c, row);
            }
            due = rc >= 0;
            c->dirty = 1;
        }
        if (!due)
            c->jobs[kept++] = *row;
    }
    c->n_jobs = kept;
}

void tracker_apply(struct ctl *c, struct snapshot *s)
{
    struct err e = {.text = ""};
    size_t n_sorted = c->n_jobs;
    if (ledger_begin(c->ledger, &e) < 0) {
        log_err("ledger: %s", e.text);
        snapshot_destroy(s);
        return;
    }
    snapshot_destroy(c->snap);
    c->snap = s;
    take_jobs(c, s, n_sorted);
    runs_sort(c);
    end_missing(c, s);
    settle_ended(c);
    if (steering_store(c, &e) < 0)
        log_err("ledger: %s", e.text);
    if (ledger_commit(c->ledger, &e) < 0) {
        log_err("ledger: %s", e.text);
        runs_load(c); /* what we remember must not run ahead of what is written */
        (void)steering_load(c, &e);
    }
}

void tracker_refresh(struct ctl *c, struct job_key key)
{
    struct ledger_job row, *known = runs_row(c, key);
    struct err e = {.text = ""};
    if (known && ledger_job_get(c->ledger, key, &row, &e) == 1)
        *known = row;
}

int tracker_store(struct ctl *c, struct ledger_job *row)
{
    struct err e = {.text = ""};
    c->dirty = 1;
    if (ledger_job_put(c->ledger, row, &e) < 0) {
        log_err("ledger: job %u: %s", row->key.job_id, e.text);
        return -1;
    }
    return 0;
}
