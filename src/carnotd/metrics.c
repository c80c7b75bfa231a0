/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When metrics are made, and where they go.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "carnotd/metrics.h"
#include "common/log.h"
#include "common/path.h"

#define LEAST_MS 1000
#define PREFIX "textfile:"

static int _open_file(struct metrics *m, const char *setting, const char *node, struct err *e)
{
    char dir[SETTINGS_PATH_MAX];

    if (!setting[0])
        return 0;
    if (strncmp(setting, PREFIX, strlen(PREFIX)) != 0 ||
        settings_expand(dir, sizeof(dir), setting + strlen(PREFIX), node) < 0 ||
        path_format(m->path, sizeof(m->path), "%s/" METRICS_NAME, dir) < 0)
        return err_set(e, "node.metrics: %s is no place for metrics", setting);
    return 0;
}

/* Energy is counted, whether or not anybody can ask for it. */
static int _open_http(struct metrics *m, const char *setting, struct err *e)
{
    struct metrics_http_address address;

    if (!setting[0])
        return 0;
    if (metrics_http_parse(&address, setting, e) < 0)
        return -1;
    m->http = metrics_http_open(&address, e);
    if (m->http)
        log_info("metrics: http://%s/metrics", address.text);
    else
        log_err("%s: going on without metrics over HTTP", e->text);
    return 0;
}

int metrics_open(struct metrics *m, const struct settings *s, const char *node, struct err *e)
{
    memset(m, 0, sizeof(*m));
    m->jobs = s->node.metrics_jobs;
    if (_open_file(m, s->node.metrics, node, e) < 0 || _open_http(m, s->node.metrics_http, e) < 0)
        return -1;
    if (!m->path[0] && !m->http)
        return 0;
    m->text = malloc(METRICS_MAX);
    if (m->text)
        return 0;
    (void)err_errno(e, "no memory for metrics");
    metrics_close(m);
    return -1;
}

const int64_t metrics_steps_us[METRICS_STEPS] = {100,  200,   500,    1000,   2000,
                                                 5000, 10000, 100000, 1000000};

static void _count_tick(struct metrics *m, int64_t took_us)
{
    int i = 0;

    while (i < METRICS_STEPS && took_us > metrics_steps_us[i])
        i++;
    m->took[i]++;
    m->tick_us += took_us > 0 ? (uint64_t)took_us : 0;
}

static void _remember(struct metrics *m, const struct sampler *s)
{
    m->wrote_ms = s->start_mono_ms;
    m->wrote_seq = s->seq;
    m->node_uj = s->sums.idle_uj + s->sums.system_uj + s->sums.jobs_uj;
    for (int i = 0; i < s->meter->n; i++)
        m->total_uj[i] = s->meter->sources[i].counter.total_uj;
}

static int _write_file(struct metrics *m, const struct sampler *s, uint64_t acked, struct err *e)
{
    if (metrics_format(m, s, acked, false) < 0)
        return err_set(e, "%s would be larger than %u bytes", m->path, METRICS_MAX);
    return path_write_alone(m->path, m->text, m->used, 0644, 0, e);
}

static void _renew_file(struct metrics *m, const struct sampler *s, uint64_t acked)
{
    struct err e;
    int rc = _write_file(m, s, acked, &e);

    if (rc < 0 && !m->failing)
        log_warn("metrics: %s", e.text);
    if (rc == 0 && m->failing)
        log_info("%s can be written again", m->path);
    m->failing = rc < 0;
}

static void _publish(struct metrics *m, const struct sampler *s, uint64_t acked)
{
    for (int openmetrics = 0; openmetrics < 2; openmetrics++) {
        if (metrics_format(m, s, acked, openmetrics) < 0)
            m->used = 0; /* none is better than a part */
        metrics_http_publish(m->http, openmetrics, m->text, m->used);
    }
}

void metrics_tick(struct metrics *m, const struct sampler *s, int64_t took_us, uint64_t missed,
                  uint64_t acked)
{
    bool due;

    _count_tick(m, took_us);
    m->missed += missed;
    /* behind a record only: totals and watts are of whole intervals */
    due = m->text && s->seq != m->wrote_seq &&
          (!m->wrote_ms || s->start_mono_ms - m->wrote_ms >= LEAST_MS);
    if (due && m->path[0])
        _renew_file(m, s, acked);
    if (due && m->http)
        _publish(m, s, acked);
    if (due)
        _remember(m, s);
}

void metrics_close(struct metrics *m)
{
    if (m->path[0])
        (void)unlink(m->path);
    metrics_http_close(m->http);
    free(m->text);
    memset(m, 0, sizeof(*m));
}
