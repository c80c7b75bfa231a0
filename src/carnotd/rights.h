/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnotd starts as root, opens what root alone may open, and goes on as a user of its own with
 * CAP_PERFMON at most. Between rights_begin() and rights_drop() only the effective user is root:
 * the real one is carnotd's already, and what is run gets that (POSIX_SPAWN_RESETIDS).
 *
 * Where it was not started as root, or is to stay root, nothing of this changes a user; new
 * privileges are off in every case. Main thread.
 */
#ifndef CARNOT_CARNOTD_RIGHTS_H
#define CARNOT_CARNOTD_RIGHTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/settings.h"

struct rights {
    uid_t uid; /* whose carnotd is in the end */
    gid_t gid;
    bool drops;    /* it is another one's now */
    bool perfmon;  /* CAP_PERFMON is kept */
    bool forgives; /* insecure directories are warned of, not refused */
};

/* Find out who to be, and forbid new privileges for good. Before the first thread. 0, or -1: no
 * such user, not allowed to become it, or not root and yet told to be somebody else. */
int rights_begin(struct rights *r, const struct settings *s, bool forgives, struct err *e);

/* A directory that carnotd alone writes: made with mode 0750 if it is missing, refused if others
 * could change what is in it. One of root's is handed over with the files that carnotd left there
 * as root (names: how they begin, NULL at the end); with anything else in it, it is refused, for it
 * is not carnotd's. 0 or -1. */
int rights_directory(const struct rights *r, const char *path, const char *const names[],
                     struct err *e);

/* The directory of this socket: one that is missing is made, mode 0755, for carnotd's user. 0 or
 * -1. */
int rights_socket_directory(const struct rights *r, const char *socket, struct err *e);

/* Act as the user that carnotd will be, and as root again; keeps errno. Root may be the one who
 * cannot: under systemd it has no right to others' directories. */
void rights_enter(const struct rights *r);
void rights_leave(const struct rights *r);

/* Be that user, for good, in all threads. 0, or -1 when it is not certain that root is gone. */
int rights_drop(struct rights *r, struct err *e);

#endif
