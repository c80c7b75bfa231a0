/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the planner believes about [now, now + horizon]: the feed where it reaches,
 * then the chain of fallbacks. Pure; allocates the result.
 *
 * Chain: feed -> anchored profile (carbon/profile.h), where there is a day of samples -> last value
 * held, when there is less history -> the zone's yearly average, when there is no sample at all.
 * The profile goes on from the feed's own last value, so that there is no jump where the feed ends.
 */
#ifndef CARNOT_CARBON_FORECAST_H
#define CARNOT_CARBON_FORECAST_H

#include "carbon/feed.h"

enum forecast_quality {
    FORECAST_NONE = 0, /* nothing known: nobody may be made to wait */
    FORECAST_FEED,     /* the feed's own samples reach beyond now */
    FORECAST_PROFILE,  /* anchored profile from now on */
    FORECAST_HELD,     /* last value held */
    FORECAST_AVERAGE,  /* yearly average */
    FORECAST_STALE     /* the feed ended longer than stale_after ago */
};
#define FORECAST_QUALITIES (FORECAST_STALE + 1)

const char *forecast_quality_name(enum forecast_quality q); /* "feed", "profile", ... */

struct forecast {
    struct series_point *points; /* from the step that holds at now_s on; owned */
    size_t n;
    int64_t end_s;                 /* now_s + horizon_s */
    enum forecast_quality quality; /* of now: where in the chain we are */
    int64_t feed_until_s;          /* the feed itself reaches to here; 0 = no feed */
    enum forecast_quality model;   /* of what lies behind that: PROFILE, HELD, AVERAGE, or NONE */
    int64_t known_s;               /* seconds of samples behind the profile; else 0 */
};

/* feed may be NULL or empty. Equal neighbours are merged; at most max_points points (beyond it,
 * steps are averaged into ever coarser ones from the far end). FORECAST_NONE has n = 0 points.
 * FORECAST_STALE has the points that the profile or the held value give. What *f held before is
 * overwritten, not freed. 0, or -1 and *f untouched (ENOMEM; EINVAL: no horizon, no points). */
int forecast_build(struct forecast *f, const struct feed *feed, int64_t now_s, int64_t horizon_s,
                   int64_t stale_after_s, double yearly_average_g_per_kwh, size_t max_points);

void forecast_fini(struct forecast *f);

/* Whose word the hours before to_s are: FORECAST_FEED where the feed reaches as far, else f->model.
 */
enum forecast_quality forecast_source(const struct forecast *f, int64_t to_s);

static inline struct series forecast_series(const struct forecast *f)
{
    return (struct series){f->points, f->n, f->end_s};
}

#endif
