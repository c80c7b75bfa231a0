/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/path.h"
#include "helper/redfish.h"

#define POINTER "/PowerControl/"

int redfish_set_path(struct redfish *r, const char *path, struct err *e)
{
    const char *hash = strchr(path, '#');
    size_t n = hash ? (size_t)(hash - path) : strlen(path);

    if (n >= sizeof(r->path))
        return err_set(e, "the path is too long");
    memcpy(r->path, path, n);
    r->path[n] = '\0';
    if (!bmc_is_path(r->path))
        return err_set(e, "'%s' is no path: use one as in /redfish/v1/Chassis/1/Power", r->path);
    if (!hash)
        return 0;
    hash++;
    if (strncmp(hash, POINTER, strlen(POINTER)) != 0 ||
        !isdigit((unsigned char)hash[strlen(POINTER)]) ||
        path_format(r->pointer, sizeof(r->pointer), "%s", hash) < 0)
        return err_set(e, "'#%s' is no place in it: use one as in #/PowerControl/0", hash);
    return 0;
}

/* 1 and *value for a number that can be one of power or energy, 0 for none. */
static int _number(const json_t *json, const char *name, double *value, struct err *e)
{
    if (!json || json_is_null(json))
        return 0;
    errno = EBADMSG;
    if (!json_is_number(json))
        return err_set(e, "%s is no number", name);
    *value = json_number_value(json);
    if (!(*value >= 0 && *value <= 1e12))
        return err_set(e, "%s is %g, which is not believed", name, *value);
    return 1;
}

/* A sensor's excerpt in EnvironmentMetrics. */
static int _reading(const json_t *resource, const char *name, double *value, struct err *e)
{
    return _number(json_object_get(json_object_get(resource, name), "Reading"), name, value, e);
}

/* Entries that are switched off keep the last figure. */
static int _consumed(const json_t *entry, double *value, struct err *e)
{
    const char *state =
        json_string_value(json_object_get(json_object_get(entry, "Status"), "State"));

    if (state && (strcmp(state, "Absent") == 0 || strcmp(state, "Disabled") == 0 ||
                  strcmp(state, "UnavailableOffline") == 0))
        return 0;
    return _number(json_object_get(entry, "PowerConsumedWatts"), "PowerConsumedWatts", value, e);
}

/* Of several entries that have a figure, that of the chassis: others are of parts of it. */
static int _choose(const json_t *list, double *value, struct err *e)
{
    int n = 0, of_chassis = 0;
    double chassis = 0;
    const json_t *entry;
    size_t i;

    json_array_foreach(list, i, entry)
    {
        const char *context = json_string_value(json_object_get(entry, "PhysicalContext"));
        double watts;
        int rc = _consumed(entry, &watts, e);

        if (rc < 0)
            return -1;
        if (rc > 0 && context && strcmp(context, "Chassis") == 0) {
            of_chassis++;
            chassis = watts;
        }
        if (rc > 0) {
            n++;
            *value = watts;
        }
    }
    if (n <= 1)
        return n;
    *value = chassis;
    errno = ENOTUNIQ;
    return of_chassis == 1 ? 1
                           : err_set(e,
                                     "PowerControl has %d figures: #/PowerControl/N behind "
                                     "node.redfish_path chooses one",
                                     n);
}

int redfish_value(const struct redfish *r, const json_t *resource, double *value, struct err *e)
{
    const json_t *list = json_object_get(resource, "PowerControl");
    int rc;

    if (strcmp(r->unit, "J") == 0)
        return _reading(resource, "EnergyJoules", value, e);
    if (strcmp(r->unit, "kWh") == 0)
        return _reading(resource, "EnergykWh", value, e);
    if (r->pointer[0])
        return _consumed(json_array_get(list, strtoul(r->pointer + strlen(POINTER), NULL, 10)),
                         value, e);
    rc = _reading(resource, "PowerWatts", value, e);
    return rc != 0 ? rc : _choose(list, value, e);
}
