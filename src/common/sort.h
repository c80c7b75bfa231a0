/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sorting what mostly is in order already, as what comes from Slurm's list is.
 */
#ifndef CARNOT_COMMON_SORT_H
#define CARNOT_COMMON_SORT_H

#include <stdlib.h>

/* qsort(), unless nothing is out of order: then n - 1 comparisons, and no allocation. */
static inline void sort_if_needed(void *items, size_t n, size_t size,
                                  int (*order)(const void *, const void *))
{
    const char *item = items;
    for (size_t i = 1; i < n; i++, item += size)
        if (order(item, item + size) > 0) {
            qsort(items, n, size, order);
            return;
        }
}

#endif
