/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small board for tests: one zone, one partition of four nodes with four CPUs, sections that the
 * test may change before it decides. Borrowed memory: nothing to free.
 */
#ifndef CARNOT_TESTS_BOARD_FIXTURE_H
#define CARNOT_TESTS_BOARD_FIXTURE_H

#include <string.h>
#include "carbon/forecast.h"
#include "placement/placement.h"

#define FIXTURE_NOW 1700000000
#define FIXTURE_SLOTS 200

struct fixture {
    struct board b;
    struct series_point points[64];
    struct board_partition parts[2];
    struct board_budget budgets[8];
    struct board_user users[2];
    struct board_switch switches[4];
    uint64_t decisions[8];
    struct board_past pasts[4];
    uint32_t planned[2 * FIXTURE_SLOTS];
};

/* 400 g/kWh, and 100 in [now + 70, now + 130). Watts: 10 a CPU. */
static inline void fixture_init(struct fixture *f)
{
    static const struct {
        int64_t at;
        double g;
    } steps[] = {{-600, 400}, {70, 100}, {130, 400}};
    memset(f, 0, sizeof(*f));
    for (size_t i = 0; i < 3; i++)
        f->points[i] = (struct series_point){FIXTURE_NOW + steps[i].at, steps[i].g, 0};
    series_sum(f->points, 3);
    f->parts[0] = (struct board_partition){.name = "batch",
                                           .is_default = 1,
                                           .nodes = 4,
                                           .cpus_per_node = 4,
                                           .default_time_s = 60,
                                           .max_time_s = 86400};
    f->parts[1] = (struct board_partition){.name = "debug", .nodes = 1, .cpus_per_node = 4};
    f->users[0] = (struct board_user){.uid = 1000, .name = "ada", .default_account = "bio"};
    f->users[1] = (struct board_user){.uid = 1001, .name = "bob"};
    f->b = (struct board){.points = f->points,
                          .n_points = 3,
                          .partitions = f->parts,
                          .n_partitions = 2,
                          .budgets = f->budgets,
                          .users = f->users,
                          .n_users = 2,
                          .switches = f->switches,
                          .decisions = f->decisions,
                          .pasts = f->pasts,
                          .planned = f->planned,
                          .n_slots = FIXTURE_SLOTS};
    f->b.head = (struct board_head){.published_ms = FIXTURE_NOW * 1000LL,
                                    .listed_ms = FIXTURE_NOW * 1000LL,
                                    .seq = 1,
                                    .cluster = "test",
                                    .zone = "DE",
                                    .feed = "csv",
                                    .forecast_quality = FORECAST_FEED,
                                    .mode = 1,
                                    .policy = POLICY_BALANCED,
                                    .overbook = 1,
                                    .pue = 1,
                                    .user_lease_share = 0.5,
                                    .cpu_max_w = 10,
                                    .gpu_max_w = 300,
                                    .site_delay_s = 4 * 3600,
                                    .max_delay_s = 7 * 86400,
                                    .max_age_ms = 60000,
                                    .slot_s = 5,
                                    .slot_start_s = FIXTURE_NOW,
                                    .intensity_end_s = FIXTURE_NOW + 86400};
}

/* What is known of a user's jobs; in the board's order: name NULL first. before_s 0: one run. */
static inline void fixture_past(struct fixture *f, uint32_t uid, const char *name, uint32_t last_s,
                                uint32_t before_s)
{
    f->pasts[f->b.n_pasts++] = (struct board_past){.uid = uid,
                                                   .name = board_name_hash(name),
                                                   .n_runs = before_s ? 2 : 1,
                                                   .run_s = {last_s, before_s}};
}

/* One CPU for a minute, may wait five. */
static inline struct placement_job fixture_job(void)
{
    struct placement_job job = {.uid = 1000, .tasks = 1, .cpus = 1, .limit_s = 60};
    job.request.delay = DELAY_FOR;
    job.request.delay_s = 300;
    job.request.layer[REQUEST_CARBON_DELAY] = LAYER_FLAG;
    return job;
}

#endif
