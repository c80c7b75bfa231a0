/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bounded JSON writer. No allocation, no locale (digits are made here); one
 * thread a line.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "carnotd/line.h"
#include "common/when.h"

static void _put(struct line *l, const char *text, size_t n)
{
    if (l->failed || n > l->size - l->used) {
        l->failed = true;
        return;
    }
    memcpy(l->buf + l->used, text, n);
    l->used += n;
}

static void _put_text(struct line *l, const char *text)
{
    _put(l, text, strlen(text));
}

static void _put_u64(struct line *l, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    _put(l, digits + at, sizeof(digits) - at);
}

/* Quotes, backslashes and bytes below a blank are escaped. Bytes above ASCII would have to be
 * checked for valid UTF-8; no name here needs them, so they become '?'. */
static void _put_quoted(struct line *l, const char *text)
{
    _put(l, "\"", 1);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        char escaped[8];

        if (c == '"' || c == '\\') {
            escaped[0] = '\\';
            escaped[1] = *text;
            _put(l, escaped, 2);
        } else if (c < 0x20) {
            (void)snprintf(escaped, sizeof(escaped), "\\u%04x", c);
            _put(l, escaped, 6);
        } else {
            _put(l, c > 0x7e ? "?" : text, 1);
        }
    }
    _put(l, "\"", 1);
}

static void _key(struct line *l, const char *key)
{
    if (l->comma)
        _put(l, ",", 1);
    l->comma = true;
    _put_quoted(l, key);
    _put(l, ":", 1);
}

void line_begin(struct line *l, char *buf, size_t size)
{
    l->buf = buf;
    l->size = size;
    l->used = 0;
    l->comma = false;
    l->failed = false;
    _put(l, "{", 1);
}

void line_str(struct line *l, const char *key, const char *text)
{
    _key(l, key);
    if (text)
        _put_quoted(l, text);
    else
        _put_text(l, "null");
}

void line_u64(struct line *l, const char *key, uint64_t value)
{
    _key(l, key);
    _put_u64(l, value);
}

void line_i64(struct line *l, const char *key, int64_t value)
{
    _key(l, key);
    if (value < 0)
        _put(l, "-", 1);
    _put_u64(l, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void line_bool(struct line *l, const char *key, bool value)
{
    _key(l, key);
    _put_text(l, value ? "true" : "false");
}

void line_null(struct line *l, const char *key)
{
    _key(l, key);
    _put_text(l, "null");
}

void line_time(struct line *l, const char *key, int64_t t_ms)
{
    char text[40];

    line_str(l, key, when_format_rfc3339_ms(text, sizeof(text), t_ms));
}

void line_array(struct line *l, const char *key)
{
    _key(l, key);
    _put(l, "[", 1);
    l->comma = false;
}

void line_array_end(struct line *l)
{
    _put(l, "]", 1);
    l->comma = true;
}

void line_object(struct line *l)
{
    if (l->comma)
        _put(l, ",", 1);
    _put(l, "{", 1);
    l->comma = false;
}

void line_object_end(struct line *l)
{
    _put(l, "}", 1);
    l->comma = true;
}

int line_end(struct line *l)
{
    _put(l, "}\n", 2);
    return l->failed ? -1 : (int)l->used;
}
