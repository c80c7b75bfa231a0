/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ledger looked at by somebody who does not own it: read-only, and for a limited time.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "ledger/schema.h"
#include "ledger/store.h"

/* Instructions of SQLite's machine between two looks at the clock. */
#define LOOK_EVERY 100000
#define BUSY_TIMEOUT_MS 1000

static int _late(void *arg)
{
    const int64_t *deadline_ms = arg;

    return clock_mono_ms(&clock_system) > *deadline_ms;
}

/* 0 also when it was given up; -1 and e. */
static int _quick_check(ledger_t *l, struct ledger_health *h, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(l->db, "PRAGMA quick_check(1)", -1, &st, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        store_text(st, 0, h->damage, sizeof(h->damage));
        h->finished = 1;
        if (strcmp(h->damage, "ok") == 0)
            h->damage[0] = '\0';
    }
    sqlite3_finalize(st);
    return rc == SQLITE_ROW || (rc & 0xff) == SQLITE_INTERRUPT
               ? 0
               : store_fail(l, rc, e, "cannot be checked");
}

int ledger_check(const char *path, int timeout_ms, struct ledger_health *h, struct err *e)
{
    int64_t deadline_ms = clock_mono_ms(&clock_system) + timeout_ms;
    struct ledger l = {0};
    int rc = sqlite3_open_v2(path, &l.db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

    *h = (struct ledger_health){0};
    if (rc != SQLITE_OK) {
        rc = store_fail(&l, rc, e, "cannot open");
    } else {
        sqlite3_extended_result_codes(l.db, 1);
        sqlite3_busy_timeout(l.db, BUSY_TIMEOUT_MS);
        rc = schema_version(&l, &h->schema, &h->known, e);
        sqlite3_progress_handler(l.db, LOOK_EVERY, _late, &deadline_ms);
        if (rc == 0)
            rc = _quick_check(&l, h, e);
    }
    sqlite3_close_v2(l.db);
    return rc < 0 ? err_prefix(e, "%s", path) : 0;
}
