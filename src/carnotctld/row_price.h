/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run may use: estimates and reservation of its row. Main loop only.
 */
#ifndef CARNOT_CARNOTCTLD_ROW_PRICE_H
#define CARNOT_CARNOTCTLD_ROW_PRICE_H

#include "carnotctld/ctl.h"
#include "placement/placement.h"

/* A new row: the price that the job was told in its note, or today's for one that was told none
 * (note NULL). */
void row_price(struct ctl *c, const struct slurm_job *job, const struct placement_note *note,
               struct ledger_job *row);

/* The list shows another size, limit or partition than before (a user's change, or what Slurm gave
 * the job in the end): price it anew. */
void row_price_change(struct ctl *c, const struct slurm_job *job, const struct ledger_job *before,
                      struct ledger_job *row);

#endif
