/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Statements, values and errors of SQLite for the rest of the directory. A
 * statement that was stepped is reset before control leaves the ledger: an
 * open read would keep the write-ahead log from being folded back for ever.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/store.h"

static int _errno_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return EBUSY;
    case SQLITE_FULL:
        return ENOSPC;
    case SQLITE_NOMEM:
        return ENOMEM;
    case SQLITE_READONLY:
        return EROFS;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
        return EACCES;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return EBADMSG;
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
        return EINVAL;
    default:
        return EIO;
    }
}

int store_fail(ledger_t *l, int rc, struct err *e, const char *what)
{
    /* the code alone when the connection remembers another error */
    const char *text =
        (sqlite3_errcode(l->db) & 0xff) == (rc & 0xff) ? sqlite3_errmsg(l->db) : sqlite3_errstr(rc);

    err_set(e, "ledger: %s: %s", what, text);
    errno = _errno_of(rc);
    return -1;
}

int store_no_job(struct job_key key, struct err *e)
{
    errno = ENOENT;
    return err_set(e, "ledger: no job %u, restart %u, submitted at %lld", key.job_id, key.restart,
                   (long long)key.submit_s);
}

sqlite3_stmt *store_get(ledger_t *l, enum store_slot slot, const char *sql, struct err *e)
{
    int rc;

    if (l->depth > 0 && sqlite3_get_autocommit(l->db)) {
        errno = EIO;
        err_set(e, "ledger: an earlier error has undone the transaction");
        return NULL;
    }
    if (l->slot[slot])
        return l->slot[slot];
    rc = sqlite3_prepare_v3(l->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &l->slot[slot], NULL);
    if (rc != SQLITE_OK) {
        store_fail(l, rc, e, "cannot prepare");
        return NULL;
    }
    return l->slot[slot];
}

void store_done(sqlite3_stmt *st)
{
    int saved = errno;

    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    errno = saved;
}

int store_next(ledger_t *l, sqlite3_stmt *st, struct err *e)
{
    int rc = sqlite3_step(st);

    if (rc == SQLITE_ROW)
        return 1;
    if (rc != SQLITE_DONE)
        store_fail(l, rc, e, "database");
    store_done(st);
    return rc == SQLITE_DONE ? 0 : -1;
}

int store_run(ledger_t *l, sqlite3_stmt *st, struct err *e)
{
    int rc = store_next(l, st, e);

    if (rc > 0)
        store_done(st);
    return rc < 0 ? -1 : sqlite3_changes(l->db);
}

void store_bind_text(sqlite3_stmt *st, int i, const char *text, size_t size)
{
    size_t n = text ? strnlen(text, size ? size - 1 : 0) : 0;

    sqlite3_bind_text(st, i, text ? text : "", (int)n, SQLITE_STATIC);
}

void store_bind_u64(sqlite3_stmt *st, int i, uint64_t v)
{
    sqlite3_bind_int64(st, i, v > INT64_MAX ? INT64_MAX : (int64_t)v);
}

void store_bind_key(sqlite3_stmt *st, struct job_key key)
{
    sqlite3_bind_int64(st, 1, key.job_id);
    sqlite3_bind_int64(st, 2, key.submit_s);
    sqlite3_bind_int64(st, 3, key.restart);
}

uint64_t store_u64(sqlite3_stmt *st, int i)
{
    int64_t v = sqlite3_column_int64(st, i);

    return v < 0 ? 0 : (uint64_t)v;
}

void store_text(sqlite3_stmt *st, int i, char *buf, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(st, i);

    (void)snprintf(buf, size, "%s", text ? text : "");
}

/* Room for one row more. */
static int _grow(char **array, size_t n, size_t *room, size_t size, struct err *e)
{
    size_t more = *room ? 2 * *room : 16;
    char *p;

    if (n < *room)
        return 0;
    p = realloc(*array, more * size);
    if (!p)
        return err_errno(e, "ledger");
    *array = p;
    *room = more;
    return 0;
}

int store_list(ledger_t *l, sqlite3_stmt *st, size_t size, store_read_f *read, void *arg,
               void **out, size_t *n, struct err *e)
{
    char *list = NULL;
    size_t count = 0, room = 0;
    int rc, saved;

    while ((rc = store_next(l, st, e)) > 0) {
        if (_grow(&list, count, &room, size, e) < 0)
            goto error;
        memset(list + count * size, 0, size);
        read(st, list + count++ * size, arg);
    }
    if (rc < 0 || _grow(&list, count, &room, size, e) < 0)
        goto error;
    *out = list;
    *n = count;
    return 0;
error:
    saved = errno;
    store_done(st);
    free(list);
    errno = saved;
    return -1;
}
