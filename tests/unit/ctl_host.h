/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnotctld's memory of jobs against a Slurm of the test's making: lists go in, rows,
 * reservations, charges and orders come out. The clock is the test's, the ledger a file, the feed a
 * CSV. What would talk to Slurm is replaced; orders are kept. For one test program: it stands in
 * for the daemon.
 */
#ifndef CARNOT_TESTS_CTL_HOST_H
#define CARNOT_TESTS_CTL_HOST_H

#include <jansson.h>
#include <netinet/in.h>

#include "carnotctld/ctl.h"
#include "carnotctld/ops.h"
#include "carnotctld/slurm_client.h"
#include "unit.h"

#define NOW 1700000000LL

extern struct slurm_order orders[64]; /* in the order they came; the caller may empty it */
extern int n_orders, n_pokes;
extern unsigned n_waiting; /* what slurm_client_waiting() says */

extern struct ctl c;
extern struct unit_clock clock_now;
extern struct channel_peer reporter; /* who reports: root of n1, unless a case says otherwise */

extern struct slurm_job list[64]; /* Slurm's */
extern char *comments[64];        /* their AdminComments, NULL = none; freed by list_add */
#define COMMENT(j) comments[(j)-list]
extern size_t n_list;
extern uint32_t age_weight; /* of the next list */
extern uint32_t list_cpus;  /* of its nodes; 0: not known, as set_up() leaves it */

/* ---- the feed and the clock ---- */

extern char feed_path[200];
void write_feed(const char *body); /* without the heading */
void dip_at(int from);             /* 400 g/kWh, 100 in [NOW + from, NOW + from + 60) */
void advance(int64_t s);

/* ---- the daemon ---- */

void set_up(void);
void tear_down(void);
void restart(void); /* kill -9 and a new process, as far as memory goes */

/* ---- Slurm's list ---- */

/* A pending job of one CPU, a minute and 600 J, which the plugin told to wait for wait_s; 0: it
 * passed. */
struct slurm_job *list_add(uint32_t id, int wait_s);
void run_job(struct slurm_job *j); /* on n1, from now on */
void end_job(struct slurm_job *j);
void apply(void); /* the list as it stands, handed over as slurm_client does, and a new board */
void plan(void);  /* as carnotctld does, until nothing is left to be planned */

/* ---- budgets and records ---- */

void grant(uint64_t joules); /* to account bio, for a month */
struct budget bio(void);
struct in_addr address(const char *text);
/* A request to report one record of node n1 that ends now, two seconds long, with one job. */
json_t *one_record(long long seq, uint32_t job, uint64_t uj);
/* The answer's acked, or -1: refused. The request is released. */
long long send_report(json_t *request, struct err *e);
/* Both at once; the record is expected to be understood. */
long long report(long long seq, uint32_t job, uint64_t uj);

/* Lines of events.jsonl that hold what. */
int said(const char *what);

#endif
