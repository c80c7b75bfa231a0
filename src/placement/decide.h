/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first half of placement_decide(), and the search in it, for explain.c: what it says of a
 * decision is worked out by the code that decides. Pure; one call at a time, as
 * placement_decide().
 */
#ifndef CARNOT_PLACEMENT_DECIDE_H
#define CARNOT_PLACEMENT_DECIDE_H

#include "placement/placement.h"
#include "placement/search.h"

/* placement_decide() without the budgets: never refuses. */
void decide_start(const struct board *b, const struct lease_table *leases,
                  const struct placement_job *job, int64_t now_s, struct placement_decision *out);

/* The search that decide_start() made for *d, of which policy and price count: window, lengths,
 * watts, lambda, slots. *q points into *slots, and that into *space. Returns the micrograms of what
 * lies behind the forecast, the same for every start: a start's grams are search_carbon_ug() and
 * these. NAN without a forecast: then *q is not to be searched. */
double decide_search(const struct board *b, const struct lease_table *leases,
                     const struct placement_job *job, int64_t now_s,
                     const struct placement_decision *d, struct slots_space *space,
                     struct slots *slots, struct search *q);

#endif
