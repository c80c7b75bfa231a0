/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <math.h>
#include <string.h>

#include "carnotctld/events.h"
#include "carnotctld/pauser.h"
#include "carnotctld/planner_private.h"
#include "carnotctld/publisher.h"
#include "carnotctld/runs.h"
#include "carnotctld/site_load.h"
#include "carnotctld/tracker.h"
#include "carbon/forecast.h"
#include "common/log.h"
#include "common/units.h"
#include "placement/allowance.h"
#include "placement/pause_rule.h"
#include "placement/placement.h"
#include "placement/scenarios.h"

/* Two green pieces a day for a week: more restarts than that are no schedule but a fault. */
#define PAUSES_MAX 14
/* Jobs judged with one list, and for how long. The next list goes on behind them. */
#define JUDGED_MAX 500
#define PASS_MS 50
/* Finer slots than so many in what a job has left and may wait are made wider: what makes a
 * question dear is their number. */
#define SLOTS_MAX 384
/* Orders that may wait for slurmctld before jobs of the queue are given more: a second of them. */
#define TURNS_AHEAD 50

/* ---- how long, and how much ---- */

/* What it may have to run yet, by its limit and what all its runs have run: Slurm gives each run
 * the whole limit, its user gave the work one. Work that outlives it counts as a last minute, for
 * which no pause pays. */
static int64_t left_s(const struct ctl *c, const struct ledger_job *row, int64_t now_s)
{
    int64_t ran_s = row->ran_s + (row->start_s > 0 ? now_s - row->start_s : 0);
    int64_t cost_s = c->set.policy.requeue_cost_ms / 1000 * row->pauses;
    int64_t rest_s = row->limit_s - ran_s + cost_s;
    if (row->limit_s == 0)
        return SCENARIOS_LIMIT_S;
    return rest_s > 60 ? min64(rest_s, row->limit_s) : 60;
}

/* What it is likely to run yet, as for its start (scenarios.h): grams alone are judged by that. */
static int64_t likely_left_s(const struct ctl *c, const struct ledger_job *row,
                             const struct scenarios *s, int64_t now_s)
{
    int64_t ran_s = row->ran_s + (row->start_s > 0 ? now_s - row->start_s : 0);
    int64_t done_s = ran_s - c->set.policy.requeue_cost_ms / 1000 * row->pauses;
    int64_t likely_s = scenarios_left(s->length_s, s->n, done_s, left_s(c, row, now_s));
    return likely_s > 0 ? likely_s : 1;
}

/* What its runs before this one have waited, or, if that is more, all jobs that share its
 * allowance. */
static int64_t spent_s(const struct ctl *c, const struct ledger_job *row, int64_t now_s)
{
    const struct board_run *run = board_run_find(&c->board, row->uid, row->run);
    int64_t together_s = run ? board_run_waited(run, now_s) : 0;
    return together_s > row->spent_s ? together_s : row->spent_s;
}

/* How long it may stand still from now on, if it has waited waited_s so far. */
static int64_t slack_s(const struct ctl *c, const struct ledger_job *row, int64_t now_s,
                       int64_t waited_s)
{
    int64_t slack = row->allowance_s - waited_s;
    int64_t after_s = left_s(c, row, now_s) + c->set.policy.requeue_cost_ms / 1000;
    if (row->done_by_s > 0)
        slack = min64(slack, row->done_by_s - now_s - after_s);
    return slack > 0 ? slack : 0;
}

/* What it draws: as measured in this run, else as it was priced. */
static double watts(const struct ledger_job *row, const struct placement_price *price)
{
    int64_t measured_s = row->measured_until_s - row->start_s;
    if (row->start_s > 0 && row->energy_uj > 0 && measured_s > 60)
        return (double)row->energy_uj / 1e6 / (double)measured_s;
    return price->power_all_w;
}

/* The rule's question about a job, and what a unit of area of it emits. What a second of delay has
 * to save, by its policy, is added to the site's threshold: with lambda 0 that alone decides. */
static double ask(struct ctl *c, const struct slurm_job *job, const struct ledger_job *row,
                  int64_t bound_s, struct pause_query *q)
{
    struct placement_job pj;
    struct placement_decision d = {.policy = (enum placement_policy)row->policy};
    struct scenarios likely;
    int64_t now_s = ctl_now_s(c);
    tracker_placement_job(job, &pj);
    placement_price(&c->board, &pj, &d.price);
    scenarios_of(&c->board, &pj, &d.price, &likely);
    double ug_per_area = watts(row, &d.price) * c->board.head.pue / J_PER_KWH * 1e6;
    double lambda = placement_lambda_ug_per_s(&c->board.head, &d);
    *q = (struct pause_query){.believed = board_series(&c->board),
                              .now_s = now_s,
                              .slot_s = site_load_slot_s(c),
                              .left_s = likely_left_s(c, row, &likely, now_s),
                              .bound_s = bound_s,
                              .switch_s = c->set.policy.requeue_cost_ms / 1000,
                              .level = site_load_threshold(c)};
    if (ug_per_area > 0)
        q->level += lambda / ug_per_area;
    int64_t least_s = (min64(q->left_s, SCENARIOS_LIMIT_S) + bound_s) / SLOTS_MAX + 1;
    if (q->slot_s < least_s)
        q->slot_s = least_s;
    return ug_per_area;
}

/* Missing data pauses nobody. */
static int believed(const struct ctl *c)
{
    return c->board.n_points > 0 && c->board.head.forecast_quality != FORECAST_NONE &&
           c->board.head.forecast_quality != FORECAST_STALE;
}

/* Runs everybody now? */
static int is_green(struct ctl *c)
{
    struct series s = board_series(&c->board);
    return series_at(&s, ctl_now_s(c)) <= site_load_threshold(c);
}

/* ---- a run after another ---- */

int pauser_plans(const struct ctl *c, const struct ledger_job *row)
{
    int is_long = row->limit_s == 0 || row->limit_s > PAUSE_STARTS_SLOTS * site_load_slot_s(c);
    int waits = row->pauses > 0 || (is_long && row->planned_s > 0 && row->latest_s > 0);
    return row->requeue && row->pauses == row->key.restart && waits;
}

void pauser_inherit(const struct ctl *c, const struct ledger_job *before, struct ledger_job *row)
{
    int64_t now_s = ctl_now_s(c);
    row->requeue = before->requeue;
    if (!row->requeue)
        return;
    row->policy = before->policy;
    row->done_by_s = before->done_by_s;
    row->allowance_s = before->allowance_s;
    row->pauses = before->pauses + (before->resume_s > 0);
    row->ran_s = before->ran_s +
                 (before->start_s > 0 && before->start_s < now_s ? now_s - before->start_s : 0);
    row->paused_s = before->paused_s + before->delay_s;
    row->spent_s = before->spent_s + before->delay_s;
    /* Where it is not Carnot's doing, the bound is what it was, as for any job. */
    if (row->pauses != row->key.restart)
        return;
    struct ledger_job still = *row;
    still.start_s = 0; /* it may run again already: what matters is what came before */
    row->latest_s = now_s + slack_s(c, &still, now_s, spent_s(c, &still, now_s));
}

/* ---- going on ---- */

/* A wait that is over goes on now, with what it was so far; one that was never set was none. */
static void order_begin(struct ctl *c, const struct slurm_job *job, struct ledger_job *row,
                        int64_t begin_s, const char *ev, const char *code)
{
    int64_t now_s = ctl_now_s(c);
    int64_t until_s = row->planned_s > now_s ? row->planned_s : now_s;
    int64_t from_s = row->planned_s > 0 ? until_s - row->delay_s : now_s;
    planner_move(c, job, row,
                 &(struct planner_move){.to_s = begin_s, .eligible_s = from_s, .carbon_ug = NAN},
                 ev, code);
}

/* Starts that have one best second are spread, as those of the planner. */
static int64_t staggered(const struct ctl *c, const struct ledger_job *row, int64_t start_s)
{
    int64_t later_s =
        c->board.head.stagger_s > 0 ? row->key.job_id % (c->board.head.stagger_s + 1) : 0;
    return min64(start_s + later_s, row->latest_s > start_s ? row->latest_s : start_s);
}

/* When a job that stands still is to go on. */
static int64_t resume_at(const struct ctl *c, const struct ledger_job *row,
                         const struct pause_query *q)
{
    int64_t until_s = pause_rule_until(q);
    return until_s > q->now_s ? staggered(c, row, until_s) : q->now_s;
}

static void go_on_at(struct ctl *c, const struct slurm_job *job, struct ledger_job *row)
{
    struct pause_query q;
    int64_t now_s = ctl_now_s(c), at_s = now_s;
    if (believed(c) && row->latest_s > now_s) {
        ask(c, job, row, row->latest_s - now_s, &q);
        at_s = resume_at(c, row, &q);
    }
    order_begin(c, job, row, at_s, "job.wait", row->pauses > 0 ? "REQUEUED" : "GREENER_LATER");
}

/* For a new forecast, if that is worth it: half of what a wait must save, as for other moves. A
 * plan of the plugin's is none of the rule's. */
static void move(struct ctl *c, const struct slurm_job *job, struct ledger_job *row, int planned)
{
    struct pause_query q;
    int64_t now_s = ctl_now_s(c), was_s = row->planned_s;
    if (!believed(c) || row->latest_s <= now_s)
        return;
    double ug_per_area = ask(c, job, row, row->latest_s - now_s, &q), area;
    int64_t new_s = resume_at(c, row, &q);
    if (new_s <
        was_s) { /* what it would have run in is dear itself, if nothing green is in reach */
        q.level = fmax(pause_rule_level(&q), series_at(&q.believed, was_s));
        area = pause_rule_uses(&q, new_s, was_s);
    } else {
        area = pause_rule_saves(&q, was_s, new_s);
    }
    int pays = area > 0 && area * ug_per_area >= (double)c->set.policy.min_gain_ug / 2;
    if (new_s != was_s && (pays || !planned))
        order_begin(c, job, row, new_s, "job.move", "GREENER_LATER");
}

/* The plugin has planned a new job in one piece: its first one may begin sooner, or later. */
static int is_new(const struct ctl *c, const struct ledger_job *row)
{
    return row->pauses == 0 && (row->key.submit_s + 1) * 1000 >= c->paused_listed_ms;
}

static int is_plugins(const struct ctl *c, const struct slurm_job *job,
                      const struct ledger_job *row)
{
    return is_new(c, row) && job->note && job->note->begin_s == row->planned_s;
}

/* Is the order of its begin time lost with a process? Slurm's own still stands. */
static int is_lost(const struct slurm_job *job, const struct ledger_job *row)
{
    return row->begin_set_s != row->planned_s && job->eligible_s != row->planned_s &&
           slurm_client_waiting() == 0;
}

/* 1 if it has cost some arithmetic. Slurm sets a begin time of its own once the run before is
 * through: ours would be lost. */
static int look_at_waiting(struct ctl *c, const struct slurm_job *job, struct ledger_job *row,
                           int spare, int fresh)
{
    if (job->held && row->pauses > 0 && row->enforce_step != ENFORCE_HELD && !row->released) {
        row->released = 1;
        tracker_store(c, row);
        events_job(c, "job.now", "OPERATOR", row, row->user);
        return 0;
    }
    if (row->released || job->held || job->completing || job->dependency || !tracker_acting(c, row))
        return 0;
    if (row->planned_s == 0 || (spare && is_lost(job, row)))
        go_on_at(c, job, row);
    else if (spare && (fresh || is_new(c, row)) &&
             row->planned_s > ctl_now_s(c) + PLANNER_TOO_CLOSE_S)
        move(c, job, row, !is_plugins(c, job, row));
    else
        return 0;
    return 1;
}

/* ---- whose turn comes in a dirty hour ---- */

/* Does nothing but Slurm's queue hold it, and may that end within the hour? The planner begins with
 * a job whose dependencies went. */
static int only_queues(const struct ctl *c, const struct slurm_job *job,
                       const struct ledger_job *row)
{
    int64_t now_s = ctl_now_s(c);
    int planner_first = job->note && job->note->code == CODE_DEP_END && row->latest_s == 0;
    return pauser_may(c, row) && !planner_first && !job->held && !job->completing && !job->bound &&
           !job->dependency && job->eligible_s > 0 && job->eligible_s <= now_s &&
           row->planned_s <= now_s && row->begin_set_s == row->planned_s &&
           job->start_s <= now_s + PAUSE_HOUR_S;
}

/* Until when it may be made to wait from now on: by its allowance, by what it was told, and not
 * across a maintenance. */
static int64_t turn_latest_s(const struct ctl *c, const struct slurm_job *job,
                             const struct ledger_job *row, int64_t now_s)
{
    struct placement_job pj;
    int64_t waited_s = spent_s(c, row, now_s) + (row->planned_s > 0 ? row->delay_s : 0);
    int64_t latest_s = now_s + slack_s(c, row, now_s, waited_s);
    if (row->latest_s > 0)
        latest_s = min64(latest_s, row->latest_s);
    tracker_placement_job(job, &pj);
    return allowance_before_outages(&c->board, &pj, left_s(c, row, now_s), now_s, latest_s);
}

/* It would take the CPUs that a paused job has given back: it waits itself, if it may be paused and
 * is long. Slurm does not ask when a turn comes: all wait but those that it expects to start later.
 */
static int look_at_queued(struct ctl *c, const struct slurm_job *job, struct ledger_job *row)
{
    struct pause_query q;
    int64_t now_s = ctl_now_s(c);
    if (!believed(c) || !only_queues(c, job, row) || slurm_client_waiting() >= TURNS_AHEAD ||
        isnan(site_load_threshold(c)) || is_green(c))
        return 0;
    int64_t latest_s = turn_latest_s(c, job, row, now_s);
    double ug_per_area = ask(c, job, row, latest_s - now_s, &q);
    if (row->pauses == 0 && q.left_s <= PAUSE_STARTS_SLOTS * site_load_slot_s(c))
        return 1;
    int64_t until_s = pause_rule_until(&q);
    double gain_ug = pause_rule_saves(&q, now_s, until_s) * ug_per_area;
    if (until_s <= now_s + PLANNER_TOO_CLOSE_S || gain_ug < (double)c->set.policy.min_gain_ug)
        return 1;
    row->latest_s = latest_s;
    order_begin(c, job, row, staggered(c, row, until_s), "job.wait", "GREENER_LATER");
    return 1;
}

/* ---- pausing ---- */

int pauser_may(const struct ctl *c, const struct ledger_job *row)
{
    return row->requeue && row->live && !row->released && row->pauses == row->key.restart &&
           row->pauses < PAUSES_MAX && row->policy != POLICY_ASAP && row->allowance_s > 0 &&
           row->enforce_step != ENFORCE_TERMED && row->enforce_step != ENFORCE_CANCELLED &&
           tracker_acting(c, row);
}

static void order_requeue(const struct ledger_job *row)
{
    struct slurm_order o = slurm_client_order_for(ORDER_REQUEUE, row);
    o.restart = row->key.restart;
    slurm_client_order(&o); /* if it cannot be queued, the next list gives it again */
}

static void stop_run(struct ctl *c, struct ledger_job *row, int64_t resume_s, double saved_ug)
{
    row->resume_s = resume_s;
    if (tracker_store(c, row) < 0) {
        row->resume_s = 0;
        return;
    }
    order_requeue(row);
    events_pause(c, row, saved_ug);
    log_info("job %u: paused for %lld s, %.1f g", row->key.job_id,
             (long long)(resume_s - ctl_now_s(c)), saved_ug / 1e6);
}

static void judge(struct ctl *c, const struct slurm_job *job, struct ledger_job *row)
{
    struct pause_query q;
    int64_t now_s = ctl_now_s(c);
    int64_t waited_s = spent_s(c, row, now_s) + row->delay_s;
    double ug_per_area = ask(c, job, row, slack_s(c, row, now_s, waited_s), &q);
    if (!pause_rule_stops(&q))
        return;
    int64_t until_s = pause_rule_until(&q);
    double area = pause_rule_saves(&q, now_s, until_s) -
                  pause_rule_level(&q) * (double)q.switch_s; /* the restart's running */
    if (area > 0 && area * ug_per_area >= (double)c->set.policy.min_gain_ug)
        stop_run(c, row, until_s, area * ug_per_area);
}

/* The order to requeue it is lost with a process, or was not carried out; the list may also be
 * older than it. While it makes sense it is given again, which does no harm: it is for this run. */
static void go_on(struct ctl *c, struct ledger_job *row)
{
    if (slurm_client_waiting() > 0)
        return;
    if (row->resume_s > ctl_now_s(c)) {
        order_requeue(row);
        return;
    }
    row->resume_s = 0;
    tracker_store(c, row);
}

/* 1 if it has cost some arithmetic. */
static int look_at_running(struct ctl *c, const struct slurm_job *job, struct ledger_job *row)
{
    int64_t ran_s = ctl_now_s(c) - row->start_s;
    if (row->resume_s > 0) {
        if (pauser_may(c, row))
            go_on(c, row);
        return 0;
    }
    if (row->start_s == 0 || ran_s < c->set.policy.requeue_min_run_ms / 1000 || job->bound ||
        !believed(c) || !pauser_may(c, row) || is_green(c))
        return 0;
    judge(c, job, row);
    return 1;
}

/* 1 if it has cost some arithmetic. spare: there is time for what can wait for the next list. */
static int look_at(struct ctl *c, const struct slurm_job *job, struct ledger_job *row, int spare,
                   int fresh)
{
    if (job->phase == PHASE_RUNNING)
        return spare && look_at_running(c, job, row);
    if (job->phase != PHASE_PENDING)
        return 0;
    int cost = pauser_plans(c, row) && look_at_waiting(c, job, row, spare, fresh);
    return cost || (spare && look_at_queued(c, job, row));
}

void pauser_run(struct ctl *c)
{
    struct err e = {.text = ""};
    int64_t end_ms = clock_mono_ms(c->clock) + PASS_MS;
    size_t n = c->snap ? c->snap->n_jobs : 0, at = c->pauser_next < n ? c->pauser_next : 0;
    int judged = 0, spare = 1;
    if (n == 0)
        return;
    if (c->paused_version != c->feed_version) {
        /* What waits is to be moved by the newest samples. */
        if (publisher_build(c, &e) < 0) {
            log_err("%s", e.text);
            return;
        }
        c->paused_version = c->feed_version;
        c->pauser_fresh = n;
    }
    c->pauser_next = 0;
    for (size_t i = 0; i < n; i++, at = at + 1 < n ? at + 1 : 0) {
        const struct slurm_job *job = &c->snap->jobs[at];
        struct ledger_job *row = runs_newest(c, job->job_id);
        if (spare && (judged >= JUDGED_MAX || (judged && clock_mono_ms(c->clock) > end_ms))) {
            spare = 0;
            c->pauser_next = at;
        }
        int fresh = c->pauser_fresh > 0;
        c->pauser_fresh -= spare && fresh;
        if (!row || !row->requeue || !row->live || row->key.restart != job->restart)
            continue;
        if (believed(c))
            (void)site_load_threshold(c); /* its mean knows the hours in which nobody is judged */
        judged += look_at(c, job, row, spare, fresh);
    }
    if (spare)
        c->paused_listed_ms = c->snap->listed_ms;
}

void pauser_ordered(struct ctl *c, const struct slurm_order *done)
{
    struct ledger_job *row = runs_newest(c, done->job_id);
    if (!row || row->key.restart != done->restart || row->resume_s == 0)
        return;
    if (done->rc == ORDER_REFUSED) {
        log_warn("job %u: Slurm does not requeue it; it is not paused any more", done->job_id);
        row->requeue = 0;
        row->resume_s = 0;
        tracker_store(c, row);
    } else if (done->rc == 0) {
        slurm_client_poke(); /* its new run is to get its begin time before Slurm's own comes */
    }
}

int pauser_release(struct ctl *c, struct ledger_job *row, const char *code, const char *by,
                   struct err *e)
{
    struct ledger_job before = *row;
    row->released = 1;
    row->resume_s = 0;
    if (tracker_store(c, row) < 0) {
        *row = before;
        return err_set(e, "the ledger cannot be written; try again in a minute");
    }
    events_job(c, "job.now", code, row, by);
    return 0;
}
