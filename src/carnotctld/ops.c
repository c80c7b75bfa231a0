/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dispatch of requests, and who the asker is.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "carnotctld/ops.h"
#include "carnotctld/tracker.h"
#include "common/user.h"
#include "common/when.h"

static const struct {
    const char *name;
    op_f run;
    int operators_only;
} ops[] = {
    {"report", op_report, 0}, /* asks for more than an operator: root of the node */
    {"status", op_status, 0},
    {"forecast", op_forecast, 0},
    {"place", op_place, 0},
    {"why", op_why, 0},
    {"now", op_now, 0},
    {"jobs", op_jobs, 0},
    {"budget.list", op_budget_list, 0},
    {"budget.set", op_budget_set, 1},
    {"budget.remove", op_budget_remove, 1},
    {"nodes", op_nodes, 1},
    {"switch", op_switch, 1},
    {"ended", op_ended, 0},
    {"intensity", op_intensity, 0},
    {"policy", op_policy, 0},
};

static void identify(struct asker *who)
{
    const struct settings *s = &who->ctl->set;
    uid_t uid = who->peer->uid;
    user_name(who->user, sizeof(who->user), uid);
    who->is_operator = uid == 0 || uid == geteuid();
    for (int i = 0; i < s->operators.n; i++)
        if (strcmp(s->operators.name[i], who->user) == 0)
            who->is_operator = 1;
}

static json_t *failure(const char *sentence)
{
    return json_pack("{s:b,s:s}", "ok", 0, "error", sentence);
}

json_t *ops_answer(struct ctl *c, const json_t *request, const struct channel_peer *peer)
{
    struct asker who = {.ctl = c, .peer = peer};
    struct err e = {.text = ""};
    const json_t *v = json_object_get(request, "v");
    const char *op = json_string_value(json_object_get(request, "op"));
    if (!json_is_integer(v) || json_integer_value(v) != 1)
        return failure("this carnotctld speaks version 1 of the protocol; update the other side");
    identify(&who);
    for (size_t i = 0; op && i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (strcmp(ops[i].name, op) != 0)
            continue;
        if (ops[i].operators_only && !who.is_operator)
            return failure("only operators may do this: the list is in carnot.yaml");
        errno = 0;
        json_t *answer = ops[i].run(&who, request, &e);
        if (!answer) {
            int again = errno == EAGAIN;
            answer = failure(e.text[0] ? e.text : "no memory");
            if (again && answer)
                json_object_set_new(answer, "again", json_true());
            return answer;
        }
        json_object_set_new(answer, "ok", json_true());
        return answer;
    }
    return failure("unknown operation; is the other side of a newer version?");
}

const char *ops_string(const json_t *request, const char *key, size_t max, struct err *e)
{
    const json_t *v = json_object_get(request, key);
    if (!v || json_is_null(v))
        return "";
    const char *text = json_string_value(v);
    if (!text || strlen(text) != json_string_length(v) || strlen(text) > max) {
        err_set(e, "%s: a text of at most %zu characters is needed", key, max);
        return NULL;
    }
    return text;
}

uint64_t ops_asap_ug(const struct ctl *c, const struct ledger_job *row)
{
    int known = c->past.n && row->start_s - row->delay_s - row->paused_s >= c->past.points[0].t_s;
    return row->settled && !known ? row->asap_ug : tracker_asap_ug(c, row);
}

json_t *ops_time(int64_t t_s)
{
    char text[40];
    return t_s > 0 ? json_string(when_format_rfc3339(text, sizeof(text), t_s)) : json_null();
}

json_t *ops_real(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}
