/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions about the whole: state, forecast, dry runs, nodes.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/forecast_log.h"
#include "carnotctld/let_go.h"
#include "carnotctld/native.h"
#include "carnotctld/nodes.h"
#include "carnotctld/ops.h"
#include "carnotctld/planner.h"
#include "carnotctld/plugin_status.h"
#include "carnotctld/slurm_client.h"
#include "placement/place_json.h"

/* What slurmdbd's accounts come to; null where there is none. */
static json_t *accounting_json(const struct ctl *c)
{
    const struct accounting *a = c->accounting;
    if (!a || !a->kept)
        return json_null();
    json_t *qos = json_array();
    for (size_t i = 0; i < a->n_qos; i++)
        json_array_append_new(qos, json_string(a->qos[i].name));
    return json_pack("{s:I,s:I,s:o,s:b,s:s}", "users", (json_int_t)a->n_users, "accounts",
                     (json_int_t)a->n_accounts, "qos", qos, "native", native_on(c), "unsuited",
                     a->unsuited);
}

static json_t *switches_json(const struct ctl *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->n_switches; i++)
        json_array_append_new(
            list, json_pack("{s:s,s:s,s:s}", "scope", ops_scope_name(c->switches[i].scope), "name",
                            c->switches[i].name, "mode", c->switches[i].mode ? "act" : "observe"));
    return list;
}

static json_t *let_go_json(const struct ctl *c)
{
    if (!c->let_go.until_s)
        return json_null();
    return json_pack("{s:I,s:o,s:s}", "left", (json_int_t)let_go_left(c), "until",
                     ops_time(c->let_go.until_s), "by", c->let_go.by);
}

/* Moves of what was planned again, while they are ordered. */
static json_t *moves_json(const struct ctl *c)
{
    size_t all, left = planner_moves_left(c, &all);
    if (left == 0)
        return json_null();
    return json_pack("{s:I,s:I,s:I}", "left", (json_int_t)left, "all", (json_int_t)all, "left_s",
                     (json_int_t)left * slurm_client_pace_ms() / 1000 + 1);
}

/* What an hour of a one-CPU job's wait must save, and where that comes from. */
static json_t *lambda_json(const struct ctl *c)
{
    int64_t target_s = c->set.policy.target_wait_ms / 1000;
    if (target_s == 0)
        return json_pack("{s:f,s:n,s:n,s:I}", "g_per_h", c->board.head.lambda_g_per_h,
                         "target_wait_s", "mean_wait_s", "jobs", (json_int_t)0);
    return json_pack("{s:f,s:I,s:o,s:I}", "g_per_h", c->board.head.lambda_g_per_h, "target_wait_s",
                     (json_int_t)target_s, "mean_wait_s",
                     c->steering.jobs ? json_real(c->steering.mean_wait_s) : json_null(), "jobs",
                     (json_int_t)c->steering.jobs);
}

static json_t *feed_json(const struct ctl *c)
{
    struct series s = forecast_series(&c->forecast);
    int64_t now_s = ctl_now_s(c);
    return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o}", "name", c->set.carbon.feed, "zone",
                     c->set.carbon.zone, "quality", forecast_quality_name(c->forecast.quality),
                     "age_s", c->feed.n ? json_integer(now_s - c->feed.issued_s) : json_null(),
                     "until", ops_time(c->forecast.feed_until_s), "g_per_kwh",
                     s.n ? json_real(series_at(&s, now_s)) : json_null());
}

static json_t *slurm_json(const struct ctl *c)
{
    char error[320];
    int ok = slurm_client_ok(error, sizeof(error));
    return json_pack("{s:b,s:s,s:o,s:I}", "ok", ok, "error", ok ? "" : error, "listed_age_s",
                     c->snap ? json_real((double)(ctl_now_ms(c) - c->snap->listed_ms) / 1e3)
                             : json_null(),
                     "jobs", c->snap ? (json_int_t)c->snap->n_jobs : 0);
}

static json_t *board_json(const struct ctl *c)
{
    return json_pack("{s:I,s:o,s:s}", "seq", (json_int_t)c->board_seq, "age_s",
                     c->board_ms ? json_real((double)(ctl_now_ms(c) - c->board_ms) / 1e3)
                                 : json_null(),
                     "path", c->set.controller.board);
}

json_t *op_status(const struct asker *who, const json_t *request, struct err *e)
{
    const struct ctl *c = who->ctl;
    int64_t now_s = ctl_now_s(c);
    json_int_t waiting = 0, running = 0, heard = 0;
    (void)request;
    (void)e;
    for (size_t i = 0; i < c->n_jobs; i++) {
        const struct ledger_job *j = &c->jobs[i];
        if (j->live && j->start_s > 0)
            running += j->tasks;
        else if (j->live && !j->released && j->planned_s > now_s)
            waiting += j->tasks;
    }
    for (size_t i = 0; i < c->n_nodes; i++)
        heard += nodes_reporting(c, &c->nodes[i]);
    json_t *o = json_pack("{s:s,s:o,s:s,s:s,s:I}", "version", PACKAGE_VERSION, "time",
                          ops_time(now_s), "cluster", c->set.cluster, "mode",
                          board_mode(&c->board, NULL, NULL, UINT32_MAX) ? "act" : "observe",
                          "uptime_s", (json_int_t)((ctl_now_ms(c) - c->started_ms) / 1000));
    if (!o)
        return NULL;
    json_object_set_new(o, "board", board_json(c));
    json_object_set_new(o, "feed", feed_json(c));
    json_object_set_new(o, "slurm", slurm_json(c));
    json_object_set_new(o, "accounting", accounting_json(c));
    json_object_set_new(o, "waiting", json_integer(waiting));
    json_object_set_new(o, "running", json_integer(running));
    json_object_set_new(
        o, "nodes", json_pack("{s:I,s:I}", "total", (json_int_t)c->n_nodes, "reporting", heard));
    json_object_set_new(o, "switches", switches_json(c));
    json_object_set_new(o, "let_go", let_go_json(c));
    json_object_set_new(o, "moves", moves_json(c));
    json_object_set_new(o, "lambda", lambda_json(c));
    json_object_set_new(o, "plugin", plugin_status_json(c));
    return o;
}

static void part(json_t *list, enum forecast_quality source, int64_t from_s, int64_t until_s,
                 int64_t known_s)
{
    if (until_s > from_s && source != FORECAST_NONE)
        json_array_append_new(
            list, json_pack("{s:s,s:o,s:o,s:o}", "source", forecast_quality_name(source), "from",
                            ops_time(from_s), "until", ops_time(until_s), "known_s",
                            known_s ? json_integer(known_s) : json_null()));
}

/* Which part of the forecast is whose. */
static json_t *parts_json(const struct ctl *c)
{
    const struct forecast *f = &c->forecast;
    int64_t now_s = ctl_now_s(c), seam_s = f->feed_until_s > now_s ? f->feed_until_s : now_s;
    json_t *list = json_array();
    if (seam_s > f->end_s)
        seam_s = f->end_s;
    part(list, FORECAST_FEED, now_s, seam_s, 0);
    part(list, f->model, seam_s, f->end_s, f->known_s);
    return list;
}

json_t *op_forecast(const struct asker *who, const json_t *request, struct err *e)
{
    const struct ctl *c = who->ctl;
    struct series s = board_series(&c->board);
    int64_t slot_s = c->set.carbon.slot_ms / 1000, now_s = ctl_now_s(c);
    json_t *slots = json_array();
    (void)request;
    (void)e;
    size_t from = 0, to = 0;
    for (int64_t t = now_s / slot_s * slot_s; s.n && t < s.end_s && json_array_size(slots) < 10000;
         t += slot_s)
        json_array_append_new(
            slots, json_pack("{s:o,s:f}", "time", ops_time(t), "g_per_kwh",
                             series_area(&s, t, t + slot_s, &from, &to) / (double)slot_s));
    return json_pack("{s:s,s:s,s:o,s:s,s:o,s:o,s:o}", "zone", c->set.carbon.zone, "feed",
                     c->set.carbon.feed, "issued", ops_time(c->feed.issued_s), "quality",
                     forecast_quality_name(c->forecast.quality), "parts", parts_json(c), "errors",
                     forecast_log_json(c), "slots", slots);
}

json_t *op_place(const struct asker *who, const json_t *request, struct err *e)
{
    struct ctl *c = who->ctl;
    struct place_query q;
    struct place_answer a;
    const char *key;
    json_t *value;
    int64_t now_s = ctl_now_s(c);
    place_query_init(&q);
    q.uid = who->peer->uid;
    json_object_foreach((json_t *)(uintptr_t)request, key, value)
    {
        if (strcmp(key, "op") == 0 || strcmp(key, "v") == 0)
            continue;
        if (!json_is_string(value)) {
            err_set(e, "%s: a text is needed", key);
            return NULL;
        }
        if (place_parse(&q, key, json_string_value(value), now_s, e) < 0)
            return NULL;
    }
    if (!c->board_ms) {
        err_set(e, "no board yet: carnotctld has just started; try again in a few seconds");
        return NULL;
    }
    /* How long others' jobs ran is theirs to know: for those the limit stands. */
    struct board seen = c->board;
    if (strcmp(q.user, who->user) == 0)
        q.user[0] = '\0'; /* the one who asks, whom the board need not know */
    if (!who->is_operator && q.user[0])
        seen.n_pasts = 0;
    if (place_run(&seen, NULL, &q, now_s, &a, e) < 0)
        return NULL;
    return place_json(&a);
}

static json_t *node_json(const struct ctl *c, const struct ledger_node *n)
{
    const struct ctl_node *h = nodes_find(c, n->node);
    int ok = h && nodes_reporting(c, h);
    if (h && !h->heard_ms)
        h = NULL; /* not in this life */
    return json_pack("{s:s,s:s,s:o,s:I,s:I,s:f,s:f,s:f,s:f,s:o,s:o,s:o,s:o,s:o}", "node", n->node,
                     "state", ok ? "ok" : "silent", "last", ops_time(n->last_s), "age_s",
                     (json_int_t)(ctl_now_s(c) - n->last_s), "seq", (json_int_t)n->seq, "energy_j",
                     (double)n->node_uj / 1e6, "jobs_j", (double)n->jobs_uj / 1e6, "idle_j",
                     (double)n->idle_uj / 1e6, "system_j", (double)n->system_uj / 1e6, "power_w",
                     ok ? json_real(h->power_w) : json_null(), "quality",
                     h ? json_string(h->quality) : json_null(), "coverage",
                     h ? json_string(h->coverage) : json_null(), "version",
                     h ? json_string(h->version) : json_null(), "troubles",
                     h && h->troubles ? json_incref(h->troubles) : json_array());
}

json_t *op_nodes(const struct asker *who, const json_t *request, struct err *e)
{
    const struct ctl *c = who->ctl;
    struct ledger_node *rows = NULL;
    size_t n = 0;
    json_int_t offset = json_integer_value(json_object_get(request, "offset"));
    size_t from = offset > 0 ? (size_t)offset : 0;
    if (ledger_node_list(c->ledger, &rows, &n, e) < 0)
        return NULL;
    json_t *list = json_array();
    for (size_t i = from; i < n && i < from + OPS_PIECE; i++)
        json_array_append_new(list, node_json(c, &rows[i]));
    free(rows);
    return json_pack("{s:o,s:b}", "nodes", list, "more", n > from && n - from > OPS_PIECE);
}
