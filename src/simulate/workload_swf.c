/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Standard Workload Format, version 2.2 (Parallel Workloads Archive, "The Standard
 * Workload Format"): one job a line, 18 numbers, -1 for what is not known.
 * What some archives write behind them (node lists, queues) is not looked at.
 */
#include "config.h"

#include "simulate/workload_private.h"

#define SWF_FIELDS 18

/* Fields by their place, from 0. */
enum {
    SWF_ID = 0,
    SWF_SUBMIT = 1,
    SWF_RUN = 3,
    SWF_ALLOCATED = 4,
    SWF_REQUESTED = 7,
    SWF_LIMIT = 8,
    SWF_STATUS = 10,
    SWF_USER = 11,
    SWF_EXECUTABLE = 13,
};

static bool _is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The first 18 words of a line; how many there are of them. */
static size_t _words(struct span line, struct span words[SWF_FIELDS])
{
    const char *p = line.p, *end = line.p + line.n, *from;
    size_t n = 0;

    while (n < SWF_FIELDS) {
        while (p < end && _is_blank(*p))
            p++;
        if (p == end)
            break;
        for (from = p; p < end && !_is_blank(*p);)
            p++;
        words[n++] = (struct span){from, (size_t)(p - from)};
    }
    return n;
}

bool workload_swf_is(struct span line)
{
    struct span words[SWF_FIELDS];
    double value;

    return _words(line, words) == SWF_FIELDS && workload_number(words[0], &value) == 0;
}

int workload_swf_row(const lines_gz_t *lines, struct span line, struct row_job *job, struct err *e)
{
    static const int used[] = {SWF_ID,    SWF_SUBMIT, SWF_RUN,  SWF_ALLOCATED, SWF_REQUESTED,
                               SWF_LIMIT, SWF_STATUS, SWF_USER, SWF_EXECUTABLE};
    struct span words[SWF_FIELDS];
    double v[SWF_FIELDS];
    char text[ERR_QUOTE_SIZE];

    if (line.n == 0 || line.p[0] == ';')
        return ROW_NONE;
    if (_words(line, words) < SWF_FIELDS)
        return lines_gz_bad(lines, e, "a line of SWF has %d numbers, or begins with ;", SWF_FIELDS);
    for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
        if (workload_number(words[used[i]], &v[used[i]]) < 0)
            return lines_gz_bad(lines, e, "'%s', field %d, is no number",
                                span_copy(text, sizeof(text), words[used[i]]), used[i] + 1);
    /* the bursts of a job that was swapped out; a line before them is the job as a whole */
    if (v[SWF_STATUS] >= 2 && v[SWF_STATUS] <= 4)
        return ROW_NONE;
    *job = (struct row_job){
        .submit_s = v[SWF_SUBMIT],
        .run_s = v[SWF_RUN],
        .limit_s = v[SWF_LIMIT],
        .cores = v[SWF_ALLOCATED] > 0 ? v[SWF_ALLOCATED] : v[SWF_REQUESTED],
        .name = words[SWF_EXECUTABLE],
    };
    if (v[SWF_USER] >= 0)
        job->user = words[SWF_USER];
    job->has_id = span_uint64(words[SWF_ID], &job->id) == 0;
    return ROW_JOB;
}
