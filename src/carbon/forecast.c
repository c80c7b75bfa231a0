/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The planner's view of the coming hours: the feed's own samples, and behind
 * them the first model of the chain that the history allows. The anchored
 * profile is the daily rhythm of the last week plus what the last sample differs
 * from it, a difference that fades by rho an hour. Pure but for the process's
 * time zone; one allocation, kept for the result.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "carbon/forecast.h"

#define HOUR_S 3600
#define DAY_S (24 * HOUR_S)
#define PROFILE_DAYS 7
#define PROFILE_RHO 0.97

/* Mean intensity by local hour of the day, and how the last sample differs from it. */
struct profile {
    double g_per_kwh[24];
    int64_t last_s;
    double anomaly;
};

struct builder {
    struct series_point *points;
    size_t n, room;
};

const char *forecast_quality_name(enum forecast_quality q)
{
    static const char *const names[] = {"none", "feed", "profile", "held", "average", "stale"};

    return (size_t)q < sizeof(names) / sizeof(names[0]) ? names[q] : "none";
}

/* The local hour of day that holds t_s, and where the next one starts. */
static int _local_hour(int64_t t_s, int64_t *next_s)
{
    time_t t = (time_t)t_s;
    struct tm tm;

    if (!localtime_r(&t, &tm)) {
        *next_s = t_s + HOUR_S;
        return 0;
    }
    /* a leap second in "right/" zones makes 60: the next hour still starts later than t_s */
    *next_s = t_s + HOUR_S - tm.tm_min * 60 - (tm.tm_sec < 60 ? tm.tm_sec : 59);
    return tm.tm_hour;
}

static void _profile_init(struct profile *p, const struct feed *feed)
{
    const struct series s = {feed->points, feed->n, feed->end_s};
    int64_t from_s = feed->end_s - PROFILE_DAYS * DAY_S, next_s;
    double area[24] = {0}, seconds[24] = {0}, mean;
    size_t cursor_from = 0, cursor_to = 0;

    if (from_s < feed->points[0].t_s)
        from_s = feed->points[0].t_s;
    mean = series_mean(&s, from_s, feed->end_s);
    for (int64_t t_s = from_s; t_s < feed->end_s; t_s = next_s) {
        int hour = _local_hour(t_s, &next_s);

        if (next_s > feed->end_s)
            next_s = feed->end_s;
        area[hour] += series_area(&s, t_s, next_s, &cursor_from, &cursor_to);
        seconds[hour] += (double)(next_s - t_s);
    }
    /* an hour that the one day of history skipped (daylight saving) gets the mean */
    for (int hour = 0; hour < 24; hour++)
        p->g_per_kwh[hour] = seconds[hour] > 0.0 ? area[hour] / seconds[hour] : mean;
    p->last_s = feed->points[feed->n - 1].t_s;
    p->anomaly =
        feed->points[feed->n - 1].g_per_kwh - p->g_per_kwh[_local_hour(p->last_s, &next_s)];
}

/* Forecast for the hour that holds t_s. */
static double _profile_at(const struct profile *p, int64_t t_s, int64_t *next_s)
{
    double hours = (double)(t_s - p->last_s) / HOUR_S;
    double g_per_kwh =
        p->g_per_kwh[_local_hour(t_s, next_s)] + pow(PROFILE_RHO, hours) * p->anomaly;

    /* a cheap last sample minus a steep profile may leave what is physical */
    return fmin(fmax(g_per_kwh, 0.0), SERIES_G_PER_KWH_MAX);
}

/* Without room the last value holds: only a time zone with hundreds of shifts gets there. */
static void _append(struct builder *b, int64_t t_s, double g_per_kwh)
{
    if (b->n == b->room)
        return;
    if (b->n && b->points[b->n - 1].g_per_kwh >= g_per_kwh &&
        b->points[b->n - 1].g_per_kwh <= g_per_kwh)
        return;
    b->points[b->n++] = (struct series_point){t_s, g_per_kwh, 0.0};
}

/* Average neighbours until at most max are left, pairs from the far end first: what lies near is
 * known best and used most. Keeps every integral that starts and ends on a point that is left. */
static size_t _coarsen(struct series_point *p, size_t n, int64_t end_s, size_t max)
{
    while (n > max) {
        size_t pairs = n - max < n / 2 ? n - max : n / 2;
        size_t to = n - 2 * pairs;

        for (size_t i = to; i + 1 < n; i += 2, to++) {
            double a = (double)(p[i + 1].t_s - p[i].t_s);
            double b = (double)((i + 2 < n ? p[i + 2].t_s : end_s) - p[i + 1].t_s);

            p[to].t_s = p[i].t_s;
            p[to].g_per_kwh = (p[i].g_per_kwh * a + p[i + 1].g_per_kwh * b) / (a + b);
        }
        n = to;
    }
    return n;
}

/* The feed's steps from the one that holds at now_s to end_s; none if it has ended. */
static void _append_feed(struct builder *b, const struct feed *feed, int64_t now_s, int64_t end_s)
{
    const struct series s = {feed->points, feed->n, feed->end_s};
    size_t i = series_find(&s, now_s);

    if (feed->end_s <= now_s)
        return;
    /* a feed that starts in the future: its first value holds until then */
    if (feed->points[i].t_s > now_s)
        _append(b, now_s, feed->points[i++].g_per_kwh);
    for (; i < feed->n && feed->points[i].t_s < end_s; i++)
        _append(b, feed->points[i].t_s, feed->points[i].g_per_kwh);
}

static bool _has_profile(const struct feed *feed)
{
    return feed->end_s - feed->points[0].t_s >= DAY_S;
}

static enum forecast_quality _quality(const struct feed *feed, int64_t now_s, int64_t stale_after_s)
{
    if (feed->end_s > now_s)
        return FORECAST_FEED;
    if (now_s - feed->end_s > stale_after_s)
        return FORECAST_STALE;
    return _has_profile(feed) ? FORECAST_PROFILE : FORECAST_HELD;
}

/* From where the feed ends, or now, to end_s. */
static void _append_model(struct builder *b, const struct feed *feed, int64_t now_s, int64_t end_s)
{
    int64_t t_s = feed->end_s > now_s ? feed->end_s : now_s, next_s;
    struct profile profile;

    if (!_has_profile(feed)) {
        if (t_s < end_s)
            _append(b, t_s, feed->points[feed->n - 1].g_per_kwh);
        return;
    }
    _profile_init(&profile, feed);
    for (; t_s < end_s; t_s = next_s) {
        double g_per_kwh = _profile_at(&profile, t_s, &next_s);

        _append(b, t_s, g_per_kwh);
    }
}

int forecast_build(struct forecast *f, const struct feed *feed, int64_t now_s, int64_t horizon_s,
                   int64_t stale_after_s, double yearly_average_g_per_kwh, size_t max_points)
{
    struct forecast built = {.end_s = now_s + horizon_s};
    struct builder b = {0};
    bool has_feed = feed && feed->n > 0;
    size_t hours = (size_t)(horizon_s / HOUR_S);

    if (horizon_s <= 0 || max_points == 0) {
        errno = EINVAL;
        return -1;
    }
    /* the feed's points, one more before them, an hour each behind them, shifts of the zone */
    b.room = (has_feed ? feed->n : 0) + hours + hours / 64 + 8;
    b.points = calloc(b.room, sizeof(*b.points));
    if (!b.points)
        return -1;
    if (has_feed) {
        built.quality = _quality(feed, now_s, stale_after_s);
        built.feed_until_s = feed->end_s;
        _append_feed(&b, feed, now_s, built.end_s);
        _append_model(&b, feed, now_s, built.end_s);
    } else if (yearly_average_g_per_kwh > 0.0) {
        built.quality = FORECAST_AVERAGE;
        _append(&b, now_s, yearly_average_g_per_kwh);
    }
    built.n = _coarsen(b.points, b.n, built.end_s, max_points);
    series_sum(b.points, built.n);
    built.points = b.points;
    if (built.n == 0) {
        free(b.points);
        built.points = NULL;
    }
    *f = built;
    return 0;
}

void forecast_fini(struct forecast *f)
{
    int saved = errno;

    free(f->points);
    *f = (struct forecast){0};
    errno = saved;
}
