/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far off forecasts were, in words that need no model of the errors: their mean size, and the
 * bound that a share of them kept (a conformal quantile). Pure arithmetic.
 */
#ifndef CARNOT_CARBON_FORECAST_ERROR_H
#define CARNOT_CARBON_FORECAST_ERROR_H

#include <stddef.h>

#define FORECAST_ERROR_SHARE 0.8 /* a band that four errors of five keep */
#define FORECAST_ERROR_LEAST 24  /* fewer say nothing: errors of one day are much alike */

/* The hours ahead that errors are counted for: of the hour that ends then. */
#define FORECAST_ERROR_ROWS 8
extern const int forecast_error_ahead_h[FORECAST_ERROR_ROWS];

struct forecast_error {
    size_t n;
    double mean_g_per_kwh;   /* of their sizes; NAN where n < FORECAST_ERROR_LEAST */
    double within_g_per_kwh; /* the next one is no larger with FORECAST_ERROR_SHARE; or NAN */
};

/* Of n sizes (finite, >= 0), which are sorted on the way. */
void forecast_error_of(struct forecast_error *out, double *sizes, size_t n);

#endif
