/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Job rows: what Slurm's list says, what Carnot decided, what was consumed. One
 * table of columns makes the statements and moves each value between a row and
 * struct ledger_job, so that no column can be bound to a neighbour's place.
 */
#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/store.h"

#define LIST_LIMIT 10000
#define SQL_MAX 4096

/*
 * X(column, field, kind, who): KEY names the row; LIST is overwritten by each put; KEEP belongs to
 * the records and to enforcement, a put of an existing row leaves it alone; ONCE: a put cannot open
 * a row again that was settled.
 */
#define JOB_COLUMNS(X)                                                                             \
    X(job_id, key.job_id, U32, KEY)                                                                \
    X(restart, key.restart, U32, KEY)                                                              \
    X(submit_s, key.submit_s, I64, KEY)                                                            \
    X(array_job_id, array_job_id, U32, LIST)                                                       \
    X(array_task, array_task, I64, LIST)                                                           \
    X(decision, decision, BITS, LIST)                                                              \
    X(uid, uid, U32, LIST)                                                                         \
    X(user, user, TEXT, LIST)                                                                      \
    X(account, account, TEXT, LIST)                                                                \
    X(partition, partition, TEXT, LIST)                                                            \
    X(name, name, TEXT, LIST)                                                                      \
    X(run, run, TEXT, LIST)                                                                        \
    X(state, state, TEXT, LIST)                                                                    \
    X(nodelist, nodelist, TEXT, LIST)                                                              \
    X(nodes, nodes, U32, LIST)                                                                     \
    X(cpus, cpus, U32, LIST)                                                                       \
    X(gpus, gpus, U32, LIST)                                                                       \
    X(tasks, tasks, U32, LIST)                                                                     \
    X(limit_s, limit_s, I64, LIST)                                                                 \
    X(start_s, start_s, I64, LIST)                                                                 \
    X(end_s, end_s, I64, LIST)                                                                     \
    X(planned_s, planned_s, I64, LIST)                                                             \
    X(latest_s, latest_s, I64, LIST)                                                               \
    X(begin_set_s, begin_set_s, I64, LIST)                                                         \
    X(released, released, INT, LIST)                                                               \
    X(allowance_s, allowance_s, I64, LIST)                                                         \
    X(spent_s, spent_s, I64, LIST)                                                                 \
    X(bonus, bonus, I64, LIST)                                                                     \
    X(delay_s, delay_s, I64, LIST)                                                                 \
    X(reserved_uj, reserved_uj, U64, LIST)                                                         \
    X(reserved_ug, reserved_ug, U64, LIST)                                                         \
    X(limit_uj, limit_uj, U64, LIST)                                                               \
    X(limit_ug, limit_ug, U64, LIST)                                                               \
    X(action, action, INT, LIST)                                                                   \
    X(enforce_step, enforce_step, INT, KEEP)                                                       \
    X(enforce_s, enforce_s, I64, KEEP)                                                             \
    X(estimate_uj, estimate_uj, U64, LIST)                                                         \
    X(estimate_ug, estimate_ug, U64, LIST)                                                         \
    X(estimate_now_ug, estimate_now_ug, U64, LIST)                                                 \
    X(energy_uj, energy_uj, U64, KEEP)                                                             \
    X(carbon_ug, carbon_ug, U64, KEEP)                                                             \
    X(asap_ug, asap_ug, U64, KEEP)                                                                 \
    X(modelled_uj, modelled_uj, U64, KEEP)                                                         \
    X(split_uj, split_uj, U64, KEEP)                                                               \
    X(quality, quality, INT, KEEP)                                                                 \
    X(coverage, coverage, TEXT, KEEP)                                                              \
    X(measured_until_s, measured_until_s, I64, KEEP)                                               \
    X(watts, watts, U32, LIST)                                                                     \
    X(policy, policy, INT, LIST)                                                                   \
    X(requeue, requeue, INT, LIST)                                                                 \
    X(pauses, pauses, U32, LIST)                                                                   \
    X(ran_s, ran_s, I64, LIST)                                                                     \
    X(paused_s, paused_s, I64, LIST)                                                               \
    X(done_by_s, done_by_s, I64, LIST)                                                             \
    X(resume_s, resume_s, I64, LIST)                                                               \
    X(live, live, INT, ONCE)                                                                       \
    X(settled, settled, INT, ONCE)

enum kind { U32, U64, BITS, I64, INT, TEXT };

struct column {
    enum kind kind;
    size_t offset, size;
};

#define FIELD(column, field, kind, who)                                                            \
    {kind, offsetof(struct ledger_job, field), sizeof(((struct ledger_job *)0)->field)},
static const struct column columns[] = {JOB_COLUMNS(FIELD)};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* The pieces of the statements; each list ends in a comma, so a constant closes it. */
#define NAME(column, field, kind, who) #column ","
#define MARK(column, field, kind, who) "?,"
#define SET_KEY(column) ""
#define SET_LIST(column) #column "=excluded." #column ","
#define SET_KEEP(column) ""
#define SET_ONCE(column) ""
#define SET(column, field, kind, who) SET_##who(column)
#define OLD_KEY(column) ""
#define OLD_LIST(column) #column ","
#define OLD_KEEP(column) ""
#define OLD_ONCE(column) #column ","
#define OLD(column, field, kind, who) OLD_##who(column)
#define NEW_KEY(column) ""
#define NEW_LIST(column) "excluded." #column ","
#define NEW_KEEP(column) ""
#define NEW_ONCE(column) "excluded." #column ","
#define NEW(column, field, kind, who) NEW_##who(column)

/* clang-format off */
#define SELECT_JOB "SELECT " JOB_COLUMNS(NAME) "0 FROM job"

/* In the order of the index job_end, so that a piece costs what it holds. */
#define SELECT_ENDED                                                                               \
    "SELECT " JOB_COLUMNS(NAME) "id FROM job WHERE (end_s, submit_s, id) > (?1, ?2, ?3)"           \
    " AND end_s > 0 AND end_s < ?4 ORDER BY end_s, submit_s, id LIMIT ?5"

/* The list is put again every few seconds: a row that says nothing new is not written. */
#define PUT_JOB                                                                                    \
    "INSERT INTO job (" JOB_COLUMNS(NAME) "id) VALUES (" JOB_COLUMNS(MARK) "NULL)"                 \
    " ON CONFLICT (job_id, submit_s, restart) DO UPDATE SET " JOB_COLUMNS(SET)                     \
    "live = CASE WHEN settled THEN 0 ELSE excluded.live END,"                                      \
    "settled = max(settled, excluded.settled)"                                                     \
    " WHERE (" JOB_COLUMNS(OLD) "0) <> (" JOB_COLUMNS(NEW) "0)"
/* clang-format on */

const char *ledger_quality_name(enum ledger_quality q)
{
    static const char *const names[] = {"none", "measured", "split", "modelled", "stale"};

    return (unsigned)q < sizeof(names) / sizeof(names[0]) ? names[q] : "none";
}

int ledger_quality_parse(const char *text)
{
    for (int q = QUALITY_NONE; text && q <= QUALITY_STALE; q++) {
        if (strcmp(ledger_quality_name((enum ledger_quality)q), text) == 0)
            return q;
    }
    return -1;
}

static void _bind_column(sqlite3_stmt *st, int i, const struct column *c, const void *p)
{
    uint64_t bits;

    switch (c->kind) {
    case U32:
        sqlite3_bind_int64(st, i, *(const uint32_t *)p);
        break;
    case U64:
        store_bind_u64(st, i, *(const uint64_t *)p);
        break;
    case BITS:
        /* not a quantity: all 64 bits count */
        memcpy(&bits, p, sizeof(bits));
        sqlite3_bind_int64(st, i, (int64_t)bits);
        break;
    case I64:
        sqlite3_bind_int64(st, i, *(const int64_t *)p);
        break;
    case INT:
        sqlite3_bind_int(st, i, *(const int *)p);
        break;
    case TEXT:
        store_bind_text(st, i, p, c->size);
        break;
    }
}

static void _read_column(sqlite3_stmt *st, int i, const struct column *c, void *p)
{
    switch (c->kind) {
    case U32:
        *(uint32_t *)p = (uint32_t)sqlite3_column_int64(st, i);
        break;
    case U64:
        *(uint64_t *)p = store_u64(st, i);
        break;
    case BITS:
        *(uint64_t *)p = (uint64_t)sqlite3_column_int64(st, i);
        break;
    case I64:
        *(int64_t *)p = sqlite3_column_int64(st, i);
        break;
    case INT:
        *(int *)p = sqlite3_column_int(st, i);
        break;
    case TEXT:
        store_text(st, i, p, c->size);
        break;
    }
}

static void _read(sqlite3_stmt *st, struct ledger_job *out)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < COLUMNS; i++)
        _read_column(st, (int)i, &columns[i], (char *)out + columns[i].offset);
}

int ledger_job_put(ledger_t *l, const struct ledger_job *job, struct err *e)
{
    sqlite3_stmt *st = store_get(l, STORE_JOB_PUT, PUT_JOB, e);

    if (!st)
        return -1;
    for (size_t i = 0; i < COLUMNS; i++)
        _bind_column(st, (int)i + 1, &columns[i], (const char *)job + columns[i].offset);
    return store_run(l, st, e) < 0 ? -1 : 0;
}

static int _one(ledger_t *l, sqlite3_stmt *st, struct ledger_job *out, struct err *e)
{
    int found = store_next(l, st, e);

    if (found > 0) {
        _read(st, out);
        store_done(st);
    }
    return found;
}

int ledger_job_get(ledger_t *l, struct job_key key, struct ledger_job *out, struct err *e)
{
    sqlite3_stmt *st = store_get(l, STORE_JOB_GET,
                                 SELECT_JOB " WHERE job_id = ?1 AND (?2 = 0 OR submit_s = ?2)"
                                            " AND (?3 = 4294967295 OR restart = ?3)"
                                            " ORDER BY submit_s DESC, restart DESC LIMIT 1",
                                 e);

    if (!st)
        return -1;
    store_bind_key(st, key);
    return _one(l, st, out, e);
}

int ledger_job_decided(ledger_t *l, uint32_t job_id, uint32_t restart, uint64_t decision,
                       struct ledger_job *out, struct err *e)
{
    sqlite3_stmt *st = store_get(l, STORE_JOB_DECIDED,
                                 SELECT_JOB " WHERE job_id = ?1 AND restart = ?2 AND decision = ?3"
                                            " ORDER BY submit_s DESC LIMIT 1",
                                 e);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, job_id);
    sqlite3_bind_int64(st, 2, restart);
    _bind_column(st, 3, &(struct column){BITS, 0, sizeof(decision)}, &decision);
    return _one(l, st, out, e);
}

/*
 * The conditions are constants put together, values are bound by number: ?1 user, ?2 account, ?3
 * job, ?4 since, ?5 limit, ?6 offset. Conditions that are left out let the indexes of the others
 * serve. Rows are wide: those to show are chosen by their ids first, so that only ids are sorted.
 */
static void _list_sql(char *sql, const struct ledger_query *q)
{
    sql[0] = '\0';
    strcat(sql, SELECT_JOB " WHERE id IN (SELECT id FROM job WHERE 1");
    if (q->job_id)
        strcat(sql, " AND (job_id = ?3 OR array_job_id = ?3 AND array_job_id <> 0)");
    if (q->user)
        strcat(sql, " AND user = ?1");
    if (q->account)
        strcat(sql, " AND account = ?2");
    if (q->live_only)
        strcat(sql, " AND settled = 0");
    if (q->since_s)
        strcat(sql, " AND (end_s > ?4 OR end_s = 0)");
    /* + hides the column from the planner: to walk all submissions in order until the limit is
     * full reads years of rows when only the last days match */
    if (q->job_id || q->live_only || (q->since_s && !q->user && !q->account))
        strcat(sql, " ORDER BY +submit_s DESC, +id DESC LIMIT ?5 OFFSET ?6)");
    else
        strcat(sql, " ORDER BY submit_s DESC, id DESC LIMIT ?5 OFFSET ?6)");
    /* the same order: who asks for one row more than a page drops the last one */
    strcat(sql, " ORDER BY submit_s DESC, id DESC");
}

static sqlite3_stmt *_list_prepare(ledger_t *l, const struct ledger_query *q, struct err *e)
{
    sqlite3_stmt *st = NULL;
    char sql[SQL_MAX];
    int rc;

    _Static_assert(sizeof(SELECT_JOB) + 512 < SQL_MAX, "room for all conditions");
    _list_sql(sql, q);
    rc = sqlite3_prepare_v2(l->db, sql, -1, &st, NULL);
    if (rc != SQLITE_OK) {
        store_fail(l, rc, e, "cannot list jobs");
        return NULL;
    }
    /* a parameter that the text does not name is out of range, which is fine */
    if (q->user)
        sqlite3_bind_text(st, 1, q->user, -1, SQLITE_STATIC);
    if (q->account)
        sqlite3_bind_text(st, 2, q->account, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 3, q->job_id);
    sqlite3_bind_int64(st, 4, q->since_s);
    sqlite3_bind_int64(st, 5, q->limit && q->limit < INT64_MAX ? (int64_t)q->limit : LIST_LIMIT);
    sqlite3_bind_int64(st, 6, q->offset < INT64_MAX ? (int64_t)q->offset : INT64_MAX);
    return st;
}

static void _row(sqlite3_stmt *st, void *row, void *arg)
{
    (void)arg;
    _read(st, row);
}

int ledger_job_list(ledger_t *l, const struct ledger_query *q, struct ledger_job **out, size_t *n,
                    struct err *e)
{
    sqlite3_stmt *st = _list_prepare(l, q, e);
    int rc, saved;

    if (!st)
        return -1;
    rc = store_list(l, st, sizeof(**out), _row, NULL, (void **)out, n, e);
    saved = errno;
    sqlite3_finalize(st);
    errno = saved;
    return rc;
}

/* Where a walk stands behind this row. */
static void _ended_row(sqlite3_stmt *st, void *row, void *arg)
{
    const struct ledger_job *job = row;

    _read(st, row);
    *(struct ledger_walk *)arg =
        (struct ledger_walk){job->end_s, job->key.submit_s, sqlite3_column_int64(st, (int)COLUMNS)};
}

int ledger_job_ended(ledger_t *l, struct ledger_walk *at, int64_t until_s, size_t limit,
                     struct ledger_job **out, size_t *n, struct err *e)
{
    struct ledger_walk next = *at;
    sqlite3_stmt *st = store_get(l, STORE_JOB_ENDED, SELECT_ENDED, e);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, at->end_s);
    sqlite3_bind_int64(st, 2, at->submit_s);
    sqlite3_bind_int64(st, 3, at->id);
    sqlite3_bind_int64(st, 4, until_s);
    sqlite3_bind_int64(st, 5, (int64_t)limit);
    if (store_list(l, st, sizeof(**out), _ended_row, &next, (void **)out, n, e) < 0)
        return -1;
    *at = next;
    return 0;
}

/* Run an UPDATE of one row by ?1 to ?3: 0, or -1 (ENOENT when there is no such row). */
static int _update(ledger_t *l, sqlite3_stmt *st, struct job_key key, struct err *e)
{
    int changed;

    store_bind_key(st, key);
    changed = store_run(l, st, e);
    if (changed < 0)
        return -1;
    return changed ? 0 : store_no_job(key, e);
}

#define BY_KEY " WHERE job_id = ?1 AND submit_s = ?2 AND restart = ?3"

int ledger_job_end(ledger_t *l, struct job_key key, const char *state, int64_t end_s, struct err *e)
{
    sqlite3_stmt *st =
        store_get(l, STORE_JOB_END, "UPDATE job SET live = 0, state = ?4, end_s = ?5" BY_KEY, e);

    if (!st)
        return -1;
    store_bind_text(st, 4, state, sizeof(((struct ledger_job *)0)->state));
    sqlite3_bind_int64(st, 5, end_s);
    return _update(l, st, key, e);
}

int ledger_job_reopen(ledger_t *l, struct job_key key, struct err *e)
{
    sqlite3_stmt *st = store_get(l, STORE_JOB_REOPEN,
                                 "UPDATE job SET live = 1, settled = 0, end_s = 0,"
                                 " reserved_uj = energy_uj, reserved_ug = carbon_ug" BY_KEY,
                                 e);

    return st ? _update(l, st, key, e) : -1;
}

/* 1 there is such a row, 0 not, -1 error. */
static int _exists(ledger_t *l, struct job_key key, struct err *e)
{
    sqlite3_stmt *st = store_get(l, STORE_JOB_EXISTS, "SELECT 1 FROM job" BY_KEY, e);
    int found;

    if (!st)
        return -1;
    store_bind_key(st, key);
    found = store_next(l, st, e);
    if (found > 0)
        store_done(st);
    return found;
}

int ledger_job_settle(ledger_t *l, struct job_key key, int64_t delay_s, uint64_t asap_ug,
                      struct err *e)
{
    sqlite3_stmt *st = store_get(l, STORE_JOB_SETTLE,
                                 "UPDATE job SET settled = 1, live = 0, delay_s = ?4,"
                                 " asap_ug = ?5" BY_KEY " AND settled = 0",
                                 e);
    int changed;

    if (!st)
        return -1;
    store_bind_key(st, key);
    sqlite3_bind_int64(st, 4, delay_s);
    store_bind_u64(st, 5, asap_ug);
    changed = store_run(l, st, e);
    if (changed != 0)
        return changed < 0 ? -1 : 1;
    changed = _exists(l, key, e);
    return changed == 0 ? store_no_job(key, e) : changed < 0 ? -1 : 0;
}

int ledger_job_enforced(ledger_t *l, struct job_key key, int step, int64_t now_s, struct err *e)
{
    sqlite3_stmt *st = store_get(l, STORE_JOB_ENFORCED,
                                 "UPDATE job SET enforce_step = ?4, enforce_s = ?5" BY_KEY, e);

    if (!st)
        return -1;
    sqlite3_bind_int(st, 4, step);
    sqlite3_bind_int64(st, 5, now_s);
    return _update(l, st, key, e);
}

int ledger_job_planned(ledger_t *l, struct job_key key, int64_t begin_s, int released,
                       struct err *e)
{
    sqlite3_stmt *st =
        released ? store_get(l, STORE_JOB_RELEASED, "UPDATE job SET released = 1" BY_KEY, e)
                 : store_get(l, STORE_JOB_PLANNED,
                             "UPDATE job SET begin_set_s = ?4, planned_s = ?4" BY_KEY, e);

    if (!st)
        return -1;
    if (!released)
        sqlite3_bind_int64(st, 4, begin_s);
    return _update(l, st, key, e);
}
