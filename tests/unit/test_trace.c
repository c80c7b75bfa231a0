/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carbon traces: each form of table, what is refused and in which words, and real years.
 */
#include "config.h"

#include <errno.h>

#include "simulate/trace.h"
#include "table_file.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define OWN "time,zone,g_per_kwh\n"
#define WIDE "datetime_utc,DE,FR\n"
#define EM                                                                                         \
    "Datetime (UTC),Country,Zone Name,Zone Id,Carbon Intensity gCO\xe2\x82\x82"                    \
    "eq/kWh (direct),Carbon Intensity gCO\xe2\x82\x82"                                             \
    "eq/kWh (LCA),Data Source\n"

/* 2022-01-01T00:00:00Z */
#define T0 1640995200

struct row {
    const char *text, *column, *want;
};

/* want: "seconds from T0=g" by point, then the end. */
static char *_print(char *buf, size_t size, const struct feed *f)
{
    size_t used = 0;

    for (size_t i = 0; i < f->n && used < size; i++)
        used += (size_t)snprintf(buf + used, size - used, "%lld=%g ",
                                 (long long)(f->points[i].t_s - T0), f->points[i].g_per_kwh);
    if (used < size)
        (void)snprintf(buf + used, size - used, "end %lld", (long long)(f->end_s - T0));
    return buf;
}

static void test_good(void)
{
    static const struct row rows[] = {
        {OWN
         "2022-01-01T00:00:00Z,DE,1\n2022-01-01T01:00:00+01:00,FR,x\n2022-01-01T00:15Z,DE,2.5\n",
         NULL, "0=1 900=2.5 end 1800"},
        {"\xef\xbb\xbf# by hand\r\n" OWN "\r\n2022-01-01 00:00,DE,1", NULL, "0=1 end 900"},
        /* wide: the zone's column, or another that is named */
        {WIDE "2022-01-01T00:00:00Z,1,7\n2022-01-01T01:00:00Z,2,8\n", NULL, "0=1 3600=2 end 7200"},
        {WIDE "2022-01-01T00:00:00Z,1,7\n2022-01-01T01:00:00Z,2,8\n", "FR", "0=7 3600=8 end 7200"},
        {WIDE "2022-01-01 00:00:00,1,7\n2022-01-01 01:00,2,8\n", NULL, "0=1 3600=2 end 7200"},
        {WIDE "2022-01-01 01:00:00+01:00,1,7\n", NULL, "0=1 end 900"},
        /* any order, the later row wins, an empty value is a gap */
        {WIDE "2022-01-01 02:00,3,\n2022-01-01 00:00,1,\n2022-01-01 01:00,,\n2022-01-01 00:00,9,\n",
         NULL, "0=9 7200=3 end 14400"},
        /* long: rows of the zone by its id or its name, the column by a part of its name */
        {EM
         "2022-01-01 00:00:00,Germany,Germany,DE,5,6,x\n2022-01-01 00:00:00,Spain,Spain,ES,7,8,x\n",
         "lca", "0=6 end 900"},
        {EM "2022-01-01 00:00:00,\"Germany, all\",Germany,DE,5,6,x\n", "direct", "0=5 end 900"},
        /* no zone in it: all rows; the time is where a time is */
        {"Time,Carbon Intensity\n2022-01-01 00:00:00,218.25\n", "Carbon Intensity",
         "0=218.25 end 900"},
        {"id,stamp,when,v,v2\n7,1633703404,2022-01-01T00:00:00.000Z,3,4\n", "v", "0=3 end 900"},
        {",2022,v\n2022-01-01 00:00:00,x,3\n", "v", "0=3 end 900"},
    };
    char got[256];

    for (size_t i = 0; i < N(rows); i++)
        for (int gz = 0; gz <= 1; gz++) {
            size_t size = strlen(rows[i].text);
            const char *path =
                gz ? table_file_gz(rows[i].text, size, 0) : table_file(rows[i].text, size);
            struct feed f = {0};
            struct err e = {""};

            if (!UNIT_OK(trace_load(&f, path, "DE", rows[i].column, &e) == 0, "row %zu: %s", i,
                         e.text))
                continue;
            UNIT_STR(_print(got, sizeof(got), &f), rows[i].want, "row %zu", i);
            UNIT_DBL(f.points[0].area, 0, 0, "row %zu", i);
            UNIT_INT(f.issued_s, 0, "row %zu", i);
            feed_fini(&f);
        }
}

static void test_bad(void)
{
    static const struct row rows[] = {
        {"", NULL, "table: empty; expected a CSV header"},
        {"\n# x\n", NULL, "table: empty"},
        {"time\n", NULL, "table:1: no trace: expected a CSV header"},
        {"time;DE\n", NULL, "table:1: no trace"},
        {OWN, NULL, "table: no row of zone 'DE'; there are: none"},
        {OWN "2022-01-01T00:00:00Z,FR,1\n2022-01-01T00:00:00Z,ES,1\n2022-01-01T00:00:00Z,FR,1\n",
         NULL, "table: no row of zone 'DE'; there are: FR, ES"},
        {OWN "2022-01-01T00:00:00Z,\x1b[2J,1\n", NULL,
         "table: no row of zone 'DE'; there are: ?[2J"},
        {"time,AT,FR\n", NULL, "table:1: no zone or column 'DE'; there are: time, AT, FR"},
        {WIDE, NULL, "table: no row of zone 'DE'; there are: none"},
        {WIDE, "XX", "table:1: no zone or column 'XX'; there are: datetime_utc, DE, FR"},
        {WIDE "2022-01-01T00:00:00Z,,7\n", NULL, "table: the column has no values"},
        {EM, NULL, "table:1: no column 'DE': name that of the values; there are: Datetime (UTC), "},
        {EM, "carbon", "table:1: several columns are named 'carbon'; there are: Datetime (UTC), "},
        {EM, "", "table:1: no column ''"},
        {WIDE "2022-01-01T00:00:00Z,181,5,9\n", NULL,
         "table:2: a row of 4 fields, the header has 3"},
        {WIDE "2022-01-01T00:00:00Z,181\n", NULL, "table:2: a row of 2 fields"},
        {WIDE "yesterday,1,2\n", NULL, "table:2: no column of the first row holds a time"},
        {WIDE "2022-01-01T00:00:00,1,2\n", NULL, "table:2: no column of the first row"},
        {WIDE "1640995200,1,2\n", NULL, "table:2: no column of the first row"},
        {WIDE "2022-01-01 00:00,1,2\n2022-02-30 00:00,1,2\n", NULL,
         "table:3: '2022-02-30 00:00' is no time"},
        {WIDE "2022-01-01 00:00,1,2\n2022-01-01 00:00:00 and so on and so on and so on,1,2\n", NULL,
         "table:3: '2022-01-01 00:00:00 and so on"},
        {WIDE "2022-01-01 00:00,1,2\n2022-01-01 00:00\x1b,1,2\n", NULL, "table:3: '2022-01-01"},
        {WIDE "2022-01-01 00:00,1,2\n,1,2\n", NULL, "table:3: '' is no time"},
        {WIDE "2022-01-01 00:00,x,2\n", NULL, "table:2: 'x' is no intensity"},
        {WIDE "2022-01-01 00:00,-1,2\n", NULL, "table:2: '-1' is no intensity"},
        {WIDE "2022-01-01 00:00,nan,2\n", NULL, "table:2: 'nan' is no intensity"},
        {WIDE "2022-01-01 00:00,1e2,2\n", NULL, "table:2: '1e2' is no intensity"},
        {WIDE "2022-01-01 00:00,5000.1,2\n", NULL, "table:2: 5000.1 g/kWh is above 5000"},
    };

    for (size_t i = 0; i < N(rows); i++) {
        struct series_point point = {1, 2, 3};
        struct feed f = {&point, 1, 77, 88};
        struct err e = {""};
        const char *path = table_file(rows[i].text, strlen(rows[i].text));

        errno = 0;
        UNIT_INT(trace_load(&f, path, "DE", rows[i].column, &e), -1, "row %zu", i);
        UNIT_INT(errno, EINVAL, "row %zu", i);
        UNIT_OK(table_error_is(e.text, rows[i].want), "row %zu: %s", i, e.text);
        UNIT_OK(f.points == &point && f.n == 1 && f.end_s == 77, "row %zu left it alone", i);
        UNIT_INT(trace_load(&f, path, "DE", rows[i].column, NULL), -1, "row %zu without err", i);
    }
}

static void test_bytes(void)
{
    struct feed f = {0};
    struct err e = {""};
    char text[1024];
    unsigned seed = 4711;

    UNIT_INT(trace_load(&f, "/nowhere/x", "DE", NULL, &e), -1, "no file");
    UNIT_INT(errno, ENOENT, "%s", e.text);
    UNIT_INT(trace_load(&f, table_file(WIDE "2022-01-01 00:00,1\0,2\n", sizeof(WIDE) + 21), "DE",
                        NULL, &e),
             -1, "a NUL in a number");
    UNIT_OK(table_error_is(e.text, "table:2: '1?' is no intensity"), "%s", e.text);
    UNIT_INT(trace_load(&f, table_file(WIDE, sizeof(WIDE) - 1), NULL, NULL, &e), -1, "no zone");
    UNIT_OK(table_error_is(e.text, "table:1: no zone or column ''"), "%s", e.text);
    for (int round = 0; round < 300; round++) {
        static const char kinds[] = "0123456789-:T.,#\" \t\n\rZ\x80\xff";
        size_t size = (size_t)sprintf(text, WIDE "2022-01-01T00:00:00Z,1,2\n");

        while (size < sizeof(text))
            text[size++] = kinds[(seed = seed * 1103515245 + 12345) / 65536 % sizeof(kinds)];
        if (trace_load(&f, table_file(text, size), "DE", NULL, &e) < 0)
            UNIT_OK(table_error_is(e.text, "table"), "round %d: %s", round, e.text);
        feed_fini(&f);
    }
}

/* More names than an error holds. */
static void test_list(void)
{
    char text[8192];
    size_t size = (size_t)sprintf(text, "time");
    struct feed f = {0};
    struct err e = {""};

    for (int i = 0; i < 900; i++)
        size += (size_t)sprintf(text + size, ",Z%03d", i);
    UNIT_INT(trace_load(&f, table_file(text, size), "DE", NULL, &e), -1, "not there");
    UNIT_OK(strstr(e.text, "; there are: time, Z000, Z001, ") &&
                strcmp(e.text + strlen(e.text) - 5, ", ...") == 0,
            "%s", e.text);
    for (int i = 0; i < 200; i++)
        size += (size_t)sprintf(text + size, ",Y%03d", i);
    UNIT_INT(trace_load(&f, table_file(text, size), "Y000", NULL, &e), -1, "too many columns");
}

static void test_too_many(void)
{
    size_t rows = SERIES_POINTS_MAX + 1, size = 0;
    char *text = NULL, want[64];
    FILE *out = open_memstream(&text, &size);
    struct feed f = {0};
    struct err e = {""};

    (void)fprintf(out, OWN);
    for (size_t i = 0; i < rows; i++)
        (void)fprintf(out, "2026-%02zu-%02zuT%02zu:%02zu:%02zuZ,DE,1\n", 1 + i / 86400 / 28,
                      1 + i / 86400 % 28, i / 3600 % 24, i / 60 % 60, i % 60);
    (void)fclose(out);
    UNIT_INT(trace_load(&f, table_file(text, size), "DE", NULL, &e), -1, "one too many");
    (void)snprintf(want, sizeof(want), "table:%zu: more than %d samples", rows + 1,
                   SERIES_POINTS_MAX);
    UNIT_OK(table_error_is(e.text, want), "%s", e.text);
    free(text);
}

static void test_recorded(void)
{
    static const struct {
        const char *name, *zone, *column;
        size_t n;
        double min, mean, max;
        int64_t from_s, end_s;
    } rows[] = {
        {"em-2022-hourly-europe.csv.gz", "DE", NULL, 8760, 170, 481, 765, T0, T0 + 8760 * 3600},
        {"em-2022-hourly-europe.csv.gz", "DE", "FR", 8760, 24, 99, 199, T0, T0 + 8760 * 3600},
        {"em-2022-hourly-europe.csv.gz", "NO-NO1", NULL, 8760, 20, 29, 130, T0, T0 + 8760 * 3600},
        {"em-ES-2022-hourly.csv.gz", "ES", "LCA", 8760, 63, 219, 404, T0, T0 + 8760 * 3600},
        {"lwa-2020-DE.csv.gz", "DE", "Carbon Intensity", 37147, 101, 315, 593, 1576800000,
         1610234100},
        /* hours that repeat and hours that miss */
        {"em-polled-DE.csv.gz", "DE", "carbon_intensity_avg", 8904, 120, 370, 815, 1633698000,
         1670364000},
        {"entsoe-mix-2020-2021-DE-lifecycle.csv.gz", "DE", "carbon_intensity", 17544, 106, 326, 568,
         1577836800, T0},
    };
    char name[128], path[512];

    for (size_t i = 0; i < N(rows); i++) {
        struct feed f = {0};
        struct err e = {""};
        double sum = 0, min = 1e9, max = 0;

        (void)snprintf(name, sizeof(name), "carbon/%s", rows[i].name);
        if (!unit_testdata(path, sizeof(path), name))
            unit_skip("no test data: set CARNOT_TESTDATA");
        if (!UNIT_OK(trace_load(&f, path, rows[i].zone, rows[i].column, &e) == 0, "%s", e.text))
            continue;
        for (size_t j = 0; j < f.n; j++) {
            double g = f.points[j].g_per_kwh;

            sum += g;
            min = g < min ? g : min;
            max = g > max ? g : max;
        }
        UNIT_INT(f.n, rows[i].n, "%s", name);
        UNIT_DBL(sum / (double)f.n, rows[i].mean, 0.51, "%s", name);
        UNIT_DBL(min, rows[i].min, 0.51, "%s", name);
        UNIT_DBL(max, rows[i].max, 0.51, "%s", name);
        UNIT_INT(f.points[0].t_s, rows[i].from_s, "%s", name);
        UNIT_INT(f.end_s, rows[i].end_s, "%s", name);
        feed_fini(&f);
    }
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"good", test_good}, {"bad", test_bad},           {"bytes", test_bytes},
        {"list", test_list}, {"too_many", test_too_many}, {"recorded", test_recorded},
        {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "trace");
}
