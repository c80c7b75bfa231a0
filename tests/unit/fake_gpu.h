/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the vendors' fake libraries read: files of a directory that hold a number, "error N" (a
 * code of the vendor's) or "hang".
 */
#ifndef CARNOT_TESTS_FAKE_GPU_H
#define CARNOT_TESTS_FAKE_GPU_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define FAKE_MISSING (-1) /* there is no such file */

extern const char fake_dir[]; /* the environment's name for the directory */

static inline FILE *fake_open(const char *name, const char *suffix, const char *mode)
{
    char path[4096];
    const char *dir = getenv(fake_dir);
    snprintf(path, sizeof(path), "%s/%s%s", dir ? dir : "/nonexistent", name, suffix);
    return fopen(path, mode);
}

/* 0 and the number, the error's code, or FAKE_MISSING. */
static inline int fake_value(const char *name, const char *suffix, unsigned long long *value)
{
    char text[64] = "";
    FILE *f = fake_open(name, suffix, "r");
    if (!f)
        return FAKE_MISSING;
    (void)!fgets(text, sizeof(text), f);
    fclose(f);
    while (strncmp(text, "hang", 4) == 0)
        sleep(1);
    if (strncmp(text, "error ", 6) == 0)
        return (int)strtoul(text + 6, NULL, 0);
    *value = strtoull(text, NULL, 10);
    return 0;
}

static inline void fake_remove(const char *name, const char *suffix)
{
    char path[4096];
    const char *dir = getenv(fake_dir);
    snprintf(path, sizeof(path), "%s/%s%s", dir ? dir : "/nonexistent", name, suffix);
    unlink(path);
}

/* One more call, for the test to count. */
static inline void fake_count(const char *name)
{
    FILE *f = fake_open(name, "", "a");
    if (f) {
        fputs(".", f);
        fclose(f);
    }
}

#endif
