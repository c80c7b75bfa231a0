/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is used of oneAPI Level Zero, in declarations of our own: level_zero/ze_api.h and zes_api.h
 * of level-zero 1.8.12 (Debian 12), and zesInit, zesDriverGet and zesDeviceGet of later ones.
 * Handles are pointers, ze_bool_t is a byte; layouts are those of 64-bit machines.
 */
#ifndef CARNOT_POWER_LEVEL_ZERO_ABI_H
#define CARNOT_POWER_LEVEL_ZERO_ABI_H

#include <stdint.h>

enum ze_result {
    ZE_SUCCESS = 0,
    ZE_DEVICE_LOST = 0x70000001,
    ZE_DEVICE_REQUIRES_RESET = 0x70000006,
    ZE_DEVICE_IN_LOW_POWER_STATE = 0x70000007,
    ZE_INSUFFICIENT_PERMISSIONS = 0x70010000,
    ZE_NOT_AVAILABLE = 0x70010001,
    ZE_DEPENDENCY_UNAVAILABLE = 0x70020000,
    ZE_UNINITIALIZED = 0x78000001,
    ZE_UNSUPPORTED_FEATURE = 0x78000003
};

enum zes_structure {
    ZES_PCI_PROPERTIES = 0x2,
    ZES_POWER_PROPERTIES = 0xd,
    ZES_POWER_LIMIT_EXT_DESC = 0x27,
    ZES_POWER_EXT_PROPERTIES = 0x28
};

enum zes_domain {
    ZES_DOMAIN_UNKNOWN = 0,
    ZES_DOMAIN_CARD = 1,
    ZES_DOMAIN_PACKAGE = 2,
    ZES_DOMAIN_STACK = 3,
    ZES_DOMAIN_MEMORY = 4, /* this and the next in later ones */
    ZES_DOMAIN_GPU = 5
};

struct ze_driver;
struct ze_device;
struct zes_power;

struct zes_pci_properties {
    int32_t type;
    void *next;
    uint32_t domain, bus, device, function;
    int32_t gen, width; /* of the fastest link */
    int64_t bandwidth;
    uint8_t have_bandwidth, have_packets, have_replays;
};

struct zes_power_limit_ext_desc {
    int32_t type;
    const void *next;
    int32_t level, source, unit;
    uint8_t state_locked, enabled, interval_locked;
    int32_t interval;
    uint8_t limit_locked;
    int32_t limit;
};

struct zes_power_ext_properties {
    int32_t type;
    void *next;
    int32_t domain;
    struct zes_power_limit_ext_desc *limit;
};

struct zes_power_properties {
    int32_t type;
    void *next;
    uint8_t on_subdevice;
    uint32_t subdevice;
    uint8_t can_control, has_threshold;
    int32_t default_limit_mw, min_limit_mw, max_limit_mw;
};

struct zes_power_energy_counter {
    uint64_t energy_uj;
    uint64_t t_us; /* on a clock of its own */
};

struct level_zero_calls {
    int (*init)(uint32_t flags); /* zesInit; with zeInit ZES_ENABLE_SYSMAN=1 does as much */
    int (*drivers)(uint32_t *n, struct ze_driver **drivers);
    int (*devices)(struct ze_driver *driver, uint32_t *n, struct ze_device **devices);
    int (*old_init)(uint32_t flags);
    int (*old_drivers)(uint32_t *n, struct ze_driver **drivers);
    int (*old_devices)(struct ze_driver *driver, uint32_t *n, struct ze_device **devices);
    int (*pci)(struct ze_device *device, struct zes_pci_properties *properties);
    int (*card_domain)(struct ze_device *device, struct zes_power **domain);
    int (*domains)(struct ze_device *device, uint32_t *n, struct zes_power **domains);
    int (*properties)(struct zes_power *domain, struct zes_power_properties *properties);
    int (*energy)(struct zes_power *domain, struct zes_power_energy_counter *counter);
};

#endif
