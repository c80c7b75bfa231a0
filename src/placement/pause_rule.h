/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a job that goes on from checkpoints runs, and when it stands still: one rule for carnotctld
 * and the simulator (ALGORITHMS section 10). Pure: no clock, any thread; threshold and stops may
 * allocate, as qsort() does.
 *
 * A site has a threshold: the intensity below which its work of a week fits. Up to it every job
 * runs; above it one runs only if now is among the cheapest hours, as many as it still needs, of
 * those in which it has to run. So not all pause at once, and the green hours are full. Hours are
 * slots of any width here: trials pack a day into minutes.
 */
#ifndef CARNOT_PLACEMENT_PAUSE_RULE_H
#define CARNOT_PLACEMENT_PAUSE_RULE_H

#include <stdint.h>
#include "carbon/series.h"

#define PAUSE_HOUR_S 3600
/* A job that is likely to run for more slots than this starts by this rule: a plan in one piece
 * saves it little (docs/evaluation.md). */
#define PAUSE_STARTS_SLOTS 6

/* What a site has and what it is asked for. */
struct pause_site {
    double cpus;         /* all there are; 0: not known, which leaves it without a threshold */
    double used_cpus;    /* mean of the last week */
    double queued_cpu_s; /* what waits or stands still is likely to need */
};

/* The site's threshold in g/kWh; NAN: none. Looks a week of slots ahead; from known_s on, which may
 * be INT64_MAX, the day before comes again. */
double pause_rule_threshold(const struct series *s, int64_t now_s, int64_t slot_s, int64_t known_s,
                            const struct pause_site *site);

/* A job at one moment. */
struct pause_query {
    struct series believed; /* n >= 1 */
    int64_t now_s;
    int64_t slot_s;   /* > 0 */
    int64_t left_s;   /* likely to run yet, > 0 */
    int64_t bound_s;  /* it may stand still for so long yet; less than a slot: it runs */
    int64_t switch_s; /* what a pause costs, in seconds of running */
    double level;     /* up to this it runs: the threshold, and the price of a delay; NAN: none */
};

/* Is now among the cheapest slots, as many as it needs, of those in which it has to run? 1 or 0.
 * O(slots in left_s and bound_s) */
int pause_rule_cheap(const struct pause_query *q);
/* It stands still, or its turn has come: does it run now? 1 or 0. */
int pause_rule_runs(const struct pause_query *q);
/* It runs: is it to pause? Only if the dirty hours ahead save a switch, against the hours that it
 * would run in instead: the level's, or the dearest of the cheapest that it needs. 1 or 0. O(n log
 * n) for n slots in left_s and bound_s, 8 KiB of stack. */
int pause_rule_stops(const struct pause_query *q);

/* The first moment from now on at which it runs, if nothing comes that is not believed now: looked
 * for at the edges of intensity, a slot apart at most; never behind now + bound_s. */
int64_t pause_rule_until(const struct pause_query *q);

/* The level; where there is none, the mean of the next day. */
double pause_rule_level(const struct pause_query *q);
/* What standing still from from_s to to_s saves by that level, where it does, in g/kWh x s; and
 * what running there does. Of both as much as the job would run. O(edges between them) */
double pause_rule_saves(const struct pause_query *q, int64_t from_s, int64_t to_s);
double pause_rule_uses(const struct pause_query *q, int64_t from_s, int64_t to_s);

#endif
