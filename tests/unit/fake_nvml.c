/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver's library with NVML's ABI (NVIDIA's API reference), whose GPUs are files in the
 * directory $FAKE_NVML: PCI.energy (mJ) and PCI.power (mW) hold a number, "error N" (an
 * nvmlReturn_t) or "hang"; init, where it is there, holds the same for nvmlInit_v2. `calls` counts
 * the calls for energy.
 */
#include "fake_gpu.h"

const char fake_dir[] = "FAKE_NVML";

typedef enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID = 2, NOT_FOUND = 6 } nvmlReturn_t;
typedef struct nvmlDevice_st {
    char pci[32];
} * nvmlDevice_t;

EXPORT nvmlReturn_t nvmlInit_v2(void);
EXPORT nvmlReturn_t nvmlShutdown(void);
EXPORT nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char *pci, nvmlDevice_t *device);
EXPORT nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device,
                                                        unsigned long long *energy);
EXPORT nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned *power);

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
