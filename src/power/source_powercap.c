/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The powercap tree. What belongs to what is told by coverage: a package
 * and its mmio twin cover the same cells, psys covers those of all packages, DRAM lies
 * outside the package, and core and uncore inside it.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/path.h"
#include "power/rapl.h"
#include "power/source_powercap.h"
#include "power/sysfs.h"

#define ZONES_MAX 256
#define ZONE_NAME_MAX 32
/* 32 bits in steps of 15.3 uJ: no zone is known to wrap sooner. */
#define LEAST_RANGE_UJ UINT64_C(65532610987)
/* A limit below this is a laptop's or a mistake; boosts go beyond it. */
#define CEILING_FLOOR_MW UINT64_C(200000)

enum zone_kind { ZONE_PACKAGE, ZONE_DRAM, ZONE_PSYS, ZONE_INSIDE };

struct zone {
    char entry[64]; /* "intel-rapl:0:1" */
    char name[ZONE_NAME_MAX];
    enum zone_kind kind;
    bool mmio;
    int parent; /* the P of its entry: which top-level zone it belongs to */
    int domain; /* index of its package or die among all, -1 for psys and unknown */
};

static int _read_text(const char *dir, const char *entry, const char *file, char *buf, size_t size)
{
    char zone[SOURCE_PATH_MAX];

    return path_format(zone, sizeof(zone), "%s/%s", dir, entry) < 0
               ? -1
               : sysfs_text(zone, file, buf, size);
}

static int _read_u64(const char *dir, const char *entry, const char *file, uint64_t *out)
{
    char text[32];
    int n = _read_text(dir, entry, file, text, sizeof(text));

    return n < 0 ? -1 : sysfs_parse_u64(text, (size_t)n, out);
}

static int _zone_read(struct source *s, int64_t t_ms, uint64_t *raw_uj)
{
    char text[32];
    int n = sysfs_source_read(s, text, sizeof(text));

    (void)t_ms;
    return n < 0 ? -1 : sysfs_parse_u64(text, (size_t)n, raw_uj);
}

static const struct source_ops zone_ops = {
    .read = _zone_read, .reopen = sysfs_source_open, .close = sysfs_source_close};

static enum zone_kind _kind(const char *name)
{
    if (strncmp(name, "package", 7) == 0)
        return ZONE_PACKAGE;
    if (strcmp(name, "dram") == 0)
        return ZONE_DRAM;
    if (strcmp(name, "psys") == 0)
        return ZONE_PSYS;
    return ZONE_INSIDE;
}

/* "intel-rapl:0:1" or "intel-rapl-mmio:0" -> zone. 0, or -1 when it is none of ours. */
static int _zone_parse(struct zone *z, const char *dir, const char *entry)
{
    const char *colon = strchr(entry, ':');
    uint64_t parent;
    size_t digits;

    memset(z, 0, sizeof(*z));
    if (!colon || strlen(entry) >= sizeof(z->entry))
        return -1;
    digits = strspn(colon + 1, "0123456789");
    if (sysfs_parse_u64(colon + 1, digits, &parent) < 0 || parent > 1023)
        return -1;
    memcpy(z->entry, entry, strlen(entry) + 1);
    z->mmio = strncmp(entry, "intel-rapl-mmio:", 16) == 0;
    if (!z->mmio && strncmp(entry, "intel-rapl:", 11) != 0 && strncmp(entry, "amd-rapl:", 9) != 0)
        return -1;
    if (_read_text(dir, entry, "name", z->name, sizeof(z->name)) <= 0)
        return -1;
    z->parent = (int)parent;
    z->domain = -1;
    z->kind = _kind(z->name);
    return 0;
}

/* Reading order, and so the order of preference when a sum is made. */
static int _compare_zones(const void *a, const void *b)
{
    const struct zone *x = a, *y = b;
    bool x_last = x->kind == ZONE_PSYS || x->kind == ZONE_INSIDE;
    bool y_last = y->kind == ZONE_PSYS || y->kind == ZONE_INSIDE;

    if (x_last != y_last)
        return x_last ? 1 : -1;
    if (x_last && x->kind != y->kind)
        return x->kind == ZONE_INSIDE ? 1 : -1;
    if (x->mmio != y->mmio)
        return x->mmio ? 1 : -1;
    if (x->parent != y->parent)
        return x->parent < y->parent ? -1 : 1;
    return strcmp(x->entry, y->entry);
}

/* The top-level zone of the same tree that z lies below, NULL for none. */
static const struct zone *_parent_of(const struct zone *z, const struct zone zones[], int n)
{
    for (int i = 0; i < n; i++) {
        if (zones[i].mmio == z->mmio && zones[i].parent == z->parent &&
            !strchr(strchr(zones[i].entry, ':') + 1, ':'))
            return &zones[i];
    }
    return NULL;
}

/* The P of "package-P" or "package-P-die-D", -1 without one. */
static int _package_number(const char *name)
{
    char *end;
    long number;

    if (strncmp(name, "package-", 8) != 0 || name[8] < '0' || name[8] > '9')
        return -1;
    number = strtol(name + 8, &end, 10);
    return number <= 1023 && (*end == '\0' || *end == '-') ? (int)number : -1;
}

/* The domain that "package-P" or "package-P-die-D" says, -1 without one. */
static int _domain_number(const char *name)
{
    const char *die = strstr(name, "-die-");
    long number = die && die[5] >= '0' && die[5] <= '9' ? strtol(die + 5, NULL, 10) : -1;

    return rapl_domain(_package_number(name), number <= 1023 ? (int)number : 1023);
}

/* Number the packages and dies by name, so that a twin gets the number of its original, and perf's
 * events the same (rapl.h); those whose names say none go behind the others. What lies below a
 * package gets the package's. */
static void _number_domains(struct zone zones[], int n)
{
    int next = 0;

    for (int i = 0; i < n; i++) {
        if (zones[i].kind == ZONE_PACKAGE)
            zones[i].domain = _domain_number(zones[i].name);
        if (zones[i].domain >= next)
            next = zones[i].domain + 1;
    }
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < i && zones[i].kind == ZONE_PACKAGE && zones[i].domain < 0; k++) {
            if (zones[k].kind == ZONE_PACKAGE && strcmp(zones[k].name, zones[i].name) == 0)
                zones[i].domain = zones[k].domain;
        }
        if (zones[i].kind == ZONE_PACKAGE && zones[i].domain < 0)
            zones[i].domain = next++;
    }
    for (int i = 0; i < n; i++) {
        const struct zone *parent = _parent_of(&zones[i], zones, n);

        if (zones[i].kind != ZONE_PACKAGE && parent)
            zones[i].domain = parent->domain;
    }
}

/* The most that is believed of a zone: twice the largest limit that it names itself. */
static uint64_t _ceiling_mw(const char *dir, const struct zone *z)
{
    static const char *const files[] = {"constraint_0_max_power_uw", "constraint_1_max_power_uw",
                                        "constraint_2_max_power_uw", "constraint_0_power_limit_uw",
                                        "constraint_1_power_limit_uw"};
    uint64_t limit_uw, most_mw = 0;
    uint64_t standard = z->kind == ZONE_DRAM   ? RAPL_DRAM_CEILING_MW
                        : z->kind == ZONE_PSYS ? RAPL_PSYS_CEILING_MW
                                               : RAPL_PACKAGE_CEILING_MW;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (_read_u64(dir, z->entry, files[i], &limit_uw) == 0 && limit_uw / 500 > most_mw)
            most_mw = limit_uw / 500;
    }
    if (most_mw == 0 || most_mw > standard)
        return standard;
    return most_mw < CEILING_FLOOR_MW ? CEILING_FLOOR_MW : most_mw;
}

static struct coverage _coverage(const struct zone *z)
{
    struct coverage c = {COMPONENT_CPU, COVERAGE_EVERYWHERE};

    if (z->kind == ZONE_DRAM)
        c.components = COMPONENT_DRAM;
    if (z->kind == ZONE_PSYS)
        c.components = COMPONENT_CPU | COMPONENT_DRAM | COMPONENT_BOARD;
    else if (z->domain >= 0)
        c.domains = UINT64_C(1) << (z->domain < 64 ? z->domain : 63);
    return c;
}

static int _fill(struct source *s, const char *dir, const struct zone *z, const struct zone *parent)
{
    const char *prefix = z->mmio ? "rapl-mmio" : "rapl";
    bool below = parent && parent != z;
    uint64_t range_uj = 0;
    char name[2 * ZONE_NAME_MAX + 16];

    memset(s, 0, sizeof(*s));
    s->fd = -1;
    s->ops = &zone_ops;
    (void)snprintf(name, sizeof(name), "%s:%s%s%s", prefix, below ? parent->name : "",
                   below ? ":" : "", z->name);
    source_set_name(s, name);
    if (path_format(s->path, sizeof(s->path), "%s/%s/energy_uj", dir, z->entry) < 0)
        return -1;
    s->quality = QUALITY_MEASURED;
    s->coverage = _coverage(z);
    s->inside = z->kind == ZONE_INSIDE;
    s->package = _package_number(below ? parent->name : z->name);
    s->range_known =
        _read_u64(dir, z->entry, "max_energy_range_uj", &range_uj) == 0 && range_uj > 0;
    counter_init(&s->counter, s->range_known ? range_uj : 0, _ceiling_mw(dir, z), RAPL_STALE_MS);
    s->counter.unsure_uj = LEAST_RANGE_UJ;
    if (sysfs_source_open(s) < 0) {
        s->error = errno;
        s->state = SOURCE_MISSING;
    }
    return 0;
}

static int _list_zones(const char *dir, struct zone zones[], int max, struct err *e)
{
    struct dirent *entry;
    DIR *d = opendir(dir);
    int n = 0;

    if (!d && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (!d)
        return err_errno(e, "cannot list %s", dir);
    while (n < max && (entry = readdir(d))) {
        if (_zone_parse(&zones[n], dir, entry->d_name) == 0)
            n++;
    }
    (void)closedir(d);
    return n;
}

int source_powercap_probe(const char *sysroot, struct source sources[], int max, struct err *e)
{
    char dir[SOURCE_PATH_MAX];
    struct zone *zones;
    int n, filled = 0;

    if (path_format(dir, sizeof(dir), "%s/sys/class/powercap", sysroot) < 0)
        return err_errno(e, "%s/sys/class/powercap", sysroot);
    zones = calloc(ZONES_MAX, sizeof(*zones));
    if (!zones)
        return err_errno(e, "cannot list %s", dir);
    n = _list_zones(dir, zones, ZONES_MAX, e);
    if (n > 0) {
        qsort(zones, (size_t)n, sizeof(*zones), _compare_zones);
        _number_domains(zones, n);
        for (int i = 0; i < n && filled < max; i++) {
            if (_fill(&sources[filled], dir, &zones[i], _parent_of(&zones[i], zones, n)) == 0)
                filled++;
        }
    }
    free(zones);
    return n < 0 ? -1 : filled;
}
