/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables: widths, alignment, "no data", and the letters -n, -P, -o.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "carnot/table.h"
#include "unit.h"

static const struct table_column columns[] = {
    {"NAME", 6, 0},       {"kWh", 0, TABLE_RIGHT},   {"SAVED", 0, TABLE_RIGHT},
    {"", 0, TABLE_PLAIN}, {"USER", 0, TABLE_HIDDEN}, {NULL, 0, 0}};

static void _fill(table_t *t)
{
    table_text(t, "lm-7b");
    table_number(t, 4.6132);
    table_percent(t, 36.9);
    table_text(t, "##");
    table_text(t, "mrossi");
    table_text(t, "grün|weiß"); /* longer than 6, not ASCII, with the separator in it */
    table_number(t, NAN);
    table_percent(t, NAN);
    table_text(t, " ");
    table_text(t, NULL);
}

/* Text of the table, which the caller frees; NULL and e when it could not be printed. */
static char *_print(const struct table_style *style, struct err *e)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    table_t *t = table_create(columns);
    int rc;

    _fill(t);
    rc = table_print(t, style, f, e);
    table_destroy(t);
    fclose(f);
    if (rc < 0) {
        free(text);
        return NULL;
    }
    return text;
}

static void test_styles(void)
{
    static const struct {
        struct table_style style;
        const char *want;
    } rows[] = {
        {{0, 0, NULL},
         "NAME     kWh  SAVED  \n"
         "lm-7b   4.61    37%  ##\n"
         "grün|+     -      -   \n"},
        {{1, 0, NULL},
         "lm-7b   4.61  37%  ##\n"
         "grün|+     -    -   \n"},
        {{0, 1, NULL},
         "NAME|kWh|SAVED\n"
         "lm-7b|4.61|37%\n"
         "grün/weiß|-|-\n"},
        {{1, 1, "user,KWH"}, "mrossi|4.61\n-|-\n"},
        {{0, 0, "kwh,name"},
         " kWh  NAME\n"
         "4.61  lm-7b\n"
         "   -  grün|+\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err e = {""};
        char *got = _print(&rows[i].style, &e);

        UNIT_OK(got != NULL, "row %zu: %s", i, e.text);
        if (got)
            UNIT_STR(got, rows[i].want, "row %zu", i);
        free(got);
    }
}

static void test_bad_columns(void)
{
    static const char *const bad[] = {"nope", "name,nope", ",", "", "name,,kwh", "nam", "name "};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct table_style style = {.columns = bad[i]};
        struct err e = {""};
        char *got = _print(&style, &e);

        UNIT_OK(got == NULL, "row %zu", i);
        UNIT_OK(e.text[0] != '\0', "row %zu", i);
        free(got);
    }
    struct table_style style = {.columns = "nope"};
    struct err e = {""};

    free(_print(&style, &e));
    UNIT_STR(e.text, "no column 'nope'; there are NAME,kWh,SAVED,USER", "names what there is");
}

static void test_many_columns(void)
{
    /* More names than columns can be: an error, not an overflow. */
    char list[40 * 5 * 2 + 1] = "";
    struct table_style style = {.columns = list};
    struct err e = {""};
    char *got;

    for (int i = 0; i < 41; i++)
        strcat(list, i ? ",name" : "name");
    got = _print(&style, &e);
    UNIT_OK(got == NULL, "41 columns");
    free(got);
}

/* What a cell shows for a figure. */
static void test_figures(void)
{
    static const struct {
        double percent;
        const char *want;
    } rows[] = {{37.4, "37%"}, {0, "0%"},  {-4.2, "-4%"},   {0.41, "0.410%"}, {0.996, "1.00%"},
                {100, "100%"}, {NAN, "-"}, {INFINITY, "-"}, {-0.5, "-0.500%"}};
    static const struct table_column one[] = {{"X", 0, 0}, {NULL, 0, 0}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct table_style style = {.no_header = 1};
        char *text = NULL, want[32];
        size_t size;
        FILE *f = open_memstream(&text, &size);
        table_t *t = table_create(one);

        table_percent(t, rows[i].percent);
        table_print(t, &style, f, NULL);
        table_destroy(t);
        fclose(f);
        (void)snprintf(want, sizeof(want), "%s\n", rows[i].want);
        UNIT_STR(text, want, "%g", rows[i].percent);
        free(text);
    }
}

static void test_empty(void)
{
    struct table_style style = {0};
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    table_t *t = table_create(columns);

    UNIT_INT(table_print(t, &style, f, NULL), 0, "no rows");
    fclose(f);
    UNIT_STR(text, "NAME  kWh  SAVED  \n", "a header all the same");
    table_destroy(t);
    table_destroy(NULL);
    free(text);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"styles", test_styles},
                                             {"bad_columns", test_bad_columns},
                                             {"many_columns", test_many_columns},
                                             {"figures", test_figures},
                                             {"empty", test_empty},
                                             {NULL, NULL}};

    return unit_main(argc, argv, cases, "table");
}
