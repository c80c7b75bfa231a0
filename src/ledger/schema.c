/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schema: one text of SQL a version, run in order from PRAGMA user_version
 * on. A text that was released is never edited again. Energies are uJ, emissions
 * ug, times seconds since the epoch; unsigned 64-bit numbers stop at 2^63-1.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "ledger/schema.h"
#include "ledger/store.h"

#define APPLICATION_ID 0x43524e54 /* "CRNT" */

/*
 * job_open holds every column that the reserved sums need (also settled, which SQLite tests once
 * more): they read the few open rows among millions of settled ones from the index alone, in one
 * pass. The row's id stands behind the columns of each index and decides between equal times.
 */
static const char version_1[] =
    "CREATE TABLE budget ("
    " scope INTEGER NOT NULL, name TEXT NOT NULL, resource INTEGER NOT NULL,"
    " period INTEGER NOT NULL, granted INTEGER NOT NULL,"
    " since_s INTEGER NOT NULL,"                                    /* charges count from here on */
    " period_start INTEGER NOT NULL, period_next INTEGER NOT NULL," /* next 0: never ends */
    " charged INTEGER NOT NULL DEFAULT 0, over INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (scope, name, resource)) WITHOUT ROWID;"

    "CREATE TABLE budget_history ("
    " scope INTEGER NOT NULL, name TEXT NOT NULL, resource INTEGER NOT NULL,"
    " period INTEGER NOT NULL, period_start INTEGER NOT NULL,"
    " charged INTEGER NOT NULL, over INTEGER NOT NULL,"
    " PRIMARY KEY (scope, name, resource, period, period_start)) WITHOUT ROWID;"

    "CREATE TABLE job ("
    " id INTEGER PRIMARY KEY,"
    " job_id INTEGER NOT NULL, restart INTEGER NOT NULL, submit_s INTEGER NOT NULL,"
    " array_job_id INTEGER NOT NULL, array_task INTEGER NOT NULL, decision INTEGER NOT NULL,"
    " uid INTEGER NOT NULL, user TEXT NOT NULL, account TEXT NOT NULL, partition TEXT NOT NULL,"
    " name TEXT NOT NULL, run TEXT NOT NULL, state TEXT NOT NULL, nodelist TEXT NOT NULL,"
    " nodes INTEGER NOT NULL, cpus INTEGER NOT NULL, tasks INTEGER NOT NULL,"
    " limit_s INTEGER NOT NULL, start_s INTEGER NOT NULL, end_s INTEGER NOT NULL,"
    " planned_s INTEGER NOT NULL, latest_s INTEGER NOT NULL, begin_set_s INTEGER NOT NULL,"
    " released INTEGER NOT NULL, delay_s INTEGER NOT NULL,"
    " allowance_s INTEGER NOT NULL, spent_s INTEGER NOT NULL, bonus INTEGER NOT NULL,"
    " reserved_uj INTEGER NOT NULL, reserved_ug INTEGER NOT NULL,"
    " limit_uj INTEGER NOT NULL, limit_ug INTEGER NOT NULL, action INTEGER NOT NULL,"
    " enforce_step INTEGER NOT NULL, enforce_s INTEGER NOT NULL,"
    " estimate_uj INTEGER NOT NULL, estimate_ug INTEGER NOT NULL,"
    " estimate_now_ug INTEGER NOT NULL,"
    " energy_uj INTEGER NOT NULL, carbon_ug INTEGER NOT NULL, asap_ug INTEGER NOT NULL,"
    " modelled_uj INTEGER NOT NULL, split_uj INTEGER NOT NULL, quality INTEGER NOT NULL,"
    " coverage TEXT NOT NULL, measured_until_s INTEGER NOT NULL,"
    " live INTEGER NOT NULL, settled INTEGER NOT NULL);"

    "CREATE UNIQUE INDEX job_key ON job (job_id, submit_s, restart);"
    "CREATE INDEX job_array ON job (array_job_id) WHERE array_job_id <> 0;"
    "CREATE INDEX job_submit ON job (submit_s);"
    "CREATE INDEX job_end ON job (end_s, submit_s);"
    "CREATE INDEX job_user ON job (user, submit_s);"
    "CREATE INDEX job_account ON job (account, submit_s);"
    "CREATE INDEX job_open ON job"
    " (account, user, reserved_uj, energy_uj, reserved_ug, carbon_ug, settled)"
    " WHERE settled = 0;"

    "CREATE TABLE node ("
    " node TEXT PRIMARY KEY, seq INTEGER NOT NULL, last_s INTEGER NOT NULL,"
    " node_uj INTEGER NOT NULL, jobs_uj INTEGER NOT NULL,"
    " idle_uj INTEGER NOT NULL, system_uj INTEGER NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE intensity ("
    " zone TEXT NOT NULL, t_s INTEGER NOT NULL, g_per_kwh REAL NOT NULL,"
    " PRIMARY KEY (zone, t_s)) WITHOUT ROWID;"

    "CREATE TABLE run ("
    " uid INTEGER NOT NULL, name TEXT NOT NULL, waited_s INTEGER NOT NULL,"
    " until_s INTEGER NOT NULL, PRIMARY KEY (uid, name)) WITHOUT ROWID;"

    "CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";

/* Slurm's own limits: which rows they hold back, and the accounts above an account. job_open is
 * made anew with the columns that the reserved sums read now. */
static const char version_2[] =
    "ALTER TABLE job ADD COLUMN watts INTEGER NOT NULL DEFAULT 0;"
    "DROP INDEX job_open;"
    "CREATE INDEX job_open ON job"
    " (account, user, reserved_uj, energy_uj, reserved_ug, carbon_ug, watts, start_s, end_s,"
    " limit_s, settled) WHERE settled = 0;"
    "CREATE TABLE account_tree (child TEXT PRIMARY KEY, parent TEXT NOT NULL) WITHOUT ROWID;";

/* By which policy a job waits, for when its note is gone. */
static const char version_3[] = "ALTER TABLE job ADD COLUMN policy INTEGER NOT NULL DEFAULT 0;";

/* What was forecast for an hour, and what came (NULL: not known yet). */
static const char version_4[] =
    "CREATE TABLE guess ("
    " zone TEXT NOT NULL, t_s INTEGER NOT NULL, ahead_h INTEGER NOT NULL, source INTEGER NOT NULL,"
    " g_per_kwh REAL NOT NULL, came REAL, PRIMARY KEY (zone, t_s, ahead_h)) WITHOUT ROWID;";

/* Pauses of jobs that may be requeued for them. */
static const char version_5[] = "ALTER TABLE job ADD COLUMN requeue INTEGER NOT NULL DEFAULT 0;"
                                "ALTER TABLE job ADD COLUMN pauses INTEGER NOT NULL DEFAULT 0;"
                                "ALTER TABLE job ADD COLUMN ran_s INTEGER NOT NULL DEFAULT 0;"
                                "ALTER TABLE job ADD COLUMN paused_s INTEGER NOT NULL DEFAULT 0;"
                                "ALTER TABLE job ADD COLUMN done_by_s INTEGER NOT NULL DEFAULT 0;"
                                "ALTER TABLE job ADD COLUMN resume_s INTEGER NOT NULL DEFAULT 0;";

/* What a job's watts are learnt for; LEDGER_GPUS_UNKNOWN of what is there. */
static const char version_6[] =
    "ALTER TABLE job ADD COLUMN gpus INTEGER NOT NULL DEFAULT 4294967295;";

static const char *const versions[] = {version_1, version_2, version_3,
                                       version_4, version_5, version_6};
#define SCHEMA_VERSION ((int)(sizeof(versions) / sizeof(versions[0])))

/* The one integer that sql answers. 0 or -1. */
static int _ask(ledger_t *l, const char *sql, int *out, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(l->db, sql, -1, &st, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return rc == SQLITE_ROW ? 0 : store_fail(l, rc, e, "cannot read the ledger's version");
}

static int _run(ledger_t *l, const char *sql, struct err *e)
{
    int rc = sqlite3_exec(l->db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : store_fail(l, rc, e, "cannot make the ledger's tables");
}

int schema_version(ledger_t *l, int *version, int *known, struct err *e)
{
    int application, tables;

    if (_ask(l, "PRAGMA user_version", version, e) < 0 ||
        _ask(l, "PRAGMA application_id", &application, e) < 0 ||
        _ask(l, "SELECT count(*) FROM sqlite_master", &tables, e) < 0)
        return -1;
    *known = SCHEMA_VERSION;
    if (application != APPLICATION_ID && (application || *version || tables)) {
        errno = EINVAL;
        return err_set(e, "a database of another program, not a ledger");
    }
    return 0;
}

int schema_migrate(ledger_t *l, struct err *e)
{
    char pragmas[96];
    int version, known;

    if (schema_version(l, &version, &known, e) < 0)
        return -1;
    if (version > known) {
        errno = ENOTSUP;
        return err_set(e, "the ledger has schema %d, this build knows %d: use a newer Carnot",
                       version, known);
    }
    if (version == known)
        return 0;
    if (ledger_begin(l, e) < 0)
        return -1;
    for (int i = version; i < SCHEMA_VERSION; i++) {
        if (_run(l, versions[i], e) < 0)
            goto error;
    }
    (void)snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id=%d; PRAGMA user_version=%d",
                   APPLICATION_ID, SCHEMA_VERSION);
    if (_run(l, pragmas, e) < 0)
        goto error;
    return ledger_commit(l, e);
error:
    ledger_rollback(l);
    return -1;
}
