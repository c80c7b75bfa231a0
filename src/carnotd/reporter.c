/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reporter's thread. It and the main thread share the few fields under the
 * lock and the log's files, nothing else. The controller counts each number once,
 * so that a lost answer, or a lost file of ours, only means sending again.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "carnotd/reporter.h"
#include "common/channel.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/path.h"

#define ASK_TIMEOUT_MS 5000
#define LAST_TIMEOUT_MS 2000
#define BACKOFF_FIRST_MS 1000
#define BACKOFF_LAST_MS 60000
#define BACKOFF_LATER_MS 10000 /* the controller is there and waits for Slurm's list itself */
#define STACK_SIZE (256 << 10)

static int _read_acked(struct reporter *r, struct err *e)
{
    char *text = NULL, *end;
    size_t size;

    if (path_read(r->acked_path, 64, &text, &size, e) < 0)
        return errno == ENOENT ? 0 : -1;
    r->acked = strtoull(text, &end, 10);
    if (end == text || (*end && *end != '\n')) {
        /* it saves sending again, no more: begin without */
        log_warn("%s: not a number, ignored", r->acked_path);
        r->acked = 0;
    }
    free(text);
    return 0;
}

void reporter_configure(struct reporter *r, const struct settings *s)
{
    struct err e = {.text = ""};
    uid_t server = 0;

    if (settings_controller_uid(s, &server, &e) < 0)
        log_warn("%s: only root's answers count", e.text);
    (void)pthread_mutex_lock(&r->lock);
    r->server = server;
    (void)snprintf(r->host, sizeof(r->host), "%s", s->controller.host);
    r->port = s->controller.port;
    (void)snprintf(r->munge_socket, sizeof(r->munge_socket), "%s", s->munge_socket);
    r->interval_ms = s->node.report_interval_ms;
    (void)pthread_mutex_unlock(&r->lock);
}

int reporter_init(struct reporter *r, const struct settings *s, const char *state_dir,
                  const char *node, const char *boot, struct telemetry_log *log, struct err *e)
{
    pthread_condattr_t monotonic;

    memset(r, 0, sizeof(*r));
    if (path_format(r->node, sizeof(r->node), "%s", node) < 0 ||
        path_format(r->boot, sizeof(r->boot), "%s", boot) < 0 ||
        path_format(r->acked_path, sizeof(r->acked_path), "%s/" REPORTER_ACKED_NAME, state_dir) < 0)
        return err_errno(e, "state directory %s", state_dir);
    if (path_mkdirs(state_dir, 0750, e) < 0 || _read_acked(r, e) < 0)
        return -1;
    spool_init(&r->spool, log);
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&r->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    reporter_configure(r, s);
    return 0;
}

/* The controller has everything up to acked. 0 or -1. */
static int _acknowledge(struct reporter *r, uint64_t acked, struct err *e)
{
    char text[32];
    int n = snprintf(text, sizeof(text), "%" PRIu64 "\n", acked);

    (void)pthread_mutex_lock(&r->lock);
    r->acked = acked;
    (void)pthread_mutex_unlock(&r->lock);
    return path_write_alone(r->acked_path, text, (size_t)n, 0640, 1, e);
}

/* What came back for a batch that ended with last, as reporter_send() returns it. */
static int _take_answer(struct reporter *r, const json_t *answer, uint64_t last, struct err *e)
{
    const json_t *acked_json = json_object_get(answer, "acked");
    const char *error = json_string_value(json_object_get(answer, "error"));
    uint64_t acked = (uint64_t)json_integer_value(acked_json);

    if (!json_is_true(json_object_get(answer, "ok")) || !json_is_integer(acked_json) ||
        json_integer_value(acked_json) < 0) {
        errno = EPROTO;
        return err_set(e, "carnotctld refused the report: %s", error ? error : "no reason given");
    }
    if (acked > last) {
        /* our log was lost with its numbers, and the controller's count goes on from the old ones
         */
        (void)pthread_mutex_lock(&r->lock);
        r->skip_to = acked;
        (void)pthread_mutex_unlock(&r->lock);
        log_warn("carnotctld has records up to %" PRIu64 " of this node, and the log ended with "
                 "%" PRIu64 ": going on behind its number",
                 acked, last);
    }
    if (acked > r->acked && _acknowledge(r, acked, e) < 0)
        return -1;
    if (acked >= last) {
        spool_done(&r->spool);
        return 0;
    }
    if (!error)
        return 1;
    errno = EPROTO;
    return err_set(e, "carnotctld stopped at record %" PRIu64 ": %s", acked, error);
}

static json_t *_request(const struct reporter *r, json_t *records)
{
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:O}", "v", 1, "op", "report", "node", r->node,
                     "boot", r->boot, "version", PACKAGE_VERSION, "records", records);
}

static int _ask(struct reporter *r, json_t *records, int timeout_ms, json_t **answer, struct err *e)
{
    char host[sizeof(r->host)], munge_socket[sizeof(r->munge_socket)];
    json_t *request = _request(r, records);
    uid_t server;
    int port, rc;

    if (!request) {
        errno = ENOMEM;
        return err_errno(e, "cannot make a report");
    }
    (void)pthread_mutex_lock(&r->lock);
    memcpy(host, r->host, sizeof(host));
    memcpy(munge_socket, r->munge_socket, sizeof(munge_socket));
    port = r->port;
    server = r->server;
    (void)pthread_mutex_unlock(&r->lock);
    rc = channel_ask_uid(host, port, munge_socket, server, request, answer, timeout_ms, e);
    json_decref(request);
    return rc;
}

int reporter_send(struct reporter *r, int timeout_ms, struct err *e)
{
    for (;;) {
        json_t *records, *answer = NULL;
        uint64_t last, lost;
        int rc;

        if (spool_read(&r->spool, r->acked, REPORTER_BATCH_RECORDS, REPORTER_BATCH_BYTES, &records,
                       &last, &lost, e) < 0)
            return -1;
        if (json_array_size(records) == 0) {
            json_decref(records);
            return 0;
        }
        if (lost > 0 && r->acked > 0 && r->failures == 0)
            log_warn("%" PRIu64 " records were rotated away before carnotctld had them", lost);
        rc = _ask(r, records, timeout_ms, &answer, e);
        json_decref(records);
        if (rc == 0)
            rc = _take_answer(r, answer, last, e);
        json_decref(answer);
        if (rc != 0)
            return rc;
    }
}

/* Twice as long each time, up to the last. */
static void _back_off(struct reporter *r, int64_t last_ms)
{
    r->backoff_ms = r->backoff_ms ? 2 * r->backoff_ms : BACKOFF_FIRST_MS;
    if (r->backoff_ms > last_ms)
        r->backoff_ms = last_ms;
}

/* Send, and say so when the controller goes or comes back, not each time it is not there. */
static void _attempt(struct reporter *r, int timeout_ms)
{
    struct err e = {""};
    int rc = reporter_send(r, timeout_ms, &e);

    if (rc < 0) {
        if (r->failures++ == 0)
            log_warn("no report to carnotctld, records are kept: %s", e.text);
        else
            log_debug("no report to carnotctld: %s", e.text);
        _back_off(r, BACKOFF_LAST_MS);
        return;
    }
    if (r->failures)
        log_info("reports reach carnotctld again, after %u failed attempts", r->failures);
    r->failures = 0;
    if (rc > 0)
        _back_off(r, BACKOFF_LATER_MS);
    else
        r->backoff_ms = 0;
}

/* Until it is time: the interval or the back-off is over, or (if all is well) something is worth
 * it. False when the thread is to end. */
static bool _wait(struct reporter *r)
{
    int64_t until_ms;
    struct timespec until;
    bool stop;

    (void)pthread_mutex_lock(&r->lock);
    until_ms = clock_mono_ms(&clock_system) + (r->backoff_ms ? r->backoff_ms : r->interval_ms);
    until.tv_sec = (time_t)(until_ms / 1000);
    until.tv_nsec = (long)(until_ms % 1000) * 1000000;
    while (!r->stop && !(r->soon && r->backoff_ms == 0)) {
        if (pthread_cond_timedwait(&r->wake, &r->lock, &until) == ETIMEDOUT)
            break;
    }
    r->soon = false;
    stop = r->stop;
    (void)pthread_mutex_unlock(&r->lock);
    return !stop;
}

static void *_run(void *arg)
{
    struct reporter *r = arg;

    while (_wait(r)) {
        _attempt(r, ASK_TIMEOUT_MS);
        /* what a batch took goes back: the daemon is to stay small */
        (void)malloc_trim(0);
    }
    _attempt(r, LAST_TIMEOUT_MS);
    return NULL;
}

int reporter_start(struct reporter *r, struct err *e)
{
    sigset_t all, before;
    pthread_attr_t attr;
    int rc;

    /* signals are for the main thread's loop */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, STACK_SIZE);
    rc = pthread_create(&r->thread, &attr, _run, r);
    (void)pthread_attr_destroy(&attr);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc) {
        errno = rc;
        return err_errno(e, "cannot start the reporter's thread");
    }
    r->running = true;
    return 0;
}

void reporter_wake(struct reporter *r)
{
    (void)pthread_mutex_lock(&r->lock);
    r->soon = true;
    (void)pthread_cond_signal(&r->wake);
    (void)pthread_mutex_unlock(&r->lock);
}

uint64_t reporter_acked(struct reporter *r)
{
    uint64_t acked;

    (void)pthread_mutex_lock(&r->lock);
    acked = r->acked;
    (void)pthread_mutex_unlock(&r->lock);
    return acked;
}

uint64_t reporter_take_skip(struct reporter *r)
{
    uint64_t skip_to;

    (void)pthread_mutex_lock(&r->lock);
    skip_to = r->skip_to;
    r->skip_to = 0;
    (void)pthread_mutex_unlock(&r->lock);
    return skip_to;
}

void reporter_fini(struct reporter *r)
{
    if (r->running) {
        (void)pthread_mutex_lock(&r->lock);
        r->stop = true;
        (void)pthread_cond_signal(&r->wake);
        (void)pthread_mutex_unlock(&r->lock);
        (void)pthread_join(r->thread, NULL);
        r->running = false;
    }
    spool_fini(&r->spool);
    (void)pthread_cond_destroy(&r->wake);
    (void)pthread_mutex_destroy(&r->lock);
}
