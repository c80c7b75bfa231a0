/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What carnotctld learns of a user's jobs: which runs count, in what order, over a kill, within its
 * bound; and what of it the board and `why` say.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/history.h"
#include "carnotctld/ops.h"
#include "carnotctld/publisher.h"
#include "carnotctld/tracker.h"
#include "ctl_host.h"

#define ADA 4711 /* of list_add() */

static long long seq;

/* A job that runs for run_s and comes to this end; settled. With uj, its node measures that. */
static void ran(uint32_t id, const char *name, int64_t run_s, const char *state, uint64_t uj)
{
    n_list = 0;
    struct slurm_job *j = list_add(id, 0);
    j->submit_s = j->eligible_s = clock_now.wall_ms / 1000;
    snprintf(j->name, sizeof(j->name), "%s", name);
    run_job(j);
    apply();
    advance(run_s);
    if (uj) {
        json_t *r = one_record(++seq, id, uj);
        json_t *share = json_array_get(
            json_object_get(json_array_get(json_object_get(r, "records"), 0), "jobs"), 0);
        json_object_set_new(share, "quality", json_string("measured"));
        UNIT_INT(send_report(r, NULL), seq, "measured");
    }
    end_job(j);
    snprintf(j->state, sizeof(j->state), "%s", state);
    apply();
    advance(TRACKER_LEFTOVER_S + 1);
    apply();
    UNIT_INT(c.n_jobs, 0, "job %u is settled", id);
}

static void expect(const char *name, uint32_t n, uint32_t last_s, uint32_t before_s,
                   const char *what)
{
    const struct board_past *p = board_past_find(&c.board, ADA, name);
    if (!UNIT_OK(p != NULL, "%s: known", what))
        return;
    UNIT_INT(p->run_s[0], last_s, "%s: the last", what);
    UNIT_INT(p->run_s[1], before_s, "%s: the one before", what);
    UNIT_INT(p->n_runs, n, "%s: how many", what);
}

static void test_last(void)
{
    set_up();
    UNIT_INT(c.board.n_pasts, 0, "nobody has run yet");
    ran(1, "train", 100, "COMPLETED", 0);
    expect("train", 1, 100, 0, "one run");
    ran(2, "train", 200, "COMPLETED", 0);
    ran(3, "train", 300, "TIMEOUT", 0);
    expect("train", 3, 300, 200, "the last first, to the end of the limit too");
    ran(4, "eval", 50, "COMPLETED", 0);
    expect("eval", 1, 50, 0, "by name");
    expect("train", 3, 300, 200, "which another name does not change");
    expect("never", 4, 50, 300, "an unknown one: the user's");
    static const char *const others[] = {"CANCELLED", "FAILED",        "NODE_FAIL",
                                         "PREEMPTED", "OUT_OF_MEMORY", "BOOT_FAIL"};
    for (uint32_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        ran(10 + i, "train", 7, others[i], 0);
    expect("train", 3, 300, 200, "what went wrong says nothing");
    n_list = 0;
    run_job(list_add(20, 0));
    snprintf(list[0].name, sizeof(list[0].name), "train");
    list[0].submit_s = clock_now.wall_ms / 1000 - 1;
    apply();
    n_list = 0;
    advance(10);
    apply();
    advance(2 * TRACKER_LEFTOVER_S);
    apply();
    expect("train", 3, 300, 200, "nor does what Slurm forgot");
    UNIT_INT(c.board.n_pasts, 3, "the user, and two names");

    struct ctl_past before[3];
    memcpy(before, c.pasts, sizeof(before));
    restart();
    UNIT_INT(c.n_pasts, 3, "as many after a kill");
    UNIT_INT(memcmp(before, c.pasts, sizeof(before)), 0, "and the same");
    ran(30, "train", 400, "COMPLETED", 0);
    expect("train", 4, 400, 300, "and on");
    for (uint32_t i = 1; i <= BOARD_PAST_RUNS; i++)
        ran(30 + i, "train", 500 + i, "COMPLETED", 0);
    expect("train", BOARD_PAST_RUNS, 500 + BOARD_PAST_RUNS, 499 + BOARD_PAST_RUNS, "no more");
    snprintf(c.set.policy.lengths, sizeof(c.set.policy.lengths), "requested");
    UNIT_INT(publisher_build(&c, NULL), 0, "a site that does not want it");
    UNIT_INT(c.board.n_pasts, 0, "has no guesses on its board");
    tear_down();
}

/* How many lengths `place` has for a job of user ada's, asked by that uid. */
static size_t predicted(uint32_t uid)
{
    struct channel_peer peer = {.uid = uid};
    json_t *request = json_pack("{s:i,s:s,s:s,s:s,s:s,s:s}", "v", 1, "op", "place", "nodes", "1",
                                "time", "60", "user", "ada", "name", "train");
    json_t *a = ops_answer(&c, request, &peer);
    size_t n = json_array_size(json_object_get(json_object_get(a, "place"), "predicted_s"));
    UNIT_OK(json_is_true(json_object_get(a, "ok")), "%s",
            json_string_value(json_object_get(a, "error")));
    json_decref(a);
    json_decref(request);
    return n;
}

static void test_private(void)
{
    set_up();
    ran(1, "train", 100, "COMPLETED", 0);
    ran(2, "train", 200, "COMPLETED", 0);
    list_add(3, 0); /* so that the board knows who ada is */
    apply();
    c.board_ms = ctl_now_ms(&c);
    UNIT_INT(predicted(0), 3, "an operator is told of two runs, and the limit");
    UNIT_INT(predicted(ADA + 1), 1, "somebody else of the limit alone");
    tear_down();
}

/* One CPU, 100 s. */
static void test_power(void)
{
    set_up();
    seq = 0;
    ran(1, "train", 100, "COMPLETED", 500000000);
    UNIT_DBL(board_past_find(&c.board, ADA, "train")->cpu_w, 5, 1e-9, "5 W");
    ran(2, "train", 100, "COMPLETED", 900000000);
    UNIT_DBL(board_past_find(&c.board, ADA, "train")->cpu_w, 6, 1e-9, "a quarter of the way to 9");
    UNIT_DBL(board_past_find(&c.board, ADA, NULL)->cpu_w, 6, 1e-9, "of all his jobs");
    ran(3, "eval", 100, "COMPLETED", 0);
    UNIT_DBL(board_past_find(&c.board, ADA, "eval")->cpu_w, 0, 0, "nothing measured: not known");
    struct ctl_past before[3];
    memcpy(before, c.pasts, sizeof(before));
    restart();
    UNIT_INT(memcmp(before, c.pasts, sizeof(before)), 0, "the same after a kill");
    tear_down();
}

static struct ledger_job row(uint32_t uid, const char *name, int64_t end_s, int64_t run_s)
{
    struct ledger_job r = {.uid = uid,
                           .cpus = 2,
                           .start_s = end_s - run_s,
                           .end_s = end_s,
                           .measured_until_s = end_s,
                           .energy_uj = (uint64_t)(2 * 4 * run_s) * 1000000,
                           .quality = QUALITY_SPLIT,
                           .state = "COMPLETED",
                           .coverage = "cpu,dram"};
    snprintf(r.name, sizeof(r.name), "%s", name);
    return r;
}

static double learnt_w(const struct ledger_job *r)
{
    c.n_pasts = 0;
    history_note(&c, r);
    return c.n_pasts ? c.pasts[0].past.cpu_w : -1;
}

/* Which figures count for power, and what is made of odd ones. */
static void test_rows(void)
{
    set_up();
    struct ledger_job r = row(7, "", NOW, 100);
    UNIT_DBL(learnt_w(&r), 4, 1e-9, "split: watts of one CPU");
    UNIT_INT(c.n_pasts, 1, "a job without a name");
    r.quality = QUALITY_MODELLED;
    UNIT_DBL(learnt_w(&r), 0, 0, "modelled");
    r.quality = QUALITY_STALE;
    UNIT_DBL(learnt_w(&r), 0, 0, "stale");
    r = row(7, "", NOW, 100);
    snprintf(r.coverage, sizeof(r.coverage), "cpu,gpu");
    UNIT_DBL(learnt_w(&r), 4, 1e-9, "of no GPU, on a node that has some");
    r.gpus = 1;
    UNIT_DBL(learnt_w(&r), 0, 0, "with one, it is not that of CPUs");
    UNIT_DBL(c.pasts[0].past.gpu_w, 8, 1e-9, "but of a GPU and its CPUs");
    static const char *const others[] = {"cpu", "cpu,dram,board", "node"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        snprintf(r.coverage, sizeof(r.coverage), "%s", others[i]);
        UNIT_DBL(learnt_w(&r), 0, 0, "%s: not of CPUs", others[i]);
        UNIT_DBL(c.pasts[0].past.gpu_w, 0, 0, "%s: nor of GPUs", others[i]);
    }
    r.gpus = LEDGER_GPUS_UNKNOWN;
    UNIT_DBL(learnt_w(&r), 0, 0, "of an older ledger");
    UNIT_INT(c.pasts[0].past.run_s[0], 100, "but a length");
    r.gpus = 0;
    snprintf(r.coverage, sizeof(r.coverage), "dram");
    UNIT_DBL(learnt_w(&r), 0, 0, "no CPUs in it");
    snprintf(r.coverage, sizeof(r.coverage), "dram,node");
    UNIT_DBL(learnt_w(&r), 4, 1e-9, "the node's own meter");
    r.cpus = 0;
    UNIT_DBL(learnt_w(&r), 0, 0, "no CPUs known");
    r = row(7, "", NOW, 59);
    UNIT_DBL(learnt_w(&r), 0, 0, "too short for whole seconds");
    UNIT_INT(c.pasts[0].past.run_s[0], 59, "but a length");
    r = row(7, "", NOW, 200);
    r.measured_until_s = NOW - 100;
    UNIT_DBL(learnt_w(&r), 8, 1e-9, "over what was measured");
    r.measured_until_s = 0;
    UNIT_DBL(learnt_w(&r), 0, 0, "never");
    r = row(7, "", NOW, 100);
    r.energy_uj = UINT64_MAX;
    UNIT_DBL(learnt_w(&r), 0, 0, "more than a board may say");
    r = row(7, "", NOW, 0);
    UNIT_DBL(learnt_w(&r), 0, 0, "no time at all");
    UNIT_INT(c.pasts[0].past.run_s[0], 1, "counts as a second");
    r.start_s = NOW + 5;
    UNIT_DBL(learnt_w(&r), -1, 0, "an end before its start");
    r.start_s = 0;
    UNIT_DBL(learnt_w(&r), -1, 0, "never started");
    r.start_s = 1;
    r.end_s = INT64_MAX;
    (void)learnt_w(&r);
    UNIT_INT(c.pasts[0].past.run_s[0], INT32_MAX, "an absurd length fits");
    UNIT_INT(publisher_build(&c, NULL), 0, "on a board");
    tear_down();
}

/* Settled late, with its end before those of others. */
static void test_order(void)
{
    set_up();
    struct ledger_job a = row(7, "x", NOW, 10), b = row(7, "x", NOW + 5, 20);
    struct ledger_job late = row(7, "x", NOW + 1, 30), older = row(7, "x", NOW - 1, 40);
    for (int i = 0; i < BOARD_PAST_RUNS - 2; i++) {
        struct ledger_job full = row(7, "x", NOW, 50 + i);
        history_note(&c, &full);
    }
    history_note(&c, &b);
    history_note(&c, &a);
    UNIT_INT(c.pasts[0].past.run_s[0], 20, "the last by its end");
    UNIT_INT(c.pasts[0].past.run_s[1], 10, "the one before");
    history_note(&c, &late);
    UNIT_INT(c.pasts[0].past.run_s[0] * 100 + c.pasts[0].past.run_s[1], 2030, "in between");
    history_note(&c, &older);
    UNIT_INT(c.pasts[0].past.run_s[0] * 100 + c.pasts[0].past.run_s[1], 2030, "too old");
    history_note(&c, &b);
    history_note(&c, &late);
    UNIT_INT(c.pasts[0].past.run_s[0] * 100 + c.pasts[0].past.run_s[1], 2030, "settled again");
    tear_down();
}

static void test_bound(void)
{
    set_up();
    const uint32_t users = 2 * BOARD_PASTS_MAX;
    for (uint32_t i = 0; i < users; i++) {
        struct ledger_job r = row(i * 2654435761u, "x", NOW + i, 60);
        history_note(&c, &r);
        if (c.n_pasts > BOARD_PASTS_MAX) {
            UNIT_OK(0, "more than fit");
            break;
        }
    }
    UNIT_INT(publisher_build(&c, NULL), 0, "as a board wants them: sorted, no more than it holds");
    UNIT_INT(c.board.n_pasts, c.n_pasts, "all that are known");
    for (uint32_t i = users - 1000; i < users; i++)
        UNIT_OK(board_past_find(&c.board, i * 2654435761u, "x") != NULL, "user %u is known", i);
    UNIT_OK(!board_past_find(&c.board, 0, "x"), "who ran long ago is forgotten");
    tear_down();
}

static void test_why(void)
{
    set_up();
    struct asker who = {.ctl = &c, .peer = &reporter, .user = "root", .is_operator = 1};
    struct err e = {.text = ""};
    ran(1, "train", 3840, "COMPLETED", 0);
    ran(2, "train", 4560, "COMPLETED", 0);
    n_list = 0;
    struct slurm_job *j = list_add(7, 70);
    j->submit_s = clock_now.wall_ms / 1000;
    j->limit_s = 4 * 3600;
    snprintf(j->name, sizeof(j->name), "train");
    apply();
    json_t *request = json_pack("{s:s,s:i}", "op", "why", "job", 7);
    json_t *a = op_why(&who, request, &e);
    const json_t *length = json_object_get(json_object_get(a, "job"), "length");
    UNIT_INT(json_integer_value(json_object_get(length, "likely_s")), 4200, "the mean");
    UNIT_INT(json_integer_value(json_object_get(length, "limit_s")), 4 * 3600, "the limit");
    UNIT_STR(json_string_value(json_object_get(length, "runs_of")), "train", "of that name");
    UNIT_INT(json_integer_value(json_array_get(json_object_get(length, "runs_s"), 0)), 4560,
             "the last first");
    UNIT_INT(json_array_size(json_object_get(length, "predicted_s")), 3, "three lengths");
    UNIT_OK(json_is_null(json_object_get(length, "cpu_w")), "no watts measured");
    json_decref(a);
    snprintf(list[0].name, sizeof(list[0].name), "eval");
    apply();
    a = op_why(&who, request, &e);
    length = json_object_get(json_object_get(a, "job"), "length");
    UNIT_OK(json_is_null(json_object_get(length, "runs_of")), "of all his jobs");
    UNIT_INT(json_array_size(json_object_get(length, "runs_s")), 2, "two");
    json_decref(a);
    list[0].uid = 99;
    list[0].job_id = 8;
    apply();
    json_object_set_new(request, "job", json_integer(8));
    a = op_why(&who, request, &e);
    length = json_object_get(json_object_get(a, "job"), "length");
    UNIT_INT(json_array_size(json_object_get(length, "runs_s")), 0, "of a new user");
    UNIT_INT(json_integer_value(json_object_get(length, "likely_s")), 4 * 3600, "the limit");
    json_decref(a);
    json_decref(request);
    tear_down();
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"last", test_last},   {"private", test_private},
                                             {"power", test_power}, {"rows", test_rows},
                                             {"order", test_order}, {"bound", test_bound},
                                             {"why", test_why},     {NULL, NULL}};
    return unit_main(argc, argv, cases, "ctl_history");
}
