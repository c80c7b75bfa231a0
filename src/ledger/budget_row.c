/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of the tables budget and budget_history, read and written. A budget row
 * holds the newest period that anything was charged to; what was charged to
 * earlier ones, also by late records, is in the history.
 */
#include "config.h"

#include "ledger/budget.h"
#include "ledger/store.h"

void budget_row_read(sqlite3_stmt *st, struct budget_row *r)
{
    *r = (struct budget_row){0};
    r->b.scope = (enum budget_scope)sqlite3_column_int(st, 0);
    store_text(st, 1, r->b.name, sizeof(r->b.name));
    r->b.resource = (enum budget_resource)sqlite3_column_int(st, 2);
    r->b.period = (enum budget_period)sqlite3_column_int(st, 3);
    r->b.granted = store_u64(st, 4);
    r->since_s = sqlite3_column_int64(st, 5);
    r->start_s = sqlite3_column_int64(st, 6);
    r->next_s = sqlite3_column_int64(st, 7);
    r->b.charged = store_u64(st, 8);
    r->b.over = store_u64(st, 9);
}

/* ?1 scope, ?2 name, ?3 resource: how every statement on one budget begins. */
void budget_row_bind(sqlite3_stmt *st, const struct budget *b)
{
    sqlite3_bind_int(st, 1, (int)b->scope);
    store_bind_text(st, 2, b->name, sizeof(b->name));
    sqlite3_bind_int(st, 3, (int)b->resource);
}

/* 1 found, 0 not, -1 error. b names it. */
int budget_row_get(ledger_t *l, const struct budget *b, struct budget_row *out, struct err *e)
{
    sqlite3_stmt *st = store_get(l, STORE_BUDGET_GET,
                                 "SELECT " BUDGET_COLUMNS
                                 " FROM budget WHERE scope = ?1 AND name = ?2 AND resource = ?3",
                                 e);
    int found;

    if (!st)
        return -1;
    budget_row_bind(st, b);
    found = store_next(l, st, e);
    if (found > 0) {
        budget_row_read(st, out);
        store_done(st);
    }
    return found;
}

static int _write(ledger_t *l, enum store_slot slot, const char *sql, const struct budget_row *r,
                  struct err *e)
{
    sqlite3_stmt *st = store_get(l, slot, sql, e);

    if (!st)
        return -1;
    budget_row_bind(st, &r->b);
    sqlite3_bind_int(st, 4, (int)r->b.period);
    store_bind_u64(st, 5, r->b.granted);
    sqlite3_bind_int64(st, 6, r->since_s);
    sqlite3_bind_int64(st, 7, r->start_s);
    sqlite3_bind_int64(st, 8, r->next_s);
    store_bind_u64(st, 9, r->b.charged);
    store_bind_u64(st, 10, r->b.over);
    return store_run(l, st, e) < 0 ? -1 : 0;
}

int budget_row_insert(ledger_t *l, const struct budget_row *r, struct err *e)
{
    return _write(l, STORE_BUDGET_INSERT,
                  "INSERT INTO budget (" BUDGET_COLUMNS ") VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
                  r, e);
}

int budget_row_update(ledger_t *l, const struct budget_row *r, struct err *e)
{
    return _write(l, STORE_BUDGET_UPDATE,
                  "UPDATE budget SET period = ?4, granted = ?5, since_s = ?6, period_start = ?7,"
                  " period_next = ?8, charged = ?9, over = ?10"
                  " WHERE scope = ?1 AND name = ?2 AND resource = ?3",
                  r, e);
}

/* What the history knows of the period of b that began at start_s. 1 found, 0 not, -1 error. */
int budget_history_get(ledger_t *l, const struct budget *b, int64_t start_s, uint64_t *charged,
                       uint64_t *over, struct err *e)
{
    sqlite3_stmt *st = store_get(l, STORE_HISTORY_GET,
                                 "SELECT charged, over FROM budget_history WHERE scope = ?1"
                                 " AND name = ?2 AND resource = ?3 AND period = ?4"
                                 " AND period_start = ?5",
                                 e);
    int found;

    *charged = *over = 0;
    if (!st)
        return -1;
    budget_row_bind(st, b);
    sqlite3_bind_int(st, 4, (int)b->period);
    sqlite3_bind_int64(st, 5, start_s);
    found = store_next(l, st, e);
    if (found > 0) {
        *charged = store_u64(st, 0);
        *over = store_u64(st, 1);
        store_done(st);
    }
    return found;
}

/* Add to a period that is not the row's own (any more). */
int budget_history_add(ledger_t *l, const struct budget *b, int64_t start_s, uint64_t charged,
                       uint64_t over, struct err *e)
{
    uint64_t old_charged, old_over;
    sqlite3_stmt *st;

    if (charged == 0 && over == 0)
        return 0;
    if (budget_history_get(l, b, start_s, &old_charged, &old_over, e) < 0)
        return -1;
    st = store_get(l, STORE_HISTORY_PUT,
                   "INSERT INTO budget_history (scope, name, resource, period, period_start,"
                   " charged, over) VALUES (?1,?2,?3,?4,?5,?6,?7) ON CONFLICT DO UPDATE SET"
                   " charged = excluded.charged, over = excluded.over",
                   e);
    if (!st)
        return -1;
    budget_row_bind(st, b);
    sqlite3_bind_int(st, 4, (int)b->period);
    sqlite3_bind_int64(st, 5, start_s);
    store_bind_u64(st, 6, store_add(old_charged, charged));
    store_bind_u64(st, 7, store_add(old_over, over));
    return store_run(l, st, e) < 0 ? -1 : 0;
}

int budget_history_move(ledger_t *l, const struct budget_row *r, struct err *e)
{
    return budget_history_add(l, &r->b, r->start_s, r->b.charged, r->b.over, e);
}
