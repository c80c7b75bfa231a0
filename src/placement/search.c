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

/* The ends of the windows that begin at one start: [0] where all begin, then where each length
 * ends. */
#define ENDS_MAX (SEARCH_FURTHER_MAX + 2)

struct walk {
    const struct search *q;
    struct best *open;   /* with room in the slots */
    struct best *full;   /* whether there is room or not */
    size_t at[ENDS_MAX]; /* cursors into the series, one for each end */
};

static uint32_t count_ends(const struct search *q)
{
    return q->n_further + 2;
}

static int64_t length_to(const struct search *q, uint32_t end)
{
    return end == 0 ? 0 : end == 1 ? q->length_s : q->further_s[end - 2];
}

/* Mean over the lengths, g/kWh x s. Cursors are hints. */
static double mean_area(const struct search *q, int64_t start_s, size_t at[ENDS_MAX])
{
    double before = series_integral(&q->series, start_s, &at[0]);
    double sum = series_integral(&q->series, start_s + q->length_s, &at[1]) - before;
    for (uint32_t i = 0; i < q->n_further; i++)
        sum += series_integral(&q->series, start_s + q->further_s[i], &at[i + 2]) - before;
    return sum / (1 + q->n_further);
}

double search_carbon_ug(const struct search *q, int64_t start_s)
{
    size_t at[ENDS_MAX] = {0};
    return mean_area(q, start_s, at) * q->ug_per_area;
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
    double carbon_ug = mean_area(q, start_s, w->at) * q->ug_per_area;
    double cost_ug = search_cost_ug(q, start_s, carbon_ug);
    if (cost_ug >
        w->open->cost_ug * (1 + SEARCH_SAME)) /* nor is it better than full, which costs less */
        return;
    improve(w->full, start_s, cost_ug, carbon_ug);
    if (!q->slots || slots_free(q->slots, start_s, start_s + q->hold_s))
        improve(w->open, start_s, cost_ug, carbon_ug);
}

/* The start from which on this end lies in the step behind `at`. */
static int64_t crossing(const struct search *q, uint32_t end, size_t at)
{
    const struct series *s = &q->series;
    return at + 1 < s->n ? s->points[at + 1].t_s - length_to(q, end) : INT64_MAX;
}

/* What each end crosses next, in order from head on. In a ring: edges are much alike, so that the
 * end that has just crossed one is most often the last to cross the next one. */
struct crossings {
    struct {
        int64_t t_s;
        uint32_t end;
    } next[ENDS_MAX];
    uint32_t n, head;
};

/* The place i, which is the last one of the ring, is for this end now; or one before it. */
static void sort_in(struct crossings *c, uint32_t i, uint32_t end, int64_t t_s)
{
    while (i != c->head) {
        uint32_t before = (i ? i : c->n) - 1;
        if (c->next[before].t_s <= t_s)
            break;
        c->next[i] = c->next[before];
        i = before;
    }
    c->next[i].end = end;
    c->next[i].t_s = t_s;
}

/* Starts where a window begins or ends at an edge of the series and the cost turns: it falls before
 * and rises behind. Its slope, times the lengths, is what begins to count at the windows' ends less
 * what ceases to at their start; one of nothing but rounding counts as either. */
static void walk_series(const struct search *q, struct best *open, struct best *full)
{
    struct walk w = {.q = q, .open = open, .full = full};
    const struct series_point *p = q->series.points;
    double lengths = 1 + q->n_further, price = q->lambda_ug_per_s * lengths, rise = 0;
    double slack = SEARCH_SAME * (q->ug_per_area * lengths * SERIES_G_PER_KWH_MAX + price);
    struct crossings c = {.n = count_ends(q)};
    double counts[ENDS_MAX];
    for (uint32_t end = 0; end < c.n; end++) {
        counts[end] = end ? 1 : -lengths;
        w.at[end] = series_find(&q->series, q->from_s + length_to(q, end));
        rise += p[w.at[end]].g_per_kwh * counts[end];
        sort_in(&c, end, end, crossing(q, end, w.at[end]));
    }
    for (int64_t t_s; (t_s = c.next[c.head].t_s) <= q->until_s && t_s != INT64_MAX;) {
        double slope = q->ug_per_area * rise + price;
        while (c.next[c.head].t_s == t_s) {
            uint32_t last = c.head, end = c.next[last].end;
            size_t at = w.at[end]++;
            rise += (p[at + 1].g_per_kwh - p[at].g_per_kwh) * counts[end];
            c.head = last + 1 < c.n ? last + 1 : 0;
            sort_in(&c, last, end, crossing(q, end, at + 1));
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
    int64_t next_s = q->until_s;
    if (t_s >= q->until_s)
        return INT64_MAX;
    for (uint32_t end = 0; end < count_ends(q); end++) {
        size_t at = series_find(&q->series, t_s + length_to(q, end));
        int64_t bend_s = crossing(q, end, at);
        next_s = bend_s < next_s ? bend_s : next_s;
    }
    return next_s;
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
