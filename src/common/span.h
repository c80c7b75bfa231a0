/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pieces of a text that is being parsed: any bytes with a length, no NUL at the end. What the
 * readers of tables share: fields, and numbers that follow no locale. No allocation.
 */
#ifndef CARNOT_COMMON_SPAN_H
#define CARNOT_COMMON_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed. A p of NULL: there is none, which is not the same as an empty one. */
struct span {
    const char *p;
    size_t n;
};

/* Without blanks, tabs and carriage returns (these at the end only) around it. */
struct span span_trim(struct span s);

/* The same bytes as this C string? */
bool span_equals(struct span s, const char *text);

/* For a message or a parser that wants a C string: cut to fit, unprintable bytes as '?'. size is
 * at least 1. Returns buf. */
char *span_copy(char *buf, size_t size, struct span s);

/* Cut the next field, trimmed, off *rest. False when there is none left. */
bool span_cut(struct span *rest, char separator, struct span *field);

/* All fields of a line, trimmed; the first max go into fields. With quoted, a field that begins
 * with " ends at the next ", and separators inside do not count; what stands behind the quote, and
 * a quote that is not closed, make it a field as it is written. Returns how many there are. */
size_t span_split(struct span line, char separator, bool quoted, struct span *fields, size_t max);

/* Plain decimals with a point: no sign, no exponent, at most 60 digits. 0, or -1 and *out as it
 * was. */
int span_number(struct span s, double *out);

/* A whole number, digits only. 0, or -1 (also where it does not fit) and *out as it was. */
int span_uint64(struct span s, uint64_t *out);

#endif
