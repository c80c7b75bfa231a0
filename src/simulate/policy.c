/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules in formulae: ALGORITHMS section 3.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "simulate/policy.h"

#define HOUR_S 3600
#define DAY_S (24 * HOUR_S)
#define ECOVISOR_QUANTILE 0.30

static const char *const names[SIM_POLICY_N] = {
    "asap",        "balanced",    "greenest", "lowest-slot", "lowest-window",
    "carbon-time", "wait-awhile", "ecovisor", "cap",
};

const char *policy_name(enum sim_policy p)
{
    return (unsigned)p < SIM_POLICY_N ? names[p] : "?";
}

int policy_in_pieces(enum sim_policy p)
{
    return p == SIM_WAIT_AWHILE || p == SIM_ECOVISOR;
}

int policy_of_carnot(enum sim_policy p)
{
    return p == SIM_BALANCED || p == SIM_GREENEST;
}

int policy_of_machine(enum sim_policy p)
{
    return p == SIM_CAP;
}

static int64_t searched(struct search q, double lambda_ug_per_s, int64_t length_s)
{
    struct search_result r;
    q.lambda_ug_per_s = lambda_ug_per_s;
    if (length_s) {
        q.length_s = q.hold_s = length_s;
        q.n_further = 0;
    }
    search_run(&q, &r);
    return r.start_s;
}

/* A moment's intensity is a window's of no length; a second will do, edges are hours apart. */
static int64_t lowest_slot(const struct search *q)
{
    return searched(*q, 0, 1);
}

struct best {
    int64_t start_s;
    double rate;
};

static void weigh(const struct search *q, int64_t start_s, int64_t length_s, struct best *best)
{
    if (start_s <= q->from_s || start_s > q->until_s)
        return;
    double now = series_area(&q->series, q->from_s, q->from_s + length_s, NULL, NULL);
    double then = series_area(&q->series, start_s, start_s + length_s, NULL, NULL);
    double rate = (now - then) / (double)(start_s - q->from_s + length_s);
    if (rate > best->rate)
        *best = (struct best){start_s, rate};
}

/* Both sums are linear between edges, so their ratio is largest at an edge. */
static int64_t carbon_time(const struct search *q, int64_t length_s)
{
    struct best best = {q->from_s, 0};
    for (int64_t back_s = 0; back_s <= length_s; back_s += length_s) {
        size_t i = series_find(&q->series, q->from_s + back_s);
        for (; i < q->series.n && q->series.points[i].t_s - back_s <= q->until_s; i++)
            weigh(q, q->series.points[i].t_s - back_s, length_s, &best);
    }
    weigh(q, q->until_s, length_s, &best);
    return best.start_s;
}

int64_t policy_start(enum sim_policy p, const struct search *q, int64_t mean_length_s)
{
    switch (p) {
    case SIM_BALANCED:
        return searched(*q, q->lambda_ug_per_s, 0);
    case SIM_GREENEST:
        return searched(*q, 0, 0);
    case SIM_LOWEST_SLOT:
        return lowest_slot(q);
    case SIM_LOWEST_WINDOW:
        return searched(*q, 0, mean_length_s);
    case SIM_CARBON_TIME:
        return carbon_time(q, mean_length_s);
    default:
        return q->from_s;
    }
}

/* ---- in pieces */

struct slot {
    struct policy_piece piece;
    double g_per_kwh;
};

static int by_intensity(const void *a, const void *b)
{
    const struct slot *x = a, *y = b;
    if (x->g_per_kwh != y->g_per_kwh)
        return x->g_per_kwh < y->g_per_kwh ? -1 : 1;
    return (x->piece.start_s > y->piece.start_s) - (x->piece.start_s < y->piece.start_s);
}

static int by_start(const void *a, const void *b)
{
    int64_t x = ((const struct policy_piece *)a)->start_s;
    int64_t y = ((const struct policy_piece *)b)->start_s;
    return (x > y) - (x < y);
}

/* Steps of the series in [from_s, to_s), cut to it; those of an hour at most, so that a rule that
 * looks at each can change its mind. */
static size_t slots_of(const struct series *s, int64_t from_s, int64_t to_s, struct slot **out)
{
    size_t n = 0, i = series_find(s, from_s);
    size_t room = (size_t)((to_s - from_s) / HOUR_S) + 2, end = series_find(s, to_s);
    struct slot *slots = malloc((room + end - i + 1) * sizeof(*slots));
    if (!slots)
        return 0;
    for (int64_t t_s = from_s; t_s < to_s;) {
        int64_t next_s = t_s - ((t_s % HOUR_S) + HOUR_S) % HOUR_S + HOUR_S;
        while (i + 1 < s->n && s->points[i + 1].t_s <= t_s)
            i++;
        if (i + 1 < s->n && s->points[i + 1].t_s < next_s)
            next_s = s->points[i + 1].t_s;
        if (next_s > to_s)
            next_s = to_s;
        slots[n++] = (struct slot){{t_s, next_s}, s->points[i].g_per_kwh};
        t_s = next_s;
    }
    *out = slots;
    return n;
}

/* In order, with those that touch made one. */
static size_t merge(struct policy_piece *pieces, size_t n)
{
    size_t kept = 0;
    qsort(pieces, n, sizeof(*pieces), by_start);
    for (size_t i = 0; i < n; i++) {
        if (kept && pieces[kept - 1].end_s == pieces[i].start_s)
            pieces[kept - 1].end_s = pieces[i].end_s;
        else
            pieces[kept++] = pieces[i];
    }
    return kept;
}

/* The cheapest slots of [now, now + length + wait]. */
static size_t wait_awhile(struct slot *slots, size_t n, int64_t length_s, struct policy_piece *out)
{
    size_t taken = 0;
    qsort(slots, n, sizeof(*slots), by_intensity);
    for (size_t i = 0; i < n && length_s > 0; i++) {
        struct policy_piece p = slots[i].piece;
        if (p.end_s - p.start_s > length_s)
            p.end_s = p.start_s + length_s;
        length_s -= p.end_s - p.start_s;
        out[taken++] = p;
    }
    return taken;
}

/* Runs in each slot below the quantile of the day ahead, and from when its wait is used up. */
static size_t ecovisor(const struct slot *slots, size_t n, double threshold, int64_t wait_s,
                       int64_t length_s, struct policy_piece *out)
{
    size_t taken = 0;
    for (size_t i = 0; i < n && length_s > 0; i++) {
        struct policy_piece p = slots[i].piece;
        int64_t slot_s = p.end_s - p.start_s;
        if (slots[i].g_per_kwh >= threshold && wait_s > 0) {
            int64_t waited_s = slot_s < wait_s ? slot_s : wait_s;
            wait_s -= waited_s;
            p.start_s += waited_s;
        }
        if (p.start_s == p.end_s)
            continue;
        if (p.end_s - p.start_s > length_s)
            p.end_s = p.start_s + length_s;
        length_s -= p.end_s - p.start_s;
        out[taken++] = p;
    }
    return taken;
}

/* NAN-free: 0 when there is no memory, which makes the rule wait. */
static double day_quantile(const struct series *belief, int64_t now_s)
{
    struct slot *day = NULL;
    size_t n = slots_of(belief, now_s, now_s + DAY_S, &day);
    double value = 0;
    if (n) {
        qsort(day, n, sizeof(*day), by_intensity);
        value = day[(size_t)(ECOVISOR_QUANTILE * (double)n)].g_per_kwh;
    }
    free(day);
    return value;
}

size_t policy_pieces(enum sim_policy p, const struct series *belief, int64_t now_s, int64_t wait_s,
                     int64_t length_s, struct policy_piece **out)
{
    struct slot *slots = NULL;
    size_t n = slots_of(belief, now_s, now_s + length_s + wait_s, &slots), taken = 0;
    struct policy_piece *pieces = n ? malloc(n * sizeof(*pieces)) : NULL;
    if (pieces && p == SIM_WAIT_AWHILE)
        taken = wait_awhile(slots, n, length_s, pieces);
    else if (pieces)
        taken = ecovisor(slots, n, day_quantile(belief, now_s), wait_s, length_s, pieces);
    free(slots);
    if (!pieces)
        return 0;
    *out = pieces;
    return merge(pieces, taken);
}
