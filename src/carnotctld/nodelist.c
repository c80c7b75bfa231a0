/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hostlists. No RPC: safe in the main loop.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "carnotctld/nodelist.h"
#include "compat/slurm_compat.h"
#include "ledger/ledger.h"

static int was_cut(const char *expression)
{
    return strlen(expression) + 1 >= sizeof(((struct ledger_job *)0)->nodelist);
}

int nodelist_each(const char *expression, int (*cb)(const char *node, void *arg), void *arg)
{
    int rc = 0;
    char *node;
    SLURM_HOSTLIST list = was_cut(expression) ? NULL : slurm_hostlist_create(expression);
    if (!list)
        return -1;
    while (rc == 0 && (node = slurm_hostlist_shift(list))) {
        rc = cb(node, arg);
        free(node);
    }
    slurm_hostlist_destroy(list);
    return rc;
}

int nodelist_has(const char *expression, const char *node)
{
    if (was_cut(expression))
        return 1;
    SLURM_HOSTLIST list = slurm_hostlist_create(expression);
    if (!list)
        return 1;
    int found = slurm_hostlist_find(list, node) >= 0;
    slurm_hostlist_destroy(list);
    return found;
}
