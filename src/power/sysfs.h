/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small files of the kernel and of drivers: texts and numbers, and sources that are one such file.
 *
 * A source's file is opened once and read with pread() from then on: that is a quarter of the cost
 * of opening it each time, and keeps working after rights were dropped.
 */
#ifndef CARNOT_POWER_SYSFS_H
#define CARNOT_POWER_SYSFS_H

#include <stddef.h>
#include <stdint.h>

#include "power/source.h"

/* The text of dir/file, without white space at its end. Its length, or -1 and errno. */
int sysfs_text(const char *dir, const char *file, char *buf, size_t size);

/* A decimal number and nothing else but one newline, up to INT64_MAX. 0, or -1 and errno EBADMSG.
 */
int sysfs_parse_u64(const char *text, size_t n, uint64_t *out);

/* dir/file as such a number. 0, or -1 and errno. */
int sysfs_u64(const char *dir, const char *file, uint64_t *out);

/* Names of dir that begin with prefix, in order of their numbers and letters; each is called with
 * arg. 0, also when there is no such directory; -1 and errno. Allocates. */
int sysfs_each(const char *dir, const char *prefix, void (*each)(const char *name, void *arg),
               void *arg);

/* Open the source's path and note its rights: as ops.reopen, too. 0, or -1 and errno. */
int sysfs_source_open(struct source *s);

/* Read the whole file of the source. Bytes, or -1 and errno. */
int sysfs_source_read(struct source *s, char *buf, size_t size);

void sysfs_source_close(struct source *s); /* ops.close */

#endif
