/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An error's text, in a struct that the caller owns: no allocation, no
 * logging, works when memory is short. Functions that take one accept NULL.
 */
#ifndef CARNOT_COMMON_ERR_H
#define CARNOT_COMMON_ERR_H

#include <stddef.h>

struct err {
    char text[320]; /* one line, no newline; "" when nothing went wrong */
};

/* Write the formatted text into e (cut to fit) and return -1, so that an error
 * path is one statement. Control bytes become '?'. errno is kept. e may be NULL; arguments
 * may point into e. */
int err_set(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* As err_set, with ": strerror(errno)" behind the text. */
int err_errno(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What somebody wrote, fit for an error's text: unprintable bytes become '?', what is longer
 * than the buffer ends in "...". NULL reads as "". Returns buf. */
char *err_quote(char *buf, size_t size, const char *text);
#define ERR_QUOTE_SIZE 44 /* a good size for that */

/* Put the formatted text and ": " before what e holds already; returns -1. */
int err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
