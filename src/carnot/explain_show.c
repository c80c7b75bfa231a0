/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A decision explained on a terminal. All figures are the answer's; here they are only worded.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "carnot/answer.h"
#include "carnot/explain_show.h"
#include "carnot/series_plot.h"
#include "carnot/show.h"
#include "carnot/table.h"
#include "carnot/unit.h"
#include "common/units.h"

#define ROWS 6
#define PINS_MAX 32 /* more than an answer has */
#define NOTE_MIN 12 /* columns that a note has on the narrowest terminal */

static int _is(const json_t *start, const char *role)
{
    json_t *word;
    size_t i;

    json_array_foreach(json_object_get(start, "roles"), i, word)
    {
        if (json_is_string(word) && strcmp(json_string_value(word), role) == 0)
            return 1;
    }
    return 0;
}

/* The first choice that is this; NULL: none is. */
static const json_t *_choice(const json_t *explain, const char *role)
{
    json_t *start;
    size_t i;

    json_array_foreach(json_object_get(explain, "alternatives"), i, start)
    {
        if (_is(start, role))
            return start;
    }
    return NULL;
}

static void _legend(const struct cli *c, const json_t *explain, const struct plot *p,
                    const char *zone)
{
    char from[SHOW_SIZE], to[SHOW_SIZE], value[24];
    int64_t until_s = answer_time(explain, "forecast_until");
    double mean = plot_mean(p, p->mark_from_s, p->mark_to_s);

    if (p->range_to_s > p->range_from_s)
        fprintf(c->out, "%s may start %s to %s; %s other choices\n", c->utf8 ? "├┤" : "|-|",
                p->range_from_s <= c->now_s
                    ? "now"
                    : show_clock(from, sizeof(from), p->range_from_s, c->now_s),
                show_clock(to, sizeof(to), p->range_to_s, c->now_s), c->utf8 ? "○" : "o");
    if (p->mark_to_s > p->mark_from_s && isfinite(mean))
        fprintf(c->out, "%s runs %s to %s at most, at %s g/kWh on average (zone %s)\n",
                c->utf8 ? "▲" : "^", show_clock(from, sizeof(from), p->mark_from_s, c->now_s),
                show_clock(to, sizeof(to), p->mark_to_s, c->now_s),
                units_format_3(value, sizeof(value), mean), zone);
    if (until_s != ANSWER_NONE && until_s < p->mark_to_s)
        fprintf(c->out, "The forecast ends %s; what lies behind it counts the same for all.\n",
                show_clock(to, sizeof(to), until_s, c->now_s));
}

void explain_show_plot(const struct cli *c, const json_t *explain, const char *zone)
{
    int64_t from_s = answer_time(explain, "from"), until_s = answer_time(explain, "until");
    int64_t start_s = answer_time(explain, "start"), end_s = answer_time(explain, "end");
    int64_t pins[PINS_MAX];
    struct plot p;
    json_t *start;
    size_t i;

    if (series_plot_load(c, json_object_get(explain, "window"), &p) < 0)
        return;
    p.rows = ROWS;
    p.pins = pins;
    if (from_s != ANSWER_NONE && until_s > from_s) {
        p.range_from_s = from_s;
        p.range_to_s = until_s;
    }
    if (start_s != ANSWER_NONE && end_s != ANSWER_NONE) {
        p.pin_s = p.mark_from_s = start_s;
        p.mark_to_s = end_s;
    }
    json_array_foreach(json_object_get(explain, "alternatives"), i, start)
    {
        int64_t at_s = answer_time(start, "start");

        if (at_s >= p.range_from_s && at_s <= p.range_to_s && p.n_pins < PINS_MAX)
            pins[p.n_pins++] = at_s;
    }
    plot_bars(&p, c->out);
    _legend(c, explain, &p, zone);
    series_plot_free(&p);
}

static void _word(char *buf, size_t size, const char *word)
{
    size_t used = strlen(buf);

    (void)snprintf(buf + used, size - used, "%s%s", used ? ", " : "", word);
}

/* What a choice is, in few words: the policies speak for least cost and least grams. */
static char *_note(char *buf, size_t size, const json_t *start, int priced)
{
    int asap = _is(start, "asap"), balanced = _is(start, "balanced");
    int greenest = _is(start, "greenest"), all = asap && balanced && greenest;
    int best = priced && _is(start, "best") && !_is(start, "chosen") && !balanced;
    int least = _is(start, "least") && !greenest;

    buf[0] = '\0';
    if (json_is_false(json_object_get(start, "room")))
        _word(buf, size, "slots full");
    if (_is(start, "now"))
        _word(buf, size, "now");
    if (_is(start, "chosen"))
        _word(buf, size, "chosen");
    if (all)
        _word(buf, size, "all policies");
    if (asap && !all)
        _word(buf, size, "asap");
    if (balanced && !all)
        _word(buf, size, "balanced");
    if (greenest && !all)
        _word(buf, size, "greenest");
    if (best || least)
        _word(buf, size, !best ? "least grams" : !least ? "least cost" : "least cost and grams");
    if (_is(start, "low"))
        _word(buf, size, "another low");
    if (_is(start, "latest") && !best && !least && !balanced && !greenest)
        _word(buf, size, "latest");
    return buf;
}

/* Columns that are left for notes, on a line that holds all else. */
static int _room(const struct cli *c, const json_t *starts, int priced)
{
    char text[SHOW_SIZE];
    size_t clock = 5, wait = 4, i;
    json_t *start;
    int room;

    json_array_foreach(starts, i, start)
    {
        size_t a = strlen(show_clock(text, sizeof(text), answer_time(start, "start"), c->now_s));
        size_t b = strlen(show_span(text, sizeof(text), answer_integer(start, "wait_s")));

        clock = a > clock ? a : clock;
        wait = b > wait ? b : wait;
    }
    room = c->width - (int)clock - (int)wait - (priced ? 3 : 2) * 8 - 4;
    return room > NOTE_MIN ? room : NOTE_MIN;
}

static void _table(const struct cli *c, const json_t *explain)
{
    const json_t *starts = json_object_get(explain, "alternatives");
    double now_g = answer_number(json_array_get(starts, 0), "carbon_g");
    int priced = answer_number(explain, "lambda_g_per_h") > 0;
    const struct unit *mass = unit_mass(answer_largest(starts, "carbon_g"), 0, 0);
    char co2[16], cost[16], text[160];
    const struct table_column columns[] = {{"START", 0, 0},
                                           {"WAIT", 0, TABLE_RIGHT},
                                           {co2, 0, TABLE_RIGHT},
                                           {"SAVED", 0, TABLE_RIGHT},
                                           {cost, 0, TABLE_RIGHT | (priced ? 0 : TABLE_HIDDEN)},
                                           {"NOTE", _room(c, starts, priced), 0},
                                           {NULL, 0, 0}};
    const struct table_style style = {0};
    table_t *t = table_create(columns);
    json_t *start;
    size_t i;

    if (!t)
        return;
    (void)snprintf(co2, sizeof(co2), "%sCO2e", mass->name);
    (void)snprintf(cost, sizeof(cost), "COST-%s", mass->name);
    json_array_foreach(starts, i, start)
    {
        table_text(t, show_clock(text, sizeof(text), answer_time(start, "start"), c->now_s));
        table_text(t, show_span(text, sizeof(text), answer_integer(start, "wait_s")));
        table_number(t, answer_number(start, "carbon_g") / mass->scale);
        table_percent(t, i ? answer_number(start, "saved_g") / now_g * 100 : NAN);
        table_number(t, answer_number(start, "cost_g") / mass->scale);
        table_text(t, _note(text, sizeof(text), start, priced));
    }
    (void)table_print(t, &style, c->out, NULL);
    table_destroy(t);
}

/* Why it starts at once although it may wait: what the best wait would have brought, and what it
 * is held against. */
static void _why_not(const struct cli *c, const json_t *explain)
{
    const json_t *best = _choice(explain, "best"), *least = _choice(explain, "least");
    double min_g = answer_number(explain, "min_gain_g");
    double saved_g = answer_number(best, "saved_g");
    char clock[SHOW_SIZE], saved[SHOW_SIZE], wait[SHOW_SIZE], against[SHOW_SIZE];

    if (!best || !least)
        return;
    fputs("Does not wait: ", c->out);
    if (_is(least, "now"))
        fputs("nowhere in its window it would emit less.\n", c->out);
    else if (strcmp(answer_show(explain, "policy"), "asap") == 0)
        fprintf(c->out, "policy asap; a start at %s would save %s.\n",
                show_clock(clock, sizeof(clock), answer_time(least, "start"), c->now_s),
                show_mass(saved, sizeof(saved), answer_number(least, "saved_g")));
    else if (_is(best, "now"))
        fprintf(c->out, "a start at %s would save %s, but its %s of wait count as %s.\n",
                show_clock(clock, sizeof(clock), answer_time(least, "start"), c->now_s),
                show_mass(saved, sizeof(saved), answer_number(least, "saved_g")),
                show_span(wait, sizeof(wait), answer_integer(least, "wait_s")),
                show_mass(against, sizeof(against),
                          answer_number(least, "cost_g") - answer_number(least, "carbon_g")));
    else if (saved_g < min_g)
        fprintf(c->out, "the best start, %s, would save %s, and a wait has to save %s.\n",
                show_clock(clock, sizeof(clock), answer_time(best, "start"), c->now_s),
                show_mass(saved, sizeof(saved), saved_g),
                show_mass(against, sizeof(against), min_g));
    else
        fprintf(c->out, "the slots of the best start, %s, are full; it would save %s.\n",
                show_clock(clock, sizeof(clock), answer_time(best, "start"), c->now_s),
                show_mass(saved, sizeof(saved), saved_g));
}

void explain_show_choices(const struct cli *c, const json_t *explain)
{
    const json_t *chosen = _choice(explain, "chosen");
    double lambda = answer_number(explain, "lambda_g_per_h");
    char price[SHOW_SIZE];

    _table(c, explain);
    if (lambda > 0)
        fprintf(c->out, "Cost: the grams, and %s for each hour of wait, as balanced has it.\n",
                show_mass(price, sizeof(price), lambda));
    if (chosen && _is(chosen, "now") &&
        answer_time(explain, "until") > answer_time(explain, "from"))
        _why_not(c, explain);
}
