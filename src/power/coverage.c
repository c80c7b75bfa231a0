/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets of components and domains, and sums that refuse overlaps. Pure
 * arithmetic; any thread.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "power/coverage.h"

static const char *const names[COVERAGE_COMPONENTS] = {"cpu", "dram", "gpu", "board"};

void coverage_sum_init(struct coverage_sum *sum)
{
    memset(sum, 0, sizeof(*sum));
}

int coverage_sum_beyond(struct coverage_sum *sum, struct coverage c, uint64_t uj)
{
    uint64_t total;

    if (c.domains == 0 || c.components == 0 || (c.components & ~(unsigned)COMPONENT_ALL)) {
        errno = EINVAL;
        return -1;
    }
    if (__builtin_add_overflow(sum->uj, uj, &total)) {
        errno = EOVERFLOW;
        return -1;
    }
    for (unsigned i = 0; i < COVERAGE_COMPONENTS; i++) {
        if (c.components & (1u << i))
            sum->taken[i] |= c.domains;
    }
    sum->uj = total;
    return 0;
}

int coverage_sum_add(struct coverage_sum *sum, struct coverage c, uint64_t uj)
{
    for (unsigned i = 0; i < COVERAGE_COMPONENTS; i++) {
        if ((c.components & (1u << i)) && (sum->taken[i] & c.domains)) {
            errno = EEXIST;
            return -1;
        }
    }
    return coverage_sum_beyond(sum, c, uj);
}

int coverage_within(struct coverage a, struct coverage b)
{
    return (a.components & ~b.components) == 0 && (a.domains & ~b.domains) == 0;
}

int coverage_overlap(struct coverage a, struct coverage b)
{
    return (a.components & b.components) != 0 && (a.domains & b.domains) != 0;
}

int coverage_sum_has(const struct coverage_sum *sum, struct coverage c)
{
    for (unsigned i = 0; i < COVERAGE_COMPONENTS; i++) {
        if ((c.components & (1u << i)) && (c.domains & ~sum->taken[i]))
            return 0;
    }
    return 1;
}

unsigned coverage_sum_components(const struct coverage_sum *sum)
{
    unsigned components = 0;

    for (unsigned i = 0; i < COVERAGE_COMPONENTS; i++) {
        if (sum->taken[i])
            components |= 1u << i;
    }
    return components;
}

char *coverage_format(char *buf, size_t size, unsigned components)
{
    size_t used = 0;

    if (size == 0)
        return buf;
    buf[0] = '\0';
    if (components == COMPONENT_ALL) {
        (void)snprintf(buf, size, "node");
        return buf;
    }
    for (unsigned i = 0; i < COVERAGE_COMPONENTS && used < size; i++) {
        if (components & (1u << i))
            used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? "," : "", names[i]);
    }
    return buf;
}
