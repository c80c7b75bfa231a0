/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pausing (--carbon-requeue): a job that can go on from a checkpoint gives its cores back while the
 * grid is dirty, by the rule of carnotctld (placement/pause_rule.h). Nor does one like it that
 * waits in the queue take those cores: its turn comes when the grid is greener.
 */
#include "config.h"

#include <math.h>

#include "placement/pause_rule.h"
#include "simulate/simulate_private.h"

/* As is likely, but an hour at least. */
int64_t pause_left_s(const struct sim *s, uint32_t job)
{
    const struct sim_way *way = &s->way[job];
    const struct sim_job *j = &s->w->jobs[job];
    int64_t lengths[LENGTHS_MAX], done_s = j->run_s - way->left_s;
    if (way->state == SIM_RUNNING)
        done_s += s->now_s - way->since_s;
    int64_t limit_left_s = j->limit_s > 0 ? j->limit_s - done_s : INT64_MAX;
    size_t n = lengths_of(s->lengths, j, lengths);
    int64_t left_s = scenarios_left(lengths, n, done_s, limit_left_s);
    return left_s > SIM_HOUR_S ? left_s : SIM_HOUR_S;
}

static int64_t bound_left(const struct sim *s, uint32_t job)
{
    const struct sim_way *way = &s->way[job];
    int64_t left_s = sim_max_delay_s(s->set, &s->w->jobs[job]) - way->delay_s;
    if (way->state == SIM_HELD || way->state == SIM_PAUSED)
        left_s -= s->now_s - way->since_s;
    return left_s;
}

static struct pause_query query(struct sim *s, uint32_t job)
{
    return (struct pause_query){.believed = outlook_at(&s->outlook, s->now_s),
                                .now_s = s->now_s,
                                .slot_s = SIM_HOUR_S,
                                .left_s = pause_left_s(s, job),
                                .bound_s = bound_left(s, job),
                                .switch_s = SIM_SWITCH_S,
                                .level = s->theta};
}

int pause_says_run(struct sim *s, uint32_t job)
{
    struct pause_query q = query(s, job);
    return pause_rule_cheap(&q);
}

int pause_starts(const struct sim *s, uint32_t job)
{
    return s->way[job].believed_s > (float)(PAUSE_STARTS_SLOTS * SIM_HOUR_S);
}

static void look_at(struct sim *s, uint32_t job, double now)
{
    struct sim_way *way = &s->way[job];
    int green = !isnan(s->theta) && now <= s->theta;
    if (way->state == SIM_RUNNING) {
        if (green || s->now_s - way->since_s < SIM_RUN_MIN_S || way->due_s <= s->now_s)
            return;
        struct pause_query q = query(s, job);
        if (pause_rule_stops(&q))
            sim_pause(s, job);
    } else if (way->state == SIM_PAUSED || way->due_s == INT64_MAX) {
        if (green || pause_says_run(s, job))
            sim_queue(s, job);
    }
}

int64_t pause_turn_s(struct sim *s, uint32_t job)
{
    if (!s->way[job].requeueable || isnan(s->theta))
        return s->now_s;
    int64_t bound_s = bound_left(s, job);
    struct series c = outlook_at(&s->outlook, s->now_s);
    if (bound_s < SIM_HOUR_S || series_at(&c, s->now_s) <= s->theta)
        return s->now_s;
    int has_run = s->out->start_s[job] != INT64_MIN;
    if (has_run || pause_starts(s, job))
        return pause_says_run(s, job) ? s->now_s : INT64_MAX;
    return plan_again(s, job, bound_s);
}

void pause_hour(struct sim *s)
{
    struct series c = outlook_at(&s->outlook, s->now_s);
    double now = series_at(&c, s->now_s);
    s->theta = pause_rule_threshold(
        &c, s->now_s, SIM_HOUR_S, INT64_MAX,
        &(struct pause_site){(double)s->set->cores, s->used_cores, s->queued_core_s});
    for (size_t i = s->n_watched; i-- > 0;)
        look_at(s, s->watched[i], now);
}
