/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pricing a change: the job as the last list showed it against the same job with the change. Both
 * sides are priced alike, so that what the plugin asks for is what carnotctld will set aside when
 * it sees the change in Slurm's list.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "carbon/series.h"
#include "placement/change.h"

/* All of the job's records, priced. */
struct prices {
    double before_uj, after_uj; /* of all tasks */
    int64_t limit_s;            /* the longest, after the change */
    const struct board_job *first;
};

int placement_change_grows(const struct placement_change *c)
{
    return c->account || c->partition || c->nodes || c->cpus || c->gpus || c->ntasks ||
           c->limit_s > 0 || c->exclusive;
}

static uint32_t times(uint64_t a, uint32_t b)
{
    return a * b > UINT32_MAX ? UINT32_MAX : (uint32_t)(a * b);
}

static uint32_t per_node(uint32_t all, uint32_t nodes)
{
    return nodes ? (all + nodes - 1) / nodes : all;
}

static void as_it_is(const struct board *b, const struct board_job *j, struct placement_job *out)
{
    memset(out, 0, sizeof(*out));
    out->uid = j->uid;
    out->account = board_job_account(b, j);
    out->partition = j->partition >= 0 ? b->partitions[j->partition].name : NULL;
    out->nodes = j->nodes;
    out->cpus = j->cpus;
    out->gpus = j->gpus;
    out->tasks = j->tasks;
    out->limit_s = j->limit_s > 0 ? j->limit_s : INT64_MAX / 2;
    out->flags = j->flags & BOARD_JOB_EXCLUSIVE ? PLACEMENT_EXCLUSIVE : 0;
    request_init(&out->request);
}

/* More nodes bring their CPUs and GPUs along. */
static void with(const struct placement_change *c, const struct board_job *j,
                 struct placement_job *job)
{
    uint32_t each = j->cpus_per_task ? j->cpus_per_task : 1;
    if (c->nodes > job->nodes) {
        job->cpus = times(per_node(job->cpus, job->nodes), c->nodes);
        job->gpus = times(per_node(job->gpus, job->nodes), c->nodes);
    }
    if (c->nodes)
        job->nodes = c->nodes;
    if (c->cpus)
        job->cpus = c->cpus;
    if (times(c->ntasks, each) > job->cpus)
        job->cpus = times(c->ntasks, each);
    if (c->gpus)
        job->gpus = c->gpus;
    if (c->account)
        job->account = c->account;
    if (c->partition)
        job->partition = c->partition;
    if (c->limit_s > 0)
        job->limit_s = c->limit_s;
    if (c->exclusive)
        job->flags |= PLACEMENT_EXCLUSIVE;
}

static void add(const struct board *b, const struct board_job *j, const struct placement_change *c,
                struct prices *p)
{
    struct placement_job job;
    struct placement_price price;
    as_it_is(b, j, &job);
    placement_price(b, &job, &price);
    p->before_uj += price.energy_all_uj;
    with(c, j, &job);
    placement_price(b, &job, &price);
    p->after_uj += price.energy_all_uj;
    if (price.limit_s > p->limit_s)
        p->limit_s = price.limit_s;
    if (!p->first)
        p->first = j;
}

/* The job's own record, or all of its array. */
static void collect(const struct board *b, const struct placement_change *c, struct prices *p)
{
    uint32_t n;
    const struct board_job *records = board_job_find(b, c->job_id, &n);
    memset(p, 0, sizeof(*p));
    for (uint32_t i = 0; i < n; i++)
        add(b, &records[i], c, p);
    /* A task of an array by a number of its own stands elsewhere. */
    for (uint32_t i = 0; n == 0 && i < b->n_jobs; i++)
        if (b->jobs[i].job_id == c->job_id)
            add(b, &b->jobs[i], c, p);
    if (c->array_task >= 0 && p->first) {
        /* One task of many: which record is Slurm's to know, so the first stands for it. */
        struct prices one = {0};
        struct board_job task = *p->first;
        task.tasks = 1;
        add(b, &task, c, &one);
        one.first = p->first;
        *p = one;
    }
}

static double grams_ug(const struct board *b, double energy_uj, int64_t limit_s, int64_t now_s)
{
    struct series s = board_series(b);
    if (s.n == 0)
        return 0;
    int64_t end_s = limit_s < s.end_s - now_s ? now_s + limit_s : s.end_s;
    if (end_s <= now_s)
        end_s = now_s + 1;
    return series_emissions_ug(&s, now_s, end_s, energy_uj) * b->head.pue;
}

static void refuse(struct placement_growth *out, enum placement_code code)
{
    out->verdict = VERDICT_REFUSE;
    out->code = code;
}

void placement_change_decide(const struct board *b, const struct lease_table *leases,
                             const struct placement_change *c, int64_t now_s,
                             struct placement_growth *out)
{
    struct prices p;
    memset(out, 0, sizeof(*out));
    if (!placement_change_grows(c))
        return;
    collect(b, c, &p);
    if (!p.first) {
        if (b->n_budgets > 0)
            refuse(out, CODE_NO_BOARD);
        return;
    }
    const char *had = board_job_account(b, p.first);
    int moves = c->account && strcmp(c->account, had) != 0;
    double more_uj = p.after_uj - p.before_uj;
    out->account = c->account ? c->account : had;
    out->uid = p.first->uid;
    out->energy_uj = moves ? p.after_uj : more_uj;
    out->carbon_ug = grams_ug(b, out->energy_uj > 0 ? out->energy_uj : 0, p.limit_s, now_s);
    struct budgets_need need = {
        .account = out->account,
        .uid = out->uid,
        .now_ms = now_s * 1000,
        .account_uj = out->energy_uj,
        .account_ug = out->carbon_ug,
        .user_uj = more_uj,
        .user_ug = grams_ug(b, more_uj > 0 ? more_uj : 0, p.limit_s, now_s),
    };
    const char *partition = c->partition              ? c->partition
                            : p.first->partition >= 0 ? b->partitions[p.first->partition].name
                                                      : NULL;
    if (board_mode(b, partition, out->account, out->uid) == 1 &&
        !budgets_cover(b, leases, &need, &out->lack))
        refuse(out, CODE_BUDGET_LEFT);
}

int placement_change_watts(const struct board *b, const struct placement_change *c, uint32_t *w)
{
    struct prices p;
    struct placement_job job;
    struct placement_price price;
    collect(b, c, &p);
    if (!p.first)
        return -1;
    as_it_is(b, p.first, &job);
    with(c, p.first, &job);
    placement_price(b, &job, &price);
    int mode = board_mode(b, job.partition, job.account, job.uid);
    *w = placement_watts(b, &job, price.power_w, mode);
    return 0;
}

/* FNV-1a over what the change says (draft-eastlake-fnv). */
static uint64_t hash(uint64_t h, const void *data, size_t size)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < size; i++)
        h = (h ^ p[i]) * 1099511628211ULL;
    return h;
}

void placement_change_lease(const struct placement_change *c, const struct placement_growth *g,
                            struct lease *out)
{
    uint64_t h = 14695981039346656037ULL;
    memset(out, 0, sizeof(*out));
    h = hash(h, &c->job_id, sizeof(c->job_id));
    h = hash(h, &c->array_task, sizeof(c->array_task));
    h = hash(h, &c->nodes, sizeof(c->nodes));
    h = hash(h, &c->cpus, sizeof(c->cpus));
    h = hash(h, &c->gpus, sizeof(c->gpus));
    h = hash(h, &c->ntasks, sizeof(c->ntasks));
    h = hash(h, &c->limit_s, sizeof(c->limit_s));
    h = hash(h, g->account, strlen(g->account));
    out->id = h ? h : 1;
    out->is_change = 1;
    out->uid = g->uid;
    out->energy_uj = lease_amount(g->energy_uj);
    out->carbon_ug = lease_amount(ceil(g->carbon_ug));
    out->account = board_name_hash(g->account);
}

char *placement_change_sentence(char *buf, size_t size, const struct placement_growth *g)
{
    if (g->code == CODE_NO_BOARD) {
        snprintf(buf, size,
                 "this job is too new to be changed: its budget is being counted; try again in a "
                 "few seconds");
        return buf;
    }
    char left[48], need[48];
    const struct board_budget *budget = g->lack.budget;
    snprintf(buf, size,
             "%s %s has %s left, this change needs about %s more: ask an operator for a larger "
             "budget",
             budget->scope == BOARD_USER ? "user" : "account", budget->name,
             budgets_amount(left, sizeof(left), budget->resource, (double)g->lack.left),
             budgets_amount(need, sizeof(need), budget->resource, g->lack.need));
    return buf;
}
