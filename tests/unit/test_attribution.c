/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shares: exact where they can be worked out by hand, and conserving whatever comes.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "carnotd/attribution.h"
#include "unit.h"

#define JOBS 4

static const struct {
    const char *name;
    struct {
        uint64_t uj, idle_limit_uj;
        uint32_t cpus;
        uint64_t system_us, idle_uj, system_uj; /* the last two are what is wanted */
    } node;
    int n_jobs;
    struct {
        uint32_t cpus;
        uint64_t cpu_us, idle_uj, active_uj; /* again */
    } jobs[JOBS];
} rows[] = {
    {"nobody there, nothing running", {100, 40, 8, 0, 40, 60}, 0, {{0}}},
    {"an empty node that the system keeps busy", {100, 40, 8, 5000, 40, 60}, 0, {{0}}},
    {"half the node, all the work", {1000, 400, 8, 0, 200, 0}, 1, {{4, 77, 200, 600}}},
    {"half the node, half the work", {1000, 400, 8, 77, 200, 300}, 1, {{4, 77, 200, 300}}},
    {"it holds CPUs and does nothing: the system's are the watts",
     {1000, 400, 8, 0, 200, 600},
     1,
     {{4, 0, 200, 0}}},
    {"two jobs, 3:1 in CPUs, 1:2 in time",
     {1000, 400, 8, 0, 200, 0},
     2,
     {{3, 100, 150, 200}, {1, 200, 50, 400}}},
    {"more held than the node has",
     {1000, 400, 4, 0, 0, 0},
     2,
     {{4, 1, 200, 300}, {4, 1, 200, 300}}},
    {"less than idle: there is no active part", {30, 400, 4, 10, 15, 0}, 1, {{2, 10, 15, 0}}},
    {"no energy", {0, 400, 4, 10, 0, 0}, 1, {{2, 10, 0, 0}}},
    {"three equal shares of 100: none differs by more than one",
     {100, 0, 3, 0, 0, 0},
     3,
     {{1, 9, 0, 33}, {1, 9, 0, 33}, {1, 9, 0, 34}}},
    {"no CPU and no time gets nothing",
     {1000, 400, 2, 0, 0, 0},
     2,
     {{2, 50, 400, 600}, {0, 0, 0, 0}}},
};

static void test_table(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct share_node node = {.uj = rows[i].node.uj,
                                  .idle_limit_uj = rows[i].node.idle_limit_uj,
                                  .cpus = rows[i].node.cpus,
                                  .system_us = rows[i].node.system_us,
                                  .idle_uj = 99,
                                  .system_uj = 99};
        struct share_job jobs[JOBS];

        for (int k = 0; k < JOBS; k++)
            jobs[k] = (struct share_job){
                .cpus = rows[i].jobs[k].cpus, .cpu_us = rows[i].jobs[k].cpu_us, .gpu_uj = 99};
        attribution_split(&node, jobs, rows[i].n_jobs);
        UNIT_INT(node.idle_uj, rows[i].node.idle_uj, "%s: idle", rows[i].name);
        UNIT_INT(node.system_uj, rows[i].node.system_uj, "%s: system", rows[i].name);
        for (int k = 0; k < rows[i].n_jobs; k++) {
            UNIT_INT(jobs[k].idle_uj, rows[i].jobs[k].idle_uj, "%s: job %d", rows[i].name, k);
            UNIT_INT(jobs[k].active_uj, rows[i].jobs[k].active_uj, "%s: job %d", rows[i].name, k);
        }
    }
}

static uint64_t state = 88172645463325252u;

static uint64_t _random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Of any size from 0 to 64 bits, each equally often. */
static uint64_t _any(void)
{
    return _random() >> (_random() % 65 == 64 ? 63 : _random() % 64);
}

/* The exact share, rounded down, as a bound that is within one of what we want. */
static uint64_t _exact(uint64_t total, uint64_t part, unsigned __int128 whole)
{
    return whole ? (uint64_t)((unsigned __int128)total * part / whole) : 0;
}

static void _check_node(int round, int sane)
{
    struct share_job jobs[64];
    struct share_node node = {.uj = _any(), .idle_limit_uj = _any()};
    int n = (int)(_random() % 64);
    unsigned __int128 sum = 0, held = 0, busy;
    uint64_t idle_total;

    uint64_t rest_uj = node.uj, gpus_uj = 0, of_gpus_uj = 0, unheld_uj = 0;
    for (int g = 0; g < SHARE_GPUS_MAX; g++) {
        node.gpu_uj[g] = _random() % 4 ? 0 : _any();
        if (sane && node.gpu_uj[g] > rest_uj)
            node.gpu_uj[g] = rest_uj;
        rest_uj -= node.gpu_uj[g] < rest_uj ? node.gpu_uj[g] : rest_uj;
    }
    gpus_uj = node.uj - rest_uj;
    node.cpus = (uint32_t)(sane ? _random() % 512 : _any());
    node.system_us = sane ? _any() >> 16 : _any();
    busy = node.system_us;
    for (int i = 0; i < n; i++) {
        jobs[i].cpus = (uint32_t)(sane ? _random() % 64 : _any());
        jobs[i].cpu_us = sane ? _any() >> 16 : _any();
        held += jobs[i].cpus;
        busy += jobs[i].cpu_us;
        jobs[i].gpus = _random() & _random() & _random();
    }
    attribution_split(&node, jobs, n);
    sum = (unsigned __int128)node.idle_uj + node.system_uj;
    for (int i = 0; i < n; i++) {
        sum += (unsigned __int128)jobs[i].idle_uj + jobs[i].active_uj + jobs[i].gpu_uj;
        of_gpus_uj += jobs[i].gpu_uj;
    }
    UNIT_OK(sum == node.uj, "node %d: the sum is the node", round);
    for (int g = 0; g < SHARE_GPUS_MAX; g++) {
        int holders = 0;
        for (int i = 0; i < n; i++)
            holders += (int)(jobs[i].gpus >> g & 1);
        unheld_uj += holders ? 0 : node.gpu_uj[g];
    }
    if (sane)
        UNIT_OK(of_gpus_uj + unheld_uj == gpus_uj, "node %d: GPUs' joules are their holders'",
                round);
    if (!sane)
        return;
    idle_total = node.idle_limit_uj < rest_uj ? node.idle_limit_uj : rest_uj;
    if (held < node.cpus)
        held = node.cpus;
    for (int i = 0; i < n; i++) {
        uint64_t idle = _exact(idle_total, jobs[i].cpus, held);
        uint64_t active = _exact(rest_uj - idle_total, jobs[i].cpu_us, busy);

        if (!UNIT_OK(jobs[i].idle_uj - idle <= 1, "node %d, job %d: idle", round, i) ||
            !UNIT_OK(jobs[i].active_uj - active <= 1, "node %d, job %d: active", round, i))
            return;
        if (jobs[i].cpus == 0)
            UNIT_INT(jobs[i].idle_uj, 0, "node %d, job %d holds nothing", round, i);
        if (jobs[i].cpu_us == 0)
            UNIT_INT(jobs[i].active_uj, 0, "node %d, job %d did nothing", round, i);
    }
}

/* Whose GPU it is pays for it, whoever's the CPU time is. */
static void test_gpus(void)
{
    struct share_node node = {.uj = 1000, .idle_limit_uj = 100, .cpus = 4};
    struct share_job jobs[] = {{.cpus = 1, .cpu_us = 0, .gpus = 1 << 0},
                               {.cpus = 1, .cpu_us = 99, .gpus = 1 << 1 | 1 << 2},
                               {.cpus = 2, .cpu_us = 1, .gpus = 1 << 2}};
    node.gpu_uj[0] = 300;
    node.gpu_uj[1] = 200;
    node.gpu_uj[2] = 101;
    node.gpu_uj[3] = 99;
    attribution_split(&node, jobs, 3);
    UNIT_INT(jobs[0].gpu_uj, 300, "its own");
    UNIT_INT(jobs[1].gpu_uj, 250, "its own and half of a shared one");
    UNIT_INT(jobs[2].gpu_uj, 51, "the other half");
    UNIT_INT(node.idle_uj, 99, "nobody holds it: idle");
    UNIT_INT(jobs[0].idle_uj + jobs[1].idle_uj + jobs[2].idle_uj, 100, "CPUs as without GPUs");
    UNIT_INT(jobs[1].active_uj, 198, "CPU time shares what is left");
}

static void test_conservation(void)
{
    for (int round = 0; round < 10000; round++)
        _check_node(round, 1);
}

static void test_nonsense(void)
{
    for (int round = 0; round < 10000; round++)
        _check_node(round, 0);
}

static const struct unit_case cases[] = {{"table", test_table},
                                         {"gpus", test_gpus},
                                         {"conservation", test_conservation},
                                         {"nonsense", test_nonsense},
                                         {NULL, NULL}};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "attribution");
}
