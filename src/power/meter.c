/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The set of sources of a node. Runs in carnotd's main thread; each source is
 * read without blocking.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "power/meter.h"
#include "power/source_external.h"
#include "power/source_hwmon.h"
#include "power/source_ipmi.h"
#include "power/source_level_zero.h"
#include "power/source_nvml.h"
#include "power/source_perf.h"
#include "power/source_pm_counters.h"
#include "power/source_powercap.h"
#include "power/source_redfish.h"
#include "power/source_rocm_smi.h"
#include "power/source_snmp.h"

#define RETRY_MS 10000

/* One of the site's own figures. How many sources it is: 0 when none is configured. */
static int _open_external(const struct source_external *x, struct source sources[], int max,
                          struct err *e)
{
    if (!x->path[0] || max < 1)
        return 0;
    return source_external_open(x, sources, e) < 0 ? -1 : 1;
}

static int _open_command(const char *sysroot, const struct settings *s, struct source sources[],
                         int max, struct err *e)
{
    (void)sysroot;
    return _open_external(&(struct source_external){true, s->node.command, s->node.command_unit,
                                                    s->node.command_covers,
                                                    s->node.command_interval_ms},
                          sources, max, e);
}

static int _open_file(const char *sysroot, const struct settings *s, struct source sources[],
                      int max, struct err *e)
{
    (void)sysroot;
    return _open_external(&(struct source_external){false, s->node.file, s->node.file_unit,
                                                    s->node.file_covers, s->node.interval_ms},
                          sources, max, e);
}

static bool _is_auto(const struct settings *s)
{
    return !s || s->node.sources.n == 0 ||
           (s->node.sources.n == 1 && strcmp(s->node.sources.name[0], "auto") == 0);
}

static int _open_ipmi(const char *sysroot, const struct settings *s, struct source sources[],
                      int max, struct err *e)
{
    return source_ipmi_open(sysroot, s->node.ipmi_interval_ms, !_is_auto(s), sources, max, e);
}

static int _open_redfish(const char *sysroot, const struct settings *s, struct source sources[],
                         int max, struct err *e)
{
    (void)sysroot;
    return source_redfish_open(s, sources, max, e);
}

static int _open_snmp(const char *sysroot, const struct settings *s, struct source sources[],
                      int max, struct err *e)
{
    (void)sysroot;
    return source_snmp_open(s, sources, max, e);
}

/* In the order of preference, for parts and for meters. */
static const struct kind {
    const char *name;                                                      /* in node.sources */
    int (*probe)(const char *sysroot, struct source[], int, struct err *); /* or, with settings: */
    int (*open)(const char *sysroot, const struct settings *, struct source[], int, struct err *);
    bool last_resort; /* asking costs somebody: unless it is named, only where no meter was found */
} kinds[] = {
    {"perf", source_perf_probe, NULL, false},
    {"powercap", source_powercap_probe, NULL, false},
    {"nvml", source_nvml_probe, NULL, false},
    {"rocm", source_rocm_smi_probe, NULL, false},
    {"level-zero", source_level_zero_probe, NULL, false},
    {"cray", source_pm_counters_probe, NULL, false},
    {"hwmon", source_hwmon_probe, NULL, false},
    {"command", NULL, _open_command, false},
    {"file", NULL, _open_file, false},
    {"snmp", NULL, _open_snmp, true},
    {"ipmi", NULL, _open_ipmi, true},
    {"redfish", NULL, _open_redfish, true},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct kind *_find_kind(const char *name)
{
    for (size_t k = 0; k < KINDS; k++) {
        if (strcmp(kinds[k].name, name) == 0)
            return &kinds[k];
    }
    return NULL;
}

int meter_check_settings(const struct settings *s, struct err *e)
{
    char known[192] = "auto";

    for (size_t k = 0, used = 4; k < KINDS; k++)
        used += (size_t)snprintf(known + used, sizeof(known) - used, ", %s", kinds[k].name);
    for (int i = 0; !_is_auto(s) && i < s->node.sources.n; i++) {
        if (!_find_kind(s->node.sources.name[i]))
            return err_set(e, "node.sources: '%s' is no kind of source alone or in a list: use %s",
                           s->node.sources.name[i], known);
    }
    return source_redfish_check(s, e) < 0 || source_snmp_check(s, e) < 0 ? -1 : 0;
}

static bool _has_node_meter(const struct meter *m)
{
    for (int i = 0; i < m->n; i++) {
        if (m->sources[i].meter && m->sources[i].coverage.components == COMPONENT_ALL)
            return true;
    }
    return false;
}

static int _not_asked(struct source *s, int64_t t_ms, uint64_t *raw_uj)
{
    (void)s;
    (void)t_ms;
    (void)raw_uj;
    errno = ECANCELED;
    return -1;
}

/* What is configured and not asked, for there is a better one: shown by carnotd --once. */
static void _pass_over(struct meter *m, const struct kind *kind, const struct settings *s)
{
    static const struct source_ops ops = {.read = _not_asked};
    struct source *source = &m->sources[m->n];
    char path[SOURCE_PATH_MAX] = "";

    if (strcmp(kind->name, "redfish") == 0)
        (void)snprintf(path, sizeof(path), "%s", s->node.redfish);
    else if (strcmp(kind->name, "snmp") == 0)
        (void)source_snmp_text(s, path);
    if (!path[0] || m->n >= METER_SOURCES_MAX - 1)
        return;
    memset(source, 0, sizeof(*source));
    memcpy(source->path, path, sizeof(path));
    source_set_name(source, kind->name);
    source->ops = &ops;
    source->coverage = (struct coverage){COMPONENT_ALL, COVERAGE_EVERYWHERE};
    source->inside = true;
    source->package = source->fd = source->rights = -1;
    m->n++;
}

static int _open_kind(struct meter *m, const struct kind *kind, const char *sysroot,
                      const struct settings *s, struct err *e)
{
    int max = METER_SOURCES_MAX - 1 - m->n, n = 0;

    if (kind->probe)
        n = kind->probe(sysroot, m->sources + m->n, max, e);
    else if (s)
        n = kind->open(sysroot, s, m->sources + m->n, max, e);
    m->n += n > 0 ? n : 0;
    return n < 0 ? -1 : 0;
}

int meter_open_settings(struct meter *m, const char *sysroot, const struct settings *s,
                        struct err *e)
{
    int n = _is_auto(s) ? (int)KINDS : s->node.sources.n;
    struct source *fit;

    memset(m, 0, sizeof(*m));
    if (s && meter_check_settings(s, e) < 0)
        return -1;
    m->sources = calloc(METER_SOURCES_MAX, sizeof(*m->sources));
    if (!m->sources)
        return err_errno(e, "no memory for sources");
    for (int k = 0; k < n; k++) {
        const struct kind *kind = _is_auto(s) ? &kinds[k] : _find_kind(s->node.sources.name[k]);

        if (_is_auto(s) && kind->last_resort && _has_node_meter(m)) {
            if (s)
                _pass_over(m, kind, s);
            continue;
        }
        if (_open_kind(m, kind, sysroot, s, e) < 0) {
            meter_close(m);
            return -1;
        }
    }
    source_model_init(&m->sources[m->n++]);
    fit = realloc(m->sources, (size_t)m->n * sizeof(*m->sources));
    m->sources = fit ? fit : m->sources;
    return 0;
}

int meter_open(struct meter *m, const char *sysroot, struct err *e)
{
    return meter_open_settings(m, sysroot, NULL, e);
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

/* Parts first, then meters, then the model. */
enum rank { RANK_PART, RANK_METER, RANK_MODEL, RANKS };

static enum rank _rank(const struct source *s)
{
    return !s->ops->read ? RANK_MODEL : s->meter ? RANK_METER : RANK_PART;
}

/* Does one of the counted sources cover some of what meter i covers, but not within it? And no two
 * meters of the same. */
static bool _is_crossed(const struct meter *m, int i, const bool counted[])
{
    struct coverage c = m->sources[i].coverage;

    for (int k = 0; k < m->n; k++) {
        const struct source *s = &m->sources[k];

        if (counted[k] && coverage_overlap(s->coverage, c) &&
            (s->meter || !coverage_within(s->coverage, c)))
            return true;
    }
    return false;
}

void meter_choose(const struct meter *m, const bool delivers[], bool counted[])
{
    struct coverage_sum sum;

    coverage_sum_init(&sum);
    memset(counted, 0, METER_SOURCES_MAX * sizeof(*counted));
    for (enum rank rank = 0; rank < RANKS; rank++) {
        for (int i = 0; i < m->n; i++) {
            const struct source *s = &m->sources[i];

            if (_rank(s) != rank || s->inside || !delivers[i])
                continue;
            counted[i] = rank == RANK_METER ? !_is_crossed(m, i, counted) &&
                                                  coverage_sum_beyond(&sum, s->coverage, 0) == 0
                                            : coverage_sum_add(&sum, s->coverage, 0) == 0;
        }
    }
}

/* What a meter has seen beyond the counted parts within it. Parts are read a moment apart from it,
 * so that they may say more in one interval: that is taken off the next ones. */
static void _beyond(const struct meter *m, int i, struct meter_interval *out)
{
    const struct source *s = &m->sources[i];
    uint64_t parts_uj = m->owed_uj[i];

    for (int k = 0; k < m->n; k++) {
        if (out->counted[k] && k != i && coverage_within(m->sources[k].coverage, s->coverage) &&
            __builtin_add_overflow(parts_uj, out->uj[k], &parts_uj))
            parts_uj = UINT64_MAX;
    }
    out->uj[i] = s->interval_uj > parts_uj ? s->interval_uj - parts_uj : 0;
    out->owed_uj[i] = s->interval_uj > parts_uj ? 0 : parts_uj - s->interval_uj;
}

/* A card's energy, to each of the GPUs that it is to Slurm in equal parts. */
static void _to_gpus(struct meter_interval *out, uint64_t devices, uint64_t uj)
{
    unsigned n = (unsigned)__builtin_popcountll(devices);

    for (; devices; devices &= devices - 1) {
        out->gpu_uj[__builtin_ctzll(devices)] += uj / n;
        uj -= uj / n--;
    }
}

void meter_sum(const struct meter *m, uint64_t modelled_uj, struct meter_interval *out)
{
    bool delivers[METER_SOURCES_MAX];

    memset(out, 0, sizeof(*out));
    coverage_sum_init(&out->sum);
    out->modelled_uj = modelled_uj;
    for (int i = 0; i < m->n; i++)
        delivers[i] = !m->sources[i].ops->read || m->sources[i].delivered;
    meter_choose(m, delivers, out->counted);
    for (int i = 0; i < m->n; i++)
        if (out->counted[i] && !m->sources[i].meter)
            out->uj[i] = m->sources[i].ops->read ? m->sources[i].interval_uj : modelled_uj;
    for (int i = 0; i < m->n; i++) {
        const struct source *s = &m->sources[i];

        if (!out->counted[i])
            continue;
        if (s->meter)
            _beyond(m, i, out);
        out->counted[i] = coverage_sum_beyond(&out->sum, s->coverage, out->uj[i]) == 0;
        if (!s->ops->read && out->counted[i])
            out->modelled = true;
        if (out->counted[i] && s->coverage.components == COMPONENT_GPU &&
            s->coverage.domains != COVERAGE_EVERYWHERE)
            _to_gpus(out, s->coverage.domains, out->uj[i]);
    }
    out->quality = out->modelled ? QUALITY_MODELLED : QUALITY_MEASURED;
    for (int i = 0; i < m->n; i++) {
        const struct source *s = &m->sources[i];

        out->absent[i] = s->ops->read && !s->inside && !s->delivered && s->moved &&
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
        if (done->counted[i] && s->meter)
            m->owed_uj[i] = done->owed_uj[i];
        /* somebody stood in for it, and its base is from before: that time is counted already */
        if (!s->delivered && (s->error || s->state == SOURCE_IMPLAUSIBLE) &&
            coverage_sum_add(&overlap, s->coverage, 0) < 0)
            counter_forget(&s->counter);
        source_begin_interval(s);
    }
}
