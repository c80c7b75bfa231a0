/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The search for the best start of one job in its window. Pure.
 */
#ifndef CARNOT_PLACEMENT_SEARCH_H
#define CARNOT_PLACEMENT_SEARCH_H

#include <stdint.h>
#include "carbon/series.h"
#include "placement/slots.h"

#define SEARCH_FURTHER_MAX 7

struct search {
    struct series series;
    const struct slots *slots; /* NULL: there is room everywhere */
    int64_t from_s, until_s;   /* starts lie in [from_s, until_s] */
    int64_t length_s;          /* > 0: what the grams are summed over */
    /* Other lengths that are as likely: grams are the mean over all (ALGORITHMS: scenarios). */
    int64_t further_s[SEARCH_FURTHER_MAX];
    uint32_t n_further;
    int64_t hold_s;         /* > 0: how long slots are held */
    double ug_per_area;     /* micrograms per g/kWh x s: watts x PUE x ... */
    double lambda_ug_per_s; /* price of a second's delay */
};

struct search_result {
    int64_t start_s;      /* from_s, or a better start with room in the slot ledger */
    double carbon_ug;     /* there */
    double carbon_now_ug; /* at from_s */
    int64_t full_start_s; /* the best start had there been room everywhere */
    double full_carbon_ug;
};

/* Sums of doubles differ in the last digits from start to start: a real gain is larger than this
 * share of them. */
#define SEARCH_SAME 1e-9

/* Grams of a start at start_s, mean over the lengths, in micrograms. O(lengths x log n). */
double search_carbon_ug(const struct search *q, int64_t start_s);

/* What a start with these grams costs: lambda for its delay, too. */
static inline double search_cost_ug(const struct search *q, int64_t start_s, double carbon_ug)
{
    return carbon_ug + q->lambda_ug_per_s * (double)(start_s - q->from_s);
}

/* The first start behind t_s where the cost may bend (an edge of the series, or one minus a
 * length), until_s at the latest; INT64_MAX behind it. O(lengths x log n). */
int64_t search_next_bend(const struct search *q, int64_t t_s);

/* Minimise grams + lambda x delay over from_s, every edge of the series and (where some slot is
 * full) of the slots, and every such edge minus a length; ties go to the earliest. from_s itself
 * needs no room: there Slurm's queue decides. O(candidates x lengths), no allocation. */
void search_run(const struct search *q, struct search_result *out);

#endif
