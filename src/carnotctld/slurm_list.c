/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies what Carnot needs out of libslurm's messages, so that no Slurm type goes further. Runs in
 * slurm_client's thread.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "carnotctld/slurm_list.h"
#include "carnotctld/slurm_site.h"
#include "common/licences.h"
#include "common/tasks.h"
#include "common/text.h"
#include "common/tres.h"
#include "compat/slurm_compat.h"
#include "placement/board.h"

static const char *const state_names[] = {"PENDING",   "RUNNING",   "SUSPENDED", "COMPLETED",
                                          "CANCELLED", "FAILED",    "TIMEOUT",   "NODE_FAIL",
                                          "PREEMPTED", "BOOT_FAIL", "DEADLINE",  "OUT_OF_MEMORY"};

/* The reasons that users ask about; others appear as a number. */
static const struct {
    int reason;
    const char *name;
} reasons[] = {
    {WAIT_NO_REASON, "None"},
    {WAIT_PRIORITY, "Priority"},
    {WAIT_DEPENDENCY, "Dependency"},
    {WAIT_RESOURCES, "Resources"},
    {WAIT_PART_NODE_LIMIT, "PartitionNodeLimit"},
    {WAIT_PART_TIME_LIMIT, "PartitionTimeLimit"},
    {WAIT_PART_DOWN, "PartitionDown"},
    {WAIT_PART_INACTIVE, "PartitionInactive"},
    {WAIT_HELD, "JobHeldAdmin"},
    {WAIT_HELD_USER, "JobHeldUser"},
    {WAIT_TIME, "BeginTime"},
    {WAIT_LICENSES, "Licenses"},
    {WAIT_RESERVATION, "Reservation"},
    {WAIT_NODE_NOT_AVAIL, "ReqNodeNotAvail"},
    {WAIT_ARRAY_TASK_LIMIT, "JobArrayTaskLimit"},
    {WAIT_ASSOC_GRP_LIC_MIN, "AssocGrpLicenseMinutes"},
    {FAIL_DOWN_NODE, "NodeDown"},
    {FAIL_BAD_CONSTRAINTS, "BadConstraints"},
};

static int64_t minutes(uint32_t v)
{
    return v == NO_VAL || v == INFINITE ? 0 : (int64_t)v * 60;
}

/* "gres/gpu=4" in Slurm's own TRES string; that is there only where AccountingStorageTRES has
 * gres/gpu. Elsewhere by what was asked for. */
static uint32_t gpus_of(const slurm_job_info_t *from)
{
    const char *gpu = from->tres_req_str ? strstr(from->tres_req_str, "gres/gpu=") : NULL;
    return gpu ? (uint32_t)strtoul(gpu + strlen("gres/gpu="), NULL, 10)
               : tres_gpus_asked(from->tres_per_job, from->tres_per_node, from->tres_per_task,
                                 from->num_nodes, from->num_tasks);
}

static void read_reason(const slurm_job_info_t *from, struct slurm_job *to)
{
    snprintf(to->reason, sizeof(to->reason), "reason %u", (unsigned)from->state_reason);
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].reason == (int)from->state_reason)
            text_copy(to->reason, sizeof(to->reason), reasons[i].name);
}

static void read_times(const slurm_job_info_t *from, struct slurm_job *to)
{
    to->limit_s = minutes(from->time_limit);
    to->submit_s = from->submit_time;
    to->eligible_s = from->eligible_time;
    /* What was cancelled before it got nodes has its end for a start. */
    int never = to->phase == PHASE_ENDED && !(from->nodes && from->nodes[0]);
    to->start_s = never ? 0 : from->start_time;
    to->end_s = to->phase == PHASE_ENDED ? from->end_time : 0;
}

static void read_job(const slurm_job_info_t *from, struct slurm_job *to)
{
    uint32_t state = from->job_state & JOB_STATE_BASE;
    to->job_id = SLURM_INFO_JOB_ID(from);
    to->array_job_id = from->array_job_id;
    to->array_task =
        from->array_job_id && from->array_task_id != NO_VAL ? (int64_t)from->array_task_id : -1;
    to->tasks =
        from->array_job_id && to->array_task < 0 ? tasks_count(from->array_task_str, NULL) : 1;
    to->het_job_id = from->het_job_id;
    to->restart = from->restart_cnt;
    to->uid = from->user_id;
    to->nodes = from->num_nodes;
    to->cpus = from->num_cpus;
    to->gpus = gpus_of(from);
    to->watts = licences_count(from->licenses, BOARD_WATTS);
    to->phase = state == JOB_PENDING     ? PHASE_PENDING
                : state == JOB_RUNNING   ? PHASE_RUNNING
                : state == JOB_SUSPENDED ? PHASE_SUSPENDED
                                         : PHASE_ENDED;
    text_copy(to->state, sizeof(to->state),
              state < sizeof(state_names) / sizeof(state_names[0]) ? state_names[state]
                                                                   : "UNKNOWN");
    read_reason(from, to);
    read_times(from, to);
    to->held = from->priority == 0;
    to->exclusive = SLURM_INFO_EXCLUSIVE(from);
    to->completing = (from->job_state & JOB_COMPLETING) != 0;
    to->bound = (from->resv_name && from->resv_name[0]) || (from->bitflags & CRON_JOB) ||
                from->het_job_id != 0;
    text_copy(to->user, sizeof(to->user), from->user_name);
    text_copy(to->account, sizeof(to->account), from->account);
    text_copy(to->partition, sizeof(to->partition), from->partition);
    text_copy(to->name, sizeof(to->name), from->name);
    text_copy(to->wckey, sizeof(to->wckey), from->wckey);
    text_copy(to->nodelist, sizeof(to->nodelist), from->nodes);
    to->cpus_per_task = from->cpus_per_task == NO_VAL16 ? 0 : from->cpus_per_task;
    to->site_factor = from->site_factor;
    to->note = snapshot_note(from->admin_comment);
    if (from->dependency && from->dependency[0])
        to->dependency = strdup(from->dependency);
    if (to->watts)
        to->licences = strdup(from->licenses);
}

static int by_id(const void *a, const void *b)
{
    const struct slurm_job *x = a, *y = b;
    return (x->job_id > y->job_id) - (x->job_id < y->job_id);
}

static int read_jobs(struct snapshot *s, struct err *e)
{
    job_info_msg_t *msg = NULL;
    if (slurm_load_jobs(0, &msg, SHOW_ALL | SHOW_DETAIL) != SLURM_SUCCESS)
        return err_set(e, "slurmctld gives no job list: %s", slurm_strerror(errno));
    s->jobs = calloc(msg->record_count ? msg->record_count : 1, sizeof(*s->jobs));
    if (s->jobs) {
        for (uint32_t i = 0; i < msg->record_count; i++)
            read_job(&msg->job_array[i], &s->jobs[s->n_jobs++]);
        qsort(s->jobs, s->n_jobs, sizeof(*s->jobs), by_id);
    }
    /* 22.05 forgets this one: 200 bytes a job and list. */
    for (uint32_t i = 0; i < msg->record_count; i++)
        slurm_xfree((void **)&msg->job_array[i].admin_comment);
    slurm_free_job_info_msg(msg);
    return s->jobs ? 0 : err_set(e, "no memory for the job list");
}

int slurm_list_state(uint32_t job_id, struct slurm_state *out, struct err *e)
{
    job_info_msg_t *msg = NULL;
    int found = 0;
    if (SLURM_LOAD_JOB(&msg, job_id, SHOW_ALL) != SLURM_SUCCESS)
        return err_set(e, "slurmctld does not show it: %s", slurm_strerror(errno));
    /* By its first one's number, all tasks of an array come. */
    for (uint32_t i = 0; i < msg->record_count; i++) {
        if (SLURM_INFO_JOB_ID(&msg->job_array[i]) == job_id) {
            out->begin_s = msg->job_array[i].eligible_time;
            out->restart = msg->job_array[i].restart_cnt;
            out->running = msg->job_array[i].job_state == JOB_RUNNING;
            found = 1;
        }
        slurm_xfree((void **)&msg->job_array[i].admin_comment); /* see read_jobs */
    }
    slurm_free_job_info_msg(msg);
    return found ? 0 : err_set(e, "slurmctld does not know it");
}

/* A node that is in several partitions counts once, with the mean of the first. */
static uint32_t count_cpus(const partition_info_msg_t *msg)
{
    SLURM_HOSTLIST seen = slurm_hostlist_create(NULL);
    double cpus = 0;
    int n = 0;
    for (uint32_t i = 0; seen && i < msg->record_count; i++) {
        const partition_info_t *p = &msg->partition_array[i];
        if (!p->nodes || !p->nodes[0] || p->total_nodes == 0)
            continue;
        slurm_hostlist_push(seen, p->nodes);
        slurm_hostlist_uniq(seen);
        int more = slurm_hostlist_count(seen);
        cpus += (double)(more - n) * (double)p->total_cpus / (double)p->total_nodes;
        n = more;
    }
    if (seen)
        slurm_hostlist_destroy(seen);
    return (uint32_t)(cpus + 0.5);
}

static int read_parts(struct snapshot *s, struct err *e)
{
    partition_info_msg_t *msg = NULL;
    if (slurm_load_partitions(0, &msg, SHOW_ALL) != SLURM_SUCCESS)
        return err_set(e, "slurmctld gives no partition list: %s", slurm_strerror(errno));
    s->parts = calloc(msg->record_count ? msg->record_count : 1, sizeof(*s->parts));
    for (uint32_t i = 0; s->parts && i < msg->record_count; i++) {
        const partition_info_t *p = &msg->partition_array[i];
        struct slurm_part *to = &s->parts[s->n_parts++];
        text_copy(to->name, sizeof(to->name), p->name);
        to->is_default = (p->flags & PART_FLAG_DEFAULT) != 0;
        to->exclusive = p->max_share == 0;
        to->nodes = p->total_nodes;
        to->cpus_per_node =
            p->total_nodes ? (p->total_cpus + p->total_nodes - 1) / p->total_nodes : 0;
        to->default_time_s = minutes(p->default_time);
        to->max_time_s = minutes(p->max_time);
    }
    s->cpus = count_cpus(msg);
    int rc = s->parts ? slurm_site_read(s, msg, e) : err_set(e, "no memory for the partition list");
    slurm_free_partition_info_msg(msg);
    return rc;
}

struct snapshot *slurm_list_load(struct err *e)
{
    struct timespec now;
    struct snapshot *s = calloc(1, sizeof(*s));
    if (!s) {
        err_set(e, "no memory for Slurm's list");
        return NULL;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    s->listed_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (read_jobs(s, e) < 0 || read_parts(s, e) < 0) {
        snapshot_destroy(s);
        return NULL;
    }
    return s;
}

int slurm_list_nodes(struct slurm_node **nodes, size_t *n, struct err *e)
{
    node_info_msg_t *msg = NULL;
    if (slurm_load_node(0, &msg, SHOW_ALL) != SLURM_SUCCESS)
        return err_set(e, "slurmctld gives no node list: %s", slurm_strerror(errno));
    struct slurm_node *list = calloc(msg->record_count ? msg->record_count : 1, sizeof(*list));
    *n = 0;
    for (uint32_t i = 0; list && i < msg->record_count; i++) {
        const node_info_t *from = &msg->node_array[i];
        if (!from->name) /* a hole that a removed node left */
            continue;
        struct slurm_node *to = &list[(*n)++];
        text_copy(to->name, sizeof(to->name), from->name);
        text_copy(to->address, sizeof(to->address), from->node_addr);
        text_copy(to->hostname, sizeof(to->hostname), from->node_hostname);
    }
    slurm_free_node_info_msg(msg);
    *nodes = list;
    return list ? 0 : err_set(e, "no memory for the node list");
}
