/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The set of sources of a node. Runs in carnotd's main thread; each source is
 * read without blocking.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "power/meter.h"
#include "power/source_powercap.h"

#define RETRY_MS 10000

int meter_open(struct meter *m, const char *sysroot, struct err *e)
{
    struct source *all = calloc(METER_SOURCES_MAX, sizeof(*all)), *fit;
    int n;

    memset(m, 0, sizeof(*m));
    if (!all)
        return err_errno(e, "no memory for sources");
    n = source_powercap_probe(sysroot, all, METER_SOURCES_MAX - 1, e);
    if (n < 0) {
        free(all);
        return -1;
    }
    source_model_init(&all[n++]);
    fit = realloc(all, (size_t)n * sizeof(*all));
    m->sources = fit ? fit : all;
    m->n = n;
    return 0;
}

void meter_close(struct meter *m)
{
    for (int i = 0; i < m->n; i++)
        source_close(&m->sources[i]);
    free(m->sources);
    memset(m, 0, sizeof(*m));
}

static void _tell(struct meter *m, int i)
{
    enum source_state now = m->sources[i].state, was = m->told[i];

    if (now == SOURCE_FIRST || now == SOURCE_WRAPPED)
        now = SOURCE_OK;
    if (now == was)
        return;
    m->told[i] = now;
    if (m->on_change)
        m->on_change(&m->sources[i], was, m->arg);
}

void meter_read(struct meter *m, int64_t t_ms, bool everything)
{
    bool retry = t_ms >= m->retry_ms;

    for (int i = 0; i < m->n; i++) {
        struct source *s = &m->sources[i];

        if (!s->ops->read || (s->inside && !everything))
            continue;
        if (s->state == SOURCE_MISSING && retry && s->ops->reopen && s->ops->reopen(s) < 0)
            s->error = errno;
        source_update(s, t_ms);
        _tell(m, i);
    }
    if (retry)
        m->retry_ms = t_ms + RETRY_MS;
}

/* Has it ever given anything? A zone that has always stood at one value measures nothing. */
static bool _was_alive(const struct source *s)
{
    return s->counter.total_uj > 0;
}

void meter_sum(const struct meter *m, uint64_t modelled_uj, struct meter_interval *out)
{
    memset(out, 0, sizeof(*out));
    coverage_sum_init(&out->sum);
    out->modelled_uj = modelled_uj;
    for (int i = 0; i < m->n; i++) {
        const struct source *s = &m->sources[i];
        bool is_model = !s->ops->read;

        if (s->inside || (!is_model && !s->delivered))
            continue;
        out->counted[i] =
            coverage_sum_add(&out->sum, s->coverage, is_model ? modelled_uj : s->interval_uj) == 0;
        if (is_model && out->counted[i])
            out->modelled = true;
    }
    out->quality = out->modelled ? QUALITY_MODELLED : QUALITY_MEASURED;
    for (int i = 0; i < m->n; i++) {
        const struct source *s = &m->sources[i];

        out->absent[i] = s->ops->read && !s->inside && !s->delivered && _was_alive(s) &&
                         !coverage_sum_has(&out->sum, s->coverage);
        if (out->absent[i] && !out->modelled)
            out->quality = QUALITY_STALE;
    }
}

void meter_commit(struct meter *m, const struct meter_interval *done)
{
    for (int i = 0; i < m->n; i++) {
        struct source *s = &m->sources[i];
        struct coverage_sum overlap = done->sum;

        if (done->counted[i] && !s->ops->read)
            source_credit(s, done->modelled_uj);
        /* somebody stood in for it, and its base is from before: that time is counted already */
        if (!s->delivered && (s->state == SOURCE_MISSING || s->state == SOURCE_IMPLAUSIBLE) &&
            coverage_sum_add(&overlap, s->coverage, 0) < 0)
            counter_forget(&s->counter);
        source_begin_interval(s);
    }
}
