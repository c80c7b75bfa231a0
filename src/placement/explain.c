/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The alternatives of a decision. Which starts are worth a look is decided here; what they cost is
 * asked of the search that decides.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "placement/decide.h"
#include "placement/explain.h"

const char *explain_role_name(int i)
{
    static const char *const names[EXPLAIN_ROLES] = {
        "now", "chosen", "asap", "balanced", "greenest", "best", "least", "low", "latest"};
    return i >= 0 && i < EXPLAIN_ROLES ? names[i] : "";
}

/* Keeps the order of time; a start that is listed already gets another role. */
static void add(struct explain *x, int64_t start_s, unsigned role)
{
    size_t i = 0;
    while (i < x->n_starts && x->starts[i].start_s < start_s)
        i++;
    if (i < x->n_starts && x->starts[i].start_s == start_s) {
        x->starts[i].roles |= role;
        return;
    }
    if (x->n_starts == EXPLAIN_STARTS_MAX)
        return;
    memmove(&x->starts[i + 1], &x->starts[i], (x->n_starts - i) * sizeof(x->starts[0]));
    x->starts[i] = (struct explain_start){.start_s = start_s, .roles = role};
    x->n_starts++;
}

/* What each policy would choose. */
static void add_policies(const struct board *b, const struct lease_table *leases,
                         const struct placement_job *job, int64_t now_s, struct explain *x)
{
    static const unsigned roles[] = {[POLICY_ASAP] = EXPLAIN_ASAP,
                                     [POLICY_BALANCED] = EXPLAIN_BALANCED,
                                     [POLICY_GREENEST] = EXPLAIN_GREENEST};
    for (int p = POLICY_ASAP; p <= POLICY_GREENEST; p++) {
        struct placement_job other = *job;
        struct placement_decision d;
        other.request.policy = (enum placement_policy)p;
        decide_start(b, leases, &other, now_s, &d);
        add(x, d.start_s, roles[p]);
    }
}

static void add_ends(const struct search *q, struct explain *x)
{
    struct search_result r;
    struct search grams = *q;
    search_run(q, &r);
    add(x, r.full_start_s, EXPLAIN_BEST);
    grams.lambda_ug_per_s = 0;
    search_run(&grams, &r);
    add(x, r.full_start_s, EXPLAIN_LEAST);
    add(x, q->until_s, EXPLAIN_LATEST);
}

struct low {
    int64_t start_s;
    double cost_ug;
};

/* The deepest ones, in the order of depth. */
struct lows {
    struct low low[EXPLAIN_LOWS_MAX];
    size_t n;
};

static int listed(const struct explain *x, int64_t start_s, int64_t apart_s)
{
    for (size_t i = 0; i < x->n_starts; i++)
        if (llabs(x->starts[i].start_s - start_s) <= apart_s)
            return 1;
    return 0;
}

static void keep(struct lows *lows, struct low low)
{
    size_t i = lows->n < EXPLAIN_LOWS_MAX ? lows->n++ : EXPLAIN_LOWS_MAX;
    for (; i > 0 && low.cost_ug < lows->low[i - 1].cost_ug; i--)
        if (i < EXPLAIN_LOWS_MAX)
            lows->low[i] = lows->low[i - 1];
    if (i < EXPLAIN_LOWS_MAX)
        lows->low[i] = low;
}

static struct low at(const struct search *q, int64_t start_s)
{
    return (struct low){start_s, search_cost_ug(q, start_s, search_carbon_ug(q, start_s))};
}

/* Walk along the bends, between which the cost is a straight line. Of a flat floor, its first start
 * is the low; those that are listed, but for a job's own stagger, are left out. */
static void add_lows(const struct search *q, int64_t stagger_s, struct explain *x)
{
    struct lows lows = {.n = 0};
    struct low floor = at(q, q->from_s);
    int fallen = 0;
    for (int64_t t_s = q->from_s; (t_s = search_next_bend(q, t_s)) <= q->until_s;) {
        struct low here = at(q, t_s);
        double margin = fabs(floor.cost_ug) * SEARCH_SAME;
        if (fabs(here.cost_ug - floor.cost_ug) <= margin)
            continue;
        if (fallen && here.cost_ug > floor.cost_ug && !listed(x, floor.start_s, stagger_s))
            keep(&lows, floor);
        fallen = here.cost_ug < floor.cost_ug;
        floor = here;
    }
    if (fallen && !listed(x, floor.start_s, stagger_s))
        keep(&lows, floor);
    for (size_t i = 0; i < lows.n; i++)
        add(x, lows.low[i].start_s, EXPLAIN_LOW);
}

static void evaluate(const struct search *q, double beyond_ug, struct explain *x)
{
    for (size_t i = 0; i < x->n_starts; i++) {
        struct explain_start *s = &x->starts[i];
        s->wait_s = s->start_s - q->from_s;
        s->room =
            s->start_s == q->from_s || slots_free(q->slots, s->start_s, s->start_s + q->hold_s);
        s->carbon_ug = s->cost_ug = NAN;
        if (!isfinite(beyond_ug))
            continue;
        s->carbon_ug = search_carbon_ug(q, s->start_s) + beyond_ug;
        s->cost_ug = search_cost_ug(q, s->start_s, s->carbon_ug);
    }
}

/* Mean intensity in steps of whole ledger slots. */
static void plot(const struct board *b, int64_t now_s, int64_t until_s, struct explain *x)
{
    struct series s = board_series(b);
    int64_t slot_s = b->head.slot_s, known_s = b->head.intensity_end_s;
    /* A window that is short beside a slot still gets some bars. */
    while (slot_s > 60 && (until_s - now_s) / slot_s < 8)
        slot_s /= 2;
    int64_t step_s = slot_s * ((until_s - now_s) / (slot_s * EXPLAIN_STEPS_MAX) + 1);
    int64_t t_s = now_s - now_s % slot_s;
    for (; t_s < until_s && x->n_steps < EXPLAIN_STEPS_MAX; t_s += step_s) {
        int64_t end_s = t_s + step_s < known_s ? t_s + step_s : known_s;
        x->steps[x->n_steps++] = (struct explain_step){
            .time_s = t_s, .g_per_kwh = t_s < end_s ? series_mean(&s, t_s, end_s) : NAN};
    }
}

void explain_job(const struct board *b, const struct lease_table *leases,
                 const struct placement_job *job, int64_t now_s, int64_t chosen_s,
                 struct explain *out)
{
    static struct slots_space space; /* 48 KiB: not for the stack */
    struct placement_job patient = *job;
    struct placement_decision d;
    struct slots slots;
    struct search q;

    memset(out, 0, sizeof(*out));
    decide_start(b, leases, job, now_s, &d);
    out->policy = d.policy;
    if (d.policy == POLICY_ASAP) {
        patient.request.policy = POLICY_GREENEST;
        decide_start(b, leases, &patient, now_s, &d);
    }
    double beyond_ug = decide_search(b, leases, &patient, now_s, &d, &space, &slots, &q);
    int known = isfinite(beyond_ug);

    out->from_s = q.from_s;
    out->until_s = q.until_s;
    out->start_s = chosen_s;
    out->end_s = chosen_s ? chosen_s + q.hold_s : 0;
    out->forecast_until_s = known ? b->head.intensity_end_s : 0;
    out->lambda_ug_per_s = q.lambda_ug_per_s;
    out->min_gain_ug = b->head.min_gain_g * 1e6;
    add(out, q.from_s, EXPLAIN_NOW);
    if (chosen_s)
        add(out, chosen_s, EXPLAIN_CHOSEN);
    add_policies(b, leases, job, now_s, out);
    if (known) {
        add_ends(&q, out);
        add_lows(&q, b->head.stagger_s, out);
    }
    evaluate(&q, beyond_ug, out);
    if (known) {
        int64_t end_s = q.until_s + q.hold_s, known_s = b->head.intensity_end_s;
        int64_t least_s = q.until_s > now_s ? q.until_s : now_s + 1;
        end_s = end_s < known_s ? end_s : known_s;
        plot(b, now_s, end_s > least_s ? end_s : least_s, out);
    }
}
