/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Budgets with teeth: a job that passes its own budget is told, then ended; a job that came past
 * the plugin (no board, a forged test) is held if its account's budget does not cover it.
 */
#ifndef CARNOT_CARNOTCTLD_ENFORCER_H
#define CARNOT_CARNOTCTLD_ENFORCER_H

#include "carnotctld/ctl.h"

/* Judge a job that the plugin has not judged: when the list shows it first (is_new), when its claim
 * is due (is_new), and when somebody has released it. Changes row's reservation and step, orders a
 * hold. The step is written if the row is stored already; the rest is for the caller to store.
 *
 * The plugin may have promised to others what a new job needs, and no list shows that yet. So a
 * pending one that seems to fit reserves nothing at first but claims what it needs, which boards
 * from now on leave out. When the claim is due it gets that, or is held. */
void enforcer_admit(struct ctl *c, const struct slurm_job *job, struct ledger_job *row, int is_new);

/* Does the list have all that was promised on boards without this claim, or pend the job no more?
 * 1 or 0; 0 without a claim. */
int enforcer_claim_is_due(const struct ctl *c, const struct slurm_job *job,
                          const struct ledger_job *row);

/* A board was published that has all claims. */
void enforcer_published(struct ctl *c);

/* Look at every running job with a budget of its own. */
void enforcer_run(struct ctl *c);

#endif
