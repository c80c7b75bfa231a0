/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Candidates and their cost.
 *
 * With a step function the grams of a window are piecewise linear in its start, with kinks where
 * either end of the window crosses an edge; a linear price on delay keeps that, so the minimum lies
 * at a kink or at the window's own ends (docs/design.md). Edges come in order: each family of
 * candidates walks forward with cursors of its own and costs O(1) a candidate.
 */
#include "config.h"

#include "placement/search.h"

struct best {
    int64_t start_s;
    double cost_ug, carbon_ug;
};

struct walk {
    const struct search *q;
    struct best *open;                       /* with room in the slots */
    struct best *full;                       /* whether there is room or not */
    size_t from, to[SEARCH_FURTHER_MAX + 1]; /* cursors into the series */
};

/* Mean over the lengths, g/kWh x s. Cursors are hints. */
static double mean_area(const struct search *q, int64_t start_s, size_t *from, size_t *to)
{
    double sum = series_area(&q->series, start_s, start_s + q->length_s, from, &to[0]);
    for (uint32_t i = 0; i < q->n_further; i++)
        sum += series_area(&q->series, start_s, start_s + q->further_s[i], from, &to[i + 1]);
    return sum / (1 + q->n_further);
}

double search_carbon_ug(const struct search *q, int64_t start_s)
{
    size_t from = 0, to[SEARCH_FURTHER_MAX + 1] = {0};
    return mean_area(q, start_s, &from, to) * q->ug_per_area;
}

static void improve(struct best *best, int64_t start_s, double cost_ug, double carbon_ug)
{
    double margin = best->cost_ug * SEARCH_SAME;
    if (cost_ug < best->cost_ug - margin ||
        (cost_ug <= best->cost_ug + margin && start_s < best->start_s))
        *best = (struct best){start_s, cost_ug, carbon_ug};
}

static void consider(struct walk *w, int64_t start_s)
{
    const struct search *q = w->q;
    if (start_s <= q->from_s || start_s > q->until_s)
        return;
    double carbon_ug = mean_area(q, start_s, &w->from, w->to) * q->ug_per_area;
    double cost_ug = search_cost_ug(q, start_s, carbon_ug);
    improve(w->full, start_s, cost_ug, carbon_ug);
    if (!q->slots || slots_free(q->slots, start_s, start_s + q->hold_s))
        improve(w->open, start_s, cost_ug, carbon_ug);
}

/* Starts at the edges of the series, shifted by -back_s. */
static void walk_series(const struct search *q, struct best *open, struct best *full,
                        int64_t back_s)
{
    struct walk w = {.q = q, .open = open, .full = full};
    size_t i = series_find(&q->series, q->from_s + back_s);
    for (; i < q->series.n && q->series.points[i].t_s - back_s <= q->until_s; i++)
        consider(&w, q->series.points[i].t_s - back_s);
}

static void walk_slots(const struct search *q, struct best *open, struct best *full, int64_t back_s)
{
    struct walk w = {.q = q, .open = open, .full = full};
    const struct slots *s = q->slots;
    int64_t first = (q->from_s + back_s - s->start_s) / s->slot_s;
    if (first < 0)
        first = 0;
    for (int64_t i = first; i <= s->n; i++) {
        int64_t start_s = s->start_s + i * s->slot_s - back_s;
        if (start_s > q->until_s)
            break;
        consider(&w, start_s);
    }
}

static int64_t earlier(int64_t a_s, int64_t b_s)
{
    return a_s < b_s ? a_s : b_s;
}

/* The first edge of the series, shifted by -back_s, behind t_s. */
static int64_t next_edge(const struct search *q, int64_t t_s, int64_t back_s)
{
    size_t i = series_find(&q->series, t_s + back_s);
    if (q->series.points[i].t_s - back_s <= t_s)
        i++;
    return i < q->series.n ? q->series.points[i].t_s - back_s : INT64_MAX;
}

int64_t search_next_bend(const struct search *q, int64_t t_s)
{
    if (t_s >= q->until_s)
        return INT64_MAX;
    int64_t next_s = q->until_s;
    next_s = earlier(next_s, next_edge(q, t_s, 0));
    next_s = earlier(next_s, next_edge(q, t_s, q->length_s));
    for (uint32_t i = 0; i < q->n_further; i++)
        next_s = earlier(next_s, next_edge(q, t_s, q->further_s[i]));
    return next_s;
}

void search_run(const struct search *q, struct search_result *out)
{
    double now_ug = search_carbon_ug(q, q->from_s);
    struct best open = {q->from_s, now_ug, now_ug}, full = open;

    if (q->until_s > q->from_s) {
        struct walk last = {.q = q, .open = &open, .full = &full};
        walk_series(q, &open, &full, 0);
        walk_series(q, &open, &full, q->length_s);
        for (uint32_t i = 0; i < q->n_further; i++)
            walk_series(q, &open, &full, q->further_s[i]);
        if (q->slots && q->slots->any_blocked) {
            walk_slots(q, &open, &full, 0);
            walk_slots(q, &open, &full, q->hold_s);
        }
        consider(&last, q->until_s);
    }
    *out =
        (struct search_result){open.start_s, open.carbon_ug, now_ug, full.start_s, full.carbon_ug};
}
