/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a job that checkpoints is paused and goes on, and what a kill in between leaves.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/events.h"
#include "carnotctld/feed_watch.h"
#include "carnotctld/history.h"
#include "carnotctld/pauser.h"
#include "carnotctld/planner.h"
#include "carnotctld/publisher.h"
#include "carnotctld/runs.h"
#include "ctl_host.h"

#define ALLOWED 300

/* A minute's job that began at NOW in 400 g/kWh; 100 from NOW + 70 on for a minute. requeue: what
 * the note says of it, "" for a job without the flag. */
static struct slurm_job *begin(const char *requeue)
{
    char text[512], path[600];
    static const char *const files[] = {"ledger", "ledger-wal", "ledger-shm", "events.jsonl"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", unit_tmpdir(), files[i]);
        (void)remove(path); /* of a job before this one */
    }
    set_up();
    n_list = 0;
    list_cpus = 4000; /* the dip has room for all: it is what the site's threshold is */
    c.set.policy.requeue_min_run_ms = 30000;
    c.set.policy.requeue_cost_ms = 5000;
    struct slurm_job *j = list_add(7, 0);
    snprintf(text, sizeof(text),
             "carnot:v=1,id=7,t=%lld,begin=%lld,latest=%lld,wait=%d,j=600,g=0.0166,g0=0.0667,"
             "policy=greenest,code=FLAT,layer=flag,eb=0,cb=0,act=default,run=%s",
             NOW, NOW, NOW, ALLOWED, requeue);
    free(COMMENT(j));
    COMMENT(j) = strdup(text);
    run_job(j);
    apply();
    return j;
}

static void next_list(int after_s)
{
    advance(after_s);
    apply();
    pauser_run(&c);
    plan();
}

static struct ledger_job *row(void)
{
    return runs_newest(&c, 7);
}

/* Slurm has requeued it: its run may still be ending. */
static void requeued(struct slurm_job *j, int completing)
{
    j->phase = PHASE_PENDING;
    snprintf(j->state, sizeof(j->state), "PENDING");
    j->restart++;
    j->start_s = 0;
    j->completing = completing;
    j->submit_s = clock_now.wall_ms / 1000;
    j->eligible_s = j->submit_s + 121;
}

static void done(int rc)
{
    struct slurm_order o = orders[n_orders - 1];
    o.rc = rc;
    if (o.kind == ORDER_REQUEUE)
        pauser_ordered(&c, &o);
    else
        planner_ordered(&c, 7, o.begin_s, rc == 0);
}

static void test_pauses(void)
{
    struct slurm_job *j = begin(",requeue=0");
    next_list(20);
    UNIT_INT(n_orders, 0, "it has not run for long enough");
    next_list(20);
    UNIT_INT(n_orders, 1, "paused");
    UNIT_INT(orders[0].kind, ORDER_REQUEUE, "by a requeue");
    UNIT_INT(orders[0].restart, 0, "of this run");
    UNIT_INT(row()->resume_s, NOW + 70, "until the dip");
    UNIT_INT(said("\"ev\":\"job.pause\",\"code\":\"GREENER_LATER\",\"job\":7"), 1, "said once");
    done(0);
    requeued(j, 1);
    next_list(1);
    UNIT_INT(n_orders, 1, "while the run before ends, Slurm would overwrite a begin time");
    UNIT_INT(row()->key.restart, 1, "a new run");
    UNIT_INT(row()->pauses, 1, "by Carnot");
    UNIT_INT(row()->ran_s, 41, "the time that it ran");
    UNIT_INT(row()->latest_s, NOW + 41 + ALLOWED, "is no wait");
    j->completing = 0;
    next_list(2);
    UNIT_INT(n_orders, 2, "now");
    UNIT_INT(orders[1].kind, ORDER_BEGIN, "it is to begin");
    UNIT_INT(orders[1].begin_s, NOW + 70, "in the dip");
    UNIT_INT(orders[1].replaces_s[0], j->eligible_s, "unless somebody else has a word");
    done(0);
    j->eligible_s = NOW + 70;
    next_list(5);
    UNIT_INT(n_orders, 2, "once");
    UNIT_INT(row()->delay_s, NOW + 70 - (NOW + 43), "its wait");
    advance(NOW + 70 - clock_now.wall_ms / 1000);
    run_job(j);
    next_list(0);
    UNIT_INT(row()->start_s, NOW + 70, "it runs");
    next_list(35);
    UNIT_INT(n_orders, 2, "green");
    end_job(j);
    next_list(5);
    UNIT_INT(n_orders, 2, "and ends once");
    UNIT_INT(said("promise.missed"), 0, "no promise is missed");
    tear_down();
}

/* Each moment at which the process can be killed around a pause. */
static void test_killed(void)
{
    struct slurm_job *j = begin(",requeue=0");
    next_list(40);
    UNIT_INT(n_orders, 1, "ordered");
    restart(); /* the order is lost with the process */
    next_list(1);
    UNIT_INT(n_orders, 2, "and given again");
    UNIT_INT(orders[1].restart, 0, "for the same run");
    UNIT_INT(said("job.pause"), 1, "but decided once");
    n_waiting = 1;
    next_list(1);
    UNIT_INT(n_orders, 2, "not while it is under way");
    n_waiting = 0;
    restart(); /* this time Slurm has heard it */
    requeued(j, 0);
    next_list(1);
    UNIT_INT(row()->pauses, 1, "the new run is known for Carnot's");
    UNIT_INT(orders[n_orders - 1].kind, ORDER_BEGIN, "and gets its begin time");
    UNIT_INT(orders[n_orders - 1].begin_s, NOW + 70, "in the dip");
    restart(); /* before it is set */
    next_list(1);
    UNIT_INT(orders[n_orders - 1].kind, ORDER_BEGIN, "and gets it once more");
    UNIT_INT(row()->planned_s, NOW + 70, "planned");
    int before = n_orders;
    restart(); /* after it is set */
    j->eligible_s = NOW + 70;
    next_list(1);
    UNIT_INT(row()->released, 0, "its own begin time is no user's word");
    UNIT_INT(n_orders, before, "nothing is requeued twice");
    tear_down();
}

/* The daemon was away for so long that the pause makes no sense any more. */
static void test_late(void)
{
    begin(",requeue=0");
    next_list(40);
    restart();
    n_orders = 0;
    next_list(35);
    UNIT_INT(n_orders, 0, "the dip is here: it runs on");
    UNIT_INT(row()->resume_s, 0, "and nothing is intended");
    tear_down();

    struct slurm_job *j = begin(",requeue=0"); /* away while Slurm queued and started it again */
    next_list(40);
    restart();
    requeued(j, 0);
    advance(121);
    run_job(j);
    next_list(1);
    UNIT_INT(row()->pauses, 1, "counted");
    UNIT_INT(row()->live, 1, "and lost nothing");
    UNIT_INT(n_orders, 1, "nothing to do");
    tear_down();
}

static void test_refused(void)
{
    begin(",requeue=0");
    next_list(40);
    done(-1); /* slurmctld is away for a moment */
    UNIT_INT(row()->resume_s, NOW + 70, "still intended");
    next_list(1);
    UNIT_INT(n_orders, 2, "and tried again");
    done(ORDER_REFUSED); /* scontrol update Requeue=0 */
    next_list(1);
    UNIT_INT(n_orders, 2, "not again");
    UNIT_INT(row()->requeue, 0, "for good");
    tear_down();
}

/* What others do ends Carnot's pausing. */
static void test_others(void)
{
    struct err e = {.text = ""};
    struct slurm_job *j = begin(",requeue=0");
    next_list(5);
    requeued(j, 0); /* scontrol requeue, a preemption, a node that failed */
    next_list(1);
    UNIT_INT(row()->pauses, 0, "not Carnot's");
    UNIT_INT(row()->ran_s, 6, "its work counts all the same");
    run_job(j);
    next_list(0);
    next_list(40);
    UNIT_INT(n_orders, 0, "not paused any more");
    tear_down();

    j = begin(",requeue=0");
    next_list(40);
    requeued(j, 0);
    j->held = 1;
    next_list(1);
    UNIT_INT(row()->released, 1, "a hold");
    j->held = 0;
    next_list(1);
    UNIT_INT(n_orders, 1, "is not followed by a wait of ours");
    tear_down();

    begin(",requeue=0");
    UNIT_INT(pauser_may(&c, row()), 1, "may be paused");
    UNIT_INT(pauser_release(&c, row(), "USER_NOW", "ada", &e), 0, "carnot now");
    next_list(40);
    UNIT_INT(n_orders, 0, "runs to its end");
    tear_down();
}

static void test_left_alone(void)
{
    static const struct {
        const char *what, *note;
        uint64_t min_gain_ug;
        int observe, bound, spent_s;
    } rows[] = {
        {"no flag", "", 0, 0, 0, 0},
        {"too little to gain", ",requeue=0", 1000000000, 0, 0, 0},
        {"only observing", ",requeue=0", 0, 1, 0, 0},
        {"in a reservation", ",requeue=0", 0, 0, 1, 0},
        {"its allowance is used up", ",requeue=0", 0, 0, 0, ALLOWED},
        {"it is to be done by then", ",requeue=1700000110", 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slurm_job *j = begin(rows[i].note);
        c.set.policy.min_gain_ug = rows[i].min_gain_ug;
        c.set.mode = rows[i].observe ? MODE_OBSERVE : MODE_ACT;
        j->bound = rows[i].bound;
        row()->spent_s = rows[i].spent_s;
        next_list(40);
        UNIT_INT(n_orders, 0, "%s", rows[i].what);
        tear_down();
    }
}

/* The user's runs of late, of whatever name. */
static void usually_runs(int64_t run_s)
{
    struct err e = {.text = ""};
    struct ledger_job past = {.key = {.job_id = 3},
                              .uid = 4711,
                              .tasks = 1,
                              .cpus = 1,
                              .start_s = NOW - 1000,
                              .end_s = NOW - 1000 + run_s,
                              .limit_s = 60};
    snprintf(past.state, sizeof(past.state), "COMPLETED");
    history_note(&c, &past);
    UNIT_INT(publisher_build(&c, &e), 0, "%s", e.text);
    UNIT_INT(c.board.n_pasts > 0, 1, "it is known");
}

/* Grams go by how long it is likely to run, what is promised by its limit. */
static void test_likely(void)
{
    begin(",requeue=0");
    c.set.policy.requeue_cost_ms = 40000;
    next_list(40);
    UNIT_INT(n_orders, 1, "20 s are worth 300 each, the restart is 40 s at 100");
    tear_down();

    begin(",requeue=0");
    c.set.policy.requeue_cost_ms = 40000;
    usually_runs(42);
    next_list(40);
    UNIT_INT(n_orders, 0, "11 s, the mean of 2 and 20, are not worth it");
    tear_down();

    begin(",requeue=0");
    usually_runs(20);
    next_list(40);
    UNIT_INT(n_orders, 1, "it has outlived what is likely: its limit is left");
    tear_down();

    static const struct {
        const char *what;
        int64_t done_by_s;
        int orders;
    } rows[] = {
        {"after a slot the last minute of its limit and a restart would end too late", NOW + 124,
         0},
        {"they end in time", NOW + 125, 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char note[64];
        snprintf(note, sizeof(note), ",requeue=%lld", (long long)rows[i].done_by_s);
        begin(note);
        usually_runs(42);
        dip_at(45);
        UNIT_INT(feed_watch_look(&c), 1, "a dip that is near");
        next_list(40);
        UNIT_INT(n_orders, rows[i].orders, "%s", rows[i].what);
        tear_down();
    }
}

/* A job that stands still follows the forecast, inside its bound. */
static void test_moves(void)
{
    struct slurm_job *j = begin(",requeue=0");
    next_list(40);
    requeued(j, 0);
    next_list(1);
    done(0);
    j->eligible_s = NOW + 70;
    dip_at(120);
    UNIT_INT(feed_watch_look(&c), 1, "a new forecast");
    next_list(1);
    UNIT_INT(n_orders, 3, "moved");
    UNIT_INT(orders[2].begin_s, NOW + 120, "to the new dip");
    done(0);
    j->eligible_s = NOW + 120;
    dip_at(400);
    feed_watch_look(&c);
    next_list(1);
    UNIT_OK(orders[n_orders - 1].begin_s <= row()->latest_s, "never later than allowed");
    UNIT_INT(row()->latest_s, NOW + 41 + ALLOWED, "which is what it was");
    tear_down();
}

/* Where there is no room for all in the dip, what is worse than the dip runs, too. */
static void test_threshold(void)
{
    static const struct {
        const char *what;
        uint32_t cpus;
        int orders;
    } rows[] = {
        {"3 of 168 slots hold 0.6 of a CPU's week of work", 40, 1},
        {"not on half as many: all run at 400", 20, 0},
        {"nor on the 16 of the largest partition, if that is all that is known", 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(",requeue=0");
        list_cpus = rows[i].cpus;
        next_list(40);
        UNIT_INT(n_orders, rows[i].orders, "%s", rows[i].what);
        tear_down();
    }
    begin(",requeue=0");
    list_cpus = 40;
    list_add(8, 0)->limit_s = 100000;
    next_list(40);
    UNIT_INT(n_orders, 0, "what waits in the queue has to fit as well");
    tear_down();

    begin(",requeue=0");
    list_cpus = 40;
    next_list(10); /* one CPU in use: the mean of a week begins there */
    for (uint32_t id = 20; id < 30; id++)
        run_job(list_add(id, 0));
    restart();
    next_list(30);
    UNIT_INT(n_orders, 1, "what began just now is little of a week's mean, also after a kill");
    tear_down();
}

/* No forecast, or one that is too old: nobody pauses, and what stands still goes on. */
static void test_no_forecast(void)
{
    struct slurm_job *j = begin(",requeue=0");
    next_list(5);
    advance(35);
    apply();
    c.board.head.forecast_quality = FORECAST_STALE;
    pauser_run(&c);
    UNIT_INT(n_orders, 0, "nobody pauses");
    tear_down();

    j = begin(",requeue=0");
    next_list(40);
    requeued(j, 0);
    apply();
    c.board.head.forecast_quality = FORECAST_STALE;
    pauser_run(&c);
    UNIT_INT(orders[n_orders - 1].kind, ORDER_BEGIN, "it goes on");
    UNIT_INT(orders[n_orders - 1].begin_s, NOW + 40, "at once");
    tear_down();
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"pauses", test_pauses},
                                             {"killed", test_killed},
                                             {"late", test_late},
                                             {"refused", test_refused},
                                             {"others", test_others},
                                             {"left_alone", test_left_alone},
                                             {"likely", test_likely},
                                             {"moves", test_moves},
                                             {"threshold", test_threshold},
                                             {"no_forecast", test_no_forecast},
                                             {NULL, NULL}};
    return unit_main(argc, argv, cases, "pauser");
}
