/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot: which word is which command. Nothing else lives here.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "carnot/cli.h"

enum group { GROUP_ALL, GROUP_OPERATORS, GROUP_ADMINS, GROUP_N };

struct command {
    const char *name;
    enum group group;
    const char *summary;
    const char *help;
    cli_command_f run;
};

static const struct command commands[] = {
    {"why", GROUP_ALL, "why a job waits, or does not", cmd_why_help, cmd_why},
    {"now", GROUP_ALL, "give up a job's wait for a greener grid", cmd_now_help, cmd_now},
    {"job", GROUP_ALL, "what a job consumed and emitted", cmd_job_help, cmd_job},
    {"jobs", GROUP_ALL, "the same for many jobs, as a table", cmd_jobs_help, cmd_jobs},
    {"forecast", GROUP_ALL, "carbon intensity of the grid from now on", cmd_forecast_help,
     cmd_forecast},
    {"status", GROUP_OPERATORS, "what is alive, and what Carnot does", cmd_status_help, cmd_status},
    {"nodes", GROUP_OPERATORS, "which nodes report, and what they draw", cmd_nodes_help, cmd_nodes},
    {"log", GROUP_OPERATORS, "what a node measured, record by record", cmd_log_help, cmd_log},
    {"budget", GROUP_OPERATORS, "list, set and remove budgets", cmd_budget_help, cmd_budget},
    {"report", GROUP_OPERATORS, "what a period used, and what waiting would have done",
     cmd_report_help, cmd_report},
    {"on", GROUP_OPERATORS, "act, everywhere or in a part", cmd_switch_help, cmd_switch},
    {"off", GROUP_OPERATORS, "only observe, everywhere or in a part", cmd_switch_help, cmd_switch},
    {"check", GROUP_ADMINS, "is everything as Carnot needs it, and what is to be done?",
     cmd_check_help, cmd_check},
    {"place", GROUP_ADMINS, "dry run: when would a job like this start?", cmd_place_help,
     cmd_place},
    {"simulate", GROUP_ADMINS, "what would each policy have saved, on your own jobs and grid?",
     cmd_simulate_help, cmd_simulate},
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *_find(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void _help(const struct cli *c)
{
    static const char *const titles[GROUP_N] = {"", "For operators:\n", "For admins:\n"};

    fputs("Usage: carnot [--conf FILE] COMMAND [OPTIONS]\n"
          "Slurm jobs that wait for greener power, within limits their owners set; and what\n"
          "every job really consumed.\n",
          c->out);
    for (int group = 0; group < GROUP_N; group++) {
        fprintf(c->out, "\n%s", titles[group]);
        for (size_t i = 0; i < N_COMMANDS; i++)
            if ((int)commands[i].group == group)
                fprintf(c->out, "  %-9s %s\n", commands[i].name, commands[i].summary);
    }
    fputs("\nEvery query takes --json. carnot help COMMAND says more; man carnot says all.\n",
          c->out);
}

static int _unknown(struct cli *c, const char *word)
{
    char quoted[ERR_QUOTE_SIZE];

    return cli_fail(c, CLI_USAGE, "no command '%s'; carnot --help lists them",
                    err_quote(quoted, sizeof(quoted), word));
}

/* carnot help [COMMAND] */
static int _help_command(struct cli *c, int argc, char **argv)
{
    const struct command *command = argc > 1 ? _find(argv[1]) : NULL;

    if (argc > 1 && !command)
        return _unknown(c, argv[1]);
    if (command)
        fputs(command->help, c->out);
    else
        _help(c);
    return CLI_DONE;
}

static int _run(struct cli *c, int argc, char **argv)
{
    const struct command *command;
    int i = 1;

    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            _help(c);
            return CLI_DONE;
        }
        if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-V") == 0) {
            fprintf(c->out, "carnot %s\n", PACKAGE_VERSION);
            return CLI_DONE;
        }
        if (strncmp(argv[i], "--conf=", 7) == 0)
            c->conf = argv[i] + 7;
        else if ((strcmp(argv[i], "--conf") == 0 || strcmp(argv[i], "-f") == 0) && i + 1 < argc)
            c->conf = argv[++i];
        else
            return cli_fail(c, CLI_USAGE,
                            "'%s' is no option here; carnot --help lists what there is", argv[i]);
    }
    if (i == argc) {
        fputs("carnot: which command? carnot --help lists them\n", c->errs);
        return CLI_USAGE;
    }
    if (strcmp(argv[i], "help") == 0)
        return _help_command(c, argc - i, argv + i);
    command = _find(argv[i]);
    if (!command)
        return _unknown(c, argv[i]);
    c->command = command->name;
    c->help = command->help;
    optind = 0; /* getopt begins anew, and forgets what a run before this one left */
    return command->run(c, argc - i, argv + i);
}

int carnot_run(struct cli *c, int argc, char **argv)
{
    int status = _run(c, argc, argv);

    /* A table cut short by a full disk must not pass for the whole of it. */
    if ((fflush(c->out) != 0 || ferror(c->out)) && status == CLI_DONE)
        return cli_fail(c, CLI_FAILED, "output: %s", strerror(errno));
    return status;
}
