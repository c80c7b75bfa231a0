/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running the simulations of `carnot simulate`, and its table and JSON.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "carnot/simulate_report.h"
#include "carnot/simulate_load.h"
#include "common/text.h"
#include "common/when.h"

#define DOUBLE(key, label, field, scale, flags)                                                    \
    {                                                                                              \
        key, label, offsetof(struct summary, field), 0, scale, flags                               \
    }
#define COUNT(key, label, field, flags)                                                            \
    {                                                                                              \
        key, label, offsetof(struct summary, field), 1, 1, flags                                   \
    }
const struct figure simulate_figures[] = {
    DOUBLE("saving_percent", "SAVED%", saving, 100, 0),
    DOUBLE("of_bound_percent", "OFBOUND%", of_bound, 100, 0),
    DOUBLE("site_saving_percent", "SITE%", site_saving, 100, 0),
    DOUBLE("site_saving_asleep_percent", "ASLEEP%", asleep_saving, 100, TABLE_HIDDEN),
    DOUBLE("added_wait_h", "ADDED-h", added_h, 1, 0),
    DOUBLE("added_wait_p95_h", "P95-h", added_p95_h, 1, 0),
    DOUBLE("added_wait_by_core_hours_h", "BYCORE-h", added_core_h, 1, 0),
    DOUBLE("wait_h", "WAIT-h", wait_h, 1, 0),
    DOUBLE("bounded_slowdown", "SLOWDOWN", slowdown, 1, 0),
    COUNT("late_jobs", "LATE", late, 0),
    DOUBLE("utilisation_percent", "UTIL%", utilisation, 100, 0),
    COUNT("moves", "MOVES", moves, 0),
    COUNT("pauses", "PAUSES", pauses, 0),
    DOUBLE("g_saved_per_hour_of_wait", "g/h", g_per_hour, 1, 0),
    DOUBLE("unfairness", "UNFAIR", unfairness, 1, 0),
    DOUBLE("emitted_g", "g", g, 1, TABLE_HIDDEN),
    DOUBLE("bound_g", "BOUND-g", bound_g, 1, TABLE_HIDDEN),
    DOUBLE("makespan_h", "MAKESPAN-h", makespan_h, 1, TABLE_HIDDEN),
    DOUBLE("core_hours", "CORE-h", core_h, 1, TABLE_HIDDEN),
    COUNT("jobs", "JOBS", jobs, TABLE_HIDDEN),
    {NULL, NULL, 0, 0, 0, 0},
};

static double _value(const struct summary *u, const struct figure *f)
{
    const char *at = (const char *)u + f->offset;

    return f->scale * (f->is_count ? (double)*(const size_t *)at : *(const double *)at);
}

double simulate_mean(const struct simulation *s, const struct simulated *d, size_t policy,
                     const struct figure *f, double *half)
{
    /* Student's t, 97.5 %, for 1 to 30 degrees of freedom; beyond, the normal distribution's. */
    static const double t[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                               2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                               2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
                               2.060,  2.056, 2.052, 2.048, 2.045, 2.042};
    double sum = 0, squares = 0, mean;
    unsigned n = s->weeks;

    for (unsigned k = 0; k < n; k++)
        sum += _value(&d->summaries[policy * n + k], f);
    mean = sum / n;
    for (unsigned k = 0; k < n; k++) {
        double off = _value(&d->summaries[policy * n + k], f) - mean;
        squares += off * off;
    }
    *half = n < 2 ? NAN : (n - 1 <= 30 ? t[n - 2] : 1.96) * sqrt(squares / (n - 1) / n);
    return mean;
}

/* ---- progress, on a terminal */

struct progress {
    struct cli *c;
    size_t done, all; /* simulations */
    int shown;
    time_t last;
};

static void _progress(void *arg, double done)
{
    struct progress *p = arg;
    time_t now = time(NULL);

    if (now == p->last || !isatty(fileno(p->c->errs)))
        return;
    p->last = now;
    p->shown = 1;
    fprintf(p->c->errs, "\rsimulation %zu of %zu, %3.0f %%", p->done + 1, p->all, 100 * done);
    fflush(p->c->errs);
}

static void _progress_end(const struct progress *p)
{
    if (p->shown)
        fputs("\r\033[K", p->c->errs);
}

/* ---- the simulations */

/* One start: asap first, then each policy against it. runs: results to keep, or NULL. */
static int _start(const struct simulation *s, struct simulated *d, unsigned week,
                  struct sim_result *runs, struct progress *p, struct err *e)
{
    struct sim_settings set = s->set;
    struct sim_result asap = {0}, r = {0};
    unsigned char *counted = calloc(d->w.n + 1, 1);
    double bound_ug = NAN;
    int rc = counted ? 0 : err_set(e, "no memory");

    set.shift_s = simulate_shift_s(s, d, week);
    set.policy = SIM_ASAP;
    set.requeueable = 0;
    if (rc == 0)
        rc = sim_run(&d->w, &d->truth, &set, &asap, _progress, p, e);
    if (rc == 0) {
        p->done++;
        summary_counted(&d->w, &asap, counted);
        if (s->unbounded || s->bound_steps)
            rc = bound_find(&d->w, &d->truth, &set, &asap, counted, s->bound_steps, &bound_ug, e);
    }
    for (size_t i = 0; rc == 0 && i < d->n_policies; i++) {
        set.policy = d->policies[i];
        set.requeueable = policy_of_carnot(set.policy) ? s->set.requeueable : 0;
        if (i > 0)
            rc = sim_run(&d->w, &d->truth, &set, &r, _progress, p, e);
        if (rc == 0)
            rc = summary_make(&d->summaries[i * s->weeks + week], &d->w, &d->truth, &set, &asap,
                              i ? &r : &asap, counted, bound_ug, &s->power);
        p->done += i > 0;
        if (runs && i > 0)
            runs[i] = r; /* moved */
        else
            sim_result_fini(&r);
        r = (struct sim_result){0};
    }
    if (runs && rc == 0)
        runs[0] = asap;
    else
        sim_result_fini(&asap);
    free(counted);
    return rc;
}

/* ---- what is printed */

static const char *_machine(const struct simulation *s, char *buf, size_t size)
{
    if (s->unbounded)
        return "a machine without limits";
    snprintf(buf, size, "%" PRIu64 " nodes with %" PRIu32 " cores", s->nodes,
             s->power.cores_per_node);
    return buf;
}

static const char *_starts(const struct simulation *s, const struct simulated *d, char *buf,
                           size_t size)
{
    char text[32];

    when_format_rfc3339(text, sizeof(text), d->w.jobs[0].submit_s + simulate_shift_s(s, d, 0));
    if (s->weeks == 1)
        snprintf(buf, size, "from %s", text);
    else
        snprintf(buf, size, "%u starts from %s, %" PRId64 " weeks apart", s->weeks, text,
                 simulate_step_s(s) / (7 * 86400));
    return buf;
}

static void _head(struct cli *c, const struct simulation *s, const struct simulated *d)
{
    char machine[80], starts[120];

    fprintf(c->out, "%s: %zu jobs (%zu left out), %.0f core-hours counted, on %s\n",
            s->workload_path, d->w.n, d->w.dropped + d->too_long, d->summaries[0].core_h,
            _machine(s, machine, sizeof(machine)));
    fprintf(c->out, "%s, zone %s: %s\n", s->carbon_path, s->zone,
            _starts(s, d, starts, sizeof(starts)));
    fprintf(c->out, "forecast %s, lengths %s%s, requeueable %g, overbook %g, %g W a core%s\n",
            outlook_name(s->set.forecast), lengths_name(s->set.lengths),
            d->drawn_limits ? " (limits drawn, the workload has none)" : "", s->set.requeueable,
            s->set.overbook, (double)s->core_mw / 1000,
            s->weeks > 1 ? "; +- is half of the 95 % interval" : "");
    if (d->summaries[0].jobs == 0)
        fputs("No job is left to be counted.\n", c->out);
}

/* The policy, each figure, and behind the first one its interval. */
static const struct table_column *_columns(void)
{
    static struct table_column columns[sizeof(simulate_figures) / sizeof(simulate_figures[0]) + 2];
    size_t n = 0;

    columns[n++] = (struct table_column){"POLICY", 0, 0};
    for (const struct figure *f = simulate_figures; f->key; f++) {
        columns[n++] = (struct table_column){f->label, 0, TABLE_RIGHT | f->flags};
        if (f == simulate_figures)
            columns[n++] = (struct table_column){"+-", 0, TABLE_RIGHT};
    }
    columns[n] = (struct table_column){NULL, 0, 0};
    return columns;
}

static int _table(struct cli *c, const struct simulation *s, const struct simulated *d)
{
    table_t *t = table_create(_columns());
    struct err e = {""};
    int rc;

    if (!t)
        return cli_fail(c, CLI_FAILED, "no memory");
    for (size_t i = 0; i < d->n_policies; i++) {
        table_text(t, policy_name(d->policies[i]));
        for (const struct figure *f = simulate_figures; f->key; f++) {
            double half, mean = simulate_mean(s, d, i, f, &half);

            if (f->is_count)
                table_count(t, (int64_t)llround(mean));
            else
                table_number(t, mean);
            if (f == simulate_figures)
                table_number(t, half);
        }
    }
    rc = table_print(t, &s->style, c->out, &e);
    table_destroy(t);
    return rc < 0 ? cli_fail(c, CLI_USAGE, "simulate: %s", e.text) : CLI_DONE;
}

/* Are there columns of these names? Asked before hours of simulation, of a table without rows. */
static int _columns_are(const struct simulation *s, FILE *f, struct err *e)
{
    struct table_style style = s->style;
    table_t *t = table_create(_columns());
    int rc;

    if (!t)
        return err_set(e, "no memory");
    style.no_header = 1;
    rc = table_print(t, &style, f, e);
    table_destroy(t);
    return rc;
}

static json_t *_real(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static int _json(struct cli *c, const struct simulation *s, const struct simulated *d)
{
    char text[32], workload[4096], carbon[4096], zone[256];
    json_t *policies = json_array(), *root;

    for (size_t i = 0; i < d->n_policies; i++) {
        json_t *o = json_pack("{s:s}", "policy", policy_name(d->policies[i]));

        for (const struct figure *f = simulate_figures; f->key; f++) {
            double half, mean = simulate_mean(s, d, i, f, &half);

            json_object_set_new(
                o, f->key,
                s->weeks > 1 ? json_pack("{s:o,s:o}", "mean", _real(mean), "half95", _real(half))
                             : _real(mean));
        }
        json_array_append_new(policies, o);
    }
    when_format_rfc3339(text, sizeof(text), d->w.jobs[0].submit_s + simulate_shift_s(s, d, 0));
    root =
        json_pack("{s:s,s:I,s:I,s:s,s:s,s:s,s:i,s:I,s:s,s:s,s:f,s:f,s:f,s:b,s:I,s:o}", "workload",
                  text_copy(workload, sizeof(workload), s->workload_path), "jobs",
                  (json_int_t)d->w.n, "left_out", (json_int_t)(d->w.dropped + d->too_long),
                  "carbon", text_copy(carbon, sizeof(carbon), s->carbon_path), "zone",
                  text_copy(zone, sizeof(zone), s->zone), "start", text, "starts", (int)s->weeks,
                  "cores", (json_int_t)s->set.cores, "forecast", outlook_name(s->set.forecast),
                  "lengths", lengths_name(s->set.lengths), "requeueable", s->set.requeueable,
                  "overbook", s->set.overbook, "core_w", (double)s->core_mw / 1000, "limits_drawn",
                  d->drawn_limits, "seed", (json_int_t)s->set.seed, "policies", policies);
    if (!root)
        return cli_fail(c, CLI_FAILED, "no memory");
    cli_json(c, root);
    json_decref(root);
    return CLI_DONE;
}

static int _print(struct cli *c, const struct simulation *s, const struct simulated *d)
{
    if (c->json)
        return _json(c, s, d);
    if (!s->style.parsable && !s->style.no_header)
        _head(c, s, d);
    return _table(c, s, d);
}

/* ---- the schedule */

static int _schedule(const struct simulation *s, const struct simulated *d,
                     const struct sim_result *runs, struct err *e)
{
    FILE *f = fopen(s->schedule_path, "w");
    char submit[32], start[32], end[32];
    int bad;

    if (!f)
        return err_errno(e, "%s", s->schedule_path);
    fputs("job,submit,start,end,cores,joules,grams,policy\n", f);
    for (size_t i = 0; i < d->n_policies; i++) {
        for (size_t k = 0; k < runs[i].n_pieces; k++) {
            const struct sim_piece *p = &runs[i].pieces[k];
            const struct sim_job *j = &d->w.jobs[p->job];
            double watts = (double)s->core_mw / 1000 * j->cores;
            double area = series_area(&d->truth, p->start_s, p->end_s, NULL, NULL);

            fprintf(f, "%" PRIu64 ",%s,%s,%s,%" PRIu32 ",%.10g,%.13g,%s\n", j->id,
                    when_format_rfc3339(submit, sizeof(submit),
                                        j->submit_s + simulate_shift_s(s, d, 0)),
                    when_format_rfc3339(start, sizeof(start), p->start_s),
                    when_format_rfc3339(end, sizeof(end), p->end_s), j->cores,
                    watts * (double)(p->end_s - p->start_s), area * watts / 3.6e6,
                    policy_name(d->policies[i]));
        }
    }
    bad = ferror(f);
    if (fclose(f) != 0 || bad)
        return err_errno(e, "%s", s->schedule_path);
    return 0;
}

static int _simulate(struct cli *c, struct simulation *s, struct simulated *d,
                     struct sim_result *runs, struct err *e)
{
    struct progress p = {.c = c, .all = s->weeks * d->n_policies};
    int keep = s->schedule_path || s->html_path, rc = 0;

    d->summaries = calloc(d->n_policies * s->weeks, sizeof(*d->summaries));
    if (!d->summaries)
        return err_set(e, "no memory");
    for (unsigned k = 0; rc == 0 && k < s->weeks; k++)
        rc = _start(s, d, k, keep && k == 0 ? runs : NULL, &p, e);
    _progress_end(&p);
    if (rc == 0 && s->schedule_path)
        rc = _schedule(s, d, runs, e);
    if (rc == 0 && s->html_path)
        rc = simulate_page(s, d, runs, e);
    return rc;
}

int simulate_report(struct cli *c, struct simulation *s)
{
    struct sim_result runs[SIM_POLICY_N + 1] = {0};
    struct simulated d = {0};
    struct err e = {""};
    int status;

    if (_columns_are(s, c->out, &e) < 0)
        return cli_fail(c, CLI_USAGE, "simulate: %s", e.text);
    if (simulate_load(s, &d, &e) < 0 || _simulate(c, s, &d, runs, &e) < 0)
        status = cli_fail(c, CLI_FAILED, "simulate: %s", e.text);
    else
        status = _print(c, s, &d);
    for (size_t i = 0; i <= SIM_POLICY_N; i++)
        sim_result_fini(&runs[i]);
    free(d.summaries);
    simulate_unload(&d);
    return status;
}
