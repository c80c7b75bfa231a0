/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot.yaml: the one configuration file of the daemons and the command line.
 *
 * One table (settings.c) names every key with its type, unit, bounds, default
 * and help; the parser, `--check-config`, the example file and the man page
 * come from it. Unknown or repeated keys, missing units, wrong types and values
 * out of range are errors "FILE:LINE:COLUMN: what, and what is accepted".
 * Aliases, anchors and tags are refused, nesting is limited.
 */
#ifndef CARNOT_COMMON_SETTINGS_H
#define CARNOT_COMMON_SETTINGS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include "common/err.h"

enum settings_mode { MODE_OBSERVE = 0, MODE_ACT = 1 };

#define SETTINGS_PATH_MAX 256
#define SETTINGS_NAME_MAX 64
#define SETTINGS_NAMES_MAX 64

/* A list of names: [root, alice]. */
struct settings_names {
    char name[SETTINGS_NAMES_MAX][SETTINGS_NAME_MAX];
    int n;
};

struct settings {
    char cluster[SETTINGS_NAME_MAX];      /* "carnot" */
    enum settings_mode mode;              /* observe | act */
    struct settings_names operators;      /* user names; default [root] */
    char state_dir[SETTINGS_PATH_MAX];    /* carnotctld: ledger.sqlite */
    char log_dir[SETTINGS_PATH_MAX];      /* carnotctld: events.jsonl */
    char munge_socket[SETTINGS_PATH_MAX]; /* "" = munge's default */

    struct {
        char host[SETTINGS_NAME_MAX];  /* where nodes and users reach carnotctld; "localhost" */
        int port;                      /* TCP, 1..65535; 6822 */
        char user[SETTINGS_NAME_MAX];  /* carnotctld runs as this user, nobody else's answers count;
                                          "root" */
        char board[SETTINGS_PATH_MAX]; /* the board file */
        int64_t poll_ms;               /* between two loads of Slurm's job list; 500ms..5m; 5s */
        int64_t board_interval_ms;     /* shortest time between two boards; 500ms..1m; 2s */
        int check_origin;              /* true: reports count only from their node's address */
    } controller;

    struct {
        char zone[SETTINGS_NAME_MAX];    /* as in the feed's zone column; required by carnotctld */
        char feed[SETTINGS_NAME_MAX];    /* "csv" */
        char file[SETTINGS_PATH_MAX];    /* of feed csv */
        int replay;                      /* true: map an old trace onto now (same hour of week) */
        int64_t slot_ms;                 /* slot ledger and forecast listing; 5s..1h; 15m */
        int64_t horizon_ms;              /* how far a board looks; 10m..14d; 96h */
        int64_t stale_after_ms;          /* a feed without new samples is stale after; 1m..7d; 3h */
        double yearly_average_g_per_kwh; /* last resort; 0 = none; 0..2000 */
    } carbon;

    struct {
        char policy[SETTINGS_NAME_MAX];  /* asap | balanced | greenest; balanced */
        char lengths[SETTINGS_NAME_MAX]; /* mix | requested; mix */
        double lambda_g_per_h;           /* grams per hour of delay of a job of one CPU; 0.1 g */
        int64_t target_wait_ms;          /* steer lambda to this mean wait; 0 = no; 0..7d; 0 */
        double lambda_exponent;          /* lambda grows with CPUs to this power; 0..2; 1 */
        int64_t stagger_ms;              /* starts with one best time are spread over this; 2 min */
        uint64_t min_gain_ug;            /* wait only if it saves at least this; 50g */
        int64_t default_delay_ms;        /* for jobs that say nothing; 0..14d; 0 */
        int64_t site_delay_ms;           /* what carbon-delay=site means; 0..14d; 4h */
        int64_t max_delay_ms;            /* no job may ask for more; 0..14d; 7d */
        double overbook;                 /* slot ledger: planned CPUs / CPUs; 0.1..10; 1.5 */
        int64_t board_max_age_ms;        /* older boards count as absent; 5s..1h; 60s */
        int64_t off_stagger_ms;          /* waiting jobs are let go over this; 0..24h; 10m */
        int64_t requeue_min_run_ms;      /* runs so long before it is paused; 0..14d; 2h */
        int64_t requeue_cost_ms;         /* a pause costs so much running; 0..24h; 10m */
    } policy;

    struct { /* jobs that are never made to wait */
        struct settings_names users, accounts, partitions, qos;
    } exempt;

    struct {
        int64_t grace_ms;        /* from SIGTERM to cancel; 1s..1h; 30s */
        double user_lease_share; /* one user's unacknowledged part of what is left; 0.01..1; 0.5 */
        int native; /* Slurm's own limits hold accounts' budgets, where slurmdbd runs; false */
    } budget;

    struct {
        uint64_t cpu_idle_mw; /* idle watts a CPU (hardware thread) of Slurm's count; 2W */
        uint64_t cpu_max_mw;  /* its full load; 8W; >= cpu_idle */
        uint64_t gpu_max_mw;  /* pricing of a requested GPU; 400W */
        double pue;           /* 1..5; 1.0: site energy / IT energy, multiplies grams */
    } power;

    struct {
        int64_t interval_ms;                /* sampling; 200ms..60s; 1s */
        int64_t log_interval_ms;            /* a record at least this often; interval..10m; 10s */
        int64_t report_interval_ms;         /* sent to carnotctld; log_interval..10m; 30s */
        char state_dir[SETTINGS_PATH_MAX];  /* may hold %n = node name */
        char log_dir[SETTINGS_PATH_MAX];    /* may hold %n */
        char socket[SETTINGS_PATH_MAX];     /* may hold %n; job start and end from SPANK */
        char cap_socket[SETTINGS_PATH_MAX]; /* of carnot-powercap, may hold %n; "" = no caps */
        struct settings_names sources;      /* kinds in their order of preference; auto */
        char file[SETTINGS_PATH_MAX];       /* a figure of the site's own; "" = none */
        char file_unit[8], file_covers[16];
        char command[SETTINGS_PATH_MAX]; /* the same, what it prints */
        char command_unit[8], command_covers[16];
        int64_t command_interval_ms;                 /* 1s..10m; 10s */
        int64_t ipmi_interval_ms;                    /* 1s..10m; 5s */
        char redfish[128];                           /* https://HOST, may hold %n; "" = none */
        char redfish_path[SETTINGS_PATH_MAX];        /* "" = found by itself */
        char redfish_credentials[SETTINGS_PATH_MAX]; /* "" = none */
        char redfish_ca[SETTINGS_PATH_MAX];          /* "" = the system's */
        int redfish_insecure;                        /* TLS is not verified, or absent; false */
        char redfish_unit[8];
        int64_t redfish_interval_ms; /* 1s..10m; 10s */
        struct settings_names snmp;  /* AGENT/OID, may hold %n; none */
        char snmp_unit[8];
        double snmp_scale;                        /* 0.000001..1000000; 1 */
        char snmp_credentials[SETTINGS_PATH_MAX]; /* "" = none */
        int64_t snmp_interval_ms;                 /* 1s..10m; 10s */
        char metrics[SETTINGS_PATH_MAX];          /* "textfile:DIR", may hold %n; "" = none */
        char metrics_http[SETTINGS_NAME_MAX];     /* "PORT" or "ADDRESS:PORT"; "" = none */
        int metrics_jobs;                         /* true: with series of jobs; false */
        char user[SETTINGS_NAME_MAX];             /* carnotd's; "" = settings_node_user() decides */
        uint64_t log_max_bytes; /* one telemetry file; 64KiB..4GiB; 64MiB ("64MiB") */
        int log_keep;           /* rotated files kept; 1..1000; 8 */
    } node;
};

/* Every default of the table. */
void settings_init(struct settings *s);

/* Parse size bytes of YAML named name (for messages) into *s, which must hold
 * defaults already. On error *s is unchanged and e has name:line:column. 0 or -1.
 * Allocates inside libyaml only. The fuzzer calls this too. */
int settings_parse(struct settings *s, const char *name, const char *text, size_t size,
                   struct err *e);

/* settings_init, read path (at most 1 MiB), settings_parse. 0 or -1. */
int settings_load(struct settings *s, const char *path, struct err *e);

/* path if not NULL, else $CARNOT_CONF, else the compiled-in SYSCONFDIR/carnot/carnot.yaml. */
const char *settings_path(const char *path);

/* The uid behind controller.user. 0, or -1 and e: no such user. Asks NSS: may block. */
int settings_controller_uid(const struct settings *s, uid_t *uid, struct err *e);

/* Who carnotd is once it has started: node.user, else the account "carnot" if there is one of the
 * system's (below uid 1000), else root. A name that was set and is nobody's is an error. 0 or -1.
 * Asks NSS: may block. */
int settings_node_uid(const struct settings *s, uid_t *uid, struct err *e);

/* Replace %n in a path by the node's name. 0, or -1 when it does not fit. */
int settings_expand(char *buf, size_t size, const char *path, const char *node);

/* Put the node's name for %n into node.redfish and node.snmp. 0, or -1 and e when that is too long.
 */
int settings_name_node(struct settings *s, const char *node, struct err *e);

/* The table as a commented example file, or as the body of the man page (roff). */
void settings_print_example(FILE *f);
void settings_print_man(FILE *f);

#endif
