/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot jobs: what jobs consumed, as a table; letters as sacct has them.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "carnot/answer.h"
#include "carnot/client.h"
#include "carnot/job_row.h"
#include "carnot/show.h"
#include "carnot/table.h"
#include "carnot/unit.h"

const char cmd_jobs_help[] =
    "Usage: carnot jobs [OPTIONS]\n"
    "What jobs consumed and emitted: those of yours that live or ended in the last 24 hours. Root\n"
    "sees everybody's. \"-\" is no data. Q: M measured, S split, E estimated.\n"
    "  -a             everybody's, as far as you may see them\n"
    "  -u USER[,...]  these users\n"
    "  -A ACCT[,...]  these accounts\n"
    "  -j ID[,...]    these jobs, however old\n"
    "  -S TIME        that had not ended before: 08:00, 2026-11-24, now-7days, yesterday\n"
    "  -E TIME        that were submitted before\n"
    "  -X             taken for sacct's sake: there are no steps in this table\n"
    "  -n             no header\n"
    "  -P             fields joined by |\n"
    "  -o COLUMNS     these columns, of jobid,name,user,account,partition,st,state,nodes,\n"
    "                 submit,start,end,elapsed,kWh,gCO2e,asap-gCO2e,saved,wait,q,quality,\n"
    "                 coverage,run,est-kWh,lim-kWh,lim-gCO2e,not-before,latest,restart\n"
    "  --units U      of energy: kWh, MJ, J (CARNOT_UNITS)\n"
    "  --json         an array of jobs\n";

enum { OPT_UNITS = 1, OPT_NONE };
static const struct option options[] = {{"allusers", no_argument, NULL, 'a'},
                                        {"user", required_argument, NULL, 'u'},
                                        {"accounts", required_argument, NULL, 'A'},
                                        {"jobs", required_argument, NULL, 'j'},
                                        {"starttime", required_argument, NULL, 'S'},
                                        {"endtime", required_argument, NULL, 'E'},
                                        {"allocations", no_argument, NULL, 'X'},
                                        {"units", required_argument, NULL, OPT_UNITS},
                                        TABLE_OPTIONS,
                                        {NULL, 0, NULL, 0}};

struct query {
    int all;
    const char *users, *accounts, *jobs; /* comma lists, or NULL */
    int64_t since_s, until_s;            /* 0 = not given */
    struct table_style style;
    const char *units;
};

/* 0, or the exit code in c->status and -1. */
static int _parse(struct cli *c, int argc, char **argv, struct query *q)
{
    struct err e = {""};
    int o;

    while ((o = cli_option(c, argc, argv, "au:A:j:S:E:XnPo:", options)) != -1) {
        int rc = 0;

        switch (o) {
        case CLI_STOP:
            return -1;
        case 'a':
            q->all = 1;
            break;
        case 'u':
            q->users = optarg;
            break;
        case 'A':
            q->accounts = optarg;
            break;
        case 'j':
            q->jobs = optarg;
            break;
        case 'S':
            rc = cli_since_parse(optarg, c->now_s, &q->since_s, &e);
            break;
        case 'E':
            rc = cli_since_parse(optarg, c->now_s, &q->until_s, &e);
            break;
        case OPT_UNITS:
            q->units = optarg;
            break;
        default: /* or -X */
            (void)table_option(&q->style, o, optarg);
            break;
        }
        if (rc < 0) {
            c->status = cli_fail(c, CLI_USAGE, "jobs: -%c: %s", o, e.text);
            return -1;
        }
    }
    if (optind < argc) {
        c->status = cli_fail(c, CLI_USAGE, "jobs takes no operand; for one job: carnot jobs -j ID");
        return -1;
    }
    return 0;
}

/* Is text one of the words of a comma list? NULL list: yes. */
static int _listed(const char *list, const char *text)
{
    size_t len = strlen(text);

    if (!list)
        return 1;
    for (const char *p = list; *p;) {
        size_t n = strcspn(p, ",");

        if (n == len && strncmp(p, text, n) == 0)
            return 1;
        p += n + (p[n] == ',');
    }
    return 0;
}

/* Every filter once more, on our side: lists are not in the protocol, and -E neither. */
static int _wanted(const json_t *row, const struct query *q)
{
    const char *user = answer_text(row, "user"), *account = answer_text(row, "account");
    int64_t submit_s = answer_time(row, "submit");

    return _listed(q->users, user ? user : "") && _listed(q->accounts, account ? account : "") &&
           (q->until_s == 0 || submit_s == ANSWER_NONE || submit_s < q->until_s);
}

/* One word as the server takes it; a list is sorted out here instead. */
static void _filter(json_t *request, const char *key, const char *list)
{
    if (list && !strchr(list, ','))
        json_object_set_new(request, key, json_string(list));
}

static int _by_filters(struct cli *c, const struct query *q, json_t *rows)
{
    json_t *request = client_request("jobs"), *all, *row;
    size_t i;

    _filter(request, "user", q->users);
    _filter(request, "account", q->accounts);
    json_object_set_new(request, "since_s",
                        json_integer(q->since_s ? q->since_s : c->now_s - 86400));
    if (client_list(c, request, "jobs", &all) < 0)
        return CLI_FAILED;
    json_array_foreach(all, i, row) if (_wanted(row, q)) json_array_append(rows, row);
    json_decref(all);
    return CLI_DONE;
}

/* -j: each id is asked for by itself, at any age. */
static int _by_ids(struct cli *c, const struct query *q, json_t *rows)
{
    char *copy = strdup(q->jobs), *rest = copy, *word;
    int status = CLI_DONE;

    if (!copy)
        return cli_fail(c, CLI_FAILED, "no memory");
    while ((word = strsep(&rest, ",")) != NULL) {
        struct cli_job job;
        json_t *found, *row;
        size_t i;

        if (cli_job_parse(c, word, &job) < 0) {
            status = CLI_USAGE;
            break;
        }
        if (client_job_rows(c, &job, &found) < 0) {
            status = CLI_FAILED;
            continue;
        }
        json_array_foreach(found, i, row) if (_wanted(row, q)) json_array_append(rows, row);
        json_decref(found);
    }
    free(copy);
    return status;
}

/* The default columns fill 80; more of them with -o. Names hold the unit, so they are made here. */
struct columns {
    struct table_column list[TABLE_COLUMNS_MAX];
    char names[6][24];
};

static void _columns(struct columns *out, const struct unit *energy, const struct unit *mass,
                     int many_users)
{
    const struct table_column list[] = {
        {"JOBID", 0, 0},
        {"USER", 10, many_users ? 0 : TABLE_HIDDEN},
        {"NAME", many_users ? 10 : 14, 0},
        {"ACCOUNT", 0, TABLE_HIDDEN},
        {"PARTITION", 0, TABLE_HIDDEN},
        {"ST", 0, 0},
        {"STATE", 0, TABLE_HIDDEN},
        {"NODES", 0, TABLE_RIGHT},
        {"SUBMIT", 0, TABLE_HIDDEN},
        {"START", 0, TABLE_HIDDEN},
        {"END", 0, TABLE_HIDDEN},
        {"ELAPSED", 0, TABLE_RIGHT},
        {out->names[0], 0, TABLE_RIGHT},
        {out->names[3], 0, TABLE_RIGHT},
        {out->names[4], 0, TABLE_RIGHT | TABLE_HIDDEN},
        {"SAVED", 0, TABLE_RIGHT},
        {"WAIT", 0, TABLE_RIGHT},
        {"Q", 0, 0},
        {"QUALITY", 0, TABLE_HIDDEN},
        {"COVERAGE", 0, TABLE_HIDDEN},
        {"RUN", 0, TABLE_HIDDEN},
        {out->names[1], 0, TABLE_RIGHT | TABLE_HIDDEN},
        {out->names[2], 0, TABLE_RIGHT | TABLE_HIDDEN},
        {out->names[5], 0, TABLE_RIGHT | TABLE_HIDDEN},
        {"NOT-BEFORE", 0, TABLE_HIDDEN},
        {"LATEST", 0, TABLE_HIDDEN},
        {"RESTART", 0, TABLE_RIGHT | TABLE_HIDDEN},
        {NULL, 0, 0},
    };
    static const char *const prefixes[3] = {"", "EST-", "LIM-"};
    static const char *const co2[3] = {"", "ASAP-", "LIM-"};

    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(out->names[i], sizeof(out->names[i]), "%s%s", prefixes[i], energy->name);
        (void)snprintf(out->names[3 + i], sizeof(out->names[i]), "%s%sCO2e", co2[i], mass->name);
    }
    memcpy(out->list, list, sizeof(list));
}

/* Scripts get UTC as it came, people their own clock. */
static void _time(struct cli *c, table_t *t, const json_t *row, const char *key, int parsable)
{
    char text[SHOW_SIZE];

    if (parsable)
        table_text(t, answer_show(row, key));
    else
        table_text(t, show_clock(text, sizeof(text), answer_time(row, key), c->now_s));
}

/* In the order of _columns(). */
static void _row(struct cli *c, table_t *t, const json_t *row, const struct unit *energy,
                 const struct unit *mass, int parsable)
{
    double asap = answer_number(row, "carbon_if_asap_g");
    char text[SHOW_SIZE];

    table_text(t, job_row_label(text, sizeof(text), row));
    table_text(t, answer_show(row, "user"));
    table_text(t, answer_show(row, "name"));
    table_text(t, answer_show(row, "account"));
    table_text(t, answer_show(row, "partition"));
    table_text(t, job_row_state(row));
    table_text(t, answer_show(row, "state"));
    table_count(t, answer_integer(row, "nodes"));
    _time(c, t, row, "submit", parsable);
    _time(c, t, row, "start", parsable);
    _time(c, t, row, "end", parsable);
    table_text(t, show_elapsed(text, sizeof(text), job_row_elapsed(row, c->now_s)));
    table_number(t, answer_number(row, "energy_j") / energy->scale);
    table_number(t, answer_number(row, "carbon_g") / mass->scale);
    table_number(t, asap / mass->scale);
    table_percent(t, asap > 0 ? job_row_saved_g(row) / asap * 100 : NAN);
    table_text(t, show_span(text, sizeof(text), job_row_wait(row)));
    table_text(t, job_row_quality(row));
    table_text(t, answer_show(row, "quality"));
    table_text(t, answer_show(row, "coverage"));
    table_text(t, answer_show(row, "run"));
    table_number(t, answer_number(row, "estimate_j") / energy->scale);
    table_number(t, answer_number(row, "limit_energy_j") / energy->scale);
    table_number(t, answer_number(row, "limit_carbon_g") / mass->scale);
    _time(c, t, row, "not_before", parsable);
    _time(c, t, row, "latest", parsable);
    table_count(t, answer_integer(row, "restart"));
}

static int _compare(const void *a, const void *b)
{
    return job_row_compare(*(const json_t *const *)a, *(const json_t *const *)b);
}

/* Rows in the order of submission, so that the newest is where the eye ends, as with sacct; the
 * caller frees the array, not the rows. */
static const json_t **_sorted(const json_t *rows)
{
    const json_t **out = calloc(json_array_size(rows) + 1, sizeof(*out));

    for (size_t i = 0; out && i < json_array_size(rows); i++)
        out[i] = json_array_get(rows, i);
    if (out)
        qsort(out, json_array_size(rows), sizeof(*out), _compare);
    return out;
}

static int _print(struct cli *c, const json_t *rows, const struct query *q)
{
    int fixed = table_fixed(&q->style);
    const struct unit *energy = unit_energy(c, q->units, answer_largest(rows, "energy_j"), fixed);
    const struct unit *mass = unit_mass(answer_largest(rows, "carbon_g"), 0, fixed);
    const json_t **sorted = _sorted(rows);
    struct columns columns = {0};
    struct err e = {"no memory"};
    table_t *t = NULL;
    int rc = energy ? -1 : -2;

    if (energy && sorted) {
        _columns(&columns, energy, mass, q->all || (q->users && strchr(q->users, ',')));
        t = table_create(columns.list);
    }
    for (size_t i = 0; t && sorted[i]; i++)
        _row(c, t, sorted[i], energy, mass, q->style.parsable);
    if (t)
        rc = table_print(t, &q->style, c->out, &e);
    table_destroy(t);
    free(sorted);
    return rc == 0 ? CLI_DONE : rc == -2 ? CLI_USAGE : cli_fail(c, CLI_USAGE, "jobs: %s", e.text);
}

int cmd_jobs(struct cli *c, int argc, char **argv)
{
    struct query q = {0};
    json_t *rows;
    int status, printed;

    if (_parse(c, argc, argv, &q) < 0)
        return c->status;
    q.all |= c->uid == 0 && !q.users;
    if (!q.all && !q.users && !q.jobs && !q.accounts)
        q.users = c->user;
    rows = json_array();
    status = q.jobs ? _by_ids(c, &q, rows) : _by_filters(c, &q, rows);
    /* Some ids may be unknown: the others are still an answer. */
    if (status == CLI_DONE || json_array_size(rows) > 0) {
        printed = c->json ? cli_json(c, rows) : _print(c, rows, &q);
        status = printed != CLI_DONE ? printed : status;
    }
    json_decref(rows);
    return status;
}
