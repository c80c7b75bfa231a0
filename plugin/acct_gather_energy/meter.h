/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What carnotd last said of the node or the step, as a sum that only grows: over restarts of
 * carnotd, over time-outs, and over answers that make no sense. Any thread; none waits for
 * another's question.
 */
#ifndef CARNOT_PLUGIN_METER_H
#define CARNOT_PLUGIN_METER_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/energy_query.h"

/* How long slurmd or slurmstepd may wait for carnotd. After a time-out nobody asks for a while,
 * longer each time: a carnotd that hangs costs next to nothing. */
#define METER_ASK_LIMIT_MS 100
#define METER_PAUSE_MIN_MS 1000
#define METER_PAUSE_MAX_MS 60000
/* slurmd asks before each of its reports, and again to write them; tasks of one step ask one after
 * the other: an answer this old is new enough. */
#define METER_NODE_AGE_MS 500
#define METER_STEP_AGE_MS 50
/* Nothing that Slurm runs on draws more; answers that say so are not believed. */
#define METER_POWER_MAX_W 1000000u

struct meter_reading {
    enum energy_of of; /* what this process asks for; NONE: that is not known (yet) */
    bool known;        /* there was an answer, now or earlier */
    uint64_t uj;       /* so far */
    bool power_known;
    uint64_t power_mw; /* mean between the last two answers */
    uint64_t mean_mw;  /* mean since the first one; 0 until the second */
    time_t when;       /* of the last answer */
};

/* Ask carnotd, unless that was done a moment ago or a pause is due; then what is known. Takes
 * METER_ASK_LIMIT_MS at most. */
void meter_read(struct meter_reading *r);

/* What is known, without a question. */
void meter_last(struct meter_reading *r);

/* ---- the arithmetic, pure; for tests ---- */

struct meter_state {
    bool known;
    uint64_t base_uj;          /* of earlier runs of carnotd */
    struct energy_answer last; /* the newest that was believed */
    uint64_t first_uj;         /* and the first, for the mean */
    int64_t first_ms, pair_ms; /* pair_ms: between the last two; 0 unknown */
    uint64_t pair_uj;
};

/* Take an answer over: 1, or 0 and *s unchanged when it cannot be true. */
int meter_take(struct meter_state *s, const struct energy_answer *a, enum energy_of of);

#endif
