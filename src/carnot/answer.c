/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a server's answer, tolerantly; see the header.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "carnot/answer.h"
#include "common/when.h"

const char *answer_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

const char *answer_show(const json_t *object, const char *key)
{
    const char *text = answer_text(object, key);

    return text && text[0] ? text : "-";
}

double answer_number(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);

    return json_is_number(v) ? json_number_value(v) : NAN;
}

double answer_largest(const json_t *rows, const char *key)
{
    double largest = NAN;
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row) largest = fmax(largest, answer_number(row, key));
    return largest;
}

int64_t answer_integer(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);

    if (json_is_integer(v))
        return json_integer_value(v);
    if (json_is_real(v) && fabs(json_real_value(v)) < 9e18)
        return llround(json_real_value(v));
    return ANSWER_NONE;
}

int64_t answer_time(const json_t *object, const char *key)
{
    const char *text = answer_text(object, key);
    int64_t t_ms;

    if (!text || when_parse_rfc3339(text, &t_ms, NULL) < 0)
        return ANSWER_NONE;
    return t_ms / 1000;
}

/* C0, DEL, and C1 in its UTF-8 form (0xc2 0x80 .. 0xc2 0x9f): what terminals act on. */
static int _is_control(const unsigned char *p)
{
    return *p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0);
}

static void _clean_text(json_t *value)
{
    const unsigned char *p = (const unsigned char *)json_string_value(value);
    char *copy, *to;

    while (*p && !_is_control(p))
        p++;
    if (*p == '\0')
        return;
    p = (const unsigned char *)json_string_value(value);
    copy = to = malloc(json_string_length(value) + 1);
    if (!copy)
        abort();
    for (; *p; p++) {
        int control = _is_control(p);

        *to++ = control ? '?' : (char)*p;
        p += control && *p == 0xc2;
    }
    *to = '\0';
    (void)json_string_set_nocheck(value, copy);
    free(copy);
}

void answer_clean(json_t *value)
{
    const char *key;
    json_t *item;
    size_t i;

    switch (json_typeof(value)) {
    case JSON_STRING:
        _clean_text(value);
        break;
    case JSON_ARRAY:
        json_array_foreach(value, i, item) answer_clean(item);
        break;
    case JSON_OBJECT:
        json_object_foreach(value, key, item) answer_clean(item);
        break;
    default:
        break;
    }
}
