/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text that others wrote: names of jobs and the like are any bytes, JSON takes valid UTF-8 alone.
 */
#ifndef CARNOT_COMMON_TEXT_H
#define CARNOT_COMMON_TEXT_H

#include <stddef.h>

/* Copy from (NULL reads as "") into buf as valid UTF-8: bytes that are none become '?', what does
 * not fit is cut between two characters. size is at least 1. Returns buf. */
char *text_copy(char *buf, size_t size, const char *from);

#endif
