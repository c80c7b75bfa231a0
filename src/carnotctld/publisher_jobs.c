/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sections of the board that come from Slurm's list of jobs, and from those that it had.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "carnotctld/publisher_private.h"
#include "carnotctld/runs.h"
#include "carnotctld/tracker.h"
#include "common/sort.h"
#include "placement/placement.h"

static int id_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Every id that the list shows: the plugin lets go of those leases. */
static int build_decisions(const struct ctl *c, struct build *w)
{
    size_t n = 0, kept = 0, jobs = c->snap ? c->snap->n_jobs : 0;
    if (!(w->decisions = publisher_section(jobs, sizeof(*w->decisions))))
        return -1;
    for (size_t i = 0; i < jobs && n < BOARD_DECISIONS_MAX; i++)
        if (c->snap->jobs[i].note)
            w->decisions[n++] = c->snap->jobs[i].note->id;
    sort_if_needed(w->decisions, n, sizeof(*w->decisions), id_order);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || w->decisions[i] != w->decisions[kept - 1])
            w->decisions[kept++] = w->decisions[i];
    w->b.decisions = w->decisions;
    w->b.n_decisions = (uint32_t)kept;
    return 0;
}

static int account_order(const void *a, const void *b)
{
    return strcmp(((const struct board_account *)a)->name, ((const struct board_account *)b)->name);
}

/* Each account that a live job runs under, once. Most are seen again and again: what was put in
 * lately under a name's hash is not put in again, so that few are sorted. */
static int build_accounts(const struct ctl *c, struct build *w)
{
    size_t n = 0, kept = 0, jobs = c->snap ? c->snap->n_jobs : 0;
    uint32_t lately[1024] = {0}; /* place + 1 */
    for (size_t i = 0; i < jobs; i++) {
        const struct slurm_job *job = &c->snap->jobs[i];
        uint32_t *seen = &lately[board_name_hash(job->account) % 1024];
        if (job->phase == PHASE_ENDED || !job->account[0] ||
            (*seen && strcmp(w->accounts[*seen - 1].name, job->account) == 0))
            continue;
        struct board_account *grown = publisher_grow(w->accounts, n, sizeof(*grown));
        if (!grown)
            return -1;
        w->accounts = grown;
        snprintf(grown[n++].name, BOARD_NAME_MAX, "%s", job->account);
        *seen = (uint32_t)n;
    }
    sort_if_needed(w->accounts, n, sizeof(*w->accounts), account_order);
    for (size_t i = 0; i < n && kept < BOARD_ACCOUNTS_MAX; i++)
        if (i == 0 || strcmp(w->accounts[i].name, w->accounts[kept - 1].name) != 0)
            w->accounts[kept++] = w->accounts[i];
    w->b.accounts = w->accounts;
    w->b.n_accounts = (uint32_t)kept;
    return 0;
}

static int account_named(const void *name, const void *account)
{
    return strcmp(name, ((const struct board_account *)account)->name);
}

/* `guess` is what it was for the job before: neighbours in Slurm's list often share it. */
static int32_t account_index(const struct build *w, const char *name, int32_t guess)
{
    if (guess >= 0 && account_named(name, &w->accounts[guess]) == 0)
        return guess;
    const struct board_account *found = !w->accounts ? NULL
                                                     : bsearch(name, w->accounts, w->b.n_accounts,
                                                               sizeof(*w->accounts), account_named);
    return found ? (int32_t)(found - w->accounts) : -1;
}

static int32_t partition_index(const struct build *w, const char *name)
{
    const struct board_partition *p = name[0] ? board_partition_find(&w->b, name) : NULL;
    return p ? (int32_t)(p - w->b.partitions) : -1;
}

static int job_order(const void *a, const void *b)
{
    return board_job_compare(a, b);
}

static int build_index(const struct ctl *c, struct build *w)
{
    size_t n = 0, jobs = c->snap ? c->snap->n_jobs : 0;
    int32_t account = -1;
    if (!(w->jobs = publisher_section(jobs, sizeof(*w->jobs))))
        return -1;
    for (size_t i = 0; i < jobs && n < BOARD_JOBS_MAX; i++) {
        const struct slurm_job *job = &c->snap->jobs[i];
        if (job->phase == PHASE_ENDED || (n > 0 && w->jobs[n - 1].job_id == job->job_id))
            continue;
        w->jobs[n++] = (struct board_job){
            .job_id = job->job_id,
            .array_job_id = job->array_job_id,
            .uid = job->uid,
            .nodes = job->nodes,
            .cpus = job->cpus,
            .gpus = job->gpus,
            .tasks = job->tasks,
            .flags = job->exclusive ? BOARD_JOB_EXCLUSIVE : 0u,
            .cpus_per_task = job->cpus_per_task,
            .partition = partition_index(w, job->partition),
            .account = account = account_index(w, job->account, account),
            .limit_s = job->limit_s,
        };
    }
    sort_if_needed(w->jobs, n, sizeof(*w->jobs), job_order);
    w->b.jobs = w->jobs;
    w->b.n_jobs = (uint32_t)n;
    return 0;
}

static int run_order(const void *a, const void *b)
{
    const struct board_run *x = b;
    return board_run_compare(a, x->uid, x->name);
}

/* A job that waits now has its run wait from when its own wait began; 0: it has none, or does not
 * wait. */
static int64_t waiting_since(const struct ctl *c, const struct slurm_job *job)
{
    if (job->phase != PHASE_PENDING || !job->note || !job->note->run[0])
        return 0;
    const struct ledger_job *row = runs_newest(c, job->job_id);
    if (!row || row->released || row->delay_s <= 0 || row->planned_s <= ctl_now_s(c))
        return 0;
    return row->planned_s - row->delay_s;
}

static int add_run(struct build *w, size_t n, uint32_t uid, const char *name, int64_t waited_s,
                   int64_t waiting_since_s)
{
    struct board_run *runs = publisher_grow(w->runs, n, sizeof(*runs));
    if (!runs)
        return -1;
    w->runs = runs;
    runs[n].uid = uid;
    runs[n].waited_s = waited_s;
    runs[n].waiting_since_s = waiting_since_s;
    snprintf(runs[n].name, sizeof(runs[n].name), "%s", name);
    return 0;
}

/* Of two records of one run: what they have waited, and the earlier begin of the wait. */
static void merge(struct board_run *to, const struct board_run *from)
{
    to->waited_s += from->waited_s;
    if (!to->waiting_since_s ||
        (from->waiting_since_s && from->waiting_since_s < to->waiting_since_s))
        to->waiting_since_s = from->waiting_since_s;
}

static int build_runs(const struct ctl *c, struct build *w, struct err *e)
{
    struct ledger_run *known = NULL;
    size_t n_known = 0, n = 0, kept = 0, jobs = c->snap ? c->snap->n_jobs : 0;
    if (ledger_run_list(c->ledger, ctl_now_s(c) - TRACKER_RUN_REST_S, &known, &n_known, e) < 0)
        return -1;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n_known; i++)
        rc = add_run(w, n++, known[i].uid, known[i].name, known[i].waited_s, 0);
    free(known);
    for (size_t i = 0; rc == 0 && i < jobs; i++) {
        const struct slurm_job *job = &c->snap->jobs[i];
        int64_t since_s = waiting_since(c, job);
        if (since_s)
            rc = add_run(w, n++, job->uid, job->note->run, 0, since_s);
    }
    if (rc < 0)
        return -1;
    sort_if_needed(w->runs, n, sizeof(*w->runs), run_order);
    for (size_t i = 0; i < n && kept < BOARD_RUNS_MAX; i++) {
        if (kept && run_order(&w->runs[kept - 1], &w->runs[i]) == 0)
            merge(&w->runs[kept - 1], &w->runs[i]);
        else
            w->runs[kept++] = w->runs[i];
    }
    w->b.runs = w->runs;
    w->b.n_runs = (uint32_t)kept;
    return 0;
}

static int build_outages(const struct ctl *c, struct build *w)
{
    size_t n = c->snap ? c->snap->n_outages : 0;
    if (n > BOARD_OUTAGES_MAX)
        n = BOARD_OUTAGES_MAX;
    if (!(w->outages = publisher_section(n, sizeof(*w->outages))))
        return -1;
    for (size_t i = 0; i < n; i++) {
        const struct slurm_outage *o = &c->snap->outages[i];
        w->outages[i] = (struct board_outage){
            .start_s = o->start_s,
            .end_s = o->end_s,
            .partition = partition_index(w, o->partition),
        };
    }
    w->b.outages = w->outages;
    w->b.n_outages = (uint32_t)n;
    return 0;
}

static int build_pasts(const struct ctl *c, struct build *w)
{
    size_t n = strcmp(c->set.policy.lengths, "mix") == 0 ? c->n_pasts : 0;
    if (!(w->pasts = publisher_section(n, sizeof(*w->pasts))))
        return -1;
    for (size_t i = 0; i < n; i++)
        w->pasts[i] = c->pasts[i].past;
    w->b.pasts = w->pasts;
    w->b.n_pasts = (uint32_t)n;
    return 0;
}

int publisher_jobs(const struct ctl *c, struct build *w, struct err *e)
{
    if (build_decisions(c, w) < 0 || build_accounts(c, w) < 0 || build_index(c, w) < 0 ||
        build_outages(c, w) < 0 || build_pasts(c, w) < 0)
        return -1;
    return build_runs(c, w, e);
}
