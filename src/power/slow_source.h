/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A source whose counter a slow_reader reads: the tick takes what the reader's thread has read
 * last.
 */
#ifndef CARNOT_POWER_SLOW_SOURCE_H
#define CARNOT_POWER_SLOW_SOURCE_H

#include "power/slow_reader.h"
#include "power/source.h"

/* The i-th value of the reader is the source's counter; what is older than deadline_ms is none.
 * Sets s->ops and s->own, and has a use of the reader of its own until the source is closed. 0, or
 * -1 and errno without memory. */
int slow_source_open(struct source *s, struct slow_reader *reader, int i, int64_t deadline_ms);

/* Is s one of these, asked and not answered yet? */
bool slow_source_waits(const struct source *s);

/* The same with a reader for this source alone, which fetches one value: as slow_reader_create().
 * 0, or -1 and e, and arg is released. */
int slow_source_start(struct source *s, int64_t period_ms, int64_t deadline_ms, slow_fetch fetch,
                      void (*release)(void *arg), void *arg, struct err *e);

#endif
