/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers to text, in the format that node_exporter reads (Prometheus 0.0.4: counters are named
 * with their _total in HELP and TYPE as well). No floating point: no locale, no surprise.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "carnotd/metrics.h"
#include "common/log.h"
#include "common/path.h"
#include "common/units.h"

#define METRICS_MAX (256u << 10)
#define LEAST_MS 1000
#define PREFIX "textfile:"
#define UJ_PER_JOULE UINT64_C(1000000)

int metrics_open(struct metrics *m, const char *setting, const char *node, struct err *e)
{
    char dir[SETTINGS_PATH_MAX];

    memset(m, 0, sizeof(*m));
    if (!setting[0])
        return 0;
    if (strncmp(setting, PREFIX, strlen(PREFIX)) != 0 ||
        settings_expand(dir, sizeof(dir), setting + strlen(PREFIX), node) < 0 ||
        path_format(m->path, sizeof(m->path), "%s/" METRICS_NAME, dir) < 0)
        return err_set(e, "node.metrics: %s is no place for metrics", setting);
    m->text = malloc(METRICS_MAX);
    if (!m->text)
        return err_errno(e, "no memory for metrics");
    return 0;
}

__attribute__((format(printf, 2, 3))) static void _put(struct metrics *m, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(m->text + m->used, METRICS_MAX - m->used, fmt, ap);
    va_end(ap);
    /* once it is full it stays full, which the end notices */
    if (n > 0)
        m->used += (size_t)n < METRICS_MAX - m->used ? (size_t)n : METRICS_MAX - m->used - 1;
}

static void _head(struct metrics *m, const char *name, const char *type, const char *help)
{
    _put(m, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A family with one value. */
static void _one(struct metrics *m, const char *name, const char *type, uint64_t value,
                 const char *help)
{
    _head(m, name, type, help);
    _put(m, "%s %" PRIu64 "\n", name, value);
}

static void _put_node(struct metrics *m, const struct sampler *s, int64_t dt_ms)
{
    char component[COVERAGE_TEXT_SIZE];
    const struct sampler_sums *sums = &s->sums;
    uint64_t uj = sums->idle_uj + sums->system_uj + sums->jobs_uj;

    _head(m, "carnot_node_joules_total", "counter",
          "Energy of the node in records, by who it went to: jobs, idle CPUs, the system.");
    _put(m, "carnot_node_joules_total{part=\"idle\"} %" PRIu64 "\n", sums->idle_uj / UJ_PER_JOULE);
    _put(m, "carnot_node_joules_total{part=\"jobs\"} %" PRIu64 "\n", sums->jobs_uj / UJ_PER_JOULE);
    _put(m, "carnot_node_joules_total{part=\"system\"} %" PRIu64 "\n",
         sums->system_uj / UJ_PER_JOULE);
    if (dt_ms > 0 && uj >= m->node_uj) {
        _head(m, "carnot_node_watts", "gauge", "Mean power of the node since the file before.");
        _put(m, "carnot_node_watts %" PRIu64 "\n", (uj - m->node_uj) / 1000 / (uint64_t)dt_ms);
    }
    _head(m, "carnot_node_quality", "gauge", "1 for the quality of the last record.");
    for (enum quality q = QUALITY_MEASURED; q <= QUALITY_STALE; q++)
        if (q != QUALITY_SPLIT)
            _put(m, "carnot_node_quality{quality=\"%s\"} %d\n", quality_name(q),
                 sums->last_quality == q);
    _head(m, "carnot_node_covered", "gauge", "1 for what the last record includes.");
    for (unsigned i = 0; i < COVERAGE_COMPONENTS; i++)
        _put(m, "carnot_node_covered{component=\"%s\"} %u\n",
             coverage_format(component, sizeof(component), 1u << i),
             sums->last_components >> i & 1);
}

/* One line of the family for each source that is summed. */
static void _each_source(struct metrics *m, const struct sampler *s, const char *name,
                         uint64_t (*value)(const struct source *source, const struct sampler *s))
{
    for (int i = 0; i < s->meter->n; i++) {
        const struct source *source = &s->meter->sources[i];

        if (!source->inside)
            _put(m, "%s{source=\"%s\"} %" PRIu64 "\n", name, source->name, value(source, s));
    }
}

static uint64_t _joules(const struct source *source, const struct sampler *s)
{
    (void)s;
    return source->counter.total_uj / UJ_PER_JOULE;
}

static uint64_t _counted(const struct source *source, const struct sampler *s)
{
    return s->sums.last_counted[source - s->meter->sources];
}

static uint64_t _works(const struct source *source, const struct sampler *s)
{
    (void)s;
    return source->state == SOURCE_OK || source->state == SOURCE_FIRST ||
           source->state == SOURCE_WRAPPED;
}

static void _put_readings(struct metrics *m, const struct sampler *s)
{
    _head(m, "carnot_source_readings_total", "counter",
          "Readings of the source by how they ended; delta and wrapped gave energy.");
    for (int i = 0; i < s->meter->n; i++) {
        const struct source *source = &s->meter->sources[i];

        if (source->inside || !source->ops->read)
            continue;
        for (int k = 0; k < COUNTER_RESULTS; k++)
            _put(m,
                 "carnot_source_readings_total{source=\"%s\",result=\"%s\"} "
                 "%" PRIu64 "\n",
                 source->name, counter_result_name((enum counter_result)k),
                 source->counter.count[k]);
        _put(m, "carnot_source_readings_total{source=\"%s\",result=\"missing\"} %" PRIu64 "\n",
             source->name, source->failures);
    }
}

/* Of sources that gave energy: no data is no line, never 0. */
static void _put_watts(struct metrics *m, const struct sampler *s, int64_t dt_ms)
{
    _head(m, "carnot_source_watts", "gauge", "Mean power of the source since the file before.");
    for (int i = 0; i < s->meter->n; i++) {
        const struct source *source = &s->meter->sources[i];

        if (!source->inside && source->ops->read && source->moved && _works(source, s) &&
            source->counter.total_uj >= m->total_uj[i])
            _put(m, "carnot_source_watts{source=\"%s\"} %" PRIu64 "\n", source->name,
                 (source->counter.total_uj - m->total_uj[i]) / 1000 / (uint64_t)dt_ms);
    }
}

static void _put_sources(struct metrics *m, const struct sampler *s, int64_t dt_ms)
{
    char coverage[COVERAGE_TEXT_SIZE];

    _head(m, "carnot_source_info", "gauge", "The sources of the node, what they cover, how good.");
    for (int i = 0; i < s->meter->n; i++) {
        const struct source *source = &s->meter->sources[i];

        if (!source->inside)
            _put(m, "carnot_source_info{source=\"%s\",coverage=\"%s\",quality=\"%s\"} 1\n",
                 source->name,
                 coverage_format(coverage, sizeof(coverage), source->coverage.components),
                 quality_name(source->quality));
    }
    _head(m, "carnot_source_joules_total", "counter",
          "Energy that the source has given since the boot; sources overlap, do not add them up.");
    _each_source(m, s, "carnot_source_joules_total", _joules);
    if (dt_ms > 0)
        _put_watts(m, s, dt_ms);
    _head(m, "carnot_source_counted", "gauge", "1 if the source is in the last record's sum.");
    _each_source(m, s, "carnot_source_counted", _counted);
    _head(m, "carnot_source_up", "gauge", "1 if the last reading could be used.");
    _each_source(m, s, "carnot_source_up", _works);
    _put_readings(m, s);
}

/* What a tick may take, in microseconds. */
static const int64_t steps_us[METRICS_STEPS] = {100,  200,   500,    1000,   2000,
                                                5000, 10000, 100000, 1000000};

static void _count_tick(struct metrics *m, int64_t took_us)
{
    int i = 0;

    while (i < METRICS_STEPS && took_us > steps_us[i])
        i++;
    m->took[i]++;
    m->tick_us += took_us > 0 ? (uint64_t)took_us : 0;
}

static void _put_ticks(struct metrics *m)
{
    uint64_t so_far = 0;

    _head(m, "carnotd_tick_seconds", "histogram", "Samples since carnotd started, by their time.");
    for (int i = 0; i < METRICS_STEPS; i++) {
        so_far += m->took[i];
        _put(m, "carnotd_tick_seconds_bucket{le=\"%g\"} %" PRIu64 "\n", (double)steps_us[i] / 1e6,
             so_far);
    }
    so_far += m->took[METRICS_STEPS];
    _put(m, "carnotd_tick_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n", so_far);
    _put(m, "carnotd_tick_seconds_sum %" PRIu64 ".%06" PRIu64 "\n", m->tick_us / 1000000,
         m->tick_us % 1000000);
    _put(m, "carnotd_tick_seconds_count %" PRIu64 "\n", so_far);
}

static void _put_daemon(struct metrics *m, const struct sampler *s, uint64_t acked)
{
    _head(m, "carnotd_info", "gauge", "The running carnotd.");
    _put(m, "carnotd_info{version=\"" PACKAGE_VERSION "\"} 1\n");
    _put_ticks(m);
    _one(m, "carnotd_ticks_missed_total", "counter", m->missed, "Samples that came too late.");
    _one(m, "carnotd_log_bytes_total", "counter", s->log->appended,
         "Bytes written to the telemetry log since carnotd started.");
    _one(m, "carnotd_records_total", "counter", s->seq, "Number of the last record.");
    _one(m, "carnotd_records_unreported", "gauge", s->seq > acked ? s->seq - acked : 0,
         "Records that carnotctld does not have yet.");
    _one(m, "carnotd_last_record_timestamp_seconds", "gauge", (uint64_t)s->start_wall_ms / 1000,
         "When the last record was closed.");
    _one(m, "carnotd_jobs", "gauge", (uint64_t)s->jobs.n, "Jobs on the node.");
    _one(m, "carnotd_log_writable", "gauge", !s->failing, "1 if the last record could be written.");
}

int metrics_format(struct metrics *m, const struct sampler *s, uint64_t acked)
{
    int64_t dt_ms = m->wrote_ms ? s->start_mono_ms - m->wrote_ms : 0;

    m->used = 0;
    _put_node(m, s, dt_ms);
    _put_sources(m, s, dt_ms);
    _put_daemon(m, s, acked);
    return m->used < METRICS_MAX - 1 ? 0 : -1;
}

static void _remember(struct metrics *m, const struct sampler *s)
{
    m->wrote_ms = s->start_mono_ms;
    m->wrote_seq = s->seq;
    m->node_uj = s->sums.idle_uj + s->sums.system_uj + s->sums.jobs_uj;
    for (int i = 0; i < s->meter->n; i++)
        m->total_uj[i] = s->meter->sources[i].counter.total_uj;
}

void metrics_tick(struct metrics *m, const struct sampler *s, int64_t took_us, uint64_t missed,
                  uint64_t acked)
{
    struct err e;
    int rc;

    _count_tick(m, took_us);
    m->missed += missed;
    /* behind a record only: totals and watts are of whole intervals */
    if (!m->path[0] || s->seq == m->wrote_seq ||
        (m->wrote_ms && s->start_mono_ms - m->wrote_ms < LEAST_MS))
        return;
    rc = metrics_format(m, s, acked) < 0
             ? err_set(&e, "%s would be larger than %u bytes", m->path, METRICS_MAX)
             : path_write_alone(m->path, m->text, m->used, 0644, 0, &e);
    if (rc < 0 && !m->failing)
        log_warn("metrics: %s", e.text);
    if (rc == 0 && m->failing)
        log_info("%s can be written again", m->path);
    m->failing = rc < 0;
    _remember(m, s);
}

void metrics_close(struct metrics *m)
{
    if (m->path[0])
        (void)unlink(m->path);
    free(m->text);
    memset(m, 0, sizeof(*m));
}
