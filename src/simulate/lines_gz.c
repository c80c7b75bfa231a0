/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines through zlib, which passes a file that is not compressed on as it is. A
 * file that was cut off in the middle is an error: half a workload is another one.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "simulate/lines_gz.h"

#define ROOM_FIRST (1u << 16)

struct lines_gz {
    char *path;
    gzFile file;
    char *buf; /* from, to: what was read and not given out yet */
    size_t room, from, to;
    size_t number;
    bool ended; /* no more bytes in the file */
};

lines_gz_t *lines_gz_open(const char *path, struct err *e)
{
    lines_gz_t *lines = calloc(1, sizeof(*lines));
    int fd = -1;

    if (!lines)
        goto error;
    lines->path = strdup(path);
    lines->room = ROOM_FIRST;
    lines->buf = malloc(lines->room);
    if (!lines->path || !lines->buf)
        goto error;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        goto error;
    lines->file = gzdopen(fd, "rb");
    if (!lines->file) {
        errno = ENOMEM;
        goto error;
    }
    (void)gzbuffer(lines->file, ROOM_FIRST);
    return lines;
error:
    err_errno(e, "cannot open %s", path);
    if (fd >= 0) {
        int saved = errno;

        (void)close(fd);
        errno = saved;
    }
    lines_gz_close(lines);
    return NULL;
}

void lines_gz_close(lines_gz_t *lines)
{
    int saved = errno;

    if (!lines)
        return;
    if (lines->file)
        (void)gzclose_r(lines->file);
    free(lines->buf);
    free(lines->path);
    free(lines);
    errno = saved;
}

size_t lines_gz_number(const lines_gz_t *lines)
{
    return lines->number;
}

const char *lines_gz_path(const lines_gz_t *lines)
{
    return lines->path;
}

int lines_gz_bad(const lines_gz_t *lines, struct err *e, const char *fmt, ...)
{
    char text[sizeof(e->text)];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    errno = EINVAL;
    return err_set(e, "%s:%zu: %s", lines->path, lines->number, text);
}

/* More bytes behind those that are there, which move to the front. */
static int _fill(lines_gz_t *lines, struct err *e)
{
    int n, code = Z_OK;

    memmove(lines->buf, lines->buf + lines->from, lines->to - lines->from);
    lines->to -= lines->from;
    lines->from = 0;
    if (lines->to == lines->room) {
        char *grown = lines->room < LINES_GZ_LINE_MAX ? realloc(lines->buf, 2 * lines->room) : NULL;

        if (!grown && lines->room >= LINES_GZ_LINE_MAX)
            return lines_gz_bad(lines, e, "a line of more than %u bytes", LINES_GZ_LINE_MAX);
        if (!grown)
            return err_errno(e, "%s", lines->path);
        lines->buf = grown;
        lines->room *= 2;
    }
    errno = 0;
    n = gzread(lines->file, lines->buf + lines->to, (unsigned)(lines->room - lines->to));
    if (n > 0)
        lines->to += (size_t)n;
    else
        (void)gzerror(lines->file, &code); /* a file cut off reads as its end, with a code */
    if (n < 0 && code == Z_ERRNO)
        return err_errno(e, "cannot read %s", lines->path);
    if (n < 0 || code != Z_OK)
        return lines_gz_bad(lines, e, "the compressed file is broken or cut off here");
    lines->ended = n == 0;
    return 0;
}

int lines_gz_next(lines_gz_t *lines, struct span *line, struct err *e)
{
    const char *end = NULL;
    size_t seen = 0;

    lines->number++;
    for (;;) {
        const char *at = lines->buf + lines->from;

        end = memchr(at + seen, '\n', lines->to - lines->from - seen);
        if (end || lines->ended)
            break;
        seen = lines->to - lines->from;
        if (_fill(lines, e) < 0)
            return -1;
    }
    if (!end && lines->from == lines->to)
        return 0;
    *line = (struct span){lines->buf + lines->from, 0};
    line->n = (end ? (size_t)(end - lines->buf) : lines->to) - lines->from;
    lines->from += line->n + (end ? 1 : 0);
    if (lines->number == 1 && line->n >= 3 && memcmp(line->p, "\xef\xbb\xbf", 3) == 0)
        *line = (struct span){line->p + 3, line->n - 3};
    *line = span_trim(*line);
    return 1;
}
