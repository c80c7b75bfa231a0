/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnotd.prom, for node_exporter's textfile collector: the node's and its sources' joules and
 * watts, how readings ended, and what the daemon costs. Everybody on the node may read it, so
 * figures are of at least a second, in whole joules and watts, and none is of a job.
 *
 * Replaced as a whole behind a record, at most once a second. Main thread; no allocation after
 * metrics_open().
 */
#ifndef CARNOT_CARNOTD_METRICS_H
#define CARNOT_CARNOTD_METRICS_H

#include "carnotd/sampler.h"

#define METRICS_NAME "carnotd.prom"
#define METRICS_STEPS 9

struct metrics {
    char path[SETTINGS_PATH_MAX + 16]; /* "" when there are none */
    char *text;                        /* METRICS_MAX bytes */
    size_t used;
    bool failing; /* it could not be written, and that was said */
    int64_t wrote_ms;
    uint64_t wrote_seq;
    uint64_t total_uj[METER_SOURCES_MAX]; /* of each source, when the file was written last */
    uint64_t node_uj;
    /* Of this run: ticks by the time they took, up to each step of metrics.c and beyond. */
    uint64_t took[METRICS_STEPS + 1], missed, tick_us;
};

/* setting is node.metrics, "textfile:DIR" or "" for none; %n is the node's name. The directory has
 * to be there already. 0 or -1. */
int metrics_open(struct metrics *m, const char *setting, const char *node, struct err *e);

/* A tick is over that took so many microseconds, interval_ms being the time between two. acked is
 * the last record that the controller has. Writes the file when it is time to. */
void metrics_tick(struct metrics *m, const struct sampler *s, int64_t took_us, uint64_t missed,
                  uint64_t acked);

/* The text of the file into m->text. 0, or -1 when it does not fit. For tests. */
int metrics_format(struct metrics *m, const struct sampler *s, uint64_t acked);

/* Remove the file: what it says is true no longer. */
void metrics_close(struct metrics *m);

#endif
