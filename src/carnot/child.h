/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another program, run to its end or to a deadline, and what it said. Whatever it does, crashing
 * and hanging included, the caller goes on.
 */
#ifndef CARNOT_CHILD_H
#define CARNOT_CHILD_H

#include <stddef.h>
#include "common/err.h"

struct child_order {
    const char *const *argv; /* argv[0] is looked up in PATH unless it holds a slash; NULL ends */
    const char *const *env;  /* "NAME=value", added to ours; NULL ends, NULL = nothing */
    int keep_fd;             /* is CHILD_KEEP in the child; -1 = none */
    int timeout_ms;
    size_t output_max; /* of each stream; what is more is read and dropped */
};
#define CHILD_KEEP 3

struct child_result {
    char *out, *errs; /* terminated */
    int status;       /* exit code; 128 + signal; -1 = it was too late and was killed */
};

/* 0 and *r (child_fini), or -1 and e: it could not be started (errno ENOENT: there is none). Its
 * input is empty. Blocks. */
int child_run(const struct child_order *order, struct child_result *r, struct err *e);
void child_fini(struct child_result *r);

/* What went wrong, in words: the first line of its errors, else how it ended. Returns buf. */
char *child_why(const struct child_result *r, char *buf, size_t size);

/* Can this user read the file? 1, 0, or -1 when that cannot be found out (only root can ask for
 * somebody else). */
int child_can_read(const char *path, uid_t uid);

/* A program of Carnot's own: beside ours (a build that is not installed, there in sibling/), else
 * in the directory where it is installed. 0 and buf, or -1: in neither place. */
int child_find(char *buf, size_t size, const char *name, const char *sibling,
               const char *installed);

#endif
