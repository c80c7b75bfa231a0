/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot job: what one job consumed, and how well that is known.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "carnot/answer.h"
#include "carnot/client.h"
#include "carnot/job_row.h"
#include "carnot/show.h"
#include "common/units.h"

const char cmd_job_help[] =
    "Usage: carnot job [JOBID...] [--json]\n"
    "What a job consumed and emitted, and how well that is known; without JOBID your last one.\n"
    "JOBID as Slurm writes it: 81234, 81234_7, 81234+1. While it runs, the figures are so far.\n"
    "  --json   the job as in `carnot jobs --json`; several jobs: an array of them\n";

#define LAST_DAYS 7
#define TOO_SHORT_S 2
#define RUNS_SHOWN 24 /* the newest; all are added up */

static void _head(struct cli *c, const json_t *row)
{
    char label[32], from[SHOW_SIZE], to[SHOW_SIZE], elapsed[SHOW_SIZE];
    int64_t start_s = answer_time(row, "start"), end_s = answer_time(row, "end");
    int64_t nodes = answer_integer(row, "nodes"), restart = answer_integer(row, "restart");
    const char *run = answer_text(row, "run"), *name = answer_show(row, "name");

    fprintf(c->out, "Job ID: %s  %s   user %s   account %s",
            job_row_label(label, sizeof(label), row), name, answer_show(row, "user"),
            answer_show(row, "account"));
    if (run && run[0] && strcmp(run, name) != 0)
        fprintf(c->out, "   run %s", run);
    fprintf(c->out, "\nState:  %s", answer_show(row, "state"));
    if (start_s != ANSWER_NONE && end_s != ANSWER_NONE)
        fprintf(c->out, " %s-%s (%s)", show_clock(from, sizeof(from), start_s, c->now_s),
                show_clock(to, sizeof(to), end_s, c->now_s),
                show_elapsed(elapsed, sizeof(elapsed), job_row_elapsed(row, c->now_s)));
    else if (start_s != ANSWER_NONE)
        fprintf(c->out, " since %s", show_clock(from, sizeof(from), start_s, c->now_s));
    if (nodes != ANSWER_NONE)
        fprintf(c->out, "%s %lld node%s", start_s == ANSWER_NONE ? ", for" : " on",
                (long long)nodes, nodes == 1 ? "" : "s");
    if (restart > 0)
        fprintf(c->out, "   (requeued %lld time%s; this is the last run)", (long long)restart,
                restart == 1 ? "" : "s");
    fputc('\n', c->out);
}

static void _energy(struct cli *c, const json_t *row)
{
    double joules = answer_number(row, "energy_j"), estimate = answer_number(row, "estimate_j");
    int64_t elapsed_s = job_row_elapsed(row, c->now_s);
    int ended = answer_time(row, "end") != ANSWER_NONE;
    char text[SHOW_SIZE], number[24];

    if (!isfinite(joules)) {
        if (ended && elapsed_s >= 0 && elapsed_s < TOO_SHORT_S)
            fprintf(c->out, "Energy: < %d s, too short to measure\n", TOO_SHORT_S);
        else if (elapsed_s >= 0)
            fprintf(c->out, "Energy: - (no report from its nodes %s)\n", ended ? "came" : "yet");
        else if (isfinite(estimate))
            fprintf(c->out, "Energy: none yet; at most ~%s by its time limit (modelled)\n",
                    show_energy(text, sizeof(text), estimate));
        return;
    }
    fprintf(c->out, "Energy: %s%s", show_energy(text, sizeof(text), joules),
            ended ? "" : " so far");
    if (joules >= 1e5)
        fprintf(c->out, "  (%s MJ)", units_format_3(number, sizeof(number), joules / 1e6));
    else
        fprintf(c->out, "  (%s J)", units_format_3(number, sizeof(number), joules));
    if (elapsed_s > 0)
        fprintf(c->out, "   mean %s",
                units_format_power(text, sizeof(text), joules / (double)elapsed_s * 1e3));
    fputc('\n', c->out);
}

static int _covers(const char *coverage, const char *word)
{
    const char *p = strstr(coverage, word);

    return p && (p == coverage || p[-1] == ',');
}

/* What is in the figure and what is not: a kWh without that cannot be compared with another. */
static void _quality(struct cli *c, const json_t *row)
{
    static const char *const parts[][2] = {
        {"cpu", "CPU"}, {"dram", "memory"}, {"gpu", "GPU"}, {"board", "board"}};
    static const char *const meaning[][2] = {
        {"measured", "measured by hardware counters"},
        {"split", "measured by hardware counters, shared out among the jobs of the node"},
        {"modelled", "modelled from CPU use, not measured"},
        {"stale", "stale: sources stopped answering; the last values went on counting"}};
    const char *quality = answer_show(row, "quality"), *coverage = answer_text(row, "coverage");
    const char *before = "";

    if (!isfinite(answer_number(row, "energy_j")))
        return;
    for (size_t i = 0; i < sizeof(meaning) / sizeof(meaning[0]); i++)
        if (strcmp(quality, meaning[i][0]) == 0)
            quality = meaning[i][1];
    fprintf(c->out, "Quality: %s\n", quality);
    if (!coverage || coverage[0] == '\0')
        return;
    fputs("         contains: ", c->out);
    if (_covers(coverage, "node"))
        fputs("whole nodes", c->out);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !_covers(coverage, "node"); i++)
        if (_covers(coverage, parts[i][0])) {
            fprintf(c->out, "%s%s", before, parts[i][1]);
            before = ", ";
        }
    fputs(". Not: ", c->out);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !_covers(coverage, "node"); i++)
        if (!_covers(coverage, parts[i][0]))
            fprintf(c->out, "%s, ", parts[i][1]);
    fputs("network, storage\n", c->out);
}

static void _carbon(struct cli *c, const json_t *row)
{
    double grams = answer_number(row, "carbon_g");
    char text[SHOW_SIZE];

    if (isfinite(grams))
        fprintf(c->out, "CO2e:   %s%s (location-based, interval by interval, PUE in)\n",
                show_mass(text, sizeof(text), grams),
                answer_time(row, "end") == ANSWER_NONE ? " so far" : "");
}

static void _waited(struct cli *c, const json_t *row)
{
    int64_t grid_s = job_row_wait(row), start_s = answer_time(row, "start");
    int64_t submit_s = answer_time(row, "submit"), slurm_s;
    double asap = answer_number(row, "carbon_if_asap_g"), saved = job_row_saved_g(row);
    char text[SHOW_SIZE], latest[SHOW_SIZE];

    if (start_s == ANSWER_NONE) {
        if (answer_time(row, "not_before") != ANSWER_NONE)
            fprintf(c->out, "Waits:  until %s, %s at the latest; more: carnot why\n",
                    show_clock(text, sizeof(text), answer_time(row, "not_before"), c->now_s),
                    show_clock(latest, sizeof(latest), answer_time(row, "latest"), c->now_s));
        return;
    }
    if (grid_s == ANSWER_NONE || submit_s == ANSWER_NONE)
        return;
    slurm_s = start_s - submit_s - grid_s;
    fprintf(c->out, "Waited: %s for the grid", show_span(text, sizeof(text), grid_s));
    fprintf(c->out, ", %s for Slurm", show_span(text, sizeof(text), slurm_s > 0 ? slurm_s : 0));
    if (isfinite(saved)) {
        fprintf(c->out, ". Started at once: %s", show_mass(text, sizeof(text), asap));
        fprintf(c->out, ". %s %s", saved >= 0 ? "Saved" : "Lost",
                show_mass(text, sizeof(text), fabs(saved)));
        if (asap > 0)
            fprintf(c->out, " (%.0f %%)", fabs(saved) / asap * 100);
    }
    fputc('\n', c->out);
}

/* One run of a job that was requeued. */
static void _run(struct cli *c, const json_t *row, const char *label)
{
    char from[SHOW_SIZE], to[SHOW_SIZE], text[SHOW_SIZE];
    int64_t start_s = answer_time(row, "start"), end_s = answer_time(row, "end");
    double joules = answer_number(row, "energy_j"), grams = answer_number(row, "carbon_g");

    if (start_s == ANSWER_NONE) {
        fprintf(c->out, "%-8snot begun yet\n", label);
        return;
    }
    fprintf(c->out, "%-8s%s-%s", label, show_clock(from, sizeof(from), start_s, c->now_s),
            end_s == ANSWER_NONE ? "" : show_clock(to, sizeof(to), end_s, c->now_s));
    fprintf(c->out, " %s", answer_show(row, "state"));
    if (isfinite(joules))
        fprintf(c->out, "  %s", show_energy(text, sizeof(text), joules));
    if (isfinite(grams))
        fprintf(c->out, "  %sCO2e", show_mass(text, sizeof(text), grams));
    fputc('\n', c->out);
}

/* The job whose newest run is the first of rows, run by run, and all of them together. rows may
 * have other tasks of its array, and another job that had its number before. */
static void _runs(struct cli *c, const json_t *rows)
{
    const json_t *newest = json_array_get(rows, 0), *row;
    int64_t id = answer_integer(newest, "job_id"), restart = answer_integer(newest, "restart");
    const json_t *runs[RUNS_SHOWN];
    double joules = 0, grams = 0;
    size_t i, n = 0, known = 0;
    char energy[SHOW_SIZE], mass[SHOW_SIZE];

    if (restart <= 0)
        return;
    json_array_foreach(rows, i, row)
    {
        if (answer_integer(row, "job_id") != id || answer_integer(row, "restart") != restart)
            continue;
        if (isfinite(answer_number(row, "energy_j"))) {
            joules += answer_number(row, "energy_j");
            known++;
        }
        if (isfinite(answer_number(row, "carbon_g")))
            grams += answer_number(row, "carbon_g");
        if (n < RUNS_SHOWN)
            runs[n++] = row;
        restart--;
    }
    for (i = n > 1 ? n : 0; i-- > 0;)
        _run(c, runs[i], i + 1 == n ? "Runs:" : "");
    if (known > 1)
        fprintf(c->out, "%-8stogether %s, %sCO2e\n", "",
                show_energy(energy, sizeof(energy), joules), show_mass(mass, sizeof(mass), grams));
}

static void _limit(struct cli *c, const char *what, double limit, double used, const char *text)
{
    if (!isfinite(limit) || limit <= 0)
        return;
    fprintf(c->out, "Limit:  %s of its own (--%s-budget)", text, what);
    if (isfinite(used))
        fprintf(c->out, ", %.0f %% used", used / limit * 100);
    fputc('\n', c->out);
}

static void _print(struct cli *c, const json_t *row)
{
    double energy = answer_number(row, "limit_energy_j");
    double carbon = answer_number(row, "limit_carbon_g");
    char text[SHOW_SIZE];

    _head(c, row);
    _energy(c, row);
    _quality(c, row);
    _carbon(c, row);
    _waited(c, row);
    _limit(c, "energy", energy, answer_number(row, "energy_j"),
           show_energy(text, sizeof(text), energy));
    _limit(c, "carbon", carbon, answer_number(row, "carbon_g"),
           show_mass(text, sizeof(text), carbon));
}

/* My last job: the newest submission of mine. Most people mean one of this week; only
 * where there is none is the whole history asked for. */
static int _last(struct cli *c, json_t **row)
{
    for (int whole = 0; whole < 2; whole++) {
        json_t *request = client_request("jobs"), *a, *r;
        const json_t *newest = NULL;
        size_t i;

        json_object_set_new(request, "user", json_string(c->user));
        if (!whole)
            json_object_set_new(request, "since_s", json_integer(c->now_s - LAST_DAYS * 86400));
        if (client_ask(c, request, &a) < 0)
            return -1;
        json_array_foreach(json_object_get(a, "jobs"), i, r) if (!newest || client_newer(r, newest))
            newest = r;
        *row = json_incref((json_t *)newest);
        json_decref(a);
        if (*row)
            return 0;
    }
    return cli_fail(c, -1, "no job of %s is known to Carnot yet", c->user);
}

static int _one(struct cli *c, const char *text, json_t *out)
{
    struct cli_job job;
    json_t *rows, *row;
    int64_t id;
    size_t i, others = 0;

    if (cli_job_parse(c, text, &job) < 0)
        return CLI_USAGE;
    if (client_job_rows(c, &job, &rows) < 0)
        return CLI_FAILED;
    row = json_array_get(rows, 0);
    id = answer_integer(row, "job_id");
    for (i = 1; i < json_array_size(rows); i++)
        others += answer_integer(json_array_get(rows, i), "job_id") != id;
    json_array_append(out, row);
    if (!c->json) {
        if (json_array_size(out) > 1)
            fputc('\n', c->out);
        _print(c, row);
        _runs(c, rows);
        if (others > 0)
            fprintf(c->out, "Array:  %zu more tasks are known: carnot jobs -j %lld\n", others,
                    (long long)job.id);
    }
    json_decref(rows);
    return CLI_DONE;
}

int cmd_job(struct cli *c, int argc, char **argv)
{
    int status = CLI_DONE, rc;
    json_t *out, *row;

    if (cli_option(c, argc, argv, "", NULL) != -1)
        return c->status;
    out = json_array();
    if (optind == argc) {
        if (_last(c, &row) < 0) {
            status = CLI_FAILED;
        } else {
            json_array_append_new(out, row);
            if (!c->json)
                _print(c, row);
        }
    }
    for (int i = optind; i < argc; i++) {
        rc = _one(c, argv[i], out);
        status = rc != CLI_DONE ? rc : status;
    }
    if (c->json && json_array_size(out) > 0)
        cli_json(c, argc - optind <= 1 ? json_array_get(out, 0) : out);
    json_decref(out);
    return status;
}
