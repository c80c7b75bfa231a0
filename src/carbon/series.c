/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The step function of carbon intensity. Everything rests on one integral, F(t),
 * taken from the first point's time; windows are differences of two F. Times
 * outside the series need no case of their own: the edge steps are simply
 * extended. Pure arithmetic; runs inside slurmctld's submission path.
 */
#include "config.h"

#include "carbon/series.h"

/* g/kWh x uJ -> ug: 3.6e12 uJ in a kWh, 1e6 ug in a gram */
#define UJ_G_PER_KWH_TO_UG (1.0 / 3.6e6)

/* How far a cursor walks before it pays off to search by halves. */
#define CURSOR_STEPS 8

/* The difference in floating point: times from outside may lie at the ends of int64_t, where
 * an integer difference overflows; today's times are exact in a double. */
static double _seconds(int64_t from_s, int64_t to_s)
{
    return (double)to_s - (double)from_s;
}

void series_sum(struct series_point *points, size_t n)
{
    double area = 0.0;

    for (size_t i = 0; i < n; i++) {
        points[i].area = area;
        if (i + 1 < n)
            area += points[i].g_per_kwh * _seconds(points[i].t_s, points[i + 1].t_s);
    }
}

/* The step that holds at t_s, known to be one of [lo, hi). */
static size_t _search(const struct series *s, int64_t t_s, size_t lo, size_t hi)
{
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;

        if (s->points[mid].t_s <= t_s)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

size_t series_find(const struct series *s, int64_t t_s)
{
    return _search(s, t_s, 0, s->n);
}

size_t series_find_from(const struct series *s, int64_t t_s, size_t *cursor)
{
    size_t i;

    if (!cursor)
        return series_find(s, t_s);
    i = *cursor;
    if (i >= s->n) {
        i = series_find(s, t_s);
    } else if (s->points[i].t_s > t_s) {
        i = _search(s, t_s, 0, i + 1);
    } else {
        for (int step = 0; i + 1 < s->n && s->points[i + 1].t_s <= t_s; step++) {
            if (step == CURSOR_STEPS) {
                i = _search(s, t_s, i, s->n);
                break;
            }
            i++;
        }
    }
    *cursor = i;
    return i;
}

double series_at(const struct series *s, int64_t t_s)
{
    return s->points[series_find(s, t_s)].g_per_kwh;
}

double series_area(const struct series *s, int64_t from_s, int64_t to_s, size_t *cursor_from,
                   size_t *cursor_to)
{
    return series_integral(s, to_s, cursor_to) - series_integral(s, from_s, cursor_from);
}

double series_mean(const struct series *s, int64_t from_s, int64_t to_s)
{
    if (to_s <= from_s)
        return series_at(s, from_s);
    return series_area(s, from_s, to_s, NULL, NULL) / _seconds(from_s, to_s);
}

double series_emissions_ug(const struct series *s, int64_t from_s, int64_t to_s, double energy_uj)
{
    return series_mean(s, from_s, to_s) * energy_uj * UJ_G_PER_KWH_TO_UG;
}
