/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot place: what would Carnot do with a job like this? Decided by carnotctld, or
 * here from a board file; printed the same either way.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "carnot/answer.h"
#include "carnot/client.h"
#include "carnot/explain_show.h"
#include "carnot/place_local.h"
#include "carnot/show.h"

const char cmd_place_help[] =
    "Usage: carnot place --nodes N --time T [OPTIONS]\n"
    "       carnot place -- [SBATCH OPTIONS] SCRIPT\n"
    "A dry run: when would a job like this start, and what would it emit? The second form asks\n"
    "sbatch --test-only. Exit code 1 if the job would be refused.\n"
    "  --nodes N             nodes\n"
    "  --time T              its time limit: 90, 12:00:00, 1-00, 12h\n"
    "  --cpus-per-node N     CPUs it takes on each node\n"
    "  --gpus-per-node N     GPUs it takes on each node\n"
    "  --array-tasks N       tasks of a job array\n"
    "  --name NAME           its name: its length is guessed by your last runs of it\n"
    "  --carbon-delay D      at most this long may it wait: 12h, 30m, off, site\n"
    "  --carbon-finish-by T  done by then if possible, as sbatch --begin has it\n"
    "  --carbon-policy P     asap, balanced, greenest\n"
    "  --energy-budget E     limit of this job: 5kWh, 18MJ\n"
    "  --carbon-budget M     limit of this job: 500g, 2kg\n"
    "  --partition P, --account A, --user U\n"
    "  --at TIME             decide as if it were submitted then\n"
    "  --board FILE          decide by this board, without carnotctld (CARNOT_BOARD)\n"
    "  --explain             other starts in the same window, what they would emit and cost\n"
    "  --json                one object; with --explain these in its member explain\n";

enum { OPT_BOARD = 1, OPT_EXPLAIN, OPT_FIRST = 0x100 };
#define OPTIONS_MAX 32

struct args {
    const char *board;
    int explain;
    int given; /* flags of the job */
    struct place_query query;
    json_t *request; /* what they say, for the server */
};

/* The table of getopt from the two tables of place.h and request.h. */
static void _options(struct option out[OPTIONS_MAX])
{
    size_t n = 0;

    out[n++] = (struct option){"board", required_argument, NULL, OPT_BOARD};
    out[n++] = (struct option){"explain", no_argument, NULL, OPT_EXPLAIN};
    for (const struct place_option_desc *d = place_options; d->name && n < OPTIONS_MAX - 1; d++) {
        out[n] = (struct option){d->name, required_argument, NULL, OPT_FIRST + (int)n};
        n++;
    }
    for (size_t i = 0; i < REQUEST_N_OPTIONS && n < OPTIONS_MAX - 1; i++) {
        int has_arg = request_is_flag(&request_options[i]) ? no_argument : required_argument;

        out[n] = (struct option){request_options[i].name, has_arg, NULL, OPT_FIRST + (int)n};
        n++;
    }
    out[n] = (struct option){NULL, 0, NULL, 0};
}

/* 0, or -1 and c->status says what to return. */
static int _parse(struct cli *c, int argc, char **argv, struct args *args)
{
    struct option options[OPTIONS_MAX];
    struct err e = {""};
    int o;

    _options(options);
    while ((o = cli_option(c, argc, argv, "", options)) != -1) {
        if (o == CLI_STOP)
            return -1;
        if (o == OPT_BOARD) {
            args->board = optarg;
        } else if (o == OPT_EXPLAIN) {
            args->explain = 1;
        } else {
            const char *name = options[o - OPT_FIRST].name;

            if (place_parse(&args->query, name, optarg, c->now_s, &e) < 0) {
                c->status = cli_fail(c, CLI_USAGE, "place: %s", e.text);
                return -1;
            }
            json_object_set_new(args->request, name, json_string(optarg ? optarg : "1"));
            args->given++;
        }
    }
    return 0;
}

/* sbatch knows its own options and the #SBATCH lines: no second parser of them here. */
static int _test_only(struct cli *c, int argc, char **argv, const struct args *args)
{
    char **words;

    if (strcmp(argv[optind - 1], "--") != 0 || args->given || args->board || args->explain ||
        c->json)
        return cli_fail(c, CLI_USAGE,
                        "place: '%s' is no option; for a script: carnot place -- SCRIPT, alone",
                        argv[optind]);
    words = calloc((size_t)(argc - optind) + 3, sizeof(*words));
    if (!words)
        return cli_fail(c, CLI_FAILED, "no memory");
    words[0] = (char *)"sbatch";
    words[1] = (char *)"--test-only";
    for (int i = optind; i < argc; i++)
        words[2 + i - optind] = argv[i];
    fflush(c->out);
    execvp(words[0], words);
    free(words);
    return cli_fail(c, CLI_FAILED, "sbatch: %s", strerror(errno));
}

static void _print(struct cli *c, const json_t *a, const json_t *place, int explain)
{
    const char *verdict = answer_show(place, "verdict");
    int refuse = strcmp(verdict, "refuse") == 0;
    const json_t *why = json_object_get(a, "explain");
    double grams = answer_number(place, "carbon_g");
    char energy[SHOW_SIZE], mass[SHOW_SIZE];

    fprintf(c->out, "%s%s  [%s]\n", refuse ? "Refused: " : "", answer_show(place, "reason"),
            answer_show(place, "code"));
    fprintf(c->out, "at most ~%s",
            show_energy(energy, sizeof(energy), answer_number(place, "energy_j")));
    if (isfinite(grams))
        fprintf(c->out, " and ~%sCO2e", show_mass(mass, sizeof(mass), grams));
    fprintf(c->out, " (modelled, over the whole time limit)   policy %s   feed %s, forecast %s\n",
            answer_show(place, "policy"), answer_show(place, "feed"),
            answer_show(place, "quality"));
    if (explain && !why)
        cli_warn(c, "this carnotctld does not explain; --board FILE does");
    if (!refuse || explain)
        explain_show_plot(c, why, answer_show(a, "zone"));
    if (explain && why)
        explain_show_choices(c, why);
}

static int _answer(struct cli *c, const json_t *a, int explain)
{
    json_t *place = json_object_get(a, "place");
    const char *verdict = answer_text(place, "verdict");

    if (!verdict)
        return cli_fail(c, CLI_FAILED,
                        "the answer holds no verdict; are carnotctld's version "
                        "and ours the same? (carnot --version)");
    if (!c->json) {
        _print(c, a, place, explain);
    } else {
        json_t *out = json_copy(place);

        if (explain)
            json_object_set(out, "explain", json_object_get(a, "explain"));
        cli_json(c, out);
        json_decref(out);
    }
    return strcmp(verdict, "refuse") == 0 ? CLI_FAILED : CLI_DONE;
}

/* $CARNOT_BOARD counts only where it names something readable: it may be set site-wide. */
static const char *_board(const struct args *args)
{
    const char *from_env = getenv("CARNOT_BOARD");

    if (args->board)
        return args->board;
    return from_env && access(from_env, R_OK) == 0 ? from_env : NULL;
}

static int _place(struct cli *c, struct args *args)
{
    const char *board = _board(args);
    json_t *a = NULL;
    int status = CLI_FAILED;

    if (args->query.nodes == 0 || args->query.limit_s == 0)
        return cli_fail(c, CLI_USAGE, "place: --%s is missing; see carnot help place",
                        args->query.nodes == 0 ? "nodes" : "time");
    if (board)
        a = place_local(c, board, &args->query, &status);
    else if (client_ask(c, json_incref(args->request), &a) < 0)
        return CLI_FAILED;
    if (!a)
        return status;
    status = _answer(c, a, args->explain);
    json_decref(a);
    return status;
}

int cmd_place(struct cli *c, int argc, char **argv)
{
    struct args args = {0};
    int status;

    place_query_init(&args.query);
    args.query.uid = (uint32_t)c->uid;
    args.request = client_request("place");
    if (_parse(c, argc, argv, &args) < 0)
        status = c->status;
    else if (optind < argc)
        status = _test_only(c, argc, argv, &args);
    else
        status = _place(c, &args);
    json_decref(args.request);
    return status;
}
