/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading files of sysfs. What is no number is an error (EBADMSG), never 0.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/path.h"
#include "power/sysfs.h"

int sysfs_text(const char *dir, const char *file, char *buf, size_t size)
{
    char path[SOURCE_PATH_MAX];
    ssize_t n;
    int fd, saved;

    if (path_format(path, sizeof(path), "%s/%s", dir, file) < 0)
        return -1;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -1;
    n = read(fd, buf, size - 1);
    saved = errno;
    (void)close(fd);
    errno = saved;
    if (n < 0)
        return -1;
    while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == ' '))
        n--;
    buf[n] = '\0';
    return (int)n;
}

int sysfs_parse_u64(const char *text, size_t n, uint64_t *out)
{
    uint64_t value = 0;

    errno = EBADMSG;
    if (n > 0 && text[n - 1] == '\n')
        n--;
    if (n == 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
            return -1;
    }
    if (value > INT64_MAX)
        return -1; /* no counter is; JSON could not hold it */
    *out = value;
    return 0;
}

int sysfs_u64(const char *dir, const char *file, uint64_t *out)
{
    char text[32];
    int n = sysfs_text(dir, file, text, sizeof(text));

    return n < 0 ? -1 : sysfs_parse_u64(text, (size_t)n, out);
}

static int _by_version(const struct dirent **a, const struct dirent **b)
{
    return strverscmp((*a)->d_name, (*b)->d_name);
}

int sysfs_each(const char *dir, const char *prefix, void (*each)(const char *name, void *arg),
               void *arg)
{
    struct dirent **names = NULL;
    int n = scandir(dir, &names, NULL, _by_version);

    if (n < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.' && strncmp(names[i]->d_name, prefix, strlen(prefix)) == 0)
            each(names[i]->d_name, arg);
        free(names[i]);
    }
    free(names);
    return 0;
}

int sysfs_source_open(struct source *s)
{
    int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st;

    /* opened when we were root: it may yet be read again, and cannot be had back */
    if (fd < 0 && s->fd >= 0 && (errno == EACCES || errno == EPERM))
        return 0;
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = fd;
    if (fd < 0) {
        int saved = errno;

        s->rights = stat(s->path, &st) == 0 ? (int)(st.st_mode & 07777) : -1;
        errno = saved;
        return -1;
    }
    s->rights = fstat(s->fd, &st) == 0 ? (int)(st.st_mode & 07777) : -1;
    return 0;
}

int sysfs_source_read(struct source *s, char *buf, size_t size)
{
    if (s->fd < 0) {
        errno = s->error ? s->error : ENOENT;
        return -1;
    }
    return (int)pread(s->fd, buf, size, 0);
}

void sysfs_source_close(struct source *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
    free(s->own);
    s->own = NULL;
}
