/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A carbon feed: samples of intensity for one zone, from the CSV file format
 * `time,zone,g_per_kwh` (docs/formats.md): that header line, RFC 3339 times, comma
 * separated, blanks around a field allowed, plain decimals with a point (no sign, no
 * exponent), rows of other zones skipped, any order, any step.
 *
 * Duplicate times: the later row wins. A bad row (time, number, negative, above
 * SERIES_G_PER_KWH_MAX, not finite, not three fields) makes the whole file an error
 * "FILE:LINE: ..." so that the old series stays in force. Empty lines and lines that begin
 * with # are skipped. The value of a row of another zone is not looked at.
 */
#ifndef CARNOT_CARBON_FEED_H
#define CARNOT_CARBON_FEED_H

#include "carbon/series.h"

/* Owned samples, sorted, area filled. */
struct feed {
    struct series_point *points;
    size_t n;
    int64_t end_s; /* last sample + the shorter of the two steps before it (900 s if it is alone) */
    int64_t issued_s; /* when the file was written (mtime), or 0 */
};

/* Parse size bytes (no NUL needed) named name. Allocates feed->points; feed_fini frees. 0, or -1
 * (EINVAL, ENOMEM) and *feed untouched; no row of the zone is an error too. What *feed held
 * before is overwritten, not freed. The fuzzer calls this too. */
int feed_parse_csv(struct feed *feed, const char *name, const char *text, size_t size,
                   const char *zone, struct err *e);

/* Read path (at most 64 MiB) and parse. Blocks on the disk. */
int feed_load_csv(struct feed *feed, const char *path, const char *zone, struct err *e);

/* Map an old trace, as loaded, onto now: shift by whole weeks so that hour and weekday match,
 * repeated as often as needed to cover [now_s - back_s, now_s + ahead_s]. A trace shorter than a
 * week is repeated by its own length, a longer one by its whole weeks, counted from its first
 * sample: what a given moment maps to does not depend on now_s. The rest of the trace is gone
 * afterwards. 0, or -1 and *feed untouched (too many points: E2BIG). */
int feed_replay(struct feed *feed, int64_t now_s, int64_t back_s, int64_t ahead_s, struct err *e);

/* Until when the last of n >= 1 samples holds: feed.end_s. */
int64_t feed_end(const struct series_point *points, size_t n);

void feed_fini(struct feed *feed); /* legal on a zeroed feed; leaves it zeroed */

#endif
