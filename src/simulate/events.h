/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is to happen, the earliest first: a binary heap. Ties: by kind, then by job, so that two
 * simulations of one thing are one.
 */
#ifndef CARNOT_SIMULATE_EVENTS_H
#define CARNOT_SIMULATE_EVENTS_H

#include <stddef.h>
#include <stdint.h>

struct event {
    int64_t t_s;
    uint32_t job;
    uint32_t kind; /* the caller's; smaller ones first */
};

struct events {
    struct event *heap;
    size_t n, room;
};

/* 0, or -1: no memory. */
int events_add(struct events *e, struct event event);
/* The earliest; e->n > 0. */
struct event events_take(struct events *e);
void events_fini(struct events *e);

#endif
