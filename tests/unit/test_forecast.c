/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chain behind the feed, its shape at the seams, and what the built-in
 * forecast is worth on real grids against knowing the future.
 */
#include "config.h"

#include <errno.h>
#include <math.h>

#include "carbon/forecast.h"
#include "carbon/forecast_error.h"
#include "grid.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define HOUR 3600
#define DAY 86400
#define T0 1800057600 /* 2027-01-16T00:00:00Z */

/* hours of samples that end at end_s; g of (hour of day). */
static void _feed(struct feed *f, struct series_point *points, size_t hours, int64_t end_s,
                  double (*g)(int hour))
{
    for (size_t i = 0; i < hours; i++) {
        points[i].t_s = end_s - (int64_t)(hours - i) * HOUR;
        points[i].g_per_kwh = g((int)(points[i].t_s / HOUR % 24));
    }
    series_sum(points, hours);
    *f = (struct feed){points, hours, end_s, 0};
}

static double _daily(int hour)
{
    return 300 + 100 * cos(hour * M_PI / 12);
}

static double _flat(int hour)
{
    (void)hour;
    return 250;
}

static void test_quality_names(void)
{
    static const char *const names[] = {"none", "feed", "profile", "held", "average", "stale"};

    for (int q = FORECAST_NONE; q <= FORECAST_STALE; q++)
        UNIT_STR(forecast_quality_name((enum forecast_quality)q), names[q], "%d", q);
    UNIT_STR(forecast_quality_name((enum forecast_quality)99), "none", "unknown");
}

/* What holds at now, by how much history there is and how long ago the feed ended. */
static void test_chain(void)
{
    static const struct {
        size_t hours;    /* of samples */
        int64_t ended_s; /* before now; negative: reaches beyond */
        double average;
        enum forecast_quality want, model;
    } rows[] = {
        {0, 0, 0, FORECAST_NONE, FORECAST_NONE},
        {0, 0, 380, FORECAST_AVERAGE, FORECAST_AVERAGE},
        {1, 0, 380, FORECAST_HELD, FORECAST_HELD},
        {23, 0, 380, FORECAST_HELD, FORECAST_HELD},
        {24, 0, 380, FORECAST_PROFILE, FORECAST_PROFILE},
        {168, 0, 0, FORECAST_PROFILE, FORECAST_PROFILE},
        {168, 3 * HOUR, 0, FORECAST_PROFILE, FORECAST_PROFILE},
        {168, 3 * HOUR + 1, 0, FORECAST_STALE, FORECAST_PROFILE},
        {168, 400 * DAY, 380, FORECAST_STALE, FORECAST_PROFILE},
        {5, 3 * HOUR, 0, FORECAST_HELD, FORECAST_HELD},
        {5, 3 * HOUR + 1, 0, FORECAST_STALE, FORECAST_HELD},
        {1, -1, 0, FORECAST_FEED, FORECAST_HELD},
        {168, -48 * HOUR, 0, FORECAST_FEED, FORECAST_PROFILE},
        {168, -96 * HOUR, 0, FORECAST_FEED, FORECAST_NONE},
        {168, -100 * HOUR, 0, FORECAST_FEED, FORECAST_NONE},
    };
    static struct series_point points[200];

    for (size_t i = 0; i < N(rows); i++) {
        struct forecast f;
        struct feed feed;
        struct series s;

        _feed(&feed, points, rows[i].hours, T0 - rows[i].ended_s, _daily);
        UNIT_INT(forecast_build(&f, rows[i].hours ? &feed : NULL, T0, 4 * DAY, 3 * HOUR,
                                rows[i].average, 1000),
                 0, "row %zu", i);
        UNIT_INT(f.quality, rows[i].want, "row %zu", i);
        UNIT_INT(f.model, rows[i].model, "row %zu", i);
        UNIT_INT(f.known_s, rows[i].model != FORECAST_PROFILE ? 0 : (int64_t)rows[i].hours * HOUR,
                 "row %zu", i);
        UNIT_INT(f.feed_until_s, rows[i].hours ? feed.end_s : 0, "row %zu", i);
        UNIT_INT(f.end_s, T0 + 4 * DAY, "row %zu", i);
        UNIT_INT(f.n == 0, rows[i].want == FORECAST_NONE, "row %zu has points", i);
        s = forecast_series(&f);
        if (f.n) {
            UNIT_OK(f.points[0].t_s <= T0, "row %zu begins at now", i);
            UNIT_OK(f.points[f.n - 1].t_s < f.end_s, "row %zu ends in time", i);
        }
        if (rows[i].want == FORECAST_AVERAGE)
            UNIT_DBL(series_mean(&s, T0, f.end_s), 380, 1e-9, "row %zu", i);
        /* with no anomaly the profile is the rhythm itself, also long after */
        if (rows[i].hours >= 24 && rows[i].ended_s % HOUR == 0)
            for (int64_t t_s = T0; t_s < f.end_s; t_s += HOUR)
                UNIT_DBL(series_at(&s, t_s), _daily((int)(t_s / HOUR % 24)), 1e-9, "row %zu %lld",
                         i, (long long)(t_s - T0));
        forecast_fini(&f);
        UNIT_OK(!f.points && f.n == 0, "fini zeroes");
    }
    {
        struct feed empty = {0};
        struct forecast f;

        UNIT_INT(forecast_build(&f, &empty, T0, DAY, HOUR, 100, 10), 0, "a feed without samples");
        UNIT_INT(f.quality, FORECAST_AVERAGE, "is no feed");
        forecast_fini(&f);
    }
}

/* The model starts from the last sample, and its anomaly fades by 3 % an hour. */
static void test_anchor(void)
{
    static struct series_point points[168];
    struct forecast f;
    struct feed feed;
    struct series s;

    _feed(&feed, points, 168, T0, _flat);
    points[167].g_per_kwh = 320;
    series_sum(points, 168);
    UNIT_INT(forecast_build(&f, &feed, T0, 5 * DAY, HOUR, 0, 1000), 0, "build");
    s = forecast_series(&f);
    for (int h = 1; h <= 120; h++) {
        int64_t t_s = T0 + (h - 1) * HOUR;
        double m7 = t_s / HOUR % 24 == 23 ? 260 : 250; /* 320 is one of the seven at 23 h */

        UNIT_DBL(series_at(&s, t_s), m7 + 60 * pow(0.97, h), 1e-9, "hour %d", h);
    }
    forecast_fini(&f);
}

/* No jump where the feed ends and the model begins: hardly more than the rhythm's own steepest hour
 * (26), though the feed has drifted up to 49 away from the rhythm. */
static void test_continuity(void)
{
    static struct series_point points[200];
    struct forecast f;
    struct feed feed;
    struct series s;

    for (int ahead = 0; ahead < 30; ahead++) {
        _feed(&feed, points, 200, T0 + ahead * HOUR, _daily);
        for (size_t i = 0; i < 200; i++)
            points[i].g_per_kwh += i > 150 ? (double)i - 150 : 0; /* drifts away */
        series_sum(points, 200);
        UNIT_INT(forecast_build(&f, &feed, T0, 4 * DAY, HOUR, 0, 1000), 0, "build");
        s = forecast_series(&f);
        for (int64_t t_s = T0; t_s + HOUR < f.end_s; t_s += HOUR)
            UNIT_OK(fabs(series_at(&s, t_s + HOUR) - series_at(&s, t_s)) < 36, "%d ahead, %lld",
                    ahead, (long long)(t_s - T0) / HOUR);
        for (int h = 0; h < ahead; h++)
            UNIT_DBL(series_at(&s, T0 + h * HOUR), points[200 - ahead + h].g_per_kwh, 0,
                     "the feed itself, %d of %d", h, ahead);
        forecast_fini(&f);
    }
}

static void test_now_inside_step(void)
{
    struct series_point points[] = {{T0, 10, 0}, {T0 + HOUR, 20, 0}, {T0 + 2 * HOUR, 30, 0}};
    struct feed feed = {points, N(points), T0 + 3 * HOUR, 0};
    struct forecast f;

    series_sum(points, N(points));
    UNIT_INT(forecast_build(&f, &feed, T0 + HOUR + 600, HOUR, HOUR, 0, 100), 0, "build");
    UNIT_INT(f.n, 2, "two steps touch the window");
    UNIT_INT(f.points[0].t_s, T0 + HOUR, "from the step that holds now");
    UNIT_INT(f.end_s, T0 + 2 * HOUR + 600, "to the horizon");
    forecast_fini(&f);
    /* a feed that begins later: its first value until then */
    UNIT_INT(forecast_build(&f, &feed, T0 - 600, HOUR, HOUR, 0, 100), 0, "build");
    UNIT_INT(f.points[0].t_s, T0 - 600, "from now");
    UNIT_DBL(f.points[0].g_per_kwh, 10, 0, "with its first value");
    UNIT_INT(f.n, 1, "equal neighbours are one");
    forecast_fini(&f);
}

static void test_merge(void)
{
    static struct series_point points[168];
    struct forecast f;
    struct feed feed;

    _feed(&feed, points, 168, T0, _flat);
    UNIT_INT(forecast_build(&f, &feed, T0, 14 * DAY, HOUR, 0, 1000), 0, "build");
    UNIT_INT(f.n, 1, "a flat forecast is one step");
    UNIT_DBL(f.points[0].g_per_kwh, 250, 1e-9, "of its value");
    forecast_fini(&f);
}

/* Few points: the near ones stay, the integral of the whole stays. */
static void test_coarse(void)
{
    static const size_t limits[] = {1, 2, 3, 5, 10, 47, 60, 95, 96, 97, 1000};
    static struct series_point points[168];
    struct forecast fine, f;
    struct series s, all;
    struct feed feed;

    _feed(&feed, points, 168, T0, _daily);
    points[167].g_per_kwh = 555;
    series_sum(points, 168);
    UNIT_INT(forecast_build(&fine, &feed, T0, 4 * DAY, HOUR, 0, 1000), 0, "build");
    UNIT_INT(fine.n, 96, "one an hour");
    all = forecast_series(&fine);
    for (size_t i = 0; i < N(limits); i++) {
        size_t same = 0;

        UNIT_INT(forecast_build(&f, &feed, T0, 4 * DAY, HOUR, 0, limits[i]), 0, "%zu", limits[i]);
        UNIT_INT(f.n, limits[i] < 96 ? limits[i] : 96, "as many as allowed");
        s = forecast_series(&f);
        UNIT_DBL(series_mean(&s, T0, f.end_s), series_mean(&all, T0, f.end_s), 1e-9, "%zu",
                 limits[i]);
        while (same < f.n && f.points[same].t_s == fine.points[same].t_s &&
               fabs(f.points[same].g_per_kwh - fine.points[same].g_per_kwh) < 1e-12)
            same++;
        if (limits[i] >= 48)
            UNIT_OK(same >= 2 * f.n - 96, "%zu: %zu near ones are exact", limits[i], same);
        for (size_t k = 1; k < f.n; k++)
            UNIT_OK(f.points[k].t_s > f.points[k - 1].t_s, "%zu: in order", limits[i]);
        forecast_fini(&f);
    }
    forecast_fini(&fine);
}

static void test_bounds(void)
{
    static struct series_point points[168];
    struct forecast f = {.n = 77};
    struct feed feed;
    struct series s;

    _feed(&feed, points, 168, T0, _daily);
    points[167].g_per_kwh = 0; /* far below a steep profile */
    series_sum(points, 168);
    UNIT_INT(forecast_build(&f, &feed, T0, 4 * DAY, HOUR, 0, 1000), 0, "build");
    s = forecast_series(&f);
    for (size_t i = 0; i < f.n; i++)
        UNIT_OK(f.points[i].g_per_kwh >= 0, "point %zu", i);
    UNIT_OK(series_mean(&s, T0, f.end_s) > 0, "not all zero");
    forecast_fini(&f);
    f.n = 77;
    UNIT_INT(forecast_build(&f, &feed, T0, 0, HOUR, 0, 10), -1, "no horizon");
    UNIT_INT(errno, EINVAL, "no horizon");
    UNIT_INT(forecast_build(&f, &feed, T0, DAY, HOUR, 0, 0), -1, "no points");
    UNIT_INT(f.n, 77, "a failure changes nothing");
}

/* Any order; too few say nothing. The k-th of n is the bound: k = ceil(0.8 (n + 1)). */
static void test_errors(void)
{
    static const struct {
        size_t n;
        double mean, within;
    } rows[] = {{0, NAN, NAN},
                {FORECAST_ERROR_LEAST - 1, NAN, NAN},
                {24, 11.5, 19},
                {99, 49, 79},
                {100, 49.5, 80}};
    double sizes[100];
    struct forecast_error error;

    for (size_t i = 0; i < N(rows); i++) {
        for (size_t k = 0; k < rows[i].n; k++)
            sizes[k] = (double)((k * 7 + 3) % rows[i].n); /* 0 .. n - 1 */
        forecast_error_of(&error, sizes, rows[i].n);
        UNIT_INT(error.n, rows[i].n, "row %zu", i);
        if (isnan(rows[i].mean)) {
            UNIT_OK(isnan(error.mean_g_per_kwh) && isnan(error.within_g_per_kwh), "row %zu", i);
            continue;
        }
        UNIT_DBL(error.mean_g_per_kwh, rows[i].mean, 1e-9, "row %zu", i);
        UNIT_DBL(error.within_g_per_kwh, rows[i].within, 0, "row %zu", i);
    }
}

/* Share of the perfect forecast's saving that starts chosen by the built-in one keep: a job of 6 h
 * every 7 h of the year, that may wait for 24 h. */
static double _share_kept(const char *zone)
{
    static struct series_point points[GRID_2022_HOURS];
    struct series truth = grid_2022(points, zone);
    double asap = 0, perfect = 0, kept = 0;

    for (int64_t h = 168; h + 31 < GRID_2022_HOURS; h += 7) {
        struct feed feed = {points, (size_t)h, points[h].t_s, 0};
        int64_t now_s = points[h].t_s, chosen_s = now_s;
        double best = INFINITY, believed = INFINITY;
        struct forecast f;
        struct series s;

        UNIT_INT(forecast_build(&f, &feed, now_s, 2 * DAY, HOUR, 0, 1000), 0, "build");
        s = forecast_series(&f);
        for (int64_t t_s = now_s; t_s <= now_s + DAY; t_s += HOUR) {
            double guess = series_mean(&s, t_s, t_s + 6 * HOUR);

            best = fmin(best, series_mean(&truth, t_s, t_s + 6 * HOUR));
            if (guess < believed) {
                believed = guess;
                chosen_s = t_s;
            }
        }
        asap += series_mean(&truth, now_s, now_s + 6 * HOUR);
        perfect += best;
        kept += series_mean(&truth, chosen_s, chosen_s + 6 * HOUR);
        forecast_fini(&f);
    }
    return (asap - kept) / (asap - perfect);
}

static void test_worth(void)
{
    static const struct {
        const char *zone;
        double least;
    } rows[] = {{"DE", 0.78}, {"ES", 0.80}, {"PL", 0.80}, {"LU", 0.78}, {"FR", 0.62}};

    for (size_t i = 0; i < N(rows); i++) {
        double share = _share_kept(rows[i].zone);

        printf("# %s keeps %.1f %% of the perfect forecast's saving\n", rows[i].zone, 100 * share);
        UNIT_OK(share >= rows[i].least, "%s keeps %.3f", rows[i].zone, share);
    }
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"quality_names", test_quality_names},
        {"chain", test_chain},
        {"anchor", test_anchor},
        {"continuity", test_continuity},
        {"now_inside_step", test_now_inside_step},
        {"merge", test_merge},
        {"coarse", test_coarse},
        {"bounds", test_bounds},
        {"errors", test_errors},
        {"worth", test_worth},
        {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "forecast");
}
