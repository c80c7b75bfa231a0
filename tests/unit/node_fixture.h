/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recorded machines below tests/fixtures, and copies of them that a case may change.
 */
#ifndef CARNOT_TESTS_NODE_FIXTURE_H
#define CARNOT_TESTS_NODE_FIXTURE_H

#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/path.h"
#include "unit.h"

/* A copy of the machine in the case's directory, as a sysroot. */
static inline const char *fixture_copy(const char *machine)
{
    static char root[PATH_MAX];
    char command[3 * PATH_MAX];

    (void)snprintf(root, sizeof(root), "%s/%s", unit_tmpdir(), machine);
    (void)snprintf(command, sizeof(command), "cp -R '%s/%s' '%s' && chmod -R u+w '%s'", FIXTURES,
                   machine, root, root);
    if (system(command) != 0)
        CU_FAIL_FATAL("the fixture cannot be copied");
    return root;
}

/* Write ROOT/FILE in place (the same file, as sysfs does it), making directories as needed. */
static inline void fixture_write(const char *root, const char *file, const char *text)
{
    char path[PATH_MAX + 256], *slash;
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", root, file);
    slash = strrchr(path, '/');
    *slash = '\0';
    (void)path_mkdirs(path, 0755, NULL);
    *slash = '/';
    f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        CU_FAIL_FATAL("the fixture cannot be written");
}

static inline void fixture_write_u64(const char *root, const char *file, uint64_t value)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%llu\n", (unsigned long long)value);
    fixture_write(root, file, text);
}

/* Remove a file or a directory with all that is in it. */
static inline void fixture_remove(const char *root, const char *file)
{
    char command[2 * PATH_MAX];

    (void)snprintf(command, sizeof(command), "rm -r '%s/%s'", root, file);
    if (system(command) != 0)
        CU_FAIL_FATAL("the fixture cannot be changed");
}

#endif
