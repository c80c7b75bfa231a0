/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Candidates and their cost.
 *
 * With a step function the grams of a window are piecewise linear in its start, with kinks where
 * either end of the window crosses an edge; a linear price on delay keeps that, so the minimum lies
 * at a kink or at the window's own ends (docs/design.md). Edges come in order: each family of
 * candidates walks forward with cursors of its own and costs O(1) a candidate. Of the kinks, those
 * count where the cost falls before and rises behind: the intensities at both ends tell.
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

/* The ends of the windows that begin at one start: [0] where all begin, then where each length
 * ends. at: the step of the series that holds there; next_s: the start from which on the next one
 * does. */
struct ends {
    uint32_t n;
    int64_t length_s[SEARCH_FURTHER_MAX + 2], next_s[SEARCH_FURTHER_MAX + 2];
    size_t at[SEARCH_FURTHER_MAX + 2];
};

static int64_t next_of(const struct series *s, const struct ends *e, uint32_t k)
{
    return e->at[k] + 1 < s->n ? s->points[e->at[k] + 1].t_s - e->length_s[k] : INT64_MAX;
}

static void ends_at(const struct search *q, int64_t start_s, struct ends *e)
{
    e->length_s[0] = 0;
    e->length_s[1] = q->length_s;
    for (uint32_t k = 2; k < e->n; k++)
        e->length_s[k] = q->further_s[k - 2];
    for (uint32_t k = 0; k < e->n; k++) {
        e->at[k] = series_find(&q->series, start_s + e->length_s[k]);
        e->next_s[k] = next_of(&q->series, e, k);
    }
}

static int64_t next_bend(const struct ends *e)
{
    int64_t next_s = e->next_s[0];
    for (uint32_t k = 1; k < e->n; k++)
        next_s = e->next_s[k] < next_s ? e->next_s[k] : next_s;
    return next_s;
}

/* Starts where a window begins or ends at an edge of the series and the cost turns: it falls before
 * and rises behind. Its slope, times the lengths, is what begins to count at the windows' ends less
 * what ceases to at their start; one of nothing but rounding counts as either. */
static void walk_series(const struct search *q, struct best *open, struct best *full)
{
    struct walk w = {.q = q, .open = open, .full = full};
    const struct series_point *p = q->series.points;
    double lengths = 1 + q->n_further, price = q->lambda_ug_per_s * lengths, rise;
    struct ends e = {.n = q->n_further + 2};
    ends_at(q, q->from_s, &e);
    rise = -lengths * p[e.at[0]].g_per_kwh;
    for (uint32_t k = 1; k < e.n; k++)
        rise += p[e.at[k]].g_per_kwh;
    double slack = SEARCH_SAME * (q->ug_per_area * lengths * SERIES_G_PER_KWH_MAX + price);
    for (int64_t t_s; (t_s = next_bend(&e)) <= q->until_s && t_s != INT64_MAX;) {
        double slope = q->ug_per_area * rise + price;
        for (uint32_t k = 0; k < e.n; k++) {
            if (e.next_s[k] != t_s)
                continue;
            double step = p[e.at[k] + 1].g_per_kwh - p[e.at[k]].g_per_kwh;
            rise += k == 0 ? -lengths * step : step;
            e.at[k]++;
            e.next_s[k] = next_of(&q->series, &e, k);
        }
        if (slope <= slack && q->ug_per_area * rise + price >= -slack)
            consider(&w, t_s);
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

int64_t search_next_bend(const struct search *q, int64_t t_s)
{
    struct ends e = {.n = q->n_further + 2};
    if (t_s >= q->until_s)
        return INT64_MAX;
    ends_at(q, t_s, &e);
    int64_t next_s = next_bend(&e);
    return next_s < q->until_s ? next_s : q->until_s;
}

void search_run(const struct search *q, struct search_result *out)
{
    double now_ug = search_carbon_ug(q, q->from_s);
    struct best open = {q->from_s, now_ug, now_ug}, full = open;

    if (q->until_s > q->from_s) {
        struct walk last = {.q = q, .open = &open, .full = &full};
        walk_series(q, &open, &full);
        if (q->slots && q->slots->any_blocked) {
            walk_slots(q, &open, &full, 0);
            walk_slots(q, &open, &full, 1);
        }
        consider(&last, q->until_s);
    }
    *out =
        (struct search_result){open.start_s, open.carbon_ug, now_ug, full.start_s, full.carbon_ug};
}
