/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Planned CPUs of the board plus those of the leases, turned into "next full slot", so
 * that a candidate costs one look-up however long the job is. O(slots + leases), no allocation.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "placement/slots.h"

_Static_assert((int64_t)BOARD_SLOTS_MAX *BOARD_SLOT_MAX_S <= UINT32_MAX,
               "times within the slots have 32 bits, which divide faster");

static uint32_t slot_of(const struct slots *s, int64_t t_s)
{
    if (t_s <= s->start_s)
        return 0;
    if (t_s - s->start_s >= s->n * s->slot_s)
        return s->n;
    return (uint32_t)(t_s - s->start_s) / (uint32_t)s->slot_s;
}

/* The slot behind the last one that [.., t_s) touches. */
static uint32_t slot_end(const struct slots *s, int64_t t_s)
{
    return t_s <= s->start_s ? 0 : slot_of(s, t_s + s->slot_s - 1);
}

static void add(const struct slots *s, int64_t *diff, int64_t from_s, int64_t to_s, uint32_t cpus)
{
    uint32_t from = slot_of(s, from_s), to = slot_end(s, to_s);
    if (from >= to)
        return;
    diff[from] += cpus;
    diff[to] -= cpus;
}

/* Where leases begin and end to hold CPUs, as differences to be summed up. */
static void add_leases(const struct slots *s, const struct lease_table *leases,
                       const struct board_partition *p, int64_t *diff)
{
    uint64_t partition = board_name_hash(p->name);
    for (uint32_t i = 0; leases && i < leases->n; i++) {
        const struct lease *l = &leases->leases[i];
        if (l->partition == partition)
            add(s, diff, l->start_s, l->end_s, l->cpus);
    }
}

void slots_init(struct slots *s, struct slots_space *space, const struct board *b,
                const struct lease_table *leases, const struct board_partition *p, uint32_t cpus,
                int64_t until_s)
{
    int64_t *diff = space->diff;
    s->next_blocked = space->next_blocked;
    s->start_s = b->head.slot_start_s;
    s->slot_s = b->head.slot_s;
    s->n = p ? b->n_slots : 0;
    s->n = slot_end(s, until_s);
    s->any_blocked = 0;
    s->next_blocked[s->n] = s->n;
    if (s->n == 0)
        return;

    memset(diff, 0, (s->n + 1) * sizeof(diff[0]));
    add_leases(s, leases, p, diff);
    const uint32_t *planned = b->planned + (size_t)(p - b->partitions) * b->n_slots;
    double capacity = floor((double)p->nodes * (double)p->cpus_per_node * b->head.overbook);
    int64_t room = capacity < 1e18 ? (int64_t)capacity - cpus : INT64_MAX, leased = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        leased += diff[i];
        int blocked = planned[i] + leased > room;
        s->next_blocked[i] = (uint32_t)blocked;
        s->any_blocked |= blocked;
    }
    if (!s->any_blocked) {
        s->n = 0;
        return;
    }
    for (uint32_t i = s->n; i-- > 0;)
        s->next_blocked[i] = s->next_blocked[i] ? i : s->next_blocked[i + 1];
}

int slots_free(const struct slots *s, int64_t from_s, int64_t to_s)
{
    if (!s->any_blocked)
        return 1;
    return s->next_blocked[slot_of(s, from_s)] >= slot_end(s, to_s);
}

void slots_occupy(const struct board_head *h, uint32_t *planned, uint32_t n_slots, int64_t from_s,
                  int64_t to_s, uint32_t cpus, int add)
{
    struct slots s = {.start_s = h->slot_start_s, .slot_s = h->slot_s, .n = n_slots};
    for (uint32_t i = slot_of(&s, from_s), end = slot_end(&s, to_s); i < end; i++) {
        uint32_t room = add ? UINT32_MAX - planned[i] : planned[i];
        uint32_t part = cpus < room ? cpus : room;
        planned[i] = add ? planned[i] + part : planned[i] - part;
    }
}

void slots_begin_end(const struct board_head *h, int64_t *diff, uint32_t n_slots, int64_t from_s,
                     int64_t to_s, uint32_t cpus)
{
    struct slots s = {.start_s = h->slot_start_s, .slot_s = h->slot_s, .n = n_slots};
    add(&s, diff, from_s, to_s, cpus);
}

void slots_sum(const int64_t *diff, uint32_t n_slots, uint32_t *planned)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < n_slots; i++) {
        sum += diff[i];
        planned[i] = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
    }
}
