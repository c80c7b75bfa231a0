/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AMD SMI's ABI (amdsmi.h of ROCm 6), as far as its energy counter; PCI.count in the directory
 * $FAKE_AMD holds a number, "error N" (an amdsmi_status_t) or "hang". `amdsmi-inits` counts inits.
 */
#include <stdint.h>

#include "fake_gpu.h"

const char fake_dir[] = "FAKE_AMD";

typedef enum { SUCCESS = 0, INVAL = 1, NOT_FOUND = 31, NOT_INIT = 32 } amdsmi_status_t;
typedef void *amdsmi_processor_handle;
typedef union {
    struct bdf_ {
        uint64_t function_number : 3;
        uint64_t device_number : 5;
        uint64_t bus_number : 8;
        uint64_t domain_number : 48;
    } bdf;
    uint64_t as_uint;
} amdsmi_bdf_t;

EXPORT amdsmi_status_t amdsmi_init(uint64_t flags);
EXPORT amdsmi_status_t amdsmi_shut_down(void);
EXPORT amdsmi_status_t amdsmi_get_processor_handle_from_bdf(amdsmi_bdf_t bdf,
                                                            amdsmi_processor_handle *handle);
EXPORT amdsmi_status_t amdsmi_get_energy_count(amdsmi_processor_handle handle, uint64_t *count,
                                               float *resolution, uint64_t *timestamp);

static int ready;
static char names[16][32];

amdsmi_status_t amdsmi_init(uint64_t flags)
{
    fake_count("amdsmi-inits");
    if (flags != 1 << 1)
        return INVAL;
    ready++;
    return SUCCESS;
}

amdsmi_status_t amdsmi_shut_down(void)
{
    ready -= ready > 0;
    return SUCCESS;
}

amdsmi_status_t amdsmi_get_processor_handle_from_bdf(amdsmi_bdf_t bdf,
                                                     amdsmi_processor_handle *handle)
{
    char pci[32];
    FILE *f;
    if (!ready)
        return NOT_INIT;
    snprintf(pci, sizeof(pci), "%04x:%02x:%02x.%x", (unsigned)bdf.bdf.domain_number,
             (unsigned)bdf.bdf.bus_number, (unsigned)bdf.bdf.device_number,
             (unsigned)bdf.bdf.function_number);
    f = fake_open(pci, ".count", "r");
    if (!f)
        return NOT_FOUND;
    fclose(f);
    for (int i = 0; i < 16; i++) {
        if (names[i][0] && strcmp(names[i], pci) != 0)
            continue;
        snprintf(names[i], sizeof(names[i]), "%s", pci);
        *handle = names[i];
        return SUCCESS;
    }
    return NOT_FOUND;
}

amdsmi_status_t amdsmi_get_energy_count(amdsmi_processor_handle handle, uint64_t *count,
                                        float *resolution, uint64_t *timestamp)
{
    unsigned long long value = 0;
    int rc = ready ? fake_value(handle, ".count", &value) : NOT_INIT;
    *count = value;
    *resolution = 15.3f;
    *timestamp = 1;
    return rc == FAKE_MISSING ? NOT_FOUND : (amdsmi_status_t)rc;
}
