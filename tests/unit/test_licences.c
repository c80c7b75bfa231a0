/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expressions of licences: read, and joined with our own, as users and Slurm write them.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/licences.h"
#include "unit.h"

static void test_count(void)
{
    static const struct {
        const char *text;
        uint32_t n;
    } rows[] = {
        {NULL, 0},
        {"", 0},
        {"watts", 1},
        {"watts:40", 40},
        {"watts=40", 40},
        {"other:2,watts:40", 40},
        {"other:2;watts:40", 40},
        {"watts:40,other", 40},
        {" watts:40 , other:2", 40},
        {"watts:3,watts:4", 7},
        {"kilowatts:4,watts2:3", 0},
        {"watts:99999999999", UINT32_MAX},
        {"watts:4294967295,watts:4294967295", UINT32_MAX},
        {"watts:x", 0},
        {",,;,", 0},
        {"watts:", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        UNIT_INT(licences_count(rows[i].text, "watts"), rows[i].n, "'%s'", rows[i].text);
}

static void test_set(void)
{
    static const struct {
        const char *text;
        uint32_t n;
        const char *want; /* NULL = refused */
    } rows[] = {
        {NULL, 40, "watts:40"},
        {"", 40, "watts:40"},
        {"", 0, ""},
        {"watts:1", 40, "watts:40"},
        {"watts:1", 0, ""},
        {"other:2", 40, "other:2,watts:40"},
        {"other:2", 0, "other:2"},
        {"watts,other:2;watts=9", 40, "other:2,watts:40"},
        {"a:1;b:2 , c", 4294967295, "a:1,b:2,c,watts:4294967295"},
        {"wattsx:1", 1, "wattsx:1,watts:1"},
        {"a|b", 40, NULL},
        {"a|watts:1", 0, NULL},
    };
    char buf[64];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        strcpy(buf, "before");
        int rc = licences_set(rows[i].text, "watts", rows[i].n, buf, sizeof(buf));
        UNIT_INT(rc, rows[i].want ? 0 : -1, "'%s'", rows[i].text);
        UNIT_STR(buf, rows[i].want ? rows[i].want : "before", "'%s' with %u", rows[i].text,
                 rows[i].n);
    }
}

static void test_long(void)
{
    size_t size = 1u << 20;
    char *text = malloc(size + 1), buf[64] = "before";
    memset(text, 'a', size);
    text[size] = '\0';
    UNIT_INT(licences_set(text, "watts", 1, buf, sizeof(buf)), -1, "a name of 1 MiB");
    memset(text, ',', size);
    UNIT_INT(licences_set(text, "watts", 1, buf, sizeof(buf)), -1, "1 MiB of commas");
    text[60] = '\0';
    UNIT_INT(licences_set(text, "watts", 1, buf, sizeof(buf)), 0, "60 commas");
    UNIT_STR(buf, "watts:1", "nothing but ours");
    memset(text, 'a', 60);
    UNIT_INT(licences_set(text, "watts", 1, buf, sizeof(buf)), -1, "no room in the buffer");
    UNIT_STR(buf, "watts:1", "untouched");
    free(text);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"count", test_count}, {"set", test_set}, {"long", test_long}, {NULL, NULL}};
    return unit_main(argc, argv, cases, "licences");
}
