/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A move is written down as planned before it is ordered and as set when Slurm has done it;
 * whichever of the two the list shows is ours, so that a kill in between is not taken for a user's
 * change.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/dependents.h"
#include "carnotctld/events.h"
#include "carnotctld/feed_watch.h"
#include "carnotctld/pauser.h"
#include "carnotctld/planner.h"
#include "carnotctld/planner_private.h"
#include "carnotctld/publisher.h"
#include "carnotctld/slurm_client.h"
#include "carnotctld/runs.h"
#include "carnotctld/tracker.h"
#include "common/log.h"
#include "placement/placement.h"
#include "placement/slots.h"

/* seen is the job as the list had it, or NULL if its begin time is replaced whatever it is. */
static struct slurm_order begin_order(const struct slurm_job *seen, const struct ledger_job *row,
                                      int64_t begin_s)
{
    struct slurm_order o = slurm_client_order_for(ORDER_BEGIN, row);
    o.begin_s = begin_s;
    if (seen) {
        o.replaces_s[0] = seen->eligible_s;
        o.replaces_s[1] = row->planned_s; /* an order of ours that the list does not show yet */
    }
    return o;
}

/* The row goes back to what was planned before if the order cannot be queued. */
static int order_begin(struct ctl *c, const struct slurm_order *o, struct ledger_job *row,
                       int64_t before_s)
{
    if (slurm_client_order(o) == 0)
        return 0;
    row->planned_s = before_s;
    tracker_store(c, row);
    return -1;
}

int planner_scratch(struct ctl *c, struct planner_scratch *s)
{
    struct err e = {.text = ""};
    if (publisher_build(c, &e) < 0) {
        log_err("%s", e.text);
        return -1;
    }
    return planner_scratch_of(&c->board, s);
}

int planner_scratch_of(const struct board *b, struct planner_scratch *s)
{
    s->b = *b;
    size_t cells = (size_t)s->b.n_partitions * s->b.n_slots;
    s->planned = malloc((cells ? cells : 1) * sizeof(*s->planned));
    if (!s->planned)
        return -1;
    memcpy(s->planned, s->b.planned, cells * sizeof(*s->planned));
    s->b.planned = s->planned;
    return 0;
}

void planner_occupy(struct planner_scratch *s, const struct placement_job *pj,
                    const struct placement_price *price, int64_t from_s, int add)
{
    const struct board_partition *p = board_partition_find(&s->b, pj->partition);
    uint32_t cpus;
    int64_t hold_s;
    if (!p)
        return;
    placement_occupation(&s->b, pj, price, &cpus, &hold_s);
    slots_occupy(&s->b.head, s->planned + (size_t)(p - s->b.partitions) * s->b.n_slots,
                 s->b.n_slots, from_s, from_s + hold_s, cpus, add);
}

void planner_rebuild(const struct slurm_job *job, const struct placement_note *note, int64_t from_s,
                     int64_t latest_s, struct placement_job *out)
{
    tracker_placement_job(job, out);
    out->earliest_s = from_s;
    out->stagger = (uint32_t)note->id;
    out->request.delay = DELAY_FOR;
    out->request.delay_s = latest_s > from_s ? latest_s - from_s : 0;
    out->request.layer[REQUEST_CARBON_DELAY] = note->layer;
    out->request.policy = note->policy;
}

int planner_note_move(struct ctl *c, const struct slurm_job *job, struct ledger_job *row,
                      const struct planner_move *m, struct slurm_order *o)
{
    struct ledger_job before = *row;
    *o = begin_order(job, row, m->to_s);
    row->planned_s = m->to_s;
    row->delay_s = m->to_s > m->eligible_s ? m->to_s - m->eligible_s : 0;
    if (isfinite(m->carbon_ug) && m->carbon_ug < 9e18)
        row->estimate_ug = (uint64_t)m->carbon_ug;
    if (tracker_store(c, row) == 0)
        return 0;
    *row = before;
    return -1;
}

void planner_move(struct ctl *c, const struct slurm_job *job, struct ledger_job *row,
                  const struct planner_move *m, const char *ev, const char *code)
{
    int64_t before_s = row->planned_s;
    struct slurm_order o;
    if (planner_note_move(c, job, row, m, &o) == 0 && order_begin(c, &o, row, before_s) == 0)
        events_job(c, ev, code, row, "carnot");
}

static void move(struct ctl *c, const struct slurm_job *job, struct ledger_job *row, int64_t new_s,
                 int64_t eligible_s, const struct placement_decision *d, const char *ev,
                 const char *code)
{
    struct planner_move m = {.to_s = new_s, .eligible_s = eligible_s, .carbon_ug = d->carbon_ug};
    planner_move(c, job, row, &m, ev, code);
}

/* What a waiting job was promised: by its note, or by its row where another tool has written its
 * own text over the note. */
static int promised(const struct slurm_job *job, const struct ledger_job *row,
                    struct placement_note *note)
{
    if (job->note) {
        *note = *job->note;
        return 1;
    }
    if (row->latest_s == 0 || row->policy == POLICY_UNSET)
        return 0;
    *note = (struct placement_note){.id = row->decision,
                                    .latest_s = row->latest_s,
                                    .wait_s = row->allowance_s,
                                    .policy = (enum placement_policy)row->policy,
                                    .code = CODE_GREENER_LATER,
                                    .layer = LAYER_FLAG};
    return 1;
}

int planner_ours(const struct ctl *c, const struct slurm_job *job, const struct ledger_job *row,
                 struct placement_note *note)
{
    return row && job->phase == PHASE_PENDING && !pauser_plans(c, row) && !row->released &&
           !job->bound && !job->held && tracker_acting(c, row) && promised(job, row, note);
}

/* A job that may wait and has no plan yet: a new run after a requeue, or one whose dependencies
 * have just gone. */
static void plan_first(struct ctl *c, struct planner_scratch *s, const struct slurm_job *job,
                       struct ledger_job *row, const struct placement_note *note)
{
    struct placement_job pj;
    struct placement_decision d;
    int64_t now_s = ctl_now_s(c);
    const char *code = row->key.restart ? "REQUEUED" : "DEP_END";
    planner_rebuild(job, note, now_s, row->latest_s, &pj);
    placement_decide(&s->b, NULL, &pj, now_s, &d);
    if (d.verdict == VERDICT_DELAY && d.start_s > now_s + PLANNER_TOO_CLOSE_S) {
        planner_occupy(s, &pj, &d.price, d.start_s, 1);
        move(c, job, row, d.start_s, now_s, &d, "job.wait", code);
        return;
    }
    /* Not worth a wait. What was planned before its dependencies went must not stand. */
    int64_t set_s = row->begin_set_s;
    row->latest_s = 0;
    row->allowance_s = 0;
    if (set_s > now_s)
        move(c, job, row, now_s, now_s, &d, "job.move", code);
    else
        tracker_store(c, row);
}

/* While its dependencies stand, a job's begin time is kept near the start that suits it when they
 * are predicted to have gone; never further off than its allowance from now on, so that it is kept
 * even if they end at once and nobody is here to see it. */
static void plan_dependent(struct ctl *c, struct planner_scratch *s, const struct slurm_job *job,
                           struct ledger_job *row, const struct placement_note *note)
{
    struct placement_job pj;
    struct placement_decision d;
    int64_t now_s = ctl_now_s(c), from_s = dependents_eligible_s(c, job);
    row->spent_s = dependents_spent_s(c, job, row->spent_s);
    int64_t wait_s = row->allowance_s - row->spent_s, latest_s = from_s + wait_s;
    if (note->latest_s && latest_s > note->latest_s)
        latest_s = note->latest_s;
    if (wait_s <= 0 || latest_s <= from_s)
        return;
    planner_rebuild(job, note, from_s, latest_s, &pj);
    placement_decide(&s->b, NULL, &pj, now_s, &d);
    int64_t start_s = d.start_s > from_s ? d.start_s : from_s;
    int64_t new_s = start_s < now_s + wait_s ? start_s : now_s + wait_s;
    int64_t later_s = new_s - row->begin_set_s;
    int due = row->begin_set_s <= now_s + PLANNER_TOO_CLOSE_S || later_s < 0 ||
              later_s > wait_s / 4 + PLANNER_TOO_CLOSE_S;
    if (due && new_s > now_s + PLANNER_TOO_CLOSE_S)
        move(c, job, row, new_s, from_s < new_s ? from_s : new_s, &d,
             row->begin_set_s ? "job.move" : "job.wait", "DEP_END");
}

enum due { DUE_NOT = 0, DUE_DEPENDENT, DUE_FREED, DUE_REQUEUED };

/* Can a new list have given a reason to plan this job, which may wait? */
static enum due due_of(const struct slurm_job *job, const struct ledger_job *row,
                       const struct placement_note *note)
{
    if (job->dependency)
        return DUE_DEPENDENT;
    if (note->code == CODE_DEP_END && row->latest_s == 0)
        return DUE_FREED;
    return row->key.restart && row->planned_s == 0 && row->latest_s ? DUE_REQUEUED : DUE_NOT;
}

static void plan_one(struct ctl *c, struct planner_scratch *s, const struct slurm_job *job,
                     struct ledger_job *row, const struct placement_note *note, enum due due)
{
    if (due == DUE_DEPENDENT) {
        plan_dependent(c, s, job, row, note);
        return;
    }
    if (due == DUE_FREED) {
        row->latest_s = ctl_now_s(c) + row->allowance_s - row->spent_s;
        if (note->latest_s && row->latest_s > note->latest_s)
            row->latest_s = note->latest_s;
    }
    plan_first(c, s, job, row, note);
}

/* Those that are due; the scratch board is made for the first of them, for most lists have none. */
static void plan_due(struct ctl *c, struct planner_scratch *s)
{
    for (size_t i = 0; i < c->snap->n_jobs; i++) {
        const struct slurm_job *job = &c->snap->jobs[i];
        struct ledger_job *row = runs_newest(c, job->job_id);
        struct placement_note note;
        int may = row && row->allowance_s > 0 && planner_ours(c, job, row, &note);
        enum due due = may ? due_of(job, row, &note) : DUE_NOT;
        if (due == DUE_NOT)
            continue;
        if (!s->planned && planner_scratch(c, s) < 0)
            return;
        plan_one(c, s, job, row, &note, due);
    }
}

/* A plan is written down before it is ordered: what the process before this one had not ordered any
 * more is ordered now. Those that it had come twice, which changes nothing. */
static void order_again(struct ctl *c)
{
    for (size_t i = 0, at = 0; i < c->snap->n_jobs; i++) {
        const struct slurm_job *job = &c->snap->jobs[i];
        struct ledger_job *row = runs_newest_along(c, &at, job->job_id);
        struct placement_note note;
        if (!planner_ours(c, job, row, &note) || row->planned_s == row->begin_set_s ||
            row->planned_s == 0 || job->eligible_s == row->planned_s)
            continue;
        /* Slurm takes a time that has passed for now, which would look like somebody else's. */
        int64_t now_s = ctl_now_s(c), begin_s = row->planned_s > now_s ? row->planned_s : now_s;
        struct slurm_order o = begin_order(job, row, begin_s);
        order_begin(c, &o, row, row->begin_set_s);
    }
}

void planner_run(struct ctl *c)
{
    struct planner_scratch s = {.planned = NULL};
    if (!c->snap)
        return;
    if (!c->planned_listed_ms)
        order_again(c);
    replan_run(c);
    if (c->planned_listed_ms == c->snap->listed_ms)
        return;
    c->planned_listed_ms = c->snap->listed_ms;
    plan_due(c, &s);
    c->dirty |= s.planned != NULL;
    free(s.planned);
}

void planner_fini(struct ctl *c)
{
    replan_free(c);
}

void planner_ordered(struct ctl *c, uint32_t job_id, int64_t begin_s, int ok)
{
    struct ledger_job *row = runs_newest(c, job_id);
    struct err e = {.text = ""};
    if (!row)
        return;
    if (!ok) {
        if (row->released)
            return; /* let_go.c orders it again */
        row->planned_s = row->begin_set_s;
        tracker_store(c, row);
        return;
    }
    row->begin_set_s = begin_s;
    if (ledger_job_planned(c->ledger, row->key, begin_s, row->released, &e) < 0)
        log_err("ledger: job %u: %s", job_id, e.text);
    c->dirty = 1;
}

int planner_release(struct ctl *c, struct ledger_job *row, const char *code, const char *by,
                    struct err *e)
{
    int64_t now_s = ctl_now_s(c);
    if (row->start_s > 0 || !row->live)
        return err_set(e, "job %u does not wait any more", row->key.job_id);
    if (row->planned_s == 0 || row->planned_s <= now_s)
        return err_set(e, "job %u does not wait for the grid; carnot why %u says what it waits for",
                       row->key.job_id, row->key.job_id);
    struct ledger_job before = *row;
    struct slurm_order o = begin_order(NULL, row, now_s);
    row->released = 1;
    row->planned_s = now_s;
    row->delay_s = now_s > row->key.submit_s ? now_s - row->key.submit_s : 0;
    if (tracker_store(c, row) < 0 || slurm_client_order(&o) < 0) {
        *row = before;
        tracker_store(c, row);
        return err_set(e, "too much to do just now; try again in a minute");
    }
    events_job(c, "job.now", code, row, by);
    return 0;
}

int planner_explain(const struct ctl *c, const struct slurm_job *job, const struct ledger_job *row,
                    struct explain *out)
{
    struct planner_scratch s;
    struct placement_note note;
    struct placement_job pj;
    struct placement_price price;
    int64_t now_s = ctl_now_s(c);
    int built = c->board.head.published_ms > 0;
    if (!built || !row->latest_s || !promised(job, row, &note) ||
        planner_scratch_of(&c->board, &s) < 0)
        return -1;
    planner_rebuild(job, &note, now_s, row->latest_s, &pj);
    placement_price(&s.b, &pj, &price);
    planner_occupy(&s, &pj, &price, row->planned_s, 0);
    explain_job(&s.b, NULL, &pj, now_s, row->planned_s, out);
    free(s.planned);
    return 0;
}
