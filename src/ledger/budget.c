/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Budgets: what is granted and, by period, what was charged. A row holds the
 * newest period that anything was charged to; periods before it live on in
 * budget_history, which late records still reach. What is reserved is nowhere
 * stored: it is summed over the open job rows each time, and so cannot drift.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/budget.h"
#include "ledger/store.h"

#define HOLDERS_MAX (2 * (LEDGER_TREE_DEPTH + 1)) /* accounts and user, energy and carbon */

/* A row without charges whose period holds t_s. */
static void _renew(struct budget_row *r, int64_t t_s)
{
    r->b.charged = r->b.over = 0;
    budget_period_bounds(r->b.period, t_s, &r->start_s, &r->next_s);
}

static int _set(ledger_t *l, const struct budget *want, int64_t now_s, struct err *e)
{
    struct budget_row r;
    int found = budget_row_get(l, want, &r, e);

    if (found < 0)
        return -1;
    if (found && r.b.period == want->period) {
        r.b.granted = want->granted;
        return budget_row_update(l, &r, e);
    }
    if (found && budget_history_move(l, &r, e) < 0)
        return -1;
    r.b = *want;
    r.since_s = now_s;
    _renew(&r, now_s);
    return found ? budget_row_update(l, &r, e) : budget_row_insert(l, &r, e);
}

/* A name that was cut would be another budget: refuse. */
static int _name(struct budget *b, enum budget_scope scope, const char *name,
                 enum budget_resource resource, struct err *e)
{
    size_t n = name ? strnlen(name, sizeof(b->name)) : 0;

    if (n == 0 || n >= sizeof(b->name)) {
        errno = EINVAL;
        return err_set(e, "ledger: the name of a budget has 1 to %d bytes", LEDGER_NAME_MAX - 1);
    }
    *b = (struct budget){.scope = scope, .resource = resource};
    memcpy(b->name, name, n + 1);
    return 0;
}

int budget_set(ledger_t *l, enum budget_scope scope, const char *name,
               enum budget_resource resource, enum budget_period period, uint64_t granted,
               int64_t now_s, struct err *e)
{
    struct budget want;

    if (_name(&want, scope, name, resource, e) < 0)
        return -1;
    want.period = period;
    want.granted = granted;
    if (ledger_begin(l, e) < 0)
        return -1;
    if (_set(l, &want, now_s, e) < 0) {
        ledger_rollback(l);
        return -1;
    }
    return ledger_commit(l, e);
}

static int _remove(ledger_t *l, const struct budget *b, struct err *e)
{
    struct budget_row r;
    sqlite3_stmt *st;
    int found = budget_row_get(l, b, &r, e);

    if (found <= 0)
        return found;
    if (budget_history_move(l, &r, e) < 0)
        return -1;
    st = store_get(l, STORE_BUDGET_REMOVE,
                   "DELETE FROM budget WHERE scope = ?1 AND name = ?2 AND resource = ?3", e);
    if (!st)
        return -1;
    budget_row_bind(st, b);
    return store_run(l, st, e) < 0 ? -1 : 1;
}

int budget_remove(ledger_t *l, enum budget_scope scope, const char *name,
                  enum budget_resource resource, struct err *e)
{
    struct budget b;
    int removed;

    if (_name(&b, scope, name, resource, e) < 0 || ledger_begin(l, e) < 0)
        return -1;
    removed = _remove(l, &b, e);
    if (removed < 0) {
        ledger_rollback(l);
        return -1;
    }
    return ledger_commit(l, e) < 0 ? -1 : removed;
}

static int _charge_row(ledger_t *l, struct budget_row *r, const struct budget_charge *c,
                       struct err *e)
{
    uint64_t amount = c->amount[r->b.resource], over = c->over[r->b.resource];
    int64_t start_s, next_s;

    if (c->end_s < r->since_s || (amount == 0 && over == 0))
        return 0;
    if (c->end_s < r->start_s) {
        budget_period_bounds(r->b.period, c->end_s, &start_s, &next_s);
        return budget_history_add(l, &r->b, start_s, amount, over, e);
    }
    if (r->next_s && c->end_s >= r->next_s) {
        if (budget_history_move(l, r, e) < 0)
            return -1;
        _renew(r, c->end_s);
    }
    r->b.charged = store_add(r->b.charged, amount);
    r->b.over = store_add(r->b.over, over);
    return budget_row_update(l, r, e);
}

/* Append the budgets of one holder to rows[0..*n). */
static int _held_by(ledger_t *l, enum budget_scope scope, const char *name, struct budget_row *rows,
                    size_t *n, struct err *e)
{
    sqlite3_stmt *st =
        store_get(l, STORE_BUDGET_HELD,
                  "SELECT " BUDGET_COLUMNS " FROM budget WHERE scope = ?1 AND name = ?2", e);
    int rc;

    if (!st)
        return -1;
    sqlite3_bind_int(st, 1, (int)scope);
    store_bind_text(st, 2, name, LEDGER_NAME_MAX);
    while ((rc = store_next(l, st, e)) > 0) {
        if (*n < HOLDERS_MAX)
            budget_row_read(st, &rows[(*n)++]);
    }
    return rc;
}

int budget_charge(ledger_t *l, const struct budget_charge *c, struct err *e)
{
    struct budget_row rows[HOLDERS_MAX];
    const char *account = c->account;
    size_t n = 0;
    int rc = _held_by(l, SCOPE_USER, c->user, rows, &n, e);

    for (int depth = 0; rc == 0 && account && depth < LEDGER_TREE_DEPTH; depth++) {
        rc = _held_by(l, SCOPE_ACCOUNT, account, rows, &n, e);
        account = ledger_tree_parent(l, account);
    }
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = _charge_row(l, &rows[i], c, e);
    return rc;
}

/* Add to what is reserved and claimed in the budgets of a holder. list is ordered as budget_list
 * orders it. */
static void _reserve(struct budget *list, size_t n, enum budget_scope scope, const char *name,
                     const uint64_t reserved[2], const uint64_t claimed[2])
{
    size_t lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct budget *b = &list[mid];

        if (b->scope < scope || (b->scope == scope && strcmp(b->name, name) < 0))
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < n && list[lo].scope == scope && strcmp(list[lo].name, name) == 0; lo++) {
        list[lo].reserved = store_add(list[lo].reserved, reserved[list[lo].resource]);
        list[lo].claimed = store_add(list[lo].claimed, claimed[list[lo].resource]);
    }
}

/* From the halves in columns i (above 32 bits) and i + 1. */
static uint64_t _sum(sqlite3_stmt *st, int i)
{
    uint64_t high = store_u64(st, i), low = store_u64(st, i + 1);

    return high >> 31 ? (uint64_t)INT64_MAX : store_add(high << 32, low);
}

/* Two halves of a sum, because SQLite's sum() fails where it passes 2^63 and total() rounds. */
#define HALVES(x) "sum(" x " >> 32), sum(" x " & 4294967295)"

/* The part of what a row with watts reserves that counts for accounts, see budget_list. */
#define SHARE                                                                                      \
    "CASE WHEN watts = 0 THEN 1.0 WHEN start_s = 0 THEN 0.0"                                       \
    " WHEN end_s > 0 AND limit_s > 0 THEN min(1.0, max(0, end_s - start_s) * 1.0 / limit_s)"       \
    " ELSE 1.0 END"
#define HELD(reserved, used)                                                                       \
    "max(0, CASE WHEN watts = 0 THEN " reserved " ELSE CAST(" reserved " * (" SHARE                \
    ") AS INTEGER) END - " used ")"

/* The same of a row that is not judged yet; Slurm's limit judges the accounts of one with watts. */
#define CLAIMED(estimate) "CASE WHEN live AND enforce_step = 5 THEN " estimate " ELSE 0 END"
_Static_assert(ENFORCE_CLAIMED == 5, "as in CLAIMED");

/* What the rows not settled hold back. settled = 0 is a constant of the statement so that the
 * partial index serves. */
static int _reserved(ledger_t *l, struct budget *list, size_t n, struct err *e)
{
    /* clang-format off */
    sqlite3_stmt *st = store_get(l, STORE_RESERVED,
                  "SELECT account, user, " HALVES("uj") ", " HALVES("ug") ", " HALVES("held_uj")
                  ", " HALVES("held_ug") ", " HALVES("claim_uj") ", " HALVES("claim_ug")
                  ", " HALVES("claim_uj * (watts = 0)") ", " HALVES("claim_ug * (watts = 0)")
                  " FROM (SELECT account, user, watts, " CLAIMED("estimate_uj") " AS claim_uj, "
                  CLAIMED("estimate_ug") " AS claim_ug,"
                  " max(0, reserved_uj - energy_uj) AS uj, max(0, reserved_ug - carbon_ug) AS ug, "
                  HELD("reserved_uj", "energy_uj") " AS held_uj, "
                  HELD("reserved_ug", "carbon_ug") " AS held_ug"
                  " FROM job WHERE settled = 0) GROUP BY account, user", e);
    /* clang-format on */
    char account[LEDGER_NAME_MAX], user[LEDGER_NAME_MAX];
    int rc;

    if (!st)
        return -1;
    while ((rc = store_next(l, st, e)) > 0) {
        uint64_t own[2] = {_sum(st, 2), _sum(st, 4)}, held[2] = {_sum(st, 6), _sum(st, 8)};
        uint64_t own_claim[2] = {_sum(st, 10), _sum(st, 12)};
        uint64_t claim[2] = {_sum(st, 14), _sum(st, 16)};
        const char *above = account;

        store_text(st, 0, account, sizeof(account));
        store_text(st, 1, user, sizeof(user));
        _reserve(list, n, SCOPE_USER, user, own, own_claim);
        for (int depth = 0; above && depth < LEDGER_TREE_DEPTH; depth++) {
            _reserve(list, n, SCOPE_ACCOUNT, above, held, claim);
            above = ledger_tree_parent(l, above);
        }
    }
    return rc;
}

/* The row as it stands at now_s, which may lie before or after the period it was last charged in.
 */
static int _at(ledger_t *l, struct budget_row *r, int64_t now_s, struct err *e)
{
    int64_t start_s, next_s;

    budget_period_bounds(r->b.period, now_s, &start_s, &next_s);
    r->b.renews_s = next_s;
    if (start_s > r->start_s) {
        r->b.charged = r->b.over = 0;
    } else if (start_s < r->start_s) {
        /* a node's clock ran ahead over the edge */
        if (budget_history_get(l, &r->b, start_s, &r->b.charged, &r->b.over, e) < 0)
            return -1;
    }
    return 0;
}

static void _row(sqlite3_stmt *st, void *row, void *arg)
{
    (void)arg;
    budget_row_read(st, row);
}

int budget_list(ledger_t *l, int64_t now_s, struct budget **out, size_t *n, struct err *e)
{
    struct budget_row *rows = NULL;
    struct budget *list = NULL;
    size_t count = 0;
    sqlite3_stmt *st =
        store_get(l, STORE_BUDGET_LIST,
                  "SELECT " BUDGET_COLUMNS " FROM budget ORDER BY scope, name, resource", e);
    int saved;

    if (!st || store_list(l, st, sizeof(*rows), _row, NULL, (void **)&rows, &count, e) < 0)
        return -1;
    list = calloc(count ? count : 1, sizeof(*list));
    if (!list) {
        err_errno(e, "ledger");
        goto error;
    }
    for (size_t i = 0; i < count; i++) {
        if (_at(l, &rows[i], now_s, e) < 0)
            goto error;
        list[i] = rows[i].b;
    }
    if (count && _reserved(l, list, count, e) < 0)
        goto error;
    free(rows);
    *out = list;
    *n = count;
    return 0;
error:
    saved = errno;
    free(rows);
    free(list);
    errno = saved;
    return -1;
}
