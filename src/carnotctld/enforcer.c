/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each step is written down before it is ordered: a restart neither repeats a warning nor forgets
 * that a grace time is running. An order that is lost with the process is ordered again by the next
 * step.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/enforcer.h"
#include "carnotctld/events.h"
#include "carnotctld/slurm_client.h"
#include "carnotctld/tracker.h"
#include "common/log.h"
#include "common/units.h"

#define WARN_SHARE 0.9

/* So long after a board was published, the plugin decides by it (it looks four times a second), and
 * what it promised on the one before is in any list. */
#define CLAIM_SETTLES_MS 3000

enum cover { NO_BUDGET, COVERED, UNCOVERED };

/* Do the budgets of the job's account, of those above it, and of its user have what the row may
 * use? Neither the row's reservation nor its claim is in the sums. Where Slurm's own limit holds
 * the job, only its user's budget is asked. */
static enum cover covered(struct ctl *c, const struct ledger_job *row, int count_claims)
{
    struct budget *all = NULL;
    size_t n = 0;
    enum cover cover = NO_BUDGET;
    struct err e = {.text = ""};
    if (budget_list(c->ledger, ctl_now_s(c), &all, &n, &e) < 0) {
        log_err("ledger: %s", e.text);
        return NO_BUDGET;
    }
    for (size_t i = 0; i < n && cover != UNCOVERED; i++) {
        const struct budget *b = &all[i];
        unsigned __int128 all_uses =
            b->resource == RESOURCE_ENERGY ? row->estimate_uj : row->estimate_ug;
        all_uses += b->charged;
        all_uses += b->reserved;
        all_uses += count_claims ? b->claimed : 0;
        if ((row->watts && b->scope == SCOPE_ACCOUNT) ||
            !budget_counts(c->ledger, b, row->account, row->user))
            continue;
        cover = all_uses > b->granted ? UNCOVERED : COVERED;
    }
    free(all);
    return cover;
}

/* What the ledger keeps of a row is its step. */
static void set_step(struct ctl *c, struct ledger_job *row, enum enforce_step to, int64_t at_s)
{
    struct err e = {.text = ""};
    row->enforce_step = to;
    row->enforce_s = at_s;
    if (ledger_job_enforced(c->ledger, row->key, to, at_s, &e) < 0 && errno != ENOENT)
        log_err("ledger: job %u: %s", row->key.job_id, e.text);
}

/* A row that has used something comes again, after slurmctld had forgotten that it ended. */
static void reserve(struct ledger_job *row, int all)
{
    row->reserved_uj = all ? row->energy_uj + row->estimate_uj : 0;
    row->reserved_ug = all ? row->carbon_ug + row->estimate_ug : 0;
}

static void hold(struct ctl *c, const struct slurm_job *job, struct ledger_job *row)
{
    struct slurm_order o = slurm_client_order_for(ORDER_HOLD, row);
    reserve(row, 0);
    set_step(c, row, ENFORCE_HELD, ctl_now_s(c));
    row->planned_s = 0;
    row->released = 0; /* it may have been let go before */
    slurm_client_order(&o);
    log_info("job %u of %s came past the plugin and account %s has too little left: held",
             job->job_id, row->user, row->account);
    events_job(c, "job.refuse", "BUDGET_LEFT", row, "carnot");
}

static void admit(struct ctl *c, struct ledger_job *row)
{
    if (row->enforce_step != ENFORCE_NONE)
        set_step(c, row, ENFORCE_NONE, ctl_now_s(c));
    reserve(row, 1);
}

void enforcer_admit(struct ctl *c, const struct slurm_job *job, struct ledger_job *row, int is_new)
{
    int freed = row->enforce_step == ENFORCE_HELD && !job->held;
    int claimed = row->enforce_step == ENFORCE_CLAIMED;
    if (!is_new && !freed)
        return;
    if (job->phase != PHASE_PENDING || !tracker_acting(c, row)) {
        if (claimed)
            admit(c, row); /* whatever it needs, it has it */
        return;
    }
    enum cover cover = covered(c, row, !claimed);
    if (cover == UNCOVERED) {
        hold(c, job, row);
    } else if (cover == COVERED && !claimed && !freed) {
        set_step(c, row, ENFORCE_CLAIMED, 0);
        reserve(row, 0);
    } else {
        admit(c, row);
    }
}

int enforcer_claim_is_due(const struct ctl *c, const struct slurm_job *job,
                          const struct ledger_job *row)
{
    if (row->enforce_step != ENFORCE_CLAIMED)
        return 0;
    return job->phase != PHASE_PENDING ||
           (row->enforce_s > 0 &&
            c->snap->listed_ms >= (row->enforce_s + 1) * 1000 + CLAIM_SETTLES_MS);
}

static int is_unpublished(const struct ledger_job *row)
{
    return row->enforce_step == ENFORCE_CLAIMED && row->enforce_s == 0;
}

/* One transaction: after a node's failure there may be many. */
void enforcer_published(struct ctl *c)
{
    struct err e = {.text = ""};
    size_t i = 0;
    while (i < c->n_jobs && !is_unpublished(&c->jobs[i]))
        i++;
    if (i == c->n_jobs)
        return;
    if (ledger_begin(c->ledger, &e) < 0) {
        log_err("ledger: %s", e.text);
        return; /* the next board has them as well */
    }
    for (; i < c->n_jobs; i++)
        if (is_unpublished(&c->jobs[i]))
            set_step(c, &c->jobs[i], ENFORCE_CLAIMED, ctl_now_s(c));
    if (ledger_commit(c->ledger, &e) < 0)
        log_err("ledger: %s", e.text);
}

static void step(struct ctl *c, struct ledger_job *row, enum enforce_step to, const char *ev,
                 const struct slurm_order *order)
{
    struct err e = {.text = ""};
    int64_t now_s = ctl_now_s(c);
    if (ledger_job_enforced(c->ledger, row->key, to, now_s, &e) < 0) {
        log_err("ledger: job %u: %s", row->key.job_id, e.text);
        return; /* tried again: nothing was ordered */
    }
    row->enforce_step = to;
    row->enforce_s = now_s;
    slurm_client_order(order);
    log_info("job %u of %s: %s", row->key.job_id, row->user, ev);
    events_job(c, ev, "BUDGET_LEFT", row, "carnot");
}

/* On a modelled figure a job is only ended if its user typed so. */
static int may_end(const struct ledger_job *row)
{
    if (row->action == 1)
        return 1;
    return row->action == 2 && (row->quality == QUALITY_MEASURED || row->quality == QUALITY_SPLIT);
}

static void warn(struct ctl *c, struct ledger_job *row)
{
    char used[32], limit[32];
    struct slurm_order o = slurm_client_order_for(ORDER_NOTIFY, row);
    int by_energy =
        row->limit_uj > 0 && (double)row->energy_uj >= WARN_SHARE * (double)row->limit_uj;
    if (by_energy) {
        units_format_energy(used, sizeof(used), (double)row->energy_uj);
        units_format_energy(limit, sizeof(limit), (double)row->limit_uj);
    } else {
        units_format_mass(used, sizeof(used), (double)row->carbon_ug);
        units_format_mass(limit, sizeof(limit), (double)row->limit_ug);
    }
    snprintf(o.text, sizeof(o.text), "carnot: this job has used %s (%s) of its %s budget of %s%s",
             used, ledger_quality_name(row->quality), by_energy ? "energy" : "carbon", limit,
             may_end(row) ? "; beyond it the job is ended" : "");
    step(c, row, ENFORCE_WARNED, "job.warn", &o);
}

static void enforce(struct ctl *c, struct ledger_job *row)
{
    int64_t now_s = ctl_now_s(c);
    double share_uj = row->limit_uj ? (double)row->energy_uj / (double)row->limit_uj : 0;
    double share_ug = row->limit_ug ? (double)row->carbon_ug / (double)row->limit_ug : 0;
    double share = share_uj > share_ug ? share_uj : share_ug;
    struct slurm_order term = slurm_client_order_for(ORDER_TERM, row);
    struct slurm_order cancel = slurm_client_order_for(ORDER_CANCEL, row);
    switch (row->enforce_step) {
    case ENFORCE_NONE:
        if (share >= WARN_SHARE)
            warn(c, row);
        break;
    case ENFORCE_WARNED:
        if (share < 1 || !may_end(row) || now_s <= row->enforce_s)
            break;
        step(c, row, ENFORCE_TERMED, "job.term", &term);
        break;
    case ENFORCE_TERMED:
        if (now_s < row->enforce_s + c->set.budget.grace_ms / 1000)
            break;
        step(c, row, ENFORCE_CANCELLED, "job.term", &cancel);
        break;
    case ENFORCE_CANCELLED: /* still there after another grace time: the order may have been lost */
        if (now_s < row->enforce_s + c->set.budget.grace_ms / 1000 + 10)
            break;
        step(c, row, ENFORCE_CANCELLED, "job.term", &cancel);
        break;
    default:
        break;
    }
}

void enforcer_run(struct ctl *c)
{
    for (size_t i = 0; i < c->n_jobs; i++) {
        struct ledger_job *row = &c->jobs[i];
        if (row->live && row->start_s > 0 && (row->limit_uj || row->limit_ug) &&
            tracker_acting(c, row))
            enforce(c, row);
    }
}
