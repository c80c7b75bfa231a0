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
#include "placement/slots.h"

/* Where one walk over the list stands: a list of 100 000 jobs is some 80 MB, and each walk over it
 * fetches most of that again. */
struct walk {
    const struct ctl *c;
    struct build *w;
    size_t row; /* in the rows, which are in the list's order */
    size_t n_decisions, n_jobs, n_accounts, n_runs;
    int64_t *diff;                  /* of planned, see slots_begin_end() */
    const struct slurm_job *before; /* whose partition is part; NULL = none */
    int32_t part;
    uint32_t lately[1024]; /* by a name's hash: the place of that account, + 1 */
};

static int32_t partition_index(const struct build *w, const char *name)
{
    const struct board_partition *p = name[0] ? board_partition_find(&w->b, name) : NULL;
    return p ? (int32_t)(p - w->b.partitions) : -1;
}

/* Neighbours in Slurm's list often share it. */
static int32_t partition_of(struct walk *k, const struct slurm_job *job)
{
    if (!k->before || strcmp(k->before->partition, job->partition) != 0)
        k->part = partition_index(k->w, job->partition);
    k->before = job;
    return k->part;
}

/* The place of the job's account among those that the walk has met, -1: it has none, or -2: no
 * memory. Most are met again and again; one whose place another one of the same hash has taken
 * meanwhile is put in again. */
static int32_t account_of(struct walk *k, const char *name)
{
    struct build *w = k->w;
    uint32_t *seen = &k->lately[board_name_hash(name) % 1024];
    if (!name[0])
        return -1;
    if (*seen && strcmp(w->accounts[*seen - 1].name, name) == 0)
        return (int32_t)*seen - 1;
    struct board_account *grown = publisher_grow(w->accounts, k->n_accounts, sizeof(*grown));
    if (!grown)
        return -2;
    w->accounts = grown;
    snprintf(grown[k->n_accounts++].name, BOARD_NAME_MAX, "%s", name);
    *seen = (uint32_t)k->n_accounts;
    return (int32_t)*seen - 1;
}

/* Every id that the list shows: the plugin lets go of those leases. */
static void take_decision(struct walk *k, const struct slurm_job *job)
{
    if (job->note && k->n_decisions < BOARD_DECISIONS_MAX)
        k->w->decisions[k->n_decisions++] = job->note->id;
}

static int take_job(struct walk *k, const struct slurm_job *job)
{
    struct build *w = k->w;
    size_t n = k->n_jobs;
    if (n == BOARD_JOBS_MAX || (n > 0 && w->jobs[n - 1].job_id == job->job_id))
        return 0;
    w->jobs[k->n_jobs++] = (struct board_job){
        .job_id = job->job_id,
        .array_job_id = job->array_job_id,
        .uid = job->uid,
        .nodes = job->nodes,
        .cpus = job->cpus,
        .gpus = job->gpus,
        .tasks = job->tasks,
        .flags = job->exclusive ? BOARD_JOB_EXCLUSIVE : 0u,
        .cpus_per_task = job->cpus_per_task,
        .partition = partition_of(k, job),
        .account = account_of(k, job->account),
        .limit_s = job->limit_s,
    };
    return w->jobs[n].account == -2 ? -1 : 0;
}

/* A change may make a job larger than its partition: it will not run there, and nobody is to leave
 * all of it free for that. */
static int fits(const struct board_partition *p, uint32_t cpus)
{
    return cpus <= (uint64_t)p->nodes * p->cpus_per_node;
}

/* What is running, and what Carnot makes wait until a time of its choice. What only queues is left
 * out: when it starts is Slurm's to say. */
static void plan_job(struct walk *k, const struct slurm_job *job, const struct ledger_job *row)
{
    struct build *w = k->w;
    struct placement_job pj;
    struct placement_price price;
    uint32_t cpus;
    int64_t hold_s, now_s = w->b.head.published_ms / 1000, from_s = now_s, to_s;
    int waits = job->phase == PHASE_PENDING;
    int32_t part = partition_of(k, job);
    if (part < 0 || (waits && (!row || row->released || row->planned_s == 0)))
        return;
    tracker_placement_job(job, &pj);
    placement_price(&w->b, &pj, &price);
    placement_occupation(&w->b, &pj, &price, &cpus, &hold_s);
    if (waits && !fits(&w->parts[part], cpus))
        return;
    if (waits && row->planned_s > now_s)
        from_s = row->planned_s;
    to_s = (waits ? from_s : job->start_s) + hold_s;
    slots_begin_end(&w->b.head, k->diff + (size_t)part * (w->b.n_slots + 1), w->b.n_slots, from_s,
                    to_s, cpus);
}

/* A job that waits now has its run wait from when its own wait began; 0: it has none, or does not
 * wait. */
static int64_t waiting_since(const struct ctl *c, const struct slurm_job *job,
                             const struct ledger_job *row)
{
    if (job->phase != PHASE_PENDING || !job->note || !job->note->run[0])
        return 0;
    if (!row || row->released || row->delay_s <= 0 || row->planned_s <= ctl_now_s(c))
        return 0;
    return row->planned_s - row->delay_s;
}

static int add_run(struct walk *k, uint32_t uid, const char *name, int64_t waited_s,
                   int64_t waiting_since_s)
{
    size_t n = k->n_runs;
    struct board_run *runs = publisher_grow(k->w->runs, n, sizeof(*runs));
    if (!runs)
        return -1;
    k->w->runs = runs;
    k->n_runs++;
    runs[n].uid = uid;
    runs[n].waited_s = waited_s;
    runs[n].waiting_since_s = waiting_since_s;
    snprintf(runs[n].name, sizeof(runs[n].name), "%s", name);
    return 0;
}

static int take_run(struct walk *k, const struct slurm_job *job, const struct ledger_job *row)
{
    int64_t since_s = waiting_since(k->c, job, row);
    return since_s ? add_run(k, job->uid, job->note->run, 0, since_s) : 0;
}

static int walk_jobs(struct walk *k)
{
    const struct snapshot *s = k->c->snap;
    for (size_t i = 0; s && i < s->n_jobs; i++) {
        const struct slurm_job *job = &s->jobs[i];
        take_decision(k, job);
        if (job->phase == PHASE_ENDED)
            continue;
        const struct ledger_job *row = runs_newest_along(k->c, &k->row, job->job_id);
        if (take_job(k, job) < 0 || take_run(k, job, row) < 0)
            return -1;
        plan_job(k, job, row);
    }
    return 0;
}

/* ---- what the walk has put in, in order */

static int id_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void order_decisions(struct walk *k)
{
    struct build *w = k->w;
    size_t kept = 0;
    sort_if_needed(w->decisions, k->n_decisions, sizeof(*w->decisions), id_order);
    for (size_t i = 0; i < k->n_decisions; i++)
        if (i == 0 || w->decisions[i] != w->decisions[kept - 1])
            w->decisions[kept++] = w->decisions[i];
    w->b.decisions = w->decisions;
    w->b.n_decisions = (uint32_t)kept;
}

static int account_order(const void *a, const void *b)
{
    return strcmp(((const struct board_account *)a)->name, ((const struct board_account *)b)->name);
}

/* Each account once; the jobs name its place in that order. */
static int order_accounts(struct walk *k)
{
    struct build *w = k->w;
    size_t n = k->n_accounts, kept = 0;
    struct board_account *met = publisher_section(n, sizeof(*met));
    int32_t *place = publisher_section(n, sizeof(*place));
    if (!met || !place) {
        free(met);
        free(place);
        return -1;
    }
    if (n)
        memcpy(met, w->accounts, n * sizeof(*met));
    sort_if_needed(w->accounts, n, sizeof(*w->accounts), account_order);
    for (size_t i = 0; i < n && kept < BOARD_ACCOUNTS_MAX; i++)
        if (i == 0 || account_order(&w->accounts[i], &w->accounts[kept - 1]) != 0)
            w->accounts[kept++] = w->accounts[i];
    for (size_t i = 0; i < n; i++) {
        const struct board_account *found =
            bsearch(&met[i], w->accounts, kept, sizeof(*met), account_order);
        place[i] = found ? (int32_t)(found - w->accounts) : -1;
    }
    for (size_t i = 0; i < k->n_jobs; i++)
        if (w->jobs[i].account >= 0)
            w->jobs[i].account = place[w->jobs[i].account];
    free(met);
    free(place);
    w->b.accounts = w->accounts;
    w->b.n_accounts = (uint32_t)kept;
    return 0;
}

static int job_order(const void *a, const void *b)
{
    return board_job_compare(a, b);
}

static void order_jobs(struct walk *k)
{
    struct build *w = k->w;
    sort_if_needed(w->jobs, k->n_jobs, sizeof(*w->jobs), job_order);
    w->b.jobs = w->jobs;
    w->b.n_jobs = (uint32_t)k->n_jobs;
}

static int run_order(const void *a, const void *b)
{
    const struct board_run *x = b;
    return board_run_compare(a, x->uid, x->name);
}

/* Of two records of one run: what they have waited, and the earlier begin of the wait. */
static void merge(struct board_run *to, const struct board_run *from)
{
    to->waited_s += from->waited_s;
    if (!to->waiting_since_s ||
        (from->waiting_since_s && from->waiting_since_s < to->waiting_since_s))
        to->waiting_since_s = from->waiting_since_s;
}

static void order_runs(struct walk *k)
{
    struct build *w = k->w;
    size_t kept = 0;
    sort_if_needed(w->runs, k->n_runs, sizeof(*w->runs), run_order);
    for (size_t i = 0; i < k->n_runs && kept < BOARD_RUNS_MAX; i++) {
        if (kept && run_order(&w->runs[kept - 1], &w->runs[i]) == 0)
            merge(&w->runs[kept - 1], &w->runs[i]);
        else
            w->runs[kept++] = w->runs[i];
    }
    w->b.runs = w->runs;
    w->b.n_runs = (uint32_t)kept;
}

static void sum_planned(struct walk *k)
{
    struct build *w = k->w;
    for (size_t i = 0, n = w->b.n_slots; i < w->b.n_partitions; i++)
        slots_sum(k->diff + i * (n + 1), (uint32_t)n, w->planned + i * n);
    w->b.planned = w->planned;
}

/* Runs that have waited before. */
static int known_runs(struct walk *k, struct err *e)
{
    struct ledger_run *known = NULL;
    size_t n = 0;
    if (ledger_run_list(k->c->ledger, ctl_now_s(k->c) - TRACKER_RUN_REST_S, &known, &n, e) < 0)
        return -1;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = add_run(k, known[i].uid, known[i].name, known[i].waited_s, 0);
    free(known);
    return rc;
}

static int make_room(struct walk *k)
{
    struct build *w = k->w;
    size_t jobs = k->c->snap ? k->c->snap->n_jobs : 0, parts = w->b.n_partitions;
    int64_t slots = k->c->set.carbon.horizon_ms / 1000 / w->b.head.slot_s + 1;
    w->b.n_slots = (uint32_t)(slots < BOARD_SLOTS_MAX ? slots : BOARD_SLOTS_MAX);
    w->decisions = publisher_section(jobs, sizeof(*w->decisions));
    w->jobs = publisher_section(jobs, sizeof(*w->jobs));
    w->planned = publisher_section((size_t)w->b.n_slots * parts, sizeof(*w->planned));
    k->diff = publisher_section((size_t)(w->b.n_slots + 1) * parts, sizeof(*k->diff));
    return w->decisions && w->jobs && w->planned && k->diff ? 0 : -1;
}

static int build_jobs(struct walk *k, struct err *e)
{
    if (make_room(k) < 0 || known_runs(k, e) < 0 || walk_jobs(k) < 0 || order_accounts(k) < 0)
        return -1;
    order_decisions(k);
    order_jobs(k);
    order_runs(k);
    sum_planned(k);
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
    struct walk k = {.c = c, .w = w};
    int rc = build_jobs(&k, e);
    free(k.diff);
    if (rc < 0)
        return -1;
    return build_outages(c, w) < 0 || build_pasts(c, w) < 0 ? -1 : 0;
}
