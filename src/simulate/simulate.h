/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One policy over one workload on one trace: every job is submitted, planned with what was known
 * then, queued, run, and perhaps paused; what it emitted is summed over the true trace. Events in
 * order of time; the same settings give the same result to the byte.
 */
#ifndef CARNOT_SIMULATE_SIMULATE_H
#define CARNOT_SIMULATE_SIMULATE_H

#include "common/err.h"
#include "simulate/lengths.h"
#include "simulate/outlook.h"
#include "simulate/policy.h"
#include "simulate/workload.h"

struct sim_settings {
    enum sim_policy policy;
    uint64_t cores;         /* of the machine; 0: as many as are asked for */
    int64_t max_delay_s;    /* each job's bound; < 0: by SIM_DELAY_* */
    double lambda_ug_per_s; /* of balanced: what a second's delay of a job of weight 1 costs */
    double lambda_exponent; /* weight = cores^exponent */
    double target_wait_s;   /* > 0: lambda is steered towards this mean wait */
    enum outlook_kind forecast;
    enum lengths_kind lengths;
    double overbook;    /* plans look for room, in so many times the cores; 0: they do not */
    double requeueable; /* share of the jobs that may be paused, 0 to 1 */
    double min_gain_ug; /* a job waits for no less */
    uint64_t seed;
    double ug_per_area; /* of one core: W x PUE, in micrograms per g/kWh x s */
    int64_t shift_s;    /* from the workload's clock to the trace's */
};

/* Bounds of ALGORITHMS section 5: short jobs 6 h, others 24 h. */
#define SIM_DELAY_SHORT_RUN_S (2 * 3600)
#define SIM_DELAY_SHORT_S (6 * 3600)
#define SIM_DELAY_LONG_S (24 * 3600)
/* What a pause costs: checkpoint, requeue and restart, as run time on all of the job's cores. */
#define SIM_SWITCH_S 600
/* A job is not paused again before it has run so long (docs/evaluation.md). */
#define SIM_RUN_MIN_S (2 * 3600)

int64_t sim_max_delay_s(const struct sim_settings *s, const struct sim_job *job);

/* A stretch in which a job ran, on the trace's clock. */
struct sim_piece {
    uint32_t job; /* index into workload.jobs */
    int64_t start_s, end_s;
};

struct sim_result {
    size_t n;                 /* jobs of the workload */
    int64_t *start_s, *end_s; /* of each; start 0 and end 0: too large for the machine */
    double *ug;               /* emitted */
    struct sim_piece *pieces; /* of each job in order; between jobs as they came to be known */
    size_t n_pieces, room_pieces;
    size_t moves; /* planned starts that a newer forecast moved */
    size_t pauses;
    size_t left_out; /* jobs that need more cores than there are */
};

/* Called now and then with the share that is done, 0 to 1. */
typedef void sim_progress_f(void *arg, double done);

/*
 * truth: from a week before the first submission, to the end of all (behind it the last value
 * holds). progress may be NULL. 0 and sim_result_fini is due, or -1 (no memory) and e.
 */
int sim_run(const struct workload *w, const struct series *truth, const struct sim_settings *s,
            struct sim_result *out, sim_progress_f *progress, void *arg, struct err *e);
void sim_result_fini(struct sim_result *r);

#endif
