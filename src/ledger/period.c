/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words and calendar of budgets. A period starts at the first moment of a local
 * day. Not by mktime(): where clocks change at midnight, 00:00 does not exist or
 * comes twice, and its answer then depends on what it was asked before; the edge
 * of two periods has to be the same from both sides.
 */
#include "config.h"

#include <string.h>
#include <time.h>

#include "ledger/ledger.h"

#define DAY_S 86400
#define SHIFT_S 900 /* zones move by multiples of a quarter of an hour */

static const char *const scopes[] = {"account", "user"};
static const char *const resources[] = {"energy", "carbon"};
static const char *const periods[] = {"once", "day", "week", "month"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *_name(const char *const *names, size_t n, unsigned i)
{
    return i < n ? names[i] : "?";
}

static int _parse(const char *const *names, size_t n, const char *text)
{
    for (size_t i = 0; text && i < n; i++) {
        if (strcmp(names[i], text) == 0)
            return (int)i;
    }
    return -1;
}

const char *budget_scope_name(enum budget_scope s)
{
    return _name(scopes, COUNT(scopes), s);
}

const char *budget_resource_name(enum budget_resource r)
{
    return _name(resources, COUNT(resources), r);
}

const char *budget_period_name(enum budget_period p)
{
    return _name(periods, COUNT(periods), p);
}

int budget_scope_parse(const char *text)
{
    return _parse(scopes, COUNT(scopes), text);
}

int budget_resource_parse(const char *text)
{
    return _parse(resources, COUNT(resources), text);
}

int budget_period_parse(const char *text)
{
    return _parse(periods, COUNT(periods), text);
}

static int64_t _floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Days since 1970-01-01 of the local date at t_s. */
static int64_t _local_day(int64_t t_s, struct tm *tm)
{
    time_t t = (time_t)t_s;

    if (!localtime_r(&t, tm) && !gmtime_r(&t, tm))
        memset(tm, 0, sizeof(*tm));
    return _floor_div(t_s + tm->tm_gmtoff, DAY_S);
}

/* The first moment whose local date is that day or, for a day that a zone skipped, a later one. */
static int64_t _day_start(int64_t day)
{
    int64_t utc_s = day * DAY_S, t_s;
    struct tm tm;

    _local_day(utc_s, &tm);
    t_s = utc_s - tm.tm_gmtoff;
    while (_local_day(t_s, &tm) < day)
        t_s += SHIFT_S;
    while (_local_day(t_s - SHIFT_S, &tm) >= day)
        t_s -= SHIFT_S;
    return t_s;
}

/* Day number of the first of the month that is months after tm's. */
static int64_t _first_of_month(const struct tm *tm, int months)
{
    struct tm first = {.tm_year = tm->tm_year, .tm_mon = tm->tm_mon + months, .tm_mday = 1};

    return _floor_div(timegm(&first), DAY_S);
}

void budget_period_bounds(enum budget_period p, int64_t t_s, int64_t *start_s, int64_t *next_s)
{
    struct tm tm;
    int64_t day = _local_day(t_s, &tm), next;

    switch (p) {
    case PERIOD_DAY:
        next = day + 1;
        break;
    case PERIOD_WEEK:
        /* day 0 was a Thursday */
        day -= day + 3 - _floor_div(day + 3, 7) * 7;
        next = day + 7;
        break;
    case PERIOD_MONTH:
        next = _first_of_month(&tm, 1);
        day = _first_of_month(&tm, 0);
        break;
    case PERIOD_ONCE:
    default:
        *start_s = *next_s = 0;
        return;
    }
    *start_s = _day_start(day);
    *next_s = _day_start(next);
}
