/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Budgets with teeth: a job that passes its own budget is told, then ended; a job that came past
 * the plugin (no board, a forged test) is held if its account's budget does not cover it.
 */
#ifndef CARNOT_CARNOTCTLD_ENFORCER_H
#define CARNOT_CARNOTCTLD_ENFORCER_H

#include "carnotctld/ctl.h"

enum enforce_step {
    ENFORCE_NONE = 0,
    ENFORCE_WARNED,
    ENFORCE_TERMED,
    ENFORCE_CANCELLED,
    ENFORCE_HELD
};

/* Judge a pending job that has no note of the plugin's when the list shows it first (is_new), and
 * again when somebody released it: changes row's reservation and step, orders a hold. */
void enforcer_admit(struct ctl *c, const struct slurm_job *job, struct ledger_job *row, int is_new);

/* Look at every running job with a budget of its own. */
void enforcer_run(struct ctl *c);

#endif
