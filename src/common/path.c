/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files and directories for the rest of the tree. Blocks on the disk, keeps no
 * state, logs nothing; any thread, but two threads must not write one path.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/path.h"

int path_format(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(buf, size, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < size)
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}

/* One directory; that it is there already is fine. */
static int _mkdir(const char *path, mode_t mode, struct err *e)
{
    struct stat st;

    if (mkdir(path, mode) == 0)
        return 0;
    if (errno != EEXIST)
        return err_errno(e, "cannot make directory %s", path);
    if (stat(path, &st) < 0)
        return err_errno(e, "cannot look at %s", path);
    if (S_ISDIR(st.st_mode))
        return 0;
    errno = ENOTDIR;
    return err_errno(e, "cannot make directory %s", path);
}

int path_mkdirs(const char *path, mode_t mode, struct err *e)
{
    char part[PATH_MAX];
    char *slash = part;

    if (*path == '\0') {
        errno = ENOENT;
        return err_set(e, "cannot make a directory without a name");
    }
    if (path_format(part, sizeof(part), "%s", path) < 0)
        return err_errno(e, "cannot make directory %s", path);
    while ((slash = strchr(slash + 1, '/'))) {
        *slash = '\0';
        if (_mkdir(part, mode, e) < 0)
            return -1;
        *slash = '/';
    }
    return _mkdir(part, mode, e);
}

static int _write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

/* A rename is on the disk once its directory is. */
static int _sync_directory(const char *path)
{
    char dir[PATH_MAX];
    char *slash;
    int fd, rc, saved;

    if (path_format(dir, sizeof(dir), "%s", path) < 0)
        return -1;
    slash = strrchr(dir, '/');
    if (!slash)
        (void)snprintf(dir, sizeof(dir), ".");
    else
        slash[slash == dir] = '\0';
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    rc = fsync(fd);
    if (rc < 0 && errno == EINVAL)
        rc = 0; /* a file system that cannot, as some networked ones */
    saved = errno;
    (void)close(fd);
    errno = saved;
    return rc;
}

enum how { SYNCED, UNSYNCED, IN_TURN };

/* The file that gave its place away the last time, if it is as it was left. */
static int _open_again(const char *tmp, size_t size, mode_t mode)
{
    int fd = open(tmp, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && st.st_mode == (S_IFREG | mode) && st.st_uid == geteuid() &&
        st.st_nlink == 1 && (st.st_size <= (off_t)size || ftruncate(fd, (off_t)size) == 0))
        return fd;
    (void)close(fd);
    return -1;
}

static int _open_new(const char *tmp, mode_t mode)
{
    int fd, saved;

    /* what a crash left under our own pid is in the way of O_EXCL */
    if (unlink(tmp) < 0 && errno != ENOENT)
        return -1;
    fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fchmod(fd, mode) == 0)
        return fd;
    saved = errno;
    (void)close(fd);
    (void)unlink(tmp);
    errno = saved;
    return -1;
}

/* A complete file at tmp, synced if so asked; nothing is left of it on error. */
static int _write_file(const char *tmp, const void *data, size_t size, mode_t mode, enum how how)
{
    int fd = how == IN_TURN ? _open_again(tmp, size, mode) : -1, saved;

    if (fd < 0)
        fd = _open_new(tmp, mode);
    if (fd < 0)
        return -1;
    if (_write_all(fd, data, size) < 0 || (how == SYNCED && fsync(fd) < 0))
        goto error;
    if (close(fd) == 0)
        return 0;
    fd = -1;
error:
    saved = errno;
    if (fd >= 0)
        (void)close(fd);
    (void)unlink(tmp);
    errno = saved;
    return -1;
}

/* ext4 first writes out what is renamed over another file, but not what changes places with it; not
 * all file systems can do that. */
static int _take_place(const char *tmp, const char *path, enum how how)
{
    struct stat st;

    if (how == SYNCED || lstat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
        renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_EXCHANGE) < 0)
        return rename(tmp, path);
    if (how == UNSYNCED)
        (void)unlink(tmp);
    return 0;
}

static int _replace(const char *path, const char *suffix, const void *data, size_t size,
                    mode_t mode, enum how how, struct err *e)
{
    char tmp[PATH_MAX];
    int saved;

    if (path_format(tmp, sizeof(tmp), "%s.tmp%s", path, suffix) < 0 ||
        _write_file(tmp, data, size, mode, how) < 0)
        return err_errno(e, "cannot write %s", path);
    if (_take_place(tmp, path, how) < 0) {
        saved = errno;
        (void)unlink(tmp);
        errno = saved;
        return err_errno(e, "cannot write %s", path);
    }
    if (how == SYNCED && _sync_directory(path) < 0)
        return err_errno(e, "%s is written, but its directory is not synced", path);
    return 0;
}

int path_write_atomic(const char *path, const void *data, size_t size, mode_t mode, struct err *e)
{
    char pid[24];

    (void)snprintf(pid, sizeof(pid), ".%ld", (long)getpid());
    return _replace(path, pid, data, size, mode, SYNCED, e);
}

int path_write_unsynced(const char *path, const void *data, size_t size, mode_t mode, struct err *e)
{
    char pid[24];

    (void)snprintf(pid, sizeof(pid), ".%ld", (long)getpid());
    return _replace(path, pid, data, size, mode, UNSYNCED, e);
}

int path_write_alone(const char *path, const void *data, size_t size, mode_t mode, int synced,
                     struct err *e)
{
    return _replace(path, "", data, size, mode, synced ? SYNCED : UNSYNCED, e);
}

int path_write_in_turn(const char *path, const void *data, size_t size, mode_t mode, struct err *e)
{
    return _replace(path, "", data, size, mode, IN_TURN, e);
}

/* Everything up to the end of the file into a buffer that grows to max + 1 bytes, one of
 * them for a NUL. Sizes of /proc and /sys files say nothing, so hint is no more than that. */
static char *_read_all(int fd, size_t hint, size_t max, size_t *size)
{
    size_t capacity = hint < max ? hint + 1 : max + 1, used = 0;
    char *data = malloc(capacity), *grown;
    ssize_t n;
    char beyond;

    while (data) {
        if (used + 1 < capacity)
            n = read(fd, data + used, capacity - 1 - used);
        else
            n = read(fd, &beyond, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        if (n == 0) {
            data[used] = '\0';
            *size = used;
            return data;
        }
        if (used + 1 < capacity) {
            used += (size_t)n;
            continue;
        }
        if (capacity == max + 1) {
            errno = EFBIG;
            break;
        }
        capacity = capacity < max / 2 ? capacity * 2 + 4096 : max + 1;
        capacity = capacity < max + 1 ? capacity : max + 1;
        grown = realloc(data, capacity);
        if (!grown)
            break;
        data = grown;
        data[used++] = beyond;
    }
    free(data);
    return NULL;
}

int path_read(const char *path, size_t max, char **data, size_t *size, struct err *e)
{
    struct stat st;
    char *text = NULL;
    int saved, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return err_errno(e, "cannot open %s", path);
    if (fstat(fd, &st) == 0)
        text = _read_all(fd, st.st_size > 0 ? (size_t)st.st_size : 0, max, size);
    saved = errno;
    (void)close(fd);
    errno = saved;
    if (!text && errno == EFBIG)
        return err_set(e, "%s is larger than %zu bytes", path, max);
    if (!text)
        return err_errno(e, "cannot read %s", path);
    *data = text;
    return 0;
}

/* One part of a path: 1, 0, -1 as path_is_secure. */
static int _is_part_secure(const char *path, uid_t owner, struct err *e)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return err_errno(e, "cannot look at %s", path);
    if (st.st_uid != 0 && st.st_uid != owner) {
        (void)err_set(e, "%s belongs to uid %ld: it has to be root's or uid %ld's", path,
                      (long)st.st_uid, (long)owner);
        return 0;
    }
    /* a link's mode means nothing, and of a sticky directory others cannot take what is ours */
    if (S_ISLNK(st.st_mode) || (S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX)))
        return 1;
    if (st.st_mode & (S_IWGRP | S_IWOTH)) {
        (void)err_set(e, "%s can be changed by %s: chmod go-w %s", path,
                      st.st_mode & S_IWOTH ? "everybody" : "its group", path);
        return 0;
    }
    return 1;
}

/* path and everything above it; path is absolute and is taken apart. */
static int _is_chain_secure(char *path, uid_t owner, struct err *e)
{
    char *slash;
    int rc;

    for (;;) {
        rc = _is_part_secure(path, owner, e);
        if (rc != 1 || strcmp(path, "/") == 0)
            return rc;
        slash = strrchr(path, '/');
        slash[slash == path] = '\0';
    }
}

int path_is_secure(const char *path, uid_t owner, struct err *e)
{
    char real[PATH_MAX], given[PATH_MAX], here[PATH_MAX];
    int rc;

    if (!realpath(path, real))
        return err_errno(e, "cannot look at %s", path);
    rc = _is_chain_secure(real, owner, e);
    if (rc != 1)
        return rc;
    /* the links on the way as well: who can turn them chooses the file */
    if (path[0] == '/')
        rc = path_format(given, sizeof(given), "%s", path);
    else if (!getcwd(here, sizeof(here)))
        rc = -1;
    else
        rc = path_format(given, sizeof(given), "%s/%s", here, path);
    if (rc < 0)
        return err_errno(e, "cannot look at %s", path);
    return _is_chain_secure(given, owner, e);
}
