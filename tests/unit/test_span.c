/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fields and numbers out of any bytes.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/span.h"
#include "unit.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static struct span _span(const char *text)
{
    return (struct span){text, strlen(text)};
}

static void test_split(void)
{
    static const struct {
        const char *line;
        bool quoted;
        const char *want; /* each field in brackets */
    } rows[] = {
        {"a,b", true, "[a][b]"},
        {"", true, "[]"},
        {",", true, "[][]"},
        {" a\t, b\r", true, "[a][b]"},
        {"a,,c,", true, "[a][][c][]"},
        {"\"a,b\",c", true, "[a,b][c]"},
        {"\"a,b\",c", false, "[\"a][b\"][c]"},
        {" \"a\" , \" b \"", true, "[a][ b ]"},
        {"\"\",x", true, "[][x]"},
        {"\"a", true, "[\"a]"},            /* not closed */
        {"\"a\"b,c", true, "[\"a\"b][c]"}, /* goes on behind it */
        {"\"", true, "[\"]"},
        {"a\"b,c\"", true, "[a\"b][c\"]"},
    };

    for (size_t i = 0; i < N(rows); i++) {
        struct span fields[8];
        char got[128] = "";
        size_t n = span_split(_span(rows[i].line), ',', rows[i].quoted, fields, N(fields));

        for (size_t j = 0; j < n; j++) {
            (void)strcat(got, "[");
            (void)strncat(got, fields[j].p, fields[j].n);
            (void)strcat(got, "]");
        }
        UNIT_STR(got, rows[i].want, "row %zu", i);
    }
}

static void test_split_more(void)
{
    struct span fields[3] = {{NULL, 0}, {NULL, 0}, {"kept", 4}};

    UNIT_INT(span_split(_span("a,b,c,d"), ',', true, fields, 2), 4, "counts them all");
    UNIT_OK(span_equals(fields[1], "b") && span_equals(fields[2], "kept"), "writes two");
    UNIT_INT(span_split((struct span){NULL, 0}, ',', true, fields, 2), 0, "nothing there");
}

static void test_number(void)
{
    static const struct {
        const char *text;
        double want; /* -1: none */
    } rows[] = {
        {"0", 0},      {"12", 12},  {"12.5", 12.5}, {".5", 0.5},      {"5.", 5},
        {"", -1},      {".", -1},   {"-1", -1},     {"+1", -1},       {"1e3", -1},
        {"0x10", -1},  {"nan", -1}, {"inf", -1},    {"1 2", -1},      {"1,5", -1},
        {"1.2.3", -1}, {" 1", -1},  {"1'000", -1},  {"\xd9\xa1", -1},
    };

    for (size_t i = 0; i < N(rows); i++) {
        double got = -1;

        UNIT_INT(span_number(_span(rows[i].text), &got), rows[i].want < 0 ? -1 : 0, "row %zu", i);
        UNIT_DBL(got, rows[i].want, 1e-12, "row %zu", i);
    }
}

static void test_uint64(void)
{
    static const struct {
        const char *text;
        int rc;
        uint64_t want;
    } rows[] = {
        {"0", 0, 0},
        {"007", 0, 7},
        {"18446744073709551615", 0, UINT64_MAX},
        {"18446744073709551616", -1, 77},
        {"99999999999999999999999", -1, 77},
        {"", -1, 77},
        {"-1", -1, 77},
        {"1.5", -1, 77},
        {"1 ", -1, 77},
    };

    for (size_t i = 0; i < N(rows); i++) {
        uint64_t got = 77;

        UNIT_INT(span_uint64(_span(rows[i].text), &got), rows[i].rc, "row %zu", i);
        UNIT_OK(got == rows[i].want, "row %zu: %llu", i, (unsigned long long)got);
    }
}

static void test_copy(void)
{
    char buf[6];

    UNIT_STR(span_copy(buf, sizeof(buf), _span("a\x1b\x00z")), "a?", "unprintable");
    UNIT_STR(span_copy(buf, sizeof(buf), _span("abcdefg")), "abcde", "cut");
    UNIT_STR(span_copy(buf, 1, _span("abc")), "", "no room");
    UNIT_OK(span_equals((struct span){NULL, 0}, "") && !span_equals(_span("ab"), "a"), "equals");
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"split", test_split},   {"split_more", test_split_more},
        {"number", test_number}, {"uint64", test_uint64},
        {"copy", test_copy},     {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "span");
}
