/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot report --would-have: one page of at most 80 columns and 40 lines. It says what was
 * measured, what three allowances would have done, what would do more, and what to do next.
 */
#include "config.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "carnot/answer.h"
#include "carnot/client.h"
#include "carnot/show.h"
#include "carnot/what_if.h"

#define LABEL 27
#define COLUMN 17
#define TEXT_FROM 12 /* column in which the prose begins */
#define WIDTH 80

/* A paragraph below a word in the margin, broken between words. */
static void __attribute__((format(printf, 3, 4)))
_prose(struct cli *c, const char *margin, const char *fmt, ...)
{
    char text[1024];
    int column = TEXT_FROM;
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    fprintf(c->out, "%-*s", TEXT_FROM, margin);
    for (const char *p = text; *p;) {
        int n = (int)strcspn(p, " ");

        if (column > TEXT_FROM && column + 1 + n > WIDTH) {
            fprintf(c->out, "\n%*s", TEXT_FROM, "");
            column = TEXT_FROM;
        }
        column += fprintf(c->out, "%s%.*s", column > TEXT_FROM ? " " : "", n, p);
        p += n + (p[n] == ' ');
    }
    fputc('\n', c->out);
}

/* A cell at the right edge of its column; what is no ASCII takes one column for its bytes. */
static void _cell(struct cli *c, const char *text)
{
    int shown = 0;

    for (const char *p = text; *p; p++)
        shown += ((unsigned char)*p & 0xc0) != 0x80;
    fprintf(c->out, "%*s%s", COLUMN > shown ? COLUMN - shown : 1, "", text);
}

static char *_percent(char *buf, size_t size, double share)
{
    if (!isfinite(share))
        (void)snprintf(buf, size, "-");
    else
        (void)snprintf(buf, size, "%.*f %%", share < 0.1 ? 1 : 0, share * 100);
    return buf;
}

enum line { LINE_HEAD, LINE_SAVED, LINE_MEAN, LINE_P95, LINE_WAITED, LINE_N };

static void _line(struct cli *c, const struct would_have *w, enum line line)
{
    char text[64] = "-", part[24];

    switch (line) {
    case LINE_HEAD:
        (void)snprintf(text, sizeof(text), "at most %s",
                       what_if_allowance(part, sizeof(part), w->allowance_s));
        break;
    case LINE_SAVED:
        _percent(text, sizeof(text), w->share);
        if (isfinite(w->interval))
            (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s%.1f",
                           c->utf8 ? "\u00b1" : "+-", w->interval * 100);
        break;
    case LINE_MEAN:
        if (w->jobs)
            show_span(text, sizeof(text), (int64_t)(w->delay_mean_s + 0.5));
        break;
    case LINE_P95:
        if (w->jobs)
            show_span(text, sizeof(text), w->delay_p95_s);
        break;
    default:
        if (w->jobs)
            _percent(text, sizeof(text), (double)w->waited / (double)w->jobs);
        break;
    }
    _cell(c, text);
}

static void _print_table(struct cli *c, const struct what_if *p)
{
    static const char *const labels[LINE_N] = {"If jobs might have waited", "  CO2e saved",
                                               "  added wait, mean", "  added wait, 95th perc.",
                                               "  jobs that had waited"};

    for (int line = 0; line < LINE_N; line++) {
        fprintf(c->out, "%-*s", LABEL, labels[line]);
        for (size_t i = 0; i < p->n; i++)
            _line(c, &p->w[i], (enum line)line);
        fputc('\n', c->out);
    }
}

static void _print_head(struct cli *c, const struct what_if *p)
{
    char a[SHOW_SIZE], b[SHOW_SIZE];
    double whole = p->energy_j > 0 ? p->energy_j : 1;

    _prose(c, "Period", "%s to %s, cluster %s, zone %s: %zu jobs ended",
           show_clock(a, sizeof(a), p->r->since_s, c->now_s),
           show_clock(b, sizeof(b), p->r->until_s, c->now_s), answer_show(p->policy, "cluster"),
           answer_show(p->policy, "zone"), p->r->n);
    if (p->energy_j > 0)
        _prose(c, "Energy",
               "%s of jobs: %.0f %% measured, %.0f %% measured and shared out, %.0f %% modelled",
               show_energy(a, sizeof(a), p->energy_j),
               (whole - p->split_j - p->modelled_j) / whole * 100, p->split_j / whole * 100,
               p->modelled_j / whole * 100);
    if (p->unreported < p->r->n)
        _prose(c, "CO2e", "%s of what the nodes reported (location-based, feed %s, PUE %.2f in)",
               show_mass(a, sizeof(a), p->carbon_g), answer_show(p->policy, "feed"), p->terms.pue);
}

static void _print_how(struct cli *c, const struct what_if *p)
{
    const struct would_have *w = &p->w[0];
    char text[160] = "";

    _prose(
        c, "How",
        "Each job decided anew at the time it could have started: policy balanced, lambda %g g/h, "
        "gain from %g g, with the run times, energies and intensities that were. A forecast "
        "knows less. Capacity is ignored: on a full machine waiting moves less.",
        p->terms.lambda_g_per_h, p->terms.min_gain_g);
    if (w->exempt)
        (void)snprintf(text, sizeof(text), "%zu exempt jobs would not have waited. ", w->exempt);
    if (w->unknown)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
                       "%zu jobs are left out: no intensity or no run time known. ", w->unknown);
    if (w->days > 1)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
                       "%s: 95 %% interval over %zu days.", c->utf8 ? "\u00b1" : "+-", w->days);
    if (text[0])
        _prose(c, "", "%s", text);
}

static void _print_levers(struct cli *c, const struct what_if *p)
{
    const struct would_have *best = what_if_best(p);
    char energy[SHOW_SIZE];
    double idle = p->nodes_j > 0 ? p->idle_j / p->nodes_j : NAN;

    if (isfinite(idle))
        _prose(c, "Levers",
               "Idle nodes: %s, %.0f %% of all that the nodes drew since their first report.%s",
               show_energy(energy, sizeof(energy), p->idle_j), idle * 100,
               idle > best->share ? " Slurm's power saving (SuspendProgram) would win more than "
                                    "waiting."
                                  : "");
    else
        _prose(c, "Levers", "Idle nodes: not known, no node reports (carnotd).");
    if (p->unreported)
        _prose(c, "",
               "Not measured: %zu of %zu jobs, taken at full load by the watts in carnot.yaml.",
               p->unreported, p->r->n);
    else if (p->modelled_j > 0)
        _prose(c, "", "Not measured: %.0f %% of the jobs' energy, modelled from CPU use.",
               p->modelled_j / p->energy_j * 100);
}

static int _print(struct cli *c, const struct what_if *p)
{
    char text[512];

    _print_head(c, p);
    fputc('\n', c->out);
    _print_table(c, p);
    fputc('\n', c->out);
    _print_how(c, p);
    _print_levers(c, p);
    _prose(c, "Next step", "%s", what_if_next_step(p, text, sizeof(text)));
    return CLI_DONE;
}

static json_t *_real(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *_allowance_json(const struct would_have *w)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:I,s:I,s:o,s:o}", "allowance_s",
                     (json_int_t)w->allowance_s, "jobs", (json_int_t)w->jobs, "exempt",
                     (json_int_t)w->exempt, "left_out", (json_int_t)w->unknown, "carbon_if_asap_g",
                     _real(w->jobs ? w->once_g : NAN), "saved_g", _real(w->jobs ? w->saved_g : NAN),
                     "saved_share", _real(w->share), "interval", _real(w->interval), "days",
                     (json_int_t)w->days, "jobs_that_waited", (json_int_t)w->waited, "delay_mean_s",
                     _real(w->delay_mean_s), "delay_p95_s",
                     w->jobs ? json_integer(w->delay_p95_s) : json_null());
}

static int _machine(struct cli *c, const struct what_if *p, enum report_format format)
{
    json_t *rows = json_array(), *o;
    char text[512];
    int status;

    for (size_t i = 0; i < p->n; i++)
        json_array_append_new(rows, _allowance_json(&p->w[i]));
    if (format == REPORT_CSV) {
        status = report_csv(c, rows);
        json_decref(rows);
        return status;
    }
    client_strip(p->policy);
    o = json_pack("{s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:O,s:o,s:s}", "since_s",
                  (json_int_t)p->r->since_s, "until_s", (json_int_t)p->r->until_s, "jobs",
                  (json_int_t)p->r->n, "jobs_without_energy", (json_int_t)p->unreported, "energy_j",
                  _real(p->r->n ? p->energy_j : NAN), "split_j", _real(p->r->n ? p->split_j : NAN),
                  "modelled_j", _real(p->r->n ? p->modelled_j : NAN), "carbon_g",
                  _real(p->unreported < p->r->n ? p->carbon_g : NAN), "nodes_j", _real(p->nodes_j),
                  "idle_j", _real(p->idle_j), "policy", p->policy, "allowances", rows, "next_step",
                  what_if_next_step(p, text, sizeof(text)));
    status = cli_json(c, o);
    json_decref(o);
    return status;
}

int report_would_have(struct cli *c, const struct report *r, const int64_t *allowances, size_t n,
                      enum report_format format)
{
    struct what_if p;
    int status = CLI_FAILED;

    if (what_if_make(c, r, allowances, n, &p) == 0)
        status = format == REPORT_TABLE ? _print(c, &p) : _machine(c, &p, format);
    what_if_fini(&p);
    return status;
}
