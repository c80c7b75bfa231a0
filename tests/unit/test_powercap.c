/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAPL zones of recorded machines: what is found, what counts, and what happens when zones
 * wrap, vanish, lie or come back. The meter is tested along, since it decides who counts.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "node_fixture.h"
#include "power/meter.h"
#include "power/source_powercap.h"

#define POWERCAP "sys/class/powercap/"

struct expected {
    const char *name;
    uint64_t range_uj;
    const char *coverage;
    bool inside;
    int package;
    bool readable;
};

static void _check_machine(const char *machine, const struct expected want[], int n_want)
{
    static struct source sources[64];
    char root[PATH_MAX], text[COVERAGE_TEXT_SIZE];
    struct err e = {""};
    int n;

    (void)snprintf(root, sizeof(root), "%s/%s", FIXTURES, machine);
    n = source_powercap_probe(root, sources, 64, &e);
    UNIT_INT(n, n_want, "%s: zones, %s", machine, e.text);
    for (int i = 0; i < n && i < n_want; i++) {
        source_update(&sources[i], 1000);
        UNIT_STR(sources[i].name, want[i].name, "%s, %d", machine, i);
        UNIT_INT(sources[i].counter.range_uj, want[i].range_uj, "%s, %d: range", machine, i);
        UNIT_INT(sources[i].range_known, want[i].range_uj != 0, "%s, %d: range", machine, i);
        UNIT_STR(coverage_format(text, sizeof(text), sources[i].coverage.components),
                 want[i].coverage, "%s, %d", machine, i);
        UNIT_INT(sources[i].inside, want[i].inside, "%s, %d: inside", machine, i);
        UNIT_INT(sources[i].package, want[i].package, "%s, %d: package", machine, i);
        UNIT_INT(sources[i].error == 0, want[i].readable, "%s, %d: %s", machine, i,
                 source_error_text(&sources[i]));
        UNIT_OK(sources[i].counter.ceiling_mw > 0, "%s, %d: everything has a ceiling", machine, i);
    }
    for (int i = 0; i < n; i++)
        source_close(&sources[i]);
}

#define INTEL UINT64_C(262143328850)
#define DRAM UINT64_C(65712999613)
#define AMD UINT64_C(65532610987)

static void test_machines(void)
{
    static const struct expected intel[] = {
        {"rapl:package-0", INTEL, "cpu", false, 0, true},
        {"rapl:package-0:dram", DRAM, "dram", false, 0, true},
        {"rapl:package-1", INTEL, "cpu", false, 1, true},
        {"rapl:package-1:dram", DRAM, "dram", false, 1, true},
        {"rapl-mmio:package-0", INTEL, "cpu", false, 0, true},
        {"rapl-mmio:package-0:dram", DRAM, "dram", false, 0, true},
        {"rapl:psys", UINT64_C(4294967295000000), "cpu,dram,board", false, -1, true},
    };
    static const struct expected amd[] = {
        {"rapl:package-0", AMD, "cpu", false, 0, true},
        {"rapl:package-0:core", AMD, "cpu", true, 0, true},
    };
    static const struct expected client[] = {
        {"rapl:package-0", 0, "cpu", false, 0, true},
        {"rapl:psys", INTEL, "cpu,dram,board", false, -1, true},
        {"rapl:package-0:core", INTEL, "cpu", true, 0, true},
        {"rapl:package-0:uncore", INTEL, "cpu", true, 0, true},
    };
    static const struct expected broken[] = {
        {"rapl:package-0", INTEL, "cpu", false, 0, true},
        {"rapl:package-1", INTEL, "cpu", false, 1, false},
        {"rapl:package-2", INTEL, "cpu", false, 2, false},
        {"rapl:package-3", 0, "cpu", false, 3, false},
        {"rapl:we_ird_zone__", INTEL, "cpu", true, -1, true},
    };

    _check_machine("intel-2s", intel, 7);
    _check_machine("amd-1s", amd, 2);
    _check_machine("client-norange", client, 4);
    _check_machine("broken-zones", broken, 5);
    _check_machine("cgroup-v1", NULL, 0);
    _check_machine("no-such-machine", NULL, 0);
}

/* Dies: names of their own, one package. */
static void test_dies(void)
{
    const char *root = unit_tmpdir();
    struct source sources[8];
    struct coverage_sum sum;
    int n;

    fixture_write(root, POWERCAP "intel-rapl:0/name", "package-0-die-0\n");
    fixture_write(root, POWERCAP "intel-rapl:0/energy_uj", "1\n");
    fixture_write(root, POWERCAP "intel-rapl:1/name", "package-0-die-1\n");
    fixture_write(root, POWERCAP "intel-rapl:1/energy_uj", "2\n");
    n = source_powercap_probe(root, sources, 8, NULL);
    UNIT_INT(n, 2, "dies");
    coverage_sum_init(&sum);
    for (int i = 0; i < n; i++) {
        UNIT_INT(sources[i].package, 0, "die %d", i);
        UNIT_INT(coverage_sum_add(&sum, sources[i].coverage, 1), 0, "both count: %d", i);
        source_close(&sources[i]);
    }
}

/* What tests/fixtures does not hold: a tree of another project's tests. */
static void test_foreign_tree(void)
{
    char name[PATH_MAX], text[COVERAGE_TEXT_SIZE];
    struct source sources[8];
    int n;

    if (!unit_testdata(name, sizeof(name), "sysfs-samples/tree-rapl"))
        unit_skip("the shared test data is not here");
    n = source_powercap_probe(name, sources, 8, NULL);
    UNIT_INT(n, 2, "package and core");
    for (int i = 0; i < n; i++) {
        source_update(&sources[i], 0);
        UNIT_INT(sources[i].error, 0, "%s", sources[i].name);
        UNIT_INT(sources[i].counter.range_uj, INTEL, "%s", sources[i].name);
        UNIT_STR(coverage_format(text, sizeof(text), sources[i].coverage.components), "cpu", "%d",
                 i);
        source_close(&sources[i]);
    }
    UNIT_INT(sources[0].raw_uj, UINT64_C(240422366267), "package");
    UNIT_INT(sources[1].inside, 1, "core");
}

static struct meter meter;
static struct meter_interval interval;

/* Read at t_ms, close the interval; modelled is what the model would say. The energy. */
static uint64_t _interval(int64_t t_ms, uint64_t modelled_uj)
{
    meter_read(&meter, t_ms, false);
    meter_sum(&meter, modelled_uj, &interval);
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

#define E0 POWERCAP "intel-rapl:0/energy_uj"
#define E1 POWERCAP "intel-rapl:1/energy_uj"
#define ED POWERCAP "intel-rapl:0:0/energy_uj"
#define EPSYS POWERCAP "intel-rapl:2/energy_uj"
#define EMMIO POWERCAP "intel-rapl-mmio:0/energy_uj"

static void test_no_double_count(void)
{
    const char *root = fixture_copy("intel-2s");
    char text[COVERAGE_TEXT_SIZE];

    CU_ASSERT_FATAL(meter_open(&meter, root, NULL) == 0);
    UNIT_INT(_interval(0, 77), 77, "first readings give nothing: the model is all there is");
    UNIT_INT(interval.modelled, 1, "and that is said");
    fixture_write_u64(root, E0, 1000000000 + 100000000);
    fixture_write_u64(root, E1, 1000000001 + 200000000);
    fixture_write_u64(root, ED, 500000000 + 30000000);
    fixture_write_u64(root, EMMIO, 1000000005 + 100000000);
    fixture_write_u64(root, EPSYS, 60293987000000 + 400000000);
    UNIT_INT(_interval(1000, 77), 330000000, "packages and DRAM, once each");
    UNIT_INT(interval.quality, QUALITY_MEASURED, "measured");
    UNIT_INT(interval.modelled, 0, "no model");
    UNIT_STR(coverage_format(text, sizeof(text), coverage_sum_components(&interval.sum)),
             "cpu,dram", "coverage");
    UNIT_INT(interval.counted[_index("rapl:psys")], 0, "psys stands by");
    UNIT_INT(interval.counted[_index("rapl-mmio:package-0")], 0, "the twin stands by");
    UNIT_INT(interval.counted[_index("model:cpu")], 0, "so does the model");
    meter_close(&meter);
}

/* The registers go, the twin steps in, and when they are back nothing is counted twice. */
static void test_twin_steps_in(void)
{
    const char *root = fixture_copy("intel-2s");

    CU_ASSERT_FATAL(meter_open(&meter, root, NULL) == 0);
    (void)_interval(0, 0);
    fixture_write_u64(root, E0, 1100000000);
    fixture_write_u64(root, E1, 1100000001);
    fixture_write_u64(root, EMMIO, 1100000005);
    UNIT_INT(_interval(1000, 0), 200000000, "all there");
    fixture_write(root, E0, "");
    fixture_write_u64(root, E1, 1200000001);
    fixture_write_u64(root, EMMIO, 1200000005);
    UNIT_INT(_interval(2000, 0), 200000000, "the twin for package 0");
    UNIT_INT(meter.sources[_index("rapl:package-0")].state, SOURCE_MISSING, "and the loss is seen");
    UNIT_INT(interval.counted[_index("rapl-mmio:package-0")], 1, "the twin counts");
    UNIT_INT(interval.quality, QUALITY_MEASURED, "nothing is missing from the sum");
    fixture_write_u64(root, E0, 1300000000);
    fixture_write_u64(root, E1, 1300000001);
    fixture_write_u64(root, EMMIO, 1300000005);
    UNIT_INT(_interval(3000, 0), 200000000, "back: the twin once more, its base was lost");
    fixture_write_u64(root, E0, 1400000000);
    fixture_write_u64(root, E1, 1400000001);
    fixture_write_u64(root, EMMIO, 1400000005);
    UNIT_INT(_interval(4000, 0), 200000000, "and the registers again");
    UNIT_INT(interval.counted[_index("rapl:package-0")], 1, "they count");
    meter_close(&meter);
}

/* Nobody can stand in for package 1: its part is absent, said to be, and comes later. */
static void test_lost_and_found(void)
{
    const char *root = fixture_copy("intel-2s");
    int package_1;

    CU_ASSERT_FATAL(meter_open(&meter, root, NULL) == 0);
    package_1 = _index("rapl:package-1");
    (void)_interval(0, 0);
    fixture_write_u64(root, E0, 1100000000);
    fixture_write_u64(root, E1, 1100000001);
    UNIT_INT(_interval(1000, 5), 200000000, "all there");
    fixture_write_u64(root, E0, 1200000000);
    fixture_write(root, E1, "");
    UNIT_INT(_interval(2000, 5), 100000000, "what is left");
    UNIT_INT(interval.quality, QUALITY_STALE, "a part is missing");
    UNIT_INT(interval.absent[package_1], 1, "which one");
    fixture_write_u64(root, E0, 1300000000);
    fixture_write_u64(root, E1, 1300000001);
    UNIT_INT(_interval(3000, 5), 300000000, "its counter went on meanwhile");
    UNIT_INT(interval.quality, QUALITY_MEASURED, "all there again");
    meter_close(&meter);
}

/* All registers go: the model steps in; when they are back, its time is not counted again. */
static void test_model_steps_in(void)
{
    const char *root = fixture_copy("amd-1s");

    CU_ASSERT_FATAL(meter_open(&meter, root, NULL) == 0);
    (void)_interval(0, 0);
    fixture_write_u64(root, E0, 65100000000);
    UNIT_INT(_interval(1000, 7), 100000000, "measured");
    fixture_remove(root, POWERCAP "intel-rapl:0/energy_uj");
    (void)close(meter.sources[0].fd); /* what the kernel does to us when the driver goes */
    meter.sources[0].fd = open("/dev/null", O_RDONLY);
    UNIT_INT(_interval(2000, 7), 7, "modelled");
    UNIT_INT(interval.quality, QUALITY_MODELLED, "and marked");
    fixture_write_u64(root, E0, 65300000000);
    UNIT_INT(_interval(30000, 7), 7, "opened again: the first reading is a new beginning");
    fixture_write_u64(root, E0, 65400000000);
    UNIT_INT(_interval(31000, 7), 100000000, "measured again");
    meter_close(&meter);
}

/* A wrap, over the zone's own range and not that of another. */
static void test_wrap(void)
{
    const char *root = fixture_copy("amd-1s");

    CU_ASSERT_FATAL(meter_open(&meter, root, NULL) == 0);
    (void)_interval(0, 0);
    fixture_write_u64(root, E0, 65532610987);
    UNIT_INT(_interval(4000, 0), 532610987, "up to the range");
    fixture_write_u64(root, E0, 100);
    UNIT_INT(_interval(5000, 0), 100 + 15, "and over it");
    UNIT_INT(meter.sources[0].worst, SOURCE_OK, "the next interval is new");
    UNIT_INT(meter.sources[0].counter.count[COUNTER_WRAPPED], 1, "seen");
    meter_close(&meter);
}

/* A DRAM zone that has stood at one value ever since measures nothing: that is not 0 J. */
static void test_dead_zone(void)
{
    const char *root = fixture_copy("intel-2s");
    char text[COVERAGE_TEXT_SIZE];

    CU_ASSERT_FATAL(meter_open(&meter, root, NULL) == 0);
    (void)_interval(0, 0);
    for (int t = 1; t < 30; t++) {
        fixture_write_u64(root, E0, 1000000000 + (uint64_t)t * 1000);
        fixture_write_u64(root, E1, 1000000000 + (uint64_t)t * 1000);
        (void)_interval(t * 1000, 0);
    }
    UNIT_STR(coverage_format(text, sizeof(text), coverage_sum_components(&interval.sum)), "cpu",
             "DRAM is not claimed");
    UNIT_INT(interval.quality, QUALITY_MEASURED, "and not missed");
    meter_close(&meter);
}

static int changes;
static enum source_state changed_to;

static void _on_change(const struct source *s, enum source_state was, void *arg)
{
    (void)was;
    (void)arg;
    changes++;
    changed_to = s->state;
}

/* One word when it goes and one when it is back, however long that takes. */
static void test_changes(void)
{
    const char *root = fixture_copy("amd-1s");

    CU_ASSERT_FATAL(meter_open(&meter, root, NULL) == 0);
    meter.on_change = _on_change;
    for (int t = 0; t < 5; t++)
        (void)_interval(t * 1000, 0);
    UNIT_INT(changes, 0, "nothing to say");
    fixture_write(root, E0, "");
    for (int t = 5; t < 9; t++)
        (void)_interval(t * 1000, 0);
    UNIT_INT(changes, 1, "gone");
    UNIT_INT(changed_to, SOURCE_MISSING, "gone");
    fixture_write_u64(root, E0, 65000000000);
    for (int t = 9; t < 12; t++)
        (void)_interval(t * 1000, 0);
    UNIT_INT(changes, 2, "back");
    meter_close(&meter);
}

/* As nobody, on files of root: probing works, reading does not, and that is what is said. */
static void test_permission(void)
{
    const char *root = fixture_copy("amd-1s");
    char path[PATH_MAX + 64];
    pid_t child;
    int status;

    if (geteuid() != 0)
        unit_skip("needs root, to give rights up");
    (void)snprintf(path, sizeof(path), "%s/%s", root, E0);
    CU_ASSERT_FATAL(chmod(path, 0400) == 0 && chmod(unit_tmpdir(), 0755) == 0);
    child = fork();
    if (child == 0) {
        struct source sources[4];
        int n;

        if (setgid(65534) < 0 || setuid(65534) < 0)
            _exit(9);
        n = source_powercap_probe(root, sources, 4, NULL);
        if (n != 2)
            _exit(1);
        source_update(&sources[0], 0);
        if (sources[0].error != EACCES || sources[0].state != SOURCE_MISSING)
            _exit(2);
        if (sources[0].rights != 0400 || sources[0].delivered)
            _exit(3);
        _exit(0);
    }
    CU_ASSERT_FATAL(waitpid(child, &status, 0) == child);
    UNIT_INT(status, 0, "exit code of the process without rights");
}

static void test_model(void)
{
    static const struct power_model model = {2000, 10000}, wrong = {5000, 1000};

    UNIT_INT(model_idle_uj(&model, 4, 1000), 8000000, "4 CPUs at 2 W for a second: 8 J");
    UNIT_INT(model_active_uj(&model, 1000000), 8000000, "one busy second on top: 8 J");
    UNIT_INT(model_active_uj(&wrong, 1000000), 0, "nothing negative");
    UNIT_INT(model_idle_uj(&model, 4, 0), 0, "no time");
    UNIT_INT(model_idle_uj(&model, 4, -5), 0, "a clock that went back");
    UNIT_OK(model_active_uj(&model, UINT64_MAX) == UINT64_MAX, "saturates");
}

static const struct unit_case cases[] = {
    {"machines", test_machines},
    {"dies", test_dies},
    {"foreign_tree", test_foreign_tree},
    {"no_double_count", test_no_double_count},
    {"twin_steps_in", test_twin_steps_in},
    {"lost_and_found", test_lost_and_found},
    {"model_steps_in", test_model_steps_in},
    {"wrap", test_wrap},
    {"dead_zone", test_dead_zone},
    {"changes", test_changes},
    {"permission", test_permission},
    {"model", test_model},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "powercap");
}
