/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steering lambda: see steer.h.
 */
#include "config.h"

#include <math.h>

#include "placement/steer.h"

/* Micrograms per second: from a job that no wait is too long for to one that never waits. */
#define LAMBDA_MIN 1e-9
#define LAMBDA_MAX 1e15
#define HALVINGS 40

static double clamp(double lambda)
{
    return fmin(fmax(lambda, LAMBDA_MIN), LAMBDA_MAX);
}

void steer_planned(struct steer *s, double wait_s)
{
    double error = wait_s / (s->target_s * STEER_AIM) - 1;
    s->lambda_ug_per_s = clamp(s->lambda_ug_per_s * exp(STEER_GAIN * error));
}

static double mean_wait_s(const struct search *jobs, size_t n, double lambda)
{
    double sum_s = 0;
    for (size_t i = 0; i < n; i++) {
        struct search q = jobs[i];
        struct search_result r;
        q.lambda_ug_per_s *= lambda;
        search_run(&q, &r);
        sum_s += (double)(r.start_s - q.from_s);
    }
    return sum_s / (double)n;
}

double steer_solve(const struct search *jobs, size_t n, double target_s)
{
    double low = log(LAMBDA_MIN), high = log(LAMBDA_MAX);
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;
        if (mean_wait_s(jobs, n, exp(middle)) > target_s * STEER_AIM)
            low = middle;
        else
            high = middle;
    }
    return exp(high);
}
