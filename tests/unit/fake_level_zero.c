/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ABI of oneAPI Level Zero's loader (ze_api.h, zes_api.h of level-zero), whose GPUs are
 * files in the directory $FAKE_ZE: `list` has the PCI address of each, one a line; PCI.domains has
 * the power domains of a GPU, one a line: card, package, gpu, memory, root (of no known kind),
 * tile0, tile1, memory0, memory1; PCI.DOMAIN holds microjoules, "error N" (a ze_result_t) or
 * "hang"; what PCI.dip holds is said once instead. PCI.time is the time of the values, else it goes
 * on. zesDeviceGetCardPowerDomain knows those that PCI.getcard names. init and old-init, where they
 * are there, are what zesInit and zeInit say. Structures whose type is not what it should be are
 * refused.
 */
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "fake_gpu.h"

const char fake_dir[] = "FAKE_ZE";

typedef uint8_t ze_bool_t;
typedef enum {
    SUCCESS = 0,
    DEVICE_LOST = 0x70000001,
    UNINITIALIZED = 0x78000001,
    UNSUPPORTED_FEATURE = 0x78000003,
    INVALID_ARGUMENT = 0x78000004
} ze_result_t;

typedef struct _device {
    char pci[32];
} * zes_device_handle_t;
typedef struct _power {
    char pci[32], domain[16];
} * zes_pwr_handle_t;
typedef struct _driver {
    int unused;
} * zes_driver_handle_t;

typedef struct {
    uint32_t domain, bus, device, function;
} zes_pci_address_t;
typedef struct {
    int32_t gen, width;
    int64_t maxBandwidth;
} zes_pci_speed_t;
typedef struct {
    int stype;
    void *pNext;
    zes_pci_address_t address;
    zes_pci_speed_t maxSpeed;
    ze_bool_t haveBandwidthCounters, havePacketCounters, haveReplayCounters;
} zes_pci_properties_t;
typedef struct {
    int stype;
    const void *pNext;
    int level, source, limitUnit;
    ze_bool_t enabledStateLocked, enabled, intervalValueLocked;
    int32_t interval;
    ze_bool_t limitValueLocked;
    int32_t limit;
} zes_power_limit_ext_desc_t;
typedef struct {
    int stype;
    void *pNext;
    int domain;
    zes_power_limit_ext_desc_t *defaultLimit;
} zes_power_ext_properties_t;
typedef struct {
    int stype;
    void *pNext;
    ze_bool_t onSubdevice;
    uint32_t subdeviceId;
    ze_bool_t canControl, isEnergyThresholdSupported;
    int32_t defaultLimit, minLimit, maxLimit;
} zes_power_properties_t;
typedef struct {
    uint64_t energy, timestamp;
} zes_power_energy_counter_t;

EXPORT ze_result_t zesInit(uint32_t flags);
EXPORT ze_result_t zesDriverGet(uint32_t *n, zes_driver_handle_t *drivers);
EXPORT ze_result_t zesDeviceGet(zes_driver_handle_t driver, uint32_t *n,
                                zes_device_handle_t *devices);
EXPORT ze_result_t zeInit(uint32_t flags);
EXPORT ze_result_t zeDriverGet(uint32_t *n, zes_driver_handle_t *drivers);
EXPORT ze_result_t zeDeviceGet(zes_driver_handle_t driver, uint32_t *n,
                               zes_device_handle_t *devices);
EXPORT ze_result_t zesDevicePciGetProperties(zes_device_handle_t device, zes_pci_properties_t *p);
EXPORT ze_result_t zesDeviceGetCardPowerDomain(zes_device_handle_t device, zes_pwr_handle_t *power);
EXPORT ze_result_t zesDeviceEnumPowerDomains(zes_device_handle_t device, uint32_t *n,
                                             zes_pwr_handle_t *powers);
EXPORT ze_result_t zesPowerGetProperties(zes_pwr_handle_t power, zes_power_properties_t *p);
EXPORT ze_result_t zesPowerGetEnergyCounter(zes_pwr_handle_t power, zes_power_energy_counter_t *c);

static bool by_zes, by_ze;
static struct _driver driver;
static struct _device devices[16];
static struct _power powers[64];
static uint32_t n_powers;

static ze_result_t init(const char *file, bool *done)
{
    unsigned long long ignored;
    int rc = fake_value(file, "", &ignored);
    *done = rc == FAKE_MISSING || rc == 0;
    return *done ? SUCCESS : (ze_result_t)rc;
}

ze_result_t zesInit(uint32_t flags)
{
    return flags ? INVALID_ARGUMENT : init("init", &by_zes);
}

ze_result_t zeInit(uint32_t flags)
{
    const char *sysman = getenv("ZES_ENABLE_SYSMAN");
    ze_result_t rc = flags ? INVALID_ARGUMENT : init("old-init", &by_ze);
    by_ze = by_ze && sysman && strcmp(sysman, "1") == 0;
    return rc;
}

static ze_result_t drivers(bool ready, uint32_t *n, zes_driver_handle_t *handles)
{
    if (!ready)
        return UNINITIALIZED;
    if (*n > 0 && handles)
        handles[0] = &driver;
    *n = 1;
    return SUCCESS;
}

ze_result_t zesDriverGet(uint32_t *n, zes_driver_handle_t *handles)
{
    return drivers(by_zes, n, handles);
}

ze_result_t zeDriverGet(uint32_t *n, zes_driver_handle_t *handles)
{
    return drivers(by_ze, n, handles);
}

static ze_result_t list(bool ready, zes_driver_handle_t of, uint32_t *n,
                        zes_device_handle_t *handles)
{
    uint32_t got = 0;
    FILE *f = fake_open("list", "", "r");
    if (ready && of == &driver)
        while (f && got < 16 && fscanf(f, "%31s", devices[got].pci) == 1) {
            if (got < *n && handles)
                handles[got] = &devices[got];
            got++;
        }
    if (f)
        fclose(f);
    *n = got;
    return !ready ? UNINITIALIZED : of == &driver ? SUCCESS : INVALID_ARGUMENT;
}

ze_result_t zesDeviceGet(zes_driver_handle_t of, uint32_t *n, zes_device_handle_t *handles)
{
    return list(by_zes, of, n, handles);
}

ze_result_t zeDeviceGet(zes_driver_handle_t of, uint32_t *n, zes_device_handle_t *handles)
{
    return list(by_ze, of, n, handles);
}

ze_result_t zesDevicePciGetProperties(zes_device_handle_t device, zes_pci_properties_t *p)
{
    zes_pci_address_t *a = &p->address;
    if (p->stype != 0x2 || p->pNext)
        return INVALID_ARGUMENT;
    p->maxSpeed.maxBandwidth = -1;
    p->haveReplayCounters = 1;
    return sscanf(device->pci, "%x:%x:%x.%x", &a->domain, &a->bus, &a->device, &a->function) == 4
               ? SUCCESS
               : INVALID_ARGUMENT;
}

static zes_pwr_handle_t handle(const char *pci, const char *domain)
{
    for (uint32_t i = 0; i < n_powers; i++)
        if (strcmp(powers[i].pci, pci) == 0 && strcmp(powers[i].domain, domain) == 0)
            return &powers[i];
    if (n_powers == 64)
        abort();
    snprintf(powers[n_powers].pci, sizeof(powers[0].pci), "%s", pci);
    snprintf(powers[n_powers].domain, sizeof(powers[0].domain), "%s", domain);
    return &powers[n_powers++];
}

ze_result_t zesDeviceGetCardPowerDomain(zes_device_handle_t device, zes_pwr_handle_t *power)
{
    char domain[16] = "";
    FILE *f = fake_open(device->pci, ".getcard", "r");
    if (!f)
        return UNSUPPORTED_FEATURE;
    if (fscanf(f, "%15s", domain) == 1)
        *power = handle(device->pci, domain);
    fclose(f);
    return SUCCESS;
}

ze_result_t zesDeviceEnumPowerDomains(zes_device_handle_t device, uint32_t *n,
                                      zes_pwr_handle_t *handles)
{
    char domain[16];
    uint32_t got = 0;
    FILE *f = fake_open(device->pci, ".domains", "r");
    while (f && fscanf(f, "%15s", domain) == 1) {
        if (got < *n && handles)
            handles[got] = handle(device->pci, domain);
        got++;
    }
    if (f)
        fclose(f);
    *n = got;
    return SUCCESS;
}

static int kind(const char *domain)
{
    return strcmp(domain, "card") == 0         ? 1
           : strcmp(domain, "package") == 0    ? 2
           : strncmp(domain, "memory", 6) == 0 ? 4
           : strcmp(domain, "gpu") == 0        ? 5
           : strncmp(domain, "tile", 4) == 0   ? 3
                                               : 0;
}

ze_result_t zesPowerGetProperties(zes_pwr_handle_t power, zes_power_properties_t *p)
{
    char last = power->domain[strlen(power->domain) - 1];
    zes_power_ext_properties_t *ext = p->pNext;
    if (p->stype != 0xd)
        return INVALID_ARGUMENT;
    p->onSubdevice = last >= '0' && last <= '9';
    p->subdeviceId = p->onSubdevice ? (uint32_t)(last - '0') : 0;
    p->maxLimit = p->minLimit = p->defaultLimit = -1;
    if (ext && (ext->stype != 0x28 || (ext->defaultLimit && ext->defaultLimit->stype != 0x27)))
        return INVALID_ARGUMENT;
    if (ext)
        ext->domain = kind(power->domain);
    if (ext && ext->defaultLimit)
        ext->defaultLimit->limit = -1;
    return SUCCESS;
}

ze_result_t zesPowerGetEnergyCounter(zes_pwr_handle_t power, zes_power_energy_counter_t *c)
{
    unsigned long long uj = 0, t_us = 0;
    char suffix[20];
    struct timespec now;
    int rc;
    snprintf(suffix, sizeof(suffix), ".%s", power->domain);
    rc = fake_value(power->pci, ".dip", &uj);
    if (rc == FAKE_MISSING)
        rc = fake_value(power->pci, suffix, &uj);
    else
        fake_remove(power->pci, ".dip");
    if (fake_value(power->pci, ".time", &t_us) != 0) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        t_us = (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000;
    }
    c->energy = uj;
    c->timestamp = t_us;
    fake_count("calls");
    return rc == FAKE_MISSING ? UNSUPPORTED_FEATURE : (ze_result_t)rc;
}
