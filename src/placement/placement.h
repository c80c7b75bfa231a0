/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision: when may this job start, and may it at all.
 *
 * One pure function for slurmctld, planner, `carnot place` and the simulator: no I/O, no
 * clock, no allocation, no Slurm type. Time limits, watts and intensity come in; a verdict, a start
 * and the grams behind it come out.
 */
#ifndef CARNOT_PLACEMENT_PLACEMENT_H
#define CARNOT_PLACEMENT_PLACEMENT_H

#include <stddef.h>
#include <stdint.h>
#include "placement/board.h"
#include "placement/budgets.h"
#include "placement/lease.h"
#include "placement/request.h"

enum placement_verdict { VERDICT_RUN = 0, VERDICT_DELAY, VERDICT_REFUSE };
const char *placement_verdict_name(enum placement_verdict v); /* "run", "delay", "refuse" */

/* Why (docs/reasons.md). */
enum placement_code {
    CODE_NONE = 0, /* asked for nothing, gets nothing */
    CODE_GREENER_LATER,
    CODE_FLAT,        /* waiting would save too little */
    CODE_QUEUE_WAITS, /* no free slot in the window: the queue decides */
    CODE_BUDGET_LEFT, /* refused: a budget has too little left */
    CODE_FEED_STALE,  /* no forecast to decide by */
    CODE_NO_BOARD,
    CODE_OBSERVE,   /* would have waited or been refused, but only observing */
    CODE_EXEMPT,    /* on the site's exempt list: never made to wait, and nothing is said */
    CODE_IMMEDIATE, /* srun -I, reservation, cron, interactive without a flag */
    CODE_USER_NOW,
    CODE_OPERATOR,
    CODE_MAINT_AHEAD, /* waiting would push the job across a maintenance */
    CODE_DEP_END,     /* planned when the jobs that it depends on are about to end */
    CODE_REQUEUED,    /* a new run of a job that still may wait */
    CODE_N
};
const char *placement_code_name(enum placement_code c); /* "GREENER_LATER", ...; "NONE" */

#define PLACEMENT_IMMEDIATE 1u   /* srun -I, cron, federation sibling, reservation: never wait */
#define PLACEMENT_INTERACTIVE 2u /* no script: waits only if a flag was given */
#define PLACEMENT_EXCLUSIVE 4u   /* whole nodes */
#define PLACEMENT_UNCOUNTED                                                                        \
    8u /* leases were lost (slurmctld restarted): budgets cannot be vouched for yet */

#define PLACEMENT_DEPENDENT 16u  /* waits for other jobs first: carnotctld plans it, not now */
#define PLACEMENT_NO_REQUEUE 32u /* --no-requeue */
struct placement_decision;

/* A job as the decision sees it. */
struct placement_job {
    uint32_t uid;
    const char *name;      /* "" or NULL = not known; of any length */
    const char *account;   /* "" or NULL = the user's default */
    const char *partition; /* "" or NULL = the default; "a,b" = one of them: the dearest */
    const char *qos;       /* "" or NULL = none named */
    uint32_t nodes;        /* 0 = unset: from cpus */
    uint32_t cpus;  /* of one task of the array, over all nodes; 0 = unset: all of the nodes' if
                       exclusive, else 1 a node */
    uint32_t gpus;  /* over all nodes */
    uint32_t tasks; /* of a job array, 1 otherwise */
    uint32_t tasks_at_once; /* %N of an array; 0 = all */
    int64_t limit_s;    /* requested time limit; 0 = the partition's default, then its maximum */
    int64_t earliest_s; /* --begin; 0 = now */
    int64_t deadline_s; /* --deadline; 0 = none */
    unsigned flags;     /* PLACEMENT_* */
    uint32_t stagger;   /* any number that differs from job to job; 0 = start at the very edge */
    int64_t spent_s;    /* of its allowance, by jobs that it depends on */
    /* What was decided for the first component of a heterogeneous job: the others start when that
     * one does. NULL = this job stands alone, or is the first. */
    const struct placement_decision *leader;
    struct request request;
};

/* A job's price before any waiting: what leases, reservations and refusals count with. */
struct placement_price {
    uint32_t nodes, cpus, gpus;
    int64_t limit_s;
    double power_w;       /* one task, at full load: an upper estimate */
    double power_all_w;   /* all tasks, as if they ran side by side */
    double energy_uj;     /* one task over its whole limit */
    double energy_all_uj; /* all tasks */
};

struct placement_decision {
    enum placement_verdict verdict;
    enum placement_code code;
    enum placement_policy policy; /* the one that decided */
    enum request_layer layer;     /* where the wait came from */
    int mode;                     /* 1 acting; 0 observing: nothing may be changed */
    int64_t start_s;              /* eligible from; now (or earliest_s) when it does not wait */
    int64_t latest_s;             /* waits no longer than */
    int64_t delay_s;              /* start_s minus what it would have been */
    int64_t wait_s;               /* what it was allowed to wait, once it could run; 0 = nothing */
    int64_t bound_s; /* and the latest start by finish-by and deadline; INT64_MAX = none */
    struct placement_price price;
    double carbon_ug,
        carbon_now_ug; /* all tasks, PUE in: at start_s, and at once; NAN without a forecast */
    /* The same of what is likely, by the user's last runs: what the start is chosen by, and what
     * people are told. Budgets count the most that it may be, above. */
    double likely_ug, likely_now_ug;
    struct budgets_lack lack; /* of a refusal */
};

/* Price a job by the board's partitions and watts. Pure. */
void placement_price(const struct board *b, const struct placement_job *job,
                     struct placement_price *out);

/* Is the job's account under a budget that Slurm's own limit holds? Such a job is not refused for
 * what is left: it waits in Slurm's queue until there is enough. 1 or 0. Pure. */
int placement_native(const struct board *b, const struct placement_job *job);

/* How many of the licence watts one task of this power has to ask for, at least 1 and at most all;
 * 0 where Slurm's limits do not hold its budget, or mode (0 observe, 1 act) does not act on it. */
uint32_t placement_watts(const struct board *b, const struct placement_job *job, double power_w,
                         int mode);

/*
 * Decide. b is a fresh board (the caller checks its age), leases may be NULL. now_s in seconds
 * since the epoch. Never fails: what cannot be decided runs. O(window / step). One call at a time:
 * the plugin's mutex sees to that, the programs decide in one thread.
 *
 * Window: [a, a + W], a = max(now, earliest); W = what the request, else the site's default,
 * allows, at most max_delay; finish-by and deadline bound it by TIME - limit. Candidates: a, every
 * edge of intensity and of the slot ledger in the window, and every such edge minus the length
 * (ALGORITHMS: with a step function, the best start is among them). balanced minimises grams +
 * lambda x delay, greenest grams; ties: earliest. Grams are those of the lengths and the watts that
 * are likely (scenarios.h); everything else goes by the limit.
 */
void placement_decide(const struct board *b, const struct lease_table *leases,
                      const struct placement_job *job, int64_t now_s,
                      struct placement_decision *out);

/* Micrograms that a second of the job's delay must save, in the eyes of d->policy. d->price is set.
 */
double placement_lambda_ug_per_s(const struct board_head *h, const struct placement_decision *d);

/* When the job is to be done at the latest, by finish-by and deadline; 0 = neither was given. */
int64_t placement_done_by_s(const struct placement_decision *d);

/* Why --carbon-requeue does nothing for this job, in a sentence; NULL where it works, or was not
 * asked for. */
const char *placement_unpausable(const struct placement_job *job,
                                 const struct placement_decision *d);

/* What a start at start_s is likely to cost in the eyes of d->policy, all tasks: micrograms, and
 * lambda for the delay since now_s. NAN without a forecast. d->price is set. */
double placement_cost_ug(const struct board *b, const struct placement_job *job,
                         const struct placement_decision *d, int64_t now_s, int64_t start_s);

/* One task's emissions in whole micrograms, as the ledger counts them, rounded up: what is
 * promised, noted and reserved must be one number. NAN without a forecast. */
double placement_task_carbon_ug(const struct placement_job *job,
                                const struct placement_decision *d);

/* The account that the job will run under: its own, else its user's default; "" when unknown. */
const char *placement_account(const struct board *b, const struct placement_job *job);

/* The slots a decision will occupy, and the money it holds, as a lease (id and expiry left 0). */
void placement_lease(const struct board *b, const struct placement_job *job,
                     const struct placement_decision *d, struct lease *out);

/* One sentence for people, no newline, "" when there is nothing to say (of a heterogeneous job the
 * first component speaks for all): "waits until 13:15 (20:00
 * at the latest) for a greener grid: ~1.5 kgCO2e instead of ~2.3. Start now: carnot now JOBID".
 * Returns buf; 320 bytes suffice. */
char *placement_sentence(char *buf, size_t size, const struct board *b,
                         const struct placement_job *job, const struct placement_decision *d,
                         int64_t now_s);

/* admin_comment:
 * "carnot:v=1,id=HEX,latest=T,begin=T,j=N,g=N,g0=N,l=N,l0=N,policy=P,code=C,delay=S,eb=uj,cb=ug,
 * act=,run=" (and ",requeue=T" if it may be paused: done by T, 0 = no such bound) for machines;
 * nothing of budgets of accounts. */
char *placement_comment(char *buf, size_t size, uint64_t id, const struct placement_job *job,
                        const struct placement_decision *d);

/* What a comment says; found anywhere in admin_comment (other tools write there too). */
struct placement_note {
    uint64_t id;
    int64_t latest_s, begin_s; /* of DEP_END: latest by finish-by and deadline alone, 0 = none */
    int64_t wait_s;            /* allowed, once it could run */
    int64_t asked_s;           /* when it was decided */
    double energy_uj;          /* one task */
    double carbon_ug, carbon_now_ug; /* one task */
    double likely_ug, likely_now_ug; /* one task; 0 = not said */
    enum placement_policy policy;
    enum placement_code code;
    enum request_layer layer;
    uint64_t energy_budget_uj, carbon_budget_ug;
    enum budget_action action;
    char run[REQUEST_RUN_MAX];
    int requeue;       /* it may be paused by requeueing it */
    int64_t done_by_s; /* and is to be done by then; 0 = whenever its waits let it */
};
/* CPUs of one task (or of `tasks` at once) and how long it holds them: what the slot ledger counts.
 */
void placement_occupation(const struct board *b, const struct placement_job *job,
                          const struct placement_price *price, uint32_t *cpus, int64_t *hold_s);

/* 1 found, 0 none (or not ours, or malformed). */
int placement_note_parse(const char *admin_comment, struct placement_note *out);

#endif
