/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdlib.h>

#include "simulate/events.h"

static int before(const struct event *a, const struct event *b)
{
    if (a->t_s != b->t_s)
        return a->t_s < b->t_s;
    return a->kind != b->kind ? a->kind < b->kind : a->job < b->job;
}

int events_add(struct events *e, struct event event)
{
    if (e->n == e->room) {
        size_t room = e->room ? 2 * e->room : 1024;
        struct event *grown = realloc(e->heap, room * sizeof(*grown));
        if (!grown)
            return -1;
        e->heap = grown;
        e->room = room;
    }
    size_t i = e->n++;
    for (; i > 0 && before(&event, &e->heap[(i - 1) / 2]); i = (i - 1) / 2)
        e->heap[i] = e->heap[(i - 1) / 2];
    e->heap[i] = event;
    return 0;
}

struct event events_take(struct events *e)
{
    struct event first = e->heap[0], last = e->heap[--e->n];
    size_t i = 0;
    for (size_t child = 1; child < e->n; child = 2 * i + 1) {
        child += child + 1 < e->n && before(&e->heap[child + 1], &e->heap[child]);
        if (!before(&e->heap[child], &last))
            break;
        e->heap[i] = e->heap[child];
        i = child;
    }
    e->heap[i] = last;
    return first;
}

void events_fini(struct events *e)
{
    free(e->heap);
    *e = (struct events){0};
}
