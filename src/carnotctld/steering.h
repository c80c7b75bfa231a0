/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lambda, steered to the mean wait that policy.target_wait names (placement/steer.h): every job
 * that the plugin could make wait moves it a little. It lives in the ledger and travels on the
 * board.
 */
#ifndef CARNOT_CARNOTCTLD_STEERING_H
#define CARNOT_CARNOTCTLD_STEERING_H

#include "carnotctld/ctl.h"
#include "placement/placement.h"

/* Read back what the ledger has, if that was steered to the same wait; else begin with
 * policy.lambda. 0 or -1. */
int steering_load(struct ctl *c, struct err *e);

/* A job that a list shows for the first time, with the plugin's note. */
void steering_count(struct ctl *c, const struct placement_note *note);

/* Write down what was counted, in the transaction of the list that showed it: a kill counts no job
 * twice, and none is lost. 0 or -1. */
int steering_store(struct ctl *c, struct err *e);

/* While few jobs were counted: solve for lambda on those of the ledger, once a forecast. */
void steering_run(struct ctl *c);

/* Grams an hour of a one-CPU job's wait must save, now. */
double steering_lambda_g_per_h(const struct ctl *c);

#endif
