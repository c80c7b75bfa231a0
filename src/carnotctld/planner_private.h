/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What planner.c (jobs that a list gives a reason to plan), replan.c (all that wait, when
 * forecast or jobs change) and pauser.c (those that go on in pieces) share.
 */
#ifndef CARNOT_CARNOTCTLD_PLANNER_PRIVATE_H
#define CARNOT_CARNOTCTLD_PLANNER_PRIVATE_H

#include "carnotctld/ctl.h"
#include "carnotctld/slurm_client.h"
#include "placement/placement.h"

/* A start this close is left alone: the order would come too late to matter. */
#define PLANNER_TOO_CLOSE_S 3

/* A board of the planner's own, in whose slots it moves jobs about; the other sections are borrowed
 * from the board that it was made of. The caller frees planned. */
struct planner_scratch {
    struct board b;
    uint32_t *planned;
};

/* Of a board that is built anew, which c->board is then. 0 or -1 (said in the log). */
int planner_scratch(struct ctl *c, struct planner_scratch *s);
/* Of b. 0 or -1 (no memory). */
int planner_scratch_of(const struct board *b, struct planner_scratch *s);

/* Put the job's own CPUs into the slots (add), or take them out. */
void planner_occupy(struct planner_scratch *s, const struct placement_job *pj,
                    const struct placement_price *price, int64_t from_s, int add);

/* The job as it was asked for, with what is left of its allowance from from_s on. */
void planner_rebuild(const struct slurm_job *job, const struct placement_note *note, int64_t from_s,
                     int64_t latest_s, struct placement_job *out);

/* May Carnot move this pending job? 1, and what it was promised, or 0. row may be NULL. */
int planner_ours(const struct ctl *c, const struct slurm_job *job, const struct ledger_job *row,
                 struct placement_note *note);

struct planner_move {
    int64_t to_s;
    int64_t eligible_s; /* when it could have begun without us */
    double carbon_ug;   /* of the new start; NAN: not known */
};
/* Write the move down, and fill in the order that is to follow. 0, or -1 (said in the log): then
 * there must be no order. */
int planner_note_move(struct ctl *c, const struct slurm_job *job, struct ledger_job *row,
                      const struct planner_move *m, struct slurm_order *o);

/* Set the job's begin time, and say so: written down, then ordered; where that fails, as it was. */
void planner_move(struct ctl *c, const struct slurm_job *job, struct ledger_job *row,
                  const struct planner_move *m, const char *ev, const char *code);

/* ---- replan.c ---- */

/* A little of the pass over all that waits; begins one if the samples changed. */
void replan_run(struct ctl *c);
void replan_free(struct ctl *c);

#endif
