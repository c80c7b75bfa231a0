/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Task expressions of job arrays, as Slurm writes them: "0-9,20-30:2%4".
 */
#ifndef CARNOT_COMMON_TASKS_H
#define CARNOT_COMMON_TASKS_H

#include <stdint.h>

/* How many tasks the expression names; 1 for NULL, for more than 1 MiB and for what Slurm will
 * refuse. Saturates. *at_once (may be NULL) is its %N, or 0. Pure. */
uint32_t tasks_count(const char *expression, uint32_t *at_once);

#endif
