/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runs that ended last, as far as what comes next is guessed from them.
 */
#include "config.h"

#include "ledger/store.h"

static void _read(sqlite3_stmt *st, void *row, void *arg)
{
    struct ledger_past *p = row;

    (void)arg;
    p->uid = (uint32_t)sqlite3_column_int64(st, 0);
    p->cpus = (uint32_t)sqlite3_column_int64(st, 1);
    p->start_s = sqlite3_column_int64(st, 2);
    p->end_s = sqlite3_column_int64(st, 3);
    p->measured_until_s = sqlite3_column_int64(st, 4);
    p->energy_uj = store_u64(st, 5);
    p->quality = (enum ledger_quality)sqlite3_column_int(st, 6);
    store_text(st, 7, p->name, sizeof(p->name));
    store_text(st, 8, p->state, sizeof(p->state));
    store_text(st, 9, p->coverage, sizeof(p->coverage));
    p->gpus = (uint32_t)sqlite3_column_int64(st, 10);
}

/* The index job_end gives the newest ids without a look at older rows; + keeps the planner from
 * walking all of it for the order outside. */
#define SELECT_PAST                                                                                \
    "SELECT uid, cpus, start_s, end_s, measured_until_s, energy_uj, quality, name, state, "        \
    "coverage, gpus"                                                                               \
    " FROM job WHERE id IN (SELECT id FROM job WHERE end_s > 0"                                    \
    " ORDER BY end_s DESC, submit_s DESC, id DESC LIMIT ?1)"                                       \
    " AND settled = 1 ORDER BY +end_s, +submit_s, +id"

int ledger_past_list(ledger_t *l, size_t limit, struct ledger_past **out, size_t *n, struct err *e)
{
    sqlite3_stmt *st = store_get(l, STORE_PAST_LIST, SELECT_PAST, e);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, (int64_t)limit);
    return store_list(l, st, sizeof(**out), _read, NULL, (void **)out, n, e);
}
