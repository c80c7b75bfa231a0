/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fetching what a report is made from, piece by piece, and writing rows as CSV.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "carnot/answer.h"
#include "carnot/client.h"
#include "carnot/report.h"

/* Each name is kept once; the keys of an object stay where they are. */
static const char *_name(struct report *r, const json_t *row, const char *key)
{
    const char *text = answer_text(row, key);

    text = text ? text : "";
    if (!json_object_get(r->names, text))
        (void)json_object_set_new(r->names, text, json_true());
    void *at = json_object_iter_at(r->names, text);
    return at ? json_object_iter_key(at) : "";
}

static int64_t _count(const json_t *row, const char *key)
{
    int64_t n = answer_integer(row, key);

    return n == ANSWER_NONE ? 0 : n;
}

static struct report_job _job(struct report *r, const json_t *row)
{
    return (struct report_job){
        .user = _name(r, row, "user"),
        .account = _name(r, row, "account"),
        .partition = _name(r, row, "partition"),
        .run = _name(r, row, "run"),
        .nodes = _count(row, "nodes"),
        .start_s = _count(row, "start_s"),
        .end_s = _count(row, "end_s"),
        .delay_s = _count(row, "delay_s"),
        .energy_j = answer_number(row, "energy_j"),
        .split_j = answer_number(row, "split_j"),
        .modelled_j = answer_number(row, "modelled_j"),
        .carbon_g = answer_number(row, "carbon_g"),
        .asap_g = answer_number(row, "carbon_if_asap_g"),
        .model_w = answer_number(row, "model_w"),
        .exempt = json_is_true(json_object_get(row, "exempt")),
    };
}

static int _take(struct cli *c, struct report *r, const json_t *rows)
{
    size_t more = json_array_size(rows), i;
    struct report_job *grown = realloc(r->jobs, (r->n + more + 1) * sizeof(*grown));
    json_t *row;

    if (!grown)
        return cli_fail(c, -1, "no memory for %zu jobs", r->n + more);
    r->jobs = grown;
    json_array_foreach(rows, i, row) r->jobs[r->n++] = _job(r, row);
    return 0;
}

int report_fetch(struct cli *c, struct report *r)
{
    json_t *request = client_request("ended"), *a;
    int rc = 0, more = 1;

    r->names = json_object();
    json_object_set_new(request, "since_s", json_integer(r->since_s));
    json_object_set_new(request, "until_s", json_integer(r->until_s));
    if (r->user)
        json_object_set_new(request, "user", json_string(r->user));
    if (r->account)
        json_object_set_new(request, "account", json_string(r->account));
    while (rc == 0 && more) {
        rc = client_ask(c, json_incref(request), &a);
        if (rc < 0)
            break;
        const char *next = answer_text(a, "next"), *now = answer_text(request, "after");

        rc = _take(c, r, json_object_get(a, "rows"));
        /* A server that stands still must not keep us for ever. */
        more = next && !(now && strcmp(next, now) == 0);
        if (more)
            json_object_set_new(request, "after", json_string(next));
        json_decref(a);
    }
    json_decref(request);
    return rc;
}

/* Append points behind the last one. 0 or -1. */
static int _points(struct series_point **points, size_t *n, const json_t *list)
{
    struct series_point *grown =
        realloc(*points, (*n + json_array_size(list) + 1) * sizeof(*grown));
    json_t *pair;
    size_t i;

    if (!grown)
        return -1;
    *points = grown;
    json_array_foreach(list, i, pair)
    {
        int64_t t_s = (int64_t)json_number_value(json_array_get(pair, 0));
        double g = json_number_value(json_array_get(pair, 1));

        if (g >= 0 && g <= SERIES_G_PER_KWH_MAX && (*n == 0 || t_s > grown[*n - 1].t_s))
            grown[(*n)++] = (struct series_point){t_s, g, 0};
    }
    return 0;
}

int report_fetch_series(struct cli *c, int64_t from_s, int64_t to_s, struct series_point **points,
                        size_t *n)
{
    json_t *request = client_request("intensity"), *a;
    int rc = 0;

    *points = NULL;
    *n = 0;
    json_object_set_new(request, "to_s", json_integer(to_s));
    while (rc == 0 && from_s < to_s) {
        json_object_set_new(request, "from_s", json_integer(from_s));
        rc = client_ask(c, json_incref(request), &a);
        if (rc < 0)
            break;
        if (_points(points, n, json_object_get(a, "points")) < 0)
            rc = cli_fail(c, -1, "no memory");
        int64_t next_s = answer_integer(a, "next_s");

        from_s = next_s > from_s ? next_s : to_s;
        json_decref(a);
    }
    json_decref(request);
    if (rc < 0) {
        free(*points);
        *points = NULL;
        return rc;
    }
    if (*n)
        series_sum(*points, *n);
    return 0;
}

void report_fini(struct report *r)
{
    free(r->jobs);
    json_decref(r->names);
    r->jobs = NULL;
    r->names = NULL;
    r->n = 0;
}

int report_by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int64_t report_percentile(const int64_t *sorted, size_t n, int p)
{
    size_t rank = (n * (size_t)p + 99) / 100;

    return sorted[rank > 0 ? rank - 1 : 0];
}

static void _csv_text(FILE *f, const char *text)
{
    if (!strpbrk(text, ",\"\n\r")) {
        fputs(text, f);
        return;
    }
    fputc('"', f);
    for (const char *p = text; *p; p++) {
        if (*p == '"')
            fputc('"', f);
        fputc(*p, f);
    }
    fputc('"', f);
}

static void _csv_value(FILE *f, const json_t *value)
{
    if (json_is_string(value))
        _csv_text(f, json_string_value(value));
    else if (json_is_integer(value))
        fprintf(f, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        fprintf(f, "%.10g", json_real_value(value));
}

int report_csv(struct cli *c, const json_t *rows)
{
    const char *key;
    json_t *row, *value;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        int first = 1;

        if (i == 0) {
            json_object_foreach(row, key, value) fprintf(c->out, "%s%s", first ? "" : ",", key),
                first = 0;
            fputc('\n', c->out);
            first = 1;
        }
        json_object_foreach(row, key, value)
        {
            if (!first)
                fputc(',', c->out);
            first = 0;
            _csv_value(c->out, value);
        }
        fputc('\n', c->out);
    }
    return CLI_DONE;
}
