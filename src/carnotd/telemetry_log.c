/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Appending and rotating. Only the main thread writes; the reporter's thread
 * reads the files through descriptors of its own.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carnotd/telemetry_log.h"
#include "common/path.h"

#define TAIL_CHUNK 4096

int telemetry_log_name(const struct telemetry_log *log, int i, char *buf, size_t size)
{
    if (i == 0)
        return path_format(buf, size, "%s", log->path);
    return path_format(buf, size, "%s.%d", log->path, i);
}

/* Where the line after the last newline begins. 0 or -1. */
static int _find_tail(int fd, off_t size, off_t *tail)
{
    char chunk[TAIL_CHUNK];
    off_t at = size;

    while (at > 0) {
        off_t from = at > TAIL_CHUNK ? at - TAIL_CHUNK : 0;
        ssize_t n = pread(fd, chunk, (size_t)(at - from), from);

        if (n != at - from)
            return -1;
        for (ssize_t i = n; i > 0; i--) {
            if (chunk[i - 1] == '\n') {
                *tail = from + i;
                return 0;
            }
        }
        at = from;
    }
    *tail = 0;
    return 0;
}

/* A line that a crash cut off would make the next one unreadable as well. */
static int _cut_torn_line(int fd, uint64_t *size)
{
    struct stat st;
    off_t tail;

    if (fstat(fd, &st) < 0 || _find_tail(fd, st.st_size, &tail) < 0)
        return -1;
    if (tail < st.st_size && ftruncate(fd, tail) < 0)
        return -1;
    *size = (uint64_t)tail;
    return 0;
}

static int _open_file(struct telemetry_log *log)
{
    int fd = open(log->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
    int saved;

    if (fd < 0)
        return -1;
    if (_cut_torn_line(fd, &log->size) < 0) {
        saved = errno;
        (void)close(fd);
        errno = saved;
        return -1;
    }
    log->fd = fd;
    return 0;
}

int telemetry_log_open(struct telemetry_log *log, const char *dir, uint64_t max_bytes, int keep,
                       struct err *e)
{
    int rc;

    memset(log, 0, sizeof(*log));
    log->fd = -1;
    log->max_bytes = max_bytes;
    log->keep = keep;
    if (path_format(log->path, sizeof(log->path), "%s/" TELEMETRY_LOG_NAME, dir) < 0)
        return err_errno(e, "log directory %s", dir);
    if (path_mkdirs(dir, 0750, e) < 0)
        return -1;
    rc = pthread_mutex_init(&log->rotation, NULL);
    if (rc) {
        errno = rc;
        return err_errno(e, "cannot make a lock");
    }
    if (_open_file(log) == 0)
        return 0;
    (void)err_errno(e, "cannot open %s", log->path);
    (void)pthread_mutex_destroy(&log->rotation);
    return -1;
}

/* telemetry.jsonl becomes .1, .1 becomes .2 and so on; the one beyond keep is replaced. */
static int _rename_all(const struct telemetry_log *log)
{
    char from[TELEMETRY_PATH_MAX + 16], to[TELEMETRY_PATH_MAX + 16];

    for (int i = log->keep - 1; i >= 0; i--) {
        if (telemetry_log_name(log, i, from, sizeof(from)) < 0 ||
            telemetry_log_name(log, i + 1, to, sizeof(to)) < 0)
            return -1;
        if (rename(from, to) < 0 && errno != ENOENT)
            return -1;
    }
    return 0;
}

/* If it fails half-way, the old file goes on being written to: too large is better than lost. */
static int _rotate(struct telemetry_log *log)
{
    int old = log->fd, rc;

    (void)pthread_mutex_lock(&log->rotation);
    rc = _rename_all(log);
    if (rc == 0)
        rc = _open_file(log);
    (void)pthread_mutex_unlock(&log->rotation);
    if (rc == 0)
        (void)close(old);
    return rc;
}

int telemetry_log_append(struct telemetry_log *log, const char *line, size_t size, struct err *e)
{
    ssize_t n;

    if (log->size > 0 && log->size + size > log->max_bytes && _rotate(log) < 0)
        return err_errno(e, "cannot rotate %s", log->path);
    do
        n = write(log->fd, line, size);
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)size) {
        log->size += size;
        log->appended += size;
        return 0;
    }
    if (n >= 0)
        errno = ENOSPC; /* the disk took a part: a torn line is taken back */
    (void)err_errno(e, "cannot write %s", log->path);
    if (n > 0 && ftruncate(log->fd, (off_t)log->size) < 0)
        (void)err_errno(e, "cannot take back half a line of %s", log->path);
    return -1;
}

void telemetry_log_close(struct telemetry_log *log)
{
    if (log->fd < 0)
        return;
    (void)fsync(log->fd);
    (void)close(log->fd);
    log->fd = -1;
    (void)pthread_mutex_destroy(&log->rotation);
}
