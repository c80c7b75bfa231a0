/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All calls of libslurm, in a thread of their own: slurmctld may be slow, down or restarting, and
 * the main loop must not wait for it. The thread loads the list every poll interval (or seldomer,
 * if that takes long) and carries out orders between two loads; the main loop hears of both through
 * one descriptor.
 */
#ifndef CARNOT_CARNOTCTLD_SLURM_CLIENT_H
#define CARNOT_CARNOTCTLD_SLURM_CLIENT_H

#include <stdint.h>
#include "carnotctld/slurm_order.h"
#include "carnotctld/snapshot.h"
#include "common/err.h"
#include "ledger/ledger.h"

/* Between two orders: 50 a second at most. */
#define ORDER_SPACING_MS 20

/* Is there a Slurm configuration to talk by? libslurm ends the process without one. 0 or -1. */
int slurm_client_configured(struct err *e);

/* Start the thread. 0 or -1. */
int slurm_client_start(int64_t poll_ms, struct err *e);
void slurm_client_stop(void); /* joins; an RPC under way is waited for */

/* Readable when slurm_client_take* has something. */
int slurm_client_fd(void);
void slurm_client_drain(void);

/* The newest snapshot since the last call (ownership to the caller), or NULL. */
struct snapshot *slurm_client_take_snapshot(void);
/* A finished order: 1 and *out, or 0. */
int slurm_client_take_done(struct slurm_order *out);

/* An order for a run; the caller fills in the rest. */
struct slurm_order slurm_client_order_for(enum order_kind kind, const struct ledger_job *row);

/* Queue an order; 0, or -1 when too many wait. */
int slurm_client_order(const struct slurm_order *order);
/* Orders that are queued or under way. */
unsigned slurm_client_waiting(void);
/* From one move to the next, lately: ORDER_SPACING_MS or, so that they take slurmctld no more than
 * 2 % of its time, longer. */
int64_t slurm_client_pace_ms(void);
/* Load the list again as soon as slurmctld has rested from the last one. */
void slurm_client_poke(void);

/* Accounts whose usage comes with each list from now on; the names are copied. 0 or -1. */
int slurm_client_watch(const struct accounting_name *accounts, size_t n);
/* Read Slurm's accounting with the next list, not only when it is due. */
void slurm_client_poke_accounting(void);

/* Is slurmctld answering? 1 yes; 0 and the last error's text. */
int slurm_client_ok(char *error, size_t size);

#endif
