/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Samples of intensity being gathered into a feed, in the order of a file: for those that read
 * files into a struct feed.
 */
#ifndef CARNOT_CARBON_FEED_POINTS_H
#define CARNOT_CARBON_FEED_POINTS_H

#include "carbon/feed.h"

struct feed_points {
    struct series_point *v; /* owned; free() it unless feed_points_finish has taken it */
    size_t n, room;
};

/* Add one; order, the line's number, tells which of two of the same time is the later. 0 or -1
 * (ENOMEM). */
int feed_points_push(struct feed_points *points, int64_t t_s, double g_per_kwh, double order);

/* Sort, let the later one of a time win, and make a feed of them (issued_s 0), which owns them
 * then; n >= 1. */
void feed_points_finish(struct feed *feed, struct feed_points *points);

#endif
