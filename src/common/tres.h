/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's expressions of trackable resources, as far as GPUs are asked for in them.
 */
#ifndef CARNOT_COMMON_TRES_H
#define CARNOT_COMMON_TRES_H

#include <stdint.h>

/* What a job has asked for, by expressions as "gpu:a100:2" or "gres/gpu=4,nic:1", each or NULL: the
 * largest of its ways to say it. nodes and tasks count as one where they are 0. Saturates. Does not
 * allocate. */
uint32_t tres_gpus_asked(const char *per_job, const char *per_node, const char *per_task,
                         uint64_t nodes, uint64_t tasks);

#endif
