/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GPUs by NVML: our code on a library with the driver's ABI that fails, hangs, loses a GPU and
 * begins anew (fake_nvml.c). The reader's thread asks once a second, so these cases wait for it.
 */
#include "config.h"

#include <errno.h>
#include <time.h>

#include "node_fixture.h"
#include "power/meter.h"
#include "power/source_nvml.h"

#define A "0000:3b:00.0"
#define B "0000:af:00.0"

static char root[PATH_MAX], gpus[PATH_MAX + 8];
static struct source s[4];

static void gpu(const char *file, const char *text)
{
    /* whole or not at all: the library reads it at any moment */
    char from[PATH_MAX + 32], to[PATH_MAX + 64];
    fixture_write(gpus, "new", text);
    (void)snprintf(from, sizeof(from), "%s/new", gpus);
    (void)snprintf(to, sizeof(to), "%s/%s", gpus, file);
    UNIT_INT(rename(from, to), 0, "%s", to);
}

/* A machine with two GPUs and the library. */
static void set_up(void)
{
    (void)snprintf(root, sizeof(root), "%s/machine", unit_tmpdir());
    (void)snprintf(gpus, sizeof(gpus), "%s/gpus", root);
    fixture_write(root, "proc/driver/nvidia/gpus/" A "/information", "Model: fake\n");
    fixture_write(root, "proc/driver/nvidia/gpus/" B "/information",
                  "Model: \t\t fake\nDevice Minor: \t 5\nGPU Excluded:\t No\n");
    fixture_write(root, "sys/bus/pci/devices/" A "/power/runtime_status", "active\n");
    (void)path_mkdirs(gpus, 0755, NULL);
    (void)setenv("FAKE_NVML", gpus, 1);
    source_nvml_library = FAKE_NVML_FILE;
    gpu(A ".energy", "1000000");
    gpu(B ".energy", "2000000");
    UNIT_INT(source_nvml_probe(root, s, 4, NULL), 2, "two GPUs");
}

static void tear_down(void)
{
    source_close(&s[0]);
    source_close(&s[1]);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Ticks until source i has this error and, if it has none, this value. 1, or 0 after ten seconds.
 */
static int becomes(int i, int error, uint64_t uj)
{
    struct timespec pause = {0, 20000000};
    for (int64_t until = now_ms() + 10000; now_ms() < until; nanosleep(&pause, NULL)) {
        source_update(&s[0], now_ms());
        source_update(&s[1], now_ms());
        if (s[i].error == error && (error || s[i].raw_uj == uj))
            return 1;
    }
    printf("# error %d, %llu uJ\n", s[i].error, (unsigned long long)s[i].raw_uj);
    return 0;
}

static void test_energy(void)
{
    set_up();
    UNIT_STR(s[0].name, "nvml:gpu-0", "name");
    UNIT_STR(s[1].path, B, "by address");
    UNIT_STR(s[1].name, "nvml:gpu-5", "named by its device number");
    UNIT_INT(s[1].coverage.domains, 32, "a GPU of its own");
    source_update(&s[0], now_ms());
    UNIT_OK(s[0].error == EAGAIN || s[0].error == 0, "the first reading does not wait");
    UNIT_OK(becomes(0, 0, 1000000000), "millijoules");
    gpu(A ".energy", "1300000");
    UNIT_OK(becomes(0, 0, 1300000000), "goes on");
    UNIT_INT(s[0].interval_uj, 300000000, "300 J");
    gpu(A ".energy", "5000");
    UNIT_OK(becomes(0, 0, 5000000), "the driver was loaded anew");
    UNIT_INT(s[0].interval_uj, 300000000, "no energy from that");
    UNIT_INT(s[0].counter.count[COUNTER_RESET], 1, "a reset");
    tear_down();
}

/* Pascal and before: power alone. */
static void test_power(void)
{
    set_up();
    gpu(B ".power", "100000");
    gpu(B ".energy", "error 3");
    int64_t began = now_ms();
    while (now_ms() - began < 3500 || !s[1].interval_uj) {
        source_update(&s[1], now_ms());
        if (now_ms() - began > 15000)
            break;
    }
    /* its first seconds may still have been those of the counter */
    UNIT_OK(s[1].interval_uj >= 90000000 && s[1].interval_uj <= 1500000000,
            "about 100 J a second: %llu uJ", (unsigned long long)s[1].interval_uj);
    tear_down();
}

static void test_failures(void)
{
    set_up();
    UNIT_OK(becomes(0, 0, 1000000000), "there");
    gpu(A ".energy", "error 15");
    UNIT_OK(becomes(0, ENODEV, 0), "a GPU is lost");
    UNIT_INT(s[0].state, SOURCE_MISSING, "missing");
    UNIT_INT(s[1].error, 0, "the other one is not");
    gpu(A ".energy", "error 4");
    UNIT_OK(becomes(0, EACCES, 0), "no right");
    gpu(A ".energy", "error 999");
    UNIT_OK(becomes(0, EIO, 0), "something");
    gpu(A ".energy", "1200000");
    UNIT_OK(becomes(0, 0, 1200000000), "back");
    tear_down();
}

/* A call that does not return: the tick goes on, the GPU is stale, and closing does not wait. */
static void test_hang(void)
{
    set_up();
    UNIT_OK(becomes(0, 0, 1000000000), "there");
    gpu(A ".energy", "hang");
    UNIT_OK(becomes(0, ETIMEDOUT, 0), "no answer");
    UNIT_INT(s[0].state, SOURCE_STALE, "stale");
    UNIT_STR(source_error_text(&s[0]), "it does not answer", "in words");
    int64_t began = now_ms();
    for (int i = 0; i < 1000; i++)
        source_update(&s[0], now_ms());
    tear_down();
    UNIT_OK(now_ms() - began < 2000, "nothing waits");
}

/* The library is there and the driver is not, or the library is not. */
static void test_none(void)
{
    set_up();
    tear_down();
    gpu("init", "error 9");
    UNIT_INT(source_nvml_probe(root, s, 4, NULL), 2, "the driver has said so");
    UNIT_OK(becomes(0, ENXIO, 0), "no driver");
    tear_down();
    source_nvml_library = "libnvidia-none.so.1";
    UNIT_INT(source_nvml_probe(root, s, 4, NULL), 2, "two");
    UNIT_OK(becomes(1, ENOENT, 0), "no library");
    tear_down();
    UNIT_INT(source_nvml_probe("/nonexistent", s, 4, NULL), 0, "a machine without");
    UNIT_INT(source_nvml_probe(root, s, 1, NULL), 1, "no more than there is room for");
    source_close(&s[0]);
}

/* A GPU that sleeps is not woken. */
static void test_asleep(void)
{
    struct timespec pause = {2, 500000000};
    char path[PATH_MAX + 16];
    set_up();
    UNIT_OK(becomes(0, 0, 1000000000), "awake");
    fixture_write(root, "sys/bus/pci/devices/" A "/power/runtime_status", "suspended\n");
    fixture_remove(root, "proc/driver/nvidia/gpus/" B);
    tear_down();
    UNIT_INT(source_nvml_probe(root, s, 4, NULL), 1, "one GPU");
    (void)snprintf(path, sizeof(path), "%s/calls", gpus);
    (void)unlink(path);
    nanosleep(&pause, NULL);
    UNIT_OK(access(path, F_OK) < 0, "asleep: nobody calls");
    fixture_write(root, "sys/bus/pci/devices/" A "/power/runtime_status", "active\n");
    for (int64_t until = now_ms() + 5000; access(path, F_OK) < 0 && now_ms() < until;)
        nanosleep(&(struct timespec){0, 50000000}, NULL);
    UNIT_OK(access(path, F_OK) == 0, "awake: somebody does");
    source_close(&s[0]);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"energy", test_energy},
                                             {"power", test_power},
                                             {"failures", test_failures},
                                             {"hang", test_hang},
                                             {"none", test_none},
                                             {"asleep", test_asleep},
                                             {NULL, NULL}};
    return unit_main(argc, argv, cases, "nvml");
}
