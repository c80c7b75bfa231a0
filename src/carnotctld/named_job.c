/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers of jobs are not unique: requeues share one, and slurmctld gives that of a job that it
 * lost in a crash to another, while the node of the lost one goes on to name it.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/named_job.h"
#include "carnotctld/nodelist.h"
#include "carnotctld/runs.h"
#include "carnotctld/settle.h"
#include "carnotctld/tracker.h"
#include "common/log.h"
#include "common/user.h"

#define CLOCKS_DIFFER_S 2 /* of nodes; and Slurm's times are whole seconds */

/* Did Slurm have it on this node? Then a record of the node that names its number means it, though
 * another job has the number since: slurmctld gives away that of a job that it lost, and the node
 * of the lost one may go on to name it. */
static int is_of(const struct ledger_job *row, const char *node)
{
    return row->nodelist[0] && nodelist_has(row->nodelist, node);
}

/* A run that was over between two lists: they show that it was queued again, not when it ran. */
static int unseen(const struct ledger_job *row)
{
    return row->start_s == 0 && settle_was_requeued(row);
}

/* Had the run begun by then? Slurm's start is a whole second, and nodes' clocks differ a little. A
 * start that Slurm has taken back left its nodes in the row; one that was over between two lists
 * left nothing but its end. */
static int begun(const struct ledger_job *row, const struct named_job *job)
{
    if (unseen(row))
        return row->uid == job->uid && job->from_ms / 1000 <= row->end_s;
    return row->start_s > 0 ? row->start_s <= job->until_ms / 1000 + 1 : is_of(row, job->node);
}

/* Was the run over before the node began with its job? Then it means another one of that number,
 * which slurmctld may have lost before any list had it. 0: the node does not say when. */
static int over_before(const struct ledger_job *row, const struct named_job *job)
{
    return job->begun_s > 0 && row->end_s > 0 && job->begun_s > row->end_s + CLOCKS_DIFFER_S;
}

static int may_be(const struct ledger_job *row, const struct named_job *job)
{
    return begun(row, job) && !over_before(row, job);
}

/* Of the runs not settled, the last one that had begun by the record's end: on this node if there
 * is one, else anywhere; else the job's oldest. NULL: the job has none. */
static struct ledger_job *find_unsettled(struct ctl *c, const struct named_job *job)
{
    struct ledger_job *last = runs_at(c, job->job_id, job->until_ms / 1000), *best = NULL;
    size_t i = runs_from(c, job->job_id), first = i;
    for (; i < c->n_jobs && c->jobs[i].key.job_id == job->job_id; i++) {
        struct ledger_job *row = &c->jobs[i];
        if (may_be(row, job) && (!best || row->start_s >= best->start_s) && is_of(row, job->node))
            best = row;
    }
    if (i - first > 1 && best)
        return best;
    return last && over_before(last, job) ? NULL : last;
}

/* The same of the runs in the ledger. 1 found, 0 none, -1 error. */
static int find_settled(struct ctl *c, const struct named_job *job, struct ledger_job *out)
{
    struct ledger_query q = {.job_id = job->job_id};
    struct ledger_job *rows = NULL;
    struct err e = {.text = ""};
    size_t n = 0;
    int found = 0, here = 0;
    if (ledger_job_list(c->ledger, &q, &rows, &n, &e) < 0) {
        log_err("ledger: job %u: %s", job->job_id, e.text);
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        if (rows[i].key.job_id != job->job_id || !may_be(&rows[i], job))
            continue;
        int is_here = is_of(&rows[i], job->node);
        if (found && (is_here < here || (is_here == here && rows[i].start_s <= out->start_s)))
            continue;
        *out = rows[i];
        here = is_here;
        found = 1;
    }
    free(rows);
    return found;
}

/* Slurm started this one, took the start back, and queued it again with a new submit time (see
 * runs_same), or forgot that it had run: what its nodes drew until then is its own. */
static int taken_back(const struct ctl *c, const struct ledger_job *row,
                      const struct named_job *job)
{
    const struct slurm_job *now = snapshot_job(c->snap, row->key.job_id);
    if (!now || row->uid != job->uid || !runs_same(row, now))
        return 0;
    return row->measured_until_s > 0 ||
           (now->submit_s > row->key.submit_s && job->from_ms / 1000 <= now->submit_s);
}

/* The run of the same job after one that no list came to show, or NULL: another job. Slurm counts
 * runs, so this one has had some before it. */
static const struct ledger_job *run_after(const struct ctl *c, const struct named_job *job)
{
    size_t i = runs_from(c, job->job_id);
    for (; i < c->n_jobs && c->jobs[i].key.job_id == job->job_id; i++)
        if (c->jobs[i].key.restart > 0 && c->jobs[i].uid == job->uid)
            return &c->jobs[i];
    return NULL;
}

/* A key that no row has: a job of this number may have been submitted in the second in which the
 * other one was seen to start, and its row must not be written over. */
static int free_key(struct ctl *c, struct job_key *key, struct err *e)
{
    struct ledger_job other;
    int rc = 1;
    for (int i = 0; rc == 1 && i < 60; i++) {
        rc = ledger_job_get(c->ledger, *key, &other, e);
        key->submit_s -= rc == 1;
    }
    return rc == 1 ? err_set(e, "its number is taken") : rc;
}

static void read_next_run(struct ledger_job *row, const struct ledger_job *next)
{
    row->key.restart = next->key.restart - 1;
    row->array_job_id = next->array_job_id;
    row->array_task = next->array_task;
    memcpy(row->account, next->account, sizeof(row->account));
    memcpy(row->partition, next->partition, sizeof(row->partition));
    memcpy(row->name, next->name, sizeof(row->name));
    memcpy(row->run, next->run, sizeof(row->run));
    row->nodes = next->nodes;
    row->cpus = next->cpus;
    row->gpus = next->gpus;
    row->limit_s = next->limit_s;
}

struct ledger_job *named_job_adopt(struct ctl *c, const struct named_job *job,
                                   const struct ledger_job *next)
{
    struct err e = {.text = ""};
    struct ledger_job row;
    const char *state = next ? "REQUEUED" : "UNKNOWN";
    memset(&row, 0, sizeof(row));
    row.key = (struct job_key){job->job_id, 0, job->from_ms / 1000};
    row.array_task = -1;
    row.uid = job->uid;
    row.tasks = 1;
    row.start_s = row.key.submit_s;
    row.live = 1;
    if (next)
        read_next_run(&row, next);
    snprintf(row.state, sizeof(row.state), "%s", state);
    user_name(row.user, sizeof(row.user), row.uid);
    if (free_key(c, &row.key, &e) < 0 || ledger_job_put(c->ledger, &row, &e) < 0 ||
        ledger_job_end(c->ledger, row.key, state, job->until_ms / 1000, &e) < 0) {
        log_err("ledger: job %u: %s", row.key.job_id, e.text);
        return NULL;
    }
    row.live = 0;
    row.end_s = job->until_ms / 1000;
    if (!runs_append(c, &row))
        return NULL;
    runs_sort(c);
    return runs_row(c, row.key);
}

/* 1 found, 0 ask again later, -1 error. A job that began behind the last run of its number, and
 * that no list came to show: found is that run, and ran_there() says no. */
static int find_run(struct ctl *c, const struct named_job *job, struct ledger_job *out)
{
    struct ledger_job *row = find_unsettled(c, job);
    if (row && begun(row, job)) {
        *out = *row;
        return 1;
    }
    int rc = find_settled(c, job, out);
    if (rc != 0)
        return rc;
    /* The list is older than the record, or Slurm shows the job as pending still. */
    if (!c->snap || c->snap->listed_ms < job->until_ms + 5000)
        return 0;
    if (row && taken_back(c, row, job)) {
        *out = *row;
        return 1;
    }
    struct named_job whenever = *job;
    whenever.begun_s = 0;
    rc = find_settled(c, &whenever, out);
    if (rc != 0)
        return rc;
    row = named_job_adopt(c, job, run_after(c, job));
    if (!row)
        return -1;
    *out = *row;
    return 1;
}

/* Each node and job is said once, as far as so many are remembered. */
static int said_before(const char *node, uint32_t job_id)
{
    static struct {
        char node[LEDGER_NAME_MAX];
        uint32_t job_id;
    } said[64];
    static unsigned next;
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
        if (said[i].job_id == job_id && strcmp(said[i].node, node) == 0)
            return 1;
    snprintf(said[next].node, sizeof(said[next].node), "%s", node);
    said[next].job_id = job_id;
    next = (next + 1) % (sizeof(said) / sizeof(said[0]));
    return 0;
}

/* Nobody ends a job that slurmctld has forgotten, and its node may hold its cores for minutes: it
 * had reserved what it may draw until its limit, and more is not charged. */
static int beyond_limit(const struct named_job *job, const struct ledger_job *run)
{
    return settle_is_lost(run) && run->limit_s > 0 &&
           job->until_ms > (run->start_s + run->limit_s) * 1000;
}

/* Can the node have worked for this run then? Epilogs and processes that do not end in time take
 * minutes; a node that goes on to name a job that slurmctld has forgotten would do it for ever. */
static int ran_there(const struct named_job *job, const struct ledger_job *run)
{
    const char *why = NULL;
    if (run->nodelist[0] && !nodelist_has(run->nodelist, job->node))
        why = "Slurm never ran there";
    else if (over_before(run, job))
        why = "had ended before it began there";
    else if (run->end_s > 0 && job->from_ms / 1000 > run->end_s + TRACKER_LEFTOVER_S)
        why = "has ended long ago";
    else if (beyond_limit(job, run))
        why = "slurmctld has lost, and whose time limit is over";
    if (why && !said_before(job->node, job->job_id))
        log_warn("node %s reports job %u, which %s: not charged", job->node, job->job_id, why);
    return !why;
}

/* Its first record says when an unseen run began: reports and savings go by that. */
static void begin_unseen(struct ctl *c, const struct named_job *job, struct ledger_job *out)
{
    struct ledger_job *row = runs_row(c, out->key);
    int64_t from_s = job->begun_s > 0 ? job->begun_s : job->from_ms / 1000;
    out->start_s = from_s < out->end_s ? from_s : out->end_s;
    if (row)
        row->start_s = out->start_s;
    tracker_store(c, out);
}

int named_job_run(struct ctl *c, const struct named_job *job, struct ledger_job *out)
{
    int rc = find_run(c, job, out);
    if (rc == 1 && !ran_there(job, out))
        return NAMED_JOB_NOBODYS;
    if (rc == 1 && unseen(out))
        begin_unseen(c, job, out);
    return rc;
}
