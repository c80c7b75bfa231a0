/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Points in time to and from text. Calendar arithmetic on UTC is our own;
 * local time goes through localtime_r, and so through the process's
 * TZ. English day and month names whatever the locale. No allocation; any thread.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/when.h"

#define DAY_S 86400
#define LAST_S 253402300799LL /* 9999-12-31T23:59:59Z */

static const char *const month_name[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const day_name[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

struct date {
    int year; /* 1970 .. 9999; -1: the next one in which the day lies ahead */
    int month;
    int day;
};

struct timeofday {
    int hour;
    int minute;
    int second;
    bool has_second;
};

static bool _is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly n digits at *p, n <= 4; moves *p behind them. */
static bool _take_digits(const char **p, int n, int *out)
{
    int value = 0;

    for (int i = 0; i < n; i++) {
        if (!_is_digit((*p)[i]))
            return false;
        value = value * 10 + ((*p)[i] - '0');
    }
    *p += n;
    *out = value;
    return true;
}

static bool _take_char(const char **p, char c)
{
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

/* The word, in any case, not followed by another letter. */
static bool _take_word(const char **p, const char *word)
{
    size_t n = strlen(word);
    char next;

    if (strncasecmp(*p, word, n) != 0)
        return false;
    next = (*p)[n];
    if ((next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z'))
        return false;
    *p += n;
    return true;
}

static bool _is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool _is_date(const struct date *d)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (d->year < 1970 || d->year > 9999 || d->month < 1 || d->month > 12 || d->day < 1)
        return false;
    return d->day <= days[d->month - 1] + (d->month == 2 && _is_leap(d->year));
}

/* Days from 1970-01-01; counts from March, so that the leap day is a year's last. */
static int64_t _days_from_date(const struct date *d)
{
    int64_t year = d->month <= 2 ? d->year - 1 : d->year;
    int64_t era = year / 400, of_era = year % 400;
    int64_t of_year = (153 * (d->month + (d->month > 2 ? -3 : 9)) + 2) / 5 + d->day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct date _date_from_days(int64_t days)
{
    int64_t z = days + 719468;
    int64_t era = z / 146097, of_era = z % 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    struct date d;

    d.day = (int)(of_year - (153 * m + 2) / 5 + 1);
    d.month = (int)(m < 10 ? m + 3 : m - 9);
    d.year = (int)(y + era * 400 + (d.month <= 2));
    return d;
}

/* YYYY-MM-DD */
static bool _take_iso_date(const char **p, struct date *d)
{
    return _take_digits(p, 4, &d->year) && _take_char(p, '-') && _take_digits(p, 2, &d->month) &&
           _take_char(p, '-') && _take_digits(p, 2, &d->day) && _is_date(d);
}

/* HH:MM[:SS], hour of one or two digits if short_hour */
static bool _take_time(const char **p, bool short_hour, struct timeofday *t)
{
    struct timeofday got = {0, 0, 0, false};

    if (!_take_digits(p, short_hour && (*p)[0] && (*p)[1] == ':' ? 1 : 2, &got.hour) ||
        !_take_char(p, ':') || !_take_digits(p, 2, &got.minute))
        return false;
    got.has_second = _take_char(p, ':');
    if (got.has_second && !_take_digits(p, 2, &got.second))
        return false;
    if (got.hour > 23 || got.minute > 59 || got.second > 59)
        return false;
    *t = got;
    return true;
}

/* ".123456": milliseconds, the rest is cut off. */
static bool _take_fraction(const char **p, int *ms)
{
    int place = 100;

    *ms = 0;
    if (!_take_char(p, '.'))
        return true;
    if (!_is_digit(**p))
        return false;
    for (; _is_digit(**p); (*p)++, place /= 10)
        *ms += place * (**p - '0');
    return true;
}

/* Z or +HH:MM */
static bool _take_zone(const char **p, int *offset_s)
{
    int hours, minutes, sign;

    *offset_s = 0;
    if (_take_char(p, 'Z') || _take_char(p, 'z'))
        return true;
    sign = **p == '-' ? -1 : 1;
    if (**p != '-' && **p != '+')
        return false;
    (*p)++;
    if (!_take_digits(p, 2, &hours) || !_take_char(p, ':') || !_take_digits(p, 2, &minutes) ||
        hours > 23 || minutes > 59)
        return false;
    *offset_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool _read_rfc3339(const char *text, int64_t *out_ms)
{
    const char *p = text;
    struct date d;
    struct timeofday t;
    int ms, offset_s;
    int64_t s;

    if (!_take_iso_date(&p, &d) || !(_take_char(&p, 'T') || _take_char(&p, 't')) ||
        !_take_time(&p, false, &t) || (*p == '.' && !t.has_second) || !_take_fraction(&p, &ms) ||
        !_take_zone(&p, &offset_s) || *p)
        return false;
    s = _days_from_date(&d) * DAY_S + t.hour * 3600 + t.minute * 60 + t.second - offset_s;
    if (s < 0 || s > LAST_S)
        return false;
    *out_ms = s * 1000 + ms;
    return true;
}

int when_parse_rfc3339(const char *text, int64_t *out_ms, struct err *e)
{
    char quoted[ERR_QUOTE_SIZE];

    if (text && _read_rfc3339(text, out_ms))
        return 0;
    errno = EINVAL;
    return err_set(e, "'%s' is not a point in time: use 2026-11-24T09:12:03Z or ...+01:00",
                   err_quote(quoted, sizeof(quoted), text));
}

/* Does the local zone show the epoch second t_s as this second of local time (counted as if the
 * zone were UTC)? Moves t_s there, by the offset that holds at probe_s. */
static bool _shows(int64_t local_s, int64_t probe_s, int64_t *t_s)
{
    time_t probe = (time_t)probe_s, t;
    struct tm tm;

    if (!localtime_r(&probe, &tm))
        return false;
    *t_s = local_s - tm.tm_gmtoff;
    t = (time_t)*t_s;
    return localtime_r(&t, &tm) && *t_s + tm.tm_gmtoff == local_s;
}

/* The epoch second of a local date and time; days may run over. Not mktime(), which looks at the
 * zone's file each time: slurmctld's locks may be held. Of an hour that comes twice the first one
 * counts; one that is left out is read as if the clock had not been changed yet. */
static bool _from_local(int year, int month, int day, const struct timeofday *t, int64_t *out_s)
{
    struct date d = {year, month, day};
    int64_t local_s = _days_from_date(&d) * DAY_S + t->hour * 3600 + t->minute * 60 + t->second;
    int64_t before_s, s;

    if (!_shows(local_s, local_s - DAY_S, &before_s) && _shows(local_s, local_s + DAY_S, &s))
        before_s = s;
    if (before_s < 0 || before_s > LAST_S)
        return false;
    *out_s = before_s;
    return true;
}

/* COUNT[seconds|minutes|hours|days|weeks] behind "now+", in seconds. */
static bool _take_delta(const char **p, int64_t *delta_s)
{
    static const struct {
        const char *word;
        int64_t unit_s;
    } units[] = {{"second", 1},       {"seconds", 1},      {"minute", 60}, {"minutes", 60},
                 {"hour", 3600},      {"hours", 3600},     {"day", DAY_S}, {"days", DAY_S},
                 {"week", 7 * DAY_S}, {"weeks", 7 * DAY_S}};
    int64_t count = 0, unit_s = 1;

    if (!_is_digit(**p))
        return false;
    for (; _is_digit(**p); (*p)++) {
        count = count * 10 + (**p - '0');
        if (count > LAST_S)
            return false;
    }
    for (size_t i = 0; **p && i < sizeof(units) / sizeof(units[0]); i++) {
        if (_take_word(p, units[i].word)) {
            unit_s = units[i].unit_s;
            break;
        }
    }
    *delta_s = count * unit_s; /* both bounded: below 2^58 */
    return true;
}

static bool _read_now(const char *p, int64_t now_s, int64_t *out_s)
{
    int64_t delta_s = 0;

    if (!_take_word(&p, "now") || (*p && (!_take_char(&p, '+') || !_take_delta(&p, &delta_s))) ||
        *p || now_s > LAST_S - delta_s)
        return false;
    *out_s = now_s + delta_s;
    return true;
}

/* midnight, noon, teatime, or HH:MM[:SS] with AM or PM perhaps */
static bool _take_clock(const char **p, struct timeofday *t)
{
    static const struct {
        const char *word;
        int hour;
    } words[] = {{"midnight", 0}, {"noon", 12}, {"teatime", 16}};
    const char *behind;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (_take_word(p, words[i].word)) {
            *t = (struct timeofday){words[i].hour, 0, 0, false};
            return true;
        }
    }
    if (!_take_time(p, true, t))
        return false;
    behind = *p + (**p == ' ');
    if (_take_word(&behind, "AM") || _take_word(&behind, "PM")) {
        bool pm = behind[-2] == 'P' || behind[-2] == 'p';

        if (t->hour < 1 || t->hour > 12)
            return false;
        t->hour = t->hour % 12 + (pm ? 12 : 0);
        *p = behind;
    }
    return true;
}

/* MMDD, MMDDYY, MM/DD, MM/DD/YY */
static bool _take_month_day(const char **p, struct date *d)
{
    bool slash, has_year;
    struct date probe;

    if (!_take_digits(p, 2, &d->month))
        return false;
    slash = _take_char(p, '/');
    if (!_take_digits(p, 2, &d->day))
        return false;
    has_year = slash ? _take_char(p, '/') : _is_digit(**p);
    d->year = -1;
    if (has_year) {
        if (!_take_digits(p, 2, &d->year))
            return false;
        d->year += 2000;
    }
    probe = *d;
    if (!has_year)
        probe.year = 2000; /* a leap year: which one it is comes later */
    return _is_date(&probe);
}

/* A date of any form, today's tm for the words. */
static bool _take_date(const char **p, const struct tm *today, struct date *d)
{
    bool tomorrow;

    if (!_is_digit(**p)) {
        tomorrow = _take_word(p, "tomorrow");
        if (!tomorrow && !_take_word(p, "today"))
            return false;
        /* the 32nd is mktime's business */
        *d = (struct date){today->tm_year + 1900, today->tm_mon + 1, today->tm_mday + tomorrow};
        return true;
    }
    if (strspn(*p, "0123456789") == 4 && (*p)[4] == '-')
        return _take_iso_date(p, d);
    return _take_month_day(p, d);
}

static bool _read_slurm(const char *text, int64_t now_s, int64_t *out_s)
{
    const char *p = text;
    struct timeofday t = {0, 0, 0, false};
    struct date d;
    time_t now = (time_t)now_s;
    struct tm tm;

    if (now_s < 0 || now_s > LAST_S || !localtime_r(&now, &tm))
        return false;
    if (_take_clock(&p, &t)) {
        for (int days = 0; days < 2; days++) {
            if (*p || !_from_local(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday + days, &t, out_s))
                return false;
            if (*out_s > now_s)
                return true;
        }
        return true;
    }
    p = text;
    if (!_take_date(&p, &tm, &d))
        return false;
    if (*p && (!(_take_char(&p, 'T') || _take_char(&p, ' ')) || !_take_clock(&p, &t) || *p))
        return false;
    if (d.year != -1)
        return _from_local(d.year, d.month, d.day, &t, out_s);
    for (d.year = tm.tm_year + 1900; d.year <= tm.tm_year + 1901; d.year++) {
        if (_is_date(&d) && _from_local(d.year, d.month, d.day, &t, out_s) && *out_s > now_s)
            return true;
    }
    return false;
}

int when_parse_slurm(const char *text, int64_t now_s, int64_t *out_s, struct err *e)
{
    char quoted[ERR_QUOTE_SIZE];
    int64_t value;

    if (text && _read_rfc3339(text, &value)) {
        *out_s = value / 1000;
        return 0;
    }
    if (text && (_read_now(text, now_s, &value) || _read_slurm(text, now_s, &value))) {
        *out_s = value;
        return 0;
    }
    errno = EINVAL;
    return err_set(e,
                   "'%s' is not a time: use 08:00, tomorrow, noon, now+4hours, "
                   "2026-11-24T09:12 or 11/24",
                   err_quote(quoted, sizeof(quoted), text));
}

/* Text of what cannot be a point in time: "no data" is not 1970. */
static char *_format_none(char *buf, size_t size)
{
    (void)snprintf(buf, size, "-");
    return buf;
}

static char *_format_utc(char *buf, size_t size, int64_t t_s, int ms)
{
    struct date d;
    int of_day = (int)(t_s % DAY_S);
    char fraction[8] = "";

    if (t_s < 0 || t_s > LAST_S)
        return _format_none(buf, size);
    d = _date_from_days(t_s / DAY_S);
    if (ms >= 0)
        (void)snprintf(fraction, sizeof(fraction), ".%03u", (unsigned)ms % 1000);
    (void)snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", d.year, d.month, d.day,
                   of_day / 3600, of_day / 60 % 60, of_day % 60, fraction);
    return buf;
}

char *when_format_rfc3339(char *buf, size_t size, int64_t t_s)
{
    return _format_utc(buf, size, t_s, -1);
}

char *when_format_rfc3339_ms(char *buf, size_t size, int64_t t_ms)
{
    if (t_ms < 0)
        return _format_none(buf, size);
    return _format_utc(buf, size, t_ms / 1000, (int)(t_ms % 1000));
}

/* Local date and time of t_s; false when it is none. */
static bool _to_local(int64_t t_s, struct tm *tm)
{
    time_t t = (time_t)t_s;

    return t_s >= 0 && t_s <= LAST_S && localtime_r(&t, tm);
}

static bool _same_day(const struct tm *a, const struct tm *b)
{
    return a->tm_year == b->tm_year && a->tm_yday == b->tm_yday;
}

char *when_format_clock(char *buf, size_t size, int64_t t_s, int64_t now_s, int with_seconds)
{
    static const struct timeofday noon = {12, 0, 0, false};
    char day[24] = "", second[8] = "";
    struct tm tm, today, next;
    int64_t next_s;

    if (!_to_local(t_s, &tm) || !_to_local(now_s, &today))
        return _format_none(buf, size);
    if (!_same_day(&tm, &today)) {
        if (_from_local(today.tm_year + 1900, today.tm_mon + 1, today.tm_mday + 1, &noon,
                        &next_s) &&
            _to_local(next_s, &next) && _same_day(&tm, &next))
            (void)snprintf(day, sizeof(day), "tomorrow ");
        else
            (void)snprintf(day, sizeof(day), "%s %d %s ", day_name[tm.tm_wday], tm.tm_mday,
                           month_name[tm.tm_mon]);
    }
    if (with_seconds)
        (void)snprintf(second, sizeof(second), ":%02d", tm.tm_sec);
    (void)snprintf(buf, size, "%s%02d:%02d%s", day, tm.tm_hour, tm.tm_min, second);
    return buf;
}

char *when_format_day(char *buf, size_t size, int64_t t_s)
{
    struct tm tm;

    if (!_to_local(t_s, &tm))
        return _format_none(buf, size);
    (void)snprintf(buf, size, "%d %s", tm.tm_mday, month_name[tm.tm_mon]);
    return buf;
}
