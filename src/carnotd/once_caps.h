/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of carnotd --once about power caps: could one be set here, by what, within which bounds?
 * It looks as carnot-powercap does, and writes nothing. That the firmware has locked a limit shows
 * only when it is written.
 */
#ifndef CARNOT_CARNOTD_ONCE_CAPS_H
#define CARNOT_CARNOTD_ONCE_CAPS_H

#include <jansson.h>
#include <stdio.h>

#include "common/err.h"
#include "powercap/limits.h"

struct once_caps {
    struct err owner;    /* who else looks after them, "" for nobody */
    const char *why_not; /* why none can be set, NULL if one can */
    struct limit v[LIMITS_MAX];
    int n;
};

/* Blocks on drivers, for CAP_HELPER_MS at most: a library that does not answer keeps its thread. */
void once_caps_look(struct once_caps *c, const char *sysroot);

json_t *once_caps_json(const struct once_caps *c); /* a new reference */

/* The same for people, with an empty line before it. */
void once_caps_print(const struct once_caps *c, FILE *out);

#endif
