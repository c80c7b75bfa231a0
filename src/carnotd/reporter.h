/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends records to carnotctld, in a thread of its own, since munge and the
 * network block. Reads them back from the log, so that nothing is lost while the controller
 * is away, and remembers the last number that it has acknowledged.
 */
#ifndef CARNOT_CARNOTD_REPORTER_H
#define CARNOT_CARNOTD_REPORTER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "carnotd/spool.h"
#include "common/err.h"
#include "common/settings.h"

#define REPORTER_BATCH_RECORDS 500
#define REPORTER_BATCH_BYTES (256u << 10) /* of text; JSON in memory is ten times that */

#define REPORTER_ACKED_NAME "acked"

struct reporter {
    /* Set before reporter_start() and never changed. */
    char node[SETTINGS_NAME_MAX];
    char boot[64];
    char acked_path[TELEMETRY_PATH_MAX];
    struct spool spool;

    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* Under the lock. */
    char host[SETTINGS_NAME_MAX];
    uid_t server; /* whose answers count */
    int port;
    char munge_socket[SETTINGS_PATH_MAX];
    int64_t interval_ms;
    bool stop;
    bool soon;        /* something is worth a report before the interval is over */
    uint64_t acked;   /* last number that the controller has */
    uint64_t skip_to; /* the controller knows higher numbers than we have given: go on there */

    /* The thread's own. */
    int64_t backoff_ms; /* how long to wait after trouble or delay, 0 when all is well */
    unsigned failures;  /* in a row */
};

/* Read DIR/acked, DIR being the state directory, which is made. 0 or -1; no such file is 0. */
int reporter_init(struct reporter *r, const struct settings *s, const char *state_dir,
                  const char *node, const char *boot, struct telemetry_log *log, struct err *e);

/* Start the thread. 0 or -1. */
int reporter_start(struct reporter *r, struct err *e);

/* Take over addresses and times. */
void reporter_configure(struct reporter *r, const struct settings *s);

/* A job has ended, or much has piled up: report now rather than at the end of the interval. */
void reporter_wake(struct reporter *r);

/* The number that records have to go on behind, 0 when there is nothing to do. */
uint64_t reporter_take_skip(struct reporter *r);

/* The last number that the controller has. */
uint64_t reporter_acked(struct reporter *r);

/* One last try of two seconds, then end the thread and free everything. */
void reporter_fini(struct reporter *r);

/* Send what there is, in batches, waiting for each answer at most timeout_ms. 0 when all is
 * acknowledged; 1 when the controller wants the rest again in a moment (it does not know the job
 * yet); -1 and e. What the thread does; tests call it directly. */
int reporter_send(struct reporter *r, int timeout_ms, struct err *e);

#endif
