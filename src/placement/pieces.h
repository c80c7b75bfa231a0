/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In which pieces a job that goes on from checkpoints emits least: is it to run now, or to pause,
 * and until when? Pure: no clock, no allocation, any thread.
 *
 * Time from now on is cut into at most PIECES_SLOTS_MAX slots of one width. With w slots of work
 * left at slot t, c(t) the area of intensity in it, s the cost of going on after a pause (switch_s
 * of running at that slot's mean) and d the price of a slot's delay:
 *
 *     run(t, w)   = min( c(t) + run(t+1, w-1),         d + pause(t+1, w) )
 *     pause(t, w) = min( s(t) + c(t) + run(t+1, w-1),  d + pause(t+1, w) )
 *     run(t, 0) = pause(t, 0) = 0,  infinite where w slots do not fit before the last one
 *
 * The L cheapest slots of a window are the optimum without a cost of switching (Wiesner et al.,
 * Let's Wait Awhile, Middleware 2021); the cost of switching is that of online pause and resume
 * (Lechowicz et al., SIGMETRICS 2024). The simulator (simulate/pause.c) judges by hours, by the
 * count of cheaper ones and against a threshold of the whole site, which a daemon does not know.
 */
#ifndef CARNOT_PLACEMENT_PIECES_H
#define CARNOT_PLACEMENT_PIECES_H

#include <stdint.h>
#include "carbon/series.h"

/* A day of work in a day of slack has slots of a quarter of an hour, as feeds have; the work is
 * PIECES_SLOTS_MAX^2 steps at most, some 0.1 ms. */
#define PIECES_SLOTS_MAX 192
/* A job's end that is further off than forecasts reach is no help in finding its pieces (96 h, as
 * for starts: ALGORITHMS section 5). */
#define PIECES_LEFT_MAX_S (96 * 3600)

struct pieces_query {
    struct series believed; /* n >= 1; behind its end its mean from now on stands for it */
    int64_t now_s;
    int64_t left_s;  /* how long it has to run yet, > 0 */
    int64_t slack_s; /* how long it may stand still, all pauses together */
    int64_t
        switch_s; /* what a pause costs, in seconds of running: checkpoint, restart, lost work */
    double delay_g_kwh; /* what a second of delay must save, in g/kWh x s of its running; >= 0 */
    int running;        /* 1: it runs now, to run on costs no switch; 0: it stands still */
};

struct pieces {
    int pause;       /* 1: it stands still from now until until_s; 0: it runs until then */
    int64_t until_s; /* now + left_s if it runs to its end */
    double run_area, pause_area; /* least cost if it runs now, and if it stands still now; INFINITY
                                    if it cannot. In g/kWh x s, delay and switches counted */
    double on_area;              /* if it runs to its end from now on, without a pause */
};

/* The cheapest pieces. Ties: it runs. O(slots x work), 6 KiB of stack. */
void pieces_find(const struct pieces_query *q, struct pieces *out);

#endif
