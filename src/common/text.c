/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying text. Pure.
 */
#include "config.h"

#include "common/text.h"

/* The smallest number that needs so many bytes: a longer form of a smaller one is not valid. */
static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};

/* Bytes of the character at s, or 0 when there is no valid one. */
static size_t _character(const unsigned char *s)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
    unsigned long c = n < 2 ? s[0] : s[0] & (0x7fU >> n);

    for (size_t i = 1; i < n; i++) {
        if (s[i] >> 6 != 2) /* the end of the text, too */
            return 0;
        c = c << 6 | (s[i] & 0x3fU);
    }
    if (n == 0 || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    return n;
}

char *text_copy(char *buf, size_t size, const char *from)
{
    const unsigned char *s = (const unsigned char *)(from ? from : "");
    size_t used = 0;

    while (*s) {
        size_t n = _character(s), room = n ? n : 1;

        if (used + room >= size)
            break;
        for (size_t i = 0; i < room; i++)
            buf[used++] = n ? (char)s[i] : '?';
        s += room;
    }
    buf[used] = '\0';
    return buf;
}
