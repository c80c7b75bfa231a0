/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system's clocks behind struct clock_ops. Neither call blocks or
 * allocates; any thread.
 */
#include "config.h"

#include <stddef.h>
#include <time.h>

#include "common/clock.h"

static int64_t _read_ms(clockid_t id)
{
    struct timespec ts = {0, 0};

    /* fails only for a clock that the kernel does not have: all of Linux has these */
    (void)clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_mono_us(void)
{
    struct timespec ts = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t _wall_ms(void *arg)
{
    (void)arg;
    return _read_ms(CLOCK_REALTIME);
}

static int64_t _mono_ms(void *arg)
{
    (void)arg;
    return _read_ms(CLOCK_MONOTONIC);
}

static int64_t _boot_ms(void *arg)
{
    (void)arg;
    return _read_ms(CLOCK_BOOTTIME);
}

const struct clock_ops clock_system = {_wall_ms, _mono_ms, NULL};
const struct clock_ops clock_boottime = {_wall_ms, _boot_ms, NULL};
