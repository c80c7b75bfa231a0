/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is learnt of a user's jobs: the last lengths of those of one name and of all of them, and
 * what a CPU of theirs draws. Rebuilt from the ledger at the start, kept up as runs are settled.
 * Memory is bounded: whose jobs ended longest ago is forgotten first.
 */
#ifndef CARNOT_CARNOTCTLD_HISTORY_H
#define CARNOT_CARNOTCTLD_HISTORY_H

#include "carnotctld/ctl.h"

/* So many of the runs that ended last are read at the start. */
#define HISTORY_ROWS 50000

/* Forget all, and learn from the ledger. 0 or -1. */
int history_load(struct ctl *c, struct err *e);
void history_free(struct ctl *c);

/* A run was settled. */
void history_note(struct ctl *c, const struct ledger_job *row);

#endif
