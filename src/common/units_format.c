/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quantities as prose: three significant digits and the unit that fits.
 * Rounds first and picks the unit then, so that 999.6 Wh is 1.00 kWh. Pure, no
 * allocation, no locale; any thread.
 */
#include "config.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/units.h"

/* Three digits and the power of ten of the first of them: x = digits * 10^(exponent - 2). */
struct rounded {
    bool negative;
    int digits; /* 100 .. 999, or 0 */
    int exponent;
};

static struct rounded _round_3(double x)
{
    struct rounded r = {x < 0, 0, 0};
    double size = fabs(x);

    if (size == 0)
        return r;
    r.exponent = (int)floor(log10(size));
    r.digits = (int)lround(size / pow(10, r.exponent - 2));
    if (r.digits >= 1000) { /* 9.996 */
        r.digits = 100;
        r.exponent++;
    } else if (r.digits < 100) { /* log10 of a power of ten may err upwards */
        r.digits = (int)lround(size / pow(10, r.exponent - 3));
        r.exponent--;
    }
    return r;
}

/* By hand, because printf's decimal point depends on the locale of whoever loads us. */
static char *_print_3(char *buf, size_t size, struct rounded r, const char *unit)
{
    const char *sign = r.negative && r.digits ? "-" : "";
    int e = r.exponent;

    if (r.digits == 0)
        (void)snprintf(buf, size, "0%s", unit);
    else if (e < 0)
        (void)snprintf(buf, size, "%s0.%0*d%s", sign, 2 - e, r.digits, unit);
    else if (e == 0)
        (void)snprintf(buf, size, "%s%d.%02d%s", sign, r.digits / 100, r.digits % 100, unit);
    else if (e == 1)
        (void)snprintf(buf, size, "%s%d.%d%s", sign, r.digits / 10, r.digits % 10, unit);
    else if (e == 2)
        (void)snprintf(buf, size, "%s%d%s", sign, r.digits, unit);
    else
        (void)snprintf(buf, size, "%s%d%0*d%s", sign, r.digits, e - 2, 0, unit);
    return buf;
}

static bool _is_printable(double x)
{
    return isfinite(x) && fabs(x) < 1e15 && (x == 0 || fabs(x) > 1e-12);
}

char *units_format_3(char *buf, size_t size, double x)
{
    if (!_is_printable(x)) {
        (void)snprintf(buf, size, "%s", isfinite(x) && fabs(x) < 1 ? "0" : "-");
        return buf;
    }
    return _print_3(buf, size, _round_3(x), "");
}

struct step {
    const char *unit; /* with its blank */
    int exponent;     /* of ten, relative to the unit that zero is printed in */
};

/* The largest unit in which the rounded value is 1 or more; the smallest takes the rest. */
static char *_format_steps(char *buf, size_t size, double x, const struct step *steps, size_t n)
{
    struct rounded r;

    if (!isfinite(x) || fabs(x) >= 1e15) {
        (void)snprintf(buf, size, "-");
        return buf;
    }
    r = _round_3(_is_printable(x) ? x : 0);
    if (r.digits == 0) {
        for (size_t i = 0; i < n; i++) {
            if (steps[i].exponent == 0)
                return _print_3(buf, size, r, steps[i].unit);
        }
    }
    while (n > 1 && r.exponent < steps[n - 1].exponent)
        n--;
    r.exponent -= steps[n - 1].exponent;
    return _print_3(buf, size, r, steps[n - 1].unit);
}

#define STEPS(a) (a), sizeof(a) / sizeof((a)[0])

char *units_format_energy(char *buf, size_t size, double uj)
{
    static const struct step steps[] = {
        {" mWh", -3}, {" Wh", 0}, {" kWh", 3}, {" MWh", 6}, {" GWh", 9}};

    return _format_steps(buf, size, uj / ((double)UJ_PER_KWH / 1000), STEPS(steps));
}

char *units_format_mass(char *buf, size_t size, double ug)
{
    static const struct step steps[] = {{" mg", -3}, {" g", 0}, {" kg", 3}, {" t", 6}};

    return _format_steps(buf, size, ug / (double)UG_PER_G, STEPS(steps));
}

char *units_format_power(char *buf, size_t size, double mw)
{
    static const struct step steps[] = {{" W", 0}, {" kW", 3}, {" MW", 6}};

    return _format_steps(buf, size, mw / 1000, STEPS(steps));
}

char *units_format_duration(char *buf, size_t size, int64_t s)
{
    const char *sign = s < 0 ? "-" : "";
    uint64_t t = s < 0 ? 0 - (uint64_t)s : (uint64_t)s;
    uint64_t minutes = t / 60 + (t % 60 >= 30);
    uint64_t hours = t / 3600 + (t % 3600 >= 1800);

    if (t < 60)
        (void)snprintf(buf, size, "%s%us", sign, (unsigned)t);
    else if (minutes < 60)
        (void)snprintf(buf, size, "%s%u min", sign, (unsigned)minutes);
    else if (minutes < 24 * 60)
        (void)snprintf(buf, size, "%s%uh%02u", sign, (unsigned)(minutes / 60),
                       (unsigned)(minutes % 60));
    else
        (void)snprintf(buf, size, "%s%llud %uh", sign, (unsigned long long)(hours / 24),
                       (unsigned)(hours % 24));
    return buf;
}
