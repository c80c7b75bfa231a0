/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's configuration files as lines: comments gone, continued lines joined, `include` followed.
 * What a line means is for the caller.
 */
#ifndef CARNOT_LINES_H
#define CARNOT_LINES_H

#include <stddef.h>
#include "common/err.h"

/* A line that is not empty, without white space around it; number counts from 1. 0 or -1 and e. */
typedef int (*lines_cb)(const char *line, const char *file, int number, void *arg, struct err *e);

/* Each line of size bytes of text called file. Pure. 0, or the callback's -1. */
int lines_each(const char *text, size_t size, const char *file, lines_cb cb, void *arg,
               struct err *e);

/* The same of a file of at most 4 MiB and what it includes (any case, patterns allowed, relative to
 * the file that says so). 0, or -1 and e: a file that cannot be read, includes without end. */
int lines_read(const char *path, lines_cb cb, void *arg, struct err *e);

#endif
