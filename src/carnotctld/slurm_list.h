/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's job and partition lists -> a snapshot. Blocks on slurmctld.
 */
#ifndef CARNOT_CARNOTCTLD_SLURM_LIST_H
#define CARNOT_CARNOTCTLD_SLURM_LIST_H

#include "carnotctld/snapshot.h"
#include "common/err.h"

/* A new snapshot, or NULL: then nothing is known, and nothing must be concluded from it. */
struct snapshot *slurm_list_load(struct err *e);

#endif
