/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The slot ledger, seen for one job: at which times would the partition be full of what
 * has been planned already? It keeps jobs from all falling into the same dip. Pure.
 */
#ifndef CARNOT_PLACEMENT_SLOTS_H
#define CARNOT_PLACEMENT_SLOTS_H

#include <stdint.h>
#include "placement/board.h"
#include "placement/lease.h"

/* Memory for one struct slots: about 48 KiB, not for the stack of a submission. */
struct slots_space {
    int64_t diff[BOARD_SLOTS_MAX + 1];
    uint32_t next_blocked[BOARD_SLOTS_MAX + 1];
};

struct slots {
    int64_t start_s, slot_s;
    uint32_t n; /* 0: no partition, or no slot is full */
    int any_blocked;
    /* For each slot, the first slot >= it that has no room for this job; n when there is none. */
    uint32_t *next_blocked;
};

/* Room for this many more CPUs in this partition (NULL: all free), leases counted in, as far as
 * until_s: behind it everything is taken for free, and need not be looked at. *s points into
 * *space, whose content before is of no matter. */
void slots_init(struct slots *s, struct slots_space *space, const struct board *b,
                const struct lease_table *leases, const struct board_partition *p, uint32_t cpus,
                int64_t until_s);

/* Is there room in all of [from_s, to_s)? Behind the last slot there always is. */
int slots_free(const struct slots *s, int64_t from_s, int64_t to_s);

/* The first full slot from i on; n when there is none. O(1) */
static inline int64_t slots_next_full(const struct slots *s, int64_t i)
{
    return i >= s->n ? s->n : s->next_blocked[i < 0 ? 0 : i];
}

static inline int slots_full(const struct slots *s, int64_t i)
{
    return i >= 0 && i < s->n && s->next_blocked[i] == i;
}

/* Put `cpus` into each slot of planned[n_slots] (one partition's row) that [from_s, to_s) touches,
 * or take them out (add 0). Saturates. */
void slots_occupy(const struct board_head *h, uint32_t *planned, uint32_t n_slots, int64_t from_s,
                  int64_t to_s, uint32_t cpus, int add);

/* The same for many: each says in diff[n_slots + 1], zeroed before, where it begins and ends to
 * hold CPUs; the sums of all are their planned[n_slots] (saturates). */
void slots_begin_end(const struct board_head *h, int64_t *diff, uint32_t n_slots, int64_t from_s,
                     int64_t to_s, uint32_t cpus);
void slots_sum(const int64_t *diff, uint32_t n_slots, uint32_t *planned);

#endif
