/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unit of a table's columns: one for the whole column, named in its header.
 */
#ifndef CARNOT_UNIT_H
#define CARNOT_UNIT_H

#include "carnot/cli.h"

struct unit {
    const char *name;
    double scale; /* joules or grams in one of it */
};

/*
 * Of energy: what --units says (text, or NULL), else CARNOT_UNITS, else kWh; but where the largest
 * figure (in J; NAN: none) is far below and fixed is 0, Wh or mWh, so that small jobs can be
 * read. fixed: see table_fixed(). NULL: no such unit (a message was printed).
 */
const struct unit *unit_energy(struct cli *c, const char *text, double largest_j, int fixed);

/* Of mass: grams, or kilograms if kilo, or less in the same way. */
const struct unit *unit_mass(double largest_g, int kilo, int fixed);

#endif
