/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `carnot off --now`: jobs that wait because of Carnot, where it only observes from now on, are let
 * go one after another over policy.off_stagger, in order of their planned start and never later
 * than that. What is to be is in the ledger before it is ordered: a restart goes on with it.
 */
#ifndef CARNOT_CARNOTCTLD_LET_GO_H
#define CARNOT_CARNOTCTLD_LET_GO_H

#include "carnotctld/ctl.h"

/* Is a letting go under way in the ledger? Goes on with it then. 0 or -1. */
int let_go_init(struct ctl *c, struct err *e);

/* Begin: the switches must be on the board already. Returns how many jobs are let go, or -1. */
int64_t let_go_begin(struct ctl *c, const char *by, struct err *e);

/* After each list: those that came late, orders that are missing, and the end of it. Also orders
 * the given up wait of `carnot now` again, where the order was refused or lost with a process. */
void let_go_run(struct ctl *c);

/* Jobs that are let go and may not start yet. */
int64_t let_go_left(const struct ctl *c);

#endif
