/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands behind a decision: the window and its starts by hand, against the decision itself,
 * and against a look at every second.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "board_fixture.h"
#include "placement/explain.h"
#include "unit.h"

#define ALL_OF_NOW                                                                                 \
    (EXPLAIN_NOW | EXPLAIN_CHOSEN | EXPLAIN_ASAP | EXPLAIN_BALANCED | EXPLAIN_GREENEST |           \
     EXPLAIN_BEST | EXPLAIN_LEAST)

/* Decide and explain it. */
static struct explain explain(const struct fixture *f, const struct placement_job *job,
                              struct placement_decision *d)
{
    struct explain x;
    placement_decide(&f->b, NULL, job, FIXTURE_NOW, d);
    explain_job(&f->b, NULL, job, FIXTURE_NOW, d->verdict == VERDICT_REFUSE ? 0 : d->start_s, &x);
    return x;
}

/* The start that is this; NULL: none is. */
static const struct explain_start *find(const struct explain *x, unsigned role)
{
    for (size_t i = 0; i < x->n_starts; i++)
        if (x->starts[i].roles & role)
            return &x->starts[i];
    return NULL;
}

/* How long after now that is; -1: there is none. */
static int64_t when(const struct explain *x, unsigned role)
{
    const struct explain_start *s = find(x, role);
    return s ? s->start_s - FIXTURE_NOW : -1;
}

static void series(struct fixture *f, const int (*steps)[2], size_t n)
{
    for (size_t i = 0; i < n; i++)
        f->points[i] = (struct series_point){FIXTURE_NOW + steps[i][0], steps[i][1], 0};
    series_sum(f->points, n);
    f->b.n_points = (uint32_t)n;
}

/* 10 W at so many g/kWh for so many seconds. */
static double ug(double g_per_kwh, double s)
{
    return 10 * s / 3.6e6 * g_per_kwh * 1e6;
}

static void test_roles(void)
{
    static const char *const names[] = {"now",  "chosen", "asap", "balanced", "greenest",
                                        "best", "least",  "low",  "latest"};
    for (int i = 0; i < EXPLAIN_ROLES; i++)
        UNIT_STR(explain_role_name(i), names[i], "role %d", i);
    UNIT_STR(explain_role_name(-1), "", "none");
    UNIT_STR(explain_role_name(EXPLAIN_ROLES), "", "nor behind the last");
}

/* Two dips: a small one soon, a deep one later. */
static void test_known(void)
{
    static const int steps[][2] = {{-600, 400}, {40, 200}, {100, 400}, {200, 100}, {260, 400}};
    struct fixture f;
    struct placement_job job = fixture_job();
    struct placement_decision d;
    fixture_init(&f);
    series(&f, steps, 5);
    struct explain x = explain(&f, &job, &d);
    UNIT_INT(x.policy, POLICY_BALANCED, "the site's policy");
    UNIT_INT(x.from_s - FIXTURE_NOW, 0, "from now");
    UNIT_INT(x.until_s - FIXTURE_NOW, 300, "to the end of its allowance");
    UNIT_INT(x.start_s - FIXTURE_NOW, 200, "the chosen start");
    UNIT_INT(x.end_s - FIXTURE_NOW, 260, "the end of its run");
    UNIT_INT(x.forecast_until_s - FIXTURE_NOW, 86400, "the forecast");
    UNIT_INT(x.n_starts, 4, "starts");
    UNIT_INT(x.starts[0].roles, EXPLAIN_NOW | EXPLAIN_ASAP, "first");
    UNIT_INT(when(&x, EXPLAIN_LOW), 40, "the small dip");
    UNIT_INT(x.starts[1].roles, EXPLAIN_LOW, "is a low only");
    UNIT_DBL(x.starts[1].carbon_ug, ug(200, 60), 1e-3, "and what it emits");
    UNIT_INT(x.starts[2].roles,
             EXPLAIN_CHOSEN | EXPLAIN_BALANCED | EXPLAIN_GREENEST | EXPLAIN_BEST | EXPLAIN_LEAST,
             "the deep one");
    UNIT_DBL(x.starts[2].carbon_ug, d.carbon_ug, 1e-3, "as the decision has it");
    UNIT_DBL(x.starts[0].carbon_ug, d.carbon_now_ug, 1e-3, "at once, too");
    UNIT_INT(x.starts[2].wait_s, 200, "its wait");
    UNIT_INT(x.starts[3].roles, EXPLAIN_LATEST, "last");
    UNIT_INT(x.starts[3].wait_s, 300, "the whole allowance");
    for (size_t i = 0; i < x.n_starts; i++) {
        UNIT_INT(x.starts[i].room, 1, "nothing is full");
        UNIT_DBL(x.starts[i].cost_ug, x.starts[i].carbon_ug, 1e-3, "lambda is 0");
    }
    UNIT_OK(x.n_steps > 8 && x.steps[0].time_s <= FIXTURE_NOW, "the plot begins now");
    UNIT_OK(x.steps[x.n_steps - 1].time_s < FIXTURE_NOW + 360, "and ends with the last run");
    for (size_t i = 0; i < x.n_steps; i++)
        UNIT_OK(x.steps[i].g_per_kwh >= 100 && x.steps[i].g_per_kwh <= 400, "step %zu", i);
}

/* A price of waiting: the cost is grams and lambda x wait, and it is what decides. */
static void test_lambda(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    struct placement_decision d;
    fixture_init(&f);
    f.b.head.lambda_g_per_h = 1;
    struct explain x = explain(&f, &job, &d);
    UNIT_INT(d.code, CODE_GREENER_LATER, "0.05 g are worth 70 s at 1 g/h");
    const struct explain_start *s = find(&x, EXPLAIN_CHOSEN);
    UNIT_DBL(x.lambda_ug_per_s, 1e6 / 3600, 1e-6, "lambda");
    UNIT_DBL(s->cost_ug, ug(100, 60) + 70 * 1e6 / 3600, 1e-3, "grams and lambda x wait");
    UNIT_OK((s->roles & EXPLAIN_BEST) && s->cost_ug < x.starts[0].cost_ug, "the least cost");
    UNIT_DBL(x.starts[0].cost_ug, x.starts[0].carbon_ug, 1e-3, "at once there is no wait");

    f.b.head.lambda_g_per_h = 3;
    x = explain(&f, &job, &d);
    UNIT_INT(d.code, CODE_FLAT, "at 3 g/h they are not");
    UNIT_INT(x.starts[0].roles,
             EXPLAIN_NOW | EXPLAIN_CHOSEN | EXPLAIN_ASAP | EXPLAIN_BALANCED | EXPLAIN_BEST,
             "at once is best");
    UNIT_INT(find(&x, EXPLAIN_LEAST)->roles & (EXPLAIN_LEAST | EXPLAIN_GREENEST),
             EXPLAIN_LEAST | EXPLAIN_GREENEST, "the dip emits least, and greenest takes it");
    UNIT_INT(when(&x, EXPLAIN_LEAST), 70, "there");

    job.request.policy = POLICY_GREENEST;
    x = explain(&f, &job, &d);
    UNIT_DBL(x.lambda_ug_per_s, 0, 0, "greenest has no price");
    UNIT_INT(when(&x, EXPLAIN_BALANCED), 0, "what balanced would do is told all the same");
}

static void test_min_gain(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    struct placement_decision d;
    fixture_init(&f);
    f.b.head.min_gain_g = 1;
    struct explain x = explain(&f, &job, &d);
    UNIT_INT(d.code, CODE_FLAT, "saves less");
    UNIT_DBL(x.min_gain_ug, 1e6, 1e-6, "than this");
    UNIT_INT(when(&x, EXPLAIN_CHOSEN) + when(&x, EXPLAIN_GREENEST), 0, "whatever the policy");
    UNIT_INT(when(&x, EXPLAIN_BEST), 70, "the best is shown all the same");
    UNIT_DBL(x.starts[0].carbon_ug - find(&x, EXPLAIN_BEST)->carbon_ug, ug(300, 60), 1e-3,
             "with what it would save");
}

static void test_full(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    struct placement_decision d;
    fixture_init(&f);
    for (int i = 14; i < 26; i++) /* [70, 130) */
        f.planned[i] = 16;
    struct explain x = explain(&f, &job, &d);
    UNIT_INT(d.code, CODE_QUEUE_WAITS, "the dip is taken");
    UNIT_INT(when(&x, EXPLAIN_CHOSEN), 0, "does not wait");
    UNIT_INT(when(&x, EXPLAIN_BEST), 70, "the best, had there been room");
    UNIT_INT(find(&x, EXPLAIN_BEST)->room, 0, "is full");
    UNIT_INT(x.starts[0].room + find(&x, EXPLAIN_LATEST)->room, 2, "others are not");

    for (int i = 22; i < 26; i++) /* its end is free again */
        f.planned[i] = 0;
    x = explain(&f, &job, &d);
    UNIT_INT(when(&x, EXPLAIN_CHOSEN), 110, "as much of it as is free");
    UNIT_INT(find(&x, EXPLAIN_CHOSEN)->room, 1, "there is room");
    UNIT_INT(when(&x, EXPLAIN_BEST), 70, "the best");
    UNIT_INT(find(&x, EXPLAIN_BEST)->room, 0, "is full");

    /* Leases count like what is planned. */
    static struct lease_table t;
    lease_init(&t);
    t.n = 1;
    t.leases[0] = (struct lease){
        .partition = board_name_hash("batch"),
        .cpus = 16,
        .start_s = FIXTURE_NOW + 110,
        .end_s = FIXTURE_NOW + 400};
    explain_job(&f.b, &t, &job, FIXTURE_NOW, FIXTURE_NOW, &x);
    UNIT_INT(find(&x, EXPLAIN_LATEST)->room, 0, "a lease fills slots");
}

static void test_no_window(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    struct placement_decision d;
    fixture_init(&f);
    job.request.delay = DELAY_OFF;
    struct explain x = explain(&f, &job, &d);
    UNIT_INT(x.until_s - x.from_s, 0, "no window");
    UNIT_INT(x.n_starts, 1, "one start");
    UNIT_INT(x.starts[0].roles, ALL_OF_NOW | EXPLAIN_LATEST, "which is all");
    UNIT_DBL(x.starts[0].carbon_ug, d.carbon_ug, 1e-3, "grams");
    UNIT_OK(x.n_steps >= 1 && x.steps[0].time_s <= FIXTURE_NOW, "its run is plotted");

    f.b.head.forecast_quality = FORECAST_STALE;
    job = fixture_job();
    x = explain(&f, &job, &d);
    UNIT_INT(x.until_s - x.from_s, 0, "a stale feed leaves none");
    UNIT_INT(x.n_starts, 1, "one start");
}

static void test_no_forecast(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    struct placement_decision d;
    fixture_init(&f);
    for (int i = 0; i < 2; i++) {
        if (i == 0) {
            f.b.head.forecast_quality = FORECAST_NONE;
        } else {
            f.b.n_points = 0;
            f.b.points = NULL;
            f.b.head.intensity_end_s = 0;
        }
        struct explain x = explain(&f, &job, &d);
        UNIT_INT(x.n_starts, 1, "one start");
        UNIT_INT(x.starts[0].roles,
                 EXPLAIN_NOW | EXPLAIN_CHOSEN | EXPLAIN_ASAP | EXPLAIN_BALANCED | EXPLAIN_GREENEST,
                 "of which nobody knows whether it is best");
        UNIT_OK(isnan(x.starts[0].carbon_ug) && isnan(x.starts[0].cost_ug), "nothing is known");
        UNIT_INT(x.n_steps, 0, "nothing to plot");
        UNIT_INT(x.forecast_until_s, 0, "no forecast");
    }
}

static void test_flat(void)
{
    static const int steps[][2] = {{-600, 250}};
    struct fixture f;
    struct placement_job job = fixture_job();
    struct placement_decision d;
    fixture_init(&f);
    series(&f, steps, 1);
    struct explain x = explain(&f, &job, &d);
    UNIT_INT(x.n_starts, 2, "at once, and the latest");
    UNIT_INT(x.starts[0].roles, ALL_OF_NOW, "nothing is better than at once");
    UNIT_DBL(x.starts[1].carbon_ug, x.starts[0].carbon_ug, 1e-3, "all the same");
}

/* A run that ends behind the forecast, or for ever. */
static void test_beyond(void)
{
    static const int64_t limits[] = {599, 601, 86400, INT64_MAX / 2};
    struct fixture f;
    struct placement_decision d;
    fixture_init(&f);
    f.b.head.intensity_end_s = FIXTURE_NOW + 600;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct placement_job job = fixture_job();
        job.partition = "debug"; /* has no limit */
        job.limit_s = limits[i];
        job.tasks = i ? 1000000 : 1;
        struct explain x = explain(&f, &job, &d);
        const struct explain_start *s = find(&x, EXPLAIN_CHOSEN);
        UNIT_OK(x.end_s > x.start_s, "row %zu: it ends", i);
        UNIT_OK(s && fabs(s->carbon_ug / d.carbon_ug - 1) < 1e-12, "row %zu: as decided", i);
        UNIT_OK(x.n_steps > 0 && x.n_steps <= EXPLAIN_STEPS_MAX, "row %zu: %zu steps", i,
                x.n_steps);
        UNIT_OK(x.steps[x.n_steps - 1].time_s < FIXTURE_NOW + 600, "row %zu: plotted so far", i);
    }

    /* An allowance beyond the forecast: what is not known is no number. */
    struct placement_job job = fixture_job();
    job.request.delay_s = 86400;
    struct explain x = explain(&f, &job, &d);
    UNIT_INT(x.until_s - FIXTURE_NOW, 86400, "may wait a day");
    UNIT_OK(isnan(x.steps[x.n_steps - 1].g_per_kwh) && isfinite(x.steps[0].g_per_kwh),
            "of which ten minutes are known");
}

/* A policy that does not wait is shown what it might have done. */
static void test_asap(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    struct placement_decision d;
    fixture_init(&f);
    job.request.policy = POLICY_ASAP;
    struct explain x = explain(&f, &job, &d);
    UNIT_INT(x.policy, POLICY_ASAP, "policy");
    UNIT_INT(x.until_s - x.from_s, 300, "its allowance");
    UNIT_INT(when(&x, EXPLAIN_CHOSEN), 0, "at once");
    UNIT_INT(when(&x, EXPLAIN_GREENEST) + when(&x, EXPLAIN_LEAST), 140, "the dip");
    UNIT_DBL(x.lambda_ug_per_s, 0, 0, "no price");
}

static void test_refused(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    struct placement_decision d;
    fixture_init(&f);
    f.budgets[0] = (struct board_budget){.scope = BOARD_ACCOUNT, .name = "bio", .granted = 1};
    f.b.n_budgets = 1;
    struct explain x = explain(&f, &job, &d);
    UNIT_INT(d.verdict, VERDICT_REFUSE, "refused");
    UNIT_INT(x.start_s + x.end_s, 0, "nothing was chosen");
    UNIT_OK(!find(&x, EXPLAIN_CHOSEN), "no start is");
    UNIT_INT(when(&x, EXPLAIN_BALANCED), 70, "the window is as it is");
}

/* A job that was planned by an earlier forecast, and one that starts a little later than the dip
 * for others' sake. */
static void test_planned(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    struct explain x;
    fixture_init(&f);
    explain_job(&f.b, NULL, &job, FIXTURE_NOW, FIXTURE_NOW + 200, &x);
    UNIT_INT(when(&x, EXPLAIN_CHOSEN), 200, "planned");
    UNIT_INT(when(&x, EXPLAIN_BALANCED), 70, "would be planned now");
    UNIT_INT(x.n_starts, 4, "now, balanced, chosen, latest");
    explain_job(&f.b, NULL, &job, FIXTURE_NOW, FIXTURE_NOW + 5000, &x);
    UNIT_INT(x.starts[x.n_starts - 1].roles, EXPLAIN_CHOSEN, "even outside its window");

    f.b.head.stagger_s = 30;
    job.stagger = 12;
    struct placement_decision d;
    x = explain(&f, &job, &d);
    UNIT_INT(when(&x, EXPLAIN_CHOSEN), 82, "staggered");
    UNIT_INT(when(&x, EXPLAIN_BEST), 70, "the dip");
    UNIT_INT(when(&x, EXPLAIN_LOW), -1, "is no other low");
}

/* --begin: the window begins there, the plot now. */
static void test_begin(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    struct placement_decision d;
    fixture_init(&f);
    job.earliest_s = FIXTURE_NOW + 50;
    struct explain x = explain(&f, &job, &d);
    UNIT_INT(x.from_s - FIXTURE_NOW, 50, "from then");
    UNIT_INT(x.until_s - FIXTURE_NOW, 350, "its allowance counts from there");
    UNIT_INT(x.starts[0].start_s - x.from_s, 0, "the first start is there");
    UNIT_INT(find(&x, EXPLAIN_CHOSEN)->wait_s, 20, "and so do waits");
    UNIT_OK(x.steps[0].time_s <= FIXTURE_NOW, "plotted from now on");
}

/* The cost of every start of the window, a second each; x's own starts and roles against it. */
static void against_every_second(const struct fixture *f, const struct placement_job *job,
                                 unsigned seed)
{
    enum { N = 301 };
    double cost[N], least = INFINITY;
    struct placement_decision d;
    struct explain x = explain(f, job, &d);
    int lows = 0, listed = 0;
    double deepest = INFINITY, highest = 0;
    for (int i = 0; i < N; i++) {
        cost[i] = placement_cost_ug(&f->b, job, &d, FIXTURE_NOW, FIXTURE_NOW + i);
        least = fmin(least, cost[i]);
    }
    double near = 1e-9 * (least + 1);
    UNIT_DBL(find(&x, EXPLAIN_BEST)->cost_ug, least, near * 10, "seed %u: the best", seed);
    for (size_t k = 0; k < x.n_starts; k++) {
        const struct explain_start *s = &x.starts[k];
        UNIT_OK(k == 0 || s->start_s > x.starts[k - 1].start_s, "seed %u: in order", seed);
        UNIT_DBL(s->cost_ug, cost[s->wait_s], near * 10, "seed %u: start %zu", seed, k);
        if (s->roles & EXPLAIN_LOW) {
            listed++;
            highest = fmax(highest, s->cost_ug);
        }
    }
    for (int i = 1; i < N - 1; i++) {
        int end = i;
        while (end + 1 < N && fabs(cost[end + 1] - cost[i]) <= 10 * near)
            end++;
        /* it falls to here, and does not fall on behind the floor */
        if (cost[i - 1] <= cost[i] + 10 * near || (end + 1 < N && cost[end + 1] < cost[i]))
            continue;
        int known = 0;
        for (size_t k = 0; k < x.n_starts; k++)
            known |= x.starts[k].wait_s == i;
        lows += !known;
        if (!known)
            deepest = fmin(deepest, cost[i]);
        for (size_t k = 0; k < x.n_starts; k++)
            if (x.starts[k].wait_s == i && (x.starts[k].roles & EXPLAIN_LOW))
                lows += 100; /* one of those that are listed is a low indeed */
    }
    UNIT_INT(lows / 100, listed, "seed %u: each low is one", seed);
    UNIT_OK(lows % 100 == 0 || (listed == EXPLAIN_LOWS_MAX && deepest >= highest - 10 * near),
            "seed %u: %d others, the deepest %g; %d listed up to %g", seed, lows % 100, deepest,
            listed, highest);
}

static void test_random(void)
{
    struct fixture f;
    int most = 0;
    for (unsigned seed = 1; seed <= 400; seed++) {
        int steps[40][2];
        srand(seed);
        fixture_init(&f);
        size_t n = 2 + (size_t)(rand() % 38);
        for (size_t i = 0; i < n; i++) {
            steps[i][0] = i ? steps[i - 1][0] + 1 + rand() % 30 : -60;
            steps[i][1] = 100 + 50 * (rand() % 8);
        }
        series(&f, (const int(*)[2])steps, n);
        struct placement_job job = fixture_job();
        job.limit_s = 1 + rand() % 90;
        job.request.policy = seed % 2 ? POLICY_BALANCED : POLICY_GREENEST;
        f.b.head.lambda_g_per_h = seed % 3 ? 0.2 : 5;
        against_every_second(&f, &job, seed);
        struct placement_decision d;
        struct explain x = explain(&f, &job, &d);
        most = (int)x.n_starts > most ? (int)x.n_starts : most;
    }
    UNIT_OK(most >= 6 && most <= EXPLAIN_STARTS_MAX, "%d starts at most", most);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"roles", test_roles},
                                             {"known", test_known},
                                             {"lambda", test_lambda},
                                             {"min_gain", test_min_gain},
                                             {"full", test_full},
                                             {"no_window", test_no_window},
                                             {"no_forecast", test_no_forecast},
                                             {"flat", test_flat},
                                             {"beyond", test_beyond},
                                             {"asap", test_asap},
                                             {"refused", test_refused},
                                             {"planned", test_planned},
                                             {"begin", test_begin},
                                             {"random", test_random},
                                             {NULL, NULL}};

    return unit_main(argc, argv, cases, "explain");
}
