/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine of cores that are counted, and EASY backfilling on it (Lifka, JSSPP 1995): jobs in the
 * order of their numbers; the first that does not fit holds the earliest time at which it will,
 * by the limits of those that run; a later one starts when it does not delay that. Where jobs stand
 * (nodes, switches) is not looked at.
 */
#ifndef CARNOT_SIMULATE_MACHINE_H
#define CARNOT_SIMULATE_MACHINE_H

#include <stddef.h>
#include <stdint.h>

struct machine_running {
    int64_t until_s; /* by its limit */
    uint32_t cores, job;
};

struct machine {
    uint64_t cores, free; /* cores 0: as many as are asked for */
    uint64_t closed;      /* of the free ones, those that nobody may be started on now */
    uint32_t *least;      /* tree over jobs: the fewest cores that a waiting one below needs */
    size_t leaves;
    struct machine_running *running; /* sorted by until_s, then job */
    size_t n_running, room_running;
};

/* For jobs 0 to n_jobs - 1. 0, or -1: no memory. */
int machine_init(struct machine *m, uint64_t cores, size_t n_jobs);
void machine_fini(struct machine *m); /* legal on a zeroed one */

/* The job waits for cores (1 to m->cores). O(log n). */
void machine_queue(struct machine *m, uint32_t job, uint32_t cores);

/* Starts a job: it has to say until when its limit lets it run, or MACHINE_NOT_NOW: it does not
 * want the cores and waits for them no more. */
#define MACHINE_NOT_NOW INT64_MIN
typedef int64_t machine_start_f(void *arg, uint32_t job);
/* limit_s of a job that waits, > 0. */
typedef int64_t machine_limit_f(const void *arg, uint32_t job);

/* One pass at now_s: who can start does. 0, or -1: no memory. */
int machine_pass(struct machine *m, int64_t now_s, machine_start_f *start, machine_limit_f *limit,
                 void *arg);

/* It gives its cores back; until_s as its start said. O(log n + running). */
void machine_end(struct machine *m, uint32_t job, int64_t until_s);

/* Does anybody wait? 1 or 0. */
int machine_waits(const struct machine *m);

/* Cores in use. */
uint64_t machine_used(const struct machine *m);

#endif
