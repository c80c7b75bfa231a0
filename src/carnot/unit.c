/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unit of a table's columns.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "carnot/unit.h"

/* From the usual one downwards. */
static const struct unit energies[] = {{"kWh", 3.6e6}, {"Wh", 3600}, {"mWh", 3.6}};
static const struct unit masses[] = {{"kg", 1e3}, {"g", 1}, {"mg", 1e-3}};
#define N_UNITS 3

/* The first in which the largest figure has a tenth to show; nothing at all says nothing. */
static const struct unit *_pick(const struct unit units[], size_t first, double largest, int fixed)
{
    size_t i = first;

    if (fixed || !isfinite(largest) || largest <= 0)
        return &units[first];
    while (i < N_UNITS - 1 && largest / units[i].scale < 0.1)
        i++;
    return &units[i];
}

const struct unit *unit_energy(struct cli *c, const char *text, double largest_j, int fixed)
{
    static const struct unit accepted[] = {{"kWh", 3.6e6}, {"MJ", 1e6}, {"J", 1}};
    const char *from = text ? "--units" : "CARNOT_UNITS";
    char quoted[ERR_QUOTE_SIZE];

    if (!text)
        text = getenv("CARNOT_UNITS");
    if (!text || text[0] == '\0')
        return _pick(energies, 0, largest_j, fixed);
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++)
        if (strcasecmp(text, accepted[i].name) == 0)
            return &accepted[i];
    cli_fail(c, CLI_USAGE, "%s=%s: accepted: kWh, MJ, J", from,
             err_quote(quoted, sizeof(quoted), text));
    return NULL;
}

const struct unit *unit_mass(double largest_g, int kilo, int fixed)
{
    return _pick(masses, kilo ? 0 : 1, largest_g, fixed);
}
