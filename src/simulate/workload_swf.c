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

/* The first 18 words of a line; how many there are of them. */
static size_t _words(struct span line, struct span words[SWF_FIELDS])
{
    size_t n = 0, i = 0;

    while (n < SWF_FIELDS) {
        while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'))
            i++;
        if (i == line.n)
            break;
        words[n].p = line.p + i;
        while (i < line.n && line.p[i] != ' ' && line.p[i] != '\t')
            i++;
        words[n].n = (size_t)(line.p + i - words[n].p);
        n++;
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
    struct span words[SWF_FIELDS];
    double v[SWF_FIELDS];
    char text[ERR_QUOTE_SIZE];

    if (line.n == 0 || line.p[0] == ';')
        return ROW_NONE;
    if (_words(line, words) < SWF_FIELDS)
        return lines_gz_bad(lines, e, "a line of SWF has %d numbers, or begins with ;", SWF_FIELDS);
    for (int i = 0; i < SWF_FIELDS; i++)
        if (workload_number(words[i], &v[i]) < 0)
            return lines_gz_bad(lines, e, "'%s', field %d, is no number",
                                span_copy(text, sizeof(text), words[i]), i + 1);
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
