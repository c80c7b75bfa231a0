/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking things up on a board. Pure: binary searches in sorted sections, no allocation.
 */
#include "config.h"

#include <string.h>

#include "placement/board.h"

struct series board_series(const struct board *b)
{
    return (struct series){b->points, b->n_points, b->head.intensity_end_s};
}

const struct board_partition *board_partition_find(const struct board *b, const char *name)
{
    for (uint32_t i = 0; i < b->n_partitions; i++) {
        const struct board_partition *p = &b->partitions[i];
        if (name && name[0] ? strcmp(p->name, name) == 0 : p->is_default != 0)
            return p;
    }
    return NULL;
}

const struct board_user *board_user_find(const struct board *b, uint32_t uid)
{
    uint32_t low = 0, high = b->n_users;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (b->users[mid].uid < uid)
            low = mid + 1;
        else
            high = mid;
    }
    return low < b->n_users && b->users[low].uid == uid ? &b->users[low] : NULL;
}

int board_budget_compare(const struct board_budget *a, int scope, const char *name, uint32_t uid)
{
    if (a->scope != scope)
        return a->scope < scope ? -1 : 1;
    if (scope == BOARD_USER)
        return (a->uid > uid) - (a->uid < uid);
    return strcmp(a->name, name);
}

const struct board_budget *board_budget_find(const struct board *b, int scope, const char *name,
                                             uint32_t uid, uint32_t *n)
{
    uint32_t low = 0, high = b->n_budgets;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (board_budget_compare(&b->budgets[mid], scope, name, uid) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *n = 0;
    while (low + *n < b->n_budgets &&
           board_budget_compare(&b->budgets[low + *n], scope, name, uid) == 0)
        (*n)++;
    return *n ? &b->budgets[low] : NULL;
}

int board_decision_seen(const struct board *b, uint64_t id)
{
    uint32_t low = 0, high = b->n_decisions;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (b->decisions[mid] < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < b->n_decisions && b->decisions[low] == id;
}

static int switch_matches(const struct board_switch *s, const char *partition, const char *account,
                          uint32_t uid)
{
    switch (s->scope) {
    case BOARD_CLUSTER:
        return 1;
    case BOARD_PARTITION:
        return partition && strcmp(s->name, partition) == 0;
    case BOARD_ACCOUNT:
        return account && strcmp(s->name, account) == 0;
    default:
        return s->uid == uid;
    }
}

int board_mode(const struct board *b, const char *partition, const char *account, uint32_t uid)
{
    int mode = b->head.mode, narrowest = -1;
    for (uint32_t i = 0; i < b->n_switches; i++) {
        const struct board_switch *s = &b->switches[i];
        if (s->scope > narrowest && switch_matches(s, partition, account, uid)) {
            narrowest = s->scope;
            mode = s->mode;
        }
    }
    return mode;
}

const struct board_job *board_job_find(const struct board *b, uint32_t job_id)
{
    uint32_t low = 0, high = b->n_jobs;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (b->jobs[mid].job_id < job_id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < b->n_jobs && b->jobs[low].job_id == job_id ? &b->jobs[low] : NULL;
}

const char *board_job_account(const struct board *b, const struct board_job *job)
{
    return job->account >= 0 ? b->accounts[job->account].name : "";
}

int board_run_compare(const struct board_run *r, uint32_t uid, const char *name)
{
    if (r->uid != uid)
        return r->uid < uid ? -1 : 1;
    return strcmp(r->name, name);
}

const struct board_run *board_run_find(const struct board *b, uint32_t uid, const char *name)
{
    uint32_t low = 0, high = b->n_runs;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (board_run_compare(&b->runs[mid], uid, name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low < b->n_runs && board_run_compare(&b->runs[low], uid, name) == 0 ? &b->runs[low]
                                                                               : NULL;
}

int64_t board_run_waited(const struct board_run *r, int64_t now_s)
{
    int64_t open_s =
        r->waiting_since_s && now_s > r->waiting_since_s ? now_s - r->waiting_since_s : 0;
    return r->waited_s + open_s;
}
