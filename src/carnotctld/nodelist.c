/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hostlists. No RPC: safe in the main loop.
 */
#include "config.h"

#include <string.h>

#include "carnotctld/nodelist.h"
#include "compat/slurm_compat.h"
#include "ledger/ledger.h"

int nodelist_has(const char *expression, const char *node)
{
    if (strlen(expression) + 1 >= sizeof(((struct ledger_job *)0)->nodelist))
        return 1;
    SLURM_HOSTLIST list = slurm_hostlist_create(expression);
    if (!list)
        return 1;
    int found = slurm_hostlist_find(list, node) >= 0;
    slurm_hostlist_destroy(list);
    return found;
}
