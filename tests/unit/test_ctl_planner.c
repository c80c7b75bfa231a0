/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When waiting jobs are moved, and when they are left alone.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/dependents.h"
#include "carnotctld/feed_watch.h"
#include "carnotctld/planner.h"
#include "carnotctld/runs.h"
#include "carnotctld/steering.h"
#include "ctl_host.h"

static void test_user_change(void)
{
    set_up();
    struct slurm_job *j = list_add(7, 70);
    apply();
    j->eligible_s = NOW + 20;
    apply();
    UNIT_INT(runs_at(&c, 7, NOW)->released, 1, "out of our hands");
    dip_at(100);
    feed_watch_look(&c);
    plan();
    UNIT_INT(n_orders, 0, "and not moved");
    tear_down();
}

/* Somebody was faster than the first list: his time is no time of ours that a move may replace. */
static void test_early_change(void)
{
    set_up();
    list_add(7, 70)->eligible_s = NOW + 290;
    apply();
    UNIT_INT(runs_at(&c, 7, NOW)->released, 1, "out of our hands from the first list on");
    dip_at(100);
    feed_watch_look(&c);
    plan();
    UNIT_INT(n_orders, 0, "and not moved");
    tear_down();
}

static void test_replan(void)
{
    set_up();
    struct slurm_job *j = list_add(7, 70);
    apply();
    plan();
    UNIT_INT(n_orders, 0, "no news, no move");
    advance(10);
    dip_at(120);
    UNIT_INT(feed_watch_look(&c), 1, "a new forecast");
    plan();
    UNIT_INT(n_orders, 1, "moved");
    UNIT_INT(orders[0].begin_s, NOW + 120, "to the new dip");
    UNIT_INT(orders[0].replaces_s[0], NOW + 70, "unless somebody has changed it by then");
    apply(); /* not done yet: the list still has the old time */
    UNIT_INT(runs_at(&c, 7, NOW)->released, 0, "the old time is no user's change");
    dip_at(180);
    feed_watch_look(&c);
    plan();
    UNIT_INT(orders[1].replaces_s[0], NOW + 70, "moved again");
    UNIT_INT(orders[1].replaces_s[1], NOW + 120, "its own order is no user's change");
    restart();
    j->eligible_s = NOW + 180;
    apply(); /* killed before it heard: the list has the new time */
    UNIT_INT(runs_at(&c, 7, NOW)->released, 0, "nor is the new one");
    planner_ordered(&c, 7, NOW + 180, 1);
    UNIT_INT(runs_at(&c, 7, NOW)->begin_set_s, NOW + 180, "set");
    dip_at(350);
    feed_watch_look(&c);
    plan();
    UNIT_OK(orders[n_orders - 1].begin_s <= NOW + 300, "never later than promised");
    tear_down();
}

/* carnotctld dies between writing a plan down and ordering it. */
static void test_order_again(void)
{
    set_up();
    struct slurm_job *j = list_add(7, 70);
    list_add(8, 70);
    apply();
    advance(10);
    dip_at(120);
    feed_watch_look(&c);
    plan();
    UNIT_INT(n_orders, 2, "two jobs are moved");
    j = &list[1];
    j->eligible_s = NOW + 120; /* of which one order was carried out */
    n_orders = 0;
    restart();
    c.planned_listed_ms = 0;
    apply();
    plan();
    UNIT_INT(n_orders, 1, "the other one is ordered again");
    UNIT_INT(orders[0].job_id, 7, "for that job");
    UNIT_INT(orders[0].begin_s, NOW + 120, "as it was planned");
    UNIT_INT(orders[0].replaces_s[0], NOW + 70, "in place of what Slurm has");
    apply();
    plan();
    UNIT_INT(n_orders, 1, "once");
    UNIT_INT(runs_at(&c, 7, NOW)->released + runs_at(&c, 8, NOW)->released, 0, "both are ours");
    list[0].eligible_s = NOW + 600; /* as if it had been moved forward, to what has passed */
    runs_at(&c, 7, NOW)->begin_set_s = NOW + 600;
    advance(200);
    c.planned_listed_ms = 0;
    apply();
    plan();
    UNIT_INT(n_orders, 2, "ordered, too");
    UNIT_INT(orders[1].begin_s, NOW + 210, "for now: Slurm sets no time that has passed");
    tear_down();
}

/* Another note than list_add's. */
static void note(struct slurm_job *j, const char *code, int wait_s, int latest_s)
{
    char text[512];
    snprintf(text, sizeof(text),
             "carnot:v=1,id=%x,t=%lld,begin=%lld,latest=%lld,wait=%d,j=600,g=0.0166,g0=0.0667,"
             "policy=balanced,code=%s,layer=flag,eb=0,cb=0,act=default,run=",
             j->job_id, NOW, (long long)j->eligible_s, latest_s ? NOW + latest_s : 0, wait_s, code);
    free(COMMENT(j));
    COMMENT(j) = strdup(text);
}

/* Jobs 1 to n, all in the dip, the later the larger. */
static void many_wait(uint32_t n)
{
    for (uint32_t id = 1; id <= n; id++)
        list_add(id, 70)->cpus = id;
    apply();
}

/* The moves that save most come first, and slurmctld is not flooded. */
static void test_replan_pace(void)
{
    size_t all;
    set_up();
    many_wait(4);
    advance(2);
    dip_at(120);
    feed_watch_look(&c);
    n_waiting = 8; /* orders: there is room for two */
    plan();
    UNIT_INT(n_orders, 2, "two moves");
    UNIT_INT(orders[0].job_id, 4, "the largest");
    UNIT_INT(orders[1].job_id, 3, "the next");
    UNIT_INT(planner_moves_left(&c, &all), 2, "two are left");
    UNIT_INT(all, 4, "of four");
    UNIT_INT(runs_newest(&c, 2)->planned_s, NOW + 70, "which stand as they are");
    n_waiting = 10;
    plan();
    UNIT_INT(n_orders, 2, "no room");
    list[1].eligible_s = NOW + 30; /* job 2: its user has changed it meanwhile */
    apply();
    n_waiting = 0;
    plan();
    UNIT_INT(n_orders, 3, "one of the two");
    UNIT_INT(orders[2].job_id, 1, "for the other is not ours any more");
    UNIT_INT(planner_moves_left(&c, &all), 0, "done");
    tear_down();
}

/* A forecast that comes before all moves are ordered: the rest is of the past. */
static void test_replan_anew(void)
{
    set_up();
    many_wait(3);
    advance(2);
    dip_at(120);
    feed_watch_look(&c);
    n_waiting = 9;
    plan();
    UNIT_INT(n_orders, 1, "one of three");
    dip_at(180);
    feed_watch_look(&c);
    n_waiting = 0;
    plan();
    UNIT_INT(n_orders, 4, "then all three");
    for (int i = 1; i < 4; i++)
        UNIT_INT(orders[i].begin_s, NOW + 180, "to where the dip is now");
    tear_down();
}

/* The dip is full; then the job that fills it is gone, and its place is for who waits elsewhere. */
static void test_replan_room(void)
{
    set_up();
    c.set.carbon.slot_ms = 10000;
    struct slurm_job *large = list_add(7, 70), *j = list_add(8, 120);
    large->nodes = 4;
    large->cpus = 16;
    apply();
    plan();
    UNIT_INT(n_orders, 0, "the first pass: no room in the dip");
    advance(1);
    large->phase = PHASE_ENDED;
    large->end_s = clock_now.wall_ms / 1000;
    snprintf(large->state, sizeof(large->state), "CANCELLED");
    apply();
    plan();
    UNIT_INT(n_orders, 0, "not so soon after it");
    advance(9);
    plan();
    UNIT_INT(n_orders, 1, "a slot later the other one moves");
    UNIT_INT(orders[0].job_id, j->job_id, "into its place");
    UNIT_INT(orders[0].begin_s, NOW + 70, "at its begin");
    j->eligible_s = NOW + 70;
    planner_ordered(&c, 8, NOW + 70, 1);
    int64_t passed_s = c.planned_s;
    advance(30);
    apply();
    plan();
    UNIT_INT(c.planned_s, passed_s, "nothing came, started or ended: no pass");
    list_add(9, 0)->submit_s = clock_now.wall_ms / 1000;
    apply();
    plan();
    UNIT_INT(c.planned_s, passed_s + 30, "a job came: one more");
    tear_down();
}

/* A job that a change has made larger than its partition keeps nobody else's room. */
static void test_room_of_too_large(void)
{
    set_up();
    struct slurm_job *j = list_add(7, 70);
    j->cpus = 16;
    apply();
    size_t dip = (size_t)(NOW + 70 - c.board.head.slot_start_s) / (size_t)c.board.head.slot_s;
    UNIT_INT(c.board.planned[dip], 16, "the whole partition");
    j->cpus = 65000;
    j->limit_s = 0;
    apply();
    UNIT_INT(c.board.planned[dip], 0, "more than it has");
    run_job(j);
    apply();
    UNIT_INT(c.board.planned[dip], 65000, "but if it runs, it does");
    tear_down();
}

/* The event loop goes on between two slices. */
static void test_replan_slices(void)
{
    size_t all;
    set_up();
    many_wait(60);
    for (int i = 0; i < 60; i++)
        list[i].cpus = 0; /* as many as there is room for */
    advance(2);
    dip_at(120);
    feed_watch_look(&c);
    clock_now.mono_step_ms = 25;
    planner_run(&c); /* a board */
    planner_run(&c);
    UNIT_INT(n_orders, 0, "not all are planned yet");
    size_t left = planner_moves_left(&c, &all);
    UNIT_INT(left, all, "no move is ordered");
    int calls = 1;
    for (; n_orders == 0 && calls < 100; calls++)
        planner_run(&c);
    UNIT_OK(calls > 1 && calls < 10, "%d calls", calls);
    UNIT_OK(n_orders > 0, "then they move");
    tear_down();
}

/* Each job that may wait moves lambda, once, over kills as well. */
static void test_steering(void)
{
    set_up();
    c.set.policy.target_wait_ms = 35000;
    UNIT_INT(steering_load(&c, NULL), 0, "nothing there");
    double first = steering_lambda_g_per_h(&c);
    UNIT_DBL(first, c.set.policy.lambda_g_per_h, 1e-12, "begins with the one of the file");
    note(list_add(7, 0), "FLAT", 300, 0);
    apply();
    double lower = steering_lambda_g_per_h(&c);
    UNIT_OK(lower < first, "a job that does not wait: %g", lower);
    UNIT_DBL(c.board.head.lambda_g_per_h, lower, 1e-12, "on the board");
    apply();
    UNIT_DBL(steering_lambda_g_per_h(&c), lower, 1e-12, "counted once");
    note(list_add(8, 70), "GREENER_LATER", 300, 300);
    note(list_add(9, 0), "FLAT", 0, 0); /* was not allowed to wait */
    list_add(10, 70);                   /* nor this one: its note has no wait */
    apply();
    UNIT_INT(c.steering.jobs, 2, "two could wait");
    restart();
    UNIT_INT(c.steering.jobs, 2, "known after a kill");
    apply();
    UNIT_INT(c.steering.jobs, 2, "and not counted again");
    c.set.policy.target_wait_ms = 60000;
    restart();
    UNIT_INT(c.steering.jobs, 0, "another target begins anew");
    UNIT_DBL(steering_lambda_g_per_h(&c), first, 1e-12, "with the one of the file");
    tear_down();
}

/* Of few jobs it is solved for: they would wait as long as is asked. */
static void test_steering_solves(void)
{
    set_up();
    c.set.policy.target_wait_ms = 35000;
    UNIT_INT(steering_load(&c, NULL), 0, "nothing there");
    for (uint32_t id = 1; id <= 20; id++)
        note(list_add(id, 0), "FLAT", id <= 10 ? 300 : 30, 0);
    apply();
    steering_run(&c);
    UNIT_INT(c.steering.solved_version == c.feed_version, 1, "solved");
    /* The dip is 70 s away: only those with 300 s reach it, if lambda lets them. */
    double solved = steering_lambda_g_per_h(&c);
    UNIT_OK(solved > 0 && isfinite(solved), "%g g/h", solved);
    UNIT_DBL(c.board.head.lambda_g_per_h, 0.0001, 1, "the board has the one before");
    apply();
    UNIT_DBL(c.board.head.lambda_g_per_h, solved, 1e-12, "the next one has it");
    restart();
    UNIT_DBL(steering_lambda_g_per_h(&c), solved, 1e-9 * solved, "known after a kill");
    c.steering.solved_version = c.feed_version;
    steering_run(&c);
    UNIT_DBL(steering_lambda_g_per_h(&c), solved, 1e-9 * solved, "once a forecast");
    tear_down();
}

/* A tool that writes job statistics puts its text in the place of the note. */
static void test_replan_without_note(void)
{
    set_up();
    struct slurm_job *j = list_add(7, 70);
    apply();
    free(COMMENT(j));
    COMMENT(j) = strdup("JS1:H4sIAAAA");
    advance(2);
    apply();
    restart();
    apply();
    dip_at(120);
    UNIT_INT(feed_watch_look(&c), 1, "a new forecast");
    plan();
    UNIT_INT(n_orders, 1, "moved");
    UNIT_INT(orders[0].begin_s, NOW + 120, "to the new dip");
    dip_at(350);
    feed_watch_look(&c);
    plan();
    UNIT_OK(orders[n_orders - 1].begin_s <= NOW + 300, "never later than promised");
    tear_down();
}

static void test_now(void)
{
    struct err e = {.text = ""};
    set_up();
    list_add(7, 70);
    list_add(8, 0);
    apply();
    UNIT_INT(planner_release(&c, runs_at(&c, 7, NOW), "USER_NOW", "ada", &e), 0, "%s", e.text);
    UNIT_INT(orders[0].begin_s, NOW, "begins now");
    UNIT_INT(planner_release(&c, runs_at(&c, 8, NOW), "USER_NOW", "ada", &e), -1,
             "one that does not wait");
    UNIT_OK(strstr(e.text, "carnot why 8"), "%s", e.text);
    tear_down();
}

/* A file that turns bad leaves the series in force. */
static void test_bad_feed(void)
{
    set_up();
    uint64_t before = c.feed_version;
    write_feed("yesterday,DE,400\n");
    UNIT_INT(feed_watch_look(&c), 0, "refused");
    UNIT_INT(c.feed.n, 3, "the old samples stay");
    UNIT_OK(c.feed_version == before, "no news");
    UNIT_INT(remove(feed_path), 0, "gone");
    UNIT_INT(feed_watch_look(&c), 0, "no file");
    UNIT_INT(c.feed.n, 3, "the old samples stay");
    dip_at(10);
    UNIT_INT(feed_watch_look(&c), 1, "good again");
    tear_down();
}

static void test_requeue_waits(void)
{
    set_up();
    struct slurm_job *j = list_add(7, 0);
    note(j, "GREENER_LATER", 300, 300);
    j->phase = PHASE_RUNNING;
    j->start_s = NOW;
    apply();
    advance(5);
    j->phase = PHASE_PENDING; /* Slurm: the same id, begin in 121 s, the comment kept */
    j->restart = 1;
    j->start_s = 0;
    j->submit_s = NOW + 5;
    j->eligible_s = NOW + 126;
    apply();
    UNIT_INT(runs_newest(&c, 7)->latest_s, NOW + 300, "the bound is what it was");
    plan();
    UNIT_INT(n_orders, 1, "planned again");
    UNIT_INT(orders[0].begin_s, NOW + 70, "in the dip");
    planner_ordered(&c, 7, NOW + 70, 1);
    j->eligible_s = NOW + 70;
    advance(1);
    apply();
    plan();
    UNIT_INT(n_orders, 1, "once");
    UNIT_INT(runs_newest(&c, 7)->released, 0, "and it is ours");
    j->submit_s = NOW + 6; /* Slurm sets this a little later than the count */
    advance(1);
    apply();
    plan();
    UNIT_INT(n_orders, 1, "still the same run");
    UNIT_INT(runs_newest(&c, 7)->key.submit_s, NOW + 5, "with its row");
    UNIT_INT(runs_newest(&c, 7)->live, 1, "which lives");
    tear_down();
}

/* Job 8 depends on 7, which runs until NOW + 60 at most. */
static void test_dependent(void)
{
    set_up();
    struct slurm_job *parent = list_add(7, 0);
    parent->phase = PHASE_RUNNING;
    parent->start_s = NOW;
    struct slurm_job *j = list_add(8, 0);
    note(j, "DEP_END", 100, 0);
    j->dependency = (char *)(uintptr_t) "afterok:7(unfulfilled)";
    apply();
    plan();
    UNIT_INT(n_orders, 1, "a begin time while its parent runs");
    UNIT_INT(orders[0].begin_s, NOW + 70, "in the dip, which comes after the parent's end");
    planner_ordered(&c, 8, NOW + 70, 1);
    advance(1);
    apply();
    plan();
    UNIT_INT(n_orders, 1, "not again with each list");
    advance(10);
    parent->phase = PHASE_ENDED;
    parent->end_s = NOW + 11;
    j->dependency = NULL;
    j->eligible_s = NOW + 70;
    apply();
    plan();
    struct ledger_job *row = runs_newest(&c, 8);
    UNIT_INT(row->latest_s, NOW + 11 + 100, "the bound counts from when it could run");
    UNIT_INT(row->released, 0, "nobody took it from us");
    UNIT_INT(row->planned_s, NOW + 70, "still the dip");
    tear_down();
}

/* A chain has one allowance: what the parent waited is gone for the child. */
static void test_dependent_shares(void)
{
    set_up();
    struct slurm_job *parent = list_add(7, 70); /* waits 70 s */
    struct slurm_job *j = list_add(8, 0);
    note(j, "DEP_END", 90, 0);
    j->dependency = (char *)(uintptr_t) "afterany:7(unfulfilled)";
    apply();
    plan();
    UNIT_INT(runs_newest(&c, 8)->spent_s, 70, "spent by its parent");
    advance(80);
    parent->phase = PHASE_ENDED;
    parent->end_s = NOW + 80;
    j->dependency = NULL;
    apply();
    plan();
    UNIT_OK(runs_newest(&c, 8)->latest_s <= NOW + 80 + 20, "20 s are left of 90");
    tear_down();
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"user_change", test_user_change},
                                             {"early_change", test_early_change},
                                             {"replan", test_replan},
                                             {"order_again", test_order_again},
                                             {"replan_without_note", test_replan_without_note},
                                             {"replan_pace", test_replan_pace},
                                             {"replan_anew", test_replan_anew},
                                             {"replan_room", test_replan_room},
                                             {"room_of_too_large", test_room_of_too_large},
                                             {"replan_slices", test_replan_slices},
                                             {"steering", test_steering},
                                             {"steering_solves", test_steering_solves},
                                             {"now", test_now},
                                             {"requeue_waits", test_requeue_waits},
                                             {"dependent", test_dependent},
                                             {"dependent_shares", test_dependent_shares},
                                             {"bad_feed", test_bad_feed},
                                             {NULL, NULL}};
    return unit_main(argc, argv, cases, "planner");
}
