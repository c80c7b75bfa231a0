/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bound: see bound.h. Time is cut into hours on the trace's clock, or into what its steps have
 * in common with an hour; a job takes at most its cores in each, for as much of it as lies in its
 * window.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/bound.h"

#define HOUR_S 3600
/* Traces that change at uneven moments are looked at by the hour. */
#define STEP_MIN_S 300

struct hours {
    int64_t first_s; /* of hour 0 */
    int64_t step_s;  /* its length */
    size_t n;
    double *g_per_kwh; /* the lowest in each: no job can do better there */
    double *price;     /* mu, in the same unit */
    double *load_s;    /* core-seconds that jobs would use, at these prices */
    uint32_t *order;   /* scratch: hours of a window, the cheapest first */
};

static int64_t floor_hour(int64_t t_s)
{
    return t_s - ((t_s % HOUR_S) + HOUR_S) % HOUR_S;
}

/* The longest part of an hour within which the trace does not change. */
static int64_t step_of(const struct series *truth)
{
    int64_t step_s = HOUR_S;
    for (size_t i = 0; i < truth->n && step_s >= STEP_MIN_S; i++)
        for (int64_t rest_s = truth->points[i].t_s; rest_s % step_s != 0;) {
            int64_t less_s = llabs(rest_s % step_s);
            rest_s = step_s;
            step_s = less_s;
        }
    return step_s >= STEP_MIN_S ? step_s : HOUR_S;
}

/* The lowest intensity in each hour. */
static void find_lowest(struct hours *h, const struct series *truth)
{
    size_t at = series_find(truth, h->first_s);
    for (size_t i = 0; i < h->n; i++) {
        int64_t end_s = h->first_s + (int64_t)(i + 1) * h->step_s;
        h->g_per_kwh[i] = truth->points[at].g_per_kwh;
        for (; at + 1 < truth->n && truth->points[at + 1].t_s < end_s; at++)
            h->g_per_kwh[i] = fmin(h->g_per_kwh[i], truth->points[at + 1].g_per_kwh);
        if (at + 1 < truth->n && truth->points[at + 1].t_s == end_s)
            at++;
    }
}

static double cost(const struct hours *h, size_t i)
{
    return h->g_per_kwh[i] + h->price[i];
}

/* Seconds of hour i in [from_s, to_s). */
static double part_s(const struct hours *h, size_t i, int64_t from_s, int64_t to_s)
{
    int64_t start_s = h->first_s + (int64_t)i * h->step_s, end_s = start_s + h->step_s;
    return (double)((end_s < to_s ? end_s : to_s) - (start_s > from_s ? start_s : from_s));
}

/* order[0..n) by cost, as far as the cheapest `keep` of them: quickselect, since their order among
 * one another is of no matter. */
static void select_cheapest(const struct hours *h, uint32_t *order, size_t n, size_t keep)
{
    size_t low = 0, high = n;
    while (high - low > 1 && keep > low && keep < high) {
        double pivot = cost(h, order[low + (high - low) / 2]);
        size_t less = low, i = low, more = high;
        while (i < more) {
            double c = cost(h, order[i]);
            uint32_t hour = order[i];
            if (c < pivot) {
                order[i++] = order[less];
                order[less++] = hour;
            } else if (c > pivot) {
                order[i] = order[--more];
                order[more] = hour;
            } else {
                i++;
            }
        }
        if (keep <= less)
            high = less;
        else if (keep >= more)
            low = more;
        else
            return;
    }
}

static int compare_cost(const void *a, const void *b, void *arg)
{
    double x = cost(arg, *(const uint32_t *)a), y = cost(arg, *(const uint32_t *)b);
    return (x > y) - (x < y);
}

/* The cheapest run_s seconds of [from_s, to_s), g/kWh x s for one core; what it takes is added to
 * the loads. */
static double cheapest(struct hours *h, int64_t from_s, int64_t to_s, int64_t run_s, double cores)
{
    size_t a = (size_t)((from_s - h->first_s) / h->step_s);
    size_t b = (size_t)((to_s - 1 - h->first_s) / h->step_s) + 1, n = b - a;
    double left_s = (double)run_s, area = 0;
    for (size_t i = 0; i < n; i++)
        h->order[i] = (uint32_t)(a + i);
    /* two hours more, for the window's first and last one are cut */
    size_t keep = (size_t)(run_s / h->step_s) + 3;
    if (keep < n)
        select_cheapest(h, h->order, n, keep);
    qsort_r(h->order, keep < n ? keep : n, sizeof(*h->order), compare_cost, h);
    for (size_t k = 0; k < n && left_s > 0; k++) {
        size_t i = h->order[k];
        double take_s = fmin(part_s(h, i, from_s, to_s), left_s);
        area += take_s * cost(h, i);
        h->load_s[i] += take_s * cores;
        left_s -= take_s;
    }
    return area;
}

struct problem {
    const struct workload *w;
    const struct sim_settings *s;
    const struct sim_result *asap;
    const unsigned char *counted;
};

/* From its submission to its end under asap and its bound: [*from_s, *to_s). */
static void window(const struct problem *p, size_t i, int64_t *from_s, int64_t *to_s)
{
    const struct sim_job *j = &p->w->jobs[i];
    *from_s = j->submit_s + p->s->shift_s;
    *to_s = p->asap->end_s[i] + sim_max_delay_s(p->s, j);
}

/* The bound at these prices, in g/kWh x core x s; fills the loads. */
static double evaluate(const struct problem *p, struct hours *h)
{
    double sum = 0;
    memset(h->load_s, 0, h->n * sizeof(*h->load_s));
    for (size_t i = 0; i < p->w->n; i++) {
        const struct sim_job *j = &p->w->jobs[i];
        if (!p->counted[i])
            continue;
        int64_t from_s, to_s;
        window(p, i, &from_s, &to_s);
        sum += cheapest(h, from_s, to_s, j->run_s, j->cores) * j->cores;
    }
    for (size_t i = 0; i < h->n; i++)
        sum -= h->price[i] * (double)p->s->cores * (double)h->step_s;
    return sum;
}

/* Prices rise where the jobs want more than there is, and fall where they want less. */
static double climb(const struct problem *p, struct hours *h, unsigned steps)
{
    double best = evaluate(p, h), scale = 1, value = best;
    for (unsigned k = 0; k < steps; k++) {
        double norm = 0, cap_s = (double)p->s->cores * (double)h->step_s;
        for (size_t i = 0; i < h->n; i++) {
            double over = h->load_s[i] - cap_s;
            if (over > 0 || h->price[i] > 0)
                norm += over * over;
        }
        if (norm == 0)
            break;
        /* Polyak's step towards a value a little above the best one */
        double step = scale * (best * 1.01 - value + 1e-9 * fabs(best)) / norm;
        for (size_t i = 0; i < h->n; i++)
            h->price[i] = fmax(h->price[i] + step * (h->load_s[i] - cap_s), 0);
        value = evaluate(p, h);
        if (value > best)
            best = value;
        else
            scale *= 0.93;
    }
    return best;
}

static int prepare(struct hours *h, const struct problem *p, const struct series *truth)
{
    int64_t first_s = INT64_MAX, last_s = INT64_MIN;
    for (size_t i = 0; i < p->w->n; i++) {
        int64_t from_s, to_s;
        if (!p->counted[i])
            continue;
        window(p, i, &from_s, &to_s);
        first_s = from_s < first_s ? from_s : first_s;
        last_s = to_s > last_s ? to_s : last_s;
    }
    *h = (struct hours){.first_s = floor_hour(first_s), .step_s = step_of(truth)};
    h->n = last_s > first_s ? (size_t)((last_s - h->first_s) / h->step_s) + 1 : 0;
    h->g_per_kwh = malloc((h->n + 1) * sizeof(double));
    h->price = calloc(h->n + 1, sizeof(double));
    h->load_s = calloc(h->n + 1, sizeof(double));
    h->order = malloc((h->n + 1) * sizeof(*h->order));
    if (!h->g_per_kwh || !h->price || !h->load_s || !h->order)
        return -1;
    find_lowest(h, truth);
    return 0;
}

int bound_find(const struct workload *w, const struct series *truth, const struct sim_settings *s,
               const struct sim_result *asap, const unsigned char *counted, unsigned steps,
               double *ug, struct err *e)
{
    struct problem p = {w, s, asap, counted};
    struct hours h;
    int rc = prepare(&h, &p, truth);
    if (rc == 0)
        *ug = climb(&p, &h, s->cores ? steps : 0) * s->ug_per_area;
    free(h.g_per_kwh);
    free(h.price);
    free(h.load_s);
    free(h.order);
    if (rc == 0)
        return 0;
    errno = ENOMEM;
    return err_set(e, "no memory for the bound");
}
