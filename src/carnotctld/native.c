/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm starts a job when used + running + watts x limit fits under the limit. So the limit is
 * used + running + what the ledger has left: then what Slurm may still start is what the ledger can
 * still pay for. Both sides move together while jobs start, run and end; what is left over at the
 * end of a job, because it used less than it was priced for, raises the limit.
 *
 * Usage is read before the list (slurm_client.c): a job that started in between is reserved for and
 * not yet counted as running, which makes the limit too low for one list, never too high.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/limits.h"
#include "carnotctld/native.h"
#include "common/log.h"

#define KEY "native."         /* settings that name the accounts which have a limit of ours */
#define MARGIN_WMIN 4         /* Slurm rounds each of the two sums down to minutes; and some room */
#define RAISE_SHARE 0.01      /* of the grant: less is not worth a change at once */
#define RAISE_ANYWAY_MS 30000 /* but after this long it is */
#define IN_FLIGHT_MS 10000    /* an order needs some time to show in the list */
#define UJ_PER_WMIN 60e6

struct native_limit {
    char account[LEDGER_NAME_MAX];
    int known;      /* in the settings: it may have a limit of ours */
    double left_uj; /* the smallest of its budgets; INFINITY = none, no limit */
    double granted_uj;
    int64_t ordered_wmin, ordered_ms; /* the last order; ordered_ms 0 = none yet */
};

int native_on(const struct ctl *c)
{
    return c->set.budget.native && c->accounting && c->accounting->kept &&
           !c->accounting->unsuited[0];
}

uint32_t native_watts(const struct ctl *c, const struct slurm_job *job)
{
    /* Not known yet after a start: what waited for Slurm's limit then still does. */
    int unknown = c->set.budget.native && !c->accounting;
    return unknown || native_on(c) ? job->watts : 0;
}

static int acts_on(const struct ctl *c, const char *account)
{
    return board_mode(&c->board, NULL, account, UINT32_MAX);
}

/* ---- the accounts concerned ---- */

static struct native_limit *limit_for(struct ctl *c, const char *account)
{
    for (size_t i = 0; i < c->n_limits; i++)
        if (strcmp(c->limits[i].account, account) == 0)
            return &c->limits[i];
    struct native_limit *grown = realloc(c->limits, (c->n_limits + 1) * sizeof(*grown));
    if (!grown)
        return NULL;
    c->limits = grown;
    memset(&grown[c->n_limits], 0, sizeof(*grown));
    snprintf(grown[c->n_limits].account, sizeof(grown->account), "%s", account);
    grown[c->n_limits].left_uj = INFINITY;
    return &grown[c->n_limits++];
}

static int load_known(const char *key, const char *value, void *arg)
{
    (void)value;
    struct native_limit *l = limit_for(arg, key + strlen(KEY));
    if (l)
        l->known = 1;
    return l ? 0 : -1;
}

/* Grams an account may still emit, as energy: by the intensity that is expected until the budget
 * renews, as far as the forecast reaches. INFINITY where nothing can be said. */
static double carbon_as_energy(const struct ctl *c, double left_ug, int64_t renews_s)
{
    struct series s = forecast_series(&c->forecast);
    int64_t now_s = ctl_now_s(c), until_s = s.end_s;
    if (renews_s > now_s && renews_s < until_s)
        until_s = renews_s;
    if (s.n == 0 || until_s <= now_s)
        return INFINITY;
    double ug_per_uj = series_mean(&s, now_s, until_s) * c->set.power.pue / 3.6e6;
    return ug_per_uj > 0 ? left_ug / ug_per_uj : INFINITY;
}

static void take_budget(struct ctl *c, const struct budget *b)
{
    if (b->scope != SCOPE_ACCOUNT || !acts_on(c, b->name))
        return;
    struct native_limit *l = limit_for(c, b->name);
    double left =
        (double)b->granted - (double)b->charged - (double)b->reserved - (double)b->claimed;
    double granted = (double)b->granted;
    if (b->resource == RESOURCE_CARBON) {
        left = carbon_as_energy(c, left, b->renews_s);
        granted = carbon_as_energy(c, granted, b->renews_s);
    }
    if (l && left < l->left_uj) {
        l->left_uj = left;
        l->granted_uj = granted;
    }
}

/* What is left of each account's budgets now; all without one are left at INFINITY. */
static int read_budgets(struct ctl *c, struct err *e)
{
    struct budget *all = NULL;
    size_t n = 0;
    for (size_t i = 0; i < c->n_limits; i++)
        c->limits[i].left_uj = INFINITY;
    if (!native_on(c))
        return 0;
    if (budget_list(c->ledger, ctl_now_s(c), &all, &n, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        take_budget(c, &all[i]);
    free(all);
    return 0;
}

int native_watched(struct ctl *c, struct accounting_name **names, size_t *n, struct err *e)
{
    if (!c->limits_loaded && ledger_kv_each(c->ledger, KEY, load_known, c, e) < 0)
        return -1;
    c->limits_loaded = 1;
    if (read_budgets(c, e) < 0)
        return -1;
    *n = 0;
    *names = calloc(c->n_limits ? c->n_limits : 1, sizeof(**names));
    if (!*names)
        return err_set(e, "no memory for names of accounts");
    for (size_t i = 0; i < c->n_limits; i++)
        if (c->limits[i].known || isfinite(c->limits[i].left_uj))
            memcpy((*names)[(*n)++].name, c->limits[i].account, LEDGER_NAME_MAX);
    return 0;
}

/* ---- limits ---- */

static int note_known(struct ctl *c, struct native_limit *l, int known)
{
    char key[sizeof(KEY) + LEDGER_NAME_MAX];
    struct err e = {.text = ""};
    if (l->known == known)
        return 0;
    snprintf(key, sizeof(key), KEY "%s", l->account);
    if (ledger_kv_set(c->ledger, key, known ? "1" : NULL, &e) < 0) {
        log_err("ledger: %s", e.text);
        return -1;
    }
    l->known = known;
    return 0;
}

/* Written down before it is ordered, so that it is taken away again whatever happens to us. */
static void order(struct ctl *c, struct native_limit *l, int64_t limit_wmin)
{
    if (note_known(c, l, 1) < 0 || !c->accounting ||
        limits_order(c->accounting->cluster, l->account, limit_wmin) < 0)
        return;
    if (limit_wmin < 0)
        log_info("account %s: Slurm's limit on watt-minutes is taken away", l->account);
    else
        log_debug("account %s: Slurm's limit becomes %lld watt-minutes", l->account,
                  (long long)limit_wmin);
    l->ordered_wmin = limit_wmin;
    l->ordered_ms = ctl_now_ms(c);
}

static void take_away(struct ctl *c, struct native_limit *l, int64_t now_wmin)
{
    int waits =
        l->ordered_ms && l->ordered_wmin < 0 && ctl_now_ms(c) - l->ordered_ms < IN_FLIGHT_MS;
    if (now_wmin < 0)
        note_known(c, l, 0);
    else if (!waits)
        order(c, l, -1);
}

/* Down at once, up in steps that are worth it. */
static void correct(struct ctl *c, struct native_limit *l, const struct accounting_usage *u)
{
    double exact = (u->used_ws + u->running_ws) / 60 + l->left_uj / UJ_PER_WMIN;
    int64_t wanted = exact < MARGIN_WMIN ? 0 : exact > 1e15 ? (int64_t)1e15 : (int64_t)exact;
    int64_t target = wanted < MARGIN_WMIN ? 0 : wanted - MARGIN_WMIN;
    int64_t age_ms = ctl_now_ms(c) - l->ordered_ms;
    int64_t now_wmin = u->limit_wmin;
    /* What was ordered counts until it shows, or should have. */
    if (l->ordered_ms && age_ms < IN_FLIGHT_MS)
        now_wmin = l->ordered_wmin;
    double step = RAISE_SHARE * l->granted_uj / UJ_PER_WMIN;
    int too_high = now_wmin < 0 || now_wmin > wanted;
    int too_low = target > now_wmin && (target - now_wmin >= step || age_ms > RAISE_ANYWAY_MS);
    if (too_high || too_low)
        order(c, l, target);
}

static const struct accounting_usage *usage_of(const struct snapshot *s, const char *account)
{
    for (size_t i = 0; s && i < s->n_usage; i++)
        if (strcmp(s->usage[i].account, account) == 0)
            return &s->usage[i];
    return NULL;
}

static void log_state(const struct ctl *c)
{
    static int was = -1, was_failing;
    char error[256];
    int on = native_on(c), failing = !limits_ok(error, sizeof(error));
    const struct accounting *a = c->accounting;
    if (on != was && c->set.budget.native && a && !on)
        log_warn("budget.native: %s: budgets are held at submission alone", a->unsuited);
    if (on != was && on)
        log_info("budget.native: Slurm's limits hold the budgets of accounts%s%s",
                 a->advice[0] ? "; " : "", a->advice);
    if (failing && !was_failing)
        log_warn("%s: the limits before stay in force", error);
    if (!failing && was_failing)
        log_info("slurmdbd takes limits again");
    was = a ? on : was;
    was_failing = failing;
}

static void set_tree(struct ctl *c)
{
    struct err e = {.text = ""};
    int on = native_on(c);
    if (c->set.budget.native && !on && !c->accounting)
        return; /* not known yet: what the ledger remembers holds */
    if (ledger_tree_set(c->ledger, on ? c->accounting->accounts : NULL,
                        on ? c->accounting->n_accounts : 0, &e) < 0)
        log_err("ledger: %s", e.text);
}

void native_run(struct ctl *c)
{
    struct err e = {.text = ""};
    log_state(c);
    set_tree(c);
    if (read_budgets(c, &e) < 0) {
        log_err("ledger: %s", e.text);
        return;
    }
    for (size_t i = 0; i < c->n_limits; i++) {
        struct native_limit *l = &c->limits[i];
        const struct accounting_usage *u = usage_of(c->snap, l->account);
        if (!u)
            continue; /* not read this time, or Slurm has no such account */
        if (isfinite(l->left_uj))
            correct(c, l, u);
        else if (l->known)
            take_away(c, l, u->limit_wmin);
    }
}

/* ---- the board ---- */

/* The budget of that resource on the account nearest above; NULL when there is none. */
static const struct board_budget *above(const struct ctl *c, const struct board *b,
                                        const char *account, int resource)
{
    const char *at = ledger_tree_parent(c->ledger, account);
    for (int depth = 0; at && depth < LEDGER_TREE_DEPTH; depth++) {
        uint32_t n;
        const struct board_budget *g = board_budget_find(b, BOARD_ACCOUNT, at, 0, &n);
        for (uint32_t i = 0; i < n; i++)
            if (g[i].resource == resource && g[i].native)
                return &g[i];
        at = ledger_tree_parent(c->ledger, at);
    }
    return NULL;
}

static int has_own(const struct board *b, const char *account, int resource)
{
    uint32_t n;
    const struct board_budget *g = board_budget_find(b, BOARD_ACCOUNT, account, 0, &n);
    for (uint32_t i = 0; i < n; i++)
        if (g[i].resource == resource)
            return 1;
    return 0;
}

int native_budgets(const struct ctl *c, struct board_budget **budgets, size_t *n)
{
    if (!native_on(c) || *n == 0)
        return 0;
    const struct accounting *a = c->accounting;
    size_t room = *n + 2 * a->n_accounts, all = *n;
    struct board_budget *grown = realloc(*budgets, room * sizeof(*grown));
    if (!grown)
        return -1;
    *budgets = grown;
    for (size_t i = 0; i < *n; i++)
        grown[i].native = grown[i].scope == BOARD_ACCOUNT && acts_on(c, grown[i].name);
    struct board own = {.budgets = grown, .n_budgets = (uint32_t)*n};
    for (size_t i = 0; i < 2 * a->n_accounts && all < BOARD_BUDGETS_MAX; i++) {
        const char *account = a->accounts[i / 2].child;
        int resource = (int)(i % 2);
        const struct board_budget *from = above(c, &own, account, resource);
        if (!from || has_own(&own, account, resource))
            continue;
        grown[all] = *from;
        memset(grown[all].name, 0, sizeof(grown[all].name));
        snprintf(grown[all++].name, BOARD_NAME_MAX, "%s", account);
    }
    *n = all;
    return 0;
}

void native_fini(struct ctl *c)
{
    free(c->limits);
    c->limits = NULL;
    c->n_limits = 0;
}
