/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/enforcer.h"
#include "carnotctld/events.h"
#include "carnotctld/feed_watch.h"
#include "carnotctld/limits.h"
#include "carnotctld/node_address.h"
#include "carnotctld/nodelist.h"
#include "carnotctld/nodes.h"
#include "carnotctld/planner.h"
#include "carnotctld/publisher.h"
#include "carnotctld/tracker.h"
#include "common/log.h"
#include "common/when.h"
#include "ctl_host.h"

/* ---- the Slurm of the test ---- */

struct slurm_order orders[64];
int n_orders, n_pokes;

int slurm_client_order(const struct slurm_order *order)
{
    orders[n_orders++ % 64] = *order;
    return 0;
}

struct slurm_order slurm_client_order_for(enum order_kind kind, const struct ledger_job *row)
{
    return (struct slurm_order){.kind = kind, .job_id = row->key.job_id};
}

unsigned n_waiting;

unsigned slurm_client_waiting(void)
{
    return n_waiting;
}

int64_t slurm_client_pace_ms(void)
{
    return ORDER_SPACING_MS;
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

struct ctl c;
struct unit_clock clock_now;
static struct clock_ops ops;
char feed_path[200];

void write_feed(const char *body)
{
    FILE *f = fopen(feed_path, "w");
    fprintf(f, "time,zone,g_per_kwh\n%s", body);
    fclose(f);
}

/* 400 g/kWh, 100 in [NOW + from, NOW + from + 60). */
void dip_at(int from)
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

void advance(int64_t s)
{
    clock_now.wall_ms += s * 1000;
    clock_now.mono_ms += s * 1000;
}

struct channel_peer reporter;

struct in_addr address(const char *text)
{
    struct in_addr a;
    inet_pton(AF_INET, text, &a);
    return a;
}

void set_up(void)
{
    char path[600];
    struct err e = {.text = ""};
    log_set_handler(quiet, NULL);
    memset(&c, 0, sizeof(c));
    n_orders = n_pokes = 0;
    n_waiting = 0;
    list_cpus = 0;
    reporter = (struct channel_peer){.origin = address("10.0.0.1"), .far = address("10.0.0.1")};
    clock_now = (struct unit_clock){.wall_ms = NOW * 1000, .mono_ms = 1000};
    ops = unit_clock_ops(&clock_now);
    c.clock = &ops;
    settings_init(&c.set);
    c.set.mode = MODE_ACT;
    c.set.policy.min_gain_ug = 0;
    c.set.policy.lambda_g_per_h = 0.0001;
    c.set.policy.stagger_ms = 0; /* starts to the second */
    c.set.policy.overbook = 1;
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

void tear_down(void)
{
    planner_fini(&c);
    tracker_fini(&c);
    publisher_fini(&c);
    feed_watch_fini(&c);
    ledger_close(c.ledger);
    events_close();
    nodes_fini(&c);
}

/* kill -9 and a new process, as far as memory goes. */
void restart(void)
{
    struct err e = {.text = ""};
    snapshot_destroy(c.snap);
    free(c.jobs);
    c.snap = NULL;
    c.jobs = NULL;
    c.n_jobs = c.room_jobs = 0;
    c.load = (struct ctl_load){0};
    nodes_fini(&c);
    UNIT_INT(nodes_init(&c, &e), 0, "%s", e.text);
    UNIT_INT(tracker_init(&c, &e), 0, "%s", e.text);
}

struct slurm_job list[64];
char *comments[64];
size_t n_list;

struct slurm_job *list_add(uint32_t id, int wait_s)
{
    struct slurm_job *j = &list[n_list++];
    char note[512];
    free(COMMENT(j)); /* of a list before this one */
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
    COMMENT(j) = strdup(note);
    return j;
}

void run_job(struct slurm_job *j)
{
    j->phase = PHASE_RUNNING;
    j->start_s = clock_now.wall_ms / 1000;
    snprintf(j->state, sizeof(j->state), "RUNNING");
    snprintf(j->nodelist, sizeof(j->nodelist), "n1");
}

void end_job(struct slurm_job *j)
{
    j->phase = PHASE_ENDED;
    j->end_s = clock_now.wall_ms / 1000;
    snprintf(j->state, sizeof(j->state), "COMPLETED");
}

/* Slurm's list as it stands, handed over as slurm_client does. */
uint32_t age_weight, list_cpus; /* of the next list */

void apply(void)
{
    struct snapshot *s = calloc(1, sizeof(*s));
    s->listed_ms = clock_now.wall_ms;
    s->jobs = calloc(n_list + 1, sizeof(*s->jobs));
    s->n_jobs = n_list;
    for (size_t i = 0; i < n_list; i++) {
        s->jobs[i] = list[i];
        s->jobs[i].note = snapshot_note(comments[i]);
        s->jobs[i].dependency = list[i].dependency ? strdup(list[i].dependency) : NULL;
    }
    s->parts = calloc(1, sizeof(*s->parts));
    s->n_parts = 1;
    s->cpus = list_cpus;
    s->age_weight = age_weight;
    s->age_full_s = 1000;
    s->parts[0] =
        (struct slurm_part){.name = "batch", .is_default = 1, .nodes = 4, .cpus_per_node = 4};
    tracker_apply(&c, s);
    struct err e = {.text = ""};
    UNIT_INT(publisher_build(&c, &e), 0, "%s", e.text);
    enforcer_published(&c);
}

void plan(void)
{
    do
        planner_run(&c);
    while (!planner_planned(&c));
}

struct budget bio(void)
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

void grant(uint64_t joules)
{
    struct err e = {.text = ""};
    UNIT_INT(budget_set(c.ledger, SCOPE_ACCOUNT, "bio", RESOURCE_ENERGY, PERIOD_MONTH,
                        joules * 1000000, NOW, &e),
             0, "%s", e.text);
}

json_t *one_record(long long seq, uint32_t job, uint64_t uj)
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
long long send_report(json_t *request, struct err *e)
{
    struct asker who = {.ctl = &c, .peer = &reporter, .user = "root", .is_operator = 1};
    json_t *answer = op_report(&who, request, e);
    long long acked = answer ? (long long)json_integer_value(json_object_get(answer, "acked")) : -1;
    json_decref(answer);
    json_decref(request);
    return acked;
}

/* A record of node n1 that ends now, with one job; the answer's acked. */
long long report(long long seq, uint32_t job, uint64_t uj)
{
    struct err e = {.text = ""};
    long long acked = send_report(one_record(seq, job, uj), &e);
    UNIT_OK(acked >= 0, "%s", e.text);
    return acked;
}

int said(const char *what)
{
    char path[600], line[2048];
    int n = 0;
    snprintf(path, sizeof(path), "%s/events.jsonl", unit_tmpdir());
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f))
        n += strstr(line, what) != NULL;
    if (f)
        fclose(f);
    return n;
}
