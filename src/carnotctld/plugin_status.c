/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the plugin's counters, tolerantly: another user may own the file (SlurmUser), so nothing
 * is taken over that is not a number or a short text.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "carnotctld/ops.h"
#include "carnotctld/plugin_status.h"
#include "common/path.h"
#include "common/when.h"

#define FRESH_MS 60000
#define FILE_MAX 65536

static json_t *load(const struct ctl *c)
{
    char path[SETTINGS_PATH_MAX + 32], *text = NULL;
    struct stat st;
    size_t size;
    /* Of a pipe one would wait for ever. */
    if (path_format(path, sizeof(path), "%s.plugin", c->set.controller.board) < 0 ||
        stat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
        path_read(path, FILE_MAX, &text, &size, NULL) < 0)
        return NULL;
    json_t *o = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    return o;
}

/* Milliseconds since the epoch, or -1. */
static int64_t time_ms(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    int64_t t_ms;
    return text && when_parse_rfc3339(text, &t_ms, NULL) == 0 ? t_ms : -1;
}

/* The step that so many of a hundred calls do not pass: its upper end, or the longest call where
 * that is less. Null when there were no calls. */
static json_t *percentile_us(const json_t *times, const json_t *steps, json_int_t percent)
{
    json_int_t calls = json_integer_value(json_object_get(times, "calls")), below = 0;
    json_t *max = json_object_get(times, "max_us"), *n;
    size_t i;
    if (calls <= 0 || calls > INT64_MAX / 100 || !json_is_integer(max))
        return json_null();
    json_array_foreach(json_object_get(times, "n"), i, n)
    {
        json_t *end = json_array_get(steps, i);
        below += json_integer_value(n);
        if (below < (calls * percent + 99) / 100)
            continue;
        if (json_is_integer(end) && json_integer_value(end) < json_integer_value(max))
            return json_integer(json_integer_value(end));
        return json_integer(json_integer_value(max));
    }
    return json_null();
}

static json_t *times_json(const json_t *o, const char *key)
{
    const json_t *times = json_object_get(o, key), *steps = json_object_get(o, "steps_us");
    json_t *max = json_object_get(times, "max_us");
    json_t *calls = json_object_get(times, "calls");
    return json_pack("{s:o,s:o,s:o,s:o}", "calls",
                     json_is_integer(calls) ? json_incref(calls) : json_null(), "p50_us",
                     percentile_us(times, steps, 50), "p99_us", percentile_us(times, steps, 99),
                     "max_us", json_is_integer(max) ? json_incref(max) : json_null());
}

/* An object of what is a number or a short text in o. */
static json_t *plain(const json_t *o)
{
    json_t *to = json_object();
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)o, key, v)
    {
        int text = json_is_string(v) && json_string_length(v) < LEDGER_NAME_MAX;
        if ((text || json_is_number(v)) && strlen(key) < LEDGER_NAME_MAX && strcmp(key, "v") != 0)
            json_object_set(to, key, v);
    }
    return to;
}

json_t *plugin_status_json(const struct ctl *c)
{
    json_t *o = load(c), *board = json_object_get(o, "board"), *out = NULL;
    int64_t age_ms = ctl_now_ms(c) - time_ms(o, "ts");
    if (json_integer_value(json_object_get(o, "v")) == 1 && age_ms <= FRESH_MS &&
        age_ms >= -FRESH_MS) {
        out = plain(o);
        json_object_set_new(out, "age_s", json_real((double)age_ms / 1e3));
        json_object_set_new(out, "board", json_is_object(board) ? json_incref(board) : json_null());
        json_object_set_new(out, "submit", times_json(o, "submit"));
        json_object_set_new(out, "modify", times_json(o, "modify"));
    }
    json_decref(o);
    return out ? out : json_null();
}
