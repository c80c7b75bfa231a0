/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "placement/pause_rule.h"

#define DAY_SLOTS 24
#define WEEK_SLOTS 168
/* Six weeks of hours: as far as a job is looked ahead for. */
#define LOOK_SLOTS 1024
/* So full may the green hours be planned: some to spare, for what nobody knows yet. */
#define THRESHOLD_SHARE 0.6

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Below this intensity there is room for all the work of a week, with some to spare. */
double pause_rule_threshold(const struct series *s, int64_t now_s, int64_t slot_s, int64_t known_s,
                            const struct pause_site *site)
{
    double slots[WEEK_SLOTS];
    double room = site->cpus * WEEK_SLOTS;
    double load = site->used_cpus * WEEK_SLOTS + site->queued_cpu_s / (double)slot_s;
    if (!(site->cpus > 0))
        return NAN;
    for (int h = 0; h < WEEK_SLOTS; h++) {
        int64_t t_s = now_s + h * slot_s;
        while (t_s >= known_s && t_s - DAY_SLOTS * slot_s >= now_s)
            t_s -= DAY_SLOTS * slot_s;
        slots[h] = series_at(s, t_s);
    }
    qsort(slots, WEEK_SLOTS, sizeof(*slots), compare);
    double share = THRESHOLD_SHARE * load / room;
    size_t at = share >= 1 ? WEEK_SLOTS - 1 : (size_t)(share * (WEEK_SLOTS - 1));
    return slots[at];
}

static int64_t slots_needed(const struct pause_query *q)
{
    return (q->left_s + q->slot_s - 1) / q->slot_s;
}

int pause_rule_cheap(const struct pause_query *q)
{
    const struct series *s = &q->believed;
    if (q->bound_s < q->slot_s)
        return 1;
    double now = series_at(s, q->now_s);
    int64_t need = slots_needed(q);
    int64_t slots = need + q->bound_s / q->slot_s, cheaper = 0;
    size_t i = series_find(s, q->now_s);
    for (int64_t h = 1; h < slots && cheaper < need; h++) {
        if (series_find_from(s, q->now_s + h * q->slot_s, &i) + 1 == s->n)
            break; /* nobody knows what comes then */
        cheaper += s->points[i].g_per_kwh < now;
    }
    return cheaper < need;
}

static int is_green(const struct pause_query *q)
{
    return !isnan(q->level) && series_at(&q->believed, q->now_s) <= q->level;
}

int pause_rule_runs(const struct pause_query *q)
{
    return is_green(q) || pause_rule_cheap(q);
}

double pause_rule_level(const struct pause_query *q)
{
    return isnan(q->level) ? series_mean(&q->believed, q->now_s, q->now_s + DAY_SLOTS * q->slot_s)
                           : q->level;
}

/* The intensity up to which it runs if it runs in the cheapest of the slots that are known: what it
 * pauses for now it does there. */
static double dearest_needed(const struct pause_query *q)
{
    const struct series *s = &q->believed;
    int64_t need = slots_needed(q), slots = need + q->bound_s / q->slot_s;
    double g[LOOK_SLOTS];
    size_t n = 0, i = series_find(s, q->now_s);
    for (int64_t h = 0; h < slots && n < LOOK_SLOTS; h++) {
        if (series_find_from(s, q->now_s + h * q->slot_s, &i) + 1 == s->n)
            break; /* nobody knows what comes then */
        g[n++] = s->points[i].g_per_kwh;
    }
    if (n == 0)
        return INFINITY;
    qsort(g, n, sizeof(*g), compare);
    return g[need < (int64_t)n ? (size_t)need - 1 : n - 1];
}

/* Grams in the dirty hours ahead, above what it costs to run elsewhere, against those of a switch.
 */
static int pays(const struct pause_query *q)
{
    int64_t slots = q->bound_s / q->slot_s;
    double level = pause_rule_level(q), elsewhere = fmax(level, dearest_needed(q)), saved = 0;
    for (int64_t h = 0; h < slots; h++) {
        double g = series_at(&q->believed, q->now_s + h * q->slot_s);
        if (g <= elsewhere)
            break;
        saved += (g - elsewhere) * (double)q->slot_s;
    }
    return saved > level * (double)q->switch_s;
}

int pause_rule_stops(const struct pause_query *q)
{
    return q->bound_s >= q->slot_s && !pause_rule_runs(q) && pays(q);
}

/* The next moment at which the rule may say something else. */
static int64_t next_look_s(const struct pause_query *q, int64_t t_s)
{
    const struct series *s = &q->believed;
    size_t i = series_find(s, t_s);
    while (i < s->n && s->points[i].t_s <= t_s)
        i++;
    int64_t next_s = t_s + q->slot_s;
    return i < s->n && s->points[i].t_s < next_s ? s->points[i].t_s : next_s;
}

int64_t pause_rule_until(const struct pause_query *q)
{
    struct pause_query at = *q;
    int64_t last_s = q->now_s + (q->bound_s > 0 ? q->bound_s : 0);
    while (at.now_s < last_s && !pause_rule_runs(&at)) {
        int64_t next_s = next_look_s(q, at.now_s);
        at.now_s = next_s < last_s ? next_s : last_s;
        at.bound_s = last_s - at.now_s;
    }
    return at.now_s;
}

/* The area between intensity and level, where that is above it (sign 1) or below (-1). */
static double beyond(const struct pause_query *q, int64_t from_s, int64_t to_s, double sign)
{
    const struct series *s = &q->believed;
    int64_t end_s = to_s - from_s < q->left_s ? to_s : from_s + q->left_s;
    double level = pause_rule_level(q), area = 0;
    size_t i = series_find(s, from_s);
    for (int64_t t_s = from_s; t_s < end_s; i++) {
        int64_t next_s =
            i + 1 < s->n && s->points[i + 1].t_s < end_s ? s->points[i + 1].t_s : end_s;
        area += fmax(sign * (s->points[i].g_per_kwh - level), 0) * (double)(next_s - t_s);
        t_s = next_s;
    }
    return area;
}

double pause_rule_saves(const struct pause_query *q, int64_t from_s, int64_t to_s)
{
    return beyond(q, from_s, to_s, 1);
}

double pause_rule_uses(const struct pause_query *q, int64_t from_s, int64_t to_s)
{
    return beyond(q, from_s, to_s, -1);
}
