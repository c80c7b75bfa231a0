/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the values of carnotd's messages may hold (node_event.h, energy_query.h). Texts come with
 * their length and from anybody. Pure, no allocation.
 */
#ifndef CARNOT_COMMON_MESSAGE_H
#define CARNOT_COMMON_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Printable ASCII and blanks alone? Of nothing, yes. */
bool message_is_printable(const char *text, size_t n);

/* A number of n digits, 1 to 20, and nothing else, at most max; *out is unchanged otherwise. */
bool message_number(const char *text, size_t n, uint64_t max, uint64_t *out);

/* Letters and digits, one at least. */
bool message_is_word(const char *text, size_t n);

/* The same, and '-', '_' and, not in front, '.': it ends up in file names, so no path through it.
 */
bool message_is_node(const char *text, size_t n);

#endif
