/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot budget: grants of energy or carbon to accounts and users.
 */
#include "config.h"

#include <string.h>

#include "carnot/answer.h"
#include "carnot/budget_table.h"
#include "carnot/client.h"
#include "carnot/table.h"
#include "common/units.h"

const char cmd_budget_help[] =
    "Usage: carnot budget [list [SCOPE [NAME]]] [-n] [-P] [-o COLUMNS] [--units U] [--json]\n"
    "       carnot budget set SCOPE NAME (--energy E | --carbon M) --period P\n"
    "       carnot budget remove SCOPE NAME [--energy | --carbon]\n"
    "Grants of energy or carbon, and what is left of them. SCOPE is account or user.\n"
    "Jobs that need more than what is left are refused. set and remove are for operators.\n"
    "  --energy E     500kWh, 1.5MWh, 18MJ\n"
    "  --carbon M     200kg, 1.2t\n"
    "  --period P     day, week, month, once: when it begins anew\n"
    "  -n, -P         no header; fields joined by |\n"
    "  -o COLUMNS     of scope, name, period, and for energy kWh, used-kWh, held-kWh, left-kWh,\n"
    "                 over-kWh, left%, renews; for carbon the same with kg. Used: charged so far.\n"
    "                 Held: reserved by live jobs. Over: beyond what a job had reserved\n"
    "  --units U      of energy: kWh, MJ, J (CARNOT_UNITS)\n";

enum { OPT_ENERGY = 1, OPT_CARBON, OPT_PERIOD, OPT_UNITS };

struct budget_args {
    const char *energy, *carbon; /* amount; "" where only named */
    const char *period, *units;
    struct table_style style;
};

/* "set" and "remove" share words but not their values. */
static int _parse(struct cli *c, int argc, char **argv, int values, struct budget_args *args)
{
    const struct option options[] = {
        {"energy", values ? required_argument : no_argument, NULL, OPT_ENERGY},
        {"carbon", values ? required_argument : no_argument, NULL, OPT_CARBON},
        {"period", required_argument, NULL, OPT_PERIOD},
        {"units", required_argument, NULL, OPT_UNITS},
        TABLE_OPTIONS,
        {NULL, 0, NULL, 0}};
    int o;

    while ((o = cli_option(c, argc, argv, "nPo:", options)) != -1) {
        if (o == CLI_STOP)
            return -1;
        if (o == OPT_ENERGY)
            args->energy = values ? optarg : "";
        else if (o == OPT_CARBON)
            args->carbon = values ? optarg : "";
        else if (o == OPT_PERIOD)
            args->period = optarg;
        else if (o == OPT_UNITS)
            args->units = optarg;
        else
            (void)table_option(&args->style, o, optarg);
    }
    return 0;
}

/* SCOPE NAME behind the verb. 0, or -1 after a message. */
static int _target(struct cli *c, int argc, char **argv, const char **scope, const char **name)
{
    char quoted[ERR_QUOTE_SIZE];

    if (argc - optind != 3) {
        cli_fail(c, 0, "budget %s: account or user, and its name; see carnot help budget",
                 argv[optind]);
        return -1;
    }
    *scope = argv[optind + 1];
    *name = argv[optind + 2];
    if (strcmp(*scope, "account") != 0 && strcmp(*scope, "user") != 0) {
        cli_fail(c, 0, "budget: no scope '%s'; accepted: account, user",
                 err_quote(quoted, sizeof(quoted), *scope));
        return -1;
    }
    if ((*name)[0] == '\0') {
        cli_fail(c, 0, "budget: the name of the %s is empty", *scope);
        return -1;
    }
    return 0;
}

/* The rows that match (NULL: any); a new reference, or NULL after a message. */
static json_t *_list(struct cli *c, const char *scope, const char *name, const char *resource)
{
    json_t *a, *rows, *row;
    size_t i;

    if (client_ask(c, client_request("budget.list"), &a) < 0)
        return NULL;
    rows = json_array();
    json_array_foreach(json_object_get(a, "budgets"), i, row)
    {
        if (budget_row_is(row, "scope", scope) && budget_row_is(row, "name", name) &&
            budget_row_is(row, "resource", resource))
            json_array_append(rows, row);
    }
    json_decref(a);
    return rows;
}

static int _do_list(struct cli *c, int argc, char **argv, const struct budget_args *args)
{
    const char *scope = argc - optind > 1 ? argv[optind + 1] : NULL;
    const char *name = argc - optind > 2 ? argv[optind + 2] : NULL;
    json_t *rows;
    int status;

    if (argc - optind > 3)
        return cli_fail(c, CLI_USAGE, "budget list: a scope and a name at most");
    if (args->energy || args->carbon || args->period)
        return cli_fail(c, CLI_USAGE, "budget list takes no amount and no period");
    rows = _list(c, scope, name, NULL);
    if (!rows)
        return CLI_FAILED;
    status = c->json ? cli_json(c, rows) : budget_table(c, rows, args->units, &args->style);
    json_decref(rows);
    return status;
}

/* What is in force after a change. */
static int _in_force(struct cli *c, const char *scope, const char *name, const char *resource)
{
    json_t *rows = _list(c, scope, name, resource), *row;

    if (!rows)
        return CLI_FAILED;
    row = json_array_get(rows, 0);
    if (row && c->json)
        cli_json(c, row);
    else if (row)
        budget_sentence(c, row);
    json_decref(rows);
    return row ? CLI_DONE
               : cli_fail(c, CLI_FAILED, "budget set was accepted, but is not in the list");
}

/* --energy or --carbon as the server takes it, into request. 0, or -1 after a message. */
static int _amount(struct cli *c, const struct budget_args *args, json_t *request)
{
    int energy = args->energy != NULL;
    uint64_t amount = 0;
    struct err e = {""};

    if (energy == (args->carbon != NULL))
        return cli_fail(c, -1,
                        "budget set: either --energy E or --carbon M; see carnot help budget");
    if ((energy ? units_parse_energy(args->energy, &amount, &e)
                : units_parse_mass(args->carbon, &amount, &e)) < 0)
        return cli_fail(c, -1, "budget set: --%s: %s", energy ? "energy" : "carbon", e.text);
    if (amount > INT64_MAX)
        return cli_fail(c, -1, "budget set: --%s: more than can be counted (%s)",
                        energy ? "energy" : "carbon", energy ? "2.5 GWh" : "9.2 kt");
    json_object_set_new(request, energy ? "amount_uj" : "amount_ug",
                        json_integer((json_int_t)amount));
    json_object_set_new(request, "resource", json_string(energy ? "energy" : "carbon"));
    return 0;
}

static int _period(struct cli *c, const char *period)
{
    static const char *const known[] = {"day", "week", "month", "once"};
    char quoted[ERR_QUOTE_SIZE];

    if (!period)
        return cli_fail(c, -1, "budget set: --period is missing: day, week, month or once");
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(period, known[i]) == 0)
            return 0;
    return cli_fail(c, -1, "budget set: --period=%s: accepted: day, week, month, once",
                    err_quote(quoted, sizeof(quoted), period));
}

static int _do_set(struct cli *c, int argc, char **argv, const struct budget_args *args)
{
    const char *scope, *name;
    json_t *request, *a;

    if (_target(c, argc, argv, &scope, &name) < 0 || _period(c, args->period) < 0)
        return CLI_USAGE;
    request = client_request("budget.set");
    json_object_set_new(request, "scope", json_string(scope));
    json_object_set_new(request, "name", json_string(name));
    json_object_set_new(request, "period", json_string(args->period));
    if (_amount(c, args, request) < 0) {
        json_decref(request);
        return CLI_USAGE;
    }
    if (client_ask(c, request, &a) < 0)
        return CLI_FAILED;
    json_decref(a);
    return _in_force(c, scope, name, args->energy ? "energy" : "carbon");
}

/* Where neither --energy nor --carbon says which, there must be one only. */
static const char *_which(struct cli *c, const char *scope, const char *name)
{
    json_t *rows = _list(c, scope, name, NULL);
    size_t n = json_array_size(rows);
    int energy = n > 0 && budget_row_is(json_array_get(rows, 0), "resource", "energy");

    if (!rows)
        return NULL;
    json_decref(rows);
    if (n == 0)
        cli_fail(c, 0, "%s %s has no budget; carnot budget list shows all", scope, name);
    else if (n > 1)
        cli_fail(c, 0, "%s %s has two budgets: say --energy or --carbon", scope, name);
    return n != 1 ? NULL : energy ? "energy" : "carbon";
}

static int _do_remove(struct cli *c, int argc, char **argv, const struct budget_args *args)
{
    const char *scope, *name, *resource;
    json_t *request, *a;

    if (_target(c, argc, argv, &scope, &name) < 0)
        return CLI_USAGE;
    if ((args->energy && args->carbon) || args->period)
        return cli_fail(c, CLI_USAGE, "budget remove: --energy or --carbon, and no period");
    resource = args->energy ? "energy" : args->carbon ? "carbon" : _which(c, scope, name);
    if (!resource)
        return CLI_FAILED;
    request = client_request("budget.remove");
    json_object_set_new(request, "scope", json_string(scope));
    json_object_set_new(request, "name", json_string(name));
    json_object_set_new(request, "resource", json_string(resource));
    if (client_ask(c, request, &a) < 0)
        return CLI_FAILED;
    client_strip(a);
    if (c->json)
        cli_json(c, a);
    else
        fprintf(c->out, "%s %s has no %s budget any more: its jobs are not limited by one\n", scope,
                name, resource);
    json_decref(a);
    return CLI_DONE;
}

/* The first operand, which decides how --energy is to be read. */
static const char *_verb(int argc, char **argv)
{
    static const char *const verbs[] = {"list", "set", "remove"};

    for (int i = 1; i < argc; i++)
        for (size_t v = 0; v < sizeof(verbs) / sizeof(verbs[0]); v++)
            if (strcmp(argv[i], verbs[v]) == 0)
                return verbs[v];
    return "list";
}

int cmd_budget(struct cli *c, int argc, char **argv)
{
    const char *verb = _verb(argc, argv);
    struct budget_args args = {0};
    char quoted[ERR_QUOTE_SIZE];

    if (_parse(c, argc, argv, strcmp(verb, "remove") != 0, &args) < 0)
        return c->status;
    if (optind < argc && strcmp(argv[optind], verb) != 0)
        return cli_fail(c, CLI_USAGE, "budget: no verb '%s'; accepted: list, set, remove",
                        err_quote(quoted, sizeof(quoted), argv[optind]));
    if (strcmp(verb, "set") == 0)
        return _do_set(c, argc, argv, &args);
    if (strcmp(verb, "remove") == 0)
        return _do_remove(c, argc, argv, &args);
    return _do_list(c, argc, argv, &args);
}
