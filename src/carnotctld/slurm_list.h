/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's job and partition lists -> a snapshot; its node list -> names. Blocks on slurmctld.
 */
#ifndef CARNOT_CARNOTCTLD_SLURM_LIST_H
#define CARNOT_CARNOTCTLD_SLURM_LIST_H

#include "carnotctld/snapshot.h"
#include "common/err.h"

/* A new snapshot, or NULL: then nothing is known, and nothing must be concluded from it. */
struct snapshot *slurm_list_load(struct err *e);

/* The begin time that one job has now; 0, or -1 when slurmctld does not say or know it. */
int slurm_list_begin(uint32_t job_id, int64_t *begin_s, struct err *e);

/* A node as Slurm reaches it. */
struct slurm_node {
    char name[SNAPSHOT_NAME_MAX];
    char address[256]; /* NodeAddr: a name or an address */
    char hostname[256];
};

/* All nodes, in no order; 0 and *nodes for the caller to free, or -1. Any thread. */
int slurm_list_nodes(struct slurm_node **nodes, size_t *n, struct err *e);

#endif
