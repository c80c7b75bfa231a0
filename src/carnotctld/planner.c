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

#include "carnotctld/events.h"
#include "carnotctld/feed_watch.h"
#include "carnotctld/planner.h"
#include "carnotctld/publisher.h"
#include "carnotctld/slurm_client.h"
#include "carnotctld/tracker.h"
#include "common/log.h"
#include "placement/placement.h"
#include "placement/slots.h"

/* A start this close is left alone: the order would come too late to matter. */
#define TOO_CLOSE_S 3

static int order_begin(struct ctl *c, struct ledger_job *row, int64_t begin_s)
{
    struct slurm_order o = slurm_client_order_for(ORDER_BEGIN, row);
    o.begin_s = begin_s;
    row->planned_s = begin_s;
    if (tracker_store(c, row) < 0)
        return -1;
    return slurm_client_order(&o);
}

/* The job as it was asked for, with what is left of its allowance. */
static void rebuild(const struct slurm_job *job, const struct ledger_job *row,
                    const struct placement_note *note, int64_t now_s, struct placement_job *out)
{
    tracker_placement_job(job, out);
    out->request.delay = DELAY_FOR;
    out->request.delay_s = row->latest_s > now_s ? row->latest_s - now_s : 0;
    out->request.layer[REQUEST_CARBON_DELAY] = note->layer;
    out->request.policy = note->policy;
}

/* Grams plus the price of waiting at a start, as the decision counts them. */
static double cost_ug(const struct ctl *c, const struct placement_decision *d, double tasks,
                      int64_t now_s, int64_t start_s)
{
    struct series s = board_series(&c->board);
    int64_t length_s = d->price.limit_s;
    if (length_s > s.end_s - now_s)
        length_s = s.end_s - now_s;
    double grams_ug = series_emissions_ug(&s, start_s, start_s + length_s,
                                          d->price.power_w * (double)length_s * 1e6) *
                      c->set.power.pue;
    double delay_ug = d->policy == POLICY_BALANCED
                          ? c->set.policy.lambda_g_per_h * 1e6 / 3600.0 * (double)(start_s - now_s)
                          : 0;
    return (grams_ug + delay_ug) * tasks;
}

/* Take the job's own CPUs out of the slots, or put them in (add). */
static void occupy(uint32_t *planned, const struct board *b, const struct placement_job *pj,
                   const struct placement_price *price, int64_t from_s, int add)
{
    const struct board_partition *p = board_partition_find(b, pj->partition);
    uint32_t cpus;
    int64_t hold_s;
    if (!p)
        return;
    placement_occupation(b, pj, price, &cpus, &hold_s);
    slots_occupy(&b->head, planned + (size_t)(p - b->partitions) * b->n_slots, b->n_slots, from_s,
                 from_s + hold_s, cpus, add);
}

/* Plan one job anew against board b, whose slots are `planned`, ours to change. */
static void plan(struct ctl *c, struct board *b, uint32_t *planned, const struct slurm_job *job,
                 struct ledger_job *row, const struct placement_note *note)
{
    struct placement_job pj;
    struct placement_price price;
    struct placement_decision d;
    int64_t now_s = ctl_now_s(c), old_s = row->planned_s;
    rebuild(job, row, note, now_s, &pj);
    placement_price(b, &pj, &price);
    occupy(planned, b, &pj, &price, old_s, 0);
    placement_decide(b, NULL, &pj, now_s, &d);
    int64_t new_s = d.verdict == VERDICT_DELAY ? d.start_s : now_s;
    double tasks = pj.tasks ? pj.tasks : 1;
    double gain_ug = cost_ug(c, &d, tasks, now_s, old_s) - cost_ug(c, &d, tasks, now_s, new_s);
    /* A stale forecast is no reason to move anybody. */
    if (d.code == CODE_FEED_STALE || new_s == old_s || new_s > row->latest_s ||
        !isfinite(gain_ug) || gain_ug <= 0 || gain_ug < c->set.policy.min_gain_ug / 2.0)
        new_s = old_s;
    occupy(planned, b, &pj, &price, new_s, 1);
    if (new_s == old_s)
        return;
    if (order_begin(c, row, new_s) < 0)
        return;
    row->delay_s = new_s > note->asked_s ? new_s - note->asked_s : 0;
    if (isfinite(d.carbon_ug) && d.carbon_ug < 9e18)
        row->estimate_ug = (uint64_t)d.carbon_ug;
    tracker_store(c, row);
    log_info("job %u: moved by %+lld s for the new forecast", row->key.job_id,
             (long long)(new_s - old_s));
    events_job(c, "job.move", "GREENER_LATER", row, "carnot");
}

static void plan_all(struct ctl *c)
{
    struct err e = {.text = ""};
    int64_t now_s = ctl_now_s(c);
    if (publisher_build(c, &e) < 0) {
        log_err("%s", e.text);
        return;
    }
    struct board b = c->board;
    size_t cells = (size_t)b.n_partitions * b.n_slots;
    uint32_t *planned = malloc((cells ? cells : 1) * sizeof(*planned));
    if (!planned)
        return;
    memcpy(planned, b.planned, cells * sizeof(*planned));
    b.planned = planned;
    for (size_t i = 0; i < c->snap->n_jobs; i++) {
        const struct slurm_job *job = &c->snap->jobs[i];
        struct placement_note note;
        struct ledger_job *row = tracker_newest(c, job->job_id);
        if (!row || job->phase != PHASE_PENDING || row->released || job->bound || job->held ||
            row->planned_s <= now_s + TOO_CLOSE_S || !tracker_acting(c, row) ||
            !placement_note_parse(job->admin_comment, &note))
            continue;
        plan(c, &b, planned, job, row, &note);
    }
    free(planned);
}

void planner_run(struct ctl *c)
{
    if (c->planned_version == c->feed_version || !c->snap)
        return;
    /* What was decided before this process started was decided with these samples or older ones:
     * plan once then, too. */
    c->planned_version = c->feed_version;
    plan_all(c);
    c->dirty = 1;
}

void planner_ordered(struct ctl *c, uint32_t job_id, int64_t begin_s, int ok)
{
    struct ledger_job *row = tracker_newest(c, job_id);
    struct err e = {.text = ""};
    if (!row)
        return;
    if (!ok) {
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
    row->released = 1;
    row->delay_s = now_s > row->key.submit_s ? now_s - row->key.submit_s : 0;
    if (order_begin(c, row, now_s) < 0) {
        *row = before;
        return err_set(e, "too much to do just now; try again in a minute");
    }
    events_job(c, "job.now", code, row, by);
    return 0;
}
