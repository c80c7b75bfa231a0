/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading a workload: which format it is, and what all formats have in common
 * (which rows are jobs, numbers for users, the order).
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/names.h"
#include "simulate/workload_private.h"

#define SECONDS_MAX                                                                                \
    1e11 /* beyond the year 5000: a broken row, and sums of it stay far from overflow */
#define CORES_MAX 1e9

enum format { FORMAT_NONE = 0, FORMAT_SWF, FORMAT_CSV, FORMAT_SACCT };

/* Where the loader stands. */
struct loader {
    lines_gz_t *lines;
    enum format format;
    struct columns columns;
    struct workload w;
    size_t room, rows;
    struct names users, keys;
    int sorted; /* so far */
};

int workload_number(struct span s, double *out)
{
    int negative = s.n && s.p[0] == '-';
    double value;

    if (span_number((struct span){s.p + negative, s.n - (size_t)negative}, &value) < 0)
        return -1;
    *out = negative ? -value : value;
    return 0;
}

void workload_columns(struct columns *columns, const struct span *fields, size_t n_fields,
                      const char *const names[], size_t n)
{
    columns->n = n_fields;
    for (size_t i = 0; i < n; i++) {
        columns->at[i] = -1;
        for (size_t j = 0; j < n_fields && n_fields <= WORKLOAD_COLUMNS_MAX; j++)
            if (columns->at[i] < 0 && span_equals(fields[j], names[i]))
                columns->at[i] = (int)j;
    }
}

/* The first line that is no comment says which format it is; a header is used up. */
static int _detect(struct loader *l, struct span line, double unit_s, struct err *e)
{
    if (workload_swf_is(line)) {
        l->format = FORMAT_SWF;
        return 0;
    }
    if (workload_sacct_is(line)) {
        l->format = FORMAT_SACCT;
        return workload_sacct_header(l->lines, line, &l->columns, e);
    }
    if (memchr(line.p, ',', line.n)) {
        l->format = FORMAT_CSV;
        return workload_csv_header(l->lines, line, unit_s, &l->columns, e);
    }
    return lines_gz_bad(l->lines, e,
                        "no workload: expected SWF (18 numbers a line), CSV with the header "
                        "submit_s,run_s,limit_s,cores or arrival_time,length,cpus, or what sacct "
                        "--parsable2 prints with its header");
}

static int _row(struct loader *l, struct span line, struct row_job *job, struct err *e)
{
    if (l->format == FORMAT_SWF)
        return workload_swf_row(l->lines, line, job, e);
    if (l->format == FORMAT_SACCT)
        return workload_sacct_row(l->lines, line, &l->columns, job, e);
    return workload_csv_row(l->lines, line, &l->columns, job, e);
}

/* Whole seconds; what is more than nothing stays so. */
static int64_t _seconds(double s)
{
    return s <= 0 ? 0 : s < 1 ? 1 : llround(s);
}

static int _room(struct loader *l, struct err *e)
{
    size_t room = l->room ? 2 * l->room : 4096;
    struct sim_job *jobs;

    if (l->w.n >= WORKLOAD_JOBS_MAX) {
        lines_gz_bad(l->lines, e, "more than %d jobs", WORKLOAD_JOBS_MAX);
        errno = EFBIG;
        return -1;
    }
    if (l->w.n < l->room)
        return 0;
    jobs = realloc(l->w.jobs, room * sizeof(*jobs));
    if (!jobs)
        return err_errno(e, "%s", lines_gz_path(l->lines));
    l->w.jobs = jobs;
    l->room = room;
    return 0;
}

static int _add(struct loader *l, const struct row_job *row, struct err *e)
{
    struct sim_job *job;

    if (!(row->submit_s >= 0 && row->submit_s <= SECONDS_MAX) ||
        !(row->run_s > 0 && row->run_s <= SECONDS_MAX) ||
        !(row->cores > 0 && row->cores <= CORES_MAX)) {
        l->w.dropped++;
        return 0;
    }
    if (_room(l, e) < 0)
        return -1;
    job = &l->w.jobs[l->w.n];
    *job = (struct sim_job){.submit_s = llround(row->submit_s),
                            .run_s = _seconds(row->run_s),
                            .limit_s = _seconds(fmin(row->limit_s, SECONDS_MAX)),
                            .cores = (uint32_t)ceil(row->cores),
                            .id = row->has_id ? row->id : l->rows};
    if (names_number(&l->users, 0, row->user, &job->user) < 0 ||
        names_number(&l->keys, job->user, row->name, &job->key) < 0)
        return err_errno(e, "%s", lines_gz_path(l->lines));
    l->w.has_users |= row->user.n > 0;
    l->w.has_limits |= job->limit_s > 0;
    if (l->w.n && job[-1].submit_s > job->submit_s)
        l->sorted = 0;
    l->w.n++;
    return 0;
}

static int _line(struct loader *l, struct span line, double unit_s, struct err *e)
{
    struct row_job row;
    int rc;

    if (l->format == FORMAT_NONE) {
        if (line.n == 0 || line.p[0] == ';' || line.p[0] == '#')
            return 0;
        rc = _detect(l, line, unit_s, e);
        if (rc < 0 || l->format != FORMAT_SWF)
            return rc;
    }
    rc = _row(l, line, &row, e);
    if (rc <= ROW_NONE)
        return rc;
    l->rows++;
    if (rc == ROW_JOB)
        return _add(l, &row, e);
    l->w.dropped++;
    return 0;
}

/* By submission, jobs of one second in the order of the file: a merge from the bottom up, since
 * qsort is not stable everywhere. */
static int _sort(struct workload *w)
{
    struct sim_job *from = w->jobs, *to = malloc(w->n * sizeof(*to)), *swap;

    if (!to)
        return -1;
    for (size_t width = 1; width < w->n; width *= 2) {
        for (size_t left = 0; left < w->n; left += 2 * width) {
            size_t middle = left + width < w->n ? left + width : w->n;
            size_t right = middle + width < w->n ? middle + width : w->n;
            size_t a = left, b = middle;

            for (size_t i = left; i < right; i++)
                to[i] = b == right || (a < middle && from[a].submit_s <= from[b].submit_s)
                            ? from[a++]
                            : from[b++];
        }
        swap = from;
        from = to;
        to = swap;
    }
    free(to);
    w->jobs = from;
    return 0;
}

static int _finish(struct loader *l, struct err *e)
{
    const char *path = lines_gz_path(l->lines);

    if (l->w.n == 0) {
        errno = EINVAL;
        return l->format == FORMAT_NONE
                   ? err_set(e,
                             "%s: no job in it: expected SWF, CSV with a header, or what sacct "
                             "--parsable2 prints",
                             path)
                   : err_set(e,
                             "%s: no job that ran among %zu rows: each needs a submission time, "
                             "a run time and cores",
                             path, l->rows);
    }
    if (!l->sorted && _sort(&l->w) < 0)
        return err_errno(e, "%s", path);
    l->w.n_users = l->users.n;
    l->w.n_keys = l->keys.n;
    return 0;
}

int workload_load(struct workload *w, const char *path, double unit_s, struct err *e)
{
    struct loader l = {.sorted = 1};
    struct span line;
    int rc;

    if (!(unit_s > 0 && unit_s <= SECONDS_MAX)) {
        errno = EINVAL;
        return err_set(e, "a unit of time has to be more than 0 seconds");
    }
    l.lines = lines_gz_open(path, e);
    if (!l.lines)
        return -1;
    while ((rc = lines_gz_next(l.lines, &line, e)) > 0) {
        rc = _line(&l, line, unit_s, e);
        if (rc < 0)
            break;
    }
    if (rc == 0)
        rc = _finish(&l, e);
    lines_gz_close(l.lines);
    names_fini(&l.users);
    names_fini(&l.keys);
    if (rc < 0)
        workload_fini(&l.w);
    else
        *w = l.w;
    return rc;
}

void workload_fini(struct workload *w)
{
    int saved = errno;

    free(w->jobs);
    *w = (struct workload){0};
    errno = saved;
}
