/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The board: put together from policy, forecast, Slurm's list and the ledger, and published as
 * one file.
 */
#ifndef CARNOT_CARNOTCTLD_PUBLISHER_H
#define CARNOT_CARNOTCTLD_PUBLISHER_H

#include "carnotctld/ctl.h"

/* Build a board of now into c->board. 0 or -1 (the old one stays). */
int publisher_build(struct ctl *c, struct err *e);
/* The same, and a copy that the caller frees: it outlives the boards that follow. NULL: no copy. */
int publisher_build_copy(struct ctl *c, struct board *copy, struct err *e);

/* Build and write it: temporary name, fsync, rename. 0 or -1. */
int publisher_publish(struct ctl *c, struct err *e);

/* Publish if something changed, or if the one that is out grows old. Errors are logged when they
 * begin. */
void publisher_run(struct ctl *c);

/* What an operator sets counts from the answer on, not from the next board's time on: build a board
 * and, if there is a list to build it from, publish it. One that cannot be written is
 * publisher_run's to complain of. */
void publisher_now(struct ctl *c);

/* Load the switches of `carnot on|off` from the ledger. 0 or -1. */
int publisher_load_switches(struct ctl *c, struct err *e);

void publisher_fini(struct ctl *c);

#endif
