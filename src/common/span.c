/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fields and numbers of tables. Trusts nothing: the text may be any bytes. Keeps no state, any
 * thread.
 */
#include "config.h"

#include <ctype.h>
#include <string.h>

#include "common/span.h"

struct span span_trim(struct span s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r'))
        s.n--;
    return s;
}

bool span_equals(struct span s, const char *text)
{
    return s.n == strlen(text) && (s.n == 0 || memcmp(s.p, text, s.n) == 0);
}

char *span_copy(char *buf, size_t size, struct span s)
{
    size_t n = s.n < size ? s.n : size - 1;

    for (size_t i = 0; i < n; i++)
        buf[i] = isprint((unsigned char)s.p[i]) ? s.p[i] : '?';
    buf[n] = '\0';
    return buf;
}

bool span_cut(struct span *rest, char separator, struct span *field)
{
    const char *end;

    if (!rest->p)
        return false;
    end = memchr(rest->p, separator, rest->n);
    if (end) {
        size_t used = (size_t)(end - rest->p);

        *field = span_trim((struct span){rest->p, used});
        *rest = (struct span){end + 1, rest->n - used - 1};
    } else {
        *field = span_trim(*rest);
        *rest = (struct span){NULL, 0};
    }
    return true;
}

/* A field in quotes, without them. False, and *rest as it was, where there is none. */
static bool _cut_quoted(struct span *rest, char separator, struct span *field)
{
    struct span s = rest->p ? span_trim(*rest) : *rest, behind = {NULL, 0}, between;
    const char *end;

    if (s.n < 2 || s.p[0] != '"')
        return false;
    end = memchr(s.p + 1, '"', s.n - 1);
    if (!end)
        return false;
    behind = (struct span){end + 1, (size_t)(s.p + s.n - end - 1)};
    if (!span_cut(&behind, separator, &between) || between.n)
        return false;
    *field = (struct span){s.p + 1, (size_t)(end - s.p - 1)};
    *rest = behind;
    return true;
}

size_t span_split(struct span line, char separator, bool quoted, struct span *fields, size_t max)
{
    size_t n = 0;
    struct span field;

    while ((quoted && _cut_quoted(&line, separator, &field)) ||
           span_cut(&line, separator, &field)) {
        if (n < max)
            fields[n] = field;
        n++;
    }
    return n;
}

static bool _is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Not strtod: it follows the locale, takes "nan", "inf" and hexadecimal, and wants a NUL. Fifteen
 * digits are exact, which is more than any intensity has. */
int span_number(struct span s, double *out)
{
    double mantissa = 0.0, scale = 1.0;
    size_t i = 0, digits = 0;

    for (; i < s.n && _is_digit(s.p[i]); i++, digits++)
        mantissa = mantissa * 10.0 + (s.p[i] - '0');
    if (i < s.n && s.p[i] == '.') {
        for (i++; i < s.n && _is_digit(s.p[i]); i++, digits++) {
            if (scale >= 1e15)
                continue;
            mantissa = mantissa * 10.0 + (s.p[i] - '0');
            scale *= 10.0;
        }
    }
    if (i < s.n || digits == 0 || digits > 60)
        return -1;
    *out = mantissa / scale;
    return 0;
}

int span_uint64(struct span s, uint64_t *out)
{
    uint64_t value = 0;

    for (size_t i = 0; i < s.n; i++)
        if (!_is_digit(s.p[i]) || __builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.p[i] - '0'), &value))
            return -1;
    if (s.n == 0)
        return -1;
    *out = value;
    return 0;
}
