/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owning and looking up what accounting_load.c reads: no libslurm here, tests link it.
 */
#include "config.h"

#include <stdlib.h>

#include "carnotctld/accounting.h"

void accounting_destroy(struct accounting *a)
{
    if (!a)
        return;
    free(a->users);
    free(a->accounts);
    free(a->qos);
    free(a);
}

static int by_uid(const void *key, const void *record)
{
    uint32_t uid = *(const uint32_t *)key, other = ((const struct accounting_user *)record)->uid;
    return (uid > other) - (uid < other);
}

const struct accounting_user *accounting_user(const struct accounting *a, uint32_t uid)
{
    return a && a->n_users ? bsearch(&uid, a->users, a->n_users, sizeof(*a->users), by_uid) : NULL;
}
