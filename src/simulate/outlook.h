/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a planner would have believed at a moment of the trace: the trace itself, or a forecast made
 * from what was known then.
 */
#ifndef CARNOT_SIMULATE_OUTLOOK_H
#define CARNOT_SIMULATE_OUTLOOK_H

#include <stdint.h>
#include "carbon/series.h"

enum outlook_kind {
    OUTLOOK_PERFECT = 0, /* the trace */
    OUTLOOK_API,         /* one issue a day at 0:00 UTC, 96 h, errors of an interface */
    OUTLOOK_ANCHORED,    /* Carnot's own profile, each hour anew: no interface at all */
    OUTLOOK_YESTERDAY,   /* the last 24 hours again */
    OUTLOOK_N
};
const char *outlook_name(enum outlook_kind k); /* "perfect", "api-like", ... */

/* Hours that a made forecast reaches; behind an interface's 96 the profile goes on. */
#define OUTLOOK_HOURS 336
#define OUTLOOK_API_HOURS 96

struct outlook {
    enum outlook_kind kind;
    struct series truth; /* borrowed; from a week before the first moment that is asked for */
    uint64_t seed;
    int64_t issued_s; /* of the points; INT64_MIN: none yet */
    unsigned issues;  /* made so far */
    struct series_point points[OUTLOOK_HOURS];
};

void outlook_init(struct outlook *o, enum outlook_kind kind, const struct series *truth,
                  uint64_t seed);

/* The belief at now_s, good until the next call. The same seed and moment give the same belief,
 * whatever was asked before. No allocation; a new issue costs O(OUTLOOK_HOURS x 7). */
struct series outlook_at(struct outlook *o, int64_t now_s);

#endif
