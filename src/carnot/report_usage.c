/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sums over the runs of a period by account, user, run or partition, and waits by user. Rows stand
 * in the order of their names: this is no ranking.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "carnot/answer.h"
#include "carnot/report.h"
#include "carnot/show.h"
#include "carnot/table.h"
#include "carnot/unit.h"

#define ALL "(all)"

typedef const char *(*key_f)(const struct report_job *job);

static const char *_account(const struct report_job *job)
{
    return job->account;
}

static const char *_user(const struct report_job *job)
{
    return job->user;
}

static const char *_run(const struct report_job *job)
{
    return job->run;
}

static const char *_partition(const struct report_job *job)
{
    return job->partition;
}

static const struct {
    const char *name;
    key_f key;
} keys[] = {{"account", _account}, {"user", _user}, {"run", _run}, {"partition", _partition}};

/* Runs of one name, or of all. */
struct sums {
    const char *name;
    size_t jobs, unknown, waited; /* unknown: without a record of energy */
    double node_hours;
    double energy_j, modelled_j, carbon_g; /* of those with one */
    double saved_g, asap_g;
    double delay_sum_s;
    int64_t p50_s, p95_s, max_s;
};

static void _add(struct sums *s, const struct report_job *job)
{
    s->jobs++;
    s->waited += job->delay_s > 0;
    s->delay_sum_s += (double)job->delay_s;
    s->node_hours += (double)job->nodes * (double)(job->end_s - job->start_s) / 3600;
    if (!isfinite(job->energy_j)) {
        s->unknown++;
        return;
    }
    s->energy_j += job->energy_j;
    s->modelled_j += isfinite(job->modelled_j) ? job->modelled_j : 0;
    s->carbon_g += isfinite(job->carbon_g) ? job->carbon_g : 0;
    if (isfinite(job->carbon_g) && isfinite(job->asap_g)) {
        s->asap_g += job->asap_g;
        s->saved_g += job->asap_g - job->carbon_g;
    }
}

/* Sum n runs up; delays is room for n. */
static struct sums _sum(const char *name, const struct report_job *const *jobs, size_t n,
                        int64_t *delays)
{
    struct sums s = {.name = name};

    for (size_t i = 0; i < n; i++) {
        _add(&s, jobs[i]);
        delays[i] = jobs[i]->delay_s;
    }
    qsort(delays, n, sizeof(*delays), report_by_value);
    if (n) {
        s.p50_s = report_percentile(delays, n, 50);
        s.p95_s = report_percentile(delays, n, 95);
        s.max_s = delays[n - 1];
    }
    return s;
}

static key_f sort_key; /* qsort has no argument for it; one thread */

static int _by_key(const void *a, const void *b)
{
    return strcmp(sort_key(*(const struct report_job *const *)a),
                  sort_key(*(const struct report_job *const *)b));
}

struct groups {
    struct sums *list; /* by name; the last one is all of them */
    size_t n;          /* without it */
};

static int _group(struct cli *c, const struct report *r, key_f key, struct groups *out)
{
    const struct report_job **jobs = calloc(r->n + 1, sizeof(*jobs));
    int64_t *delays = calloc(r->n + 1, sizeof(*delays));
    size_t from = 0;

    *out = (struct groups){calloc(r->n + 1, sizeof(*out->list)), 0};
    if (!jobs || !delays || !out->list) {
        free(jobs);
        free(delays);
        free(out->list);
        return cli_fail(c, -1, "no memory for %zu jobs", r->n);
    }
    for (size_t i = 0; i < r->n; i++)
        jobs[i] = &r->jobs[i];
    sort_key = key;
    qsort(jobs, r->n, sizeof(*jobs), _by_key);
    for (size_t i = 1; i <= r->n; i++) {
        if (i < r->n && strcmp(key(jobs[i]), key(jobs[from])) == 0)
            continue;
        out->list[out->n++] = _sum(key(jobs[from]), jobs + from, i - from, delays);
        from = i;
    }
    out->list[out->n] = _sum(ALL, jobs, r->n, delays);
    free(jobs);
    free(delays);
    return 0;
}

/* What nothing is known of is null, not 0. */
static json_t *_known(const struct sums *s, double x)
{
    return s->unknown < s->jobs ? json_real(x) : json_null();
}

static double _mean_s(const struct sums *s)
{
    return s->jobs ? s->delay_sum_s / (double)s->jobs : NAN;
}

static json_t *_usage_json(const struct sums *s, const char *by)
{
    return json_pack("{s:s,s:I,s:I,s:f,s:o,s:o,s:o,s:o,s:o,s:f,s:I}", by, s->name, "jobs",
                     (json_int_t)s->jobs, "jobs_without_energy", (json_int_t)s->unknown,
                     "node_hours", s->node_hours, "energy_j", _known(s, s->energy_j), "modelled_j",
                     _known(s, s->modelled_j), "carbon_g", _known(s, s->carbon_g),
                     "carbon_if_asap_g", _known(s, s->asap_g), "saved_g", _known(s, s->saved_g),
                     "delay_mean_s", _mean_s(s), "delay_p95_s", (json_int_t)s->p95_s);
}

static json_t *_waiting_json(const struct sums *s, const char *by)
{
    return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I}", by, s->name, "jobs", (json_int_t)s->jobs,
                     "jobs_that_waited", (json_int_t)s->waited, "delay_p50_s", (json_int_t)s->p50_s,
                     "delay_p95_s", (json_int_t)s->p95_s, "delay_max_s", (json_int_t)s->max_s);
}

static int _machine(struct cli *c, const struct groups *g, const char *by,
                    json_t *(*row)(const struct sums *s, const char *by), enum report_format format)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < g->n; i++)
        json_array_append_new(rows, row(&g->list[i], by));
    int status = format == REPORT_CSV ? report_csv(c, rows) : cli_json(c, rows);

    json_decref(rows);
    return status;
}

struct columns {
    struct table_column list[11];
    char names[4][24];
};

static void _columns(struct columns *out, const char *by, const struct unit *energy,
                     const struct unit *mass)
{
    const struct table_column list[] = {{out->names[0], 16, 0},
                                        {"JOBS", 0, TABLE_RIGHT},
                                        {"NODE-H", 0, TABLE_RIGHT},
                                        {out->names[1], 0, TABLE_RIGHT},
                                        {"MEAS%", 0, TABLE_RIGHT},
                                        {out->names[2], 0, TABLE_RIGHT},
                                        {out->names[3], 0, TABLE_RIGHT},
                                        {"SAVED", 0, TABLE_RIGHT},
                                        {"WAIT", 0, TABLE_RIGHT},
                                        {"P95", 0, TABLE_RIGHT},
                                        {NULL, 0, 0}};

    for (size_t i = 0; i < sizeof(out->names[0]) && by[i]; i++)
        out->names[0][i] = (char)(by[i] - 'a' + 'A');
    (void)snprintf(out->names[1], sizeof(out->names[1]), "%s", energy->name);
    (void)snprintf(out->names[2], sizeof(out->names[2]), "%sCO2e", mass->name);
    (void)snprintf(out->names[3], sizeof(out->names[3]), "ONCE-%s", mass->name);
    memcpy(out->list, list, sizeof(list));
}

static void _row(table_t *t, const struct sums *s, const struct unit *energy,
                 const struct unit *mass)
{
    char text[SHOW_SIZE];
    double known = s->unknown < s->jobs ? 1 : NAN;

    table_text(t, s->name[0] ? s->name : "-");
    table_count(t, (int64_t)s->jobs);
    table_number(t, s->node_hours);
    table_number(t, s->energy_j / energy->scale * known);
    table_number(t, s->energy_j > 0 ? (1 - s->modelled_j / s->energy_j) * 100 * known : NAN);
    table_number(t, s->carbon_g / mass->scale * known);
    table_number(t, s->asap_g / mass->scale * known);
    table_percent(t, s->asap_g > 0 && s->waited ? s->saved_g / s->asap_g * 100 : NAN);
    table_text(t, show_span(text, sizeof(text), (int64_t)(_mean_s(s) + 0.5)));
    table_text(t, show_span(text, sizeof(text), s->p95_s));
}

static int _print(struct cli *c, const struct groups *g, const char *by)
{
    const struct sums *all = &g->list[g->n];
    const struct unit *energy = unit_energy(c, NULL, all->energy_j, 0);
    const struct unit *mass = unit_mass(all->carbon_g, 1, 0);
    struct table_style style = {0};
    struct columns columns = {0};
    struct err e = {"no memory"};

    if (!energy)
        return CLI_USAGE;
    _columns(&columns, by, energy, mass);
    table_t *t = table_create(columns.list);
    for (size_t i = 0; t && i < g->n + (g->n > 1); i++)
        _row(t, &g->list[i], energy, mass);
    int rc = t ? table_print(t, &style, c->out, &e) : -1;

    table_destroy(t);
    return rc < 0 ? cli_fail(c, CLI_FAILED, "report: %s", e.text) : CLI_DONE;
}

static key_f _key(const char *by)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strcmp(keys[i].name, by) == 0)
            return keys[i].key;
    return NULL;
}

int report_known_by(const char *by)
{
    return _key(by) != NULL;
}

int report_usage(struct cli *c, const struct report *r, const char *by, enum report_format format)
{
    struct groups g;

    if (_group(c, r, _key(by), &g) < 0)
        return CLI_FAILED;
    int status =
        format == REPORT_TABLE ? _print(c, &g, by) : _machine(c, &g, by, _usage_json, format);

    free(g.list);
    return status;
}

static int _print_waiting(struct cli *c, const struct groups *g)
{
    static const struct table_column columns[] = {{"USER", 16, 0},
                                                  {"JOBS", 0, TABLE_RIGHT},
                                                  {"WAITED", 0, TABLE_RIGHT},
                                                  {"P50", 0, TABLE_RIGHT},
                                                  {"P95", 0, TABLE_RIGHT},
                                                  {"MAX", 0, TABLE_RIGHT},
                                                  {NULL, 0, 0}};
    struct table_style style = {0};
    struct err e = {"no memory"};
    table_t *t = table_create(columns);
    char text[SHOW_SIZE];

    for (size_t i = 0; t && i < g->n + (g->n > 1); i++) {
        const struct sums *s = &g->list[i];

        table_text(t, s->name);
        table_count(t, (int64_t)s->jobs);
        table_count(t, (int64_t)s->waited);
        table_text(t, show_span(text, sizeof(text), s->p50_s));
        table_text(t, show_span(text, sizeof(text), s->p95_s));
        table_text(t, show_span(text, sizeof(text), s->max_s));
    }
    int rc = t ? table_print(t, &style, c->out, &e) : -1;

    table_destroy(t);
    return rc < 0 ? cli_fail(c, CLI_FAILED, "report: %s", e.text) : CLI_DONE;
}

int report_waiting(struct cli *c, const struct report *r, enum report_format format)
{
    struct groups g;

    if (_group(c, r, _user, &g) < 0)
        return CLI_FAILED;
    int status = format == REPORT_TABLE ? _print_waiting(c, &g)
                                        : _machine(c, &g, "user", _waiting_json, format);

    free(g.list);
    return status;
}
