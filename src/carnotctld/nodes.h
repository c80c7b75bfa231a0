/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nodes that have reported, in this life or before: c->nodes, in order of their names.
 */
#ifndef CARNOT_CARNOTCTLD_NODES_H
#define CARNOT_CARNOTCTLD_NODES_H

#include "carnotctld/ctl.h"

/* Take over those that the ledger knows, as not heard of yet. 0 or -1. */
int nodes_init(struct ctl *c, struct err *e);
void nodes_fini(struct ctl *c);

/* The node of this name, or NULL. Valid until nodes_get adds one. */
struct ctl_node *nodes_find(const struct ctl *c, const char *name);

/* The same, added if it is not there; NULL without memory. Main loop. */
struct ctl_node *nodes_get(struct ctl *c, const char *name);

/* Remember those of a record's `sources` (hostile; NULL is none) whose state says that something is
 * wrong, as [{name, state, error}], error "" where none is told. */
void nodes_note_sources(struct ctl_node *n, const json_t *sources);

/* Has it reported lately? A node that has been silent for five report intervals counts as lost. */
int nodes_reporting(const struct ctl *c, const struct ctl_node *n);

#endif
