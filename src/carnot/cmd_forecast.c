/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot forecast: the grid's carbon intensity as Carnot sees it, plotted.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "carnot/answer.h"
#include "carnot/client.h"
#include "carnot/plot.h"
#include "carnot/series_plot.h"
#include "carnot/show.h"
#include "carnot/table.h"
#include "common/units.h"

const char cmd_forecast_help[] =
    "Usage: carnot forecast [--next DURATION] [-n] [-P] [-o COLUMNS] [--json]\n"
    "Carbon intensity of the grid from now on, as Carnot plans with it.\n"
    "  --next DURATION  only so far (as 12h or 1-00); else as far as it is known\n"
    "  --table          a table instead of the plot (-n, -P and -o imply it)\n"
    "  -n               no header\n"
    "  -P               fields joined by |\n"
    "  -o COLUMNS       of TIME, g/kWh\n"
    "  --json           one object: zone, feed, issued, quality, parts, errors, slots\n";

#define WEEK_S (7 * 86400)

enum { OPT_NEXT = 1, OPT_TABLE };
static const struct option options[] = {{"next", required_argument, NULL, OPT_NEXT},
                                        {"table", no_argument, NULL, OPT_TABLE},
                                        TABLE_OPTIONS,
                                        {NULL, 0, NULL, 0}};

static const struct table_column columns[] = {
    {"TIME", 0, 0}, {"g/kWh", 0, TABLE_RIGHT}, {NULL, 0, 0}};

static int _table(struct cli *c, const json_t *slots, const struct table_style *style)
{
    table_t *t = table_create(columns);
    char text[SHOW_SIZE];
    struct err e = {""};
    json_t *slot;
    size_t i;
    int rc;

    if (!t)
        return cli_fail(c, CLI_FAILED, "no memory");
    json_array_foreach(slots, i, slot)
    {
        if (style->parsable)
            table_text(t, answer_show(slot, "time"));
        else
            table_text(t, show_clock(text, sizeof(text), answer_time(slot, "time"), c->now_s));
        table_number(t, answer_number(slot, "g_per_kwh"));
    }
    rc = table_print(t, style, c->out, &e);
    table_destroy(t);
    return rc < 0 ? cli_fail(c, CLI_USAGE, "forecast: %s", e.text) : CLI_DONE;
}

/* Where a low is, in words: the plot shows shape, a sentence gives the figure. */
static void _lowest(struct cli *c, const struct plot *p)
{
    size_t low = p->n;
    char when[SHOW_SIZE], value[24], now[24];

    for (size_t i = 0; i < p->n; i++)
        if (isfinite(p->points[i].value) &&
            (low == p->n || p->points[i].value < p->points[low].value))
            low = i;
    if (low == p->n)
        return;
    fprintf(c->out, "Now %s g/kWh; lowest %s at %s.\n",
            units_format_3(now, sizeof(now), p->points[0].value),
            units_format_3(value, sizeof(value), p->points[low].value),
            show_clock(when, sizeof(when), p->points[low].time_s, c->now_s));
}

/* A part of the forecast by its source's name, as people say it. */
static const char *_source(const json_t *part)
{
    static const struct {
        const char *name, *words;
    } sources[] = {{"feed", "the feed"},
                   {"profile", "the usual day of its last week"},
                   {"held", "its last value"},
                   {"average", "the zone's yearly average"}};
    const char *name = answer_show(part, "source");

    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
        if (strcmp(name, sources[i].name) == 0)
            return sources[i].words;
    return name;
}

/* "Until 14:00 the feed; then the usual day of its last week (5 days known)." */
static void _parts(struct cli *c, const json_t *parts)
{
    size_t n = json_array_size(parts), i;
    char until[SHOW_SIZE];
    json_t *part;

    json_array_foreach(parts, i, part)
    {
        int64_t known_s = answer_integer(part, "known_s");

        if (i + 1 < n)
            fprintf(c->out, "Until %s %s; then ",
                    show_clock(until, sizeof(until), answer_time(part, "until"), c->now_s),
                    _source(part));
        else
            fprintf(c->out, "%s%s", n == 1 ? "All of it is " : "", _source(part));
        if (i + 1 == n && known_s >= 0 && known_s < WEEK_S)
            fprintf(c->out, " (%s known)", show_span(until, sizeof(until), known_s));
    }
    if (n > 0)
        fputs(".\n", c->out);
}

/* "Of five forecasts four were within 12 g/kWh for 1 h ahead, 30 for 24 h." */
static void _errors(struct cli *c, const json_t *errors)
{
    char value[24];
    size_t i, told = 0;
    json_t *row;

    json_array_foreach(errors, i, row)
    {
        int64_t ahead_h = answer_integer(row, "ahead_h");
        double within = answer_number(row, "within_g_per_kwh");

        if (ahead_h == ANSWER_NONE || !isfinite(within))
            continue;
        fprintf(c->out,
                told ? ", %s for %lld h"
                     : "Of five forecasts four were within %s g/kWh for %lld h ahead",
                units_format_3(value, sizeof(value), within), (long long)ahead_h);
        told++;
    }
    if (told)
        fputs(".\n", c->out);
    else if (json_array_size(errors) > 0)
        fputs("How far off such forecasts were is not known yet.\n", c->out);
}

static void _print(struct cli *c, const json_t *a, const json_t *slots)
{
    char issued[SHOW_SIZE];
    struct plot p;

    fprintf(c->out, "Zone %s, feed %s, forecast %s", answer_show(a, "zone"), answer_show(a, "feed"),
            answer_show(a, "quality"));
    if (answer_time(a, "issued") != ANSWER_NONE)
        fprintf(c->out, ", issued %s",
                show_clock(issued, sizeof(issued), answer_time(a, "issued"), c->now_s));
    fputs("\n", c->out);
    if (series_plot_load(c, slots, &p) < 0)
        return;
    p.rows = 8;
    plot_bars(&p, c->out);
    _lowest(c, &p);
    _parts(c, json_object_get(a, "parts"));
    if (strcmp(answer_show(a, "quality"), "stale") == 0)
        fputs("The feed ended too long ago: no job is made to wait.\n", c->out);
    _errors(c, json_object_get(a, "errors"));
    series_plot_free(&p);
}

/* Slots that begin before now + next; a new reference. */
static json_t *_cut(const json_t *slots, int64_t until_s)
{
    json_t *out = json_array(), *slot;
    size_t i;

    json_array_foreach(slots, i, slot) if (until_s == 0 || answer_time(slot, "time") < until_s)
        json_array_append(out, slot);
    return out;
}

int cmd_forecast(struct cli *c, int argc, char **argv)
{
    struct table_style style = {0};
    struct err e = {""};
    int64_t next_s = 0;
    int o, table = 0, status = CLI_DONE;
    json_t *a, *slots;

    while ((o = cli_option(c, argc, argv, "nPo:", options)) != -1) {
        if (o == CLI_STOP)
            return c->status;
        if (o == OPT_NEXT && units_parse_wait(optarg, &next_s, &e) < 0)
            return cli_fail(c, CLI_USAGE, "forecast: --next: %s", e.text);
        (void)table_option(&style, o, optarg);
        table |= o != OPT_NEXT;
    }
    if (optind < argc)
        return cli_fail(c, CLI_USAGE, "forecast takes no operand; see carnot help forecast");
    if (client_ask(c, client_request("forecast"), &a) < 0)
        return CLI_FAILED;
    client_strip(a);
    slots = _cut(json_object_get(a, "slots"), next_s > 0 ? c->now_s + next_s : 0);
    if (c->json) {
        json_object_set(a, "slots", slots);
        cli_json(c, a);
    } else if (table) {
        status = _table(c, slots, &style);
    } else {
        _print(c, a, slots);
    }
    json_decref(slots);
    json_decref(a);
    return status;
}
