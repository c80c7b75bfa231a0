/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was forecast, kept until it is known what came and for as long as errors
 * are counted. A row is small and there are few: eight an hour.
 */
#include "config.h"

#include <errno.h>
#include <math.h>

#include "ledger/store.h"

#define ZONE_MAX 256

static int _put(ledger_t *l, const char *zone, const struct ledger_guess *v, struct err *e)
{
    sqlite3_stmt *st = store_get(l, STORE_GUESS_PUT,
                                 "INSERT INTO guess (zone, t_s, ahead_h, source, g_per_kwh, came)"
                                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
                                 " ON CONFLICT DO UPDATE SET came = coalesce(excluded.came, came)",
                                 e);

    if (!st)
        return -1;
    store_bind_text(st, 1, zone, ZONE_MAX);
    sqlite3_bind_int64(st, 2, v->t_s);
    sqlite3_bind_int64(st, 3, v->ahead_h);
    sqlite3_bind_int64(st, 4, v->source);
    sqlite3_bind_double(st, 5, v->g_per_kwh);
    sqlite3_bind_double(st, 6, v->came_g_per_kwh); /* SQLite makes NULL of NAN */
    return store_run(l, st, e) < 0 ? -1 : 0;
}

static int _trim(ledger_t *l, int64_t from_s, int64_t to_s, struct err *e)
{
    sqlite3_stmt *st =
        store_get(l, STORE_GUESS_TRIM, "DELETE FROM guess WHERE t_s < ?1 OR t_s > ?2", e);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, from_s);
    sqlite3_bind_int64(st, 2, to_s);
    return store_run(l, st, e) < 0 ? -1 : 0;
}

int ledger_guess_put(ledger_t *l, const char *zone, const struct ledger_guess *v, size_t n,
                     int64_t from_s, int64_t to_s, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(v[i].g_per_kwh) || isinf(v[i].came_g_per_kwh)) {
            errno = EINVAL;
            return err_set(e, "ledger: a forecast is a number");
        }
    }
    if (ledger_begin(l, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (_put(l, zone, &v[i], e) < 0)
            goto error;
    }
    if (_trim(l, from_s, to_s, e) < 0)
        goto error;
    return ledger_commit(l, e);
error:
    ledger_rollback(l);
    return -1;
}

static void _read(sqlite3_stmt *st, void *row, void *arg)
{
    struct ledger_guess *v = row;

    (void)arg;
    v->t_s = sqlite3_column_int64(st, 0);
    v->ahead_h = sqlite3_column_int(st, 1);
    v->source = sqlite3_column_int(st, 2);
    v->g_per_kwh = sqlite3_column_double(st, 3);
    v->came_g_per_kwh =
        sqlite3_column_type(st, 4) == SQLITE_NULL ? NAN : sqlite3_column_double(st, 4);
}

int ledger_guess_list(ledger_t *l, const char *zone, struct ledger_guess **out, size_t *n,
                      struct err *e)
{
    sqlite3_stmt *st = store_get(l, STORE_GUESS_LIST,
                                 "SELECT t_s, ahead_h, source, g_per_kwh, came FROM guess"
                                 " WHERE zone = ?1 ORDER BY t_s, ahead_h",
                                 e);

    if (!st)
        return -1;
    store_bind_text(st, 1, zone, ZONE_MAX);
    return store_list(l, st, sizeof(**out), _read, NULL, (void **)out, n, e);
}
