/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot on, carnot off: act or only observe, for the cluster or a part of it, and letting go what
 * waits.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "carnotctld/events.h"
#include "carnotctld/let_go.h"
#include "carnotctld/ops.h"
#include "carnotctld/publisher.h"

static const char *const scope_names[] = {"cluster", "partition", "account", "user"};

const char *ops_scope_name(int scope)
{
    return scope_names[scope];
}

struct wish {
    const char *mode, *scope, *name;
    int all, now;
};

static int known_scope(const char *scope)
{
    for (size_t i = 0; i < sizeof(scope_names) / sizeof(scope_names[0]); i++)
        if (strcmp(scope, scope_names[i]) == 0)
            return 1;
    return 0;
}

static int read_wish(const json_t *request, struct wish *w, struct err *e)
{
    w->mode = ops_string(request, "mode", 16, e);
    w->scope = ops_string(request, "scope", 16, e);
    w->name = ops_string(request, "name", LEDGER_NAME_MAX - 1, e);
    if (!w->mode || !w->scope || !w->name)
        return -1;
    w->all = json_is_true(json_object_get(request, "all"));
    w->now = json_is_true(json_object_get(request, "now"));
    if (!w->scope[0])
        w->scope = "cluster";
    int cluster = strcmp(w->scope, "cluster") == 0, off = strcmp(w->mode, "observe") == 0;
    if (!off && strcmp(w->mode, "act") != 0 && strcmp(w->mode, "default") != 0)
        return err_set(e, "mode '%s': act, observe or default is accepted", w->mode);
    if (!known_scope(w->scope) || (!cluster && !w->name[0]))
        return err_set(e, "scope '%s' '%s': cluster, or partition, account or user and its name",
                       w->scope, w->name);
    if ((w->all || w->now) && !off)
        return err_set(e, "all and now go with mode observe only");
    if (w->all && !cluster)
        return err_set(e, "all is the whole cluster: it takes no %s", w->scope);
    return 0;
}

static int store(struct ctl *c, const char *scope, const char *name, const char *mode,
                 struct err *e)
{
    char key[LEDGER_NAME_MAX + 32];
    snprintf(key, sizeof(key), "switch.%s.%s", scope, strcmp(scope, "cluster") ? name : "");
    return ledger_kv_set(c->ledger, key, strcmp(mode, "default") ? mode : NULL, e);
}

/* The switch that was named and, with all, every one that is narrower; all or none of them. */
static int set_switches(struct ctl *c, const struct wish *w, struct err *e)
{
    if (ledger_begin(c->ledger, e) < 0)
        return -1;
    int rc = store(c, w->scope, w->name, w->mode, e);
    for (size_t i = 0; rc == 0 && w->all && i < c->n_switches; i++)
        rc = store(c, ops_scope_name(c->switches[i].scope), c->switches[i].name, w->mode, e);
    if (rc < 0) {
        ledger_rollback(c->ledger);
        return -1;
    }
    return ledger_commit(c->ledger, e);
}

json_t *op_switch(const struct asker *who, const json_t *request, struct err *e)
{
    struct ctl *c = who->ctl;
    struct wish w;
    json_t *answer = json_object();
    if (read_wish(request, &w, e) < 0 || set_switches(c, &w, e) < 0 ||
        publisher_load_switches(c, e) < 0)
        goto error;
    publisher_now(c);
    json_t *more = json_pack("{s:s,s:s,s:s}", "mode", w.mode, "scope", w.all ? "all" : w.scope,
                             "name", w.name);
    int64_t n = w.now ? let_go_begin(c, who->user, e) : 0;
    if (w.now)
        json_object_set_new(more, "let_go", json_integer(n < 0 ? 0 : n));
    events_other(c, "mode.set", "OPERATOR", more, who->user);
    if (n < 0)
        goto error;
    if (w.now) {
        json_object_set_new(answer, "let_go", json_integer(n));
        json_object_set_new(answer, "until", ops_time(c->let_go.until_s));
    }
    return answer;
error:
    json_decref(answer);
    return NULL;
}
