/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the readers of the workload formats: what one row comes to, and the columns of a header.
 */
#ifndef CARNOT_SIMULATE_WORKLOAD_PRIVATE_H
#define CARNOT_SIMULATE_WORKLOAD_PRIVATE_H

#include <stdbool.h>
#include "common/span.h"
#include "simulate/lines_gz.h"
#include "simulate/workload.h"

#define WORKLOAD_COLUMNS_MAX 256 /* sacct --format=ALL has about 120 */

/* What a reader made of a line. */
enum row {
    ROW_NONE = 0, /* no job: a comment, a step */
    ROW_JOB,
    ROW_DROPPED, /* a job that did not run, or whose row is broken */
};

/* A row as it is written. Times that are not known are <= 0 (submit_s < 0). */
struct row_job {
    double submit_s, run_s, limit_s, cores;
    struct span user, name; /* borrowed from the line; p NULL where there is none */
    uint64_t id;
    bool has_id;
};

/* Columns of a header by their place in it, -1 for one that is not there. */
struct columns {
    size_t n; /* fields of the header, and so of each row */
    int at[16];
    double unit_s;
};

/* The line is the first that is no comment. Does it look like this format? */
bool workload_swf_is(struct span line);
bool workload_sacct_is(struct span line);

/* Find names[0..n-1] (n <= 16) among the header's fields. A header of more than
 * WORKLOAD_COLUMNS_MAX fields has none of them. */
void workload_columns(struct columns *columns, const struct span *fields, size_t n_fields,
                      const char *const names[], size_t n);

/* The header, into columns; 0 or -1 and e. */
int workload_csv_header(const lines_gz_t *lines, struct span line, double unit_s,
                        struct columns *columns, struct err *e);
int workload_sacct_header(const lines_gz_t *lines, struct span line, struct columns *columns,
                          struct err *e);

/* One row, into job; enum row, or -1 and e. */
int workload_swf_row(const lines_gz_t *lines, struct span line, struct row_job *job, struct err *e);
int workload_csv_row(const lines_gz_t *lines, struct span line, const struct columns *columns,
                     struct row_job *job, struct err *e);
int workload_sacct_row(const lines_gz_t *lines, struct span line, const struct columns *columns,
                       struct row_job *job, struct err *e);

/* A number that may have a minus sign, as "-1" for what is not known. 0 or -1. */
int workload_number(struct span s, double *out);

#endif
