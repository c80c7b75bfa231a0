/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page of `carnot simulate --html`: one file, nothing loaded from elsewhere, figures also as a
 * table for those who cannot see plots.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "carnot/simulate_load.h"
#include "common/when.h"

#define WIDTH 960
#define HEIGHT 220
#define BINS 240

static const char *const colours[] = {"#6b7280", "#0f766e", "#b45309", "#7c3aed", "#be123c",
                                      "#1d4ed8", "#4d7c0f", "#9d174d", "#0e7490"};
#define N_COLOURS (sizeof(colours) / sizeof(colours[0]))

static void _text(FILE *f, const char *s)
{
    for (; *s; s++) {
        if (*s == '<' || *s == '>' || *s == '&' || *s == '"')
            fprintf(f, "&#%d;", *s);
        else
            fputc(*s, f);
    }
}

/* ---- load and intensity over time */

struct span_of_time {
    int64_t from_s, to_s;
};

static struct span_of_time _span(const struct simulated *d, const struct sim_result *runs)
{
    struct span_of_time t = {INT64_MAX, INT64_MIN};

    for (size_t i = 0; i < d->n_policies; i++) {
        for (size_t k = 0; k < runs[i].n_pieces; k++) {
            const struct sim_piece *p = &runs[i].pieces[k];
            t.from_s = p->start_s < t.from_s ? p->start_s : t.from_s;
            t.to_s = p->end_s > t.to_s ? p->end_s : t.to_s;
        }
    }
    return t;
}

/* Mean cores in use in each bin. */
static void _load(const struct simulated *d, const struct sim_result *r, struct span_of_time t,
                  double load[BINS])
{
    double bin_s = (double)(t.to_s - t.from_s) / BINS;

    memset(load, 0, BINS * sizeof(*load));
    for (size_t k = 0; k < r->n_pieces; k++) {
        const struct sim_piece *p = &r->pieces[k];
        double a = (double)(p->start_s - t.from_s) / bin_s,
               b = (double)(p->end_s - t.from_s) / bin_s;

        for (int i = (int)a; i < BINS && i < b; i++)
            load[i] += d->w.jobs[p->job].cores * (fmin(b, i + 1) - fmax(a, i));
    }
}

static void _line(FILE *f, const double *y, double most, const char *colour)
{
    fprintf(f, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" points=\"", colour);
    for (int i = 0; i < BINS; i++)
        fprintf(f, "%.1f,%.1f ", (i + 0.5) * WIDTH / BINS, HEIGHT * (1 - y[i] / most));
    fputs("\"/>\n", f);
}

static void _over_time(FILE *f, const struct simulated *d, const struct sim_result *runs)
{
    struct span_of_time t = _span(d, runs);
    double y[BINS], most = 1, dirtiest = 1;
    char from[32], to[32];

    if (t.to_s <= t.from_s)
        return;
    fprintf(f,
            "<h2>Carbon intensity and cores in use</h2>\n"
            "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"intensity\">\n",
            WIDTH, HEIGHT);
    for (int i = 0; i < BINS; i++) {
        double bin_s = (double)(t.to_s - t.from_s) / BINS;
        y[i] = series_mean(&d->truth, t.from_s + (int64_t)(i * bin_s),
                           t.from_s + (int64_t)((i + 1) * bin_s));
        dirtiest = fmax(dirtiest, y[i]);
    }
    _line(f, y, dirtiest, "#374151");
    fprintf(f, "<text x=\"4\" y=\"14\">%.0f g/kWh</text></svg>\n", dirtiest);
    for (size_t i = 0; i < d->n_policies; i++) {
        _load(d, &runs[i], t, y);
        for (int k = 0; k < BINS; k++)
            most = fmax(most, y[k]);
    }
    fprintf(f, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"cores in use\">\n", WIDTH,
            HEIGHT);
    for (size_t i = 0; i < d->n_policies; i++) {
        _load(d, &runs[i], t, y);
        _line(f, y, most, colours[i % N_COLOURS]);
    }
    fprintf(f, "<text x=\"4\" y=\"14\">%.0f cores</text></svg>\n<p>%s to %s</p>\n<p>", most,
            when_format_rfc3339(from, sizeof(from), t.from_s),
            when_format_rfc3339(to, sizeof(to), t.to_s));
    for (size_t i = 0; i < d->n_policies; i++)
        fprintf(f, "<span style=\"color:%s\">&#9632; %s</span> ", colours[i % N_COLOURS],
                policy_name(d->policies[i]));
    fputs("</p>\n", f);
}

/* ---- saving against wait */

static const struct figure *_figure(const char *key)
{
    const struct figure *f = simulate_figures;

    while (f->key && strcmp(f->key, key) != 0)
        f++;
    return f;
}

static void _trade(FILE *f, const struct simulation *s, const struct simulated *d)
{
    const struct figure *saving = _figure("saving_percent"), *wait = _figure("added_wait_h");
    double half, most_x = 0.1, most_y = 1;

    for (size_t i = 0; i < d->n_policies; i++) {
        most_x = fmax(most_x, 1.15 * simulate_mean(s, d, i, wait, &half));
        most_y = fmax(most_y, 1.15 * simulate_mean(s, d, i, saving, &half));
    }
    fprintf(f,
            "<h2>Saving against wait</h2>\n<svg viewBox=\"-4 0 %d %d\" role=\"img\" "
            "aria-label=\"saving against wait\">\n",
            WIDTH + 4, HEIGHT + 20);
    fprintf(f, "<path d=\"M0 0V%dH%d\" stroke=\"#9ca3af\" fill=\"none\"/>\n", HEIGHT, WIDTH);
    for (size_t i = 0; i < d->n_policies; i++) {
        double x = fmax(simulate_mean(s, d, i, wait, &half), 0);
        double y = fmax(simulate_mean(s, d, i, saving, &half), 0);
        double px = x / most_x * WIDTH, py = HEIGHT * (1 - y / most_y);

        fprintf(f,
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" fill=\"%s\"/>"
                "<text x=\"%.1f\" y=\"%.1f\">%s %.2f %%, %.2f h</text>\n",
                px, py, colours[i % N_COLOURS], px > 0.7 * WIDTH ? px - 240 : px + 9, py + 4,
                policy_name(d->policies[i]), y, x);
    }
    fprintf(f,
            "<text x=\"4\" y=\"%d\">mean added wait, to %.2f h; saving upwards, to %.1f "
            "%%</text></svg>\n",
            HEIGHT + 16, most_x, most_y);
}

static void _table(FILE *f, const struct simulation *s, const struct simulated *d)
{
    fputs("<h2>Figures</h2>\n<table><tr><th>policy</th>", f);
    for (const struct figure *g = simulate_figures; g->key; g++)
        fprintf(f, "<th>%s</th>", g->key);
    fputs("</tr>\n", f);
    for (size_t i = 0; i < d->n_policies; i++) {
        fprintf(f, "<tr><td>%s</td>", policy_name(d->policies[i]));
        for (const struct figure *g = simulate_figures; g->key; g++) {
            double half, mean = simulate_mean(s, d, i, g, &half);

            if (isfinite(half))
                fprintf(f, "<td>%.4g &#177; %.2g</td>", mean, half);
            else if (isfinite(mean))
                fprintf(f, "<td>%.6g</td>", mean);
            else
                fputs("<td>-</td>", f);
        }
        fputs("</tr>\n", f);
    }
    fputs("</table>\n", f);
}

int simulate_page(const struct simulation *s, const struct simulated *d,
                  const struct sim_result *runs, struct err *e)
{
    FILE *f = fopen(s->html_path, "w");
    int bad;

    if (!f)
        return err_errno(e, "%s", s->html_path);
    fputs(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>carnot simulate</title>\n"
        "<style>body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2em auto;"
        "padding:0 1em;color:#111}svg{width:100%;height:auto;font-size:12px}"
        "table{border-collapse:collapse;font-size:12px;display:block;overflow-x:auto}"
        "td,th{border:1px solid #d1d5db;padding:2px 6px;text-align:right}</style>\n<h1>",
        f);
    _text(f, s->workload_path);
    fputs(" on ", f);
    _text(f, s->zone);
    fprintf(f,
            "</h1>\n<p>%zu jobs; forecast %s, lengths %s, requeueable %g; %u start%s. Plots show "
            "the first.</p>\n",
            d->w.n, outlook_name(s->set.forecast), lengths_name(s->set.lengths), s->set.requeueable,
            s->weeks, s->weeks > 1 ? "s" : "");
    _trade(f, s, d);
    _over_time(f, d, runs);
    _table(f, s, d);
    fputs("</html>\n", f);
    bad = ferror(f);
    if (fclose(f) != 0 || bad)
        return err_errno(e, "%s", s->html_path);
    return 0;
}
