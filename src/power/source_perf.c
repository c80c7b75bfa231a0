/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * perf's RAPL events. The description is read below sysroot; events themselves exist on the running
 * machine only, so that those of a recorded one say that they cannot be opened.
 */
#include "config.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/path.h"
#include "power/rapl.h"
#include "power/source_perf.h"
#include "power/sysfs.h"

#define PMU "/sys/bus/event_source/devices/power"
#define PLACES_MAX 64
#define CPUS_MAX 65536
#define UJ_PER_JOULE 1000000

/* What the PMU knows of, best first: those that are summed, then what lies within a package. */
static const struct kind {
    const char *event; /* its file in events/ */
    const char *name;  /* as powercap calls it, "" for the package itself */
    unsigned components;
    uint64_t ceiling_mw;
    bool inside;
    bool whole; /* of the machine: one event, not one a package */
} kinds[] = {
    {"energy-pkg", "", COMPONENT_CPU, RAPL_PACKAGE_CEILING_MW, false, false},
    {"energy-ram", "dram", COMPONENT_DRAM, RAPL_DRAM_CEILING_MW, false, false},
    {"energy-psys", "psys", COMPONENT_CPU | COMPONENT_DRAM | COMPONENT_BOARD, RAPL_PSYS_CEILING_MW,
     false, true},
    {"energy-cores", "core", COMPONENT_CPU, RAPL_PACKAGE_CEILING_MW, true, false},
    {"energy-gpu", "uncore", COMPONENT_CPU, RAPL_PACKAGE_CEILING_MW, true, false},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* A CPU of the cpumask: the kernel reads the package's counters there. */
struct place {
    int cpu, package, die; /* die -1: the package has one */
};

struct perf_own {
    char sysroot[SOURCE_PATH_MAX];
    uint32_t type;
    uint64_t config;
    struct place place;
    uint64_t factor; /* microjoules = count x 1000000 x factor / 2^shift */
    unsigned shift;
};

static int _open_event(uint32_t type, uint64_t config, int cpu)
{
    struct perf_event_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.size = sizeof(attr);
    attr.type = type;
    attr.config = config;
    return (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static int _read_event(int fd, uint64_t *count)
{
    ssize_t n = read(fd, count, sizeof(*count));

    if (n == (ssize_t)sizeof(*count))
        return 0;
    if (n >= 0)
        errno = ENODATA; /* the event is in an error state: its CPU has gone */
    return -1;
}

static const struct source_perf_ops kernel_ops = {_open_event, _read_event};
const struct source_perf_ops *source_perf_ops = &kernel_ops;

/* "0,18" or "0-3,8": the next number of the list, which *at walks through; -1 at its end. */
static int _next_cpu(const char **at, int *range_end, int *last)
{
    char *end;
    long cpu;

    if (*last < *range_end)
        return ++*last;
    *at += strspn(*at, ",");
    if (**at < '0' || **at > '9')
        return -1;
    cpu = strtol(*at, &end, 10);
    *range_end = *last = cpu < CPUS_MAX ? (int)cpu : CPUS_MAX;
    if (*end == '-')
        cpu = strtol(end + 1, &end, 10);
    *range_end = cpu < CPUS_MAX ? (int)cpu : CPUS_MAX;
    *at = end;
    return *last;
}

static int _topology_number(const char *sysroot, int cpu, const char *file)
{
    char dir[SOURCE_PATH_MAX];
    uint64_t number;

    if (path_format(dir, sizeof(dir), "%s/sys/devices/system/cpu/cpu%d/topology", sysroot, cpu) <
            0 ||
        sysfs_u64(dir, file, &number) < 0 || number > 1023)
        return -1;
    return (int)number;
}

static int _compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->package != y->package)
        return x->package < y->package ? -1 : 1;
    return x->die != y->die ? (x->die < y->die ? -1 : 1) : x->cpu - y->cpu;
}

/* The PMU's CPUs, one a package or die. How many. */
static int _list_places(const char *sysroot, struct place places[])
{
    char dir[SOURCE_PATH_MAX], mask[1024];
    const char *at = mask;
    int n = 0, m = 0, last = 0, range_end = 0, cpu;

    if (path_format(dir, sizeof(dir), "%s" PMU, sysroot) < 0 ||
        sysfs_text(dir, "cpumask", mask, sizeof(mask)) <= 0)
        return 0;
    while (n < PLACES_MAX && (cpu = _next_cpu(&at, &range_end, &last)) >= 0) {
        places[n].cpu = cpu;
        places[n].package = _topology_number(sysroot, cpu, "physical_package_id");
        places[n].die = _topology_number(sysroot, cpu, "die_id");
        if (places[n].package >= 0)
            n++;
    }
    qsort(places, (size_t)n, sizeof(places[0]), _compare_places);
    for (int i = 0; i < n; i++) {
        if (m == 0 || places[m - 1].package != places[i].package ||
            places[m - 1].die != places[i].die)
            places[m++] = places[i];
    }
    n = m;
    for (int i = 0; i < n; i++) {
        bool shared = (i > 0 && places[i - 1].package == places[i].package) ||
                      (i + 1 < n && places[i + 1].package == places[i].package);

        /* powercap's rule: dies are named where there are several */
        if (!shared)
            places[i].die = -1;
    }
    return n;
}

/* "event=0x02", and nothing else that would have to be put into other fields. */
static int _parse_event(const char *text, uint64_t *config)
{
    char *end;

    if (strncmp(text, "event=0x", 8) != 0 || !text[8])
        return -1;
    *config = strtoull(text + 8, &end, 16);
    return *end == '\0' ? 0 : -1;
}

/* "2.3283064365386962890625e-10" is 2^-32: factor / 2^shift, exactly, or -1. A factor of more than
 * 16 bits would let counts overflow, and no kernel has one. */
static int _parse_scale(const char *text, uint64_t *factor, unsigned *shift)
{
    char *end;
    double scale = strtod(text, &end);
    int exponent;

    if (*end || !isfinite(scale) || scale <= 0)
        return -1;
    scale = frexp(scale, &exponent);
    while (scale != floor(scale)) {
        scale *= 2;
        exponent--;
    }
    if (scale >= 65536 || exponent > 0 || exponent < -63)
        return -1;
    *factor = (uint64_t)scale;
    *shift = (unsigned)-exponent;
    return 0;
}

static int _perf_read(struct source *s, int64_t t_ms, uint64_t *raw_uj)
{
    const struct perf_own *own = s->own;
    unsigned __int128 uj;
    uint64_t count;

    (void)t_ms;
    if (s->fd < 0) {
        errno = s->error ? s->error : ENOENT;
        return -1;
    }
    if (source_perf_ops->read(s->fd, &count) < 0)
        return -1;
    uj = (unsigned __int128)count * UJ_PER_JOULE * own->factor >> own->shift;
    if (uj > INT64_MAX) {
        errno = EBADMSG;
        return -1;
    }
    *raw_uj = (uint64_t)uj;
    return 0;
}

static int _open(struct source *s)
{
    struct perf_own *own = s->own;

    if (own->sysroot[0] && source_perf_ops == &kernel_ops) {
        errno = EOPNOTSUPP; /* the recorded machine's events are not this one's */
        return -1;
    }
    s->fd = source_perf_ops->open(own->type, own->config, own->place.cpu);
    return s->fd < 0 ? -1 : 0;
}

/* Another CPU of the package may stand in the mask by now. */
static int _perf_reopen(struct source *s)
{
    struct perf_own *own = s->own;
    struct place places[PLACES_MAX];
    int n = _list_places(own->sysroot, places);

    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
    for (int i = 0; i < n; i++) {
        if (places[i].package == own->place.package && places[i].die == own->place.die)
            own->place.cpu = places[i].cpu;
    }
    return _open(s);
}

static const struct source_ops perf_ops = {
    .read = _perf_read, .reopen = _perf_reopen, .close = sysfs_source_close};

static void _name(struct source *s, const struct kind *kind, const struct place *place)
{
    char die[24] = "", name[SOURCE_NAME_MAX];

    if (place->die >= 0)
        (void)snprintf(die, sizeof(die), "-die-%d", place->die);
    if (kind->whole)
        (void)snprintf(name, sizeof(name), "perf:%s", kind->name);
    else
        (void)snprintf(name, sizeof(name), "perf:package-%d%s%s%s", place->package, die,
                       kind->name[0] ? ":" : "", kind->name);
    source_set_name(s, name);
}

/* One event of one place. 0, or -1 when the PMU does not have it or describes it oddly. */
static int _fill(struct source *s, const char *sysroot, uint32_t type, const struct kind *kind,
                 const struct place *place)
{
    char dir[SOURCE_PATH_MAX], file[48], event[64], scale[64], unit[16];
    int domain = rapl_domain(place->package, place->die);
    struct perf_own *own;

    memset(s, 0, sizeof(*s));
    (void)snprintf(file, sizeof(file), "%s.scale", kind->event);
    if (path_format(dir, sizeof(dir), "%s" PMU "/events", sysroot) < 0 ||
        path_format(s->path, sizeof(s->path), "%s/%s", dir, kind->event) < 0 ||
        sysfs_text(dir, kind->event, event, sizeof(event)) <= 0 ||
        sysfs_text(dir, file, scale, sizeof(scale)) <= 0)
        return -1;
    (void)snprintf(file, sizeof(file), "%s.unit", kind->event);
    own = calloc(1, sizeof(*own));
    if (!own || (sysfs_text(dir, file, unit, sizeof(unit)) > 0 && strcmp(unit, "Joules") != 0) ||
        _parse_event(event, &own->config) < 0 ||
        _parse_scale(scale, &own->factor, &own->shift) < 0 || (domain < 0 && !kind->whole)) {
        free(own);
        return -1;
    }
    (void)snprintf(own->sysroot, sizeof(own->sysroot), "%s", sysroot);
    own->type = type;
    own->place = *place;
    s->own = own;
    s->ops = &perf_ops;
    s->fd = -1;
    s->rights = -1;
    _name(s, kind, place);
    s->quality = QUALITY_MEASURED;
    s->coverage.components = kind->components;
    s->coverage.domains = kind->whole ? COVERAGE_EVERYWHERE : UINT64_C(1) << domain;
    s->inside = kind->inside;
    s->package = kind->whole ? -1 : place->package;
    s->sampled = true; /* an event that was closed has counted nothing since */
    counter_init(&s->counter, 0, kind->ceiling_mw, RAPL_STALE_MS);
    if (_open(s) < 0) {
        s->error = errno;
        s->state = SOURCE_MISSING;
    }
    return 0;
}

int source_perf_probe(const char *sysroot, struct source sources[], int max, struct err *e)
{
    struct place places[PLACES_MAX];
    char dir[SOURCE_PATH_MAX];
    uint64_t type;
    int n, filled = 0;

    if (path_format(dir, sizeof(dir), "%s" PMU, sysroot) < 0)
        return err_errno(e, "%s" PMU, sysroot);
    if (sysfs_u64(dir, "type", &type) < 0 || type > UINT32_MAX)
        return 0;
    n = _list_places(sysroot, places);
    for (size_t k = 0; k < KINDS; k++) {
        for (int i = 0; i < n && filled < max && (i == 0 || !kinds[k].whole); i++) {
            if (_fill(&sources[filled], sysroot, (uint32_t)type, &kinds[k], &places[i]) == 0)
                filled++;
        }
    }
    return filled;
}
