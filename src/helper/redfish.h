/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Redfish's resources say of power and energy: Power and EnvironmentMetrics as DMTF's schemas
 * (DSP8010) have them, and the way to them.
 */
#ifndef CARNOT_HELPER_REDFISH_H
#define CARNOT_HELPER_REDFISH_H

#include <jansson.h>
#include <stdint.h>

#include "common/err.h"
#include "helper/bmc.h"

/* "W", "J" or "kWh": PowerWatts, EnergyJoules or EnergykWh of EnvironmentMetrics, or
 * PowerConsumedWatts of Power's PowerControl, which is watts alone. */
struct redfish {
    const char *unit;
    char path[BMC_PATH_MAX]; /* the resource; "" = to be found */
    char pointer[32]; /* "/PowerControl/N" chooses an entry; "" = the only one, or that of the
                       * chassis */
};

/* path[#/PowerControl/N] into r, which is zero but for its unit. 0, or -1 and e. */
int redfish_set_path(struct redfish *r, const char *path, struct err *e);

/* The figure in a resource. 1 and *value, 0 when it has none of this unit; -1, errno and e:
 * EBADMSG when it is no sensible number, ENOTUNIQ when it has several. Pure. */
int redfish_value(const struct redfish *r, const json_t *resource, double *value, struct err *e);

/* Find the resource of the one chassis that has a figure and keep its path in r. 0, or -1, errno
 * and e: ENODATA when none has, ENOTUNIQ when several have, else as bmc_get(). */
int redfish_find(struct redfish *r, struct bmc *b, int64_t until_ms, struct err *e);

/* Find it if need be, and get the figure: an answer_f's work. 0, or -1, errno and e. */
int redfish_get(struct redfish *r, struct bmc *b, int64_t until_ms, double *value, struct err *e);

#endif
