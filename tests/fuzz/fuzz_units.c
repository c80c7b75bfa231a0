/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quantities and points in time from anybody: the text goes to every parser, and what a parser
 * takes has to survive being printed.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "common/when.h"
#include "fuzz.h"

static void _check_when(const char *text, struct err *e)
{
    int64_t t = 0, again = 0;
    char buf[40];

    if (when_parse_rfc3339(text, &t, e) == 0 &&
        (when_parse_rfc3339(when_format_rfc3339_ms(buf, sizeof(buf), t), &again, e) < 0 ||
         again != t))
        abort();
    if (when_parse_slurm(text, 1795338000, &t, e) == 0 &&
        strcmp(when_format_clock(buf, sizeof(buf), t, 1795338000, 1), "-") == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[256], buf[32];
    struct err e = {""};
    uint64_t u = 0;
    int64_t t = 0;

    if (size >= sizeof(text))
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (units_parse_energy(text, &u, &e) == 0)
        (void)units_format_energy(buf, sizeof(buf), (double)u);
    if (units_parse_mass(text, &u, &e) == 0)
        (void)units_format_mass(buf, sizeof(buf), (double)u);
    if (units_parse_power(text, &u, &e) == 0)
        (void)units_format_power(buf, sizeof(buf), (double)u);
    if (units_parse_duration(text, &t, &e) == 0 && t < 0)
        abort();
    if (units_parse_wait(text, &t, &e) == 0 && t < 0)
        abort();
    (void)units_format_duration(buf, sizeof(buf), t);
    _check_when(text, &e);
    return 0;
}
