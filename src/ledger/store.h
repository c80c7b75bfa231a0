/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the files of this directory talk to SQLite: cached statements, bound
 * values, saturated numbers, errors with errno. Private to this directory.
 */
#ifndef CARNOT_LEDGER_STORE_H
#define CARNOT_LEDGER_STORE_H

#include <sqlite3.h>
#include "ledger/ledger.h"

/* One slot a statement; each is prepared at its first use and kept. */
enum store_slot {
    STORE_BEGIN,
    STORE_COMMIT,
    STORE_SAVEPOINT,
    STORE_RELEASE,
    STORE_BUDGET_GET,
    STORE_BUDGET_INSERT,
    STORE_BUDGET_UPDATE,
    STORE_BUDGET_REMOVE,
    STORE_BUDGET_LIST,
    STORE_BUDGET_HELD,
    STORE_HISTORY_GET,
    STORE_HISTORY_PUT,
    STORE_RESERVED,
    STORE_JOB_PUT,
    STORE_JOB_GET,
    STORE_JOB_DECIDED,
    STORE_JOB_END,
    STORE_JOB_REOPEN,
    STORE_JOB_EXISTS,
    STORE_JOB_SETTLE,
    STORE_JOB_ENDED,
    STORE_PAST_LIST,
    STORE_JOB_ENFORCED,
    STORE_JOB_PLANNED,
    STORE_JOB_RELEASED,
    STORE_JOB_CONSUMED_GET,
    STORE_JOB_CONSUMED_SET,
    STORE_NODE_GET,
    STORE_NODE_PUT,
    STORE_NODE_LIST,
    STORE_INTENSITY_PUT,
    STORE_INTENSITY_GET,
    STORE_GUESS_PUT,
    STORE_GUESS_LIST,
    STORE_GUESS_TRIM,
    STORE_RUN_PUT,
    STORE_RUN_LIST,
    STORE_TREE_GET,
    STORE_TREE_CLEAR,
    STORE_TREE_PUT,
    STORE_KV_SET,
    STORE_KV_REMOVE,
    STORE_SLOTS
};

struct ledger {
    sqlite3 *db;
    int depth;                       /* of ledger_begin; 0 = each call commits by itself */
    sqlite3_stmt *slot[STORE_SLOTS]; /* NULL until used; at rest between calls */
    struct ledger_edge *tree;        /* as the file has it, in order of child */
    size_t n_tree;
};

/* The statement of a slot, ready to bind; sql is the same constant at each call. NULL on error,
 * also when the open transaction was lost to an earlier one: nothing may run outside it then. */
sqlite3_stmt *store_get(ledger_t *l, enum store_slot slot, const char *sql, struct err *e);

/* Next row of st: 1; 0 at the end and -1 on error, with st at rest. A caller that stops at a row
 * calls store_done. */
int store_next(ledger_t *l, sqlite3_stmt *st, struct err *e);
void store_done(sqlite3_stmt *st);
/* Run a statement without rows: the number of rows it changed, or -1. */
int store_run(ledger_t *l, sqlite3_stmt *st, struct err *e);

/* Text of SQLite's result code into e, errno to match; returns -1. */
int store_fail(ledger_t *l, int rc, struct err *e, const char *what);
/* ENOENT and a text for a job that has no row; returns -1. */
int store_no_job(struct job_key key, struct err *e);

/* Parameters count from 1, columns from 0. Text is cut at size - 1. */
void store_bind_text(sqlite3_stmt *st, int i, const char *text, size_t size);
void store_bind_u64(sqlite3_stmt *st, int i, uint64_t v);  /* saturates at 2^63-1 */
void store_bind_key(sqlite3_stmt *st, struct job_key key); /* ?1 job_id, ?2 submit_s, ?3 restart */
uint64_t store_u64(sqlite3_stmt *st, int i);
void store_text(sqlite3_stmt *st, int i, char *buf, size_t size);

/* a + b, saturated at what SQLite can hold: a sum never wraps and never turns into a float. */
static inline uint64_t store_add(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return __builtin_add_overflow(a, b, &sum) || sum > INT64_MAX ? (uint64_t)INT64_MAX : sum;
}

/* Put the row that st stands at into *row, which is zeroed. */
typedef void store_read_f(sqlite3_stmt *st, void *row, void *arg);

/* All rows of st, each of size bytes, into a new array, also when there are none: the caller frees
 * *out. 0, or -1 and *out untouched; st is at rest afterwards. */
int store_list(ledger_t *l, sqlite3_stmt *st, size_t size, store_read_f *read, void *arg,
               void **out, size_t *n, struct err *e);

#endif
