/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The slot ledger of carnotctld (placement/slots.h), kept for one machine: cores of what runs and
 * of what Carnot makes wait until a time of its choice, by their limits. Made anew from both at
 * each hour, as the last slots know nothing of what was put in when they were too far ahead.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "simulate/simulate_private.h"

/* Two weeks: behind them there is room. */
#define ROOM_SLOTS 336

int room_init(struct sim_room *r, uint64_t cores, double overbook)
{
    r->planned = calloc(ROOM_SLOTS, sizeof(*r->planned));
    r->space = malloc(sizeof(*r->space));
    r->partition.nodes = 1;
    r->partition.cpus_per_node = cores < UINT32_MAX ? (uint32_t)cores : UINT32_MAX;
    r->board.head.slot_s = SIM_HOUR_S;
    r->board.head.overbook = overbook;
    r->board.partitions = &r->partition;
    r->board.n_partitions = 1;
    r->board.planned = r->planned;
    r->board.n_slots = ROOM_SLOTS;
    r->until_s = INT64_MIN;
    return r->planned && r->space ? 0 : -1;
}

void room_fini(struct sim_room *r)
{
    free(r->planned);
    free(r->space);
}

/* It waits for a time of Carnot's choice, or did and queues now: that is from now on, and by the
 * hour, so that it is taken out as it was put in. */
static int is_planned(const struct sim_way *way)
{
    return way->due_s < INT64_MAX &&
           (way->state == SIM_HELD || (way->state == SIM_QUEUED && way->watched != SIM_NOBODY));
}

static int64_t plan_begin(const struct sim *s, uint32_t job)
{
    const struct sim_way *way = &s->way[job];
    return way->state == SIM_HELD ? way->due_s : s->room.board.head.slot_start_s;
}

static int is_stale(const struct sim *s)
{
    return s->now_s >= s->room.until_s;
}

static void build(struct sim *s)
{
    struct sim_room *r = &s->room;
    struct board_head *h = &r->board.head;
    int64_t *diff = r->space->diff;
    memset(diff, 0, (ROOM_SLOTS + 1) * sizeof(*diff));
    h->slot_start_s = sim_hour_s(s->now_s);
    r->until_s = h->slot_start_s + SIM_HOUR_S;
    for (size_t i = 0; i < s->machine.n_running; i++) {
        const struct machine_running *m = &s->machine.running[i];
        slots_begin_end(h, diff, ROOM_SLOTS, s->now_s, m->until_s, m->cores);
    }
    for (size_t i = 0; i < s->n_watched; i++) {
        uint32_t job = s->watched[i];
        const struct sim_way *way = &s->way[job];
        if (is_planned(way)) {
            int64_t from_s = plan_begin(s, job);
            slots_begin_end(h, diff, ROOM_SLOTS, from_s, from_s + sim_limit_left_s(s, job),
                            s->w->jobs[job].cores);
        }
    }
    slots_sum(diff, ROOM_SLOTS, r->planned);
}

void room_for(struct sim *s, uint32_t job, struct search *q)
{
    struct sim_room *r = &s->room;
    if (!r->planned)
        return;
    if (is_stale(s))
        build(s);
    q->hold_s = sim_limit_left_s(s, job);
    slots_init(&r->slots, r->space, &r->board, NULL, &r->partition, s->w->jobs[job].cores,
               q->until_s + q->hold_s);
    q->slots = &r->slots;
}

/* What a stale one lacks is put in when it is made anew. */
static void occupy(struct sim *s, uint32_t job, int64_t from_s, int64_t to_s, int add)
{
    struct sim_room *r = &s->room;
    if (r->planned && !is_stale(s))
        slots_occupy(&r->board.head, r->planned, ROOM_SLOTS, from_s, to_s, s->w->jobs[job].cores,
                     add);
}

void room_plan(struct sim *s, uint32_t job, int add)
{
    if (!s->room.planned || !is_planned(&s->way[job]))
        return;
    if (!add && is_stale(s))
        build(s);
    int64_t from_s = plan_begin(s, job);
    occupy(s, job, from_s, from_s + sim_limit_left_s(s, job), add);
}

void room_run(struct sim *s, uint32_t job, int add)
{
    occupy(s, job, s->now_s, s->way[job].until_s, add);
}
