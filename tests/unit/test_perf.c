/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAPL through perf: a PMU described below a sysroot, and events that are played here.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "carnotd/sampler.h"
#include "common/log.h"
#include "node_fixture.h"
#include "power/source_perf.h"

#define PMU "sys/bus/event_source/devices/power/"
#define CPU "sys/devices/system/cpu/"
#define POWERCAP "sys/class/powercap/"
#define SCALE "2.3283064365386962890625e-10\n"
#define EVENTS_MAX 1024
#define J(x) ((uint64_t)(x) << 32) /* a count of so many joules */

/* Events by the descriptor that was given for them. */
static struct event {
    int cpu;
    uint64_t config;
    bool open;
} events[EVENTS_MAX];
static int refuse;         /* errno of the next opens, 0: they work */
static uint64_t counts[8]; /* by config - 1; the second package's is twice that */
static int offline = -1;   /* this CPU's events have gone */

static int _open_event(uint32_t type, uint64_t config, int cpu)
{
    int fd;

    UNIT_INT(type, 23, "the PMU's type");
    if (refuse) {
        errno = refuse;
        return -1;
    }
    fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0 && fd < EVENTS_MAX);
    events[fd] = (struct event){cpu, config, true};
    return fd;
}

static int _read_event(int fd, uint64_t *count)
{
    const struct event *ev = &events[fd];

    if (ev->cpu == offline) {
        errno = ENODATA;
        return -1;
    }
    *count = counts[ev->config - 1] * (ev->cpu == 0 || ev->cpu == 1 ? 1 : 2);
    return 0;
}

static const struct source_perf_ops fake = {_open_event, _read_event};

static void _event(const char *root, const char *name, const char *config)
{
    char file[128];

    (void)snprintf(file, sizeof(file), PMU "events/%s", name);
    fixture_write(root, file, config);
    (void)snprintf(file, sizeof(file), PMU "events/%s.scale", name);
    fixture_write(root, file, SCALE);
    (void)snprintf(file, sizeof(file), PMU "events/%s.unit", name);
    fixture_write(root, file, "Joules\n");
}

/* Two packages of two CPUs, 0 and 2 being the first of each, with all that Intel counts. */
static const char *_machine(void)
{
    const char *root = fixture_copy("intel-2s");
    char file[96];

    for (int cpu = 0; cpu < 4; cpu++) {
        (void)snprintf(file, sizeof(file), CPU "cpu%d/topology/physical_package_id", cpu);
        fixture_write_u64(root, file, (uint64_t)cpu / 2);
        (void)snprintf(file, sizeof(file), CPU "cpu%d/topology/die_id", cpu);
        fixture_write_u64(root, file, 0);
    }
    fixture_write(root, PMU "type", "23\n");
    fixture_write(root, PMU "cpumask", "0,2\n");
    _event(root, "energy-cores", "event=0x01\n");
    _event(root, "energy-pkg", "event=0x02\n");
    _event(root, "energy-ram", "event=0x03\n");
    _event(root, "energy-gpu", "event=0x04\n");
    _event(root, "energy-psys", "event=0x05\n");
    source_perf_ops = &fake;
    return root;
}

static void test_probe(void)
{
    static const struct {
        const char *name, *coverage;
        uint64_t domains;
        int package, inside;
    } want[] = {
        {"perf:package-0", "cpu", 1, 0, 0},
        {"perf:package-1", "cpu", 2, 1, 0},
        {"perf:package-0:dram", "dram", 1, 0, 0},
        {"perf:package-1:dram", "dram", 2, 1, 0},
        {"perf:psys", "cpu,dram,board", COVERAGE_EVERYWHERE, -1, 0},
        {"perf:package-0:core", "cpu", 1, 0, 1},
        {"perf:package-1:core", "cpu", 2, 1, 1},
        {"perf:package-0:uncore", "cpu", 1, 0, 1},
        {"perf:package-1:uncore", "cpu", 2, 1, 1},
    };
    const char *root = _machine();
    char coverage[COVERAGE_TEXT_SIZE];
    struct source sources[16];
    int n = source_perf_probe(root, sources, 16, NULL);

    UNIT_INT(n, 9, "sources");
    for (int i = 0; i < n && i < 9; i++) {
        UNIT_STR(sources[i].name, want[i].name, "%d", i);
        UNIT_STR(coverage_format(coverage, sizeof(coverage), sources[i].coverage.components),
                 want[i].coverage, "%s", want[i].name);
        UNIT_OK(sources[i].coverage.domains == want[i].domains, "%s", want[i].name);
        UNIT_INT(sources[i].package, want[i].package, "%s", want[i].name);
        UNIT_INT(sources[i].inside, want[i].inside, "%s", want[i].name);
        UNIT_INT(counter_reach_ms(&sources[i].counter) == INT64_MAX, 1, "it never wraps");
        source_close(&sources[i]);
    }
    UNIT_INT(source_perf_probe(root, sources, 3, NULL), 3, "no more than there is room for");
    for (int i = 0; i < 3; i++)
        source_close(&sources[i]);
    UNIT_INT(source_perf_probe(fixture_copy("amd-1s"), sources, 16, NULL), 0, "no such PMU");
}

/* A count is a fraction of a joule in 64 bits: no wrap at 32, and what is no energy is no value. */
static void test_counts(void)
{
    static const struct {
        uint64_t count, uj;
    } rows[] = {
        {0, 0},
        {UINT64_C(1) << 32, 1000000},
        {(UINT64_C(1) << 32) - 1, 999999},
        {4295, 1},
        {J(1000000) + J(1) / 2, UINT64_C(1000000500000)},
        {UINT64_MAX, UINT64_C(4294967295999999)},
    };
    const char *root = _machine();
    struct source s[1];
    uint64_t uj;

    CU_ASSERT_FATAL(source_perf_probe(root, s, 1, NULL) == 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        counts[1] = rows[i].count;
        UNIT_INT(s->ops->read(s, 0, &uj), 0, "row %zu", i);
        UNIT_INT(uj, rows[i].uj, "row %zu", i);
    }
    source_close(s);
    fixture_write(root, PMU "events/energy-pkg.scale", "1\n");
    CU_ASSERT_FATAL(source_perf_probe(root, s, 1, NULL) == 1);
    UNIT_INT(s->ops->read(s, 0, &uj), -1, "more than there is");
    UNIT_INT(errno, EBADMSG, "why");
    source_close(s);
}

/* Odd descriptions are left out, and nothing else is. */
static void test_odd(void)
{
    static const struct {
        const char *file, *text;
        int n;
    } rows[] = {
        {"type", "", 0},
        {"type", "x\n", 0},
        {"type", "4294967296\n", 0},
        {"cpumask", "", 0},
        {"cpumask", "x\n", 0},
        {"cpumask", "99999999999999999999\n", 0},
        {"cpumask", "4-99999999999\n", 9},
        {"cpumask", "0\n", 5},
        {"cpumask", "0-3\n", 9},
        {"cpumask", "2,0\n", 9},
        {"events/energy-pkg", "event=0x02,umask=1\n", 7},
        {"events/energy-pkg", "event=0x\n", 7},
        {"events/energy-pkg", "config=2\n", 7},
        {"events/energy-pkg.scale", "0\n", 7},
        {"events/energy-pkg.scale", "-1\n", 7},
        {"events/energy-pkg.scale", "nan\n", 7},
        {"events/energy-pkg.scale", "inf\n", 7},
        {"events/energy-pkg.scale", "1e-10\n", 7},
        {"events/energy-pkg.scale", "1e300\n", 7},
        {"events/energy-pkg.scale", "6.103515625e-05\n", 9},
        {"events/energy-pkg.scale", "1 J\n", 7},
        {"events/energy-pkg.unit", "Watts\n", 7},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *root = _machine();
        struct source sources[32];
        char file[128];
        int n;

        (void)snprintf(file, sizeof(file), PMU "%s", rows[i].file);
        fixture_write(root, file, rows[i].text);
        n = source_perf_probe(root, sources, 32, NULL);
        UNIT_INT(n, rows[i].n, "%s: %s", rows[i].file, rows[i].text);
        for (int k = 0; k < n; k++)
            source_close(&sources[k]);
    }
}

/* Two dies of one package are two cells, and powercap's the same two. */
static void test_dies(void)
{
    const char *root = _machine();
    struct meter meter;
    int seen = 0;

    fixture_write(root, CPU "cpu2/topology/physical_package_id", "0\n");
    fixture_write(root, CPU "cpu2/topology/die_id", "1\n");
    fixture_write(root, POWERCAP "intel-rapl:0/name", "package-0-die-0\n");
    fixture_write(root, POWERCAP "intel-rapl:1/name", "package-0-die-1\n");
    CU_ASSERT_FATAL(meter_open(&meter, root, NULL) == 0);
    for (int i = 0; i < meter.n; i++) {
        for (int k = 0; k < i; k++) {
            const char *a = strchr(meter.sources[i].name, ':'),
                       *b = strchr(meter.sources[k].name, ':');

            if (strcmp(a, b) != 0 || strcmp(meter.sources[k].name, meter.sources[i].name) == 0)
                continue;
            seen++;
            UNIT_OK(meter.sources[i].coverage.domains == meter.sources[k].coverage.domains,
                    "%s is %s", meter.sources[i].name, meter.sources[k].name);
        }
    }
    UNIT_OK(seen >= 3, "both dies and memory: %d", seen);
    meter_close(&meter);
}

static struct meter meter;
static struct meter_interval interval;

static uint64_t _interval(int64_t t_ms)
{
    meter_read(&meter, t_ms, false);
    meter_sum(&meter, 77, &interval);
    meter_commit(&meter, &interval);
    return interval.sum.uj;
}

static int _index(const char *name)
{
    for (int i = 0; i < meter.n; i++) {
        if (strcmp(meter.sources[i].name, name) == 0)
            return i;
    }
    CU_FAIL_FATAL("no such source");
    return -1;
}

/* The packages of powercap have drawn so much more. */
static void _powercap(const char *root, uint64_t uj)
{
    fixture_write_u64(root, POWERCAP "intel-rapl:0/energy_uj", 1000000000 + uj);
    fixture_write_u64(root, POWERCAP "intel-rapl:1/energy_uj", 1000000001 + uj);
}

/* Preferred to powercap, which steps in when the event's CPU goes, and out; never both. */
static void test_preferred(void)
{
    const char *root = _machine();

    CU_ASSERT_FATAL(meter_open(&meter, root, NULL) == 0);
    (void)_interval(0);
    counts[1] = J(100);
    _powercap(root, 111000000);
    UNIT_INT(_interval(1000), 100000000 + 200000000, "perf's packages");
    UNIT_INT(interval.counted[_index("perf:package-0")], 1, "perf");
    UNIT_INT(interval.counted[_index("rapl:package-0")], 0, "not powercap");
    counts[1] = J(200);
    _powercap(root, 222000000);
    offline = 2;
    UNIT_INT(_interval(2000), 100000000 + 111000000, "powercap for one of them");
    UNIT_INT(meter.sources[_index("perf:package-1")].state, SOURCE_MISSING, "its CPU has gone");
    fixture_write(root, PMU "cpumask", "0,3\n");
    counts[1] = J(300);
    _powercap(root, 333000000);
    UNIT_INT(_interval(15000), 100000000 + 111000000, "opened on another CPU: from there on");
    counts[1] = J(400);
    _powercap(root, 444000000);
    UNIT_INT(_interval(16000), 100000000 + 200000000, "and perf again");
    meter_close(&meter);
}

/* No right to it: said, and powercap counts. */
static void test_refused(void)
{
    const char *root = _machine();
    const struct source *s;

    refuse = EACCES;
    CU_ASSERT_FATAL(meter_open(&meter, root, NULL) == 0);
    (void)_interval(0);
    _powercap(root, 50000000);
    UNIT_INT(_interval(1000), 100000000, "powercap's packages");
    UNIT_INT(interval.quality, QUALITY_MEASURED, "nothing is missing");
    s = &meter.sources[_index("perf:package-0")];
    UNIT_INT(s->state, SOURCE_MISSING, "not there");
    UNIT_INT(s->error, EACCES, "why");
    refuse = 0;
    counts[1] = J(5000);
    _powercap(root, 100000000);
    UNIT_INT(_interval(20000), 100000000, "granted: from the next interval on");
    counts[1] = J(5010);
    _powercap(root, 150000000);
    UNIT_INT(_interval(21000), 30000000, "perf");
    meter_close(&meter);
}

static void _quiet(int level, const char *line, void *arg)
{
    (void)level;
    (void)line;
    (void)arg;
}

static struct sampler sampler;
static struct telemetry_log tlog;
static struct settings settings;
static struct topology topology;
static struct unit_clock now = {INT64_C(1795511520000), 5000000};
static struct clock_ops now_ops;

static void _start(const char *root)
{
    static char state_path[PATH_MAX];

    now_ops = unit_clock_ops(&now);
    (void)snprintf(state_path, sizeof(state_path), "%s/counters.json", unit_tmpdir());
    CU_ASSERT_FATAL(telemetry_log_open(&tlog, unit_tmpdir(), 1 << 20, 8, NULL) == 0);
    CU_ASSERT_FATAL(meter_open(&meter, root, NULL) == 0);
    memset(&sampler, 0, sizeof(sampler));
    sampler.clock = &now_ops;
    sampler.settings = &settings;
    sampler.node = "n1";
    sampler.boot = "boot-1";
    sampler.sysroot = root;
    sampler.log = &tlog;
    sampler.meter = &meter;
    sampler.topology = &topology;
    sampler.state_path = state_path;
    CU_ASSERT_FATAL(sampler_start(&sampler, 0, NULL) == 0);
}

/* An event counts from when it is opened: what happened while the daemon was away is powercap's to
 * tell, if it may be read, though it only stood by before. */
static void test_gap(void)
{
    const char *root = _machine();

    settings_init(&settings);
    topology.pus = 4;
    log_set_handler(_quiet, NULL);
    _start(root);
    now.wall_ms += 10000;
    now.mono_ms += 10000;
    counts[1] = J(10);
    _powercap(root, 11000000);
    UNIT_INT(sampler_close(&sampler), 1, "a record");
    UNIT_INT(sampler.sums.idle_uj + sampler.sums.system_uj, 30000000, "perf's 10 and 20 J");
    sampler_fini(&sampler);
    meter_close(&meter);
    telemetry_log_close(&tlog);
    now.wall_ms += 5000;
    now.mono_ms += 5000;
    counts[1] = 0;
    _powercap(root, 61000000);
    _start(root);
    UNIT_INT(sampler.sums.idle_uj + sampler.sums.system_uj, 30000000 + 100000000,
             "powercap's 50 J of each for the gap");
    now.wall_ms += 10000;
    now.mono_ms += 10000;
    counts[1] = J(20);
    _powercap(root, 82000000);
    UNIT_INT(sampler_close(&sampler), 1, "a record");
    UNIT_INT(sampler.sums.idle_uj + sampler.sums.system_uj, 130000000 + 60000000, "perf again");
    sampler_fini(&sampler);
    meter_close(&meter);
    telemetry_log_close(&tlog);
}

/* The system call itself, with an event that every kernel has: the CPU's clock. */
static void test_kernel(void)
{
    int fd = source_perf_ops->open(1, 0, 0);
    uint64_t first, second;

    if (fd < 0)
        unit_skip("the kernel lets us open no event");
    UNIT_INT(source_perf_ops->read(fd, &first), 0, "read");
    (void)usleep(20000);
    UNIT_INT(source_perf_ops->read(fd, &second), 0, "read");
    UNIT_OK(second > first, "it counts: %" PRIu64 ", %" PRIu64, first, second);
    (void)close(fd);
}

static const struct unit_case cases[] = {
    {"kernel", test_kernel},   {"probe", test_probe}, {"counts", test_counts},
    {"odd", test_odd},         {"dies", test_dies},   {"preferred", test_preferred},
    {"refused", test_refused}, {"gap", test_gap},     {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "perf");
}
