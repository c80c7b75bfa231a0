/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Meters of whole nodes and modules, beside counters of their parts: Cray pm_counters and the
 * sensors of hwmon, on written machines and on a recorded one.
 */
#include "config.h"

#include <errno.h>

#include "node_fixture.h"
#include "power/meter.h"
#include "power/source_hwmon.h"
#include "power/source_pm_counters.h"

#define CRAY "sys/cray/pm_counters/"
#define HWMON "sys/class/hwmon/"
#define POWERCAP "sys/class/powercap/"

static struct meter meter;
static struct meter_interval interval;

static const char *empty_machine(void)
{
    static char root[PATH_MAX];
    (void)snprintf(root, sizeof(root), "%s/machine", unit_tmpdir());
    (void)path_mkdirs(root, 0755, NULL);
    return root;
}

/* "J" as the meter writes it, at a moment of its own. */
static void cray(const char *root, const char *file, uint64_t joules)
{
    char path[128], text[64];
    (void)snprintf(path, sizeof(path), CRAY "%s", file);
    (void)snprintf(text, sizeof(text), "%llu J 1571230862955436 us\n", (unsigned long long)joules);
    fixture_write(root, path, text);
}

static uint64_t next(int64_t t_ms)
{
    meter_read(&meter, t_ms, false);
    meter_sum(&meter, 77, &interval);
    meter_commit(&meter, &interval);
    return interval.sum.uj;
}

static const struct source *named(const char *name)
{
    for (int i = 0; i < meter.n; i++)
        if (strcmp(meter.sources[i].name, name) == 0)
            return &meter.sources[i];
    CU_FAIL_FATAL("no such source");
    return NULL;
}

static uint64_t adds(const char *name)
{
    ptrdiff_t i = named(name) - meter.sources;
    return interval.counted[i] ? interval.uj[i] : 0;
}

static const char *covered(void)
{
    static char text[COVERAGE_TEXT_SIZE];
    return coverage_format(text, sizeof(text), coverage_sum_components(&interval.sum));
}

/* ---- Cray ---- */

static void test_recorded_cray(void)
{
    static const struct {
        const char *name, *coverage;
        uint64_t joules;
        int is_meter;
    } rows[] = {{"cray:node", "node", 1360621494, 1},  {"cray:cpu", "cpu", 139431088, 0},
                {"cray:memory", "dram", 104283458, 0}, {"cray:accel-0", "gpu", 208970342, 0},
                {"cray:accel-1", "gpu", 268461017, 0}, {"cray:accel-2", "gpu", 271696890, 0},
                {"cray:accel-3", "gpu", 251713932, 0}};
    struct source sources[16];
    char root[PATH_MAX], text[COVERAGE_TEXT_SIZE];
    if (!unit_testdata(root, sizeof(root), "sysfs-samples/tree-cray"))
        unit_skip("the shared test data is not here");
    int n = source_pm_counters_probe(root, sources, 16, NULL);
    CU_ASSERT_FATAL(n == (int)(sizeof(rows) / sizeof(rows[0])));
    for (int i = 0; i < n; i++) {
        source_update(&sources[i], 0);
        UNIT_STR(sources[i].name, rows[i].name, "name");
        UNIT_INT(sources[i].error, 0, "%s is read", rows[i].name);
        UNIT_INT(sources[i].raw_uj, rows[i].joules * 1000000, "%s", rows[i].name);
        UNIT_INT(sources[i].meter, rows[i].is_meter, "%s", rows[i].name);
        UNIT_STR(coverage_format(text, sizeof(text), sources[i].coverage.components),
                 rows[i].coverage, "%s", rows[i].name);
        source_close(&sources[i]);
    }
    UNIT_INT(source_pm_counters_probe(root, sources, 3, NULL), 3, "no more than there is room for");
    for (int i = 0; i < 3; i++)
        source_close(&sources[i]);
}

/* The node's value contains its parts: what it has beyond them is what it adds. */
static void test_node_and_parts(void)
{
    const char *root = empty_machine();
    fixture_write(root, CRAY "startup", "1571230862955436\n");
    cray(root, "energy", 1000);
    cray(root, "cpu_energy", 100);
    cray(root, "memory_energy", 50);
    cray(root, "accel0_energy", 300);
    cray(root, "accel11_energy", 300);
    CU_ASSERT_FATAL(meter_open(&meter, root, NULL) == 0);
    UNIT_INT(next(0), 77, "first readings: the model");
    cray(root, "energy", 1900);
    cray(root, "cpu_energy", 200);
    cray(root, "memory_energy", 100);
    cray(root, "accel0_energy", 600);
    cray(root, "accel11_energy", 400);
    UNIT_INT(next(1000), 900000000, "the node's, not 900 + 550 J");
    UNIT_STR(covered(), "node", "coverage");
    UNIT_INT(adds("cray:accel-0"), 300000000, "a part");
    UNIT_INT(adds("cray:node"), 350000000, "beyond the parts");
    UNIT_INT(adds("model:cpu"), 0, "no model");
    UNIT_INT(interval.quality, QUALITY_MEASURED, "measured");

    /* read a moment later than its parts, the meter may be behind them */
    cray(root, "energy", 1950);
    cray(root, "accel0_energy", 700);
    UNIT_INT(next(2000), 100000000, "no less than the parts");
    UNIT_INT(adds("cray:node"), 0, "nothing beyond");
    cray(root, "energy", 2600);
    UNIT_INT(next(3000), 600000000, "what was too much is taken off");
    uint64_t all = 900 + 100 + 600;
    UNIT_INT(all, 2600 - 1000, "in all the meter's joules");
    meter_close(&meter);
}

/* The accelerators' counters go: the meter has what they used. */
static void test_part_is_lost(void)
{
    const char *root = empty_machine();
    cray(root, "energy", 1000);
    cray(root, "accel0_energy", 100);
    CU_ASSERT_FATAL(meter_open(&meter, root, NULL) == 0);
    (void)next(0);
    cray(root, "energy", 1500);
    cray(root, "accel0_energy", 300);
    UNIT_INT(next(1000), 500000000, "both there");
    fixture_write(root, CRAY "accel0_energy", "none\n");
    cray(root, "energy", 2000);
    UNIT_INT(next(2000), 500000000, "one is no number");
    UNIT_INT(named("cray:accel-0")->error, EBADMSG, "which is an error, not 0 J");
    UNIT_INT(interval.quality, QUALITY_MEASURED, "the node is measured all the same");
    cray(root, "energy", 2500);
    cray(root, "accel0_energy", 700);
    UNIT_INT(next(3000), 500000000, "back");
    UNIT_INT(adds("cray:accel-0"), 0, "what it used in between was in the node's");
    cray(root, "energy", 3000);
    cray(root, "accel0_energy", 900);
    UNIT_INT(next(4000), 500000000, "as before");
    UNIT_INT(adds("cray:accel-0"), 200000000, "from then on");
    meter_close(&meter);
}

/* The node's controller is started anew and counts from 0; soon it is beyond where it was. */
static void test_restart(void)
{
    const char *root = empty_machine();
    fixture_write(root, CRAY "startup", "1\n");
    cray(root, "energy", 1000);
    CU_ASSERT_FATAL(meter_open(&meter, root, NULL) == 0);
    (void)next(0);
    cray(root, "energy", 1500);
    UNIT_INT(next(1000), 500000000, "energy");
    fixture_write(root, CRAY "startup", "2\n");
    cray(root, "energy", 1700);
    (void)next(2000);
    UNIT_INT(adds("cray:node"), 0, "1700 J since then are not 200 J more");
    cray(root, "energy", 2000);
    UNIT_INT(next(3000), 300000000, "energy again");
    meter_close(&meter);
}

static void test_bad_lines(void)
{
    static const char *const lines[] = {"",
                                        "\n",
                                        "J",
                                        "100",
                                        "100\n",
                                        "100 W 1 us\n",
                                        "-1 J 1 us\n",
                                        "1e3 J 1 us\n",
                                        "99999999999999 J 1 us\n",
                                        "100 JJ 1 us\n",
                                        "0x10 J 1 us\n"};
    const char *root = empty_machine();
    struct source s[4];
    cray(root, "energy", 1);
    UNIT_INT(source_pm_counters_probe(root, s, 4, NULL), 1, "one");
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        fixture_write(root, CRAY "energy", lines[i]);
        source_update(&s[0], (int64_t)i);
        UNIT_INT(s[0].error, EBADMSG, "'%s'", lines[i]);
    }
    source_close(&s[0]);
}

/* ---- hwmon ---- */

static void sensor(const char *root, unsigned n, const char *driver, const char *file,
                   const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof(path), HWMON "hwmon%u/name", n);
    fixture_write(root, path, driver);
    (void)snprintf(path, sizeof(path), HWMON "hwmon%u/%s", n, file);
    fixture_write(root, path, text);
}

/* An average of the time before each reading. */
static void test_acpi_meter(void)
{
    const char *root = empty_machine();
    sensor(root, 3, "power_meter\n", "power1_average", "300000000\n");
    CU_ASSERT_FATAL(meter_open(&meter, root, NULL) == 0);
    UNIT_INT(next(1000), 77, "the first says nothing of the time before it");
    sensor(root, 3, "power_meter\n", "power1_average", "400000000\n");
    UNIT_INT(next(2000), 400000000, "400 W for a second");
    UNIT_STR(covered(), "node", "a node's");
    sensor(root, 3, "power_meter\n", "power1_average", "4294967295000\n");
    (void)next(3000);
    UNIT_INT(named("hwmon:power_meter-0:power1_average")->error, ERANGE, "no 4.29 MW");
    UNIT_INT(interval.modelled, 1, "the model steps in");
    sensor(root, 3, "power_meter\n", "power1_average", "100000000\n");
    (void)next(4000);
    UNIT_INT(next(5000), 100000000, "and out again");
    (void)next(5000 + 3600 * 1000);
    UNIT_INT(adds("hwmon:power_meter-0:power1_average"), 0, "an hour that nobody saw is no hour");
    meter_close(&meter);
}

/* RAPL for the split, the meter for the total. */
static void test_meter_over_rapl(void)
{
    const char *root = empty_machine();
    fixture_write(root, POWERCAP "intel-rapl:0/name", "package-0\n");
    fixture_write(root, POWERCAP "intel-rapl:0/max_energy_range_uj", "262143328850\n");
    fixture_write(root, POWERCAP "intel-rapl:0/energy_uj", "1000000\n");
    sensor(root, 0, "power_meter\n", "power1_average", "300000000\n");
    CU_ASSERT_FATAL(meter_open(&meter, root, NULL) == 0);
    (void)next(1000);
    fixture_write(root, POWERCAP "intel-rapl:0/energy_uj", "121000000\n");
    UNIT_INT(next(2000), 300000000, "the meter's");
    UNIT_INT(adds("rapl:package-0"), 120000000, "of which the package");
    UNIT_INT(adds("hwmon:power_meter-0:power1_average"), 180000000, "and all else");
    fixture_write(root, POWERCAP "intel-rapl:0/energy_uj", "241000000\n");
    sensor(root, 0, "power_meter\n", "power1_average", "4294967295000\n");
    UNIT_INT(next(3000), 120000000, "the meter is gone: the package alone");
    UNIT_STR(covered(), "cpu", "which is said");
    UNIT_INT(interval.quality, QUALITY_STALE, "and that some is missing");
    meter_close(&meter);
}

/* Two Grace Hopper modules: Grace and a GPU of its own within each. */
static void test_grace(void)
{
    static const struct {
        unsigned n;
        const char *label, *uw;
    } rows[] = {{0, "Module Power Socket 0\n", "600000000\n"},
                {1, "Grace Power Socket 0\n", "200000000\n"},
                {2, "CPU Power Socket 0\n", "150000000\n"},
                {3, "SysIO Power Socket 0\n", "20000000\n"},
                {4, "Module Power Socket 1\n", "500000000\n"},
                {5, "Grace Power Socket 1\n", "100000000\n"}};
    const char *root = empty_machine();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sensor(root, rows[i].n, "power_meter\n", "power1_average", rows[i].uw);
        sensor(root, rows[i].n, "power_meter\n", "power1_oem_info", rows[i].label);
    }
    CU_ASSERT_FATAL(meter_open(&meter, root, NULL) == 0);
    (void)next(1000);
    UNIT_INT(next(2000), 1100000000, "the modules, not 1.57 kJ");
    UNIT_STR(covered(), "cpu,dram,gpu", "what they contain");
    UNIT_INT(adds("hwmon:power_meter-1:Grace_Power_Socket_0"), 200000000, "Grace");
    UNIT_INT(adds("hwmon:power_meter-0:Module_Power_Socket_0"), 400000000, "the GPU, its memory");
    UNIT_INT(adds("hwmon:power_meter-2:CPU_Power_Socket_0"), 0, "within Grace");
    UNIT_INT(named("hwmon:power_meter-5:Grace_Power_Socket_1")->package, 1, "its package");
    meter_close(&meter);
}

/* Counters of CPUs and GPUs; names stay when the numbers of the directories change. */
static void test_counters(void)
{
    const char *root = empty_machine();
    sensor(root, 9, "amd_energy\n", "energy1_input", "5000000\n");
    sensor(root, 9, "amd_energy\n", "energy1_label", "Ecore000\n");
    sensor(root, 9, "amd_energy\n", "energy65_input", "5000000\n");
    sensor(root, 9, "amd_energy\n", "energy65_label", "Esocket0\n");
    sensor(root, 2, "xe\n", "energy1_input", "7000000\n");
    sensor(root, 2, "xe\n", "energy1_label", "card\n");
    sensor(root, 2, "xe\n", "energy2_input", "6000000\n");
    sensor(root, 2, "xe\n", "energy2_label", "pkg\n");
    sensor(root, 10, "xe\n", "energy1_input", "7000000\n");
    sensor(root, 4, "nvme\n", "power1_input", "3000000\n");
    sensor(root, 5, "amdgpu\n", "power1_average", "3000000\n");
    CU_ASSERT_FATAL(meter_open(&meter, root, NULL) == 0);
    (void)next(0);
    sensor(root, 9, "amd_energy\n", "energy65_input", "105000000\n");
    sensor(root, 2, "xe\n", "energy1_input", "57000000\n");
    sensor(root, 10, "xe\n", "energy1_input", "27000000\n");
    UNIT_INT(next(1000), 170000000, "socket and cards");
    UNIT_STR(covered(), "cpu,gpu", "coverage");
    UNIT_INT(adds("hwmon:xe-0:card"), 50000000, "the first card");
    UNIT_INT(adds("hwmon:xe-1:energy1_input"), 20000000, "the second");
    UNIT_INT(named("hwmon:xe-0:pkg")->inside, 1, "within the card");
    UNIT_INT(named("hwmon:nvme-0:power1_input")->inside, 1, "unknown: shown, never counted");
    UNIT_INT(named("hwmon:amdgpu-0:power1_average")->inside, 1, "it may be a whole socket's");
    meter_close(&meter);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"recorded_cray", test_recorded_cray},
                                             {"node_and_parts", test_node_and_parts},
                                             {"part_is_lost", test_part_is_lost},
                                             {"restart", test_restart},
                                             {"bad_lines", test_bad_lines},
                                             {"acpi_meter", test_acpi_meter},
                                             {"meter_over_rapl", test_meter_over_rapl},
                                             {"grace", test_grace},
                                             {"counters", test_counters},
                                             {NULL, NULL}};
    return unit_main(argc, argv, cases, "meters");
}
