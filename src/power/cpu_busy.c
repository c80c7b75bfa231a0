/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPU time from cgroup files and /proc/stat. carnotd reads jobs' files with the
 * same parser. One pread() on a kept descriptor a reading.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/path.h"
#include "power/cpu_busy.h"

/* Digits at *text, which is moved behind them. 0, or -1 and errno EBADMSG. */
static int _number(const char **text, uint64_t *out)
{
    const char *p = *text;
    uint64_t value = 0;

    errno = EBADMSG;
    if (*p < '0' || *p > '9')
        return -1;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
            return -1;
    }
    *text = p;
    *out = value;
    return 0;
}

/* "cpu  user nice system idle iowait irq softirq steal guest guest_nice": all but idle,
 * iowait, the time stolen from this machine, and the guests', which are in user and nice. */
static int _parse_proc(const char *text, long ticks_per_s, uint64_t *busy_us)
{
    uint64_t field, ticks = 0;

    errno = EBADMSG;
    if (strncmp(text, "cpu ", 4) != 0 || ticks_per_s <= 0)
        return -1;
    text += 4;
    for (int i = 0; i < 7; i++) {
        while (*text == ' ')
            text++;
        if (_number(&text, &field) < 0)
            return -1;
        if (i != 3 && i != 4)
            ticks += field;
    }
    *busy_us = (uint64_t)((unsigned __int128)ticks * 1000000 / (uint64_t)ticks_per_s);
    return 0;
}

int cpu_busy_parse(enum cpu_busy_kind kind, const char *text, long ticks_per_s, uint64_t *busy_us)
{
    uint64_t value;

    switch (kind) {
    case CPU_BUSY_CPUACCT:
        if (_number(&text, &value) < 0)
            return -1;
        *busy_us = value / 1000;
        return 0;
    case CPU_BUSY_CPU_STAT:
        /* the first line since the file exists; other lines have come and will */
        if (strncmp(text, "usage_usec ", 11) != 0) {
            errno = EBADMSG;
            return -1;
        }
        text += 11;
        return _number(&text, busy_us);
    case CPU_BUSY_PROC:
        return _parse_proc(text, ticks_per_s, busy_us);
    case CPU_BUSY_NONE:
        break;
    }
    errno = ENOENT;
    return -1;
}

int cpu_busy_open(struct cpu_busy *b, const char *sysroot)
{
    static const struct {
        const char *file;
        enum cpu_busy_kind kind;
    } files[] = {
        {"sys/fs/cgroup/cpu.stat", CPU_BUSY_CPU_STAT},
        {"sys/fs/cgroup/cpuacct/cpuacct.usage", CPU_BUSY_CPUACCT},
        {"sys/fs/cgroup/cpu,cpuacct/cpuacct.usage", CPU_BUSY_CPUACCT},
        {"proc/stat", CPU_BUSY_PROC},
    };
    char path[512];
    uint64_t busy_us;

    b->kind = CPU_BUSY_NONE;
    b->fd = -1;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (path_format(path, sizeof(path), "%s/%s", sysroot, files[i].file) < 0)
            continue;
        b->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        b->kind = files[i].kind;
        if (b->fd >= 0 && cpu_busy_read(b, &busy_us) == 0)
            return 0;
        cpu_busy_close(b);
    }
    errno = ENOENT;
    return -1;
}

int cpu_busy_read(const struct cpu_busy *b, uint64_t *busy_us)
{
    char text[256];
    ssize_t n;

    if (b->fd < 0) {
        errno = ENOENT;
        return -1;
    }
    n = pread(b->fd, text, sizeof(text) - 1, 0);
    if (n < 0)
        return -1;
    text[n] = '\0';
    return cpu_busy_parse(b->kind, text, sysconf(_SC_CLK_TCK), busy_us);
}

void cpu_busy_close(struct cpu_busy *b)
{
    if (b->fd >= 0)
        (void)close(b->fd);
    b->fd = -1;
    b->kind = CPU_BUSY_NONE;
}
