/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules that choose a job's start: Carnot's own, by the search that slurmctld's plugin uses,
 * and published ones to compare with (ALGORITHMS section 3). Pure.
 */
#ifndef CARNOT_SIMULATE_POLICY_H
#define CARNOT_SIMULATE_POLICY_H

#include <stddef.h>
#include <stdint.h>
#include "placement/search.h"

enum sim_policy {
    SIM_ASAP = 0,
    SIM_BALANCED,      /* grams + lambda x delay */
    SIM_GREENEST,      /* grams */
    SIM_LOWEST_SLOT,   /* GAIA: the cheapest moment; knows no length */
    SIM_LOWEST_WINDOW, /* GAIA: the cheapest window of the queue's mean length */
    SIM_CARBON_TIME,   /* GAIA: most grams saved per hour until its end */
    SIM_WAIT_AWHILE,   /* Let's Wait Awhile: the cheapest slots, with pauses; exact length */
    SIM_ECOVISOR,      /* Ecovisor: runs below the 30th percentile of the next day */
    SIM_CAP,           /* CAP: at once, but only so many cores as the hour is green */
    SIM_POLICY_N
};
const char *policy_name(enum sim_policy p); /* "asap", "lowest-slot", ... */

/* Does it plan a job's pieces at once, and so needs a machine without limits? 1 or 0. */
int policy_in_pieces(enum sim_policy p);

/* Is it one of Carnot's own, which plans anew and may pause? The others are as they were published.
 * 1 or 0. */
int policy_of_carnot(enum sim_policy p);

/* Is it a rule for a machine as a whole, and so needs one? 1 or 0. */
int policy_of_machine(enum sim_policy p);

/* The start that the rule chooses in [q->from_s, q->until_s]: q's series, lengths and lambda;
 * mean_length_s is that of the job's queue, > 0. Not for policies in pieces. */
int64_t policy_start(enum sim_policy p, const struct search *q, int64_t mean_length_s);

struct policy_piece {
    int64_t start_s, end_s;
};
/* When a job of length_s that may wait wait_s runs, in order, not touching one another: a new array
 * in *out, caller frees. How many (>= 1), or 0: no memory. */
size_t policy_pieces(enum sim_policy p, const struct series *belief, int64_t now_s, int64_t wait_s,
                     int64_t length_s, struct policy_piece **out);

#endif
