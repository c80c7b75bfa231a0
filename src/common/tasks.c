/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counting the tasks of an array. What a user wrote: bounded, no recursion, no allocation.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/tasks.h"

#define EXPRESSION_MAX (1u << 20)

static uint32_t saturate(uint64_t v)
{
    return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

/* One element "A", "A-B" or "A-B:S"; 0 when it is none of these. */
static uint64_t range_tasks(const char *text, size_t len)
{
    char copy[64], *p;
    if (len == 0 || len >= sizeof(copy))
        return 0;
    memcpy(copy, text, len);
    copy[len] = '\0';
    uint64_t first = strtoul(copy, &p, 10), last = first, step = 1;
    if (p == copy)
        return 0;
    if (*p == '-')
        last = strtoul(p + 1, &p, 10);
    if (*p == ':')
        step = strtoul(p + 1, &p, 10);
    if (*p || last < first || step == 0 || last > UINT32_MAX)
        return 0;
    return (last - first) / step + 1;
}

uint32_t tasks_count(const char *expression, uint32_t *at_once)
{
    uint64_t tasks = 0;
    if (at_once)
        *at_once = 0;
    if (!expression || strnlen(expression, EXPRESSION_MAX) == EXPRESSION_MAX)
        return 1;
    if (expression[0] == '[')
        expression++;
    size_t all = strcspn(expression, "%]");
    if (expression[all] == '%' && at_once)
        *at_once = saturate(strtoul(expression + all + 1, NULL, 10));
    for (size_t i = 0; i <= all;) {
        size_t len = 0;
        while (i + len < all && expression[i + len] != ',')
            len++;
        tasks += range_tasks(expression + i, len);
        i += len + 1;
    }
    return tasks ? saturate(tasks) : 1;
}
