/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the runs of a period to what is said of them.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "carnot/answer.h"
#include "carnot/client.h"
#include "carnot/what_if.h"

#define WORTH 0.005  /* a smaller saving is not worth a proposal */
#define REPORTED 0.5 /* of the energy; below: measure first */

static void _sum(struct what_if *p)
{
    for (size_t i = 0; i < p->r->n; i++) {
        const struct report_job *job = &p->r->jobs[i];
        int modelled;
        double energy_j = would_have_energy_j(job, &modelled);

        p->unreported += (size_t)modelled;
        if (!isfinite(energy_j))
            continue;
        p->energy_j += energy_j;
        p->unreported_j += modelled ? energy_j : 0;
        p->split_j += modelled ? 0 : job->split_j;
        p->modelled_j += modelled ? energy_j : job->modelled_j;
        p->carbon_g += modelled || !isfinite(job->carbon_g) ? 0 : job->carbon_g;
    }
}

/* Idle nodes are for operators: to others the server says no, and the page says nothing. */
static void _nodes(struct cli *c, struct what_if *p)
{
    int64_t got = 0;
    int more = 1;

    p->idle_j = p->nodes_j = NAN;
    while (more) {
        json_t *request = client_request("nodes"), *a = NULL, *row;
        struct err e = {""};
        size_t i;

        json_object_set_new(request, "offset", json_integer(got));
        int rc = c->transport(c, request, &a, &e);

        json_decref(request);
        more = rc == 0 && json_is_true(json_object_get(a, "ok")) &&
               json_is_true(json_object_get(a, "more"));
        json_array_foreach(json_object_get(a, "nodes"), i, row)
        {
            double idle_j = answer_number(row, "idle_j"), node_j = answer_number(row, "energy_j");

            if (!isfinite(idle_j) || !isfinite(node_j))
                continue;
            p->idle_j = (isfinite(p->idle_j) ? p->idle_j : 0) + idle_j;
            p->nodes_j = (isfinite(p->nodes_j) ? p->nodes_j : 0) + node_j;
        }
        got += (int64_t)json_array_size(json_object_get(a, "nodes"));
        json_decref(a);
    }
}

static int _terms(struct cli *c, struct what_if *p)
{
    struct would_have_terms *t = &p->terms;

    if (client_ask(c, client_request("policy"), &p->policy) < 0)
        return -1;
    *t = (struct would_have_terms){.lambda_g_per_h = answer_number(p->policy, "lambda_g_per_h"),
                                   .lambda_exponent = answer_number(p->policy, "lambda_exponent"),
                                   .min_gain_g = answer_number(p->policy, "min_gain_g"),
                                   .pue = answer_number(p->policy, "pue"),
                                   .cpu_max_w = answer_number(p->policy, "cpu_max_w")};
    if (!isfinite(t->lambda_g_per_h + t->lambda_exponent + t->min_gain_g + t->pue + t->cpu_max_w))
        return cli_fail(c, -1, "carnotctld did not say its policy; is it of another version?");
    return 0;
}

/* The remembered intensity that the runs, each shifted by the longest allowance, can touch. */
static int _series(struct cli *c, const struct what_if *p, int64_t longest_s, struct series *out)
{
    int64_t from_s = p->r->until_s, to_s = p->r->since_s;
    struct series_point *points;
    size_t n;

    for (size_t i = 0; i < p->r->n; i++) {
        int64_t once_s = p->r->jobs[i].start_s - p->r->jobs[i].delay_s;

        from_s = once_s < from_s ? once_s : from_s;
        to_s = p->r->jobs[i].end_s > to_s ? p->r->jobs[i].end_s : to_s;
    }
    if (report_fetch_series(c, from_s, to_s + longest_s, &points, &n) < 0)
        return -1;
    *out = (struct series){points, n, n ? points[n - 1].t_s + 900 : 0};
    return 0;
}

static int _compute(struct cli *c, struct what_if *p, const int64_t *allowances)
{
    struct series series;
    int64_t longest_s = 0;
    int rc = 0;

    for (size_t i = 0; i < p->n; i++)
        longest_s = allowances[i] > longest_s ? allowances[i] : longest_s;
    if (_terms(c, p) < 0 || _series(c, p, longest_s, &series) < 0)
        return -1;
    for (size_t i = 0; rc == 0 && i < p->n; i++)
        rc = would_have_run(&series, &p->terms, p->r, allowances[i], &p->w[i]);
    free((void *)(uintptr_t)series.points);
    if (rc < 0)
        return cli_fail(c, -1, "no memory for %zu jobs", p->r->n);
    _sum(p);
    _nodes(c, p);
    return 0;
}

char *what_if_allowance(char *buf, size_t size, int64_t s)
{
    int hours = s % 3600 == 0;

    (void)snprintf(buf, size, "%lld%s", (long long)(hours ? s / 3600 : s / 60), hours ? "h" : "m");
    return buf;
}

const struct would_have *what_if_best(const struct what_if *p)
{
    const struct would_have *best = &p->w[0];

    for (size_t i = 1; i < p->n; i++)
        if (p->w[i].share > best->share)
            best = &p->w[i];
    return best;
}

/* The shortest allowance that reaches half of what the best one does: trust costs hours. */
static const struct would_have *_proposed(const struct what_if *p)
{
    const struct would_have *best = what_if_best(p), *out = best;

    for (size_t i = 0; i < p->n; i++)
        if (p->w[i].share >= best->share / 2 && p->w[i].allowance_s < out->allowance_s)
            out = &p->w[i];
    return out;
}

const char *what_if_next_step(const struct what_if *p, char *buf, size_t size)
{
    const struct would_have *best = what_if_best(p), *w = _proposed(p);
    char span[24];

    if (best->jobs == 0)
        (void)snprintf(buf, size,
                       "Let carnotctld watch for some days: no job of this period can be "
                       "reckoned with yet.");
    else if (!(best->share >= WORTH))
        (void)snprintf(buf, size, "Let no job wait: it would save less than %.1f %%.%s",
                       WORTH * 100, p->idle_j > 0 ? " See to the idle nodes." : "");
    else if (p->unreported_j > (1 - REPORTED) * p->energy_j)
        (void)snprintf(
            buf, size,
            "Start carnotd on the nodes: no node has reported more than half of this energy. "
            "Then look again.");
    else
        (void)snprintf(
            buf, size,
            "policy.default_delay: %s in carnot.yaml and carnot on --partition %s (%.0f %% "
            "of that saving); who must not wait says --carbon-delay=off. Look again in 4 "
            "weeks.",
            what_if_allowance(span, sizeof(span), w->allowance_s), w->partition,
            w->partition_share * 100);
    return buf;
}

int what_if_make(struct cli *c, const struct report *r, const int64_t *allowances, size_t n,
                 struct what_if *out)
{
    *out = (struct what_if){.r = r, .n = n};
    return _compute(c, out, allowances);
}

void what_if_fini(struct what_if *p)
{
    json_decref(p->policy);
    p->policy = NULL;
}
