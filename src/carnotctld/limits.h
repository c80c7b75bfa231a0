/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Setting GrpTRESMins=license/watts on associations, by slurmdbd, in a thread of its own: slurmdbd
 * and its database may be slow or down for hours, and neither the main loop nor the look at Slurm's
 * list may wait for them.
 */
#ifndef CARNOT_CARNOTCTLD_LIMITS_H
#define CARNOT_CARNOTCTLD_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/* Have the limit of an account set, watt-minutes; -1 takes it away. The newest order for an account
 * counts; orders that wait are carried out together. Tried again until it is done. The thread
 * starts with the first order. 0, or -1 when too many accounts wait. */
int limits_order(const char *cluster, const char *account, int64_t limit_wmin);

/* Did slurmdbd take the last orders? 1 yes, or none was given; 0 and why not. */
int limits_ok(char *error, size_t size);

void limits_stop(void); /* joins; a call under way is waited for. Safe when nothing was started. */

#endif
