/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plots: the shape at any width, what has no data, zones and day changes.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "carnot/plot.h"
#include "unit.h"

#define NOON_S 1795518000LL /* 2026-11-24T11:00:00Z, 12:00 in Berlin */

static void _berlin(void)
{
    (void)setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
}

static char *_bars(const struct plot *p)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    plot_bars(p, f);
    fclose(f);
    return text;
}

/* 16 quarters of an hour: a hill, then a valley of zero, then nothing known. */
static void _hill(struct plot_point points[16])
{
    static const double values[16] = {100, 200, 300, 400, 300, 200, 100, 50,
                                      0,   0,   50,  100, NAN, NAN, 100, 400};

    for (int i = 0; i < 16; i++)
        points[i] = (struct plot_point){NOON_S + i * 900, values[i]};
}

static void test_spark(void)
{
    struct plot_point points[16];
    struct plot p = {.points = points, .n = 16, .end_s = NOON_S + 16 * 900, .utf8 = 1};
    char buf[3 * 32 + 1];

    _hill(points);
    UNIT_STR(plot_spark(buf, sizeof(buf), &p, 16), "▃▅▆█▆▅▃▂▁▁▂▃  ▃█", "a cell a step");
    UNIT_STR(plot_spark(buf, sizeof(buf), &p, 8), "▄█▆▃▁▃ ▆", "means of two");
    p.utf8 = 0;
    UNIT_STR(plot_spark(buf, sizeof(buf), &p, 16), ":=+#+=:....:  :#", "ASCII");
    UNIT_STR(plot_spark(buf, 5, &p, 16), ":=+#", "a small buffer");
    p.n = 0;
    UNIT_STR(plot_spark(buf, sizeof(buf), &p, 16), "", "nothing");
    points[0].value = 250;
    p.n = 1;
    UNIT_STR(plot_spark(buf, sizeof(buf), &p, 4), "....", "flat");
    points[0].value = NAN;
    UNIT_STR(plot_spark(buf, sizeof(buf), &p, 4), "", "no data at all");
}

static void test_share(void)
{
    static const struct {
        double share;
        int utf8;
        const char *want;
    } rows[] = {{1, 1, "████"}, {0.5, 1, "██"}, {0.53, 1, "██▏"}, {0, 1, ""},     {-2, 1, ""},
                {1e-9, 1, "▏"}, {7, 1, "████"}, {NAN, 1, ""},     {1, 0, "####"}, {0.6, 0, "##."}};
    char buf[3 * 4 + 1];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        UNIT_STR(plot_share(buf, sizeof(buf), rows[i].share, 4, rows[i].utf8), rows[i].want, "%g",
                 rows[i].share);
}

static void test_bars(void)
{
    struct plot_point points[16];
    struct plot p = {.points = points,
                     .n = 16,
                     .end_s = NOON_S + 16 * 900,
                     .unit = "g/kWh",
                     .mark_from_s = NOON_S + 8 * 900,
                     .mark_to_s = NOON_S + 10 * 900,
                     .rows = 2,
                     .width = 40,
                     .utf8 = 1};
    char *got;

    _berlin();
    _hill(points);
    got = _bars(&p);
    UNIT_STR(got,
             "  g/kWh\n"
             "    400     ▄▄██▄▄                    ██\n"
             "    200 ▄▄██████████▄▄▂▂    ▂▂▄▄    ▄▄██\n"
             "        12:00   13:00   14:00   15:00\n"
             "                        ▲▲▲▲\n",
             "UTF-8");
    free(got);
    p.utf8 = 0;
    p.mark_to_s = 0;
    got = _bars(&p);
    UNIT_STR(got,
             "  g/kWh\n"
             "    400       ##                      ##\n"
             "    200 ..##########....    ....    ..##\n"
             "        12:00   13:00   14:00   15:00\n",
             "ASCII");
    free(got);
}

/* A range with its ends, what is pinned to it, and the one that stands out. */
static void test_range(void)
{
    static const int64_t pins[] = {NOON_S - 900, NOON_S, NOON_S + 4 * 900, NOON_S + 99 * 900};
    static const struct {
        const char *what;
        int from, to, pin, mark, utf8;
        const char *want;
    } rows[] = {
        {"all", 0, 16, 8, 1, 1, "        ○───────○───────●──────────────┤\n                ▲▲\n"},
        {"ASCII", 0, 16, 8, 1, 0, "        o-------o-------*--------------|\n                ^^\n"},
        {"a part", 2, 10, 3, 0, 1, "            ├─●─○───────────┤\n"},
        {"goes on", 12, 40, 0, 0, 1, "                                ├───────\n"},
        {"chosen outside", 12, 40, 30, 0, 1, "                                ├───────\n"},
        {"none", 4, 4, 0, 0, 1, ""},
        {"backwards", 4, 2, 0, 0, 1, ""},
    };
    struct plot_point points[16];

    _berlin();
    _hill(points);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct plot p = {.points = points,
                         .n = 16,
                         .end_s = NOON_S + 16 * 900,
                         .unit = "g/kWh",
                         .range_from_s = NOON_S + rows[i].from * 900,
                         .range_to_s = NOON_S + rows[i].to * 900,
                         .pins = pins,
                         .n_pins = 4,
                         .pin_s = rows[i].pin ? NOON_S + rows[i].pin * 900 : 0,
                         .mark_from_s = rows[i].mark ? NOON_S + 4 * 900 : 0,
                         .mark_to_s = rows[i].mark ? NOON_S + 5 * 900 : 0,
                         .rows = 1,
                         .width = 40,
                         .utf8 = rows[i].utf8};
        char *got = _bars(&p), *line = got;

        for (int k = 0; k < 3; k++)
            line = strchr(line, '\n') + 1;
        UNIT_STR(line, rows[i].want, "%s", rows[i].what);
        free(got);
    }
}

/* The line under the bars, for a plot of one value over a stretch of time. */
static void _axis(char *out, size_t size, int64_t from_s, int64_t to_s, int width)
{
    struct plot_point point = {from_s, 1};
    struct plot p = {
        .points = &point, .n = 1, .end_s = to_s, .unit = "", .rows = 1, .width = width};
    char *text = _bars(&p), *line = text;

    for (int i = 0; i < 2; i++)
        line = strchr(line, '\n') + 1;
    (void)snprintf(out, size, "%.*s", (int)strcspn(line, "\n"), line);
    free(text);
}

static void test_axis(void)
{
    static const struct {
        const char *what;
        int64_t from_s, to_s;
        int width;
        const char *want;
    } rows[] = {
        {"seconds", NOON_S, NOON_S + 60, 48, "        12:00:00     12:00:20      12:00:40"},
        {"not on a round time", NOON_S + 7, NOON_S + 127, 48, "                         12:01"},
        {"over midnight", NOON_S + 6 * 3600, NOON_S + 18 * 3600, 44,
         "        18:00    21:00    Wed 25   03:00"},
        {"four days", NOON_S, NOON_S + 4 * 86400, 72,
         "        12:00   Wed 25  12:00   Thu 26  12:00   Fri 27  12:00   Sat 28"},
        /* 2026-10-25: three o'clock comes twice. */
        {"end of summer time", 1792879200, 1792879200 + 6 * 3600, 56,
         "        Sun 25  01:00   02:00   02:00   03:00   04:00"},
        {"no room for a label", NOON_S + 1, NOON_S + 2 * 3600, 18, "        "},
    };

    _berlin();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char got[256];

        _axis(got, sizeof(got), rows[i].from_s, rows[i].to_s, rows[i].width);
        UNIT_STR(got, rows[i].want, "%s", rows[i].what);
    }
}

static void test_bad(void)
{
    struct plot_point points[2] = {{100, NAN}, {200, NAN}};
    struct plot p = {.points = points, .n = 2, .end_s = 300, .unit = "W", .rows = 2, .width = 30};
    char *got = _bars(&p);

    UNIT_STR(got, "        no data\n", "nothing known");
    free(got);
    points[0].value = points[1].value = 0;
    got = _bars(&p);
    UNIT_OK(strstr(got, "nan") == NULL && strstr(got, "#") == NULL, "all zero: %s", got);
    free(got);
    p.end_s = 50; /* ends before it begins */
    got = _bars(&p);
    UNIT_STR(got, "        no data\n", "backwards");
    free(got);
    p.n = 0;
    got = _bars(&p);
    UNIT_STR(got, "        no data\n", "empty");
    free(got);
    p = (struct plot){
        .points = points, .n = 2, .end_s = 300, .unit = "W", .rows = 2, .width = 100000};
    free(_bars(&p));
    p.width = -5;
    free(_bars(&p));
}

static void test_colour(void)
{
    struct plot_point points[2] = {{0, 10}, {3600, 100}};
    struct plot p = {
        .points = points, .n = 2, .end_s = 7200, .unit = "W", .rows = 1, .width = 18, .colour = 1};
    char *got = _bars(&p);

    UNIT_OK(strstr(got, "\033[32m") && strstr(got, "\033[31m") && strstr(got, "\033[0m\n"),
            "green, red, reset: %s", got);
    free(got);
}

static void test_mean(void)
{
    struct plot_point points[3] = {{100, 10}, {200, NAN}, {300, 40}};
    struct plot p = {.points = points, .n = 3, .end_s = 500};

    UNIT_DBL(plot_mean(&p, 100, 200), 10, 1e-9, "one step");
    UNIT_DBL(plot_mean(&p, 150, 350), 25, 1e-9, "what has no data does not count");
    UNIT_DBL(plot_mean(&p, 100, 500), 30, 1e-9, "weighted by time");
    UNIT_OK(isnan(plot_mean(&p, 200, 300)), "no data");
    UNIT_OK(isnan(plot_mean(&p, 500, 600)), "behind the end");
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"spark", test_spark}, {"share", test_share},   {"bars", test_bars},
        {"range", test_range}, {"mean", test_mean},     {"axis", test_axis},
        {"bad", test_bad},     {"colour", test_colour}, {NULL, NULL}};

    return unit_main(argc, argv, cases, "plot");
}
