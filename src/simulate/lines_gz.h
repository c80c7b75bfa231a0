/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of a text file, plain or compressed with gzip, one at a time. Memory: one line.
 * Blocks on the disk.
 */
#ifndef CARNOT_SIMULATE_LINES_GZ_H
#define CARNOT_SIMULATE_LINES_GZ_H

#include "common/err.h"
#include "common/span.h"

#define LINES_GZ_LINE_MAX (1u << 20) /* a job's node list in SWF takes kilobytes */

typedef struct lines_gz lines_gz_t;

/* NULL and e on error. */
lines_gz_t *lines_gz_open(const char *path, struct err *e);
void lines_gz_close(lines_gz_t *lines); /* NULL is legal; errno is kept */

/* The next line, trimmed, without a byte order mark, borrowed until the next call; the last one
 * need not end in a newline. 1; 0 at the end of the file; -1 and e "FILE:LINE: ..." (EINVAL for
 * broken compression and a line that is too long). */
int lines_gz_next(lines_gz_t *lines, struct span *line, struct err *e);

/* Of the line read last, from 1. */
size_t lines_gz_number(const lines_gz_t *lines);
const char *lines_gz_path(const lines_gz_t *lines);

/* "FILE:LINE: ..." of the line read last into e; returns -1 with errno EINVAL. */
int lines_gz_bad(const lines_gz_t *lines, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
