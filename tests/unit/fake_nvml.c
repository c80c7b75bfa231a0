/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver's library with NVML's ABI (NVIDIA's API reference), whose GPUs are files in the
 * directory $FAKE_NVML: PCI.energy (mJ) and PCI.power (mW) hold a number, "error N" (an
 * nvmlReturn_t) or "hang"; init, where it is there, holds the same for nvmlInit_v2. `calls` counts
 * the calls for energy.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

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

static FILE *open_file(const char *name, const char *suffix)
{
    char path[4096];
    const char *dir = getenv("FAKE_NVML");
    snprintf(path, sizeof(path), "%s/%s%s", dir ? dir : "/nonexistent", name, suffix);
    return fopen(path, "r");
}

/* The number, or what else is to happen; the file may be cut just while it is written. */
static nvmlReturn_t read_value(const char *name, const char *suffix, unsigned long long *value)
{
    char text[64] = "";
    FILE *f = open_file(name, suffix);
    if (!f)
        return NOT_FOUND;
    (void)!fgets(text, sizeof(text), f);
    fclose(f);
    while (strncmp(text, "hang", 4) == 0)
        sleep(1);
    if (strncmp(text, "error ", 6) == 0)
        return (nvmlReturn_t)atoi(text + 6);
    *value = strtoull(text, NULL, 10);
    return SUCCESS;
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
    FILE *f = open_file(pci, ".energy");
    if (!ready)
        return UNINITIALIZED;
    if (!f)
        return NOT_FOUND;
    fclose(f);
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        if (devices[i].pci[0] && strcmp(devices[i].pci, pci) != 0)
            continue;
        snprintf(devices[i].pci, sizeof(devices[i].pci), "%s", pci);
        *device = &devices[i];
        return SUCCESS;
    }
    return INVALID;
}

static void count_call(void)
{
    char path[4096];
    const char *dir = getenv("FAKE_NVML");
    snprintf(path, sizeof(path), "%s/calls", dir ? dir : "/nonexistent");
    FILE *f = fopen(path, "a");
    if (f) {
        fputs(".", f);
        fclose(f);
    }
}

nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device, unsigned long long *energy)
{
    count_call();
    return ready ? read_value(device->pci, ".energy", energy) : UNINITIALIZED;
}

nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned *power)
{
    unsigned long long mw = 0;
    nvmlReturn_t rc = ready ? read_value(device->pci, ".power", &mw) : UNINITIALIZED;
    *power = (unsigned)mw;
    return rc;
}
