/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a decision takes: `make bench`. Boards as a real cluster has them: slots of 15 minutes,
 * hourly or finer intensity, planned CPUs in every slot, a thousand budgets, leases of the last
 * seconds. Prints the median and the 99th percentile of single calls, and counts allocations, which
 * must be none.
 */
#include "config.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "carbon/forecast.h"
#include "placement/placement.h"

#define CALLS 20000
#define HOURS (14 * 24)
#define BUDGETS 1000
#define USERS 1000
#define START 1700000000

static struct series_point points[HOURS * 4];
static struct board_partition parts[4];
static struct board_budget budgets[BUDGETS];
static uint32_t planned[4 * BOARD_SLOTS_MAX];
static struct board_past pasts[2 * USERS];
static struct lease_table leases;
static double took_us[CALLS];

static void make_board(struct board *b, size_t n_points, int64_t step_s)
{
    srand(1);
    for (uint32_t i = 0; i < 2 * USERS; i++)
        pasts[i] = (struct board_past){.uid = i / 2,
                                       .name = i % 2 ? board_name_hash("train") : 0,
                                       .n_runs = BOARD_PAST_RUNS,
                                       .cpu_w = 4};
    for (uint32_t i = 0; i < 2 * USERS * BOARD_PAST_RUNS; i++)
        pasts[i / BOARD_PAST_RUNS].run_s[i % BOARD_PAST_RUNS] =
            1700 + 5 * i + (uint32_t)rand() % 900;
    for (size_t i = 0; i < n_points; i++)
        points[i] = (struct series_point){START + (int64_t)i * step_s, 100 + rand() % 400, 0};
    series_sum(points, n_points);
    for (int i = 0; i < 4; i++) {
        snprintf(parts[i].name, sizeof(parts[i].name), "p%d", i);
        parts[i].nodes = 1000;
        parts[i].cpus_per_node = 128;
        parts[i].is_default = i == 0;
    }
    for (int i = 0; i < BUDGETS; i++) {
        budgets[i] = (struct board_budget){.scope = BOARD_ACCOUNT, .granted = INT64_MAX};
        snprintf(budgets[i].name, sizeof(budgets[i].name), "account%05d", i);
        budgets[i].left = INT64_MAX;
    }
    for (size_t i = 0; i < 4 * HOURS * 4; i++)
        planned[i] = (uint32_t)(rand() % 128000);
    *b = (struct board){.points = points,
                        .n_points = (uint32_t)n_points,
                        .partitions = parts,
                        .n_partitions = 4,
                        .budgets = budgets,
                        .n_budgets = BUDGETS,
                        .pasts = pasts,
                        .n_pasts = 2 * USERS,
                        .planned = planned,
                        .n_slots = HOURS * 4};
    b->head = (struct board_head){.mode = 1,
                                  .policy = POLICY_BALANCED,
                                  .forecast_quality = FORECAST_FEED,
                                  .lambda_g_per_h = 1,
                                  .overbook = 1,
                                  .pue = 1.2,
                                  .user_lease_share = 0.5,
                                  .cpu_max_w = 8,
                                  .max_delay_s = 14 * 86400,
                                  .slot_s = 900,
                                  .slot_start_s = START,
                                  .intensity_end_s = START + HOURS * 3600};
    lease_init(&leases);
    for (uint64_t i = 1; i <= 64; i++) {
        struct lease l = {.id = i, .cpus = 128, .start_s = START + 3600, .end_s = START + 36000};
        l.partition = board_name_hash("p0");
        l.account = board_name_hash("account00500");
        lease_take(&leases, &l, START * 1000LL);
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* With a name: by that user's last runs of it and the limit, eight lengths; without: the limit. */
static void run(const char *what, const struct board *b, int64_t delay_s, const char *name)
{
    struct placement_job job = {
        .uid = UINT32_MAX, .account = "account00500", .cpus = 512, .nodes = 4, .tasks = 1};
    job.name = name;
    struct placement_decision d;
    struct timespec t0, t1;
    job.request.delay = DELAY_FOR;
    job.request.delay_s = delay_s;
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < CALLS; i++) {
        job.limit_s = (1 + i % 24) * 3600;
        if (name)
            job.uid = (uint32_t)i % USERS;
        clock_gettime(CLOCK_MONOTONIC, &t0);
        placement_decide(b, &leases, &job, START + i % 900, &d);
        clock_gettime(CLOCK_MONOTONIC, &t1);
        took_us[i] =
            (double)(t1.tv_sec - t0.tv_sec) * 1e6 + (double)(t1.tv_nsec - t0.tv_nsec) / 1e3;
    }
    qsort(took_us, CALLS, sizeof(took_us[0]), by_value);
    printf("placement_decide, %-38s median %6.2f us, p99 %6.2f us, %zu bytes allocated\n", what,
           took_us[CALLS / 2], took_us[CALLS * 99 / 100], mallinfo2().uordblks - before);
}

int main(void)
{
    struct board b;
    make_board(&b, HOURS, 3600);
    run("hourly intensity, 24 h allowed:", &b, 86400, NULL);
    run("the same, eight lengths:", &b, 86400, "train");
    run("hourly intensity, 7 days allowed:", &b, 7 * 86400, NULL);
    run("the same, eight lengths:", &b, 7 * 86400, "train");
    make_board(&b, HOURS * 4, 900);
    run("intensity per 15 min, 24 h allowed:", &b, 86400, NULL);
    run("the same, eight lengths:", &b, 86400, "train");
    run("intensity per 15 min, 7 days allowed:", &b, 7 * 86400, NULL);
    run("the same, eight lengths:", &b, 7 * 86400, "train");
    return 0;
}
