/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What would have been, had jobs been allowed to wait: each run that ended is decided anew, by the
 * same function as a submission, with the length, energy and intensity that really were. Other jobs
 * take no place in it. Pure; allocates while it runs.
 */
#ifndef CARNOT_WOULD_HAVE_H
#define CARNOT_WOULD_HAVE_H

#include <stddef.h>
#include <stdint.h>
#include "carbon/series.h"
#include "carnot/report.h"

/* Of the site's policy, as carnotctld answers. */
struct would_have_terms {
    double lambda_g_per_h, lambda_exponent, min_gain_g, pue, cpu_max_w;
};

struct would_have {
    int64_t allowance_s;
    size_t jobs;    /* decided: known intensity, some energy, not exempt */
    size_t exempt;  /* left out: the site lets them never wait */
    size_t unknown; /* left out: no intensity at their time, or nothing to reckon with */
    size_t waited;
    double once_g, saved_g; /* NAN without jobs */
    double share;           /* saved of once */
    double interval;        /* 95 % of share, +-, from day to day; NAN below two days */
    size_t days;
    double delay_mean_s;
    int64_t delay_p95_s;
    const char *partition; /* that saves most, and its part of it */
    double partition_share;
};

/* Energy of a run: its records', else its length at the modelled watts. *modelled: that it was. */
double would_have_energy_j(const struct report_job *job, int *modelled);

/* 0, or -1: no memory. */
int would_have_run(const struct series *series, const struct would_have_terms *terms,
                   const struct report *r, int64_t allowance_s, struct would_have *out);

#endif
