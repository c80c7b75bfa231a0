/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A figure that the site has: a file that something writes, or a command that prints it (a PDU, a
 * machine without counters). What unit it has and what it covers is configured, since a number says
 * neither. Read by a thread of its own (slow_reader.h): a file system or command that hangs makes
 * the source stale and nothing else.
 */
#ifndef CARNOT_POWER_SOURCE_EXTERNAL_H
#define CARNOT_POWER_SOURCE_EXTERNAL_H

#include "common/err.h"
#include "power/source.h"

struct source_external {
    bool command; /* run path without arguments and take its output; else read the file */
    const char *path;
    const char *unit;    /* watts are integrated, joules are a counter that may begin anew */
    const char *covers;  /* a meter of that, whatever parts others give of it */
    int64_t interval_ms; /* between two readings */
};

/* Fill *s: "file" or "command". 0, or -1 and e. Starts a thread. */
int source_external_open(const struct source_external *x, struct source *s, struct err *e);

/* The same of a program that stays (helper.h): a source with this name; x->path is what is shown as
 * read, x->command does not matter. It is started by the source's thread. */
int source_external_open_helper(const struct source_external *x, const char *name,
                                const char *const args[], struct source *s, struct err *e);

/* "123.4" and white space around it, in millionths: 0, or -1 and errno EBADMSG. */
int source_external_parse(const char *text, uint64_t *millionths);

#endif
