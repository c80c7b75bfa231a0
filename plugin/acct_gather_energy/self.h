/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which process of Slurm the plugin runs in: slurmd, or the slurmstepd of a step.
 */
#ifndef CARNOT_PLUGIN_SELF_H
#define CARNOT_PLUGIN_SELF_H

#include <stddef.h>

#include "common/energy_query.h"

#define SELF_PATH_MAX 128 /* more than a Unix socket's path holds */

/* Read the environment, once, when the plugin is loaded: later another thread might change it. */
void self_init(void);

/* Where carnotd listens, as $CARNOTD_SOCKET has it; NULL: the default. */
const char *self_socket(void);

/* The question that this process has to ask: for the node, in slurmd; for its step, in slurmstepd,
 * which names it in its title ("slurmstepd: [123.batch]", the same on 22.05, 24.11 and 26.05, and
 * what ps shows). 0, or -1 when it does not say so (yet). Reads /proc; no allocation. */
int self_query(struct energy_query *q);

/* The same from a title of n bytes, which end with NUL as in /proc/PID/cmdline. Pure. */
int self_query_from(struct energy_query *q, const char *title, size_t n);

#endif
