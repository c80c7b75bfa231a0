/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records from the nodes: checked, priced with the intensity of their interval, counted once.
 *
 * A record names a job that Slurm's list has not shown yet? Then the list is asked for and the
 * record is left to be sent again: what is acknowledged is counted for good, with its account.
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/events.h"
#include "carnotctld/feed_watch.h"
#include "carnotctld/node_address.h"
#include "carnotctld/named_job.h"
#include "carnotctld/nodes.h"
#include "carnotctld/ops.h"
#include "carnotctld/requeue.h"
#include "carnotctld/slurm_client.h"
#include "carnotctld/tracker.h"
#include "common/log.h"
#include "common/text.h"
#include "common/when.h"

#define SHARES_MAX 4096
#define RECORD_DT_MAX_MS (3600 * 1000LL)
#define CLOCK_AHEAD_MS 10000
#define REFUSED_EVERY_MS 60000
#define NODE_W_MAX 100000.0 /* no node of today draws 100 kW */

/* A record as it came, checked. */
struct record {
    int64_t start_ms, end_ms;
    uint64_t seq, node_uj, idle_uj, system_uj;
    const char *quality, *coverage;
    const json_t *jobs, *sources;
};

static int read_u64(const json_t *o, const char *key, uint64_t *out)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return -1;
    *out = (uint64_t)json_integer_value(v);
    return 0;
}

static const char *text_or(const json_t *o, const char *key, const char *otherwise)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s && strlen(s) < 48 ? s : otherwise;
}

static int check_sum(const struct record *r, struct err *e)
{
    uint64_t sum = r->idle_uj + r->system_uj, uj;
    size_t i;
    json_t *job;
    if (json_array_size(r->jobs) > SHARES_MAX)
        return err_set(e, "record %llu names more than %d jobs", (unsigned long long)r->seq,
                       SHARES_MAX);
    /* No part is larger than the whole: so the sum below cannot wrap. */
    if (r->idle_uj > r->node_uj || r->system_uj > r->node_uj)
        return err_set(e, "record %llu: idle or system is more than the node",
                       (unsigned long long)r->seq);
    json_array_foreach((json_t *)(uintptr_t)r->jobs, i, job)
    {
        if (read_u64(job, "uj", &uj) < 0 || uj > r->node_uj)
            return err_set(e, "record %llu has a job without uj, or with more than the node's",
                           (unsigned long long)r->seq);
        sum += uj;
    }
    if (sum != r->node_uj)
        return err_set(e, "record %llu: jobs, idle and system make %llu uJ, the node %llu",
                       (unsigned long long)r->seq, (unsigned long long)sum,
                       (unsigned long long)r->node_uj);
    return 0;
}

static int read_record(const json_t *o, struct record *r, struct err *e)
{
    uint64_t dt_ms;
    memset(r, 0, sizeof(*r));
    if (!json_is_object(o) || read_u64(o, "seq", &r->seq) < 0 || r->seq == 0 ||
        read_u64(o, "uj", &r->node_uj) < 0 || read_u64(o, "idle_uj", &r->idle_uj) < 0 ||
        read_u64(o, "system_uj", &r->system_uj) < 0 || read_u64(o, "dt_ms", &dt_ms) < 0)
        return err_set(e, "a record lacks seq, uj, idle_uj, system_uj or dt_ms");
    const char *ts = json_string_value(json_object_get(o, "ts"));
    if (!ts || when_parse_rfc3339(ts, &r->end_ms, e) < 0)
        return err_set(e, "record %llu has no ts", (unsigned long long)r->seq);
    if (dt_ms > RECORD_DT_MAX_MS)
        return err_set(e, "record %llu spans more than an hour", (unsigned long long)r->seq);
    r->start_ms = r->end_ms - (int64_t)dt_ms;
    if ((double)r->node_uj / 1e3 > NODE_W_MAX * (double)(dt_ms ? dt_ms : 1))
        return err_set(e, "record %llu: more than a node can draw", (unsigned long long)r->seq);
    r->quality = text_or(o, "quality", "none");
    r->coverage = text_or(o, "coverage", "");
    r->jobs = json_object_get(o, "jobs");
    r->sources = json_object_get(o, "sources");
    return check_sum(r, e);
}

static enum ledger_quality quality_of(const char *text)
{
    int q = ledger_quality_parse(text);
    return q < 0 ? QUALITY_NONE : (enum ledger_quality)q;
}

/* Fill shares; what belongs to no run of this node goes to the system's part. 1 done, 0 ask again
 * later, -1 error. */
static int share_out(struct ctl *c, const char *node, const struct record *r,
                     struct ledger_share *shares, size_t *n_shares, uint64_t *system_uj)
{
    size_t i;
    json_t *job;
    *n_shares = 0;
    *system_uj = r->system_uj;
    json_array_foreach((json_t *)(uintptr_t)r->jobs, i, job)
    {
        uint64_t id, uid, uj = 0;
        int64_t begun_ms = 0;
        struct ledger_job run;
        read_u64(job, "uj", &uj); /* check_sum has seen it */
        if (read_u64(job, "job", &id) < 0 || id == 0 || id > UINT32_MAX ||
            read_u64(job, "uid", &uid) < 0 || uid > UINT32_MAX) {
            *system_uj += uj;
            continue;
        }
        const char *begun = json_string_value(json_object_get(job, "begun"));
        if (begun && when_parse_rfc3339(begun, &begun_ms, NULL) < 0)
            begun_ms = 0;
        struct named_job named = {.node = node,
                                  .job_id = (uint32_t)id,
                                  .uid = (uint32_t)uid,
                                  .from_ms = r->start_ms,
                                  .until_ms = r->end_ms,
                                  .begun_s = begun_ms / 1000};
        int rc = named_job_run(c, &named, &run);
        if (rc <= 0)
            return rc;
        if (rc == NAMED_JOB_NOBODYS) {
            *system_uj += uj;
            continue;
        }
        shares[(*n_shares)++] = (struct ledger_share){
            .key = run.key,
            .energy_uj = uj,
            .carbon_ug =
                feed_watch_emissions_ug(c, r->start_ms / 1000, (r->end_ms + 999) / 1000, uj),
            .quality = quality_of(text_or(job, "quality", "none")),
            .coverage = text_or(job, "coverage", r->coverage),
        };
    }
    return 1;
}

/* 1 counted (or counted before), 0 ask again later, -1 error. */
static int count(struct ctl *c, const char *node, const struct record *r, struct err *e)
{
    static struct ledger_share shares[SHARES_MAX]; /* main loop only */
    size_t n;
    uint64_t system_uj;
    int rc = share_out(c, node, r, shares, &n, &system_uj);
    if (rc != 1)
        return rc;
    struct ledger_record record = {
        .node = node,
        .seq = r->seq,
        .start_s = r->start_ms / 1000,
        .end_s = (r->end_ms + 999) / 1000,
        .node_uj = r->node_uj,
        .idle_uj = r->idle_uj,
        .system_uj = system_uj,
        .shares = shares,
        .n_shares = n,
    };
    for (size_t i = 0; i < n; i++)
        requeue_lend(c, shares[i].key, shares[i].energy_uj, shares[i].carbon_ug);
    rc = ledger_record_add(c->ledger, &record, e);
    if (rc < 0)
        return -1;
    for (size_t i = 0; rc == 1 && i < n; i++)
        tracker_refresh(c, shares[i].key);
    if (n)
        c->dirty = 1;
    return 1;
}

static void remember(struct ctl *c, const char *name, const char *version, const struct record *r)
{
    struct ctl_node *n = nodes_get(c, name);
    if (!n)
        return;
    n->heard_ms = ctl_now_ms(c);
    snprintf(n->version, sizeof(n->version), "%s", version);
    if (!r || r->end_ms <= r->start_ms)
        return;
    n->counted_ms = r->end_ms;
    n->power_w = (double)r->node_uj / 1e3 / (double)(r->end_ms - r->start_ms);
    text_copy(n->quality, sizeof(n->quality), r->quality);
    text_copy(n->coverage, sizeof(n->coverage), r->coverage);
    nodes_note_sources(n, r->sources);
}

static int known_node(const char *name, struct err *e)
{
    size_t len = strlen(name);
    if (len == 0 || len >= LEDGER_NAME_MAX ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != len)
        return err_set(e, "node: the name of a node is needed");
    return 0;
}

/* carnotd of which node asks? The address that munged put into the credential says so, or the other
 * end of the connection: a node may have several addresses, of which Slurm names one. 1 of this
 * one, 0 ask again later, -1 of another. */
static int comes_from(const struct asker *who, const char *node, struct err *e)
{
    const struct channel_peer *peer = who->peer;
    char origin[INET_ADDRSTRLEN], far[INET_ADDRSTRLEN];
    if (peer->uid != 0 && peer->uid != who->ctl->node_uid)
        return err_set(e,
                       "only root of a node, or carnotd's user there (node.user, uid %u on this "
                       "host), may report of it, not uid %u",
                       (unsigned)who->ctl->node_uid, (unsigned)peer->uid);
    if (!who->ctl->set.controller.check_origin)
        return 1;
    int by_origin = node_address_is_vague(peer->origin) ? 0 : node_address_is(node, peer->origin);
    int by_far = by_origin == 1 ? 0 : node_address_is(node, peer->far);
    if (by_origin == 1 || by_far == 1)
        return 1;
    if (by_origin < 0 || by_far < 0)
        return 0;
    inet_ntop(AF_INET, &peer->origin, origin, sizeof(origin));
    inet_ntop(AF_INET, &peer->far, far, sizeof(far));
    return err_set(
        e,
        "neither %s (by munge) nor %s (the connection) is an address of node %s in Slurm: "
        "its reports do not count; see controller.check_origin",
        origin, far, node);
}

/* One line a minute for all nodes: each is refused again and again, and says so itself. */
static void tell_refused(struct ctl *c, const char *node, const char *why)
{
    static int64_t told_ms;
    static unsigned untold;
    int64_t now = clock_mono_ms(c->clock);
    if (told_ms && now - told_ms < REFUSED_EVERY_MS) {
        untold++;
        return;
    }
    log_warn("report refused: %s (%u more since the last such line)", why, untold);
    events_other(c, "node.source", "REFUSED", json_pack("{s:s,s:s}", "node", node, "why", why),
                 node);
    told_ms = now;
    untold = 0;
}

json_t *op_report(const struct asker *who, const json_t *request, struct err *e)
{
    struct ctl *c = who->ctl;
    struct err why = {.text = ""};
    uint64_t acked = 0;
    size_t i;
    json_t *item;
    const char *node = ops_string(request, "node", LEDGER_NAME_MAX, e);
    const char *version = ops_string(request, "version", 31, e);
    if (!node || !version || known_node(node, e) < 0)
        return NULL;
    int rightful = comes_from(who, node, e);
    if (rightful < 0) {
        tell_refused(c, node, e->text);
        return NULL;
    }
    if (rightful == 0)
        return json_pack("{s:I}", "acked", (json_int_t)0);
    if (ledger_node_seq(c->ledger, node, &acked, e) < 0 || ledger_begin(c->ledger, e) < 0)
        return NULL;
    remember(c, node, version, NULL);
    uint64_t counted = acked;
    json_array_foreach(json_object_get(request, "records"), i, item)
    {
        struct record r;
        int rc = read_record(item, &r, &why);
        if (rc < 0 && r.seq > counted) {
            /* A record that makes no sense never will: it is passed over, and said so. */
            log_warn("node %s: %s: refused", node, why.text);
            events_other(c, "node.source", "REFUSED",
                         json_pack("{s:s,s:s}", "node", node, "why", why.text), node);
            counted = r.seq;
            continue;
        }
        if (rc < 0 || r.seq <= counted)
            continue;
        /* A clock ahead of ours: its record waits until our time has come, or it would open the
         * next period of a budget early. */
        if (r.end_ms > ctl_now_ms(c) + CLOCK_AHEAD_MS) {
            err_set(&why, "its clock is ahead of the controller's");
            break;
        }
        rc = count(c, node, &r, &why);
        if (rc == 0)
            slurm_client_poke();
        if (rc != 1)
            break;
        counted = r.seq;
        remember(c, node, version, &r);
    }
    if (ledger_commit(c->ledger, e) < 0)
        return NULL;
    json_t *answer = json_pack("{s:I}", "acked", (json_int_t)counted);
    if (why.text[0] && answer)
        json_object_set_new(answer, "error", json_string(why.text));
    return answer;
}
