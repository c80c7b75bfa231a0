/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Start and stop of the daemon as one list of parts: started from the top, and
 * stopped, as far as it came, from the bottom.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "carnotd/cap_file.h"
#include "carnotd/daemon_private.h"
#include "common/notify.h"
#include "carnotd/record.h"
#include "carnotd/state_file.h"
#include "common/log.h"
#include "common/path.h"
#include "power/slow_source.h"

#define LOCK_NAME "carnotd.lock"
#define LIBRARIES_MS 4000

static int _expand(char *buf, size_t size, const char *path, const struct daemon *d, struct err *e)
{
    if (settings_expand(buf, size, path, d->options->node) == 0)
        return 0;
    return err_set(e, "%s is too long with node %s", path, d->options->node);
}

static int _start_settings(struct daemon *d, struct err *e)
{
    const char *path = settings_path(d->options->config);

    if (settings_load(&d->settings, path, e) < 0 ||
        _expand(d->state_dir, sizeof(d->state_dir), d->settings.node.state_dir, d, e) < 0 ||
        _expand(d->log_dir, sizeof(d->log_dir), d->settings.node.log_dir, d, e) < 0 ||
        _expand(d->socket, sizeof(d->socket), d->settings.node.socket, d, e) < 0 ||
        _expand(d->cap_socket, sizeof(d->cap_socket), d->settings.node.cap_socket, d, e) < 0)
        return -1;
    return 0;
}

static int _start_rights(struct daemon *d, struct err *e)
{
    return rights_begin(&d->rights, &d->settings, d->options->force, e);
}

/* Others who could change these files could change what was measured. */
static int _start_directories(struct daemon *d, struct err *e)
{
    static const char *const names[] = {TELEMETRY_LOG_NAME, STATE_FILE_NAME, REPORTER_ACKED_NAME,
                                        LOCK_NAME,          CAP_FILE_NAME,   NULL};

    return rights_directory(&d->rights, d->state_dir, names, e) < 0
               ? -1
               : rights_directory(&d->rights, d->log_dir, names, e);
}

static int _start_lock(struct daemon *d, struct err *e)
{
    char path[SETTINGS_PATH_MAX + 16];

    if (path_format(path, sizeof(path), "%s/" LOCK_NAME, d->state_dir) < 0 ||
        path_format(d->state_file, sizeof(d->state_file), "%s/" STATE_FILE_NAME, d->state_dir) < 0)
        return err_errno(e, "state directory %s", d->state_dir);
    rights_enter(&d->rights);
    d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    rights_leave(&d->rights);
    if (d->lock_fd < 0)
        return err_errno(e, "cannot open %s", path);
    if (flock(d->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        (void)err_set(e, "another carnotd runs for node %s (%s is locked)", d->options->node, path);
    else
        (void)err_errno(e, "cannot lock %s", path);
    (void)close(d->lock_fd);
    return -1;
}

static void _stop_lock(struct daemon *d)
{
    (void)close(d->lock_fd);
}

/* A machine whose shape is unknown still has power to read. */
static int _start_topology(struct daemon *d, struct err *e)
{
    if (topology_load(&d->topology, d->options->sysroot, d->options->topology, e) < 0) {
        if (d->options->topology)
            return -1;
        log_warn("the machine's shape is unknown: %s", e->text);
    }
    /* what hwloc took goes back */
    (void)malloc_trim(0);
    return 0;
}

static int _start_meter(struct daemon *d, struct err *e)
{
    if (settings_name_node(&d->settings, d->options->node, e) < 0 ||
        meter_open_settings(&d->meter, d->options->sysroot, &d->settings, e) < 0)
        return -1;
    if (d->settings.node.redfish[0] && d->settings.node.redfish_insecure)
        log_warn("node.redfish_insecure: who is on the network may read the password for %s and "
                 "forge what it says",
                 d->settings.node.redfish);
    for (int i = 0; i < d->meter.n; i++) {
        const struct source *s = &d->meter.sources[i];

        if (!s->ops->read || s->inside)
            continue;
        if (counter_reach_ms(&s->counter) / 4 < d->settings.node.interval_ms)
            log_warn("source %s: may wrap unseen, read it at least every %lld ms (node.interval)",
                     s->name, (long long)(counter_reach_ms(&s->counter) / 4));
        if (s->package >= 0 && d->topology.n_packages > 0 &&
            topology_package_index(&d->topology, s->package) < 0)
            log_warn("source %s: hwloc knows no package %d", s->name, s->package);
    }
    if (d->meter.n == 1)
        log_info("no energy counters here: energy is modelled from utilisation");
    return 0;
}

static void _stop_meter(struct daemon *d)
{
    meter_close(&d->meter);
}

static bool _libraries_wait(const struct meter *m)
{
    for (int i = 0; i < m->n; i++) {
        if (!m->sources[i].meter && slow_source_waits(&m->sources[i]))
            return true;
    }
    return false;
}

/* Libraries of GPUs open devices in threads of their own: those get their time before root's
 * rights go, as far as they answer soon. */
static int _start_drop(struct daemon *d, struct err *e)
{
    const struct timespec pause = {0, 50 * 1000000};
    int64_t until_ms = clock_mono_ms(&clock_system) + LIBRARIES_MS;

    while (d->rights.drops && _libraries_wait(&d->meter) && clock_mono_ms(&clock_system) < until_ms)
        (void)nanosleep(&pause, NULL);
    return rights_drop(&d->rights, e);
}

static int _start_log(struct daemon *d, struct err *e)
{
    return telemetry_log_open(&d->log, d->log_dir, d->settings.node.log_max_bytes,
                              d->settings.node.log_keep, e);
}

static void _stop_log(struct daemon *d)
{
    telemetry_log_close(&d->log);
}

/* Counters and the monotonic clock go on while the daemon is away, but not over a boot. */
static int _start_boot(struct daemon *d, struct err *e)
{
    char path[SETTINGS_PATH_MAX + 64], *text = NULL;
    size_t size;

    (void)snprintf(d->boot, sizeof(d->boot), "unknown");
    if (path_format(path, sizeof(path), "%s/proc/sys/kernel/random/boot_id", d->options->sysroot) <
        0)
        return err_errno(e, "%s", d->options->sysroot);
    if (path_read(path, sizeof(d->boot) - 1, &text, &size, NULL) < 0)
        return 0;
    text[strcspn(text, "\n")] = '\0';
    if (text[0])
        (void)snprintf(d->boot, sizeof(d->boot), "%s", text);
    free(text);
    return 0;
}

static int _start_reporter(struct daemon *d, struct err *e)
{
    return reporter_init(&d->reporter, &d->settings, d->state_dir, d->options->node, d->boot,
                         &d->log, e);
}

static void _stop_reporter(struct daemon *d)
{
    reporter_fini(&d->reporter);
}

static int _start_sampler(struct daemon *d, struct err *e)
{
    struct sampler *s = &d->sampler;

    s->clock = &clock_boottime;
    s->settings = &d->settings;
    s->node = d->options->node;
    s->boot = d->boot;
    s->sysroot = d->options->sysroot;
    s->is_host = d->options->is_host;
    s->log = &d->log;
    s->meter = &d->meter;
    s->topology = &d->topology;
    s->state_path = d->state_file;
    return sampler_start(s, d->reporter.acked, e);
}

static int _start_metrics(struct daemon *d, struct err *e)
{
    if (metrics_open(&d->metrics, &d->settings, d->options->node, e) < 0)
        return -1;
    d->metrics.caps = &d->caps;
    return 0;
}

static void _stop_metrics(struct daemon *d)
{
    metrics_close(&d->metrics);
}

static void _stop_sampler(struct daemon *d)
{
    sampler_fini(&d->sampler);
}

static int _start_caps(struct daemon *d, struct err *e)
{
    return caps_open(&d->caps, d->base, &d->sampler, d->cap_socket, d->state_dir, e);
}

static void _stop_caps(struct daemon *d)
{
    caps_close(&d->caps);
}

static int _open_socket(struct daemon *d, struct err *e)
{
    return job_socket_open(&d->jobs, d->base, d->socket, d->options->node, loop_on_job, d, e);
}

/* In a directory of root's it is root who makes it, and then it stays when carnotd ends. */
static int _start_socket(struct daemon *d, struct err *e)
{
    int rc;

    if (rights_socket_directory(&d->rights, d->socket, e) < 0)
        return -1;
    rights_enter(&d->rights);
    rc = _open_socket(d, e);
    rights_leave(&d->rights);
    if (rc < 0 && errno == EACCES && d->rights.drops)
        rc = _open_socket(d, e);
    if (rc < 0)
        return -1;
    d->jobs.ask = loop_on_query;
    return 0;
}

static void _stop_socket(struct daemon *d)
{
    job_socket_close(&d->jobs);
}

static int _start_thread(struct daemon *d, struct err *e)
{
    return reporter_start(&d->reporter, e);
}

/* Each job has a file open, and the usual limit is 1,024. */
static int _start_limits(struct daemon *d, struct err *e)
{
    struct rlimit files;

    (void)d;
    (void)e;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    return 0;
}

static const struct part {
    int (*start)(struct daemon *d, struct err *e);
    void (*stop)(struct daemon *d);
} parts[] = {
    /* as root, where it was started so */
    {_start_settings, NULL},
    {_start_limits, NULL},
    {_start_rights, NULL},
    {_start_directories, NULL},
    {_start_lock, _stop_lock},
    {_start_topology, NULL},
    {_start_meter, _stop_meter},
    {loop_start, loop_stop},
    {_start_socket, _stop_socket},
    {_start_drop, NULL},
    /* as carnotd's own user */
    {_start_boot, NULL},
    {_start_log, _stop_log},
    {_start_reporter, _stop_reporter},
    {_start_sampler, _stop_sampler},
    {_start_caps, _stop_caps},
    {_start_metrics, _stop_metrics},
    {_start_thread, NULL},
};
#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

static void _run(struct daemon *d)
{
    struct err e;

    log_info("node %s: %d sources, records to %s", d->options->node, d->meter.n, d->log.path);
    notify_send("READY=1");
    if (loop_run(d, &e) < 0)
        log_err("%s", e.text);
    notify_send("STOPPING=1");
    caps_end(&d->caps);
    (void)sampler_end(&d->sampler);
    record_daemon_stop(&d->sampler, d->stop_why ? d->stop_why : "error");
    log_info("%s: ending with record %llu", d->stop_why ? d->stop_why : "error",
             (unsigned long long)d->sampler.seq);
}

int daemon_run(const struct options *o)
{
    struct daemon *d = calloc(1, sizeof(*d));
    struct err e = {"no memory"};
    size_t started = 0;

    if (!d) {
        log_err("%s", e.text);
        return 1;
    }
    d->options = o;
    while (started < N_PARTS && parts[started].start(d, &e) == 0)
        started++;
    if (started == N_PARTS)
        _run(d);
    else
        log_err("%s", e.text);
    for (size_t i = started; i > 0; i--) {
        if (parts[i - 1].stop)
            parts[i - 1].stop(d);
    }
    free(d);
    return started == N_PARTS ? 0 : 1;
}
