/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workloads as tables with a header. Strict: who writes such a file for this purpose wants to
 * know what is wrong with it.
 */
#include "config.h"

#include <string.h>

#include "simulate/workload_private.h"

/* In the order of columns.at; GAIA's files (umassos/GAIA, src/cluster_traces) name
 * the first three otherwise, and count times in a unit that they do not say. */
enum { CSV_SUBMIT = 0, CSV_RUN, CSV_CORES, CSV_LIMIT, CSV_USER, CSV_NAME, CSV_ID, CSV_COLUMNS };
static const char *const ours[] = {"submit_s", "run_s", "cores", "limit_s", "user", "name", "id"};
static const char *const gaia[] = {"arrival_time", "length", "cpus", "limit_s",
                                   "user",         "name",   "id"};

int workload_csv_header(const lines_gz_t *lines, struct span line, double unit_s,
                        struct columns *columns, struct err *e)
{
    struct span fields[WORKLOAD_COLUMNS_MAX];
    size_t n = span_split(line, ',', true, fields, WORKLOAD_COLUMNS_MAX);
    const char *const *names = ours;

    workload_columns(columns, fields, n, ours, CSV_COLUMNS);
    columns->unit_s = 1;
    if (columns->at[CSV_SUBMIT] < 0) {
        workload_columns(columns, fields, n, gaia, CSV_COLUMNS);
        columns->unit_s = unit_s;
        names = columns->at[CSV_SUBMIT] < 0 ? ours : gaia;
    }
    for (int i = CSV_SUBMIT; i <= CSV_CORES; i++)
        if (columns->at[i] < 0)
            return lines_gz_bad(lines, e,
                                "the header has no %s: it is submit_s,run_s,limit_s,cores and, if "
                                "known, user,name; or arrival_time,length,cpus",
                                names[i]);
    return 0;
}

static int _number(const lines_gz_t *lines, const struct columns *columns,
                   const struct span *fields, int column, double *out, struct err *e)
{
    int at = columns->at[column];
    char text[ERR_QUOTE_SIZE];

    *out = -1;
    if (at < 0 || fields[at].n == 0 || workload_number(fields[at], out) == 0)
        return 0;
    return lines_gz_bad(lines, e, "'%s', for %s, is no number",
                        span_copy(text, sizeof(text), fields[at]), ours[column]);
}

int workload_csv_row(const lines_gz_t *lines, struct span line, const struct columns *columns,
                     struct row_job *job, struct err *e)
{
    struct span fields[WORKLOAD_COLUMNS_MAX];
    size_t n;
    double v[CSV_LIMIT + 1];
    char text[ERR_QUOTE_SIZE];

    if (line.n == 0 || line.p[0] == '#')
        return ROW_NONE;
    n = span_split(line, ',', true, fields, WORKLOAD_COLUMNS_MAX);
    if (n != columns->n)
        return lines_gz_bad(lines, e, "a row of %zu fields, the header has %zu", n, columns->n);
    for (int i = CSV_SUBMIT; i <= CSV_LIMIT; i++)
        if (_number(lines, columns, fields, i, &v[i], e) < 0)
            return -1;
    *job = (struct row_job){
        .submit_s = v[CSV_SUBMIT] * columns->unit_s,
        .run_s = v[CSV_RUN] * columns->unit_s,
        .limit_s = v[CSV_LIMIT],
        .cores = v[CSV_CORES],
    };
    if (columns->at[CSV_USER] >= 0)
        job->user = fields[columns->at[CSV_USER]];
    if (columns->at[CSV_NAME] >= 0)
        job->name = fields[columns->at[CSV_NAME]];
    if (columns->at[CSV_ID] >= 0) {
        if (span_uint64(fields[columns->at[CSV_ID]], &job->id) < 0)
            return lines_gz_bad(lines, e, "'%s', for id, is no whole number",
                                span_copy(text, sizeof(text), fields[columns->at[CSV_ID]]));
        job->has_id = true;
    }
    return ROW_JOB;
}
