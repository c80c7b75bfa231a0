/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and passwords, from a file that root alone can read: lines of a key, a blank and the rest
 * as its value; empty ones and those that begin with # are passed over. No value is ever printed.
 */
#ifndef CARNOT_HELPER_CREDENTIALS_H
#define CARNOT_HELPER_CREDENTIALS_H

#include <stdint.h>

#include "common/err.h"

#define CREDENTIAL_MAX 128

struct credentials {
    char user[CREDENTIAL_MAX], password[CREDENTIAL_MAX];
    /* SNMP alone: */
    char community[CREDENTIAL_MAX], version[CREDENTIAL_MAX];
    char auth[CREDENTIAL_MAX], auth_password[CREDENTIAL_MAX];
    char privacy[CREDENTIAL_MAX], privacy_password[CREDENTIAL_MAX];
};

/* 0 and *c, "" for what is not there; -1, errno and e, and *c as it was: EPERM when others than
 * its owner, root or the caller, may read or change it, EINVAL for a line that is none. Blocks on
 * the disk. */
int credentials_read(const char *path, struct credentials *c, struct err *e);

/* Another number when the file is another one, 0 when there is none. */
uint64_t credentials_stamp(const char *path);

#endif
