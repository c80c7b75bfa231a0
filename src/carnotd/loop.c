/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one loop of the main thread: a timer for ticks, one for job edges that
 * came too close together, the socket, three signals. Handlers only call parts.
 */
#include "config.h"

#include <signal.h>
#include <string.h>

#include "carnotd/daemon_private.h"
#include "common/notify.h"
#include "common/log.h"

static void _add_timer(struct event *timer, int64_t ms)
{
    const struct timeval tv = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000};

    (void)event_add(timer, &tv);
}

/* On the next whole multiple of the interval in wall-clock time: all nodes of a cluster wake up
 * together, which disturbs parallel jobs least. */
static void _schedule_tick(struct daemon *d)
{
    int64_t interval_ms = d->settings.node.interval_ms;

    _add_timer(d->tick, interval_ms - clock_wall_ms(&clock_system) % interval_ms);
}

static void _schedule_edge(struct daemon *d)
{
    int64_t wait_ms = sampler_edge_wait_ms(&d->sampler);

    if (wait_ms >= 0 && !d->sampler.failing)
        _add_timer(d->edge, wait_ms > 0 ? wait_ms : 1);
}

/* What the tick cost, and how many did not come since the one before: timers are late, not early.
 */
static void _count_tick(struct daemon *d, int64_t began_us)
{
    int64_t now_ms = clock_mono_ms(&clock_boottime), interval_ms = d->settings.node.interval_ms;
    int64_t between_ms = d->ticked_ms ? now_ms - d->ticked_ms : interval_ms;
    int64_t missed = (between_ms + interval_ms / 2) / interval_ms - 1;

    d->ticked_ms = now_ms;
    metrics_tick(&d->metrics, &d->sampler, clock_mono_us() - began_us,
                 missed > 0 ? (uint64_t)missed : 0, reporter_acked(&d->reporter));
}

static void _on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;
    uint64_t skip_to = reporter_take_skip(&d->reporter);
    int64_t began_us = clock_mono_us();

    (void)fd;
    (void)what;
    if (skip_to)
        sampler_skip_to(&d->sampler, skip_to);
    (void)sampler_tick(&d->sampler);
    _count_tick(d, began_us);
    caps_look(&d->caps);
    notify_send("WATCHDOG=1");
    _schedule_tick(d);
}

static void _on_edge(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;

    (void)fd;
    (void)what;
    if (sampler_edge_wait_ms(&d->sampler) >= 0 && sampler_close(&d->sampler) == 1)
        reporter_wake(&d->reporter);
}

void loop_on_job(const struct node_event *ev, void *arg)
{
    struct daemon *d = arg;

    log_debug("job %u: %s", ev->job_id, node_event_kind_name(ev->kind));
    if (sampler_event(&d->sampler, ev) && ev->kind == NODE_EVENT_END)
        reporter_wake(&d->reporter);
    caps_event(&d->caps, ev);
    _schedule_edge(d);
}

void loop_on_query(const struct energy_query *q, struct energy_answer *a, void *arg)
{
    struct daemon *d = arg;

    sampler_query(&d->sampler, q, a);
}

/* What can change while we run is taken over, what cannot is said. */
static void _reload(struct daemon *d)
{
    const char *path = settings_path(d->options->config);
    struct settings new;
    struct err e;

    if (settings_load(&new, path, &e) < 0) {
        log_err("configuration not read again, the old one stays: %s", e.text);
        return;
    }
    if (strcmp(new.node.socket, d->settings.node.socket) != 0 ||
        strcmp(new.node.cap_socket, d->settings.node.cap_socket) != 0 ||
        strcmp(new.node.state_dir, d->settings.node.state_dir) != 0 ||
        strcmp(new.node.log_dir, d->settings.node.log_dir) != 0 ||
        strcmp(new.node.metrics, d->settings.node.metrics) != 0 ||
        strcmp(new.node.metrics_http, d->settings.node.metrics_http) != 0 ||
        new.node.metrics_jobs != d->settings.node.metrics_jobs ||
        strcmp(new.node.user, d->settings.node.user) != 0 ||
        strcmp(new.node.file, d->settings.node.file) != 0 ||
        strcmp(new.node.command, d->settings.node.command) != 0 ||
        memcmp(&new.node.sources, &d->settings.node.sources, sizeof(new.node.sources)) != 0)
        log_warn("%s: node.socket, cap_socket, user, metrics, sources and directories change at "
                 "the next start",
                 path);
    /* the running interval was measured under the old settings */
    (void)sampler_close(&d->sampler);
    d->settings = new;
    d->log.max_bytes = new.node.log_max_bytes;
    d->log.keep = new.node.log_keep;
    reporter_configure(&d->reporter, &d->settings);
    _schedule_tick(d);
    log_info("configuration %s read again", path);
}

static void _on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;

    (void)what;
    if (fd == SIGHUP) {
        _reload(d);
        return;
    }
    d->stop_why = fd == SIGTERM ? "SIGTERM" : "SIGINT";
    (void)event_base_loopbreak(d->base);
}

int loop_start(struct daemon *d, struct err *e)
{
    static const int numbers[DAEMON_SIGNALS] = {SIGTERM, SIGINT, SIGHUP};

    (void)signal(SIGPIPE, SIG_IGN);
    d->base = event_base_new();
    if (!d->base)
        return err_set(e, "cannot make an event loop");
    d->tick = evtimer_new(d->base, _on_tick, d);
    d->edge = evtimer_new(d->base, _on_edge, d);
    if (!d->tick || !d->edge)
        return err_set(e, "cannot make timers");
    for (int i = 0; i < DAEMON_SIGNALS; i++) {
        d->signals[i] = evsignal_new(d->base, numbers[i], _on_signal, d);
        if (!d->signals[i] || event_add(d->signals[i], NULL) < 0)
            return err_set(e, "cannot watch signals");
    }
    return 0;
}

int loop_run(struct daemon *d, struct err *e)
{
    _schedule_tick(d);
    _schedule_edge(d);
    if (event_base_dispatch(d->base) < 0)
        return err_set(e, "the event loop broke");
    return 0;
}

static void _free_event(struct event *event)
{
    if (event)
        event_free(event);
}

void loop_stop(struct daemon *d)
{
    sigset_t ours;

    /* one signal more must not cut the last report short */
    (void)sigemptyset(&ours);
    (void)sigaddset(&ours, SIGTERM);
    (void)sigaddset(&ours, SIGINT);
    (void)sigaddset(&ours, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &ours, NULL);
    _free_event(d->tick);
    _free_event(d->edge);
    for (int i = 0; i < DAEMON_SIGNALS; i++)
        _free_event(d->signals[i]);
    if (d->base)
        event_base_free(d->base);
}
