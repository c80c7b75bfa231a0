/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands behind a decision: the window that the job's allowance leaves, the intensity in it,
 * and what the start that was chosen and others would emit and cost. For people: no decision is
 * made by it.
 */
#ifndef CARNOT_PLACEMENT_EXPLAIN_H
#define CARNOT_PLACEMENT_EXPLAIN_H

#include <stddef.h>
#include <stdint.h>
#include "placement/placement.h"

#define EXPLAIN_STEPS_MAX 120 /* more than a terminal has columns for */
#define EXPLAIN_LOWS_MAX 3
#define EXPLAIN_STARTS_MAX 10

/* What a start is; most are several of these. */
enum explain_role_b {
    EXPLAIN_NOW = 1,      /* at once */
    EXPLAIN_CHOSEN = 2,   /* what was decided */
    EXPLAIN_ASAP = 4,     /* what this policy would choose now, as the two below */
    EXPLAIN_BALANCED = 8, /* with the minimum gain, and with room in the slots */
    EXPLAIN_GREENEST = 16,
    EXPLAIN_BEST = 32,  /* of the least cost, if there were room everywhere */
    EXPLAIN_LEAST = 64, /* of the fewest grams, likewise */
    EXPLAIN_LOW = 128,  /* of less cost than the starts around it */
    EXPLAIN_LATEST = 256
};
#define EXPLAIN_ROLES 9
/* The word of role number i (bit 1 << i), "now" and so on. */
const char *explain_role_name(int i);

struct explain_start {
    int64_t start_s, wait_s; /* wait_s from explain.from_s on */
    double carbon_ug;        /* all tasks, PUE in, as in the decision; NAN without a forecast */
    double cost_ug;          /* and lambda x wait: what the policy minimises */
    unsigned roles;          /* EXPLAIN_* */
    int room;                /* 0: slots that it would hold are full (at once needs no room) */
};

/* Mean intensity from time_s to the next step's; NAN behind the forecast. */
struct explain_step {
    int64_t time_s;
    double g_per_kwh;
};

struct explain {
    enum placement_policy policy; /* that decided */
    int64_t from_s, until_s;      /* starts lie in here; equal: no wait is allowed */
    int64_t start_s, end_s;       /* of the chosen run, at most; 0 = nothing was chosen */
    int64_t forecast_until_s;     /* 0 = there is none */
    double lambda_ug_per_s;       /* the price of this job's wait; 0 but for balanced */
    double min_gain_ug;           /* what a wait has to save */
    struct explain_start starts[EXPLAIN_STARTS_MAX]; /* in the order of time; from_s is the first */
    size_t n_starts;
    /* From now to the end of a run that starts at until_s, as far as the forecast reaches. */
    struct explain_step steps[EXPLAIN_STEPS_MAX];
    size_t n_steps;
};

/*
 * Explain the start chosen_s of a job (0: it was refused). Costs are those that placement_decide()
 * minimises, on the same slots; a job of policy asap, which has none, is explained as greenest.
 * Budgets play no part. Pure, no allocation, never fails; O(edges x lengths x log edges), so not
 * for slurmctld. One call at a time, as placement_decide().
 */
void explain_job(const struct board *b, const struct lease_table *leases,
                 const struct placement_job *job, int64_t now_s, int64_t chosen_s,
                 struct explain *out);

#endif
