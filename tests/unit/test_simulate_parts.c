/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What simulations are made of: lengths that are believed, forecasts, lambda that is steered, and
 * the search over several lengths.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "placement/steer.h"
#include "simulate/outlook.h"
#include "simulate/random.h"
#include "simulate/simulate.h"
#include "simulate/simulate_private.h"
#include "unit.h"

#define HOUR 3600LL
#define DAY (24 * HOUR)
#define N(a) (sizeof(a) / sizeof((a)[0]))

/* ---- lengths */

static void _ended(lengths_t *l, uint32_t key, int64_t limit_s, uint32_t cores, int64_t run_s)
{
    struct sim_job job = {.key = key, .limit_s = limit_s, .cores = cores, .run_s = run_s};

    UNIT_INT(lengths_ended(l, &job), 0, "ended");
}

/* "A B C" of what is believed. */
static const char *_believed(const lengths_t *l, struct sim_job job)
{
    static char text[256];
    int64_t out[LENGTHS_MAX];
    size_t n = lengths_of(l, &job, out), used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%lld", i ? " " : "",
                                 (long long)out[i]);
    return text;
}

static void test_lengths(void)
{
    struct sim_job job = {.key = 1, .limit_s = 1000, .cores = 4, .run_s = 70};
    struct sim_job unsaid = {.key = 1, .cores = 4, .run_s = 70};
    lengths_t *l = lengths_create(LENGTHS_EXACT);

    _ended(l, 1, 1000, 4, 5);
    UNIT_STR(_believed(l, job), "70", "exact");
    lengths_destroy(l);
    l = lengths_create(LENGTHS_REQUESTED);
    UNIT_STR(_believed(l, job), "1000", "requested");
    UNIT_STR(_believed(l, unsaid), "70", "requested, without a limit");
    lengths_destroy(l);

    l = lengths_create(LENGTHS_PREDICTED);
    UNIT_STR(_believed(l, job), "1000", "nothing known: the limit");
    _ended(l, 1, 500, 2, 100);
    UNIT_STR(_believed(l, job), "100", "one run, of whatever limit and cores");
    _ended(l, 2, 1000, 4, 7);
    _ended(l, 1, 1000, 4, 300);
    UNIT_STR(_believed(l, job), "200", "mean of two");
    _ended(l, 1, 1000, 4, 400);
    UNIT_STR(_believed(l, job), "350", "of the last two");
    _ended(l, 1, 5000, 4, 4000);
    UNIT_STR(_believed(l, job), "700", "no run is longer than this one's limit");
    lengths_destroy(l);
    lengths_destroy(NULL);
}

static void test_mix(void)
{
    struct sim_job job = {.key = 1, .limit_s = 1000, .cores = 4, .run_s = 70};
    struct sim_job longest = {.key = 9, .limit_s = 200 * HOUR, .cores = 4, .run_s = 70};
    lengths_t *l = lengths_create(LENGTHS_MIX);
    char want[128];

    UNIT_STR(_believed(l, job), "1000", "nothing known: the limit");
    UNIT_STR(_believed(l, longest), "345600", "or as far as forecasts reach");
    _ended(l, 1, 1000, 4, 10);
    _ended(l, 1, 1000, 4, 20);
    /* two are few, and so are all of its key: shares of limits that others used, 0.01 and 0.02 */
    UNIT_STR(_believed(l, job), "10 10 10 20 20 20 20 1000", "by shares");
    UNIT_STR(_believed(l, longest), "7200 7200 7200 14400 14400 14400 14400 345600", "by shares");
    _ended(l, 1, 777, 4, 30);
    UNIT_STR(_believed(l, job), "30 20 10 1000", "three of its key");
    _ended(l, 1, 1000, 8, 40);
    UNIT_STR(_believed(l, job), "40 20 10 1000", "three of its key and limit");
    _ended(l, 1, 1000, 4, 50);
    UNIT_STR(_believed(l, job), "50 20 10 1000", "three of its cores, too");
    for (int64_t i = 1; i <= 7; i++)
        _ended(l, 1, 1000, 4, 100 * i);
    UNIT_STR(_believed(l, job), "700 600 500 400 300 200 100 1000", "the last seven");
    _ended(l, 1, 1000, 4, 123456);
    UNIT_STR(_believed(l, job), "1000 700 600 500 400 300 200 1000", "never more than the limit");
    /* many kinds: the table grows and forgets nothing */
    for (uint32_t key = 100; key < 5100; key++)
        for (int64_t i = 1; i <= 3; i++)
            _ended(l, key, 1000, 1, key % 100 + i);
    for (uint32_t key = 100; key < 5100; key += 7) {
        job = (struct sim_job){.key = key, .limit_s = 1000, .cores = 1, .run_s = 1};
        (void)snprintf(want, sizeof(want), "%u %u %u 1000", key % 100 + 3, key % 100 + 2,
                       key % 100 + 1);
        UNIT_STR(_believed(l, job), want, "key %u", key);
    }
    lengths_destroy(l);
}

static void test_draw_limits(void)
{
    static struct sim_job a[3000], b[3000];
    struct workload w = {.jobs = a, .n = N(a)}, v = {.jobs = b, .n = N(b)};
    int64_t longest_s = 0;
    size_t differ = 0, close = 0;
    struct random r;

    random_init(&r, 3);
    for (size_t i = 0; i < N(a); i++) {
        a[i].run_s = 1 + (int64_t)exp(3 + 2 * random_normal(&r));
        longest_s = a[i].run_s > longest_s ? a[i].run_s : longest_s;
    }
    memcpy(b, a, sizeof(a));
    lengths_draw_limits(&w, 5);
    lengths_draw_limits(&v, 5);
    UNIT_OK(memcmp(a, b, sizeof(a)) == 0, "the same seed");
    UNIT_OK(w.has_limits, "there are limits now");
    lengths_draw_limits(&v, 6);
    for (size_t i = 0; i < N(a); i++) {
        differ += a[i].limit_s != b[i].limit_s;
        close += a[i].limit_s < 2 * a[i].run_s;
        UNIT_OK(a[i].limit_s >= a[i].run_s, "job %zu: %lld", i, (long long)a[i].limit_s);
    }
    UNIT_OK(differ > N(a) / 10, "another seed: %zu", differ);
    UNIT_OK(close < N(a) / 2, "most ask for much more than they use: %zu", close);
}

/* ---- forecasts */

#define HOURS (400 * 24)
static struct series_point truth_points[HOURS], other_points[HOURS];

static struct series _truth(struct series_point *points, int64_t step_s, uint64_t seed)
{
    struct random r;
    double g = 300;

    random_init(&r, seed);
    for (size_t i = 0; i < HOURS; i++) {
        g = fmin(fmax(g + 20 * random_normal(&r), 30), 800);
        points[i] = (struct series_point){(int64_t)i * step_s, g, 0};
    }
    series_sum(points, HOURS);
    return (struct series){points, HOURS, HOURS * step_s};
}

/* Relative error of the issue of a day at an hour. */
static double _error(struct outlook *o, const struct series *truth, int day, int hour)
{
    struct series belief = outlook_at(o, day * DAY);
    int64_t t_s = day * DAY + hour * HOUR;

    return series_at(&belief, t_s) / series_at(truth, t_s) - 1;
}

static double _mape(struct outlook *o, const struct series *truth, int from_hour, int to_hour)
{
    double sum = 0;
    int n = 0;

    for (int day = 8; day < 373; day++)
        for (int hour = from_hour; hour < to_hour; hour++, n++)
            sum += fabs(_error(o, truth, day, hour));
    return sum / n;
}

static void test_outlook_errors(void)
{
    struct series truth = _truth(truth_points, HOUR, 1);
    struct outlook o;

    for (uint64_t seed = 0; seed < 6; seed++) {
        outlook_init(&o, OUTLOOK_API, &truth, seed);
        UNIT_DBL(_mape(&o, &truth, 0, 6), 0.051, 0.007, "first hours, seed %llu",
                 (unsigned long long)seed);
        UNIT_DBL(_mape(&o, &truth, 90, 96), 0.089, 0.012, "last hours, seed %llu",
                 (unsigned long long)seed);
    }
}

/* Errors stay from one hour to the next; those of one day tell nothing about another's. */
static void test_outlook_independent(void)
{
    struct series truth = _truth(truth_points, HOUR, 1);

    for (uint64_t seed = 0; seed < 4; seed++) {
        static double e[365][96];
        struct outlook o;
        double next = 0, squares = 0;

        outlook_init(&o, OUTLOOK_API, &truth, seed);
        for (int d = 0; d < 365; d++)
            for (int h = 0; h < 96; h++)
                e[d][h] = _error(&o, &truth, d + 8, h) / (0.05 + 0.04 * h / 95);
        for (int d = 0; d < 365; d++)
            for (int h = 0; h < 95; h++) {
                next += e[d][h] * e[d][h + 1];
                squares += e[d][h] * e[d][h];
            }
        UNIT_DBL(next / squares, 0.94, 0.02, "from hour to hour");
        for (int days = 1; days <= 4; days++)
            for (int shift = 0; shift <= 8; shift++) {
                double both = 0, own = 0;

                for (int d = 0; d + days < 365; d++)
                    for (int h = 0; h + shift < 96; h++) {
                        both += e[d][h + shift] * e[d + days][h];
                        own += e[d][h] * e[d][h];
                    }
                UNIT_DBL(both / own, 0, 0.15, "seed %llu: %d days, %d hours on",
                         (unsigned long long)seed, days, shift);
            }
    }
}

/* Two worlds that part after now_s: who knows only the past believes the same in both. */
static void test_outlook_no_peeking(void)
{
    static const int64_t steps_s[] = {HOUR, HOUR / 4, 300};

    for (size_t k = 0; k < N(steps_s); k++) {
        struct series a = _truth(truth_points, steps_s[k], 2);
        struct series b = _truth(other_points, steps_s[k], 2);
        int64_t now_s = 20 * DAY + 7 * HOUR + 100;
        size_t parts = series_find(&a, now_s) + 1;

        for (size_t i = parts; i < HOURS; i++)
            other_points[i].g_per_kwh = 900 - other_points[i].g_per_kwh / 2;
        series_sum(other_points, HOURS);
        for (int kind = 0; kind < OUTLOOK_N; kind++) {
            static struct outlook x, y;
            struct series p, q;
            int same = 1;

            outlook_init(&x, (enum outlook_kind)kind, &a, 4);
            outlook_init(&y, (enum outlook_kind)kind, &b, 4);
            p = outlook_at(&x, now_s);
            q = outlook_at(&y, now_s);
            for (int64_t t_s = now_s; t_s < now_s + 90 * HOUR; t_s += HOUR)
                same &= series_at(&p, t_s) == series_at(&q, t_s);
            UNIT_INT(same, kind == OUTLOOK_ANCHORED || kind == OUTLOOK_YESTERDAY,
                     "%s, a value each %lld s", outlook_name((enum outlook_kind)kind),
                     (long long)steps_s[k]);
        }
    }
}

static void test_outlook_any_order(void)
{
    struct series truth = _truth(truth_points, HOUR, 3);

    for (int kind = 0; kind < OUTLOOK_N; kind++) {
        static struct outlook forth, back;
        static struct series_point kept[20][OUTLOOK_HOURS];

        outlook_init(&forth, (enum outlook_kind)kind, &truth, 11);
        outlook_init(&back, (enum outlook_kind)kind, &truth, 11);
        for (int i = 0; i < 20; i++) {
            struct series s = outlook_at(&forth, 10 * DAY + i * 17 * HOUR + i);

            UNIT_OK(s.n >= OUTLOOK_HOURS && s.points[0].t_s <= 10 * DAY + i * 17 * HOUR + i,
                    "covers its moment");
            memcpy(kept[i], s.points, sizeof(kept[i]));
        }
        for (int i = 19; i >= 0; i--) {
            struct series s = outlook_at(&back, 10 * DAY + i * 17 * HOUR + i);

            UNIT_OK(memcmp(kept[i], s.points, sizeof(kept[i])) == 0, "%s, moment %d",
                    outlook_name((enum outlook_kind)kind), i);
        }
    }
}

/* ---- the search over several lengths */

static double _cost(const struct search *q, int64_t start_s)
{
    double sum = series_area(&q->series, start_s, start_s + q->length_s, NULL, NULL);

    for (uint32_t i = 0; i < q->n_further; i++)
        sum += series_area(&q->series, start_s, start_s + q->further_s[i], NULL, NULL);
    return sum / (1 + q->n_further) * q->ug_per_area +
           q->lambda_ug_per_s * (double)(start_s - q->from_s);
}

/* A small world in which every second can be tried. */
static void test_search_lengths(void)
{
    struct random r;

    random_init(&r, 99);
    for (int round = 0; round < 1500; round++) {
        struct series_point points[40];
        struct search q = {.ug_per_area = 1 + random_share(&r),
                           .n_further = (uint32_t)(random_bits(&r) % (SEARCH_FURTHER_MAX + 1)),
                           .lambda_ug_per_s = round % 3 ? 20 * random_share(&r) : 0};
        struct search_result got;
        int64_t t_s = 0, best_s = 0;
        double best = INFINITY;

        for (size_t i = 0; i < N(points); i++) {
            points[i] = (struct series_point){t_s, (double)(random_bits(&r) % 500), 0};
            t_s += 1 + (int64_t)(random_bits(&r) % 30);
        }
        series_sum(points, N(points));
        q.series = (struct series){points, N(points), t_s};
        q.from_s = (int64_t)(random_bits(&r) % 100);
        q.until_s = q.from_s + (int64_t)(random_bits(&r) % 400);
        q.length_s = q.hold_s = 1 + (int64_t)(random_bits(&r) % 200);
        for (uint32_t i = 0; i < q.n_further; i++)
            q.further_s[i] = 1 + (int64_t)(random_bits(&r) % 200);
        search_run(&q, &got);
        for (int64_t s = q.from_s; s <= q.until_s; s++) {
            double cost = _cost(&q, s);

            if (cost < best * (1 - 1e-9)) {
                best = cost;
                best_s = s;
            }
        }
        UNIT_OK(got.start_s >= q.from_s && got.start_s <= q.until_s, "round %d", round);
        UNIT_DBL(_cost(&q, got.start_s), best, 2e-9 * best + 1e-9, "round %d: %lld against %lld",
                 round, (long long)got.start_s, (long long)best_s);
        UNIT_DBL(got.carbon_ug, search_carbon_ug(&q, got.start_s), 1e-9 * best + 1e-6, "round %d",
                 round);
        UNIT_OK(got.start_s <= best_s + 1, "round %d: ties go to the earliest", round);
    }
}

/* ---- steering */

#define SEARCHES 600

static double _mean_wait_s(const struct search *jobs, double lambda)
{
    double sum_s = 0;

    for (size_t i = 0; i < SEARCHES; i++) {
        struct search q = jobs[i];
        struct search_result r;

        q.lambda_ug_per_s *= lambda;
        search_run(&q, &r);
        sum_s += (double)(r.start_s - q.from_s) / SEARCHES;
    }
    return sum_s;
}

static void test_steer_solve(void)
{
    static struct search jobs[SEARCHES];
    struct series truth = _truth(truth_points, HOUR, 5);
    double most_s, lambda;
    struct random r;

    random_init(&r, 6);
    for (size_t i = 0; i < SEARCHES; i++) {
        int64_t from_s = (int64_t)(random_share(&r) * 300 * DAY);

        jobs[i] = (struct search){.series = truth,
                                  .from_s = from_s,
                                  .until_s = from_s + 24 * HOUR,
                                  .length_s = 600 + (int64_t)(random_share(&r) * 9 * HOUR),
                                  .hold_s = HOUR,
                                  .ug_per_area = 1 + 30 * random_share(&r),
                                  .lambda_ug_per_s = 1 + 3 * random_share(&r)};
    }
    for (double target_s = 900; target_s <= 6 * HOUR; target_s *= 2) {
        lambda = steer_solve(jobs, SEARCHES, target_s);
        /* a job that moves at a hair's difference moves the mean by 24 h / 600 at most */
        UNIT_DBL(_mean_wait_s(jobs, lambda), target_s * STEER_AIM, 24.0 * HOUR / SEARCHES,
                 "target %g s", target_s);
    }
    most_s = _mean_wait_s(jobs, 0);
    lambda = steer_solve(jobs, SEARCHES, 2 * most_s);
    UNIT_OK(lambda < 1e-6, "more than can be had: %g", lambda);
}

static void test_steer_planned(void)
{
    struct steer s = {.target_s = 1000, .lambda_ug_per_s = 50};

    steer_planned(&s, 1000 * STEER_AIM);
    UNIT_DBL(s.lambda_ug_per_s, 50, 1e-9, "as it should be");
    steer_planned(&s, 0);
    UNIT_DBL(s.lambda_ug_per_s, 50 * exp(-STEER_GAIN), 1e-9, "too short: cheaper");
    s.lambda_ug_per_s = 50;
    steer_planned(&s, 100 * 1000 * STEER_AIM);
    UNIT_DBL(s.lambda_ug_per_s, 50 * exp(99 * STEER_GAIN), 1e-9, "too long: dearer, unclipped");
    for (int i = 0; i < 100000; i++)
        steer_planned(&s, 1e9);
    UNIT_OK(isfinite(s.lambda_ug_per_s) && s.lambda_ug_per_s > 0, "stays finite");
    for (int i = 0; i < 1000000; i++)
        steer_planned(&s, 0);
    UNIT_OK(s.lambda_ug_per_s > 0, "and above 0");
}

/* A month of jobs, from any lambda at first: once steered they wait as long as asked. */
static void test_steered(void)
{
    static struct sim_job jobs[20000];
    struct series truth = _truth(truth_points, HOUR, 7);
    struct workload w = {.jobs = jobs, .n = N(jobs), .n_users = 1, .n_keys = 1};
    struct random r;

    random_init(&r, 8);
    for (size_t i = 0; i < N(jobs); i++)
        jobs[i] = (struct sim_job){.submit_s = 10 * DAY + (int64_t)(i * 60 * DAY / N(jobs)),
                                   .run_s = 60 + (int64_t)exp(8 + random_normal(&r)),
                                   .cores = 1 + (uint32_t)(random_bits(&r) % 8)};
    for (int k = 0; k < 3; k++) {
        static const double first[] = {0, 27, 1e9};
        struct sim_settings set = {.policy = SIM_BALANCED,
                                   .max_delay_s = 12 * HOUR,
                                   .lambda_ug_per_s = first[k],
                                   .target_wait_s = 1620,
                                   .ug_per_area = 10 / 3.6};
        struct err e = {""};
        struct sim_result s;
        double wait_s = 0;
        size_t n = 0;

        UNIT_INT(sim_run(&w, &truth, &set, &s, NULL, NULL, &e), 0, "%s", e.text);
        for (size_t i = 0; i < N(jobs); i++) {
            if (jobs[i].submit_s < 17 * DAY)
                continue;
            wait_s += (double)(s.start_s[i] - jobs[i].submit_s);
            n++;
        }
        UNIT_DBL(wait_s / (double)n, 1620, 0.15 * 1620, "lambda %g at first", first[k]);
        sim_result_fini(&s);
    }
}

/* ---- the room for plans */

#define ROOM_JOBS 40

/* A simulation of which the room sees the machine's list and the jobs that are watched. */
struct rooms {
    struct sim s;
    struct sim_job jobs[ROOM_JOBS];
    struct sim_way way[ROOM_JOBS];
    uint32_t watched[ROOM_JOBS];
    struct machine_running running[ROOM_JOBS];
    struct workload w;
    struct sim_settings set;
};

static void _rooms_init(struct rooms *r, struct random *random)
{
    memset(r, 0, sizeof(*r));
    for (size_t i = 0; i < ROOM_JOBS; i++) {
        int64_t run_s = 1 + (int64_t)(random_bits(random) % 40000);
        r->jobs[i] = (struct sim_job){.run_s = run_s,
                                      .limit_s = i % 3 ? run_s + (int64_t)(i % 7) * 3600 : 0,
                                      .cores = 1 + (uint32_t)(random_bits(random) % 9)};
        r->way[i].watched = SIM_NOBODY;
        r->way[i].left_s = run_s;
    }
    r->w = (struct workload){.jobs = r->jobs, .n = ROOM_JOBS};
    r->s.w = &r->w;
    r->s.set = &r->set;
    r->s.way = r->way;
    r->s.watched = r->watched;
    r->s.machine.running = r->running;
}

/* Both lists as jobs stand now. */
static void _list(struct rooms *r)
{
    r->s.n_watched = r->s.machine.n_running = 0;
    for (uint32_t i = 0; i < ROOM_JOBS; i++) {
        struct sim_way *way = &r->way[i];
        if (way->state == SIM_RUNNING)
            r->running[r->s.machine.n_running++] =
                (struct machine_running){way->until_s, r->jobs[i].cores, i};
        else if (way->state == SIM_HELD || way->state == SIM_QUEUED)
            r->watched[way->watched = (uint32_t)r->s.n_watched++] = i;
    }
}

/* One job a step further on its way, as simulate.c does it. */
static void _step(struct rooms *r, uint32_t job, uint64_t bits)
{
    struct sim_way *way = &r->way[job];
    enum sim_state next = way->state == SIM_NEW                ? SIM_HELD
                          : way->state == SIM_HELD && bits % 3 ? SIM_HELD /* moved */
                          : way->state == SIM_HELD && bits % 2 ? SIM_QUEUED
                          : way->state == SIM_RUNNING          ? SIM_ENDED
                          : way->state == SIM_ENDED            ? SIM_NEW
                                                               : SIM_RUNNING;
    room_plan(&r->s, job, 0);
    if (next == SIM_ENDED)
        room_run(&r->s, job, 0);
    if (next == SIM_HELD)
        way->due_s = r->s.now_s + (int64_t)(bits % 90000);
    if (next == SIM_RUNNING)
        way->until_s = r->s.now_s + sim_limit_left_s(&r->s, job);
    way->state = (uint8_t)next;
    way->watched = next == SIM_HELD || next == SIM_QUEUED ? 0 : SIM_NOBODY;
    room_plan(&r->s, job, 1);
    if (next == SIM_RUNNING)
        room_run(&r->s, job, 1);
    _list(r);
}

/* What each change has left is what a room made anew says. */
static void test_room(void)
{
    static struct rooms r;
    struct random random;
    uint32_t *kept = malloc(336 * sizeof(*kept));
    size_t differ = 0, looked = 0;

    random_init(&random, 11);
    for (int round = 0; round < 50; round++) {
        _rooms_init(&r, &random);
        UNIT_INT(room_init(&r.s.room, 100, 1), 0, "memory");
        for (int i = 0; i < 400; i++) {
            struct search q = {.until_s = r.s.now_s + 86400};
            r.s.now_s += (int64_t)(random_bits(&random) % 1800);
            _step(&r, (uint32_t)(random_bits(&random) % ROOM_JOBS), random_bits(&random));
            room_for(&r.s, 0, &q);
            memcpy(kept, r.s.room.planned, 336 * sizeof(*kept));
            r.s.room.until_s = INT64_MIN;
            room_for(&r.s, 0, &q);
            /* behind some days there may be more: what was put in when they were too far ahead */
            for (size_t h = 0; h < 200; h++, looked++)
                differ += kept[h] != r.s.room.planned[h];
        }
        room_fini(&r.s.room);
    }
    UNIT_INT(differ, 0, "of %zu slots", looked);
    free(kept);
}

static const struct unit_case cases[] = {
    {"room", test_room},
    {"lengths", test_lengths},
    {"mix", test_mix},
    {"draw_limits", test_draw_limits},
    {"outlook_errors", test_outlook_errors},
    {"outlook_independent", test_outlook_independent},
    {"outlook_no_peeking", test_outlook_no_peeking},
    {"outlook_any_order", test_outlook_any_order},
    {"search_lengths", test_search_lengths},
    {"steer_solve", test_steer_solve},
    {"steer_planned", test_steer_planned},
    {"steered", test_steered},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "simulate_parts");
}
