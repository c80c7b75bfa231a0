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

const struct accounting_user *accounting_user(const struct accounting *a, uint32_t uid)
{
    size_t low = 0, high = a ? a->n_users : 0;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (a->users[mid].uid < uid)
            low = mid + 1;
        else
            high = mid;
    }
    return a && low < a->n_users && a->users[low].uid == uid ? &a->users[low] : NULL;
}
