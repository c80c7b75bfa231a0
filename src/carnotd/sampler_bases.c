/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From which values the sources go on after an earlier run of the daemon: those of the last record,
 * since what came before is in a record, and what came behind is in none. The record holds the
 * values of the sources that it counted; the state file those of all, with the number of the record
 * that they belong to.
 *
 *   state of the last record      every source goes on from the state
 *   state of an earlier record    (killed between the two writes, or the disk was full:) what the
 *                                 record names goes on from the record; the others begin anew, as
 *                                 some of the time since may be counted already
 *   state of a later record       the log was lost, its records were written: the state alone
 * counts no state, a damaged one       the record alone counts
 */
#include "config.h"

#include <string.h>

#include "carnotd/sampler_private.h"
#include "carnotd/state_file.h"

static uint64_t _u64(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));

    return value > 0 ? (uint64_t)value : 0;
}

/* A source is the same if it has the name, is read in the same place and has the same range. */
static bool _is_same(const json_t *entry, const struct source *s)
{
    const char *name = json_string_value(json_object_get(entry, "name"));
    const char *path = json_string_value(json_object_get(entry, "path"));

    return name && path && strcmp(name, s->name) == 0 && strcmp(path, s->path) == 0 &&
           _u64(entry, "range") == s->counter.range_uj;
}

static const json_t *_find_state(const json_t *state, const struct source *s)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(json_object_get(state, "sources"), i, entry)
    {
        if (_is_same(entry, s))
            return entry;
    }
    return NULL;
}

static const json_t *_find_record(const json_t *record, const struct source *s)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(json_object_get(record, "sources"), i, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "name"));

        if (name && strcmp(name, s->name) == 0)
            return json_is_integer(json_object_get(entry, "raw")) ? entry : NULL;
    }
    return NULL;
}

/* What the source has given so far, and its last value as the state has it. */
static void _take_state(struct source *s, const json_t *entry)
{
    struct counter *c = &s->counter;

    c->total_uj = _u64(entry, "total_uj");
    s->moved = c->total_uj > 0;
    for (int i = 0; i < COUNTER_RESULTS; i++)
        c->count[i] = _u64(entry, counter_result_name((enum counter_result)i));
    s->failures = _u64(entry, "missing");
    if (!json_object_get(entry, "raw") || !s->ops->read || s->sampled)
        return;
    counter_resume(c, _u64(entry, "raw"), (int64_t)_u64(entry, "raw_ms"));
    if (c->primed)
        c->changed_ms = (int64_t)_u64(entry, "changed_ms");
}

/* Go on from the record: what the source has given since the state was written is in records, so
 * that only its total moves. */
static void _take_record(struct source *s, const json_t *entry, int64_t mono_ms)
{
    uint64_t counted_uj;

    if (entry && s->counter.primed)
        (void)counter_update(&s->counter, _u64(entry, "raw"), mono_ms, &counted_uj);
    counter_forget(&s->counter);
    if (!entry)
        return;
    counter_resume(&s->counter, _u64(entry, "raw"), mono_ms);
    s->moved = true; /* else it would not have been counted */
}

/* Sums go on as well; the one record that the state may be behind is added to them. */
static void _take_sums(struct sampler *s, const json_t *state, const json_t *record)
{
    s->sums.idle_uj = _u64(state, "idle_uj");
    s->sums.system_uj = _u64(state, "system_uj");
    s->sums.jobs_uj = _u64(state, "jobs_uj");
    if (!state || _u64(record, "seq") != _u64(state, "seq") + 1)
        return;
    s->sums.idle_uj += _u64(record, "idle_uj");
    s->sums.system_uj += _u64(record, "system_uj");
    s->sums.jobs_uj += _u64(record, "uj") - _u64(record, "idle_uj") - _u64(record, "system_uj");
}

void sampler_take_bases(struct sampler *s, const json_t *state, const json_t *record,
                        int64_t record_mono_ms)
{
    bool alone = state && (!record || _u64(state, "seq") >= _u64(record, "seq"));

    _take_sums(s, state, record);
    for (int i = 0; i < s->meter->n; i++) {
        struct source *source = &s->meter->sources[i];
        const json_t *entry = _find_state(state, source);

        if (entry) {
            _take_state(source, entry);
            if (alone)
                s->meter->owed_uj[i] = _u64(entry, "owed_uj");
        }
        if (!alone && source->ops->read && !source->sampled)
            _take_record(source, _find_record(record, source), record_mono_ms);
    }
}

/* What the gap's first reading could not tell (it may have wrapped more than once, was reset, has
 * no base) is unknown for the whole of it, whatever the next reading says. */
void sampler_mark_gap(struct sampler *s)
{
    for (int i = 0; i < s->meter->n; i++) {
        struct source *source = &s->meter->sources[i];

        source->withheld =
            source->ops->read && source->state != SOURCE_OK && source->state != SOURCE_WRAPPED;
    }
}
