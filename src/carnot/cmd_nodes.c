/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot nodes: which nodes report, and what they draw.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "carnot/answer.h"
#include "carnot/client.h"
#include "carnot/job_row.h"
#include "carnot/show.h"
#include "carnot/table.h"
#include "carnot/trouble.h"
#include "carnot/unit.h"

const char cmd_nodes_help[] =
    "Usage: carnot nodes [--bad] [-n] [-P] [-o COLUMNS] [--units U] [--json]\n"
    "Nodes, their last report, and the energy counted since their first one. For operators.\n"
    "  --bad        only those that are silent or have a source that gives nothing usable, each\n"
    "               with the cause and what to do\n"
    "  -n, -P       no header; fields joined by |\n"
    "  -o COLUMNS   of node,state,age,last,W,kWh,jobs-kWh,idle-kWh,sys-kWh,q,quality,coverage,\n"
    "               version,seq\n"
    "  --units U    of energy: kWh, MJ, J (CARNOT_UNITS)\n"
    "  --json       an array of nodes\n";

enum { OPT_BAD = 1, OPT_UNITS };
static const struct option options[] = {{"bad", no_argument, NULL, OPT_BAD},
                                        {"units", required_argument, NULL, OPT_UNITS},
                                        TABLE_OPTIONS,
                                        {NULL, 0, NULL, 0}};

struct columns {
    struct table_column list[16];
    char names[4][16];
};

static void _columns(struct columns *out, const char *unit)
{
    static const char *const prefixes[4] = {"", "JOBS-", "IDLE-", "SYS-"};
    const struct table_column list[] = {
        {"NODE", 0, 0},
        {"STATE", 0, 0},
        {"AGE", 0, TABLE_RIGHT},
        {"LAST", 0, TABLE_HIDDEN},
        {"W", 0, TABLE_RIGHT},
        {out->names[0], 0, TABLE_RIGHT},
        {out->names[1], 0, TABLE_RIGHT},
        {out->names[2], 0, TABLE_RIGHT},
        {out->names[3], 0, TABLE_RIGHT},
        {"Q", 0, 0},
        {"QUALITY", 0, TABLE_HIDDEN},
        {"COVERAGE", 0, 0},
        {"VERSION", 0, TABLE_HIDDEN},
        {"SEQ", 0, TABLE_RIGHT | TABLE_HIDDEN},
        {NULL, 0, 0},
    };

    for (size_t i = 0; i < 4; i++)
        (void)snprintf(out->names[i], sizeof(out->names[i]), "%s%s", prefixes[i], unit);
    memcpy(out->list, list, sizeof(list));
}

/* In the order of _columns(). */
static void _row(struct cli *c, table_t *t, const json_t *row, const struct unit *unit,
                 int parsable)
{
    char text[SHOW_SIZE];

    table_text(t, answer_show(row, "node"));
    table_text(t, answer_show(row, "state"));
    table_text(t, show_span(text, sizeof(text), answer_integer(row, "age_s")));
    table_text(t, parsable ? answer_show(row, "last")
                           : show_clock(text, sizeof(text), answer_time(row, "last"), c->now_s));
    table_number(t, answer_number(row, "power_w"));
    table_number(t, answer_number(row, "energy_j") / unit->scale);
    table_number(t, answer_number(row, "jobs_j") / unit->scale);
    table_number(t, answer_number(row, "idle_j") / unit->scale);
    table_number(t, answer_number(row, "system_j") / unit->scale);
    table_text(t, job_row_quality(row));
    table_text(t, answer_show(row, "quality"));
    table_text(t, answer_show(row, "coverage"));
    table_text(t, answer_show(row, "version"));
    table_count(t, answer_integer(row, "seq"));
}

static int _print(struct cli *c, const json_t *rows, const struct table_style *style,
                  const char *units)
{
    const struct unit *unit =
        unit_energy(c, units, answer_largest(rows, "energy_j"), table_fixed(style));
    struct columns columns = {0};
    struct err e = {""};
    table_t *t;
    json_t *row;
    size_t i;
    int rc;

    if (!unit)
        return CLI_USAGE;
    _columns(&columns, unit->name);
    t = table_create(columns.list);
    if (!t)
        return cli_fail(c, CLI_FAILED, "no memory");
    json_array_foreach(rows, i, row) _row(c, t, row, unit, style->parsable);
    rc = table_print(t, style, c->out, &e);
    table_destroy(t);
    return rc < 0 ? cli_fail(c, CLI_USAGE, "nodes: %s", e.text) : CLI_DONE;
}

int cmd_nodes(struct cli *c, int argc, char **argv)
{
    struct table_style style = {0};
    const char *units = NULL;
    json_t *all, *rows, *row;
    int o, bad = 0, status;
    size_t i;

    while ((o = cli_option(c, argc, argv, "nPo:", options)) != -1) {
        if (o == CLI_STOP)
            return c->status;
        if (o == OPT_BAD)
            bad = 1;
        else if (o == OPT_UNITS)
            units = optarg;
        else
            (void)table_option(&style, o, optarg);
    }
    if (optind < argc)
        return cli_fail(c, CLI_USAGE, "nodes takes no operand; see carnot help nodes");
    if (client_list(c, client_request("nodes"), "nodes", &all) < 0)
        return CLI_FAILED;
    rows = json_array();
    json_array_foreach(all, i, row) if (!bad || trouble_any(row)) json_array_append(rows, row);
    status = c->json ? cli_json(c, rows) : _print(c, rows, &style, units);
    if (bad && status == CLI_DONE && !c->json && !style.parsable)
        trouble_print(c, rows);
    json_decref(rows);
    json_decref(all);
    return status;
}
