/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plans: the search that the plugin runs, with what was believed then.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "simulate/simulate_private.h"

#define WEEK_S (7 * SIM_DAY_S)

static double weight_of(const struct sim *s, uint32_t job)
{
    double exponent = s->set->lambda_exponent;
    return exponent != 0 ? pow(s->w->jobs[job].cores, exponent) : 1;
}

struct search plan_search(struct sim *s, uint32_t job, int64_t wait_s)
{
    const struct sim_job *j = &s->w->jobs[job];
    int64_t lengths[LENGTHS_MAX];
    size_t n = lengths_of(s->lengths, j, lengths);
    double sum_s = (double)lengths[0];
    struct search q = {
        .series = outlook_at(&s->outlook, s->now_s),
        .from_s = s->now_s,
        .until_s = s->now_s + (wait_s > 0 ? wait_s : 0),
        .length_s = lengths[0],
        .hold_s = lengths[0],
        .n_further = (uint32_t)n - 1,
        .ug_per_area = s->set->ug_per_area * j->cores,
        .lambda_ug_per_s = s->steer.lambda_ug_per_s * weight_of(s, job),
    };
    for (size_t i = 1; i < n; i++) {
        q.further_s[i - 1] = lengths[i];
        sum_s += (double)lengths[i];
    }
    s->way[job].believed_s = (float)(sum_s / (double)n);
    room_for(s, job, &q);
    return q;
}

/* Jobs to solve on: the first so many, then each with the chance that keeps all equal. */
static void sample(struct sim *s, uint32_t job, const struct search *q)
{
    size_t at = s->n_seen++;
    if (at >= SIM_SAMPLES)
        at = random_bits(&s->random) % s->n_seen;
    if (at >= SIM_SAMPLES)
        return;
    if (s->n_samples < SIM_SAMPLES)
        s->n_samples++;
    s->samples[at] = *q;
    s->samples[at].lambda_ug_per_s = weight_of(s, job);
    s->samples[at].slots = NULL;      /* which are for one moment */
    s->samples[at].series = s->truth; /* known by midnight, but for what then lies ahead */
}

static void steer(struct sim *s, uint32_t job, const struct search *q, int64_t start_s)
{
    if (s->set->target_wait_s <= 0)
        return;
    if (s->steering)
        steer_planned(&s->steer, (double)(start_s - q->from_s));
    else
        sample(s, job, q);
}

void plan_midnight(struct sim *s)
{
    if (s->steering || s->n_samples == 0)
        return;
    s->steer.lambda_ug_per_s = steer_solve(s->samples, s->n_samples, s->set->target_wait_s);
    s->steering = s->now_s >= sim_trace_s(s, s->w->jobs[0].submit_s) + WEEK_S - SIM_DAY_S;
}

/* start_s, or now if that saves too little. */
static int64_t if_worth_it(const struct sim *s, const struct search *q, int64_t start_s)
{
    if (s->set->min_gain_ug > 0 &&
        search_carbon_ug(q, s->now_s) - search_carbon_ug(q, start_s) < s->set->min_gain_ug)
        return s->now_s;
    return start_s;
}

int64_t plan_start(struct sim *s, uint32_t job)
{
    const struct sim_job *j = &s->w->jobs[job];
    struct sim_way *way = &s->way[job];
    int64_t wait_s = s->set->policy == SIM_ASAP ? 0 : sim_max_delay_s(s->set, j);
    struct search q = plan_search(s, job, wait_s);
    way->latest_s = q.until_s;
    if (s->set->policy == SIM_ASAP)
        return s->now_s;
    if (way->requeueable && pause_starts(s, job))
        return pause_says_run(s, job) ? s->now_s : INT64_MAX;
    int is_long = j->run_s >= SIM_DELAY_SHORT_RUN_S;
    int64_t start_s = policy_start(s->set->policy, &q, s->mean_length_s[is_long]);
    steer(s, job, &q, start_s);
    return if_worth_it(s, &q, start_s);
}

int64_t plan_again(struct sim *s, uint32_t job, int64_t wait_s)
{
    struct search q = plan_search(s, job, wait_s);
    s->way[job].latest_s = q.until_s;
    return if_worth_it(s, &q, policy_start(s->set->policy, &q, s->mean_length_s[1]));
}

static double cost_ug(const struct search *q, int64_t start_s)
{
    return search_carbon_ug(q, start_s) + q->lambda_ug_per_s * (double)(start_s - q->from_s);
}

/* Its begin time as the newest forecast has it; it moves only for a real gain. */
static void look_at(struct sim *s, uint32_t job)
{
    struct sim_way *way = &s->way[job];
    room_plan(s, job, 0);
    struct search q = plan_search(s, job, way->latest_s - s->now_s);
    room_plan(s, job, 1);
    if (s->set->policy != SIM_BALANCED)
        q.lambda_ug_per_s = 0;
    int64_t start_s = policy_start(s->set->policy, &q, s->mean_length_s[1]);
    if (start_s == way->due_s || way->due_s <= s->now_s ||
        cost_ug(&q, way->due_s) - cost_ug(&q, start_s) <= s->set->min_gain_ug)
        return;
    s->out->moves++;
    if (start_s <= s->now_s)
        sim_queue(s, job);
    else
        sim_hold(s, job, start_s);
}

void plan_look_over(struct sim *s)
{
    (void)outlook_at(&s->outlook, s->now_s);
    if (s->issues == s->outlook.issues || !policy_of_carnot(s->set->policy))
        return;
    s->issues = s->outlook.issues;
    /* from the end: who leaves is replaced by the last one, which has been looked at */
    for (size_t i = s->n_watched; i-- > 0;) {
        uint32_t job = s->watched[i];
        if (s->way[job].state == SIM_HELD && s->way[job].due_s < INT64_MAX)
            look_at(s, job);
    }
}
