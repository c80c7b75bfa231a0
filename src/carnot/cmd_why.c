/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot why: why does this job wait, or not? Answers for every job, also when
 * Carnot is not the reason.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "carnot/answer.h"
#include "carnot/client.h"
#include "carnot/explain_show.h"
#include "carnot/series_plot.h"
#include "carnot/show.h"
#include "common/units.h"

const char cmd_why_help[] =
    "Usage: carnot why JOBID... [--explain] [--json]\n"
    "Why does this job wait, or not? Says so too when Slurm is the reason and not Carnot.\n"
    "JOBID as Slurm writes it: 81234, 81234_7, 81234+1.\n"
    "  --explain  also the window that it waits in, and what other starts would emit and cost\n";

enum { OPT_EXPLAIN = 1 };
static const struct option options[] = {{"explain", no_argument, NULL, OPT_EXPLAIN},
                                        {NULL, 0, NULL, 0}};

static void _first_line(struct cli *c, const json_t *job, const char *id)
{
    const char *sentence = answer_text(job, "sentence"), *code = answer_show(job, "code");
    const char *reason = answer_text(job, "slurm_reason");
    char own[256];
    int used, pad;

    if (!sentence || sentence[0] == '\0') {
        (void)snprintf(own, sizeof(own), "Carnot does not hold this job.%s%s",
                       reason ? " Slurm says: " : "", reason ? reason : "");
        sentence = own;
    }
    used = fprintf(c->out, "%s %s", id, sentence);
    pad = c->width - used - (int)strlen(code) - 2;
    fprintf(c->out, "%*s[%s]\n", pad > 2 ? pad : 2, "", code);
}

/* Where the wish to wait came from, in words. */
static const char *_layer(const char *layer)
{
    static const char *const words[][2] = {{"flag", "on the command line"},
                                           {"script", "by a #CARNOT line of the script"},
                                           {"environment", "by a CARNOT_ variable"},
                                           {"site", "by the site's default"}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(layer, words[i][0]) == 0)
            return words[i][1];
    return layer;
}

static void _asked(struct cli *c, const json_t *job)
{
    const char *layer = answer_show(job, "layer"), *policy = answer_show(job, "policy");
    int has_layer = strcmp(layer, "-") != 0, has_policy = strcmp(policy, "-") != 0;

    if (!has_layer && !has_policy)
        return;
    fputs("  asked     ", c->out);
    if (has_layer)
        fputs(_layer(layer), c->out);
    if (has_policy)
        fprintf(c->out, "%spolicy %s", has_layer ? "   " : "", policy);
    fputc('\n', c->out);
}

static void _grid(struct cli *c, const json_t *job)
{
    char spark[160], value[24], clock[SHOW_SIZE], to[SHOW_SIZE];
    int64_t at_s = answer_time(job, "not_before");
    struct plot p;
    double now, then;

    if (series_plot_load(c, json_object_get(job, "series"), &p) < 0)
        return;
    /* a bin of the plot is a mean: where the edge of a dip falls into it, only the answer knows */
    now = answer_number(job, "g_per_kwh_now");
    then = answer_number(job, "g_per_kwh_start");
    if (!isfinite(now))
        now = plot_mean(&p, c->now_s, c->now_s + 1);
    if (!isfinite(then) && at_s != ANSWER_NONE)
        then = plot_mean(&p, at_s, at_s + 1);
    fprintf(c->out, "  grid %-4s", answer_show(job, "zone"));
    if (isfinite(now))
        fprintf(c->out, " now %s", units_format_3(value, sizeof(value), now));
    if (isfinite(then) && at_s > c->now_s)
        fprintf(c->out, ", %s g/kWh at %s", units_format_3(value, sizeof(value), then),
                show_clock(clock, sizeof(clock), at_s, c->now_s));
    else if (isfinite(now))
        fputs(" g/kWh", c->out);
    fprintf(c->out, "   %s %s %s\n", show_clock(clock, sizeof(clock), p.points[0].time_s, c->now_s),
            plot_spark(spark, sizeof(spark), &p, 24),
            show_clock(to, sizeof(to), p.end_s, c->now_s));
    series_plot_free(&p);
}

static void _feed(struct cli *c, const json_t *job)
{
    char age[SHOW_SIZE];

    if (!answer_text(job, "feed"))
        return;
    fprintf(c->out, "  feed      %s", answer_show(job, "feed"));
    if (answer_integer(job, "feed_age_s") != ANSWER_NONE)
        fprintf(c->out, ", %s old", show_span(age, sizeof(age), answer_integer(job, "feed_age_s")));
    fputc('\n', c->out);
}

static void _length(struct cli *c, const json_t *length)
{
    const json_t *runs = json_object_get(length, "runs_s");
    const char *name = answer_text(length, "runs_of");
    char text[SHOW_SIZE];
    size_t n = json_array_size(runs);

    if (n == 0)
        return;
    fprintf(c->out, "  length    ~%s (last ",
            show_span(text, sizeof(text), answer_integer(length, "likely_s")));
    if (n > 1)
        fprintf(c->out, "%zu runs", n);
    else
        fputs("run", c->out);
    fprintf(c->out, " of %s:", name ? name : "the user");
    for (size_t i = 0; i < n; i++)
        fprintf(c->out, "%s %s", i ? "," : "",
                show_span(text, sizeof(text), json_integer_value(json_array_get(runs, i))));
    fprintf(c->out, "; limit %s)\n",
            show_span(text, sizeof(text), answer_integer(length, "limit_s")));
}

static void _estimate(struct cli *c, const json_t *job)
{
    double joules = answer_number(job, "estimate_j"), g = answer_number(job, "g");
    double g_now = answer_number(job, "g_now"), likely_g = answer_number(job, "likely_g");
    char text[SHOW_SIZE];

    if (isfinite(likely_g)) {
        g = likely_g;
        g_now = answer_number(job, "likely_now_g");
    }
    if (!isfinite(joules) && !isfinite(g))
        return;
    fputs("  this job ", c->out);
    if (isfinite(joules))
        fprintf(c->out, " ~%s at most, modelled", show_energy(text, sizeof(text), joules));
    if (isfinite(g))
        fprintf(c->out, "%s ~%sCO2e", isfinite(joules) ? "  " : "",
                show_mass(text, sizeof(text), g));
    if (isfinite(g) && isfinite(g_now))
        fprintf(c->out, ", at once ~%s", show_mass(text, sizeof(text), g_now));
    fputc('\n', c->out);
}

static void _slurm(struct cli *c, const json_t *job)
{
    const char *state = answer_text(job, "slurm_state"), *reason = answer_text(job, "slurm_reason");
    char clock[SHOW_SIZE];

    if (!state)
        return;
    fprintf(c->out, "  slurm     %s", state);
    if (reason && strcmp(reason, "None") != 0)
        fprintf(c->out, " (%s)", reason);
    if (answer_time(job, "slurm_start") != ANSWER_NONE && strcmp(state, "PENDING") == 0)
        fprintf(c->out, ", expected start %s",
                show_clock(clock, sizeof(clock), answer_time(job, "slurm_start"), c->now_s));
    fputc('\n', c->out);
}

static void _print(struct cli *c, const json_t *job, const char *id)
{
    int64_t at_s = answer_time(job, "not_before"), moves = answer_integer(job, "moves");
    const char *code = answer_show(job, "code");

    _first_line(c, job, id);
    _asked(c, job);
    _grid(c, job);
    _feed(c, job);
    _length(c, json_object_get(job, "length"));
    _estimate(c, job);
    _slurm(c, job);
    if (moves == 1)
        fputs("  moved     once, when the forecast or the queue changed\n", c->out);
    else if (moves > 1)
        fprintf(c->out, "  moved     %lld times, when the forecast or the queue changed\n",
                (long long)moves);
    if (strcmp(code, "GREENER_LATER") == 0 && at_s != ANSWER_NONE && at_s > c->now_s)
        fprintf(c->out, "  instead   carnot now %s\n", id);
}

/* The drawing, if the answer has one: null says that Carnot does not make the job wait. */
static void _explain(struct cli *c, const json_t *job)
{
    const json_t *explain = json_object_get(job, "explain");

    if (json_is_object(explain)) {
        explain_show_plot(c, explain, answer_show(job, "zone"));
        explain_show_choices(c, explain);
    } else if (explain) {
        fputs("  explain   nothing to draw: Carnot does not make this job wait\n", c->out);
    } else {
        cli_warn(c, "this carnotctld does not explain");
    }
}

/* 0 done, else the exit code. *out gets a new reference to the answer's job. */
static int _ask(struct cli *c, const char *text, int explain, json_t **out)
{
    struct cli_job job;
    int64_t id;
    json_t *request, *a;

    if (cli_job_parse(c, text, &job) < 0)
        return CLI_USAGE;
    id = client_job_id(c, &job);
    if (id < 0)
        return CLI_FAILED;
    request = client_request("why");
    json_object_set_new(request, "job", json_integer(id));
    if (explain)
        json_object_set_new(request, "explain", json_true());
    if (client_ask(c, request, &a) < 0)
        return CLI_FAILED;
    *out = json_incref(json_object_get(a, "job"));
    json_decref(a);
    return *out ? CLI_DONE : cli_fail(c, CLI_FAILED, "carnotctld's answer names no job");
}

int cmd_why(struct cli *c, int argc, char **argv)
{
    json_t *all, *job;
    int o, explain = 0, status = CLI_DONE;

    while ((o = cli_option(c, argc, argv, "", options)) != -1) {
        if (o == CLI_STOP)
            return c->status;
        explain = 1;
    }
    if (optind == argc)
        return cli_fail(c, CLI_USAGE, "why: which job? squeue --me lists yours");
    all = json_array();
    for (int i = optind; i < argc; i++) {
        int rc = _ask(c, argv[i], explain, &job);

        if (rc != CLI_DONE) {
            status = rc;
            continue;
        }
        if (!c->json)
            _print(c, job, argv[i]);
        if (!c->json && explain)
            _explain(c, job);
        json_array_append_new(all, job);
    }
    if (c->json && json_array_size(all) > 0)
        cli_json(c, argc - optind == 1 ? json_array_get(all, 0) : all);
    json_decref(all);
    return status;
}
