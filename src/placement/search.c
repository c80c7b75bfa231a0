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
    double before = series_integral(&q->series, start_s, from);
    double sum = series_integral(&q->series, start_s + q->length_s, &to[0]) - before;
    for (uint32_t i = 0; i < q->n_further; i++)
        sum += series_integral(&q->series, start_s + q->further_s[i], &to[i + 1]) - before;
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
    if (cost_ug >
        w->open->cost_ug * (1 + SEARCH_SAME)) /* nor is it better than full, which costs less */
        return;
    improve(w->full, start_s, cost_ug, carbon_ug);
    if (!q->slots || slots_free(q->slots, start_s, start_s + q->hold_s))
        improve(w->open, start_s, cost_ug, carbon_ug);
}

/* Starts at edges of the series, or so that a job of length_s (0: none) ends at one. To begin where
 * the grid grows greener may be best, and to end where it grows dirtier: at other edges the grams'
 * slope falls, and one side of them is as good. */
static void walk_series(const struct search *q, struct best *open, struct best *full,
                        int64_t length_s)
{
    struct walk w = {.q = q, .open = open, .full = full};
    const struct series_point *p = q->series.points;
    size_t i = series_find(&q->series, q->from_s + length_s);
    for (i += i == 0; i < q->series.n && p[i].t_s - length_s <= q->until_s; i++) {
        double rise = p[i].g_per_kwh - p[i - 1].g_per_kwh;
        if (length_s ? rise > 0 : rise < 0)
            consider(&w, p[i].t_s - length_s);
    }
}

/* Starts at the ends of what has room: behind a full slot, or so that the job ends before one. */
static void walk_slots(const struct search *q, struct best *open, struct best *full, int ends)
{
    struct walk w = {.q = q, .open = open, .full = full};
    const struct slots *s = q->slots;
    int64_t back_s = ends ? q->hold_s : 0;
    int64_t first = (q->from_s + back_s - s->start_s) / s->slot_s;
    int64_t last = (q->until_s + back_s - s->start_s) / s->slot_s;
    for (int64_t i = slots_next_full(s, ends ? first : first - 1); i < s->n;
         i = slots_next_full(s, i + 1)) {
        int64_t edge = ends ? i : i + 1;
        if (edge > last)
            break;
        if (!slots_full(s, ends ? i - 1 : i + 1))
            consider(&w, s->start_s + edge * s->slot_s - back_s);
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

/* Lengths that are the same have the same candidates. */
static int known_length(const struct search *q, uint32_t i)
{
    int known = q->further_s[i] == q->length_s;
    for (uint32_t k = 0; k < i; k++)
        known |= q->further_s[k] == q->further_s[i];
    return known;
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
            if (!known_length(q, i))
                walk_series(q, &open, &full, q->further_s[i]);
        if (q->slots && q->slots->any_blocked) {
            walk_slots(q, &open, &full, 0);
            walk_slots(q, &open, &full, 1);
        }
        consider(&last, q->until_s);
    }
    *out =
        (struct search_result){open.start_s, open.carbon_ug, now_ug, full.start_s, full.carbon_ug};
}
