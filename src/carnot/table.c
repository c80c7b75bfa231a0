/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables: cells are collected as text, so that columns can be as wide as they
 * need to be and no wider.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "carnot/table.h"
#include "common/units.h"

struct table {
    const struct table_column *columns;
    size_t n_columns;
    char **cells; /* row after row */
    size_t n_cells, n_allocated;
    int failed; /* memory ran out */
};

int table_option(struct table_style *style, int o, const char *value)
{
    if (o == 'n')
        style->no_header = 1;
    else if (o == 'P')
        style->parsable = 1;
    else if (o == 'o')
        style->columns = value;
    else
        return 0;
    return 1;
}

int table_fixed(const struct table_style *style)
{
    return style->no_header || style->parsable || style->columns != NULL;
}

table_t *table_create(const struct table_column *columns)
{
    table_t *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->columns = columns;
    while (columns[t->n_columns].name && t->n_columns < TABLE_COLUMNS_MAX)
        t->n_columns++;
    return t;
}

void table_destroy(table_t *t)
{
    int saved = errno;

    if (!t)
        return;
    for (size_t i = 0; i < t->n_cells; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t);
    errno = saved;
}

void table_text(table_t *t, const char *text)
{
    char *copy;

    if (t->n_cells == t->n_allocated) {
        size_t n = t->n_allocated ? 2 * t->n_allocated : 64;
        char **cells = reallocarray(t->cells, n, sizeof(*cells));

        if (!cells) {
            t->failed = 1;
            return;
        }
        t->cells = cells;
        t->n_allocated = n;
    }
    copy = strdup(text && text[0] ? text : "-");
    if (!copy) {
        t->failed = 1;
        return;
    }
    t->cells[t->n_cells++] = copy;
}

void table_number(table_t *t, double x)
{
    char buf[32];

    table_text(t, units_format_3(buf, sizeof(buf), x));
}

void table_percent(table_t *t, double percent)
{
    char buf[32], number[24];

    if (!isfinite(percent))
        return table_text(t, NULL);
    if (percent != 0 && fabs(percent) < 1)
        (void)snprintf(buf, sizeof(buf), "%s%%",
                       units_format_3(number, sizeof(number), round(percent * 100) / 100));
    else
        (void)snprintf(buf, sizeof(buf), "%.0f%%", percent);
    table_text(t, buf);
}

void table_count(table_t *t, int64_t n)
{
    char buf[24];

    if (n == INT64_MIN)
        return table_text(t, NULL);
    (void)snprintf(buf, sizeof(buf), "%lld", (long long)n);
    table_text(t, buf);
}

/* Places on the screen: bytes that begin a UTF-8 character. */
static int _width(const char *text)
{
    int n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* Bytes of the first n characters. */
static size_t _prefix(const char *text, int n)
{
    size_t i = 0;

    for (; text[i]; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80 && n-- == 0)
            break;
    return i;
}

/* Index of the column that a word of -o names; n_columns when there is none. */
static size_t _find(const table_t *t, const char *word, size_t len)
{
    size_t i = 0;

    for (; i < t->n_columns; i++)
        if (!(t->columns[i].flags & TABLE_PLAIN) && strlen(t->columns[i].name) == len &&
            strncasecmp(t->columns[i].name, word, len) == 0)
            break;
    return i;
}

static int _no_column(const table_t *t, const char *word, size_t len, struct err *e)
{
    char names[240] = "";

    for (size_t i = 0; i < t->n_columns; i++)
        if (!(t->columns[i].flags & TABLE_PLAIN) &&
            strlen(names) + strlen(t->columns[i].name) + 2 < sizeof(names))
            strcat(strcat(names, i ? "," : ""), t->columns[i].name);
    errno = EINVAL;
    return err_set(e, "no column '%.*s'; there are %s", (int)(len < 24 ? len : 24), word, names);
}

/* The columns to print, in order, as indices; their number, or -1. */
static int _choose(const table_t *t, const struct table_style *style, size_t chosen[],
                   struct err *e)
{
    const char *p = style->columns;
    int n = 0;

    for (size_t i = 0; !p && i < t->n_columns; i++)
        if (!(t->columns[i].flags & TABLE_HIDDEN) &&
            !(style->parsable && (t->columns[i].flags & TABLE_PLAIN)))
            chosen[n++] = i;
    while (p) {
        size_t len = strcspn(p, ","), i = _find(t, p, len);

        if (i == t->n_columns || n == TABLE_COLUMNS_MAX)
            return _no_column(t, p, len, e);
        chosen[n++] = i;
        p = p[len] ? p + len + 1 : NULL;
    }
    return n;
}

static void _print_parsable(FILE *f, const char *text)
{
    /* A | in a job's name must not shift the fields behind it. */
    for (; *text; text++)
        fputc(*text == '|' ? '/' : *text, f);
}

static void _print_cell(FILE *f, const struct table_column *column, const char *text, int width,
                        int last)
{
    int max = column->width_max, w = _width(text), pad;
    int cut = max > 0 && w > max;

    if (cut)
        w = max;
    pad = width > w ? width - w : 0;
    if (column->flags & TABLE_RIGHT)
        fprintf(f, "%*s", pad, "");
    fwrite(text, 1, cut ? _prefix(text, max - 1) : strlen(text), f);
    if (cut)
        fputc('+', f);
    if (!last && !(column->flags & TABLE_RIGHT))
        fprintf(f, "%*s", pad, "");
}

static const char *_cell(const table_t *t, ssize_t row, size_t column)
{
    return row < 0 ? t->columns[column].name : t->cells[(size_t)row * t->n_columns + column];
}

int table_print(const table_t *t, const struct table_style *style, FILE *f, struct err *e)
{
    size_t chosen[TABLE_COLUMNS_MAX];
    int widths[TABLE_COLUMNS_MAX] = {0};
    ssize_t rows = (ssize_t)(t->n_columns ? t->n_cells / t->n_columns : 0);
    ssize_t first = style->no_header ? 0 : -1;
    int n = _choose(t, style, chosen, e);

    if (n < 0)
        return -1;
    if (t->failed) {
        errno = ENOMEM;
        return err_errno(e, "table");
    }
    for (ssize_t row = first; row < rows; row++)
        for (int i = 0; i < n; i++) {
            int max = t->columns[chosen[i]].width_max;
            int w = _width(_cell(t, row, chosen[i]));

            w = row >= 0 && max > 0 && w > max ? max : w;
            widths[i] = w > widths[i] ? w : widths[i];
        }
    for (ssize_t row = first; row < rows; row++) {
        for (int i = 0; i < n; i++) {
            if (i > 0)
                fputs(style->parsable ? "|" : "  ", f);
            if (style->parsable)
                _print_parsable(f, _cell(t, row, chosen[i]));
            else
                _print_cell(f, &t->columns[chosen[i]], _cell(t, row, chosen[i]), widths[i],
                            i == n - 1);
        }
        fputc('\n', f);
    }
    return 0;
}
