/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening the ledger, and its transactions. The outermost ledger_begin takes the
 * write lock at once (no upgrade can fail later on); inner ones are savepoints,
 * so that a call that fails inside a group undoes itself and nothing else.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/budget.h"
#include "ledger/ledger.h"
#include "ledger/schema.h"
#include "ledger/store.h"

/* Somebody with the sqlite3 shell may hold a lock; the caller's loop must not stand longer. */
#define BUSY_TIMEOUT_MS 250

/*
 * FULL: a commit is on the disk when it returns, which it must be before a node is told that its
 * record counts. 16 MiB of log between two foldings into the file: a page that many records touch
 * is written to the file once.
 */
static const char pragmas[] = "PRAGMA journal_mode=WAL;"
                              "PRAGMA synchronous=FULL;"
                              "PRAGMA wal_autocheckpoint=4000;"
                              "PRAGMA journal_size_limit=67108864;"
                              "PRAGMA cache_size=-16000;"
                              "PRAGMA temp_store=MEMORY;"
                              "PRAGMA trusted_schema=OFF;";

/* Make the file before SQLite does, which gives its -wal and -shm the same mode: no moment at
 * which others can read, and no umask to change for the whole process. */
static int _make_file(const char *path, struct err *e)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0)
        return close(fd) < 0 ? err_errno(e, "ledger %s", path) : 0;
    if (errno != EEXIST || stat(path, &st) < 0)
        return err_errno(e, "ledger %s", path);
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        return err_set(e, "ledger %s: not a regular file", path);
    }
    if ((st.st_mode & 077) && chmod(path, 0600) < 0)
        return err_errno(e, "ledger %s: others may read it, and its mode cannot be changed", path);
    return 0;
}

static int _open(ledger_t *l, const char *path, struct err *e)
{
    int rc = sqlite3_open_v2(path, &l->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    if (!l->db) {
        errno = ENOMEM;
        return err_errno(e, "cannot open");
    }
    if (rc != SQLITE_OK)
        return store_fail(l, rc, e, "cannot open");
    sqlite3_extended_result_codes(l->db, 1);
    sqlite3_busy_timeout(l->db, BUSY_TIMEOUT_MS);
    sqlite3_db_config(l->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    rc = sqlite3_exec(l->db, pragmas, NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return store_fail(l, rc, e, "cannot open");
    return schema_migrate(l, e) < 0 ? -1 : tree_load(l, e);
}

ledger_t *ledger_open(const char *path, struct err *e)
{
    int in_memory = strcmp(path, ":memory:") == 0;
    ledger_t *l;

    if (!in_memory && _make_file(path, e) < 0)
        return NULL;
    l = calloc(1, sizeof(*l));
    if (!l) {
        err_errno(e, "ledger %s", path);
        return NULL;
    }
    if (_open(l, path, e) < 0) {
        err_prefix(e, "ledger %s", path);
        ledger_close(l);
        return NULL;
    }
    return l;
}

void ledger_close(ledger_t *l)
{
    int saved = errno;

    if (!l)
        return;
    for (size_t i = 0; i < STORE_SLOTS; i++)
        sqlite3_finalize(l->slot[i]);
    /* rolls back what was begun and not committed */
    sqlite3_close_v2(l->db);
    free(l->tree);
    free(l);
    errno = saved;
}

static int _step(ledger_t *l, enum store_slot slot, const char *sql, struct err *e)
{
    sqlite3_stmt *st = store_get(l, slot, sql, e);

    return st && store_run(l, st, e) >= 0 ? 0 : -1;
}

int ledger_begin(ledger_t *l, struct err *e)
{
    int rc = l->depth ? _step(l, STORE_SAVEPOINT, "SAVEPOINT level", e)
                      : _step(l, STORE_BEGIN, "BEGIN IMMEDIATE", e);

    if (rc == 0)
        l->depth++;
    return rc;
}

int ledger_commit(ledger_t *l, struct err *e)
{
    int rc;

    if (l->depth == 0) {
        errno = EINVAL;
        return err_set(e, "ledger: commit without begin");
    }
    rc = l->depth > 1 ? _step(l, STORE_RELEASE, "RELEASE level", e)
                      : _step(l, STORE_COMMIT, "COMMIT", e);
    if (rc < 0)
        ledger_rollback(l);
    else
        l->depth--;
    return rc;
}

void ledger_rollback(ledger_t *l)
{
    int saved = errno;

    if (l->depth == 0)
        return;
    l->depth--;
    /* some errors (a full disk) have undone it all: then there is nothing left to undo */
    if (!sqlite3_get_autocommit(l->db))
        (void)sqlite3_exec(l->db, l->depth ? "ROLLBACK TO level; RELEASE level" : "ROLLBACK", NULL,
                           NULL, NULL);
    errno = saved;
}
