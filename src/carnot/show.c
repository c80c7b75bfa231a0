/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures as prose, with "-" where there is no data.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "carnot/answer.h"
#include "carnot/show.h"
#include "common/units.h"
#include "common/when.h"

static char *_none(char *buf, size_t size)
{
    (void)snprintf(buf, size, "-");
    return buf;
}

char *show_energy(char *buf, size_t size, double joules)
{
    if (!isfinite(joules))
        return _none(buf, size);
    return units_format_energy(buf, size, joules * (double)UJ_PER_J);
}

char *show_mass(char *buf, size_t size, double grams)
{
    if (!isfinite(grams))
        return _none(buf, size);
    return units_format_mass(buf, size, grams * (double)UG_PER_G);
}

char *show_span(char *buf, size_t size, int64_t s)
{
    if (s == ANSWER_NONE)
        return _none(buf, size);
    return units_format_duration(buf, size, s);
}

char *show_clock(char *buf, size_t size, int64_t t_s, int64_t now_s)
{
    if (t_s == ANSWER_NONE)
        return _none(buf, size);
    return when_format_clock(buf, size, t_s, now_s, t_s % 60 != 0 && llabs(t_s - now_s) < 600);
}

char *show_elapsed(char *buf, size_t size, int64_t s)
{
    long long days, h, m, sec;

    if (s < 0)
        return _none(buf, size);
    days = s / 86400;
    h = s / 3600 % 24;
    m = s / 60 % 60;
    sec = s % 60;
    if (days > 0)
        (void)snprintf(buf, size, "%lld-%02lld:%02lld:%02lld", days, h, m, sec);
    else
        (void)snprintf(buf, size, "%lld:%02lld:%02lld", h, m, sec);
    return buf;
}
