/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Budgets for people: a table a resource, and one budget as a sentence.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "carnot/answer.h"
#include "carnot/budget_table.h"
#include "carnot/plot.h"
#include "carnot/show.h"
#include "carnot/unit.h"
#include "common/when.h"

#define BAR_CELLS 10

int budget_row_is(const json_t *row, const char *key, const char *want)
{
    const char *text = answer_text(row, key);

    return !want || (text && strcmp(text, want) == 0);
}

/* Columns of one resource: the unit is part of their names. */
struct columns {
    struct table_column list[12];
    char names[5][16];
};

static void _columns(struct columns *out, const char *unit)
{
    static const char *const prefixes[5] = {"", "USED-", "HELD-", "LEFT-", "OVER-"};
    const struct table_column list[] = {
        {"SCOPE", 0, 0},
        {"NAME", 16, 0},
        {"PERIOD", 0, 0},
        {out->names[0], 0, TABLE_RIGHT},
        {out->names[1], 0, TABLE_RIGHT},
        {out->names[2], 0, TABLE_RIGHT},
        {out->names[3], 0, TABLE_RIGHT},
        {out->names[4], 0, TABLE_RIGHT | TABLE_HIDDEN},
        {"LEFT%", 0, TABLE_RIGHT},
        {"", 0, TABLE_PLAIN},
        {"RENEWS", 0, TABLE_HIDDEN},
        {NULL, 0, 0},
    };

    for (size_t i = 0; i < 5; i++)
        (void)snprintf(out->names[i], sizeof(out->names[i]), "%s%s", prefixes[i], unit);
    memcpy(out->list, list, sizeof(list));
}

/* In the order of _columns(). */
static void _row(struct cli *c, table_t *t, const json_t *row, double scale, int parsable)
{
    double granted = answer_number(row, "granted"), left = answer_number(row, "left");
    double share = granted > 0 ? left / granted : NAN;
    char text[SHOW_SIZE], bar[3 * BAR_CELLS + 1];
    int64_t renews_s = answer_time(row, "renews");

    table_text(t, answer_show(row, "scope"));
    table_text(t, answer_show(row, "name"));
    table_text(t, answer_show(row, "period"));
    table_number(t, granted / scale);
    table_number(t, answer_number(row, "charged") / scale);
    table_number(t, answer_number(row, "reserved") / scale);
    table_number(t, left / scale);
    table_number(t, answer_number(row, "over") / scale);
    table_percent(t, share * 100);
    plot_share(bar, sizeof(bar), share, BAR_CELLS, c->utf8);
    table_text(t, bar[0] ? bar : " ");
    if (renews_s == ANSWER_NONE)
        table_text(t, NULL);
    else
        table_text(t, parsable ? answer_show(row, "renews")
                               : when_format_day(text, sizeof(text), renews_s));
}

/* One table a resource, since a column has one unit. Returns rows printed, or -1 after a message.
 */
static int _table(struct cli *c, const json_t *rows, const char *resource, const struct unit *unit,
                  const struct table_style *style, int blank_line)
{
    struct columns columns = {0};
    struct err e = {""};
    table_t *t;
    json_t *row;
    size_t i;
    int n = 0, rc = 0;

    _columns(&columns, unit->name);
    t = table_create(columns.list);
    if (!t)
        return cli_fail(c, -1, "no memory");
    json_array_foreach(rows, i, row)
    {
        if (!budget_row_is(row, "resource", resource))
            continue;
        _row(c, t, row, unit->scale, style->parsable);
        n++;
    }
    if (n > 0 && blank_line)
        fputc('\n', c->out);
    if (n > 0)
        rc = table_print(t, style, c->out, &e);
    table_destroy(t);
    return rc < 0 ? cli_fail(c, -1, "budget: %s", e.text) : n;
}

/* The largest grant of a resource: what the unit is chosen by. */
static double _largest(const json_t *rows, const char *resource)
{
    double largest = NAN;
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row) if (budget_row_is(row, "resource", resource)) largest =
        fmax(largest, answer_number(row, "granted"));
    return largest;
}

int budget_table(struct cli *c, const json_t *rows, const char *units,
                 const struct table_style *style)
{
    int fixed = table_fixed(style);
    const struct unit *joules = unit_energy(c, units, _largest(rows, "energy"), fixed);
    const struct unit *grams = unit_mass(_largest(rows, "carbon"), 1, fixed);
    int energy, carbon;

    if (!joules)
        return CLI_USAGE;
    energy = _table(c, rows, "energy", joules, style, 0);
    if (energy < 0)
        return CLI_USAGE;
    carbon = _table(c, rows, "carbon", grams, style, energy > 0);
    if (carbon < 0)
        return CLI_USAGE;
    if (energy + carbon == 0 && !style->no_header && !style->parsable)
        fprintf(c->out, "No budgets are set that you may see.\n");
    return CLI_DONE;
}

void budget_sentence(struct cli *c, const json_t *row)
{
    int energy = budget_row_is(row, "resource", "energy");
    char *(*show)(char *, size_t, double) = energy ? show_energy : show_mass;
    char granted[SHOW_SIZE], charged[SHOW_SIZE], reserved[SHOW_SIZE], left[SHOW_SIZE];
    const char *co2 = energy ? "" : "CO2e", *period = answer_show(row, "period");
    char day[SHOW_SIZE];

    fprintf(c->out, "%s %s: %s%s %s%s; %s charged, %s reserved, %s left", answer_show(row, "scope"),
            answer_show(row, "name"), show(granted, sizeof(granted), answer_number(row, "granted")),
            co2, strcmp(period, "once") == 0 ? "" : "a ", period,
            show(charged, sizeof(charged), answer_number(row, "charged")),
            show(reserved, sizeof(reserved), answer_number(row, "reserved")),
            show(left, sizeof(left), answer_number(row, "left")));
    if (answer_time(row, "renews") != ANSWER_NONE)
        fprintf(c->out, " until %s", when_format_day(day, sizeof(day), answer_time(row, "renews")));
    fputc('\n', c->out);
}
