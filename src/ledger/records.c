/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records from the nodes, each counted exactly once: the node's sequence number
 * moves in the same transaction as the jobs and the budgets that are charged, so
 * a record that arrives twice, before or after a crash, finds itself counted.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/budget.h"
#include "ledger/store.h"

#define TIME_MAX_S 253402300799 /* year 9999: calendar arithmetic stays far from overflow */
#define MINOR_PART 20           /* a twentieth: what is less does not name the quality */

/* The columns of a job row that a share changes, and what its charges depend on. */
struct consumed {
    int64_t row_id;
    char account[LEDGER_NAME_MAX], user[LEDGER_NAME_MAX];
    uint64_t reserved[2], used[2]; /* by enum budget_resource */
    uint64_t modelled_uj, split_uj;
    enum ledger_quality quality;
    char coverage[sizeof(((struct ledger_job *)0)->coverage)];
    int64_t until_s;
};

static int _node_get(ledger_t *l, const char *node, struct ledger_node *out, struct err *e);

static void _node_read(sqlite3_stmt *st, struct ledger_node *n)
{
    store_text(st, 0, n->node, sizeof(n->node));
    n->seq = store_u64(st, 1);
    n->last_s = sqlite3_column_int64(st, 2);
    n->node_uj = store_u64(st, 3);
    n->jobs_uj = store_u64(st, 4);
    n->idle_uj = store_u64(st, 5);
    n->system_uj = store_u64(st, 6);
}

#define SELECT_NODE "SELECT node, seq, last_s, node_uj, jobs_uj, idle_uj, system_uj FROM node"

/* 1 found, 0 not (*out is all zero then), -1 error. */
static int _node_get(ledger_t *l, const char *node, struct ledger_node *out, struct err *e)
{
    sqlite3_stmt *st = store_get(l, STORE_NODE_GET, SELECT_NODE " WHERE node = ?1", e);
    int found;

    memset(out, 0, sizeof(*out));
    if (!st)
        return -1;
    store_bind_text(st, 1, node, LEDGER_NAME_MAX);
    found = store_next(l, st, e);
    if (found > 0) {
        _node_read(st, out);
        store_done(st);
    }
    return found;
}

static int _node_put(ledger_t *l, const struct ledger_record *r, const struct ledger_node *old,
                     uint64_t jobs_uj, struct err *e)
{
    sqlite3_stmt *st = store_get(l, STORE_NODE_PUT,
                                 "INSERT OR REPLACE INTO node (node, seq, last_s, node_uj,"
                                 " jobs_uj, idle_uj, system_uj) VALUES (?1,?2,?3,?4,?5,?6,?7)",
                                 e);

    if (!st)
        return -1;
    store_bind_text(st, 1, r->node, LEDGER_NAME_MAX);
    store_bind_u64(st, 2, r->seq);
    sqlite3_bind_int64(st, 3, r->end_s);
    store_bind_u64(st, 4, store_add(old->node_uj, r->node_uj));
    store_bind_u64(st, 5, store_add(old->jobs_uj, jobs_uj));
    store_bind_u64(st, 6, store_add(old->idle_uj, r->idle_uj));
    store_bind_u64(st, 7, store_add(old->system_uj, r->system_uj));
    return store_run(l, st, e) < 0 ? -1 : 0;
}

int ledger_node_seq(ledger_t *l, const char *node, uint64_t *seq, struct err *e)
{
    struct ledger_node n;

    if (_node_get(l, node, &n, e) < 0)
        return -1;
    *seq = n.seq;
    return 0;
}

static int _consumed_get(ledger_t *l, struct job_key key, struct consumed *c, struct err *e)
{
    sqlite3_stmt *st =
        store_get(l, STORE_JOB_CONSUMED_GET,
                  "SELECT id, account, user, reserved_uj, reserved_ug, energy_uj, carbon_ug,"
                  " modelled_uj, split_uj, quality, coverage, measured_until_s FROM job"
                  " WHERE job_id = ?1 AND submit_s = ?2 AND restart = ?3",
                  e);
    int found;

    if (!st)
        return -1;
    store_bind_key(st, key);
    found = store_next(l, st, e);
    if (found < 0)
        return -1;
    if (!found)
        return store_no_job(key, e);
    c->row_id = sqlite3_column_int64(st, 0);
    store_text(st, 1, c->account, sizeof(c->account));
    store_text(st, 2, c->user, sizeof(c->user));
    for (int r = 0; r < 2; r++) {
        c->reserved[r] = store_u64(st, 3 + r);
        c->used[r] = store_u64(st, 5 + r);
    }
    c->modelled_uj = store_u64(st, 7);
    c->split_uj = store_u64(st, 8);
    c->quality = (enum ledger_quality)sqlite3_column_int(st, 9);
    store_text(st, 10, c->coverage, sizeof(c->coverage));
    c->until_s = sqlite3_column_int64(st, 11);
    store_done(st);
    return 0;
}

static int _consumed_set(ledger_t *l, const struct consumed *c, struct err *e)
{
    sqlite3_stmt *st =
        store_get(l, STORE_JOB_CONSUMED_SET,
                  "UPDATE job SET energy_uj = ?2, carbon_ug = ?3, modelled_uj = ?4, split_uj = ?5,"
                  " quality = ?6, coverage = ?7, measured_until_s = ?8 WHERE id = ?1",
                  e);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, c->row_id);
    store_bind_u64(st, 2, c->used[RESOURCE_ENERGY]);
    store_bind_u64(st, 3, c->used[RESOURCE_CARBON]);
    store_bind_u64(st, 4, c->modelled_uj);
    store_bind_u64(st, 5, c->split_uj);
    sqlite3_bind_int(st, 6, (int)c->quality);
    store_bind_text(st, 7, c->coverage, sizeof(c->coverage));
    sqlite3_bind_int64(st, 8, c->until_s);
    return store_run(l, st, e) < 0 ? -1 : 0;
}

/* Add the words of a comma list that are not there yet: what any of the job's nodes measured. A
 * word that does not fit any more is left out. */
static void _cover(char *list, size_t size, const char *words)
{
    while (words && *words) {
        size_t n = strcspn(words, ","), used = strlen(list);
        int known = n == 0;

        for (const char *p = list; *p && !known; p += strcspn(p, ","), p += *p == ',')
            known = strcspn(p, ",") == n && memcmp(p, words, n) == 0;
        if (!known && used + (used > 0) + n < size) {
            if (used)
                list[used++] = ',';
            memcpy(list + used, words, n);
            list[used + n] = '\0';
        }
        words += n;
        words += *words == ',';
    }
}

/* The worst quality that has more than a twentieth of the energy. */
static enum ledger_quality _quality(const struct consumed *c, enum ledger_quality newest)
{
    uint64_t energy_uj = c->used[RESOURCE_ENERGY];

    if (energy_uj == 0)
        return newest > c->quality ? newest : c->quality;
    if (c->modelled_uj > energy_uj / MINOR_PART)
        return QUALITY_MODELLED;
    return c->split_uj > energy_uj / MINOR_PART ? QUALITY_SPLIT : QUALITY_MEASURED;
}

static void _consume(struct consumed *c, const struct ledger_share *s, int64_t end_s)
{
    c->used[RESOURCE_ENERGY] = store_add(c->used[RESOURCE_ENERGY], s->energy_uj);
    c->used[RESOURCE_CARBON] = store_add(c->used[RESOURCE_CARBON], s->carbon_ug);
    if (s->quality == QUALITY_SPLIT)
        c->split_uj = store_add(c->split_uj, s->energy_uj);
    else if (s->quality != QUALITY_MEASURED)
        c->modelled_uj = store_add(c->modelled_uj, s->energy_uj);
    c->quality = _quality(c, s->quality);
    _cover(c->coverage, sizeof(c->coverage), s->coverage);
    if (end_s > c->until_s)
        c->until_s = end_s;
}

static uint64_t _beyond(uint64_t used, uint64_t reserved)
{
    return used > reserved ? used - reserved : 0;
}

static int _add_share(ledger_t *l, const struct ledger_share *s, int64_t end_s, struct err *e)
{
    struct consumed before, c;
    struct budget_charge charge = {.end_s = end_s, .amount = {s->energy_uj, s->carbon_ug}};

    if (_consumed_get(l, s->key, &c, e) < 0)
        return -1;
    before = c;
    _consume(&c, s, end_s);
    for (int r = 0; r < 2; r++)
        charge.over[r] = _beyond(c.used[r], c.reserved[r]) - _beyond(before.used[r], c.reserved[r]);
    charge.account = c.account;
    charge.user = c.user;
    if (_consumed_set(l, &c, e) < 0)
        return -1;
    return budget_charge(l, &charge, e);
}

/* Inside the transaction: 1 counted, 0 counted before, -1 error. */
static int _add(ledger_t *l, const struct ledger_record *r, struct err *e)
{
    struct ledger_node node;
    uint64_t jobs_uj = 0;

    if (_node_get(l, r->node, &node, e) < 0)
        return -1;
    if (r->seq <= node.seq)
        return 0;
    for (size_t i = 0; i < r->n_shares; i++) {
        if (_add_share(l, &r->shares[i], r->end_s, e) < 0)
            return -1;
        jobs_uj = store_add(jobs_uj, r->shares[i].energy_uj);
    }
    return _node_put(l, r, &node, jobs_uj, e) < 0 ? -1 : 1;
}

int ledger_record_add(ledger_t *l, const struct ledger_record *r, struct err *e)
{
    size_t n = r->node ? strnlen(r->node, LEDGER_NAME_MAX) : 0;
    int counted;

    /* a name that was cut would move another node's sequence */
    if (n == 0 || n >= LEDGER_NAME_MAX || r->start_s < 0 || r->end_s < r->start_s ||
        r->end_s > TIME_MAX_S || r->seq > INT64_MAX) {
        errno = EINVAL;
        return err_set(e, "ledger: a record without a usable node name, sequence or interval");
    }
    if (ledger_begin(l, e) < 0)
        return -1;
    counted = _add(l, r, e);
    if (counted <= 0) {
        ledger_rollback(l);
        return counted;
    }
    return ledger_commit(l, e) < 0 ? -1 : 1;
}

static void _node_row(sqlite3_stmt *st, void *row, void *arg)
{
    (void)arg;
    _node_read(st, row);
}

int ledger_node_list(ledger_t *l, struct ledger_node **out, size_t *n, struct err *e)
{
    sqlite3_stmt *st = store_get(l, STORE_NODE_LIST, SELECT_NODE " ORDER BY node", e);

    if (!st)
        return -1;
    return store_list(l, st, sizeof(**out), _node_row, NULL, (void **)out, n, e);
}
