/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time, injected, so that tests can jump, step back and freeze it.
 */
#ifndef CARNOT_COMMON_CLOCK_H
#define CARNOT_COMMON_CLOCK_H

#include <stdint.h>

struct clock_ops {
    int64_t (*wall_ms)(void *arg); /* CLOCK_REALTIME, ms since the epoch; may step */
    int64_t (*mono_ms)(void *arg); /* CLOCK_MONOTONIC, ms; never steps */
    void *arg;
};

extern const struct clock_ops clock_system;

/* The same, but mono_ms is CLOCK_BOOTTIME, which goes on while the machine sleeps: for times that
 * are compared with those of an earlier run, and for counters that go on as well. */
extern const struct clock_ops clock_boottime;

/* CLOCK_MONOTONIC in microseconds, to tell how long something took. */
int64_t clock_mono_us(void);

static inline int64_t clock_wall_ms(const struct clock_ops *c)
{
    return c->wall_ms(c->arg);
}

static inline int64_t clock_mono_ms(const struct clock_ops *c)
{
    return c->mono_ms(c->arg);
}

#endif
