/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One exchange at a time, and a restore before anything else: a cap is only asked for when it is
 * known that none is there. A request that got no answer may have been carried out.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "carnotd/cap_file.h"
#include "carnotd/caps.h"
#include "carnotd/record.h"
#include "common/log.h"
#include "common/node_socket.h"
#include "common/path.h"

#define RETRY_MS 10000

static int64_t _now_ms(void)
{
    return clock_mono_ms(&clock_system);
}

/* ---- saying ---- */

static void _log(struct caps *c, uint32_t job, const struct power_cap *cap,
                 const struct cap_answer *a)
{
    char text[POWER_CAP_TEXT_SIZE] = "power caps";
    int level = a->result == CAP_FAILED                                 ? LOG_ERR
                : a->result == CAP_WAS_SET || a->result == CAP_RESTORED ? LOG_INFO
                                                                        : LOG_WARNING;

    if (cap)
        (void)power_cap_format(text, sizeof(text), cap);
    log_msg(level, "job %u, %s: %s%s%s", job, text, cap_result_name(a->result),
            a->why.text[0] ? ": " : "", a->why.text);
    record_cap(c->sampler, job, cap, a);
    c->counts[a->result]++;
}

/* The job gets no cap, for a reason of ours. */
static void _refuse(struct caps *c, uint32_t job, const struct power_cap *cap, const char *why)
{
    struct cap_answer a = {.result = CAP_REFUSED};

    (void)err_set(&a.why, "%s", why);
    _log(c, job, cap, &a);
}

/* ---- over a restart ---- */

/* ev is of the job that is wanted. A message is not sent twice: from here on it is ours. */
static void _keep(struct caps *c, const struct node_event *ev)
{
    struct err e;

    c->kept = ev->job_id;
    if (cap_file_save(c->file, c->sampler->boot, ev, &e) < 0)
        log_warn("job %u: its power cap would not outlive a restart: %s", ev->job_id, e.text);
}

/* Whatever comes, this job's cap is not to be set again. Before anything is asked for because of
 * that: no run may find a job here that was put back for good. */
static void _forget(struct caps *c, uint32_t job)
{
    if (job == 0 || job != c->kept)
        return;
    c->kept = 0;
    if (unlink(c->file) < 0 && errno != ENOENT)
        log_warn("%s cannot be removed: %s", c->file, strerror(errno));
}

/* As if the message had come just now; whether the job still runs is the sampler's to know. */
static void _resume(struct caps *c)
{
    struct node_event ev;
    struct err e;
    int rc = cap_file_load(&ev, c->file, c->sampler->boot, &e);

    if (rc < 0)
        log_warn("%s: no job's power cap is set again", e.text);
    if (rc <= 0)
        return;
    c->kept = c->wanted = ev.job_id;
    c->wanted_cap = ev.cap;
    c->exclusive = ev.exclusive == 1;
}

/* ---- answers ---- */

static void _restored(struct caps *c, const struct cap_answer *a)
{
    const struct power_cap *cap = c->holder ? &c->cap : NULL;

    if (a->result == CAP_FAILED) {
        c->retry_ms = _now_ms() + RETRY_MS;
        if (!c->failing)
            _log(c, c->holder, cap, a);
        c->failing = true;
        return;
    }
    if (a->limits > 0 || a->why.text[0] || c->failing)
        _log(c, c->holder, cap, a);
    c->failing = c->restore = false;
    c->holder = 0;
    c->limits = 0;
}

static void _was_set(struct caps *c, const struct cap_answer *a)
{
    _log(c, c->holder, &c->cap, a);
    if (a->result == CAP_WAS_SET || a->result == CAP_DIFFERS) {
        c->limits = a->limits;
        return;
    }
    _forget(c, c->holder);
    if (a->result == CAP_FAILED)
        c->restore = true;
    else
        c->holder = 0;
}

static void _hang_up(struct caps *c)
{
    if (c->event)
        event_free(c->event);
    c->event = NULL;
    if (c->fd >= 0)
        (void)close(c->fd);
    c->fd = -1;
    c->asked = CAP_VERB_NONE;
}

/* n bytes of an answer; what is none is a failure. */
static void _take(struct caps *c, const char *text, ssize_t n)
{
    enum cap_verb asked = c->asked;
    struct cap_answer a;
    struct err e;

    _hang_up(c);
    if (n <= 0 || cap_answer_parse(&a, text, (size_t)n, &e) < 0) {
        memset(&a, 0, sizeof(a));
        a.result = CAP_FAILED;
        (void)err_set(&a.why, "carnot-powercap at %s %s", c->socket,
                      n > 0 ? e.text : "gave no answer");
    }
    if (asked == CAP_RESTORE)
        _restored(c, &a);
    else
        _was_set(c, &a);
}

static void _on_answer(evutil_socket_t fd, short what, void *arg)
{
    char text[CAP_MESSAGE_MAX + 1];
    struct caps *c = arg;
    ssize_t n = what & EV_READ ? node_socket_receive(fd, text, sizeof(text), _now_ms()) : 0;

    if (n > (ssize_t)sizeof(text))
        n = 0;
    _take(c, text, n);
    caps_look(c);
}

/* ---- questions ---- */

/* The connection with the request on it, or -1. */
static int _ask(const struct caps *c, const struct cap_request *r, int64_t end_ms)
{
    char text[CAP_MESSAGE_MAX + 1];
    int len = cap_request_format(text, sizeof(text), r), fd = -1, saved;

    if (len >= 0)
        fd = node_socket_open(c->socket, c->sampler->node, end_ms);
    if (fd < 0 || node_socket_send(fd, text, (size_t)len, end_ms) == 0)
        return fd;
    saved = errno;
    (void)close(fd);
    errno = saved;
    return -1;
}

/* Nobody was reached, so nothing was done. */
static void _unreachable(struct caps *c, enum cap_verb verb)
{
    struct cap_answer a = {.result = CAP_FAILED};

    (void)err_errno(&a.why, "carnot-powercap is not at %s (is its socket enabled?)", c->socket);
    if (verb == CAP_RESTORE) {
        _restored(c, &a);
        return;
    }
    _log(c, c->holder, &c->cap, &a);
    _forget(c, c->holder);
    c->holder = 0;
}

static void _send(struct caps *c, const struct cap_request *r)
{
    const struct timeval limit = {CAP_ANSWER_MS / 1000, 0};

    c->asked = r->verb;
    c->fd = _ask(c, r, _now_ms());
    if (c->fd < 0) {
        c->asked = CAP_VERB_NONE;
        _unreachable(c, r->verb);
        return;
    }
    c->event = event_new(c->base, c->fd, EV_READ, _on_answer, c);
    /* an answer that nobody waits for: as if it had not come */
    if (!c->event || event_add(c->event, &limit) < 0)
        _take(c, "", 0);
}

/* ---- when ---- */

static struct job *_running(const struct caps *c, uint32_t id)
{
    struct job *job = id ? jobs_find(&c->sampler->jobs, id) : NULL;

    return job && job->phase != JOB_ENDED ? job : NULL;
}

static bool _is_alone(const struct caps *c)
{
    int n = 0;

    for (int i = 0; i < c->sampler->jobs.n; i++)
        n += c->sampler->jobs.v[i].phase != JOB_ENDED;
    return n <= 1;
}

/* Ask for what is wanted, or say why not; wait while it is not known. */
static void _want(struct caps *c)
{
    const struct job *job = _running(c, c->wanted);
    bool whole = job && (c->exclusive || job->cpus >= c->sampler->pus);
    struct cap_request r = {.verb = CAP_SET, .job = c->wanted, .cap = c->wanted_cap};
    uint32_t wanted = c->wanted;

    if (job && !whole && job->cpus_guessed)
        return;
    if (whole && !_is_alone(c))
        return; /* a job that has ended, and whose end was not seen yet */
    c->wanted = 0;
    if (job && r.cap.scope == POWER_CAP_GPU)
        r.gpus = job->gpus;
    if (whole && (r.cap.scope != POWER_CAP_GPU || r.gpus)) {
        c->holder = wanted;
        c->cap = r.cap;
        _send(c, &r);
        return;
    }
    if (job)
        _refuse(c, wanted, &r.cap,
                whole ? "the job holds no GPU here" : "the job does not hold this node alone");
    _forget(c, wanted);
}

void caps_look(struct caps *c)
{
    const struct cap_request back = {.verb = CAP_RESTORE};

    if (!c->socket[0] || c->asked != CAP_VERB_NONE)
        return;
    if (c->holder && (!_running(c, c->holder) || !_is_alone(c))) {
        _forget(c, c->holder);
        c->restore = true;
    }
    if (c->restore) {
        if (_now_ms() >= c->retry_ms)
            _send(c, &back);
        if (c->restore || c->asked != CAP_VERB_NONE)
            return;
    }
    if (c->wanted && !c->holder)
        _want(c);
}

void caps_event(struct caps *c, const struct node_event *ev)
{
    if (ev->kind == NODE_EVENT_END) {
        c->restore |= ev->job_id == c->holder;
        _forget(c, ev->job_id);
    }
    /* a message may come twice */
    if (ev->kind == NODE_EVENT_START && ev->cap.scope != POWER_CAP_NONE &&
        (ev->job_id != c->holder || c->restore)) {
        if (!c->socket[0]) {
            _refuse(c, ev->job_id, &ev->cap, "node.cap_socket is not set here");
        } else {
            c->wanted = ev->job_id;
            c->wanted_cap = ev->cap;
            c->exclusive = ev->exclusive == 1;
            _keep(c, ev);
        }
    }
    caps_look(c);
}

/* ---- start and end ---- */

int caps_open(struct caps *c, struct event_base *base, struct sampler *s, const char *socket,
              const char *state_dir, struct err *e)
{
    memset(c, 0, sizeof(*c));
    c->base = base;
    c->sampler = s;
    c->fd = -1;
    c->restore = socket[0] != '\0';
    if (path_format(c->socket, sizeof(c->socket), "%s", socket) < 0)
        return err_errno(e, "node.cap_socket %s", socket);
    if (path_format(c->file, sizeof(c->file), "%s/" CAP_FILE_NAME, state_dir) < 0)
        return err_errno(e, "state directory %s", state_dir);
    if (c->restore)
        _resume(c);
    return 0;
}

void caps_end(struct caps *c)
{
    const struct cap_request back = {.verb = CAP_RESTORE};
    int64_t end_ms = _now_ms() + CAP_ANSWER_MS;
    char text[CAP_MESSAGE_MAX + 1];
    ssize_t n = 0;

    if (!c->socket[0] || (!c->holder && !c->restore))
        return;
    _hang_up(c); /* what was asked for is done before what is asked for now */
    c->asked = CAP_RESTORE;
    c->fd = _ask(c, &back, end_ms);
    if (c->fd < 0) {
        c->asked = CAP_VERB_NONE;
        _unreachable(c, CAP_RESTORE);
        return;
    }
    n = node_socket_receive(c->fd, text, sizeof(text), end_ms);
    _take(c, text, n > (ssize_t)sizeof(text) ? 0 : n);
}

void caps_close(struct caps *c)
{
    _hang_up(c);
}
