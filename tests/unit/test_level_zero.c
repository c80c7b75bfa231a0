/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GPUs of Intel: our code on a library with Level Zero's ABI that fails, hangs, loses a GPU, stands
 * still, wraps and begins anew (fake_level_zero.c). It is asked every 100 ms here.
 */
#include "config.h"

#include "gpu_fixture.h"
#include "power/meter.h"
#include "power/source_level_zero.h"

#define A "0000:3a:00.0"
#define B "0000:9a:00.0"
#define PVC "0x0bd5\n"
#define LOST "error 0x70000001"
#define NO_PERMISSION "error 0x70010000"
#define UNINITIALIZED "error 0x78000001"

static struct source *const s = machine.s;

static void probe(int want)
{
    machine.n = source_level_zero_probe(machine.root, machine.s, GPU_SOURCES_MAX, NULL);
    UNIT_INT(machine.n, want, "GPUs");
}

static void set_up_machine(void)
{
    gpu_machine_init("FAKE_ZE");
    gpu_library_period_ms = 100;
    source_level_zero_library = FAKE_LEVEL_ZERO_FILE;
    gpu_machine_add("i915", A, PVC);
    gpu_machine_add("xe", B, PVC);
    gpu_says("list", B "\n" A "\n");
}

/* Two cards: of one the driver knows the card's domain at once, of the other it lists all. */
static void set_up(void)
{
    set_up_machine();
    gpu_says(A ".getcard", "card\n");
    gpu_says(A ".card", "1000000000");
    gpu_says(B ".domains", "tile0\ntile1\ncard\npackage\n");
    gpu_says(B ".card", "2000000000");
    gpu_says(B ".package", "1500000000");
    gpu_says(B ".tile0", "700000000");
    gpu_says(B ".tile1", "700000000");
    probe(2);
}

static void test_energy(void)
{
    set_up();
    UNIT_STR(s[0].name, "level_zero:gpu-0", "name");
    UNIT_STR(s[1].path, B, "by address");
    UNIT_INT(s[1].coverage.domains, 2, "a GPU of its own");
    gpu_machine_read();
    UNIT_OK(s[0].error == EAGAIN || s[0].error == 0, "the first reading does not wait");
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "microjoules");
    UNIT_OK(gpu_becomes(1, 0, 2000000000), "the card, without its parts");
    gpu_says(A ".card", "1300000000");
    UNIT_OK(gpu_becomes(0, 0, 1300000000), "goes on");
    UNIT_INT(s[0].interval_uj, 300000000, "300 J");
    gpu_says(A ".card", "5000000");
    UNIT_OK(gpu_becomes(0, 0, 5000000), "the driver was loaded anew, or the counter has wrapped");
    UNIT_INT(s[0].interval_uj, 300000000, "no energy from that");
    UNIT_INT(s[0].counter.count[COUNTER_RESET], 1, "a reset");
    gpu_machine_close();
}

/* Domains of which some are parts of others, and what the card has used. */
static void test_domains(void)
{
    static const struct {
        const char *domains;
        uint64_t uj;
        int error;
    } cases[] = {{"card package tile0 tile1", 1000, 0},
                 {"memory gpu package tile0", 900, 0},
                 {"tile0 tile1 root", 950, 0},
                 {"root memory", 950, 0},
                 {"tile0 tile1", 800, 0},
                 {"memory0 tile0 memory1 tile1", 800, 0},
                 {"sub0 tile0 tile1", 900, 0},
                 {"memory0 memory1", 0, ENOTSUP},
                 {"memory", 0, ENOTSUP},
                 {"", 0, ENOTSUP}};
    set_up_machine();
    gpu_says(A ".card", "1000");
    gpu_says(A ".package", "900");
    gpu_says(A ".root", "950");
    gpu_says(A ".gpu", "600");
    gpu_says(A ".memory", "200");
    gpu_says(A ".sub0", "500");
    gpu_says(A ".tile0", "400");
    gpu_says(A ".tile1", "400");
    gpu_says(A ".memory0", "100");
    gpu_says(A ".memory1", "100");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        gpu_says(A ".domains", cases[i].domains);
        probe(2);
        UNIT_OK(gpu_becomes(0, cases[i].error, cases[i].uj), "'%s'", cases[i].domains);
        gpu_machine_close();
    }
}

/* A counter that falls for one reading, one too large, and one whose time stands still. */
static void test_counter(void)
{
    set_up();
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "there");
    gpu_says(A ".dip", "200000000");
    for (int64_t until = gpu_now_ms() + 5000; gpu_calls(A ".dip") && gpu_now_ms() < until;)
        gpu_machine_read();
    gpu_says(A ".card", "1000000004");
    UNIT_OK(gpu_becomes(0, 0, 1000000004), "as before");
    UNIT_INT(s[0].counter.count[COUNTER_RESET], 0, "one low reading is none");
    UNIT_INT(s[0].interval_uj, 4, "and no energy");
    gpu_says_u64(A ".card", UINT64_MAX);
    UNIT_OK(gpu_becomes(0, ERANGE, 0), "more than a GPU can have used");
    gpu_says(A ".time", "7");
    gpu_says(A ".card", "1000000005");
    UNIT_OK(gpu_becomes(0, 0, 1000000005), "a time");
    gpu_says(A ".card", "9000000000");
    gpu_pause_ms(400);
    UNIT_OK(gpu_becomes(0, 0, 1000000005), "the same time is no news");
    UNIT_OK(gpu_becomes(0, ETIMEDOUT, 0), "and for long no value");
    UNIT_INT(s[0].state, SOURCE_STALE, "stale");
    UNIT_INT(s[1].error, 0, "the other one is not");
    gpu_machine_close();
}

static void test_failures(void)
{
    static const struct {
        const char *says;
        int error;
    } cases[] = {{NO_PERMISSION, EACCES},
                 {LOST, ENODEV},
                 {"error 0x70000006", ENODEV},
                 {"error 0x78000003", ENOTSUP},
                 {"error 0x7ffffffe", EIO}};
    set_up();
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "there");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        gpu_says(A ".card", cases[i].says);
        UNIT_OK(gpu_becomes(0, cases[i].error, 0), "%s", cases[i].says);
        UNIT_INT(s[0].state, SOURCE_MISSING, "missing");
        UNIT_INT(s[1].error, 0, "the other one is not");
    }
    gpu_says(A ".card", "1200000000");
    UNIT_OK(gpu_becomes(0, 0, 1200000000), "back");
    UNIT_INT(s[0].interval_uj, 200000000, "with the energy meanwhile");
    gpu_says(A ".card", "error 0x70000007");
    gpu_pause_ms(400);
    UNIT_OK(gpu_becomes(0, 0, 1200000000), "in low power it stands where it was");
    gpu_machine_close();
}

/* A GPU goes, and is looked for by its address. */
static void test_lost(void)
{
    set_up();
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "there");
    gpu_says(A ".card", LOST);
    gpu_says("list", B "\n");
    UNIT_OK(gpu_becomes(0, ENODEV, 0), "lost");
    gpu_says(A ".card", "1100000000");
    gpu_pause_ms(400);
    UNIT_OK(gpu_becomes(0, ENODEV, 0), "not in the list");
    UNIT_OK(gpu_becomes(1, 0, 2000000000), "the other one is");
    gpu_says("list", A "\n" B "\n");
    UNIT_OK(gpu_becomes(0, 0, 1100000000), "back");
    gpu_machine_close();
}

static void test_hang(void)
{
    set_up();
    gpu_hangs(A ".card", 1000000000);
}

/* Where zesInit does not do, zeInit does, if the environment says so; or nothing. */
static void test_init(void)
{
    (void)unsetenv("ZES_ENABLE_SYSMAN");
    set_up_machine();
    gpu_says("init", UNINITIALIZED);
    set_up();
    UNIT_OK(gpu_becomes(0, ENXIO, 0), "an older driver that is not told");
    gpu_machine_close();
    source_level_zero_environment();
    probe(2);
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "and that is");
    gpu_machine_close();
    gpu_says("old-init", UNINITIALIZED);
    probe(2);
    UNIT_OK(gpu_becomes(0, ENXIO, 0), "no driver");
    gpu_says("init", "0");
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "it is tried again");
    gpu_machine_close();
    source_level_zero_library = "libze_none.so.1";
    probe(2);
    UNIT_OK(gpu_becomes(1, ELIBACC, 0), "no library");
    gpu_machine_close();
    UNIT_INT(source_level_zero_probe("/nonexistent", s, 4, NULL), 0, "a machine without");
}

static void hwmon(int number, const char *pci, const char *uj)
{
    char file[64], target[64], path[PATH_MAX + 64];
    (void)snprintf(file, sizeof(file), "sys/class/hwmon/hwmon%d/name", number);
    fixture_write(machine.root, file, "xe\n");
    (void)snprintf(file, sizeof(file), "sys/class/hwmon/hwmon%d/energy1_input", number);
    fixture_write(machine.root, file, uj);
    (void)snprintf(path, sizeof(path), "%s/sys/class/hwmon/hwmon%d/device", machine.root, number);
    (void)snprintf(target, sizeof(target), "../../../%s", pci);
    UNIT_OK(symlink(target, path) == 0 || errno == EEXIST, "%s", path);
}

/* The kernel's own counters of the same cards stand by, each for its own card. */
static void test_hwmon(void)
{
    struct meter m;
    struct meter_interval sum;
    set_up();
    gpu_machine_close();
    hwmon(2, B, "500000000\n");
    hwmon(3, A, "600000000\n");
    UNIT_INT(meter_open(&m, machine.root, NULL), 0, "meter");
    UNIT_INT(m.n, 5, "two cards twice, the model");
    UNIT_INT(m.sources[2].coverage.domains, 2, "the second card's, by its address");
    for (int64_t until = gpu_now_ms() + 5000; !m.sources[1].counter.primed && gpu_now_ms() < until;
         gpu_pause_ms(20))
        meter_read(&m, gpu_now_ms(), false);
    gpu_says(A ".card", NO_PERMISSION);
    gpu_says(B ".card", "2300000000");
    hwmon(2, B, "801000000\n");
    hwmon(3, A, "610000000\n");
    gpu_pause_ms(500);
    meter_read(&m, gpu_now_ms(), false);
    meter_sum(&m, 0, &sum);
    UNIT_INT(sum.gpu_uj[0], 10000000, "hwmon stands in for the one that cannot be read");
    UNIT_INT(sum.gpu_uj[1], 300000000, "and by for the other");
    UNIT_INT(sum.sum.uj, 310000000, "each joule once");
    meter_close(&m);
}

/* A GPU that is a part of a CPU package is not counted: RAPL has it. */
static void test_integrated(void)
{
    set_up_machine();
    gpu_machine_add("i915", "0000:00:02.0", "0x46a6\n");
    gpu_says("list", "0000:00:02.0\n" A "\n");
    gpu_says("0000:00:02.0.domains", "package");
    gpu_says("0000:00:02.0.package", "77");
    probe(3);
    UNIT_STR(s[0].name, "level_zero:integrated-0", "it has no number");
    UNIT_INT(s[0].inside, true, "within");
    UNIT_INT(s[0].package, 0, "its package");
    UNIT_OK(gpu_becomes(0, 0, 77), "but shown");
    UNIT_STR(s[1].name, "level_zero:gpu-0", "cards are numbered without it");
    gpu_machine_close();
}

static void test_asleep(void)
{
    long calls;
    set_up();
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "awake");
    fixture_write(machine.root, "sys/bus/pci/devices/" A "/power/runtime_status", "suspended\n");
    fixture_write(machine.root, "sys/bus/pci/devices/" B "/power/runtime_status", "suspended\n");
    gpu_pause_ms(300);
    calls = gpu_calls("calls");
    gpu_pause_ms(700);
    UNIT_INT(gpu_calls("calls"), calls, "nobody calls");
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "it stands where it was");
    gpu_machine_close();
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"energy", test_energy},
                                             {"domains", test_domains},
                                             {"counter", test_counter},
                                             {"failures", test_failures},
                                             {"lost", test_lost},
                                             {"hang", test_hang},
                                             {"init", test_init},
                                             {"hwmon", test_hwmon},
                                             {"integrated", test_integrated},
                                             {"asleep", test_asleep},
                                             {NULL, NULL}};
    return unit_main(argc, argv, cases, "level_zero");
}
