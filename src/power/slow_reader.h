/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters that may take long to read, or for ever: vendors' libraries, controllers of a board. A
 * thread of their own reads them all, again and again; carnotd's tick takes what that thread has
 * read last and never waits. What is older than a deadline is no value.
 */
#ifndef CARNOT_POWER_SLOW_READER_H
#define CARNOT_POWER_SLOW_READER_H

#include <stdint.h>

#include "common/err.h"

struct slow_value {
    uint64_t uj; /* the counter, in microjoules */
    int error;   /* errno, 0 = uj is a value */
};

/* Read all n values; called in the thread, may block. */
typedef void (*slow_fetch)(void *arg, struct slow_value values[], int n);

struct slow_reader;

/* Start the thread: it fetches at once and then every period_ms. What arg points to must live until
 * release(arg) is called, in the thread or in slow_reader_release(). NULL and e, and arg released.
 */
struct slow_reader *slow_reader_create(int n, int64_t period_ms, slow_fetch fetch,
                                       void (*release)(void *arg), void *arg, struct err *e);

/* One more source uses the reader; each gives it back with slow_reader_release(). */
struct slow_reader *slow_reader_use(struct slow_reader *r);

/* The i-th value as of the last fetch that came back. 0 and *uj; -1 and errno: that of the fetch,
 * EAGAIN before the first one, ETIMEDOUT when the last one is older than deadline_ms. Never blocks
 * for longer than a copy takes. */
int slow_reader_get(struct slow_reader *r, int i, int64_t deadline_ms, uint64_t *uj);

/* The last one ends the thread. One that hangs in a fetch is left behind: it ends by itself when
 * the call returns, with all that belongs to it. NULL is fine. */
void slow_reader_release(struct slow_reader *r);

#endif
