/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast `carnot simulate` is: one million jobs over a year, about 70 % of a machine. The jobs
 * and the year's intensity are drawn and written as CSV, then read and run as the command does;
 * user CPU time is printed, since other things may run on the machine.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/when.h"
#include "simulate/random.h"
#include "simulate/simulate.h"
#include "simulate/trace.h"

#define JOBS 1000000
#define YEAR_S (365 * 86400LL)
#define LOAD 0.7
#define BURST 200
#define START_S 1640995200LL /* 2022-01-01T00:00:00Z */

static char jobs_path[] = "/tmp/carnot-bench-jobs.XXXXXX";
static char trace_path[] = "/tmp/carnot-bench-trace.XXXXXX";

static void die(const char *what)
{
    fprintf(stderr, "bench_simulate: %s\n", what);
    exit(1);
}

static FILE *file(char *path)
{
    int fd = mkstemp(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

    if (!f)
        die("cannot write a file in /tmp");
    return f;
}

/* Run times from seconds to two days, mostly minutes; one to 256 cores. Users submit 200 jobs of a
 * kind at once, more or less, so that there is a queue. Returns core-seconds. */
static double draw_jobs(struct random *r)
{
    FILE *f = file(jobs_path);
    double core_s = 0, t_s = 0, mean_s = 0;
    int cores = 1, user = 0, name = 0;

    fputs("submit_s,run_s,limit_s,cores,user,name\n", f);
    for (long i = 0; i < JOBS; i++) {
        double run_s, limit_s;

        if (i == 0 || random_share(r) < 1.0 / BURST) {
            t_s += -log(1 - random_share(r)) * BURST * YEAR_S / JOBS;
            mean_s = 7 + 1.5 * random_normal(r);
            cores = random_bits(r) % 3 ? 1 + (int)(random_bits(r) % 8) : 1 << (random_bits(r) % 9);
            user = (int)(random_bits(r) % 200);
            name = (int)(random_bits(r) % 20);
        }
        run_s = fmin(10 + exp(mean_s + random_normal(r)), 48 * 3600);
        limit_s = run_s * (1 + 3 * random_share(r));
        core_s += run_s * cores;
        fprintf(f, "%.0f,%.0f,%.0f,%d,u%d,n%d\n", t_s, run_s, ceil(limit_s / 900) * 900, cores,
                user, name);
    }
    if (fclose(f) != 0)
        die("cannot write the jobs");
    return core_s;
}

/* A day's wave, a week's, and weather that stays for a day. */
static void draw_trace(struct random *r)
{
    FILE *f = file(trace_path);
    double weather = 0;
    char text[32];

    fputs("time,zone,g_per_kwh\n", f);
    for (int h = -8 * 24; h < (365 + 60) * 24; h++) {
        weather = 0.96 * weather + 25 * random_normal(r);
        fprintf(
            f, "%s,X,%.2f\n", when_format_rfc3339(text, sizeof(text), START_S + h * 3600LL),
            fmin(fmax(350 + 90 * cos(h * M_PI / 12) + 30 * cos(h * M_PI / 84) + weather, 20), 900));
    }
    if (fclose(f) != 0)
        die("cannot write the trace");
}

static double user_s(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6;
}

/* In a process of its own, so that the peak of memory is this run's. */
static void measure(const char *what, struct sim_settings set)
{
    struct err e = {""};
    struct rusage u;
    struct sim_result r;
    struct workload w;
    struct feed trace;
    double read_s, sum_s = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child < 0)
        die("no process");
    if (child > 0) {
        int status;

        if (waitpid(child, &status, 0) != child || status != 0)
            die("a run failed");
        return;
    }
    if (workload_load(&w, jobs_path, 1, &e) < 0 ||
        trace_load(&trace, trace_path, "X", NULL, &e) < 0)
        die(e.text);
    read_s = user_s();
    set.shift_s = START_S - w.jobs[0].submit_s;
    if (sim_run(&w, &(struct series){trace.points, trace.n, trace.end_s}, &set, &r, NULL, NULL,
                &e) < 0)
        die(e.text);
    for (size_t i = 0; i < w.n; i++)
        sum_s += (double)(r.start_s[i] - w.jobs[i].submit_s - set.shift_s);
    (void)getrusage(RUSAGE_SELF, &u);
    printf(
        "%-62s %7.2f s + %.2f s to read, %8.0f jobs/s, %4ld MB; mean wait %.2f h, %zu pauses, %zu "
        "moves\n",
        what, user_s() - read_s, read_s, JOBS / (user_s() - read_s), u.ru_maxrss / 1024,
        sum_s / JOBS / 3600, r.pauses, r.moves);
    exit(0);
}

int main(void)
{
    struct sim_settings set = {.max_delay_s = -1,
                               .lambda_ug_per_s = 28,
                               .lambda_exponent = 1,
                               .overbook = 1.5,
                               .seed = 1,
                               .ug_per_area = 2.8};
    struct random r;

    random_init(&r, 1);
    set.cores = (uint64_t)(draw_jobs(&r) / (double)YEAR_S / LOAD);
    draw_trace(&r);
    printf("simulate: %d jobs, %llu cores; user CPU time\n", JOBS, (unsigned long long)set.cores);
    measure("asap (EASY; goal 10 s)", set);
    set.policy = SIM_GREENEST;
    measure("greenest, perfect, exact", set);
    set.forecast = OUTLOOK_API;
    set.lengths = LENGTHS_MIX;
    set.requeueable = 1;
    measure("greenest, api-like, mix, requeueable 1 (goal 20 s, 300 MB)", set);
    (void)unlink(jobs_path);
    (void)unlink(trace_path);
    return 0;
}
