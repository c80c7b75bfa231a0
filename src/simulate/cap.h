/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CAP (Lechowicz et al. 2025, "Carbon- and Precedence-Aware Scheduling", arXiv 2502.09717): how
 * much of a machine may be in use now, by the thresholds of k-min search between the lowest and the
 * highest intensity of the next 48 h. To compare with, as ALGORITHMS section 3 has it.
 */
#ifndef CARNOT_SIMULATE_CAP_H
#define CARNOT_SIMULATE_CAP_H

#include <stdint.h>
#include "carbon/series.h"

/* The share of the machine that is never closed: 20 of 100 in the paper. */
#define CAP_OPEN_SHARE 0.2
#define CAP_HORIZON_S (48 * 3600)

/* Cores that may be in use at now_s, of `cores`, at least the open share. Pure. O(48 + 60). */
uint64_t cap_quota(const struct series *belief, int64_t now_s, uint64_t cores);

#endif
