/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dry run decided here, from a board file: needs no daemon and no network.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "carnot/place_local.h"
#include "carnot/show.h"
#include "common/when.h"

static json_t *_time(int64_t t_s)
{
    char text[32];

    return json_string(when_format_rfc3339(text, sizeof(text), t_s));
}

/* jansson refuses NAN, which here means "no data". */
static json_t *_number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *_field(const struct place_answer *a, const struct place_field *field)
{
    const void *at = (const char *)a + field->offset;

    switch (field->kind) {
    case PLACE_CHARS:
        return json_string(at);
    case PLACE_TEXT:
        return json_string(*(const char *const *)at);
    case PLACE_TIME:
        return _time(*(const int64_t *)at);
    case PLACE_INTEGER:
        return json_integer(*(const int64_t *)at);
    case PLACE_NUMBER:
        return _number(*(const double *)at);
    }
    return json_null();
}

json_t *place_local_json(const struct place_answer *a)
{
    json_t *place = json_object(), *window = json_array(), *alternatives = json_array();

    for (const struct place_field *field = place_fields; field->name; field++)
        json_object_set_new(place, field->name, _field(a, field));
    for (size_t i = 0; i < a->n_window; i++)
        json_array_append_new(window, json_pack("{s:o, s:o}", "time", _time(a->window[i].time_s),
                                                "g_per_kwh", _number(a->window[i].g_per_kwh)));
    for (size_t i = 0; i < a->n_alternatives; i++) {
        const struct place_alternative *other = &a->alternatives[i];

        json_array_append_new(alternatives, json_pack("{s:s, s:o, s:I, s:o}", "choice", other->name,
                                                      "start", _time(other->start_s), "delay_s",
                                                      (json_int_t)other->delay_s, "carbon_g",
                                                      _number(other->carbon_g)));
    }
    return json_pack("{s:o, s:o, s:s, s:o, s:o}", "place", place, "end", _time(a->end_s), "zone",
                     a->zone, "window", window, "alternatives", alternatives);
}

static void _warn_age(struct cli *c, const char *path, const struct board *b)
{
    int64_t age_ms = c->now_s * 1000 - b->head.published_ms;
    char age[SHOW_SIZE], allowed[SHOW_SIZE];

    if (age_ms > b->head.max_age_ms)
        cli_warn(c, "%s is %s old; submissions obey a board for %s only", path,
                 show_span(age, sizeof(age), age_ms / 1000),
                 show_span(allowed, sizeof(allowed), b->head.max_age_ms / 1000));
}

json_t *place_local(struct cli *c, const char *path, const struct place_query *q, int *status)
{
    struct board b;
    struct err e = {""};
    struct place_answer *a = calloc(1, sizeof(*a));
    json_t *out = NULL;

    *status = CLI_FAILED;
    if (!a) {
        cli_fail(c, 0, "no memory");
        return NULL;
    }
    if (board_load(&b, path, &e) < 0) {
        cli_fail(c, 0, "%s", e.text);
        free(a);
        return NULL;
    }
    _warn_age(c, path, &b);
    if (place_run(&b, NULL, q, c->now_s, a, &e) < 0)
        *status = cli_fail(c, CLI_USAGE, "place: %s", e.text);
    else
        out = place_local_json(a);
    board_free(&b);
    free(a);
    return out;
}
