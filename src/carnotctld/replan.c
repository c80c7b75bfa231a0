/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A new forecast, or jobs that came, started or ended: every job that waits because of Carnot is
 * planned again, in slices, so that the event loop never stands still. The moves are then ordered,
 * those that save most first, a few at a time: slurmctld has other work, and whatever else is to be
 * ordered must not queue behind thousands of moves. A forecast that comes meanwhile begins anew;
 * what was not ordered is dropped. What jobs change is looked at once a slot at most, and not
 * before the pass under way is through.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/events.h"
#include "carnotctld/planner.h"
#include "carnotctld/planner_private.h"
#include "carnotctld/publisher.h"
#include "carnotctld/runs.h"
#include "carnotctld/tracker.h"
#include "common/log.h"

/* Of a call, and how many jobs are planned between two looks at the clock. */
#define SLICE_MS 20
#define JOBS_A_LOOK 32
/* Orders that may wait for slurmctld before more moves are ordered: about a second of them. */
#define ORDERS_AHEAD 10

struct replan_move {
    struct job_key key;
    int64_t from_s, to_s;
    double carbon_ug, gain_ug;
};

struct replan {
    const char *why;
    struct board board; /* its own copy: c->board is replaced meanwhile */
    struct planner_scratch scratch;
    int64_t next_id; /* jobs from here on are still to be planned; beyond the last: all are */
    size_t planned;
    struct replan_move *moves;
    size_t n, room, given;
};

void replan_free(struct ctl *c)
{
    struct replan *r = c->replan;
    if (!r)
        return;
    board_free(&r->board);
    free(r->scratch.planned);
    free(r->moves);
    free(r);
    c->replan = NULL;
}

/* Is a pass over all that waits due? Why, or NULL. */
static const char *due(const struct ctl *c)
{
    int64_t since_s = ctl_now_s(c) - c->planned_s;
    /* What was decided before this process started was decided with these samples or older ones:
     * plan once then, too. */
    if (c->planned_version != c->feed_version)
        return "new forecast";
    if (c->replan || c->planned_changes == c->jobs_changes || !c->snap)
        return NULL;
    return since_s < 0 || since_s >= c->board.head.slot_s ? "other jobs" : NULL;
}

/* Without a pass until the next reason where there is no memory: jobs keep their starts. */
static void begin(struct ctl *c, const char *why)
{
    struct err e = {.text = ""};
    struct replan *r = calloc(1, sizeof(*r));
    replan_free(c);
    c->replan = r;
    c->planned_version = c->feed_version;
    c->planned_changes = c->jobs_changes;
    c->planned_s = ctl_now_s(c);
    if (r)
        r->why = why;
    if (r && publisher_build_copy(c, &r->board, &e) == 0 &&
        planner_scratch_of(&r->board, &r->scratch) == 0)
        return;
    log_err("waiting jobs are not planned again: %s", e.text[0] ? e.text : "no memory");
    replan_free(c);
}

static void add(struct replan *r, const struct replan_move *m)
{
    if (r->n == r->room) {
        size_t room = r->room ? 2 * r->room : 256;
        struct replan_move *grown = realloc(r->moves, room * sizeof(*grown));
        if (!grown)
            return; /* it keeps its start */
        r->moves = grown;
        r->room = room;
    }
    r->moves[r->n++] = *m;
}

/* Does Carnot make it wait, for long enough that it can be moved? Then the job of the list. */
static const struct slurm_job *waits(const struct ctl *c, const struct ledger_job *row,
                                     struct placement_note *note)
{
    if (!row->live || row->latest_s == 0 || row->planned_s <= ctl_now_s(c) + PLANNER_TOO_CLOSE_S)
        return NULL;
    const struct slurm_job *job = snapshot_job(c->snap, row->key.job_id);
    return job && planner_ours(c, job, row, note) && !job->dependency ? job : NULL;
}

static void plan(struct ctl *c, struct replan *r, const struct ledger_job *row)
{
    struct placement_note note;
    struct placement_job pj;
    struct placement_price price;
    struct placement_decision d;
    const struct slurm_job *job = waits(c, row, &note);
    int64_t now_s = ctl_now_s(c), old_s = row->planned_s;
    const struct board *b = &r->scratch.b;
    uint32_t n;
    if (!job || !board_job_find(b, job->job_id, &n))
        return; /* it came while the pass went on: decided just now, and not in its room */
    planner_rebuild(job, &note, now_s, row->latest_s, &pj);
    placement_price(b, &pj, &price);
    planner_occupy(&r->scratch, &pj, &price, old_s, 0);
    placement_decide(b, NULL, &pj, now_s, &d);
    int64_t new_s = d.verdict == VERDICT_DELAY ? d.start_s : now_s;
    double gain_ug =
        placement_cost_ug(b, &pj, &d, now_s, old_s) - placement_cost_ug(b, &pj, &d, now_s, new_s);
    /* A stale forecast is no reason to move anybody. */
    int moves = d.code != CODE_FEED_STALE && new_s != old_s && new_s <= row->latest_s &&
                isfinite(gain_ug) && gain_ug > 0 && gain_ug >= c->set.policy.min_gain_ug / 2.0;
    planner_occupy(&r->scratch, &pj, &price, moves ? new_s : old_s, 1);
    if (moves)
        add(r, &(struct replan_move){row->key, old_s, new_s, d.carbon_ug, gain_ug});
}

static int by_gain(const void *a, const void *b)
{
    const struct replan_move *x = a, *y = b;
    if (x->gain_ug != y->gain_ug)
        return x->gain_ug > y->gain_ug ? -1 : 1;
    return (x->key.job_id > y->key.job_id) - (x->key.job_id < y->key.job_id);
}

static void planned(struct replan *r)
{
    if (r->n == 0)
        return;
    qsort(r->moves, r->n, sizeof(*r->moves), by_gain);
    log_info("%s: %zu jobs planned again, %zu move, which takes about %lld s", r->why, r->planned,
             r->n, (long long)r->n * slurm_client_pace_ms() / 1000 + 1);
}

/* The newest run of each job from next_id on, until the slice is over. 1 when all are planned. */
static int plan_slice(struct ctl *c, struct replan *r)
{
    int64_t end_ms = clock_mono_ms(c->clock) + SLICE_MS;
    size_t looked = 0;
    if (r->next_id > UINT32_MAX)
        return 1;
    for (size_t i = runs_from(c, (uint32_t)r->next_id); i < c->n_jobs; i++) {
        const struct ledger_job *row = &c->jobs[i];
        r->next_id = row->key.job_id;
        if (i + 1 < c->n_jobs && c->jobs[i + 1].key.job_id == row->key.job_id)
            continue;
        if (++looked % JOBS_A_LOOK == 0 && clock_mono_ms(c->clock) >= end_ms)
            return 0;
        r->planned++;
        plan(c, r, row);
    }
    r->next_id = (int64_t)UINT32_MAX + 1;
    planned(r);
    return 1;
}

/* A move that still holds: written down, with the order that is to follow. 1 or 0. */
static int write_down(struct ctl *c, const struct replan_move *m, struct slurm_order *o)
{
    struct placement_note note;
    struct ledger_job *row = runs_row(c, m->key);
    const struct slurm_job *job = row ? waits(c, row, &note) : NULL;
    int64_t now_s = ctl_now_s(c);
    if (!job || row->planned_s != m->from_s || row != runs_newest(c, m->key.job_id))
        return 0;
    struct planner_move move = {.to_s = m->to_s > now_s ? m->to_s : now_s,
                                .eligible_s = row->planned_s - row->delay_s,
                                .carbon_ug = m->carbon_ug};
    return move.to_s <= row->latest_s && planner_note_move(c, job, row, &move, o) == 0;
}

/* What is written down of a move precedes its order, also on the disk. */
static void give(struct ctl *c, struct replan *r)
{
    struct slurm_order orders[ORDERS_AHEAD];
    struct err e = {.text = ""};
    size_t n = 0, room = slurm_client_waiting();
    room = room < ORDERS_AHEAD ? ORDERS_AHEAD - room : 0;
    if (room == 0 || ledger_begin(c->ledger, &e) < 0)
        return;
    for (; r->given < r->n && n < room; r->given++)
        n += (size_t)write_down(c, &r->moves[r->given], &orders[n]);
    if (ledger_commit(c->ledger, &e) < 0) {
        log_err("ledger: %s", e.text);
        runs_load(c); /* what we remember must not run ahead of what is written */
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct ledger_job *row = runs_newest(c, orders[i].job_id);
        if (slurm_client_order(&orders[i]) == 0 && row)
            events_job(c, "job.move", "GREENER_LATER", row, "carnot");
    }
}

int planner_planned(const struct ctl *c)
{
    return c->planned_version == c->feed_version && (!c->replan || c->replan->next_id > UINT32_MAX);
}

size_t planner_moves_left(const struct ctl *c, size_t *all)
{
    *all = c->replan ? c->replan->n : 0;
    return c->replan ? c->replan->n - c->replan->given : 0;
}

void replan_run(struct ctl *c)
{
    const char *why = due(c);
    if (why) {
        begin(c, why); /* which makes a board: enough for one piece */
        return;
    }
    if (!c->replan || !plan_slice(c, c->replan))
        return;
    give(c, c->replan);
    if (c->replan->given == c->replan->n)
        replan_free(c);
}
