/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnotd's telemetry logs as lines, oldest first: telemetry.jsonl and the files that it was
 * renamed to (docs/formats.md). A last line without its newline is not there yet, or was torn by a
 * crash: it is left out.
 */
#ifndef CARNOT_LOG_READER_H
#define CARNOT_LOG_READER_H

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

/* A line, and what it holds (borrowed). 0 goes on, -1 and e stops. */
typedef int (*log_reader_cb)(const char *line, const json_t *value, void *arg, struct err *e);

struct log_reader {
    log_reader_cb cb;
    void *arg;
    size_t broken; /* lines that are no JSON object so far */
    long at;       /* where the last whole line of the last file ends, */
    ino_t ino;     /* and which file that was */
};

/* All of path: a file, or a directory with telemetry.jsonl. Allocates a line at a time. 0, or -1
 * and e. */
int log_reader_read(struct log_reader *r, const char *path, struct err *e);

/* After log_reader_read() of the same path: what comes behind that in the live file, also when it
 * is renamed and begun anew. Blocks for ever; -1 and e when the callback or the file fails. */
int log_reader_follow(struct log_reader *r, const char *path, struct err *e);

#endif
