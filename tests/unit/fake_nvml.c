/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver's library with NVML's ABI (NVIDIA's API reference), whose GPUs are files in the
 * directory $FAKE_NVML: PCI.energy (mJ) and PCI.power (mW) hold a number, "error N" (an
 * nvmlReturn_t) or "hang"; init, where it is there, holds the same for nvmlInit_v2. `calls` counts
 * the calls for energy. PCI.limit, PCI.limit_min and PCI.limit_max (mW) are the power management
 * limit, which can be set; PCI.set, where it is there, is what happens to that: a number is the
 * limit that the GPU takes instead.
 */
#include "fake_gpu.h"

const char fake_dir[] = "FAKE_NVML";

typedef enum {
    SUCCESS = 0,
    UNINITIALIZED = 1,
    INVALID = 2,
    NOT_FOUND = 6,
    UNKNOWN = 999
} nvmlReturn_t;
typedef struct nvmlDevice_st {
    char pci[32];
} * nvmlDevice_t;

EXPORT nvmlReturn_t nvmlInit_v2(void);
EXPORT nvmlReturn_t nvmlShutdown(void);
EXPORT nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char *pci, nvmlDevice_t *device);
EXPORT nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device,
                                                        unsigned long long *energy);
EXPORT nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned *power);
EXPORT nvmlReturn_t nvmlDeviceGetPowerManagementLimit(nvmlDevice_t device, unsigned *limit);
EXPORT nvmlReturn_t nvmlDeviceGetPowerManagementLimitConstraints(nvmlDevice_t device,
                                                                 unsigned *minLimit,
                                                                 unsigned *maxLimit);
EXPORT nvmlReturn_t nvmlDeviceSetPowerManagementLimit(nvmlDevice_t device, unsigned limit);

static int ready; /* counts: each init wants a shutdown, as with the driver's */
static struct nvmlDevice_st devices[16];

/* The number, or what else is to happen. */
static nvmlReturn_t read_value(const char *name, const char *suffix, unsigned long long *value)
{
    int rc = fake_value(name, suffix, value);
    return rc == FAKE_MISSING ? NOT_FOUND : (nvmlReturn_t)rc;
}

nvmlReturn_t nvmlInit_v2(void)
{
    unsigned long long ignored;
    nvmlReturn_t rc = read_value("init", "", &ignored);
    if (rc == NOT_FOUND)
        rc = SUCCESS;
    ready += rc == SUCCESS;
    return rc;
}

nvmlReturn_t nvmlShutdown(void)
{
    ready -= ready > 0;
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char *pci, nvmlDevice_t *device)
{
    FILE *f = fake_open(pci, ".energy", "r");
    if (f)
        fclose(f);
    if (!ready)
        return UNINITIALIZED;
    if (!f)
        return NOT_FOUND;
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        if (devices[i].pci[0] && strcmp(devices[i].pci, pci) != 0)
            continue;
        snprintf(devices[i].pci, sizeof(devices[i].pci), "%s", pci);
        *device = &devices[i];
        return SUCCESS;
    }
    return INVALID;
}

nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device, unsigned long long *energy)
{
    fake_count("calls");
    return ready ? read_value(device->pci, ".energy", energy) : UNINITIALIZED;
}

nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned *power)
{
    unsigned long long mw = 0;
    nvmlReturn_t rc = ready ? read_value(device->pci, ".power", &mw) : UNINITIALIZED;
    *power = (unsigned)mw;
    return rc;
}

static nvmlReturn_t read_limit(nvmlDevice_t device, const char *suffix, unsigned *limit)
{
    unsigned long long mw = 0;
    nvmlReturn_t rc = ready ? read_value(device->pci, suffix, &mw) : UNINITIALIZED;
    *limit = (unsigned)mw;
    return rc;
}

nvmlReturn_t nvmlDeviceGetPowerManagementLimit(nvmlDevice_t device, unsigned *limit)
{
    return read_limit(device, ".limit", limit);
}

nvmlReturn_t nvmlDeviceGetPowerManagementLimitConstraints(nvmlDevice_t device, unsigned *minLimit,
                                                          unsigned *maxLimit)
{
    nvmlReturn_t rc = read_limit(device, ".limit_min", minLimit);
    return rc == SUCCESS ? read_limit(device, ".limit_max", maxLimit) : rc;
}

/* Out of bounds is an error, as with the driver's. */
nvmlReturn_t nvmlDeviceSetPowerManagementLimit(nvmlDevice_t device, unsigned limit)
{
    unsigned min = 0, max = 0;
    unsigned long long instead = limit;
    nvmlReturn_t rc = nvmlDeviceGetPowerManagementLimitConstraints(device, &min, &max);
    if (rc == SUCCESS && (limit < min || limit > max))
        return INVALID;
    if (rc == SUCCESS)
        rc = read_value(device->pci, ".set", &instead);
    if (rc != SUCCESS && rc != NOT_FOUND)
        return rc;
    FILE *f = fake_open(device->pci, ".limit", "r+");
    if (!f)
        return UNKNOWN;
    fprintf(f, "%09llu\n", instead);
    return fclose(f) == 0 ? SUCCESS : UNKNOWN;
}
