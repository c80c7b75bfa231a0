/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A simulation's figures, against asap on the same workload (ALGORITHMS section 7).
 */
#ifndef CARNOT_SIMULATE_SUMMARY_H
#define CARNOT_SIMULATE_SUMMARY_H

#include "simulate/simulate.h"

/* Nodes that stand idle, for the site's carbon. */
struct summary_power {
    double node_idle_w; /* 0: not known */
    uint32_t cores_per_node;
};

struct summary {
    size_t jobs; /* that count */
    double core_h;
    double g, asap_g, bound_g;                 /* bound NAN: not found */
    double saving;                             /* share of asap_g */
    double of_bound;                           /* share of what the bound leaves to be saved; NAN */
    double site_saving, asleep_saving;         /* share of the site's: idle nodes on, or off; NAN */
    double wait_h, asap_wait_h;                /* mean from submission to start */
    double added_h, added_p95_h, added_core_h; /* later end than under asap: mean, 95th percentile,
                                                  mean by core-hours */
    double slowdown, asap_slowdown;            /* mean, bounded at 10 minutes */
    size_t late;        /* ended later than under asap by more than their bound */
    double utilisation; /* of the machine, first start to last end; NAN without one */
    double makespan_h;
    double g_per_hour; /* saved per hour of added wait; NAN when none was added */
    double unfairness; /* largest mean added wait of a user over their median; NAN */
    size_t moves, pauses;
};

/* Which jobs count: not those of the first day nor of the last three, which have no neighbours to
 * compare with; all of a workload of less than eight days. counted has w->n places. Returns how
 * many. */
size_t summary_counted(const struct workload *w, const struct sim_result *asap,
                       unsigned char *counted);

/* bound_ug NAN: not found. power may be NULL. 0, or -1: no memory. */
int summary_make(struct summary *out, const struct workload *w, const struct series *truth,
                 const struct sim_settings *s, const struct sim_result *asap,
                 const struct sim_result *r, const unsigned char *counted, double bound_ug,
                 const struct summary_power *power);

#endif
