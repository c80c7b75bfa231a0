/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnotctld's memory of jobs against a Slurm of the test's making: lists go in, rows,
 * reservations, charges and orders come out. The clock is the test's, the ledger a file, the feed a
 * CSV.
 */
#include "config.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "carnotctld/bonus.h"
#include "carnotctld/enforcer.h"
#include "carnotctld/events.h"
#include "carnotctld/feed_watch.h"
#include "carnotctld/let_go.h"
#include "carnotctld/node_address.h"
#include "carnotctld/nodelist.h"
#include "carnotctld/ops.h"
#include "carnotctld/nodes.h"
#include "carnotctld/planner.h"
#include "carnotctld/limits.h"
#include "carnotctld/plugin_status.h"
#include "carnotctld/publisher.h"
#include "carnotctld/slurm_client.h"
#include "carnotctld/tracker.h"
#include "common/log.h"
#include "common/path.h"
#include "common/when.h"
#include "unit.h"

#define NOW 1700000000LL

/* ---- the Slurm of the test ---- */

static struct slurm_order orders[64];
static int n_orders, n_pokes;

int slurm_client_order(const struct slurm_order *order)
{
    orders[n_orders++ % 64] = *order;
    return 0;
}

struct slurm_order slurm_client_order_for(enum order_kind kind, const struct ledger_job *row)
{
    return (struct slurm_order){.kind = kind, .job_id = row->key.job_id};
}

static unsigned n_waiting;

unsigned slurm_client_waiting(void)
{
    return n_waiting;
}

void slurm_client_poke(void)
{
    n_pokes++;
}

void slurm_client_poke_accounting(void)
{
}

int limits_order(const char *cluster, const char *account, int64_t limit_wmin)
{
    (void)cluster;
    (void)account;
    (void)limit_wmin;
    return 0;
}

int limits_ok(char *error, size_t size)
{
    snprintf(error, size, "%s", "");
    return 1;
}

int slurm_client_ok(char *error, size_t size)
{
    snprintf(error, size, "%s", "");
    return 1;
}

int nodelist_each(const char *expression, int (*cb)(const char *node, void *arg), void *arg)
{
    return cb(expression, arg);
}

int nodelist_has(const char *expression, const char *node)
{
    return strstr(expression, node) != NULL;
}

/* 10.0.0.1 is n1's, 10.0.0.9 of nobody; 10.0.0.5 has to be looked up first. */
int node_address_is(const char *node, struct in_addr address)
{
    uint32_t last = ntohl(address.s_addr) & 0xff;
    return last == 5 ? -1 : last == 1 && strcmp(node, "n1") == 0;
}

int node_address_is_vague(struct in_addr address)
{
    return address.s_addr == 0 || ntohl(address.s_addr) >> 24 == 127;
}

/* ---- the controller of the test ---- */

static struct ctl c;
static struct unit_clock clock_now;
static struct clock_ops ops;
static char feed_path[200];

static void write_feed(const char *body)
{
    FILE *f = fopen(feed_path, "w");
    fprintf(f, "time,zone,g_per_kwh\n%s", body);
    fclose(f);
}

/* 400 g/kWh, 100 in [NOW + from, NOW + from + 60). */
static void dip_at(int from)
{
    char a[40], b[40], d[40], body[256];
    snprintf(body, sizeof(body), "%s,DE,400\n%s,DE,100\n%s,DE,400\n",
             when_format_rfc3339(a, sizeof(a), NOW - 3600),
             when_format_rfc3339(b, sizeof(b), NOW + from),
             when_format_rfc3339(d, sizeof(d), NOW + from + 60));
    write_feed(body);
}

static void quiet(int level, const char *line, void *arg)
{
    (void)level;
    (void)line;
    (void)arg;
}

static void advance(int64_t s)
{
    clock_now.wall_ms += s * 1000;
    clock_now.mono_ms += s * 1000;
}

/* Who reports: root of n1, unless a case says otherwise. */
static struct channel_peer reporter;

static struct in_addr address(const char *text)
{
    struct in_addr a;
    inet_pton(AF_INET, text, &a);
    return a;
}

static void set_up(void)
{
    char path[600];
    struct err e = {.text = ""};
    log_set_handler(quiet, NULL);
    memset(&c, 0, sizeof(c));
    n_orders = n_pokes = 0;
    reporter = (struct channel_peer){.origin = address("10.0.0.1"), .far = address("10.0.0.1")};
    clock_now = (struct unit_clock){NOW * 1000, 1000};
    ops = unit_clock_ops(&clock_now);
    c.clock = &ops;
    settings_init(&c.set);
    c.set.mode = MODE_ACT;
    c.set.policy.min_gain_ug = 0;
    c.set.policy.lambda_g_per_h = 0.0001;
    c.set.policy.stagger_ms = 0; /* starts to the second */
    c.set.carbon.slot_ms = 5000;
    c.set.carbon.horizon_ms = 3600000;
    c.set.power.cpu_max_mw = 10000;
    c.set.budget.grace_ms = 5000;
    c.set.node.report_interval_ms = c.set.node.log_interval_ms = 2000;
    snprintf(c.set.carbon.zone, sizeof(c.set.carbon.zone), "DE");
    snprintf(feed_path, sizeof(feed_path), "%s/feed.csv", unit_tmpdir());
    snprintf(c.set.carbon.file, sizeof(c.set.carbon.file), "%s", feed_path);
    snprintf(c.set.controller.board, sizeof(c.set.controller.board), "%s/board", unit_tmpdir());
    dip_at(70);
    snprintf(path, sizeof(path), "%s/ledger", unit_tmpdir());
    c.ledger = ledger_open(path, &e);
    if (!UNIT_OK(c.ledger != NULL, "%s", e.text))
        exit(1);
    UNIT_INT(events_open(unit_tmpdir(), &e), 0, "%s", e.text);
    UNIT_INT(nodes_init(&c, &e), 0, "%s", e.text);
    UNIT_INT(tracker_init(&c, &e), 0, "%s", e.text);
    UNIT_INT(feed_watch_look(&c), 1, "the feed is read");
    UNIT_INT(publisher_build(&c, &e), 0, "%s", e.text);
    c.planned_version = c.feed_version;
}

static void tear_down(void)
{
    tracker_fini(&c);
    publisher_fini(&c);
    feed_watch_fini(&c);
    ledger_close(c.ledger);
    events_close();
    nodes_fini(&c);
}

/* kill -9 and a new process, as far as memory goes. */
static void restart(void)
{
    struct err e = {.text = ""};
    snapshot_destroy(c.snap);
    free(c.jobs);
    c.snap = NULL;
    c.jobs = NULL;
    c.n_jobs = c.room_jobs = 0;
    nodes_fini(&c);
    UNIT_INT(nodes_init(&c, &e), 0, "%s", e.text);
    UNIT_INT(tracker_init(&c, &e), 0, "%s", e.text);
}

static struct slurm_job list[16];
static size_t n_list;

static struct slurm_job *list_add(uint32_t id, int wait_s)
{
    struct slurm_job *j = &list[n_list++];
    char note[512];
    free(j->admin_comment); /* of a list before this one */
    memset(j, 0, sizeof(*j));
    j->job_id = id;
    j->array_task = -1;
    j->tasks = j->nodes = j->cpus = 1;
    j->uid = 4711;
    j->limit_s = 60;
    j->submit_s = NOW;
    j->eligible_s = NOW + wait_s;
    snprintf(j->user, sizeof(j->user), "ada");
    snprintf(j->account, sizeof(j->account), "bio");
    snprintf(j->partition, sizeof(j->partition), "batch");
    snprintf(j->state, sizeof(j->state), "PENDING");
    snprintf(note, sizeof(note),
             "carnot:v=1,id=%x,t=%lld,begin=%lld,latest=%lld,j=600,g=0.0166,g0=0.0667,"
             "policy=balanced,code=%s,layer=flag,eb=0,cb=0,act=default,run=",
             id, NOW, NOW + wait_s, NOW + 300, wait_s ? "GREENER_LATER" : "NONE");
    j->admin_comment = strdup(note);
    return j;
}

static void run(struct slurm_job *j)
{
    j->phase = PHASE_RUNNING;
    j->start_s = clock_now.wall_ms / 1000;
    snprintf(j->state, sizeof(j->state), "RUNNING");
    snprintf(j->nodelist, sizeof(j->nodelist), "n1");
}

static void end(struct slurm_job *j)
{
    j->phase = PHASE_ENDED;
    j->end_s = clock_now.wall_ms / 1000;
    snprintf(j->state, sizeof(j->state), "COMPLETED");
}

/* Slurm's list as it stands, handed over as slurm_client does. */
static uint32_t age_weight; /* of the next list */

static void apply(void)
{
    struct snapshot *s = calloc(1, sizeof(*s));
    s->listed_ms = clock_now.wall_ms;
    s->jobs = calloc(n_list + 1, sizeof(*s->jobs));
    s->n_jobs = n_list;
    for (size_t i = 0; i < n_list; i++) {
        s->jobs[i] = list[i];
        s->jobs[i].admin_comment = list[i].admin_comment ? strdup(list[i].admin_comment) : NULL;
        s->jobs[i].dependency = list[i].dependency ? strdup(list[i].dependency) : NULL;
    }
    s->parts = calloc(1, sizeof(*s->parts));
    s->n_parts = 1;
    s->age_weight = age_weight;
    s->age_full_s = 1000;
    s->parts[0] =
        (struct slurm_part){.name = "batch", .is_default = 1, .nodes = 4, .cpus_per_node = 4};
    tracker_apply(&c, s);
    struct err e = {.text = ""};
    UNIT_INT(publisher_build(&c, &e), 0, "%s", e.text);
}

static struct budget bio(void)
{
    struct budget *all = NULL, b = {0};
    size_t n = 0;
    budget_list(c.ledger, clock_now.wall_ms / 1000, &all, &n, NULL);
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i].name, "bio") == 0)
            b = all[i];
    free(all);
    return b;
}

static void grant(uint64_t joules)
{
    struct err e = {.text = ""};
    UNIT_INT(budget_set(c.ledger, SCOPE_ACCOUNT, "bio", RESOURCE_ENERGY, PERIOD_MONTH,
                        joules * 1000000, NOW, &e),
             0, "%s", e.text);
}

static json_t *one_record(long long seq, uint32_t job, uint64_t uj)
{
    char ts[40];
    when_format_rfc3339_ms(ts, sizeof(ts), clock_now.wall_ms);
    return json_pack("{s:s,s:s,s:[{s:I,s:s,s:i,s:I,s:I,s:I,s:s,s:s,s:[{s:I,s:I,s:I,s:s}]}]}",
                     "node", "n1", "version", "0", "records", "seq", seq, "ts", ts, "dt_ms", 2000,
                     "uj", (json_int_t)(uj + 30), "idle_uj", (json_int_t)10, "system_uj",
                     (json_int_t)20, "quality", "modelled", "coverage", "cpu", "jobs", "job",
                     (json_int_t)job, "uid", (json_int_t)4711, "uj", (json_int_t)uj, "quality",
                     "modelled");
}

/* The answer's acked, or -1: refused. The request is released. */
static long long send_report(json_t *request, struct err *e)
{
    struct asker who = {.ctl = &c, .peer = &reporter, .user = "root", .is_operator = 1};
    json_t *answer = op_report(&who, request, e);
    long long acked = answer ? (long long)json_integer_value(json_object_get(answer, "acked")) : -1;
    json_decref(answer);
    json_decref(request);
    return acked;
}

/* A record of node n1 that ends now, with one job; the answer's acked. */
static long long report(long long seq, uint32_t job, uint64_t uj)
{
    struct err e = {.text = ""};
    long long acked = send_report(one_record(seq, job, uj), &e);
    UNIT_OK(acked >= 0, "%s", e.text);
    return acked;
}

/* ---- cases ---- */

static void test_life(void)
{
    set_up();
    grant(10000);
    struct slurm_job *j = list_add(7, 70);
    apply();
    struct ledger_job *row = tracker_find(&c, 7, NOW);
    UNIT_INT(row->planned_s, NOW + 70, "waits");
    UNIT_INT(row->latest_s, NOW + 300, "until at most");
    UNIT_INT(bio().reserved, 600000000, "reserved");
    UNIT_INT(c.board.n_decisions, 1, "acknowledged");
    UNIT_INT(c.board.budgets[0].left, 9400000000LL, "left on the board");
    UNIT_INT(c.board.planned[(70 + NOW % 5) / 5], 1, "its slot is taken");
    apply();
    UNIT_INT(bio().reserved, 600000000, "seen again: reserved once");

    advance(71);
    run(j);
    apply();
    advance(2);
    UNIT_INT(report(1, 7, 20000000), 1, "counted");
    UNIT_INT(bio().charged, 20000000, "charged");
    UNIT_INT(bio().reserved, 580000000, "the rest is still reserved");
    UNIT_INT(report(1, 7, 20000000), 1, "sent again");
    UNIT_INT(bio().charged, 20000000, "counted once");
    row = tracker_find(&c, 7, NOW);
    UNIT_DBL(row->carbon_ug, 20.0 / 3.6e6 * 100 * 1e6, 1, "at the intensity of its interval");

    advance(10);
    end(j);
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
    UNIT_OK(tracker_find(&c, 7, NOW) == NULL, "nothing is awaited any more");
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
    UNIT_OK(tracker_find(&c, 7, NOW) == NULL, "missing from a complete list: ended");
    UNIT_INT(bio().reserved, 0, "and released: it never started");
    struct slurm_job *j = list_add(8, 70);
    j->submit_s = clock_now.wall_ms / 1000;
    apply();
    n_list = 0;
    apply(); /* asked for in the second of the submission: says nothing of it */
    UNIT_INT(tracker_find(&c, 8, NOW)->live, 1, "not ended by a list as old as itself");
    tear_down();
}

/* slurmctld was killed before it had written a job down that its node runs already. */
static void test_lost(void)
{
    set_up();
    grant(10000);
    run(list_add(7, 0));
    apply();
    n_list = 0;
    for (int i = 1; i <= 4; i++) {
        advance(2);
        UNIT_INT(report(i, 7, 1000000), i, "its node goes on to name it");
        apply();
        UNIT_INT(bio().charged + bio().reserved, 600000000, "so what it reserved stays so");
    }
    run(list_add(9, 0));
    snprintf(list[0].account, sizeof(list[0].account), "other");
    apply();
    advance(3);
    report(5, 9, 1000000);
    apply();
    UNIT_INT(bio().charged, 4000000, "a record that does not name it");
    UNIT_INT(bio().reserved, 0, "ends it");
    tear_down();
}

static void test_requeue(void)
{
    set_up();
    grant(10000);
    struct slurm_job *j = list_add(7, 70);
    apply();
    advance(71);
    run(j);
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
    UNIT_INT(tracker_newest(&c, 7)->key.restart, 1, "the second waits");
    UNIT_INT(tracker_newest(&c, 7)->planned_s, 0, "not for us");
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
    run(j);
    apply();
    UNIT_INT(bio().reserved, 1200000000, "two jobs");
    advance(2);
    report(1, 7, 1000000);
    n_list++;
    free(list[2].admin_comment);
    list[2].admin_comment = NULL;
    j->phase = PHASE_PENDING;
    j->submit_s = clock_now.wall_ms / 1000;
    j->restart = 1;
    apply();
    UNIT_INT(bio().charged + bio().reserved, 1201000000, "reserved once");
    UNIT_INT(n_orders, 1, "the job past the plugin has to wait");
    UNIT_INT(tracker_newest(&c, 7)->enforce_step, ENFORCE_NONE, "the second run has not");
    clock_now.wall_ms -= 1000; /* a record of the time before the requeue comes late */
    UNIT_INT(report(2, 7, 500000), 2, "the first run went on for a moment");
    clock_now.wall_ms += 1000;
    UNIT_INT(bio().charged, 1500000, "that is charged");
    UNIT_INT(bio().charged + bio().reserved, 1201000000, "and comes out of the job's reservation");
    run(j);
    apply();
    advance(2);
    report(3, 7, 2000000);
    j->phase = PHASE_PENDING;
    j->submit_s = clock_now.wall_ms / 1000;
    j->restart = 2;
    apply();
    UNIT_INT(tracker_newest(&c, 7)->enforce_step, ENFORCE_HELD, "the third has");
    UNIT_INT(bio().charged + bio().reserved, 1201000000,
             "and its reservation stays the run's before");
    UNIT_INT(bio().over, 0, "nothing was used beyond a reservation");
    struct ledger_job old;
    struct job_key key = {6, 0, NOW};
    list[0].submit_s += 5; /* slurmctld lost job 6 and gave its number away */
    apply();
    UNIT_INT(ledger_job_get(c.ledger, key, &old, NULL), 1, "the lost one");
    UNIT_STR(old.state, "GONE", "was not requeued");
    tear_down();
}

/* The run before ran on a node whose records are late: the reservation that they come out of is
 * held until then, though the second run is over and accounted for. */
static void test_requeue_settles(void)
{
    set_up();
    grant(10000);
    struct slurm_job *j = list_add(7, 0);
    run(j);
    snprintf(j->nodelist, sizeof(j->nodelist), "n2");
    apply();
    advance(1);
    j->phase = PHASE_PENDING;
    j->restart = 1;
    j->submit_s = clock_now.wall_ms / 1000;
    j->start_s = 0;
    apply();
    run(j);
    apply();
    UNIT_INT(bio().reserved, 600000000, "one reservation");
    end(j);
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
    run(j);
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
    run(j);
    apply();
    advance(2);
    UNIT_INT(report(2, 7, 3000000), 2, "a record of the second run");
    UNIT_INT(tracker_newest(&c, 7)->energy_uj, 3000000, "is the second's");
    n_list = 0;
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

static void test_user_change(void)
{
    set_up();
    struct slurm_job *j = list_add(7, 70);
    apply();
    j->eligible_s = NOW + 20;
    apply();
    UNIT_INT(tracker_find(&c, 7, NOW)->released, 1, "out of our hands");
    dip_at(100);
    feed_watch_look(&c);
    planner_run(&c);
    UNIT_INT(n_orders, 0, "and not moved");
    tear_down();
}

static void test_replan(void)
{
    set_up();
    struct slurm_job *j = list_add(7, 70);
    apply();
    planner_run(&c);
    UNIT_INT(n_orders, 0, "no news, no move");
    advance(10);
    dip_at(120);
    UNIT_INT(feed_watch_look(&c), 1, "a new forecast");
    planner_run(&c);
    UNIT_INT(n_orders, 1, "moved");
    UNIT_INT(orders[0].begin_s, NOW + 120, "to the new dip");
    UNIT_INT(orders[0].replaces_s[0], NOW + 70, "unless somebody has changed it by then");
    apply(); /* not done yet: the list still has the old time */
    UNIT_INT(tracker_find(&c, 7, NOW)->released, 0, "the old time is no user's change");
    dip_at(180);
    feed_watch_look(&c);
    planner_run(&c);
    UNIT_INT(orders[1].replaces_s[0], NOW + 70, "moved again");
    UNIT_INT(orders[1].replaces_s[1], NOW + 120, "its own order is no user's change");
    restart();
    j->eligible_s = NOW + 180;
    apply(); /* killed before it heard: the list has the new time */
    UNIT_INT(tracker_find(&c, 7, NOW)->released, 0, "nor is the new one");
    planner_ordered(&c, 7, NOW + 180, 1);
    UNIT_INT(tracker_find(&c, 7, NOW)->begin_set_s, NOW + 180, "set");
    dip_at(350);
    feed_watch_look(&c);
    planner_run(&c);
    UNIT_OK(orders[n_orders - 1].begin_s <= NOW + 300, "never later than promised");
    tear_down();
}

/* A tool that writes job statistics puts its text in the place of the note. */
static void test_replan_without_note(void)
{
    set_up();
    struct slurm_job *j = list_add(7, 70);
    apply();
    free(j->admin_comment);
    j->admin_comment = strdup("JS1:H4sIAAAA");
    advance(2);
    apply();
    restart();
    apply();
    dip_at(120);
    UNIT_INT(feed_watch_look(&c), 1, "a new forecast");
    planner_run(&c);
    UNIT_INT(n_orders, 1, "moved");
    UNIT_INT(orders[0].begin_s, NOW + 120, "to the new dip");
    dip_at(350);
    feed_watch_look(&c);
    planner_run(&c);
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
    UNIT_INT(planner_release(&c, tracker_find(&c, 7, NOW), "USER_NOW", "ada", &e), 0, "%s", e.text);
    UNIT_INT(orders[0].begin_s, NOW, "begins now");
    UNIT_INT(planner_release(&c, tracker_find(&c, 8, NOW), "USER_NOW", "ada", &e), -1,
             "one that does not wait");
    UNIT_OK(strstr(e.text, "carnot why 8"), "%s", e.text);
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
    run(task);
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
    free(j->admin_comment);
    j->admin_comment = NULL;
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
    char *note = strstr(j->admin_comment, "eb=0,");
    char text[512];
    snprintf(text, sizeof(text),
             "%.*seb=10000000,cb=0,act=term,run=", (int)(note - j->admin_comment),
             j->admin_comment);
    free(j->admin_comment);
    j->admin_comment = strdup(text);
    run(j);
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
    char *note = strstr(j->admin_comment, "eb=0,");
    memcpy(note, "eb=9,", 5);
    run(j);
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

static void test_unknown_job(void)
{
    set_up();
    list_add(7, 0);
    apply();
    advance(2);
    UNIT_INT(report(5, 99, 1000000), 0, "not in the list yet: not acknowledged");
    UNIT_INT(n_pokes, 1, "the list is asked for");
    struct slurm_job *j = list_add(99, 0);
    run(j);
    apply();
    UNIT_INT(report(5, 99, 1000000), 5, "now it is");
    UNIT_INT(tracker_find(&c, 99, NOW + 100)->energy_uj, 1000000, "to the job");
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
    run(&list[0]);
    snprintf(list[0].nodelist, sizeof(list[0].nodelist), "n2");
    apply();
    UNIT_INT(report(7, 7, 1000000), 7, "a job that never ran on that node");
    UNIT_INT(tracker_find(&c, 7, NOW + 100)->energy_uj, 0, "is not charged");
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
    UNIT_STR(tracker_newest(&c, 7)->account, "bio", "the list's job is what it was");
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
    UNIT_INT(tracker_find(&c, 9, NOW)->delay_s, 80, "and that is its wait");
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
    UNIT_INT(tracker_find(&c, 7, NOW)->released, 1, "nobody moves them any more");
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
    UNIT_INT(tracker_find(&c, 8, NOW)->planned_s, NOW + 70, "the other keeps its time");
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
    free(j->admin_comment);
    j->admin_comment = NULL;
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

/* What reports are made from, and of whom. */
static void test_ended(void)
{
    struct channel_peer nobody = {.uid = 65534};
    set_up();
    for (uint32_t id = 1; id <= 3; id++) {
        struct slurm_job *j = list_add(id, id == 1 ? 70 : 0);
        apply();
        if (id > 1)
            run(j);
    }
    advance(80);
    run(&list[0]);
    apply();
    advance(2);
    UNIT_INT(report(1, 1, 3600000), 1, "counted");
    for (int i = 0; i < 3; i++)
        end(&list[i]);
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

/* Another note than list_add's. */
static void note(struct slurm_job *j, const char *code, int wait_s, int latest_s)
{
    char text[512];
    snprintf(text, sizeof(text),
             "carnot:v=1,id=%x,t=%lld,begin=%lld,latest=%lld,wait=%d,j=600,g=0.0166,g0=0.0667,"
             "policy=balanced,code=%s,layer=flag,eb=0,cb=0,act=default,run=",
             j->job_id, NOW, NOW, latest_s ? NOW + latest_s : 0, wait_s, code);
    free(j->admin_comment);
    j->admin_comment = strdup(text);
}

/* A job that grows, shrinks, or gets another size than it asked for, sets aside what it may use. */
static void test_other_size(void)
{
    set_up();
    struct slurm_job *j = list_add(7, 0);
    apply();
    UNIT_INT(tracker_find(&c, 7, NOW)->reserved_uj, 600000000, "as it was told");
    j->limit_s = 120;
    apply();
    UNIT_INT(tracker_find(&c, 7, NOW)->reserved_uj, 1200000000, "twice as long");
    UNIT_INT(tracker_find(&c, 7, NOW)->estimate_ug, 33200, "and twice the grams");
    j->cpus = 3;
    apply();
    UNIT_INT(tracker_find(&c, 7, NOW)->reserved_uj, 3600000000, "three CPUs");
    j->phase = PHASE_RUNNING;
    j->start_s = NOW + 1;
    j->cpus = 1;
    apply();
    UNIT_INT(tracker_find(&c, 7, NOW)->reserved_uj, 1200000000, "what Slurm gave it in the end");
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
    UNIT_INT(tracker_newest(&c, 7)->latest_s, NOW + 300, "the bound is what it was");
    planner_run(&c);
    UNIT_INT(n_orders, 1, "planned again");
    UNIT_INT(orders[0].begin_s, NOW + 70, "in the dip");
    planner_ordered(&c, 7, NOW + 70, 1);
    j->eligible_s = NOW + 70;
    advance(1);
    apply();
    planner_run(&c);
    UNIT_INT(n_orders, 1, "once");
    UNIT_INT(tracker_newest(&c, 7)->released, 0, "and it is ours");
    j->submit_s = NOW + 6; /* Slurm sets this a little later than the count */
    advance(1);
    apply();
    planner_run(&c);
    UNIT_INT(n_orders, 1, "still the same run");
    UNIT_INT(tracker_newest(&c, 7)->key.submit_s, NOW + 5, "with its row");
    UNIT_INT(tracker_newest(&c, 7)->live, 1, "which lives");
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
    planner_run(&c);
    UNIT_INT(n_orders, 1, "a begin time while its parent runs");
    UNIT_INT(orders[0].begin_s, NOW + 70, "in the dip, which comes after the parent's end");
    planner_ordered(&c, 8, NOW + 70, 1);
    advance(1);
    apply();
    planner_run(&c);
    UNIT_INT(n_orders, 1, "not again with each list");
    advance(10);
    parent->phase = PHASE_ENDED;
    parent->end_s = NOW + 11;
    j->dependency = NULL;
    j->eligible_s = NOW + 70;
    apply();
    planner_run(&c);
    struct ledger_job *row = tracker_newest(&c, 8);
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
    planner_run(&c);
    UNIT_INT(tracker_newest(&c, 8)->spent_s, 70, "spent by its parent");
    advance(80);
    parent->phase = PHASE_ENDED;
    parent->end_s = NOW + 80;
    j->dependency = NULL;
    apply();
    planner_run(&c);
    UNIT_OK(tracker_newest(&c, 8)->latest_s <= NOW + 80 + 20, "20 s are left of 90");
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
        {"10.0.0.5", "10.0.0.9", 0, 0},     /* to be looked up: later */
        {"10.0.0.9", "10.0.0.5", 0, 0},
        {"127.0.1.1", "10.0.0.5", 0, 0},
        {"127.0.0.1", "10.0.0.1", 0, 1},
        {"10.0.0.1", "10.0.0.9", 0, 2}, /* two addresses, Slurm knows the one */
        {"10.0.0.9", "10.0.0.1", 0, 3}, /* or the other */
    };
    struct err e = {.text = ""};
    set_up();
    run(list_add(7, 0));
    apply();
    advance(2);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reporter = (struct channel_peer){
            .uid = rows[i].uid, .origin = address(rows[i].origin), .far = address(rows[i].far)};
        long long seq = rows[i].acked > 0 ? rows[i].acked : 1;
        UNIT_INT(send_report(one_record(seq, 7, 1000000), &e), rows[i].acked, "row %zu", i);
        UNIT_INT(c.n_nodes, rows[i].acked > 0, "row %zu: heard of only if it counts", i);
    }
    struct ledger_job *row = tracker_find(&c, 7, NOW);
    UNIT_INT(row->energy_uj, 3000000, "three counted");
    c.set.controller.check_origin = 0;
    reporter.origin = reporter.far = address("10.0.0.9");
    UNIT_INT(send_report(one_record(4, 7, 1000000), &e), 4, "the site does not want to know");
    tear_down();
}

/* Sums that only come out right because they wrap. */
static void test_report_overflow(void)
{
    struct err e = {.text = ""};
    json_int_t huge = INT64_MAX;
    set_up();
    grant(10000);
    run(list_add(7, 0));
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
    static const struct unit_case cases[] = {{"life", test_life},
                                             {"lost", test_lost},
                                             {"replan_without_note", test_replan_without_note},
                                             {"same_number", test_same_number},
                                             {"gone", test_gone},
                                             {"requeue", test_requeue},
                                             {"requeue_budget", test_requeue_budget},
                                             {"requeue_settles", test_requeue_settles},
                                             {"late_records", test_late_records},
                                             {"user_change", test_user_change},
                                             {"replan", test_replan},
                                             {"now", test_now},
                                             {"other_size", test_other_size},
                                             {"requeue_waits", test_requeue_waits},
                                             {"dependent", test_dependent},
                                             {"dependent_shares", test_dependent_shares},
                                             {"bonus", test_bonus},
                                             {"array", test_array},
                                             {"admit", test_admit},
                                             {"enforce", test_enforce},
                                             {"modelled", test_modelled},
                                             {"unknown_job", test_unknown_job},
                                             {"bad_records", test_bad_records},
                                             {"rights", test_rights},
                                             {"origin", test_origin},
                                             {"report_overflow", test_report_overflow},
                                             {"bad_feed", test_bad_feed},
                                             {"let_go", test_let_go},
                                             {"let_go_near", test_let_go_near},
                                             {"let_go_at_once", test_let_go_at_once},
                                             {"let_go_held", test_let_go_held},
                                             {"bad_switch", test_bad_switch},
                                             {"ended", test_ended},
                                             {"ended_piece", test_ended_piece},
                                             {"plugin", test_plugin},
                                             {NULL, NULL}};
    return unit_main(argc, argv, cases, "carnotctld");
}
