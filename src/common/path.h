/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files and directories: safe writes, bounded reads, and whether others could
 * change a path under us. Blocks on the disk. Every descriptor is O_CLOEXEC.
 */
#ifndef CARNOT_COMMON_PATH_H
#define CARNOT_COMMON_PATH_H

#include <stddef.h>
#include <sys/types.h>
#include "common/err.h"

/* mkdir -p with this mode for what is missing. 0 or -1. */
int path_mkdirs(const char *path, mode_t mode, struct err *e);

/* Replace path by these bytes: "path.tmp.PID" beside it, fsync, rename, fsync
 * of the directory. A reader sees the old or the new file, whole. 0 or -1. */
int path_write_atomic(const char *path, const void *data, size_t size, mode_t mode, struct err *e);

/* The same without waiting for the disk, for what is written anew all the time: a reader sees the
 * old or the new file, whole, but after a crash of the machine it may be empty. */
int path_write_unsynced(const char *path, const void *data, size_t size, mode_t mode,
                        struct err *e);

/* The same for a path that no other process writes: the temporary name, "path.tmp", does not change
 * with the pid, so that runs that were killed leave no more than one behind. No allocation. */
int path_write_alone(const char *path, const void *data, size_t size, mode_t mode, int synced,
                     struct err *e);

/* The same unsynced, by two files, path and "path.tmp", that change places each time, so that in
 * the long run none is made or freed: the cheapest. After a crash of the machine old and new may be
 * mixed. For readers that are done before path is written twice more. */
int path_write_in_turn(const char *path, const void *data, size_t size, mode_t mode, struct err *e);

/* Read a whole file of at most max bytes into a new buffer with a NUL behind
 * it; the caller frees *data. A larger file is an error. 0 or -1 (errno ENOENT
 * when there is none). */
int path_read(const char *path, size_t max, char **data, size_t *size, struct err *e);

/* Can only root or owner change this file or directory, and everything above
 * it (sticky directories count as safe)? 1 yes, 0 no (e says which part and
 * what to do), -1 could not tell. */
int path_is_secure(const char *path, uid_t owner, struct err *e);

/* snprintf that fails instead of cutting: 0, or -1 and errno ENAMETOOLONG. */
int path_format(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
