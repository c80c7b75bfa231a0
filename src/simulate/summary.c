/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sums and quantiles of a simulation.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/summary.h"

#define DAY_S (24 * 3600)
#define WARM_UP_S DAY_S
#define TAIL_S (3 * DAY_S)
#define SHORT_S (8 * DAY_S)
#define SLOWDOWN_BOUND_S 600.0
#define HOUR_S 3600.0
#define UG_PER_G 1e6

size_t summary_counted(const struct workload *w, const struct sim_result *asap,
                       unsigned char *counted)
{
    int64_t first_s = w->n ? w->jobs[0].submit_s : 0,
            last_s = w->n ? w->jobs[w->n - 1].submit_s : 0;
    int all = last_s - first_s < SHORT_S;
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++) {
        int64_t t_s = w->jobs[i].submit_s;
        counted[i] =
            asap->end_s[i] != 0 && (all || (t_s >= first_s + WARM_UP_S && t_s <= last_s - TAIL_S));
        n += counted[i];
    }
    return n;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double slowdown(const struct sim_job *j, int64_t end_s, int64_t submit_s)
{
    double run_s = fmax((double)j->run_s, SLOWDOWN_BOUND_S);
    return ((double)(end_s - submit_s - j->run_s) + run_s) / run_s;
}

/* The largest mean of a user over the median of theirs. */
static double unfairness(const struct workload *w, const double *added_s,
                         const unsigned char *counted)
{
    double *sum = calloc(w->n_users + 1, sizeof(*sum)), *n = calloc(w->n_users + 1, sizeof(*n));
    double answer = NAN;
    size_t users = 0;
    if (sum && n && w->has_users) {
        for (size_t i = 0; i < w->n; i++) {
            sum[w->jobs[i].user] += counted[i] ? added_s[i] : 0;
            n[w->jobs[i].user] += counted[i];
        }
        for (size_t u = 0; u < w->n_users; u++)
            if (n[u] > 0)
                sum[users++] = sum[u] / n[u];
        qsort(sum, users, sizeof(*sum), compare);
        if (users && sum[users / 2] > 0)
            answer = sum[users - 1] / sum[users / 2];
    }
    free(sum);
    free(n);
    return answer;
}

/* What nodes emit that only stand there: all of them, from the first start to the last end; and
 * those that are in use. */
static void idle_ug(const struct workload *w, const struct series *truth,
                    const struct sim_settings *s, const struct sim_result *r,
                    const struct summary_power *power, int64_t from_s, int64_t to_s, double ug[2])
{
    /* one watt for a second at 1 g/kWh is 1 / 3.6e6 g */
    double per_area = power->node_idle_w / 3.6;
    double nodes = ceil((double)s->cores / power->cores_per_node);
    ug[0] = series_area(truth, from_s, to_s, NULL, NULL) * per_area * nodes;
    ug[1] = 0;
    for (size_t i = 0; i < r->n_pieces; i++)
        ug[1] += series_area(truth, r->pieces[i].start_s, r->pieces[i].end_s, NULL, NULL) *
                 per_area * w->jobs[r->pieces[i].job].cores / power->cores_per_node;
}

static double sum_ug(const struct sim_result *r)
{
    double sum = 0;
    for (size_t i = 0; i < r->n; i++)
        sum += r->ug[i];
    return sum;
}

/* Over all jobs, as nodes idle for all of them; to the later of both ends, so that what is pushed
 * out is paid for. */
static void site(struct summary *out, const struct workload *w, const struct series *truth,
                 const struct sim_settings *s, const struct sim_result *asap,
                 const struct sim_result *r, const struct summary_power *power, int64_t from_s,
                 int64_t to_s)
{
    double was[2], is[2];
    if (!power || power->node_idle_w <= 0 || !s->cores)
        return;
    idle_ug(w, truth, s, asap, power, from_s, to_s, was);
    idle_ug(w, truth, s, r, power, from_s, to_s, is);
    out->site_saving = 1 - (sum_ug(r) + is[0]) / (sum_ug(asap) + was[0]);
    out->asleep_saving = 1 - (sum_ug(r) + is[1]) / (sum_ug(asap) + was[1]);
}

static void add_job(struct summary *out, const struct sim_job *j, int64_t shift_s,
                    const struct sim_settings *s, const struct sim_result *asap,
                    const struct sim_result *r, size_t i, double added_s)
{
    int64_t submit_s = j->submit_s + shift_s;
    double core_h = (double)j->run_s * j->cores / HOUR_S;
    out->jobs++;
    out->core_h += core_h;
    out->g += r->ug[i] / UG_PER_G;
    out->asap_g += asap->ug[i] / UG_PER_G;
    out->wait_h += (double)(r->start_s[i] - submit_s) / HOUR_S;
    out->asap_wait_h += (double)(asap->start_s[i] - submit_s) / HOUR_S;
    out->added_h += added_s / HOUR_S;
    out->added_core_h += added_s / HOUR_S * core_h;
    out->slowdown += slowdown(j, r->end_s[i], submit_s);
    out->asap_slowdown += slowdown(j, asap->end_s[i], submit_s);
    out->late += added_s > (double)sim_max_delay_s(s, j);
}

static void finish(struct summary *out, double *sorted)
{
    double n = out->jobs ? (double)out->jobs : NAN;
    qsort(sorted, out->jobs, sizeof(*sorted), compare);
    out->added_p95_h = out->jobs ? sorted[(size_t)(0.95 * (n - 1))] / HOUR_S : NAN;
    out->saving = 1 - out->g / out->asap_g;
    out->of_bound = (out->asap_g - out->g) / (out->asap_g - out->bound_g);
    out->g_per_hour = out->added_h > 0 ? (out->asap_g - out->g) / out->added_h : NAN;
    out->wait_h /= n;
    out->asap_wait_h /= n;
    out->added_h /= n;
    out->added_core_h /= out->core_h;
    out->slowdown /= n;
    out->asap_slowdown /= n;
}

int summary_make(struct summary *out, const struct workload *w, const struct series *truth,
                 const struct sim_settings *s, const struct sim_result *asap,
                 const struct sim_result *r, const unsigned char *counted, double bound_ug,
                 const struct summary_power *power)
{
    double *added_s = calloc(2 * w->n + 1, sizeof(*added_s)), *sorted = added_s + w->n;
    int64_t from_s = INT64_MAX, to_s = INT64_MIN, both_s = INT64_MIN;
    double used_s = 0;
    if (!added_s)
        return -1;
    *out = (struct summary){.bound_g = bound_ug / UG_PER_G,
                            .site_saving = NAN,
                            .asleep_saving = NAN,
                            .utilisation = NAN,
                            .moves = r->moves,
                            .pauses = r->pauses};
    for (size_t i = 0; i < w->n; i++) {
        if (r->end_s[i] == 0)
            continue;
        from_s = r->start_s[i] < from_s ? r->start_s[i] : from_s;
        to_s = r->end_s[i] > to_s ? r->end_s[i] : to_s;
        both_s = asap->end_s[i] > both_s ? asap->end_s[i] : both_s;
        used_s += (double)w->jobs[i].run_s * w->jobs[i].cores;
        added_s[i] = (double)(r->end_s[i] - asap->end_s[i]);
        if (!counted[i])
            continue;
        sorted[out->jobs] = added_s[i];
        add_job(out, &w->jobs[i], s->shift_s, s, asap, r, i, added_s[i]);
    }
    if (to_s > from_s) {
        out->makespan_h = (double)(to_s - from_s) / HOUR_S;
        if (s->cores)
            out->utilisation = used_s / ((double)s->cores * (double)(to_s - from_s));
        site(out, w, truth, s, asap, r, power, from_s, to_s > both_s ? to_s : both_s);
    }
    finish(out, sorted);
    out->unfairness = unfairness(w, added_s, counted);
    free(added_s);
    return 0;
}
