/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A carbon trace of the past as a feed, from the tables that there are: CSV with a header, plain
 * or compressed with gzip (docs/formats.md). One column holds the values; the time is the first
 * column whose first value reads as one:
 *
 *   time,zone,g_per_kwh        Carnot's own: the rows of the zone
 *   a time, and a column a zone ("2022-01-01T00:00:00Z,84.7,507.3"): the zone's column
 *   a time, and named columns: the column named; of the zone's rows, where a column Zone Id,
 *   zone_name or the like has them
 */
#ifndef CARNOT_SIMULATE_TRACE_H
#define CARNOT_SIMULATE_TRACE_H

#include "carbon/feed.h"

/* Read path. column names the values: a column's name, or a part that only one name has, in any
 * case; NULL: g_per_kwh where there is one, else the column that is named as the zone. Times are
 * RFC 3339, or YYYY-MM-DD HH:MM[:SS] in UTC. Rows in any order; the later row of one time wins; an
 * empty value is a gap, over which the value before it holds. 0; or -1 (EINVAL, ENOMEM, or what
 * the file system says), e "FILE:LINE: ..." and *out untouched: for any row that makes no sense,
 * a zone or column that is not there (e lists those that are), more than SERIES_POINTS_MAX
 * samples. What *out held before is overwritten, not freed; feed_fini frees. Blocks on the disk. */
int trace_load(struct feed *out, const char *path, const char *zone, const char *column,
               struct err *e);

#endif
