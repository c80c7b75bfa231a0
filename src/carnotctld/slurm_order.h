/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Slurm is told about a job: one call each.
 */
#ifndef CARNOT_CARNOTCTLD_SLURM_ORDER_H
#define CARNOT_CARNOTCTLD_SLURM_ORDER_H

#include <stdint.h>

enum order_kind {
    ORDER_BEGIN = 0,
    ORDER_HOLD,
    ORDER_FACTOR,
    ORDER_RELEASE,  /* a hold of ours; begin_s too */
    ORDER_LICENCES, /* of a job that pends: text is the whole expression */
    ORDER_REQUEUE,  /* the run of this restart count, if it still runs */
    ORDER_NOTIFY,
    ORDER_TERM,
    ORDER_CANCEL
};

struct slurm_order {
    enum order_kind kind;
    uint32_t job_id;
    uint32_t array_job_id; /* 0 = no array */
    int64_t array_task;    /* -1 = the job, or the array's tasks that are still together */
    uint32_t site_factor;  /* ORDER_FACTOR, as Slurm has it */
    int64_t begin_s;       /* ORDER_BEGIN, ORDER_RELEASE */
    /* ORDER_BEGIN: the begin times it may replace, any if the first is 0. Another one is the word
     * of somebody who was not on the list that the order was made from: it stands. */
    int64_t replaces_s[2];
    uint32_t restart; /* ORDER_REQUEUE */
    char text[256];   /* ORDER_NOTIFY, ORDER_LICENCES */
    /* filled in when it comes back: */
    int rc; /* 0 done, -1 not, ORDER_REFUSED: and never will be */
    char error[128];
};

#define ORDER_REFUSED (-2)

/* Tell slurmctld, and fill in rc and error. Blocks on it; only slurm_client's thread may. */
void slurm_order_carry_out(struct slurm_order *o);

#endif
