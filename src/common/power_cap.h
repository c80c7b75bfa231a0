/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A power cap as a user writes it: "node:1800W" or "gpu:300W". The scope is always written, for a
 * bare number means a GPU's limit to some and a node's to others. Pure text, no allocation.
 */
#ifndef CARNOT_COMMON_POWER_CAP_H
#define CARNOT_COMMON_POWER_CAP_H

#include <stddef.h>
#include <stdint.h>

#define POWER_CAP_MIN_MW UINT64_C(1000)       /* 1 W */
#define POWER_CAP_MAX_MW UINT64_C(1000000000) /* 1 MW; no node draws it */
#define POWER_CAP_TEXT_SIZE 32

enum power_cap_scope {
    POWER_CAP_NONE = 0,
    POWER_CAP_NODE, /* all CPU packages and GPUs of the node together */
    POWER_CAP_GPU   /* each GPU of the job */
};

struct power_cap {
    enum power_cap_scope scope;
    uint64_t mw; /* 0 with POWER_CAP_NONE */
};

/* "node:1800W" (a unit as in units_parse_power): NULL, or what is wrong with it, as part of a
 * sentence; *cap is unchanged then. */
const char *power_cap_parse(struct power_cap *cap, const char *text);

/* As power_cap_parse reads it, in milliwatts: "node:1800000mW"; "" for none. buf. */
char *power_cap_format(char *buf, size_t size, const struct power_cap *cap);

#endif
