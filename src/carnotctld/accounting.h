/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's accounting as carnotctld sees it, without any Slurm type: users and their default
 * accounts, the account tree, what Slurm has charged to an account. All of it is read from
 * slurmctld, which keeps what slurmdbd knows in memory: it is what submissions are judged by, and
 * it answers while slurmdbd is down. Made by slurm_client's thread, owned by the main loop once
 * handed over.
 */
#ifndef CARNOT_CARNOTCTLD_ACCOUNTING_H
#define CARNOT_CARNOTCTLD_ACCOUNTING_H

#include <stddef.h>
#include <stdint.h>
#include "common/err.h"
#include "ledger/ledger.h"

struct accounting_user {
    uint32_t uid;
    char name[LEDGER_NAME_MAX];
    char default_account[LEDGER_NAME_MAX]; /* "" = none */
};

struct accounting_name {
    char name[LEDGER_NAME_MAX];
};

struct accounting {
    int kept;                      /* slurmdbd keeps accounts here; else all below is empty */
    char cluster[LEDGER_NAME_MAX]; /* as slurmdbd calls it */
    struct accounting_user *users; /* sorted by uid, one each */
    size_t n_users;
    struct ledger_edge *accounts; /* sorted by child, the topmost left out */
    size_t n_accounts;
    struct accounting_name *qos;
    size_t n_qos;
    uint32_t watts_total; /* of the licence; 0 = there is none */
    char unsuited[160];   /* why Slurm's limits cannot hold budgets; "" = they can */
    char advice[160];     /* what makes them less exact; "" = nothing */
};

/* What Slurm has counted of the licence on one account, children included. */
struct accounting_usage {
    char account[LEDGER_NAME_MAX];
    double used_ws;     /* charged so far, watt-seconds */
    double running_ws;  /* set aside for what running jobs may still use */
    int64_t limit_wmin; /* GrpTRESMins in force, watt-minutes; -1 = none */
};

/* All of it, from slurmctld. Blocks. NULL and e on error. */
struct accounting *accounting_load(struct err *e);
void accounting_destroy(struct accounting *a); /* NULL is legal */

/* Usage of n accounts: a new array of *found that slurmctld knows, caller frees. Blocks. 0 or -1.
 */
int accounting_load_usage(const struct accounting_name *accounts, size_t n,
                          struct accounting_usage **out, size_t *found, struct err *e);

/* By uid; NULL when there is none. O(log n) */
const struct accounting_user *accounting_user(const struct accounting *a, uint32_t uid);

#endif
