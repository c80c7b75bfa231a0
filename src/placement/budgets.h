/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Do the budgets of an account and of a user cover what is asked, leases counted in? Pure.
 */
#ifndef CARNOT_PLACEMENT_BUDGETS_H
#define CARNOT_PLACEMENT_BUDGETS_H

#include <stddef.h>
#include <stdint.h>
#include "placement/board.h"
#include "placement/lease.h"

/* What is asked for. Amounts that are not finite (grams without a forecast) cannot be judged and
 * pass; amounts of 0 or less ask for nothing. */
struct budgets_need {
    const char *account; /* "" = none */
    uint32_t uid;
    int64_t now_ms;
    double account_uj, account_ug; /* of the account's budgets */
    double user_uj, user_ug;       /* of the user's */
    int queues; /* it can wait: where Slurm's own limit holds a budget, one task at a time, only one
                   that needs more than is granted is not covered */
    double task_uj, task_ug; /* with queues: of one task */
};

/* The first budget that has too little. */
struct budgets_lack {
    const struct board_budget *budget; /* points into the board; NULL = none */
    int64_t left;                      /* after leases; may be negative */
    double need;
};

/* 1 covered, 0 not, and *lack says which. leases may be NULL. O(log budgets + leases) */
int budgets_cover(const struct board *b, const struct lease_table *leases,
                  const struct budgets_need *need, struct budgets_lack *lack);

/* Is there any budget of this account or user? 1 or 0; *first (may be NULL) is one of them. */
int budgets_any(const struct board *b, const char *account, uint32_t uid,
                const struct board_budget **first);

/* "3.1 kWh" or "250 gCO2e", 0 for what is below it. Returns buf. */
char *budgets_amount(char *buf, size_t size, int resource, double amount);

#endif
