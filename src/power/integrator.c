/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "common/clock.h"
#include "power/integrator.h"

void integrator_add(struct integrator *i, uint64_t mw)
{
    int64_t now_ms = clock_mono_ms(&clock_boottime), dt_ms = now_ms - i->last_ms;

    if (i->last_ms && dt_ms > 0 && dt_ms <= i->gap_ms)
        i->uj += (i->last_mw + mw) / 2 * (uint64_t)dt_ms; /* mW x ms = uJ */
    i->last_ms = now_ms;
    i->last_mw = mw;
}
