/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine whose limits can be written: two CPU packages of 200 W (the first one's constraints
 * in the other order, and with DRAM, a twin and psys that are nobody's business), and two GPUs of
 * 300 W with the fake library.
 */
#ifndef CARNOT_TESTS_POWERCAP_FIXTURE_H
#define CARNOT_TESTS_POWERCAP_FIXTURE_H

#include "gpu_fixture.h"

#define GPU_A "0000:3b:00.0"
#define GPU_B "0000:af:00.0"
#define ZONE_DIR "sys/class/powercap/"
#define LIMIT_0 ZONE_DIR "intel-rapl:0/constraint_1_power_limit_uw"
#define LIMIT_1 ZONE_DIR "intel-rapl:1/constraint_0_power_limit_uw"
#define BOOT "3e1c0a52-0000-4000-8000-000000000001"

static inline void powercap_zone(const char *zone, const char *name, int constraint, uint64_t now)
{
    static const char *const names[] = {"long_term", "short_term"};
    char file[256], text[64];

    (void)snprintf(file, sizeof(file), ZONE_DIR "%s/name", zone);
    (void)snprintf(text, sizeof(text), "%s\n", name);
    fixture_write(machine.root, file, text);
    for (int i = 0; i < 2; i++) {
        int k = i == 0 ? constraint : 1 - constraint;

        (void)snprintf(file, sizeof(file), ZONE_DIR "%s/constraint_%d_name", zone, k);
        (void)snprintf(text, sizeof(text), "%s\n", names[i]);
        fixture_write(machine.root, file, text);
        (void)snprintf(file, sizeof(file), ZONE_DIR "%s/constraint_%d_power_limit_uw", zone, k);
        fixture_write_u64(machine.root, file, now + (uint64_t)i * 50000000);
        (void)snprintf(file, sizeof(file), ZONE_DIR "%s/constraint_%d_max_power_uw", zone, k);
        fixture_write_u64(machine.root, file, now + (uint64_t)i * 50000000);
    }
}

static inline void powercap_gpu(const char *pci)
{
    char file[64], says[48];

    (void)snprintf(file, sizeof(file), "proc/driver/nvidia/gpus/%s/information", pci);
    fixture_write(machine.root, file, "Model: fake\n");
    (void)snprintf(says, sizeof(says), "%s.energy", pci);
    gpu_says(says, "1");
    (void)snprintf(says, sizeof(says), "%s.limit_min", pci);
    gpu_says(says, "100000");
    (void)snprintf(says, sizeof(says), "%s.limit_max", pci);
    gpu_says(says, "300000");
    (void)snprintf(says, sizeof(says), "%s.limit", pci);
    gpu_says(says, "000300000\n");
}

static inline void powercap_machine(int gpus)
{
    gpu_machine_init("FAKE_NVML");
    fixture_write(machine.root, "proc/sys/kernel/random/boot_id", BOOT "\n");
    fixture_write(machine.root, "proc/1/comm", "systemd\n");
    powercap_zone("intel-rapl:0", "package-0", 1, 200000000);
    powercap_zone("intel-rapl:1", "package-1", 0, 200000000);
    powercap_zone("intel-rapl:0:0", "dram", 0, 40000000);
    powercap_zone("intel-rapl:2", "psys", 0, 500000000);
    powercap_zone("intel-rapl-mmio:0", "package-0", 0, 200000000);
    if (gpus > 0)
        powercap_gpu(GPU_A);
    if (gpus > 1)
        powercap_gpu(GPU_B);
}

/* The number in a file of the machine, -1 when there is none. */
static inline long long powercap_read(const char *file)
{
    char path[PATH_MAX + 256];
    long long value = -1;
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", machine.root, file);
    f = fopen(path, "r");
    if (f) {
        if (fscanf(f, "%lld", &value) != 1)
            value = -1;
        (void)fclose(f);
    }
    return value;
}

/* All limits, as "200 200 300 300" (W; the GPUs' -1 without them). */
static inline const char *powercap_limits(void)
{
    static char text[96];
    long long a = powercap_read("gpus/" GPU_A ".limit"), b = powercap_read("gpus/" GPU_B ".limit");

    (void)snprintf(text, sizeof(text), "%lld %lld %lld %lld", powercap_read(LIMIT_0) / 1000000,
                   powercap_read(LIMIT_1) / 1000000, a < 0 ? a : a / 1000, b < 0 ? b : b / 1000);
    return text;
}

#endif
