/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "carnotctld/runs.h"
#include "common/log.h"
#include "common/sort.h"
#include "placement/placement.h"

static int compare(const void *a, const void *b)
{
    const struct job_key *x = &((const struct ledger_job *)a)->key;
    const struct job_key *y = &((const struct ledger_job *)b)->key;
    if (x->job_id != y->job_id)
        return x->job_id < y->job_id ? -1 : 1;
    if (x->restart != y->restart)
        return x->restart < y->restart ? -1 : 1;
    return (x->submit_s > y->submit_s) - (x->submit_s < y->submit_s);
}

void runs_sort(struct ctl *c)
{
    sort_if_needed(c->jobs, c->n_jobs, sizeof(*c->jobs), compare);
}

void runs_load(struct ctl *c)
{
    struct ledger_query q = {.live_only = 1, .limit = SIZE_MAX >> 1};
    struct ledger_job *rows = NULL;
    size_t n = 0;
    struct err e = {.text = ""};
    if (ledger_job_list(c->ledger, &q, &rows, &n, &e) < 0) {
        log_err("ledger: %s", e.text);
        return;
    }
    free(c->jobs);
    c->jobs = rows;
    c->n_jobs = c->room_jobs = n;
    runs_sort(c);
}

void runs_free(struct ctl *c)
{
    free(c->jobs);
    c->jobs = NULL;
    c->n_jobs = c->room_jobs = 0;
}

static struct ledger_job *find_key(const struct ctl *c, size_t n, struct job_key key)
{
    struct ledger_job wanted = {.key = key};
    return n ? bsearch(&wanted, c->jobs, n, sizeof(*c->jobs), compare) : NULL;
}

/* The first row of a job's runs among the first n rows, which stand in order. */
static size_t first_run(const struct ctl *c, size_t n, uint32_t job_id)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (c->jobs[mid].key.job_id < job_id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

size_t runs_from(const struct ctl *c, uint32_t job_id)
{
    return first_run(c, c->n_jobs, job_id);
}

struct ledger_job *runs_at(const struct ctl *c, uint32_t job_id, int64_t t_s)
{
    struct ledger_job *best = NULL;
    size_t i = first_run(c, c->n_jobs, job_id);
    for (; i < c->n_jobs && c->jobs[i].key.job_id == job_id; i++) {
        int64_t start_s = c->jobs[i].start_s;
        int begun = start_s > 0 && start_s <= t_s;
        if (!best || (begun && (best->start_s > t_s || start_s >= best->start_s)))
            best = &c->jobs[i];
    }
    return best;
}

struct ledger_job *runs_newest_of(const struct ctl *c, size_t n, uint32_t job_id)
{
    struct ledger_job *newest = NULL;
    for (size_t i = first_run(c, n, job_id); i < n && c->jobs[i].key.job_id == job_id; i++)
        newest = &c->jobs[i];
    return newest;
}

struct ledger_job *runs_newest_along(const struct ctl *c, size_t *at, uint32_t job_id)
{
    struct ledger_job *newest = NULL;
    while (*at < c->n_jobs && c->jobs[*at].key.job_id < job_id)
        ++*at;
    for (size_t i = *at; i < c->n_jobs && c->jobs[i].key.job_id == job_id; i++)
        newest = &c->jobs[i];
    return newest;
}

struct ledger_job *runs_row(const struct ctl *c, struct job_key key)
{
    return find_key(c, c->n_jobs, key);
}

struct ledger_job *runs_newest(const struct ctl *c, uint32_t job_id)
{
    return runs_newest_of(c, c->n_jobs, job_id);
}

struct ledger_job *runs_append(struct ctl *c, const struct ledger_job *row)
{
    if (c->n_jobs == c->room_jobs) {
        size_t room = c->room_jobs ? 2 * c->room_jobs : 256;
        struct ledger_job *grown = realloc(c->jobs, room * sizeof(*grown));
        if (!grown) {
            log_err("no memory for job %u", row->key.job_id);
            return NULL;
        }
        c->jobs = grown;
        c->room_jobs = room;
    }
    c->jobs[c->n_jobs] = *row;
    return &c->jobs[c->n_jobs++];
}

int runs_same(const struct ledger_job *row, const struct slurm_job *job)
{
    if (row->key.restart != job->restart)
        return 0;
    if (row->key.submit_s == job->submit_s || job->restart > 0)
        return 1;
    if (job->note)
        return job->note->id == row->decision;
    return job->het_job_id && row->decision == 0 && row->uid == job->uid;
}

struct ledger_job *runs_listed(const struct ctl *c, size_t n_sorted, const struct slurm_job *job)
{
    struct job_key key = {job->job_id, job->restart, job->submit_s};
    struct ledger_job *known = find_key(c, n_sorted, key);
    for (size_t i = first_run(c, n_sorted, job->job_id);
         !known && i < n_sorted && c->jobs[i].key.job_id == job->job_id; i++)
        if (c->jobs[i].live && runs_same(&c->jobs[i], job))
            known = &c->jobs[i];
    return known;
}
