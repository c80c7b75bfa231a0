/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dry run of the decision: what would Carnot do with a job like this?
 *
 * `carnot place` and carnotctld's op `place` are both this: name/value pairs as the command line
 * has them go in, the fields of the documented JSON object come out. Pure: no I/O, no
 * clock, no JSON library, no allocation; takes no lease.
 */
#ifndef CARNOT_PLACEMENT_PLACE_H
#define CARNOT_PLACEMENT_PLACE_H

#include <stddef.h>
#include <stdint.h>
#include "placement/board.h"
#include "placement/explain.h"
#include "placement/lease.h"
#include "placement/placement.h"
#include "placement/request.h"
#include "placement/scenarios.h"

#define PLACE_COUNT_MAX 1000000 /* nodes, CPUs a node, GPUs a node, array tasks */

/* What is asked. Zero means "not given"; uid may be set by the caller (who asks), `user` overrides
 * it. */
struct place_query {
    uint32_t nodes, cpus_per_node, gpus_per_node, array_tasks;
    int64_t limit_s;           /* --time */
    int64_t at_s;              /* --at: decide as if it were submitted then; 0 = now */
    uint32_t uid;              /* UINT32_MAX = unknown */
    char name[BOARD_NAME_MAX]; /* of the job */
    char partition[BOARD_NAME_MAX];
    char account[BOARD_NAME_MAX];
    char user[BOARD_NAME_MAX];
    char finish_by[REQUEST_VALUE_MAX]; /* as typed: "08:00" means the next one after `at` */
    struct request request;
};

/* The options of its own, beside those of request_options[]; NULL name ends the list. */
struct place_option_desc {
    const char *name;    /* "cpus-per-node" */
    const char *arginfo; /* "N" */
    const char *help;
};
extern const struct place_option_desc place_options[];

/* The documented object: see place_fields[] for its keys in order. */
struct place_answer {
    const char *verdict; /* static text, as policy, quality and code */
    int64_t start_s;
    int64_t latest_s;
    int64_t delay_s;
    double energy_j;               /* all tasks */
    double carbon_g, carbon_now_g; /* NAN = null: no forecast */
    double likely_g, likely_now_g; /* as it may run, by its like; the others: to its limit */
    const char *policy;
    char feed[BOARD_NAME_MAX];
    const char *quality; /* of the forecast; energy is always modelled here */
    const char *code;
    char reason[384];
    int64_t predicted_s[SCENARIOS_MAX]; /* the lengths that the start is chosen for */
    size_t n_predicted;
    /* Beside the object, for people: */
    enum placement_verdict verdict_id;
    int64_t now_s; /* what counted as now */
    char zone[BOARD_NAME_MAX];
    struct explain explain;
};

enum place_field_kind {
    PLACE_CHARS,   /* char[] inside the struct */
    PLACE_TEXT,    /* const char * */
    PLACE_TIME,    /* int64_t, seconds since the epoch: RFC 3339 UTC in JSON */
    PLACE_INTEGER, /* int64_t */
    PLACE_NUMBER   /* double; NAN = null */
};
struct place_field {
    const char *name; /* JSON key */
    enum place_field_kind kind;
    size_t offset; /* in struct place_answer */
};
extern const struct place_field place_fields[]; /* NULL name ends the list */

void place_query_init(struct place_query *q);

/* Set one option by its name ("nodes", "carbon-delay", ...; '_' counts as '-'). The same
 * option again: the later wins. now_s is for times. 0, or -1, *q unchanged, and e in the form
 * "--nodes=0: ...". An unknown name is an error. */
int place_parse(struct place_query *q, const char *name, const char *value, int64_t now_s,
                struct err *e);

/* Decide. leases may be NULL. 0, or -1 and one sentence: something needed was not given, options
 * that contradict, a partition that the board does not have. The caller checks the board's age. */
int place_run(const struct board *b, const struct lease_table *leases, const struct place_query *q,
              int64_t now_s, struct place_answer *out, struct err *e);

#endif
