/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both kinds of limits as one list.
 */
#include "config.h"

#include <string.h>

#include "powercap/limits.h"

void limits_open(struct limits *l, const char *sysroot)
{
    memset(l, 0, sizeof(*l));
    l->sysroot = sysroot;
    limits_rapl_list(l);
    limits_nvml_list(l);
}

void limits_close(struct limits *l)
{
    limits_nvml_close(l);
    l->n = 0;
}

struct limit *limits_find(struct limits *l, enum limit_kind kind, const char *id)
{
    for (int i = 0; i < l->n; i++) {
        if (l->v[i].kind == kind && strcmp(l->v[i].id, id) == 0)
            return &l->v[i];
    }
    return NULL;
}

int limit_read(const struct limits *l, const struct limit *limit, uint64_t *uw)
{
    return limit->kind == LIMIT_NVML ? limits_nvml_read(l, limit, uw)
                                     : limits_rapl_read(l, limit, uw);
}

int limit_write(const struct limits *l, const struct limit *limit, uint64_t uw)
{
    return limit->kind == LIMIT_NVML ? limits_nvml_write(l, limit, uw)
                                     : limits_rapl_write(l, limit, uw);
}
