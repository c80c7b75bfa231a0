/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sacct --parsable2 prints (sacct(1), "Job Accounting Fields"). Lenient with
 * rows, since job names hold separators and newlines as they please: a row of
 * another length is dropped. Strict with values, where the format is Slurm's.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/units.h"
#include "common/when.h"
#include "simulate/workload_private.h"

/* In the order of columns.at. */
enum {
    SACCT_ID_RAW = 0,
    SACCT_ID,
    SACCT_SUBMIT,
    SACCT_START,
    SACCT_END,
    SACCT_ELAPSED_RAW,
    SACCT_ELAPSED,
    SACCT_LIMIT_RAW,
    SACCT_LIMIT,
    SACCT_ALLOC_CPUS,
    SACCT_NCPUS,
    SACCT_ALLOC_TRES,
    SACCT_USER,
    SACCT_NAME,
    SACCT_STATE,
    SACCT_COLUMNS
};
static const char *const names[] = {"JobIDRaw",  "JobID",      "Submit",  "Start",
                                    "End",       "ElapsedRaw", "Elapsed", "TimelimitRaw",
                                    "Timelimit", "AllocCPUS",  "NCPUS",   "AllocTRES",
                                    "User",      "JobName",    "State"};

bool workload_sacct_is(struct span line)
{
    return memchr(line.p, '|', line.n) != NULL;
}

int workload_sacct_header(const lines_gz_t *lines, struct span line, struct columns *columns,
                          struct err *e)
{
    struct span fields[WORKLOAD_COLUMNS_MAX];
    size_t n = span_split(line, '|', false, fields, WORKLOAD_COLUMNS_MAX);
    const int *at = columns->at;

    workload_columns(columns, fields, n, names, SACCT_COLUMNS);
    if ((at[SACCT_ID_RAW] < 0 && at[SACCT_ID] < 0) || at[SACCT_SUBMIT] < 0 ||
        (at[SACCT_ELAPSED_RAW] < 0 && at[SACCT_ELAPSED] < 0 &&
         (at[SACCT_START] < 0 || at[SACCT_END] < 0)) ||
        (at[SACCT_ALLOC_CPUS] < 0 && at[SACCT_NCPUS] < 0 && at[SACCT_ALLOC_TRES] < 0))
        return lines_gz_bad(lines, e,
                            "the first line must be sacct's header: sacct -aX --parsable2 "
                            "--format=JobIDRaw,Submit,Start,End,ElapsedRaw,TimelimitRaw,AllocCPUS,"
                            "User,JobName,State, without --noheader");
    return 0;
}

/* A field by its column; p NULL where the file has no such column. */
static struct span _field(const struct columns *columns, const struct span *fields, int column)
{
    return columns->at[column] < 0 ? (struct span){NULL, 0} : fields[columns->at[column]];
}

static int _bad(const lines_gz_t *lines, struct err *e, struct span s, int column)
{
    char text[ERR_QUOTE_SIZE];

    return lines_gz_bad(lines, e, "'%s' is no %s as sacct writes it",
                        span_copy(text, sizeof(text), s), names[column]);
}

/* Slurm's words for a time that has not come, and for a limit that is none. */
static bool _is_none(struct span s)
{
    static const char *const none[] = {"",        "Unknown",   "None",           "N/A",
                                       "INVALID", "UNLIMITED", "Partition_Limit"};

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        if (span_equals(s, none[i]))
            return true;
    return false;
}

/* Local time (sacct's own), RFC 3339, with the zone as +0100 too (SLURM_TIME_FORMAT with %z), or
 * seconds since the epoch (%s). -1 in *out: there is none. */
static int _time(struct span s, double *out)
{
    char text[40];
    int64_t t_s;
    uint64_t epoch_s;

    *out = -1;
    if (_is_none(s))
        return 0;
    if (span_uint64(s, &epoch_s) == 0) {
        *out = (double)epoch_s;
        return 0;
    }
    if (s.n + 1 >= sizeof(text))
        return -1;
    (void)span_copy(text, sizeof(text), s);
    if (s.n > 5 && (text[s.n - 5] == '+' || text[s.n - 5] == '-') && memchr(text, ':', s.n)) {
        memmove(text + s.n - 1, text + s.n - 2, 3);
        text[s.n - 2] = ':';
    }
    /* the form, before a parser that takes "noon" as well */
    if (s.n < 16 || text[4] != '-' || text[10] != 'T' || when_parse_slurm(text, 0, &t_s, NULL) < 0)
        return -1;
    *out = (double)t_s;
    return 0;
}

/* A duration in one of two columns: raw counts in raw_s seconds, the other is [D-]HH:MM:SS. */
static int _duration(const lines_gz_t *lines, const struct columns *columns,
                     const struct span *fields, int raw, double raw_s, int text_column, double *out,
                     struct err *e)
{
    struct span s = _field(columns, fields, raw);
    char text[40];
    int64_t seconds;

    *out = -1;
    if (s.n) {
        if (_is_none(s))
            return 0;
        if (span_number(s, out) < 0)
            return _bad(lines, e, s, raw);
        *out *= raw_s;
        return 0;
    }
    s = _field(columns, fields, text_column);
    if (_is_none(s))
        return 0;
    if (s.n >= sizeof(text) || !memchr(s.p, ':', s.n) ||
        units_parse_wait(span_copy(text, sizeof(text), s), &seconds, NULL) < 0)
        return _bad(lines, e, s, text_column);
    *out = (double)seconds;
    return 0;
}

/* "billing=80,cpu=8,mem=320G,node=1" */
static int _cpus_of_tres(struct span s, double *out)
{
    struct span part;

    *out = -1;
    while (span_cut(&s, ',', &part))
        if (part.n > 4 && memcmp(part.p, "cpu=", 4) == 0)
            return span_number((struct span){part.p + 4, part.n - 4}, out);
    return 0;
}

static int _cores(const lines_gz_t *lines, const struct columns *columns, const struct span *fields,
                  double *out, struct err *e)
{
    struct span s;

    *out = -1;
    for (int i = SACCT_ALLOC_CPUS; i <= SACCT_NCPUS; i++) {
        s = _field(columns, fields, i);
        if (s.n)
            return span_number(s, out) < 0 ? _bad(lines, e, s, i) : 0;
    }
    s = _field(columns, fields, SACCT_ALLOC_TRES);
    return s.p && _cpus_of_tres(s, out) < 0 ? _bad(lines, e, s, SACCT_ALLOC_TRES) : 0;
}

static int _times(const lines_gz_t *lines, const struct columns *columns, const struct span *fields,
                  struct row_job *job, struct err *e)
{
    double start_s = -1, end_s = -1;
    struct {
        int column;
        double *out;
    } times[] = {{SACCT_SUBMIT, &job->submit_s}, {SACCT_START, &start_s}, {SACCT_END, &end_s}};

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        struct span s = _field(columns, fields, times[i].column);

        if (_time(s, times[i].out) < 0)
            return _bad(lines, e, s, times[i].column);
    }
    if (_duration(lines, columns, fields, SACCT_ELAPSED_RAW, 1, SACCT_ELAPSED, &job->run_s, e) < 0)
        return -1;
    if (job->run_s < 0 && start_s >= 0 && end_s >= 0)
        job->run_s = end_s - start_s;
    return _duration(lines, columns, fields, SACCT_LIMIT_RAW, 60, SACCT_LIMIT, &job->limit_s, e);
}

/* Not at its end yet: its elapsed time says nothing. */
static bool _goes_on(struct span state)
{
    static const char *const on[] = {"PENDING", "RUNNING", "SUSPENDED", "RESIZING", "REQUEUED"};

    for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++)
        if (span_equals(state, on[i]))
            return true;
    return false;
}

int workload_sacct_row(const lines_gz_t *lines, struct span line, const struct columns *columns,
                       struct row_job *job, struct err *e)
{
    struct span fields[WORKLOAD_COLUMNS_MAX], id;
    size_t n = span_split(line, '|', false, fields, WORKLOAD_COLUMNS_MAX), digits = 0;

    if (line.n == 0)
        return ROW_NONE;
    if (n != columns->n)
        return ROW_DROPPED;
    id = _field(columns, fields, SACCT_ID_RAW);
    if (!id.n)
        id = _field(columns, fields, SACCT_ID);
    if (id.n && memchr(id.p, '.', id.n))
        return ROW_NONE;
    *job = (struct row_job){.user = _field(columns, fields, SACCT_USER),
                            .name = _field(columns, fields, SACCT_NAME)};
    /* "81234_7", "81234+1": task and component are behind the number */
    while (digits < id.n && id.p[digits] >= '0' && id.p[digits] <= '9')
        digits++;
    job->has_id = span_uint64((struct span){id.p, digits}, &job->id) == 0;
    if (_times(lines, columns, fields, job, e) < 0 ||
        _cores(lines, columns, fields, &job->cores, e) < 0)
        return -1;
    return _goes_on(_field(columns, fields, SACCT_STATE)) ? ROW_DROPPED : ROW_JOB;
}
