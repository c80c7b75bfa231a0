/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of Slurm changes seldom: maintenance reservations, and what priority age is worth. Blocks on
 * slurmctld; slurm_client's thread only.
 */
#ifndef CARNOT_CARNOTCTLD_SLURM_SITE_H
#define CARNOT_CARNOTCTLD_SLURM_SITE_H

#include <slurm/slurm.h>

#include "carnotctld/snapshot.h"
#include "common/err.h"

/* Fill s->outages, age_weight and age_full_s. Asks slurmctld once a minute, for reservations each
 * time whether they changed. What cannot be asked stays what it was, nothing at first. parts is the
 * partition list that s was made from. 0, or -1 (no memory). */
int slurm_site_read(struct snapshot *s, const partition_info_msg_t *parts, struct err *e);

#endif
