/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that stays and is asked for one number again and again: what speaks to a controller or
 * a PDU with libraries that carnotd does not link. Its standard input and output are one socket:
 *
 *   carnotd  an empty line
 *   helper   "412.5", or "error ERRNO" when it has none (why is on its standard error, once)
 *
 * At the end of its input it ends. One that dies is started again, after 5 s at first and 5 min at
 * most; one that does not answer is killed. For a slow_reader's thread: asking waits.
 */
#ifndef CARNOT_POWER_HELPER_H
#define CARNOT_POWER_HELPER_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define HELPER_ARGS_MAX 32
#define HELPER_PATH_MAX 256

struct helper;

/* Where the helper of this name is installed, or the directory $CARNOT_LIBEXECDIR has it. 0, or -1
 * and e when that is too long. */
int helper_path(char path[HELPER_PATH_MAX], const char *name, struct err *e);

/* What helper_ask() will start, when it is asked first: args[0] and its arguments, NULL behind the
 * last; copied. NULL and errno without memory, or E2BIG. */
struct helper *helper_create(const char *const args[]);

/* The next number as the helper says it, without the end of line, in buf. 0, or -1 and errno: the
 * helper's own, ETIMEDOUT when it was killed after deadline_ms, ECHILD when it has died or waits to
 * be started again, that of posix_spawn() when it cannot be started. */
int helper_ask(struct helper *h, int64_t deadline_ms, char *buf, size_t size);

/* Close its input, give it a second, kill it. NULL is fine. */
void helper_destroy(struct helper *h);

#endif
