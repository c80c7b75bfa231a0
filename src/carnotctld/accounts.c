/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A change of users or accounts is a reason for a new board; the rest is read again every minute
 * and mostly says the same.
 */
#include "config.h"

#include <string.h>

#include "carnotctld/accounts.h"
#include "carnotctld/slurm_client.h"
#include "common/log.h"

#define ASK_AGAIN_MS 10000 /* a user without an account would be asked for at every list */

static int same(const struct accounting *a, const struct accounting *b)
{
    return a && a->kept == b->kept && a->watts_total == b->watts_total &&
           a->n_users == b->n_users && a->n_accounts == b->n_accounts && a->n_qos == b->n_qos &&
           memcmp(a->users, b->users, a->n_users * sizeof(*a->users)) == 0 &&
           memcmp(a->accounts, b->accounts, a->n_accounts * sizeof(*a->accounts)) == 0 &&
           strcmp(a->unsuited, b->unsuited) == 0;
}

static void ask_for_unknown(struct ctl *c, const struct snapshot *s)
{
    int64_t now_ms = ctl_now_ms(c);
    if (!c->accounting || !c->accounting->kept || now_ms - c->accounts_asked_ms < ASK_AGAIN_MS)
        return;
    for (size_t i = 0; i < s->n_jobs; i++) {
        if (accounting_user(c->accounting, s->jobs[i].uid))
            continue;
        c->accounts_asked_ms = now_ms;
        slurm_client_poke_accounting();
        return;
    }
}

void accounts_take(struct ctl *c, struct snapshot *s)
{
    struct accounting *next = s->accounting;
    s->accounting = NULL;
    if (next && !same(c->accounting, next)) {
        if (next->kept)
            log_info("accounting of cluster %s: %zu users, %zu accounts, %zu QOS", next->cluster,
                     next->n_users, next->n_accounts, next->n_qos);
        c->dirty = 1;
    }
    if (next) {
        accounting_destroy(c->accounting);
        c->accounting = next;
    }
    ask_for_unknown(c, s);
}

void accounts_fini(struct ctl *c)
{
    accounting_destroy(c->accounting);
    c->accounting = NULL;
}
