/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be asked of carnotctld: docs/formats.md lists the operations, their keys and who may
 * ask.
 */
#ifndef CARNOT_CARNOTCTLD_OPS_H
#define CARNOT_CARNOTCTLD_OPS_H

#include <jansson.h>
#include "carnotctld/ctl.h"
#include "common/channel.h"

/* munge carries at most 1 MiB: long lists go in pieces of so many rows, "more" says whether there
 * is another. */
#define OPS_PIECE 800

/* Who asks, and what he may. */
struct asker {
    struct ctl *ctl;
    const struct channel_peer *peer;
    char user[LEDGER_NAME_MAX];
    int is_operator;
};

/* The answer to one request, always an object with "ok"; NULL when memory is short. */
json_t *ops_answer(struct ctl *c, const json_t *request, const struct channel_peer *peer);

/* An operation: the answer without "ok", or NULL and a sentence. */
typedef json_t *(*op_f)(const struct asker *who, const json_t *request, struct err *e);

/* ops_query.c */
json_t *op_status(const struct asker *who, const json_t *request, struct err *e);
json_t *op_forecast(const struct asker *who, const json_t *request, struct err *e);
json_t *op_place(const struct asker *who, const json_t *request, struct err *e);
json_t *op_nodes(const struct asker *who, const json_t *request, struct err *e);
/* ops_jobs.c */
json_t *op_jobs(const struct asker *who, const json_t *request, struct err *e);
json_t *op_why(const struct asker *who, const json_t *request, struct err *e);
json_t *op_now(const struct asker *who, const json_t *request, struct err *e);
/* ops_budget.c */
json_t *op_budget_list(const struct asker *who, const json_t *request, struct err *e);
json_t *op_budget_set(const struct asker *who, const json_t *request, struct err *e);
json_t *op_budget_remove(const struct asker *who, const json_t *request, struct err *e);
/* ops_switch.c */
json_t *op_switch(const struct asker *who, const json_t *request, struct err *e);
/* ops_report.c */
json_t *op_ended(const struct asker *who, const json_t *request, struct err *e);
json_t *op_intensity(const struct asker *who, const json_t *request, struct err *e);
json_t *op_policy(const struct asker *who, const json_t *request, struct err *e);
/* report.c */
json_t *op_report(const struct asker *who, const json_t *request, struct err *e);

/* A string of the request: "" when it is missing; an error (NULL) when it is no string or longer
 * than max. */
const char *ops_string(const json_t *request, const char *key, size_t max, struct err *e);
/* What the run's energy would have emitted at once; 0 = not known. Of a settled run too, whose
 * records may have gone on coming, as long as the intensity is remembered. */
uint64_t ops_asap_ug(const struct ctl *c, const struct ledger_job *row);
/* The word of an enum board_scope, up to BOARD_USER. */
const char *ops_scope_name(int scope);
/* RFC 3339, or null for 0. */
json_t *ops_time(int64_t t_s);
/* x, or null when it is no number. */
json_t *ops_real(double x);

#endif
