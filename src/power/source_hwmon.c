/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hwmon (Documentation/hwmon/sysfs-interface.rst): energyN_input in microjoules, powerN_average and
 * powerN_input in microwatts. The number of a hwmon directory changes from boot to boot: a sensor
 * is known by its driver's name, its label and its place among those of the same driver.
 *
 * What a sensor covers is known of these drivers; all others are shown, and never counted:
 *
 * - amd_energy, "Esocket0": energy of a CPU package, in which the cores ("Ecore000") lie;
 * - i915, xe: energy of a card, which Level Zero has as well (source_level_zero.c);
 * - power_meter (ACPI 4.0, section 10.4): power of the node, but on NVIDIA Grace, by
 *   power1_oem_info: "Module Power Socket N" of CPU, memory and GPU, "Grace Power Socket N" of CPU
 *   and memory, and "CPU" and "SysIO" within that.
 *
 * amdgpu's power is not among them: on an APU (MI300A) it is the whole socket's, which RAPL has
 * too.
 *
 * The ACPI meter says 0xffffffff mW when it cannot tell (lm-sensors issue 460): an error, not 4.29
 * MW.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/path.h"
#include "power/gpu_list.h"
#include "power/source_hwmon.h"
#include "power/sysfs.h"

#define DIR_BELOW "/sys/class/hwmon"
#define STALE_MS 10000
#define UW_UNKNOWN UINT64_C(4294967295000) /* 0xffffffff mW */
#define GAP_MAX_MS 120000 /* power between two readings further apart is not known */
/* Beyond what is sold today. */
#define NODE_CEILING_MW UINT64_C(20000000)
#define PART_CEILING_MW UINT64_C(3000000)

/* Power that is added up here. */
struct integral {
    int64_t last_ms; /* 0 = nothing yet */
    uint64_t last_uw;
    uint64_t total_uj;
    bool is_average; /* of the time until the reading, else of its moment */
};

struct sensor {
    const char *driver, *label; /* label "" = none */
    unsigned place;             /* among the hwmon directories of the driver */
    struct coverage coverage;
    bool meter, inside;
    int package;
};

struct probe {
    char dir[SOURCE_PATH_MAX]; /* of one hwmon directory */
    char driver[32];
    unsigned place; /* among those of the driver */
    struct source *sources;
    int n, max;
    char pci[GPU_PCI_SIZE];          /* address of its device, "" when it is no PCI device */
    struct gpu_place gpus[GPUS_MAX]; /* Intel's */
    int n_gpus;
    unsigned gpus_unlisted; /* so far */
    struct {
        char driver[32];
        unsigned n;
    } seen[16];
    const char *root;
};

static int _read_energy(struct source *s, int64_t t_ms, uint64_t *raw_uj)
{
    char text[32];
    int n = sysfs_source_read(s, text, sizeof(text));

    (void)t_ms;
    return n < 0 ? -1 : sysfs_parse_u64(text, (size_t)n, raw_uj);
}

static int _read_power(struct source *s, int64_t t_ms, uint64_t *raw_uj)
{
    struct integral *i = s->own;
    uint64_t uw, mean_uw;
    char text[32];
    int n = sysfs_source_read(s, text, sizeof(text));

    if (n < 0 || sysfs_parse_u64(text, (size_t)n, &uw) < 0)
        return -1;
    if (uw >= UW_UNKNOWN || uw / 1000 > s->counter.ceiling_mw) {
        errno = ERANGE;
        return -1;
    }
    if (i->last_ms == 0 || t_ms < i->last_ms || t_ms - i->last_ms > GAP_MAX_MS) {
        counter_forget(&s->counter);
    } else {
        mean_uw = i->is_average ? uw : (uw + i->last_uw) / 2;
        i->total_uj += mean_uw * (uint64_t)(t_ms - i->last_ms) / 1000;
    }
    i->last_ms = t_ms;
    i->last_uw = uw;
    *raw_uj = i->total_uj;
    return 0;
}

static const struct source_ops energy_ops = {
    .read = _read_energy, .reopen = sysfs_source_open, .close = sysfs_source_close};
static const struct source_ops power_ops = {
    .read = _read_power, .reopen = sysfs_source_open, .close = sysfs_source_close};

/* The N at the end of "Esocket0", "Module Power Socket 1"; -1 without one. */
static int _number_behind(const char *label)
{
    size_t n = strlen(label), digits = 0;

    while (digits < n && label[n - digits - 1] >= '0' && label[n - digits - 1] <= '9')
        digits++;
    return digits == 0 || digits > 2 ? -1 : atoi(label + n - digits);
}

static struct coverage _of_domain(unsigned components, int number)
{
    return (struct coverage){components, number < 0 || number > 63 ? COVERAGE_EVERYWHERE
                                                                   : UINT64_C(1) << number};
}

static void _know_power_meter(struct sensor *s)
{
    int socket = _number_behind(s->label);

    s->package = socket;
    if (strncmp(s->label, "Module Power", 12) == 0) {
        s->coverage = _of_domain(COMPONENT_CPU | COMPONENT_DRAM | COMPONENT_GPU, socket);
        s->meter = true;
    } else if (strncmp(s->label, "Grace Power", 11) == 0) {
        s->coverage = _of_domain(COMPONENT_CPU | COMPONENT_DRAM, socket);
    } else if (strncmp(s->label, "CPU Power", 9) == 0 ||
               strncmp(s->label, "SysIO Power", 11) == 0) {
        s->coverage = _of_domain(COMPONENT_CPU, socket);
        s->inside = true;
    } else {
        s->package = -1;
        s->coverage = _of_domain(COMPONENT_ALL, -1);
        s->meter = true;
    }
}

/* A card, by the address that others read it by as well. */
static void _know_gpu(struct probe *p, struct sensor *s)
{
    const struct gpu_place *gpu = gpu_list_find(p->gpus, p->n_gpus, p->pci);

    s->inside = gpu && gpu->kind == GPU_INTEGRATED;
    s->package = s->inside ? 0 : -1;
    s->coverage = gpu ? gpu->coverage : _of_domain(COMPONENT_GPU, (int)p->gpus_unlisted++);
}

/* What the sensor covers; an unknown one is inside of nothing known, and so never counted. */
static void _know(struct probe *p, struct sensor *s, bool is_energy)
{
    bool is_gpu = is_energy && (strcmp(s->driver, "i915") == 0 || strcmp(s->driver, "xe") == 0);

    s->package = -1;
    s->coverage = _of_domain(COMPONENT_BOARD, -1);
    s->inside = true;
    if (strcmp(s->driver, "power_meter") == 0 && !is_energy) {
        s->inside = false;
        _know_power_meter(s);
    } else if (strcmp(s->driver, "amd_energy") == 0 && strncmp(s->label, "Esocket", 7) == 0) {
        s->inside = false;
        s->package = _number_behind(s->label);
        s->coverage = _of_domain(COMPONENT_CPU, s->package);
    } else if (is_gpu && (s->label[0] == '\0' || strcmp(s->label, "card") == 0)) {
        _know_gpu(p, s);
    }
}

static int _attach(struct source *s, bool is_energy, bool is_average)
{
    struct integral *i;

    if (sysfs_source_open(s) < 0) {
        s->error = errno;
        s->state = SOURCE_MISSING;
    }
    if (is_energy)
        return 0;
    i = calloc(1, sizeof(*i));
    if (!i) {
        sysfs_source_close(s);
        return -1;
    }
    i->is_average = is_average;
    s->own = i;
    return 0;
}

static void _add(struct probe *p, const char *file, const char *label, bool is_energy)
{
    struct source *s = &p->sources[p->n];
    struct sensor sensor = {.driver = p->driver, .label = label, .place = p->place};
    bool is_average = strstr(file, "_average") != NULL;
    char name[SOURCE_NAME_MAX];

    if (p->n == p->max)
        return;
    _know(p, &sensor, is_energy);
    memset(s, 0, sizeof(*s));
    s->fd = -1;
    s->ops = is_energy ? &energy_ops : &power_ops;
    s->sampled = !is_energy;
    s->quality = QUALITY_MEASURED;
    s->coverage = sensor.coverage;
    s->meter = sensor.meter;
    s->inside = sensor.inside;
    s->package = sensor.package;
    (void)snprintf(name, sizeof(name), "hwmon:%.16s-%u:%.30s", p->driver, sensor.place,
                   label[0] ? label : file);
    source_set_name(s, name);
    counter_init(&s->counter, 0,
                 sensor.coverage.components == COMPONENT_ALL ? NODE_CEILING_MW : PART_CEILING_MW,
                 is_energy ? STALE_MS : 0);
    if (path_format(s->path, sizeof(s->path), "%s/%s", p->dir, file) == 0 &&
        _attach(s, is_energy, is_average) == 0)
        p->n++;
}

/* "energy1_input" */
static void _energy(const char *file, void *arg)
{
    struct probe *p = arg;
    char label[64] = "", label_file[64];
    size_t n = strcspn(file, "_");

    if (strcmp(file + n, "_input") != 0 || n > 16)
        return;
    (void)snprintf(label_file, sizeof(label_file), "%.*s_label", (int)n, file);
    (void)sysfs_text(p->dir, label_file, label, sizeof(label));
    if (strncmp(label, "Ecore", 5) == 0)
        return; /* one for each core of the machine, within the socket's */
    _add(p, file, label, true);
}

/* "power1_average", or "power1_input" where there is no average. */
static void _power(const char *file, void *arg)
{
    struct probe *p = arg;
    char label[64] = "", other[64], path[SOURCE_PATH_MAX];
    size_t n = strcspn(file, "_");
    bool is_input = strcmp(file + n, "_input") == 0;

    if ((!is_input && strcmp(file + n, "_average") != 0) || n > 16)
        return;
    (void)snprintf(other, sizeof(other), "%.*s_average", (int)n, file);
    if (is_input && path_format(path, sizeof(path), "%s/%s", p->dir, other) == 0 &&
        access(path, F_OK) == 0)
        return;
    (void)snprintf(other, sizeof(other), "%.*s_oem_info", (int)n, file);
    if (sysfs_text(p->dir, other, label, sizeof(label)) <= 0) {
        (void)snprintf(other, sizeof(other), "%.*s_label", (int)n, file);
        if (sysfs_text(p->dir, other, label, sizeof(label)) <= 0)
            label[0] = '\0';
    }
    _add(p, file, label, false);
}

/* How many directories of the driver there were before this one. */
static unsigned _place(struct probe *p)
{
    size_t i = 0, room = sizeof(p->seen) / sizeof(p->seen[0]);

    while (i + 1 < room && p->seen[i].driver[0] && strcmp(p->seen[i].driver, p->driver) != 0)
        i++;
    memcpy(p->seen[i].driver, p->driver, sizeof(p->driver));
    return p->seen[i].n++;
}

/* The device that the directory belongs to: a link to where its own is. */
static void _pci(struct probe *p)
{
    char path[SOURCE_PATH_MAX], target[SOURCE_PATH_MAX];
    const char *name;
    ssize_t n = -1;

    p->pci[0] = '\0';
    if (path_format(path, sizeof(path), "%s/device", p->dir) == 0)
        n = readlink(path, target, sizeof(target) - 1);
    if (n <= 0)
        return;
    target[n] = '\0';
    name = strrchr(target, '/');
    (void)snprintf(p->pci, sizeof(p->pci), "%.*s", (int)sizeof(p->pci) - 1,
                   name ? name + 1 : target);
}

static void _directory(const char *name, void *arg)
{
    struct probe *p = arg;

    if (path_format(p->dir, sizeof(p->dir), "%s/%s", p->root, name) < 0 ||
        sysfs_text(p->dir, "name", p->driver, sizeof(p->driver)) <= 0)
        return;
    p->place = _place(p);
    _pci(p);
    (void)sysfs_each(p->dir, "energy", _energy, p);
    (void)sysfs_each(p->dir, "power", _power, p);
}

int source_hwmon_probe(const char *sysroot, struct source sources[], int max, struct err *e)
{
    char root[SOURCE_PATH_MAX];
    struct probe p = {.sources = sources, .max = max, .root = root};

    if (path_format(root, sizeof(root), "%s" DIR_BELOW, sysroot) < 0)
        return err_errno(e, "%s" DIR_BELOW, sysroot);
    p.n_gpus = gpu_list(sysroot, gpu_list_intel, p.gpus);
    if (sysfs_each(root, "hwmon", _directory, &p) < 0)
        return err_errno(e, "cannot list %s", root);
    return p.n;
}
