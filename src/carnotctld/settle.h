/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a run that has ended is settled: what it reserved and did not use is free again.
 */
#ifndef CARNOT_CARNOTCTLD_SETTLE_H
#define CARNOT_CARNOTCTLD_SETTLE_H

#include "carnotctld/ctl.h"

/* Has slurmctld had the time to write down that the run has ended, and are its last records in? Its
 * nodes are waited for, five minutes at most, and some seconds where a node has never reported at
 * all. (A record that comes later still counts; only the reservation is gone.) A job that slurmctld
 * lost may go on to run: it is over when its nodes have ceased to name it, or after those five
 * minutes; which it is too if none has named it so far. 1 or 0. */
int settle_is_due(const struct ctl *c, const struct ledger_job *row);

/* Has slurmctld lost the job of this run? 1 or 0. */
int settle_is_lost(const struct ledger_job *row);

/* Has Slurm queued the job again after this run? Then it has run, though the list may never have
 * shown when. 1 or 0. */
int settle_was_requeued(const struct ledger_job *row);

#endif
