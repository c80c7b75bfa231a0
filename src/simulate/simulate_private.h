/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A simulation that goes on: shared by its loop (simulate.c), its plans (plan.c), the room for them
 * (room.c) and its pauses (pause.c), by nobody else.
 */
#ifndef CARNOT_SIMULATE_PRIVATE_H
#define CARNOT_SIMULATE_PRIVATE_H

#include "placement/search.h"
#include "placement/slots.h"
#include "placement/steer.h"
#include "simulate/events.h"
#include "simulate/machine.h"
#include "simulate/random.h"
#include "simulate/simulate.h"

#define SIM_HOUR_S 3600
#define SIM_DAY_S (24 * SIM_HOUR_S)
#define SIM_NOBODY UINT32_MAX
#define SIM_SAMPLES 2000

enum sim_state {
    SIM_NEW = 0,
    SIM_HELD,   /* Carnot's begin time is not there yet */
    SIM_QUEUED, /* waits for cores */
    SIM_RUNNING,
    SIM_PAUSED, /* gave its cores back, to go on in a greener hour */
    SIM_ENDED
};

/* A job on its way. Times are the trace's. */
struct sim_way {
    int64_t left_s;  /* of its run time, switches in */
    int64_t since_s; /* in this state */
    /* HELD: eligible then; INT64_MAX: when the pause rule says. RUNNING: it ends. QUEUED and
     * watched: it was held until then. */
    int64_t due_s;
    int64_t until_s;    /* RUNNING: by its limit */
    int64_t delay_s;    /* that Carnot caused so far */
    int64_t latest_s;   /* HELD: eligible then at the latest */
    float believed_s;   /* mean of its lengths when it was planned */
    float wants_core_s; /* HELD, QUEUED, PAUSED: what it adds to sim.queued_core_s */
    uint32_t watched;   /* its place in sim.watched; SIM_NOBODY: in none */
    uint8_t state, requeueable;
};

enum { EVENT_END = 0, EVENT_DUE };

/* What a board says of room, and nothing else. */
struct sim_room {
    struct board board;
    struct board_partition partition;
    uint32_t *planned; /* NULL: plans do not look for room */
    struct slots_space *space;
    struct slots slots;
    int64_t until_s; /* it is made anew then */
};

struct sim {
    const struct workload *w;
    const struct sim_settings *set;
    struct series truth;
    struct sim_result *out;
    struct sim_way *way;
    struct events events;
    struct machine machine;
    struct sim_room room;
    struct outlook outlook;
    lengths_t *lengths;
    struct random random;
    int64_t now_s, next_hour_s;
    size_t submitted;
    /* Jobs that an hour may change: held, paused, and running ones that can be paused; and those
     * that were held and queue now, which the room has to know. */
    uint32_t *watched;
    size_t n_watched;
    unsigned issues; /* of the outlook, when plans were last looked over */
    /* Mean run time of short and long jobs, for rules that know no more. */
    int64_t mean_length_s[2];
    struct steer steer;
    int steering; /* the week of solving is over */
    struct search *samples;
    size_t n_samples, n_seen;
    double queued_core_s; /* believed, of jobs held, queued or paused */
    double used_cores;    /* mean of the last week, roughly */
    double theta;         /* the site's threshold in g/kWh; NAN: none */
    int no_memory;
};

/* plan.c: a job was submitted, or is looked at again: when is it to be eligible? now_s: at once. */
int64_t plan_start(struct sim *s, uint32_t job);
/* The search for a job whose start lies in [now, now + wait_s]. */
struct search plan_search(struct sim *s, uint32_t job, int64_t wait_s);
/* It waited in the queue, and may wait for wait_s more: when is it to be eligible? now_s: at once.
 */
int64_t plan_again(struct sim *s, uint32_t job, int64_t wait_s);
/* A forecast was issued: held jobs may move. */
void plan_look_over(struct sim *s);
/* Midnight of the first week: solve for lambda. */
void plan_midnight(struct sim *s);

/* room.c: the slot ledger; cores > 0. 0 or -1. */
int room_init(struct sim_room *r, uint64_t cores, double overbook);
void room_fini(struct sim_room *r); /* legal on a zeroed one */
/* The search is to look for room for this job, whose own plan is not in it. */
void room_for(struct sim *s, uint32_t job, struct search *q);
/* Put the job's plan in, or take it out (add 0), if it has one. */
void room_plan(struct sim *s, uint32_t job, int add);
/* The same of one that runs, from now on. */
void room_run(struct sim *s, uint32_t job, int add);

/* pause.c: how long the job will still run, as far as one can know. */
int64_t pause_left_s(const struct sim *s, uint32_t job);
/* Is it better to run now than in what is left of the bound? 1 or 0. */
int pause_says_run(struct sim *s, uint32_t job);
/* Does it start by that rule, being too long for a plan in one piece? */
int pause_starts(const struct sim *s, uint32_t job);
/* There are cores for it: when is it to have them? now_s: at once; INT64_MAX: when the pause rule
 * says. */
int64_t pause_turn_s(struct sim *s, uint32_t job);
/* The top of an hour: pause and resume. */
void pause_hour(struct sim *s);

/* simulate.c: for how long its limit lets it run yet, > 0. */
int64_t sim_limit_left_s(const struct sim *s, uint32_t job);
/* changes of state */
void sim_queue(struct sim *s, uint32_t job);
void sim_pause(struct sim *s, uint32_t job);
void sim_hold(struct sim *s, uint32_t job, int64_t due_s);
/* The full hour before t_s. */
static inline int64_t sim_hour_s(int64_t t_s)
{
    return t_s - (t_s % SIM_HOUR_S + SIM_HOUR_S) % SIM_HOUR_S;
}
static inline int64_t sim_trace_s(const struct sim *s, int64_t workload_s)
{
    return workload_s + s->set->shift_s;
}

#endif
