/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GPUs of AMD: our code on libraries with the ABI of ROCm SMI and AMD SMI that fail, hang, lose a
 * GPU, stand still, wrap and begin anew (fake_rocm_smi.c, fake_amd_smi.c). They are asked every 100
 * ms here.
 */
#include "config.h"

#include "gpu_fixture.h"
#include "power/amd_library.h"
#include "power/meter.h"
#include "power/source_rocm_smi.h"

#define A "0000:c1:00.0"
#define B "0000:c6:00.0"
#define C "0000:c9:00.0"
#define D "0001:0e:00.0"
#define MI210 "0x740f\n"
#define MI250X "0x7408\n"
#define MI300X "0x74a1\n"
#define MI300A "0x74a0\n"
#define COUNTS_PER_J 65536

static struct source *const s = machine.s;
static const char *const none[] = {"libnone.so.1", NULL};
static const char *const rocm_smi[] = {"libnone.so.7", FAKE_ROCM_SMI_FILE, NULL};
static const char *const amd_smi[] = {FAKE_AMD_SMI_FILE, NULL};

static void probe(int want)
{
    machine.n = source_rocm_smi_probe(machine.root, machine.s, GPU_SOURCES_MAX, NULL);
    UNIT_INT(machine.n, want, "GPUs");
}

static void set_up_machine(void)
{
    gpu_machine_init("FAKE_AMD");
    gpu_library_period_ms = 100;
    amd_library_rsmi = rocm_smi;
    amd_library_amdsmi = amd_smi;
}

/* Two cards, which the library has in another order than their addresses. */
static void set_up(void)
{
    set_up_machine();
    gpu_machine_add("amdgpu", A, MI210);
    gpu_machine_add("amdgpu", B, MI210);
    fixture_write(machine.root, "sys/bus/pci/drivers/amdgpu/new_id", "");
    gpu_says("list", B "\n" A "\n");
    gpu_says_u64(A ".count", 1000 * COUNTS_PER_J);
    gpu_says_u64(B ".count", 2000 * COUNTS_PER_J);
    probe(2);
}

static void test_energy(void)
{
    set_up();
    UNIT_STR(s[0].name, "rocm:gpu-0", "name");
    UNIT_STR(s[1].path, B, "by address");
    UNIT_INT(s[1].coverage.domains, 2, "a GPU of its own");
    gpu_machine_read();
    UNIT_OK(s[0].error == EAGAIN || s[0].error == 0, "the first reading does not wait");
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "counts of 2^-16 J, not of 15.3 uJ");
    UNIT_OK(gpu_becomes(1, 0, 2000000000), "the other one, by its address");
    gpu_says_u64(A ".count", 1300 * COUNTS_PER_J + 1);
    UNIT_OK(gpu_becomes(0, 0, 1300000015), "goes on");
    UNIT_INT(s[0].interval_uj, 300000015, "300 J");
    gpu_says_u64(A ".count", 5 * COUNTS_PER_J);
    UNIT_OK(gpu_becomes(0, 0, 5000000), "the driver was loaded anew");
    UNIT_INT(s[0].interval_uj, 300000015, "no energy from that");
    UNIT_INT(s[0].counter.count[COUNTER_RESET], 1, "a reset");
    UNIT_INT(gpu_calls("amdsmi-inits"), 0, "the other library is not opened as well");
    gpu_machine_close();
}

/* Counters that do not say what they should. */
static void test_counter(void)
{
    set_up();
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "there");
    gpu_says_u64(A ".count", UINT64_C(4294967295));
    UNIT_OK(gpu_becomes(0, 0, 65535999984), "at the end of 32 bits");
    s[0].interval_uj = 0;
    gpu_says_u64(A ".count", 20 * COUNTS_PER_J);
    UNIT_OK(gpu_becomes(0, 0, 20000000), "it has wrapped");
    UNIT_INT(s[0].interval_uj, 0, "a wrap of unknown width is not guessed");
    gpu_says_u64(A ".count", UINT64_C(1) << 60);
    UNIT_OK(gpu_becomes(0, ERANGE, 0), "more than a GPU can have used");
    gpu_says("resolution", "0");
    gpu_says_u64(A ".count", 30 * COUNTS_PER_J);
    UNIT_OK(gpu_becomes(0, ERANGE, 0), "counts are worth nothing");
    gpu_says("resolution", "250000");
    gpu_says_u64(A ".count", 1000);
    UNIT_OK(gpu_becomes(0, 0, 250000), "another resolution");
    gpu_machine_close();
}

/* About so many watts over the next second. */
static void draws(int i, uint64_t watts)
{
    uint64_t before, uj;
    int64_t began;
    gpu_machine_read();
    before = s[i].counter.total_uj;
    began = gpu_now_ms();
    while (gpu_now_ms() - began < 1500) {
        gpu_machine_read();
        gpu_pause_ms(20);
    }
    uj = s[i].counter.total_uj - before;
    UNIT_OK(uj >= watts * 1000000 && uj <= watts * 3000000, "%d: %llu uJ in 1.5 s of %llu W", i,
            (unsigned long long)uj, (unsigned long long)watts);
}

/* Power alone, in microwatts: MI100 and before, and where the kernel has no counter. */
static void test_power(void)
{
    set_up_machine();
    gpu_machine_add("amdgpu", A, MI210);
    gpu_machine_add("amdgpu", B, MI210);
    gpu_machine_add("amdgpu", C, MI210);
    gpu_says("list", A "\n" B "\n" C "\n");
    gpu_says(A ".average", "100000000");
    gpu_says_u64(B ".count", UINT64_MAX);
    gpu_says(B ".average", "100000000");
    gpu_says(B ".power", "300000000");
    gpu_says_u64(C ".count", 0);
    gpu_says(C ".power", "0");
    probe(3);
    UNIT_OK(gpu_becomes(2, ENODATA, 0), "0 W is what nothing says, never 0 J");
    UNIT_INT(s[2].state, SOURCE_MISSING, "missing");
    draws(0, 100);
    draws(1, 300); /* what it draws now is better than an average */
    gpu_says(A ".average", "error 2");
    UNIT_OK(gpu_becomes(0, ENOTSUP, 0), "neither");
    gpu_machine_close();
}

/* A counter that stands still while the GPU works. */
static void test_frozen(void)
{
    set_up();
    gpu_says(A ".power", "200000000");
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "there");
    gpu_pause_ms(1500);
    draws(0, 200);
    UNIT_INT(s[0].counter.count[COUNTER_RESET], 0, "goes on from where it stood");
    UNIT_OK(gpu_becomes(1, ENODATA, 0), "without power there is no value, never 0 J");
    gpu_machine_close();
}

/* MI250X: two dies a card, of which the first has the energy of both. */
static void test_dies(void)
{
    struct meter m;
    struct meter_interval sum;
    set_up_machine();
    gpu_machine_add("amdgpu", A, MI250X);
    gpu_machine_add("amdgpu", B, MI250X);
    gpu_machine_add("amdgpu", C, MI250X);
    gpu_machine_add("amdgpu", D, MI250X);
    gpu_says("list", A "\n" B "\n" C "\n" D "\n");
    gpu_says_u64(A ".count", 1000 * COUNTS_PER_J);
    gpu_says_u64(B ".count", 0);
    gpu_says_u64(C ".count", 3000 * COUNTS_PER_J);
    gpu_says_u64(D ".count", 0);
    fixture_write(machine.root, "sys/cray/pm_counters/accel0_energy", "500 J 1 us\n");
    fixture_write(machine.root, "sys/cray/pm_counters/accel1_energy", "600 J 1 us\n");
    UNIT_INT(meter_open(&m, machine.root, NULL), 0, "meter");
    UNIT_INT(m.n, 7, "four dies, two of Cray's, the model");
    UNIT_INT(m.sources[0].coverage.domains, 3, "the first die has both");
    UNIT_INT(m.sources[1].inside, true, "the second has none of its own");
    UNIT_STR(m.sources[2].name, "rocm:gpu-2", "dies are what Slurm calls GPUs");
    UNIT_INT(m.sources[2].coverage.domains, 12, "the second card's");
    UNIT_STR(m.sources[5].name, "cray:accel-1", "Cray counts cards");
    UNIT_INT(m.sources[5].coverage.domains, 12, "so its second covers the same");
    for (int64_t until = gpu_now_ms() + 5000; !m.sources[0].counter.primed && gpu_now_ms() < until;
         gpu_pause_ms(20))
        meter_read(&m, gpu_now_ms(), false);
    UNIT_INT(m.sources[1].raw_uj, 0, "what is inside is not read");
    gpu_says_u64(A ".count", 1301 * COUNTS_PER_J);
    gpu_says(C ".count", "error 4");
    fixture_write(machine.root, "sys/cray/pm_counters/accel0_energy", "801 J 2 us\n");
    fixture_write(machine.root, "sys/cray/pm_counters/accel1_energy", "700 J 2 us\n");
    gpu_pause_ms(500);
    meter_read(&m, gpu_now_ms(), false);
    meter_sum(&m, 0, &sum);
    UNIT_INT(sum.sum.uj, 401000000, "301 J of the first card, 100 J of the second by Cray");
    UNIT_INT(sum.gpu_uj[0], 150500000, "half of the card's");
    UNIT_INT(sum.gpu_uj[1], 150500000, "is each die's");
    UNIT_INT(sum.gpu_uj[3], 50000000, "also when Cray stands in");
    meter_close(&m);
}

/* An APU is a part of its package, an MI300A has CPUs, an MI300X may be cut in eight. */
static void test_kinds(void)
{
    set_up_machine();
    gpu_machine_add("amdgpu", D, MI300X);
    fixture_write(machine.root, "sys/bus/pci/devices/" D "/current_compute_partition", "CPX\n");
    gpu_machine_add("amdgpu", A, "0x15bf\n");
    fixture_write(machine.root, "sys/bus/pci/devices/" A "/hwmon/hwmon3/in1_label", "vddnb\n");
    gpu_machine_add("amdgpu", B, MI300A);
    fixture_write(machine.root, "sys/bus/pci/devices/" B "/numa_node", "2\n");
    gpu_machine_add("amdgpu", "0000:1b:00.0", MI210);
    gpu_says("list", "0000:1b:00.0\n" A "\n" B "\n" D " 1\n" D " 0\n");
    gpu_says_u64(D ".count", COUNTS_PER_J);
    probe(4);
    UNIT_STR(s[0].path, "0000:1b:00.0", "in the order of numbers, not of letters");
    UNIT_STR(s[1].name, "rocm:integrated-1", "an APU");
    UNIT_INT(s[1].inside, true, "within");
    UNIT_INT(s[1].package, 0, "its package");
    UNIT_STR(s[2].name, "rocm:gpu-1", "an APU has no number");
    UNIT_INT(s[2].coverage.components, COMPONENT_CPU | COMPONENT_GPU, "a socket");
    UNIT_INT(s[2].coverage.domains, 4, "that of its NUMA node");
    UNIT_INT(s[3].coverage.domains, 0xff << 2, "eight GPUs");
    UNIT_OK(gpu_becomes(3, 0, 1000000), "with one counter");
    gpu_machine_close();
}

static void test_failures(void)
{
    static const struct {
        const char *says;
        int error;
    } cases[] = {{"error 4", EACCES}, {"error 16", EBUSY}, {"error 99", EIO}};
    set_up();
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "there");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        gpu_says(A ".count", cases[i].says);
        UNIT_OK(gpu_becomes(0, cases[i].error, 0), "%s", cases[i].says);
        UNIT_INT(s[0].state, SOURCE_MISSING, "missing");
        UNIT_INT(s[1].error, 0, "the other one is not");
    }
    gpu_says_u64(A ".count", 1200 * COUNTS_PER_J);
    UNIT_OK(gpu_becomes(0, 0, 1200000000), "back");
    gpu_machine_close();
}

/* A GPU goes, the others get new numbers with the library, and it comes back. */
static void test_lost(void)
{
    set_up();
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "there");
    gpu_says("list", A "\n");
    UNIT_OK(gpu_becomes(1, ENODEV, 0), "a GPU is lost");
    UNIT_INT(s[0].error, 0, "the other one is not");
    gpu_says_u64(A ".count", 1100 * COUNTS_PER_J);
    UNIT_OK(gpu_becomes(0, 0, 1100000000), "and goes on, whatever its number is now");
    gpu_pause_ms(3500);
    UNIT_OK(gpu_calls("inits") <= 4, "it is looked for, but not all the time: %ld",
            gpu_calls("inits"));
    gpu_says("list", A "\n" B "\n");
    gpu_says_u64(B ".count", 2100 * COUNTS_PER_J);
    UNIT_OK(gpu_becomes(1, 0, 2100000000), "back");
    UNIT_INT(s[1].interval_uj, 100000000, "with the energy meanwhile");
    gpu_says_u64(A ".count", 1101 * COUNTS_PER_J);
    UNIT_OK(gpu_becomes(0, 0, 1101000000), "the right one");
    gpu_machine_close();
}

static void test_hang(void)
{
    set_up();
    gpu_hangs(A ".count", 1000000000);
}

/* No driver, no library, the other library, no GPU. */
static void test_none(void)
{
    set_up_machine();
    gpu_says("init", "error 8");
    set_up();
    UNIT_OK(gpu_becomes(0, ENXIO, 0), "no driver");
    gpu_says("init", "0");
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "it is tried again");
    gpu_machine_close();
    amd_library_rsmi = none;
    probe(2);
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "the other library");
    UNIT_OK(gpu_calls("amdsmi-inits") > 0, "is used");
    gpu_says(B ".count", "error 10");
    UNIT_OK(gpu_becomes(1, EACCES, 0), "with its own errors");
    gpu_machine_close();
    amd_library_amdsmi = none;
    probe(2);
    UNIT_OK(gpu_becomes(1, ELIBACC, 0), "no library");
    gpu_machine_close();
    UNIT_INT(source_rocm_smi_probe("/nonexistent", s, 4, NULL), 0, "a machine without");
    UNIT_INT(source_rocm_smi_probe(machine.root, s, 1, NULL), 1, "no more than there is room for");
    source_close(&s[0]);
    UNIT_INT(source_rocm_smi_probe(machine.root, s, 0, NULL), 0, "none");
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
    gpu_says_u64(A ".count", 1001 * COUNTS_PER_J);
    gpu_pause_ms(700);
    UNIT_INT(gpu_calls("calls"), calls, "nobody calls");
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "it stands where it was");
    fixture_write(machine.root, "sys/bus/pci/devices/" A "/power/runtime_status", "active\n");
    UNIT_OK(gpu_becomes(0, 0, 1001000000), "awake");
    gpu_machine_close();
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"energy", test_energy},     {"counter", test_counter}, {"power", test_power},
        {"frozen", test_frozen},     {"dies", test_dies},       {"kinds", test_kinds},
        {"failures", test_failures}, {"lost", test_lost},       {"hang", test_hang},
        {"none", test_none},         {"asleep", test_asleep},   {NULL, NULL}};
    return unit_main(argc, argv, cases, "rocm_smi");
}
