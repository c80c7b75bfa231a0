/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zones of the powercap tree (the kernel's Documentation/power/powercap/powercap.rst). The
 * long-term constraint bounds the mean over its window, seconds at most; bursts within it stay the
 * hardware's own matter. A zone whose limits are switched off (enabled is 0) has none to set, and
 * AMD's have no constraints at all.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/path.h"
#include "power/sysfs.h"
#include "powercap/limits.h"

#define ZONE_PREFIX "intel-rapl:"
#define CONSTRAINTS_MAX 4 /* long_term, short_term and peak_power are known */

static int _zone(char *dir, size_t size, const struct limits *l, const char *entry)
{
    return path_format(dir, size, "%s/sys/class/powercap/%s", l->sysroot, entry);
}

/* The name of a constraint's file: "constraint_0_max_power_uw". */
static const char *_file(char *buf, size_t size, int constraint, const char *what)
{
    (void)snprintf(buf, size, "constraint_%d_%s", constraint, what);
    return buf;
}

/* Which constraint is the long-term one; -1 for none. */
static int _long_term(const char *dir)
{
    char file[48], name[32];

    for (int i = 0; i < CONSTRAINTS_MAX; i++) {
        if (sysfs_text(dir, _file(file, sizeof(file), i, "name"), name, sizeof(name)) > 0 &&
            strcmp(name, "long_term") == 0)
            return i;
    }
    return -1;
}

/* What the hardware reports, 0 where it does not. */
static uint64_t _bound(const char *dir, int constraint, const char *what)
{
    char file[48];
    uint64_t uw;

    return sysfs_u64(dir, _file(file, sizeof(file), constraint, what), &uw) == 0 ? uw : 0;
}

static void _add(const char *entry, void *arg)
{
    struct limits *l = arg;
    struct limit *limit = &l->v[l->n];
    size_t digits = strspn(entry + sizeof(ZONE_PREFIX) - 1, "0123456789");
    char dir[SOURCE_PATH_MAX];
    uint64_t enabled;

    /* the top of a tree alone: "intel-rapl:0", not "intel-rapl:0:1" */
    if (l->n == LIMITS_MAX || entry[sizeof(ZONE_PREFIX) - 1 + digits] != '\0' ||
        strlen(entry) >= sizeof(limit->id) || _zone(dir, sizeof(dir), l, entry) < 0)
        return;
    memset(limit, 0, sizeof(*limit));
    memcpy(limit->id, entry, strlen(entry) + 1);
    if (sysfs_text(dir, "name", limit->name, sizeof(limit->name)) <= 0 ||
        strncmp(limit->name, "package", 7) != 0)
        return;
    limit->kind = LIMIT_RAPL;
    limit->off = sysfs_u64(dir, "enabled", &enabled) == 0 && enabled == 0;
    limit->constraint = _long_term(dir);
    if (limit->constraint < 0 || limits_rapl_read(l, limit, &limit->now_uw) < 0)
        return;
    limit->min_uw = _bound(dir, limit->constraint, "min_power_uw");
    limit->max_uw = _bound(dir, limit->constraint, "max_power_uw");
    l->n++;
}

void limits_rapl_list(struct limits *l)
{
    char dir[SOURCE_PATH_MAX];

    if (path_format(dir, sizeof(dir), "%s/sys/class/powercap", l->sysroot) == 0)
        (void)sysfs_each(dir, ZONE_PREFIX, _add, l);
}

int limits_rapl_read(const struct limits *l, const struct limit *limit, uint64_t *uw)
{
    char dir[SOURCE_PATH_MAX], file[48];

    if (_zone(dir, sizeof(dir), l, limit->id) < 0)
        return -1;
    return sysfs_u64(dir, _file(file, sizeof(file), limit->constraint, "power_limit_uw"), uw);
}

int limits_rapl_write(const struct limits *l, const struct limit *limit, uint64_t uw)
{
    char dir[SOURCE_PATH_MAX], file[48], path[SOURCE_PATH_MAX + 64], text[24];
    int n, fd, saved;
    ssize_t written;

    if (_zone(dir, sizeof(dir), l, limit->id) < 0 ||
        path_format(path, sizeof(path), "%s/%s", dir,
                    _file(file, sizeof(file), limit->constraint, "power_limit_uw")) < 0)
        return -1;
    fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -1;
    /* always as many digits, so that one write replaces the number also in a plain file */
    n = snprintf(text, sizeof(text), "%012llu\n", (unsigned long long)uw);
    written = write(fd, text, (size_t)n);
    saved = written < 0 ? errno : EIO;
    (void)close(fd);
    errno = saved;
    return written == n ? 0 : -1;
}
