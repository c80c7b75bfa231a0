/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot log: what carnotd wrote on this node, or in files that were brought from others.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "carnot/answer.h"
#include "carnot/job_row.h"
#include "carnot/log_reader.h"
#include "carnot/show.h"
#include "carnot/table.h"
#include "carnot/unit.h"
#include "common/settings.h"

const char cmd_log_help[] =
    "Usage: carnot log [-N NODE] [-j JOB] [-S TIME] [-E TIME] [--summary | --follow] [-n] [-P]\n"
    "                  [-o COLUMNS] [--units U] [--json] [FILE|DIRECTORY]...\n"
    "The telemetry log of this node (node.log_dir of carnot.yaml), or those that are named.\n"
    "  -N NODE          only records of this node\n"
    "  -j JOB           only records with this job, and its part of them\n"
    "  -S, -E TIME      that end after, and before (as sacct: now-2hours, 2026-11-24T09:00)\n"
    "  --summary        one row a job, the node's idle and system parts, and the sum\n"
    "  --follow         go on with what is written from now on\n"
    "  -n, -P           no header; fields joined by |\n"
    "  -o COLUMNS       of time,node,span,W,kWh,idle-kWh,system-kWh,jobs,q,coverage,sources;\n"
    "                   with --summary of what,node,from,to,kWh,W,share\n"
    "  --units U        of energy: kWh, MJ, J (CARNOT_UNITS)\n"
    "  --json           the lines themselves; with --summary an array\n";

enum { OPT_SUMMARY = 1, OPT_FOLLOW, OPT_UNITS };
static const struct option options[] = {{"summary", no_argument, NULL, OPT_SUMMARY},
                                        {"follow", no_argument, NULL, OPT_FOLLOW},
                                        {"units", required_argument, NULL, OPT_UNITS},
                                        {"node", required_argument, NULL, 'N'},
                                        {"job", required_argument, NULL, 'j'},
                                        {"since", required_argument, NULL, 'S'},
                                        {"until", required_argument, NULL, 'E'},
                                        TABLE_OPTIONS,
                                        {NULL, 0, NULL, 0}};

struct query {
    struct cli *c;
    const char *node, *units;
    int64_t job; /* 0 = all */
    int64_t since_s, until_s;
    int summary, follow;
    struct table_style style;
    json_t *rows; /* records (or their parts) that were asked for, in order */
    int header_is_out;
};

/* ---- what is asked for ---- */

static const json_t *_share(const json_t *record, int64_t job)
{
    json_t *entry;
    size_t i;

    json_array_foreach(json_object_get(record, "jobs"), i, entry)
    {
        if (answer_integer(entry, "job") == job)
            return entry;
    }
    return NULL;
}

static int _is_wanted(const struct query *q, const json_t *record)
{
    const char *ev = answer_text(record, "ev"), *node = answer_text(record, "node");
    int64_t end_s = answer_time(record, "ts");

    return ev && strcmp(ev, "record") == 0 && end_s != ANSWER_NONE &&
           (!q->node || (node && strcmp(node, q->node) == 0)) &&
           (q->since_s == 0 || end_s > q->since_s) && (q->until_s == 0 || end_s <= q->until_s) &&
           (q->job == 0 || _share(record, q->job));
}

static double _joules(const json_t *object, const char *key)
{
    return answer_number(object, key) / 1e6;
}

/* ---- one row a record ---- */

struct columns {
    struct table_column list[16];
    char names[3][24];
};

static void _columns(struct columns *out, const char *unit)
{
    static const char *const prefixes[] = {"", "IDLE-", "SYSTEM-"};
    const struct table_column list[] = {{"TIME", 0, 0},
                                        {"NODE", 0, 0},
                                        {"SPAN", 0, TABLE_RIGHT},
                                        {"W", 0, TABLE_RIGHT},
                                        {out->names[0], 0, TABLE_RIGHT},
                                        {out->names[1], 0, TABLE_RIGHT},
                                        {out->names[2], 0, TABLE_RIGHT},
                                        {"JOBS", 0, TABLE_RIGHT},
                                        {"Q", 0, 0},
                                        {"COVERAGE", 0, 0},
                                        {"SOURCES", 0, TABLE_HIDDEN},
                                        {NULL, 0, 0}};

    for (size_t i = 0; i < 3; i++)
        (void)snprintf(out->names[i], sizeof(out->names[i]), "%s%s", prefixes[i], unit);
    memcpy(out->list, list, sizeof(list));
}

/* "rapl:package-0,nvml:gpu-0=stale": those that gave energy, and what was wrong with one. */
static const char *_sources(char *buf, size_t size, const json_t *record)
{
    json_t *source;
    size_t i, used = 0;

    buf[0] = '\0';
    json_array_foreach(json_object_get(record, "sources"), i, source)
    {
        const char *state = answer_show(source, "state");
        int fine = strcmp(state, "ok") == 0;

        if (used < size)
            used +=
                (size_t)snprintf(buf + used, size - used, "%s%s%s%s", used ? "," : "",
                                 answer_show(source, "name"), fine ? "" : "=", fine ? "" : state);
    }
    return buf;
}

static void _row(const struct query *q, table_t *t, const json_t *record, const struct unit *unit)
{
    const json_t *part = q->job ? _share(record, q->job) : record;
    double span_s = answer_number(record, "dt_ms") / 1e3;
    char text[SHOW_SIZE], sources[512];

    table_text(t, q->style.parsable
                      ? answer_show(record, "ts")
                      : show_clock(text, sizeof(text), answer_time(record, "ts"), q->c->now_s));
    table_text(t, answer_show(record, "node"));
    table_number(t, span_s);
    table_number(t, span_s > 0 ? _joules(part, "uj") / span_s : NAN);
    table_number(t, _joules(part, "uj") / unit->scale);
    table_number(t, _joules(part, "idle_uj") / unit->scale);
    table_number(t, q->job ? NAN : _joules(record, "system_uj") / unit->scale);
    table_count(t, (int64_t)json_array_size(json_object_get(record, "jobs")));
    table_text(t, job_row_quality(part));
    table_text(t, answer_show(part, "coverage"));
    table_text(t, _sources(sources, sizeof(sources), record));
}

static int _print_rows(struct query *q)
{
    const struct unit *unit = unit_energy(q->c, q->units, answer_largest(q->rows, "uj") / 1e6,
                                          q->follow || table_fixed(&q->style));
    struct table_style style = q->style;
    struct columns columns = {0};
    struct err e = {""};
    table_t *t;
    json_t *record;
    size_t i;
    int rc;

    if (!unit)
        return CLI_USAGE;
    _columns(&columns, unit->name);
    t = table_create(columns.list);
    if (!t)
        return cli_fail(q->c, CLI_FAILED, "no memory");
    json_array_foreach(q->rows, i, record) _row(q, t, record, unit);
    style.no_header |= q->header_is_out;
    rc = table_print(t, &style, q->c->out, &e);
    table_destroy(t);
    q->header_is_out = 1;
    return rc < 0 ? cli_fail(q->c, CLI_USAGE, "log: %s", e.text) : CLI_DONE;
}

/* ---- --summary ---- */

/* The row of the sum for what on this node, made when it is new: {what, node, from, to, energy_j,
 * seconds}. */
static json_t *_sum_of(json_t *sums, const char *what, const json_t *record)
{
    const char *node = answer_show(record, "node");
    json_t *sum;
    size_t i;

    json_array_foreach(sums, i, sum)
    {
        if (strcmp(answer_show(sum, "what"), what) == 0 &&
            strcmp(answer_show(sum, "node"), node) == 0)
            return sum;
    }
    sum = json_pack("{s:s,s:s,s:s,s:s,s:f,s:f}", "what", what, "node", node, "from",
                    answer_show(record, "start"), "to", answer_show(record, "ts"), "energy_j", 0.0,
                    "seconds", 0.0);
    (void)json_array_append_new(sums, sum);
    return sum;
}

static void _add(json_t *sums, const char *what, const json_t *record, double joules)
{
    json_t *sum = _sum_of(sums, what, record);

    (void)json_object_set_new(sum, "to", json_string(answer_show(record, "ts")));
    (void)json_object_set_new(sum, "energy_j", json_real(answer_number(sum, "energy_j") + joules));
    (void)json_object_set_new(
        sum, "seconds",
        json_real(answer_number(sum, "seconds") + answer_number(record, "dt_ms") / 1e3));
}

static json_t *_sums(const struct query *q)
{
    json_t *sums = json_array(), *record, *entry;
    size_t i, k;

    json_array_foreach(q->rows, i, record)
    {
        json_array_foreach(json_object_get(record, "jobs"), k, entry)
        {
            char what[24];

            if (q->job && answer_integer(entry, "job") != q->job)
                continue;
            (void)snprintf(what, sizeof(what), "%lld", (long long)answer_integer(entry, "job"));
            _add(sums, what, record, _joules(entry, "uj"));
        }
    }
    json_array_foreach(q->rows, i, record)
    {
        if (q->job)
            continue;
        _add(sums, "idle", record, _joules(record, "idle_uj"));
        _add(sums, "system", record, _joules(record, "system_uj"));
        _add(sums, "node", record, _joules(record, "uj"));
    }
    return sums;
}

static double _node_joules(const json_t *sums, const char *node)
{
    json_t *sum;
    size_t i;

    json_array_foreach(sums, i, sum)
    {
        if (strcmp(answer_show(sum, "what"), "node") == 0 &&
            strcmp(answer_show(sum, "node"), node) == 0)
            return answer_number(sum, "energy_j");
    }
    return NAN;
}

static int _print_sums(struct query *q, const json_t *sums)
{
    const struct unit *unit =
        unit_energy(q->c, q->units, answer_largest(sums, "energy_j"), table_fixed(&q->style));
    struct err e = {""};
    char text[SHOW_SIZE];
    json_t *sum;
    size_t i;
    int rc;

    if (!unit)
        return CLI_USAGE;
    const struct table_column columns[] = {{"WHAT", 0, 0},
                                           {"NODE", 0, 0},
                                           {"FROM", 0, 0},
                                           {"TO", 0, 0},
                                           {unit->name, 0, TABLE_RIGHT},
                                           {"W", 0, TABLE_RIGHT},
                                           {"SHARE", 0, TABLE_RIGHT},
                                           {NULL, 0, 0}};
    table_t *t = table_create(columns);

    if (!t)
        return cli_fail(q->c, CLI_FAILED, "no memory");
    json_array_foreach(sums, i, sum)
    {
        double joules = answer_number(sum, "energy_j"), seconds = answer_number(sum, "seconds");
        static const char *const times[] = {"from", "to"};

        table_text(t, answer_show(sum, "what"));
        table_text(t, answer_show(sum, "node"));
        for (size_t k = 0; k < 2; k++)
            table_text(t, q->style.parsable ? answer_show(sum, times[k])
                                            : show_clock(text, sizeof(text),
                                                         answer_time(sum, times[k]), q->c->now_s));
        table_number(t, joules / unit->scale);
        table_number(t, seconds > 0 ? joules / seconds : NAN);
        table_percent(t, 100 * joules / _node_joules(sums, answer_show(sum, "node")));
    }
    rc = table_print(t, &q->style, q->c->out, &e);
    table_destroy(t);
    return rc < 0 ? cli_fail(q->c, CLI_USAGE, "log: %s", e.text) : CLI_DONE;
}

/* ---- the command ---- */

static int _take(const char *line, const json_t *value, void *arg, struct err *e)
{
    struct query *q = arg;

    (void)e;
    if (!_is_wanted(q, value))
        return 0;
    if (q->c->json && !q->summary)
        (void)fprintf(q->c->out, "%s\n", line);
    else
        (void)json_array_append(q->rows, (json_t *)(uintptr_t)value);
    return 0;
}

/* As _take(), shown at once. */
static int _take_live(const char *line, const json_t *value, void *arg, struct err *e)
{
    struct query *q = arg;
    int status = CLI_DONE;

    (void)json_array_clear(q->rows);
    (void)_take(line, value, arg, e);
    if (json_array_size(q->rows) > 0)
        status = _print_rows(q);
    if (fflush(q->c->out) != 0)
        return err_set(e, "cannot write");
    return status == CLI_DONE ? 0 : err_set(e, "stopped");
}

/* Where this node's log is, by carnot.yaml. 0 or -1 after a message. */
static int _default_path(struct cli *c, char *buf, size_t size)
{
    struct settings *set = malloc(sizeof(*set));
    struct err e = {""};
    int rc = 0;

    if (!set)
        return cli_fail(c, -1, "no memory");
    if (settings_load(set, settings_path(c->conf), &e) < 0)
        rc = cli_fail(c, -1, "log: %s; or name a log", e.text);
    else
        (void)snprintf(buf, size, "%s", set->node.log_dir);
    free(set);
    return rc;
}

static int _options(struct query *q, int argc, char **argv)
{
    struct cli *c = q->c;
    struct cli_job job;
    struct err e = {""};
    int o, rc = 0;

    while ((o = cli_option(c, argc, argv, "N:j:S:E:nPo:", options)) != -1) {
        switch (o) {
        case CLI_STOP:
            return -1;
        case OPT_SUMMARY:
            q->summary = 1;
            break;
        case OPT_FOLLOW:
            q->follow = 1;
            break;
        case OPT_UNITS:
            q->units = optarg;
            break;
        case 'N':
            q->node = optarg;
            break;
        case 'j':
            if (cli_job_parse(c, optarg, &job) < 0)
                return c->status = CLI_USAGE, -1;
            q->job = job.id;
            break;
        case 'S':
            rc = cli_since_parse(optarg, c->now_s, &q->since_s, &e);
            break;
        case 'E':
            rc = cli_since_parse(optarg, c->now_s, &q->until_s, &e);
            break;
        default:
            (void)table_option(&q->style, o, optarg);
            break;
        }
        if (rc < 0) {
            c->status = cli_fail(c, CLI_USAGE, "log: -%c: %s", o, e.text);
            return -1;
        }
    }
    if (q->summary && q->follow) {
        c->status = cli_fail(c, CLI_USAGE, "log: --summary has no end to wait for with --follow");
        return -1;
    }
    return 0;
}

static int _show(struct query *q)
{
    int status;

    if (q->c->json && !q->summary)
        return CLI_DONE; /* the lines are out */
    if (!q->summary)
        return _print_rows(q);
    json_t *sums = _sums(q);
    status = q->c->json ? cli_json(q->c, sums) : _print_sums(q, sums);
    json_decref(sums);
    return status;
}

int cmd_log(struct cli *c, int argc, char **argv)
{
    struct query q = {.c = c};
    struct log_reader reader = {.cb = _take, .arg = &q};
    char standard[SETTINGS_PATH_MAX];
    char *here[] = {standard};
    struct err e = {""};
    int status = CLI_DONE;

    if (_options(&q, argc, argv) < 0)
        return c->status;
    if (optind == argc && _default_path(c, standard, sizeof(standard)) < 0)
        return CLI_FAILED;
    char **paths = optind == argc ? here : argv + optind;
    int n = optind == argc ? 1 : argc - optind;
    if (q.follow && n != 1)
        return cli_fail(c, CLI_USAGE, "log: --follow takes one log");
    q.rows = json_array();
    for (int i = 0; i < n && status == CLI_DONE; i++)
        if (log_reader_read(&reader, paths[i], &e) < 0)
            status = cli_fail(c, CLI_FAILED, "log: %s", e.text);
    if (status == CLI_DONE)
        status = _show(&q);
    if (reader.broken)
        cli_warn(c, "log: %zu lines are no JSON and were left out", reader.broken);
    if (status == CLI_DONE && q.follow) {
        reader.cb = _take_live;
        (void)fflush(c->out);
        (void)log_reader_follow(&reader, paths[0], &e);
        status = cli_fail(c, CLI_FAILED, "log: %s", e.text);
    }
    json_decref(q.rows);
    return status;
}
