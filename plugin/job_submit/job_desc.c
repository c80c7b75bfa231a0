/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a job description. Called in slurmctld's submission path: bounded scans, no allocation
 * but for strings that are handed to Slurm.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/tasks.h"
#include "common/tres.h"
#include "job_desc.h"

#define SCAN_MAX (1u << 16)       /* entries of an environment, bytes of a command line */
#define LIST_MAX 4096             /* bytes of a list of partitions */
#define TIME_MAX_S 253402300799LL /* the year 9999: sums with it do not overflow */

static uint32_t set32(uint32_t v)
{
    return v == NO_VAL || v == INFINITE ? 0 : v;
}

static uint32_t set16(uint16_t v)
{
    return v == NO_VAL16 || v == (uint16_t)INFINITE ? 0 : v;
}

static uint32_t saturate(uint64_t v)
{
    return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static void read_size(const job_desc_msg_t *desc, struct placement_job *job)
{
    uint32_t low = set32(desc->min_nodes), high = set32(desc->max_nodes);
    uint64_t tasks = set32(desc->num_tasks), each = set16(desc->cpus_per_task);
    /* -N 2-4 may get either: price the dearest. */
    uint64_t nodes = high > low ? high : low;
    uint64_t by_node = (uint64_t)set16(desc->ntasks_per_node) * nodes;
    uint64_t n = nodes ? nodes : 1;
    if (by_node > tasks)
        tasks = by_node;
    uint64_t cpus = tasks * (each ? each : 1);
    if (set32(desc->min_cpus) > cpus)
        cpus = set32(desc->min_cpus);
    if (set16(desc->pn_min_cpus) * n > cpus)
        cpus = set16(desc->pn_min_cpus) * n;
    job->nodes = saturate(nodes);
    job->cpus = saturate(cpus);
    job->gpus =
        tres_gpus_asked(desc->tres_per_job, desc->tres_per_node, desc->tres_per_task, n, tasks);
    if (desc->shared == 0)
        job->flags |= PLACEMENT_EXCLUSIVE;
}

static void read_time(const job_desc_msg_t *desc, struct placement_job *job)
{
    if (desc->time_limit == INFINITE)
        job->limit_s = INT64_MAX / 2; /* priced as the longest there is */
    else if (desc->time_limit != NO_VAL)
        job->limit_s = (int64_t)desc->time_limit * 60;
    if (desc->begin_time > 0)
        job->earliest_s = desc->begin_time < TIME_MAX_S ? desc->begin_time : TIME_MAX_S;
    if (desc->deadline > 0 && (uint64_t)desc->deadline < NO_VAL)
        job->deadline_s = desc->deadline;
}

static void read_kind(const job_desc_msg_t *desc, struct placement_job *job)
{
    int bound = desc->immediate == 1 || (desc->bitflags & CRON_JOB) || desc->crontab_entry ||
                (desc->reservation && desc->reservation[0]) || job_desc_component(desc) > 0 ||
                desc->fed_siblings_viable != 0;
    if (bound)
        job->flags |= PLACEMENT_IMMEDIATE;
    if (desc->dependency && desc->dependency[0])
        job->flags |= PLACEMENT_DEPENDENT;
    if (!desc->script)
        job->flags |= PLACEMENT_INTERACTIVE;
    if (desc->requeue == 0)
        job->flags |= PLACEMENT_NO_REQUEUE;
}

/* NULL where none is named; a longer list is nobody's honest wish, and each name is looked up. */
static const char *partitions(const job_desc_msg_t *desc)
{
    const char *list = desc->partition;
    return list && list[0] && strnlen(list, LIST_MAX) < LIST_MAX ? list : NULL;
}

int64_t job_desc_component(const job_desc_msg_t *desc)
{
    return desc->het_job_offset == NO_VAL ? -1 : (int64_t)desc->het_job_offset;
}

int job_desc_read(const job_desc_msg_t *desc, const struct request *leader, int64_t now_s,
                  struct placement_job *job, struct err *e)
{
    struct request *r = &job->request;
    memset(job, 0, sizeof(*job));
    request_init(r);
    if (leader)
        *r = *leader;
    size_t n_env = desc->environment ? desc->env_size : 0;
    size_t n_spank = desc->spank_job_env ? desc->spank_job_env_size : 0;
    if (n_env > SCAN_MAX)
        n_env = SCAN_MAX;
    if (n_spank > SCAN_MAX)
        n_spank = SCAN_MAX;
    if (request_from_environment(r, desc->environment, n_env, now_s, e) < 0 ||
        request_from_environment(r, desc->spank_job_env, n_spank, now_s, e) < 0)
        return -1;
    if (desc->script &&
        /* One byte more than is read: it tells a cut line from a whole one. */
        request_from_script(r, desc->script, strnlen(desc->script, REQUEST_SCRIPT_SCAN_MAX + 1),
                            now_s, e) < 0)
        return -1;
    if (request_from_spank(r, desc->spank_job_env, n_spank, now_s, e) < 0 ||
        request_check(r, e) < 0)
        return -1;

    job->uid = desc->user_id;
    job->name = desc->name; /* never read beyond what a board's name holds */
    job->account = desc->account;
    job->partition = partitions(desc);
    job->qos = desc->qos;
    job->tasks = tasks_count(desc->array_inx, &job->tasks_at_once);
    read_size(desc, job);
    read_time(desc, job);
    read_kind(desc, job);
    return 0;
}

/* "123", "123_4", "123_[1-3]" or "123+1": the number in front, and the one task behind it. */
static void read_id(const job_desc_msg_t *desc, struct placement_change *c)
{
    const char *text = desc->job_id_str;
    char *end = NULL;
    c->array_task = -1;
    c->job_id = set32(SLURM_DESC_JOB_ID(desc));
    if (!text || !isdigit((unsigned char)text[0]))
        return;
    c->job_id = saturate(strtoul(text, &end, 10));
    if (end[0] == '_' && isdigit((unsigned char)end[1]))
        c->array_task = saturate(strtoul(end + 1, NULL, 10));
}

void job_desc_change(const job_desc_msg_t *desc, struct placement_change *change)
{
    struct placement_job job;
    memset(change, 0, sizeof(*change));
    memset(&job, 0, sizeof(job));
    read_id(desc, change);
    read_size(desc, &job);
    read_time(desc, &job);
    change->account = desc->account && desc->account[0] ? desc->account : NULL;
    change->partition = partitions(desc);
    change->nodes = job.nodes;
    change->ntasks = set32(desc->num_tasks);
    change->cpus = set32(desc->min_cpus);
    change->gpus = job.gpus;
    change->limit_s = job.limit_s;
    change->exclusive = desc->shared == 0;
}

int job_desc_has_reader(const job_desc_msg_t *desc)
{
    size_t n = desc->spank_job_env ? desc->spank_job_env_size : 0;
    return request_from_terminal(desc->spank_job_env, n < SCAN_MAX ? n : SCAN_MAX);
}

int job_desc_is_test(const job_desc_msg_t *desc)
{
    static const char word[] = "--test-only";
    const char *line = desc->submit_line;
    if (!line || strnlen(line, SCAN_MAX) == SCAN_MAX)
        return 0;
    for (const char *p = line; (p = strstr(p, word)); p++) {
        char before = p == line ? ' ' : p[-1], behind = p[sizeof(word) - 1];
        if (isspace((unsigned char)before) && (behind == '\0' || isspace((unsigned char)behind)))
            return 1;
    }
    return 0;
}

int job_desc_is_exclusive(const struct board *b, const struct placement_job *job)
{
    uint32_t i = 0;
    const struct board_partition *p = board_partition_each(b, job->partition, &i);
    int exclusive = p != NULL;
    for (; p; p = board_partition_each(b, job->partition, &i))
        exclusive &= p->exclusive != 0;
    return exclusive || (job->flags & PLACEMENT_EXCLUSIVE);
}

void job_desc_pass_cap(job_desc_msg_t *desc, const struct request *r, int is_set, int exclusive)
{
    const char *name = request_options[REQUEST_POWER_CAP].env;
    size_t n = desc->spank_job_env ? desc->spank_job_env_size : 0, len = strlen(name);
    char cap[POWER_CAP_TEXT_SIZE + sizeof(REQUEST_CAP_EXCLUSIVE)] = "", entry[sizeof(cap) + 48];

    if (is_set)
        power_cap_format(cap, POWER_CAP_TEXT_SIZE, &r->power_cap);
    if (cap[0] && exclusive)
        strcat(cap, REQUEST_CAP_EXCLUSIVE);
    if (cap[0] && !desc->spank_job_env)
        desc->spank_job_env_size =
            (uint32_t)slurm_env_array_append(&desc->spank_job_env, name, cap);
    snprintf(entry, sizeof(entry), "%s=%s", name, cap);
    for (size_t i = 0; i < n && i < SCAN_MAX; i++) {
        char **at = &desc->spank_job_env[i];
        if (!*at || strncmp(*at, name, len) != 0 || (*at)[len] != '=' || strcmp(*at, entry) == 0)
            continue;
        slurm_xfree((void **)at);
        *at = slurm_xstrdup(entry);
    }
}

void job_desc_append(char **where, const char *separator, const char *text)
{
    char joined[4096];
    if (!*where || !**where) {
        slurm_xfree((void **)where);
        *where = slurm_xstrdup(text);
        return;
    }
    int n = snprintf(joined, sizeof(joined), "%s%s%s", *where, separator, text);
    if (n < 0 || (size_t)n >= sizeof(joined))
        return; /* another plugin's text is kept whole rather than cut for ours */
    slurm_xfree((void **)where);
    *where = slurm_xstrdup(joined);
}
