/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine with GPUs below a sysroot, a directory of files that say what a vendor's library
 * (fake_*.c) answers, and the sources that were probed. The library is read in a thread, so cases
 * wait until a source has become what they expect.
 */
#ifndef CARNOT_TESTS_GPU_FIXTURE_H
#define CARNOT_TESTS_GPU_FIXTURE_H

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "node_fixture.h"
#include "power/gpu_library.h"
#include "power/source.h"

#define GPU_SOURCES_MAX 8

struct gpu_machine {
    char root[PATH_MAX], gpus[PATH_MAX + 8];
    struct source s[GPU_SOURCES_MAX];
    int n;
};

static struct gpu_machine machine;

static inline int64_t gpu_now_ms(void)
{
    return clock_mono_ms(&clock_system);
}

static inline void gpu_pause_ms(int64_t ms)
{
    (void)nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* An empty machine; env names the library's directory to it. */
static inline void gpu_machine_init(const char *env)
{
    (void)snprintf(machine.root, sizeof(machine.root), "%s/machine", unit_tmpdir());
    (void)snprintf(machine.gpus, sizeof(machine.gpus), "%s/gpus", machine.root);
    (void)path_mkdirs(machine.gpus, 0755, NULL);
    (void)setenv(env, machine.gpus, 1);
}

/* What the library says from now on; whole or not at all, since it reads at any moment. */
static inline void gpu_says(const char *file, const char *text)
{
    char from[PATH_MAX + 32], to[PATH_MAX + 64];

    fixture_write(machine.gpus, "new", text);
    (void)snprintf(from, sizeof(from), "%s/new", machine.gpus);
    (void)snprintf(to, sizeof(to), "%s/%s", machine.gpus, file);
    UNIT_INT(rename(from, to), 0, "%s", to);
}

static inline void gpu_says_u64(const char *file, uint64_t value)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    gpu_says(file, text);
}

/* How often the library was called for this (it appends to the file). */
static inline long gpu_calls(const char *file)
{
    char path[PATH_MAX + 64];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/%s", machine.gpus, file);
    return stat(path, &st) == 0 ? (long)st.st_size : 0;
}

/* A device of the kernel's driver, with a PCI device id. */
static inline void gpu_machine_add(const char *driver, const char *pci, const char *id)
{
    char file[256];

    (void)snprintf(file, sizeof(file), "sys/bus/pci/drivers/%s/%s/driver", driver, pci);
    fixture_write(machine.root, file, "");
    (void)snprintf(file, sizeof(file), "sys/bus/pci/devices/%s/device", pci);
    fixture_write(machine.root, file, id);
}

static inline void gpu_machine_close(void)
{
    for (int i = 0; i < machine.n; i++)
        source_close(&machine.s[i]);
    machine.n = 0;
}

static inline void gpu_machine_read(void)
{
    for (int i = 0; i < machine.n; i++)
        source_update(&machine.s[i], gpu_now_ms());
}

/* Ticks until source i has this error and, if it has none, this value. 1, or 0 after 15 seconds. */
static inline int gpu_becomes(int i, int error, uint64_t uj)
{
    const struct source *s = &machine.s[i];

    for (int64_t until = gpu_now_ms() + 15000; gpu_now_ms() < until; gpu_pause_ms(20)) {
        gpu_machine_read();
        if (s->error == error && (error || s->raw_uj == uj))
            return 1;
    }
    printf("# error %d, %llu uJ\n", s->error, (unsigned long long)s->raw_uj);
    return 0;
}

/* GPU 0, which has said uj, hangs in the call that answers with this file: the tick goes on, the
 * GPU is stale, and closing does not wait. */
static inline void gpu_hangs(const char *file, uint64_t uj)
{
    int64_t began;

    UNIT_OK(gpu_becomes(0, 0, uj), "there");
    gpu_says(file, "hang");
    UNIT_OK(gpu_becomes(0, ETIMEDOUT, 0), "no answer");
    UNIT_INT(machine.s[0].state, SOURCE_STALE, "stale");
    UNIT_STR(source_error_text(&machine.s[0]), "it does not answer", "in words");
    began = gpu_now_ms();
    for (int i = 0; i < 1000; i++)
        gpu_machine_read();
    gpu_machine_close();
    UNIT_OK(gpu_now_ms() - began < 2000, "nothing waits");
}

#endif
