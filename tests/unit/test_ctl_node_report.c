/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records from the nodes: whose they are, and what must not be believed.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/nodes.h"
#include "carnotctld/runs.h"
#include "common/when.h"
#include "ctl_host.h"

static void test_unknown_job(void)
{
    set_up();
    list_add(7, 0);
    apply();
    advance(2);
    UNIT_INT(report(5, 99, 1000000), 0, "not in the list yet: not acknowledged");
    UNIT_INT(n_pokes, 1, "the list is asked for");
    struct slurm_job *j = list_add(99, 0);
    run_job(j);
    apply();
    UNIT_INT(report(5, 99, 1000000), 5, "now it is");
    UNIT_INT(runs_at(&c, 99, NOW + 100)->energy_uj, 1000000, "to the job");
    advance(1);
    UNIT_INT(report(6, 77, 1000000), 5, "another that never was");
    advance(6);
    apply();
    clock_now.wall_ms -= 6000; /* the same record again, the list is newer by now */
    UNIT_INT(report(6, 77, 1000000), 6, "counted to its user");
    struct ledger_job row;
    struct job_key key = {77, UINT32_MAX, 0};
    UNIT_INT(ledger_job_get(c.ledger, key, &row, NULL), 1, "a row");
    UNIT_STR(row.state, "UNKNOWN", "of which nothing more is known");
    UNIT_INT(row.energy_uj, 1000000, "nothing is lost");
    run_job(&list[0]);
    snprintf(list[0].nodelist, sizeof(list[0].nodelist), "n2");
    apply();
    UNIT_INT(report(7, 7, 1000000), 7, "a job that never ran on that node");
    UNIT_INT(runs_at(&c, 7, NOW + 100)->energy_uj, 0, "is not charged");
    tear_down();
}

static long long report_begun(long long seq, uint32_t job, uint64_t uj, int64_t begun_s)
{
    struct err e = {.text = ""};
    char begun[40];
    json_t *request = one_record(seq, job, uj);
    json_t *record = json_array_get(json_object_get(request, "records"), 0);
    json_t *entry = json_array_get(json_object_get(record, "jobs"), 0);
    when_format_rfc3339(begun, sizeof(begun), begun_s);
    json_object_set_new(entry, "begun", json_string(begun));
    return send_report(request, &e);
}

/* slurmctld gave a number away twice, and was killed before a list had shown the second job: the
 * node that it had begun on names it for minutes, and the first job has ended there long since. */
static void test_never_listed(void)
{
    struct slurm_job *j;
    set_up();
    grant(10000);
    j = list_add(7, 0);
    run_job(j);
    apply();
    advance(2);
    UNIT_INT(report_begun(1, 7, 1000000, NOW + 1), 1, "its own");
    end_job(j);
    apply();
    int64_t end_s = j->end_s;
    apply();
    for (int i = 0; i < 3; i++) {
        advance(6);
        apply();
        clock_now.wall_ms -= 5000; /* the list is younger */
        UNIT_INT(report_begun(2 + i, 7, 1000000, end_s + 4), 2 + i, "nobody's");
        clock_now.wall_ms += 5000;
        UNIT_INT(bio().charged, 1000000, "not the first one's");
    }
    advance(2);
    UNIT_INT(report_begun(5, 7, 1000000, end_s + 4), 4, "a list may be about to show it");
    UNIT_INT(report_begun(5, 7, 1000000, end_s + 1), 5, "clocks differ a little");
    UNIT_INT(bio().charged, 2000000, "so this is its own");
    j->submit_s = end_s + 3;
    j->phase = PHASE_PENDING;
    COMMENT(j)[strlen("carnot:v=1,id=")] ^= 1;
    snprintf(j->state, sizeof(j->state), "PENDING");
    j->start_s = j->end_s = 0;
    j->nodelist[0] = '\0';
    apply();
    run_job(j);
    apply();
    UNIT_INT(report_begun(6, 7, 1000000, end_s + 4), 6, "a list shows one that began then");
    UNIT_INT(runs_at(&c, 7, NOW + 1000)->energy_uj, 1000000, "and it is that one's");
    tear_down();
}

/* slurmctld lost a job in a kill, and its node goes on with it. */
static void test_lost(void)
{
    struct ledger_job row;
    struct job_key key = {7, 0, NOW};
    set_up();
    grant(10000);
    struct slurm_job *j = list_add(7, 0);
    j->limit_s = 60;
    run_job(j);
    apply();
    int64_t start_s = j->start_s;
    n_list = 0;
    advance(2);
    apply();
    for (int i = 1; i < 60; i++) {
        UNIT_INT(report(i, 7, 1000000), i, "its node names it");
        advance(2);
        apply();
    }
    UNIT_INT(ledger_job_get(c.ledger, key, &row, NULL), 1, "the lost one");
    UNIT_STR(row.state, "GONE", "as it is called");
    int64_t counted_s = start_s + 60 - NOW; /* a record each two seconds, the first one at two */
    UNIT_INT(row.energy_uj, counted_s / 2 * 1000000, "until its limit");
    tear_down();
}

/* A node names a job of which the list knows only another one with the same number, submitted in
 * the second in which the node's began. */
static void test_same_number(void)
{
    set_up();
    grant(10000);
    struct slurm_job *j = list_add(7, 0);
    j->submit_s = NOW;
    apply();
    clock_now.wall_ms += 2000;
    clock_now.mono_ms += 2000;
    json_t *record = one_record(1, 7, 5000000);
    advance(6);
    apply();
    struct err e = {.text = ""};
    UNIT_INT(send_report(record, &e), 1, "%s", e.text);
    UNIT_STR(runs_newest(&c, 7)->account, "bio", "the list's job is what it was");
    UNIT_INT(bio().charged, 0, "and pays nothing");
    UNIT_INT(bio().reserved, 600000000, "what it reserved stays");
    struct ledger_job row;
    struct job_key key = {7, 0, NOW};
    UNIT_INT(ledger_job_get(c.ledger, key, &row, NULL), 1, "its row");
    UNIT_STR(row.state, "PENDING", "is its own");
    tear_down();
}

static void test_bad_records(void)
{
    static const char *const bad[] = {
        "{\"seq\":1}",
        "[]",
        "3",
        "{\"seq\":1,\"ts\":\"x\",\"dt_ms\":1,\"uj\":0,\"idle_uj\":0,\"system_uj\":0,\"jobs\":[]}",
        "{\"seq\":1,\"ts\":\"2023-11-14T22:13:20Z\",\"dt_ms\":1000,\"uj\":9,\"idle_uj\":1,\"system_"
        "uj\":1,\"jobs\":[]}",
        "{\"seq\":1,\"ts\":\"2023-11-14T22:13:20Z\",\"dt_ms\":99999999,\"uj\":0,\"idle_uj\":0,"
        "\"system_uj\":0,\"jobs\":[]}",
        "{\"seq\":1,\"ts\":\"2023-11-14T22:13:20Z\",\"dt_ms\":1000,\"uj\":900000000000,\"idle_uj\":"
        "900000000000,\"system_uj\":0,\"jobs\":[]}",
        "{\"seq\":1,\"ts\":\"2023-11-14T22:13:20Z\",\"dt_ms\":1000,\"uj\":-1,\"idle_uj\":0,"
        "\"system_uj\":0,\"jobs\":[]}",
        "{\"seq\":1,\"ts\":\"2023-11-14T22:13:20Z\",\"dt_ms\":1000,\"uj\":5,\"idle_uj\":0,\"system_"
        "uj\":0,\"jobs\":[{\"uj\":\"5\"}]}",
        "{\"seq\":-1,\"ts\":\"2023-11-14T22:13:20Z\",\"dt_ms\":1000,\"uj\":0,\"idle_uj\":0,"
        "\"system_uj\":0,\"jobs\":[]}",
    };
    set_up();
    apply();
    struct asker who = {.ctl = &c, .peer = &reporter, .user = "root", .is_operator = 1};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err e = {.text = ""};
        json_t *record = json_loads(bad[i], JSON_DECODE_ANY, NULL);
        json_t *request =
            json_pack("{s:s,s:s,s:[o]}", "node", "n1", "version", "0", "records", record);
        json_t *answer = op_report(&who, request, &e);
        UNIT_OK(answer != NULL, "row %zu: %s", i, e.text);
        json_decref(answer);
        json_decref(request);
    }
    struct ledger_node *nodes = NULL;
    size_t n = 0;
    ledger_node_list(c.ledger, &nodes, &n, NULL);
    UNIT_OK(n == 0 || nodes[0].node_uj == 0, "nothing was counted");
    free(nodes);
    json_t *evil = json_pack("{s:s,s:[]}", "node", "../../etc", "records");
    struct err e = {.text = ""};
    UNIT_OK(op_report(&who, evil, &e) == NULL, "a node's name is a name");
    json_decref(evil);
    tear_down();
}

/* A report counts only from its node: by munge's word or by the connection. */
static void test_origin(void)
{
    static const struct {
        const char *origin, *far;
        uid_t uid;
        long long acked;
    } rows[] = {
        {"10.0.0.9", "10.0.0.9", 0, -1},  /* another node, or none */
        {"127.0.1.1", "10.0.0.9", 0, -1}, /* munged says nothing, the connection does */
        {"0.0.0.0", "10.0.0.9", 0, -1},
        {"10.0.0.1", "10.0.0.1", 1000, -1}, /* an operator is not root of a node */
        {"10.0.0.9", "10.0.0.9", 998, -1},  /* carnotd's user, of another node */
        {"10.0.0.5", "10.0.0.9", 0, 0},     /* to be looked up: later */
        {"10.0.0.9", "10.0.0.5", 0, 0},
        {"127.0.1.1", "10.0.0.5", 0, 0},
        {"127.0.0.1", "10.0.0.1", 0, 1},
        {"10.0.0.1", "10.0.0.9", 0, 2},   /* two addresses, Slurm knows the one */
        {"10.0.0.9", "10.0.0.1", 0, 3},   /* or the other */
        {"10.0.0.1", "10.0.0.1", 998, 4}, /* carnotd's user */
    };
    struct err e = {.text = ""};
    set_up();
    run_job(list_add(7, 0));
    apply();
    advance(2);
    c.node_uid = 998;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reporter = (struct channel_peer){
            .uid = rows[i].uid, .origin = address(rows[i].origin), .far = address(rows[i].far)};
        long long seq = rows[i].acked > 0 ? rows[i].acked : 1;
        UNIT_INT(send_report(one_record(seq, 7, 1000000), &e), rows[i].acked, "row %zu", i);
        UNIT_INT(c.n_nodes, rows[i].acked > 0, "row %zu: heard of only if it counts", i);
    }
    struct ledger_job *row = runs_at(&c, 7, NOW);
    UNIT_INT(row->energy_uj, 4000000, "four counted");
    c.set.controller.check_origin = 0;
    reporter.origin = reporter.far = address("10.0.0.9");
    UNIT_INT(send_report(one_record(5, 7, 1000000), &e), 5, "the site does not want to know");
    tear_down();
}

/* Sums that only come out right because they wrap. */
static void test_report_overflow(void)
{
    struct err e = {.text = ""};
    json_int_t huge = INT64_MAX;
    set_up();
    grant(10000);
    run_job(list_add(7, 0));
    apply();
    advance(2);
    json_t *request = one_record(1, 7, 1000000);
    json_t *record = json_array_get(json_object_get(request, "records"), 0);
    json_t *jobs = json_object_get(record, "jobs");
    json_object_set_new(record, "idle_uj", json_integer(0));
    json_object_set_new(record, "system_uj", json_integer(1000030));
    json_object_set_new(json_array_get(jobs, 0), "uj", json_integer(huge));
    for (int i = 0; i < 2; i++) /* huge + huge + 2 is 2 to the power of 64 */
        json_array_append_new(jobs, json_pack("{s:i,s:i,s:I}", "job", 7, "uid", 4711, "uj",
                                              i ? (json_int_t)2 : huge));
    UNIT_INT(send_report(request, &e), 1, "passed over");
    UNIT_INT(bio().charged, 0, "and not counted");
    request = one_record(2, 7, 1000000);
    record = json_array_get(json_object_get(request, "records"), 0);
    json_object_set_new(record, "idle_uj", json_integer(huge));
    json_object_set_new(record, "system_uj", json_integer(huge));
    json_object_set_new(json_array_get(json_object_get(record, "jobs"), 0), "uj",
                        json_integer(1000030 - 1000028));
    json_array_append_new(json_object_get(record, "jobs"),
                          json_pack("{s:i,s:i,s:i}", "job", 7, "uid", 4711, "uj", 1000030));
    UNIT_INT(send_report(request, &e), 2, "passed over, too");
    UNIT_INT(bio().charged, 0, "nor this one");
    tear_down();
}

/* What is wrong with a node's sources is known by its last record, whatever a node writes there. */
static void test_troubles(void)
{
    struct err e = {.text = ""};
    set_up();
    json_t *request = one_record(1, 7, 0), *sources;
    json_t *record = json_array_get(json_object_get(request, "records"), 0);
    sources = json_pack("[{s:s,s:s},{s:s,s:s,s:s},{s:s,s:s},{s:i},i]", "name", "rapl:package-0",
                        "state", "ok", "name", "rapl:\x1b[2J", "state", "missing", "error",
                        "Permission denied", "name", "psu", "state", "stale", "state", 5, 7);
    json_object_set_new(json_object_get(record, "jobs") ? record : NULL, "sources", sources);
    json_object_set_new(record, "jobs", json_array());
    json_object_set_new(record, "uj", json_integer(30));
    UNIT_INT(send_report(request, &e), 1, "%s", e.text);
    const struct ctl_node *n = nodes_find(&c, "n1");
    const json_t *bad = json_array_get(n->troubles, 0);
    UNIT_INT(json_array_size(n->troubles), 2, "two of five");
    UNIT_STR(json_string_value(json_object_get(bad, "name")), "rapl:?[2J", "fit for a terminal");
    UNIT_STR(json_string_value(json_object_get(bad, "error")), "Permission denied", "why");
    advance(10);
    UNIT_INT(report(2, 7, 0), 1, "not known yet: asked again");
    UNIT_INT(json_array_size(nodes_find(&c, "n1")->troubles), 2, "as long as nothing newer counts");
    tear_down();
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"unknown_job", test_unknown_job},
                                             {"never_listed", test_never_listed},
                                             {"lost", test_lost},
                                             {"same_number", test_same_number},
                                             {"bad_records", test_bad_records},
                                             {"origin", test_origin},
                                             {"report_overflow", test_report_overflow},
                                             {"troubles", test_troubles},
                                             {NULL, NULL}};
    return unit_main(argc, argv, cases, "node_report");
}
