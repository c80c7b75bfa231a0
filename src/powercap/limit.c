/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be said of one limit as it was read: names, bounds, whether it is left alone. Pure.
 */
#include "config.h"

#include "powercap/limits.h"

#define TOLERANCE_UW UINT64_C(500000)
#define FLOOR_PART 4
#define WEIGHT_MAX_UW UINT64_C(100000000000) /* 100 kW: no package or GPU */

const char *limit_kind_name(enum limit_kind kind)
{
    return kind == LIMIT_NVML ? "nvml" : "rapl";
}

uint64_t limit_weight_uw(const struct limit *limit)
{
    return limit->max_uw ? limit->max_uw : limit->now_uw;
}

uint64_t limit_floor_uw(const struct limit *limit)
{
    uint64_t part = limit_weight_uw(limit) / FLOOR_PART;

    return limit->min_uw > part ? limit->min_uw : part;
}

const char *limit_fault(const struct limit *limit)
{
    if (limit->off)
        return "it is switched off";
    if (limit->now_uw == 0 || limit_weight_uw(limit) > WEIGHT_MAX_UW)
        return "no package or GPU has such a limit";
    if (limit->max_uw && limit->now_uw > limit->max_uw)
        return "it is above the maximum that the hardware reports";
    return NULL;
}

bool limit_same(uint64_t a_uw, uint64_t b_uw)
{
    return (a_uw > b_uw ? a_uw - b_uw : b_uw - a_uw) <= TOLERANCE_UW;
}
