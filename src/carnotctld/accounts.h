/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's accounting in the main loop: kept from the last time it was read, asked for again when a
 * user submits whom it does not name.
 */
#ifndef CARNOT_CARNOTCTLD_ACCOUNTS_H
#define CARNOT_CARNOTCTLD_ACCOUNTS_H

#include "carnotctld/ctl.h"

/* Take what a list has brought along out of it, before the list is applied. */
void accounts_take(struct ctl *c, struct snapshot *s);

void accounts_fini(struct ctl *c);

#endif
