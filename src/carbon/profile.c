/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daily rhythm of the last week, and what the last sample differs from it: a
 * difference that fades by rho an hour. History may be anything; what is no
 * sample is left out and never filled in. Pure arithmetic.
 */
#include "config.h"

#include <math.h>

#include "carbon/profile.h"

#define HOUR_S 3600
#define DAY_S (24 * HOUR_S)

/* What the samples of each hour of the day come to. */
struct sums {
    double area[24];
    int64_t seconds[24];
};

/* Times from outside may lie at the ends of int64_t. */
static int64_t _plus(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

/* Seconds since midnight UTC, also before 1970. */
static int64_t _second_of_day(int64_t t_s)
{
    return (t_s % DAY_S + DAY_S) % DAY_S;
}

static size_t _hour(int64_t t_s)
{
    return (size_t)(_second_of_day(t_s) / HOUR_S);
}

static void _add(struct sums *sums, int64_t from_s, int64_t to_s, double g_per_kwh)
{
    while (from_s < to_s) {
        int64_t left_s = HOUR_S - _second_of_day(from_s) % HOUR_S;
        int64_t next_s = _plus(from_s, left_s) < to_s ? from_s + left_s : to_s;

        sums->area[_hour(from_s)] += g_per_kwh * (double)(next_s - from_s);
        sums->seconds[_hour(from_s)] += next_s - from_s;
        from_s = next_s;
    }
}

/* Sum the week's samples, newest first. The place of the newest that counts, or n. */
static size_t _sum(struct sums *sums, const struct series *history)
{
    int64_t week_s = _plus(history->end_s, -PROFILE_DAYS * DAY_S), end_s = history->end_s;
    size_t last = history->n;

    for (size_t i = history->n; i-- > 0 && end_s > week_s;) {
        const struct series_point *p = &history->points[i];
        int64_t to_s = _plus(p->t_s, PROFILE_HOLD_S);

        if (to_s > end_s)
            to_s = end_s;
        if (p->t_s >= end_s) /* out of order */
            continue;
        end_s = p->t_s;
        /* NaN fails both comparisons */
        if (!(p->g_per_kwh >= 0.0 && p->g_per_kwh <= SERIES_G_PER_KWH_MAX) || to_s <= week_s)
            continue;
        _add(sums, p->t_s > week_s ? p->t_s : week_s, to_s, p->g_per_kwh);
        if (last == history->n)
            last = i;
    }
    return last;
}

int profile_init(struct profile *p, const struct series *history)
{
    struct sums sums = {0};
    struct profile made = {.known_s = 0};
    size_t last = _sum(&sums, history);
    double area = 0.0;

    for (int hour = 0; hour < 24; hour++) {
        area += sums.area[hour];
        made.known_s += sums.seconds[hour];
    }
    if (made.known_s < PROFILE_LEAST_S)
        return 0;
    for (int hour = 0; hour < 24; hour++)
        made.m7_g_per_kwh[hour] = sums.seconds[hour] > 0
                                      ? sums.area[hour] / (double)sums.seconds[hour]
                                      : area / (double)made.known_s;
    made.last_s = history->points[last].t_s;
    made.anomaly = history->points[last].g_per_kwh - made.m7_g_per_kwh[_hour(made.last_s)];
    *p = made;
    return 1;
}

/* How much of the anomaly is left at t_s. */
static double _left(const struct profile *p, int64_t t_s)
{
    double hours = ((double)t_s - (double)p->last_s) / HOUR_S;

    return hours > 0.0 ? pow(PROFILE_RHO, hours) : 1.0;
}

/* A low last sample below a steep rhythm may leave what is physical. */
static double _value(const struct profile *p, int64_t t_s, double left)
{
    double g_per_kwh = p->m7_g_per_kwh[_hour(t_s)] + left * p->anomaly;

    return fmin(fmax(g_per_kwh, 0.0), SERIES_G_PER_KWH_MAX);
}

double profile_at(const struct profile *p, int64_t t_s)
{
    return _value(p, t_s, _left(p, t_s));
}

void profile_write(const struct profile *p, int64_t from_s, int64_t step_s, size_t n,
                   double *g_per_kwh)
{
    double left = _left(p, from_s), fade = pow(PROFILE_RHO, (double)step_s / HOUR_S);

    for (size_t i = 0; i < n; i++, from_s = _plus(from_s, step_s)) {
        g_per_kwh[i] = _value(p, from_s, left);
        if (from_s >= p->last_s)
            left *= fade;
        else
            left = _left(p, _plus(from_s, step_s));
    }
}
