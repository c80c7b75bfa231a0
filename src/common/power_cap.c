/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scope, colon, power.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/power_cap.h"
#include "common/units.h"

static const char *const scopes[] = {"", "node:", "gpu:"};

const char *power_cap_parse(struct power_cap *cap, const char *text)
{
    enum power_cap_scope scope = POWER_CAP_GPU;
    uint64_t mw;

    while (scope > POWER_CAP_NONE && strncmp(text, scopes[scope], strlen(scopes[scope])) != 0)
        scope--;
    if (scope == POWER_CAP_NONE)
        return units_parse_power(text, &mw, NULL) == 0 ? "say whose power: of the node or each GPU"
                                                       : "not a power cap";
    errno = 0;
    if (units_parse_power(text + strlen(scopes[scope]), &mw, NULL) < 0)
        return errno == ERANGE ? "too much" : "not a power cap";
    if (mw < POWER_CAP_MIN_MW)
        return "too little";
    if (mw > POWER_CAP_MAX_MW)
        return "too much";
    cap->scope = scope;
    cap->mw = mw;
    return NULL;
}

char *power_cap_format(char *buf, size_t size, const struct power_cap *cap)
{
    if (cap->scope == POWER_CAP_NONE)
        buf[0] = '\0';
    else
        (void)snprintf(buf, size, "%s%" PRIu64 "mW", scopes[cap->scope], cap->mw);
    return buf;
}
