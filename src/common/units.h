/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quantities as people write and read them, the only place that parses units.
 *
 * Parsers: decimal point, no locale, no sign, no exponent, no white space
 * inside or around; SI prefixes k, M, G (and m for grams: mg); a number
 * without a unit is an error except where said. NaN, infinity, overflow and
 * trailing text are errors. On error *out is unchanged and e says what was
 * read and what is accepted ("'12x' is not a duration: use 90, 12:00:00,
 * 1-00 or 12h, 30m, 2d"). Each returns 0 or -1. No allocation.
 */
#ifndef CARNOT_COMMON_UNITS_H
#define CARNOT_COMMON_UNITS_H

#include <stddef.h>
#include <stdint.h>
#include "common/err.h"

#define UJ_PER_J 1000000ULL
#define UJ_PER_KWH 3600000000000ULL /* 3.6 MJ */
#define J_PER_KWH 3.6e6
#define UG_PER_G 1000000ULL

/* Energy in microjoules: J, kJ, MJ, GJ, Wh, kWh, MWh, GWh. */
int units_parse_energy(const char *text, uint64_t *out_uj, struct err *e);
/* Mass of CO2e in micrograms: mg, g, kg, t, kt. */
int units_parse_mass(const char *text, uint64_t *out_ug, struct err *e);
/* Power in milliwatts: mW, W, kW, MW. */
int units_parse_power(const char *text, uint64_t *out_mw, struct err *e);
/* Duration in milliseconds, config style: ms, s, m or min, h, d, w; a unit is
 * needed (0 alone is allowed); may be concatenated, largest first ("1h30m"). */
int units_parse_duration(const char *text, int64_t *out_ms, struct err *e);
/* Duration in seconds, flag style: what units_parse_duration takes (whole
 * seconds), and Slurm's own forms: minutes, MM:SS, HH:MM:SS, D-HH, D-HH:MM,
 * D-HH:MM:SS. */
int units_parse_wait(const char *text, int64_t *out_s, struct err *e);

/* Prose: three significant digits and the unit that fits: mJ..GJ is not used;
 * mWh, Wh, kWh, MWh, GWh; mg, g, kg, t; W, kW, MW. Exact zero prints "0 Wh".
 * Returns buf, always terminated. size >= 24 is enough. */
char *units_format_energy(char *buf, size_t size, double uj);
char *units_format_mass(char *buf, size_t size, double ug); /* "1.45 kg"; the caller adds CO2e */
char *units_format_power(char *buf, size_t size, double mw);
/* "45s", "12 min", "4h03", "2d 4h". */
char *units_format_duration(char *buf, size_t size, int64_t s);
/* x with three significant digits and no exponent: "4.61", "0.00410",
 * "3120"; zero is "0", what is no number "-". */
char *units_format_3(char *buf, size_t size, double x);

#endif
