/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files for readers of tables: written by the case, as text or with gzip.
 */
#ifndef CARNOT_TESTS_TABLE_FILE_H
#define CARNOT_TESTS_TABLE_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "common/path.h"
#include "unit.h"

/* These bytes as FILE "table" of this case; returns its path. */
static inline const char *table_file(const char *text, size_t size)
{
    static char path[256];
    struct err e = {""};

    (void)snprintf(path, sizeof(path), "%s/table", unit_tmpdir());
    if (!UNIT_OK(path_write_unsynced(path, text, size, 0644, &e) == 0, "%s", e.text))
        exit(1);
    return path;
}

/* The same compressed, without the last cut bytes of what that gives. */
static inline const char *table_file_gz(const char *text, size_t size, size_t cut)
{
    uLong room = compressBound(size) + 64;
    unsigned char *packed = malloc(room);
    z_stream z = {0};
    const char *path;

    /* 15 bits of window, and 16 for gzip's frame (zlib.h) */
    UNIT_INT(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK, "zlib");
    z.next_in = (unsigned char *)(uintptr_t)text;
    z.avail_in = (uInt)size;
    z.next_out = packed;
    z.avail_out = (uInt)room;
    UNIT_INT(deflate(&z, Z_FINISH), Z_STREAM_END, "zlib");
    path = table_file((char *)packed, z.total_out - cut);
    (void)deflateEnd(&z);
    free(packed);
    return path;
}

/* The error without the path of the directory. */
static inline const char *table_error(const char *text)
{
    const char *name = strstr(text, "/table");

    return name ? name + 1 : text;
}

/* Does the error, without the directory, begin with this? */
static inline int table_error_is(const char *text, const char *want)
{
    return strncmp(table_error(text), want, strlen(want)) == 0;
}

#endif
