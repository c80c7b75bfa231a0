/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pausing (--carbon-requeue): a job that can go on from a checkpoint gives its cores back while the
 * grid is dirty. ALGORITHMS section 10: against a threshold of the whole site, so that not all
 * pause at once; only where it has enough cheaper hours in what is left of its bound. Nor does one
 * like it that waits in the queue take those cores: its turn comes when the grid is greener.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "simulate/simulate_private.h"

#define THRESHOLD_HOURS 168
#define THRESHOLD_SHARE 0.6
/* Longer than this and a plan in one piece saves little (ALGORITHMS section 4: L <= W). */
#define STARTS_BY_RULE_S (6 * SIM_HOUR_S)

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

/* Is now among the cheapest hours, as many as it still needs, of those in which it has to run? */
int pause_says_run(struct sim *s, uint32_t job)
{
    int64_t bound_s = bound_left(s, job), left_s = pause_left_s(s, job);
    struct series c = outlook_at(&s->outlook, s->now_s);
    if (bound_s < SIM_HOUR_S)
        return 1;
    double now = series_at(&c, s->now_s);
    int64_t need = (left_s + SIM_HOUR_S - 1) / SIM_HOUR_S;
    int64_t hours = need + bound_s / SIM_HOUR_S, cheaper = 0;
    size_t i = series_find(&c, s->now_s);
    for (int64_t h = 1; h < hours && cheaper < need; h++) {
        int64_t t_s = s->now_s + h * SIM_HOUR_S;
        while (i + 1 < c.n && c.points[i + 1].t_s <= t_s)
            i++;
        if (i + 1 == c.n)
            break; /* nobody knows what comes then */
        cheaper += c.points[i].g_per_kwh < now;
    }
    return cheaper < need;
}

int pause_starts(const struct sim *s, uint32_t job)
{
    return s->way[job].believed_s > (float)STARTS_BY_RULE_S;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Below this intensity there is room for all the work of a week, with some to spare. */
static void find_threshold(struct sim *s)
{
    struct series c = outlook_at(&s->outlook, s->now_s);
    double hours[THRESHOLD_HOURS];
    double room = (double)s->set->cores * THRESHOLD_HOURS;
    double load = s->used_cores * THRESHOLD_HOURS + s->queued_core_s / SIM_HOUR_S;
    s->theta = NAN;
    if (s->set->cores == 0)
        return;
    for (int h = 0; h < THRESHOLD_HOURS; h++)
        hours[h] = series_at(&c, s->now_s + h * SIM_HOUR_S);
    qsort(hours, THRESHOLD_HOURS, sizeof(*hours), compare);
    double share = THRESHOLD_SHARE * load / room;
    size_t at = share >= 1 ? THRESHOLD_HOURS - 1 : (size_t)(share * (THRESHOLD_HOURS - 1));
    s->theta = hours[at];
}

/* Grams above the threshold in the dirty hours ahead, against those of two switches: one is paid
 * for certain now, what the hours save is hoped for. */
static int pays(struct sim *s, uint32_t job)
{
    struct series c = outlook_at(&s->outlook, s->now_s);
    int64_t hours = bound_left(s, job) / SIM_HOUR_S;
    double level = isnan(s->theta) ? series_mean(&c, s->now_s, s->now_s + SIM_DAY_S) : s->theta;
    double saved = 0;
    for (int64_t h = 0; h < hours; h++) {
        double g = series_at(&c, s->now_s + h * SIM_HOUR_S);
        if (g <= level)
            break;
        saved += (g - level) * SIM_HOUR_S;
    }
    return saved > 2 * level * SIM_SWITCH_S;
}

static void look_at(struct sim *s, uint32_t job, double now)
{
    struct sim_way *way = &s->way[job];
    int green = !isnan(s->theta) && now <= s->theta;
    if (way->state == SIM_RUNNING) {
        if (!green && s->now_s - way->since_s >= SIM_RUN_MIN_S && way->due_s > s->now_s &&
            bound_left(s, job) >= SIM_HOUR_S && !pause_says_run(s, job) && pays(s, job))
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
    find_threshold(s);
    for (size_t i = s->n_watched; i-- > 0;)
        look_at(s, s->watched[i], now);
}
