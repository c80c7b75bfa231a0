/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The anchored weekly profile: what the coming hours are like when no feed says.
 *
 *   C^(t+h) = m7(hour(t+h)) + rho^h x (C(t) - m7(hour(t)))
 *
 * m7 is the mean of the last 7 days at an hour of the day, t the last sample, h in hours. Hours are
 * those of UTC: the same history gives the same forecast on every machine. Pure arithmetic: no I/O,
 * no clock, no allocation, no state; made anew for each forecast: O(samples of a week + hours
 * ahead), about 2 us with hourly samples and 96 hours (test_profile prints it).
 */
#ifndef CARNOT_CARBON_PROFILE_H
#define CARNOT_CARBON_PROFILE_H

#include "carbon/series.h"

#define PROFILE_DAYS 7
/* How much of the anomaly an hour leaves. On DE, ES and PL of 2020 and 2021 the mean error of the
 * next 96 h is least at 0.97 to 0.98, and the saving kept is flat from 0.95 to 0.98, the range that
 * twelve zones of 2022 had shown before. Errors are reported on 2022: tests/unit/test_profile.c. */
#define PROFILE_RHO 0.97
#define PROFILE_HOLD_S (3 * 3600)   /* a value counts no longer: a wider step is a gap */
#define PROFILE_LEAST_S (24 * 3600) /* fewer seconds of samples than this make no profile */

struct profile {
    double m7_g_per_kwh[24]; /* by hour of the day; one that no sample has: the mean of all */
    double anomaly;          /* C(t) - m7(hour(t)), g/kWh */
    int64_t last_s;          /* t */
    int64_t known_s;         /* seconds that samples cover, at most 7 days */
};

/* From the last 7 days before history->end_s. Values that are no intensity (not finite, negative,
 * above SERIES_G_PER_KWH_MAX) count as gaps; areas are not read. 1, or 0 and *p untouched when
 * samples cover less than PROFILE_LEAST_S. */
int profile_init(struct profile *p, const struct series *history);

/* Forecast in g/kWh, 0..SERIES_G_PER_KWH_MAX, for the hour that holds t_s; before the last sample
 * the anomaly counts in full. */
double profile_at(const struct profile *p, int64_t t_s);

/* profile_at(from_s + i x step_s) into g_per_kwh[i], for i < n. step_s > 0. */
void profile_write(const struct profile *p, int64_t from_s, int64_t step_s, size_t n,
                   double *g_per_kwh);

#endif
