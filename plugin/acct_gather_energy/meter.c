/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking and remembering. slurmd calls from several threads: the one that asks does so without the
 * lock, the others get the last value meanwhile. What changes (no answer, answers again) is logged
 * once.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <slurm/slurm.h>

#include "common/clock.h"
#include "common/node_socket.h"
#include "compat/slurm_compat.h"
#include "meter.h"
#include "self.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Under the lock: */
static struct meter_state state;
static struct energy_query self; /* .of NONE until it is known who we are */
static bool asking;              /* one thread does */
static bool silent;              /* and that was said */
static time_t when;              /* of the last answer */
static int64_t asked_ms = INT64_MIN / 2, pause_ms, pause_end_ms = INT64_MIN / 2;

static uint64_t _total_uj(const struct meter_state *s)
{
    return s->base_uj + s->last.uj;
}

/* More than any machine can have used in that time? An hour is allowed on top, since what a job
 * used without a step comes at once. */
static bool _implausible(uint64_t more_uj, int64_t ms)
{
    uint64_t limit_mw = (uint64_t)METER_POWER_MAX_W * 1000;

    return ms > INT64_C(1) << 40 || more_uj / limit_mw > (uint64_t)(ms + 3600 * 1000);
}

int meter_take(struct meter_state *s, const struct energy_answer *a, enum energy_of of)
{
    int64_t ms = a->mono_ms - s->last.mono_ms;

    if (a->of != of || of == ENERGY_OF_NONE || a->run == 0 || a->uj > ENERGY_UJ_MAX)
        return 0;
    if (!s->known) {
        s->known = true;
        s->first_ms = a->mono_ms;
        s->first_uj = a->uj;
    } else if (a->run != s->last.run) {
        if (ms < 0 || _implausible(a->uj, ms) || _total_uj(s) > ENERGY_UJ_MAX)
            return 0;
        s->base_uj += s->last.uj;
        s->pair_ms = 0;
    } else {
        if (ms < 0 || a->uj < s->last.uj || _implausible(a->uj - s->last.uj, ms))
            return 0;
        if (ms == 0 && a->uj == s->last.uj)
            return 1;
        s->pair_ms = ms;
        s->pair_uj = a->uj - s->last.uj;
    }
    s->last = *a;
    return 1;
}

/* One question. 0 and *a, or -1 and errno. */
static int _ask(const struct energy_query *q, struct energy_answer *a)
{
    int64_t end_ms = clock_mono_ms(&clock_system) + METER_ASK_LIMIT_MS;
    char text[ENERGY_MESSAGE_MAX + 1];
    int len = energy_query_format(text, sizeof(text), q);
    int fd = -1, rc = -1, saved;
    ssize_t n;

    if (len >= 0)
        fd = node_socket_open(self_socket(), q->node, end_ms);
    if (fd < 0)
        return -1;
    if (node_socket_send(fd, text, (size_t)len, end_ms) == 0) {
        n = node_socket_receive(fd, text, sizeof(text), end_ms);
        if (n == 0)
            errno = ECONNRESET;
        else if (n > 0 && (size_t)n <= sizeof(text))
            rc = energy_answer_parse(a, text, (size_t)n, NULL);
        else if (n > 0)
            errno = EMSGSIZE;
    }
    saved = errno;
    (void)close(fd);
    errno = saved;
    return rc;
}

/* Under the lock: what came of a question. why 0: an answer. */
static void _settle(const struct energy_answer *a, int why, int64_t now_ms)
{
    bool taken = false;

    if (why == 0 && a->of != ENERGY_OF_NONE) {
        taken = meter_take(&state, a, self.of) == 1;
        why = taken ? 0 : EPROTO;
    }
    if (taken)
        when = time(NULL);
    if (why == ETIMEDOUT || why == EAGAIN) {
        pause_ms = pause_ms ? 2 * pause_ms : METER_PAUSE_MIN_MS;
        if (pause_ms > METER_PAUSE_MAX_MS)
            pause_ms = METER_PAUSE_MAX_MS;
        pause_end_ms = now_ms + pause_ms;
    } else {
        pause_ms = 0;
    }
    if ((why != 0) == silent)
        return;
    silent = why != 0;
    if (self.of == ENERGY_OF_STEP)
        slurm_debug("carnot: carnotd %s: %s", silent ? "gives no energy" : "answers again",
                    strerror(why));
    else if (silent)
        slurm_info("carnot: no energy from carnotd: %s (the last value stays)", strerror(why));
    else
        slurm_info("carnot: carnotd gives energy again");
}

static void _refresh(void)
{
    int64_t now_ms = clock_mono_ms(&clock_system);
    struct energy_answer answer = {.of = ENERGY_OF_NONE};
    struct energy_query query;
    int64_t age_ms = self.of == ENERGY_OF_NODE ? METER_NODE_AGE_MS : METER_STEP_AGE_MS;
    int why = 0;

    if (asking || now_ms < pause_end_ms || now_ms - asked_ms < age_ms)
        return;
    if (self.of == ENERGY_OF_NONE && self_query(&self) < 0) {
        self.of = ENERGY_OF_NONE;
        return;
    }
    query = self;
    asking = true;
    (void)pthread_mutex_unlock(&lock);
    if (_ask(&query, &answer) < 0)
        why = errno ? errno : EIO;
    (void)pthread_mutex_lock(&lock);
    asking = false;
    asked_ms = now_ms;
    _settle(&answer, why, clock_mono_ms(&clock_system));
}

/* Under the lock. */
static void _report(struct meter_reading *r)
{
    int64_t ms = state.last.mono_ms - state.first_ms;

    memset(r, 0, sizeof(*r));
    r->of = self.of;
    r->known = state.known;
    r->when = when;
    if (!state.known)
        return;
    r->uj = _total_uj(&state);
    r->power_known = state.pair_ms > 0;
    r->power_mw = r->power_known ? state.pair_uj / (uint64_t)state.pair_ms : 0;
    r->mean_mw = ms > 0 ? (r->uj - state.first_uj) / (uint64_t)ms : 0;
}

void meter_read(struct meter_reading *r)
{
    (void)pthread_mutex_lock(&lock);
    _refresh();
    _report(r);
    (void)pthread_mutex_unlock(&lock);
}

void meter_last(struct meter_reading *r)
{
    (void)pthread_mutex_lock(&lock);
    _report(r);
    (void)pthread_mutex_unlock(&lock);
}
