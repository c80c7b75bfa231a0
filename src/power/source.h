/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A source of power: one zone, meter or model that gives energy. What it covers,
 * its unit, range and limits are fixed when it is probed; after that it is only read. Each kind of
 * source has a file of its own that fills in a struct source and its ops.
 *
 * Nothing here logs, and nothing allocates after probing. One thread.
 */
#ifndef CARNOT_POWER_SOURCE_H
#define CARNOT_POWER_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "power/counter.h"
#include "power/coverage.h"

enum quality { QUALITY_MEASURED = 0, QUALITY_SPLIT, QUALITY_MODELLED, QUALITY_STALE };

/* From fine to bad: the state of an interval is the worst of its readings. */
enum source_state {
    SOURCE_OK = 0,
    SOURCE_FIRST,
    SOURCE_WRAPPED,
    SOURCE_RESET,
    SOURCE_IMPLAUSIBLE,
    SOURCE_STALE,
    SOURCE_MISSING /* could not be read */
};

#define SOURCE_NAME_MAX 64
#define SOURCE_PATH_MAX 256

struct source;

struct source_ops {
    /* The counter as it stands, in microjoules; t_ms is monotonic, for those that have to integrate
     * power. 0, or -1 and errno; must not block. */
    int (*read)(struct source *s, int64_t t_ms, uint64_t *raw_uj);
    /* Try to get back what could not be read (a driver came back, rights were granted). 0 or -1. */
    int (*reopen)(struct source *s);
    void (*close)(struct source *s);
};

struct source {
    /* Fixed by the probe. */
    const struct source_ops *ops;
    char name[SOURCE_NAME_MAX]; /* "rapl:package-0": letters, digits and . _ : - only */
    char path[SOURCE_PATH_MAX]; /* what is read, "" for none */
    enum quality quality;       /* measured or modelled */
    struct coverage coverage;
    bool inside;      /* a part of another source of the same node: shown, never summed */
    bool meter;       /* measures all of its coverage as one, whatever parts others give of it */
    int package;      /* physical package, -1 when it belongs to none */
    int fd;           /* -1 when closed */
    bool sampled;     /* counts while it is open here: nothing is known of when nobody reads */
    void *own;        /* of its kind, freed by close */
    int rights;       /* mode of the file, -1 when unknown */
    bool range_known; /* its range could be read */
    struct counter counter;

    /* As of the last reading. */
    enum source_state state;
    int error; /* errno of the last reading, 0 when it worked */
    uint64_t raw_uj;
    bool moved;        /* it has given energy; one that stands at one value measures nothing */
    uint64_t failures; /* readings that did not work, all in all */

    /* Since the last source_begin_interval(). */
    uint64_t interval_uj;
    bool delivered;          /* interval_uj means something */
    enum source_state worst; /* of the interval */
    bool withheld;           /* a part of the interval is unknown: nothing of it is delivered */
};

const char *quality_name(enum quality q);
const char *source_state_name(enum source_state s);

/* Why the last reading failed, in words; "" when it did not. */
const char *source_error_text(const struct source *s);

/* Put text into a source's name: what would break labels and file formats becomes '_'. */
void source_set_name(struct source *s, const char *text);

/* Read the source and account for it: state, interval_uj, worst. t_ms is monotonic. */
void source_update(struct source *s, int64_t t_ms);

/* Put energy in directly (models, which have no counter to read). */
void source_credit(struct source *s, uint64_t uj);

/* The interval's energy has been taken (or given up): begin the next. */
void source_begin_interval(struct source *s);

void source_close(struct source *s); /* NULL and closed ones are fine; keeps errno */

#endif
