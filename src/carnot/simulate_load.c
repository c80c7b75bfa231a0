/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "carnot/simulate_load.h"
#include "common/path.h"
#include "common/span.h"
#include "simulate/trace.h"

#define WEEK_S (7 * 86400)
#define YEAR_WEEKS 52
/* Behind the last submission; what runs longer finds the last value. */
#define BEHIND_S (120 * 86400)
#define MODEL_BYTES_MAX 65536
#define MODEL_W_MAX 1e9

int64_t simulate_step_s(const struct simulation *s)
{
    return (int64_t)(YEAR_WEEKS / s->weeks) * WEEK_S;
}

int64_t simulate_shift_s(const struct simulation *s, const struct simulated *d, unsigned start)
{
    int64_t from_s = s->has_start ? s->start_s : d->trace.points[0].t_s;

    return from_s + start * simulate_step_s(s) - d->w.jobs[0].submit_s;
}

/* Jobs that the trace does not cover once cannot be placed by it. */
static void _leave_out(struct simulated *d)
{
    int64_t length_s = d->trace.end_s - d->trace.points[0].t_s;
    size_t kept = 0;

    for (size_t i = 0; i < d->w.n; i++) {
        if (d->w.jobs[i].run_s <= length_s)
            d->w.jobs[kept++] = d->w.jobs[i];
    }
    d->too_long = d->w.n - kept;
    d->w.n = kept;
}

/* Points of the trace in [from_s, to_s), shifted. */
static void _copy(struct series *out, struct series_point *points, const struct feed *f,
                  int64_t from_s, int64_t to_s, int64_t shift_s)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->points[i].t_s >= from_s && f->points[i].t_s < to_s)
            points[out->n++] =
                (struct series_point){f->points[i].t_s + shift_s, f->points[i].g_per_kwh, 0};
}

static int _repeat(const struct simulation *s, struct simulated *d, struct err *e)
{
    const struct feed *f = &d->trace;
    int64_t t0_s = f->points[0].t_s, length_s = f->end_s - t0_s;
    int64_t by_s = length_s > WEEK_S ? length_s - length_s % WEEK_S : length_s;
    int64_t from_s = d->w.jobs[0].submit_s + simulate_shift_s(s, d, 0) - WEEK_S;
    int64_t to_s = d->w.jobs[d->w.n - 1].submit_s + simulate_shift_s(s, d, s->weeks - 1) + BEHIND_S;
    int64_t before = from_s < t0_s ? (t0_s - from_s + by_s - 1) / by_s : 0;
    int64_t behind = to_s > f->end_s ? (to_s - f->end_s + by_s - 1) / by_s : 0;
    struct series_point *points;

    if ((uint64_t)(before + behind + 1) * f->n > 50u * SERIES_POINTS_MAX)
        return err_set(e, "%s: %s lies too far from the trace", s->carbon_path,
                       s->has_start ? "--start" : "the workload");
    points = malloc((size_t)(before + behind + 1) * f->n * sizeof(*points));
    if (!points)
        return err_errno(e, "%s", s->carbon_path);
    d->truth.points = points;
    for (int64_t k = before; k > 0; k--)
        _copy(&d->truth, points, f, t0_s, t0_s + by_s, -k * by_s);
    _copy(&d->truth, points, f, t0_s, f->end_s, 0);
    for (int64_t k = 1; k <= behind; k++)
        _copy(&d->truth, points, f, f->end_s - by_s, f->end_s, k * by_s);
    series_sum(points, d->truth.n);
    d->truth.end_s = f->end_s + behind * by_s;
    return 0;
}

/* FILE or FILE:NAME, the row whose first field is NAME, else the first. */
static int _model(struct simulation *s, struct err *e)
{
    char path[4096], *name, *text = NULL;
    struct span rest, line, field;
    long idle = -1, most = -1, row = 0;
    double idle_w = -1, most_w = -1;
    size_t size;

    if (strlen(s->model_path) >= sizeof(path))
        return err_set(e, "--power-model: too long a name");
    strcpy(path, s->model_path);
    name = access(path, R_OK) == 0 ? NULL : strrchr(path, ':');
    if (name)
        *name++ = '\0';
    if (path_read(path, MODEL_BYTES_MAX, &text, &size, e) < 0)
        return -1;
    rest = (struct span){text, size};
    for (; idle_w < 0 && span_cut(&rest, '\n', &line); row++) {
        long column = 0;
        int wanted = !name;
        double a = -1, b = -1;

        for (; span_cut(&line, ',', &field); column++) {
            if (row == 0) {
                idle = span_equals(field, "node_idle_w") ? column : idle;
                most = span_equals(field, "node_max_w") ? column : most;
            } else {
                wanted |= column == 0 && span_equals(field, name ? name : "");
                if ((column == idle && span_number(field, &a) < 0) ||
                    (column == most && span_number(field, &b) < 0))
                    wanted = 0;
            }
        }
        if (row > 0 && wanted) {
            idle_w = a;
            most_w = b;
        }
    }
    free(text);
    if (idle < 0 || most < 0)
        return err_set(e, "%s: the first line has to name node_idle_w and node_max_w", path);
    if (idle_w < 0 || !(most_w > idle_w && most_w <= MODEL_W_MAX))
        return err_set(e, "%s: no row %s with node_idle_w and a larger node_max_w", path,
                       name ? name : "");
    s->power.node_idle_w = idle_w;
    s->core_mw = (uint64_t)(1000 * (most_w - idle_w) / s->power.cores_per_node);
    return 0;
}

int simulate_load(struct simulation *s, struct simulated *d, struct err *e)
{
    if (s->model_path && s->unbounded)
        return err_set(e, "--power-model counts nodes: use --nodes and --cores-per-node");
    if (s->model_path && _model(s, e) < 0)
        return -1;
    s->set.ug_per_area = (double)s->core_mw / 1000 / 3.6; /* W, and 3.6e6 W x s in a kWh */
    if (workload_load(&d->w, s->workload_path, s->unit_s, e) < 0 ||
        trace_load(&d->trace, s->carbon_path, s->zone, s->column, e) < 0)
        return -1;
    _leave_out(d);
    if (d->w.n == 0)
        return err_set(e, "%s: no job that ran", s->workload_path);
    if (!d->w.has_limits && s->set.lengths != LENGTHS_EXACT) {
        lengths_draw_limits(&d->w, s->set.seed);
        d->drawn_limits = 1;
    }
    d->policies[d->n_policies++] = SIM_ASAP;
    for (size_t i = 0; i < s->n_policies; i++)
        if (s->policies[i] != SIM_ASAP)
            d->policies[d->n_policies++] = s->policies[i];
    return _repeat(s, d, e);
}

void simulate_unload(struct simulated *d)
{
    workload_fini(&d->w);
    feed_fini(&d->trace);
    free((void *)(uintptr_t)d->truth.points);
    d->truth = (struct series){0};
}
