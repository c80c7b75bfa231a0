/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the plugin counts of itself: how its calls ended, how long they took, leases, boards.
 * Relaxed atomics: counting takes no lock, allocates nothing and touches no file, so that it may
 * stand in slurmctld's submission path. counters_file.c writes them down.
 */
#ifndef CARNOT_PLUGIN_JOB_SUBMIT_COUNTERS_H
#define CARNOT_PLUGIN_JOB_SUBMIT_COUNTERS_H

#include <stdint.h>
#include "placement/lease.h"

enum counter {
    /* Each call of job_submit ends as one of these. */
    COUNTER_PASSED = 0, /* accepted, may start at once */
    COUNTER_DELAYED,    /* given a later begin time */
    COUNTER_REFUSED,
    COUNTER_AGAIN,    /* told to submit again: budgets were not counted yet */
    COUNTER_OBSERVED, /* decided and noted, nothing changed */
    COUNTER_TEST_ONLY,
    COUNTER_NO_BOARD,   /* passed unchanged: none in force */
    COUNTER_BAD_OPTION, /* refused: a flag, #CARNOT line or variable makes no sense */
    /* The loader's. */
    COUNTER_BOARDS,     /* read and in force */
    COUNTER_BAD_BOARDS, /* read and refused */
    /* Of the lease table: as it was after the last decision. */
    COUNTER_LEASES_OPEN,
    COUNTER_LEASES_TAKEN,
    COUNTER_LEASES_ACKNOWLEDGED,
    COUNTER_LEASES_EXPIRED,
    COUNTER_LEASES_FULL, /* decisions that found no room for theirs */
    COUNTER_N
};
extern const char *const counter_names[COUNTER_N]; /* keys of the file */

/* The entry points whose time is taken. */
enum counter_call { COUNTER_SUBMIT = 0, COUNTER_MODIFY, COUNTER_CALL_N };

/* Upper ends of the histogram's steps; one more step holds what took longer. */
#define COUNTER_STEPS 22
extern const uint32_t counter_step_us[COUNTER_STEPS];

struct counter_times {
    uint64_t n[COUNTER_STEPS + 1];
    uint64_t calls; /* their sum */
    uint64_t max_us;
};

/* All to zero: when slurmctld starts the plugin, before it calls anything else. */
void counters_init(void);

void counters_add(enum counter which);
/* Take over the figures of a table that the caller has locked. */
void counters_leases(const struct lease_table *t);

/* Nanoseconds of the monotonic clock, to be given to counters_end when the call ends. */
int64_t counters_begin(void);
void counters_end(enum counter_call which, int64_t began_ns);

/* As they are now; calls that run meanwhile may be in one figure and not in another yet. */
uint64_t counters_get(enum counter which);
void counters_times(enum counter_call which, struct counter_times *out);

#endif
