/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Budgets inside the ledger: their rows, and charging them. Every function runs
 * inside the caller's transaction. Private to this directory.
 */
#ifndef CARNOT_LEDGER_BUDGET_H
#define CARNOT_LEDGER_BUDGET_H

#include <sqlite3.h>
#include "ledger/ledger.h"

/* Read the account tree from the file. 0 or -1. */
int tree_load(ledger_t *l, struct err *e);

/* What one share of a record adds, by enum budget_resource. */
struct budget_charge {
    const char *account, *user;
    int64_t end_s;      /* of the record: its period is charged */
    uint64_t amount[2]; /* uJ, ug */
    uint64_t over[2];   /* the part of it beyond the job's own reservation */
};

/* Charge every budget of the account, of those above it, and of the user. 0 or -1. */
int budget_charge(ledger_t *l, const struct budget_charge *c, struct err *e);

/* One row of the table. charged and over are those of [start_s, next_s); next_s 0 = never ends. */
struct budget_row {
    struct budget b;
    int64_t since_s; /* nothing that ended before is charged */
    int64_t start_s, next_s;
};

#define BUDGET_COLUMNS                                                                             \
    "scope, name, resource, period, granted, since_s, period_start, period_next, charged, over"

/* A row that was selected as BUDGET_COLUMNS. */
void budget_row_read(sqlite3_stmt *st, struct budget_row *r);
/* ?1 scope, ?2 name, ?3 resource. */
void budget_row_bind(sqlite3_stmt *st, const struct budget *b);
/* 1 found, 0 not, -1 error. b names it. */
int budget_row_get(ledger_t *l, const struct budget *b, struct budget_row *out, struct err *e);
int budget_row_insert(ledger_t *l, const struct budget_row *r, struct err *e);
int budget_row_update(ledger_t *l, const struct budget_row *r, struct err *e);

/* What the history knows of the period of b that began at start_s. 1 found, 0 not (both figures are
 * 0 then), -1 error. */
int budget_history_get(ledger_t *l, const struct budget *b, int64_t start_s, uint64_t *charged,
                       uint64_t *over, struct err *e);
/* Add to a period that is not the row's own (any more). */
int budget_history_add(ledger_t *l, const struct budget *b, int64_t start_s, uint64_t charged,
                       uint64_t over, struct err *e);
/* Add what the row has charged in its period. */
int budget_history_move(ledger_t *l, const struct budget_row *r, struct err *e);

#endif
