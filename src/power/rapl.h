/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all ways to read RAPL agree on, so that the same package is the same cell of a coverage,
 * whoever reads it, and is believed the same.
 */
#ifndef CARNOT_POWER_RAPL_H
#define CARNOT_POWER_RAPL_H

#include <stdint.h>

/* Where nothing names a limit: twice the power of the largest parts that are sold. */
#define RAPL_PACKAGE_CEILING_MW UINT64_C(1500000)
#define RAPL_DRAM_CEILING_MW UINT64_C(500000)
#define RAPL_PSYS_CEILING_MW UINT64_C(6000000)
#define RAPL_STALE_MS 10000

/* The domain (bit of a coverage) of a package, die -1 where it has but one: 0 to 63, or -1 when it
 * has no place there. */
static inline int rapl_domain(int package, int die)
{
    if (package < 0 || package > 63 || (die >= 0 && (package > 7 || die > 7)))
        return -1;
    return die > 0 ? die * 8 + package : package;
}

#endif
