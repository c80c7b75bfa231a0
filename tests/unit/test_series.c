/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The step function against hand-made windows, against a naive integral on
 * random series, and against published best windows of real grids.
 */
#include "config.h"

#include <math.h>

#include "grid.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* 100 from 1000, 200 from 1010, 0 from 1040, until 1050 */
static struct series_point small[] = {{1000, 100, 0}, {1010, 200, 0}, {1040, 0, 0}};

static struct series _small(void)
{
    series_sum(small, N(small));
    return (struct series){small, N(small), 1050};
}

static void test_find(void)
{
    static const struct {
        int64_t t_s;
        size_t want;
        double at;
    } rows[] = {
        {INT64_MIN, 0, 100}, {0, 0, 100},    {999, 0, 100},       {1000, 0, 100},
        {1009, 0, 100},      {1010, 1, 200}, {1039, 1, 200},      {1040, 2, 0},
        {1049, 2, 0},        {1050, 2, 0},   {INT64_MAX, 2, 0.0},
    };
    struct series s = _small();

    for (size_t i = 0; i < N(rows); i++) {
        UNIT_INT(series_find(&s, rows[i].t_s), rows[i].want, "row %zu", i);
        UNIT_DBL(series_at(&s, rows[i].t_s), rows[i].at, 0, "row %zu", i);
    }
}

static void test_area(void)
{
    static const struct {
        int64_t from_s, to_s;
        double area, mean;
    } rows[] = {
        {1000, 1010, 1000, 100},         /* one step */
        {1000, 1020, 3000, 150},         /* over an edge */
        {1005, 1045, 6500, 162.5},       /* all three */
        {1040, 1050, 0, 0},              /* a clean hour */
        {990, 1000, 1000, 100},          /* before: the first value */
        {980, 990, 1000, 100},           /* wholly outside */
        {1045, 1095, 0, 0},              /* behind: the last value */
        {990, 1100, 8000, 8000.0 / 110}, /* over both ends */
        {1020, 1020, 0, 200},            /* empty: the value there */
        {1040, 1040, 0, 0},              /* empty, on an edge */
        {900, 900, 0, 100},              /* empty, outside */
    };
    struct series s = _small();

    for (size_t i = 0; i < N(rows); i++) {
        UNIT_DBL(series_area(&s, rows[i].from_s, rows[i].to_s, NULL, NULL), rows[i].area, 1e-9,
                 "row %zu", i);
        UNIT_DBL(series_mean(&s, rows[i].from_s, rows[i].to_s), rows[i].mean, 1e-9, "row %zu", i);
    }
}

static void test_single_point(void)
{
    struct series_point p = {5000, 42, 7};
    struct series s = {&p, 1, 5900};

    series_sum(&p, 1);
    UNIT_DBL(p.area, 0, 0, "area starts at zero");
    UNIT_DBL(series_mean(&s, 0, 100000), 42, 1e-9, "holds everywhere");
    UNIT_DBL(series_area(&s, 5000, 5100, NULL, NULL), 4200, 1e-9, "in front");
    series_sum(NULL, 0);
}

static void test_emissions(void)
{
    struct series_point p = {0, 400, 0};
    struct series s = {&p, 1, 3600};

    /* 1 kWh at 400 g/kWh: 400 g */
    UNIT_DBL(series_emissions_ug(&s, 0, 3600, 3.6e12), 400e6, 1e-3, "a kilowatt-hour");
    UNIT_DBL(series_emissions_ug(&s, 0, 3600, 0), 0, 0, "nothing drawn");
    s = _small();
    UNIT_DBL(series_emissions_ug(&s, 1000, 1020, 3.6e12), 150e6, 1e-3, "mean of the window");
    UNIT_DBL(series_emissions_ug(&s, 1015, 1015, 3.6e12), 200e6, 1e-3, "at one moment");
}

static uint64_t random_state = 20220101;

static uint32_t _random(uint32_t below)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(random_state >> 33) % below;
}

static double _naive(const struct series *s, int64_t from_s, int64_t to_s)
{
    double sum = 0;

    for (int64_t t_s = from_s; t_s < to_s; t_s++)
        sum += series_at(s, t_s);
    return sum;
}

static void test_random(void)
{
    struct series_point points[64];

    for (int round = 0; round < 200; round++) {
        size_t n = 1 + _random(N(points));
        struct series s = {points, n, 0};
        int64_t t_s = 1700000000;

        for (size_t i = 0; i < n; i++) {
            points[i].t_s = t_s;
            points[i].g_per_kwh = _random(100000) / 100.0;
            t_s += 1 + _random(50);
        }
        s.end_s = t_s;
        series_sum(points, n);
        for (int i = 0; i < 20; i++) {
            int64_t from_s = points[0].t_s - 20 + _random((uint32_t)(t_s - points[0].t_s) + 40);
            int64_t to_s = from_s + _random(300);

            UNIT_DBL(series_area(&s, from_s, to_s, NULL, NULL), _naive(&s, from_s, to_s), 1e-5,
                     "round %d window %d", round, i);
        }
    }
}

/* With cursors, whatever they hold, the answer is the one without. */
static void test_cursors(void)
{
    static struct series_point points[5000];
    struct series s = {points, N(points), 0};
    size_t from = 0, to = 0, wild = SIZE_MAX;

    for (size_t i = 0; i < N(points); i++)
        points[i] = (struct series_point){(int64_t)i * 900, _random(500), 0};
    s.end_s = (int64_t)N(points) * 900;
    series_sum(points, N(points));
    for (int64_t t_s = -5000; t_s < s.end_s + 5000; t_s += 333)
        UNIT_DBL(series_area(&s, t_s, t_s + 7200, &from, &to),
                 series_area(&s, t_s, t_s + 7200, NULL, NULL), 0, "forward at %lld",
                 (long long)t_s);
    UNIT_INT(from, N(points) - 1, "the cursor has moved along");
    for (int i = 0; i < 2000; i++) {
        int64_t t_s = _random(5000 * 900);

        UNIT_DBL(series_area(&s, t_s, t_s + 100000, &from, &wild),
                 series_area(&s, t_s, t_s + 100000, NULL, NULL), 0, "jump to %lld", (long long)t_s);
        if (i % 100 == 0)
            wild = SIZE_MAX - (size_t)i;
    }
}

/* Rows: slack_0 = sum of J hours from here, non_interrupt = the least such sum that starts within
 * S hours and ends inside the year. */
static void _oracle(const char *zone, int job_h, int slack_h, double want_saving)
{
    static struct series_point points[GRID_2022_HOURS];
    struct series s = grid_2022(points, zone);
    double asap_sum = 0, best_sum = 0;
    char name[96], line[256], copy[256];
    int64_t i = 0;
    FILE *f;

    (void)snprintf(name, sizeof(name), "carbon/oracle-2022-%s-job%dh-slack%dh.csv.gz", zone, job_h,
                   slack_h);
    f = grid_open(name);
    UNIT_OK(fgets(line, sizeof(line), f) != NULL, "header of %s", name);
    for (; fgets(line, sizeof(line), f); i++) {
        size_t from = 0, to = 0;
        double asap = 0, best = INFINITY;

        for (int64_t w = i; w <= i + slack_h && w + job_h <= GRID_2022_HOURS; w++) {
            int64_t from_s = GRID_2022_S + w * 3600;
            double sum = series_area(&s, from_s, from_s + job_h * 3600, &from, &to) / 3600;

            if (w == i)
                asap = sum;
            best = fmin(best, sum);
        }
        (void)snprintf(copy, sizeof(copy), "%s", line);
        UNIT_DBL(asap, strtod(grid_field(line, 0), NULL), 0.006, "%s hour %d at once", zone,
                 (int)i);
        UNIT_DBL(best, strtod(grid_field(copy, 1), NULL), 0.006, "%s hour %d best", zone, (int)i);
        asap_sum += asap;
        best_sum += best;
    }
    (void)pclose(f);
    UNIT_INT(i, job_h == 6 ? 8754 : 8736, "rows of %s", name);
    UNIT_DBL(100 * (1 - best_sum / asap_sum), want_saving, 0.1, "saving %% of %s", name);
}

static void test_oracle_6h(void)
{
    _oracle("DE", 6, 24, 20.2);
    _oracle("ES", 6, 24, 19.8);
    _oracle("FI", 6, 24, 10.0);
}

static void test_oracle_24h(void)
{
    _oracle("DE", 24, 168, 25.0);
    _oracle("ES", 24, 168, 26.4);
    _oracle("FI", 24, 168, 20.0);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"find", test_find},
        {"area", test_area},
        {"single_point", test_single_point},
        {"emissions", test_emissions},
        {"random", test_random},
        {"cursors", test_cursors},
        {"oracle_6h", test_oracle_6h},
        {"oracle_24h", test_oracle_24h},
        {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "series");
}
