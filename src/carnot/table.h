/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables for people and for scripts: one unit per column, named in the header;
 * numbers with three significant digits; "-" for no data, never 0. sacct's
 * letters: -n no header, -P fields joined by |, -o the columns wanted.
 */
#ifndef CARNOT_TABLE_H
#define CARNOT_TABLE_H

#include <getopt.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "common/err.h"

#define TABLE_COLUMNS_MAX 40

struct table_column {
    const char *name; /* header; also what -o takes, in any case */
    int width_max;    /* texts are cut to it, with a + at the end, but not with -P; 0 = never */
    unsigned flags;   /* TABLE_* */
};
#define TABLE_RIGHT 1u  /* numbers */
#define TABLE_HIDDEN 2u /* only with -o */
#define TABLE_PLAIN 4u  /* decoration: left out with -P, cannot be chosen */

struct table_style {
    int no_header;       /* -n */
    int parsable;        /* -P */
    const char *columns; /* -o: "jobid,name"; NULL = the default ones */
};

/* The long names of -n, -P and -o, for a command's options. */
#define TABLE_OPTIONS                                                                              \
    {"noheader", no_argument, NULL, 'n'}, {"parsable2", no_argument, NULL, 'P'},                   \
    {                                                                                              \
        "format", required_argument, NULL, 'o'                                                     \
    }

/* Take one of them over; value is optarg. 1, or 0: o is another option. */
int table_option(struct table_style *style, int o, const char *value);

/* Is the output for a script, or is no header there to name a unit? Then units must not change. */
int table_fixed(const struct table_style *style);

typedef struct table table_t;

/* columns ends with a NULL name and must outlive the table. NULL without memory. */
table_t *table_create(const struct table_column *columns);
void table_destroy(table_t *t);

/* Fill the row's cells from left to right, every column of the table. No return values: what does
 * not fit in memory is remembered, and table_print fails. NULL and "" print as "-". */
void table_text(table_t *t, const char *text);
void table_number(table_t *t, double x);        /* three digits; NAN: "-" */
void table_percent(table_t *t, double percent); /* "37%", rounded; below 1: "0.41%"; NAN: "-" */
void table_count(table_t *t, int64_t n);        /* INT64_MIN: "-" */

/* 0, or -1 and e: no memory, or -o
 * names a column that is not there. */
int table_print(const table_t *t, const struct table_style *style, FILE *f, struct err *e);

#endif
