/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ROCm SMI's ABI (rocm_smi.h of ROCm 6), whose GPUs are files in the directory $FAKE_AMD: `list`
 * has the PCI address of each, one a line, in the library's own order; PCI.count (energy counter),
 * PCI.power and PCI.average (uW; what there is no file of is not supported) hold a number, "error
 * N" (an rsmi_status_t) or "hang"; init, where it is there, the same for rsmi_init. A GPU that is
 * not in the list any more, or not yet, is a file that cannot be read, until the next init.
 * `resolution` is that of the counter in uJ * 1000. Addresses have a partition's number in bits
 * 28-31 where the list says "PCI N".
 */
#include <stdint.h>

#include "fake_gpu.h"

const char fake_dir[] = "FAKE_AMD";

typedef enum {
    SUCCESS = 0,
    INVALID_ARGS = 1,
    NOT_SUPPORTED = 2,
    FILE_ERROR = 3,
    INIT_ERROR = 8
} rsmi_status_t;
typedef enum { AVERAGE_POWER = 0, CURRENT_POWER, INVALID_POWER = 0xffffffff } RSMI_POWER_TYPE;

EXPORT rsmi_status_t rsmi_init(uint64_t flags);
EXPORT rsmi_status_t rsmi_shut_down(void);
EXPORT rsmi_status_t rsmi_num_monitor_devices(uint32_t *n);
EXPORT rsmi_status_t rsmi_dev_pci_id_get(uint32_t dv_ind, uint64_t *bdfid);
EXPORT rsmi_status_t rsmi_dev_energy_count_get(uint32_t dv_ind, uint64_t *power,
                                               float *counter_resolution, uint64_t *timestamp);
EXPORT rsmi_status_t rsmi_dev_power_get(uint32_t dv_ind, uint64_t *power, RSMI_POWER_TYPE *type);
EXPORT rsmi_status_t rsmi_dev_power_ave_get(uint32_t dv_ind, uint32_t sensor, uint64_t *power);

static int ready;
static struct {
    char pci[32];
    uint64_t partition;
} devices[16];
static uint32_t n_devices;

static void read_list(void)
{
    char line[64];
    FILE *f = fake_open("list", "", "r");
    n_devices = 0;
    while (f && n_devices < 16 && fgets(line, sizeof(line), f)) {
        unsigned long long partition = 0;
        if (sscanf(line, "%31s %llu", devices[n_devices].pci, &partition) >= 1)
            devices[n_devices++].partition = partition;
    }
    if (f)
        fclose(f);
}

/* Is it there now? */
static int is_present(const char *pci)
{
    char line[64] = "", name[32];
    FILE *f = fake_open("list", "", "r");
    int found = 0;
    while (f && !found && fgets(line, sizeof(line), f))
        found = sscanf(line, "%31s", name) == 1 && strcmp(name, pci) == 0;
    if (f)
        fclose(f);
    return found;
}

rsmi_status_t rsmi_init(uint64_t flags)
{
    unsigned long long ignored;
    int rc = fake_value("init", "", &ignored);
    fake_count("inits");
    if (rc != FAKE_MISSING && rc != 0) {
        printf("Exception caught: rsmi_init.\n"); /* as the true one does */
        return (rsmi_status_t)rc;
    }
    if (flags != 0)
        return INVALID_ARGS;
    if (ready++ == 0)
        read_list();
    return SUCCESS;
}

rsmi_status_t rsmi_shut_down(void)
{
    if (ready == 0)
        return INIT_ERROR;
    ready--;
    return SUCCESS;
}

rsmi_status_t rsmi_num_monitor_devices(uint32_t *n)
{
    *n = n_devices;
    return ready ? SUCCESS : INIT_ERROR;
}

rsmi_status_t rsmi_dev_pci_id_get(uint32_t dv_ind, uint64_t *bdfid)
{
    unsigned domain, bus, device, function;
    if (!ready)
        return INIT_ERROR;
    if (dv_ind >= n_devices ||
        sscanf(devices[dv_ind].pci, "%x:%x:%x.%x", &domain, &bus, &device, &function) != 4)
        return INVALID_ARGS;
    *bdfid = (uint64_t)domain << 32 | devices[dv_ind].partition << 28 | bus << 8 | device << 3 |
             function;
    return SUCCESS;
}

static rsmi_status_t read_value(uint32_t dv_ind, const char *suffix, uint64_t *value)
{
    unsigned long long number = 0;
    int rc;
    if (!ready)
        return INIT_ERROR;
    if (dv_ind >= n_devices || !value)
        return INVALID_ARGS;
    if (!is_present(devices[dv_ind].pci))
        return FILE_ERROR;
    rc = fake_value(devices[dv_ind].pci, suffix, &number);
    *value = number;
    return rc == FAKE_MISSING ? NOT_SUPPORTED : (rsmi_status_t)rc;
}

rsmi_status_t rsmi_dev_energy_count_get(uint32_t dv_ind, uint64_t *power, float *counter_resolution,
                                        uint64_t *timestamp)
{
    unsigned long long thousandths = 15300;
    (void)fake_value("resolution", "", &thousandths);
    fake_count("calls");
    if (!power || !timestamp)
        return INVALID_ARGS;
    if (counter_resolution)
        *counter_resolution = thousandths == 15300 ? 15.3f : (float)thousandths / 1000;
    *timestamp = 1;
    return read_value(dv_ind, ".count", power);
}

rsmi_status_t rsmi_dev_power_get(uint32_t dv_ind, uint64_t *power, RSMI_POWER_TYPE *type)
{
    if (!type)
        return INVALID_ARGS;
    *type = CURRENT_POWER;
    return read_value(dv_ind, ".power", power);
}

rsmi_status_t rsmi_dev_power_ave_get(uint32_t dv_ind, uint32_t sensor, uint64_t *power)
{
    return sensor == 0 ? read_value(dv_ind, ".average", power) : NOT_SUPPORTED;
}
