/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Simulations: recorded answers of other simulators, EASY by hand, and what holds for any workload,
 * policy, forecast and machine.
 */
#include "config.h"

#include <math.h>

#include "grid.h"
#include "simulate/bound.h"
#include "simulate/random.h"
#include "simulate/simulate.h"
#include "simulate/summary.h"

#define HOUR 3600LL
#define DAY (24 * HOUR)
#define N(a) (sizeof(a) / sizeof((a)[0]))

static struct sim_result _run(const struct workload *w, const struct series *truth,
                              const struct sim_settings *set)
{
    struct sim_result r;
    struct err e = {""};

    if (!UNIT_OK(sim_run(w, truth, set, &r, NULL, NULL, &e) == 0, "%s", e.text))
        exit(1);
    return r;
}

/* ---- the best windows of 2022, as others found them */

/* Rows of the file: slack_0, non_interrupt, interrupt in g/kWh x h. Jobs end inside the year:
 * behind it nothing is ever cheap enough. */
static void _golden(const char *zone, int hours, int slack)
{
    static const enum sim_policy policies[3] = {SIM_ASAP, SIM_GREENEST, SIM_WAIT_AWHILE};
    static struct series_point points[GRID_2022_HOURS + 1];
    static struct sim_job jobs[GRID_2022_HOURS];
    static double want[3][GRID_2022_HOURS];
    struct series truth = grid_2022(points, zone);
    struct workload w = {.jobs = jobs};
    char name[128], line[256];
    FILE *f;

    points[GRID_2022_HOURS] = (struct series_point){truth.end_s, 1e6, 0};
    truth.n++;
    truth.end_s += DAY;
    series_sum(points, truth.n);
    (void)snprintf(name, sizeof(name), "carbon/oracle-2022-%s-job%dh-slack%dh.csv.gz", zone, hours,
                   slack);
    f = grid_open(name);
    UNIT_OK(fgets(line, sizeof(line), f) != NULL, "%s", name);
    for (; w.n < GRID_2022_HOURS && fgets(line, sizeof(line), f); w.n++) {
        UNIT_INT(sscanf(line, "%lf,%lf,%lf", &want[0][w.n], &want[1][w.n], &want[2][w.n]), 3,
                 "%s: row %zu", name, w.n);
        jobs[w.n] = (struct sim_job){
            .submit_s = GRID_2022_S + (int64_t)w.n * HOUR, .run_s = hours * HOUR, .cores = 1};
    }
    (void)pclose(f);
    UNIT_INT(w.n, GRID_2022_HOURS - hours, "rows of %s", name);
    for (size_t p = 0; p < 3; p++) {
        struct sim_settings set = {
            .policy = policies[p], .max_delay_s = slack * HOUR, .ug_per_area = 1.0 / HOUR};
        struct sim_result r = _run(&w, &truth, &set);
        size_t off = 0;

        for (size_t i = 0; i < w.n; i++)
            off += fabs(r.ug[i] - want[p][i]) > 1e-9 * want[p][i];
        UNIT_INT(off, 0, "%s: rows that differ for %s", name, policy_name(policies[p]));
        sim_result_fini(&r);
    }
}

static void test_golden(void)
{
    static const char *const zones[] = {"DE", "ES", "FI"};

    for (size_t i = 0; i < N(zones); i++) {
        _golden(zones[i], 6, 24);
        _golden(zones[i], 24, 168);
    }
}

/* ---- EASY */

static struct series_point flat_point = {0, 100, 0};
static const struct series flat = {&flat_point, 1, 1000 * DAY};

/* Batsim's own run, on hosts with names; ours counts cores. Times are milliseconds. */
static void test_batsim(void)
{
    static struct sim_job jobs[801];
    static double began[801];
    struct sim_settings set = {.cores = 32};
    struct workload w = {.jobs = jobs};
    FILE *f = grid_open("workloads/batsim-medium-easy-out_jobs.csv.gz");
    double theirs_s = 0, wait_s = 0, slowdown = 0;
    struct sim_result r;
    char line[1024];
    size_t same = 0;

    UNIT_OK(fgets(line, sizeof(line), f) != NULL, "header");
    for (; w.n < N(jobs) && fgets(line, sizeof(line), f); w.n++) {
        double submit, limit, start, run;
        unsigned cores;

        UNIT_INT(sscanf(line, "%*[^,],%*[^,],%*[^,],%lf,%u,%lf,%*[^,],%lf,%lf", &submit, &cores,
                        &limit, &start, &run),
                 5, "row %zu", w.n);
        jobs[w.n] = (struct sim_job){.submit_s = llround(1000 * submit),
                                     .run_s = llround(1000 * run),
                                     .limit_s = llround(1000 * limit),
                                     .cores = cores,
                                     .id = w.n};
        began[w.n] = start;
        UNIT_OK(w.n == 0 || jobs[w.n - 1].submit_s <= jobs[w.n].submit_s, "sorted");
        theirs_s += (start - submit) / N(jobs);
    }
    (void)pclose(f);
    UNIT_INT(w.n, N(jobs), "jobs");
    r = _run(&w, &flat, &set);
    for (size_t i = 0; i < w.n; i++) {
        double waited = (double)(r.start_s[i] - jobs[i].submit_s);

        wait_s += waited / 1000 / N(jobs);
        slowdown += (1 + waited / (double)jobs[i].run_s) / N(jobs);
        same += fabs((double)r.start_s[i] / 1000 - began[i]) < 0.01;
    }
    printf("# mean wait %.3f s (Batsim %.3f), slowdown %.4f, %.1f %% of the starts are equal\n",
           wait_s, theirs_s, slowdown, 100.0 * (double)same / N(jobs));
    UNIT_DBL(theirs_s, 9.516, 0.001, "the file's own mean wait");
    UNIT_DBL(wait_s, 8.68, 0.05, "mean wait");
    UNIT_DBL(slowdown, 1.405, 0.005, "mean slowdown");
    UNIT_OK(same >= 0.9 * N(jobs), "%zu equal starts", same);
    sim_result_fini(&r);
}

struct easy {
    const char *what;
    struct {
        int64_t submit_s, run_s, limit_s;
        uint32_t cores;
        int64_t start_s; /* that is right; -1: left out */
    } jobs[8];
};

static void test_easy(void)
{
    static const struct easy cases[] = {
        {"one into the gap, one would delay the head, one beside it",
         {{0, 100, 100, 6, 0},
          {1, 50, 50, 8, 100},
          {2, 200, 200, 2, 2},   /* on the two cores that the head leaves */
          {3, 300, 300, 2, 150}, /* there are no more of these */
          {4, 50, 90, 2, 4}}},   /* done before the head's turn */
        {"what counts is the limit, not the run time",
         {{0, 10, 100, 6, 0}, {1, 50, 50, 8, 10}, {2, 5, 98, 4, 2}, {3, 5, 99, 4, 60}}},
        {"who runs past its limit may end any moment",
         {{0, 100, 50, 6, 0}, {1, 50, 50, 8, 100}, {60, 5, 10, 4, 150}, {61, 1, 1, 4, 61}}},
        {"a limit that is not known is the run time",
         {{0, 100, 0, 6, 0}, {1, 50, 0, 8, 100}, {2, 98, 0, 4, 2}, {3, 98, 0, 3, 150}}},
        {"all who end at the head's turn make room beside it",
         {{0, 100, 100, 3, 0}, {0, 100, 100, 3, 0}, {1, 50, 50, 5, 100}, {2, 400, 400, 4, 2}}},
        {"too large for the machine",
         {{0, 100, 100, 11, -1}, {0, 100, 100, 10, 0}, {0, 1, 1, 4000000000, -1}}},
        {"one end and one start in a second", {{0, 100, 100, 10, 0}, {100, 5, 5, 10, 100}}},
    };

    for (size_t c = 0; c < N(cases); c++) {
        struct sim_settings set = {.cores = 10};
        struct sim_job jobs[8];
        struct workload w = {.jobs = jobs};
        struct sim_result r;
        size_t left_out = 0;

        for (; w.n < 8 && cases[c].jobs[w.n].cores; w.n++) {
            jobs[w.n] = (struct sim_job){.submit_s = cases[c].jobs[w.n].submit_s,
                                         .run_s = cases[c].jobs[w.n].run_s,
                                         .limit_s = cases[c].jobs[w.n].limit_s,
                                         .cores = cases[c].jobs[w.n].cores};
            left_out += cases[c].jobs[w.n].start_s < 0;
        }
        r = _run(&w, &flat, &set);
        for (size_t i = 0; i < w.n; i++) {
            int64_t want_s = cases[c].jobs[i].start_s;

            UNIT_INT(r.start_s[i], want_s < 0 ? 0 : want_s, "%s: job %zu", cases[c].what, i);
            UNIT_INT(r.end_s[i], want_s < 0 ? 0 : want_s + jobs[i].run_s, "%s: end of job %zu",
                     cases[c].what, i);
        }
        UNIT_INT(r.left_out, left_out, "%s: left out", cases[c].what);
        sim_result_fini(&r);
    }
}

/* Hours are passed over while no job could be paused; when one can again, time goes on from there.
 */
static void test_hours_passed_over(void)
{
    struct sim_job jobs[] = {{.submit_s = 0, .run_s = 100 * HOUR, .cores = 10},
                             {.submit_s = 1, .run_s = 10 * HOUR, .cores = 6},
                             {.submit_s = 2, .run_s = 10 * HOUR, .cores = 8},
                             {.submit_s = 3, .run_s = 20 * HOUR, .cores = 4}};
    struct workload w = {.jobs = jobs, .n = N(jobs)};

    for (uint64_t seed = 0; seed < 64; seed++) {
        struct sim_settings set = {
            .cores = 10, .requeueable = 0.5, .max_delay_s = DAY, .seed = seed};
        struct sim_result r = _run(&w, &flat, &set);

        UNIT_INT(r.start_s[1], 100 * HOUR, "seed %llu", (unsigned long long)seed);
        UNIT_INT(r.start_s[3], 120 * HOUR, "seed %llu", (unsigned long long)seed);
        sim_result_fini(&r);
    }
}

/* ---- whose turn comes in a dirty hour */

struct turn {
    const char *what;
    double requeueable;
    int64_t run_s, dirty_until_s, max_delay_s, start_s, end_s;
};

/* The second job waits for the cores of the first until the grid grows dirty, at five. */
static void test_turn(void)
{
    static const struct turn cases[] = {
        {"not to be paused: its turn is its start", 0, 3 * HOUR, 10 * HOUR, DAY, 5 * HOUR,
         8 * HOUR},
        {"short: its best start from there", 1, 3 * HOUR, 10 * HOUR, DAY, 10 * HOUR, 13 * HOUR},
        {"long: when it is green", 1, 12 * HOUR, 10 * HOUR, DAY, 10 * HOUR, 22 * HOUR},
        {"long, and nothing greener in reach", 1, 12 * HOUR, 60 * HOUR, DAY, 5 * HOUR, 17 * HOUR},
        {"what it waited for the first is not counted", 1, 3 * HOUR, 10 * HOUR, 5 * HOUR, 10 * HOUR,
         13 * HOUR},
        {"but what it would wait for the grid is", 1, 3 * HOUR, 10 * HOUR, 5 * HOUR - 1800,
         9 * HOUR + 1800, 13 * HOUR - 1800},
        {"an hour's bound is none", 1, 3 * HOUR, 10 * HOUR, HOUR - 1, 5 * HOUR, 8 * HOUR},
    };
    for (size_t c = 0; c < N(cases); c++) {
        struct series_point points[] = {{-8 * DAY, 100, 0},
                                        {5 * HOUR, 500, 0},
                                        {cases[c].dirty_until_s, 100, 0},
                                        {50 * DAY, 100, 0}};
        struct series truth = {points, N(points), 100 * DAY};
        struct sim_job jobs[] = {
            {.submit_s = 0, .run_s = 5 * HOUR, .limit_s = 5 * HOUR, .cores = 10},
            {.submit_s = 1, .run_s = cases[c].run_s, .limit_s = cases[c].run_s, .cores = 10}};
        struct workload w = {.jobs = jobs, .n = N(jobs), .has_limits = 1};
        struct sim_settings set = {.policy = SIM_GREENEST,
                                   .cores = 10,
                                   .max_delay_s = cases[c].max_delay_s,
                                   .requeueable = cases[c].requeueable,
                                   .ug_per_area = 1};
        series_sum(points, N(points));
        struct sim_result r = _run(&w, &truth, &set);
        UNIT_INT(r.end_s[0], 5 * HOUR, "%s: the first", cases[c].what);
        UNIT_INT(r.start_s[1], cases[c].start_s, "%s", cases[c].what);
        UNIT_INT(r.end_s[1], cases[c].end_s, "%s: and its end", cases[c].what);
        UNIT_INT(r.pauses, 0, "%s: pauses", cases[c].what);
        sim_result_fini(&r);
    }
}

/* ---- room for plans */

/* Two jobs that each need the whole machine, a dip that holds one, and a lesser one later. */
static void test_room(void)
{
    static const struct {
        double overbook;
        int64_t limit_s, second_s;
        const char *what;
    } cases[] = {{0, 2 * HOUR, 7 * HOUR, "nobody looks: behind the first, in a dirty hour"},
                 {1, 2 * HOUR, 10 * HOUR, "the next dip"},
                 {1, 4 * HOUR, 10 * HOUR, "room by limits, which the first does not use up"},
                 {1, 6 * HOUR, 0, "no room in reach by limits: at once, where a queue decides"},
                 {1.5, 2 * HOUR, 10 * HOUR, "half a job more is none"},
                 {2, 2 * HOUR, 7 * HOUR, "twice the machine"}};
    struct series_point points[] = {{-8 * DAY, 500, 0},  {5 * HOUR, 100, 0},  {7 * HOUR, 500, 0},
                                    {10 * HOUR, 150, 0}, {12 * HOUR, 500, 0}, {50 * DAY, 500, 0}};
    struct series truth = {points, N(points), 100 * DAY};
    series_sum(points, N(points));
    for (size_t c = 0; c < N(cases); c++) {
        struct sim_job job = {.run_s = 2 * HOUR, .limit_s = cases[c].limit_s, .cores = 10};
        struct sim_job jobs[] = {job, job};
        struct workload w = {.jobs = jobs, .n = N(jobs), .has_limits = 1};
        struct sim_settings set = {.policy = SIM_GREENEST,
                                   .cores = 10,
                                   .max_delay_s = 10 * HOUR,
                                   .overbook = cases[c].overbook,
                                   .ug_per_area = 1};
        struct sim_result r = _run(&w, &truth, &set);
        UNIT_INT(r.start_s[0], 5 * HOUR, "%s: the first", cases[c].what);
        UNIT_INT(r.start_s[1], cases[c].second_s, "%s", cases[c].what);
        sim_result_fini(&r);
    }
}

/* ---- what always holds */

#define JOBS 200
#define POINTS 6000

/* Of a seed: jobs over eight days, and a trace by the hour or by the quarter of one around them. */
struct world {
    struct workload w;
    struct sim_job jobs[JOBS];
    struct series truth;
    struct series_point points[POINTS];
};

static void _world(struct world *o, uint64_t seed)
{
    int64_t step_s = seed % 3 == 0 ? HOUR / 4 : HOUR, at_s = 0;
    struct random r;
    double g = 300;

    random_init(&r, seed * 77 + 5);
    for (size_t i = 0; i < POINTS; i++) {
        g = fmin(fmax(g + 25 * random_normal(&r), 5), 900);
        o->points[i] = (struct series_point){(int64_t)i * step_s - 8 * DAY, g, 0};
    }
    series_sum(o->points, POINTS);
    o->truth = (struct series){o->points, POINTS, o->points[POINTS - 1].t_s + step_s};
    for (size_t i = 0; i < JOBS; i++) {
        int64_t run_s = 1 + (int64_t)(exp(8 + 2 * random_normal(&r)));

        at_s += (int64_t)(random_share(&r) * 2 * 8 * DAY / JOBS);
        at_s -= seed % 5 == 0 ? at_s % HOUR : 0; /* many at once, at the top of an hour */
        run_s = run_s > 80 * HOUR ? 80 * HOUR : run_s;
        o->jobs[i] = (struct sim_job){.submit_s = at_s,
                                      .run_s = run_s,
                                      .limit_s = (int64_t)(random_share(&r) * 4 * (double)run_s),
                                      .cores = 1 + (uint32_t)(random_bits(&r) % 16),
                                      .user = (uint32_t)(i % 5),
                                      .key = (uint32_t)(i % 11),
                                      .id = i};
    }
    o->w = (struct workload){
        .jobs = o->jobs, .n = JOBS, .n_users = 5, .n_keys = 11, .has_users = 1, .has_limits = 1};
}

struct edge {
    int64_t t_s, cores;
};

static int _by_time(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;

    if (x->t_s != y->t_s)
        return x->t_s < y->t_s ? -1 : 1;
    return (x->cores > y->cores) - (x->cores < y->cores); /* who leaves goes first */
}

static void _check_cores(const struct sim_result *r, const struct workload *w, uint64_t cores,
                         const char *what)
{
    struct edge *edges = malloc((2 * r->n_pieces + 1) * sizeof(*edges));
    int64_t used = 0, most = 0;

    for (size_t i = 0; i < r->n_pieces; i++) {
        int64_t n = w->jobs[r->pieces[i].job].cores;

        edges[2 * i] = (struct edge){r->pieces[i].start_s, n};
        edges[2 * i + 1] = (struct edge){r->pieces[i].end_s, -n};
    }
    qsort(edges, 2 * r->n_pieces, sizeof(*edges), _by_time);
    for (size_t i = 0; i < 2 * r->n_pieces; i++) {
        used += edges[i].cores;
        most = used > most ? used : most;
    }
    UNIT_OK(cores == 0 || most <= (int64_t)cores, "%s: %lld of %llu cores", what, (long long)most,
            (unsigned long long)cores);
    free(edges);
}

/* Pieces of each job: in order, inside its start and end, as long as it runs, and its grams. */
static void _check_jobs(const struct world *o, const struct sim_settings *set,
                        const struct sim_result *r, const char *what)
{
    size_t pauses = 0, pieces[JOBS] = {0}, bad = 0;
    int64_t ran_s[JOBS] = {0}, last_s[JOBS] = {0};
    double ug[JOBS] = {0};

    for (size_t i = 0; i < r->n_pieces; i++) {
        const struct sim_piece *p = &r->pieces[i];
        double area = 0;

        /* the plain sum, without what series_area() is clever about */
        for (size_t k = series_find(&o->truth, p->start_s);
             k < POINTS && o->points[k].t_s < p->end_s; k++) {
            int64_t a = o->points[k].t_s > p->start_s ? o->points[k].t_s : p->start_s;
            int64_t b =
                k + 1 < POINTS && o->points[k + 1].t_s < p->end_s ? o->points[k + 1].t_s : p->end_s;
            area += o->points[k].g_per_kwh * (double)(b - a);
        }
        bad += p->end_s <= p->start_s || (pieces[p->job] && p->start_s <= last_s[p->job]);
        last_s[p->job] = p->end_s;
        ran_s[p->job] += p->end_s - p->start_s;
        ug[p->job] += area * set->ug_per_area * o->jobs[p->job].cores;
        bad += pieces[p->job] == 0 && p->start_s != r->start_s[p->job];
        pieces[p->job]++;
    }
    for (size_t i = 0; i < JOBS; i++) {
        const struct sim_job *j = &o->jobs[i];
        int64_t switches_s = policy_in_pieces(set->policy) ? 0 : (int64_t)(pieces[i] - 1);

        bad += pieces[i] == 0 || r->start_s[i] < j->submit_s || last_s[i] != r->end_s[i];
        bad += ran_s[i] != j->run_s + switches_s * SIM_SWITCH_S;
        bad += fabs(ug[i] - r->ug[i]) > 1e-9 * ug[i];
        /* without a machine nobody but Carnot makes it wait */
        if (set->cores == 0)
            bad += r->end_s[i] - j->submit_s - ran_s[i] > sim_max_delay_s(set, j);
        pauses += pieces[i] - 1;
    }
    UNIT_INT(bad, 0, "%s: jobs and pieces that are wrong", what);
    UNIT_INT(pauses, r->pauses, "%s: pauses", what);
    UNIT_INT(r->left_out, 0, "%s: left out", what);
}

static void _check_bound(const struct world *o, const struct sim_settings *set,
                         const struct sim_result *asap, const struct sim_result *r,
                         const char *what)
{
    unsigned char counted[JOBS];
    struct err e = {""};
    double ug, emitted = 0;

    for (size_t i = 0; i < JOBS; i++) {
        counted[i] = r->end_s[i] <= asap->end_s[i] + sim_max_delay_s(set, &o->jobs[i]);
        emitted += counted[i] ? r->ug[i] : 0;
    }
    UNIT_INT(bound_find(&o->w, &o->truth, set, asap, counted, 8, &ug, &e), 0, "%s", e.text);
    UNIT_OK(ug > 0 && ug <= emitted * (1 + 1e-9), "%s: bound %g, emitted %g", what, ug, emitted);
}

static int _same(const struct sim_result *a, const struct sim_result *b)
{
    for (size_t i = 0; i < a->n_pieces && a->n_pieces == b->n_pieces; i++)
        if (a->pieces[i].job != b->pieces[i].job || a->pieces[i].start_s != b->pieces[i].start_s ||
            a->pieces[i].end_s != b->pieces[i].end_s)
            return 0;
    return a->n_pieces == b->n_pieces && a->moves == b->moves &&
           memcmp(a->ug, b->ug, a->n * sizeof(*a->ug)) == 0;
}

static void _one(const struct world *o, struct sim_settings set, uint64_t seed,
                 const struct sim_result *asap)
{
    struct sim_result r = _run(&o->w, &o->truth, &set), again;
    char what[160];

    (void)snprintf(what, sizeof(what), "seed %llu, %s, %s, %s, %llu cores, requeueable %g",
                   (unsigned long long)seed, policy_name(set.policy), outlook_name(set.forecast),
                   lengths_name(set.lengths), (unsigned long long)set.cores, set.requeueable);
    _check_cores(&r, &o->w, set.cores, what);
    _check_jobs(o, &set, &r, what);
    _check_bound(o, &set, asap, &r, what);
    again = _run(&o->w, &o->truth, &set);
    UNIT_OK(_same(&r, &again), "%s: twice the same", what);
    sim_result_fini(&r);
    sim_result_fini(&again);
}

static void _all_policies(const struct world *o, uint64_t seed, uint64_t cores)
{
    struct sim_settings set = {.cores = cores,
                               .max_delay_s = seed % 4 == 1 ? 12 * HOUR : -1,
                               .lambda_ug_per_s = 300,
                               .lambda_exponent = 1,
                               .min_gain_ug = seed % 7 == 0 ? 1e5 : 0,
                               .target_wait_s = seed % 6 == 0 ? 1800 : 0,
                               .overbook = seed % 3 == 0   ? 0
                                           : seed % 3 == 1 ? 1
                                                           : 1.5,
                               .seed = seed,
                               .ug_per_area = 10 / 3.6};
    struct sim_result asap = _run(&o->w, &o->truth, &set);

    for (int p = 0; p < SIM_POLICY_N; p++) {
        set.policy = (enum sim_policy)p;
        if (cores ? policy_in_pieces(set.policy) : policy_of_machine(set.policy))
            continue;
        /* every pair of forecast and lengths comes up over the seeds, with and without pausing */
        set.forecast = (enum outlook_kind)((seed + (uint64_t)p) % OUTLOOK_N);
        set.lengths = (enum lengths_kind)((seed / OUTLOOK_N + (uint64_t)p) % LENGTHS_N);
        for (int k = 0; k < 2; k++) {
            set.requeueable = k == 0 ? 0 : seed % 2 ? 1 : 0.5;
            _one(o, set, seed, &asap);
        }
    }
    sim_result_fini(&asap);
}

static void _seeds(uint64_t from, uint64_t to)
{
    static struct world o;

    for (uint64_t seed = from; seed < to; seed++) {
        _world(&o, seed);
        _all_policies(&o, seed, 0);
        _all_policies(&o, seed, 16 + seed % 60);
    }
}

static void test_invariants_0(void)
{
    _seeds(0, 4);
}

static void test_invariants_4(void)
{
    _seeds(4, 8);
}

static void test_invariants_8(void)
{
    _seeds(8, 12);
}

static void test_invariants_12(void)
{
    _seeds(12, 16);
}

/* ---- figures */

static void test_summary(void)
{
    static struct series_point points[2] = {{-8 * DAY, 100, 0}, {10 * HOUR, 50, 0}};
    struct series truth = {points, 2, 100 * DAY};
    struct sim_job jobs[] = {{.submit_s = 0, .run_s = HOUR, .cores = 4, .user = 0},
                             {.submit_s = HOUR, .run_s = 2 * HOUR, .cores = 1, .user = 1}};
    struct workload w = {.jobs = jobs, .n = 2, .n_users = 2, .has_users = 1};
    struct sim_settings set = {
        .cores = 4, .max_delay_s = 12 * HOUR, .ug_per_area = 10 / 3.6, .policy = SIM_ASAP};
    struct summary_power power = {.node_idle_w = 20, .cores_per_node = 2};
    struct sim_result asap, r;
    unsigned char counted[2];
    struct summary u;
    struct err e = {""};
    double bound;

    series_sum(points, 2);
    asap = _run(&w, &truth, &set);
    set.policy = SIM_GREENEST;
    r = _run(&w, &truth, &set);
    UNIT_INT(summary_counted(&w, &asap, counted), 2, "counted");
    UNIT_INT(bound_find(&w, &truth, &set, &asap, counted, 120, &bound, &e), 0, "%s", e.text);
    UNIT_INT(summary_make(&u, &w, &truth, &set, &asap, &r, counted, bound, &power), 0, "made");
    /* both aim for hour 10: four cores then, and one a job's length later */
    UNIT_INT(r.start_s[0], 10 * HOUR, "the first");
    UNIT_INT(r.start_s[1], 11 * HOUR, "the second, once there is room");
    UNIT_DBL(u.asap_g, 4 + 2, 1e-9, "6 core-hours of 10 W at 100 g/kWh");
    UNIT_DBL(u.g, 2 + 1, 1e-9, "at 50");
    UNIT_DBL(u.bound_g, 3, 1e-9, "which is the best there is");
    UNIT_DBL(u.saving, 0.5, 1e-9, "saving");
    UNIT_DBL(u.of_bound, 1, 1e-9, "all of what the bound leaves");
    UNIT_DBL(u.wait_h, 10, 1e-9, "wait");
    UNIT_DBL(u.asap_wait_h, 0, 1e-9, "of asap");
    UNIT_DBL(u.added_h, 10, 1e-9, "added");
    UNIT_DBL(u.added_core_h, 10, 1e-9, "added by core-hours");
    UNIT_DBL(u.slowdown, (11 + 6) / 2.0, 1e-9, "slowdown");
    UNIT_DBL(u.makespan_h, 3, 1e-9, "from 10 to 13");
    UNIT_DBL(u.utilisation, 6 / 12.0, 1e-9, "6 of 12 core-hours");
    UNIT_DBL(u.g_per_hour, 3 / 20.0, 1e-9, "grams an hour");
    UNIT_DBL(u.unfairness, 1, 1e-9, "both wait as long");
    UNIT_INT(u.late, 0, "late");
    sim_result_fini(&asap);
    sim_result_fini(&r);
}

static const struct unit_case cases[] = {
    {"golden", test_golden},
    {"batsim", test_batsim},
    {"easy", test_easy},
    {"hours_passed_over", test_hours_passed_over},
    {"turn", test_turn},
    {"room", test_room},
    {"invariants_0", test_invariants_0},
    {"invariants_4", test_invariants_4},
    {"invariants_8", test_invariants_8},
    {"invariants_12", test_invariants_12},
    {"summary", test_summary},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "simulate");
}
