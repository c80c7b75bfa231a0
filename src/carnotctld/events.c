/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing events. A disk that is full costs events, never the daemon: one line in the log says so.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carnotctld/events.h"
#include "common/log.h"
#include "common/path.h"
#include "common/when.h"

static int fd = -1;
static int failing; /* said so already */

int events_open(const char *log_dir, struct err *e)
{
    char path[SETTINGS_PATH_MAX + 32];
    if (path_mkdirs(log_dir, 0755, e) < 0 ||
        path_format(path, sizeof(path), "%s/events.jsonl", log_dir) < 0)
        return err_prefix(e, "log_dir");
    int next = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (next < 0)
        return err_errno(e, "%s", path);
    events_close();
    fd = next;
    return 0;
}

void events_close(void)
{
    if (fd >= 0)
        close(fd);
    fd = -1;
}

/* The disk took a part of a line: the next one must not go on where it ends. */
static void take_back(ssize_t n)
{
    struct stat st;
    if (fstat(fd, &st) == 0 && ftruncate(fd, st.st_size - n) < 0)
        log_debug("half a line stays in events.jsonl: %s", strerror(errno));
}

static void write_line(json_t *event)
{
    char *text = json_dumps(event, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(event);
    if (!text || fd < 0) {
        free(text);
        return;
    }
    size_t len = strlen(text);
    text[len] = '\n'; /* the terminator's place: the line goes out in one write */
    ssize_t n = write(fd, text, len + 1);
    int ok = n == (ssize_t)len + 1;
    if (n > 0 && !ok) {
        take_back(n);
        errno = ENOSPC;
    }
    if (!ok && !failing)
        log_err("cannot write events.jsonl: %s", strerror(errno));
    failing = !ok;
    free(text);
}

static json_t *time_or_null(int64_t t_s)
{
    char text[40];
    return t_s > 0 ? json_string(when_format_rfc3339(text, sizeof(text), t_s)) : json_null();
}

static json_t *begin(const struct ctl *c, const char *ev, const char *code)
{
    char ts[40];
    when_format_rfc3339_ms(ts, sizeof(ts), ctl_now_ms(c));
    return json_pack("{s:i,s:s,s:s,s:s}", "v", 1, "ts", ts, "ev", ev, "code", code ? code : "");
}

static json_t *about(const struct ctl *c, const char *ev, const char *code,
                     const struct ledger_job *job)
{
    char decision[24];
    json_t *o = begin(c, ev, code);
    snprintf(decision, sizeof(decision), "%016" PRIx64, job->decision);
    int64_t age_s = c->feed.issued_s ? ctl_now_s(c) - c->feed.issued_s : 0;
    int over = job->end_s > 0, known = !over || job->measured_until_s > 0;
    uint64_t uj = over ? job->energy_uj : job->estimate_uj;
    uint64_t ug = over ? job->carbon_ug : job->estimate_ug;
    json_object_set_new(o, "job", json_integer(job->key.job_id));
    json_object_set_new(o, "task",
                        job->array_task >= 0 ? json_integer(job->array_task) : json_null());
    json_object_set_new(o, "restart", json_integer(job->key.restart));
    json_object_set_new(o, "user", json_string(job->user));
    json_object_set_new(o, "account", json_string(job->account));
    json_object_set_new(o, "partition", json_string(job->partition));
    json_object_set_new(o, "nodes", json_integer(job->nodes));
    json_object_set_new(o, "not_before", time_or_null(job->planned_s));
    json_object_set_new(o, "latest", time_or_null(job->latest_s));
    json_object_set_new(o, "j", known ? json_real((double)uj / 1e6) : json_null());
    json_object_set_new(o, "g", known ? json_real((double)ug / 1e6) : json_null());
    json_object_set_new(o, "g_now", json_real((double)job->estimate_now_ug / 1e6));
    json_object_set_new(o, "quality",
                        json_string(over ? ledger_quality_name(job->quality) : "modelled"));
    json_object_set_new(o, "feed", json_string(c->set.carbon.feed));
    json_object_set_new(o, "feed_age_s", json_integer(age_s));
    json_object_set_new(o, "board", json_integer((json_int_t)c->board_seq));
    json_object_set_new(o, "decision", job->decision ? json_string(decision) : json_null());
    return o;
}

void events_job(const struct ctl *c, const char *ev, const char *code, const struct ledger_job *job,
                const char *by)
{
    json_t *o = about(c, ev, code, job);
    json_object_set_new(o, "by", json_string(by));
    write_line(o);
}

void events_pause(const struct ctl *c, const struct ledger_job *job, double saved_ug)
{
    json_t *o = about(c, "job.pause", "GREENER_LATER", job);
    json_object_set_new(o, "not_before", time_or_null(job->resume_s));
    json_object_set_new(o, "saves_g", json_real(saved_ug / 1e6));
    json_object_set_new(o, "by", json_string("carnot"));
    write_line(o);
}

void events_other(const struct ctl *c, const char *ev, const char *code, json_t *more,
                  const char *by)
{
    json_t *o = begin(c, ev, code);
    if (more)
        json_object_update(o, more);
    json_decref(more);
    json_object_set_new(o, "by", json_string(by));
    write_line(o);
}
