/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sampler on a machine of our own, with a clock that stands still until it is told. For one test
 * program.
 */
#ifndef CARNOT_TESTS_SAMPLER_HOST_H
#define CARNOT_TESTS_SAMPLER_HOST_H

#include "carnotd/sampler.h"
#include "common/log.h"
#include "node_fixture.h"

#define WALL_0 INT64_C(1795511520000) /* 2026-11-24T09:12:00Z */

static struct unit_clock now;
static struct clock_ops now_ops;
static struct settings settings;
static struct telemetry_log tlog;
static struct meter meter;
static struct topology topology;
static struct sampler sampler;
static const char *root; /* the sysroot of the running sampler */

static inline void host_pass(int64_t ms)
{
    now.wall_ms += ms;
    now.mono_ms += ms;
}

/* Default settings, and a machine of four CPUs before its first start. */
static inline void host_init(const char *machine)
{
    settings_init(&settings);
    memset(&topology, 0, sizeof(topology));
    topology.pus = 4;
    now.wall_ms = WALL_0;
    now.mono_ms = 5000000;
    (void)unsetenv("SLURM_CONF");
    root = fixture_copy(machine);
}

/* As carnotd starts it; state_path NULL: without a state file. */
static inline void host_start(const char *boot, const char *state_path, uint64_t min_seq)
{
    struct err e = {""};

    now_ops = unit_clock_ops(&now);
    CU_ASSERT_FATAL(telemetry_log_open(&tlog, unit_tmpdir(), settings.node.log_max_bytes, 8, &e) ==
                    0);
    CU_ASSERT_FATAL(meter_open(&meter, root, &e) == 0);
    memset(&sampler, 0, sizeof(sampler));
    sampler.clock = &now_ops;
    sampler.settings = &settings;
    sampler.node = "n1";
    sampler.boot = boot;
    sampler.sysroot = root;
    sampler.log = &tlog;
    sampler.meter = &meter;
    sampler.topology = &topology;
    sampler.state_path = state_path;
    CU_ASSERT_FATAL(sampler_start(&sampler, min_seq, &e) == 0);
}

/* As kill -9 ends it: nothing is written. */
static inline void host_kill(void)
{
    sampler_fini(&sampler);
    meter_close(&meter);
    telemetry_log_close(&tlog);
}

static inline void host_quiet(int level, const char *line, void *arg)
{
    (void)level;
    (void)line;
    (void)arg;
}

#endif
