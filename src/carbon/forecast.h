/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the planner believes about [now, now + horizon]: the feed where it reaches,
 * then the chain of fallbacks. Pure but for the process's time zone; allocates the result.
 *
 * Chain: feed -> anchored profile (at least 24 h of samples before its end): mean by
 * local hour of day of the last 7 days, m7, plus rho^h x (last - m7(hour of last)), rho = 0.97
 * (docs/design.md; measured on 12 European zones of 2022: keeps 70 % and more of a perfect
 * forecast's saving in DE, ES, PL, LU) -> last value held, when there is less history -> the
 * zone's yearly average, when there is no sample at all.
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

const char *forecast_quality_name(enum forecast_quality q); /* "feed", "profile", ... */

struct forecast {
    struct series_point *points; /* from the step that holds at now_s on; owned */
    size_t n;
    int64_t end_s;                 /* now_s + horizon_s */
    enum forecast_quality quality; /* of now: where in the chain we are */
    int64_t feed_until_s;          /* the feed itself reaches to here; 0 = no feed */
};

/* feed may be NULL or empty. Equal neighbours are merged; at most max_points points (beyond it,
 * steps are averaged into ever coarser ones from the far end). FORECAST_NONE has n = 0 points.
 * FORECAST_STALE has the points that the profile or the held value give. What *f held before is
 * overwritten, not freed. 0, or -1 and *f untouched (ENOMEM; EINVAL: no horizon, no points). */
int forecast_build(struct forecast *f, const struct feed *feed, int64_t now_s, int64_t horizon_s,
                   int64_t stale_after_s, double yearly_average_g_per_kwh, size_t max_points);

void forecast_fini(struct forecast *f);

static inline struct series forecast_series(const struct forecast *f)
{
    return (struct series){f->points, f->n, f->end_s};
}

#endif
