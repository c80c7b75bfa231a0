/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plots for a terminal: bars of block characters, or ASCII where the
 * locale is not UTF-8. What has no data stays blank.
 */
#ifndef CARNOT_PLOT_H
#define CARNOT_PLOT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A step: value holds from time_s to the next point's time. NAN = no data. */
struct plot_point {
    int64_t time_s;
    double value;
};

struct plot {
    const struct plot_point *points; /* times increase */
    size_t n;
    int64_t end_s;       /* the last point holds until here */
    const char *unit;    /* "g/kWh" */
    int64_t mark_from_s; /* a stretch to mark under the axis; 0 and 0: none */
    int64_t mark_to_s;
    int64_t range_from_s; /* a range to draw above the mark, as a line; 0 and 0: none */
    int64_t range_to_s;
    const int64_t *pins; /* times on that line, in the order of time */
    size_t n_pins;
    int64_t pin_s; /* the one of them that stands out; 0: none */
    int rows;      /* height of the bars in lines */
    int width;     /* columns at most, axis included */
    int utf8;      /* may print other than ASCII */
    int colour;    /* may print colours */
};

/* Bars from zero, with a scale at the left, clock times (local zone) below, range and mark. */
void plot_bars(const struct plot *p, FILE *f);

/* One line of cells characters into buf, from the lowest to the highest value. Returns buf;
 * 3 * cells + 1 bytes suffice. */
char *plot_spark(char *buf, size_t size, const struct plot *p, int cells);

/* A bar of at most cells characters for a share of 0 .. 1 (beyond: full, or empty). */
char *plot_share(char *buf, size_t size, double share, int cells, int utf8);

/* Mean over [from_s, to_s), weighted by time, of the steps that have data there; NAN if none has.
 */
double plot_mean(const struct plot *p, int64_t from_s, int64_t to_s);

#endif
