/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GPUs by NVML: our code on a library with the driver's ABI that fails, hangs, loses a GPU and
 * begins anew (fake_nvml.c). The reader's thread asks once a second, so these cases wait for it.
 */
#include "config.h"

#include "gpu_fixture.h"
#include "power/source_nvml.h"

#define A "0000:3b:00.0"
#define B "0000:af:00.0"

static struct source *const s = machine.s;

static void probe(int want)
{
    machine.n = source_nvml_probe(machine.root, machine.s, GPU_SOURCES_MAX, NULL);
    UNIT_INT(machine.n, want, "GPUs");
}

/* A machine with two GPUs and the library. */
static void set_up(void)
{
    gpu_machine_init("FAKE_NVML");
    fixture_write(machine.root, "proc/driver/nvidia/gpus/" A "/information", "Model: fake\n");
    fixture_write(machine.root, "proc/driver/nvidia/gpus/" B "/information",
                  "Model: \t\t fake\nDevice Minor: \t 5\nGPU Excluded:\t No\n");
    fixture_write(machine.root, "sys/bus/pci/devices/" A "/power/runtime_status", "active\n");
    source_nvml_library = FAKE_NVML_FILE;
    gpu_says(A ".energy", "1000000");
    gpu_says(B ".energy", "2000000");
    probe(2);
}

static void test_energy(void)
{
    set_up();
    UNIT_STR(s[0].name, "nvml:gpu-0", "name");
    UNIT_STR(s[1].path, B, "by address");
    UNIT_STR(s[1].name, "nvml:gpu-5", "named by its device number");
    UNIT_INT(s[1].coverage.domains, 32, "a GPU of its own");
    source_update(&s[0], gpu_now_ms());
    UNIT_OK(s[0].error == EAGAIN || s[0].error == 0, "the first reading does not wait");
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "millijoules");
    gpu_says(A ".energy", "1300000");
    UNIT_OK(gpu_becomes(0, 0, 1300000000), "goes on");
    UNIT_INT(s[0].interval_uj, 300000000, "300 J");
    gpu_says(A ".energy", "5000");
    UNIT_OK(gpu_becomes(0, 0, 5000000), "the driver was loaded anew");
    UNIT_INT(s[0].interval_uj, 300000000, "no energy from that");
    UNIT_INT(s[0].counter.count[COUNTER_RESET], 1, "a reset");
    gpu_machine_close();
}

/* A GPU that MIG divides is several to Slurm, and so are the numbers of those behind it. */
static void test_mig(void)
{
#define MIG "proc/driver/nvidia/capabilities/gpu0/mig/"
    set_up();
    gpu_machine_close();
    fixture_write(machine.root, "proc/driver/nvidia/capabilities/gpu5/mig/config", "x\n");
    probe(2);
    UNIT_INT(s[0].coverage.domains, 1, "MIG is on nowhere");
    UNIT_INT(s[1].coverage.domains, 32, "the driver's number");
    gpu_machine_close();
    fixture_write(machine.root, MIG "gi1/access", "DeviceFileMinor: 30\n");
    fixture_write(machine.root, MIG "gi1/ci0/access", "DeviceFileMinor: 31\n");
    fixture_write(machine.root, MIG "gi1/ci1/access", "DeviceFileMinor: 32\n");
    fixture_write(machine.root, MIG "gi2/ci0/access", "DeviceFileMinor: 40\n");
    probe(2);
    UNIT_STR(s[0].name, "nvml:gpu-0", "one source: one meter");
    UNIT_INT(s[0].coverage.domains, 7, "three of Slurm's GPUs");
    UNIT_STR(s[1].name, "nvml:gpu-5", "not divided");
    UNIT_INT(s[1].coverage.domains, 8, "Slurm's fourth");
    gpu_machine_close();
    for (int i = 0; i < 80; i++) {
        char file[128];

        (void)snprintf(file, sizeof(file), MIG "gi3/ci%d/access", i);
        fixture_write(machine.root, file, "x\n");
    }
    probe(2);
    UNIT_INT(s[0].coverage.domains == UINT64_MAX, 1, "as many as there are bits");
    gpu_machine_close();
}

/* Pascal and before: power alone. */
static void test_power(void)
{
    set_up();
    gpu_says(B ".power", "100000");
    gpu_says(B ".energy", "error 3");
    int64_t began = gpu_now_ms();
    while (gpu_now_ms() - began < 3500 || !s[1].interval_uj) {
        source_update(&s[1], gpu_now_ms());
        if (gpu_now_ms() - began > 15000)
            break;
    }
    /* its first seconds may still have been those of the counter */
    UNIT_OK(s[1].interval_uj >= 90000000 && s[1].interval_uj <= 1500000000,
            "about 100 J a second: %llu uJ", (unsigned long long)s[1].interval_uj);
    gpu_machine_close();
}

static void test_failures(void)
{
    set_up();
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "there");
    gpu_says(A ".energy", "error 15");
    UNIT_OK(gpu_becomes(0, ENODEV, 0), "a GPU is lost");
    UNIT_INT(s[0].state, SOURCE_MISSING, "missing");
    UNIT_INT(s[1].error, 0, "the other one is not");
    gpu_says(A ".energy", "error 4");
    UNIT_OK(gpu_becomes(0, EACCES, 0), "no right");
    gpu_says(A ".energy", "error 999");
    UNIT_OK(gpu_becomes(0, EIO, 0), "something");
    gpu_says(A ".energy", "1200000");
    UNIT_OK(gpu_becomes(0, 0, 1200000000), "back");
    gpu_machine_close();
}

static void test_hang(void)
{
    set_up();
    gpu_hangs(A ".energy", 1000000000);
}

/* The library is there and the driver is not, or the library is not. */
static void test_none(void)
{
    set_up();
    gpu_machine_close();
    gpu_says("init", "error 9");
    probe(2);
    UNIT_OK(gpu_becomes(0, ENXIO, 0), "no driver");
    gpu_machine_close();
    source_nvml_library = "libnvidia-none.so.1";
    probe(2);
    UNIT_OK(gpu_becomes(1, ELIBACC, 0), "no library");
    gpu_machine_close();
    UNIT_INT(source_nvml_probe("/nonexistent", s, 4, NULL), 0, "a machine without");
    UNIT_INT(source_nvml_probe(machine.root, s, 1, NULL), 1, "no more than there is room for");
    source_close(&s[0]);
}

/* A GPU that sleeps is not woken. */
static void test_asleep(void)
{
    long calls;
    set_up();
    UNIT_OK(gpu_becomes(0, 0, 1000000000), "awake");
    fixture_write(machine.root, "sys/bus/pci/devices/" A "/power/runtime_status", "suspended\n");
    fixture_remove(machine.root, "proc/driver/nvidia/gpus/" B);
    gpu_machine_close();
    probe(1);
    gpu_pause_ms(500); /* what the reader before was about to call */
    calls = gpu_calls("calls");
    gpu_pause_ms(2500);
    UNIT_INT(gpu_calls("calls"), calls, "asleep: nobody calls");
    fixture_write(machine.root, "sys/bus/pci/devices/" A "/power/runtime_status", "active\n");
    for (int64_t until = gpu_now_ms() + 5000; gpu_calls("calls") == calls && gpu_now_ms() < until;)
        gpu_pause_ms(50);
    UNIT_OK(gpu_calls("calls") > calls, "awake: somebody does");
    gpu_machine_close();
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"mig", test_mig},       {"energy", test_energy},
                                             {"power", test_power},   {"failures", test_failures},
                                             {"hang", test_hang},     {"none", test_none},
                                             {"asleep", test_asleep}, {NULL, NULL}};
    return unit_main(argc, argv, cases, "nvml");
}
