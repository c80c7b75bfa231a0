/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One thread a reader. The reader is owned by its users and by the thread, and freed by the last of
 * them: so a thread that never comes back from a vendor's call keeps what it may still touch.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "power/slow_reader.h"

struct slow_reader {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int owners; /* users and the thread */
    int users;
    int n;
    int64_t period_ms;
    slow_fetch fetch;
    void (*release)(void *arg);
    void *arg;
    int64_t started_ms;        /* monotonic */
    int64_t fetched_ms;        /* 0 = not yet */
    struct slow_value *values; /* as of then */
    struct slow_value *coming; /* the thread's own */
};

static void _free(struct slow_reader *r)
{
    r->release(r->arg);
    free(r->values);
    free(r->coming);
    (void)pthread_cond_destroy(&r->wake);
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

/* Let go of the reader; the lock is held and given back. */
static void _let_go(struct slow_reader *r)
{
    int owners = --r->owners;

    (void)pthread_mutex_unlock(&r->lock);
    if (owners == 0)
        _free(r);
}

static void _sleep(struct slow_reader *r, int64_t until_ms)
{
    struct timespec t = {until_ms / 1000, until_ms % 1000 * 1000000};

    while (r->users > 0 && clock_mono_ms(&clock_system) < until_ms)
        (void)pthread_cond_timedwait(&r->wake, &r->lock, &t);
}

static void *_run(void *arg)
{
    struct slow_reader *r = arg;

    (void)pthread_mutex_lock(&r->lock);
    while (r->users > 0) {
        int64_t began_ms = clock_mono_ms(&clock_system);

        (void)pthread_mutex_unlock(&r->lock);
        r->fetch(r->arg, r->coming, r->n);
        (void)pthread_mutex_lock(&r->lock);
        memcpy(r->values, r->coming, (size_t)r->n * sizeof(*r->values));
        r->fetched_ms = clock_mono_ms(&clock_system);
        _sleep(r, began_ms + r->period_ms);
    }
    _let_go(r);
    return NULL;
}

/* Signals are the main thread's. */
static int _start(struct slow_reader *r)
{
    pthread_attr_t attr;
    sigset_t all, old;
    pthread_t thread;
    int rc;

    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&thread, &attr, _run, r);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    (void)pthread_attr_destroy(&attr);
    errno = rc;
    return rc == 0 ? 0 : -1;
}

struct slow_reader *slow_reader_create(int n, int64_t period_ms, slow_fetch fetch,
                                       void (*release)(void *arg), void *arg, struct err *e)
{
    struct slow_reader *r = calloc(1, sizeof(*r));
    pthread_condattr_t attr;

    if (!r) {
        (void)err_errno(e, "no memory for a reader");
        release(arg);
        return NULL;
    }
    *r = (struct slow_reader){.owners = 2,
                              .users = 1,
                              .n = n,
                              .period_ms = period_ms,
                              .started_ms = clock_mono_ms(&clock_system),
                              .fetch = fetch,
                              .release = release,
                              .arg = arg};
    r->values = calloc((size_t)n, sizeof(*r->values));
    r->coming = calloc((size_t)n, sizeof(*r->coming));
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&r->wake, &attr);
    (void)pthread_condattr_destroy(&attr);
    if (r->values && r->coming && _start(r) == 0)
        return r;
    (void)err_errno(e, "cannot start a reader's thread");
    _free(r);
    return NULL;
}

struct slow_reader *slow_reader_use(struct slow_reader *r)
{
    (void)pthread_mutex_lock(&r->lock);
    r->users++;
    r->owners++;
    (void)pthread_mutex_unlock(&r->lock);
    return r;
}

int slow_reader_get(struct slow_reader *r, int i, int64_t deadline_ms, uint64_t *uj)
{
    struct slow_value value;
    int64_t fetched_ms, age_ms;

    (void)pthread_mutex_lock(&r->lock);
    value = r->values[i];
    fetched_ms = r->fetched_ms;
    (void)pthread_mutex_unlock(&r->lock);
    age_ms = clock_mono_ms(&clock_system) - (fetched_ms ? fetched_ms : r->started_ms);
    errno = age_ms > deadline_ms ? ETIMEDOUT : fetched_ms == 0 ? EAGAIN : value.error;
    *uj = value.uj;
    return errno ? -1 : 0;
}

void slow_reader_release(struct slow_reader *r)
{
    if (!r)
        return;
    (void)pthread_mutex_lock(&r->lock);
    r->users--;
    (void)pthread_cond_signal(&r->wake);
    _let_go(r);
}
