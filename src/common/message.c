/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "common/message.h"

bool message_is_printable(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    }
    return true;
}

bool message_number(const char *text, size_t n, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;

    if (n == 0 || n > 20)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
            return false;
    }
    if (value > max)
        return false;
    *out = value;
    return true;
}

static bool _is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool message_is_word(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!_is_plain(text[i]))
            return false;
    }
    return n > 0;
}

bool message_is_node(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!_is_plain(text[i]) && text[i] != '-' && text[i] != '_' && !(text[i] == '.' && i > 0))
            return false;
    }
    return n > 0;
}
