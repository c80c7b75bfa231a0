/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread that talks to slurmctld: orders first, the list when it is due. Orders are few and
 * spaced, so that Carnot never takes a noticeable part of slurmctld's time.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "carnotctld/slurm_client.h"
#include "carnotctld/slurm_list.h"
#include "carnotctld/slurm_order.h"
#include "compat/slurm_compat.h"

#define ORDERS_MAX 4096
/* So many times as long as a move took, slurmctld gets none: its own part of that time is about a
 * tenth, the rest is connecting, munge and waiting, so moves take it 2 % of its time at most
 * (tests/cluster/0013-forecast.t, by sdiag). But never longer than this, whatever it is busy with.
 */
#define MOVE_RESTS 8
#define MOVE_REST_MAX_MS 500
/* slurmctld packs a list with its job lock held for reading, and a long one takes it hundreds of
 * milliseconds: it is left alone for so many times as long as lists take, a quarter of that when
 * somebody needs one. Of the last two the shorter one counts: what was slow once was busy. */
#define LIST_RESTS 8
#define LIST_POKED_RESTS 2
#define LIST_REST_MAX_MS 10000
#define LIST_AGAIN_MS 5000 /* after a failure */
#define ACCOUNTING_EVERY_MS 60000
#define ACCOUNTING_AGAIN_MS 10000 /* after a failure */

struct order_ring {
    struct slurm_order items[ORDERS_MAX];
    unsigned head, n;
};

/* lock guards everything but the thread's own stack. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    int running, stop, poke, busy, fd;
    int64_t poll_ms;
    int64_t due_ms, poked_due_ms; /* the next list, and when somebody needs one (poke) */
    struct order_ring todo, done;
    struct snapshot *fresh;
    struct accounting_name *watched;
    size_t n_watched;
    int64_t accounting_due_ms;
    int64_t pace_ms; /* from one move to the next, lately */
    int ok;
    char error[sizeof(((struct err *)0)->text)];
} client = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1, .pace_ms = ORDER_SPACING_MS};

static int ring_put(struct order_ring *r, const struct slurm_order *o)
{
    if (r->n == ORDERS_MAX)
        return -1;
    r->items[(r->head + r->n++) % ORDERS_MAX] = *o;
    return 0;
}

static int ring_take(struct order_ring *r, struct slurm_order *o)
{
    if (r->n == 0)
        return 0;
    *o = r->items[r->head];
    r->head = (r->head + 1) % ORDERS_MAX;
    r->n--;
    return 1;
}

int slurm_client_configured(struct err *e)
{
    struct stat st;
    const char *conf = getenv("SLURM_CONF");
    if (conf && conf[0]) {
        if (stat(conf, &st) == 0)
            return 0;
        return err_set(e, "SLURM_CONF=%s: %s", conf, strerror(errno));
    }
    static const char *const places[] = {"/etc/slurm/slurm.conf", "/etc/slurm-llnl/slurm.conf",
                                         "/run/slurm/conf/slurm.conf"};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (stat(places[i], &st) == 0)
            return 0;
    return err_set(e, "no slurm.conf: set SLURM_CONF, or install one as /etc/slurm/slurm.conf");
}

static void tell_main(void)
{
    uint64_t one = 1;
    if (write(client.fd, &one, sizeof(one)) < 0) {
        /* the counter is full: main has something to read already */
    }
}

static void sleep_ms(int64_t ms)
{
    struct timespec t = {ms / 1000, (ms % 1000) * 1000000L};
    nanosleep(&t, NULL);
}

static int64_t mono_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t mono_ms(void)
{
    return mono_us() / 1000;
}

/* How long slurmctld is left alone after an order that took so long. Moves can wait. */
static int64_t rest_ms(const struct slurm_order *o, int64_t took_us)
{
    int is_move = o->kind == ORDER_BEGIN && o->replaces_s[0] != 0;
    int64_t ms = is_move ? took_us * MOVE_RESTS / 1000 : 0;
    if (ms < ORDER_SPACING_MS)
        return ORDER_SPACING_MS;
    return ms < MOVE_REST_MAX_MS ? ms : MOVE_REST_MAX_MS;
}

/* Carry it out, and wait until the next one may follow. */
static void take_turn(struct slurm_order *o)
{
    int64_t begun_us = mono_us(), took_us, rest;
    slurm_order_carry_out(o);
    took_us = mono_us() - begun_us;
    rest = rest_ms(o, took_us);
    sleep_ms(rest);
    pthread_mutex_lock(&client.lock);
    if (o->kind == ORDER_BEGIN)
        client.pace_ms += (took_us / 1000 + rest - client.pace_ms) / 4;
    pthread_mutex_unlock(&client.lock);
}

/* Slurm's accounting when it is due, else NULL. A failure is no reason to do without the list. */
static struct accounting *load_accounting(void)
{
    struct err e = {.text = ""};
    pthread_mutex_lock(&client.lock);
    int due = mono_ms() >= client.accounting_due_ms;
    pthread_mutex_unlock(&client.lock);
    struct accounting *a = due ? accounting_load(&e) : NULL;
    if (due) {
        pthread_mutex_lock(&client.lock);
        client.accounting_due_ms = mono_ms() + (a ? ACCOUNTING_EVERY_MS : ACCOUNTING_AGAIN_MS);
        pthread_mutex_unlock(&client.lock);
    }
    return a;
}

/* Before the list, so that no job is counted as running in it that the list does not show. */
static void load_usage(struct accounting_usage **usage, size_t *n)
{
    struct err e = {.text = ""};
    struct accounting_name *names = NULL;
    *usage = NULL;
    *n = 0;
    pthread_mutex_lock(&client.lock);
    size_t n_names = client.n_watched;
    if (n_names && (names = malloc(n_names * sizeof(*names))))
        memcpy(names, client.watched, n_names * sizeof(*names));
    pthread_mutex_unlock(&client.lock);
    if (names)
        (void)accounting_load_usage(names, n_names, usage, n, &e);
    free(names);
}

/* What the last list brought and nobody has taken yet must not be lost with it. */
static void keep_accounting(struct snapshot *from, struct snapshot *to)
{
    if (from && !to->accounting) {
        to->accounting = from->accounting;
        from->accounting = NULL;
    }
}

/* 1 if it came. */
static int load_list(void)
{
    struct err e = {.text = ""};
    struct accounting *accounting = load_accounting();
    struct accounting_usage *usage;
    size_t n_usage;
    load_usage(&usage, &n_usage);
    struct snapshot *s = slurm_list_load(&e), *stale = NULL;
    if (s) {
        s->accounting = accounting;
        s->usage = usage;
        s->n_usage = n_usage;
    } else {
        accounting_destroy(accounting);
        free(usage);
    }
    pthread_mutex_lock(&client.lock);
    client.ok = s != NULL;
    snprintf(client.error, sizeof(client.error), "%s", e.text);
    if (s) {
        stale = client.fresh;
        keep_accounting(stale, s);
        client.fresh = s;
    }
    pthread_mutex_unlock(&client.lock);
    snapshot_destroy(stale);
    tell_main();
    return s != NULL;
}

static int64_t list_rest_ms(int64_t took_ms, int rests)
{
    int64_t ms = took_ms * rests;
    return ms < LIST_REST_MAX_MS ? ms : LIST_REST_MAX_MS;
}

/* How long after a list the next one is asked for, if nobody pokes. */
static int64_t list_pause_ms(int came, int64_t took_ms)
{
    int64_t rest_ms = list_rest_ms(took_ms, LIST_RESTS);
    if (!came)
        return client.poll_ms < LIST_AGAIN_MS ? client.poll_ms : LIST_AGAIN_MS;
    return rest_ms > client.poll_ms ? rest_ms : client.poll_ms;
}

static int64_t due_ms(void)
{
    return client.poke ? client.poked_due_ms : client.due_ms;
}

/* Wait for an order, the end, or the next list; the caller holds the lock. */
static void wait_for_work(void)
{
    while (!client.stop && client.todo.n == 0 && mono_ms() < due_ms()) {
        struct timespec until = {due_ms() / 1000, (due_ms() % 1000) * 1000000L};
        pthread_cond_timedwait(&client.wake, &client.lock, &until);
    }
}

static void *run(void *arg)
{
    int64_t before_ms = 0; /* how long the last list took */
    (void)arg;
    pthread_mutex_lock(&client.lock);
    while (!client.stop) {
        struct slurm_order o;
        wait_for_work();
        if (ring_take(&client.todo, &o)) {
            client.busy = 1;
            pthread_mutex_unlock(&client.lock);
            take_turn(&o);
            pthread_mutex_lock(&client.lock);
            ring_put(&client.done, &o);
            client.busy = 0;
            tell_main();
        }
        if (!client.stop && mono_ms() >= due_ms()) {
            client.poke = 0;
            pthread_mutex_unlock(&client.lock);
            int64_t begun_ms = mono_ms();
            int came = load_list();
            int64_t ended_ms = mono_ms(), took_ms = ended_ms - begun_ms;
            int64_t usual_ms = took_ms < before_ms ? took_ms : before_ms;
            before_ms = took_ms;
            pthread_mutex_lock(&client.lock);
            client.due_ms = ended_ms + list_pause_ms(came, usual_ms);
            client.poked_due_ms = ended_ms + list_rest_ms(usual_ms, LIST_POKED_RESTS);
        }
    }
    pthread_mutex_unlock(&client.lock);
    return NULL;
}

int slurm_client_start(int64_t poll_ms, struct err *e)
{
    pthread_condattr_t attr;
    sigset_t all, before;
    /* Else libslurm cuts the tasks of an array after 64 characters, and they would not be counted.
     */
    setenv("SLURM_BITSTR_LEN", "0", 1);
    slurm_init(NULL);
    client.poll_ms = poll_ms;
    client.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (client.fd < 0)
        return err_errno(e, "eventfd");
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&client.wake, &attr);
    pthread_condattr_destroy(&attr);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&client.thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        errno = rc;
        return err_errno(e, "cannot start the thread that talks to slurmctld");
    }
    client.running = 1;
    return 0;
}

void slurm_client_stop(void)
{
    if (!client.running)
        return;
    pthread_mutex_lock(&client.lock);
    client.stop = 1;
    pthread_cond_signal(&client.wake);
    pthread_mutex_unlock(&client.lock);
    pthread_join(client.thread, NULL);
    snapshot_destroy(client.fresh);
    client.fresh = NULL;
    free(client.watched);
    client.watched = NULL;
    client.n_watched = 0;
    close(client.fd);
    client.running = 0;
    slurm_fini();
}

int slurm_client_fd(void)
{
    return client.fd;
}

void slurm_client_drain(void)
{
    uint64_t n;
    if (read(client.fd, &n, sizeof(n)) < 0) {
        /* nothing to drain */
    }
}

struct snapshot *slurm_client_take_snapshot(void)
{
    pthread_mutex_lock(&client.lock);
    struct snapshot *s = client.fresh;
    client.fresh = NULL;
    pthread_mutex_unlock(&client.lock);
    return s;
}

int slurm_client_take_done(struct slurm_order *out)
{
    pthread_mutex_lock(&client.lock);
    int got = ring_take(&client.done, out);
    pthread_mutex_unlock(&client.lock);
    return got;
}

struct slurm_order slurm_client_order_for(enum order_kind kind, const struct ledger_job *row)
{
    return (struct slurm_order){.kind = kind,
                                .job_id = row->key.job_id,
                                .array_job_id = row->array_job_id,
                                .array_task = row->array_task};
}

int slurm_client_order(const struct slurm_order *order)
{
    pthread_mutex_lock(&client.lock);
    int rc = ring_put(&client.todo, order);
    pthread_cond_signal(&client.wake);
    pthread_mutex_unlock(&client.lock);
    return rc;
}

unsigned slurm_client_waiting(void)
{
    pthread_mutex_lock(&client.lock);
    unsigned n = client.todo.n + (unsigned)client.busy;
    pthread_mutex_unlock(&client.lock);
    return n;
}

int64_t slurm_client_pace_ms(void)
{
    pthread_mutex_lock(&client.lock);
    int64_t ms = client.pace_ms;
    pthread_mutex_unlock(&client.lock);
    return ms;
}

void slurm_client_poke(void)
{
    pthread_mutex_lock(&client.lock);
    client.poke = 1;
    pthread_cond_signal(&client.wake);
    pthread_mutex_unlock(&client.lock);
}

int slurm_client_watch(const struct accounting_name *accounts, size_t n)
{
    struct accounting_name *copy = malloc((n ? n : 1) * sizeof(*copy));
    if (!copy)
        return -1;
    if (n)
        memcpy(copy, accounts, n * sizeof(*copy));
    pthread_mutex_lock(&client.lock);
    free(client.watched);
    client.watched = copy;
    client.n_watched = n;
    pthread_mutex_unlock(&client.lock);
    return 0;
}

void slurm_client_poke_accounting(void)
{
    pthread_mutex_lock(&client.lock);
    client.accounting_due_ms = 0;
    pthread_mutex_unlock(&client.lock);
    slurm_client_poke();
}

int slurm_client_ok(char *error, size_t size)
{
    pthread_mutex_lock(&client.lock);
    int ok = client.ok;
    snprintf(error, size, "%s", client.error);
    pthread_mutex_unlock(&client.lock);
    return ok;
}
