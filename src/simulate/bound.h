/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What no policy can beat: a lower bound on the emissions of every schedule that ends each job by
 * its end under asap plus its allowed delay (ALGORITHMS section 4).
 *
 * Without a machine: each job in its cheapest moments (a). With one, the linear program (c) by
 * Lagrange's multipliers on its capacity, an hour each: for any prices mu_h >= 0,
 *     sum over jobs of min sum of (C_h + mu_h) over their hours  -  sum over h of cap x mu_h
 * is a bound, and subgradient steps raise it (Held, Wolfe, Crowder, Math. Programming 6, 1974).
 * With all prices 0 it is (a); it stays valid however many steps are made, so no solver is needed.
 */
#ifndef CARNOT_SIMULATE_BOUND_H
#define CARNOT_SIMULATE_BOUND_H

#include "common/err.h"
#include "simulate/simulate.h"

#define BOUND_STEPS 120

/*
 * Into *ug: the bound for the jobs with counted[job] != 0, micrograms. asap: the result of
 * SIM_ASAP with the same settings. Jobs that are not counted take no capacity, which keeps it a
 * bound. steps of the subgradient at most (0: (a) alone). 0, or -1 and e (no memory).
 */
int bound_find(const struct workload *w, const struct series *truth, const struct sim_settings *s,
               const struct sim_result *asap, const unsigned char *counted, unsigned steps,
               double *ug, struct err *e);

#endif
