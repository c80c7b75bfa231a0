/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far off Carnot's own forecasts were: what was expected is written down once an hour, and held
 * against what came when a feed's file says so. Errors of 30 days count, by hours ahead and by
 * whose forecast it was. Main loop only; each call that writes blocks on the disk.
 *
 * What came is known from a file that was written after the hour and still has it. A replayed
 * trace, a file that never changes, and one that holds only the future tell no errors.
 */
#ifndef CARNOT_CARNOTCTLD_FORECAST_LOG_H
#define CARNOT_CARNOTCTLD_FORECAST_LOG_H

#include "carnotctld/ctl.h"

/* Write down c->forecast, once an hour. Killed before or in it, that hour is written at the next
 * start; after it, the row is there already and stays. */
void forecast_log_note(struct ctl *c);

/* A file was read: look what has come, and count c->errors anew. Killed in it, the next file does
 * the same again. */
void forecast_log_settle(struct ctl *c);

/* The zone or feed is another one now. */
void forecast_log_forget(struct ctl *c);

/* For the hours ahead that the forecast reaches: [{ahead_h, source, n, mean_g_per_kwh,
 * within_g_per_kwh}], null where too few errors are known. A new reference. */
json_t *forecast_log_json(const struct ctl *c);

#endif
