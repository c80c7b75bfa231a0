/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Foreign text becomes valid UTF-8: jansson is the judge, as it is in use.
 */
#include "config.h"

#include <jansson.h>
#include <string.h>

#include "common/text.h"
#include "unit.h"

static const struct {
    const char *from, *to;
    size_t size;
} rows[] = {
    {"train", "train", 64},
    {"", "", 64},
    {NULL, "", 64},
    {"train", "tra", 4},
    {"train", "", 1},
    {"caf\xc3\xa9", "caf\xc3\xa9", 6},
    {"caf\xc3\xa9", "caf", 5},                      /* not half of it */
    {"\xe2\x82\xac", "\xe2\x82\xac", 4},            /* three bytes */
    {"\xf0\x9f\x8c\xb1x", "\xf0\x9f\x8c\xb1x", 64}, /* four */
    {"\xf0\x9f\x8c\xb1x", "", 4},
    {"a\xff"
     "b",
     "a?b", 64},
    {"a\x80", "a?", 64}, /* goes on from nothing */
    {"a\xc3", "a?", 64}, /* ends too early */
    {"\xe2\x82", "??", 64},
    {"\xc0\x80", "??", 64},           /* a long form of NUL */
    {"\xe0\x80\xaf", "???", 64},      /* of '/' */
    {"\xed\xa0\x80", "???", 64},      /* half a surrogate pair */
    {"\xf4\x90\x80\x80", "????", 64}, /* beyond Unicode */
    {"\xf8\x88\x80\x80\x80", "?????", 64},
    {"a\nb\x1b", "a\nb\x1b", 64}, /* JSON escapes these */
};

static void test_table(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char buf[64];
        memset(buf, 'x', sizeof(buf));
        UNIT_OK(text_copy(buf, rows[i].size, rows[i].from) == buf, "row %zu", i);
        UNIT_STR(buf, rows[i].to, "row %zu", i);
        UNIT_OK(strlen(buf) < rows[i].size, "row %zu fits", i);
    }
}

/* Every pair of bytes, and every triple whose first is 0xe0 or above. */
static void test_always_valid(void)
{
    char from[4] = "", buf[16];
    for (unsigned x = 1; x < 256 * 256 * 256; x++) {
        if ((x & 0xff) == 0 || ((x >> 16) != 0 && (x & 0xff) < 0xe0))
            continue;
        from[0] = (char)(x & 0xff);
        from[1] = (char)(x >> 8 & 0xff);
        from[2] = (char)(x >> 16);
        json_t *s = json_string(text_copy(buf, sizeof(buf), from));
        json_t *as_is = json_string(from);
        if (!s || (as_is && strcmp(buf, from) != 0)) {
            UNIT_OK(0, "bytes %02x %02x %02x", x & 0xff, x >> 8 & 0xff, x >> 16);
            return;
        }
        json_decref(s);
        json_decref(as_is);
    }
}

static const struct unit_case cases[] = {
    {"table", test_table},
    {"always_valid", test_always_valid},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "text");
}
