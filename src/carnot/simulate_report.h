/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot simulate, behind its options: files are read, each policy is run from each start, and what
 * came out is printed, drawn and written.
 */
#ifndef CARNOT_SIMULATE_REPORT_H
#define CARNOT_SIMULATE_REPORT_H

#include "carnot/cli.h"
#include "carbon/feed.h"
#include "carnot/table.h"
#include "simulate/bound.h"
#include "simulate/summary.h"

#define SIMULATION_WEEKS_MAX 52

/* What is asked. */
struct simulation {
    const char *workload_path, *carbon_path, *zone, *column;
    const char *model_path, *schedule_path, *html_path; /* NULL: none */
    double unit_s;                                      /* of a workload that does not say */
    int64_t start_s;                                    /* of the first job, if has_start */
    int has_start, has_exponent, unbounded;
    unsigned weeks; /* starts */
    uint64_t nodes, core_mw;
    unsigned bound_steps;
    struct sim_settings set; /* but for policy and shift_s */
    enum sim_policy policies[SIM_POLICY_N];
    size_t n_policies;
    struct summary_power power;
    struct table_style style;
};

/* What came of it. */
struct simulated {
    struct workload w;
    struct feed trace;   /* as it was read */
    struct series truth; /* repeated as far as it is needed; points owned */
    size_t too_long;     /* jobs longer than the trace, left out */
    int drawn_limits;    /* the workload had none */
    /* [policy][start]; the first policy is asap. */
    struct summary *summaries;
    enum sim_policy policies[SIM_POLICY_N + 1];
    size_t n_policies;
};

/* Everything; returns the exit code, messages are printed. */
int simulate_report(struct cli *c, struct simulation *s);

/* A figure of a summary, over all starts. */
struct figure {
    const char *key;   /* in JSON */
    const char *label; /* column of the table */
    size_t offset;     /* of a double or a size_t in struct summary */
    int is_count;
    double scale;   /* what is printed / what is stored */
    unsigned flags; /* TABLE_HIDDEN, or 0 */
};
extern const struct figure simulate_figures[]; /* ends with a NULL key */

/* Mean over the starts, and half of its 95 % interval (NAN with one start). */
double simulate_mean(const struct simulation *s, const struct simulated *d, size_t policy,
                     const struct figure *f, double *half);

/* simulate_page.c: the page. runs: one result for each policy, of the first start. 0, or -1 and
 * e. */
int simulate_page(const struct simulation *s, const struct simulated *d,
                  const struct sim_result *runs, struct err *e);

#endif
