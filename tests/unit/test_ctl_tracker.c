/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs in Slurm's lists, their rows, reservations, charges and settlements.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/named_job.h"
#include "carnotctld/bonus.h"
#include "carnotctld/enforcer.h"
#include "carnotctld/feed_watch.h"
#include "carnotctld/planner.h"
#include "carnotctld/publisher.h"
#include "carnotctld/runs.h"
#include "carnotctld/tracker.h"
#include "common/when.h"
#include "ctl_host.h"

/* Until a list has all that the plugin promised before it knew of a claim. */
static void settle_claims(void)
{
    advance(5);
    apply();
}

static void test_life(void)
{
    set_up();
    grant(10000);
    struct slurm_job *j = list_add(7, 70);
    apply();
    struct ledger_job *row = runs_at(&c, 7, NOW);
    UNIT_INT(row->planned_s, NOW + 70, "waits");
    UNIT_INT(row->latest_s, NOW + 300, "until at most");
    UNIT_INT(bio().reserved, 600000000, "reserved");
    UNIT_INT(c.board.n_decisions, 1, "acknowledged");
    UNIT_INT(c.board.budgets[0].left, 9400000000LL, "left on the board");
    UNIT_INT(c.board.planned[(70 + NOW % 5) / 5], 1, "its slot is taken");
    apply();
    UNIT_INT(bio().reserved, 600000000, "seen again: reserved once");

    advance(71);
    run_job(j);
    apply();
    advance(2);
    UNIT_INT(report(1, 7, 20000000), 1, "counted");
    UNIT_INT(bio().charged, 20000000, "charged");
    UNIT_INT(bio().reserved, 580000000, "the rest is still reserved");
    UNIT_INT(report(1, 7, 20000000), 1, "sent again");
    UNIT_INT(bio().charged, 20000000, "counted once");
    row = runs_at(&c, 7, NOW);
    UNIT_DBL(row->carbon_ug, 20.0 / 3.6e6 * 100 * 1e6, 1, "at the intensity of its interval");

    advance(10);
    end_job(j);
    apply();
    UNIT_INT(bio().reserved, 580000000, "until its last records should be in");
    UNIT_INT(report(2, 7, 5000000), 2, "a last one");
    apply();
    UNIT_INT(bio().reserved, 575000000, "it may not cover the whole last second");
    advance(2);
    UNIT_INT(report(3, 8, 0), 2, "of another job, unknown");
    advance(100);
    apply();
    UNIT_INT(bio().reserved, 575000000, "a node that has reported before is waited for");
    restart();
    apply();
    UNIT_INT(bio().reserved, 575000000, "over a kill as well");
    advance(200);
    apply();
    UNIT_INT(bio().reserved, 0, "settled");
    UNIT_INT(bio().charged, 25000000, "what it used stays charged");
    UNIT_OK(runs_at(&c, 7, NOW) == NULL, "nothing is awaited any more");
    apply();
    UNIT_INT(bio().reserved, 0, "Slurm shows it for minutes: it does not come back");
    UNIT_INT(report(4, 7, 1000000), 4, "a late record");
    UNIT_INT(bio().charged, 26000000, "still counts");
    struct ledger_job settled;
    struct job_key key = {7, 0, NOW};
    UNIT_INT(ledger_job_get(c.ledger, key, &settled, NULL), 1, "in the ledger");
    UNIT_INT(settled.delay_s, 70, "what it waited because of us");
    UNIT_DBL(settled.asap_ug, 25.0 / 3.6e6 * 400 * 1e6, 30, "what it would have emitted at once");
    tear_down();
}

static void test_gone(void)
{
    set_up();
    grant(10000);
    list_add(7, 70);
    apply();
    n_list = 0;
    advance(5);
    apply();
    UNIT_OK(runs_at(&c, 7, NOW) == NULL, "missing from a complete list: ended");
    UNIT_INT(bio().reserved, 0, "and released: it never started");
    struct slurm_job *j = list_add(8, 70);
    j->submit_s = clock_now.wall_ms / 1000;
    apply();
    n_list = 0;
    apply(); /* asked for in the second of the submission: says nothing of it */
    UNIT_INT(runs_at(&c, 8, NOW)->live, 1, "not ended by a list as old as itself");
    tear_down();
}

/* slurmctld was killed before it had written a job down that its node runs already. */
static void test_lost(void)
{
    set_up();
    grant(10000);
    run_job(list_add(7, 0));
    apply();
    n_list = 0;
    for (int i = 1; i <= 4; i++) {
        advance(2);
        UNIT_INT(report(i, 7, 1000000), i, "its node goes on to name it");
        apply();
        UNIT_INT(bio().charged + bio().reserved, 600000000, "so what it reserved stays so");
    }
    run_job(list_add(9, 0));
    snprintf(list[0].account, sizeof(list[0].account), "other");
    apply();
    advance(3);
    report(5, 9, 1000000);
    apply();
    UNIT_INT(bio().charged, 4000000, "a record that does not name it");
    UNIT_INT(bio().reserved, 0, "ends it");
    tear_down();
}

/* No record has named the lost job yet: its node may be about to launch it. */
static void test_lost_before_launch(void)
{
    set_up();
    grant(10000);
    run_job(list_add(7, 0));
    apply();
    n_list = 0;
    advance(10);
    report(1, 9, 0);
    apply();
    UNIT_INT(bio().reserved, 600000000, "a record that does not name it says little");
    advance(2);
    UNIT_INT(report(2, 7, 1000000), 2, "for it does begin");
    UNIT_INT(bio().charged + bio().reserved, 600000000, "and is charged within its reservation");
    advance(TRACKER_LEFTOVER_S);
    apply();
    UNIT_INT(bio().reserved, 0, "which ends with the time for leftovers");
    tear_down();
}

/* The number of a lost job that its node goes on to name is given to another one, on another node:
 * each node's records are those of its own job, and the lost one's reservation stands meanwhile. */
static void test_lost_number(void)
{
    struct ledger_job row;
    struct job_key lost = {7, 0, NOW};
    set_up();
    grant(10000);
    struct slurm_job *j = list_add(7, 0);
    run_job(j);
    apply();
    advance(2);
    report(1, 7, 1000000);
    j->submit_s = NOW + 2;
    comments[0][strlen("carnot:v=1,id=")] ^= 1; /* the plugin judged that one anew */
    run_job(j);
    snprintf(j->nodelist, sizeof(j->nodelist), "n2");
    apply();
    UNIT_INT(c.n_jobs, 2, "the lost one, and the new one");
    for (int i = 2; i < 6; i++) {
        advance(2);
        UNIT_INT(report(i, 7, 1000000), i, "its node goes on to name it");
        apply();
        UNIT_INT(bio().charged + bio().reserved, 1200000000, "within its reservation");
    }
    UNIT_INT(ledger_job_get(c.ledger, lost, &row, NULL), 1, "the lost one");
    UNIT_INT(row.energy_uj, 5000000, "has what its node says");
    j->phase = PHASE_PENDING; /* the new one is taken back */
    j->start_s = 0;
    j->nodelist[0] = '\0';
    advance(2);
    apply();
    UNIT_INT(report(6, 7, 1000000), 6, "its node goes on still");
    UNIT_INT(bio().charged + bio().reserved, 1200000000, "within the reservation, too");
    tear_down();
}

/* slurmctld was killed after a job had ended and before it had written that down: it runs the job
 * once more, under the same number, restart count and submit time. */
static void test_forgotten_end(void)
{
    struct ledger_job row;
    struct job_key key = {7, 0, NOW};
    set_up();
    grant(10000);
    struct slurm_job *j = list_add(7, 0);
    run_job(j);
    apply();
    advance(2);
    end_job(j);
    apply();
    advance(2);
    UNIT_INT(report(1, 7, 3000000), 1, "it has used something");
    apply();
    UNIT_INT(bio().reserved, 597000000, "and slurmctld may forget yet that it has ended");
    advance(8);
    apply();
    UNIT_INT(bio().reserved, 0, "and is settled");
    j->phase = PHASE_PENDING;
    j->start_s = j->end_s = 0;
    j->nodelist[0] = '\0';
    snprintf(j->state, sizeof(j->state), "PENDING");
    apply();
    settle_claims();
    UNIT_INT(c.n_jobs, 1, "it is to run again");
    UNIT_INT(c.jobs[0].live && !c.jobs[0].settled && c.jobs[0].end_s == 0, 1, "so it is live");
    UNIT_INT(bio().charged, 3000000, "what it used stays charged");
    UNIT_INT(bio().reserved, 600000000, "and the second run has its reservation");
    clock_now.wall_ms -= 6000;
    UNIT_INT(report(2, 7, 500000), 2, "a late record of the first run");
    clock_now.wall_ms += 6000;
    UNIT_INT(bio().charged, 3500000, "is charged to it");
    run_job(j);
    apply();
    advance(2);
    UNIT_INT(report(3, 7, 4000000), 3, "the second run");
    UNIT_INT(bio().charged + bio().reserved, 603000000, "comes out of the reservation");
    end_job(j);
    apply();
    /* forgotten once more, before it was settled */
    j->phase = PHASE_RUNNING;
    j->end_s = 0;
    snprintf(j->state, sizeof(j->state), "RUNNING");
    advance(1);
    apply();
    UNIT_INT(c.jobs[0].live, 1, "taken for running: live");
    UNIT_INT(bio().charged + bio().reserved, 603000000, "its reservation stands");
    advance(2);
    end_job(j);
    apply();
    advance(11);
    report(4, 7, 0);
    apply();
    UNIT_INT(bio().reserved, 0, "settled");
    UNIT_INT(ledger_job_get(c.ledger, key, &row, NULL), 1, "one row");
    UNIT_INT(row.energy_uj, 7500000, "with all of it");
    UNIT_STR(row.state, "COMPLETED", "in its last state");
    /* Listed as pending it has no nodes; those of the ended run are known still. */
    UNIT_STR(row.nodelist, "n1", "and its node");
    tear_down();
}

/* The same with a job that it had queued again. What the node measured in a start that was taken
 * back is that run's. */
static void test_forgotten_requeue(void)
{
    set_up();
    grant(650);
    struct slurm_job *j = list_add(7, 0);
    run_job(j);
    apply();
    advance(3);
    j->phase = PHASE_PENDING;
    j->start_s = 0;
    j->nodelist[0] = '\0';
    apply();
    j->restart = 1;
    j->submit_s = clock_now.wall_ms / 1000;
    apply();
    UNIT_INT(report(1, 7, 3000000), 1, "of the start that was taken back");
    UNIT_INT(runs_from(&c, 7), 0, "both runs");
    UNIT_INT(c.jobs[0].energy_uj, 3000000, "the first one's");
    run_job(j);
    apply();
    UNIT_INT(bio().charged + bio().reserved, 603000000, "one reservation");
    UNIT_INT(c.jobs[1].reserved_uj, 600000000, "with the second run");

    j->restart = 0;
    j->submit_s = NOW;
    apply();
    UNIT_INT(c.jobs[0].live && !c.jobs[1].live, 1, "back at the first run");
    UNIT_INT(c.jobs[0].reserved_uj, 603000000, "which has all of it");
    UNIT_INT(bio().charged + bio().reserved, 603000000, "one reservation still");
    tear_down();
}

/* A run may be over between two lists: none shows that it ran. Its node does, and it is charged to
 * the job's account, out of the job's reservation. */
static void test_unseen_run(void)
{
    set_up();
    grant(650);
    struct slurm_job *seen = list_add(7, 0);
    apply();
    advance(3);
    seen->restart = 1;
    seen->submit_s = clock_now.wall_ms / 1000;
    apply();
    UNIT_INT(report(1, 7, 3000000), 1, "of the run that was pending in the last list");
    UNIT_INT(bio().charged, 3000000, "its account's");
    UNIT_INT(bio().charged + bio().reserved, 600000000, "out of its reservation");
    UNIT_INT(c.n_jobs, 2, "two runs");
    UNIT_INT(c.jobs[0].energy_uj, 3000000, "the first one's");
    UNIT_INT(c.jobs[0].start_s, NOW + 1, "which began when the record says");
    struct ledger_job row;
    UNIT_INT(ledger_job_get(c.ledger, c.jobs[0].key, &row, NULL), 1, "it is in the ledger");
    UNIT_INT(row.start_s * 10 + row.live, (NOW + 1) * 10, "too");
    tear_down();
}

/* The same of one that no list shows at all. */
static void test_unlisted_run(void)
{
    set_up();
    grant(650);
    struct slurm_job *unseen = list_add(8, 0);
    advance(3);
    unseen->restart = 1;
    unseen->submit_s = clock_now.wall_ms / 1000;
    apply();
    struct err e = {.text = ""};
    json_t *record = one_record(1, 8, 3000000);
    UNIT_INT(send_report(json_incref(record), &e), 0, "not before a list is sure not to show it");
    advance(10);
    apply();
    UNIT_INT(send_report(record, &e), 1, "of the run that no list has shown");
    UNIT_INT(bio().charged, 3000000, "its account's");
    UNIT_INT(bio().charged + bio().reserved, 600000000, "out of its reservation");
    UNIT_INT(c.n_jobs, 2, "two runs");
    UNIT_INT(c.jobs[0].key.restart, 0, "in order");
    UNIT_STR(c.jobs[0].state, "REQUEUED", "as it was");
    tear_down();
}

static void test_requeue(void)
{
    set_up();
    grant(10000);
    struct slurm_job *j = list_add(7, 70);
    apply();
    advance(71);
    run_job(j);
    apply();
    advance(2);
    report(1, 7, 1000000);
    j->phase = PHASE_PENDING;
    j->restart = 1;
    j->submit_s = clock_now.wall_ms / 1000;
    j->eligible_s = j->submit_s + 121;
    j->start_s = 0;
    apply();
    struct ledger_job old;
    struct job_key key = {7, 0, NOW};
    UNIT_INT(ledger_job_get(c.ledger, key, &old, NULL), 1, "the first run");
    UNIT_STR(old.state, "REQUEUED", "has ended");
    UNIT_INT(old.energy_uj, 1000000, "with its energy");
    UNIT_INT(runs_newest(&c, 7)->key.restart, 1, "the second waits");
    UNIT_INT(runs_newest(&c, 7)->planned_s, 0, "not for us");
    tear_down();
}

/* A requeue asks nobody: the second run has what the first has left over, and waits for an operator
 * where that and the rest of the budget are not enough. */
static void test_requeue_budget(void)
{
    set_up();
    grant(1202);
    list_add(6, 0);
    struct slurm_job *j = list_add(7, 0);
    list_add(9, 0);
    n_list--;
    run_job(j);
    apply();
    UNIT_INT(bio().reserved, 1200000000, "two jobs");
    advance(2);
    report(1, 7, 1000000);
    n_list++;
    free(comments[2]);
    comments[2] = NULL;
    j->phase = PHASE_PENDING;
    j->submit_s = clock_now.wall_ms / 1000;
    j->restart = 1;
    apply();
    UNIT_INT(bio().charged + bio().reserved, 1200000000, "nothing new is reserved at once");
    UNIT_INT(n_orders, 1, "the job past the plugin has to wait");
    list[2].held = 1;
    settle_claims();
    UNIT_INT(bio().charged + bio().reserved, 1201000000, "reserved once");
    UNIT_INT(runs_newest(&c, 7)->enforce_step, ENFORCE_NONE, "the second run has not");
    clock_now.wall_ms -= 6000; /* a record of the time before the requeue comes late */
    UNIT_INT(report(2, 7, 500000), 2, "the first run went on for a moment");
    clock_now.wall_ms += 6000;
    UNIT_INT(bio().charged, 1500000, "that is charged");
    UNIT_INT(bio().charged + bio().reserved, 1201000000, "and comes out of the job's reservation");
    run_job(j);
    apply();
    advance(2);
    report(3, 7, 2000000);
    j->phase = PHASE_PENDING;
    j->submit_s = clock_now.wall_ms / 1000;
    j->restart = 2;
    apply();
    UNIT_INT(runs_newest(&c, 7)->enforce_step, ENFORCE_HELD, "the third has");
    UNIT_INT(bio().charged + bio().reserved, 1201000000,
             "and its reservation stays the run's before");
    UNIT_INT(bio().over, 0, "nothing was used beyond a reservation");
    struct ledger_job old;
    struct job_key key = {6, 0, NOW};
    list[0].submit_s += 5;                      /* slurmctld lost job 6 and gave its number away */
    comments[0][strlen("carnot:v=1,id=")] ^= 1; /* the plugin judged that one anew */
    apply();
    UNIT_INT(ledger_job_get(c.ledger, key, &old, NULL), 1, "the lost one");
    UNIT_STR(old.state, "GONE", "was not requeued");
    tear_down();
}

/* A component of a heterogeneous job found no nodes: the start of this one is taken back, and it
 * has a new submit time. That is no end. */
static void test_taken_back(void)
{
    set_up();
    grant(10000);
    struct slurm_job *j = list_add(7, 0);
    j->het_job_id = 7;
    apply();
    advance(1);
    run_job(j);
    apply();
    advance(2);
    j->phase = PHASE_PENDING;
    snprintf(j->state, sizeof(j->state), "PENDING");
    j->submit_s = clock_now.wall_ms / 1000;
    apply();
    UNIT_INT(c.n_jobs, 1, "it has one run");
    UNIT_STR(c.jobs[0].state, "PENDING", "which waits again");
    UNIT_INT(c.jobs[0].start_s, 0, "and has not begun");
    UNIT_INT(bio().reserved, 600000000, "reserved once");
    struct err e = {.text = ""};
    json_t *record = one_record(1, 7, 1000000);
    advance(10);
    apply();
    UNIT_INT(send_report(record, &e), 1, "what it drew until then: %s", e.text);
    UNIT_INT(c.jobs[0].energy_uj, 1000000, "is its own");
    UNIT_INT(c.n_jobs, 1, "and nobody else's");
    advance(90);
    run_job(j);
    apply();
    advance(2);
    end_job(j);
    apply();
    advance(1);
    /* A node that names its number at another time leaves a newer row: the run's own is found. */
    const struct named_job other = {
        .job_id = 7, .uid = 1000, .from_ms = (NOW + 50) * 1000, .until_ms = (NOW + 51) * 1000};
    UNIT_OK(named_job_adopt(&c, &other, NULL) != NULL, "of something else");
    UNIT_INT(report(2, 7, 5000000), 2, "it is accounted for");
    advance(10);
    apply();
    UNIT_INT(c.n_jobs, 0, "settled");
    apply();
    UNIT_INT(c.n_jobs, 0, "and known, though Slurm goes on to list it");
    struct ledger_job *rows, row;
    size_t n;
    UNIT_INT(ledger_job_list(c.ledger, &(struct ledger_query){.job_id = 7}, &rows, &n, NULL), 0,
             "list");
    row = rows[n - 1];
    free(rows);
    UNIT_INT(n, 2, "one row, and the other's");
    UNIT_STR(row.state, "COMPLETED", "its state");
    UNIT_INT(row.start_s, NOW + 103, "its start");
    UNIT_INT(row.energy_uj, 6000000, "its energy");
    tear_down();
}

static void end_partly(struct slurm_job *j)
{
    end_job(j);
    j->completing = 1;
    j->nodes = 1;
    snprintf(j->nodelist, sizeof(j->nodelist), "n2");
}

static void end_wholly(struct slurm_job *j)
{
    j->completing = 0;
    j->nodes = 2;
    snprintf(j->nodelist, sizeof(j->nodelist), "n1,n2");
}

/* While epilogs run Slurm shows the nodes that are not through: the others had the job as well. */
static void test_completing(void)
{
    struct ledger_job row;
    struct job_key key = {7, 0, NOW}, late = {8, 0, NOW};
    set_up();
    grant(10000);
    struct slurm_job *j = list_add(7, 0);
    j->nodes = 2;
    run_job(j);
    snprintf(j->nodelist, sizeof(j->nodelist), "n1,n2");
    apply();
    advance(2);
    end_partly(j);
    apply();
    UNIT_STR(c.jobs[0].nodelist, "n1,n2", "both nodes");
    UNIT_INT(c.jobs[0].nodes, 2, "two of them");
    UNIT_INT(report(1, 7, 5000000), 1, "one that is through reports");
    UNIT_INT(ledger_job_get(c.ledger, key, &row, NULL), 1, "the job");
    UNIT_INT(row.energy_uj, 5000000, "has its energy");
    list_add(8, 0); /* seen for the first time when its first node is through */
    list[1].start_s = NOW + 1;
    end_partly(&list[1]);
    apply();
    end_wholly(&list[1]);
    apply();
    UNIT_INT(report(2, 8, 5000000), 2, "the same of this one");
    UNIT_INT(ledger_job_get(c.ledger, late, &row, NULL), 1, "the job");
    UNIT_STR(row.nodelist, "n1,n2", "its nodes");
    UNIT_INT(row.energy_uj, 5000000, "its energy");
    tear_down();
}

/* The run before ran on a node whose records are late: the reservation that they come out of is
 * held until then, though the second run is over and accounted for. */
static void test_requeue_settles(void)
{
    set_up();
    grant(10000);
    struct slurm_job *j = list_add(7, 0);
    run_job(j);
    snprintf(j->nodelist, sizeof(j->nodelist), "n2");
    apply();
    advance(1);
    j->phase = PHASE_PENDING;
    j->restart = 1;
    j->submit_s = clock_now.wall_ms / 1000;
    j->start_s = 0;
    apply();
    run_job(j);
    apply();
    UNIT_INT(bio().reserved, 600000000, "one reservation");
    end_job(j);
    apply();
    advance(3);
    UNIT_INT(report(1, 7, 5000000), 1, "all of the second run");
    apply();
    UNIT_INT(bio().reserved, 595000000, "is accounted for");
    advance(20);
    apply();
    UNIT_INT(bio().reserved, 0, "the other node has never reported: settled after some seconds");
    tear_down();
}

/* Late records of a run that has been settled, while the job waits to run again: they are that
 * run's. And a node that goes on to name a job that nobody knows any more is not believed for ever.
 */
static void test_late_records(void)
{
    struct ledger_job old;
    struct job_key key = {7, 0, NOW};
    set_up();
    grant(10000);
    struct slurm_job *j = list_add(7, 0);
    run_job(j);
    apply();
    j->phase = PHASE_PENDING;
    j->restart = 1;
    j->start_s = 0;
    j->submit_s = NOW + 1;
    advance(1);
    apply();
    advance(60);
    apply();
    UNIT_INT(ledger_job_get(c.ledger, key, &old, NULL) == 1 && old.settled, 1, "settled");
    UNIT_INT(report(1, 7, 5000000), 1, "a late record");
    UNIT_INT(ledger_job_get(c.ledger, key, &old, NULL), 1, "the first run");
    UNIT_INT(old.energy_uj, 5000000, "has its energy");
    UNIT_INT(bio().charged, 5000000, "and the account pays");
    run_job(j);
    apply();
    advance(2);
    UNIT_INT(report(2, 7, 3000000), 2, "a record of the second run");
    UNIT_INT(runs_newest(&c, 7)->energy_uj, 3000000, "is the second's");
    end_job(j);
    advance(2);
    apply();
    advance(200);
    UNIT_INT(report(3, 7, 1000000), 3, "minutes after its end");
    UNIT_INT(bio().charged, 9000000, "it may still be busy");
    advance(200);
    apply();
    UNIT_INT(report(4, 7, 1000000), 4, "but not for ever");
    UNIT_INT(bio().charged, 9000000, "then nobody is charged");
    tear_down();
}

/* Tasks of an array leave its record one by one: what is reserved in all stays the same. */
static void test_array(void)
{
    set_up();
    grant(100000);
    struct slurm_job *j = list_add(7, 70);
    j->array_job_id = 7;
    j->tasks = 10;
    apply();
    UNIT_INT(bio().reserved, 6000000000LL, "ten tasks");
    struct slurm_job *task = list_add(8, 70);
    task->array_job_id = 7;
    task->array_task = 0;
    list[0].tasks = 9;
    run_job(task);
    apply();
    UNIT_INT(bio().reserved, 6000000000LL, "nine and one");
    list[0].tasks = 1;
    list[0].array_task = 9;
    apply();
    UNIT_INT(bio().reserved, 1200000000LL, "the last one and the running one");
    tear_down();
}

/* A job without a note is judged when it is seen first. */
static void test_admit(void)
{
    set_up();
    grant(1000);
    list_add(7, 0);
    apply();
    struct slurm_job *j = list_add(8, 0);
    free(COMMENT(j));
    COMMENT(j) = NULL;
    apply();
    UNIT_INT(n_orders, 1, "one order");
    UNIT_INT(orders[0].kind * 100 + (int)orders[0].job_id, ORDER_HOLD * 100 + 8, "hold it");
    UNIT_INT(bio().reserved, 600000000, "only what was admitted is reserved");
    j->held = 1;
    apply();
    UNIT_INT(n_orders, 1, "once");
    j->held = 0;
    apply();
    UNIT_INT(n_orders, 2, "released by hand without a budget: held again");
    grant(2000);
    apply();
    UNIT_INT(bio().reserved, 1200000000, "with one it is admitted");
    tear_down();
}

static void test_enforce(void)
{
    set_up();
    struct slurm_job *j = list_add(7, 0);
    char *note = strstr(COMMENT(j), "eb=0,");
    char text[512];
    snprintf(text, sizeof(text), "%.*seb=10000000,cb=0,act=term,run=", (int)(note - COMMENT(j)),
             COMMENT(j));
    free(COMMENT(j));
    COMMENT(j) = strdup(text);
    run_job(j);
    apply();
    advance(2);
    report(1, 7, 8000000);
    enforcer_run(&c);
    UNIT_INT(n_orders, 0, "80 %%: nothing");
    report(2, 7, 1500000);
    enforcer_run(&c);
    UNIT_INT(orders[0].kind, ORDER_NOTIFY, "95 %%: told");
    UNIT_OK(strstr(orders[0].text, "modelled"), "with its quality: %s", orders[0].text);
    restart();
    apply();
    advance(2);
    enforcer_run(&c);
    UNIT_INT(n_orders, 1, "not told twice, also after a restart");
    report(3, 7, 1000000);
    enforcer_run(&c);
    UNIT_INT(orders[1].kind, ORDER_TERM, "beyond: SIGTERM");
    advance(4);
    enforcer_run(&c);
    UNIT_INT(n_orders, 2, "grace");
    advance(2);
    enforcer_run(&c);
    UNIT_INT(orders[2].kind, ORDER_CANCEL, "cancelled");
    enforcer_run(&c);
    UNIT_INT(n_orders, 3, "once");
    tear_down();
}

/* On a modelled figure a job is only ended if its user typed so. */
static void test_modelled(void)
{
    set_up();
    struct slurm_job *j = list_add(7, 0);
    char *note = strstr(COMMENT(j), "eb=0,");
    memcpy(note, "eb=9,", 5);
    run_job(j);
    apply();
    advance(2);
    report(1, 7, 8000000);
    enforcer_run(&c);
    advance(5);
    enforcer_run(&c);
    UNIT_INT(n_orders, 1, "told");
    UNIT_INT(orders[0].kind, ORDER_NOTIFY, "only told");
    tear_down();
}

/* A job that grows, shrinks, or gets another size than it asked for, sets aside what it may use. */
static void test_other_size(void)
{
    set_up();
    struct slurm_job *j = list_add(7, 0);
    apply();
    UNIT_INT(runs_at(&c, 7, NOW)->reserved_uj, 600000000, "as it was told");
    j->limit_s = 120;
    apply();
    UNIT_INT(runs_at(&c, 7, NOW)->reserved_uj, 1200000000, "twice as long");
    UNIT_INT(runs_at(&c, 7, NOW)->estimate_ug, 33200, "and twice the grams");
    j->cpus = 3;
    apply();
    UNIT_INT(runs_at(&c, 7, NOW)->reserved_uj, 3600000000, "three CPUs");
    j->phase = PHASE_RUNNING;
    j->start_s = NOW + 1;
    j->cpus = 1;
    apply();
    UNIT_INT(runs_at(&c, 7, NOW)->reserved_uj, 1200000000, "what Slurm gave it in the end");
    tear_down();
}

static void test_bonus(void)
{
    set_up();
    age_weight = 5000;
    struct slurm_job *j = list_add(7, 70);
    j->site_factor = 0x80000000u + 3; /* somebody else's */
    apply();
    bonus_run(&c);
    UNIT_INT(n_orders, 0, "nothing while it waits");
    advance(71);
    apply();
    bonus_run(&c);
    UNIT_INT(n_orders, 1, "when the wait is over and it pends still");
    UNIT_INT(orders[0].kind, ORDER_FACTOR, "site factor");
    UNIT_INT(orders[0].site_factor, 0x80000000u + 3 + 350, "70 of 1000 s of 5000, on top");
    bonus_run(&c);
    UNIT_INT(n_orders, 1, "once");
    restart();
    apply();
    bonus_run(&c);
    UNIT_INT(n_orders, 1, "also after a restart");
    age_weight = 0;
    n_list = 0;
    tear_down();

    set_up();
    list_add(7, 70);
    advance(71);
    apply();
    bonus_run(&c);
    UNIT_INT(n_orders, 0, "not where age counts for nothing");
    tear_down();
}

/* Of one list, what the plugin has let in comes first: it has promised that. And a job that gets
 * the number of one that slurmctld lost takes nothing of the lost one's reservation. */
static void test_past_the_plugin(void)
{
    set_up();
    grant(1700);
    run_job(list_add(7, 0));
    apply();
    UNIT_INT(bio().reserved, 600000000, "one runs");
    n_list = 0; /* slurmctld comes back without it */
    advance(2);
    apply();
    UNIT_INT(bio().reserved, 600000000, "it goes on to run on its node");
    struct slurm_job *again = list_add(7, 0); /* another one, requeued before it is seen */
    again->restart = 1;
    again->submit_s = NOW + 1;
    list_add(9, 0);
    apply();
    UNIT_INT(bio().reserved, 1200000000, "and the one with a note is let in");
    UNIT_INT(runs_newest(&c, 7)->enforce_step, ENFORCE_HELD, "so that the other one waits");
    UNIT_INT(runs_newest(&c, 9)->reserved_uj, 600000000, "whose number is smaller");
    tear_down();
}

static int64_t left_on_board(void)
{
    return c.board.n_budgets == 1 ? c.board.budgets[0].left : -1;
}

/* The plugin lets a job in by a board that says nothing of a requeue yet: the requeued one yields.
 */
static void test_claim(void)
{
    set_up();
    grant(1300);
    struct slurm_job *j = list_add(7, 0);
    run_job(j);
    apply();
    advance(2);
    UNIT_INT(report(1, 7, 400000000), 1, "it has used much");
    j->phase = PHASE_PENDING;
    j->restart = 1;
    j->submit_s = clock_now.wall_ms / 1000;
    apply();
    UNIT_INT(runs_newest(&c, 7)->enforce_step, ENFORCE_CLAIMED, "its second run seems to fit");
    UNIT_INT(bio().claimed, 600000000, "and claims what it needs");
    UNIT_INT(left_on_board(), 100000000, "which nobody else gets from now on");
    UNIT_INT(n_orders, 0, "and is not held");
    advance(1);
    list_add(9, 0); /* promised a second ago, when 700 J were left */
    apply();
    UNIT_INT(bio().charged + bio().reserved, 1200000000, "the promise is kept");
    UNIT_INT(runs_newest(&c, 7)->enforce_step, ENFORCE_CLAIMED, "there may be more of them");
    restart();
    settle_claims();
    UNIT_INT(runs_newest(&c, 7)->enforce_step, ENFORCE_HELD, "so the second run is held");
    UNIT_INT(orders[n_orders - 1].kind, ORDER_HOLD, "by an order");
    UNIT_INT(bio().claimed, 0, "and claims nothing");
    UNIT_INT(bio().charged + bio().reserved, 1200000000, "nor reserves it");
    tear_down();
}

/* Slurm starts what has a claim, or ends it: no claim is left. */
static void test_claim_ends(void)
{
    set_up();
    grant(1300);
    struct slurm_job *runs = list_add(7, 0), *ends = list_add(8, 0);
    runs->restart = ends->restart = 1;
    apply();
    UNIT_INT(bio().claimed, 1200000000, "two requeued jobs");
    UNIT_INT(bio().reserved, 0, "without a run before");
    run_job(runs);
    end_job(ends);
    snprintf(ends->state, sizeof(ends->state), "CANCELLED");
    apply();
    UNIT_INT(bio().claimed, 0, "none waits any more");
    UNIT_INT(bio().reserved, 600000000, "one runs");
    UNIT_INT(c.n_jobs, 1, "the other is settled");
    tear_down();
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"life", test_life},
                                             {"gone", test_gone},
                                             {"lost", test_lost},
                                             {"lost_before_launch", test_lost_before_launch},
                                             {"lost_number", test_lost_number},
                                             {"forgotten_end", test_forgotten_end},
                                             {"forgotten_requeue", test_forgotten_requeue},
                                             {"unseen_run", test_unseen_run},
                                             {"unlisted_run", test_unlisted_run},
                                             {"requeue", test_requeue},
                                             {"requeue_budget", test_requeue_budget},
                                             {"taken_back", test_taken_back},
                                             {"completing", test_completing},
                                             {"requeue_settles", test_requeue_settles},
                                             {"late_records", test_late_records},
                                             {"array", test_array},
                                             {"admit", test_admit},
                                             {"enforce", test_enforce},
                                             {"modelled", test_modelled},
                                             {"other_size", test_other_size},
                                             {"bonus", test_bonus},
                                             {"past_the_plugin", test_past_the_plugin},
                                             {"claim", test_claim},
                                             {"claim_ends", test_claim_ends},
                                             {NULL, NULL}};
    return unit_main(argc, argv, cases, "tracker");
}
