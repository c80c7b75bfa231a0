/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which run of a job a node's record means.
 */
#ifndef CARNOT_CARNOTCTLD_NAMED_JOB_H
#define CARNOT_CARNOTCTLD_NAMED_JOB_H

#include "carnotctld/ctl.h"

/* What a record says of a job. */
struct named_job {
    const char *node;
    uint32_t job_id, uid;
    int64_t from_ms, until_ms; /* the record's interval */
    int64_t begun_s;           /* its prolog on the node; 0 = the node does not say */
};

#define NAMED_JOB_NOBODYS 2

/* 1 and a copy in *out: this run is charged. NAMED_JOB_NOBODYS: no run of Slurm's can have worked
 * there then, which is logged once. 0: a newer list may show it, ask again later. -1 error, logged.
 * A run that no list has shown gets a row of its own (named_job_adopt). Reads the ledger when no
 * run that is not settled fits. */
int named_job_run(struct ctl *c, const struct named_job *job, struct ledger_job *out);

/* A row for a run that only a node's record has named, over when the record is. next is the run of
 * the same job after it, which says whose it was, or NULL: its user is known, nothing else. NULL on
 * error. */
struct ledger_job *named_job_adopt(struct ctl *c, const struct named_job *job,
                                   const struct ledger_job *next);

#endif
