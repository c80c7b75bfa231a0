/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answer of a dry run as the JSON that carnotctld sends and `carnot place` prints. Pure.
 */
#include "config.h"

#include <math.h>

#include "common/when.h"
#include "placement/place_json.h"

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

json_t *place_json(const struct place_answer *a)
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
