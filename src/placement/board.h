/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The board: everything that a decision needs, as one immutable block of bytes.
 *
 * carnotctld fills a board and writes its encoding to a file (temporary name,
 * fsync, rename); the job_submit plugin, `carnot place` and the planner decode it
 * into memory of their own and read it. The encoding is the sections below, one after another,
 * behind a header with magic, version, sizes and a checksum; byte order and layout are the
 * machine's own (controller and plugin share it), which magic and version detect.
 *
 * board_decode trusts nothing: sizes, counts, offsets, terminators, ranges, order and finiteness
 * are all checked, so that a cut, swapped or forged file is an error and never a crash.
 */
#ifndef CARNOT_PLACEMENT_BOARD_H
#define CARNOT_PLACEMENT_BOARD_H

#include <stddef.h>
#include <stdint.h>
#include "common/err.h"
#include "carbon/series.h"

#define BOARD_NAME_MAX 64
#define BOARD_WATTS "watts" /* the licence that Slurm counts energy by */
#define BOARD_POINTS_MAX 8192
#define BOARD_SLOTS_MAX 4096
#define BOARD_SLOT_MAX_S 86400
#define BOARD_PARTITIONS_MAX 256
#define BOARD_BUDGETS_MAX 65536
#define BOARD_USERS_MAX 65536
#define BOARD_SWITCHES_MAX 1024
#define BOARD_DECISIONS_MAX (1u << 20)
#define BOARD_ACCOUNTS_MAX 65536
#define BOARD_JOBS_MAX (1u << 18)
#define BOARD_RUNS_MAX 16384
#define BOARD_OUTAGES_MAX 1024
#define BOARD_PASTS_MAX 16384
#define BOARD_PAST_RUNS 7 /* mix of ALGORITHMS section 10 */
#define BOARD_SIZE_MAX (128u << 20)

/* Scalars: who published what when, and the site's policy. */
struct board_head {
    int64_t published_ms; /* wall clock */
    int64_t listed_ms;    /* Slurm's job list was complete at this time; 0 = never yet */
    uint64_t seq;         /* counts up */
    char cluster[BOARD_NAME_MAX];
    char zone[BOARD_NAME_MAX];
    char feed[BOARD_NAME_MAX]; /* "csv" */
    int64_t feed_until_s;      /* the feed itself reaches to here */
    int64_t issued_s;          /* when the feed was written */
    int32_t forecast_quality;  /* enum forecast_quality */
    int32_t mode;              /* 0 observe, 1 act: for what no switch names */
    int32_t policy;            /* enum placement_policy, never UNSET */
    uint32_t watts_total;   /* of the licence, where Slurm's own limits hold budgets; 0 = nowhere */
    double lambda_g_per_h;  /* >= 0, grams per hour of delay of a job of one CPU */
    double lambda_exponent; /* 0..2: lambda grows with CPUs to this power */
    double min_gain_g;      /* >= 0 */
    double overbook;        /* > 0 */
    double pue;             /* >= 1 */
    double user_lease_share; /* (0,1] */
    double cpu_max_w;        /* pricing, a CPU of Slurm's count at full load */
    double gpu_max_w;        /* pricing, a GPU */
    int64_t default_delay_s, site_delay_s, max_delay_s;
    int64_t max_age_ms;      /* older than this: the board counts as absent */
    int64_t stagger_s;       /* starts that have one best time are spread over this much of it */
    int64_t slot_s;          /* length of a slot of the ledger, >= 1 */
    int64_t slot_start_s;    /* time of slot 0, a multiple of slot_s */
    int64_t intensity_end_s; /* the last point holds until here */
};

struct board_partition {
    char name[BOARD_NAME_MAX];
    int32_t is_default;
    int32_t exclusive;      /* jobs get whole nodes */
    uint32_t nodes;         /* usable now */
    uint32_t cpus_per_node; /* the largest node */
    uint32_t gpus_per_node;
    uint32_t padding;
    int64_t default_time_s; /* 0 = none: max_time_s */
    int64_t max_time_s;     /* 0 = unlimited */
};

enum board_scope { BOARD_CLUSTER = 0, BOARD_PARTITION, BOARD_ACCOUNT, BOARD_USER, BOARD_QOS };

/* Sorted by scope, then name (accounts) or uid (users), then resource. */
struct board_budget {
    int32_t scope;    /* BOARD_ACCOUNT or BOARD_USER */
    int32_t resource; /* 0 energy (uJ), 1 carbon (ug) */
    uint32_t uid;     /* BOARD_USER */
    uint32_t native;  /* 1: Slurm's own limit holds its jobs back, on this account or one above */
    char name[BOARD_NAME_MAX];
    int64_t granted;  /* >= 0 */
    int64_t left;     /* granted - charged - reserved; may be negative */
    int64_t renews_s; /* 0 = never */
};

/* What Slurm leaves empty at submission: names by uid, since the plugin may not ask NSS. Sorted by
 * uid. */
struct board_user {
    uint32_t uid;
    uint32_t padding;
    char name[BOARD_NAME_MAX];
    char default_account[BOARD_NAME_MAX]; /* "" = none */
};

enum board_mode { BOARD_OBSERVE = 0, BOARD_ACT, BOARD_EXEMPT };

/* `carnot on|off`; the narrowest that matches wins: user, account, partition, cluster. And the
 * site's exempt list, of which any that matches counts. */
struct board_switch {
    int32_t scope; /* enum board_scope; CLUSTER never with EXEMPT, QOS only with it */
    int32_t mode;  /* enum board_mode */
    uint32_t uid;  /* BOARD_USER */
    uint32_t padding;
    char name[BOARD_NAME_MAX];
};

/* Names that jobs below point to by their place here. */
struct board_account {
    char name[BOARD_NAME_MAX];
};

enum { BOARD_JOB_EXCLUSIVE = 1 };

/* A job as Slurm's list showed it last: what a change of it is compared with. Sorted by the job or
 * array that it belongs to, then by job_id: the records of an array are neighbours. */
struct board_job {
    uint32_t job_id;
    uint32_t array_job_id; /* 0 = no array */
    uint32_t uid;
    uint32_t nodes, cpus, gpus; /* of one task */
    uint32_t tasks;             /* of an array that are in this record, else 1 */
    uint32_t flags;             /* BOARD_JOB_* */
    uint32_t cpus_per_task;     /* 0 = not known */
    uint32_t padding;
    int32_t partition; /* in partitions; -1 = a list, or one that is not there */
    int32_t account;   /* in accounts; -1 = none */
    int64_t limit_s;   /* 0 = unlimited */
};

/* What the jobs that a user calls one run (--carbon-run) have waited for the grid, together: they
 * share one allowance. Sorted by uid, then name. */
struct board_run {
    uint32_t uid;
    uint32_t padding;
    char name[BOARD_NAME_MAX];
    int64_t waited_s;        /* >= 0: times in which several waited count once */
    int64_t waiting_since_s; /* some job of it waits since then, not counted above; 0 = none */
};

/* How a user's jobs ran of late: those of one name, or all of them (name 0). Sorted by uid, then
 * name. */
struct board_past {
    uint32_t uid;
    uint32_t n_runs;                 /* 1 to BOARD_PAST_RUNS */
    uint64_t name;                   /* board_name_hash(); 0 = whatever the name */
    uint32_t run_s[BOARD_PAST_RUNS]; /* > 0, the last run first; 0 behind n_runs */
    uint32_t padding;
    double cpu_w; /* measured, for each CPU of runs without GPUs; 0 = not known */
    double gpu_w; /* measured, for each GPU and the CPUs that go with it; 0 = not known */
};

/* A maintenance reservation: nobody is made to wait across it. */
struct board_outage {
    int64_t start_s, end_s;
    int32_t partition; /* -1 = all */
    uint32_t padding;
};

/* A decoded board: sections point into one private buffer. Immutable once built. */
struct board {
    struct board_head head;
    const struct series_point
        *points; /* intensity, strictly increasing, n_points >= 1 unless no forecast */
    const struct board_partition *partitions;
    const struct board_budget *budgets;
    const struct board_user *users;
    const struct board_switch *switches;
    const struct board_account *accounts;
    const struct board_job *jobs;
    const struct board_run *runs;
    const struct board_past *pasts;
    const struct board_outage *outages;
    const uint64_t *decisions; /* ids that Slurm's list has shown, strictly increasing */
    const uint32_t
        *planned; /* [n_partitions][n_slots]: CPUs that waiting and running jobs will hold */
    uint32_t n_points, n_partitions, n_budgets, n_users, n_switches, n_decisions, n_slots;
    uint32_t n_accounts, n_jobs, n_runs, n_outages, n_pasts;
    void *buffer; /* what board_free frees; NULL for a board that borrows its sections */
};

/* Bytes of b's encoding in a new buffer; the caller frees. 0 or -1 (a section too large). */
int board_encode(const struct board *b, void **data, size_t *size, struct err *e);

/* Check size bytes and copy them into a board of its own. 0, or -1 and *out untouched. */
int board_decode(struct board *out, const void *data, size_t size, struct err *e);

/* path_read + board_decode. Blocks on the disk. */
int board_load(struct board *out, const char *path, struct err *e);

void board_free(struct board *b); /* legal on a zeroed board */

struct series board_series(const struct board *b);

/* What `-p` names, one after the other: start with *i = 0, until NULL. "" or NULL is the default
 * partition, "a,b" those of the list that the board knows. */
const struct board_partition *board_partition_each(const struct board *b, const char *names,
                                                   uint32_t *i);
/* The first of them; NULL when there is none. */
const struct board_partition *board_partition_find(const struct board *b, const char *names);
const struct board_user *board_user_find(const struct board *b, uint32_t uid);
/* The budgets of one account (by name) or user (by uid): the first of *n neighbours, at most one a
 * resource; NULL and 0 when there is none. O(log n) */
const struct board_budget *board_budget_find(const struct board *b, int scope, const char *name,
                                             uint32_t uid, uint32_t *n);
/* The order of the budgets above: <0, 0, >0. Resources do not count. */
int board_budget_compare(const struct board_budget *a, int scope, const char *name, uint32_t uid);
/* The records of a job (one) or of an array, by its id: the first of *n neighbours; NULL and 0 when
 * the list did not show it. O(log n) */
const struct board_job *board_job_find(const struct board *b, uint32_t id, uint32_t *n);
/* The order of jobs: <0, 0, >0. */
int board_job_compare(const struct board_job *a, const struct board_job *b);
/* Its account's name, "" for none. */
const char *board_job_account(const struct board *b, const struct board_job *job);
/* The run of that user; NULL when none of its jobs has waited. O(log n) */
const struct board_run *board_run_find(const struct board *b, uint32_t uid, const char *name);
/* The order of runs: <0, 0, >0. */
int board_run_compare(const struct board_run *r, uint32_t uid, const char *name);
/* What the jobs of r have waited by now_s, together. */
int64_t board_run_waited(const struct board_run *r, int64_t now_s);
/* What a job's name is called in pasts: 64-bit FNV-1a of its bytes as text_copy() leaves them in
 * BOARD_NAME_MAX, 0 for "" or NULL alone. Two names of one hash share a guess, and no more. */
uint64_t board_name_hash(const char *name);
/* The past of the user's jobs of that name, else of all his jobs, else NULL. O(log n) */
const struct board_past *board_past_find(const struct board *b, uint32_t uid, const char *name);
/* The order of pasts: <0, 0, >0. */
int board_past_compare(const struct board_past *p, uint32_t uid, uint64_t name);
/* Was this decision id seen in Slurm's list? O(log n) */
int board_decision_seen(const struct board *b, uint64_t id);
/* observe or act for this job; each argument may be NULL / UINT32_MAX. Which partition of a list
 * "a,b" it will run in is Slurm's to say: it acts if it does in all of them. */
int board_mode(const struct board *b, const char *partitions, const char *account, uint32_t uid);
/* Does the site's exempt list name it, or one of its partitions? 1 or 0; each argument may be
 * NULL / UINT32_MAX. */
int board_exempt(const struct board *b, const char *partitions, const char *account,
                 const char *qos, uint32_t uid);

#endif
