/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers for names: the first name that comes is 0, the next new one 1, and so on.
 */
#ifndef CARNOT_SIMULATE_NAMES_H
#define CARNOT_SIMULATE_NAMES_H

#include <stdint.h>
#include "common/span.h"

struct name {
    uint64_t hash;
    size_t at, n; /* where its bytes are in text */
    uint32_t owner;
    uint32_t number;
};

/* Zeroed: empty. */
struct names {
    struct name *table; /* open addressing; a hash of 0 is a free place */
    size_t room;        /* a power of two, or 0 */
    uint32_t n;
    char *text;
    size_t used, text_room;
};

/* The number of this name of this owner (the same name of another owner is another one). 0 or -1
 * (ENOMEM). Allocates; O(1) on average. */
int names_number(struct names *names, uint32_t owner, struct span name, uint32_t *number);

void names_fini(struct names *names);

#endif
