/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EASY backfilling. The tree finds the next waiting job that fits into what is free without
 * looking at those that do not: with a long queue nearly all of them.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "simulate/machine.h"

#define NOBODY UINT32_MAX
#define CLOSED_S 3600

static uint64_t open_cores(const struct machine *m)
{
    return m->free > m->closed ? m->free - m->closed : 0;
}

int machine_init(struct machine *m, uint64_t cores, size_t n_jobs)
{
    *m = (struct machine){.cores = cores, .free = cores, .leaves = 1};
    while (m->leaves < n_jobs)
        m->leaves *= 2;
    m->least = malloc(2 * m->leaves * sizeof(*m->least));
    if (!m->least)
        return -1;
    memset(m->least, 0xff, 2 * m->leaves * sizeof(*m->least));
    return 0;
}

void machine_fini(struct machine *m)
{
    free(m->least);
    free(m->running);
    *m = (struct machine){0};
}

static void set_least(struct machine *m, uint32_t job, uint32_t cores)
{
    size_t i = m->leaves + job;
    m->least[i] = cores;
    for (i /= 2; i > 0; i /= 2) {
        uint32_t left = m->least[2 * i], right = m->least[2 * i + 1];
        uint32_t least = left < right ? left : right;
        if (m->least[i] == least)
            break;
        m->least[i] = least;
    }
}

void machine_queue(struct machine *m, uint32_t job, uint32_t cores)
{
    set_least(m, job, cores);
}

/* The first waiting job from `from` on that needs at most so many cores; NOBODY. */
static uint32_t next(const struct machine *m, size_t from, uint64_t most)
{
    size_t i = m->leaves + from;
    uint32_t fits = most < NOBODY ? (uint32_t)most : NOBODY - 1;
    if (from >= m->leaves)
        return NOBODY;
    while (m->least[i] > fits) {
        while (i & 1)
            i /= 2; /* a right child: nothing more below its parent */
        if (i == 0)
            return NOBODY;
        i++; /* the sibling at the right */
    }
    while (i < m->leaves)
        i = m->least[2 * i] <= fits ? 2 * i : 2 * i + 1;
    return (uint32_t)(i - m->leaves);
}

/* Where a job stands among those that run, or would. */
static size_t place(const struct machine *m, int64_t until_s, uint32_t job)
{
    size_t low = 0, high = m->n_running;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct machine_running *r = &m->running[middle];
        if (r->until_s < until_s || (r->until_s == until_s && r->job < job))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int run(struct machine *m, uint32_t job, int64_t until_s)
{
    uint32_t cores = m->least[m->leaves + job];
    if (until_s == MACHINE_NOT_NOW) {
        set_least(m, job, NOBODY);
        return 0;
    }
    if (m->n_running == m->room_running) {
        size_t room = m->room_running ? 2 * m->room_running : 256;
        struct machine_running *grown = realloc(m->running, room * sizeof(*grown));
        if (!grown)
            return -1;
        m->running = grown;
        m->room_running = room;
    }
    size_t i = place(m, until_s, job);
    memmove(&m->running[i + 1], &m->running[i], (m->n_running - i) * sizeof(*m->running));
    m->running[i] = (struct machine_running){until_s, cores, job};
    m->n_running++;
    m->free -= cores;
    set_least(m, job, NOBODY);
    return 0;
}

void machine_end(struct machine *m, uint32_t job, int64_t until_s)
{
    size_t i = place(m, until_s, job);
    m->free += m->running[i].cores;
    m->n_running--;
    memmove(&m->running[i], &m->running[i + 1], (m->n_running - i) * sizeof(*m->running));
}

/* When the head of the queue will have its cores, and how many others may use beyond that. */
static int64_t shadow(const struct machine *m, int64_t now_s, uint32_t cores, uint64_t *extra)
{
    /* it fits but for the closed ones: nobody knows for how long, an hour is the shortest */
    if (m->free >= cores) {
        *extra = 0;
        return now_s + CLOSED_S;
    }
    uint64_t free = m->free;
    int64_t shadow_s = now_s;
    size_t i = 0;
    while (i < m->n_running && (free < cores || m->running[i].until_s <= shadow_s)) {
        /* who runs past its limit may end any moment */
        if (free < cores)
            shadow_s = m->running[i].until_s > now_s ? m->running[i].until_s : now_s + 1;
        free += m->running[i++].cores;
    }
    *extra = free >= cores ? free - cores : 0;
    return shadow_s;
}

int machine_pass(struct machine *m, int64_t now_s, machine_start_f *start, machine_limit_f *limit,
                 void *arg)
{
    uint32_t head, job;
    while ((head = next(m, 0, NOBODY - 1)) != NOBODY && m->least[m->leaves + head] <= open_cores(m))
        if (run(m, head, start(arg, head)) < 0)
            return -1;
    if (head == NOBODY || open_cores(m) == 0 || next(m, (size_t)head + 1, open_cores(m)) == NOBODY)
        return 0;
    uint64_t extra;
    int64_t shadow_s = shadow(m, now_s, m->least[m->leaves + head], &extra);
    for (job = head; (job = next(m, (size_t)job + 1, open_cores(m))) != NOBODY;) {
        uint32_t cores = m->least[m->leaves + job];
        int ends_before = now_s + limit(arg, job) <= shadow_s;
        if (!ends_before && cores > extra)
            continue;
        int64_t until_s = start(arg, job);
        if (!ends_before && until_s != MACHINE_NOT_NOW)
            extra -= cores;
        if (run(m, job, until_s) < 0)
            return -1;
    }
    return 0;
}

int machine_waits(const struct machine *m)
{
    return m->least && m->least[1] != NOBODY;
}

uint64_t machine_used(const struct machine *m)
{
    return m->cores - m->free;
}
