/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Points in time: RFC 3339, Slurm's --begin forms around clock changes, and text for people.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/when.h"
#include "unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW_S 1795338000 /* Sun 22 Nov 2026 10:00 in Berlin */

static void set_zone(const char *zone)
{
    (void)setenv("TZ", zone, 1);
    tzset();
}

/* Central European time without the zone files, which a build host may lack. */
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"

static void test_rfc3339(void)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-24T09:12:03Z", 1795511523000},
        {"2026-11-24T09:12:03.114Z", 1795511523114},
        {"2026-11-24T09:12:03.1Z", 1795511523100},
        {"2026-11-24T09:12:03.1149999999Z", 1795511523114},
        {"2026-11-24T10:12:03+01:00", 1795511523000},
        {"2026-11-24T04:42:03-04:30", 1795511523000},
        {"2026-11-24t09:12:03z", 1795511523000},
        {"2020-05-24T20:30Z", 1590352200000},
        {"2024-02-29T00:00:00Z", 1709164800000},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"9999-12-31T23:59:59Z", 253402300799000},
    };
    static const char *const bad[] = {
        NULL,
        "",
        "now",
        "2026-11-24",
        "2026-11-24T09:12:03",
        "2026-11-24 09:12:03Z",
        "2026-11-24T09:12:03+0100",
        "2026-11-24T09:12:03+01",
        "2026-11-24T09:12:03+24:00",
        "2026-11-24T09:12:03+01:60",
        "2026-11-24T09:12:03.Z",
        "2026-11-24T09:12.5Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T23:60:00Z",
        "2026-11-24T23:59:60Z",
        "2026-11-24T9:12:03Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "10000-01-01T00:00:00Z",
        "2026-11-24T09:12:03Z ",
        "2026-11-24T09:12:03ZZ",
        "-2026-11-24T09:12:03Z",
        "2026-11-2409:12:03Z",
    };

    for (size_t i = 0; i < COUNT(good); i++) {
        struct err e = {""};
        int64_t ms = -1;

        UNIT_INT(when_parse_rfc3339(good[i].text, &ms, &e), 0, "%s: %s", good[i].text, e.text);
        UNIT_INT(ms, good[i].ms, "%s", good[i].text);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct err e = {""};
        int64_t ms = 7;

        UNIT_INT(when_parse_rfc3339(bad[i], &ms, &e), -1, "'%s'", bad[i] ? bad[i] : "NULL");
        UNIT_INT(ms, 7, "'%s' changed the value", bad[i] ? bad[i] : "NULL");
        UNIT_OK(strstr(e.text, "use 2026-"), "%s", e.text);
    }
}

/* Every day of eight centuries, against the C library. */
static void test_calendar(void)
{
    char text[32];

    for (int64_t day = 0; day < 292194; day += 1) {
        int64_t ms = -1;

        (void)when_format_rfc3339(text, sizeof(text), day * 86400 + day % 86400);
        if (when_parse_rfc3339(text, &ms, NULL) < 0 || ms / 1000 != day * 86400 + day % 86400) {
            UNIT_OK(0, "%s", text);
            break;
        }
        if (day % 97 == 0) {
            time_t t = (time_t)(day * 86400);
            struct tm tm;
            char libc[32];

            (void)gmtime_r(&t, &tm);
            (void)strftime(libc, sizeof(libc), "%Y-%m-%d", &tm);
            UNIT_OK(strncmp(text, libc, 10) == 0, "%s, libc %s", text, libc);
        }
    }
}

static void test_slurm(void)
{
    static const struct {
        const char *text;
        const char *utc;
    } good[] = {
        {"now", "2026-11-22T09:00:00Z"},
        {"NOW", "2026-11-22T09:00:00Z"},
        {"now+90", "2026-11-22T09:01:30Z"},
        {"now+4hours", "2026-11-22T13:00:00Z"},
        {"now+1hour", "2026-11-22T10:00:00Z"},
        {"now+30minutes", "2026-11-22T09:30:00Z"},
        {"now+2days", "2026-11-24T09:00:00Z"},
        {"now+1week", "2026-11-29T09:00:00Z"},
        {"now+0", "2026-11-22T09:00:00Z"},
        {"10:01", "2026-11-22T09:01:00Z"},
        {"10:00", "2026-11-23T09:00:00Z"},
        {"8:00", "2026-11-23T07:00:00Z"},
        {"08:00:30", "2026-11-23T07:00:30Z"},
        {"8:00PM", "2026-11-22T19:00:00Z"},
        {"08:00 pm", "2026-11-22T19:00:00Z"},
        {"12:00AM", "2026-11-22T23:00:00Z"},
        {"12:30PM", "2026-11-22T11:30:00Z"},
        {"midnight", "2026-11-22T23:00:00Z"},
        {"noon", "2026-11-22T11:00:00Z"},
        {"teatime", "2026-11-22T15:00:00Z"},
        {"today", "2026-11-21T23:00:00Z"},
        {"tomorrow", "2026-11-22T23:00:00Z"},
        {"tomorrow 08:00", "2026-11-23T07:00:00Z"},
        {"2026-11-24", "2026-11-23T23:00:00Z"},
        {"2026-11-24T09:12", "2026-11-24T08:12:00Z"},
        {"2026-11-24T09:12:03", "2026-11-24T08:12:03Z"},
        {"2027-07-01T12:00", "2027-07-01T10:00:00Z"},
        {"2026-11-24T09:12:03Z", "2026-11-24T09:12:03Z"},
        {"2026-11-24T09:12:03+05:00", "2026-11-24T04:12:03Z"},
        {"1124", "2026-11-23T23:00:00Z"},
        {"112427", "2027-11-23T23:00:00Z"},
        {"11/24", "2026-11-23T23:00:00Z"},
        {"11/24/27", "2027-11-23T23:00:00Z"},
        {"01/05", "2027-01-04T23:00:00Z"},
        {"02/29/28", "2028-02-28T23:00:00Z"},
    };
    static const char *const bad[] = {
        NULL,
        "",
        " ",
        "yesterday",
        "nowish",
        "now+",
        "now-1hour",
        "now+1hours ",
        "now+1fortnight",
        "now+h",
        "now+1.5hours",
        "now+99999999999999999999",
        "now+9999999999999weeks",
        "now+ 1hour",
        "now 1hour",
        "24:00",
        "12:60",
        "12:00:60",
        "12",
        "1:2",
        "12:00:0",
        "13:00PM",
        "0:30AM",
        "12:00XM",
        "12:00 tomorrow",
        "noonish",
        "1324",
        "1132",
        "0000",
        "112",
        "11242",
        "1124270",
        "13/01",
        "02/30",
        "02/29",
        "02/29/27",
        "11/24/",
        "11/24/2027",
        "2026-02-29",
        "2026-13-01",
        "1969-12-31",
        "1970-01-01",
        "10000-01-01",
        "2026-11-24T",
        "2026-11-24T09",
        "2026-11-24T9:12:03Zx",
        "2026-1-1",
        "2026-11-24TT09:12",
        "tomorrow tomorrow",
        "\xff\xfe",
        "12:00\n",
        "++",
        "%n%n%n",
    };

    set_zone(BERLIN);
    for (size_t i = 0; i < COUNT(good); i++) {
        struct err e = {""};
        char text[32];
        int64_t s = -1;

        UNIT_INT(when_parse_slurm(good[i].text, NOW_S, &s, &e), 0, "%s: %s", good[i].text, e.text);
        UNIT_STR(when_format_rfc3339(text, sizeof(text), s), good[i].utc, "%s", good[i].text);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct err e = {""};
        int64_t s = 7;

        UNIT_INT(when_parse_slurm(bad[i], NOW_S, &s, &e), -1, "'%s'", bad[i] ? bad[i] : "NULL");
        UNIT_INT(s, 7, "'%s' changed the value", bad[i] ? bad[i] : "NULL");
        UNIT_OK(strstr(e.text, "is not a time: use"), "%s", e.text);
    }
}

/* The night of 28 March 2027 has no 02:30; the next noon is 23 hours after the last. */
static void test_clock_change(void)
{
    int64_t before = 0, s = 0;
    char text[40];

    set_zone(BERLIN);
    UNIT_INT(when_parse_slurm("2027-03-27T12:00", NOW_S, &before, NULL), 0, "noon before");
    UNIT_INT(when_parse_slurm("noon", before, &s, NULL), 0, "noon");
    UNIT_INT(s - before, 23 * 3600, "23 hours");
    UNIT_STR(when_format_clock(text, sizeof(text), s, before, 0), "tomorrow 12:00", "clock");
    UNIT_INT(when_parse_slurm("2027-03-28T02:30", NOW_S, &s, NULL), 0, "a time that is not");
    UNIT_OK(s == before + 13 * 3600 + 1800 || s == before + 14 * 3600 + 1800, "%lld",
            (long long)(s - before));
}

static void test_format(void)
{
    char text[40];

    set_zone(BERLIN);
    UNIT_STR(when_format_rfc3339(text, sizeof(text), 1795511523), "2026-11-24T09:12:03Z", "s");
    UNIT_STR(when_format_rfc3339_ms(text, sizeof(text), 1795511523114), "2026-11-24T09:12:03.114Z",
             "ms");
    UNIT_STR(when_format_rfc3339_ms(text, sizeof(text), 5), "1970-01-01T00:00:00.005Z", "ms");
    UNIT_STR(when_format_rfc3339(text, sizeof(text), -1), "-", "before");
    UNIT_STR(when_format_rfc3339_ms(text, sizeof(text), -1), "-", "before");
    UNIT_STR(when_format_rfc3339(text, sizeof(text), 253402300800), "-", "behind");
    UNIT_STR(when_format_rfc3339(text, sizeof(text), INT64_MAX), "-", "behind");
    UNIT_STR(when_format_rfc3339_ms(text, sizeof(text), INT64_MAX), "-", "behind");
    UNIT_STR(when_format_clock(text, sizeof(text), NOW_S + 3600, NOW_S, 0), "11:00", "today");
    UNIT_STR(when_format_clock(text, sizeof(text), NOW_S - 36000, NOW_S, 1), "00:00:00", "today");
    UNIT_STR(when_format_clock(text, sizeof(text), NOW_S + 14 * 3600, NOW_S, 0), "tomorrow 00:00",
             "tomorrow");
    UNIT_STR(when_format_clock(text, sizeof(text), NOW_S + 38 * 3600, NOW_S, 0), "Tue 24 Nov 00:00",
             "later");
    UNIT_STR(when_format_clock(text, sizeof(text), NOW_S - 86400, NOW_S, 1), "Sat 21 Nov 10:00:00",
             "yesterday");
    UNIT_STR(when_format_clock(text, sizeof(text), NOW_S + 366 * 86400, NOW_S, 0),
             "Tue 23 Nov 10:00", "a year later is not today");
    UNIT_STR(when_format_clock(text, sizeof(text), INT64_MAX, NOW_S, 0), "-", "none");
    UNIT_STR(when_format_day(text, sizeof(text), 1796079600), "1 Dec", "local midnight");
    UNIT_STR(when_format_day(text, sizeof(text), -1), "-", "none");
}

/* tomorrow on New Year's Eve */
static void test_year_end(void)
{
    int64_t eve = 0, s = 0;
    char text[40];

    set_zone("UTC0");
    UNIT_INT(when_parse_slurm("2026-12-31T10:00", NOW_S, &eve, NULL), 0, "eve");
    UNIT_INT(when_parse_slurm("tomorrow", eve, &s, NULL), 0, "tomorrow");
    UNIT_STR(when_format_rfc3339(text, sizeof(text), s), "2027-01-01T00:00:00Z", "tomorrow");
    UNIT_STR(when_format_clock(text, sizeof(text), s, eve, 0), "tomorrow 00:00", "tomorrow");
    UNIT_INT(when_parse_slurm("now", INT64_MAX, &s, NULL), -1, "a clock that is broken");
    UNIT_INT(when_parse_slurm("noon", -5, &s, NULL), -1, "a clock that is broken");
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"rfc3339", test_rfc3339},
        {"calendar", test_calendar},
        {"slurm", test_slurm},
        {"clock_change", test_clock_change},
        {"format", test_format},
        {"year_end", test_year_end},
        {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "when");
}
