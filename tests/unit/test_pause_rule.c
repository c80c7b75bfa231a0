/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a job that may be paused runs: small cases by hand, and what holds of all.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "placement/pause_rule.h"
#include "unit.h"

#define NOW 1700002800LL /* a full hour */
#define HOUR PAUSE_HOUR_S
#define POINTS_MAX 400

struct grid {
    struct series_point points[POINTS_MAX];
    struct pause_query q;
};

/* n values of width_s each, from now on; a job of left_h hours that may wait for bound_h. */
static void grid_set(struct grid *g, const double *values, int n, int64_t width_s)
{
    for (int i = 0; i < n; i++)
        g->points[i] = (struct series_point){.t_s = NOW + i * width_s, .g_per_kwh = values[i]};
    series_sum(g->points, (size_t)n);
    g->q = (struct pause_query){.believed = {g->points, (size_t)n, NOW + n * width_s},
                                .now_s = NOW,
                                .slot_s = HOUR,
                                .left_s = 4 * HOUR,
                                .bound_s = 12 * HOUR,
                                .switch_s = 600,
                                .level = NAN};
}

/* Dirty hours of 400, green ones of 100, then 400 for a day; one more that ends it. */
static void dip(struct grid *g, int dirty, int green)
{
    double values[64];
    for (int i = 0; i < 64; i++)
        values[i] = i >= dirty && i < dirty + green ? 100 : 400;
    grid_set(g, values, 64, HOUR);
}

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t state;
static uint64_t next(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static void test_threshold(void)
{
    static const struct {
        const char *what;
        struct pause_site site;
        double g;
    } rows[] = {
        {"nobody works", {100, 0, 0}, 1},
        {"half full: 0.6 of half of 167 steps", {100, 50, 0}, 51},
        {"full", {100, 100, 0}, 101},
        {"the same work, but all in the queue", {100, 0, 100 * 168 * 3600.0}, 101},
        {"twice as much queued as there is room for", {100, 0, 200 * 168 * 3600.0}, 168},
        {"overfull", {100, 300, 1e12}, 168},
    };
    struct grid g;
    double values[168];
    for (int i = 0; i < 168; i++)
        values[(i * 89) % 168] = i + 1; /* in no order */
    grid_set(&g, values, 168, HOUR);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        UNIT_DBL(pause_rule_threshold(&g.q.believed, NOW, HOUR, INT64_MAX, &rows[i].site),
                 rows[i].g, 1e-9, "%s", rows[i].what);
    UNIT_OK(isnan(pause_rule_threshold(&g.q.believed, NOW, HOUR, INT64_MAX,
                                       &(struct pause_site){0, 5, 5})),
            "a machine that nobody knows has none");

    /* a day that is known stands for the next ones: a quarter of it green */
    for (int i = 0; i < 24; i++)
        values[i] = i < 6 ? 100 : 400;
    grid_set(&g, values, 24, HOUR);
    UNIT_DBL(pause_rule_threshold(&g.q.believed, NOW, HOUR, g.q.believed.end_s,
                                  &(struct pause_site){100, 40, 0}),
             100, 0, "0.24 of the week, which is a quarter green");
    UNIT_DBL(
        pause_rule_threshold(&g.q.believed, NOW, HOUR, INT64_MAX, &(struct pause_site){100, 40, 0}),
        400, 0, "if the last value held, it would not be");
}

static void test_runs(void)
{
    struct grid g;
    dip(&g, 3, 5);
    UNIT_INT(pause_rule_runs(&g.q), 0, "four cheaper hours are in reach");
    g.q.bound_s = 2 * HOUR;
    UNIT_INT(pause_rule_runs(&g.q), 1, "three are not enough for four");
    g.q.bound_s = 3 * HOUR;
    UNIT_INT(pause_rule_runs(&g.q), 0, "the last hour counts");
    g.q.bound_s = HOUR - 1;
    g.q.left_s = 1;
    UNIT_INT(pause_rule_runs(&g.q), 1, "less than an hour to wait is none");
    g.q.bound_s = 12 * HOUR;
    g.q.left_s = 5 * HOUR + 1;
    UNIT_INT(pause_rule_runs(&g.q), 1, "a begun hour is one that it needs");
    g.q.left_s = 5 * HOUR;
    UNIT_INT(pause_rule_runs(&g.q), 0, "five of five");
    g.q.level = 399;
    UNIT_INT(pause_rule_runs(&g.q), 0, "above the site's threshold");
    g.q.level = 400;
    UNIT_INT(pause_rule_runs(&g.q), 1, "up to it everybody runs");
    UNIT_INT(pause_rule_cheap(&g.q), 0, "though it is not cheap");
    g.q.level = 0;
    g.q.now_s = NOW + 3 * HOUR;
    UNIT_INT(pause_rule_runs(&g.q), 1, "nothing is greener than the dip");
    g.q.now_s = NOW + 63 * HOUR;
    UNIT_INT(pause_rule_runs(&g.q), 1, "nobody knows what comes behind the forecast");
    g.q.now_s = NOW + 1000 * HOUR;
    UNIT_INT(pause_rule_runs(&g.q), 1, "nor far behind it");
    g.q.now_s = NOW;
    g.q.believed.n = 1;
    UNIT_INT(pause_rule_runs(&g.q), 1, "one value says nothing");
}

static void test_stops(void)
{
    static const struct {
        const char *what;
        int dirty;
        int64_t bound_h, switch_s;
        double level;
        int stops;
    } rows[] = {
        {"three hours of 300 too much", 3, 12, 600, 100, 1},
        {"are worth a switch of nine hours at 100", 3, 12, 32399, 100, 1},
        {"and no more", 3, 12, 32400, 100, 0},
        {"it is green", 0, 12, 600, 100, 0},
        {"the threshold is above it", 3, 12, 600, 400, 0},
        {"it may not wait", 3, 0, 600, 100, 0},
        {"it may not wait for long enough", 3, 2, 600, 100, 0},
        {"a delay has its price: what an hour saves beyond it", 3, 12, 3600, 300, 0},
        {"without a threshold the mean of the day is the level", 3, 12, 600, NAN, 1},
        {"which is 337.5: three times 62.5 are worth 2000 seconds", 3, 12, 1999, NAN, 1},
        {"and no more", 3, 12, 2000, NAN, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct grid g;
        dip(&g, rows[i].dirty, 5);
        g.q.bound_s = rows[i].bound_h * HOUR;
        g.q.switch_s = rows[i].switch_s;
        g.q.level = rows[i].level;
        UNIT_INT(pause_rule_stops(&g.q), rows[i].stops, "%s", rows[i].what);
    }
}

/* Of the sixteen hours that it has for four, two are at 100; so it would run at 280, too. */
static void test_instead(void)
{
    double values[64] = {300, 300, 300, 100, 100};
    struct grid g;
    for (int i = 5; i < 64; i++)
        values[i] = i < 60 ? 280 : 400;
    grid_set(&g, values, 64, HOUR);
    g.q.level = 100;
    g.q.switch_s = 2159;
    UNIT_INT(pause_rule_stops(&g.q), 1, "three times 20 are worth 2160 seconds at 100");
    g.q.switch_s = 2160;
    UNIT_INT(pause_rule_stops(&g.q), 0, "and no more");
    g.q.left_s = 2 * HOUR;
    UNIT_INT(pause_rule_stops(&g.q), 1, "two hours would run at 100");
    g.q.level = 290;
    g.q.switch_s = 372;
    UNIT_INT(pause_rule_stops(&g.q), 1, "to the site 290 is as good: three times ten");
    g.q.switch_s = 373;
    UNIT_INT(pause_rule_stops(&g.q), 0, "and no more");
}

static void test_until(void)
{
    struct grid g;
    dip(&g, 3, 5);
    g.q.level = 100;
    UNIT_INT(pause_rule_until(&g.q), NOW + 3 * HOUR, "to where it is green");
    g.q.now_s = NOW + 1234;
    UNIT_INT(pause_rule_until(&g.q), NOW + 3 * HOUR, "to the feed's own edge");
    g.q.level = 400;
    UNIT_INT(pause_rule_until(&g.q), NOW + 1234, "now");
    g.q.level = NAN;
    g.q.bound_s = 0;
    UNIT_INT(pause_rule_until(&g.q), NOW + 1234, "now, if it may not wait");
    g.q.bound_s = -5;
    UNIT_INT(pause_rule_until(&g.q), NOW + 1234, "or might no more");

    double wide[] = {400, 300, 200, 100, 400}; /* a day each */
    grid_set(&g, wide, 5, 24 * HOUR);
    g.q.left_s = 10 * HOUR;
    g.q.level = 50;
    g.q.bound_s = 30 * HOUR;
    UNIT_INT(pause_rule_until(&g.q), NOW + 24 * HOUR, "300 is the least in its 40 hours");
    g.q.bound_s = 45 * HOUR;
    UNIT_INT(pause_rule_until(&g.q), NOW + 24 * HOUR, "in 55 there are seven at 200, not ten");
    g.q.bound_s = 50 * HOUR;
    UNIT_INT(pause_rule_until(&g.q), NOW + 48 * HOUR, "in 60 there are twelve");
}

static void test_saves(void)
{
    struct grid g;
    dip(&g, 3, 5);
    g.q.level = 150;
    UNIT_DBL(pause_rule_saves(&g.q, NOW, NOW + 3 * HOUR), 3 * HOUR * 250.0, 1e-6, "dirty hours");
    UNIT_DBL(pause_rule_saves(&g.q, NOW - HOUR, NOW + 9 * HOUR), 4 * HOUR * 250.0, 1e-6,
             "no more than it would run in");
    UNIT_DBL(pause_rule_uses(&g.q, NOW + 2 * HOUR, NOW + 5 * HOUR), 2 * HOUR * 50.0, 1e-6,
             "green ones, between which it pauses");
    UNIT_DBL(pause_rule_uses(&g.q, NOW, NOW + 9 * HOUR), 1 * HOUR * 50.0, 1e-6, "in its four");
    UNIT_DBL(pause_rule_saves(&g.q, NOW + 100 * HOUR, NOW + 101 * HOUR), HOUR * 250.0, 1e-6,
             "the last value holds");
    UNIT_DBL(pause_rule_saves(&g.q, NOW, NOW), 0, 0, "nothing");
    g.q.level = NAN;
    UNIT_DBL(pause_rule_level(&g.q), (19 * 400 + 5 * 100) / 24.0, 1e-9, "the mean of a day");
}

/* Whatever the forecast: a job that goes by the rule has done its work when that and its bound have
 * passed, and no answer lies behind the bound. */
static void test_never_past_the_bound(void)
{
    for (int i = 0; i < 3000; i++) {
        double values[POINTS_MAX];
        struct grid g;
        state = (uint64_t)i;
        int n = 1 + (int)(next() % 120);
        for (int t = 0; t < n; t++)
            values[t] = (double)(next() % 9) * 50;
        grid_set(&g, values, n, 600 * (int64_t)(1 + next() % 20));
        int64_t left_s = 1 + (int64_t)(next() % (40 * HOUR));
        int64_t bound_s = (int64_t)(next() % (50 * HOUR)), last_s = NOW + left_s + bound_s;
        g.q.level = next() % 4 ? (double)(next() % 9) * 50 : NAN;
        g.q.now_s += (int64_t)(next() % 4000);
        last_s += g.q.now_s - NOW;
        while (left_s > 0 && g.q.now_s <= last_s) {
            g.q.left_s = left_s;
            g.q.bound_s = bound_s;
            int64_t until_s = pause_rule_until(&g.q), waits_s = until_s - g.q.now_s;
            UNIT_OK(waits_s >= 0 && waits_s <= bound_s, "seed %d: %lld of %lld", i,
                    (long long)waits_s, (long long)bound_s);
            UNIT_INT(waits_s == 0, pause_rule_runs(&g.q) || bound_s == 0, "seed %d", i);
            g.q.now_s = until_s;
            g.q.bound_s = bound_s -= waits_s;
            UNIT_INT(pause_rule_runs(&g.q), 1, "seed %d: then it runs", i);
            int64_t runs_s = left_s < 900 ? left_s : 900;
            left_s -= runs_s;
            g.q.now_s += runs_s;
        }
        UNIT_INT(left_s, 0, "seed %d: it is done", i);
    }
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"threshold", test_threshold},
                                             {"runs", test_runs},
                                             {"stops", test_stops},
                                             {"instead", test_instead},
                                             {"until", test_until},
                                             {"saves", test_saves},
                                             {"never_past_the_bound", test_never_past_the_bound},
                                             {NULL, NULL}};
    return unit_main(argc, argv, cases, "pause_rule");
}
