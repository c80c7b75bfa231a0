/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A row that is let go is `released` (nobody moves it any more) with its new begin time as planned.
 * As long as Slurm shows the begin time that was set before, the order is still to be given: the
 * list itself says what is done, and nothing has to be remembered of it.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/enforcer.h"
#include "carnotctld/events.h"
#include "carnotctld/let_go.h"
#include "carnotctld/slurm_client.h"
#include "carnotctld/tracker.h"
#include "common/log.h"

#define KEY "let_go"
/* What was decided by the board before shows up in Slurm's list within this time. */
#define LATECOMERS_S 10
/* Orders at a time: a few seconds of them, so that a list is never far behind what was done. */
#define BATCH 200

/* Pointers into c->jobs, for sorting. */
struct rows {
    struct ledger_job **items;
    size_t n;
};

/* A hold has no planned start: those jobs come last. */
static int64_t start_of(const struct ledger_job *row)
{
    return row->planned_s ? row->planned_s : INT64_MAX;
}

static int by_start(const void *a, const void *b)
{
    const struct ledger_job *x = *(struct ledger_job *const *)a;
    const struct ledger_job *y = *(struct ledger_job *const *)b;
    if (start_of(x) != start_of(y))
        return start_of(x) < start_of(y) ? -1 : 1;
    if (x->key.submit_s != y->key.submit_s)
        return x->key.submit_s < y->key.submit_s ? -1 : 1;
    return (x->key.job_id > y->key.job_id) - (x->key.job_id < y->key.job_id);
}

/* The rows for which want() answers 1, in order of their start; the caller frees items. */
static struct rows collect(struct ctl *c,
                           int (*want)(const struct ctl *c, const struct ledger_job *row))
{
    struct rows r = {.items = calloc(c->n_jobs ? c->n_jobs : 1, sizeof(*r.items))};
    for (size_t i = 0; r.items && i < c->n_jobs; i++)
        if (want(c, &c->jobs[i]))
            r.items[r.n++] = &c->jobs[i];
    if (r.n)
        qsort(r.items, r.n, sizeof(*r.items), by_start);
    if (!r.items)
        log_err("no memory to let jobs go: tried again with the next list");
    return r;
}

static int pends(const struct ledger_job *row)
{
    return row->live && row->start_s == 0;
}

/* Carnot makes it wait, or holds it, and is to change nothing there any more. */
static int kept_back(const struct ctl *c, const struct ledger_job *row)
{
    return pends(row) && !row->released &&
           (row->planned_s > ctl_now_s(c) || row->enforce_step == ENFORCE_HELD) &&
           !tracker_acting(c, row);
}

/* Its wait is given up, and Slurm does not know yet. */
static int not_ordered(const struct ctl *c, const struct ledger_job *row)
{
    const struct slurm_job *job = pends(row) && row->released && row->planned_s
                                      ? snapshot_job(c->snap, row->key.job_id)
                                      : NULL;
    if (!job || job->phase != PHASE_PENDING || job->restart != row->key.restart)
        return 0;
    if (row->enforce_step == ENFORCE_HELD)
        return job->held;
    return row->planned_s < row->begin_set_s && job->eligible_s == row->begin_set_s &&
           job->eligible_s > ctl_now_s(c);
}

static int still_waits(const struct ctl *c, const struct ledger_job *row)
{
    int assigned = pends(row) && row->released && row->planned_s > ctl_now_s(c) &&
                   row->planned_s <= c->let_go.until_s;
    return assigned || not_ordered(c, row);
}

/* One row's new begin, written down. 0 or -1, and the row as it was. */
static int let_go(struct ctl *c, struct ledger_job *row, int64_t slot_s)
{
    struct ledger_job before = *row;
    if (row->enforce_step != ENFORCE_HELD && row->planned_s < slot_s)
        slot_s = row->planned_s;
    if (row->planned_s > slot_s) {
        int64_t spared_s = row->planned_s - slot_s;
        row->delay_s = row->delay_s > spared_s ? row->delay_s - spared_s : 0;
    }
    row->planned_s = slot_s;
    row->released = 1;
    if (tracker_store(c, row) < 0) {
        *row = before;
        return -1;
    }
    return 0;
}

/* Spread what is kept back evenly over [from_s, the end). Returns how many, or -1. */
static int64_t assign(struct ctl *c, int64_t from_s, struct err *e)
{
    struct rows r = collect(c, kept_back);
    int64_t span_s = c->let_go.until_s > from_s ? c->let_go.until_s - from_s : 0, done = 0;
    if (r.n == 0 || ledger_begin(c->ledger, e) < 0) {
        int nothing = r.items && r.n == 0;
        free(r.items);
        return nothing ? 0 : -1;
    }
    for (size_t i = 0; i < r.n; i++)
        if (let_go(c, r.items[i], from_s + span_s * (int64_t)i / (int64_t)r.n) == 0)
            r.items[done++] = r.items[i];
    if (ledger_commit(c->ledger, e) < 0) {
        free(r.items);
        (void)tracker_init(c, e); /* what we remember must not run ahead of what is written */
        return -1;
    }
    for (int64_t i = 0; i < done; i++)
        events_job(c, "job.now", "OPERATOR", r.items[i], c->let_go.by);
    free(r.items);
    return done;
}

/* Order what Slurm does not know yet. Returns how many there are. */
static size_t order_rest(struct ctl *c)
{
    struct rows r = collect(c, not_ordered);
    int64_t now_s = ctl_now_s(c);
    size_t n = r.n;
    /* The list is older than orders that are under way. */
    for (size_t i = 0; i < r.n && i < BATCH && slurm_client_waiting() < BATCH; i++) {
        const struct ledger_job *row = r.items[i];
        int held = row->enforce_step == ENFORCE_HELD;
        struct slurm_order o = slurm_client_order_for(held ? ORDER_RELEASE : ORDER_BEGIN, row);
        o.begin_s = row->planned_s > now_s ? row->planned_s : now_s;
        if (slurm_client_order(&o) < 0)
            break;
    }
    free(r.items);
    return n;
}

static int write_down(struct ctl *c, struct err *e)
{
    char value[LEDGER_NAME_MAX + 64];
    snprintf(value, sizeof(value), "%lld %lld %s", (long long)c->let_go.begun_s,
             (long long)c->let_go.until_s, c->let_go.by);
    return ledger_kv_set(c->ledger, KEY, c->let_go.until_s ? value : NULL, e);
}

static int read_back(const char *key, const char *value, void *arg)
{
    struct ctl *c = arg;
    long long begun_s, until_s;
    int by = 0;
    if (strcmp(key, KEY) != 0 || sscanf(value, "%lld %lld %n", &begun_s, &until_s, &by) != 2)
        return 0;
    c->let_go.begun_s = begun_s;
    c->let_go.until_s = until_s;
    snprintf(c->let_go.by, sizeof(c->let_go.by), "%s", value + by);
    return 1;
}

int let_go_init(struct ctl *c, struct err *e)
{
    c->let_go.until_s = 0;
    return ledger_kv_each(c->ledger, KEY, read_back, c, e);
}

int64_t let_go_begin(struct ctl *c, const char *by, struct err *e)
{
    int64_t now_s = ctl_now_s(c), left;
    c->let_go.begun_s = now_s;
    c->let_go.until_s = now_s + c->set.policy.off_stagger_ms / 1000;
    snprintf(c->let_go.by, sizeof(c->let_go.by), "%s", by);
    if (write_down(c, e) < 0)
        return -1;
    left = assign(c, now_s, e);
    log_info("%s switched off: %lld waiting jobs are let go within %lld s", by, (long long)left,
             (long long)(c->let_go.until_s - now_s));
    if (c->snap)
        order_rest(c);
    return left;
}

void let_go_run(struct ctl *c)
{
    struct err e = {.text = ""};
    int64_t now_s = ctl_now_s(c), end_s = c->let_go.begun_s + LATECOMERS_S;
    if (end_s < c->let_go.until_s)
        end_s = c->let_go.until_s;
    if (c->let_go.until_s && assign(c, now_s, &e) < 0)
        log_err("letting jobs go: %s", e.text);
    size_t left = slurm_client_waiting() == 0 ? order_rest(c) : 1;
    if (!c->let_go.until_s || left > 0 || c->snap->listed_ms / 1000 <= end_s)
        return;
    c->let_go.until_s = 0;
    if (write_down(c, &e) < 0)
        log_err("ledger: %s", e.text);
    log_info("all waiting jobs are let go");
}

int64_t let_go_left(const struct ctl *c)
{
    int64_t n = 0;
    for (size_t i = 0; i < c->n_jobs; i++)
        n += still_waits(c, &c->jobs[i]) ? c->jobs[i].tasks : 0;
    return n;
}
