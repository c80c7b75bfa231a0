/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The intensity that was, kept so that a record which arrives days late is
 * accounted with the grid of its own interval and not with today's.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "ledger/store.h"

#define ZONE_MAX 256

static int _put(ledger_t *l, const char *zone, const struct ledger_intensity *v, struct err *e)
{
    /* a feed is loaded again and again: rows that did not change are not written */
    sqlite3_stmt *st = store_get(l, STORE_INTENSITY_PUT,
                                 "INSERT INTO intensity (zone, t_s, g_per_kwh) VALUES (?1, ?2, ?3)"
                                 " ON CONFLICT DO UPDATE SET g_per_kwh = excluded.g_per_kwh"
                                 " WHERE g_per_kwh <> excluded.g_per_kwh",
                                 e);

    if (!st)
        return -1;
    store_bind_text(st, 1, zone, ZONE_MAX);
    sqlite3_bind_int64(st, 2, v->t_s);
    sqlite3_bind_double(st, 3, v->g_per_kwh);
    return store_run(l, st, e) < 0 ? -1 : 0;
}

int ledger_intensity_put(ledger_t *l, const char *zone, const struct ledger_intensity *v, size_t n,
                         struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(v[i].g_per_kwh) || v[i].g_per_kwh < 0.0) {
            errno = EINVAL;
            return err_set(e, "ledger: an intensity is a number from 0 on");
        }
    }
    if (ledger_begin(l, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (_put(l, zone, &v[i], e) < 0) {
            ledger_rollback(l);
            return -1;
        }
    }
    return ledger_commit(l, e);
}

static void _read(sqlite3_stmt *st, void *row, void *arg)
{
    (void)arg;
    *(struct ledger_intensity *)row =
        (struct ledger_intensity){sqlite3_column_int64(st, 0), sqlite3_column_double(st, 1)};
}

int ledger_intensity_get(ledger_t *l, const char *zone, int64_t from_s, int64_t to_s,
                         struct ledger_intensity **out, size_t *n, struct err *e)
{
    sqlite3_stmt *st = store_get(
        l, STORE_INTENSITY_GET,
        "SELECT t_s, g_per_kwh FROM intensity WHERE zone = ?1 AND t_s <= ?3 AND t_s >= ifnull("
        "(SELECT max(t_s) FROM intensity WHERE zone = ?1 AND t_s <= ?2), ?2) ORDER BY t_s",
        e);

    if (!st)
        return -1;
    store_bind_text(st, 1, zone, ZONE_MAX);
    sqlite3_bind_int64(st, 2, from_s);
    sqlite3_bind_int64(st, 3, to_s);
    return store_list(l, st, sizeof(**out), _read, NULL, (void **)out, n, e);
}
