/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers to text, in the two formats that are read: Prometheus' 0.0.4, in which counters are
 * named with their _total in HELP and TYPE as well, and OpenMetrics 1.0, in which they are not,
 * there are units and infos, and an end. No floating point but in constants: no locale, no
 * surprise.
 */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "carnotd/metrics.h"

#define UJ_PER_JOULE UINT64_C(1000000)

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

/* The unit that a family's name ends with, NULL without one. */
static const char *_unit(const char *family, size_t n)
{
    static const char *const units[] = {"bytes", "joules", "seconds", "watts"};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t length = strlen(units[i]);

        if (n > length && family[n - length - 1] == '_' &&
            strncmp(family + n - length, units[i], length) == 0)
            return units[i];
    }
    return NULL;
}

/* What OpenMetrics calls the family of these series: counters and infos without their endings. */
static size_t _family_length(const char *name, const char *type)
{
    const char *ending = strcmp(type, "counter") == 0 ? "_total"
                         : strcmp(type, "info") == 0  ? "_info"
                                                      : "";

    return strlen(name) - strlen(ending);
}

/* type is OpenMetrics'; its infos are gauges to the older format. */
static void _head(struct metrics *m, const char *name, const char *type, const char *help)
{
    int n = (int)(m->openmetrics ? _family_length(name, type) : strlen(name));
    const char *unit = m->openmetrics ? _unit(name, (size_t)n) : NULL;

    if (!m->openmetrics && strcmp(type, "info") == 0)
        type = "gauge";
    _put(m, "# HELP %.*s %s\n# TYPE %.*s %s\n", n, name, help, n, name, type);
    if (unit)
        _put(m, "# UNIT %.*s %s\n", n, name, unit);
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
        _head(m, "carnot_node_watts", "gauge", "Mean power of the node over the last record.");
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
    _head(m, "carnot_source_watts", "gauge", "Mean power of the source over the last record.");
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

    _head(m, "carnot_source_info", "info", "The sources of the node, what they cover, how good.");
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

static void _put_ticks(struct metrics *m)
{
    uint64_t so_far = 0;

    _head(m, "carnotd_tick_seconds", "histogram",
          "Samples since carnotd started, by their time, records and state written included.");
    for (int i = 0; i < METRICS_STEPS; i++) {
        so_far += m->took[i];
        _put(m, "carnotd_tick_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
             (double)metrics_steps_us[i] / 1e6, so_far);
    }
    so_far += m->took[METRICS_STEPS];
    _put(m, "carnotd_tick_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n", so_far);
    _put(m, "carnotd_tick_seconds_sum %" PRIu64 ".%06" PRIu64 "\n", m->tick_us / 1000000,
         m->tick_us % 1000000);
    _put(m, "carnotd_tick_seconds_count %" PRIu64 "\n", so_far);
}

static void _put_daemon(struct metrics *m, const struct sampler *s, uint64_t acked)
{
    _head(m, "carnotd_info", "info", "The running carnotd.");
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

/* Nothing where no cap is ever set: no data is no line. */
static void _put_caps(struct metrics *m)
{
    const struct caps *caps = m->caps;

    if (!caps || !caps->socket[0])
        return;
    _one(m, "carnotd_cap_limits", "gauge", caps->limits, "Limits that are lowered for a job now.");
    _one(m, "carnotd_cap_restore_failing", "gauge", caps->failing,
         "1 while limits cannot be put back.");
    _head(m, "carnotd_caps_total", "counter",
          "What became of power caps since carnotd started, by the log's words for it.");
    for (int r = CAP_WAS_SET; r < CAP_N_RESULTS; r++)
        _put(m, "carnotd_caps_total{result=\"%s\"} %" PRIu64 "\n",
             cap_result_name((enum cap_result)r), caps->counts[r]);
}

/* Jobs that have a record: whole joules of whole intervals, as all else here. */
static void _put_jobs(struct metrics *m, const struct sampler *s)
{
    _head(m, "carnot_job_joules_total", "counter",
          "Energy of a running job on this node, since carnotd started or knows of it.");
    for (int i = 0; i < s->jobs.n; i++) {
        const struct job *job = &s->jobs.v[i];

        if (job->phase != JOB_STARTING)
            _put(m, "carnot_job_joules_total{jobid=\"%" PRIu32 "\"} %" PRIu64 "\n", job->id,
                 job->total_uj / UJ_PER_JOULE);
    }
}

int metrics_format(struct metrics *m, const struct sampler *s, uint64_t acked, bool openmetrics)
{
    int64_t dt_ms = m->wrote_ms ? s->start_mono_ms - m->wrote_ms : 0;

    m->used = 0;
    m->openmetrics = openmetrics;
    _put_node(m, s, dt_ms);
    _put_sources(m, s, dt_ms);
    if (m->jobs)
        _put_jobs(m, s);
    _put_caps(m);
    _put_daemon(m, s, acked);
    if (openmetrics)
        _put(m, "# EOF\n");
    return m->used < METRICS_MAX - 1 ? 0 : -1;
}
