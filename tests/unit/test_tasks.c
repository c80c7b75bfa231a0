/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Task expressions of job arrays, good and bad.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/tasks.h"
#include "unit.h"

static void test_count(void)
{
    static const struct {
        const char *text;
        uint32_t tasks, at_once;
    } rows[] = {
        {"0", 1, 0},
        {"0-9", 10, 0},
        {"1-7:2", 4, 0},
        {"0-9%3", 10, 3},
        {"1,3,5-6", 4, 0},
        {"[0-3,7%2]", 5, 2},
        {"4294967295", 1, 0},
        {"0-1000:1000", 2, 0},
        /* what Slurm will refuse counts as one */
        {NULL, 1, 0},
        {"", 1, 0},
        {",", 1, 0},
        {"-", 1, 0},
        {"a", 1, 0},
        {"9-3", 1, 0},
        {"1-9:0", 1, 0},
        {"%", 1, 0},
        {"%9", 1, 9},
        {"1-", 1, 0},
        {"0-4294967296", 1, 0},
        {"99999999999999999999999", 1, 0},
        {"1-2-3", 1, 0},
        {"0x9", 1, 0},
        {"1 2", 1, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t at_once = 77;
        UNIT_INT(tasks_count(rows[i].text, &at_once), rows[i].tasks, "%s", rows[i].text);
        UNIT_INT(at_once, rows[i].at_once, "%%N of %s", rows[i].text);
        UNIT_INT(tasks_count(rows[i].text, NULL), rows[i].tasks, "%s, %%N not asked", rows[i].text);
    }
}

static void test_long(void)
{
    size_t size = 3u << 20;
    char *text = malloc(size + 1);
    memset(text, '1', size);
    for (size_t i = 1; i < size; i += 2)
        text[i] = ',';
    text[size] = '\0';
    UNIT_INT(tasks_count(text, NULL), 1, "beyond 1 MiB");
    text[1000] = '\0';
    UNIT_INT(tasks_count(text, NULL), 500, "below");
    free(text);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"count", test_count}, {"long", test_long}, {NULL, NULL}};
    return unit_main(argc, argv, cases, "tasks");
}
