/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Native budgets: Slurm's own limit on the watt-minutes of an account (GrpTRESMins=license/watts)
 * is kept so that the scheduler starts what the ledger can pay for, and nothing more. Off unless
 * budget.native is true and Slurm is set up for it; then every limit that was set is taken away.
 */
#ifndef CARNOT_CARNOTCTLD_NATIVE_H
#define CARNOT_CARNOTCTLD_NATIVE_H

#include "carnotctld/ctl.h"

/* Do Slurm's limits hold the budgets of accounts now? 1 or 0. */
int native_on(const struct ctl *c);

/* The watts of a job that Slurm's limits count it by; 0 where they do not. */
uint32_t native_watts(const struct ctl *c, const struct slurm_job *job);

/* Names whose usage is to be read before each list, from the accounts with a budget and those that
 * have a limit of ours: a new array, caller frees. 0 or -1. */
int native_watched(struct ctl *c, struct accounting_name **names, size_t *n, struct err *e);

/* After each list: the account tree into the ledger, each limit compared with what the ledger says
 * now, orders for those that differ. */
void native_run(struct ctl *c);

/* Mark the accounts' budgets of a board as Slurm's to hold, and add one for each account below one
 * of them: *budgets is grown. The caller sorts. 0 or -1. */
int native_budgets(const struct ctl *c, struct board_budget **budgets, size_t *n);

void native_fini(struct ctl *c);

#endif
