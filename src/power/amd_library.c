/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two libraries of AMD. ROCm SMI numbers GPUs from 0 on, anew at each init; so they are looked
 * up by address.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "power/amd_library.h"
#include "power/gpu_library.h"

/* The version is that of the packaging: 1 in ROCm 7 and in distributions', 7 in ROCm 6, 5 and 6
 * before. AMD's own packages install below /opt. */
static const char *const rsmi_names[] = {"librocm_smi64.so.1",
                                         "librocm_smi64.so.7",
                                         "librocm_smi64.so.6",
                                         "librocm_smi64.so.5",
                                         "/opt/rocm/lib/librocm_smi64.so",
                                         NULL};
static const char *const amdsmi_names[] = {"libamd_smi.so.26", "libamd_smi.so.25",
                                           "libamd_smi.so.24", "/opt/rocm/lib/libamd_smi.so", NULL};

const char *const *amd_library_rsmi = rsmi_names;
const char *const *amd_library_amdsmi = amdsmi_names;

static const struct gpu_symbol rsmi_symbols[] = {
    {"rsmi_init", offsetof(struct rsmi_calls, init), false},
    {"rsmi_shut_down", offsetof(struct rsmi_calls, shut_down), false},
    {"rsmi_num_monitor_devices", offsetof(struct rsmi_calls, count), false},
    {"rsmi_dev_pci_id_get", offsetof(struct rsmi_calls, pci_id), false},
    {"rsmi_dev_energy_count_get", offsetof(struct rsmi_calls, energy), true},
    {"rsmi_dev_power_get", offsetof(struct rsmi_calls, power), true},
    {"rsmi_dev_power_ave_get", offsetof(struct rsmi_calls, average_power), true}};

static const struct gpu_symbol amdsmi_symbols[] = {
    {"amdsmi_init", offsetof(struct amdsmi_calls, init), false},
    {"amdsmi_shut_down", offsetof(struct amdsmi_calls, shut_down), false},
    {"amdsmi_get_processor_handle_from_bdf", offsetof(struct amdsmi_calls, by_address), false},
    {"amdsmi_get_energy_count", offsetof(struct amdsmi_calls, energy), false}};

/* A file that cannot be read is the kernel's of a GPU: it is gone. */
static int _rsmi_errno(int rc)
{
    switch (rc) {
    case RSMI_SUCCESS:
        return 0;
    case RSMI_NOT_SUPPORTED:
    case RSMI_NOT_YET_IMPLEMENTED:
        return ENOTSUP;
    case RSMI_FILE_ERROR:
    case RSMI_NOT_FOUND:
        return ENODEV;
    case RSMI_PERMISSION:
        return EACCES;
    case RSMI_INIT_ERROR:
        return ENXIO;
    case RSMI_NO_DATA:
        return ENODATA;
    case RSMI_BUSY:
        return EBUSY;
    default:
        return EIO;
    }
}

static int _amdsmi_errno(int rc)
{
    switch (rc) {
    case AMDSMI_SUCCESS:
        return 0;
    case AMDSMI_NOT_SUPPORTED:
    case AMDSMI_NOT_YET_IMPLEMENTED:
        return ENOTSUP;
    case AMDSMI_FILE_ERROR:
    case AMDSMI_NOT_FOUND:
        return ENODEV;
    case AMDSMI_NO_PERM:
        return EACCES;
    case AMDSMI_INIT_ERROR:
    case AMDSMI_NOT_INIT:
    case AMDSMI_DRIVER_NOT_LOADED:
        return ENXIO;
    case AMDSMI_NO_DATA:
        return ENODATA;
    case AMDSMI_BUSY:
        return EBUSY;
    default:
        return EIO;
    }
}

static int _open(struct amd_library *l)
{
    l->is_amdsmi = 0;
    l->library = gpu_library_open(amd_library_rsmi, rsmi_symbols,
                                  sizeof(rsmi_symbols) / sizeof(rsmi_symbols[0]), &l->rsmi);
    if (l->library || errno != ELIBACC)
        return l->library ? 0 : errno;
    l->is_amdsmi = 1;
    l->library = gpu_library_open(amd_library_amdsmi, amdsmi_symbols,
                                  sizeof(amdsmi_symbols) / sizeof(amdsmi_symbols[0]), &l->amdsmi);
    return l->library ? 0 : errno;
}

int amd_library_begin(struct amd_library *l)
{
    int error = l->library ? 0 : _open(l);

    if (error)
        return error;
    return l->is_amdsmi ? _amdsmi_errno(l->amdsmi.init(AMDSMI_INIT_GPUS))
                        : _rsmi_errno(l->rsmi.init(0));
}

void amd_library_end(struct amd_library *l)
{
    (void)(l->is_amdsmi ? l->amdsmi.shut_down() : l->rsmi.shut_down());
}

void amd_library_close(struct amd_library *l)
{
    if (l->library)
        (void)dlclose(l->library);
    l->library = NULL;
}

static int _find_index(const struct rsmi_calls *calls, uint64_t bdf, uint32_t *index)
{
    uint32_t n = 0;
    uint64_t other;
    int error = _rsmi_errno(calls->count(&n));

    for (uint32_t i = 0; i < n && !error; i++) {
        if (calls->pci_id(i, &other) != RSMI_SUCCESS || (other & RSMI_BDF_MASK) != bdf)
            continue;
        *index = i;
        return 0;
    }
    return error ? error : ENODEV;
}

int amd_library_find(const struct amd_library *l, const char *pci, struct amd_device *device)
{
    unsigned domain, bus, dev, function;
    uint64_t bdf;

    if (sscanf(pci, "%x:%x:%x.%x", &domain, &bus, &dev, &function) != 4)
        return ENODEV;
    bdf = (uint64_t)(bus << 8 | dev << 3 | function);
    if (l->is_amdsmi)
        return _amdsmi_errno(
            l->amdsmi.by_address(bdf | (uint64_t)domain << 16, &device->processor));
    return _find_index(&l->rsmi, bdf | (uint64_t)domain << 32, &device->index);
}

int amd_library_energy(const struct amd_library *l, const struct amd_device *device,
                       uint64_t *count, float *resolution_uj)
{
    uint64_t t_ns;

    if (l->is_amdsmi)
        return _amdsmi_errno(l->amdsmi.energy(device->processor, count, resolution_uj, &t_ns));
    if (!l->rsmi.energy)
        return ENOTSUP;
    return _rsmi_errno(l->rsmi.energy(device->index, count, resolution_uj, &t_ns));
}

int amd_library_power(const struct amd_library *l, const struct amd_device *device,
                      uint64_t *power_uw)
{
    int type, error = ENOTSUP;

    if (l->is_amdsmi)
        return error;
    if (l->rsmi.power)
        error = _rsmi_errno(l->rsmi.power(device->index, power_uw, &type));
    if (error == ENOTSUP && l->rsmi.average_power)
        error = _rsmi_errno(l->rsmi.average_power(device->index, 0, power_uw));
    return error;
}
