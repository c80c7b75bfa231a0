/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions about jobs, and giving up a wait. Users see their own, operators all.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/enforcer.h"
#include "carnotctld/ops.h"
#include "carnotctld/pauser.h"
#include "carnotctld/planner.h"
#include "carnotctld/slurm_client.h"
#include "carnotctld/runs.h"
#include "carnotctld/tracker.h"
#include "common/units.h"
#include "common/when.h"
#include "placement/place_json.h"
#include "placement/placement.h"
#include "placement/scenarios.h"

static json_t *amount(uint64_t micro)
{
    return json_real((double)micro / 1e6);
}

/* No figure is better than a wrong one: a run without a record has null. */
static json_t *measured(const struct ledger_job *j, uint64_t micro)
{
    return j->measured_until_s ? amount(micro) : json_null();
}

static json_t *job_json(const struct ctl *c, const struct ledger_job *j)
{
    uint64_t asap_ug = ops_asap_ug(c, j);
    json_t *o =
        json_pack("{s:I,s:o,s:o,s:I,s:s,s:s,s:s,s:s,s:I,s:o,s:o,s:o,s:s}", "job_id",
                  (json_int_t)j->key.job_id, "array_job_id",
                  j->array_job_id ? json_integer(j->array_job_id) : json_null(), "array_task",
                  j->array_task >= 0 ? json_integer(j->array_task) : json_null(), "restart",
                  (json_int_t)j->key.restart, "user", j->user, "account", j->account, "partition",
                  j->partition, "name", j->name, "nodes", (json_int_t)j->nodes, "submit",
                  ops_time(j->key.submit_s), "start", ops_time(j->start_s), "end",
                  ops_time(j->end_s), "state", j->state);
    if (!o)
        return NULL;
    json_object_set_new(o, "energy_j", measured(j, j->energy_uj));
    json_object_set_new(o, "carbon_g", measured(j, j->carbon_ug));
    json_object_set_new(o, "carbon_if_asap_g", asap_ug ? amount(asap_ug) : json_null());
    json_object_set_new(o, "delay_s", json_integer(j->delay_s));
    json_object_set_new(o, "quality", json_string(ledger_quality_name(j->quality)));
    json_object_set_new(o, "coverage", j->coverage[0] ? json_string(j->coverage) : json_null());
    json_object_set_new(o, "run", json_string(j->run));
    json_object_set_new(o, "estimate_j", amount(j->estimate_uj));
    json_object_set_new(o, "limit_energy_j", j->limit_uj ? amount(j->limit_uj) : json_null());
    json_object_set_new(o, "limit_carbon_g", j->limit_ug ? amount(j->limit_ug) : json_null());
    json_object_set_new(o, "not_before", ops_time(j->planned_s));
    json_object_set_new(o, "latest", ops_time(j->latest_s));
    json_object_set_new(o, "requeue", json_boolean(j->requeue));
    json_object_set_new(o, "pauses", json_integer(j->pauses));
    json_object_set_new(o, "paused_s", json_integer(j->paused_s));
    return o;
}

static int read_job_id(const json_t *request, uint32_t *job_id, struct err *e)
{
    const json_t *v = json_object_get(request, "job");
    if (!json_is_integer(v) || json_integer_value(v) <= 0 || json_integer_value(v) > UINT32_MAX)
        return err_set(e, "job: the number of a job is needed");
    *job_id = (uint32_t)json_integer_value(v);
    return 0;
}

json_t *op_jobs(const struct asker *who, const json_t *request, struct err *e)
{
    struct ledger_query q = {0};
    struct ledger_job *rows = NULL;
    size_t n = 0;
    const char *user = ops_string(request, "user", LEDGER_NAME_MAX - 1, e);
    const char *account = ops_string(request, "account", LEDGER_NAME_MAX - 1, e);
    const json_t *since = json_object_get(request, "since_s");
    const json_t *offset = json_object_get(request, "offset");
    if (!user || !account)
        return NULL;
    if (json_object_get(request, "job") && read_job_id(request, &q.job_id, e) < 0)
        return NULL;
    q.user = who->is_operator ? (user[0] ? user : NULL) : who->user;
    q.account = account[0] ? account : NULL;
    q.since_s = json_is_integer(since) ? json_integer_value(since) : 0;
    q.live_only = json_is_true(json_object_get(request, "live"));
    q.limit = OPS_PIECE + 1;
    q.offset = json_integer_value(offset) > 0 ? (size_t)json_integer_value(offset) : 0;
    if (ledger_job_list(who->ctl->ledger, &q, &rows, &n, e) < 0)
        return NULL;
    json_t *list = json_array();
    for (size_t i = 0; i < n && i < OPS_PIECE; i++)
        json_array_append_new(list, job_json(who->ctl, &rows[i]));
    free(rows);
    return json_pack("{s:o,s:b}", "jobs", list, "more", n > OPS_PIECE);
}

/* The row and Slurm's record of a job that the asker may see. */
static int look_up(const struct asker *who, const json_t *request, struct ledger_job **row,
                   const struct slurm_job **job, struct err *e)
{
    uint32_t id;
    struct ctl *c = who->ctl;
    if (read_job_id(request, &id, e) < 0)
        return -1;
    *job = snapshot_job(c->snap, id);
    *row = runs_newest(c, id);
    if (!*row && !*job) {
        /* Slurm counts ids up: one that the list has not reached was submitted since. */
        int newer =
            !c->snap || c->snap->n_jobs == 0 || id > c->snap->jobs[c->snap->n_jobs - 1].job_id;
        if (newer)
            slurm_client_poke();
        errno = newer ? EAGAIN : ENOENT;
        return err_set(e, "job %u is not in Slurm's list; carnot job %u shows it if it has ended",
                       id, id);
    }
    uint32_t uid = *row ? (*row)->uid : (*job)->uid;
    if (!who->is_operator && uid != who->peer->uid)
        return err_set(e, "job %u is not yours", id);
    return 0;
}

/* The series that was and will be, as accounting knows it. */
static struct series known_series(const struct ctl *c)
{
    struct series past = {c->past.points, c->past.n, c->past.end_s};
    return past.n ? past : board_series(&c->board);
}

static json_t *intensity_at(const struct ctl *c, int64_t t_s)
{
    struct series s = known_series(c);
    return s.n && t_s > 0 ? json_real(series_at(&s, t_s)) : json_null();
}

static json_t *series_json(const struct ctl *c, int64_t from_s, int64_t to_s)
{
    struct series s = known_series(c);
    json_t *list = json_array();
    if (s.n == 0 || to_s <= from_s)
        return list;
    int64_t step_s = (to_s - from_s + 119) / 120;
    for (int64_t t = from_s; t < to_s; t += step_s)
        json_array_append_new(list, json_pack("{s:o,s:f}", "time", ops_time(t), "g_per_kwh",
                                              series_mean(&s, t, t + step_s)));
    return list;
}

/* What Carnot does with a job that it may pause: a code, or NULL if that explains nothing. */
static const char *explain_pause(const struct ctl *c, const struct ledger_job *row, char *text,
                                 size_t size)
{
    char resume[48], latest[48];
    int64_t now_s = ctl_now_s(c);
    int fine = c->board.head.slot_s < 60;
    int ends = row->start_s > 0 && row->resume_s > now_s;
    int64_t at_s = ends ? row->resume_s : row->planned_s;
    when_format_clock(resume, sizeof(resume), at_s, now_s, fine);
    when_format_clock(latest, sizeof(latest), row->latest_s, now_s, fine);
    if (ends) {
        snprintf(text, size, "is being paused until %s for a greener grid", resume);
        return "GREENER_LATER";
    }
    if (row->start_s > 0 || row->pauses == 0 || !pauser_plans(c, row) || row->released)
        return NULL;
    if (at_s == 0) {
        snprintf(text, size, "is being paused for a greener grid: its run comes to its end");
        return "GREENER_LATER";
    }
    if (at_s <= now_s)
        return NULL;
    snprintf(text, size, "is paused until %s for a greener grid, %s at the latest (pause %u)",
             resume, latest, row->pauses);
    return "GREENER_LATER";
}

/* Why a pending job waits, in a sentence and a code. */
static const char *explain(const struct ctl *c, const struct slurm_job *job,
                           const struct ledger_job *row, char *text, size_t size)
{
    char start[48], latest[48];
    int64_t now_s = ctl_now_s(c);
    int fine = c->board.head.slot_s < 60;
    if (row && row->enforce_step == ENFORCE_HELD && job->held) {
        snprintf(text, size, "held: account %s has too little of its budget left", row->account);
        return "BUDGET_LEFT";
    }
    if (row && row->released && row->planned_s > now_s && job->eligible_s == row->planned_s) {
        when_format_clock(start, sizeof(start), row->planned_s, now_s, fine);
        snprintf(text, size, "is let go at %s: Carnot was switched off, jobs go one after another",
                 start);
        return "OPERATOR";
    }
    if (row && row->released && job->eligible_s <= now_s) {
        snprintf(text, size, "Carnot does not hold this job any more. Slurm says: %s", job->reason);
        return "USER_NOW";
    }
    if (row && !row->released && job->dependency && row->allowance_s > 0) {
        when_format_clock(start, sizeof(start), row->planned_s > now_s ? row->planned_s : now_s,
                          now_s, fine);
        snprintf(text, size, "waits for the jobs it depends on, not before %s", start);
        return "DEP_END";
    }
    if (row && !row->released && row->planned_s > now_s) {
        when_format_clock(start, sizeof(start), row->planned_s, now_s, fine);
        when_format_clock(latest, sizeof(latest), row->latest_s, now_s, fine);
        snprintf(text, size, "waits until %s, %s at the latest", start, latest);
        return "GREENER_LATER";
    }
    snprintf(text, size, "Carnot does not hold this job. Slurm says: %s", job->reason);
    return "NOT_CARNOT";
}

/* What is likely for the job, as far as it stands where it was told to. */
static json_t *likely(const struct ledger_job *row, const struct placement_note *note, double ug)
{
    if (!row || ug <= 0 || row->planned_s != note->begin_s)
        return json_null();
    return json_real(ug * row->tasks / 1e6);
}

static json_t *watts_json(double w)
{
    return w > 0 ? json_real(w) : json_null();
}

/* How long it may run and what it may draw, and by which runs that is guessed. */
static json_t *length_json(const struct ctl *c, const struct slurm_job *job)
{
    struct placement_job pj;
    struct placement_price price;
    struct scenarios s;
    int64_t runs_s[BOARD_PAST_RUNS];
    uint32_t n = 0;
    if (!job || job->phase == PHASE_ENDED)
        return json_null();
    tracker_placement_job(job, &pj);
    placement_price(&c->board, &pj, &price);
    scenarios_of(&c->board, &pj, &price, &s);
    json_t *runs = json_array(), *all = json_array();
    for (; s.past && n < s.past->n_runs; n++) {
        runs_s[n] = s.past->run_s[n];
        json_array_append_new(runs, json_integer(runs_s[n]));
    }
    for (uint32_t i = 0; i < s.n; i++)
        json_array_append_new(all, json_integer(s.length_s[i]));
    return json_pack("{s:I,s:I,s:o,s:o,s:o,s:o,s:o}", "likely_s",
                     (json_int_t)scenarios_mean(runs_s, n, price.limit_s), "limit_s",
                     (json_int_t)price.limit_s, "predicted_s", all, "runs_s", runs, "runs_of",
                     s.past && s.past->name ? json_string(job->name) : json_null(), "cpu_w",
                     watts_json(s.past ? s.past->cpu_w : 0), "gpu_w",
                     watts_json(s.past ? s.past->gpu_w : 0));
}

static void add_wait(const struct ctl *c, const struct slurm_job *job, const struct ledger_job *row,
                     json_t *o)
{
    int noted = job && job->note;
    const struct placement_note note = noted ? *job->note : (struct placement_note){0};
    json_object_set_new(o, "layer", json_string(noted ? request_layer_name(note.layer) : ""));
    json_object_set_new(o, "policy", json_string(noted ? placement_policy_name(note.policy) : ""));
    json_object_set_new(o, "g", row ? amount(row->estimate_ug) : json_null());
    json_object_set_new(o, "g_now", row ? amount(row->estimate_now_ug) : json_null());
    json_object_set_new(o, "likely_g", likely(row, &note, note.likely_ug));
    json_object_set_new(o, "likely_now_g", likely(row, &note, note.likely_now_ug));
    json_object_set_new(o, "length", length_json(c, job));
    json_object_set_new(o, "zone", json_string(c->set.carbon.zone));
    json_object_set_new(o, "feed", json_string(c->set.carbon.feed));
    json_object_set_new(o, "feed_age_s",
                        c->feed.n ? json_integer(ctl_now_s(c) - c->feed.issued_s) : json_null());
    json_object_set_new(o, "g_per_kwh_now", intensity_at(c, ctl_now_s(c)));
    json_object_set_new(o, "g_per_kwh_start", intensity_at(c, row ? row->planned_s : 0));
    int64_t from_s = row ? row->key.submit_s : ctl_now_s(c);
    int64_t to_s = row && row->latest_s ? row->latest_s : from_s;
    json_object_set_new(o, "series", series_json(c, from_s, to_s));
}

/* The window that the job waits in; null for one that Carnot does not make wait. */
static json_t *explained(const struct ctl *c, const struct slurm_job *job,
                         const struct ledger_job *row, const char *code)
{
    struct explain x;
    if (strcmp(code, "GREENER_LATER") != 0 || planner_explain(c, job, row, &x) < 0)
        return json_null();
    return explain_json(&x);
}

json_t *op_why(const struct asker *who, const json_t *request, struct err *e)
{
    struct ctl *c = who->ctl;
    struct ledger_job *row;
    const struct slurm_job *job;
    char text[320];
    if (look_up(who, request, &row, &job, e) < 0)
        return NULL;
    json_t *o = row ? job_json(c, row) : json_pack("{s:I}", "job_id", (json_int_t)job->job_id);
    const char *code = "NOT_CARNOT";
    const char *pause = row ? explain_pause(c, row, text, sizeof(text)) : NULL;
    if (pause)
        code = pause;
    else if (job && job->phase == PHASE_PENDING)
        code = explain(c, job, row, text, sizeof(text));
    else
        snprintf(text, sizeof(text), "does not wait: it is %s%s", job ? job->state : row->state,
                 row && pauser_may(c, row) ? "; Carnot may pause it while the grid is dirty" : "");
    json_object_set_new(o, "code", json_string(code));
    json_object_set_new(o, "sentence", json_string(text));
    json_object_set_new(o, "slurm_state", job ? json_string(job->state) : json_null());
    json_object_set_new(o, "slurm_reason", job ? json_string(job->reason) : json_null());
    json_object_set_new(o, "slurm_start", job ? ops_time(job->start_s) : json_null());
    add_wait(c, job, row, o);
    if (json_is_true(json_object_get(request, "explain")))
        json_object_set_new(o, "explain", explained(c, job, row, code));
    return json_pack("{s:o}", "job", o);
}

json_t *op_now(const struct asker *who, const json_t *request, struct err *e)
{
    struct ctl *c = who->ctl;
    struct ledger_job *row;
    const struct slurm_job *job;
    char text[160];
    if (look_up(who, request, &row, &job, e) < 0)
        return NULL;
    /* A component starts when all of its job may: the first one's wait is all of theirs. */
    if (job && job->het_job_id && job->het_job_id != job->job_id)
        row = runs_newest(c, job->het_job_id);
    if (!row) {
        err_set(e, "Carnot does not make job %u wait", job->job_id);
        return NULL;
    }
    const char *code = who->peer->uid == row->uid ? "USER_NOW" : "OPERATOR";
    if (pauser_may(c, row) && row->planned_s <= ctl_now_s(c)) {
        if (pauser_release(c, row, code, who->user, e) < 0)
            return NULL;
        snprintf(text, sizeof(text), "job %u is not paused any more", row->key.job_id);
        return json_pack("{s:s}", "sentence", text);
    }
    if (planner_release(c, row, code, who->user, e) < 0)
        return NULL;
    snprintf(text, sizeof(text), "job %u may start now; Slurm starts it when there is room",
             row->key.job_id);
    return json_pack("{s:s}", "sentence", text);
}
