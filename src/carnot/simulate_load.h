/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files that a simulation reads, and how their clocks are put over one another.
 */
#ifndef CARNOT_SIMULATE_LOAD_H
#define CARNOT_SIMULATE_LOAD_H

#include "carnot/simulate_report.h"

/* Workload, trace and power model. The trace goes on before and behind itself by whole weeks, as
 * far as the jobs need it. 0 and simulate_unload is due, or -1 and e. */
int simulate_load(struct simulation *s, struct simulated *d, struct err *e);
void simulate_unload(struct simulated *d);

/* From the workload's clock to the trace's, for one of the starts. */
int64_t simulate_shift_s(const struct simulation *s, const struct simulated *d, unsigned start);
/* Between two starts: whole weeks. */
int64_t simulate_step_s(const struct simulation *s);

#endif
