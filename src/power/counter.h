/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Energy counters that wrap, are reset, stand still and lie: from readings to
 * energy. One counter a zone; zones are corrected each alone and added up
 * afterwards, never the other way round. Pure, no allocation, no clock of its own.
 */
#ifndef CARNOT_POWER_COUNTER_H
#define CARNOT_POWER_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

enum counter_result {
    COUNTER_FIRST = 0,   /* nothing to compare with yet: no energy */
    COUNTER_DELTA,       /* energy */
    COUNTER_WRAPPED,     /* energy; it has passed its range once */
    COUNTER_RESET,       /* it began anew: what was in between is unknown */
    COUNTER_IMPLAUSIBLE, /* more than the ceiling allows: not believed */
    COUNTER_STALE,       /* has not moved for too long, or may have wrapped more than once */
    COUNTER_RESULTS
};

/* "first", "delta", "wrapped", "reset", "implausible", "stale": as files and metrics have them. */
const char *counter_result_name(enum counter_result r);

struct counter {
    uint64_t range_uj;   /* largest value before it wraps; 0 = unknown: a wrap is never guessed */
    uint64_t ceiling_mw; /* no more power than this is believed; 0 = no ceiling */
    uint64_t unsure_uj;  /* range unknown, but it wraps somewhere behind this; 0 = it never does */
    int64_t stale_ms;    /* not moving for longer is stale; 0 = it may stand still */

    bool primed; /* last_uj and the times hold a reading */
    uint64_t last_uj;
    int64_t last_ms;    /* monotonic time of last_uj */
    int64_t changed_ms; /* and since when it has had this value */
    bool suspicious;    /* the reading before this one was implausible: */
    uint64_t suspect_uj;
    int64_t suspect_ms;

    uint64_t total_uj; /* all energy that was believed; only grows */
    uint64_t count[COUNTER_RESULTS];
};

void counter_init(struct counter *c, uint64_t range_uj, uint64_t ceiling_mw, int64_t stale_ms);

/* A reading of raw_uj at t_ms on the monotonic clock. *delta_uj is the energy since the last
 * reading that counted (0 with FIRST, RESET, IMPLAUSIBLE, STALE), and is in total_uj as well. After
 * an IMPLAUSIBLE reading the old one stays the base, unless the next reading fits the odd one:
 * then that was a RESET. */
enum counter_result counter_update(struct counter *c, uint64_t raw_uj, int64_t t_ms,
                                   uint64_t *delta_uj);

/* Take up a reading of an earlier run of the same boot, t_ms on the same clock, as the base. */
void counter_resume(struct counter *c, uint64_t raw_uj, int64_t t_ms);

/* The next reading is a FIRST: somebody else has accounted for the time until then. */
void counter_forget(struct counter *c);

/* The longest time between two readings that cannot hide a second wrap, ms; INT64_MAX when
 * the ceiling is unknown or it never wraps. */
int64_t counter_reach_ms(const struct counter *c);

#endif
