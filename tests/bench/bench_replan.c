/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long carnotctld takes for a new forecast while 10 000 and while 100 000 jobs wait: `make
 * bench`. The controller is the one of the unit tests, with a ledger on the disk and a list of
 * Slurm's that is made up; the forecast is hourly with 96 h ahead. Prints what a list, a board and
 * the pass cost, and the longest piece in which the event loop stands still.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl_host.h"
#include "carnotctld/enforcer.h"
#include "carnotctld/feed_watch.h"
#include "carnotctld/planner.h"
#include "carnotctld/publisher.h"
#include "carnotctld/site_load.h"
#include "carnotctld/tracker.h"
#include "common/when.h"

#define NODES 4000
#define CPUS 64
#define HOUR 3600
#define BOARDS 21

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int64_t wall_ms(void *arg)
{
    (void)arg;
    return NOW * 1000;
}

static int64_t mono_ms(void *arg)
{
    (void)arg;
    return (int64_t)(seconds() * 1e3);
}

static void write_hours(unsigned seed)
{
    static char body[200 * 40];
    size_t used = 0;
    char t[40];
    srand(seed);
    for (int h = -24; h < 96; h++)
        used +=
            (size_t)snprintf(body + used, sizeof(body) - used, "%s,DE,%d\n",
                             when_format_rfc3339(t, sizeof(t), NOW + h * HOUR), 100 + rand() % 400);
    write_feed(body);
}

static void make_job(struct slurm_job *j, uint32_t id)
{
    char note[512];
    int64_t wait_s = HOUR * (1 + rand() % 20), latest_s = wait_s + HOUR * (1 + rand() % 4);
    memset(j, 0, sizeof(*j));
    j->job_id = id;
    j->array_task = -1;
    j->tasks = j->nodes = 1;
    j->cpus = 1 + (uint32_t)rand() % CPUS;
    j->uid = 4711;
    j->limit_s = HOUR * (1 + rand() % 24);
    j->submit_s = NOW - 60;
    j->eligible_s = NOW + wait_s;
    snprintf(j->user, sizeof(j->user), "ada");
    snprintf(j->account, sizeof(j->account), "bio");
    snprintf(j->partition, sizeof(j->partition), "batch");
    snprintf(j->state, sizeof(j->state), "PENDING");
    snprintf(note, sizeof(note),
             "carnot:v=1,id=%x,t=%lld,begin=%lld,latest=%lld,wait=%lld,j=600,g=0.0166,g0=0.0667,"
             "policy=balanced,code=GREENER_LATER,layer=flag,eb=0,cb=0,act=default,run=",
             id, NOW - 60, (long long)j->eligible_s, (long long)(NOW + latest_s),
             (long long)latest_s);
    j->note = snapshot_note(note);
}

static struct snapshot *make_list(uint32_t n)
{
    struct snapshot *s = calloc(1, sizeof(*s));
    s->listed_ms = NOW * 1000;
    s->jobs = calloc(n, sizeof(*s->jobs));
    s->parts = calloc(1, sizeof(*s->parts));
    s->n_jobs = n;
    s->n_parts = 1;
    s->parts[0] = (struct slurm_part){
        .name = "batch", .is_default = 1, .nodes = NODES, .cpus_per_node = CPUS};
    srand(1);
    for (uint32_t i = 0; i < n; i++)
        make_job(&s->jobs[i], i + 1);
    return s;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void bench_board(void)
{
    struct err e = {.text = ""};
    double took[BOARDS], first;
    for (int i = 0; i < BOARDS; i++) {
        double t = seconds();
        if (publisher_publish(&c, &e) < 0)
            printf("%s\n", e.text);
        took[i] = seconds() - t;
    }
    first = took[0];
    qsort(took, BOARDS, sizeof(took[0]), by_value);
    printf("a board built and published:        %8.1f ms, median of %d; the first %.1f ms, the "
           "longest %.1f ms\n",
           took[BOARDS / 2] * 1e3, BOARDS, first * 1e3, took[BOARDS - 1] * 1e3);
}

static void bench(uint32_t n)
{
    struct clock_ops real = {wall_ms, mono_ms, NULL};
    double t, took, first = 0, longest = 0, whole = 0;
    size_t all, left, calls = 0;
    set_up();
    c.clock = &real;
    c.set.carbon.horizon_ms = 96LL * HOUR * 1000;
    c.set.carbon.slot_ms = 15 * 60 * 1000;
    write_hours(1);
    feed_watch_look(&c);
    c.planned_version = c.feed_version;

    struct snapshot *shown = make_list(n);
    t = seconds();
    tracker_apply(&c, shown);
    printf("a first list of %u jobs, all new: %6.0f ms\n", n, (seconds() - t) * 1e3);
    shown = make_list(n);
    t = seconds();
    tracker_apply(&c, shown);
    printf("the same list again:                %8.1f ms\n", (seconds() - t) * 1e3);
    bench_board();

    t = seconds();
    (void)site_load_threshold(&c);
    printf("the site's threshold for pausing:   %8.1f ms\n", (seconds() - t) * 1e3);

    write_hours(2);
    feed_watch_look(&c);
    c.planned_listed_ms = c.snap->listed_ms;
    n_waiting = 1000; /* orders: no move is given, the pass alone is measured */
    do {
        t = seconds();
        planner_run(&c);
        took = seconds() - t;
        whole += took;
        if (calls++ == 0)
            first = took;
        else if (took > longest)
            longest = took;
        left = planner_moves_left(&c, &all);
    } while (!planner_planned(&c));
    printf("all planned again:                  %8.1f ms, %zu of them move\n", whole * 1e3, all);
    printf("  in pieces of at most:             %8.1f ms, the first, with a board: %.1f ms\n",
           longest * 1e3, first * 1e3);
    n_waiting = 0;
    t = seconds();
    planner_run(&c);
    printf("%zu moves written down and ordered:  %8.1f ms\n", left - planner_moves_left(&c, &all),
           (seconds() - t) * 1e3);
    tear_down();
}

static void ten_thousand(void)
{
    bench(10000);
}

static void hundred_thousand(void)
{
    bench(100000);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"10000 jobs", ten_thousand}, {"100000 jobs", hundred_thousand}, {NULL, NULL}};
    return unit_main(argc, argv, cases, "bench");
}
