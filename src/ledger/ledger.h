/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger: budgets, jobs, what they reserved and what they consumed, in SQLite.
 *
 * One process, one thread. Every change is a transaction (journal WAL, synchronous FULL): a kill
 * -9 leaves either all of it or nothing. Energies in microjoules, emissions in micrograms,
 * times in seconds since the epoch. No Slurm type, no JSON, no logging here. Amounts stop at
 * 2^63-1, what SQLite's integers hold; they never wrap. Everything blocks on the disk.
 * Functions return 0, or -1 with errno and e: EBUSY (another process holds the file), ENOSPC,
 * EROFS, EACCES, EBADMSG (damaged), EINVAL, ENOENT (no such job), ENOTSUP, ENOMEM, EIO.
 */
#ifndef CARNOT_LEDGER_LEDGER_H
#define CARNOT_LEDGER_LEDGER_H

#include <stddef.h>
#include <stdint.h>
#include "common/err.h"

#define LEDGER_NAME_MAX 64

typedef struct ledger ledger_t;

/* Open or create the file (mode 0600, its -wal and -shm too), migrate its schema. ":memory:" for
 * tests. NULL on error. A file of a newer schema than ours is refused, and so is a database of
 * another program. */
ledger_t *ledger_open(const char *path, struct err *e);
void ledger_close(ledger_t *l); /* NULL is legal; keeps errno */

/* Look at a file without changing it, also while a daemon has it open: is it whole (SQLite's
 * quick_check, given up after timeout_ms), and of which schema? */
struct ledger_health {
    int schema;       /* of the file; 0 = an empty one */
    int known;        /* of this build */
    int finished;     /* quick_check came to its end */
    char damage[160]; /* its first complaint, "" = none */
};
int ledger_check(const char *path, int timeout_ms, struct ledger_health *h, struct err *e);

/* Group calls into one transaction; each call alone is one by itself. They nest: an inner rollback
 * undoes what came after its own begin, an outer one everything. A call that fails inside a group
 * has changed nothing and the group may go on; an error that cost the whole transaction (a full
 * disk) makes every further call of the group fail. A commit that fails has rolled its level back
 * itself. ledger_rollback without a begin does nothing, and keeps errno. */
int ledger_begin(ledger_t *l, struct err *e);
int ledger_commit(ledger_t *l, struct err *e);
void ledger_rollback(ledger_t *l);

/* ---- budgets ---- */

enum budget_scope { SCOPE_ACCOUNT = 0, SCOPE_USER = 1 };
enum budget_resource { RESOURCE_ENERGY = 0, RESOURCE_CARBON = 1 }; /* uJ or ug */
enum budget_period { PERIOD_ONCE = 0, PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH };

const char *budget_scope_name(enum budget_scope s);       /* "account", "user" */
const char *budget_resource_name(enum budget_resource r); /* "energy", "carbon" */
const char *budget_period_name(enum budget_period p);     /* "once", "day", "week", "month" */
/* The reverse; -1 for an unknown word. */
int budget_scope_parse(const char *text);
int budget_resource_parse(const char *text);
int budget_period_parse(const char *text);

/* Start of the period that holds t_s and start of the next one, local zone, weeks from Monday; a
 * day begins with its first moment, where clocks change at midnight too. ONCE: 0 and 0. */
void budget_period_bounds(enum budget_period p, int64_t t_s, int64_t *start_s, int64_t *next_s);

/* What became of a job because of a budget: its own (the first three), or its account's or user's,
 * if the plugin has not judged it. */
enum enforce_step {
    ENFORCE_NONE = 0,
    ENFORCE_WARNED,
    ENFORCE_TERMED,
    ENFORCE_CANCELLED,
    ENFORCE_HELD,
    ENFORCE_CLAIMED /* nobody else gets what it needs, until it is judged */
};

struct budget {
    enum budget_scope scope;
    char name[LEDGER_NAME_MAX];
    enum budget_resource resource;
    enum budget_period period;
    uint64_t granted;
    uint64_t charged;  /* in the running period, measured or modelled consumption */
    uint64_t reserved; /* by live jobs, beyond what they have been charged */
    uint64_t
        claimed;   /* estimates of jobs that are not judged yet (ENFORCE_CLAIMED): not reserved */
    uint64_t over; /* part of charged that went beyond its job's own reservation */
    int64_t renews_s; /* start of the next period, 0 = never */
};

/* Grant. A second call for the same scope, name and resource changes amount and period and keeps
 * what was charged (a changed period starts from zero). Charges count from the first grant, or the
 * change of period, on: a record that ended before is not charged. A name that is empty or
 * LEDGER_NAME_MAX bytes or longer is EINVAL. */
int budget_set(ledger_t *l, enum budget_scope scope, const char *name,
               enum budget_resource resource, enum budget_period period, uint64_t granted,
               int64_t now_s, struct err *e);
/* 1 removed, 0 there was none, -1 error. What was charged stays in the table budget_history. */
int budget_remove(ledger_t *l, enum budget_scope scope, const char *name,
                  enum budget_resource resource, struct err *e);
/* All budgets as they stand at now_s, ordered by scope, name, resource; a new array, caller frees.
 * reserved is the sum over rows not settled of what they reserved beyond what they were charged.
 * For an account, rows with watts are Slurm's to hold back: they count from their start, and after
 * their end with the part of their limit that they ran. */
int budget_list(ledger_t *l, int64_t now_s, struct budget **out, size_t *n, struct err *e);

/* ---- accounts above accounts ---- */

#define LEDGER_TREE_DEPTH 32 /* levels that are climbed; a cycle ends there */

struct ledger_edge {
    char child[LEDGER_NAME_MAX], parent[LEDGER_NAME_MAX];
};

/* The account tree, whole, one edge a child; sorts edges. What an account's jobs use is charged to
 * the budgets of the accounts above it too, and reserved there, from now on. n 0: no tree, each
 * account by itself. Writes only what differs from before. */
int ledger_tree_set(ledger_t *l, struct ledger_edge *edges, size_t n, struct err *e);
/* The account above, or NULL. O(log n), no disk. */
const char *ledger_tree_parent(const ledger_t *l, const char *account);
/* Is a job of this account and user charged to b? 1 or 0. No disk. */
int budget_counts(const ledger_t *l, const struct budget *b, const char *account, const char *user);

/* ---- jobs ---- */

/* A run of a job: one row a start. A requeue makes a new row (restart counts up). */
struct job_key {
    uint32_t job_id;  /* Slurm's own id, unique also for each started array task */
    uint32_t restart; /* Slurm's restart count */
    int64_t submit_s; /* tells a reused id from the old one */
};

enum ledger_quality {
    QUALITY_NONE = 0,
    QUALITY_MEASURED,
    QUALITY_SPLIT,
    QUALITY_MODELLED,
    QUALITY_STALE
};
const char *
ledger_quality_name(enum ledger_quality q); /* "none", "measured", "split", "modelled", "stale" */
int ledger_quality_parse(const char *text);

#define LEDGER_GPUS_UNKNOWN UINT32_MAX /* of a ledger that did not have them yet */
struct ledger_job {
    struct job_key key;
    uint32_t array_job_id; /* 0 = no array */
    int64_t array_task;    /* -1 = none, or a pending array's remaining tasks */
    uint64_t decision;     /* 64-bit decision id, 0 = Carnot did not decide */
    uint32_t uid;
    char user[LEDGER_NAME_MAX];
    char account[LEDGER_NAME_MAX]; /* "" = none */
    char partition[LEDGER_NAME_MAX];
    char name[LEDGER_NAME_MAX];
    char run[LEDGER_NAME_MAX];  /* carbon-run, wckey or job name */
    char state[24];             /* Slurm's word: PENDING, RUNNING, COMPLETED, ... */
    char nodelist[256];         /* Slurm's hostlist expression, "" before the start */
    uint32_t nodes, cpus, gpus; /* of one task; gpus may be LEDGER_GPUS_UNKNOWN */
    uint32_t tasks;             /* of the array still in this row, 1 otherwise */
    int64_t limit_s;
    int64_t start_s, end_s;            /* 0 = not yet */
    int64_t planned_s, latest_s;       /* waits until, at the latest; 0 = Carnot set no wait */
    int64_t begin_set_s;               /* the begin time that Carnot set last; 0 = none */
    int released;                      /* the user or an operator changed it: hands off */
    int64_t delay_s;                   /* served because of Carnot, in the end */
    int64_t allowance_s;               /* how long it may wait once it can run; 0 = not at all */
    int64_t spent_s;                   /* of that, by the jobs that it depends on */
    int64_t bonus;                     /* priority given back for the wait; 0 = not yet */
    uint64_t reserved_uj, reserved_ug; /* all tasks of this row; while live */
    uint64_t limit_uj, limit_ug; /* the job's own --energy-budget, --carbon-budget; 0 = none */
    int action;                  /* its own budget: 0 warn, 1 term, 2 default */
    int enforce_step;            /* enum enforce_step */
    int64_t enforce_s;           /* when that step was taken */
    uint64_t estimate_uj;        /* priced at submission, this row */
    uint64_t estimate_ug, estimate_now_ug; /* at the chosen start, and at once */
    uint64_t energy_uj, carbon_ug;         /* consumed so far */
    uint64_t asap_ug;               /* the same energy had it started at once; 0 = not known yet */
    uint64_t modelled_uj, split_uj; /* parts of energy_uj of that quality */
    enum ledger_quality quality;    /* the worst that contributed much: see formats.md */
    char coverage[48];              /* "cpu,dram" */
    int64_t measured_until_s;       /* end of the last record that counted */
    int policy;                     /* enum placement_policy of its wait; 0 = it has none */
    int requeue;                    /* 1: Carnot may pause it by requeueing it (--carbon-requeue) */
    uint32_t pauses;                /* how often Carnot has, before this run */
    int64_t ran_s;                  /* how long its runs before this one have run */
    int64_t paused_s;               /* what Carnot made them wait */
    int64_t done_by_s;              /* is to be done by then; 0 = no such bound */
    int64_t resume_s; /* this run is to be ended now, or was, to go on then; 0 = it is not */
    uint32_t watts;   /* that Slurm's own limit counts for each task of it; 0 = it does not */
    int live;         /* 1 in Slurm's list and not ended; 0 ended */
    int settled;      /* 1 once the reservation is released and nothing is awaited */
};

/* Insert or update a row by its key with what Slurm's list says now. Of an existing row the
 * consumption columns (energy_uj, carbon_ug, modelled_uj, split_uj, quality, coverage,
 * measured_until_s, asap_ug) and enforce_* are kept, and what is settled stays settled and not
 * live until ledger_job_reopen. Text that is longer than its field is cut by the caller. */
int ledger_job_put(ledger_t *l, const struct ledger_job *job, struct err *e);

/* 1 found, 0 not, -1 error. The newest row that matches where key.restart is (uint32_t)-1 or
 * key.submit_s is 0 (each stands for any). */
int ledger_job_get(ledger_t *l, struct job_key key, struct ledger_job *out, struct err *e);
/* The newest row of this job and restart count that this decision made (0: none did), whatever its
 * submit time. 1 found, 0 not, -1 error. */
int ledger_job_decided(ledger_t *l, uint32_t job_id, uint32_t restart, uint64_t decision,
                       struct ledger_job *out, struct err *e);

struct ledger_query {
    const char *user;    /* NULL = all */
    const char *account; /* NULL = all */
    uint32_t job_id;     /* 0 = all; matches job_id or array_job_id */
    int live_only;       /* 1: rows not settled */
    int64_t since_s;     /* rows that ended after this or have not ended; 0 = all */
    size_t limit;        /* newest first; 0 = 10 000 */
    size_t offset;       /* so many of the newest are left out: for lists in pieces */
};
/* A new array, newest submission first; caller frees *out. */
int ledger_job_list(ledger_t *l, const struct ledger_query *q, struct ledger_job **out, size_t *n,
                    struct err *e);

/* Where a walk over what has ended stands; INT64_MIN before all that ended in that second. */
struct ledger_walk {
    int64_t end_s, submit_s, id;
};
/* The next rows behind *at that ended before until_s, in order of their end, at most limit: a new
 * array, caller frees; *at is moved behind them. However long the ledger, a call reads limit rows.
 * A row that ends or settles while a walk goes on may be missed. */
int ledger_job_ended(ledger_t *l, struct ledger_walk *at, int64_t until_s, size_t limit,
                     struct ledger_job **out, size_t *n, struct err *e);

/* A run that has ended, as far as what comes next is guessed from it. */
struct ledger_past {
    uint32_t uid, cpus, gpus;
    int64_t start_s, end_s, measured_until_s;
    uint64_t energy_uj;
    enum ledger_quality quality;
    char name[LEDGER_NAME_MAX], state[24], coverage[48];
};
/* Of the last `limit` runs that ended those that are settled, in order of their end: a new array,
 * caller frees. However long the ledger, a call reads limit rows. */
int ledger_past_list(ledger_t *l, size_t limit, struct ledger_past **out, size_t *n, struct err *e);

/* The run has ended (state, end_s); the reservation stands until ledger_job_settle. */
int ledger_job_end(ledger_t *l, struct job_key key, const char *state, int64_t end_s,
                   struct err *e);
/* The run has not ended after all: slurmctld was killed before it had written that down, and will
 * run it once more. Live, not settled, no end; the energy stays, and nothing beyond it is reserved.
 * 0, -1 (ENOENT: no such row). */
int ledger_job_reopen(ledger_t *l, struct job_key key, struct err *e);
/* Release what is left of the reservation; 1 done now, 0 was settled before (nothing changed), -1
 * error. asap_ug: what the measured energy would have emitted at once. */
int ledger_job_settle(ledger_t *l, struct job_key key, int64_t delay_s, uint64_t asap_ug,
                      struct err *e);
/* Note an enforcement step (see struct), so that a restart does not repeat it. */
int ledger_job_enforced(ledger_t *l, struct job_key key, int step, int64_t now_s, struct err *e);
/* released 0: the begin time that Carnot has just set (begin_set_s and planned_s; 0 gives the wait
 * up). Otherwise the job is out of its hands, and begin_s is not looked at. */
int ledger_job_planned(ledger_t *l, struct job_key key, int64_t begin_s, int released,
                       struct err *e);

/* ---- runs: jobs that share one allowance ---- */

struct ledger_run {
    uint32_t uid;
    char name[LEDGER_NAME_MAX];
    int64_t waited_s; /* for the grid, together: times in which several waited count once */
    int64_t until_s;  /* end of the last such time */
};

/* A job of the run has waited from from_s to to_s: what lies behind until_s is added. A run in
 * which nobody has waited for rest_s before from_s begins anew. 0 or -1. */
int ledger_run_waited(ledger_t *l, uint32_t uid, const char *name, int64_t from_s, int64_t to_s,
                      int64_t rest_s, struct err *e);

/* Runs in which somebody has waited since since_s, ordered by uid and name; new array, caller
 * frees.
 */
int ledger_run_list(ledger_t *l, int64_t since_s, struct ledger_run **out, size_t *n,
                    struct err *e);

/* ---- records from the nodes ---- */

/* Last record of a node that was counted; 0 = none yet. */
int ledger_node_seq(ledger_t *l, const char *node, uint64_t *seq, struct err *e);

/* One job's part of one node's record. */
struct ledger_share {
    struct job_key key;
    uint64_t energy_uj;
    uint64_t carbon_ug;
    enum ledger_quality quality;
    const char *coverage;
};

struct ledger_record {
    const char *node;
    uint64_t seq; /* counts up by one a record, for ever, on that node */
    int64_t start_s, end_s;
    uint64_t node_uj, idle_uj, system_uj; /* node = jobs + idle + system */
    const struct ledger_share *shares;
    size_t n_shares;
};

/* Count one record, exactly once, in one transaction: job rows, charges of every budget of the
 * job's account and user (period of end_s), node totals, and the node's seq. 1 counted, 0 seq was
 * counted before (nothing changed), -1 error and nothing changed: ENOENT when a share names a job
 * without a row (make the row, try again). A gap in seq is no error: the node lost its log.
 * Whether the record is plausible (its balance, its time against the clock: a record from the
 * future opens a new period) is for the caller to check.
 *
 * over grows by what a job's cumulated use exceeds its own reservation. A job's quality is
 * modelled when more than 5 % of its energy is (stale and none count as modelled), else split when
 * more than 5 % is, else measured; its coverage has each word that any share had. */
int ledger_record_add(ledger_t *l, const struct ledger_record *r, struct err *e);

struct ledger_node {
    char node[LEDGER_NAME_MAX];
    uint64_t seq;
    int64_t last_s;                                /* end of its last record */
    uint64_t node_uj, jobs_uj, idle_uj, system_uj; /* totals since its first record */
};
int ledger_node_list(ledger_t *l, struct ledger_node **out, size_t *n, struct err *e);

/* ---- intensity that was, for accounting late records ---- */

/* Remember samples (time, g/kWh) of a zone; an existing time is replaced. */
struct ledger_intensity {
    int64_t t_s;
    double g_per_kwh;
};
int ledger_intensity_put(ledger_t *l, const char *zone, const struct ledger_intensity *v, size_t n,
                         struct err *e);
/* Samples that hold in [from_s, to_s], the one before from_s included; new array, caller frees. */
int ledger_intensity_get(ledger_t *l, const char *zone, int64_t from_s, int64_t to_s,
                         struct ledger_intensity **out, size_t *n, struct err *e);

/* ---- what was forecast, to be held against what came ---- */

/* The mean of the hour from t_s on, as it was forecast ahead_h hours before its end. */
struct ledger_guess {
    int64_t t_s;
    int32_t ahead_h;
    int32_t source; /* enum forecast_quality */
    double g_per_kwh;
    double came_g_per_kwh; /* NAN: not known yet */
};
/* Remember them all or none; of one that is there (hour, hours ahead) only what came is taken over.
 * Those of any zone for hours outside [from_s, to_s] are forgotten. */
int ledger_guess_put(ledger_t *l, const char *zone, const struct ledger_guess *v, size_t n,
                     int64_t from_s, int64_t to_s, struct err *e);
/* A zone's, in order of time; new array, caller frees. */
int ledger_guess_list(ledger_t *l, const char *zone, struct ledger_guess **out, size_t *n,
                      struct err *e);

/* ---- small settings that must survive: switches (carnot on|off) ---- */
int ledger_kv_set(ledger_t *l, const char *key, const char *value,
                  struct err *e); /* value NULL removes */
/* Each setting whose key begins with prefix, in order of key, until cb answers other than 0. */
int ledger_kv_each(ledger_t *l, const char *prefix,
                   int (*cb)(const char *key, const char *value, void *arg), void *arg,
                   struct err *e);

#endif
