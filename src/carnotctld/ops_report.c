/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `carnot report` is made from, in pieces that hold the loop up for some milliseconds each:
 * the sums and the what-ifs over them are the command's own work.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/ops.h"
#include "carnotctld/tracker.h"
#include "placement/request.h"

#define PIECE_ROWS 500
#define PIECE_S (7 * 86400LL)
#define UNLIMITED_S (365LL * 86400) /* what a job without a limit was priced for */

static json_t *joules(const struct ledger_job *j, uint64_t micro)
{
    return j->measured_until_s ? json_real((double)micro / 1e6) : json_null();
}

/* Watts of the job by carnot.yaml, at full load: for runs that no node has reported. */
static double model_w(const struct ledger_job *j)
{
    int64_t limit_s = j->limit_s > 0 && j->limit_s < UNLIMITED_S ? j->limit_s : UNLIMITED_S;
    return (double)j->estimate_uj / 1e6 / (double)limit_s / (double)(j->tasks ? j->tasks : 1);
}

static json_t *row_json(const struct ctl *c, const struct ledger_job *j)
{
    uint64_t asap_ug = j->delay_s + j->paused_s > 0 ? ops_asap_ug(c, j) : j->carbon_ug;
    json_t *o =
        json_pack("{s:I,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I}", "job_id", (json_int_t)j->key.job_id,
                  "user", j->user, "account", j->account, "partition", j->partition, "run", j->run,
                  "nodes", (json_int_t)j->nodes, "start_s", (json_int_t)j->start_s, "end_s",
                  (json_int_t)j->end_s, "delay_s", (json_int_t)j->delay_s);
    if (!o)
        return NULL;
    json_object_set_new(o, "energy_j", joules(j, j->energy_uj));
    json_object_set_new(o, "split_j", joules(j, j->split_uj));
    json_object_set_new(o, "modelled_j", joules(j, j->modelled_uj));
    json_object_set_new(o, "carbon_g", joules(j, j->carbon_ug));
    json_object_set_new(o, "carbon_if_asap_g", asap_ug ? joules(j, asap_ug) : json_null());
    json_object_set_new(o, "model_w", json_real(model_w(j)));
    json_object_set_new(
        o, "exempt", json_boolean(board_exempt(&c->board, j->partition, j->account, NULL, j->uid)));
    return o;
}

static int read_s(const json_t *request, const char *key, int64_t *out, struct err *e)
{
    const json_t *v = json_object_get(request, key);
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return err_set(e, "%s: seconds since the epoch are needed", key);
    *out = json_integer_value(v);
    return 0;
}

static int read_walk(const json_t *request, struct ledger_walk *at, struct err *e)
{
    const char *after = ops_string(request, "after", 80, e);
    long long end_s, submit_s, id;
    at->submit_s = at->id = INT64_MIN;
    if (!after || read_s(request, "since_s", &at->end_s, e) < 0)
        return -1;
    if (!after[0])
        return 0;
    if (sscanf(after, "%lld.%lld.%lld", &end_s, &submit_s, &id) != 3)
        return err_set(e, "after: the text next of the answer before is needed");
    *at = (struct ledger_walk){end_s, submit_s, id};
    return 0;
}

/* Runs that never began are nobody's use of the machine. */
static int wanted(const struct ledger_job *j, const char *user, const char *account)
{
    return j->settled && j->start_s > 0 && (!user[0] || strcmp(j->user, user) == 0) &&
           (!account[0] || strcmp(j->account, account) == 0);
}

json_t *op_ended(const struct asker *who, const json_t *request, struct err *e)
{
    const struct ctl *c = who->ctl;
    struct ledger_walk at;
    struct ledger_job *rows = NULL;
    size_t n = 0;
    int64_t until_s;
    char next[80];
    const char *user = ops_string(request, "user", LEDGER_NAME_MAX - 1, e);
    const char *account = ops_string(request, "account", LEDGER_NAME_MAX - 1, e);
    if (!user || !account || read_walk(request, &at, e) < 0 ||
        read_s(request, "until_s", &until_s, e) < 0 ||
        ledger_job_ended(c->ledger, &at, until_s, PIECE_ROWS, &rows, &n, e) < 0)
        return NULL;
    if (!who->is_operator)
        user = who->user;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        if (wanted(&rows[i], user, account))
            json_array_append_new(list, row_json(c, &rows[i]));
    free(rows);
    snprintf(next, sizeof(next), "%lld.%lld.%lld", (long long)at.end_s, (long long)at.submit_s,
             (long long)at.id);
    return json_pack("{s:o,s:o}", "rows", list, "next",
                     n == PIECE_ROWS ? json_string(next) : json_null());
}

json_t *op_intensity(const struct asker *who, const json_t *request, struct err *e)
{
    const struct ctl *c = who->ctl;
    struct ledger_intensity *v = NULL;
    size_t n = 0;
    int64_t from_s, to_s, end_s;
    if (read_s(request, "from_s", &from_s, e) < 0 || read_s(request, "to_s", &to_s, e) < 0)
        return NULL;
    end_s = to_s - from_s > PIECE_S ? from_s + PIECE_S : to_s;
    if (ledger_intensity_get(c->ledger, c->set.carbon.zone, from_s, end_s, &v, &n, e) < 0)
        return NULL;
    json_t *points = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(points, json_pack("[I,f]", (json_int_t)v[i].t_s, v[i].g_per_kwh));
    free(v);
    return json_pack("{s:s,s:o,s:o}", "zone", c->set.carbon.zone, "points", points, "next_s",
                     end_s < to_s ? json_integer(end_s) : json_null());
}

json_t *op_policy(const struct asker *who, const json_t *request, struct err *e)
{
    const struct ctl *c = who->ctl;
    const struct board_head *h = &c->board.head;
    (void)request;
    (void)e;
    return json_pack("{s:s,s:s,s:s,s:s,s:f,s:f,s:f,s:I,s:I,s:f,s:f}", "cluster", c->set.cluster,
                     "zone", c->set.carbon.zone, "feed", c->set.carbon.feed, "policy",
                     placement_policy_name((enum placement_policy)h->policy), "lambda_g_per_h",
                     h->lambda_g_per_h, "lambda_exponent", h->lambda_exponent, "min_gain_g",
                     h->min_gain_g, "default_delay_s", (json_int_t)h->default_delay_s,
                     "max_delay_s", (json_int_t)h->max_delay_s, "pue", h->pue, "cpu_max_w",
                     h->cpu_max_w);
}
