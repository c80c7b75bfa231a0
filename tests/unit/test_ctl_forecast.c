/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What carnotctld expects of the grid while its feed comes, ends, breaks and
 * comes back, and what it learns of its own errors. NOW is 22:13:20 UTC.
 */
#include "config.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carnotctld/feed_watch.h"
#include "carnotctld/forecast_log.h"
#include "carnotctld/publisher.h"
#include "common/when.h"
#include "ctl_host.h"

#define HOUR 3600
#define DAY 86400
#define THIS_HOUR (NOW - NOW % HOUR)

static double _grid(int64_t t_s)
{
    return 300 + 100 * cos((double)(t_s / HOUR % 24) * M_PI / 12);
}

/* The file's time is the clock's. */
static void _written(int64_t t_s)
{
    struct timespec times[2] = {{.tv_sec = t_s}, {.tv_sec = t_s}};

    UNIT_INT(utimensat(AT_FDCWD, feed_path, times, 0), 0, "%s", feed_path);
}

/* Hourly from from_h to until_h around the hour that runs; what is to come is off by bias. */
static void _write(int from_h, int until_h, double bias)
{
    static char body[32000];
    int64_t hour_s = clock_now.wall_ms / 1000 / HOUR * HOUR;
    size_t n = 0;

    for (int h = from_h; h < until_h; h++) {
        char when[40];

        n += (size_t)snprintf(body + n, sizeof(body) - n, "%s,DE,%.6f\n",
                              when_format_rfc3339(when, sizeof(when), hour_s + (int64_t)h * HOUR),
                              _grid(hour_s + (int64_t)h * HOUR) + (h >= 0 ? bias : 0));
    }
    write_feed(body);
    _written(clock_now.wall_ms / 1000);
}

static void _look(int want)
{
    struct err e = {.text = ""};

    UNIT_INT(feed_watch_look(&c), want, "look");
    UNIT_INT(publisher_build(&c, &e), 0, "%s", e.text);
}

static void _begin(void)
{
    set_up();
    c.set.carbon.horizon_ms = 96LL * HOUR * 1000;
    c.set.carbon.slot_ms = HOUR * 1000;
    ledger_close(c.ledger); /* a memory of its own, without set_up's feed */
    {
        char path[600];
        struct err e = {.text = ""};

        snprintf(path, sizeof(path), "%s/other", unit_tmpdir());
        c.ledger = ledger_open(path, &e);
        UNIT_OK(c.ledger != NULL, "%s", e.text);
    }
    feed_watch_forget(&c);
}

/* kill -9 and a new process, for feed and ledger. */
static void _again(void)
{
    char path[600];
    struct err e = {.text = ""};

    ledger_close(c.ledger);
    snprintf(path, sizeof(path), "%s/other", unit_tmpdir());
    c.ledger = ledger_open(path, &e);
    UNIT_OK(c.ledger != NULL, "%s", e.text);
    feed_watch_forget(&c);
}

static json_t *_ask(void)
{
    struct channel_peer peer = {0};
    struct asker who = {.ctl = &c, .peer = &peer};
    struct err e = {.text = ""};
    json_t *request = json_object(), *a = op_forecast(&who, request, &e);

    json_decref(request);
    return a;
}

/* "feed 48 profile 48": sources and their hours; and the answer as a whole is sane. */
static void _parts(const char *want)
{
    json_t *a = _ask(), *part;
    char got[200] = "";
    size_t i, n = 0;

    json_array_foreach(json_object_get(a, "parts"), i, part)
    {
        int64_t from_ms = 0, until_ms = 0;

        when_parse_rfc3339(json_string_value(json_object_get(part, "from")), &from_ms, NULL);
        when_parse_rfc3339(json_string_value(json_object_get(part, "until")), &until_ms, NULL);
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s %.0f", i ? " " : "",
                              json_string_value(json_object_get(part, "source")),
                              (double)(until_ms - from_ms) / HOUR / 1000);
    }
    UNIT_STR(got, want, "parts");
    json_decref(a);
}

static void test_chain(void)
{
    struct series s;

    _begin();
    _write(-168, 48, 0);
    _look(1);
    UNIT_INT(c.forecast.quality, FORECAST_FEED, "the feed");
    UNIT_INT(c.forecast.known_s, 7 * DAY, "a week of it");
    UNIT_INT(c.forecast.end_s, NOW + 96 * HOUR, "96 h");
    _parts("feed 48 profile 48");
    s = board_series(&c.board);
    for (int64_t t_s = NOW; t_s < s.end_s; t_s += HOUR)
        UNIT_DBL(series_at(&s, t_s), _grid(t_s), 1e-5, "no jump: hour %lld",
                 (long long)(t_s - NOW) / HOUR);
    unlink(feed_path); /* it fails */
    _look(0);
    UNIT_INT(c.board.head.forecast_quality, FORECAST_FEED, "and reaches on");
    advance(40 * HOUR);
    _look(0);
    _parts("feed 8 profile 88");
    advance(9 * HOUR);
    _look(0);
    UNIT_INT(c.board.head.forecast_quality, FORECAST_PROFILE, "then the profile");
    _parts("profile 96");
    advance(3 * HOUR);
    _look(0);
    UNIT_INT(c.board.head.forecast_quality, FORECAST_STALE, "by which nobody waits any more");
    _parts("profile 96");
    write_feed("x");
    _look(0);
    UNIT_INT(c.board.head.forecast_quality, FORECAST_STALE, "rubbish changes nothing");
    _write(-24, 24, 0);
    _look(1);
    UNIT_INT(c.board.head.forecast_quality, FORECAST_FEED, "it is back");
    tear_down();
}

/* A file with the future alone: the week before it is what the ledger remembers. */
static void test_remembered(void)
{
    _begin();
    _write(-168, 24, 0);
    _look(1);
    _write(0, 10, 0);
    _look(1);
    UNIT_INT(c.forecast.model, FORECAST_PROFILE, "a profile");
    UNIT_INT(c.forecast.known_s, 7 * DAY, "of a week");
    _parts("feed 10 profile 86");
    _again();
    _look(1);
    _parts("feed 10 profile 86");
    tear_down();
    _begin();
    _write(0, 10, 0);
    c.set.carbon.zone[0] = 'F'; /* of which nothing is remembered, and nothing there */
    feed_watch_forget(&c);
    _look(0);
    UNIT_INT(c.forecast.quality, FORECAST_NONE, "another zone");
    _parts("");
    tear_down();
}

/* Killed while the feed is down: what was known is known again. */
static void test_broken_start(void)
{
    _begin();
    _write(-168, 24, 0);
    _look(1);
    write_feed("2026-01-01T00:00:00Z,DE,nonsense\n");
    _again();
    _look(0);
    UNIT_INT(c.feed.n, 0, "no file");
    UNIT_INT(c.forecast.quality, FORECAST_FEED, "but its last forecast");
    _parts("feed 24 profile 72");
    advance(25 * HOUR);
    _look(0);
    UNIT_INT(c.forecast.quality, FORECAST_PROFILE, "then the profile");
    advance(30 * DAY);
    _look(0);
    UNIT_INT(c.forecast.quality, FORECAST_STALE, "nobody waits for ever");
    tear_down();
}

/* n of the errors h hours ahead, or of its mean. */
static double _error(int ahead_h, const char *key)
{
    json_t *a = _ask(), *row;
    double value = NAN;
    size_t i;

    json_array_foreach(json_object_get(a, "errors"), i, row)
    {
        if (json_integer_value(json_object_get(row, "ahead_h")) == ahead_h &&
            json_is_number(json_object_get(row, key)))
            value = json_number_value(json_object_get(row, key));
    }
    json_decref(a);
    return value;
}

/* Each hour a new file, whose future is 1, 2, ... 10, 1, 2, ... too high. */
static void _hours(int from, int until)
{
    for (int i = from; i < until; i++) {
        _write(-168, 48, 1 + i % 10);
        _look(1);
        forecast_log_note(&c);
        forecast_log_note(&c); /* once an hour */
        advance(HOUR);
    }
}

static void test_errors(void)
{
    _begin();
    _hours(0, 20);
    UNIT_DBL(_error(1, "n"), 19, 0, "the file of each hour tells of the one before");
    UNIT_OK(isnan(_error(1, "mean_g_per_kwh")), "too few to say");
    UNIT_DBL(_error(24, "n"), 0, 0, "a day is not over");
    _hours(20, 41);
    UNIT_DBL(_error(1, "n"), 40, 0, "of each hour");
    UNIT_DBL(_error(1, "mean_g_per_kwh"), 5.5, 1e-5, "four times 1 to 10");
    UNIT_DBL(_error(1, "within_g_per_kwh"), 9, 1e-5, "the 33rd of 40");
    UNIT_DBL(_error(24, "n"), 17, 0, "and 24 h ahead");
    /* killed: the ledger tells the same */
    _again();
    _look(1);
    forecast_log_note(&c);
    UNIT_DBL(_error(1, "mean_g_per_kwh"), 5.5, 1e-5, "after a kill");
    UNIT_DBL(_error(1, "n"), 40, 0, "nothing twice");
    /* 30 days later none of them counts */
    advance(31 * DAY);
    _write(-168, 48, 0);
    _look(1);
    forecast_log_note(&c);
    UNIT_DBL(_error(1, "n"), 0, 0, "for 30 days");
    tear_down();
}

/* What tells no errors: files that are older than the hour, or have a gap there; a replay. */
static void test_no_errors(void)
{
    struct ledger_guess *v = NULL;
    struct err e = {.text = ""};
    size_t n = 0;

    _begin();
    _write(-168, 48, 3);
    _look(1);
    forecast_log_note(&c);
    advance(2 * HOUR);
    _write(-168, 48, 3);
    _written(NOW - HOUR);
    _look(1);
    UNIT_DBL(_error(1, "n"), 0, 0, "an old file cannot know");
    {
        char body[200], a[40], b[40];

        snprintf(body, sizeof(body), "%s,DE,1\n%s,DE,1\n",
                 when_format_rfc3339(a, sizeof(a), THIS_HOUR - 4 * HOUR),
                 when_format_rfc3339(b, sizeof(b), THIS_HOUR + 40 * HOUR));
        write_feed(body);
    }
    _look(1);
    UNIT_DBL(_error(1, "n"), 0, 0, "nor can one with a gap");
    _write(0, 48, 3);
    _look(1);
    UNIT_DBL(_error(1, "n"), 0, 0, "nor one that has only the future");
    UNIT_INT(ledger_guess_list(c.ledger, "DE", &v, &n, &e), 0, "%s", e.text);
    UNIT_INT(n, 8, "all eight wait");
    free(v);
    _write(-10, 48, 3);
    _look(1);
    UNIT_DBL(_error(1, "n"), 1, 0, "until a file tells");
    c.set.carbon.replay = 1;
    feed_watch_forget(&c);
    _look(1);
    forecast_log_note(&c);
    UNIT_DBL(_error(1, "n"), 0, 0, "a replay has none");
    tear_down();
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"chain", test_chain},
        {"remembered", test_remembered},
        {"broken_start", test_broken_start},
        {"errors", test_errors},
        {"no_errors", test_no_errors},
        {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "ctl_forecast");
}
