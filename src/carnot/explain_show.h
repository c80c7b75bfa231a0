/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The object "explain" of an answer (docs/formats.md) for people: a plot of the window, a table of
 * the choices in it, and why a job does not wait, in figures.
 */
#ifndef CARNOT_EXPLAIN_SHOW_H
#define CARNOT_EXPLAIN_SHOW_H

#include "carnot/cli.h"

/* The intensity with window, choices and chosen run marked under it; nothing when it holds none.
 * zone is its name. */
void explain_show_plot(const struct cli *c, const json_t *explain, const char *zone);

/* The choices with their grams and costs, and what they mean. */
void explain_show_choices(const struct cli *c, const json_t *explain);

#endif
