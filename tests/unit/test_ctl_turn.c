/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs that may be paused and wait in hours of the rule: their first pieces, and those of the queue
 * whose turn comes in a dirty hour.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/feed_watch.h"
#include "carnotctld/pauser.h"
#include "carnotctld/planner.h"
#include "carnotctld/runs.h"
#include "common/when.h"
#include "ctl_host.h"

static void begin(void)
{
    static const char *const files[] = {"ledger", "ledger-wal", "ledger-shm", "events.jsonl"};
    char path[600];
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", unit_tmpdir(), files[i]);
        (void)remove(path); /* of a job before this one */
    }
    set_up();
    n_list = 0;
    list_cpus = 4000; /* the green hours have room for all: 100 is the site's threshold */
    c.set.policy.requeue_cost_ms = 5000;
}

static void next_list(int after_s)
{
    advance(after_s);
    apply();
    pauser_run(&c);
    plan();
}

#define HOURS(n) ((n)*3600LL)

/* Each day from NOW on 400 g/kWh, and 100 for twelve hours from that hour on. */
static void green_at(int from)
{
    char body[8000], t[40];
    size_t at = 0;
    for (int h = -10; h < 120; h++)
        at += (size_t)snprintf(body + at, sizeof(body) - at, "%s,DE,%d\n",
                               when_format_rfc3339(t, sizeof(t), NOW + HOURS(h)),
                               (h + 24) % 24 >= from && (h + 24) % 24 < from + 12 ? 100 : 400);
    write_feed(body);
}

/* A job that waits in Slurm's queue since NOW, where it is 400 g/kWh for two hours and
 * 100 for twelve; a day later again. It may be made to wait for two days. */
static struct slurm_job *queue(const char *requeue, int64_t limit_s)
{
    char text[512];
    begin();
    green_at(2);
    c.set.carbon.slot_ms = 900000;
    c.set.carbon.horizon_ms = HOURS(96) * 1000;
    UNIT_INT(feed_watch_look(&c), 1, "the feed is read");
    struct slurm_job *j = list_add(8, 0);
    j->limit_s = limit_s;
    snprintf(text, sizeof(text),
             "carnot:v=1,id=8,t=%lld,begin=%lld,latest=%lld,wait=172800,j=600,g=0.0166,g0=0.0667,"
             "policy=greenest,code=FLAT,layer=flag,eb=0,cb=0,act=default,run=%s",
             NOW, NOW, NOW, requeue);
    free(COMMENT(j));
    COMMENT(j) = strdup(text);
    return j;
}

/* The plugin has it begin in begin_h hours, for two days from NOW at the latest. */
static void planned(struct slurm_job *j, int begin_h)
{
    char text[512];
    snprintf(text, sizeof(text),
             "carnot:v=1,id=8,t=%lld,begin=%lld,latest=%lld,wait=172800,j=600,g=0.0166,g0=0.0667,"
             "policy=greenest,code=GREENER_LATER,layer=flag,eb=0,cb=0,act=default,run=,requeue=0",
             NOW, NOW + HOURS(begin_h), NOW + 172800);
    free(COMMENT(j));
    COMMENT(j) = strdup(text);
    j->eligible_s = NOW + HOURS(begin_h);
}

/* The plugin plans a start for the whole job in one piece; it begins with the first green one. */
static void test_first_piece(void)
{
    struct slurm_job *j = queue(",requeue=0", HOURS(10));
    planned(j, 3);
    c.set.policy.min_gain_ug = 1000000000;
    next_list(0);
    UNIT_INT(n_orders, 1, "moved at once, whatever that saves");
    UNIT_INT(orders[0].begin_s, NOW + HOURS(2), "to where it gets green");
    planner_ordered(&c, 8, NOW + HOURS(2), 1);
    j->eligible_s = NOW + HOURS(2);
    next_list(5);
    UNIT_INT(n_orders, 1, "once");
    UNIT_INT(runs_newest(&c, 8)->delay_s, HOURS(2), "its wait");
    UNIT_INT(runs_newest(&c, 8)->released, 0, "and it is ours");
    tear_down();

    j = queue(",requeue=0", HOURS(6));
    planned(j, 3);
    next_list(0);
    UNIT_INT(n_orders, 0, "a short one begins as the plugin says");
    tear_down();
}

static void test_turn(void)
{
    struct slurm_job *j = queue(",requeue=0", HOURS(10));
    next_list(60);
    UNIT_INT(n_orders, 1, "it waits");
    UNIT_INT(orders[0].kind, ORDER_BEGIN, "by a begin time");
    UNIT_INT(orders[0].begin_s, NOW + HOURS(2), "until the hour is green");
    UNIT_INT(orders[0].replaces_s[0], NOW, "unless somebody else has a word");
    struct ledger_job *r = runs_newest(&c, 8);
    UNIT_INT(r->delay_s, HOURS(2) - 60, "its delay is Carnot's");
    UNIT_INT(r->latest_s, NOW + 60 + 172800, "and its allowance is what it may be");
    UNIT_INT(said("\"ev\":\"job.wait\",\"code\":\"GREENER_LATER\",\"job\":8"), 1, "said once");
    n_waiting = 1;
    next_list(1);
    UNIT_INT(n_orders, 1, "once");
    n_waiting = 0;
    restart(); /* the order is lost with the process */
    next_list(1);
    UNIT_INT(n_orders, 2, "and given again");
    UNIT_INT(orders[1].begin_s, NOW + HOURS(2), "the same");
    planner_ordered(&c, 8, NOW + HOURS(2), 1);
    j->eligible_s = NOW + HOURS(2);
    restart(); /* this time Slurm has it */
    next_list(1);
    UNIT_INT(n_orders, 2, "not again");
    UNIT_INT(runs_newest(&c, 8)->released, 0, "and it is no user's word");
    advance(HOURS(2));
    next_list(0);
    UNIT_INT(n_orders, 2, "green: it queues");
    advance(HOURS(12)); /* the queue was long */
    next_list(0);
    UNIT_INT(n_orders, 3, "its turn comes in a dirty hour again");
    UNIT_INT(orders[2].begin_s, NOW + HOURS(26), "until the next green one");
    UNIT_INT(runs_newest(&c, 8)->latest_s, NOW + 60 + 172800, "no later than it was told");
    UNIT_INT(runs_newest(&c, 8)->delay_s, HOURS(14) - 60 - 63, "both waits count");
    planner_ordered(&c, 8, NOW + HOURS(26), 1);
    j->eligible_s = NOW + HOURS(26);
    advance(HOURS(24));
    next_list(0);
    UNIT_INT(n_orders, 3, "too few green hours are left of what it was told: it queues");
    run_job(j);
    next_list(1);
    UNIT_INT(said("promise.missed"), 0, "no promise is missed");
    tear_down();
}

/* The order comes to nothing, or too late: the job has been started. */
static void test_turn_late(void)
{
    struct slurm_job *j = queue(",requeue=0", HOURS(10));
    next_list(60);
    planner_ordered(&c, 8, NOW + HOURS(2), 0);
    UNIT_INT(runs_newest(&c, 8)->planned_s, 0, "Slurm did not do it");
    next_list(60);
    UNIT_INT(n_orders, 2, "it is tried again");
    UNIT_INT(runs_newest(&c, 8)->delay_s, HOURS(2) - 120, "and counted once");
    run_job(j); /* its turn came first */
    next_list(1);
    UNIT_INT(runs_newest(&c, 8)->delay_s, 120, "it has not waited for us");
    UNIT_INT(n_orders, 2, "nothing to do");
    UNIT_INT(said("promise.missed"), 0, "no promise is missed");
    tear_down();
}

static void test_turn_left_alone(void)
{
    static const struct {
        const char *what, *note;
        int64_t limit_s;
        int held, bound, observe, spent_s, expected_s;
        uint64_t min_gain_ug;
        uint32_t cpus;
    } rows[] = {
        {"it cannot be paused", "", HOURS(10), 0, 0, 0, 0, 0, 0, 4000},
        {"it is short", ",requeue=0", HOURS(6), 0, 0, 0, 0, 0, 0, 4000},
        {"it is held", ",requeue=0", HOURS(10), 1, 0, 0, 0, 0, 0, 4000},
        {"it is in a reservation", ",requeue=0", HOURS(10), 0, 1, 0, 0, 0, 0, 4000},
        {"Carnot observes", ",requeue=0", HOURS(10), 0, 0, 1, 0, 0, 0, 4000},
        {"less than an hour of its allowance is left", ",requeue=0", HOURS(10), 0, 0, 0, 169400, 0,
         0, 4000},
        {"Slurm expects it later", ",requeue=0", HOURS(10), 0, 0, 0, 0, HOURS(2), 0, 4000},
        {"that saves too little", ",requeue=0", HOURS(10), 0, 0, 0, 0, 0, 1000000000, 4000},
        {"the site is full", ",requeue=0", HOURS(10), 0, 0, 0, 0, 0, 0, 1},
        {"it is to be done by then", ",requeue=1700036400", HOURS(10), 0, 0, 0, 0, 0, 0, 4000},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slurm_job *j = queue(rows[i].note, rows[i].limit_s);
        j->held = rows[i].held;
        j->bound = rows[i].bound;
        j->start_s = rows[i].expected_s ? NOW + rows[i].expected_s : 0;
        c.set.mode = rows[i].observe ? MODE_OBSERVE : MODE_ACT;
        c.set.policy.min_gain_ug = rows[i].min_gain_ug;
        list_cpus = rows[i].cpus;
        if (rows[i].cpus == 1)
            run_job(list_add(9, 0));
        apply();
        runs_newest(&c, 8)->spent_s = rows[i].spent_s;
        next_list(60);
        UNIT_INT(n_orders, 0, "%s", rows[i].what);
        tear_down();
    }
}

/* Time runs out in the middle of a list: the next one goes on there, by the newest samples still.
 */
static void test_slices(void)
{
    static const int ids = 8;
    queue("", HOURS(10));
    n_list = 0;
    for (int i = 0; i < ids; i++) {
        planned(list_add(8, 0), 3);
        list[i].job_id = 8 + (uint32_t)i;
        list[i].limit_s = HOURS(10);
    }
    next_list(0);
    UNIT_INT(n_orders, ids, "each begins by the rule");
    for (int i = 0; i < ids; i++) {
        planner_ordered(&c, list[i].job_id, orders[i].begin_s, 1);
        list[i].eligible_s = orders[i].begin_s;
    }
    advance(60);
    next_list(0);
    green_at(5);
    UNIT_INT(feed_watch_look(&c), 1, "a new forecast");
    n_orders = 0;
    clock_now.mono_step_ms = 30; /* with each look at the clock */
    apply();
    pauser_run(&c);
    UNIT_OK(n_orders > 0 && n_orders < ids, "not all at once: %d", n_orders);
    n_waiting = 1; /* they are under way: none is lost */
    for (int i = 0; i < ids; i++) {
        int before = n_orders;
        apply();
        pauser_run(&c);
        UNIT_OK(n_orders - before < ids, "nor then: %d", n_orders - before);
    }
    UNIT_INT(n_orders, ids, "but each is moved once");
    for (int i = 0; i < ids; i++)
        UNIT_INT(orders[i].begin_s, NOW + HOURS(5), "job %d", i);
    tear_down();
}

/* lambda is added to the threshold: who is in a hurry runs in dearer hours. */
static void test_lambda(void)
{
    static const struct {
        const char *policy;
        double g_per_h;
        int orders;
    } rows[] = {{"greenest", 10, 1}, {"balanced", 1, 1}, {"balanced", 10, 0}, {"asap", 0, 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char note[600], *policy;
        struct slurm_job *j = queue(",requeue=0", HOURS(10));
        policy = strstr(COMMENT(j), "policy=greenest");
        *policy = '\0';
        snprintf(note, sizeof(note), "%spolicy=%s%s", COMMENT(j), rows[i].policy,
                 policy + strlen("policy=greenest"));
        free(COMMENT(j));
        COMMENT(j) = strdup(note);
        c.set.policy.lambda_g_per_h = rows[i].g_per_h; /* 1 g an hour of 10 W: 100 g/kWh */
        next_list(60);
        UNIT_INT(n_orders, rows[i].orders, "%s, %g", rows[i].policy, rows[i].g_per_h);
        tear_down();
    }
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"first_piece", test_first_piece},
                                             {"turn", test_turn},
                                             {"turn_late", test_turn_late},
                                             {"left_alone", test_turn_left_alone},
                                             {"slices", test_slices},
                                             {"lambda", test_lambda},
                                             {NULL, NULL}};
    return unit_main(argc, argv, cases, "turn");
}
