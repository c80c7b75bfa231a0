/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into a program: kills it with SIGKILL just before its $KILL_AT-th call that changes
 * something on the disk or in the machine.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static long steps;

static void *next(const char *name, int is_step)
{
    const char *at = getenv("KILL_AT");
    if (at && is_step && ++steps == atol(at))
        kill(getpid(), SIGKILL);
    return dlsym(RTLD_NEXT, name);
}

EXPORT ssize_t write(int fd, const void *data, size_t n)
{
    ssize_t (*real)(int, const void *, size_t) = next("write", 1);
    return real(fd, data, n);
}

EXPORT int fsync(int fd)
{
    int (*real)(int) = next("fsync", 1);
    return real(fd);
}

EXPORT int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *) = next("rename", 1);
    return real(from, to);
}

EXPORT int unlink(const char *path)
{
    int (*real)(const char *) = next("unlink", 1);
    return real(path);
}

EXPORT int mkdir(const char *path, mode_t mode)
{
    int (*real)(const char *, mode_t) = next("mkdir", 1);
    return real(path, mode);
}

EXPORT int open(const char *path, int flags, ...)
{
    int (*real)(const char *, int, ...) = next("open", (flags & O_ACCMODE) != O_RDONLY);
    va_list ap;
    mode_t mode = 0;
    va_start(ap, flags);
    if (flags & O_CREAT)
        mode = va_arg(ap, mode_t);
    va_end(ap);
    return real(path, flags, mode);
}

/* How the fake GPU's limit is written. */
EXPORT int fclose(FILE *f)
{
    int (*real)(FILE *) = next("fclose", 1);
    return real(f);
}
