/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A carbon feed from anywhere: what is taken is in order, in range and finite, also when it is
 * mapped onto another time.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "carbon/feed.h"
#include "fuzz.h"

#define NOW_S 1795338000
#define DAY_S 86400

static void _check(const struct feed *feed)
{
    const struct series s = {feed->points, feed->n, feed->end_s};

    if (feed->n < 1 || feed->end_s <= feed->points[feed->n - 1].t_s)
        abort();
    for (size_t i = 0; i < feed->n; i++) {
        const struct series_point *p = &feed->points[i];

        if ((i > 0 && p->t_s <= p[-1].t_s) || !(p->g_per_kwh >= 0) ||
            p->g_per_kwh > SERIES_G_PER_KWH_MAX || !isfinite(p->area))
            abort();
    }
    if (!isfinite(series_mean(&s, NOW_S, NOW_S + DAY_S)) ||
        !isfinite(series_mean(&s, s.points[0].t_s, s.end_s)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed feed = {0};
    struct err e = {""};

    if (feed_parse_csv(&feed, "fuzz.csv", (const char *)data, size, "DE", &e) < 0) {
        if (!e.text[0] || feed.points)
            abort();
        return 0;
    }
    _check(&feed);
    if (feed_replay(&feed, NOW_S, DAY_S, 4 * DAY_S, &e) == 0)
        _check(&feed);
    feed_fini(&feed);
    return 0;
}
