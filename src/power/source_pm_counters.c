/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cray pm_counters. A file holds "208970342 J 1571230862955436 us": the value, its unit, and when
 * the meter took it. `startup` holds when the meter itself was started: it counts from 0 then, and
 * may be beyond the last reading again before anybody looks, so it is read along with every value.
 *
 * `energy` contains the accelerators (HPE Cray EX documentation, "PM Counters"): it is a meter of
 * all, to which its parts are never added.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/path.h"
#include "power/gpu_list.h"
#include "power/source_pm_counters.h"
#include "power/sysfs.h"

#define DIR_BELOW "/sys/cray/pm_counters"
#define UJ_PER_J UINT64_C(1000000)
#define STALE_MS 10000
/* No node, socket pair, memory or accelerator of today draws as much. */
#define NODE_CEILING_MW UINT64_C(20000000)
#define CPU_CEILING_MW UINT64_C(3000000)
#define MEMORY_CEILING_MW UINT64_C(2000000)
#define ACCEL_CEILING_MW UINT64_C(3000000)
#define ACCEL_PREFIX "accel"
#define ENERGY_SUFFIX "_energy"

struct restart {
    int fd;           /* of `startup`, -1 without one */
    uint64_t startup; /* as last read, 0 = not yet */
};

struct probe {
    const char *dir;
    struct source *sources;
    int n, max;
    struct gpu_place gpus[GPUS_MAX]; /* AMD's, whose cards may be several GPUs */
    int n_gpus;
};

/* "VALUE J TIME us", and nothing else. 0, or -1 and errno EBADMSG. */
static int _parse(const char *text, size_t n, uint64_t *uj)
{
    const char *unit = memchr(text, ' ', n);
    uint64_t joules;

    errno = EBADMSG;
    if (!unit || sysfs_parse_u64(text, (size_t)(unit - text), &joules) < 0)
        return -1;
    errno = EBADMSG;
    if (n < (size_t)(unit - text) + 2 || unit[1] != 'J' ||
        (n > (size_t)(unit - text) + 2 && unit[2] != ' ' && unit[2] != '\n') ||
        joules > INT64_MAX / UJ_PER_J)
        return -1;
    *uj = joules * UJ_PER_J;
    return 0;
}

/* A meter that was started anew counts from 0: what it says has nothing to do with before. */
static void _notice_restart(struct source *s)
{
    struct restart *r = s->own;
    char text[32];
    uint64_t startup;
    ssize_t n = r->fd >= 0 ? pread(r->fd, text, sizeof(text), 0) : -1;

    if (n <= 0 || sysfs_parse_u64(text, (size_t)n, &startup) < 0)
        return;
    if (r->startup && startup != r->startup)
        counter_forget(&s->counter);
    r->startup = startup;
}

static int _read(struct source *s, int64_t t_ms, uint64_t *raw_uj)
{
    char text[64];
    int n = sysfs_source_read(s, text, sizeof(text));

    (void)t_ms;
    if (n < 0 || _parse(text, (size_t)n, raw_uj) < 0)
        return -1;
    _notice_restart(s);
    return 0;
}

static void _close(struct source *s)
{
    struct restart *r = s->own;

    if (r && r->fd >= 0)
        (void)close(r->fd);
    sysfs_source_close(s);
}

static const struct source_ops ops = {.read = _read, .reopen = sysfs_source_open, .close = _close};

static int _open_restart(struct source *s, const char *dir)
{
    struct restart *r = calloc(1, sizeof(*r));
    char path[SOURCE_PATH_MAX];

    if (!r)
        return -1;
    r->fd = path_format(path, sizeof(path), "%s/startup", dir) < 0
                ? -1
                : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    s->own = r;
    return 0;
}

static void _add(struct probe *p, const char *file, const char *name, struct coverage coverage,
                 uint64_t ceiling_mw)
{
    struct source *s = &p->sources[p->n];

    if (p->n == p->max)
        return;
    memset(s, 0, sizeof(*s));
    s->fd = -1;
    s->ops = &ops;
    s->package = -1;
    s->quality = QUALITY_MEASURED;
    s->coverage = coverage;
    s->meter = coverage.components == COMPONENT_ALL;
    source_set_name(s, name);
    counter_init(&s->counter, 0, ceiling_mw, STALE_MS);
    if (path_format(s->path, sizeof(s->path), "%s/%s", p->dir, file) < 0 ||
        _open_restart(s, p->dir) < 0)
        return;
    if (sysfs_source_open(s) == 0) {
        p->n++;
        return;
    }
    s->error = errno;
    s->state = SOURCE_MISSING;
    if (s->error == ENOENT)
        _close(s); /* a node without this part */
    else
        p->n++;
}

/* "accel3_energy": a card, in the order of the addresses. */
static void _accel(const char *file, void *arg)
{
    struct probe *p = arg;
    const char *digits = file + strlen(ACCEL_PREFIX);
    size_t n = strspn(digits, "0123456789");
    uint64_t number;
    struct coverage coverage;
    char name[SOURCE_NAME_MAX];

    if (strcmp(digits + n, ENERGY_SUFFIX) != 0 || sysfs_parse_u64(digits, n, &number) < 0 ||
        number > 63)
        return;
    (void)snprintf(name, sizeof(name), "cray:accel-%u", (unsigned)number);
    if (gpu_list_card(p->gpus, p->n_gpus, (int)number, &coverage) < 0)
        coverage = (struct coverage){COMPONENT_GPU, UINT64_C(1) << number};
    _add(p, file, name, coverage, ACCEL_CEILING_MW);
}

int source_pm_counters_probe(const char *sysroot, struct source sources[], int max, struct err *e)
{
    char dir[SOURCE_PATH_MAX];
    struct probe p = {.dir = dir, .sources = sources, .max = max};

    if (path_format(dir, sizeof(dir), "%s" DIR_BELOW, sysroot) < 0)
        return err_errno(e, "%s" DIR_BELOW, sysroot);
    if (access(dir, F_OK) < 0)
        return 0;
    p.n_gpus = gpu_list(sysroot, gpu_list_amd, p.gpus);
    _add(&p, "energy", "cray:node", (struct coverage){COMPONENT_ALL, COVERAGE_EVERYWHERE},
         NODE_CEILING_MW);
    _add(&p, "cpu_energy", "cray:cpu", (struct coverage){COMPONENT_CPU, COVERAGE_EVERYWHERE},
         CPU_CEILING_MW);
    _add(&p, "memory_energy", "cray:memory", (struct coverage){COMPONENT_DRAM, COVERAGE_EVERYWHERE},
         MEMORY_CEILING_MW);
    if (sysfs_each(dir, ACCEL_PREFIX, _accel, &p) < 0)
        return err_errno(e, "cannot list %s", dir);
    return p.n;
}
