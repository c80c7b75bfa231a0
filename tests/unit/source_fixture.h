/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting for a source that a thread reads: it is updated until it is what a case expects.
 */
#ifndef CARNOT_TESTS_SOURCE_FIXTURE_H
#define CARNOT_TESTS_SOURCE_FIXTURE_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "common/clock.h"
#include "power/source.h"

#define SOURCE_WAITS 800 /* of 10 ms */

static inline void source_pause(void)
{
    (void)nanosleep(&(struct timespec){0, 10 * 1000 * 1000}, NULL);
}

/* Until it has this state, and as many joules. */
static inline bool source_becomes(struct source *s, enum source_state state, uint64_t least_uj)
{
    for (int i = 0; i < SOURCE_WAITS; i++) {
        source_update(s, clock_mono_ms(&clock_boottime));
        if (s->state == state && s->counter.total_uj >= least_uj)
            return true;
        source_pause();
    }
    (void)printf("# %s, error %d, %" PRIu64 " uJ\n", source_state_name(s->state), s->error,
                 s->counter.total_uj);
    return false;
}

/* Until its last reading ended with this errno, 0 for one that worked. */
static inline bool source_fails(struct source *s, int error)
{
    for (int i = 0; i < SOURCE_WAITS; i++) {
        source_update(s, clock_mono_ms(&clock_boottime));
        if (s->error == error)
            return true;
        source_pause();
    }
    (void)printf("# error %d\n", s->error);
    return false;
}

#endif
