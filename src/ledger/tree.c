/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The accounts above accounts, as Slurm's accounting has them: kept in the file so that a record
 * that comes before slurmctld has answered is charged to all of them, and in memory because each
 * charge climbs it.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/budget.h"
#include "ledger/store.h"

static int _order(const void *a, const void *b)
{
    return strcmp(((const struct ledger_edge *)a)->child, ((const struct ledger_edge *)b)->child);
}

static void _edge(sqlite3_stmt *st, void *row, void *arg)
{
    struct ledger_edge *edge = row;

    (void)arg;
    store_text(st, 0, edge->child, sizeof(edge->child));
    store_text(st, 1, edge->parent, sizeof(edge->parent));
}

int tree_load(ledger_t *l, struct err *e)
{
    struct ledger_edge *edges;
    size_t n;
    sqlite3_stmt *st =
        store_get(l, STORE_TREE_GET, "SELECT child, parent FROM account_tree ORDER BY child", e);

    if (!st || store_list(l, st, sizeof(*edges), _edge, NULL, (void **)&edges, &n, e) < 0)
        return -1;
    free(l->tree);
    l->tree = edges;
    l->n_tree = n;
    return 0;
}

static int _write(ledger_t *l, const struct ledger_edge *edges, size_t n, struct err *e)
{
    sqlite3_stmt *st = store_get(l, STORE_TREE_CLEAR, "DELETE FROM account_tree", e);

    if (!st || store_run(l, st, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        st = store_get(l, STORE_TREE_PUT,
                       "INSERT OR REPLACE INTO account_tree (child, parent) VALUES (?1, ?2)", e);
        if (!st)
            return -1;
        store_bind_text(st, 1, edges[i].child, sizeof(edges[i].child));
        store_bind_text(st, 2, edges[i].parent, sizeof(edges[i].parent));
        if (store_run(l, st, e) < 0)
            return -1;
    }
    return 0;
}

/* Both are in order. */
static int _same(const ledger_t *l, const struct ledger_edge *edges, size_t n)
{
    if (n != l->n_tree)
        return 0;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(edges[i].child, l->tree[i].child) != 0 ||
            strcmp(edges[i].parent, l->tree[i].parent) != 0)
            return 0;
    }
    return 1;
}

int ledger_tree_set(ledger_t *l, struct ledger_edge *edges, size_t n, struct err *e)
{
    if (n)
        qsort(edges, n, sizeof(*edges), _order);
    if (_same(l, edges, n))
        return 0;
    if (ledger_begin(l, e) < 0)
        return -1;
    if (_write(l, edges, n, e) < 0) {
        ledger_rollback(l);
        return -1;
    }
    return ledger_commit(l, e) < 0 ? -1 : tree_load(l, e);
}

static int _by_child(const void *key, const void *edge)
{
    return strcmp(key, ((const struct ledger_edge *)edge)->child);
}

const char *ledger_tree_parent(const ledger_t *l, const char *account)
{
    const struct ledger_edge *edge =
        l->n_tree ? bsearch(account, l->tree, l->n_tree, sizeof(*l->tree), _by_child) : NULL;

    return edge ? edge->parent : NULL;
}

int budget_counts(const ledger_t *l, const struct budget *b, const char *account, const char *user)
{
    int depth = 0;

    if (b->scope == SCOPE_USER)
        return strcmp(b->name, user) == 0;
    for (; account && depth < LEDGER_TREE_DEPTH; depth++) {
        if (strcmp(b->name, account) == 0)
            return 1;
        account = ledger_tree_parent(l, account);
    }
    return 0;
}
