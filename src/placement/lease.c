/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of leases. Linear over at most LEASE_MAX entries: a busy cluster has a few
 * dozen (what was submitted since the last board), and a sweep runs once a board.
 */
#include "config.h"

#include <string.h>

#include "placement/lease.h"

int64_t lease_amount(double micro)
{
    if (!(micro > 0))
        return 0;
    return micro < 9e18 ? (int64_t)micro : INT64_MAX;
}

void lease_init(struct lease_table *t)
{
    memset(t, 0, sizeof(*t));
}

/* Slurm writes a change down after it has asked us: this much later any list has it. */
#define CHANGE_SETTLES_MS 2000

/* Does the board show what became of it? */
static int acknowledged(const struct lease *l, const struct board *b)
{
    if (l->is_change)
        return b->head.listed_ms > l->expires_ms - LEASE_LIFE_MS + CHANGE_SETTLES_MS;
    return board_decision_seen(b, l->id);
}

static void doubt(struct lease_table *t, uint32_t uid, int64_t now_ms)
{
    uint32_t oldest = 0;
    for (uint32_t i = 0; i < t->n_users; i++) {
        if (t->users[i].uid == uid) {
            t->users[i].doubt_until_ms = now_ms + LEASE_DOUBT_MS;
            return;
        }
        if (t->users[i].doubt_until_ms < t->users[oldest].doubt_until_ms)
            oldest = i;
    }
    uint32_t at = t->n_users < LEASE_USERS_MAX ? t->n_users++ : oldest;
    t->users[at] = (struct lease_user){uid, now_ms + LEASE_DOUBT_MS};
}

/* Its time is over, and a list asked for after that did not show it. A board without such a list
 * proves nothing: with carnotctld away the job may well be there. */
static int over(const struct lease *l, const struct board *b, int64_t now_ms)
{
    return now_ms >= l->expires_ms && b->head.listed_ms >= l->expires_ms;
}

void lease_sweep(struct lease_table *t, const struct board *b, int64_t now_ms)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < t->n; i++) {
        struct lease *l = &t->leases[i];
        /* A wall clock that steps back makes no lease eternal, and ends none: submissions read the
         * clock and then wait for the mutex, so that one may come with an older time than another.
         */
        if (l->expires_ms > now_ms + LEASE_LIFE_MS)
            l->expires_ms = now_ms + LEASE_LIFE_MS;
        if (acknowledged(l, b)) {
            t->acknowledged++;
        } else if (over(l, b, now_ms)) {
            t->expired++;
            if (!l->is_change)
                doubt(t, l->uid, now_ms);
        } else {
            if (kept != i)
                t->leases[kept] = *l;
            kept++;
        }
    }
    t->n = kept;
}

int64_t lease_held(const struct lease_table *t, const struct board_budget *budget, uint32_t uid,
                   int64_t *held_by_uid)
{
    int64_t all = 0, own = 0;
    uint64_t account = budget->scope == BOARD_USER ? 0 : board_name_hash(budget->name);
    for (uint32_t i = 0; i < t->n; i++) {
        const struct lease *l = &t->leases[i];
        int counts = budget->scope == BOARD_USER ? l->uid == budget->uid : l->account == account;
        if (!counts)
            continue;
        int64_t amount = budget->resource == 0 ? l->energy_uj : l->carbon_ug;
        if (__builtin_add_overflow(all, amount, &all))
            all = INT64_MAX;
        if (l->uid == uid && __builtin_add_overflow(own, amount, &own))
            own = INT64_MAX;
    }
    if (held_by_uid)
        *held_by_uid = own;
    return all;
}

int lease_doubtful(const struct lease_table *t, uint32_t uid, int64_t now_ms)
{
    for (uint32_t i = 0; i < t->n_users; i++)
        if (t->users[i].uid == uid)
            return t->users[i].doubt_until_ms > now_ms;
    return 0;
}

/* A user may hold half of what the others leave: there is always room for one more user. */
static int room_for(const struct lease_table *t, uint32_t uid)
{
    uint32_t own = 0;
    for (uint32_t i = 0; i < t->n; i++)
        own += t->leases[i].uid == uid;
    return own < (LEASE_MAX - (t->n - own) + 1) / 2;
}

int lease_take(struct lease_table *t, const struct lease *l, int64_t now_ms)
{
    uint32_t at = l->is_change ? 0 : t->n;
    while (at < t->n && t->leases[at].id != l->id)
        at++;
    if (at >= LEASE_MAX || (at == t->n && !room_for(t, l->uid))) {
        t->full++;
        return -1;
    }
    t->leases[at] = *l;
    t->leases[at].expires_ms = now_ms + LEASE_LIFE_MS;
    t->n += at == t->n;
    t->taken++;
    return 0;
}
