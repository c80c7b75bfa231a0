/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `carnot report --would-have` says, before it is written down: fetched, computed, and what to
 * do next.
 */
#ifndef CARNOT_WHAT_IF_H
#define CARNOT_WHAT_IF_H

#include "carnot/report.h"
#include "carnot/would_have.h"

/* All that the page says. */
struct what_if {
    const struct report *r;
    json_t *policy;
    struct would_have_terms terms;
    struct would_have w[REPORT_ALLOWANCES];
    size_t n;
    double energy_j, split_j, modelled_j,
        carbon_g;           /* of jobs; modelled: also those without record */
    size_t unreported;      /* jobs without a record of energy */
    double unreported_j;    /* what they are taken for */
    double idle_j, nodes_j; /* of all nodes since their first record; NAN */
};

/* Fetch and compute; allowances in seconds, n of them. 0, or -1 after a message. what_if_fini when
 * done, in both cases. */
int what_if_make(struct cli *c, const struct report *r, const int64_t *allowances, size_t n,
                 struct what_if *out);
void what_if_fini(struct what_if *p);

/* The allowance that saves the largest share. */
const struct would_have *what_if_best(const struct what_if *p);

/* One paragraph; returns buf. */
const char *what_if_next_step(const struct what_if *p, char *buf, size_t size);

/* As carnot.yaml takes it: "12h", "90m". Returns buf. */
char *what_if_allowance(char *buf, size_t size, int64_t s);

#endif
