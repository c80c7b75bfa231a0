/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <math.h>

#include "placement/pieces.h"

/* The best that can be done from a slot on with so much work left. */
struct best {
    double area;
    int next; /* running: the slot in which it pauses first; standing still: in which it runs */
};

struct grid {
    int64_t slot_s;
    int slots, work;
};

/* So coarse that all slots are at most PIECES_SLOTS_MAX. Work is rounded up, slack down: what fits
 * the grid fits its bounds. */
static struct grid grid_of(const struct pieces_query *q, int64_t left_s)
{
    int64_t slack_s = q->slack_s > 0 ? q->slack_s : 0;
    struct grid g = {.slot_s = (left_s + slack_s) / (PIECES_SLOTS_MAX - 1) + 1};
    g.work = (int)((left_s + g.slot_s - 1) / g.slot_s);
    g.slots = g.work + (int)(slack_s / g.slot_s);
    return g;
}

/* The area of [from_s, to_s); what lies behind the series costs its mean from now on. */
static double area_of(const struct pieces_query *q, int64_t from_s, int64_t to_s)
{
    const struct series *s = &q->believed;
    if (to_s <= s->end_s)
        return series_area(s, from_s, to_s, NULL, NULL);
    double mean = series_mean(s, q->now_s, s->end_s > q->now_s ? s->end_s : q->now_s);
    if (from_s >= s->end_s)
        return mean * (double)(to_s - from_s);
    return series_area(s, from_s, s->end_s, NULL, NULL) + mean * (double)(to_s - s->end_s);
}

static double slot_area(const struct pieces_query *q, const struct grid *g, int slot)
{
    int64_t from_s = q->now_s + slot * g->slot_s;
    return area_of(q, from_s, from_s + g->slot_s);
}

/* A slot begins where now has put it, the grid of the feed elsewhere: the edge that is nearest to
 * slot's begin, less than a slot away and behind now, else the begin itself. */
static int64_t edge_near(const struct pieces_query *q, const struct grid *g, int slot)
{
    int64_t at_s = q->now_s + slot * g->slot_s, best_s = at_s, off_s = g->slot_s;
    const struct series *s = &q->believed;
    size_t i = series_find(s, at_s - g->slot_s);
    for (; i < s->n && s->points[i].t_s < at_s + g->slot_s; i++) {
        int64_t t_s = s->points[i].t_s, away_s = t_s > at_s ? t_s - at_s : at_s - t_s;
        if (t_s > q->now_s && away_s < off_s) {
            off_s = away_s;
            best_s = t_s;
        }
    }
    int64_t last_s = q->now_s + q->slack_s;
    return best_s > last_s && at_s <= last_s ? last_s : best_s;
}

/* One slot of the recurrence: from run[] and pause[] of the next slot to those of this one, in
 * place. Work is taken from the largest down, since w needs w - 1 of the next slot. */
static void step(const struct pieces_query *q, const struct grid *g, int slot, struct best *run,
                 struct best *pause)
{
    double c = slot_area(q, g, slot), d = q->delay_g_kwh * (double)g->slot_s;
    double s = c / (double)g->slot_s * (double)q->switch_s;
    int most = g->slots - slot < g->work ? g->slots - slot : g->work;
    for (int w = most; w > 0; w--) {
        struct best on = {c + run[w - 1].area, w > 1 ? run[w - 1].next : slot + 1};
        struct best still = {d + pause[w].area, pause[w].next};
        run[w] = on.area <= still.area ? on : (struct best){still.area, slot};
        pause[w] = s + on.area <= still.area ? (struct best){s + on.area, slot} : still;
    }
}

void pieces_find(const struct pieces_query *q, struct pieces *out)
{
    struct best run[PIECES_SLOTS_MAX + 1], pause[PIECES_SLOTS_MAX + 1];
    int64_t left_s = q->left_s < PIECES_LEFT_MAX_S ? q->left_s : PIECES_LEFT_MAX_S;
    struct grid g = grid_of(q, left_s > 0 ? left_s : 1);

    for (int w = 0; w <= g.work; w++)
        run[w] = pause[w] = (struct best){w == 0 ? 0 : INFINITY, g.slots};
    for (int slot = g.slots - 1; slot > 0; slot--)
        step(q, &g, slot, run, pause);

    double c = slot_area(q, &g, 0), d = q->delay_g_kwh * (double)g.slot_s;
    double s = q->running ? 0 : c / (double)g.slot_s * (double)q->switch_s;
    out->run_area = s + c + run[g.work - 1].area;
    out->pause_area = d + pause[g.work].area;
    out->on_area = s + area_of(q, q->now_s, q->now_s + g.work * g.slot_s);
    out->pause = out->pause_area < out->run_area;
    int next = out->pause ? pause[g.work].next : g.work > 1 ? run[g.work - 1].next : 1;
    int whole = !out->pause && next >= g.work;
    out->until_s = whole ? q->now_s + left_s : edge_near(q, &g, next);
}
