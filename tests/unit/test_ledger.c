/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Job rows, records from the nodes, transactions, and what else the ledger
 * keeps. Budgets have test_budget, kills and broken files test_ledger_faults.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/ledger.h"
#include "unit.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define T0 1795510800 /* 2026-11-24T09:00:00Z */
#define EVIL "x'); DROP TABLE job;--\xff\xfe\"%s%n\\"

static ledger_t *_open(void)
{
    struct err e = {""};
    ledger_t *l = ledger_open(":memory:", &e);

    UNIT_OK(l != NULL, "%s", e.text);
    return l;
}

/* Each field another value, at its limits where it has some. */
static struct ledger_job _full_job(uint32_t id)
{
    struct ledger_job j;

    memset(&j, 0, sizeof(j)); /* padding too: compared by memcmp */
    j.key = (struct job_key){id, 3, T0};
    j.array_job_id = UINT32_MAX;
    j.array_task = -1;
    j.decision = 0xfedcba9876543210ULL;
    j.uid = UINT32_MAX - 1;
    (void)snprintf(j.user, sizeof(j.user), "%s", EVIL);
    memset(j.account, 'a', sizeof(j.account) - 1);
    (void)snprintf(j.partition, sizeof(j.partition), "gpu,cpu");
    (void)snprintf(j.name, sizeof(j.name), "Modèle 気候");
    (void)snprintf(j.run, sizeof(j.run), "lm-7b");
    (void)snprintf(j.state, sizeof(j.state), "RUNNING");
    memset(j.nodelist, 'n', sizeof(j.nodelist) - 1);
    j.nodes = 1001;
    j.cpus = 1002;
    j.tasks = 1003;
    j.limit_s = 1004;
    j.start_s = 1005;
    j.end_s = 1006;
    j.planned_s = 1007;
    j.latest_s = 1008;
    j.begin_set_s = 1009;
    j.released = 1;
    j.delay_s = -1010;
    j.reserved_uj = INT64_MAX;
    j.reserved_ug = 1011;
    j.limit_uj = 1012;
    j.limit_ug = 1013;
    j.action = 2;
    j.enforce_step = 3;
    j.enforce_s = 1014;
    j.estimate_uj = 1015;
    j.estimate_ug = 1016;
    j.estimate_now_ug = 1017;
    j.energy_uj = 1018;
    j.carbon_ug = 1019;
    j.asap_ug = 1020;
    j.modelled_uj = 1021;
    j.split_uj = 1022;
    j.quality = QUALITY_SPLIT;
    (void)snprintf(j.coverage, sizeof(j.coverage), "cpu,dram");
    j.measured_until_s = 1023;
    j.live = 1;
    j.settled = 0;
    return j;
}

static struct ledger_job _job(uint32_t id, int64_t submit_s, const char *user, const char *account)
{
    struct ledger_job j = {.key = {id, 0, submit_s}, .array_task = -1, .tasks = 1, .live = 1};

    (void)snprintf(j.user, sizeof(j.user), "%s", user);
    (void)snprintf(j.account, sizeof(j.account), "%s", account);
    return j;
}

static void _put(ledger_t *l, const struct ledger_job *j)
{
    struct err e = {""};

    UNIT_INT(ledger_job_put(l, j, &e), 0, "%s", e.text);
}

static struct ledger_job _get(ledger_t *l, uint32_t id)
{
    struct ledger_job j = {0};
    struct err e = {""};

    UNIT_INT(ledger_job_get(l, (struct job_key){id, (uint32_t)-1, 0}, &j, &e), 1, "%s", e.text);
    return j;
}

/* Settled runs among the last that ended, in order of their ends. */
static void test_past(void)
{
    ledger_t *l = _open();
    struct ledger_past *runs = NULL;
    struct err e = {""};
    size_t n = 9;

    UNIT_INT(ledger_past_list(l, 10, &runs, &n, &e), 0, "%s", e.text);
    UNIT_INT(n, 0, "none yet");
    free(runs);
    for (uint32_t id = 1; id <= 6; id++) {
        struct ledger_job j = _full_job(id);

        j.uid = 1000 + id;
        j.start_s = 100;
        j.end_s = id == 6 ? 0 : 500 - 10 * id; /* 6 runs yet */
        j.live = 0;
        j.settled = id != 2;
        _put(l, &j);
    }
    UNIT_INT(ledger_past_list(l, 4, &runs, &n, &e), 0, "%s", e.text);
    UNIT_INT(n, 3, "of the last four one is not settled");
    UNIT_INT(runs[0].uid, 1004, "the earliest end first");
    UNIT_INT(runs[2].uid, 1001, "the latest last");
    struct ledger_job j = _full_job(1);
    UNIT_STR(runs[2].name, j.name, "name");
    UNIT_STR(runs[2].state, j.state, "state");
    UNIT_STR(runs[2].coverage, "cpu,dram", "coverage");
    UNIT_INT(runs[2].start_s, 100, "start");
    UNIT_INT(runs[2].end_s, 490, "end");
    UNIT_INT(runs[2].cpus, j.cpus, "cpus");
    UNIT_INT(runs[2].energy_uj, 1018, "energy");
    UNIT_INT(runs[2].measured_until_s, 1023, "until");
    UNIT_INT(runs[2].quality, QUALITY_SPLIT, "quality");
    free(runs);
    ledger_close(l);
}

static void test_quality_names(void)
{
    for (int q = QUALITY_NONE; q <= QUALITY_STALE; q++)
        UNIT_INT(ledger_quality_parse(ledger_quality_name((enum ledger_quality)q)), q, "%d", q);
    UNIT_STR(ledger_quality_name((enum ledger_quality)9), "none", "unknown");
    UNIT_INT(ledger_quality_parse("Measured"), -1, "case counts");
    UNIT_INT(ledger_quality_parse(""), -1, "empty");
    UNIT_INT(ledger_quality_parse(NULL), -1, "NULL");
}

static void test_job_round_trip(void)
{
    struct ledger_job j = _full_job(81234), got;
    ledger_t *l = _open();
    struct err e = {""};

    _put(l, &j);
    memset(&got, 0x55, sizeof(got));
    UNIT_INT(ledger_job_get(l, j.key, &got, &e), 1, "%s", e.text);
    UNIT_INT(memcmp(&got, &j, sizeof(j)), 0, "every field comes back");
    UNIT_STR(got.user, EVIL, "bound, never part of the statement");
    ledger_close(l);
}

/* A put of a row that exists: what Slurm says changes, what was consumed and enforced does not. */
static void test_job_put_again(void)
{
    struct ledger_job j = _full_job(5), next, got;
    ledger_t *l = _open();

    _put(l, &j);
    memset(&next, 0, sizeof(next));
    next.key = j.key;
    next.live = 1;
    (void)snprintf(next.state, sizeof(next.state), "COMPLETED");
    _put(l, &next);
    got = _get(l, 5);
    next.energy_uj = j.energy_uj;
    next.carbon_ug = j.carbon_ug;
    next.asap_ug = j.asap_ug;
    next.modelled_uj = j.modelled_uj;
    next.split_uj = j.split_uj;
    next.quality = j.quality;
    memcpy(next.coverage, j.coverage, sizeof(j.coverage));
    next.measured_until_s = j.measured_until_s;
    next.enforce_step = j.enforce_step;
    next.enforce_s = j.enforce_s;
    UNIT_INT(memcmp(&got, &next, sizeof(got)), 0, "kept and changed as said");
    ledger_close(l);
}

static void test_job_get(void)
{
    static const struct {
        struct job_key key;
        int found;
        uint32_t restart;
        int64_t submit_s;
    } rows[] = {
        {{7, 0, T0}, 1, 0, T0},
        {{7, 2, T0}, 1, 2, T0},
        {{7, UINT32_MAX, T0}, 1, 2, T0},     /* newest run of that submission */
        {{7, UINT32_MAX, 0}, 1, 1, T0 + 50}, /* newest of the id, used again */
        {{7, 0, 0}, 1, 0, T0 + 50},          /* first run of the newest */
        {{7, 2, 0}, 1, 2, T0},               /* only the old one had a third run */
        {{7, 3, T0}, 0, 0, 0},
        {{7, UINT32_MAX, T0 + 1}, 0, 0, 0},
        {{8, UINT32_MAX, 0}, 0, 0, 0},
    };
    static const struct job_key keys[] = {{7, 0, T0},      {7, 1, T0},      {7, 2, T0},
                                          {7, 0, T0 + 50}, {7, 1, T0 + 50}, {9, 9, T0 + 99}};
    ledger_t *l = _open();
    struct err e = {""};

    for (size_t i = 0; i < N(keys); i++) {
        struct ledger_job j = {.key = keys[i]};

        _put(l, &j);
    }
    for (size_t i = 0; i < N(rows); i++) {
        struct ledger_job got = {.key = {1, 1, 1}};

        UNIT_INT(ledger_job_get(l, rows[i].key, &got, &e), rows[i].found, "row %zu", i);
        UNIT_INT(got.key.restart, rows[i].found ? rows[i].restart : 1, "row %zu", i);
        UNIT_INT(got.key.submit_s, rows[i].found ? rows[i].submit_s : 1, "row %zu", i);
    }
    ledger_close(l);
}

/* Ids of a list as text. */
static void _list(ledger_t *l, const struct ledger_query *q, const char *want, int row)
{
    struct ledger_job *list = NULL;
    struct err e = {""};
    char got[256] = "";
    size_t n = 0, used = 0;

    if (!UNIT_INT(ledger_job_list(l, q, &list, &n, &e), 0, "row %d: %s", row, e.text))
        return;
    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(got + used, sizeof(got) - used, "%u ", list[i].key.job_id);
    UNIT_STR(got, want, "row %d", row);
    free(list);
}

/* A piece is the beginning of what is left, also where rows of one second came in any order: who
 * asks for one more than he shows must not drop another one. */
static void test_job_pieces(void)
{
    static const uint32_t ids[] = {20, 23, 21, 22};
    ledger_t *l = _open();

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct ledger_job j = _job(ids[i], T0, "anna", "bio");
        _put(l, &j);
    }
    _list(l, &(struct ledger_query){0}, "22 21 23 20 ", 0);
    _list(l, &(struct ledger_query){.limit = 3}, "22 21 23 ", 1);
    _list(l, &(struct ledger_query){.limit = 3, .offset = 2}, "23 20 ", 2);
    _list(l, &(struct ledger_query){.live_only = 1, .limit = 3}, "22 21 23 ", 3);
    ledger_close(l);
}

static void test_job_list(void)
{
    static const struct {
        struct ledger_query q;
        const char *want;
    } rows[] = {
        {{0}, "14 13 12 11 10 "},
        {{.limit = 2}, "14 13 "},
        {{.limit = 2, .offset = 2}, "12 11 "}, /* the pieces of a list are the list */
        {{.limit = 2, .offset = 4}, "10 "},
        {{.limit = 2, .offset = 5}, ""},
        {{.offset = SIZE_MAX}, ""},
        {{.live_only = 1, .limit = 1, .offset = 1}, "12 "},
        {{.user = "anna"}, "14 12 10 "},
        {{.user = "anna", .limit = 1}, "14 "},
        {{.user = "Anna"}, ""},
        {{.user = "anna' OR 1=1 --"}, ""},
        {{.account = "bio"}, "12 11 10 "},
        {{.user = "anna", .account = "bio"}, "12 10 "},
        {{.account = ""}, "14 "},
        {{.job_id = 12}, "12 "},
        {{.job_id = 500}, "13 11 "}, /* tasks of an array */
        {{.job_id = 500, .user = "ben"}, "13 11 "},
        {{.job_id = 500, .user = "anna"}, ""},
        {{.job_id = 99}, ""},
        {{.live_only = 1}, "14 12 11 "},
        {{.live_only = 1, .user = "anna"}, "14 12 "},
        {{.live_only = 1, .account = "bio", .limit = 1}, "12 "},
        {{.since_s = T0 + 1000}, "14 12 11 "}, /* ended later, or not ended */
        {{.since_s = T0 + 1000, .user = "anna"}, "14 12 "},
        {{.since_s = T0 + 99}, "14 13 12 11 10 "},
        {{.since_s = T0 + 100}, "14 13 12 11 "}, /* 10 ended then, not after */
    };
    ledger_t *l = _open();
    struct err e = {""};

    for (uint32_t id = 10; id < 15; id++) {
        struct ledger_job j = _job(id, T0 + id, id % 2 ? "ben" : "anna", id < 13 ? "bio" : "chem");

        j.array_job_id = id % 2 ? 500 : 0;
        if (id == 14)
            j.account[0] = '\0';
        _put(l, &j);
    }
    UNIT_INT(ledger_job_end(l, (struct job_key){10, 0, T0 + 10}, "COMPLETED", T0 + 100, &e), 0,
             "%s", e.text);
    UNIT_INT(ledger_job_settle(l, (struct job_key){10, 0, T0 + 10}, 0, 0, &e), 1, "%s", e.text);
    UNIT_INT(ledger_job_end(l, (struct job_key){13, 0, T0 + 13}, "FAILED", T0 + 200, &e), 0, "%s",
             e.text);
    UNIT_INT(ledger_job_settle(l, (struct job_key){13, 0, T0 + 13}, 0, 0, &e), 1, "%s", e.text);
    UNIT_INT(ledger_job_end(l, (struct job_key){11, 0, T0 + 11}, "FAILED", T0 + 3000, &e), 0, "%s",
             e.text);
    for (size_t i = 0; i < N(rows); i++)
        _list(l, &rows[i].q, rows[i].want, (int)i);
    ledger_close(l);
}

/* A walk over what has ended meets each row once, in order, whatever the size of its pieces. */
static void test_job_ended(void)
{
    ledger_t *l = _open();

    for (uint32_t id = 1; id <= 20; id++) {
        struct ledger_job j = _job(id, T0 + id % 3, "ada", "bio");

        j.end_s = id == 20 ? 0 : T0 + 100 + id / 4; /* ends in the same second, and one lives */
        j.live = id == 20;
        UNIT_INT(ledger_job_put(l, &j, NULL), 0, "put");
    }
    for (size_t limit = 1; limit <= 21; limit++) {
        struct ledger_walk at = {T0 + 101, INT64_MIN, INT64_MIN};
        struct ledger_job *rows = NULL;
        size_t n = 1, met = 0;
        int64_t last_s = 0;

        while (n > 0) {
            UNIT_INT(ledger_job_ended(l, &at, T0 + 104, limit, &rows, &n, NULL), 0, "a piece");
            UNIT_OK(n <= limit, "of at most %zu", limit);
            for (size_t i = 0; i < n; i++) {
                UNIT_OK(rows[i].end_s >= last_s, "in order");
                UNIT_OK(rows[i].key.job_id >= 4 && rows[i].key.job_id < 16, "in the period");
                last_s = rows[i].end_s;
            }
            met += n;
            free(rows);
        }
        UNIT_INT(met, 12, "all of them, %zu at a time", limit);
    }
    ledger_close(l);
}

static void test_job_verbs(void)
{
    struct ledger_job j = _job(7, T0, "anna", "bio");
    struct job_key none = {7, 1, T0};
    ledger_t *l = _open();
    struct err e = {""};

    _put(l, &j);
    UNIT_INT(ledger_job_planned(l, j.key, T0 + 500, 0, &e), 0, "%s", e.text);
    UNIT_INT(_get(l, 7).begin_set_s, T0 + 500, "planned");
    UNIT_INT(_get(l, 7).planned_s, T0 + 500, "planned");
    UNIT_INT(ledger_job_planned(l, j.key, 1, 1, &e), 0, "%s", e.text);
    UNIT_INT(_get(l, 7).released, 1, "released");
    UNIT_INT(_get(l, 7).begin_set_s, T0 + 500, "what was set last stays known");
    UNIT_INT(ledger_job_enforced(l, j.key, 2, T0 + 9, &e), 0, "%s", e.text);
    UNIT_INT(_get(l, 7).enforce_step, 2, "enforced");
    UNIT_INT(_get(l, 7).enforce_s, T0 + 9, "enforced");
    UNIT_INT(ledger_job_end(l, j.key, "TIMEOUT", T0 + 900, &e), 0, "%s", e.text);
    UNIT_STR(_get(l, 7).state, "TIMEOUT", "ended");
    UNIT_INT(_get(l, 7).live, 0, "ended");
    UNIT_INT(_get(l, 7).settled, 0, "its last records may be on the way");
    UNIT_INT(ledger_job_settle(l, j.key, 600, 77, &e), 1, "%s", e.text);
    UNIT_INT(ledger_job_settle(l, j.key, 1, 1, &e), 0, "once");
    UNIT_INT(_get(l, 7).delay_s, 600, "of the first time");
    UNIT_INT(_get(l, 7).asap_ug, 77, "of the first time");
    j.live = 1;
    j.settled = 0;
    _put(l, &j);
    UNIT_INT(_get(l, 7).settled, 1, "a stale list does not open it again");
    UNIT_INT(_get(l, 7).live, 0, "nor make it live");

    UNIT_INT(ledger_job_end(l, none, "X", 1, &e), -1, "no row");
    UNIT_INT(errno, ENOENT, "%s", e.text);
    errno = 0;
    UNIT_INT(ledger_job_settle(l, none, 0, 0, &e), -1, "no row");
    UNIT_INT(errno, ENOENT, "%s", e.text);
    errno = 0;
    UNIT_INT(ledger_job_enforced(l, none, 1, 1, &e), -1, "no row");
    UNIT_INT(errno, ENOENT, "%s", e.text);
    errno = 0;
    UNIT_INT(ledger_job_planned(l, none, 1, 0, &e), -1, "no row");
    UNIT_INT(errno, ENOENT, "%s", e.text);
    ledger_close(l);
}

static struct ledger_share _share(uint32_t id, uint64_t uj, enum ledger_quality q,
                                  const char *cover)
{
    return (struct ledger_share){{id, 0, T0}, uj, uj / 10, q, cover};
}

static int _record(ledger_t *l, const char *node, uint64_t seq, const struct ledger_share *shares,
                   size_t n, struct err *e)
{
    struct ledger_record r = {.node = node,
                              .seq = seq,
                              .start_s = T0 + (int64_t)seq * 10,
                              .end_s = T0 + (int64_t)seq * 10 + 10,
                              .idle_uj = 100,
                              .system_uj = 10,
                              .shares = shares,
                              .n_shares = n};

    r.node_uj = r.idle_uj + r.system_uj;
    for (size_t i = 0; i < n; i++)
        r.node_uj += shares[i].energy_uj;
    return ledger_record_add(l, &r, e);
}

static void test_record_once(void)
{
    struct ledger_share shares[2];
    struct ledger_node *nodes = NULL;
    struct ledger_job a = _job(1, T0, "anna", "bio"), b = _job(2, T0, "ben", "bio");
    ledger_t *l = _open();
    struct err e = {""};
    uint64_t seq = 99;
    size_t n = 0;

    shares[0] = _share(1, 1000, QUALITY_MEASURED, "cpu,dram");
    shares[1] = _share(2, 500, QUALITY_SPLIT, "cpu");
    UNIT_INT(ledger_node_seq(l, "n1", &seq, &e), 0, "%s", e.text);
    UNIT_INT(seq, 0, "nothing yet");
    _put(l, &a);
    _put(l, &b);
    UNIT_INT(_record(l, "n1", 0, shares, 2, &e), 0, "0 is no number of a record");
    UNIT_INT(_record(l, "n1", 5, shares, 2, &e), 1, "a first one need not be 1");
    UNIT_INT(_record(l, "n1", 5, shares, 2, &e), 0, "again");
    UNIT_INT(_record(l, "n1", 4, shares, 2, &e), 0, "older");
    UNIT_INT(_record(l, "n2", 5, shares, 1, &e), 1, "each node counts for itself");
    UNIT_INT(_record(l, "n1", 9, shares, 2, &e), 1, "a gap");
    UNIT_INT(_record(l, "n1", 10, NULL, 0, &e), 1, "nobody there");
    UNIT_INT(ledger_node_seq(l, "n1", &seq, &e), 0, "%s", e.text);
    UNIT_INT(seq, 10, "the last one");
    UNIT_INT(_get(l, 1).energy_uj, 3000, "two on n1, one on n2");
    UNIT_INT(_get(l, 1).carbon_ug, 300, "two on n1, one on n2");
    UNIT_INT(_get(l, 2).energy_uj, 1000, "two on n1");
    UNIT_INT(_get(l, 1).measured_until_s, T0 + 100, "end of the last that counted");
    UNIT_INT(ledger_node_list(l, &nodes, &n, &e), 0, "%s", e.text);
    UNIT_INT(n, 2, "two nodes");
    UNIT_STR(nodes[0].node, "n1", "in order");
    UNIT_INT(nodes[0].jobs_uj, 3000, "jobs");
    UNIT_INT(nodes[0].idle_uj, 300, "idle");
    UNIT_INT(nodes[0].system_uj, 30, "system");
    UNIT_INT(nodes[0].node_uj, 3330, "the balance of the sums");
    UNIT_INT(nodes[0].last_s, T0 + 110, "last");
    UNIT_INT(nodes[1].jobs_uj, 1000, "n2");
    free(nodes);
    ledger_close(l);
}

static void test_record_unknown_job(void)
{
    struct ledger_share shares[2];
    struct ledger_job a = _job(1, T0, "anna", "bio"), b = _job(2, T0, "ben", "bio");
    ledger_t *l = _open();
    struct err e = {""};
    uint64_t seq = 0;

    shares[0] = _share(1, 1000, QUALITY_MEASURED, "cpu");
    shares[1] = _share(2, 500, QUALITY_MEASURED, "cpu");
    _put(l, &a);
    errno = 0;
    UNIT_INT(_record(l, "n1", 1, shares, 2, &e), -1, "the second has no row");
    UNIT_INT(errno, ENOENT, "%s", e.text);
    UNIT_INT(_get(l, 1).energy_uj, 0, "the first was not charged either");
    UNIT_INT(ledger_node_seq(l, "n1", &seq, &e), 0, "%s", e.text);
    UNIT_INT(seq, 0, "not counted");
    /* inside a group the others go on */
    UNIT_INT(ledger_begin(l, &e), 0, "%s", e.text);
    UNIT_INT(_record(l, "n2", 1, shares, 1, &e), 1, "%s", e.text);
    UNIT_INT(_record(l, "n1", 1, shares, 2, &e), -1, "still none");
    _put(l, &b);
    UNIT_INT(_record(l, "n1", 1, shares, 2, &e), 1, "now there is one");
    UNIT_INT(ledger_commit(l, &e), 0, "%s", e.text);
    UNIT_INT(_get(l, 1).energy_uj, 2000, "both");
    UNIT_INT(_get(l, 2).energy_uj, 500, "once");
    ledger_close(l);
}

static void test_record_bad(void)
{
    char name[LEDGER_NAME_MAX + 1];
    ledger_t *l = _open();
    struct err e = {""};
    const struct ledger_record rows[] = {
        {.node = NULL, .seq = 1, .start_s = 1, .end_s = 2},
        {.node = "", .seq = 1, .start_s = 1, .end_s = 2},
        {.node = name, .seq = 1, .start_s = 1, .end_s = 2},
        {.node = "n", .seq = 1, .start_s = 2, .end_s = 1},
        {.node = "n", .seq = 1, .start_s = -1, .end_s = 1},
        {.node = "n", .seq = 1, .start_s = INT64_MIN, .end_s = INT64_MAX},
        {.node = "n", .seq = 1, .start_s = 1, .end_s = INT64_MAX},
        {.node = "n", .seq = UINT64_MAX, .start_s = 1, .end_s = 2},
    };

    memset(name, 'x', LEDGER_NAME_MAX);
    name[LEDGER_NAME_MAX] = '\0';
    for (size_t i = 0; i < N(rows); i++) {
        errno = 0;
        UNIT_INT(ledger_record_add(l, &rows[i], &e), -1, "row %zu", i);
        UNIT_INT(errno, EINVAL, "row %zu", i);
    }
    ledger_close(l);
}

/* Two shares in a row, what the job's row says then. */
static void test_quality(void)
{
    static const struct {
        uint64_t a_uj, b_uj;
        enum ledger_quality a, b, want;
        uint64_t modelled_uj, split_uj;
    } rows[] = {
        {100, 100, QUALITY_MEASURED, QUALITY_MEASURED, QUALITY_MEASURED, 0, 0},
        {95, 5, QUALITY_MEASURED, QUALITY_MODELLED, QUALITY_MEASURED, 5, 0}, /* exactly 5 % */
        {94, 6, QUALITY_MEASURED, QUALITY_MODELLED, QUALITY_MODELLED, 6, 0},
        {95, 5, QUALITY_MEASURED, QUALITY_SPLIT, QUALITY_MEASURED, 0, 5},
        {94, 6, QUALITY_MEASURED, QUALITY_SPLIT, QUALITY_SPLIT, 0, 6},
        {94, 6, QUALITY_SPLIT, QUALITY_MODELLED, QUALITY_MODELLED, 6, 94},
        {95, 5, QUALITY_SPLIT, QUALITY_MODELLED, QUALITY_SPLIT, 5, 95},
        {94, 6, QUALITY_MEASURED, QUALITY_STALE, QUALITY_MODELLED, 6, 0},
        {94, 6, QUALITY_MEASURED, QUALITY_NONE, QUALITY_MODELLED, 6, 0},
        {6, 94, QUALITY_MODELLED, QUALITY_MEASURED, QUALITY_MODELLED, 6, 0},
        {5, 95, QUALITY_MODELLED, QUALITY_MEASURED, QUALITY_MEASURED, 5, 0}, /* it recovers */
        {39, 1, QUALITY_MEASURED, QUALITY_MODELLED, QUALITY_MEASURED, 1, 0},
        {18, 1, QUALITY_MEASURED, QUALITY_MODELLED, QUALITY_MODELLED, 1, 0},
        {0, 0, QUALITY_MEASURED, QUALITY_NONE, QUALITY_MEASURED, 0, 0},
        {0, 0, QUALITY_MEASURED, QUALITY_MODELLED, QUALITY_MODELLED, 0, 0},
        {0, 0, QUALITY_NONE, QUALITY_NONE, QUALITY_NONE, 0, 0},
    };
    ledger_t *l = _open();
    struct err e = {""};

    for (size_t i = 0; i < N(rows); i++) {
        uint32_t id = (uint32_t)i + 1;
        struct ledger_job j = _job(id, T0, "anna", "bio"), got;
        struct ledger_share a = _share(id, rows[i].a_uj, rows[i].a, "cpu"),
                            b = _share(id, rows[i].b_uj, rows[i].b, "cpu");

        _put(l, &j);
        UNIT_INT(_record(l, "n", 2 * i + 1, &a, 1, &e), 1, "row %zu: %s", i, e.text);
        UNIT_INT(_record(l, "n", 2 * i + 2, &b, 1, &e), 1, "row %zu: %s", i, e.text);
        got = _get(l, id);
        UNIT_INT(got.quality, rows[i].want, "row %zu", i);
        UNIT_INT(got.modelled_uj, rows[i].modelled_uj, "row %zu", i);
        UNIT_INT(got.split_uj, rows[i].split_uj, "row %zu", i);
    }
    ledger_close(l);
}

static void test_coverage(void)
{
    static const struct {
        const char *a, *b, *want;
    } rows[] = {
        {"cpu,dram", "cpu,dram", "cpu,dram"},
        {"cpu", "cpu,dram", "cpu,dram"},
        {"cpu,dram", "gpu,cpu", "cpu,dram,gpu"},
        {"", "node", "node"},
        {NULL, NULL, ""},
        {"cpu", NULL, "cpu"},
        {"gp", "gpu", "gp,gpu"},
        {"gpu", "gp", "gpu,gp"},
        {",,cpu,", "cpu,,", "cpu"},
        {"a-word-that-is-just-short-enough-for-47-bytes..", "cpu",
         "a-word-that-is-just-short-enough-for-47-bytes.."},
        {"a-word-that-does-not-fit-into-the-field-any-more", "cpu", "cpu"},
    };
    ledger_t *l = _open();
    struct err e = {""};

    for (size_t i = 0; i < N(rows); i++) {
        uint32_t id = (uint32_t)i + 1;
        struct ledger_job j = _job(id, T0, "anna", "bio");
        struct ledger_share a = _share(id, 1, QUALITY_MEASURED, rows[i].a),
                            b = _share(id, 1, QUALITY_MEASURED, rows[i].b);

        _put(l, &j);
        UNIT_INT(_record(l, "n", 2 * i + 1, &a, 1, &e), 1, "row %zu: %s", i, e.text);
        UNIT_INT(_record(l, "n", 2 * i + 2, &b, 1, &e), 1, "row %zu: %s", i, e.text);
        UNIT_STR(_get(l, id).coverage, rows[i].want, "row %zu", i);
    }
    ledger_close(l);
}

static void test_saturates(void)
{
    struct ledger_job j = _job(1, T0, "anna", "bio");
    struct ledger_share s = {{1, 0, T0}, UINT64_MAX, UINT64_MAX, QUALITY_STALE, "cpu"};
    struct ledger_node *nodes = NULL;
    ledger_t *l = _open();
    struct err e = {""};
    size_t n;

    _put(l, &j);
    for (uint64_t seq = 1; seq <= 3; seq++)
        UNIT_INT(_record(l, "n", seq, &s, 1, &e), 1, "%s", e.text);
    UNIT_INT(_get(l, 1).energy_uj, INT64_MAX, "energy");
    UNIT_INT(_get(l, 1).carbon_ug, INT64_MAX, "carbon");
    UNIT_INT(_get(l, 1).modelled_uj, INT64_MAX, "part");
    UNIT_INT(ledger_node_list(l, &nodes, &n, &e), 0, "%s", e.text);
    UNIT_INT(nodes[0].jobs_uj, INT64_MAX, "node");
    free(nodes);
    ledger_close(l);
}

static void test_groups(void)
{
    struct ledger_job a = _job(1, T0, "anna", "bio"), b = _job(2, T0, "ben", "bio"), got;
    ledger_t *l = _open();
    struct err e = {""};

    UNIT_INT(ledger_commit(l, &e), -1, "nothing begun");
    UNIT_INT(errno, EINVAL, "%s", e.text);
    errno = 4711;
    ledger_rollback(l);
    UNIT_INT(errno, 4711, "a rollback of nothing changes nothing");

    UNIT_INT(ledger_begin(l, &e), 0, "%s", e.text);
    _put(l, &a);
    ledger_rollback(l);
    UNIT_INT(ledger_job_get(l, a.key, &got, &e), 0, "undone");

    UNIT_INT(ledger_begin(l, &e), 0, "%s", e.text);
    _put(l, &a);
    UNIT_INT(ledger_begin(l, &e), 0, "%s", e.text);
    _put(l, &b);
    ledger_rollback(l);
    UNIT_INT(ledger_job_get(l, b.key, &got, &e), 0, "the inner one is undone");
    UNIT_INT(ledger_commit(l, &e), 0, "%s", e.text);
    UNIT_INT(ledger_job_get(l, a.key, &got, &e), 1, "the outer one is not");

    UNIT_INT(ledger_begin(l, &e), 0, "%s", e.text);
    UNIT_INT(ledger_begin(l, &e), 0, "%s", e.text);
    _put(l, &b);
    UNIT_INT(ledger_commit(l, &e), 0, "%s", e.text);
    ledger_rollback(l);
    UNIT_INT(ledger_job_get(l, b.key, &got, &e), 0, "an outer rollback undoes inner commits");
    UNIT_INT(ledger_commit(l, &e), -1, "all levels are closed");
    ledger_close(l);
    ledger_close(NULL);
}

static void test_intensity(void)
{
    static const struct ledger_intensity first[] = {{100, 10}, {200, 20}, {300, 30}, {400, 40}},
                                         second[] = {{300, 33.5}, {500, 50}};
    static const struct {
        const char *zone;
        int64_t from_s, to_s, first_s;
        size_t n;
    } rows[] = {
        {"DE", 250, 350, 200, 2}, /* the one before from_s holds there */
        {"DE", 200, 300, 200, 2}, {"DE", 201, 299, 200, 1}, {"DE", 0, 99, 0, 0},
        {"DE", 0, 100, 100, 1},   {"DE", 0, 1000, 100, 5},  {"DE", 600, 700, 500, 1},
        {"FR", 0, 1000, 100, 1},  {"XX", 0, 1000, 0, 0},
    };
    struct ledger_intensity *list = NULL, bad[] = {{1, 1}, {2, -1}, {2, __builtin_nan("")}};
    ledger_t *l = _open();
    struct err e = {""};
    size_t n;

    UNIT_INT(ledger_intensity_put(l, "DE", first, N(first), &e), 0, "%s", e.text);
    UNIT_INT(ledger_intensity_put(l, "DE", second, N(second), &e), 0, "%s", e.text);
    UNIT_INT(ledger_intensity_put(l, "FR", first, 1, &e), 0, "%s", e.text);
    for (size_t i = 0; i < N(rows); i++) {
        UNIT_INT(ledger_intensity_get(l, rows[i].zone, rows[i].from_s, rows[i].to_s, &list, &n, &e),
                 0, "%s", e.text);
        UNIT_INT(n, rows[i].n, "row %zu", i);
        if (n)
            UNIT_INT(list[0].t_s, rows[i].first_s, "row %zu", i);
        for (size_t k = 0; k < n; k++)
            UNIT_DBL(list[k].g_per_kwh, list[k].t_s == 300 ? 33.5 : (double)list[k].t_s / 10, 0,
                     "row %zu", i);
        free(list);
    }
    UNIT_INT(ledger_intensity_put(l, "PL", bad, 2, &e), -1, "negative");
    UNIT_INT(errno, EINVAL, "%s", e.text);
    bad[1] = bad[2];
    UNIT_INT(ledger_intensity_put(l, "PL", bad, 2, &e), -1, "not a number");
    UNIT_INT(ledger_intensity_get(l, "PL", 0, 10, &list, &n, &e), 0, "%s", e.text);
    UNIT_INT(n, 0, "all or nothing");
    free(list);
    ledger_close(l);
}

static void test_guess(void)
{
    struct ledger_guess first[] = {{1000, 1, 1, 10.5, NAN},
                                   {1000, 24, 2, 20, NAN},
                                   {2000, 1, 1, 30, NAN}},
                        came = {1000, 1, 5, 99, 12}, again = {1000, 1, 5, 77, NAN},
                        bad[] = {{3000, 1, 1, 1, NAN}, {3000, 3, 1, NAN, NAN}};
    struct ledger_guess *list = NULL;
    ledger_t *l = _open();
    struct err e = {""};
    size_t n;

    UNIT_INT(ledger_guess_put(l, "DE", first, N(first), 0, 5000, &e), 0, "%s", e.text);
    UNIT_INT(ledger_guess_put(l, "FR", first, 1, 0, 5000, &e), 0, "%s", e.text);
    UNIT_INT(ledger_guess_put(l, "DE", &came, 1, 0, 5000, &e), 0, "%s", e.text);
    UNIT_INT(ledger_guess_put(l, "DE", &again, 1, 0, 5000, &e), 0, "%s", e.text);
    UNIT_INT(ledger_guess_list(l, "DE", &list, &n, &e), 0, "%s", e.text);
    UNIT_INT(n, 3, "of the zone");
    UNIT_DBL(list[0].g_per_kwh, 10.5, 0, "what was forecast first");
    UNIT_INT(list[0].source, 1, "by whom");
    UNIT_DBL(list[0].came_g_per_kwh, 12, 0, "what came is not forgotten");
    UNIT_INT(list[1].ahead_h, 24, "in order");
    UNIT_OK(isnan(list[1].came_g_per_kwh), "not known is not 0");
    free(list);
    UNIT_INT(ledger_guess_put(l, "DE", bad, N(bad), 0, 5000, &e), -1, "no number");
    UNIT_INT(errno, EINVAL, "%s", e.text);
    bad[1] = (struct ledger_guess){3000, 3, 1, 1, INFINITY};
    UNIT_INT(ledger_guess_put(l, "DE", bad, N(bad), 0, 5000, &e), -1, "no number came");
    UNIT_INT(ledger_guess_list(l, "DE", &list, &n, &e), 0, "%s", e.text);
    UNIT_INT(n, 3, "all or nothing");
    free(list);
    UNIT_INT(ledger_guess_put(l, "DE", NULL, 0, 1001, 1999, &e), 0, "%s", e.text);
    UNIT_INT(ledger_guess_list(l, "FR", &list, &n, &e), 0, "%s", e.text);
    UNIT_INT(n, 0, "of all zones, too old");
    free(list);
    UNIT_INT(ledger_guess_list(l, "DE", &list, &n, &e), 0, "%s", e.text);
    UNIT_INT(n, 0, "and too far ahead");
    free(list);
    ledger_close(l);
}

struct found {
    ledger_t *l;
    char text[256];
    int stop_after;
};

static int _found(const char *key, const char *value, void *arg)
{
    struct found *f = arg;
    size_t used = strlen(f->text);

    (void)snprintf(f->text + used, sizeof(f->text) - used, "%s=%s ", key, value);
    /* the ledger may be used from here */
    if (f->l && strcmp(key, "switch.b") == 0)
        UNIT_INT(ledger_kv_set(f->l, "seen", value, NULL), 0, "set from a callback");
    return --f->stop_after == 0;
}

static void test_kv(void)
{
    static const struct {
        const char *prefix, *want;
        int stop_after;
    } rows[] = {
        {"switch.", "switch.a=1 switch.b=22 ", 9},
        {"switch.", "switch.a=1 ", 1},
        {"", "other=x seen=22 switch=s switch.a=1 switch.b=22 ", 9},
        {"switch.a", "switch.a=1 ", 9},
        {"sw%", "", 9},
        {"zzz", "", 9},
    };
    ledger_t *l = _open();
    struct err e = {""};
    char big[5000];

    memset(big, 'v', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    UNIT_INT(ledger_kv_set(l, "switch.b", "2", &e), 0, "%s", e.text);
    UNIT_INT(ledger_kv_set(l, "switch.b", "22", &e), 0, "%s", e.text);
    UNIT_INT(ledger_kv_set(l, "switch.a", "1", &e), 0, "%s", e.text);
    UNIT_INT(ledger_kv_set(l, "switch.c", "3", &e), 0, "%s", e.text);
    UNIT_INT(ledger_kv_set(l, "switch.c", NULL, &e), 0, "%s", e.text);
    UNIT_INT(ledger_kv_set(l, "switch.c", NULL, &e), 0, "gone already: %s", e.text);
    UNIT_INT(ledger_kv_set(l, "switch", "s", &e), 0, "%s", e.text);
    UNIT_INT(ledger_kv_set(l, "other", "x", &e), 0, "%s", e.text);
    UNIT_INT(ledger_kv_set(l, big, "x", &e), -1, "a long key");
    UNIT_INT(ledger_kv_set(l, "x", big, &e), -1, "a long value");
    for (size_t i = 0; i < N(rows); i++) {
        struct found f = {l, "", rows[i].stop_after};

        UNIT_INT(ledger_kv_each(l, rows[i].prefix, _found, &f, &e), 0, "row %zu: %s", i, e.text);
        UNIT_STR(f.text, rows[i].want, "row %zu", i);
    }
    ledger_close(l);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"past", test_past},
        {"quality_names", test_quality_names},
        {"job_round_trip", test_job_round_trip},
        {"job_put_again", test_job_put_again},
        {"job_get", test_job_get},
        {"job_list", test_job_list},
        {"job_pieces", test_job_pieces},
        {"job_ended", test_job_ended},
        {"job_verbs", test_job_verbs},
        {"record_once", test_record_once},
        {"record_unknown_job", test_record_unknown_job},
        {"record_bad", test_record_bad},
        {"quality", test_quality},
        {"coverage", test_coverage},
        {"saturates", test_saturates},
        {"groups", test_groups},
        {"intensity", test_intensity},
        {"guess", test_guess},
        {"kv", test_kv},
        {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "ledger");
}
