/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * getdents64 into a buffer on the stack. Any thread.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "carnotd/dir.h"

#define BUFFER_SIZE 8192

static int _each(const char *buf, ssize_t n, dir_entry_cb cb, void *arg)
{
    for (ssize_t at = 0; at < n;) {
        const struct dirent64 *entry = (const struct dirent64 *)(const void *)(buf + at);
        int rc;

        at += entry->d_reclen;
        if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)
            continue;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        rc = cb(entry->d_name, arg);
        if (rc)
            return rc;
    }
    return 0;
}

int dir_each(const char *path, dir_entry_cb cb, void *arg)
{
    char buf[BUFFER_SIZE] __attribute__((aligned(8)));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0, saved;
    ssize_t n;

    if (fd < 0)
        return -1;
    while (rc == 0 && (n = getdents64(fd, buf, sizeof(buf))) != 0)
        rc = n < 0 ? -1 : _each(buf, n, cb, arg);
    saved = errno;
    (void)close(fd);
    errno = saved;
    return rc;
}
