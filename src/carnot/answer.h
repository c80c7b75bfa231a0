/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a server's answer: what is missing, null or of another type is "no
 * data", never 0, so that an older or newer server cannot make us lie.
 */
#ifndef CARNOT_ANSWER_H
#define CARNOT_ANSWER_H

#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#define ANSWER_NONE INT64_MIN

/* Borrowed text, or NULL. */
const char *answer_text(const json_t *object, const char *key);
/* The same, with "-" for none: for printf. */
const char *answer_show(const json_t *object, const char *key);
/* NAN when there is none. */
double answer_number(const json_t *object, const char *key);
/* The largest of that number in the rows of an array; NAN when none has it. */
double answer_largest(const json_t *rows, const char *key);
/* ANSWER_NONE when there is none. Reals are rounded. */
int64_t answer_integer(const json_t *object, const char *key);
/* RFC 3339 text as seconds since the epoch; ANSWER_NONE when there is none. */
int64_t answer_time(const json_t *object, const char *key);

/* Replace control characters in every text below value by '?': for people's terminals. */
void answer_clean(json_t *value);

#endif
