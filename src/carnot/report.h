/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot report: the settled runs of a period, fetched in pieces, and what is made of them: sums by
 * group, waits by user, and what waiting would have done.
 */
#ifndef CARNOT_REPORT_H
#define CARNOT_REPORT_H

#include <stddef.h>
#include <stdint.h>
#include "carbon/series.h"
#include "carnot/cli.h"

/* One run. Names are owned by struct report; NAN is "no data". */
struct report_job {
    const char *user, *account, *partition, *run;
    int64_t nodes, start_s, end_s;
    int64_t delay_s;                      /* added by Carnot */
    double energy_j, split_j, modelled_j; /* the latter two are parts of the first */
    double carbon_g, asap_g;              /* and had the same energy been drawn at once */
    double model_w;                       /* at full load, by carnot.yaml */
    int exempt;
};

struct report {
    int64_t since_s, until_s;   /* runs that ended in [since, until) */
    const char *user, *account; /* NULL = all that the asker may see */
    struct report_job *jobs;
    size_t n;
    json_t *names; /* keys are the names, each once */
};

/* Fetch the runs; the first four fields of *r are set. 0, or -1 after a message. */
int report_fetch(struct cli *c, struct report *r);
/* The intensity from from_s to to_s as the ledger remembers it, prefix sums filled in; the caller
 * frees *points, which are strictly in order. 0 (perhaps without a point), or -1 after a message.
 */
int report_fetch_series(struct cli *c, int64_t from_s, int64_t to_s, struct series_point **points,
                        size_t *n);
void report_fini(struct report *r);

/* The value that p per cent of n sorted ones do not exceed (nearest rank); n > 0. */
int64_t report_percentile(const int64_t *sorted, size_t n, int p);
/* For qsort. */
int report_by_value(const void *a, const void *b);

enum report_format { REPORT_TABLE, REPORT_JSON, REPORT_CSV };

/* Is it a word that report_usage takes? */
int report_known_by(const char *by);
/* Sums by "account", "user", "run" or "partition"; waits by user. The exit code. */
int report_usage(struct cli *c, const struct report *r, const char *by, enum report_format format);
int report_waiting(struct cli *c, const struct report *r, enum report_format format);
/* The page; allowances in seconds, at most REPORT_ALLOWANCES. */
#define REPORT_ALLOWANCES 3
int report_would_have(struct cli *c, const struct report *r, const int64_t *allowances, size_t n,
                      enum report_format format);

/* An array of objects, all with the same keys in one order, as CSV: a header and a line each. */
int report_csv(struct cli *c, const json_t *rows);

#endif
