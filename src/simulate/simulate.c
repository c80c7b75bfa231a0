/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop of a simulation, and what happens to a job.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/cap.h"
#include "simulate/simulate_private.h"

#define PROGRESS_EVERY 4096

int64_t sim_max_delay_s(const struct sim_settings *s, const struct sim_job *job)
{
    if (s->max_delay_s >= 0)
        return s->max_delay_s;
    return job->run_s < SIM_DELAY_SHORT_RUN_S ? SIM_DELAY_SHORT_S : SIM_DELAY_LONG_S;
}

void sim_result_fini(struct sim_result *r)
{
    free(r->start_s);
    free(r->end_s);
    free(r->ug);
    free(r->pieces);
    *r = (struct sim_result){0};
}

/* ---- which jobs an hour looks at */

static void watch(struct sim *s, uint32_t job)
{
    if (s->way[job].watched != SIM_NOBODY)
        return;
    s->way[job].watched = (uint32_t)s->n_watched;
    s->watched[s->n_watched++] = job;
}

static void unwatch(struct sim *s, uint32_t job)
{
    uint32_t at = s->way[job].watched;
    if (at == SIM_NOBODY)
        return;
    uint32_t last = s->watched[--s->n_watched];
    s->watched[at] = last;
    s->way[last].watched = at;
    s->way[job].watched = SIM_NOBODY;
}

/* ---- changes of state */

static void add_event(struct sim *s, int64_t t_s, uint32_t job, uint32_t kind)
{
    if (events_add(&s->events, (struct event){t_s, job, kind}) < 0)
        s->no_memory = 1;
}

static void enter(struct sim *s, uint32_t job, enum sim_state state)
{
    s->way[job].state = (uint8_t)state;
    s->way[job].since_s = s->now_s;
}

static void add_piece(struct sim *s, uint32_t job, int64_t start_s, int64_t end_s)
{
    struct sim_result *r = s->out;
    if (r->n_pieces == r->room_pieces) {
        size_t room = r->room_pieces + r->room_pieces / 4 + 1024;
        struct sim_piece *grown = realloc(r->pieces, room * sizeof(*grown));
        if (!grown) {
            s->no_memory = 1;
            return;
        }
        r->pieces = grown;
        r->room_pieces = room;
    }
    r->pieces[r->n_pieces++] = (struct sim_piece){job, start_s, end_s};
    if (r->start_s[job] == INT64_MIN)
        r->start_s[job] = start_s;
    r->end_s[job] = end_s;
    r->ug[job] += series_area(&s->truth, start_s, end_s, NULL, NULL) * s->set->ug_per_area *
                  s->w->jobs[job].cores;
}

/* It is among those that want cores, or no more; with what it is thought to need. */
static void wants(struct sim *s, uint32_t job)
{
    if (s->set->requeueable <= 0)
        return; /* nobody asks: see pause.c */
    s->way[job].wants_core_s = (float)pause_left_s(s, job) * (float)s->w->jobs[job].cores;
    s->queued_core_s += (double)s->way[job].wants_core_s;
}

static void wants_no_more(struct sim *s, uint32_t job)
{
    s->queued_core_s -= (double)s->way[job].wants_core_s;
}

int64_t sim_limit_left_s(const struct sim *s, uint32_t job)
{
    const struct sim_job *j = &s->w->jobs[job];
    int64_t done_s = j->run_s - s->way[job].left_s,
            limit_s = j->limit_s > 0 ? j->limit_s : j->run_s;
    return limit_s > done_s ? limit_s - done_s : 1;
}

static int64_t limit_left(const void *arg, uint32_t job)
{
    return sim_limit_left_s(arg, job);
}

/* Its cores are there: it runs, unless it would rather wait. Returns until when its limit lets it,
 * or MACHINE_NOT_NOW. */
static int64_t start(void *arg, uint32_t job)
{
    struct sim *s = arg;
    struct sim_way *way = &s->way[job];
    int64_t turn_s = policy_of_carnot(s->set->policy) ? pause_turn_s(s, job) : s->now_s;
    if (turn_s > s->now_s) {
        sim_hold(s, job, turn_s);
        return MACHINE_NOT_NOW;
    }
    room_plan(s, job, 0);
    unwatch(s, job);
    enter(s, job, SIM_RUNNING);
    wants_no_more(s, job);
    way->due_s = s->now_s + way->left_s;
    way->until_s = s->now_s + sim_limit_left_s(s, job);
    room_run(s, job, 1);
    add_event(s, way->due_s, job, EVENT_END);
    if (way->requeueable)
        watch(s, job);
    return way->until_s;
}

void sim_queue(struct sim *s, uint32_t job)
{
    struct sim_way *way = &s->way[job];
    if (way->state == SIM_HELD || way->state == SIM_PAUSED)
        way->delay_s += s->now_s - way->since_s;
    int planned = way->state == SIM_HELD && way->due_s < INT64_MAX;
    room_plan(s, job, 0);
    if (!planned || !s->room.planned)
        unwatch(s, job);
    enter(s, job, SIM_QUEUED);
    room_plan(s, job, 1);
    if (s->set->cores)
        machine_queue(&s->machine, job, s->w->jobs[job].cores);
    else
        (void)start(s, job);
}

void sim_hold(struct sim *s, uint32_t job, int64_t due_s)
{
    struct sim_way *way = &s->way[job];
    room_plan(s, job, 0);
    if (way->state != SIM_HELD)
        enter(s, job, SIM_HELD);
    way->due_s = due_s;
    room_plan(s, job, 1);
    watch(s, job);
    if (due_s < INT64_MAX)
        add_event(s, due_s, job, EVENT_DUE);
}

/* It gives its cores back in the middle. */
void sim_pause(struct sim *s, uint32_t job)
{
    struct sim_way *way = &s->way[job];
    add_piece(s, job, way->since_s, s->now_s);
    way->left_s -= s->now_s - way->since_s;
    way->left_s += SIM_SWITCH_S;
    if (s->set->cores)
        machine_end(&s->machine, job, way->until_s);
    room_run(s, job, 0);
    enter(s, job, SIM_PAUSED);
    wants(s, job);
    s->out->pauses++;
}

static void end(struct sim *s, uint32_t job)
{
    struct sim_way *way = &s->way[job];
    if (way->state != SIM_RUNNING || way->due_s != s->now_s)
        return; /* it was paused since this was said */
    add_piece(s, job, way->since_s, s->now_s);
    if (s->set->cores)
        machine_end(&s->machine, job, way->until_s);
    room_run(s, job, 0);
    unwatch(s, job);
    enter(s, job, SIM_ENDED);
    if (lengths_ended(s->lengths, &s->w->jobs[job]) < 0)
        s->no_memory = 1;
}

static void due(struct sim *s, uint32_t job)
{
    if (s->way[job].state == SIM_HELD && s->way[job].due_s == s->now_s)
        sim_queue(s, job);
}

/* A policy that plans all pieces at once, on a machine without limits. */
static void submit_in_pieces(struct sim *s, uint32_t job)
{
    const struct sim_job *j = &s->w->jobs[job];
    struct series belief = outlook_at(&s->outlook, s->now_s);
    struct policy_piece *pieces = NULL;
    size_t n = policy_pieces(s->set->policy, &belief, s->now_s, sim_max_delay_s(s->set, j),
                             j->run_s, &pieces);
    s->no_memory |= n == 0;
    for (size_t i = 0; i < n; i++)
        add_piece(s, job, pieces[i].start_s, pieces[i].end_s);
    s->out->pauses += n > 1 ? n - 1 : 0;
    free(pieces);
    enter(s, job, SIM_ENDED);
}

static void submit(struct sim *s, uint32_t job)
{
    const struct sim_job *j = &s->w->jobs[job];
    struct sim_way *way = &s->way[job];
    if (s->set->cores && j->cores > s->set->cores) {
        s->out->left_out++;
        s->out->start_s[job] = s->out->end_s[job] = 0;
        enter(s, job, SIM_ENDED);
        return;
    }
    if (policy_in_pieces(s->set->policy)) {
        submit_in_pieces(s, job);
        return;
    }
    way->left_s = j->run_s;
    int64_t due_s = plan_start(s, job);
    wants(s, job);
    if (due_s <= s->now_s)
        sim_queue(s, job);
    else
        sim_hold(s, job, due_s);
}

/* ---- the loop */

/* What is in use beyond the quota runs on. */
static void close_cores(struct sim *s)
{
    struct series belief = outlook_at(&s->outlook, s->now_s);
    s->machine.closed = s->set->cores - cap_quota(&belief, s->now_s, s->set->cores);
}

/* Plans and pauses change at full hours, as long as something could. */
static void hour(struct sim *s)
{
    if (s->set->cores)
        s->used_cores += ((double)machine_used(&s->machine) - s->used_cores) / 168;
    if (s->set->policy == SIM_CAP)
        close_cores(s);
    if (s->set->target_wait_s > 0 && s->now_s % SIM_DAY_S == 0)
        plan_midnight(s);
    if (s->set->forecast != OUTLOOK_PERFECT)
        plan_look_over(s);
    if (s->set->requeueable > 0)
        pause_hour(s);
}

static int64_t next_event_s(const struct sim *s)
{
    int64_t t_s = INT64_MAX;
    if (s->submitted < s->w->n)
        t_s = sim_trace_s(s, s->w->jobs[s->submitted].submit_s);
    if (s->events.n && s->events.heap[0].t_s < t_s)
        t_s = s->events.heap[0].t_s;
    int idle = s->submitted == s->w->n && !s->n_watched &&
               !(s->set->policy == SIM_CAP && machine_waits(&s->machine));
    if (!idle && s->next_hour_s < t_s)
        t_s = s->next_hour_s;
    return t_s;
}

static void step(struct sim *s)
{
    /* hours in which nothing could change were passed over: time does not go back to them */
    if (s->next_hour_s < s->now_s)
        s->next_hour_s = sim_hour_s(s->now_s);
    if (s->next_hour_s < s->now_s)
        s->next_hour_s += SIM_HOUR_S;
    while (s->events.n && s->events.heap[0].t_s == s->now_s) {
        struct event event = events_take(&s->events);
        if (event.kind == EVENT_END)
            end(s, event.job);
        else
            due(s, event.job);
    }
    if (s->now_s == s->next_hour_s) {
        hour(s);
        s->next_hour_s += SIM_HOUR_S;
    }
    while (s->submitted < s->w->n && sim_trace_s(s, s->w->jobs[s->submitted].submit_s) == s->now_s)
        submit(s, (uint32_t)s->submitted++);
    if (s->set->cores && machine_pass(&s->machine, s->now_s, start, limit_left, s) < 0)
        s->no_memory = 1;
}

static int prepare(struct sim *s)
{
    size_t n = s->w->n;
    int64_t sum_s[2] = {0}, count[2] = {0};
    s->way = calloc(n + 1, sizeof(*s->way));
    s->watched = malloc((n + 1) * sizeof(*s->watched));
    s->samples = malloc(SIM_SAMPLES * sizeof(*s->samples));
    s->lengths = lengths_create(s->set->lengths);
    s->out->start_s = malloc((n + 1) * sizeof(*s->out->start_s));
    s->out->end_s = calloc(n + 1, sizeof(*s->out->end_s));
    s->out->ug = calloc(n + 1, sizeof(*s->out->ug));
    if (!s->way || !s->watched || !s->samples || !s->lengths || !s->out->start_s ||
        !s->out->end_s || !s->out->ug)
        return -1;
    for (size_t i = 0; i < n; i++) {
        int is_long = s->w->jobs[i].run_s >= SIM_DELAY_SHORT_RUN_S;
        sum_s[is_long] += s->w->jobs[i].run_s;
        count[is_long]++;
        s->way[i].watched = SIM_NOBODY;
        /* here, so that all policies have the same ones */
        s->way[i].requeueable = random_share(&s->random) < s->set->requeueable;
        s->out->start_s[i] = INT64_MIN;
    }
    for (int k = 0; k < 2; k++)
        s->mean_length_s[k] = count[k] ? sum_s[k] / count[k] : 1;
    s->out->n = n;
    if (s->set->cores == 0)
        return 0;
    if (s->set->overbook > 0 && policy_of_carnot(s->set->policy) &&
        room_init(&s->room, s->set->cores, s->set->overbook) < 0)
        return -1;
    return machine_init(&s->machine, s->set->cores, n);
}

static void clean(struct sim *s)
{
    free(s->way);
    free(s->watched);
    free(s->samples);
    lengths_destroy(s->lengths);
    events_fini(&s->events);
    room_fini(&s->room);
    if (s->set->cores)
        machine_fini(&s->machine);
}

int sim_run(const struct workload *w, const struct series *truth, const struct sim_settings *set,
            struct sim_result *out, sim_progress_f *progress, void *arg, struct err *e)
{
    struct sim *s = calloc(1, sizeof(*s));
    *out = (struct sim_result){0};
    if (!s)
        return err_set(e, "no memory");
    *s = (struct sim){.w = w, .set = set, .truth = *truth, .out = out, .theta = NAN};
    s->steer =
        (struct steer){.target_s = set->target_wait_s, .lambda_ug_per_s = set->lambda_ug_per_s};
    outlook_init(&s->outlook, set->forecast, truth, set->seed);
    random_init(&s->random, set->seed + 1);
    s->no_memory = prepare(s) < 0;
    if (!s->no_memory && w->n) {
        int64_t first_s = sim_trace_s(s, w->jobs[0].submit_s);
        s->next_hour_s = sim_hour_s(first_s) + SIM_HOUR_S;
    }
    for (size_t steps = 0; !s->no_memory && (s->now_s = next_event_s(s)) < INT64_MAX; steps++) {
        step(s);
        if (progress && steps % PROGRESS_EVERY == 0)
            progress(arg, (double)s->submitted / (double)w->n);
    }
    int failed = s->no_memory;
    clean(s);
    free(s);
    if (!failed)
        return 0;
    sim_result_fini(out);
    errno = ENOMEM;
    return err_set(e, "no memory for %zu jobs", w->n);
}
