/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One allocation holds all sections of a board; the next board replaces it.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/enforcer.h"
#include "carnotctld/feed_watch.h"
#include "carnotctld/native.h"
#include "carnotctld/publisher.h"
#include "carnotctld/publisher_private.h"
#include "carnotctld/runs.h"
#include "carnotctld/steering.h"
#include "carnotctld/tracker.h"
#include "common/log.h"
#include "common/path.h"
#include "common/sort.h"
#include "common/user.h"
#include "placement/placement.h"

static void build_free(struct build *w)
{
    free(w->parts);
    free(w->budgets);
    free(w->users);
    free(w->switches);
    free(w->decisions);
    free(w->accounts);
    free(w->jobs);
    free(w->runs);
    free(w->outages);
    free(w->pasts);
    free(w->planned);
}

static void name_copy(char to[BOARD_NAME_MAX], const char *from)
{
    snprintf(to, BOARD_NAME_MAX, "%s", from);
}

static void build_head(const struct ctl *c, struct board_head *h)
{
    const struct settings *s = &c->set;
    int policy = placement_policy_parse(s->policy.policy);
    *h = (struct board_head){
        .published_ms = ctl_now_ms(c),
        .listed_ms = c->snap ? c->snap->listed_ms : 0,
        .seq = c->board_seq + 1,
        .feed_until_s = c->forecast.feed_until_s,
        .issued_s = c->feed.issued_s,
        .forecast_quality = c->forecast.quality,
        .mode = s->mode == MODE_ACT,
        .policy = policy > 0 ? policy : POLICY_BALANCED,
        .watts_total = native_on(c) ? c->accounting->watts_total : 0,
        .lambda_g_per_h = steering_lambda_g_per_h(c),
        .lambda_exponent = s->policy.lambda_exponent,
        .min_gain_g = (double)s->policy.min_gain_ug / 1e6,
        .overbook = s->policy.overbook,
        .pue = s->power.pue,
        .user_lease_share = s->budget.user_lease_share,
        .cpu_max_w = (double)s->power.cpu_max_mw / 1e3,
        .gpu_max_w = (double)s->power.gpu_max_mw / 1e3,
        .default_delay_s = s->policy.default_delay_ms / 1000,
        .site_delay_s = s->policy.site_delay_ms / 1000,
        .max_delay_s = s->policy.max_delay_ms / 1000,
        .max_age_ms = s->policy.board_max_age_ms,
        .slot_s = s->carbon.slot_ms / 1000,
        .intensity_end_s = c->forecast.end_s,
    };
    h->stagger_s =
        s->policy.stagger_ms / 1000 < h->slot_s ? s->policy.stagger_ms / 1000 : h->slot_s;
    h->slot_start_s = h->published_ms / 1000 / h->slot_s * h->slot_s;
    name_copy(h->cluster, s->cluster);
    name_copy(h->zone, s->carbon.zone);
    name_copy(h->feed, s->carbon.feed);
}

static int build_parts(const struct ctl *c, struct build *w)
{
    size_t n = c->snap ? c->snap->n_parts : 0;
    if (n > BOARD_PARTITIONS_MAX)
        n = BOARD_PARTITIONS_MAX;
    if (!(w->parts = publisher_section(n, sizeof(*w->parts))))
        return -1;
    for (size_t i = 0; i < n; i++) {
        const struct slurm_part *p = &c->snap->parts[i];
        struct board_partition *to = &w->parts[i];
        name_copy(to->name, p->name);
        to->is_default = p->is_default;
        to->exclusive = p->exclusive;
        to->nodes = p->nodes;
        to->cpus_per_node = p->cpus_per_node;
        to->gpus_per_node = p->gpus_per_node;
        to->default_time_s = p->default_time_s;
        to->max_time_s = p->max_time_s;
    }
    w->b.partitions = w->parts;
    w->b.n_partitions = (uint32_t)n;
    return 0;
}

static int64_t clamp_i64(uint64_t v)
{
    return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

static int budget_order(const void *a, const void *b)
{
    const struct board_budget *x = a, *y = b;
    int order = board_budget_compare(x, y->scope, y->name, y->uid);
    return order ? order : x->resource - y->resource;
}

static int build_budgets(struct ctl *c, struct build *w, struct err *e)
{
    struct budget *all = NULL;
    size_t n = 0, kept = 0;
    if (budget_list(c->ledger, ctl_now_s(c), &all, &n, e) < 0)
        return -1;
    w->budgets = publisher_section(n, sizeof(*w->budgets));
    for (size_t i = 0; w->budgets && i < n && kept < BOARD_BUDGETS_MAX; i++) {
        struct board_budget *to = &w->budgets[kept];
        to->scope = all[i].scope == SCOPE_USER ? BOARD_USER : BOARD_ACCOUNT;
        to->resource = all[i].resource == RESOURCE_CARBON;
        name_copy(to->name, all[i].name);
        if (to->scope == BOARD_USER && user_uid(to->name, &to->uid) < 0)
            continue; /* nobody of that name can submit */
        int64_t used = clamp_i64(all[i].charged);
        if (__builtin_add_overflow(used, clamp_i64(all[i].reserved), &used) ||
            __builtin_add_overflow(used, clamp_i64(all[i].claimed), &used))
            used = INT64_MAX;
        to->granted = clamp_i64(all[i].granted);
        to->left = to->granted - used;
        to->renews_s = all[i].renews_s;
        kept++;
    }
    free(all);
    if (!w->budgets)
        return -1;
    sort_if_needed(w->budgets, kept, sizeof(*w->budgets), budget_order);
    if (native_budgets(c, &w->budgets, &kept) < 0)
        return -1;
    sort_if_needed(w->budgets, kept, sizeof(*w->budgets), budget_order);
    w->b.budgets = w->budgets;
    w->b.n_budgets = (uint32_t)kept;
    return 0;
}

static int user_order(const void *a, const void *b)
{
    const struct board_user *x = a, *y = b;
    if (x->uid != y->uid)
        return x->uid > y->uid ? 1 : -1;
    return strcmp(y->default_account, x->default_account); /* one that names an account is first */
}

static int add_user(struct build *w, size_t n, uint32_t uid, const char *name, const char *account)
{
    struct board_user *users = publisher_grow(w->users, n, sizeof(*users));
    if (!users)
        return -1;
    w->users = users;
    users[n].uid = uid;
    name_copy(users[n].name, name);
    name_copy(users[n].default_account, account);
    return 0;
}

static int build_users(const struct ctl *c, struct build *w)
{
    const struct accounting *a = c->accounting;
    size_t n = 0, kept = 0, known = a ? a->n_users : 0;
    uint32_t lately[1024] = {0}; /* uid + 1 */
    for (size_t i = 0; i < known && n < BOARD_USERS_MAX; i++) {
        const struct accounting_user *u = &a->users[i];
        if (add_user(w, n++, u->uid, u->name, u->default_account) < 0)
            return -1;
    }
    for (size_t i = 0; i < c->n_jobs && n < BOARD_USERS_MAX; i++) {
        uint32_t *seen = &lately[c->jobs[i].uid % 1024]; /* most own many jobs: few are sorted */
        if (*seen == c->jobs[i].uid + 1)
            continue;
        *seen = c->jobs[i].uid + 1;
        if (add_user(w, n++, c->jobs[i].uid, c->jobs[i].user, "") < 0)
            return -1;
    }
    sort_if_needed(w->users, n, sizeof(*w->users), user_order);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || w->users[i].uid != w->users[kept - 1].uid)
            w->users[kept++] = w->users[i];
    w->b.users = w->users;
    w->b.n_users = (uint32_t)kept;
    return 0;
}

/* One more switch, unless the board is full of them or there is no such user. */
static void add_switch(struct build *w, int scope, int mode, const char *name)
{
    struct board_switch s = {.scope = scope, .mode = mode};
    name_copy(s.name, name);
    if (w->b.n_switches < BOARD_SWITCHES_MAX &&
        (scope != BOARD_USER || user_uid(s.name, &s.uid) == 0))
        w->switches[w->b.n_switches++] = s;
}

static int build_switches(const struct ctl *c, struct build *w)
{
    const struct {
        int scope;
        const struct settings_names *names;
    } exempt[] = {{BOARD_PARTITION, &c->set.exempt.partitions},
                  {BOARD_ACCOUNT, &c->set.exempt.accounts},
                  {BOARD_USER, &c->set.exempt.users},
                  {BOARD_QOS, &c->set.exempt.qos}};
    if (!(w->switches = publisher_section(BOARD_SWITCHES_MAX, sizeof(*w->switches))))
        return -1;
    for (size_t i = 0; i < sizeof(exempt) / sizeof(exempt[0]); i++)
        for (int k = 0; k < exempt[i].names->n; k++)
            add_switch(w, exempt[i].scope, BOARD_EXEMPT, exempt[i].names->name[k]);
    for (size_t i = 0; i < c->n_switches; i++)
        add_switch(w, c->switches[i].scope, c->switches[i].mode, c->switches[i].name);
    w->b.switches = w->switches;
    return 0;
}

/* Encoded bytes of a new board; decoding them again proves them before anybody else reads them. */
static int build(struct ctl *c, void **data, size_t *size, struct board *out, struct err *e)
{
    struct build w = {0};
    int rc = -1;
    if (feed_watch_forecast(c) < 0)
        return err_set(e, "no memory for the forecast");
    build_head(c, &w.b.head);
    w.b.points = c->forecast.points;
    w.b.n_points = (uint32_t)c->forecast.n;
    if (build_parts(c, &w) < 0 || build_budgets(c, &w, e) < 0 || build_users(c, &w) < 0 ||
        build_switches(c, &w) < 0 || publisher_jobs(c, &w, e) < 0) {
        if (!e->text[0])
            err_set(e, "no memory for the board");
    } else if (board_encode(&w.b, data, size, e) == 0) {
        rc = board_decode(out, *data, *size, e);
        if (rc < 0)
            free(*data);
    }
    build_free(&w);
    return rc;
}

static void take(struct ctl *c, struct board *next)
{
    board_free(&c->board);
    c->board = *next;
    c->board_seq = next->head.seq;
}

int publisher_build_copy(struct ctl *c, struct board *copy, struct err *e)
{
    void *data = NULL;
    size_t size = 0;
    struct board next;
    if (build(c, &data, &size, &next, e) < 0)
        return -1;
    int rc = copy ? board_decode(copy, data, size, e) : 0;
    free(data);
    take(c, &next);
    return rc;
}

int publisher_build(struct ctl *c, struct err *e)
{
    return publisher_build_copy(c, NULL, e);
}

int publisher_publish(struct ctl *c, struct err *e)
{
    void *data = NULL;
    size_t size = 0;
    struct board next;
    if (build(c, &data, &size, &next, e) < 0)
        return -1;
    /* Not synced: the disk may take longer than the board is worth. One that a power failure tore
     * fails its checks, and a whole one would be too old by then. */
    if (path_write_unsynced(c->set.controller.board, data, size, 0644, e) < 0) {
        free(data);
        board_free(&next);
        return err_prefix(e, "board");
    }
    free(data);
    take(c, &next);
    c->board_ms = ctl_now_ms(c);
    c->dirty = 0;
    enforcer_published(c);
    return 0;
}

void publisher_run(struct ctl *c)
{
    static int failing;
    struct err e = {.text = ""};
    int64_t age_ms = ctl_now_ms(c) - c->board_ms, keep_ms = c->set.policy.board_max_age_ms / 4;
    if (keep_ms > 10000)
        keep_ms = 10000;
    if (age_ms >= 0 && age_ms < c->set.controller.board_interval_ms)
        return;
    if (!c->dirty && age_ms >= 0 && age_ms < keep_ms)
        return;
    int ok = publisher_publish(c, &e) == 0;
    if (!ok && !failing)
        log_err("%s: the plugin goes on with the board before, until that is too old", e.text);
    if (ok && failing)
        log_info("boards are published again");
    failing = !ok;
}

void publisher_now(struct ctl *c)
{
    struct err e = {.text = ""};
    c->dirty = 1;
    if (!c->snap || publisher_publish(c, &e) < 0)
        (void)publisher_build(c, &e);
}

struct switch_list {
    struct ctl_switch *items;
    size_t n;
};

static int load_switch(const char *key, const char *value, void *arg)
{
    static const char *const scopes[] = {"cluster", "partition", "account", "user"};
    struct switch_list *list = arg;
    struct ctl_switch s = {.mode = strcmp(value, "act") == 0, .scope = -1};
    const char *scope = key + strlen("switch."), *dot = strchr(scope, '.');
    for (int i = 0; dot && i <= BOARD_USER; i++)
        if (strlen(scopes[i]) == (size_t)(dot - scope) &&
            strncmp(scope, scopes[i], (size_t)(dot - scope)) == 0)
            s.scope = i;
    if (s.scope < 0)
        return 0;
    snprintf(s.name, sizeof(s.name), "%s", dot + 1);
    struct ctl_switch *grown = realloc(list->items, (list->n + 1) * sizeof(*grown));
    if (!grown)
        return -1;
    list->items = grown;
    list->items[list->n++] = s;
    return 0;
}

int publisher_load_switches(struct ctl *c, struct err *e)
{
    struct switch_list list = {0};
    if (ledger_kv_each(c->ledger, "switch.", load_switch, &list, e) < 0) {
        free(list.items);
        return -1;
    }
    free(c->switches);
    c->switches = list.items;
    c->n_switches = list.n;
    c->dirty = 1;
    return 0;
}

void publisher_fini(struct ctl *c)
{
    board_free(&c->board);
    free(c->switches);
}
