/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From past runs to lengths and watts.
 */
#include "config.h"

#include <math.h>

#include "placement/scenarios.h"

int64_t scenarios_within(double length_s, int64_t limit_s)
{
    return length_s >= (double)limit_s ? limit_s : length_s >= 1 ? llround(length_s) : 1;
}

int64_t scenarios_mean(const int64_t *runs_s, size_t n, int64_t limit_s)
{
    int64_t sum_s = 0;
    for (size_t i = 0; i < n; i++)
        sum_s += runs_s[i] < limit_s ? runs_s[i] : limit_s;
    return n ? sum_s / (int64_t)n : limit_s;
}

size_t scenarios_mix(const int64_t *runs_s, size_t n, int64_t limit_s, int64_t out[SCENARIOS_MAX])
{
    if (n > SCENARIOS_MAX - 1)
        n = SCENARIOS_MAX - 1;
    for (size_t i = 0; i < n; i++)
        out[i] = scenarios_within((double)runs_s[i], limit_s);
    out[n] = limit_s < SCENARIOS_LIMIT_S ? limit_s : SCENARIOS_LIMIT_S;
    return n + 1;
}

int64_t scenarios_left(const int64_t *length_s, size_t n, int64_t done_s, int64_t limit_left_s)
{
    int64_t sum_s = 0, longer = 0, left_s = done_s;
    for (size_t i = 0; i < n; i++) {
        if (length_s[i] <= done_s)
            continue;
        sum_s += length_s[i] - done_s;
        longer++;
    }
    if (longer)
        left_s = sum_s / longer;
    return left_s < limit_left_s ? left_s : limit_left_s;
}

void scenarios_of(const struct board *b, const struct placement_job *job,
                  const struct placement_price *price, struct scenarios *out)
{
    int64_t runs_s[BOARD_PAST_RUNS];
    const struct board_past *past = board_past_find(b, job->uid, job->name);
    out->past = past;
    out->power_w = price->power_w;
    out->n = 1;
    out->length_s[0] = price->limit_s;
    if (!past)
        return;
    for (uint32_t i = 0; i < past->n_runs; i++)
        runs_s[i] = past->run_s[i];
    out->n = (uint32_t)scenarios_mix(runs_s, past->n_runs, price->limit_s, out->length_s);
    double measured_w = price->gpus ? past->gpu_w * price->gpus : past->cpu_w * price->cpus;
    if (measured_w > 0)
        out->power_w = fmin(price->power_w, measured_w);
}
