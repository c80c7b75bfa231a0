/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power to energy, for what tells watts alone. By the mean of two readings and the time between
 * them, on a clock that goes on while the machine sleeps; nothing is made up for a gap.
 */
#ifndef CARNOT_POWER_INTEGRATOR_H
#define CARNOT_POWER_INTEGRATOR_H

#include <stdint.h>

struct integrator {
    int64_t gap_ms; /* longer than this between two readings, and nothing is known of that time */
    uint64_t uj;    /* so far */
    uint64_t last_mw;
    int64_t last_ms; /* 0 = no reading yet */
};

/* The power is mw now. Allocates nothing, cannot fail. */
void integrator_add(struct integrator *i, uint64_t mw);

#endif
