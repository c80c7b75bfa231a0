/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be said of one job of `jobs`.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "carnot/answer.h"
#include "carnot/job_row.h"

char *job_row_label(char *buf, size_t size, const json_t *row)
{
    int64_t array = answer_integer(row, "array_job_id"), task = answer_integer(row, "array_task");
    int64_t id = answer_integer(row, "job_id");

    if (array > 0 && task >= 0)
        (void)snprintf(buf, size, "%lld_%lld", (long long)array, (long long)task);
    else if (id == ANSWER_NONE)
        (void)snprintf(buf, size, "-");
    else
        (void)snprintf(buf, size, "%lld", (long long)id);
    return buf;
}

/* The id that a person would name: an array's own for its tasks. */
static int64_t _id(const json_t *row)
{
    int64_t array = answer_integer(row, "array_job_id");

    return array > 0 ? array : answer_integer(row, "job_id");
}

static int _order(int64_t x, int64_t y)
{
    return (x > y) - (x < y);
}

int job_row_compare(const json_t *a, const json_t *b)
{
    int order = _order(answer_time(a, "submit"), answer_time(b, "submit"));

    if (order == 0)
        order = _order(_id(a), _id(b));
    if (order == 0)
        order = _order(answer_integer(a, "array_task"), answer_integer(b, "array_task"));
    if (order == 0)
        order = _order(answer_integer(a, "restart"), answer_integer(b, "restart"));
    return order;
}

const char *job_row_state(const json_t *row)
{
    static const char *const names[][2] = {
        {"BOOT_FAIL", "BF"},      {"CANCELLED", "CA"}, {"COMPLETED", "CD"}, {"COMPLETING", "CG"},
        {"CONFIGURING", "CF"},    {"DEADLINE", "DL"},  {"FAILED", "F"},     {"NODE_FAIL", "NF"},
        {"OUT_OF_MEMORY", "OOM"}, {"PENDING", "PD"},   {"PREEMPTED", "PR"}, {"REQUEUED", "RQ"},
        {"RUNNING", "R"},         {"SUSPENDED", "S"},  {"TIMEOUT", "TO"},
    };
    const char *state = answer_show(row, "state");

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(state, names[i][0]) == 0)
            return names[i][1];
    return state;
}

const char *job_row_quality(const json_t *row)
{
    const char *quality = answer_show(row, "quality");

    if (strcmp(quality, "measured") == 0)
        return "M";
    if (strcmp(quality, "split") == 0)
        return "S";
    if (strcmp(quality, "modelled") == 0 || strcmp(quality, "stale") == 0)
        return "E";
    return "-";
}

int64_t job_row_elapsed(const json_t *row, int64_t now_s)
{
    int64_t start_s = answer_time(row, "start"), end_s = answer_time(row, "end");

    if (start_s == ANSWER_NONE || start_s > now_s)
        return -1;
    if (end_s == ANSWER_NONE)
        end_s = now_s;
    return end_s > start_s ? end_s - start_s : 0;
}

int64_t job_row_wait(const json_t *row)
{
    return answer_time(row, "start") == ANSWER_NONE ? ANSWER_NONE : answer_integer(row, "delay_s");
}

double job_row_saved_g(const json_t *row)
{
    int64_t wait_s = job_row_wait(row);

    /* No wait, no saving: the two are only ever shown together. */
    if (wait_s == ANSWER_NONE || wait_s <= 0)
        return NAN;
    return answer_number(row, "carbon_if_asap_g") - answer_number(row, "carbon_g");
}
