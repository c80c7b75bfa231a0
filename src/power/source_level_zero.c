/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Level Zero Sysman. A card has power domains, some of which are parts of others: the card's, the
 * package's, and those of its subdevices (tiles). One level alone is used: the card's, else the
 * package's, else all tiles', one domain of each.
 *
 * - A counter has the time of its value: the same time again is no news, and for long no value.
 * - It may fall to next to nothing for one reading and then go on as before (compute-runtime issue
 *   938); what lasts for two readings is a counter that began anew.
 * - Drivers of before zesInit have Sysman by zeInit, if ZES_ENABLE_SYSMAN is set.
 *
 * The loader stays open to the end: drivers that it has opened have threads of their own.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "power/gpu_library.h"
#include "power/level_zero_abi.h"
#include "power/source_level_zero.h"

#define DRIVERS_MAX 8
#define DOMAINS_MAX 16
#define STALE_MS 10000

struct device {
    struct ze_device *device;
    struct zes_power *domain[DOMAINS_MAX]; /* that are added up */
    int n;
    uint64_t t_us;      /* of the value */
    int64_t changed_ms; /* and since when it has been that */
    bool low;           /* the answer before this one was below the value */
};

struct level_zero {
    void *library;
    struct level_zero_calls calls;
    bool old; /* by zeInit */
    struct device gpu[GPUS_MAX];
};

const char *source_level_zero_library = "libze_loader.so.1";

#define CALL(name) offsetof(struct level_zero_calls, name)
static const struct gpu_symbol symbols[] = {
    {"zesInit", CALL(init), true},
    {"zesDriverGet", CALL(drivers), true},
    {"zesDeviceGet", CALL(devices), true},
    {"zeInit", CALL(old_init), false},
    {"zeDriverGet", CALL(old_drivers), false},
    {"zeDeviceGet", CALL(old_devices), false},
    {"zesDevicePciGetProperties", CALL(pci), false},
    {"zesDeviceGetCardPowerDomain", CALL(card_domain), true},
    {"zesDeviceEnumPowerDomains", CALL(domains), false},
    {"zesPowerGetProperties", CALL(properties), false},
    {"zesPowerGetEnergyCounter", CALL(energy), false}};

static int _errno_of(int rc)
{
    switch (rc) {
    case ZE_SUCCESS:
        return 0;
    case ZE_DEVICE_LOST:
    case ZE_DEVICE_REQUIRES_RESET:
        return ENODEV;
    case ZE_INSUFFICIENT_PERMISSIONS:
        return EACCES;
    case ZE_NOT_AVAILABLE:
        return EBUSY;
    case ZE_DEPENDENCY_UNAVAILABLE:
        return ENOENT;
    case ZE_UNINITIALIZED:
        return ENXIO;
    case ZE_UNSUPPORTED_FEATURE:
        return ENOTSUP;
    default:
        return EIO;
    }
}

static int _begin(void *own)
{
    const char *const names[] = {source_level_zero_library, NULL};
    struct level_zero *z = own;
    int rc;

    if (!z->library)
        z->library =
            gpu_library_open(names, symbols, sizeof(symbols) / sizeof(symbols[0]), &z->calls);
    if (!z->library)
        return errno;
    for (int i = 0; i < GPUS_MAX; i++)
        z->gpu[i].device = NULL;
    z->old = !z->calls.init || !z->calls.drivers || !z->calls.devices;
    rc = z->old ? ZE_UNINITIALIZED : z->calls.init(0);
    if (rc == ZE_SUCCESS)
        return 0;
    /* a loader that has zesInit may have a driver that has not */
    z->old = true;
    return _errno_of(z->calls.old_init(0));
}

/* ---- the device at an address ---- */

static bool _is_at(const struct level_zero *z, struct ze_device *device, const char *pci)
{
    struct zes_pci_properties p = {.type = ZES_PCI_PROPERTIES};
    char text[64];

    if (z->calls.pci(device, &p) != ZE_SUCCESS)
        return false;
    (void)snprintf(text, sizeof(text), "%04x:%02x:%02x.%x", p.domain, p.bus, p.device, p.function);
    return strcmp(text, pci) == 0;
}

static int _find_of(const struct level_zero *z, struct ze_driver *driver, const char *pci,
                    struct ze_device **device)
{
    struct ze_device *devices[GPUS_MAX];
    uint32_t n = GPUS_MAX;
    int rc = (z->old ? z->calls.old_devices : z->calls.devices)(driver, &n, devices);

    for (uint32_t i = 0; rc == ZE_SUCCESS && i < n && i < GPUS_MAX; i++) {
        if (!_is_at(z, devices[i], pci))
            continue;
        *device = devices[i];
        return 0;
    }
    return rc == ZE_SUCCESS ? ENODEV : _errno_of(rc);
}

static int _find(const struct level_zero *z, const char *pci, struct ze_device **device)
{
    struct ze_driver *drivers[DRIVERS_MAX];
    uint32_t n = DRIVERS_MAX;
    int error = _errno_of((z->old ? z->calls.old_drivers : z->calls.drivers)(&n, drivers));

    if (error)
        return error;
    error = ENODEV;
    for (uint32_t i = 0; i < n && i < DRIVERS_MAX && error == ENODEV; i++)
        error = _find_of(z, drivers[i], pci, device);
    return error;
}

/* ---- its power domains ---- */

/* The smaller the better; of a level that has more than one domain, the best is all of it. */
enum rank { RANK_CARD = 0, RANK_PACKAGE, RANK_UNKNOWN, RANK_TILE, RANK_PART };

static enum rank _rank(const struct level_zero *z, struct zes_power *domain, uint32_t *tile)
{
    struct zes_power_limit_ext_desc limit = {.type = ZES_POWER_LIMIT_EXT_DESC};
    struct zes_power_ext_properties ext = {.type = ZES_POWER_EXT_PROPERTIES, .limit = &limit};
    struct zes_power_properties p = {.type = ZES_POWER_PROPERTIES, .next = &ext};

    if (z->calls.properties(domain, &p) != ZE_SUCCESS || ext.domain == ZES_DOMAIN_MEMORY ||
        ext.domain == ZES_DOMAIN_GPU)
        return RANK_PART;
    *tile = p.subdevice;
    if (p.on_subdevice || ext.domain == ZES_DOMAIN_STACK)
        return RANK_TILE;
    return ext.domain == ZES_DOMAIN_CARD      ? RANK_CARD
           : ext.domain == ZES_DOMAIN_PACKAGE ? RANK_PACKAGE
                                              : RANK_UNKNOWN;
}

/* The domains to be added up among n: one of the best level, or one of each tile. */
static void _choose(const struct level_zero *z, struct device *d, struct zes_power *const all[],
                    int n)
{
    enum rank best = RANK_PART, rank;
    uint64_t tiles = 0;
    uint32_t tile = 0;

    d->n = 0;
    for (int i = 0; i < n; i++) {
        rank = _rank(z, all[i], &tile);
        if (rank == RANK_PART || (rank >= best && rank != RANK_TILE) || rank > best || tile > 63)
            continue;
        if (rank == RANK_TILE && tiles & UINT64_C(1) << tile)
            continue;
        if (rank != RANK_TILE)
            d->n = 0;
        else
            tiles |= UINT64_C(1) << tile;
        d->domain[d->n++] = all[i];
        best = rank;
    }
}

static int _find_domains(const struct level_zero *z, struct device *d)
{
    struct zes_power *all[DOMAINS_MAX];
    uint32_t n = DOMAINS_MAX;
    int rc;

    if (z->calls.card_domain && z->calls.card_domain(d->device, &d->domain[0]) == ZE_SUCCESS) {
        d->n = 1;
        return 0;
    }
    rc = z->calls.domains(d->device, &n, all);
    if (rc != ZE_SUCCESS)
        return _errno_of(rc);
    _choose(z, d, all, n < DOMAINS_MAX ? (int)n : DOMAINS_MAX);
    return d->n > 0 ? 0 : ENOTSUP;
}

/* ---- its energy ---- */

static int _read(const struct level_zero *z, const struct device *d, uint64_t *uj, uint64_t *t_us)
{
    *uj = *t_us = 0;
    for (int i = 0; i < d->n; i++) {
        struct zes_power_energy_counter c = {0, 0};
        int rc = z->calls.energy(d->domain[i], &c);

        if (rc != ZE_SUCCESS)
            return rc;
        if (c.energy_uj > INT64_MAX || *uj + c.energy_uj > INT64_MAX)
            *uj = UINT64_MAX; /* not what a GPU can have used */
        else
            *uj += c.energy_uj;
        *t_us = c.t_us > *t_us ? c.t_us : *t_us;
    }
    return ZE_SUCCESS;
}

static int _judge(struct device *d, struct gpu *gpu, uint64_t uj, uint64_t t_us)
{
    int64_t now_ms = clock_mono_ms(&clock_system);

    if (t_us == d->t_us && d->changed_ms)
        return now_ms - d->changed_ms > STALE_MS ? ETIMEDOUT : 0;
    d->t_us = t_us;
    d->changed_ms = now_ms;
    if (uj == UINT64_MAX)
        return ERANGE;
    d->low = uj < gpu->uj && !d->low;
    if (!d->low)
        gpu->uj = uj;
    return 0;
}

static int _ask(void *own, int i, struct gpu *gpu)
{
    struct level_zero *z = own;
    struct device *d = &z->gpu[i];
    uint64_t uj, t_us;
    int rc, error;

    if (!d->device) {
        d->n = 0;
        error = _find(z, gpu->place.pci, &d->device);
        if (error)
            return error;
    }
    error = d->n > 0 ? 0 : _find_domains(z, d);
    if (error)
        return error;
    rc = _read(z, d, &uj, &t_us);
    if (rc == ZE_DEVICE_IN_LOW_POWER_STATE)
        return 0;
    if (rc == ZE_DEVICE_LOST)
        d->device = NULL;
    return rc == ZE_SUCCESS ? _judge(d, gpu, uj, t_us) : _errno_of(rc);
}

static void _end(void *own)
{
    (void)own; /* Sysman has no end */
}

static const struct gpu_vendor vendor = {
    .name = "level_zero", .begin = _begin, .ask = _ask, .end = _end, .release = free};

void source_level_zero_environment(void)
{
    (void)setenv("ZES_ENABLE_SYSMAN", "1", 0);
}

int source_level_zero_probe(const char *sysroot, struct source sources[], int max, struct err *e)
{
    struct gpu_place places[GPUS_MAX];
    int n = gpu_list(sysroot, gpu_list_intel, places);
    struct level_zero *z;

    if (n == 0)
        return 0;
    z = calloc(1, sizeof(*z));
    return z ? gpu_library_probe(&vendor, z, sysroot, places, n, sources, max, e)
             : err_errno(e, "no memory for GPUs");
}
