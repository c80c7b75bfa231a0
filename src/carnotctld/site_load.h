/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How full the site is, and the intensity up to which all its jobs run (placement/pause_rule.h): by
 * the CPUs of Slurm's partitions, by those that jobs held in the last week and by what pending jobs
 * are likely to need. Main loop's thread.
 */
#ifndef CARNOT_CARNOTCTLD_SITE_LOAD_H
#define CARNOT_CARNOTCTLD_SITE_LOAD_H

#include "carnotctld/ctl.h"

/* What the rule calls an hour here: one, or four slots of the ledger where these are finer. */
int64_t site_load_slot_s(const struct ctl *c);

/* The site's threshold in g/kWh, by the newest list and the board's forecast; NAN: there is none.
 * Found anew once a minute at most (a sixtieth of the hour), which costs some 0.3 us a job of the
 * list (bench_replan). The board has a forecast. */
double site_load_threshold(struct ctl *c);

#endif
