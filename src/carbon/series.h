/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carbon intensity over time: a step function with prefix sums.
 *
 * Intensity holds from one point's time to the next point's; the last value holds
 * until end_s. Means over any window come from the prefix sums in O(log n), or
 * O(1) with a cursor that moves forward. Pure arithmetic: no I/O, no clock, no
 * allocation except where said.
 */
#ifndef CARNOT_CARBON_SERIES_H
#define CARNOT_CARBON_SERIES_H

#include <stddef.h>
#include <stdint.h>
#include "common/err.h"

#define SERIES_POINTS_MAX 200000
#define SERIES_G_PER_KWH_MAX                                                                       \
    5000.0 /* coal plants reach about 1100; beyond this a feed is broken                           \
            */

/* One step. area = integral of g_per_kwh from the first point's time to t_s, in
 * g/kWh x s. This is also the layout in the board file. */
struct series_point {
    int64_t t_s; /* seconds since the epoch, UTC, strictly increasing */
    double g_per_kwh;
    double area;
};

/* A borrowed view: n >= 1 points and the time until which the last one holds. */
struct series {
    const struct series_point *points;
    size_t n;
    int64_t end_s; /* > points[n-1].t_s */
};

/* Fill area of n points from t_s and g_per_kwh. */
void series_sum(struct series_point *points, size_t n);

/* Index of the step that holds at t_s: 0 for earlier times, n-1 for later ones. O(log n). */
size_t series_find(const struct series *s, int64_t t_s);

/* Intensity at t_s in g/kWh; the first value before the series, the last behind it. */
double series_at(const struct series *s, int64_t t_s);

/* The same from a hint on, which is moved there: 0 at first, NULL = none. O(1) for a time that is
 * little later than the one before. */
size_t series_find_from(const struct series *s, int64_t t_s, size_t *cursor);

/* Integral of intensity from the first point's time to t_s, in g/kWh x s; cursor: a hint as above.
 * Here, for a search takes thousands of them. Differences as doubles: integers of times from
 * outside might overflow. */
static inline double series_integral(const struct series *s, int64_t t_s, size_t *cursor)
{
    const struct series_point *p = s->points;
    size_t i = cursor ? *cursor : 0;

    for (int step = 0; step < 4 && i + 1 < s->n && p[i + 1].t_s <= t_s; step++)
        i++;
    if (!cursor || i + 1 >= s->n || t_s < p[i].t_s || t_s >= p[i + 1].t_s)
        i = series_find_from(s, t_s, cursor);
    else
        *cursor = i;
    return p[i].area + p[i].g_per_kwh * ((double)t_s - (double)p[i].t_s);
}

/* Integral of intensity over [from_s, to_s] in g/kWh x s; from_s <= to_s. Outside the series
 * the edge values go on. The cursors (NULL, or 0 at first) are hints for series_find: calls with
 * times that only grow cost O(1) each. */
double series_area(const struct series *s, int64_t from_s, int64_t to_s, size_t *cursor_from,
                   size_t *cursor_to);

/* Mean intensity over [from_s, to_s] in g/kWh; series_at(from_s) if the window is empty. */
double series_mean(const struct series *s, int64_t from_s, int64_t to_s);

/* Emissions in micrograms of energy_uj drawn evenly over [from_s, to_s]. */
double series_emissions_ug(const struct series *s, int64_t from_s, int64_t to_s, double energy_uj);

#endif
