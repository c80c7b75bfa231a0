/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the [{time, g_per_kwh}, ...] of an answer to something that can be
 * plotted on this run's terminal.
 */
#ifndef CARNOT_SERIES_PLOT_H
#define CARNOT_SERIES_PLOT_H

#include "carnot/cli.h"
#include "carnot/plot.h"

/* Points of series (rows without a time are skipped), width and colours from c. 0 and
 * series_plot_free is due, or -1 (nothing to plot). */
int series_plot_load(const struct cli *c, const json_t *series, struct plot *p);
void series_plot_free(struct plot *p);

#endif
