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
#include "compat/slurm_compat.h"

#define ORDERS_MAX 4096
/* So many times as long as a move took, slurmctld gets none: its own part of that time is about a
 * tenth, the rest is connecting, munge and waiting, so moves take it 2 % of its time at most
 * (tests/cluster/0013-forecast.t, by sdiag). But never longer than this, whatever it is busy with.
 */
#define MOVE_RESTS 8
#define MOVE_REST_MAX_MS 500
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

static int update_job(struct slurm_order *o)
{
    job_desc_msg_t desc;
    char id[16];
    slurm_init_job_desc_msg(&desc);
    SLURM_DESC_JOB_ID(&desc) = o->job_id;
    /* By its text, the first component of a heterogeneous job stands for all of them. An array's
     * would stand for tasks that have gone their own ways. */
    if (!o->array_job_id) {
        snprintf(id, sizeof(id), "%u", o->job_id);
        desc.job_id_str = id;
    }
    if (o->kind == ORDER_HOLD)
        desc.priority = 0;
    else if (o->kind == ORDER_FACTOR)
        desc.site_factor = o->site_factor;
    else if (o->kind == ORDER_LICENCES)
        desc.licenses = o->text;
    else
        desc.begin_time = o->begin_s;
    if (o->kind == ORDER_RELEASE)
        desc.priority = INFINITE;
    return slurm_update_job(&desc);
}

/* Lists are seconds old, and an order may have waited behind others. */
static int stands(const struct slurm_order *o, struct err *e)
{
    struct slurm_state now;
    if (o->replaces_s[0] == 0)
        return 1;
    if (slurm_list_state(o->job_id, &now, e) < 0)
        return 0;
    if (now.begin_s == o->replaces_s[0] || now.begin_s == o->replaces_s[1])
        return 1;
    err_set(e, "its begin time has been changed since it was listed: that stands");
    return 0;
}

/* Only the run that it was ordered for, and only while it runs: what has ended must not run again.
 * JOB_RUNNING has slurmctld look once more, under its lock. */
static int requeue(const struct slurm_order *o, char *id, int *refused, struct err *e)
{
    struct slurm_state now;
    job_array_resp_msg_t *tasks = NULL;
    if (slurm_list_state(o->job_id, &now, e) < 0)
        return SLURM_ERROR;
    if (now.restart != o->restart || !now.running)
        return SLURM_SUCCESS; /* it has been already, or there is nothing to requeue any more */
    int rc = slurm_requeue2(id, JOB_RUNNING, &tasks);
    uint32_t error = rc == SLURM_SUCCESS ? 0 : (uint32_t)errno;
    for (uint32_t i = 0; tasks && i < tasks->job_array_count; i++)
        if (tasks->error_code[i])
            error = tasks->error_code[i];
    if (tasks)
        slurm_free_job_array_resp(tasks);
    *refused = error == ESLURM_DISABLED || error == ESLURM_BATCH_ONLY;
    errno = (int)error;
    return error ? SLURM_ERROR : SLURM_SUCCESS;
}

static void carry_out(struct slurm_order *o)
{
    char id[48];
    int rc = SLURM_ERROR, refused = 0;
    struct err e = {.text = ""};
    /* The last task of an array has the array's own number: by that, all of them would be meant. */
    if (o->array_job_id && o->array_task >= 0)
        snprintf(id, sizeof(id), "%u_%lld", o->array_job_id, (long long)o->array_task);
    else
        snprintf(id, sizeof(id), "%u", o->job_id);
    errno = 0;
    switch (o->kind) {
    case ORDER_BEGIN:
        if (stands(o, &e))
            rc = update_job(o);
        break;
    case ORDER_HOLD:
    case ORDER_FACTOR:
    case ORDER_RELEASE:
    case ORDER_LICENCES:
        rc = update_job(o);
        break;
    case ORDER_REQUEUE:
        rc = requeue(o, id, &refused, &e);
        break;
    case ORDER_NOTIFY:
        rc = SLURM_NOTIFY_JOB(o->job_id, o->text);
        break;
    case ORDER_TERM:
        rc = slurm_kill_job2(id, SIGTERM, KILL_FULL_JOB, NULL);
        break;
    case ORDER_CANCEL:
        rc = slurm_kill_job2(id, SIGKILL, 0, NULL);
        break;
    }
    o->rc = rc == SLURM_SUCCESS ? 0 : refused ? ORDER_REFUSED : -1;
    o->error[0] = '\0';
    if (o->rc < 0)
        snprintf(o->error, sizeof(o->error), "%s", e.text[0] ? e.text : slurm_strerror(errno));
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
    carry_out(o);
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

static void load_list(void)
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
}

/* Wait for an order, a poke, the end, or the next list; the caller holds the lock. */
static void wait_until(int64_t due_ms)
{
    while (!client.stop && !client.poke && client.todo.n == 0 && mono_ms() < due_ms) {
        struct timespec until = {due_ms / 1000, (due_ms % 1000) * 1000000L};
        pthread_cond_timedwait(&client.wake, &client.lock, &until);
    }
}

static void *run(void *arg)
{
    int64_t due_ms = 0;
    (void)arg;
    pthread_mutex_lock(&client.lock);
    while (!client.stop) {
        struct slurm_order o;
        wait_until(due_ms);
        if (ring_take(&client.todo, &o)) {
            client.busy = 1;
            pthread_mutex_unlock(&client.lock);
            take_turn(&o);
            pthread_mutex_lock(&client.lock);
            ring_put(&client.done, &o);
            client.busy = 0;
            tell_main();
        }
        if (!client.stop && (client.poke || mono_ms() >= due_ms)) {
            client.poke = 0;
            pthread_mutex_unlock(&client.lock);
            load_list();
            pthread_mutex_lock(&client.lock);
            due_ms = mono_ms() + client.poll_ms;
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
