/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was promised since the board was published: a table of leases.
 *
 * A submission is a request, not yet a job: Slurm may still refuse it, or it was only a test. So a
 * decision holds its share of budgets and slots by a lease, until the board has seen
 * the decision's id in Slurm's list (then the board's own figures hold it) or, when its time is
 * over, a list that does not show it. A user whose leases expire unseen (requests that never became
 * jobs) is limited for a while to a share of what is left, so that one cannot lock out the other
 * users of an account. Not thread-safe: the caller's mutex covers {look, decide, take}. Fixed
 * memory, no allocation after lease_init.
 */
#ifndef CARNOT_PLACEMENT_LEASE_H
#define CARNOT_PLACEMENT_LEASE_H

#include <stddef.h>
#include <stdint.h>
#include "placement/board.h"

#define LEASE_MAX 4096
#define LEASE_LIFE_MS 30000
#define LEASE_USERS_MAX 256
#define LEASE_DOUBT_MS 120000 /* after an expiry unseen, this long a user counts as doubtful */

/* A decision goes over all of them, so they are small: names are board_name_hash(). Two names of
 * one hash count together, so that a budget or a slot may seem fuller than it is, never emptier. */
struct lease {
    uint64_t id; /* random, never 0 */
    int64_t expires_ms;
    int64_t energy_uj, carbon_ug; /* of all tasks */
    int64_t start_s, end_s;       /* planned occupation of slots */
    uint64_t account, partition;  /* 0 = none */
    uint32_t uid;
    uint32_t cpus; /* of all tasks that run at once */
    int is_change; /* of a job that is there: a list younger than the lease shows what became of it
                    */
};

struct lease_user {
    uint32_t uid;
    int64_t doubt_until_ms;
};

struct lease_table {
    struct lease leases[LEASE_MAX];
    uint32_t n;
    uint32_t n_users;
    struct lease_user users[LEASE_USERS_MAX];
    uint64_t taken, acknowledged, expired, full; /* counters */
};

/* So many uJ or ug as a lease holds them: none below 0 or without a number, all that there can be
 * where there are more. */
int64_t lease_amount(double micro);

void lease_init(struct lease_table *t);

/* Drop leases that the board acknowledges, and those older than their life that a list asked for
 * after it has not shown. */
void lease_sweep(struct lease_table *t, const struct board *b, int64_t now_ms);

/* Sum held in budget by all users, and by this uid alone. energy_uj or carbon_ug by its resource.
 */
int64_t lease_held(const struct lease_table *t, const struct board_budget *budget, uint32_t uid,
                   int64_t *held_by_uid);

/* Did leases of this user expire unseen lately? */
int lease_doubtful(const struct lease_table *t, uint32_t uid, int64_t now_ms);

/* Take one: copies *l, sets expires_ms; one with the same id is replaced. 0, or -1 when the table
 * is full or this user has his share of it: half of what the others leave. */
int lease_take(struct lease_table *t, const struct lease *l, int64_t now_ms);

#endif
