/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the first jobs lambda is solved for, since a step a job moves it slowly; then each job moves
 * it. Both are the simulator's (src/simulate/plan.c), whose tables are in docs/evaluation.md.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/feed_watch.h"
#include "carnotctld/steering.h"
#include "common/log.h"
#include "common/units.h"
#include "placement/search.h"
#include "placement/steer.h"

#define KEY "steering"
#define UG_PER_S_OF_G_PER_H (1e6 / 3600.0)
/* So many jobs are enough to go on from step by step. */
#define SOLVED_JOBS 1000
/* Jobs to solve on: 40 searches each, a few microseconds a search; and rows to find them among. */
#define SAMPLES_MAX 64
#define SAMPLES_MIN 8
#define ROWS_MAX 512
/* The mean that is shown is that of about so many jobs. */
#define MEAN_JOBS 500

static void begin(struct ctl *c)
{
    c->steering =
        (struct ctl_steering){.lambda_ug_per_s = c->set.policy.lambda_g_per_h * UG_PER_S_OF_G_PER_H,
                              .target_s = c->set.policy.target_wait_ms / 1000};
}

static int read_back(const char *key, const char *value, void *arg)
{
    struct ctl_steering *s = arg;
    long long target_s, jobs;
    double lambda, mean;
    if (strcmp(key, KEY) != 0 ||
        sscanf(value, "%lld %lld %lf %lf", &target_s, &jobs, &lambda, &mean) != 4 ||
        target_s != s->target_s || jobs < 0 || !isfinite(lambda) || !(lambda > 0) ||
        !isfinite(mean) || mean < 0)
        return 0;
    s->jobs = jobs;
    s->lambda_ug_per_s = lambda;
    s->mean_wait_s = mean;
    return 1;
}

int steering_load(struct ctl *c, struct err *e)
{
    begin(c);
    if (c->steering.target_s == 0)
        return 0;
    return ledger_kv_each(c->ledger, KEY, read_back, &c->steering, e);
}

void steering_count(struct ctl *c, const struct placement_note *note)
{
    struct ctl_steering *s = &c->steering;
    int waits = note->code == CODE_GREENER_LATER;
    if (c->set.policy.target_wait_ms / 1000 != s->target_s)
        begin(c); /* the configuration was read again */
    if (s->target_s == 0 || note->policy != POLICY_BALANCED || note->wait_s <= 0 ||
        (!waits && note->code != CODE_FLAT && note->code != CODE_QUEUE_WAITS))
        return;
    double wait_s =
        waits && note->begin_s > note->asked_s ? (double)(note->begin_s - note->asked_s) : 0;
    struct steer steer = {(double)s->target_s, s->lambda_ug_per_s};
    steer_planned(&steer, wait_s);
    s->lambda_ug_per_s = steer.lambda_ug_per_s;
    s->jobs++;
    s->mean_wait_s +=
        (wait_s - s->mean_wait_s) / (double)(s->jobs < MEAN_JOBS ? s->jobs : MEAN_JOBS);
    s->changed = 1;
}

int steering_store(struct ctl *c, struct err *e)
{
    struct ctl_steering *s = &c->steering;
    char value[128];
    if (!s->changed)
        return 0;
    snprintf(value, sizeof(value), "%lld %lld %.17g %.17g", (long long)s->target_s,
             (long long)s->jobs, s->lambda_ug_per_s, s->mean_wait_s);
    if (ledger_kv_set(c->ledger, KEY, value, e) < 0)
        return -1;
    s->changed = 0;
    return 0;
}

/* The search of a past job if it came now. 1, or 0: it could not wait, or says too little. */
static int sample_of(const struct ctl *c, const struct ledger_job *row, struct search *q)
{
    const struct board_head *h = &c->board.head;
    double w = row->limit_s > 0 ? (double)row->estimate_uj / 1e6 / (double)row->limit_s : 0;
    double cpus = h->cpu_max_w > 0 ? w / h->cpu_max_w : 1;
    int64_t now_s = ctl_now_s(c), known_s = h->intensity_end_s - now_s;
    if (row->allowance_s <= 0 || !(w > 0) || known_s <= 0 ||
        (row->policy != POLICY_BALANCED && row->policy != POLICY_UNSET))
        return 0;
    int64_t length_s = row->limit_s < known_s ? row->limit_s : known_s;
    *q = (struct search){.series = board_series(&c->board),
                         .from_s = now_s,
                         .until_s = now_s + row->allowance_s,
                         .length_s = length_s,
                         .hold_s = length_s,
                         .ug_per_area = w * h->pue / J_PER_KWH * 1e6,
                         .lambda_ug_per_s = pow(cpus > 1 ? cpus : 1, h->lambda_exponent)};
    return 1;
}

static size_t sample(const struct ctl *c, struct search *samples)
{
    struct ledger_query q = {.limit = ROWS_MAX};
    struct ledger_job *rows = NULL;
    struct err e = {.text = ""};
    size_t n = 0, kept = 0;
    if (ledger_job_list(c->ledger, &q, &rows, &n, &e) < 0) {
        log_err("ledger: %s", e.text);
        return 0;
    }
    for (size_t i = 0; i < n && kept < SAMPLES_MAX; i++)
        kept += (size_t)sample_of(c, &rows[i], &samples[kept]);
    free(rows);
    return kept;
}

void steering_run(struct ctl *c)
{
    struct ctl_steering *s = &c->steering;
    struct search samples[SAMPLES_MAX];
    struct err e = {.text = ""};
    if (s->target_s == 0 || s->jobs >= SOLVED_JOBS || s->solved_version == c->feed_version ||
        c->board.n_points == 0)
        return;
    s->solved_version = c->feed_version;
    size_t n = sample(c, samples);
    if (n < SAMPLES_MIN)
        return;
    s->lambda_ug_per_s = steer_solve(samples, n, (double)s->target_s);
    s->changed = 1;
    if (steering_store(c, &e) < 0)
        log_err("ledger: %s", e.text);
    c->dirty = 1;
    log_info("lambda is %.3g g an hour: %zu jobs of the past would wait %lld s on average",
             steering_lambda_g_per_h(c), n, (long long)s->target_s);
}

double steering_lambda_g_per_h(const struct ctl *c)
{
    /* Before anything was counted, and where nothing is steered, what the file says. */
    if (c->set.policy.target_wait_ms / 1000 == 0 ||
        c->set.policy.target_wait_ms / 1000 != c->steering.target_s)
        return c->set.policy.lambda_g_per_h;
    return c->steering.lambda_ug_per_s / UG_PER_S_OF_G_PER_H;
}
