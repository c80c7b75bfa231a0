/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all sources have in common: from a reading to the state and the energy
 * of the running interval. Kinds of sources are in source_*.c.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "power/source.h"

static const enum source_state state_of_result[COUNTER_RESULTS] = {
    [COUNTER_FIRST] = SOURCE_FIRST,
    [COUNTER_DELTA] = SOURCE_OK,
    [COUNTER_WRAPPED] = SOURCE_WRAPPED,
    [COUNTER_RESET] = SOURCE_RESET,
    [COUNTER_IMPLAUSIBLE] = SOURCE_IMPLAUSIBLE,
    [COUNTER_STALE] = SOURCE_STALE,
};

const char *quality_name(enum quality q)
{
    static const char *const names[] = {"measured", "split", "modelled", "stale"};

    return (size_t)q < sizeof(names) / sizeof(names[0]) ? names[q] : "?";
}

const char *source_state_name(enum source_state s)
{
    static const char *const names[] = {"ok",          "first", "wrapped", "reset",
                                        "implausible", "stale", "missing"};

    return (size_t)s < sizeof(names) / sizeof(names[0]) ? names[s] : "?";
}

const char *source_error_text(const struct source *s)
{
    if (s->error == EBADMSG)
        return "what it says is no number";
    if (s->error == ETIMEDOUT)
        return "it does not answer";
    if (s->error == ECHILD)
        return "its helper program has ended";
    if (s->error == EKEYREJECTED)
        return "its certificate is not trusted";
    if (s->error == ENOTUNIQ)
        return "several figures fit";
    if (s->error == ECANCELED)
        return "it is not asked";
    if (s->error == ELIBACC)
        return "the vendor's library is not there";
    return s->error ? strerror(s->error) : "";
}

static bool _is_fit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == ':' || c == '-';
}

void source_set_name(struct source *s, const char *text)
{
    size_t i = 0;

    for (; text[i] && i + 1 < sizeof(s->name); i++)
        s->name[i] = _is_fit(text[i]) ? text[i] : '_';
    s->name[i] = '\0';
}

void source_update(struct source *s, int64_t t_ms)
{
    enum counter_result result;
    uint64_t raw_uj, delta_uj;

    if (!s->ops->read)
        return;
    if (s->ops->read(s, t_ms, &raw_uj) < 0) {
        s->failures++;
        s->error = errno ? errno : EIO;
        s->state = s->error == EAGAIN      ? SOURCE_FIRST /* asked, not answered yet */
                   : s->error == ETIMEDOUT ? SOURCE_STALE
                                           : SOURCE_MISSING;
    } else {
        s->error = 0;
        s->raw_uj = raw_uj;
        result = counter_update(&s->counter, raw_uj, t_ms, &delta_uj);
        s->state = state_of_result[result];
        s->interval_uj += delta_uj;
        s->moved = s->moved || delta_uj > 0;
        /* a zone that has stood at one value ever since gives no energy, not 0 J */
        if ((result == COUNTER_DELTA || result == COUNTER_WRAPPED) && s->moved && !s->withheld)
            s->delivered = true;
    }
    if (s->state > s->worst)
        s->worst = s->state;
}

void source_credit(struct source *s, uint64_t uj)
{
    s->interval_uj += uj;
    s->counter.total_uj += uj;
    s->delivered = true;
    s->state = SOURCE_OK;
}

void source_begin_interval(struct source *s)
{
    s->interval_uj = 0;
    s->delivered = false;
    s->withheld = false;
    s->worst = SOURCE_OK;
}

void source_close(struct source *s)
{
    int saved = errno;

    if (s && s->ops && s->ops->close)
        s->ops->close(s);
    errno = saved;
}
