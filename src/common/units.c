/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quantities from text. Numbers are read as whole part and nine
 * decimals in integers, so that 0.1kWh is 360000000000 uJ and nothing else.
 * Pure, no allocation, no locale; any thread. Printing is in units_format.c.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/units.h"

#define NANO 1000000000ULL
/* 31700 years: sums with the date of today stay far from the end of int64_t */
#define DURATION_MAX_MS 1000000000000000LL

struct unit {
    const char *name;
    uint64_t scale; /* in the smallest unit of the quantity */
};

struct quantity {
    const char *noun;     /* "an energy" */
    const char *accepted; /* "J, kJ or MJ, as in 5kJ" */
    struct unit unit[10]; /* ends at name NULL */
};

static const struct quantity quantity_energy = {
    "an energy",
    "a number and J, kJ, MJ, GJ, Wh, kWh, MWh or GWh, as in 5kWh",
    {
        {"J", UJ_PER_J},
        {"kJ", 1000 * UJ_PER_J},
        {"MJ", 1000000 * UJ_PER_J},
        {"GJ", 1000000000 * UJ_PER_J},
        {"Wh", UJ_PER_KWH / 1000},
        {"kWh", UJ_PER_KWH},
        {"MWh", UJ_PER_KWH * 1000},
        {"GWh", UJ_PER_KWH * 1000000},
    },
};

static const struct quantity quantity_mass = {
    "a mass of CO2e",
    "a number and mg, g, kg, t or kt, as in 500g",
    {
        {"mg", UG_PER_G / 1000},
        {"g", UG_PER_G},
        {"kg", UG_PER_G * 1000},
        {"t", UG_PER_G * 1000000},
        {"kt", UG_PER_G * 1000000000},
    },
};

static const struct quantity quantity_power = {
    "a power",
    "a number and mW, W, kW or MW, as in 300W",
    {{"mW", 1}, {"W", 1000}, {"kW", 1000000}, {"MW", 1000000000}},
};

static const struct quantity quantity_duration = {
    "a duration",
    "12h, 30m, 2d or 1h30m (units ms, s, m, min, h, d, w)",
    {
        {"ms", 1},
        {"s", 1000},
        {"m", 60 * 1000},
        {"min", 60 * 1000},
        {"h", 3600 * 1000},
        {"d", 86400 * 1000},
        {"w", 7 * 86400 * 1000},
    },
};

static const struct quantity quantity_wait = {
    "a duration",
    "90 (minutes), 12:00:00, 1-00 or 12h, 30m, 2d",
    {{NULL, 0}},
};

static int _refuse(const struct quantity *q, const char *text, struct err *e)
{
    char quoted[ERR_QUOTE_SIZE];

    errno = EINVAL;
    return err_set(e, "'%s' is not %s: use %s", err_quote(quoted, sizeof(quoted), text), q->noun,
                   q->accepted);
}

static int _too_much(const char *text, struct err *e)
{
    char quoted[ERR_QUOTE_SIZE];

    errno = ERANGE;
    return err_set(e, "'%s' is too much to count", err_quote(quoted, sizeof(quoted), text));
}

static bool _is_digit(char c)
{
    return c >= '0' && c <= '9';
}

struct decimal {
    uint64_t whole;
    uint64_t nano; /* 0 .. NANO - 1 */
};

/* Digits at *p, with no point in them. 0, -1 when there are none, -2 on overflow. */
static int _read_digits(const char **p, uint64_t *out)
{
    uint64_t value = 0;

    if (!_is_digit(**p))
        return -1;
    for (; _is_digit(**p); (*p)++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(**p - '0'), &value))
            return -2;
    }
    *out = value;
    return 0;
}

/* As _read_digits, with at most nine decimals behind a point. */
static int _read_decimal(const char **p, struct decimal *out)
{
    struct decimal d = {0, 0};
    uint64_t place = NANO;
    int rc = _read_digits(p, &d.whole);

    if (rc < 0)
        return rc;
    if (**p == '.') {
        (*p)++;
        if (!_is_digit(**p))
            return -1;
        for (; _is_digit(**p); (*p)++) {
            place /= 10;
            if (place == 0)
                return -1;
            d.nano += place * (uint64_t)(**p - '0');
        }
    }
    *out = d;
    return 0;
}

/* The unit whose name is the text of n bytes, or NULL. */
static const struct unit *_find_unit(const struct quantity *q, const char *text, size_t n)
{
    for (const struct unit *u = q->unit; u->name; u++) {
        if (strlen(u->name) == n && memcmp(u->name, text, n) == 0)
            return u;
    }
    return NULL;
}

/* d * scale, rounded to the nearest; *exact tells whether that changed it. 0, or -2 on
 * overflow. Scales are below 2^62, so neither product of the fraction can overflow. */
static int _scale(const struct decimal *d, uint64_t scale, uint64_t *out, bool *exact)
{
    uint64_t rest = d->nano * (scale % NANO);
    uint64_t fraction = d->nano * (scale / NANO) + rest / NANO + (rest % NANO >= NANO / 2);
    uint64_t value;

    if (__builtin_mul_overflow(d->whole, scale, &value) ||
        __builtin_add_overflow(value, fraction, &value))
        return -2;
    *exact = rest % NANO == 0;
    *out = value;
    return 0;
}

static int _parse(const struct quantity *q, const char *text, uint64_t *out, struct err *e)
{
    const char *p = text;
    struct decimal d;
    const struct unit *u;
    uint64_t value;
    bool exact;
    int rc;

    if (!text)
        return _refuse(q, "", e);
    rc = _read_decimal(&p, &d);
    if (rc == -2)
        return _too_much(text, e);
    if (rc < 0 || !(u = _find_unit(q, p, strlen(p))))
        return _refuse(q, text, e);
    if (_scale(&d, u->scale, &value, &exact) < 0)
        return _too_much(text, e);
    /* a limit somebody typed must not turn into the 0 that means "none" */
    if (value == 0 && !exact)
        return _refuse(q, text, e);
    *out = value;
    return 0;
}

int units_parse_energy(const char *text, uint64_t *out_uj, struct err *e)
{
    return _parse(&quantity_energy, text, out_uj, e);
}

int units_parse_mass(const char *text, uint64_t *out_ug, struct err *e)
{
    return _parse(&quantity_mass, text, out_ug, e);
}

int units_parse_power(const char *text, uint64_t *out_mw, struct err *e)
{
    return _parse(&quantity_power, text, out_mw, e);
}

/* The sum of "1d2h30m": 0, -1 when it is no such text, -2 when it is too much. */
static int _sum_duration(const char *text, uint64_t *out_ms)
{
    uint64_t sum = 0, part, last_scale = UINT64_MAX;
    const char *p = text;

    do {
        const struct quantity *q = &quantity_duration;
        const struct unit *u;
        struct decimal d;
        bool exact;
        size_t n = 0;
        int rc = _read_decimal(&p, &d);

        if (rc < 0)
            return rc;
        while (p[n] >= 'a' && p[n] <= 'z')
            n++;
        u = _find_unit(q, p, n);
        p += n;
        if (!u || u->scale >= last_scale || (d.nano && *p))
            return -1;
        last_scale = u->scale;
        if (_scale(&d, u->scale, &part, &exact) < 0 || __builtin_add_overflow(sum, part, &sum))
            return -2;
        if (!exact)
            return -1;
    } while (*p);
    *out_ms = sum;
    return sum > DURATION_MAX_MS ? -2 : 0;
}

int units_parse_duration(const char *text, int64_t *out_ms, struct err *e)
{
    uint64_t ms = 0;
    int rc = 0;

    if (!text)
        return _refuse(&quantity_duration, "", e);
    if (strcmp(text, "0") != 0)
        rc = _sum_duration(text, &ms);
    if (rc == -2)
        return _too_much(text, e);
    if (rc < 0)
        return _refuse(&quantity_duration, text, e);
    *out_ms = (int64_t)ms;
    return 0;
}

/* Slurm's colon and dash forms. The first field may be any number, what follows is a
 * clock's: 10:75 is a slip of the hand. 0, -1 when it is none of them, -2 when too much. */
static int _sum_slurm(const char *text, uint64_t *out_s)
{
    static const uint64_t unit_s[] = {86400, 3600, 60, 1};
    static const uint64_t below[] = {0, 24, 60, 60};
    uint64_t field[4] = {0}, sum = 0, part;
    const char *p = text;
    size_t n = 0, first = 2; /* a lone number is minutes */
    bool days = false;

    for (;;) {
        int rc = _read_digits(&p, &field[n]);

        if (rc < 0)
            return rc;
        n++;
        if (!*p)
            break;
        if (n == 4 || (*p != ':' && *p != '-') || (*p == '-' && n > 1) ||
            (*p == ':' && !days && n > 2))
            return -1;
        days = days || *p == '-';
        p++;
    }
    if (days)
        first = 0;
    else if (n == 3)
        first = 1;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && field[i] >= below[first + i])
            return -1;
        if (__builtin_mul_overflow(field[i], unit_s[first + i], &part) ||
            __builtin_add_overflow(sum, part, &sum))
            return -2;
    }
    *out_s = sum;
    return sum > DURATION_MAX_MS / 1000 ? -2 : 0;
}

int units_parse_wait(const char *text, int64_t *out_s, struct err *e)
{
    uint64_t value = 0;
    int rc;

    if (!text)
        return _refuse(&quantity_wait, "", e);
    if (text[strspn(text, "0123456789:-")] == '\0') {
        rc = _sum_slurm(text, &value);
    } else {
        rc = _sum_duration(text, &value);
        if (rc == 0 && value % 1000)
            rc = -1;
        value /= 1000;
    }
    if (rc == -2)
        return _too_much(text, e);
    if (rc < 0)
        return _refuse(&quantity_wait, text, e);
    *out_s = (int64_t)value;
    return 0;
}
