/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Budgets at a decision: what is left on the board, less what leases hold.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>

#include "common/units.h"
#include "placement/budgets.h"

/* What is left of one budget for this user. */
static int64_t left_of(const struct board *b, const struct lease_table *leases,
                       const struct board_budget *budget, const struct budgets_need *need)
{
    int64_t left = budget->left, own, held;
    if (!leases)
        return left;
    held = lease_held(leases, budget, need->uid, &own);
    double share = (double)budget->left * b->head.user_lease_share - (double)own;
    if (__builtin_sub_overflow(budget->left, held, &left))
        left = INT64_MIN;
    if (lease_doubtful(leases, need->uid, need->now_ms) && share < (double)left)
        left = share > -9e18 ? (int64_t)share : INT64_MIN;
    return left;
}

static int covers(const struct board *b, const struct lease_table *leases,
                  const struct budgets_need *need, const struct board_budget *budget, double uj,
                  double ug, struct budgets_lack *lack)
{
    int waits = budget->native && need->queues;
    if (waits) {
        uj = need->task_uj;
        ug = need->task_ug;
    }
    double amount = budget->resource == 0 ? uj : ug;
    if (!isfinite(amount) || amount <= 0)
        return 1;
    int64_t left = waits ? budget->granted : left_of(b, leases, budget, need);
    if (amount <= (double)left)
        return 1;
    *lack = (struct budgets_lack){budget, left, amount};
    return 0;
}

int budgets_cover(const struct board *b, const struct lease_table *leases,
                  const struct budgets_need *need, struct budgets_lack *lack)
{
    uint32_t n;
    const struct board_budget *g = board_budget_find(b, BOARD_ACCOUNT, need->account, 0, &n);
    for (uint32_t i = 0; i < n; i++)
        if (!covers(b, leases, need, &g[i], need->account_uj, need->account_ug, lack))
            return 0;
    g = board_budget_find(b, BOARD_USER, "", need->uid, &n);
    for (uint32_t i = 0; i < n; i++)
        if (!covers(b, leases, need, &g[i], need->user_uj, need->user_ug, lack))
            return 0;
    return 1;
}

int budgets_any(const struct board *b, const char *account, uint32_t uid,
                const struct board_budget **first)
{
    uint32_t n_account, n_user;
    const struct board_budget *g = board_budget_find(b, BOARD_ACCOUNT, account, 0, &n_account);
    const struct board_budget *u = board_budget_find(b, BOARD_USER, "", uid, &n_user);
    if (first)
        *first = g ? g : u;
    return n_account + n_user > 0;
}

char *budgets_amount(char *buf, size_t size, int resource, double amount)
{
    char text[32];
    double shown = amount > 0 ? amount : 0;
    if (resource == 0)
        return units_format_energy(buf, size, shown);
    snprintf(buf, size, "%sCO2e", units_format_mass(text, sizeof(text), shown));
    return buf;
}
