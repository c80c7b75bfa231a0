/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking things up on a board. Pure: binary searches in sorted sections, no allocation.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "placement/board.h"

struct series board_series(const struct board *b)
{
    return (struct series){b->points, b->n_points, b->head.intensity_end_s};
}

/* Is the name one of "a,b"? */
static int in_list(const char *list, const char *name)
{
    for (;; list++) {
        size_t i = 0;
        while (name[i] && list[i] == name[i])
            i++;
        if (!name[i] && (list[i] == ',' || list[i] == '\0'))
            return 1;
        for (list += i; *list != ','; list++)
            if (*list == '\0')
                return 0;
    }
}

const struct board_partition *board_partition_each(const struct board *b, const char *names,
                                                   uint32_t *i)
{
    while (*i < b->n_partitions) {
        const struct board_partition *p = &b->partitions[(*i)++];
        if (names && names[0] ? in_list(names, p->name) : p->is_default != 0)
            return p;
    }
    return NULL;
}

const struct board_partition *board_partition_find(const struct board *b, const char *names)
{
    uint32_t i = 0;
    return board_partition_each(b, names, &i);
}

/* bsearch() over a section, which may be absent where it is empty. */
static const void *find(const void *key, const void *section, uint32_t n, size_t size,
                        int (*compare)(const void *key, const void *record))
{
    return n ? bsearch(key, section, n, size, compare) : NULL;
}

static int by_uid(const void *key, const void *record)
{
    uint32_t uid = *(const uint32_t *)key, other = ((const struct board_user *)record)->uid;
    return (uid > other) - (uid < other);
}

const struct board_user *board_user_find(const struct board *b, uint32_t uid)
{
    return find(&uid, b->users, b->n_users, sizeof(*b->users), by_uid);
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

static int by_decision(const void *key, const void *record)
{
    uint64_t id = *(const uint64_t *)key, other = *(const uint64_t *)record;
    return (id > other) - (id < other);
}

int board_decision_seen(const struct board *b, uint64_t id)
{
    return find(&id, b->decisions, b->n_decisions, sizeof(*b->decisions), by_decision) != NULL;
}

static int switch_matches(const struct board_switch *s, const char *partition, const char *account,
                          const char *qos, uint32_t uid)
{
    switch (s->scope) {
    case BOARD_CLUSTER:
        return 1;
    case BOARD_PARTITION:
        return partition && strcmp(s->name, partition) == 0;
    case BOARD_ACCOUNT:
        return account && strcmp(s->name, account) == 0;
    case BOARD_QOS:
        return qos && strcmp(s->name, qos) == 0;
    default:
        return s->uid == uid;
    }
}

/* One partition of the list at *list, which moves behind it; "" for an empty list. Names are
 * shorter than BOARD_NAME_MAX: a longer word is nobody's. */
static const char *next_name(const char **list, char name[BOARD_NAME_MAX])
{
    size_t n = *list ? strcspn(*list, ",") : 0;
    size_t kept = n < BOARD_NAME_MAX ? n : 0;
    if (kept)
        memcpy(name, *list, kept);
    name[kept] = '\0';
    if (*list)
        *list += n + ((*list)[n] == ',');
    return name;
}

static int mode_in(const struct board *b, const char *partition, const char *account, uint32_t uid)
{
    int mode = b->head.mode, narrowest = -1;
    for (uint32_t i = 0; i < b->n_switches; i++) {
        const struct board_switch *s = &b->switches[i];
        if (s->mode != BOARD_EXEMPT && s->scope > narrowest &&
            switch_matches(s, partition, account, NULL, uid)) {
            narrowest = s->scope;
            mode = s->mode;
        }
    }
    return mode;
}

int board_mode(const struct board *b, const char *partitions, const char *account, uint32_t uid)
{
    char name[BOARD_NAME_MAX];
    int acts = 1;
    do
        acts &= mode_in(b, next_name(&partitions, name), account, uid) == BOARD_ACT;
    while (partitions && *partitions);
    return acts ? BOARD_ACT : BOARD_OBSERVE;
}

static int exempt_in(const struct board *b, const char *partition, const char *account,
                     const char *qos, uint32_t uid)
{
    for (uint32_t i = 0; i < b->n_switches; i++)
        if (b->switches[i].mode == BOARD_EXEMPT &&
            switch_matches(&b->switches[i], partition, account, qos, uid))
            return 1;
    return 0;
}

int board_exempt(const struct board *b, const char *partitions, const char *account,
                 const char *qos, uint32_t uid)
{
    char name[BOARD_NAME_MAX];
    int exempt = 0;
    do
        exempt |= exempt_in(b, next_name(&partitions, name), account, qos, uid);
    while (partitions && *partitions);
    return exempt;
}

static uint32_t group_of(const struct board_job *job)
{
    return job->array_job_id ? job->array_job_id : job->job_id;
}

int board_job_compare(const struct board_job *a, const struct board_job *b)
{
    uint32_t x = group_of(a), y = group_of(b);
    if (x != y)
        return x < y ? -1 : 1;
    return (a->job_id > b->job_id) - (a->job_id < b->job_id);
}

const struct board_job *board_job_find(const struct board *b, uint32_t id, uint32_t *n)
{
    uint32_t low = 0, high = b->n_jobs;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (group_of(&b->jobs[mid]) < id)
            low = mid + 1;
        else
            high = mid;
    }
    *n = 0;
    while (low + *n < b->n_jobs && group_of(&b->jobs[low + *n]) == id)
        (*n)++;
    return *n ? &b->jobs[low] : NULL;
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

struct run_key {
    uint32_t uid;
    const char *name;
};

static int by_run(const void *key, const void *record)
{
    const struct run_key *k = key;
    return -board_run_compare(record, k->uid, k->name);
}

const struct board_run *board_run_find(const struct board *b, uint32_t uid, const char *name)
{
    struct run_key key = {uid, name};
    return find(&key, b->runs, b->n_runs, sizeof(*b->runs), by_run);
}

int64_t board_run_waited(const struct board_run *r, int64_t now_s)
{
    int64_t open_s =
        r->waiting_since_s && now_s > r->waiting_since_s ? now_s - r->waiting_since_s : 0;
    return r->waited_s + open_s;
}

/* FNV-1a's constants (draft-eastlake-fnv). */
uint64_t board_name_hash(const char *name)
{
    char text[BOARD_NAME_MAX];
    uint64_t h = 14695981039346656037ULL;
    if (!name || !name[0])
        return 0;
    for (const char *p = text_copy(text, sizeof(text), name); *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211ULL;
    return h ? h : 1;
}

int board_past_compare(const struct board_past *p, uint32_t uid, uint64_t name)
{
    if (p->uid != uid)
        return p->uid < uid ? -1 : 1;
    return (p->name > name) - (p->name < name);
}

static int by_past(const void *key, const void *record)
{
    const struct board_past *k = key;
    return -board_past_compare(record, k->uid, k->name);
}

const struct board_past *board_past_find(const struct board *b, uint32_t uid, const char *name)
{
    struct board_past key = {.uid = uid, .name = board_name_hash(name)};
    const struct board_past *p = find(&key, b->pasts, b->n_pasts, sizeof(key), by_past);
    if (p || key.name == 0)
        return p;
    key.name = 0;
    return find(&key, b->pasts, b->n_pasts, sizeof(key), by_past);
}
