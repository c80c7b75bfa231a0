/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's expressions of licences: "matlab:2,ansys". Written by users and read inside slurmctld:
 * bounded, no allocation, no recursion.
 */
#ifndef CARNOT_COMMON_LICENCES_H
#define CARNOT_COMMON_LICENCES_H

#include <stddef.h>
#include <stdint.h>

/* How many of the licence called name the expression asks for; 0 = none. NULL is "". */
uint32_t licences_count(const char *text, const char *name);

/* Is it a choice, "a|b", to which nothing can be joined? 1 or 0. */
int licences_are_choice(const char *text);

/* The expression with exactly n of name (0 = without it) beside what else it asks for. 0, or -1:
 * a choice, or it does not fit into size bytes (buf is untouched then). */
int licences_set(const char *text, const char *name, uint32_t n, char *buf, size_t size);

#endif
