/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Budgets: what operators grant.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/events.h"
#include "carnotctld/ops.h"
#include "carnotctld/publisher.h"
#include "carnotctld/slurm_client.h"

/* A user may see the budget that bears his name, and those of accounts he has jobs in. */
static int may_see(const struct asker *who, const struct budget *b)
{
    if (who->is_operator)
        return 1;
    if (b->scope == SCOPE_USER)
        return strcmp(b->name, who->user) == 0;
    struct ledger_query q = {.user = who->user, .account = b->name, .limit = 1};
    struct ledger_job *rows = NULL;
    size_t n = 0;
    int found = ledger_job_list(who->ctl->ledger, &q, &rows, &n, NULL) == 0 && n > 0;
    free(rows);
    return found;
}

static json_t *budget_json(const struct budget *b)
{
    double left =
        (double)b->granted - (double)b->charged - (double)b->reserved - (double)b->claimed;
    return json_pack("{s:s,s:s,s:s,s:s,s:f,s:f,s:f,s:f,s:f,s:f,s:o}", "scope",
                     budget_scope_name(b->scope), "name", b->name, "resource",
                     budget_resource_name(b->resource), "period", budget_period_name(b->period),
                     "granted", (double)b->granted / 1e6, "charged", (double)b->charged / 1e6,
                     "reserved", (double)b->reserved / 1e6, "claimed", (double)b->claimed / 1e6,
                     "left", left / 1e6, "over", (double)b->over / 1e6, "renews",
                     ops_time(b->renews_s));
}

json_t *op_budget_list(const struct asker *who, const json_t *request, struct err *e)
{
    struct budget *all = NULL;
    size_t n = 0;
    (void)request;
    if (budget_list(who->ctl->ledger, ctl_now_s(who->ctl), &all, &n, e) < 0)
        return NULL;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        if (may_see(who, &all[i]))
            json_array_append_new(list, budget_json(&all[i]));
    free(all);
    return json_pack("{s:o}", "budgets", list);
}

struct budget_key {
    int scope, resource;
    const char *name;
};

static int read_key(const json_t *request, struct budget_key *k, struct err *e)
{
    const char *scope = ops_string(request, "scope", 32, e);
    const char *resource = ops_string(request, "resource", 32, e);
    k->name = ops_string(request, "name", LEDGER_NAME_MAX - 1, e);
    if (!scope || !resource || !k->name)
        return -1;
    k->scope = budget_scope_parse(scope);
    k->resource = budget_resource_parse(resource);
    if (k->scope < 0)
        return err_set(e, "scope '%s': account or user is accepted", scope);
    if (k->resource < 0)
        return err_set(e, "resource '%s': energy or carbon is accepted", resource);
    if (!k->name[0])
        return err_set(e, "a budget needs the name of an account or user");
    return 0;
}

static void changed(const struct asker *who, const char *ev, const struct budget_key *k,
                    double amount)
{
    json_t *more = json_pack("{s:s,s:s,s:s}", "scope", budget_scope_name(k->scope), "name", k->name,
                             "resource", budget_resource_name(k->resource));
    if (amount >= 0)
        json_object_set_new(more, k->resource == RESOURCE_ENERGY ? "j" : "g", json_real(amount));
    events_other(who->ctl, ev, "OPERATOR", more, who->user);
    slurm_client_poke_accounting(); /* an account may be as new as its budget */
    publisher_now(who->ctl);
}

json_t *op_budget_set(const struct asker *who, const json_t *request, struct err *e)
{
    struct budget_key k;
    if (read_key(request, &k, e) < 0)
        return NULL;
    const char *period_name = ops_string(request, "period", 32, e);
    if (!period_name)
        return NULL;
    int period = budget_period_parse(period_name);
    if (period < 0) {
        err_set(e, "period '%s': day, week, month or once is accepted", period_name);
        return NULL;
    }
    const json_t *amount =
        json_object_get(request, k.resource == RESOURCE_ENERGY ? "amount_uj" : "amount_ug");
    if (!json_is_integer(amount) || json_integer_value(amount) < 0) {
        err_set(e, "a budget needs an amount of %s",
                k.resource == RESOURCE_ENERGY ? "energy" : "carbon");
        return NULL;
    }
    if (budget_set(who->ctl->ledger, k.scope, k.name, k.resource, period,
                   (uint64_t)json_integer_value(amount), ctl_now_s(who->ctl), e) < 0)
        return NULL;
    changed(who, "budget.set", &k, (double)json_integer_value(amount) / 1e6);
    return json_object();
}

json_t *op_budget_remove(const struct asker *who, const json_t *request, struct err *e)
{
    struct budget_key k;
    if (read_key(request, &k, e) < 0)
        return NULL;
    int rc = budget_remove(who->ctl->ledger, k.scope, k.name, k.resource, e);
    if (rc == 0)
        err_set(e, "there is no %s budget for %s %s", budget_resource_name(k.resource),
                budget_scope_name(k.scope), k.name);
    if (rc != 1)
        return NULL;
    changed(who, "budget.set", &k, -1);
    return json_object();
}
