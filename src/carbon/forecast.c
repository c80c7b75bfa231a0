/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The planner's view of the coming hours: the feed's own samples, and behind
 * them the first model of the chain that the history allows. One allocation,
 * kept for the result.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "carbon/forecast.h"
#include "carbon/profile.h"

#define HOUR_S 3600

struct builder {
    struct series_point *points;
    size_t n, room;
};

const char *forecast_quality_name(enum forecast_quality q)
{
    static const char *const names[] = {"none", "feed", "profile", "held", "average", "stale"};

    return (size_t)q < sizeof(names) / sizeof(names[0]) ? names[q] : "none";
}

static void _append(struct builder *b, int64_t t_s, double g_per_kwh)
{
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

static enum forecast_quality _quality(const struct feed *feed, int64_t now_s, int64_t stale_after_s,
                                      enum forecast_quality model)
{
    if (feed->end_s > now_s)
        return FORECAST_FEED;
    return now_s - feed->end_s > stale_after_s ? FORECAST_STALE : model;
}

/* From where the feed ends, or now, to end_s. What it was that was appended. */
static enum forecast_quality _append_model(struct builder *b, const struct feed *feed,
                                           int64_t now_s, int64_t end_s, int64_t *known_s)
{
    const struct series history = {feed->points, feed->n, feed->end_s};
    int64_t t_s = feed->end_s > now_s ? feed->end_s : now_s;
    struct profile profile;

    if (t_s >= end_s)
        return FORECAST_NONE;
    if (!profile_init(&profile, &history)) {
        _append(b, t_s, feed->points[feed->n - 1].g_per_kwh);
        return FORECAST_HELD;
    }
    *known_s = profile.known_s;
    for (; t_s < end_s; t_s += HOUR_S - (t_s % HOUR_S + HOUR_S) % HOUR_S)
        _append(b, t_s, profile_at(&profile, t_s));
    return FORECAST_PROFILE;
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
    /* the feed's points, one before them, one an hour behind them of which two are cut */
    b.room = (has_feed ? feed->n : 0) + hours + 3;
    b.points = calloc(b.room, sizeof(*b.points));
    if (!b.points)
        return -1;
    if (has_feed) {
        built.feed_until_s = feed->end_s;
        _append_feed(&b, feed, now_s, built.end_s);
        built.model = _append_model(&b, feed, now_s, built.end_s, &built.known_s);
        built.quality = _quality(feed, now_s, stale_after_s, built.model);
    } else if (yearly_average_g_per_kwh > 0.0) {
        built.quality = built.model = FORECAST_AVERAGE;
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

enum forecast_quality forecast_source(const struct forecast *f, int64_t to_s)
{
    return to_s <= f->feed_until_s ? FORECAST_FEED : f->model;
}
