/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quantities: exact values, what must be refused, and how figures are printed.
 */
#include "config.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#include "common/err.h"
#include "common/units.h"
#include "unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct good {
    const char *text;
    uint64_t value;
};

typedef int (*parse_f)(const char *text, uint64_t *out, struct err *e);

static void check_good(parse_f parse, const struct good *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct err e = {"untouched"};
        uint64_t value = 7;

        UNIT_INT(parse(rows[i].text, &value, &e), 0, "%s: %s", rows[i].text, e.text);
        UNIT_OK(value == rows[i].value, "%s gave %llu", rows[i].text, (unsigned long long)value);
        UNIT_INT(parse(rows[i].text, &value, NULL), 0, "%s without err", rows[i].text);
    }
}

static void check_bad(parse_f parse, const char *const *rows, size_t n, const char *accepted)
{
    for (size_t i = 0; i < n; i++) {
        struct err e = {""};
        uint64_t value = 7;

        UNIT_INT(parse(rows[i], &value, &e), -1, "'%s'", rows[i] ? rows[i] : "NULL");
        UNIT_OK(value == 7, "'%s' changed the value", rows[i] ? rows[i] : "NULL");
        UNIT_OK(strstr(e.text, accepted) || errno == ERANGE, "'%s': %s", rows[i] ? rows[i] : "NULL",
                e.text);
        UNIT_INT(parse(rows[i], &value, NULL), -1, "row %zu without err", i);
    }
}

static void test_energy(void)
{
    static const struct good good[] = {
        {"0J", 0},
        {"1J", 1000000},
        {"0.1kWh", 360000000000},
        {"5kWh", 18000000000000},
        {"18MJ", 18000000000000},
        {"1Wh", 3600000000},
        {"0.000000001kWh", 3600},
        {"0.123456789GWh", 444444440400000000},
        {"2.5GJ", 2500000000000000},
        {"1MWh", 3600000000000000},
        {"007J", 7000000},
        {"0.000001J", 1},
        {"0.0000014J", 1},
        {"0.0000015J", 2},
        {"3kJ", 3000000000},
        {"18446744073709J", 18446744073709000000u},
        {"5.124095576GWh", 18446744073600000000u},
    };
    static const char *const bad[] = {
        NULL,         "",
        " ",          "5",
        "kWh",        "5 kWh",
        " 5kWh",      "5kWh ",
        "5kwh",       "5KWH",
        "-5kWh",      "+5kWh",
        "1e3J",       "0x10J",
        ".5kWh",      "5.kWh",
        "1.2.3kWh",   "1,5kWh",
        "nan",        "NaNJ",
        "inf",        "infJ",
        "5kWhh",      "5kWhx",
        "5k",         "5mJ",
        "5W",         "0.1234567891kWh",
        "0.0000001J", "18446744073710J",
        "5.2GWh",     "99999999999999999999J",
        "\xff\xfe",   "5kWh\n",
        "5\tkWh",     "%s%n",
        "1_000J",     "٣J",
    };

    check_good(units_parse_energy, good, COUNT(good));
    check_bad(units_parse_energy, bad, COUNT(bad), "use a number and J, kJ");
}

static void test_mass(void)
{
    static const struct good good[] = {
        {"0g", 0},
        {"500g", 500000000},
        {"2kg", 2000000000},
        {"1mg", 1000},
        {"0.001g", 1000},
        {"1.5t", 1500000000000},
        {"1kt", 1000000000000000},
        {"18446kt", 18446000000000000000u},
        {"0.000001g", 1},
    };
    static const char *const bad[] = {
        NULL,    "",    "500",     "g",   "500 g", "-1g",        "1G",
        "1gCO2", "1lb", "18447kt", "1ug", "1e2g",  "0.0000001g", "1Kg",
    };

    check_good(units_parse_mass, good, COUNT(good));
    check_bad(units_parse_mass, bad, COUNT(bad), "mg, g, kg, t or kt");
}

static void test_power(void)
{
    static const struct good good[] = {
        {"0W", 0},  {"300W", 300000},      {"1.8kW", 1800000},
        {"1mW", 1}, {"20MW", 20000000000}, {"0.35kW", 350000},
    };
    static const char *const bad[] = {
        NULL,  "",    "300",   "W",       "300 W", "300w",
        "-1W", "1GW", "300VA", "0.0001W", "1e3W",  "node:300W",
    };

    check_good(units_parse_power, good, COUNT(good));
    check_bad(units_parse_power, bad, COUNT(bad), "mW, W, kW or MW");
}

static int parse_duration(const char *text, uint64_t *out, struct err *e)
{
    int64_t value = (int64_t)*out;
    int rc = units_parse_duration(text, &value, e);

    *out = (uint64_t)value;
    return rc;
}

static int parse_wait(const char *text, uint64_t *out, struct err *e)
{
    int64_t value = (int64_t)*out;
    int rc = units_parse_wait(text, &value, e);

    *out = (uint64_t)value;
    return rc;
}

static void test_duration(void)
{
    static const struct good good[] = {
        {"0", 0},
        {"0s", 0},
        {"500ms", 500},
        {"1s", 1000},
        {"15m", 900000},
        {"15min", 900000},
        {"96h", 345600000},
        {"14d", 1209600000},
        {"1w", 604800000},
        {"1h30m", 5400000},
        {"1d2h3m4s5ms", 93784005},
        {"0.5s", 500},
        {"1.5h", 5400000},
        {"1h0.5m", 3630000},
        {"1000000000000s", 1000000000000000},
    };
    static const char *const bad[] = {
        NULL,
        "",
        "5",
        "90",
        "00",
        "h",
        "1h30",
        "30m1h",
        "1h1h",
        "1m1min",
        "1h 30m",
        "-1h",
        "1.5h30m",
        "0.1ms",
        "1H",
        "1y",
        "12:00",
        "1-00",
        "1000000000001s",
        "99999999999999999999w",
        "1hx",
        "1.h",
        "1e3s",
        "h1",
    };

    check_good(parse_duration, good, COUNT(good));
    check_bad(parse_duration, bad, COUNT(bad), "1h30m");
}

static void test_wait(void)
{
    static const struct good good[] = {
        {"0", 0},
        {"90", 5400},
        {"12:00:00", 43200},
        {"1-00", 86400},
        {"12h", 43200},
        {"30m", 1800},
        {"2d", 172800},
        {"10:30", 630},
        {"90:00", 5400},
        {"36:00:00", 129600},
        {"1-12", 129600},
        {"1-02:03", 93780},
        {"1-02:03:04", 93784},
        {"0-00:00:00", 0},
        {"1.5h", 5400},
        {"1h30m", 5400},
    };
    static const char *const bad[] = {
        NULL,
        "",
        "-1",
        "-",
        ":",
        "1:",
        ":1",
        "1-",
        "1-2-3",
        "1:2-3",
        "1:2:3:4",
        "1-2:3:4:5",
        "10:60",
        "1:60:00",
        "1:00:60",
        "1-24",
        "1-00:60",
        "12h ",
        "500ms",
        "0.5s",
        "1.5",
        "UNLIMITED",
        "off",
        "site",
        "99999999999999999999",
        "9999999999999999-00",
        "9999999999999999",
        "12:00:00h",
        "1d-2",
    };

    check_good(parse_wait, good, COUNT(good));
    check_bad(parse_wait, bad, COUNT(bad), "12:00:00, 1-00 or 12h");
}

static void test_error_text(void)
{
    struct err e;
    uint64_t value;
    int64_t s;
    char longer[400];

    (void)units_parse_wait("12x", &s, &e);
    UNIT_STR(e.text, "'12x' is not a duration: use 90 (minutes), 12:00:00, 1-00 or 12h, 30m, 2d",
             "as the header says");
    (void)units_parse_energy("5\033[31m", &value, &e);
    UNIT_OK(strstr(e.text, "'5?[31m'"), "%s", e.text);
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    (void)units_parse_energy(longer, &value, &e);
    UNIT_OK(strstr(e.text, "xxx...'") && strstr(e.text, "GWh"), "%s", e.text);
}

static void test_err(void)
{
    struct err e;
    char quoted[8];

    errno = ENOENT;
    UNIT_INT(err_set(&e, "a %d\nb", 5), -1, "set");
    UNIT_STR(e.text, "a 5?b", "set");
    UNIT_INT(err_errno(&e, "%s", e.text), -1, "errno");
    UNIT_STR(e.text, "a 5?b: No such file or directory", "errno");
    UNIT_INT(err_prefix(&e, "f:%d", 3), -1, "prefix");
    UNIT_STR(e.text, "f:3: a 5?b: No such file or directory", "prefix");
    for (int i = 0; i < 40; i++)
        (void)err_prefix(&e, "0123456789");
    UNIT_INT(strlen(e.text), sizeof(e.text) - 1, "cut");
    UNIT_INT(err_set(NULL, "%d", 1) + err_errno(NULL, "x") + err_prefix(NULL, "x"), -3, "NULL");
    UNIT_INT(errno, ENOENT, "errno is kept");
    UNIT_STR(err_quote(quoted, sizeof(quoted), "abcdefg"), "abcdefg", "fits");
    UNIT_STR(err_quote(quoted, sizeof(quoted), "abcdefgh"), "abcd...", "cut");
    UNIT_STR(err_quote(quoted, sizeof(quoted), NULL), "", "NULL");
}

struct printed {
    double value;
    const char *text;
};

static void check_printed(char *(*format)(char *, size_t, double), const struct printed *rows,
                          size_t n)
{
    char buf[24];

    for (size_t i = 0; i < n; i++)
        UNIT_STR(format(buf, sizeof(buf), rows[i].value), rows[i].text, "%.17g", rows[i].value);
}

static void test_format(void)
{
    static const struct printed three[] = {
        {4.61, "4.61"},  {4.6, "4.60"},   {0.0041, "0.00410"}, {3123.4, "3120"},
        {0, "0"},        {-0.0, "0"},     {9.996, "10.0"},     {99.96, "100"},
        {999.6, "1000"}, {0.1, "0.100"},  {1, "1.00"},         {10, "10.0"},
        {1000, "1000"},  {-2.5, "-2.50"}, {NAN, "-"},          {INFINITY, "-"},
        {1e300, "-"},    {1e-300, "0"},   {36, "36.0"},        {123456789, "123000000"},
    };
    static const struct printed energy[] = {
        {0, "0 Wh"},
        {4.61 * 3.6e12, "4.61 kWh"},
        {999.6 * 3.6e9, "1.00 kWh"},
        {999.4 * 3.6e9, "999 Wh"},
        {3.6e6, "1.00 mWh"},
        {3.6e15, "1.00 MWh"},
        {3.6e18, "1.00 GWh"},
        {3.6e21, "1000 GWh"},
        {-3.6e12, "-1.00 kWh"},
        {NAN, "-"},
        {1, "0.000000278 mWh"},
    };
    static const struct printed mass[] = {
        {0, "0 g"},       {1.45e9, "1.45 kg"}, {850e6, "850 g"},    {2.3e9, "2.30 kg"},
        {5e3, "5.00 mg"}, {298e12, "298 t"},   {1.2e16, "12000 t"},
    };
    static const struct printed power[] = {
        {0, "0 W"}, {2.43e6, "2.43 kW"}, {250, "0.250 W"}, {350e3, "350 W"}, {20e9, "20.0 MW"},
    };

    check_printed(units_format_3, three, COUNT(three));
    check_printed(units_format_energy, energy, COUNT(energy));
    check_printed(units_format_mass, mass, COUNT(mass));
    check_printed(units_format_power, power, COUNT(power));
}

static void test_format_duration(void)
{
    static const struct {
        int64_t s;
        const char *text;
    } rows[] = {
        {0, "0s"},         {45, "45s"},    {59, "59s"},      {60, "1 min"},
        {720, "12 min"},   {3599, "1h00"}, {14580, "4h03"},  {86399, "1d 0h"},
        {187200, "2d 4h"}, {-45, "-45s"},  {86400, "1d 0h"}, {INT64_MIN, "-106751991167300d 16h"},
    };
    char buf[24];

    for (size_t i = 0; i < COUNT(rows); i++)
        UNIT_STR(units_format_duration(buf, sizeof(buf), rows[i].s), rows[i].text, "row %zu", i);
}

/* A plugin lives in a process whose locale is not ours. */
static void test_locale(void)
{
    uint64_t uj = 0;
    char buf[24];

    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "de_DE.utf8"))
        unit_skip("locale de_DE.UTF-8 is not installed");
    UNIT_INT(units_parse_energy("0.1kWh", &uj, NULL), 0, "point");
    UNIT_INT(uj, 360000000000, "point");
    UNIT_INT(units_parse_energy("0,1kWh", &uj, NULL), -1, "comma");
    UNIT_STR(units_format_3(buf, sizeof(buf), 4.61), "4.61", "point");
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"energy", test_energy},
        {"mass", test_mass},
        {"power", test_power},
        {"duration", test_duration},
        {"wait", test_wait},
        {"error_text", test_error_text},
        {"err", test_err},
        {"format", test_format},
        {"format_duration", test_format_duration},
        {"locale", test_locale},
        {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "units");
}
