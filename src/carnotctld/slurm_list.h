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

/* What one job is now; 0, or -1 when slurmctld does not say or know it. */
struct slurm_state {
    int64_t begin_s;
    uint32_t restart;
    int running; /* and not on its way to its end */
};
int slurm_list_state(uint32_t job_id, struct slurm_state *out, struct err *e);

/* A node as Slurm reaches it. */
struct slurm_node {
    char name[SNAPSHOT_NAME_MAX];
    char address[256]; /* NodeAddr: a name or an address */
    char hostname[256];
};

/* All nodes, in no order; 0 and *nodes for the caller to free, or -1. Any thread. */
int slurm_list_nodes(struct slurm_node **nodes, size_t *n, struct err *e);

#endif
