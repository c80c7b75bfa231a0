/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and numbers of users, by NSS: may block on a directory server, so never called inside
 * slurmctld. Thread-safe; allocates nothing that lasts.
 */
#ifndef CARNOT_COMMON_USER_H
#define CARNOT_COMMON_USER_H

#include <stddef.h>
#include <sys/types.h>

/* The name of uid, or its digits when nobody has that number. Returns buf. */
char *user_name(char *buf, size_t size, uid_t uid);

/* The number of a name. 0, or -1 and errno ENOENT when there is no such user. */
int user_uid(const char *name, uid_t *uid);

#endif
