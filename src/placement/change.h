/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A change of a job that Slurm has already (scontrol update): what it adds to what the job may use,
 * and whether its budgets cover that. Pure.
 */
#ifndef CARNOT_PLACEMENT_CHANGE_H
#define CARNOT_PLACEMENT_CHANGE_H

#include <stdint.h>
#include "placement/budgets.h"
#include "placement/placement.h"

/* What is asked for; 0 and NULL leave the job as it is. */
struct placement_change {
    uint32_t job_id;            /* of the job, or of its array */
    int64_t array_task;         /* -1 = the whole job or array */
    const char *account;        /* another account */
    const char *partition;      /* another partition, or a list */
    uint32_t nodes, cpus, gpus; /* of one task */
    uint32_t ntasks;            /* processes, each with the CPUs that it has now */
    int64_t limit_s;
    int exclusive; /* 1 = asks for whole nodes */
};

struct placement_growth {
    enum placement_verdict verdict; /* RUN: may be; REFUSE */
    enum placement_code code;
    struct budgets_lack lack;    /* of a refusal: need is what the job did not have before */
    double energy_uj, carbon_ug; /* what the change adds; <= 0: nothing to hold */
    const char *account;         /* that it is held against */
    uint32_t uid;
};

/* Does the change ask for anything that can cost more? Everything else passes unseen. */
int placement_change_grows(const struct placement_change *c);

/* Price it. b is a fresh board; leases may be NULL. A job that the board does not show cannot be
 * priced: refused with NO_BOARD if there are budgets at all, else passed. Grams are those of the
 * mean intensity ahead. */
void placement_change_decide(const struct board *b, const struct lease_table *leases,
                             const struct placement_change *c, int64_t now_s,
                             struct placement_growth *out);

/* The watts that one task of the job asks Slurm for after the change (placement_watts): 0 and *w,
 * or -1 if the board does not show the job. */
int placement_change_watts(const struct board *b, const struct placement_change *c, uint32_t *w);

/* The lease that holds what was allowed until a list shows it; its id is made of the change itself,
 * so that Slurm's asking once a record of an array takes one. */
void placement_change_lease(const struct placement_change *c, const struct placement_growth *g,
                            struct lease *out);

/* One sentence for a refusal. Returns buf. */
char *placement_change_sentence(char *buf, size_t size, const struct placement_growth *g);

#endif
