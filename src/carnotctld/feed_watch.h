/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The carbon feed as carnotctld uses it: the file is read again when it changes, a bad one leaves
 * the old series in force, and what was true when is remembered for late records.
 */
#ifndef CARNOT_CARNOTCTLD_FEED_WATCH_H
#define CARNOT_CARNOTCTLD_FEED_WATCH_H

#include "carnotctld/ctl.h"

/* Look at the file; read it if it is another than last time. Logs changes of state only. Returns 1
 * when the samples changed, 0 otherwise. Blocks on the disk. */
int feed_watch_look(struct ctl *c);

/* Read the file anew at the next look: the configuration names another one perhaps. */
void feed_watch_forget(struct ctl *c);

/* Bring c->forecast up to now. 0, or -1 (no memory: the old forecast stays). */
int feed_watch_forecast(struct ctl *c);

/* Emissions in micrograms of energy drawn in [from_s, to_s], PUE in; 0 when no intensity is known
 * at all. */
uint64_t feed_watch_emissions_ug(const struct ctl *c, int64_t from_s, int64_t to_s,
                                 uint64_t energy_uj);

void feed_watch_fini(struct ctl *c);

#endif
