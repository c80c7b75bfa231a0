/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What carnotctld answers, and what it does when it is asked to.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/enforcer.h"
#include "carnotctld/feed_watch.h"
#include "carnotctld/let_go.h"
#include "carnotctld/planner.h"
#include "carnotctld/plugin_status.h"
#include "carnotctld/publisher.h"
#include "carnotctld/runs.h"
#include "carnotctld/tracker.h"
#include "common/path.h"
#include "common/when.h"
#include "ctl_host.h"

/* Ask as root; the answer, which the caller drops, or NULL after a failure that was wanted. */
static json_t *ask(json_t *request, int fails)
{
    struct channel_peer root = {.uid = 0};
    json_object_set_new(request, "v", json_integer(1));
    json_t *a = ops_answer(&c, request, &root);
    UNIT_INT(json_is_true(json_object_get(a, "ok")), !fails, "%s",
             fails ? "refused" : json_string_value(json_object_get(a, "error")));
    json_decref(request);
    if (!fails)
        return a;
    json_decref(a);
    return NULL;
}

static json_int_t let_go_left_by_status(void)
{
    json_t *a = ask(json_pack("{s:s}", "op", "status"), 0);
    const json_t *let_go = json_object_get(a, "let_go");
    json_int_t left =
        json_is_object(let_go) ? json_integer_value(json_object_get(let_go, "left")) : -1;
    json_decref(a);
    return left;
}

/* Slurm does what was ordered, and says so. */
static void carry_out(void)
{
    for (int i = 0; i < n_orders; i++) {
        for (size_t k = 0; k < n_list; k++) {
            if (list[k].job_id != orders[i].job_id)
                continue;
            list[k].eligible_s = orders[i].begin_s;
            list[k].held &= orders[i].kind != ORDER_RELEASE;
        }
        if (orders[i].kind == ORDER_BEGIN)
            planner_ordered(&c, orders[i].job_id, orders[i].begin_s, 1);
    }
    n_orders = 0;
}

/* carnot off --all --now: evenly, in order, never later, written down first, also over a kill. */
static void test_let_go(void)
{
    set_up();
    list_add(7, 200);
    list_add(8, 70);
    list_add(9, 250);
    list_add(10, 0);
    apply();
    c.set.policy.off_stagger_ms = 120 * 1000;
    json_decref(ask(json_pack("{s:s,s:s,s:s,s:s}", "op", "switch", "mode", "act", "scope",
                              "account", "name", "bio"),
                    0));
    json_decref(ask(json_pack("{s:s,s:s,s:b}", "op", "switch", "mode", "observe", "now", 1), 0));
    UNIT_INT(n_orders + (int)c.let_go.until_s, (int)(NOW + 120), "bio's are switched on still");
    json_t *a = ask(
        json_pack("{s:s,s:s,s:b,s:b}", "op", "switch", "mode", "observe", "all", 1, "now", 1), 0);
    UNIT_INT(json_integer_value(json_object_get(a, "let_go")), 3, "three wait");
    json_decref(a);
    UNIT_INT(c.n_switches, 2, "switches");
    UNIT_INT(c.switches[0].mode + c.switches[1].mode, 0, "all of them off");
    UNIT_INT(n_orders, 3, "three orders");
    UNIT_INT(orders[0].job_id * 1000 + orders[0].begin_s - NOW, 8000, "the first one at once");
    UNIT_INT(orders[1].job_id * 1000 + orders[1].begin_s - NOW, 7040, "a third later");
    UNIT_INT(orders[2].job_id * 1000 + orders[2].begin_s - NOW, 9080, "another third");
    UNIT_INT(runs_at(&c, 9, NOW)->delay_s, 80, "and that is its wait");
    UNIT_INT(let_go_left_by_status(), 3, "status shows it");

    restart(); /* before anything was done */
    n_orders = 0;
    c.let_go.until_s = 0;
    struct err e = {.text = ""};
    UNIT_INT(let_go_init(&c, &e), 0, "%s", e.text);
    UNIT_STR(c.let_go.by, "root", "who it was");
    advance(50);
    list_add(11, 100)->submit_s = NOW + 1; /* decided by the board before */
    apply();
    let_go_run(&c);
    UNIT_INT(n_orders, 4, "ordered again, and the latecomer");
    for (int i = 0; i < n_orders; i++)
        UNIT_OK(orders[i].begin_s <= (orders[i].job_id == 9    ? NOW + 80
                                      : orders[i].job_id == 11 ? NOW + 100
                                                               : NOW + 50),
                "job %u at +%lld", orders[i].job_id, (long long)(orders[i].begin_s - NOW));
    n_waiting = 4;
    let_go_run(&c);
    UNIT_INT(n_orders, 4, "not twice while they are under way");
    n_waiting = 0;
    carry_out();
    advance(1);
    apply();
    let_go_run(&c);
    UNIT_INT(n_orders, 0, "done");
    UNIT_INT(runs_at(&c, 7, NOW)->released, 1, "nobody moves them any more");
    UNIT_INT(let_go_left_by_status(), 1, "one has still to go");
    advance(70);
    apply();
    let_go_run(&c);
    UNIT_INT(let_go_left_by_status(), -1, "over");
    restart();
    UNIT_INT(let_go_init(&c, &e) + (int)c.let_go.until_s, 0, "for good");
    tear_down();
}

/* Never later than it would have been. */
static void test_let_go_near(void)
{
    struct err e = {.text = ""};
    set_up();
    list_add(7, 20);
    list_add(8, 70);
    apply();
    c.set.mode = MODE_OBSERVE;
    UNIT_INT(publisher_build(&c, &e), 0, "%s", e.text);
    UNIT_INT(let_go_begin(&c, "root", &e), 2, "%s", e.text);
    UNIT_INT(n_orders, 1, "over ten minutes: only the first one starts earlier");
    UNIT_INT(runs_at(&c, 8, NOW)->planned_s, NOW + 70, "the other keeps its time");
    tear_down();
}

/* At once if the site says so; an order that was refused is given again. */
static void test_let_go_at_once(void)
{
    struct err e = {.text = ""};
    set_up();
    list_add(7, 20);
    list_add(8, 70);
    apply();
    c.set.mode = MODE_OBSERVE;
    c.set.policy.off_stagger_ms = 0;
    UNIT_INT(publisher_build(&c, &e), 0, "%s", e.text);
    UNIT_INT(let_go_begin(&c, "root", &e), 2, "%s", e.text);
    UNIT_INT(orders[0].begin_s + orders[1].begin_s, 2 * NOW, "both at once");
    planner_ordered(&c, 8, NOW, 0);
    n_orders = 1; /* only 7's is done */
    carry_out();
    advance(1);
    apply();
    let_go_run(&c);
    UNIT_INT(n_orders, 1, "one was refused");
    UNIT_INT(orders[0].job_id, 8, "and is ordered again");
    UNIT_INT(orders[0].begin_s, NOW + 1, "for now");
    list[1].eligible_s = NOW + 500; /* its user wants it later */
    apply();
    n_orders = 0;
    let_go_run(&c);
    UNIT_INT(n_orders, 0, "a user's own time is left alone");
    tear_down();
}

/* What Carnot holds for a budget would be stuck for ever once it is gone. */
static void test_let_go_held(void)
{
    struct err e = {.text = ""};
    set_up();
    grant(10);
    struct slurm_job *j = list_add(8, 0);
    free(COMMENT(j));
    COMMENT(j) = NULL;
    apply();
    j->held = 1;
    apply();
    n_orders = 0;
    let_go_run(&c);
    UNIT_INT(n_orders, 0, "held as long as Carnot acts");
    c.set.mode = MODE_OBSERVE;
    UNIT_INT(publisher_build(&c, &e), 0, "%s", e.text);
    UNIT_INT(let_go_begin(&c, "root", &e), 1, "%s", e.text);
    UNIT_INT(orders[0].kind, ORDER_RELEASE, "released");
    carry_out();
    advance(11);
    apply();
    let_go_run(&c);
    UNIT_INT(n_orders, 0, "once");
    c.set.mode = MODE_ACT;
    apply();
    apply();
    UNIT_INT(orders[0].kind, ORDER_HOLD, "switched on again: judged again");
    tear_down();
}

static void test_bad_switch(void)
{
    static const char *const bad[] = {
        "{\"mode\":\"on\"}",
        "{\"mode\":\"act\",\"now\":true}",
        "{\"mode\":\"act\",\"all\":true}",
        "{\"mode\":\"default\",\"now\":true}",
        "{\"mode\":\"observe\",\"scope\":\"qos\",\"name\":\"x\"}",
        "{\"mode\":\"observe\",\"scope\":\"user\"}",
        "{\"mode\":\"observe\",\"scope\":\"user\",\"name\":\"x\",\"all\":true}",
        "{\"mode\":3}",
        "{}",
    };
    set_up();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        json_t *request = json_loads(bad[i], 0, NULL);
        json_object_set_new(request, "op", json_string("switch"));
        ask(request, 1);
    }
    UNIT_INT(c.n_switches, 0, "nothing was switched");
    UNIT_INT(c.let_go.until_s, 0, "nothing let go");
    tear_down();
}

/* The object "explain" of a job's answer, as a new reference: JSON null where there is none to
 * draw, NULL where the answer has no such key. */
static json_t *explained(uint32_t id, json_t *wanted)
{
    json_t *a = ask(json_pack("{s:s,s:i,s:o*}", "op", "why", "job", (int)id, "explain", wanted), 0);
    json_t *x = json_incref(json_object_get(json_object_get(a, "job"), "explain"));
    json_decref(a);
    return x;
}

/* The choice of that role, borrowed; NULL: none. */
static json_t *choice(json_t *explain, const char *role)
{
    json_t *start, *word;
    size_t i, k;
    json_array_foreach(json_object_get(explain, "alternatives"), i, start)
        json_array_foreach(json_object_get(start, "roles"), k,
                           word) if (strcmp(json_string_value(word), role) == 0) return start;
    return NULL;
}

static int64_t time_of(const json_t *o, const char *key)
{
    int64_t t_ms = 0;
    const char *text = json_string_value(json_object_get(o, key));
    UNIT_INT(text ? when_parse_rfc3339(text, &t_ms, NULL) : -1, 0, "%s: a time", key);
    return t_ms / 1000 - NOW;
}

/* The window that a waiting job was put in, without itself in the slots. */
static void test_explain(void)
{
    set_up();
    list_add(7, 70)->cpus = 16; /* the whole partition */
    list_add(8, 0);
    apply();
    UNIT_OK(explained(7, NULL) == NULL, "not unless it is asked for");
    UNIT_OK(explained(7, json_string("yes")) == NULL, "and by true alone");
    json_t *x = explained(7, json_true());
    UNIT_STR(json_string_value(json_object_get(x, "policy")), "balanced", "policy");
    UNIT_INT(time_of(x, "from"), 0, "from now");
    UNIT_INT(time_of(x, "until"), 300, "to its latest start");
    UNIT_INT(time_of(x, "start"), 70, "planned");
    UNIT_INT(time_of(x, "end"), 130, "for a minute");
    UNIT_OK(json_array_size(json_object_get(x, "window")) > 8, "a window");
    json_t *chosen = choice(x, "chosen");
    UNIT_OK(chosen == choice(x, "balanced") && chosen == choice(x, "best"), "still the best");
    UNIT_INT(time_of(chosen, "start"), 70, "in the dip");
    UNIT_OK(json_is_true(json_object_get(chosen, "room")), "it is not in its own way");
    UNIT_DBL(json_number_value(json_object_get(chosen, "carbon_g")), 9600 / 3.6e6 * 100, 1e-6,
             "16 CPUs of 10 W");
    json_decref(x);
    x = explained(8, json_true());
    UNIT_OK(json_is_null(x), "nothing to draw of one that does not wait");
    json_decref(x);

    list_add(9, 70);
    dip_at(120);
    UNIT_INT(feed_watch_look(&c), 1, "a new forecast");
    apply();
    x = explained(7, json_true());
    UNIT_INT(time_of(choice(x, "chosen"), "start"), 70, "where it is until it is moved");
    UNIT_OK(json_is_false(json_object_get(choice(x, "chosen"), "room")), "another has come there");
    UNIT_INT(time_of(choice(x, "best"), "start"), 120, "where it would go");
    json_decref(x);
    tear_down();
}

/* What reports are made from, and of whom. */
static void test_ended(void)
{
    struct channel_peer nobody = {.uid = 65534};
    set_up();
    for (uint32_t id = 1; id <= 3; id++) {
        struct slurm_job *j = list_add(id, id == 1 ? 70 : 0);
        apply();
        if (id > 1)
            run_job(j);
    }
    advance(80);
    run_job(&list[0]);
    apply();
    advance(2);
    UNIT_INT(report(1, 1, 3600000), 1, "counted");
    for (int i = 0; i < 3; i++)
        end_job(&list[i]);
    apply();
    advance(TRACKER_LEFTOVER_S);
    apply();
    advance(1);
    UNIT_INT(report(2, 1, 3600000), 2, "a late record");
    json_t *a = ask(json_pack("{s:s,s:I,s:I}", "op", "ended", "since_s", (json_int_t)NOW, "until_s",
                              (json_int_t)NOW + 1000),
                    0);
    json_t *rows = json_object_get(a, "rows"), *row = json_array_get(rows, 0);
    UNIT_INT(json_array_size(rows), 3, "three runs");
    UNIT_OK(json_is_null(json_object_get(a, "next")), "in one piece");
    for (size_t i = 0; i < 3 && json_integer_value(json_object_get(row, "job_id")) != 1; i++)
        row = json_array_get(rows, i);
    UNIT_INT(json_integer_value(json_object_get(row, "delay_s")), 70, "it waited");
    UNIT_DBL(json_number_value(json_object_get(row, "energy_j")), 7.2, 1e-6, "all of its energy");
    UNIT_DBL(json_number_value(json_object_get(row, "carbon_if_asap_g")), 7.2 / 3.6e6 * 400, 1e-6,
             "at once: the late record too");
    UNIT_DBL(json_number_value(json_object_get(row, "model_w")), 10, 1e-9, "600 J in a minute");
    json_decref(a);
    a = ask(json_pack("{s:s,s:I,s:I,s:s}", "op", "ended", "since_s", (json_int_t)NOW, "until_s",
                      (json_int_t)NOW + 1000, "account", "chem"),
            0);
    UNIT_INT(json_array_size(json_object_get(a, "rows")), 0, "of another account none");
    json_decref(a);
    json_t *q = json_pack("{s:i,s:s,s:I,s:I,s:s}", "v", 1, "op", "ended", "since_s",
                          (json_int_t)NOW, "until_s", (json_int_t)NOW + 1000, "user", "ada");
    a = ops_answer(&c, q, &nobody);
    UNIT_INT(json_array_size(json_object_get(a, "rows")), 0, "nobody sees another's");
    json_decref(a);
    json_decref(q);
    ask(json_pack("{s:s,s:s}", "op", "ended", "since_s", "x"), 1);
    ask(json_pack("{s:s,s:I,s:I,s:s}", "op", "ended", "since_s", (json_int_t)NOW, "until_s",
                  (json_int_t)NOW, "after", "1.2"),
        1);
    ask(json_pack("{s:s,s:I}", "op", "intensity", "from_s", (json_int_t)-1), 1);
    a = ask(json_pack("{s:s,s:I,s:I}", "op", "intensity", "from_s", (json_int_t)NOW, "to_s",
                      (json_int_t)NOW + 30 * 86400),
            0);
    UNIT_INT(json_array_size(json_object_get(a, "points")), 3, "the feed");
    UNIT_INT(json_integer_value(json_object_get(a, "next_s")), NOW + 7 * 86400, "a week at a time");
    json_decref(a);
    a = ask(json_pack("{s:s}", "op", "policy"), 0);
    UNIT_STR(json_string_value(json_object_get(a, "policy")), "balanced", "policy");
    json_decref(a);
    tear_down();
}

/* A piece holds the loop up for so long: printed, since other work on the machine adds to it. */
static void test_ended_piece(void)
{
    struct err e = {.text = ""};
    set_up();
    ledger_begin(c.ledger, &e);
    for (uint32_t id = 1; id <= 1200; id++) {
        struct ledger_job row = {.key = {id, 0, NOW - 100},
                                 .uid = 4711,
                                 .user = "ada",
                                 .account = "bio",
                                 .partition = "batch",
                                 .run = "a-run-with-a-name",
                                 .tasks = 1,
                                 .start_s = NOW - 90,
                                 .end_s = NOW - 10 - id % 7,
                                 .delay_s = id % 50,
                                 .energy_uj = 123456789,
                                 .measured_until_s = NOW,
                                 .settled = 1};
        UNIT_INT(ledger_job_put(c.ledger, &row, &e), 0, "%s", e.text);
    }
    ledger_commit(c.ledger, &e);
    json_int_t met = 0;
    const char *after = "";
    json_t *a = NULL;
    for (int pieces = 0; after && pieces < 10; pieces++) {
        json_t *q = json_pack("{s:s,s:I,s:I,s:s}", "op", "ended", "since_s", (json_int_t)0,
                              "until_s", (json_int_t)NOW, "after", after);
        clock_t began = clock();
        json_decref(a);
        a = ask(q, 0);
        printf("# %zu rows in %.1f ms of CPU time\n", json_array_size(json_object_get(a, "rows")),
               (double)(clock() - began) * 1e3 / CLOCKS_PER_SEC);
        UNIT_OK(json_array_size(json_object_get(a, "rows")) <= 500, "a bounded piece");
        met += (json_int_t)json_array_size(json_object_get(a, "rows"));
        after = json_string_value(json_object_get(a, "next"));
    }
    json_decref(a);
    UNIT_INT(met, 1200, "each row once");
    tear_down();
}

/* Who may do what. */
static void test_rights(void)
{
    static const char *const ops_of_operators[] = {"budget.set", "budget.remove", "nodes",
                                                   "switch"};
    struct channel_peer nobody = {.uid = 65534};
    set_up();
    list_add(7, 70);
    apply();
    for (size_t i = 0; i < sizeof(ops_of_operators) / sizeof(ops_of_operators[0]); i++) {
        json_t *q = json_pack("{s:i,s:s}", "v", 1, "op", ops_of_operators[i]);
        json_t *a = ops_answer(&c, q, &nobody);
        UNIT_OK(json_is_false(json_object_get(a, "ok")), "%s", ops_of_operators[i]);
        UNIT_OK(strstr(json_string_value(json_object_get(a, "error")), "operators"), "says who");
        json_decref(a);
        json_decref(q);
    }
    json_t *q = json_pack("{s:i,s:s}", "v", 1, "op", "jobs");
    json_t *a = ops_answer(&c, q, &nobody);
    UNIT_INT(json_array_size(json_object_get(a, "jobs")), 0, "not others' jobs");
    json_decref(a);
    json_decref(q);
    q = json_pack("{s:i,s:s,s:i}", "v", 1, "op", "now", "job", 7);
    a = ops_answer(&c, q, &nobody);
    UNIT_OK(json_is_false(json_object_get(a, "ok")), "nor end their wait");
    UNIT_INT(n_orders, 0, "nothing was ordered");
    json_decref(a);
    json_decref(q);
    q = json_pack("{s:i,s:s}", "v", 2, "op", "status");
    a = ops_answer(&c, q, &nobody);
    UNIT_OK(json_is_false(json_object_get(a, "ok")), "another version");
    json_decref(a);
    json_decref(q);
    tear_down();
}

/* What the plugin writes beside the board, as text; the answer's `plugin`. */
static json_t *plugin_says(const char *text)
{
    char path[600];
    struct err e = {.text = ""};
    snprintf(path, sizeof(path), "%s.plugin", c.set.controller.board);
    UNIT_INT(path_write_atomic(path, text, strlen(text), 0644, &e), 0, "%s", e.text);
    return plugin_status_json(&c);
}

#define PLUGIN(ts, v, steps, submit)                                                               \
    "{\"v\":" v ",\"ts\":\"" ts "\",\"version\":\"0.1.0\",\"refused\":2,\"board\":null,"           \
    "\"steps_us\":" steps ",\"submit\":" submit "}"

static void test_plugin(void)
{
    static const struct {
        const char *text;
        int p50, p99, max; /* 0: null; max -1: no plugin at all */
    } rows[] = {
        {"", 0, 0, -1},
        {"[]", 0, 0, -1},
        {"{\"v\":1}", 0, 0, -1},
        {PLUGIN("2023-11-14T22:12:00Z", "1", "[]", "{}"), 0, 0, -1}, /* 80 s ago */
        {PLUGIN("2023-11-14T22:15:00Z", "1", "[]", "{}"), 0, 0, -1}, /* 100 s ahead */
        {PLUGIN("2023-11-14T22:13:19Z", "2", "[]", "{}"), 0, 0, -1},
        {PLUGIN("2023-11-14T22:13:19Z", "1", "[]", "{}"), 0, 0, 0},
        {PLUGIN("2023-11-14T22:13:19Z", "1", "7", "[]"), 0, 0, 0},
        {PLUGIN("2023-11-14T22:13:19Z", "1", "[1,2,5]",
                "{\"calls\":0,\"max_us\":0,\"n\":[0,0,0,0]}"),
         0, 0, 0},
        {PLUGIN("2023-11-14T22:13:19Z", "1", "[1,2,5]",
                "{\"calls\":100,\"max_us\":900,\"n\":[50,49,0,1]}"),
         1, 2, 900},
        {PLUGIN("2023-11-14T22:13:19Z", "1", "[1,2,5]",
                "{\"calls\":100,\"max_us\":900,\"n\":[49,49,0,2]}"),
         2, 900, 900},
        {PLUGIN("2023-11-14T22:13:19Z", "1", "[1,2,5]",
                "{\"calls\":3,\"max_us\":4,\"n\":[0,1,2,0]}"),
         4, 4, 4}, /* no call took as long as its step */
        {PLUGIN("2023-11-14T22:13:19Z", "1", "[1,2,5]",
                "{\"calls\":9223372036854775807,\"max_us\":4,\"n\":[1,\"x\",null]}"),
         0, 0, 4},
    };
    set_up();
    json_t *none = plugin_status_json(&c);
    UNIT_OK(json_is_null(none), "no file");
    json_decref(none);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *o = plugin_says(rows[i].text), *submit = json_object_get(o, "submit");
        UNIT_INT(json_is_object(o), rows[i].max >= 0, "row %zu", i);
        UNIT_INT(json_integer_value(json_object_get(submit, "p50_us")), rows[i].p50, "row %zu", i);
        UNIT_INT(json_integer_value(json_object_get(submit, "p99_us")), rows[i].p99, "row %zu", i);
        if (rows[i].max >= 0) {
            UNIT_INT(json_integer_value(json_object_get(o, "refused")), 2, "row %zu", i);
            UNIT_OK(!json_object_get(o, "v"), "row %zu", i);
        }
        json_decref(o);
    }
    tear_down();
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"let_go", test_let_go},
                                             {"let_go_near", test_let_go_near},
                                             {"let_go_at_once", test_let_go_at_once},
                                             {"let_go_held", test_let_go_held},
                                             {"bad_switch", test_bad_switch},
                                             {"explain", test_explain},
                                             {"ended", test_ended},
                                             {"ended_piece", test_ended_piece},
                                             {"rights", test_rights},
                                             {"plugin", test_plugin},
                                             {NULL, NULL}};
    return unit_main(argc, argv, cases, "ops");
}
