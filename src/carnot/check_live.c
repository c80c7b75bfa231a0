/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot check: carnotctld by what it answers (itself, Slurm's list, the feed, the nodes), and who
 * else writes where Carnot does.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "carnot/answer.h"
#include "carnot/check.h"
#include "carnot/client.h"
#include "carnot/show.h"

#define NAMES_SHOWN 5

/* Ask without a word on stderr: a failure is a finding here. New reference or NULL and e. */
static json_t *_ask(struct check *k, json_t *request, struct err *e)
{
    json_t *answer = NULL;
    const char *text;

    if (k->c->transport(k->c, request, &answer, e) < 0)
        answer = NULL;
    json_decref(request);
    if (answer && !json_is_true(json_object_get(answer, "ok"))) {
        text = answer_text(answer, "error");
        (void)err_set(e, "%s", text ? text : "its answer is not to be understood");
        json_decref(answer);
        answer = NULL;
    }
    return answer;
}

static void _version(struct check *k, const char *who, const char *version)
{
    if (strcmp(version, PACKAGE_VERSION) == 0) {
        check_ok(k, "carnot.version", "%s is of Carnot %s, as this command", who, version);
        return;
    }
    check_warn(k, "carnot.version", "%s is of Carnot %s, this command of %s", who, version,
               PACKAGE_VERSION);
    check_cure(k, "install the same release of all packages; nodes and controller may differ by "
                  "one while you do");
}

static void _slurm(struct check *k)
{
    const json_t *slurm = json_object_get(k->status, "slurm");
    int64_t age_s = answer_integer(slurm, "listed_age_s");
    char age[SHOW_SIZE];

    if (!json_is_true(json_object_get(slurm, "ok"))) {
        check_error(k, "carnotctld.slurm", "carnotctld gets no job list: %s",
                    answer_show(slurm, "error"));
        check_cure(k, "is slurmctld running, and SLURM_CONF of carnotctld right? see carnotctld's "
                      "log");
    } else if (age_s != ANSWER_NONE && age_s * 1000 > 4 * k->set.controller.poll_ms + 10000) {
        check_warn(k, "carnotctld.slurm", "carnotctld's job list is %s old",
                   show_span(age, sizeof(age), age_s));
        check_cure(k, "is slurmctld slow? see sdiag, and carnotctld's log");
    } else
        check_ok(k, "carnotctld.slurm", "carnotctld has Slurm's job list, %s old",
                 show_span(age, sizeof(age), age_s));
}

static void _feed(struct check *k)
{
    const json_t *feed = json_object_get(k->status, "feed");
    int64_t age_s = answer_integer(feed, "age_s"), until_s = answer_time(feed, "until");
    int64_t allowed_s = k->set.carbon.stale_after_ms / 1000;
    int64_t need_s = k->set.policy.site_delay_ms / 1000;
    char age[SHOW_SIZE], span[SHOW_SIZE];
    const char *name = answer_show(feed, "name"), *zone = answer_show(feed, "zone");

    (void)show_span(age, sizeof(age), age_s);
    if (until_s == ANSWER_NONE || age_s == ANSWER_NONE) {
        check_error(k, "feed", "feed %s of zone %s has given nothing: no job waits", name, zone);
        check_cure(k, "see carbon.file and carbon.zone in carnot.yaml, and carnotctld's log");
    } else if (until_s <= k->asked_s) {
        check_add(k, until_s + allowed_s < k->asked_s ? CHECK_ERROR : CHECK_WARNING, "feed",
                  "feed %s of zone %s ended %s ago: %s", name, zone,
                  show_span(span, sizeof(span), k->asked_s - until_s),
                  until_s + allowed_s < k->asked_s ? "no job waits any more"
                                                   : "the built-in forecast stands in");
        check_cure(k, "have the feed write again: carbon.file in carnot.yaml");
    } else if (until_s < k->asked_s + need_s) {
        check_warn(k, "feed.horizon",
                   "feed %s of zone %s reaches %s ahead only, less than "
                   "policy.site_delay",
                   name, zone, show_span(span, sizeof(span), until_s - k->asked_s));
        check_cure(k, "use a feed with a forecast of a day or more");
    } else if (age_s > allowed_s) {
        check_warn(k, "feed", "feed %s of zone %s is %s old", name, zone, age);
        check_cure(k, "have the feed write again, or raise carbon.stale_after");
    } else
        check_ok(k, "feed", "feed %s of zone %s is %s old, reaches %s ahead", name, zone, age,
                 show_span(span, sizeof(span), until_s - k->asked_s));
}

/* "n1, n2, n3 and 12 more" of those rows that fit; how many they are. */
static int _name_rows(char *buf, size_t size, const json_t *rows, int (*fits)(const json_t *row))
{
    size_t i, used = 0;
    int n = 0;
    json_t *row;

    buf[0] = '\0';
    json_array_foreach(rows, i, row)
    {
        if (!fits(row) || n++ >= NAMES_SHOWN || used >= size)
            continue;
        used += (size_t)snprintf(buf + used, size - used, "%s%s", n > 1 ? ", " : "",
                                 answer_show(row, "node"));
    }
    if (n > NAMES_SHOWN && used < size)
        (void)snprintf(buf + used, size - used, " and %d more", n - NAMES_SHOWN);
    return n;
}

static int _is_silent(const json_t *row)
{
    return strcmp(answer_show(row, "state"), "ok") != 0;
}

static int _is_blind(const json_t *row)
{
    const char *quality = answer_show(row, "quality");

    return !_is_silent(row) && (strcmp(quality, "stale") == 0 || strcmp(quality, "none") == 0);
}

static int _is_other(const json_t *row)
{
    const char *version = answer_text(row, "version");

    return !_is_silent(row) && version && strcmp(version, PACKAGE_VERSION) != 0;
}

/* All rows of op nodes, page by page. New reference or NULL and e. */
static json_t *_rows(struct check *k, struct err *e)
{
    json_t *rows = json_array(), *answer, *page;
    int more = 1;

    while (more) {
        json_t *request = client_request("nodes");

        (void)json_object_set_new(request, "offset",
                                  json_integer((json_int_t)json_array_size(rows)));
        answer = _ask(k, request, e);
        if (!answer) {
            json_decref(rows);
            return NULL;
        }
        page = json_object_get(answer, "nodes");
        more = json_array_size(page) > 0 && json_is_true(json_object_get(answer, "more"));
        (void)json_array_extend(rows, page);
        json_decref(answer);
    }
    return rows;
}

static void _nodes(struct check *k)
{
    struct err e = {""};
    json_t *rows = _rows(k, &e);
    size_t total = json_array_size(rows);
    char names[256];
    int n;

    if (!rows) {
        check_warn(k, "nodes", "which nodes report is not known: %s", e.text);
        check_cure(k, "run this as root or as an operator of carnot.yaml");
        return;
    }
    n = _name_rows(names, sizeof(names), rows, _is_silent);
    if (total == 0) {
        check_warn(k, "nodes", "no node has ever reported");
        check_cure(k, "start carnotd on the nodes; there: carnot check --node");
    } else if (n > 0) {
        check_warn(k, "nodes", "%d of %zu nodes are silent: %s", n, total, names);
        check_cure(k, "on them: systemctl status carnotd; carnot check --node");
    } else
        check_ok(k, "nodes", "all %zu nodes report", total);
    n = _name_rows(names, sizeof(names), rows, _is_blind);
    if (n > 0) {
        check_warn(k, "nodes.sources", "%d nodes have no good source of power: %s", n, names);
        check_cure(k, "on them: carnot check --node; carnotd --once");
    }
    n = _name_rows(names, sizeof(names), rows, _is_other);
    if (n > 0) {
        check_warn(k, "nodes.version", "%d nodes run another release of Carnot than this: %s", n,
                   names);
        check_cure(k, "install the same release there; they may differ by one while you do");
    }
    json_decref(rows);
}

void check_carnotctld(struct check *k, int with_nodes)
{
    struct err e = {""};

    if (!k->configured)
        return;
    if (k->no_munge) {
        check_warn(k, "carnotctld", "carnotctld was not asked, since munge does not work here");
        check_cure(k, "get munge to work, and check again");
        return;
    }
    k->status = _ask(k, client_request("status"), &e);
    k->asked_s = (int64_t)time(NULL);
    if (!k->status) {
        check_error(k, "carnotctld", "%s", e.text);
        check_cure(k, "systemctl start carnotctld; its log says why it ended");
        return;
    }
    check_ok(k, "carnotctld", "carnotctld answers at %s port %d: cluster %s, mode %s",
             k->set.controller.host, k->set.controller.port, answer_show(k->status, "cluster"),
             answer_show(k->status, "mode"));
    _version(k, "carnotctld", answer_show(k->status, "version"));
    if (!with_nodes)
        return;
    _slurm(k);
    _feed(k);
    _nodes(k);
}

/* One line of `carnot-slurm-facts jobs`: does somebody else write AdminComment of a job that has
 * not ended? What is written at its end does not harm. */
static int _foreign(const char *line, size_t n)
{
    static const char ended[] = "ENDED ", ours[] = "carnot:";

    return n > 0 && strncmp(line, ended, strlen(ended)) != 0 &&
           !memmem(line, n, ours, strlen(ours));
}

void check_neighbours(struct check *k)
{
    const char *list = slurmconf_or(&k->slurm, "JobSubmitPlugins", "");
    struct child_result r;
    struct err e = {""};
    int n = 0, stats = 0;

    if (slurmconf_has(list, "lua"))
        check_ok(k, "others.lua", "JobSubmitPlugins=%s: lua decides before Carnot", list);
    if (k->source != CHECK_RUNNING || check_facts("carnot-slurm-facts", "jobs", NULL, &r, &e) < 0)
        return;
    for (const char *p = r.out; *p; p += strcspn(p, "\n") + (p[strcspn(p, "\n")] == '\n')) {
        size_t length = strcspn(p, "\n");

        n += _foreign(p, length);
        stats += memmem(p, length, " JS1:", 5) != NULL;
    }
    child_fini(&r);
    if (stats > 0)
        check_ok(k, "others.comment", "jobstats writes AdminComment of ended jobs (%d of them)",
                 stats);
    if (n == 0) {
        check_ok(k, "others.comment", "nobody else writes AdminComment of waiting or running jobs");
        return;
    }
    check_warn(k, "others.comment",
               "%d jobs that wait or run have an AdminComment that is not "
               "Carnot's: who replaces it takes Carnot's decision away",
               n);
    check_cure(k, "have the other tool append, or write at the end of a job; which it is: scontrol "
                  "show job");
}
