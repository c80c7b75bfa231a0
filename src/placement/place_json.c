/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dry runs and explanations as the JSON that carnotctld sends and `carnot` prints. Pure.
 */
#include "config.h"

#include <math.h>

#include "common/units.h"
#include "common/when.h"
#include "placement/place_json.h"

static json_t *_time(int64_t t_s)
{
    char text[32];

    return t_s ? json_string(when_format_rfc3339(text, sizeof(text), t_s)) : json_null();
}

/* jansson refuses NAN, which here means "no data". */
static json_t *_number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *_grams(double ug)
{
    return _number(ug / (double)UG_PER_G);
}

static json_t *_start(const struct explain *x, const struct explain_start *s)
{
    json_t *roles = json_array();

    for (int i = 0; i < EXPLAIN_ROLES; i++)
        if (s->roles & 1u << i)
            json_array_append_new(roles, json_string(explain_role_name(i)));
    return json_pack("{s:o, s:I, s:o, s:o, s:o, s:b, s:o}", "start", _time(s->start_s), "wait_s",
                     (json_int_t)s->wait_s, "carbon_g", _grams(s->carbon_ug), "saved_g",
                     _grams(x->starts[0].carbon_ug - s->carbon_ug), "cost_g", _grams(s->cost_ug),
                     "room", s->room, "roles", roles);
}

json_t *explain_json(const struct explain *x)
{
    json_t *window = json_array(), *alternatives = json_array();

    for (size_t i = 0; i < x->n_steps; i++)
        json_array_append_new(window, json_pack("{s:o, s:o}", "time", _time(x->steps[i].time_s),
                                                "g_per_kwh", _number(x->steps[i].g_per_kwh)));
    for (size_t i = 0; i < x->n_starts; i++)
        json_array_append_new(alternatives, _start(x, &x->starts[i]));
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:o, s:o}", "policy",
                     placement_policy_name(x->policy), "from", _time(x->from_s), "until",
                     _time(x->until_s), "start", _time(x->start_s), "end", _time(x->end_s),
                     "forecast_until", _time(x->forecast_until_s), "lambda_g_per_h",
                     x->lambda_ug_per_s * 3600 / (double)UG_PER_G, "min_gain_g",
                     x->min_gain_ug / (double)UG_PER_G, "window", window, "alternatives",
                     alternatives);
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
    json_t *place = json_object(), *predicted = json_array();

    for (const struct place_field *field = place_fields; field->name; field++)
        json_object_set_new(place, field->name, _field(a, field));
    for (size_t i = 0; i < a->n_predicted; i++)
        json_array_append_new(predicted, json_integer(a->predicted_s[i]));
    json_object_set_new(place, "predicted_s", predicted);
    return json_pack("{s:o, s:s, s:o}", "place", place, "zone", a->zone, "explain",
                     explain_json(&a->explain));
}
