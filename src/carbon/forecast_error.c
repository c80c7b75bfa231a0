/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Of n past errors and one to come, each is as likely to be the k-th smallest:
 * the next is within the k-th of the past with k / (n + 1).
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "carbon/forecast_error.h"

const int forecast_error_ahead_h[FORECAST_ERROR_ROWS] = {1, 3, 6, 12, 24, 48, 72, 96};

static int _compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void forecast_error_of(struct forecast_error *out, double *sizes, size_t n)
{
    double sum = 0.0;

    *out = (struct forecast_error){n, NAN, NAN};
    if (n < FORECAST_ERROR_LEAST)
        return;
    qsort(sizes, n, sizeof(*sizes), _compare);
    for (size_t i = 0; i < n; i++)
        sum += sizes[i];
    out->mean_g_per_kwh = sum / (double)n;
    out->within_g_per_kwh = sizes[(size_t)ceil(FORECAST_ERROR_SHARE * (double)(n + 1)) - 1];
}
