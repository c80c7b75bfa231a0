/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One connection while there are orders, closed afterwards: orders come seldom. What fails goes
 * back into the queue, behind anything newer for the same account.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "carnotctld/limits.h"
#include "compat/slurm_compat.h"
#include "ledger/ledger.h"
#include "placement/board.h"

#define ORDERS_MAX 4096
#define RETRY_S 5

struct limit_order {
    char cluster[LEDGER_NAME_MAX], account[LEDGER_NAME_MAX];
    int64_t limit_wmin;
};

/* lock guards everything but the thread's own stack. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    int running, stop;
    struct limit_order orders[ORDERS_MAX]; /* one an account */
    size_t n;
    char error[256]; /* of the last try; "" = it went well */
} limits = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void set_error(const char *what)
{
    pthread_mutex_lock(&limits.lock);
    snprintf(limits.error, sizeof(limits.error), "%s", what);
    pthread_mutex_unlock(&limits.lock);
}

static int fail(const char *what)
{
    char text[256];
    snprintf(text, sizeof(text), "slurmdbd: %s: %s", what, slurm_strerror(errno));
    set_error(text);
    return -1;
}

/* ---- slurmdbd ---- */

/* The number that slurmdbd knows the licence by. */
static int find_watts(void *db, uint32_t *id)
{
    slurmdb_tres_cond_t all;
    slurmdb_init_tres_cond(&all, 0);
    SLURM_LIST list = slurmdb_tres_get(db, &all);
    if (!list)
        return fail("cannot list resources");
    SLURM_LIST_ITERATOR at = slurm_list_iterator_create(list);
    const slurmdb_tres_rec_t *r;
    int found = 0;
    while (!found && (r = slurm_list_next(at))) {
        found = r->type && r->name && strcmp(r->type, "license") == 0 &&
                strcmp(r->name, BOARD_WATTS) == 0;
        *id = r->id;
    }
    slurm_list_iterator_destroy(at);
    slurm_list_destroy(list);
    if (!found)
        set_error("slurmdbd does not know license/" BOARD_WATTS);
    return found ? 0 : -1;
}

static SLURM_LIST list_of(char *text)
{
    SLURM_LIST list = slurm_list_create(NULL);
    slurm_list_append(list, text);
    return list;
}

/* The association of the account itself is the one without a user. */
static int modify(void *db, uint32_t id, struct limit_order *o)
{
    char nobody[] = "", text[64];
    slurmdb_assoc_cond_t which;
    slurmdb_assoc_rec_t what;
    memset(&which, 0, sizeof(which));
    which.acct_list = list_of(o->account);
    which.cluster_list = list_of(o->cluster);
    which.user_list = list_of(nobody);
    slurmdb_init_assoc_rec(&what, 0);
    /* No limit is INFINITE64: slurmdbd 26.05 takes -1 for "one less". */
    uint64_t limit = o->limit_wmin < 0 ? INFINITE64 : (uint64_t)o->limit_wmin;
    snprintf(text, sizeof(text), "%u=%" PRIu64, id, limit);
    what.grp_tres_mins = slurm_xstrdup(text); /* slurmdbd's client may replace it */
    errno = 0;
    SLURM_LIST done = slurmdb_associations_modify(db, &which, &what);
    int rc = done && slurm_list_count(done) > 0 ? 0 : -1;
    int saved = errno;
    if (done)
        slurm_list_destroy(done);
    slurm_xfree((void **)&what.grp_tres_mins);
    slurm_list_destroy(which.acct_list);
    slurm_list_destroy(which.cluster_list);
    slurm_list_destroy(which.user_list);
    errno = saved;
    return rc;
}

/* All of them in one transaction. 0, or -1 and nothing was changed. */
static int carry_out(struct limit_order *orders, size_t n)
{
    uint16_t flags = 0;
    uint32_t id = 0;
    errno = 0;
    void *db = slurmdb_connection_get(&flags);
    if (!db || errno)
        return db ? slurmdb_connection_close(&db), fail("no connection") : fail("no connection");
    int rc = find_watts(db, &id);
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (modify(db, id, &orders[i]) < 0) {
            char what[128];
            snprintf(what, sizeof(what), "limit of account %s", orders[i].account);
            rc = fail(what);
        }
    if (slurmdb_connection_commit(db, rc == 0) != SLURM_SUCCESS && rc == 0)
        rc = fail("cannot commit");
    slurmdb_connection_close(&db);
    return rc;
}

/* ---- the thread ---- */

/* Add or replace; the caller holds the lock. keep: what stands there is newer. */
static int put(const struct limit_order *o, int keep)
{
    for (size_t i = 0; i < limits.n; i++)
        if (strcmp(limits.orders[i].account, o->account) == 0) {
            if (!keep)
                limits.orders[i] = *o;
            return 0;
        }
    if (limits.n == ORDERS_MAX)
        return -1;
    limits.orders[limits.n++] = *o;
    return 0;
}

/* Wait for an order, or the end; after a failure for the time of the next try. */
static void wait_for_work(int failed)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += RETRY_S;
    int rc = 0;
    while (failed && !limits.stop && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&limits.wake, &limits.lock, &until);
    while (!limits.stop && limits.n == 0)
        pthread_cond_wait(&limits.wake, &limits.lock);
}

static void *run(void *arg)
{
    struct limit_order *batch = arg;
    int failed = 0;
    pthread_mutex_lock(&limits.lock);
    for (;;) {
        wait_for_work(failed);
        if (limits.stop)
            break;
        size_t n = limits.n;
        memcpy(batch, limits.orders, n * sizeof(*batch));
        limits.n = 0;
        pthread_mutex_unlock(&limits.lock);
        failed = carry_out(batch, n) < 0;
        if (!failed)
            set_error("");
        pthread_mutex_lock(&limits.lock);
        for (size_t i = 0; failed && i < n; i++)
            put(&batch[i], 1);
    }
    pthread_mutex_unlock(&limits.lock);
    free(batch);
    return NULL;
}

/* The caller holds the lock. */
static int start(void)
{
    pthread_condattr_t attr;
    sigset_t all, before;
    struct limit_order *batch = calloc(ORDERS_MAX, sizeof(*batch));
    if (!batch)
        return -1;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&limits.wake, &attr);
    pthread_condattr_destroy(&attr);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    limits.running = pthread_create(&limits.thread, NULL, run, batch) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!limits.running)
        free(batch);
    return limits.running ? 0 : -1;
}

int limits_order(const char *cluster, const char *account, int64_t limit_wmin)
{
    struct limit_order o = {.limit_wmin = limit_wmin};
    snprintf(o.cluster, sizeof(o.cluster), "%s", cluster);
    snprintf(o.account, sizeof(o.account), "%s", account);
    pthread_mutex_lock(&limits.lock);
    int rc = limits.running ? 0 : start();
    if (rc == 0)
        rc = put(&o, 0);
    if (rc == 0)
        pthread_cond_signal(&limits.wake);
    pthread_mutex_unlock(&limits.lock);
    return rc;
}

int limits_ok(char *error, size_t size)
{
    pthread_mutex_lock(&limits.lock);
    snprintf(error, size, "%s", limits.error);
    pthread_mutex_unlock(&limits.lock);
    return !error[0];
}

void limits_stop(void)
{
    pthread_mutex_lock(&limits.lock);
    int running = limits.running;
    limits.stop = 1;
    if (running)
        pthread_cond_signal(&limits.wake);
    pthread_mutex_unlock(&limits.lock);
    if (running)
        pthread_join(limits.thread, NULL);
}
