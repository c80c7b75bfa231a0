/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's hostlist expressions ("n[1-3,7]"), by libslurm itself.
 */
#ifndef CARNOT_CARNOTCTLD_NODELIST_H
#define CARNOT_CARNOTCTLD_NODELIST_H

/* Does the expression name this node? 1 or 0; an expression that was cut to fit counts as yes. */
int nodelist_has(const char *expression, const char *node);

/* Call cb for each node of the expression until it returns non-zero: that value, 0 after all, -1
 * when the expression cannot be read whole. */
int nodelist_each(const char *expression, int (*cb)(const char *node, void *arg), void *arg);

#endif
