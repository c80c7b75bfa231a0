/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Energy from utilisation, for machines without counters:
 *
 *   uJ = idle_mw x cpus x ms + (max_mw - idle_mw) x busy CPU time in ms
 *
 * It is a model, marked as such everywhere, and fills in only where no hardware source gives the
 * CPUs' energy in an interval.
 */
#ifndef CARNOT_POWER_SOURCE_MODEL_H
#define CARNOT_POWER_SOURCE_MODEL_H

#include "power/source.h"

struct power_model {
    uint64_t idle_mw; /* a CPU (hardware thread) that does nothing */
    uint64_t max_mw;  /* its full load, >= idle_mw */
};

/* A source that covers all CPUs and is credited, never read. */
void source_model_init(struct source *s);

/* Of so many CPUs for dt_ms, busy or not; microjoules, saturating. */
uint64_t model_idle_uj(const struct power_model *m, uint32_t cpus, int64_t dt_ms);

/* On top of that for so much CPU time; microjoules, saturating. */
uint64_t model_active_uj(const struct power_model *m, uint64_t busy_us);

#endif
