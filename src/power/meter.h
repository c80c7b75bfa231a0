/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All sources of a node together: read on one tick, summed once an interval.
 *
 * In each interval the sources of parts (CPUs, memory, GPUs) are asked in their order of
 * preference; one that overlaps with what is in the sum already stands by. So the mmio twin or psys
 * step in by themselves when what they stand by for has given nothing, and out again. Then the
 * meters of a node or module: each adds what it has seen beyond the parts that lie within it, so
 * that the node's total is the meter's and the split is the parts'. The model comes last, for CPUs
 * of which nobody has said anything. No joule is counted twice: whoever was stood in for begins
 * anew when it is back.
 *
 * No allocation after meter_open(); no logging: state changes go to a callback.
 */
#ifndef CARNOT_POWER_METER_H
#define CARNOT_POWER_METER_H

#include "common/err.h"
#include "common/settings.h"
#include "power/source.h"
#include "power/source_model.h"

#define METER_SOURCES_MAX 128

/* s has another state than at the last call; was is that one. first, wrapped and ok count as one
 * (ok). */
typedef void (*meter_change_cb)(const struct source *s, enum source_state was, void *arg);

struct meter {
    struct source *sources; /* n of them, the model last */
    int n;
    enum source_state told[METER_SOURCES_MAX]; /* as the callback knows it */
    int64_t retry_ms;                          /* when missing ones are opened again */
    uint64_t owed_uj[METER_SOURCES_MAX];       /* of a meter: parts have said so much more so far */
    meter_change_cb on_change;
    void *arg;
};

struct meter_interval {
    struct coverage_sum sum;
    enum quality quality;
    bool counted[METER_SOURCES_MAX]; /* this source is in the sum */
    uint64_t
        uj[METER_SOURCES_MAX]; /* what it adds to the sum; of a meter, what is beyond the parts */
    uint64_t owed_uj[METER_SOURCES_MAX]; /* of a meter, after this interval */
    uint64_t gpu_uj[64];                 /* in the sum: what single GPUs used, by device */
    bool absent[METER_SOURCES_MAX];      /* it should have been, and nobody stood in */
    bool modelled;                       /* the CPUs' energy is the model's */
    uint64_t modelled_uj;                /* what the model says, in the sum or not */
};

/* Probe every kind of source below sysroot ("" = the running system). 0, or -1 and e. */
int meter_open(struct meter *m, const char *sysroot, struct err *e);

/* The same, of the kinds in node.sources and in their order, with node.file and node.command. */
int meter_open_settings(struct meter *m, const char *sysroot, const struct settings *settings,
                        struct err *e);

/* Is node.sources a list of kinds, and what the kinds need good together? 0, or -1 and e. */
int meter_check_settings(const struct settings *settings, struct err *e);
void meter_close(struct meter *m);

/* Read all. t_ms is monotonic. everything: also what lies inside others and is never summed. */
void meter_read(struct meter *m, int64_t t_ms, bool everything);

/* Which sources are in a sum, if those with delivers[] have given energy. */
void meter_choose(const struct meter *m, const bool delivers[], bool counted[]);

/* The energy since the last meter_commit(), *modelled_uj being what the model would say. Changes
 * nothing, so that an interval that cannot be written just goes on. */
void meter_sum(const struct meter *m, uint64_t modelled_uj, struct meter_interval *out);

/* The interval as summed is written: begin the next. */
void meter_commit(struct meter *m, const struct meter_interval *done);

#endif
