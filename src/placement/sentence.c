/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of a decision: names of verdicts and codes, and the one sentence that a user reads.
 * Consequence first, then the gain, then the way out. Pure but for the local time zone.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/units.h"
#include "common/when.h"
#include "placement/placement.h"

const char *placement_verdict_name(enum placement_verdict v)
{
    switch (v) {
    case VERDICT_DELAY:
        return "delay";
    case VERDICT_REFUSE:
        return "refuse";
    default:
        return "run";
    }
}

static const char *const code_names[CODE_N] = {
    [CODE_NONE] = "NONE",
    [CODE_GREENER_LATER] = "GREENER_LATER",
    [CODE_FLAT] = "FLAT",
    [CODE_QUEUE_WAITS] = "QUEUE_WAITS",
    [CODE_BUDGET_LEFT] = "BUDGET_LEFT",
    [CODE_FEED_STALE] = "FEED_STALE",
    [CODE_NO_BOARD] = "NO_BOARD",
    [CODE_OBSERVE] = "OBSERVE",
    [CODE_EXEMPT] = "EXEMPT",
    [CODE_IMMEDIATE] = "IMMEDIATE",
    [CODE_USER_NOW] = "USER_NOW",
    [CODE_OPERATOR] = "OPERATOR",
    [CODE_MAINT_AHEAD] = "MAINT_AHEAD",
    [CODE_DEP_END] = "DEP_END",
    [CODE_REQUEUED] = "REQUEUED",
};

const char *placement_code_name(enum placement_code c)
{
    return (unsigned)c < CODE_N ? code_names[c] : "NONE";
}

/* Tests and demonstrations have slots of seconds: then the clock shows them too. */
static void clock_text(char *buf, size_t size, const struct board *b, int64_t t_s, int64_t now_s)
{
    when_format_clock(buf, size, t_s, now_s, b->head.slot_s < 60);
}

static char *waits(char *buf, size_t size, const struct board *b,
                   const struct placement_decision *d, int64_t now_s)
{
    char start[48], latest[48], grams[32], grams_now[32];
    clock_text(start, sizeof(start), b, d->start_s, now_s);
    clock_text(latest, sizeof(latest), b, d->latest_s, now_s);
    units_format_mass(grams, sizeof(grams), d->likely_ug);
    units_format_mass(grams_now, sizeof(grams_now), d->likely_now_ug);
    if (d->mode == 0)
        snprintf(buf, size,
                 "only observing here: would have waited until %s; your job runs normally", start);
    else
        snprintf(
            buf, size,
            "waits until %s (%s at the latest) for a greener grid: ~%sCO2e instead of ~%sCO2e. "
            "Start now: carnot now JOBID",
            start, latest, grams, grams_now);
    return buf;
}

static char *refuses(char *buf, size_t size, const struct placement_job *job,
                     const struct placement_decision *d)
{
    const struct board_budget *g = d->lack.budget;
    char left[48], need[48], day[32] = "", hours[24], power[24];
    if (d->code == CODE_NO_BOARD) {
        snprintf(buf, size, "budget %s is being counted again; submit again in a few seconds",
                 g->name);
        return buf;
    }
    budgets_amount(left, sizeof(left), g->resource, (double)d->lack.left);
    budgets_amount(need, sizeof(need), g->resource, d->lack.need);
    if (g->renews_s > 0) {
        char text[24];
        snprintf(day, sizeof(day), " until %s", when_format_day(text, sizeof(text), g->renews_s));
    }
    units_format_duration(hours, sizeof(hours), d->price.limit_s);
    units_format_power(power, sizeof(power), d->price.power_w * 1e3);
    char tasks[32] = "";
    if (job->tasks > 1)
        snprintf(tasks, sizeof(tasks), "%u tasks x ", job->tasks);
    snprintf(
        buf, size,
        "%s%s %s has %s left%s, this job needs about %s (%s%u node%s x %s x %s). Shorten --time, "
        "or ask an operator for a larger budget%s",
        d->mode == 0 ? "only observing here: would have been refused: " : "",
        g->scope == BOARD_USER ? "user" : "account", g->name, left, day, need, tasks,
        d->price.nodes, d->price.nodes == 1 ? "" : "s", hours, power,
        d->mode == 0 ? "; your job runs normally" : "");
    return buf;
}

char *placement_sentence(char *buf, size_t size, const struct board *b,
                         const struct placement_job *job, const struct placement_decision *d,
                         int64_t now_s)
{
    char grams[32], wait[32];
    buf[0] = '\0';
    if (d->verdict == VERDICT_REFUSE)
        return refuses(buf, size, job, d);
    if (job->leader)
        return buf;
    if (d->verdict == VERDICT_DELAY)
        return waits(buf, size, b, d, now_s);
    switch (d->code) {
    case CODE_FLAT:
        units_format_mass(grams, sizeof(grams), b->head.min_gain_g * 1e6);
        if (b->head.min_gain_g > 0)
            snprintf(buf, size, "starts as Slurm decides: waiting would save less than %s", grams);
        else
            snprintf(buf, size, "starts as Slurm decides: no greener time within reach");
        break;
    case CODE_QUEUE_WAITS:
        snprintf(buf, size,
                 "starts as Slurm decides: the greener times within reach are planned full");
        break;
    case CODE_FEED_STALE:
        snprintf(buf, size, "starts as Slurm decides: there is no fresh carbon forecast");
        break;
    case CODE_MAINT_AHEAD:
        snprintf(buf, size,
                 "starts as Slurm decides: a wait would push it across the maintenance ahead");
        break;
    case CODE_DEP_END:
        units_format_duration(wait, sizeof(wait), d->wait_s);
        snprintf(buf, size,
                 "waits for the jobs it depends on, and then up to %s for a greener grid", wait);
        break;
    case CODE_IMMEDIATE:
        snprintf(buf, size, "starts as Slurm decides: an immediate job never waits for the grid");
        break;
    default:
        break;
    }
    return buf;
}
