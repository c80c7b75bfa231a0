/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking carnotctld. The transport hangs on the struct cli, so that tests answer
 * from recorded JSON; everything above it is the same for both.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "carnot/answer.h"
#include "carnot/client.h"
#include "common/channel.h"
#include "common/settings.h"

#define TIMEOUT_MS 10000
#define AGAIN_MS 300
#define AGAIN_TRIES 5

int client_transport(struct cli *c, const json_t *request, json_t **answer, struct err *e)
{
    struct settings *s = malloc(sizeof(*s));
    const char *path = settings_path(c->conf);
    uid_t server;
    int rc = -1;

    if (!s)
        return err_errno(e, "no memory");
    if (settings_load(s, path, e) < 0) {
        if (errno == ENOENT)
            err_set(e, "%s: no such file: name carnot.yaml with --conf FILE or CARNOT_CONF", path);
        goto out;
    }
    if (settings_controller_uid(s, &server, e) < 0)
        goto out;
    rc = channel_ask_uid(s->controller.host, s->controller.port, s->munge_socket, server, request,
                         answer, TIMEOUT_MS, e);
    if (rc < 0 && (errno == ECONNREFUSED || errno == ETIMEDOUT))
        err_set(e, "%s; is it running? (systemctl status carnotctld)", e->text);
out:
    free(s);
    return rc;
}

json_t *client_request(const char *op)
{
    return json_pack("{s:i, s:s}", "v", 1, "op", op);
}

/* A job that was submitted a moment ago: carnotctld is fetching Slurm's list. */
static int _again(const json_t *answer)
{
    return !json_is_true(json_object_get(answer, "ok")) &&
           json_is_true(json_object_get(answer, "again"));
}

int client_ask(struct cli *c, json_t *request, json_t **answer)
{
    struct err e = {""};
    json_t *a = NULL;
    int rc = request ? c->transport(c, request, &a, &e) : err_set(&e, "no memory");

    for (int tries = 0; rc == 0 && tries < AGAIN_TRIES && _again(a); tries++) {
        (void)usleep(AGAIN_MS * 1000);
        json_decref(a);
        a = NULL;
        rc = c->transport(c, request, &a, &e);
    }
    json_decref(request);
    if (rc < 0)
        return cli_fail(c, -1, "%s", e.text);
    if (!json_is_true(json_object_get(a, "ok"))) {
        const char *text = answer_text(a, "error");

        cli_fail(c, -1, "%s",
                 text ? text
                      : "carnotctld's answer is not to be understood; "
                        "are its version and ours the same? (carnot --version)");
        json_decref(a);
        return -1;
    }
    if (!c->json)
        answer_clean(a);
    *answer = a;
    return 0;
}

void client_strip(json_t *answer)
{
    (void)json_object_del(answer, "v");
    (void)json_object_del(answer, "ok");
}

int client_newer(const json_t *a, const json_t *b)
{
    static const char *const keys[] = {"job_id", "restart"};
    int64_t x = answer_time(a, "submit"), y = answer_time(b, "submit");

    for (size_t i = 0; x == y && i < sizeof(keys) / sizeof(keys[0]); i++) {
        x = answer_integer(a, keys[i]);
        y = answer_integer(b, keys[i]);
    }
    return x > y;
}

/* Insertion keeps the server's order among equals; rows of one job are few. */
static json_t *_sorted(const json_t *rows, int64_t task)
{
    json_t *out = json_array(), *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        size_t at = json_array_size(out);

        if (task >= 0 && answer_integer(row, "array_task") != task)
            continue;
        while (at > 0 && client_newer(row, json_array_get(out, at - 1)))
            at--;
        (void)json_array_insert(out, at, row);
    }
    return out;
}

int client_list(struct cli *c, json_t *request, const char *key, json_t **rows)
{
    json_t *out = json_array(), *a;
    size_t got = 1;
    int more = 1;

    /* A page without rows ends it too, whatever the server says of more. */
    while (more && got > 0) {
        if (json_array_size(out) > 0)
            json_object_set_new(request, "offset", json_integer((json_int_t)json_array_size(out)));
        if (client_ask(c, json_incref(request), &a) < 0) {
            json_decref(request);
            json_decref(out);
            return -1;
        }
        got = json_array_size(json_object_get(a, key));
        more = json_is_true(json_object_get(a, "more"));
        (void)json_array_extend(out, json_object_get(a, key));
        json_decref(a);
    }
    json_decref(request);
    *rows = out;
    return 0;
}

int client_job_rows(struct cli *c, const struct cli_job *job, json_t **rows)
{
    json_t *request = client_request("jobs"), *all, *out;

    (void)json_object_set_new(request, "job", json_integer(job->id));
    if (client_list(c, request, "jobs", &all) < 0)
        return -1;
    out = _sorted(all, job->task);
    json_decref(all);
    if (json_array_size(out) > 0) {
        *rows = out;
        return 0;
    }
    json_decref(out);
    if (job->task >= 0)
        return cli_fail(c, -1,
                        "no task %lld of job %lld is known; it may wait in its array still: "
                        "%s %s %lld",
                        (long long)job->task, (long long)job->id, c->program, c->command,
                        (long long)job->id);
    return cli_fail(c, -1, "no job %lld that you may see; %s jobs lists yours", (long long)job->id,
                    c->program);
}

int64_t client_job_id(struct cli *c, const struct cli_job *job)
{
    json_t *rows;
    int64_t id;

    if (job->task < 0)
        return job->id;
    if (client_job_rows(c, job, &rows) < 0)
        return -1;
    id = answer_integer(json_array_get(rows, 0), "job_id");
    json_decref(rows);
    return id;
}
