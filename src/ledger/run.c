/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs: what the jobs that a user gave one name have waited for the grid together. Times in which
 * several of them waited count once, since they pass once.
 */
#include "config.h"

#include "ledger/store.h"

int ledger_run_waited(ledger_t *l, uint32_t uid, const char *name, int64_t from_s, int64_t to_s,
                      int64_t rest_s, struct err *e)
{
    /* max(a, b) with two arguments is SQLite's larger of two */
    sqlite3_stmt *st = store_get(l, STORE_RUN_PUT,
                                 "INSERT INTO run (uid, name, waited_s, until_s)"
                                 " VALUES (?1, ?2, ?4 - ?3, ?4) ON CONFLICT DO UPDATE SET"
                                 " waited_s = CASE WHEN until_s + ?5 < ?3 THEN ?4 - ?3"
                                 "  ELSE waited_s + max(0, ?4 - max(?3, until_s)) END,"
                                 " until_s = max(until_s, ?4)",
                                 e);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, uid);
    store_bind_text(st, 2, name, LEDGER_NAME_MAX);
    sqlite3_bind_int64(st, 3, from_s);
    sqlite3_bind_int64(st, 4, to_s > from_s ? to_s : from_s);
    sqlite3_bind_int64(st, 5, rest_s);
    return store_run(l, st, e) < 0 ? -1 : 0;
}

static void _read(sqlite3_stmt *st, void *row, void *arg)
{
    struct ledger_run *run = row;

    (void)arg;
    run->uid = (uint32_t)sqlite3_column_int64(st, 0);
    store_text(st, 1, run->name, sizeof(run->name));
    run->waited_s = sqlite3_column_int64(st, 2);
    run->until_s = sqlite3_column_int64(st, 3);
}

int ledger_run_list(ledger_t *l, int64_t since_s, struct ledger_run **out, size_t *n, struct err *e)
{
    sqlite3_stmt *st = store_get(l, STORE_RUN_LIST,
                                 "SELECT uid, name, waited_s, until_s FROM run"
                                 " WHERE until_s >= ?1 ORDER BY uid, name",
                                 e);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, since_s);
    return store_list(l, st, sizeof(**out), _read, NULL, (void **)out, n, e);
}
