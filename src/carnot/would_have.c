/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What would have been. The board of each decision is the remembered intensity and the site's
 * policy, without partitions: then there is no slot ledger, and no capacity.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "carbon/forecast.h"
#include "carnot/would_have.h"
#include "placement/placement.h"

#define DAY_S 86400

/* Sums by a number (a day) or a name (a partition); few of them. */
struct bin {
    int64_t number;
    const char *name;
    double once_g, saved_g;
};

struct bins {
    struct bin *list;
    size_t n;
};

double would_have_energy_j(const struct report_job *job, int *modelled)
{
    *modelled = !isfinite(job->energy_j);
    return *modelled ? job->model_w * (double)(job->end_s - job->start_s) : job->energy_j;
}

static struct bin *_bin(struct bins *b, int64_t number, const char *name)
{
    /* Runs come in the order of their end: the bin is among the last ones. */
    for (size_t i = b->n; i-- > 0;)
        if (b->list[i].number == number && strcmp(b->list[i].name, name) == 0)
            return &b->list[i];
    struct bin *grown = realloc(b->list, (b->n + 1) * sizeof(*grown));
    if (!grown)
        return NULL;
    b->list = grown;
    grown[b->n] = (struct bin){.number = number, .name = name};
    return &grown[b->n++];
}

static void _board(struct board *b, const struct series *series,
                   const struct would_have_terms *terms, int64_t allowance_s)
{
    *b = (struct board){.points = series->points, .n_points = (uint32_t)series->n};
    b->head = (struct board_head){
        .forecast_quality = FORECAST_FEED,
        .mode = BOARD_ACT,
        .policy = POLICY_BALANCED,
        .lambda_g_per_h = terms->lambda_g_per_h,
        .lambda_exponent = terms->lambda_exponent,
        .min_gain_g = terms->min_gain_g,
        .overbook = 1,
        .pue = terms->pue,
        .cpu_max_w = terms->cpu_max_w,
        .default_delay_s = allowance_s,
        .max_delay_s = allowance_s,
        .slot_s = 900,
        .intensity_end_s = series->end_s,
    };
}

/* Decide as if it had been submitted when it could have begun. The decision prices CPUs and GPUs by
 * the board's watts: one CPU, and one GPU with the rest of what the run really drew, so that lambda
 * still sees its size in the site's CPUs. */
static void _decide(struct board *b, const struct report_job *job, double energy_j,
                    struct placement_decision *d)
{
    int64_t length_s = job->end_s - job->start_s;
    struct placement_job pj = {
        .uid = UINT32_MAX, .nodes = 1, .cpus = 1, .gpus = 1, .tasks = 1, .limit_s = length_s};

    request_init(&pj.request);
    b->head.gpu_max_w = energy_j / (double)length_s - b->head.cpu_max_w;
    placement_decide(b, NULL, &pj, job->start_s - job->delay_s, d);
}

/* Student's t for 95 % on both sides, by degrees of freedom; from 30 on it is nearly the normal's.
 */
static double _t95(size_t freedom)
{
    static const double t[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                               2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                               2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
                               2.060,  2.056, 2.052, 2.048, 2.045};
    size_t n = sizeof(t) / sizeof(t[0]);

    return freedom <= n ? t[freedom - 1] : 1.96;
}

/* Half of the 95 % interval of sum(saved) / sum(once) over days, as of a ratio of two sums. */
static double _interval(const struct bins *days, double share, double once_g)
{
    double squares = 0;

    if (days->n < 2 || once_g <= 0)
        return NAN;
    for (size_t i = 0; i < days->n; i++) {
        double rest_g = days->list[i].saved_g - share * days->list[i].once_g;

        squares += rest_g * rest_g;
    }
    double n = (double)days->n;

    return _t95(days->n - 1) * sqrt(squares * n / (n - 1)) / once_g;
}

static void _finish(struct would_have *w, const struct bins *days, const struct bins *parts,
                    int64_t *delays)
{
    double sum_s = 0;

    w->days = days->n;
    if (w->jobs == 0)
        return;
    for (size_t i = 0; i < w->jobs; i++)
        sum_s += (double)delays[i];
    qsort(delays, w->jobs, sizeof(*delays), report_by_value);
    w->delay_mean_s = sum_s / (double)w->jobs;
    w->delay_p95_s = report_percentile(delays, w->jobs, 95);
    w->share = w->once_g > 0 ? w->saved_g / w->once_g : NAN;
    w->interval = _interval(days, w->share, w->once_g);
    for (size_t i = 0; i < parts->n; i++) {
        double share = w->saved_g > 0 ? parts->list[i].saved_g / w->saved_g : 0;

        if (share > w->partition_share) {
            w->partition_share = share;
            w->partition = parts->list[i].name;
        }
    }
}

/* Decide one run and add it up. 0 or -1. */
static int _add(struct would_have *w, struct board *b, const struct report_job *job,
                struct bins *days, struct bins *parts, int64_t *delays)
{
    struct placement_decision d;
    int modelled;
    double energy_j = would_have_energy_j(job, &modelled);
    int64_t once_s = job->start_s - job->delay_s;

    if (job->exempt) {
        w->exempt++;
        return 0;
    }
    if (job->end_s <= job->start_s || !isfinite(energy_j) || energy_j <= 0 || b->n_points == 0 ||
        once_s < b->points[0].t_s || once_s >= b->head.intensity_end_s) {
        w->unknown++;
        return 0;
    }
    _decide(b, job, energy_j, &d);
    struct bin *day = _bin(days, once_s / DAY_S, ""), *part = _bin(parts, 0, job->partition);
    if (!day || !part)
        return -1;
    double saved_g = (d.carbon_now_ug - d.carbon_ug) / 1e6;

    delays[w->jobs++] = d.delay_s;
    w->waited += d.delay_s > 0;
    w->once_g += d.carbon_now_ug / 1e6;
    w->saved_g += saved_g;
    day->once_g += d.carbon_now_ug / 1e6;
    day->saved_g += saved_g;
    part->saved_g += saved_g;
    return 0;
}

int would_have_run(const struct series *series, const struct would_have_terms *terms,
                   const struct report *r, int64_t allowance_s, struct would_have *out)
{
    struct would_have w = {.allowance_s = allowance_s,
                           .share = NAN,
                           .interval = NAN,
                           .delay_mean_s = NAN,
                           .partition = ""};
    struct bins days = {0}, parts = {0};
    struct board b;
    int64_t *delays = calloc(r->n + 1, sizeof(*delays));
    int rc = delays ? 0 : -1;

    _board(&b, series, terms, allowance_s);
    for (size_t i = 0; rc == 0 && i < r->n; i++)
        rc = _add(&w, &b, &r->jobs[i], &days, &parts, delays);
    if (rc == 0) {
        _finish(&w, &days, &parts, delays);
        *out = w;
    }
    free(delays);
    free(days.list);
    free(parts.list);
    return rc;
}
