/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cheapest pieces of a job, against all ways there are to cut small ones.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "placement/pieces.h"
#include "unit.h"

#define NOW 1700000000LL
#define POINTS_MAX 64

struct grid {
    struct series_point points[POINTS_MAX];
    struct pieces_query q;
};

/* n values of width_s each, from now on; the last one goes on until end_s. */
static void grid_set(struct grid *g, const double *values, int n, int64_t width_s)
{
    for (int i = 0; i < n; i++)
        g->points[i] = (struct series_point){.t_s = NOW + i * width_s, .g_per_kwh = values[i]};
    series_sum(g->points, (size_t)n);
    g->q = (struct pieces_query){
        .believed = {g->points, (size_t)n, NOW + n * width_s}, .now_s = NOW, .running = 1};
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

/* What one way to run costs: bit t of mask says that it runs in second t. */
static double cost(const struct pieces_query *q, const double *values, unsigned mask)
{
    double sum = 0;
    int ran = 0, runs = q->running;
    for (int t = 0; ran < q->left_s; t++) {
        int on = (mask >> t) & 1;
        if (on && !runs)
            sum += values[t] * (double)q->switch_s;
        sum += on ? values[t] : q->delay_g_kwh;
        ran += on;
        runs = on;
    }
    return sum;
}

/* The least cost of all ways that fit, and of those that run (pause) in the first second. */
static void try_all(const struct pieces_query *q, const double *values, double *run, double *pause)
{
    int slots = (int)(q->left_s + q->slack_s);
    *run = *pause = INFINITY;
    for (unsigned mask = 0; mask < 1u << slots; mask++) {
        if (__builtin_popcount(mask) != q->left_s)
            continue;
        double *best = mask & 1 ? run : pause;
        *best = fmin(*best, cost(q, values, mask));
    }
}

/* Does a way that does as the answer says until its time, and anything then, cost the least? */
static int reaches(const struct pieces_query *q, const double *values, const struct pieces *p,
                   double least)
{
    int slots = (int)(q->left_s + q->slack_s), until = (int)(p->until_s - q->now_s);
    for (unsigned mask = 0; mask < 1u << slots; mask++) {
        unsigned head = mask & ((1u << until) - 1), turns = until < slots && (mask >> until) & 1;
        if (__builtin_popcount(mask) == q->left_s && head == (p->pause ? 0 : (1u << until) - 1) &&
            turns == (unsigned)p->pause && fabs(cost(q, values, mask) - least) < 1e-6)
            return 1;
    }
    return 0;
}

static void test_brute_force(void)
{
    for (int i = 0; i < 2000; i++) {
        double values[POINTS_MAX], run, pause;
        struct grid g;
        struct pieces p;
        state = (uint64_t)i;
        for (int t = 0; t < 14; t++)
            values[t] = (double)(next() % 8) * 100;
        grid_set(&g, values, 14, 1);
        g.q.left_s = 1 + (int64_t)(next() % 6);
        g.q.slack_s = (int64_t)(next() % 7);
        g.q.switch_s = (int64_t)(next() % 3);
        g.q.delay_g_kwh = (double)(next() % 3) * 30;
        g.q.running = (int)(next() % 2);
        pieces_find(&g.q, &p);
        try_all(&g.q, values, &run, &pause);
        UNIT_DBL(p.run_area, run, 1e-6, "seed %d: if it runs", i);
        if (isinf(pause))
            UNIT_OK(isinf(p.pause_area), "seed %d: it cannot stand still", i);
        else
            UNIT_DBL(p.pause_area, pause, 1e-6, "seed %d: if it stands still", i);
        UNIT_INT(p.pause, pause < run, "seed %d", i);
        UNIT_DBL(p.on_area, cost(&g.q, values, (1u << g.q.left_s) - 1), 1e-6, "seed %d: on", i);
        UNIT_OK(reaches(&g.q, values, &p, fmin(run, pause)), "seed %d: until %lld", i,
                (long long)(p.until_s - NOW));
    }
}

/* Hours of 400, then of 100, then of 400. */
static void dip(struct grid *g, int high, int low)
{
    double values[POINTS_MAX];
    for (int i = 0; i < POINTS_MAX; i++)
        values[i] = i >= high && i < high + low ? 100 : 400;
    grid_set(g, values, POINTS_MAX, 3600);
    g->q.switch_s = 600;
}

static void test_hours(void)
{
    struct grid g;
    struct pieces p;
    dip(&g, 3, 5);
    g.q.left_s = 4 * 3600;
    g.q.slack_s = 12 * 3600;
    pieces_find(&g.q, &p);
    UNIT_INT(p.pause, 1, "dirty now, green for long enough in three hours");
    UNIT_INT(p.until_s, NOW + 3 * 3600, "to the feed's own edge");
    g.q.slack_s = 2 * 3600;
    pieces_find(&g.q, &p);
    UNIT_INT(p.pause, 0, "with less slack it runs on first: that hour comes before any switch");
    UNIT_INT(p.until_s, NOW + 3600, "and stands still for as long as it may");
    g.q.running = 0;
    pieces_find(&g.q, &p);
    UNIT_INT(p.pause, 1, "where it stands still already");
    UNIT_INT(p.until_s, NOW + 2 * 3600, "it goes on when its slack is used up");
    g.q.running = 1;
    g.q.slack_s = 0;
    pieces_find(&g.q, &p);
    UNIT_INT(p.pause, 0, "without slack");
    UNIT_INT(p.until_s, NOW + 4 * 3600, "to its end");
    g.q.slack_s = 12 * 3600;
    g.q.switch_s = 24 * 3600;
    pieces_find(&g.q, &p);
    UNIT_INT(p.pause, 0, "a switch that costs more than it saves");
    g.q.switch_s = 600;
    g.q.delay_g_kwh = 1000;
    pieces_find(&g.q, &p);
    UNIT_INT(p.pause, 0, "a delay that costs more than it saves");

    dip(&g, 0, 2);
    g.q.left_s = 4 * 3600;
    g.q.slack_s = 12 * 3600;
    pieces_find(&g.q, &p);
    UNIT_INT(p.pause, 0, "green now");
    UNIT_INT(p.until_s, NOW + 4 * 3600, "and nowhere again: it runs to its end");
}

/* Whatever the question, the answer lies in its bounds, and comes at once. */
static void test_bounds(void)
{
    static const int64_t spans[] = {1, 59, 3600, 86400, 7 * 86400, 366 * 86400LL};
    struct grid g;
    struct pieces p;
    dip(&g, 10, 4);
    for (size_t i = 0; i < 36; i++) {
        g.q.left_s = spans[i % 6];
        g.q.slack_s = spans[i / 6];
        for (g.q.running = 0; g.q.running < 2; g.q.running++) {
            pieces_find(&g.q, &p);
            int64_t most_s = p.pause ? g.q.slack_s : g.q.left_s;
            UNIT_OK(p.until_s > NOW && p.until_s <= NOW + most_s + 3600, "row %zu: %lld", i,
                    (long long)(p.until_s - NOW));
            UNIT_OK(!p.pause || p.until_s <= NOW + g.q.slack_s, "row %zu: past its slack", i);
            UNIT_OK(fmin(p.run_area, p.pause_area) <= p.on_area * (1 + 1e-12), "row %zu: worse", i);
            UNIT_OK(isfinite(p.run_area), "row %zu: it can always run", i);
        }
    }
    g.q = (struct pieces_query){.believed = g.q.believed, .now_s = NOW + 365 * 86400LL};
    g.q.left_s = 3600;
    g.q.slack_s = 3600;
    pieces_find(&g.q, &p);
    UNIT_INT(p.pause, 0, "behind the forecast nothing is greener");
    g.q.left_s = g.q.slack_s = -5;
    pieces_find(&g.q, &p);
    UNIT_INT(p.pause, 0, "nothing left");
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"brute_force", test_brute_force},
                                             {"hours", test_hours},
                                             {"bounds", test_bounds},
                                             {NULL, NULL}};
    return unit_main(argc, argv, cases, "pieces");
}
