/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long the built job_submit plugin takes for a submission that may wait, on a budget, with a
 * day of five-minute samples: called again and again, and as slurmctld calls it, in a new thread
 * and after other work has used the caches.
 */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/path.h"
#include "slurmctld_host.h"
#include "unit.h"

#define STEP_S 300
#define POINTS 412
#define CALLS 400 /* as many leases are held in the end: submissions of two seconds in a storm */
#define OTHER_WORK (4 << 20) /* bytes: more than the caches of a core */

static struct series_point points[POINTS];
static uint32_t planned[2 * POINTS];
static char *other;

/* As bench_submit's trace: 300 +- 96 g/kWh, rising for four hours. */
static void publish(struct fixture *f, uint64_t seq)
{
    void *data = NULL;
    size_t size;
    struct err e = {.text = ""};
    int64_t first_s = host_now_s() / STEP_S * STEP_S;
    for (int i = 0; i < POINTS; i++)
        points[i] =
            (struct series_point){first_s + (int64_t)(i - 12) * STEP_S, 300 + (i % 48 - 24) * 4, 0};
    series_sum(points, POINTS);
    f->b.points = points;
    f->b.n_points = POINTS;
    f->b.planned = planned;
    f->b.n_slots = 289;
    f->b.head.seq = seq;
    f->b.head.published_ms = f->b.head.listed_ms = host_now_s() * 1000 + 999;
    f->b.head.slot_s = STEP_S;
    f->b.head.slot_start_s = first_s;
    f->b.head.intensity_end_s = points[POINTS - 1].t_s + STEP_S;
    f->b.head.max_delay_s = 86400;
    f->b.head.min_gain_g = 0;
    f->b.head.lambda_g_per_h = 0.001;
    f->parts[0].nodes = 1000;
    f->parts[0].max_time_s = 7 * 86400;
    if (board_encode(&f->b, &data, &size, &e) < 0 ||
        path_write_atomic(host_board, data, size, 0644, &e) < 0) {
        fprintf(stderr, "bench_job_submit: %s\n", e.text);
        exit(EXIT_FAILURE);
    }
    free(data);
}

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void *call(void *took_us)
{
    static char script[] = "#!/bin/sh\ntrue\n", delay[] = "CARNOT_CARBON_DELAY=20h",
                path[] = "PATH=/usr/bin:/bin";
    static char *env[] = {path, delay};
    job_desc_msg_t d;
    char *msg = NULL;
    host_job_init(&d, script);
    d.environment = env;
    d.env_size = 2;
    d.time_limit = 60;
    double begun_us = now_us();
    int rc = host_submit(&d, 1000, &msg);
    *(double *)took_us = now_us() - begun_us;
    if (rc != 0 || d.begin_time == 0) {
        fprintf(stderr, "bench_job_submit: not delayed: %d %s %s\n", rc, msg ? msg : "",
                d.admin_comment ? d.admin_comment : "");
        exit(EXIT_FAILURE);
    }
    host_job_fini(&d, &msg);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void run(const char *what, int threads, int others)
{
    static double took_us[CALLS];
    host_fini();
    host_init();
    nanosleep(&(struct timespec){1, 0}, NULL);
    for (int i = 0; i < CALLS; i++) {
        pthread_t t;
        for (size_t k = 0; others && k < OTHER_WORK; k += 64)
            other[k]++;
        if (threads && pthread_create(&t, NULL, call, &took_us[i]) == 0)
            pthread_join(t, NULL);
        else
            call(&took_us[i]);
    }
    qsort(took_us, CALLS, sizeof(took_us[0]), compare);
    printf("%-46s median %6.2f us, p99 %7.2f us, longest %8.2f us\n", what, took_us[CALLS / 2],
           took_us[CALLS * 99 / 100], took_us[CALLS - 1]);
}

static void bench(void)
{
    static struct fixture f;
    other = calloc(1, OTHER_WORK);
    fixture_init(&f);
    host_start(&f);
    publish(&f, 10);
    run("job_submit, again and again:", 0, 0);
    run("job_submit, a new thread each:", 1, 0);
    run("job_submit, after other work:", 0, 1);
    run("job_submit, a new thread, after other work:", 1, 1);
    host_fini();
    free(other);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"times", bench}, {NULL, NULL}};
    return unit_main(argc, argv, cases, "bench_job_submit");
}
