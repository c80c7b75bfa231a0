/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forecasts of a simulation. None looks at the trace behind its moment, but for the interface's,
 * which is the truth with an error on it.
 */
#include "config.h"

#include <math.h>

#include "carbon/profile.h"
#include "simulate/outlook.h"
#include "simulate/random.h"

#define HOUR_S 3600
#define DAY_S (24 * HOUR_S)
/* Mean absolute error of a good interface in the first and in the 96th hour (CarbonCast, four
 * issues of DE in 2021: 5.3, 7.3, 9.4, 9.1 % by day), and how much of an hour's error is left in
 * the next one's (0.94: the same file's errors). */
#define API_ERROR_FIRST 0.05
#define API_ERROR_LAST 0.09
#define API_ERROR_STAYS 0.94
/* A normal distribution's standard deviation by its mean absolute deviation. */
#define DEVIATION 1.2533141373155003 /* sqrt(pi / 2) */

const char *outlook_name(enum outlook_kind k)
{
    static const char *const names[] = {"perfect", "api-like", "anchored", "yesterday"};
    return (unsigned)k < OUTLOOK_N ? names[k] : "?";
}

void outlook_init(struct outlook *o, enum outlook_kind kind, const struct series *truth,
                  uint64_t seed)
{
    o->kind = kind;
    o->truth = *truth;
    o->seed = seed;
    o->issued_s = INT64_MIN;
    o->issues = 0;
}

static double hour_mean(const struct outlook *o, int64_t t_s)
{
    return series_mean(&o->truth, t_s, t_s + HOUR_S);
}

/* What is known: whole hours of the trace, and of the issue's own the value at its beginning. */
static void anchored(struct outlook *o)
{
    struct series_point hours[PROFILE_DAYS * 24];
    struct series known = {hours, PROFILE_DAYS * 24, o->issued_s + HOUR_S};
    struct profile p;
    for (int h = 0; h < PROFILE_DAYS * 24; h++) {
        int64_t t_s = o->issued_s - (PROFILE_DAYS * 24 - 1 - h) * HOUR_S;
        double g = t_s < o->issued_s ? hour_mean(o, t_s) : series_at(&o->truth, t_s);
        hours[h] = (struct series_point){t_s, g, 0};
    }
    if (!profile_init(&p, &known))
        return; /* never: a week is known */
    double g_per_kwh[OUTLOOK_HOURS];
    profile_write(&p, o->issued_s, HOUR_S, OUTLOOK_HOURS, g_per_kwh);
    for (int h = 0; h < OUTLOOK_HOURS; h++)
        o->points[h].g_per_kwh = g_per_kwh[h];
}

static void yesterday(struct outlook *o)
{
    o->points[0].g_per_kwh = series_at(&o->truth, o->issued_s);
    for (int h = 1; h < OUTLOOK_HOURS; h++)
        o->points[h].g_per_kwh =
            h < 24 ? hour_mean(o, o->issued_s + h * HOUR_S - DAY_S) : o->points[h - 24].g_per_kwh;
}

static void api(struct outlook *o)
{
    struct random r;
    /* twice through the generator: days that differ by its own step would share their numbers */
    random_init(&r, o->seed);
    random_init(&r, random_bits(&r) ^ (uint64_t)(o->issued_s / DAY_S));
    random_init(&r, random_bits(&r));
    double z = random_normal(&r);
    anchored(o);
    for (int h = 0; h < OUTLOOK_API_HOURS; h++) {
        double share = (double)h / (OUTLOOK_API_HOURS - 1);
        double error = API_ERROR_FIRST + (API_ERROR_LAST - API_ERROR_FIRST) * share;
        o->points[h].g_per_kwh =
            fmax(hour_mean(o, o->issued_s + h * HOUR_S) * (1 + error * DEVIATION * z), 0);
        z = API_ERROR_STAYS * z + sqrt(1 - API_ERROR_STAYS * API_ERROR_STAYS) * random_normal(&r);
    }
}

struct series outlook_at(struct outlook *o, int64_t now_s)
{
    if (o->kind == OUTLOOK_PERFECT)
        return o->truth;
    int64_t every_s = o->kind == OUTLOOK_API ? DAY_S : HOUR_S;
    int64_t issue_s = now_s - ((now_s % every_s) + every_s) % every_s;
    if (issue_s != o->issued_s) {
        o->issued_s = issue_s;
        o->issues++;
        if (o->kind == OUTLOOK_API)
            api(o);
        else if (o->kind == OUTLOOK_ANCHORED)
            anchored(o);
        else
            yesterday(o);
        for (int h = 0; h < OUTLOOK_HOURS; h++)
            o->points[h].t_s = issue_s + h * HOUR_S;
        series_sum(o->points, OUTLOOK_HOURS);
    }
    return (struct series){o->points, OUTLOOK_HOURS, issue_s + OUTLOOK_HOURS * HOUR_S};
}
