/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot status: is everything alive, and what does it do?
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "carnot/answer.h"
#include "carnot/client.h"
#include "carnot/show.h"
#include "common/units.h"

const char cmd_status_help[] =
    "Usage: carnot status [--json]\n"
    "Is Carnot alive, and what does it do: mode, age of board, feed and job list,\n"
    "what the plugin in slurmctld counted, jobs that wait, nodes that report, and\n"
    "what `carnot on|off` has switched.\n";

static void _print_board(struct cli *c, const json_t *board)
{
    char age[SHOW_SIZE];

    if (answer_integer(board, "age_s") == ANSWER_NONE) {
        fprintf(c->out, "board    none published yet\n");
        return;
    }
    fprintf(c->out, "board    number %lld, %s old, %s\n", (long long)answer_integer(board, "seq"),
            show_span(age, sizeof(age), answer_integer(board, "age_s")),
            answer_show(board, "path"));
}

static void _print_feed(struct cli *c, const json_t *feed)
{
    char age[SHOW_SIZE], until[SHOW_SIZE], now[SHOW_SIZE];
    double g_per_kwh = answer_number(feed, "g_per_kwh");

    fprintf(c->out, "feed     %s, zone %s", answer_show(feed, "name"), answer_show(feed, "zone"));
    if (isfinite(g_per_kwh))
        fprintf(c->out, ": now %s gCO2e/kWh", units_format_3(now, sizeof(now), g_per_kwh));
    else
        fprintf(c->out, ": no intensity known");
    fprintf(c->out, ", forecast %s", answer_show(feed, "quality"));
    if (answer_integer(feed, "age_s") != ANSWER_NONE)
        fprintf(c->out, ", %s old", show_span(age, sizeof(age), answer_integer(feed, "age_s")));
    if (answer_time(feed, "until") != ANSWER_NONE)
        fprintf(c->out, ", reaches to %s",
                show_clock(until, sizeof(until), answer_time(feed, "until"), c->now_s));
    fputc('\n', c->out);
}

static void _print_slurm(struct cli *c, const json_t *slurm)
{
    int ok = json_is_true(json_object_get(slurm, "ok"));
    const char *error = answer_show(slurm, "error");
    char age[SHOW_SIZE];

    fprintf(c->out, "slurm    %s", ok ? "answers" : "does not answer");
    if (!ok && strcmp(error, "-") != 0)
        fprintf(c->out, " (%s)", error);
    fputs(", job list ", c->out);
    if (answer_integer(slurm, "listed_age_s") == ANSWER_NONE)
        fprintf(c->out, "not read yet\n");
    else
        fprintf(c->out, "%s old, %lld jobs in it\n",
                show_span(age, sizeof(age), answer_integer(slurm, "listed_age_s")),
                (long long)answer_integer(slurm, "jobs"));
}

/* A count, or "-" where the server gave none. */
static const char *_count(char *buf, size_t size, const json_t *a, const char *key)
{
    int64_t n = answer_integer(a, key);

    (void)snprintf(buf, size, n == ANSWER_NONE ? "-" : "%lld", (long long)n);
    return buf;
}

/* carnot off --now, while it goes on. */
static void _print_let_go(struct cli *c, const json_t *let_go)
{
    char until[SHOW_SIZE], left[24];

    if (json_is_object(let_go))
        fprintf(c->out, "let go   %s jobs are still to go, the last one at %s (by %s)\n",
                _count(left, sizeof(left), let_go, "left"),
                show_clock(until, sizeof(until), answer_time(let_go, "until"), c->now_s),
                answer_show(let_go, "by"));
}

/* What is moved after it was planned again, while that goes on. */
static void _print_moves(struct cli *c, const json_t *moves)
{
    char left[24], all[24], span[SHOW_SIZE];

    if (json_is_object(moves))
        fprintf(c->out,
                "moves    %s of %s jobs that were planned again are still to be moved, %s\n",
                _count(left, sizeof(left), moves, "left"), _count(all, sizeof(all), moves, "all"),
                show_span(span, sizeof(span), answer_integer(moves, "left_s")));
}

/* Only where it is steered; else it is what the configuration says. */
static void _print_lambda(struct cli *c, const json_t *lambda)
{
    char g[SHOW_SIZE], target[SHOW_SIZE], mean[SHOW_SIZE];
    int64_t target_s = answer_integer(lambda, "target_wait_s");
    double mean_s = answer_number(lambda, "mean_wait_s");

    if (target_s == ANSWER_NONE)
        return;
    fprintf(c->out, "lambda   %s g/h, steered to a mean wait of %s",
            units_format_3(g, sizeof(g), answer_number(lambda, "g_per_h")),
            show_span(target, sizeof(target), target_s));
    if (isfinite(mean_s))
        fprintf(c->out, "; %lld jobs so far, lately %s", (long long)answer_integer(lambda, "jobs"),
                show_span(mean, sizeof(mean), (int64_t)(mean_s + 0.5)));
    fputc('\n', c->out);
}

/* ", 3 WHAT" where there are any: what is as it should be takes no room. */
static void _print_if_any(struct cli *c, const json_t *plugin, const char *key, const char *what)
{
    int64_t n = answer_integer(plugin, key);

    if (n != ANSWER_NONE && n != 0)
        fprintf(c->out, ", %lld %s", (long long)n, what);
}

static void _print_plugin(struct cli *c, const json_t *plugin)
{
    const json_t *submit = json_object_get(plugin, "submit");
    char calls[24], p99[24], refused[24];

    if (!json_is_object(plugin)) {
        fprintf(c->out, "plugin   has not written its counters within a minute\n");
        return;
    }
    fprintf(c->out, "plugin   %s for Slurm %s, %s calls, p99 <= %s us, %s refused",
            answer_show(plugin, "version"), answer_show(plugin, "slurm"),
            _count(calls, sizeof(calls), submit, "calls"),
            _count(p99, sizeof(p99), submit, "p99_us"),
            _count(refused, sizeof(refused), plugin, "refused"));
    _print_if_any(c, plugin, "no_board", "without a board");
    _print_if_any(c, plugin, "bad_boards", "bad boards");
    _print_if_any(c, plugin, "leases_full", "without room for a lease");
    fputc('\n', c->out);
}

static void _print(struct cli *c, const json_t *a)
{
    char up[SHOW_SIZE], x[24], y[24];
    const json_t *nodes = json_object_get(a, "nodes");
    const char *mode = answer_show(a, "mode");
    json_t *row;
    size_t i;

    fprintf(c->out, "carnot   %s on cluster %s, up %s\n", answer_show(a, "version"),
            answer_show(a, "cluster"), show_span(up, sizeof(up), answer_integer(a, "uptime_s")));
    fprintf(c->out, "mode     %s%s\n", mode,
            strcmp(mode, "observe") == 0 ? ": decides and logs, changes nothing" : "");
    json_array_foreach(json_object_get(a, "switches"), i, row)
        fprintf(c->out, "switch   %s %s: %s\n", answer_show(row, "scope"), answer_show(row, "name"),
                answer_show(row, "mode"));
    _print_let_go(c, json_object_get(a, "let_go"));
    _print_moves(c, json_object_get(a, "moves"));
    _print_board(c, json_object_get(a, "board"));
    _print_feed(c, json_object_get(a, "feed"));
    _print_lambda(c, json_object_get(a, "lambda"));
    _print_slurm(c, json_object_get(a, "slurm"));
    _print_plugin(c, json_object_get(a, "plugin"));
    fprintf(c->out, "jobs     %s wait for a greener grid, %s run\n",
            _count(x, sizeof(x), a, "waiting"), _count(y, sizeof(y), a, "running"));
    fprintf(c->out, "nodes    %s of %s report\n", _count(x, sizeof(x), nodes, "reporting"),
            _count(y, sizeof(y), nodes, "total"));
}

int cmd_status(struct cli *c, int argc, char **argv)
{
    json_t *a;

    if (cli_option(c, argc, argv, "", NULL) != -1)
        return c->status;
    if (optind < argc)
        return cli_fail(c, CLI_USAGE, "status takes no operand; see carnot help status");
    if (client_ask(c, client_request("status"), &a) < 0)
        return CLI_FAILED;
    client_strip(a);
    if (c->json)
        cli_json(c, a);
    else
        _print(c, a);
    json_decref(a);
    return CLI_DONE;
}
