/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All parts of the running daemon, for daemon.c and loop.c.
 */
#ifndef CARNOT_CARNOTD_DAEMON_PRIVATE_H
#define CARNOT_CARNOTD_DAEMON_PRIVATE_H

#include <event2/event.h>

#include "carnotd/caps.h"
#include "carnotd/daemon.h"
#include "carnotd/job_socket.h"
#include "carnotd/metrics.h"
#include "carnotd/reporter.h"
#include "carnotd/rights.h"
#include "carnotd/sampler.h"

#define DAEMON_SIGNALS 3
#define DAEMON_BOOT_MAX 64

struct daemon {
    const struct options *options;
    struct settings settings;
    char boot[DAEMON_BOOT_MAX]; /* what counters and the monotonic clock belong to */
    char state_dir[SETTINGS_PATH_MAX], log_dir[SETTINGS_PATH_MAX], socket[SETTINGS_PATH_MAX];
    char cap_socket[SETTINGS_PATH_MAX];
    char state_file[SETTINGS_PATH_MAX + 32];
    struct rights rights;
    int lock_fd; /* one carnotd a node: two would write the same log */
    struct topology topology;
    struct meter meter;
    struct telemetry_log log;
    struct sampler sampler;
    struct reporter reporter;
    struct event_base *base;
    struct event *tick, *edge, *signals[DAEMON_SIGNALS];
    struct job_socket jobs;
    struct caps caps;
    struct metrics metrics;
    int64_t ticked_ms; /* when, 0 = not yet */
    const char *stop_why;
};

/* Make the loop with its timers and signals. 0 or -1. */
int loop_start(struct daemon *d, struct err *e);
/* Until a signal says to end; stop_why is set then. 0 or -1. */
int loop_run(struct daemon *d, struct err *e);
void loop_stop(struct daemon *d);
/* What the job socket calls. */
void loop_on_job(const struct node_event *ev, void *arg);
void loop_on_query(const struct energy_query *q, struct energy_answer *a, void *arg);

#endif
