/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GPUs by sysfs (/sys/bus/pci/drivers/DRIVER). Special cases are told by PCI ids and files of
 * Linux's amdgpu driver (drivers/gpu/drm/amd, Linux 6.x):
 *
 * - the two dies of an MI250 or MI250X are two GPUs, of which the first has the power and energy
 *   of both ("valid power data is available only from primary die"), and follow each other;
 * - an MI300A is a socket with CPUs, and RAPL's package has its energy as well; other APUs are a
 *   part of the CPU package; they alone have a voltage of the north bridge, in1;
 * - current_compute_partition says in how many GPUs an MI300 is cut, all of one address.
 *
 * On PCI bus 0 are only GPUs that are part of a CPU package.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/path.h"
#include "power/gpu_list.h"
#include "power/sysfs.h"

#define ID_MI250X "0x7408"
#define ID_MI250 "0x740c"
#define ID_MI300A "0x74a0"

const char *const gpu_list_amd[] = {"amdgpu", NULL};
const char *const gpu_list_intel[] = {"i915", "xe", NULL};

struct listing {
    struct gpu_place *list;
    int n;
};

static uint64_t _address(const char *pci)
{
    unsigned domain, bus, device, function;

    if (sscanf(pci, "%x:%x:%x.%x", &domain, &bus, &device, &function) != 4)
        return UINT64_MAX;
    return (uint64_t)domain << 32 | bus << 8 | device << 3 | function;
}

/* Beside the links to devices there are files of the driver. */
static void _add(const char *name, void *arg)
{
    struct listing *l = arg;
    struct gpu_place *place = &l->list[l->n];

    if (l->n == GPUS_MAX || strlen(name) >= sizeof(place->pci) || _address(name) == UINT64_MAX)
        return;
    memset(place, 0, sizeof(*place));
    memcpy(place->pci, name, strlen(name) + 1);
    l->n++;
}

static int _by_address(const void *a, const void *b)
{
    uint64_t x = _address(((const struct gpu_place *)a)->pci);
    uint64_t y = _address(((const struct gpu_place *)b)->pci);

    return (x > y) - (x < y);
}

struct voltage {
    const char *hwmon; /* directory of the GPU's */
    bool found;
};

static void _has_nb_voltage(const char *name, void *arg)
{
    struct voltage *v = arg;
    char path[SOURCE_PATH_MAX];

    if (path_format(path, sizeof(path), "%s/%s/in1_label", v->hwmon, name) == 0 &&
        access(path, F_OK) == 0)
        v->found = true;
}

static bool _is_apu(const char *dir)
{
    char hwmon[SOURCE_PATH_MAX];
    struct voltage v = {hwmon, false};

    if (path_format(hwmon, sizeof(hwmon), "%s/hwmon", dir) == 0)
        (void)sysfs_each(hwmon, "hwmon", _has_nb_voltage, &v);
    return v.found;
}

static bool _is_die(const char *id)
{
    return strcmp(id, ID_MI250X) == 0 || strcmp(id, ID_MI250) == 0;
}

static enum gpu_kind _kind(const struct gpu_place *place, const struct gpu_place *before,
                           const char *dir, const char *id)
{
    if (strcmp(id, ID_MI300A) == 0)
        return GPU_SOCKET;
    if ((_address(place->pci) & 0xff00) == 0 || _is_apu(dir))
        return GPU_INTEGRATED;
    /* a die has one partner: the third one is the first of the next card */
    return _is_die(id) && before && before->kind == GPU_CARD &&
                   __builtin_popcountll(before->coverage.domains) == 2
               ? GPU_SECOND_DIE
               : GPU_CARD;
}

/* How many GPUs Slurm sees at this address. */
static int _parts(const char *dir, const char *id)
{
    static const struct {
        const char *name;
        int parts;
    } modes[] = {{"DPX", 2}, {"TPX", 3}, {"QPX", 4}, {"CPX", 8}};
    char mode[16];

    if (sysfs_text(dir, "current_compute_partition", mode, sizeof(mode)) <= 0)
        return 1;
    if (strcmp(mode, "CPX") == 0 && strcmp(id, ID_MI300A) == 0)
        return 6; /* three chiplets less: they are CPUs */
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(mode, modes[i].name) == 0)
            return modes[i].parts;
    return 1;
}

static uint64_t _bits(int first, int count)
{
    uint64_t bits = 0;

    for (int i = first; i < first + count && i < GPUS_MAX; i++)
        bits |= UINT64_C(1) << i;
    return bits;
}

/* The socket of an MI300A is the NUMA node that its GPU is in, and the package of its CPUs. */
static struct coverage _socket(const char *dir, int number)
{
    uint64_t node;

    if (sysfs_u64(dir, "numa_node", &node) < 0 || node > 63)
        node = (uint64_t)number;
    return (struct coverage){COMPONENT_CPU | COMPONENT_GPU, UINT64_C(1) << node};
}

/* Fill in place, whose number is next unless it is a part of a CPU; the next number. */
static int _number(struct gpu_place *place, const struct gpu_place *before, const char *dir,
                   int next)
{
    char id[16] = "";
    int parts;

    (void)sysfs_text(dir, "device", id, sizeof(id));
    place->kind = _kind(place, before, dir, id);
    place->number = -1;
    place->coverage = (struct coverage){COMPONENT_GPU, COVERAGE_EVERYWHERE};
    if (place->kind == GPU_INTEGRATED)
        return next;
    place->number = next;
    parts = _parts(dir, id);
    place->coverage.domains = _bits(next, place->kind == GPU_CARD && _is_die(id) ? 2 : parts);
    if (place->kind == GPU_SOCKET)
        place->coverage = _socket(dir, next);
    return next + parts;
}

int gpu_list(const char *sysroot, const char *const drivers[], struct gpu_place list[GPUS_MAX])
{
    struct listing l = {list, 0};
    char dir[SOURCE_PATH_MAX];
    int next = 0;

    for (int i = 0; drivers[i]; i++)
        if (path_format(dir, sizeof(dir), "%s/sys/bus/pci/drivers/%s", sysroot, drivers[i]) == 0)
            (void)sysfs_each(dir, "", _add, &l);
    qsort(list, (size_t)l.n, sizeof(list[0]), _by_address);
    for (int i = 0; i < l.n; i++) {
        if (path_format(dir, sizeof(dir), "%s/sys/bus/pci/devices/%s", sysroot, list[i].pci) < 0 ||
            next >= GPUS_MAX)
            return i;
        next = _number(&list[i], i > 0 ? &list[i - 1] : NULL, dir, next);
    }
    return l.n;
}

const struct gpu_place *gpu_list_find(const struct gpu_place list[], int n, const char *pci)
{
    for (int i = 0; i < n; i++)
        if (strcmp(list[i].pci, pci) == 0)
            return &list[i];
    return NULL;
}

int gpu_list_card(const struct gpu_place list[], int n, int k, struct coverage *coverage)
{
    for (int i = 0; i < n; i++) {
        if (list[i].kind != GPU_CARD || k-- > 0)
            continue;
        *coverage = list[i].coverage;
        return 0;
    }
    return -1;
}
