/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small settings that must survive a restart, by name: the switches of
 * `carnot on` and `carnot off`.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ledger/store.h"

#define KEY_MAX 256
#define VALUE_MAX 4096

int ledger_kv_set(ledger_t *l, const char *key, const char *value, struct err *e)
{
    sqlite3_stmt *st;

    if (strnlen(key, KEY_MAX) == KEY_MAX || (value && strnlen(value, VALUE_MAX) == VALUE_MAX)) {
        errno = EINVAL;
        return err_set(e, "ledger: a setting's name or value is too long");
    }
    st = value ? store_get(l, STORE_KV_SET,
                           "INSERT INTO kv (key, value) VALUES (?1, ?2)"
                           " ON CONFLICT DO UPDATE SET value = excluded.value",
                           e)
               : store_get(l, STORE_KV_REMOVE, "DELETE FROM kv WHERE key = ?1", e);
    if (!st)
        return -1;
    store_bind_text(st, 1, key, KEY_MAX);
    if (value)
        store_bind_text(st, 2, value, VALUE_MAX);
    return store_run(l, st, e) < 0 ? -1 : 0;
}

int ledger_kv_each(ledger_t *l, const char *prefix,
                   int (*cb)(const char *key, const char *value, void *arg), void *arg,
                   struct err *e)
{
    sqlite3_stmt *st = NULL;
    char key[KEY_MAX], value[VALUE_MAX];
    int saved, stop = 0;
    /* a statement of its own: cb may call the ledger, and this function too */
    int rc = sqlite3_prepare_v2(l->db,
                                "SELECT key, value FROM kv WHERE key >= ?1"
                                " AND substr(key, 1, length(?1)) = ?1 ORDER BY key",
                                -1, &st, NULL);

    if (rc != SQLITE_OK)
        return store_fail(l, rc, e, "cannot list settings");
    sqlite3_bind_text(st, 1, prefix, -1, SQLITE_STATIC);
    while (!stop && (rc = store_next(l, st, e)) > 0) {
        store_text(st, 0, key, sizeof(key));
        store_text(st, 1, value, sizeof(value));
        stop = cb(key, value, arg);
    }
    saved = errno;
    sqlite3_finalize(st);
    errno = saved;
    return !stop && rc < 0 ? -1 : 0;
}
