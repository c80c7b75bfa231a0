/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "carnotctld/enforcer.h"
#include "carnotctld/requeue.h"
#include "carnotctld/settle.h"
#include "carnotctld/runs.h"
#include "carnotctld/tracker.h"

void requeue_inherit(const struct ledger_job *before, struct ledger_job *row)
{
    row->released = before->released;
    row->spent_s = before->spent_s;
    row->latest_s = before->latest_s;
    row->policy = before->policy;
}

static void reserve(struct ctl *c, struct ledger_job *row, uint64_t uj, uint64_t ug)
{
    row->reserved_uj = uj;
    row->reserved_ug = ug;
    tracker_store(c, row);
}

void requeue_admit(struct ctl *c, const struct slurm_job *job, struct ledger_job *before,
                   struct ledger_job *row)
{
    uint64_t uj = before ? before->reserved_uj : 0, ug = before ? before->reserved_ug : 0;
    if (before)
        reserve(c, before, before->energy_uj, before->carbon_ug);
    enforcer_admit(c, job, row, 1);
    if (before && row->enforce_step != ENFORCE_NONE)
        reserve(c, before, uj, ug);
}

static void give(uint64_t *from, uint64_t from_used, uint64_t *to)
{
    uint64_t free = *from > from_used ? *from - from_used : 0;
    *from -= free;
    *to += free;
}

void requeue_forget(struct ctl *c, struct ledger_job *row, struct ledger_job *before)
{
    give(&row->reserved_uj, row->energy_uj, &before->reserved_uj);
    give(&row->reserved_ug, row->carbon_ug, &before->reserved_ug);
    tracker_store(c, row);
    tracker_store(c, before);
}

/* What is lacking of one reservation, as far as the other one has it unused. */
static void lend(uint64_t *from, uint64_t from_used, uint64_t *to, uint64_t to_used)
{
    uint64_t lacks = to_used > *to ? to_used - *to : 0;
    uint64_t free = *from > from_used ? *from - from_used : 0;
    uint64_t moved = lacks < free ? lacks : free;
    *from -= moved;
    *to += moved;
}

void requeue_lend(struct ctl *c, struct job_key key, uint64_t uj, uint64_t ug)
{
    struct ledger_job settled, *run = runs_row(c, key);
    struct ledger_job *now = runs_newest(c, key.job_id);
    struct err e = {.text = ""};
    if (!now || now->key.restart <= key.restart || (uj == 0 && ug == 0))
        return;
    if (!run && ledger_job_get(c->ledger, key, &settled, &e) == 1)
        run = &settled;
    /* A job that slurmctld lost is another one of the same number, with its own reservation. */
    if (!run || settle_is_lost(run))
        return;
    lend(&now->reserved_uj, now->energy_uj, &run->reserved_uj, run->energy_uj + uj);
    lend(&now->reserved_ug, now->carbon_ug, &run->reserved_ug, run->carbon_ug + ug);
    tracker_store(c, run);
    tracker_store(c, now);
}
