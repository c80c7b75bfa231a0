/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metrics for Prometheus: the node's and its sources' joules and watts, how readings ended, and
 * what the daemon costs. As a file, carnotd.prom, for node_exporter's textfile collector, and over
 * HTTP (metrics_http.h). Everybody on the node may read them, so figures are of whole records, a
 * second long at least, in whole joules and watts, and none is of a job unless the site says so.
 *
 * Made behind a record, at most once a second. Main thread; no allocation after metrics_open().
 */
#ifndef CARNOT_CARNOTD_METRICS_H
#define CARNOT_CARNOTD_METRICS_H

#include "carnotd/caps.h"
#include "carnotd/metrics_http.h"
#include "carnotd/sampler.h"

#define METRICS_NAME "carnotd.prom"
#define METRICS_STEPS 9
#define METRICS_MAX METRICS_HTTP_MAX

struct metrics {
    char path[SETTINGS_PATH_MAX + 16]; /* of the file, "" when there is none */
    struct metrics_http *http;         /* NULL when nothing listens */
    bool jobs;                         /* with series of jobs */
    const struct caps *caps;           /* set by who has them; NULL: without series of them */
    char *text;                        /* METRICS_MAX bytes; NULL when nobody wants any */
    size_t used;
    bool openmetrics; /* the format of what is in text */
    bool failing;     /* it could not be written, and that was said */
    int64_t wrote_ms;
    uint64_t wrote_seq;
    uint64_t total_uj[METER_SOURCES_MAX]; /* of each source, when the file was written last */
    uint64_t node_uj;
    /* Of this run: ticks by the time they took, up to each step of metrics.c and beyond. */
    uint64_t took[METRICS_STEPS + 1], missed, tick_us;
};

/* What a tick may take, in microseconds: METRICS_STEPS upper bounds. */
extern const int64_t metrics_steps_us[];

/* As node.metrics ("textfile:DIR", the directory being there already), node.metrics_http and
 * node.metrics_jobs say; node replaces %n. An address on which nobody can listen is logged, and
 * left out. 0, or -1 when a setting makes no sense. */
int metrics_open(struct metrics *m, const struct settings *s, const char *node, struct err *e);

/* A tick is over that took so many microseconds, interval_ms being the time between two. acked is
 * the last record that the controller has. Writes the file when it is time to, and
 * hands the text to the server; never waits for it. */
void metrics_tick(struct metrics *m, const struct sampler *s, int64_t took_us, uint64_t missed,
                  uint64_t acked);

/* The text into m->text, in OpenMetrics' format or that of the file. 0, or -1 when it does not fit.
 */
int metrics_format(struct metrics *m, const struct sampler *s, uint64_t acked, bool openmetrics);

/* Remove the file: what it says is true no longer. And stop listening. */
void metrics_close(struct metrics *m);

#endif
