/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One submission or change, admitted: leases swept, decision taken, lease taken, as one step.
 *
 * What slurmctld's plugin does under its mutex, without Slurm, clock or lock of its own, so that
 * tests run the same code. A request that may never become a job (a test, a partition that the
 * board does not know) takes no lease and so gets no note either: carnotctld judges it when it is
 * a job, and it may not begin before that.
 */
#ifndef CARNOT_PLACEMENT_ADMIT_H
#define CARNOT_PLACEMENT_ADMIT_H

#include "placement/change.h"
#include "placement/placement.h"

/* Not thread-safe: the caller's mutex covers it. */
struct admit {
    struct lease_table leases;
    int64_t started_ms; /* leases taken before are lost */
    uint64_t seq;       /* of the newest board that leases were held against */
    int64_t published_ms;
};

struct admit_outcome {
    struct placement_decision d;
    uint64_t id;
    int binding;          /* it holds back something that others must know of */
    int64_t not_before_s; /* 0, or: no note, and no begin before this */
};

void admit_init(struct admit *a, int64_t now_ms);

/* Decide and take. b is a fresh board, id a random number for the decision, test says that the
 * request claims to be only a test. Flags of *job may be added to. Never fails: what cannot be
 * decided runs. No allocation. */
void admit_job(struct admit *a, const struct board *b, struct placement_job *job, uint64_t id,
               int test, int64_t now_ms, struct admit_outcome *out);

/* The same for a change of a job. An operator's passes whatever it costs, and is held all the same.
 */
void admit_change(struct admit *a, const struct board *b, const struct placement_change *change,
                  int by_operator, int64_t now_ms, struct placement_growth *out);

#endif
