/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot simulate: what would each policy have saved, on a site's own jobs and grid? Needs no
 * Slurm, no daemon and no rights.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "carnot/cli.h"
#include "carnot/simulate_report.h"
#include "common/units.h"
#include "common/when.h"

const char cmd_simulate_help[] =
    "Usage: carnot simulate --workload FILE --carbon FILE --zone ZONE\n"
    "         {--nodes N --cores-per-node C | --unbounded} [OPTIONS]\n"
    "Replays a history of jobs on a history of the grid, once for each policy.\n"
    "  --workload FILE       SWF, CSV, or sacct -P with a header; .gz too\n"
    "  --workload-unit UNIT  of arrival_time and length in a CSV: s (default) or h\n"
    "  --carbon FILE         trace of carbon intensity (time,zone,g_per_kwh, or a wide CSV)\n"
    "  --zone ZONE           of the trace\n"
    "  --column COLUMN       of the trace, where it is not named like the zone\n"
    "  --start TIME          when the first job is submitted (RFC 3339); else as the trace begins\n"
    "  --start-weeks K       K starts, evenly over a year; means and 95 % intervals (1)\n"
    "  --nodes N             of the machine\n"
    "  --cores-per-node C    cores of each; jobs are counted in cores\n"
    "  --unbounded           a machine with as many cores as are asked for\n"
    "  --policy P[,P...]     asap, balanced, greenest; to compare with: lowest-slot,\n"
    "                        lowest-window, carbon-time; unbounded only: wait-awhile,\n"
    "                        ecovisor; not unbounded: cap (balanced,greenest)\n"
    "  --max-delay D         each job's bound, as 12h; or rule: 6h for jobs of less than 2h,\n"
    "                        else 24h (rule)\n"
    "  --lambda GRAMS        what an hour's delay of a job must save, for balanced (0.1g)\n"
    "  --lambda-exponent X   ... times cores^X (1; 0 with --target-wait)\n"
    "  --target-wait D       steer lambda towards this mean wait instead\n"
    "  --forecast F          perfect, api-like (an issue a day, errors of 5 to 9 % over 96 h),\n"
    "                        anchored, yesterday (perfect)\n"
    "  --lengths L           exact, requested, predicted, mix (exact)\n"
    "  --requeueable SHARE   of the jobs may be paused and requeued, 0 to 1 (0)\n"
    "  --overbook X          plans look for room, as policy.overbook has it: for X times the\n"
    "                        cores; 0: they do not (1.5)\n"
    "  --min-gain GRAMS      a job waits for no less (0g)\n"
    "  --core-power W        that a core in use draws (10W)\n"
    "  --power-model FILE    node_idle_w and node_max_w of a CSV row: idle nodes are counted\n"
    "  --seed N              of all that is drawn (1)\n"
    "  --bound-steps N       of the search for the bound on a machine (120; 0: none)\n"
    "  --schedule FILE       a CSV row for each stretch in which a job ran\n"
    "  --html FILE           a page with plots\n"
    "  -n, -P, -o COLUMNS    as sacct; all columns: ASLEEP%,g,BOUND-g,MAKESPAN-h,CORE-h,JOBS too\n"
    "  --json                one object with all figures\n"
    "The same seed gives the same result to the byte.\n";

enum {
    OPT_WORKLOAD = 1,
    OPT_UNIT,
    OPT_CARBON,
    OPT_ZONE,
    OPT_COLUMN,
    OPT_START,
    OPT_WEEKS,
    OPT_NODES,
    OPT_CORES,
    OPT_UNBOUNDED,
    OPT_POLICY,
    OPT_DELAY,
    OPT_LAMBDA,
    OPT_EXPONENT,
    OPT_TARGET,
    OPT_FORECAST,
    OPT_LENGTHS,
    OPT_REQUEUEABLE,
    OPT_OVERBOOK,
    OPT_GAIN,
    OPT_CORE_POWER,
    OPT_MODEL,
    OPT_SEED,
    OPT_STEPS,
    OPT_SCHEDULE,
    OPT_HTML
};
#define NEEDS(name, value)                                                                         \
    {                                                                                              \
        name, required_argument, NULL, value                                                       \
    }
static const struct option options[] = {NEEDS("workload", OPT_WORKLOAD),
                                        NEEDS("workload-unit", OPT_UNIT),
                                        NEEDS("carbon", OPT_CARBON),
                                        NEEDS("zone", OPT_ZONE),
                                        NEEDS("column", OPT_COLUMN),
                                        NEEDS("start", OPT_START),
                                        NEEDS("start-weeks", OPT_WEEKS),
                                        NEEDS("nodes", OPT_NODES),
                                        NEEDS("cores-per-node", OPT_CORES),
                                        {"unbounded", no_argument, NULL, OPT_UNBOUNDED},
                                        NEEDS("policy", OPT_POLICY),
                                        NEEDS("max-delay", OPT_DELAY),
                                        NEEDS("lambda", OPT_LAMBDA),
                                        NEEDS("lambda-exponent", OPT_EXPONENT),
                                        NEEDS("target-wait", OPT_TARGET),
                                        NEEDS("forecast", OPT_FORECAST),
                                        NEEDS("lengths", OPT_LENGTHS),
                                        NEEDS("requeueable", OPT_REQUEUEABLE),
                                        NEEDS("overbook", OPT_OVERBOOK),
                                        NEEDS("min-gain", OPT_GAIN),
                                        NEEDS("core-power", OPT_CORE_POWER),
                                        NEEDS("power-model", OPT_MODEL),
                                        NEEDS("seed", OPT_SEED),
                                        NEEDS("bound-steps", OPT_STEPS),
                                        NEEDS("schedule", OPT_SCHEDULE),
                                        NEEDS("html", OPT_HTML),
                                        TABLE_OPTIONS,
                                        {NULL, 0, NULL, 0}};

/* A number in [low, high], whole or not. */
static int _number(const char *text, double low, double high, int whole, double *out, struct err *e)
{
    char quoted[ERR_QUOTE_SIZE], *end;
    double x;

    errno = 0;
    x = strtod(text, &end);
    if (end == text || *end || errno || !(x >= low && x <= high) || (whole && x != floor(x)))
        return err_set(e, "'%s' is no %snumber from %g to %g",
                       err_quote(quoted, sizeof(quoted), text), whole ? "whole " : "", low, high);
    *out = x;
    return 0;
}

/* One of n names; what they are is said when it is none. */
static int _name(const char *text, const char *(*name)(unsigned), unsigned n, int *out,
                 struct err *e)
{
    char quoted[ERR_QUOTE_SIZE], all[160] = "";

    for (unsigned i = 0; i < n; i++) {
        if (strcmp(name(i), text) == 0) {
            *out = (int)i;
            return 0;
        }
        strncat(all, i ? ", " : "", sizeof(all) - strlen(all) - 1);
        strncat(all, name(i), sizeof(all) - strlen(all) - 1);
    }
    return err_set(e, "'%s' is none of %s", err_quote(quoted, sizeof(quoted), text), all);
}

static const char *_policy(unsigned i)
{
    return policy_name((enum sim_policy)i);
}
static const char *_forecast(unsigned i)
{
    return outlook_name((enum outlook_kind)i);
}
static const char *_length(unsigned i)
{
    return lengths_name((enum lengths_kind)i);
}

static int _policies(struct simulation *s, const char *text, struct err *e)
{
    char name[32];
    int p;

    s->n_policies = 0;
    for (const char *at = text; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        size_t n = strcspn(at, ",");

        if (n >= sizeof(name) || s->n_policies == SIM_POLICY_N)
            return err_set(e, "too long a list");
        memcpy(name, at, n);
        name[n] = '\0';
        if (_name(name, _policy, SIM_POLICY_N, &p, e) < 0)
            return -1;
        s->policies[s->n_policies++] = (enum sim_policy)p;
    }
    return 0;
}

static int _grams(const char *text, double *out_ug, struct err *e)
{
    uint64_t ug;

    if (units_parse_mass(text, &ug, e) < 0)
        return -1;
    *out_ug = (double)ug;
    return 0;
}

/* No job waits longer than a trace is thought to be. */
#define WAIT_MAX_S (366 * 86400LL)
static int _wait(const char *text, int64_t *out_s, struct err *e)
{
    int64_t wait_s;

    if (units_parse_wait(text, &wait_s, e) < 0)
        return -1;
    if (wait_s > WAIT_MAX_S)
        return err_set(e, "more than a year");
    *out_s = wait_s;
    return 0;
}

static int _bound(const char *text, int64_t *out_s, struct err *e)
{
    if (strcmp(text, "rule") != 0)
        return _wait(text, out_s, e);
    *out_s = -1;
    return 0;
}

/* Options about the machine and the jobs. 1 taken, 0 another one, -1 and e. */
static int _what(struct simulation *s, int o, const char *value, struct err *e)
{
    double x = 0;
    int rc = 0;

    switch (o) {
    case OPT_WORKLOAD:
        s->workload_path = value;
        break;
    case OPT_UNIT:
        s->unit_s = strcmp(value, "h") == 0 ? 3600 : 1;
        if (strcmp(value, "h") != 0 && strcmp(value, "s") != 0)
            return err_set(e, "takes s or h");
        break;
    case OPT_CARBON:
        s->carbon_path = value;
        break;
    case OPT_ZONE:
        s->zone = value;
        break;
    case OPT_COLUMN:
        s->column = value;
        break;
    case OPT_START:
        rc = when_parse_rfc3339(value, &s->start_s, e);
        s->start_s /= 1000;
        s->has_start = 1;
        break;
    case OPT_WEEKS:
        rc = _number(value, 1, 52, 1, &x, e);
        s->weeks = (unsigned)x;
        break;
    case OPT_NODES:
        rc = _number(value, 1, 1e6, 1, &x, e);
        s->nodes = (uint64_t)x;
        break;
    case OPT_CORES:
        rc = _number(value, 1, 1e5, 1, &x, e);
        s->power.cores_per_node = (uint32_t)x;
        break;
    case OPT_UNBOUNDED:
        s->unbounded = 1;
        break;
    case OPT_CORE_POWER:
        rc = units_parse_power(value, &s->core_mw, e);
        break;
    case OPT_MODEL:
        s->model_path = value;
        break;
    default:
        return 0;
    }
    return rc < 0 ? -1 : 1;
}

/* Options about the policies and what they know. */
static int _how(struct simulation *s, int o, const char *value, struct err *e)
{
    double x = 0;
    int64_t wait_s = 0;
    int k = 0, rc = 0;

    switch (o) {
    case OPT_POLICY:
        rc = _policies(s, value, e);
        break;
    case OPT_DELAY:
        rc = _bound(value, &s->set.max_delay_s, e);
        break;
    case OPT_LAMBDA:
        rc = _grams(value, &x, e);
        s->set.lambda_ug_per_s = x / 3600;
        break;
    case OPT_EXPONENT:
        rc = _number(value, 0, 2, 0, &s->set.lambda_exponent, e);
        s->has_exponent = 1;
        break;
    case OPT_TARGET:
        rc = _wait(value, &wait_s, e);
        s->set.target_wait_s = (double)wait_s;
        break;
    case OPT_FORECAST:
        rc = _name(value, _forecast, OUTLOOK_N, &k, e);
        s->set.forecast = (enum outlook_kind)k;
        break;
    case OPT_LENGTHS:
        rc = _name(value, _length, LENGTHS_N, &k, e);
        s->set.lengths = (enum lengths_kind)k;
        break;
    case OPT_REQUEUEABLE:
        rc = _number(value, 0, 1, 0, &s->set.requeueable, e);
        break;
    case OPT_OVERBOOK:
        rc = _number(value, 0, 10, 0, &s->set.overbook, e);
        break;
    case OPT_GAIN:
        rc = _grams(value, &s->set.min_gain_ug, e);
        break;
    case OPT_SEED:
        rc = _number(value, 0, 9e15, 1, &x, e);
        s->set.seed = (uint64_t)x;
        break;
    case OPT_STEPS:
        rc = _number(value, 0, 10000, 1, &x, e);
        s->bound_steps = (unsigned)x;
        break;
    case OPT_SCHEDULE:
        s->schedule_path = value;
        break;
    default:
        s->html_path = value;
    }
    return rc;
}

static const char *_long_name(int o)
{
    for (const struct option *p = options; p->name; p++)
        if (p->val == o)
            return p->name;
    return "";
}

/* What was not given, or does not go together. */
static int _complete(struct simulation *s, struct err *e)
{
    if (!s->workload_path || !s->carbon_path || !s->zone)
        return err_set(e, "needs --workload, --carbon and --zone");
    if (s->unbounded == (s->nodes > 0))
        return err_set(e, "needs a machine: --nodes with --cores-per-node, or --unbounded");
    if (s->nodes && !s->power.cores_per_node)
        return err_set(e, "--nodes needs --cores-per-node");
    s->set.cores = s->nodes * s->power.cores_per_node;
    for (size_t i = 0; i < s->n_policies; i++)
        if (s->unbounded && policy_of_machine(s->policies[i]))
            return err_set(e, "%s is a rule for a machine: use --nodes and --cores-per-node",
                           policy_name(s->policies[i]));
        else if (s->set.cores && policy_in_pieces(s->policies[i]))
            return err_set(e, "%s takes no notice of a machine: use --unbounded",
                           policy_name(s->policies[i]));
    if (s->set.target_wait_s > 0 && !s->has_exponent)
        s->set.lambda_exponent = 0;
    return 0;
}

int cmd_simulate(struct cli *c, int argc, char **argv)
{
    struct simulation s = {
        .set = {.policy = SIM_ASAP,
                .max_delay_s = -1,
                .lambda_ug_per_s = 0.1e6 / 3600,
                .lambda_exponent = 1,
                .overbook = 1.5,
                .seed = 1},
        .policies = {SIM_BALANCED, SIM_GREENEST},
        .n_policies = 2,
        .unit_s = 1,
        .weeks = 1,
        .core_mw = 10000,
        .bound_steps = BOUND_STEPS,
    };
    struct err e = {""};
    int o, rc;

    while ((o = cli_option(c, argc, argv, "nPo:", options)) != -1) {
        if (o == CLI_STOP)
            return c->status;
        if (table_option(&s.style, o, optarg))
            continue;
        rc = _what(&s, o, optarg, &e);
        if (rc == 0)
            rc = _how(&s, o, optarg, &e);
        if (rc < 0)
            return cli_fail(c, CLI_USAGE, "simulate: --%s: %s", _long_name(o), e.text);
    }
    if (optind < argc)
        return cli_fail(c, CLI_USAGE, "simulate takes no operand; see carnot help simulate");
    if (_complete(&s, &e) < 0)
        return cli_fail(c, CLI_USAGE, "simulate: %s", e.text);
    return simulate_report(c, &s);
}
