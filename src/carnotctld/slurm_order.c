/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <slurm/slurm_errno.h>

#include "carnotctld/slurm_list.h"
#include "carnotctld/slurm_order.h"
#include "compat/slurm_compat.h"

static int update_job(struct slurm_order *o)
{
    job_desc_msg_t desc;
    char id[16];
    slurm_init_job_desc_msg(&desc);
    SLURM_DESC_JOB_ID(&desc) = o->job_id;
    /* By its text, the first component of a heterogeneous job stands for all of them. An array's
     * would stand for tasks that have gone their own ways. */
    if (!o->array_job_id) {
        snprintf(id, sizeof(id), "%u", o->job_id);
        desc.job_id_str = id;
    }
    if (o->kind == ORDER_HOLD)
        desc.priority = 0;
    else if (o->kind == ORDER_FACTOR)
        desc.site_factor = o->site_factor;
    else if (o->kind == ORDER_LICENCES)
        desc.licenses = o->text;
    else
        desc.begin_time = o->begin_s;
    if (o->kind == ORDER_RELEASE)
        desc.priority = INFINITE;
    return slurm_update_job(&desc);
}

/* Lists are seconds old, and an order may have waited behind others. */
static int stands(const struct slurm_order *o, struct err *e)
{
    struct slurm_state now;
    if (o->replaces_s[0] == 0)
        return 1;
    if (slurm_list_state(o->job_id, &now, e) < 0)
        return 0;
    if (now.begin_s == o->replaces_s[0] || now.begin_s == o->replaces_s[1])
        return 1;
    err_set(e, "its begin time has been changed since it was listed: that stands");
    return 0;
}

/* Only the run that it was ordered for, and only while it runs: what has ended must not run again.
 * JOB_RUNNING has slurmctld look once more, under its lock. */
static int requeue(const struct slurm_order *o, char *id, int *refused, struct err *e)
{
    struct slurm_state now;
    job_array_resp_msg_t *tasks = NULL;
    if (slurm_list_state(o->job_id, &now, e) < 0)
        return SLURM_ERROR;
    if (now.restart != o->restart || !now.running)
        return SLURM_SUCCESS; /* it has been already, or there is nothing to requeue any more */
    int rc = slurm_requeue2(id, JOB_RUNNING, &tasks);
    uint32_t error = rc == SLURM_SUCCESS ? 0 : (uint32_t)errno;
    for (uint32_t i = 0; tasks && i < tasks->job_array_count; i++)
        if (tasks->error_code[i])
            error = tasks->error_code[i];
    if (tasks)
        slurm_free_job_array_resp(tasks);
    *refused = error == ESLURM_DISABLED || error == ESLURM_BATCH_ONLY;
    errno = (int)error;
    return error ? SLURM_ERROR : SLURM_SUCCESS;
}

void slurm_order_carry_out(struct slurm_order *o)
{
    char id[48];
    int rc = SLURM_ERROR, refused = 0;
    struct err e = {.text = ""};
    /* The last task of an array has the array's own number: by that, all of them would be meant. */
    if (o->array_job_id && o->array_task >= 0)
        snprintf(id, sizeof(id), "%u_%lld", o->array_job_id, (long long)o->array_task);
    else
        snprintf(id, sizeof(id), "%u", o->job_id);
    errno = 0;
    switch (o->kind) {
    case ORDER_BEGIN:
        if (stands(o, &e))
            rc = update_job(o);
        break;
    case ORDER_HOLD:
    case ORDER_FACTOR:
    case ORDER_RELEASE:
    case ORDER_LICENCES:
        rc = update_job(o);
        break;
    case ORDER_REQUEUE:
        rc = requeue(o, id, &refused, &e);
        break;
    case ORDER_NOTIFY:
        rc = SLURM_NOTIFY_JOB(o->job_id, o->text);
        break;
    case ORDER_TERM:
        rc = slurm_kill_job2(id, SIGTERM, KILL_FULL_JOB, NULL);
        break;
    case ORDER_CANCEL:
        rc = slurm_kill_job2(id, SIGKILL, 0, NULL);
        break;
    }
    o->rc = rc == SLURM_SUCCESS ? 0 : refused ? ORDER_REFUSED : -1;
    o->error[0] = '\0';
    if (o->rc < 0)
        snprintf(o->error, sizeof(o->error), "%s", e.text[0] ? e.text : slurm_strerror(errno));
}
