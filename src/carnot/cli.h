/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run of `carnot`: where it prints, what time it is, whom it asks; and
 * the commands. All of it comes from main(), so that tests bring their own.
 */
#ifndef CARNOT_CLI_H
#define CARNOT_CLI_H

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <jansson.h>
#include "common/err.h"

/* Exit codes, part of the interface. */
enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

struct cli;

/* Send a request, get the answer (new reference; may be {"ok":false,...}). 0 or -1 and e. */
typedef int (*cli_transport_f)(struct cli *c, const json_t *request, json_t **answer,
                               struct err *e);

struct cli {
    FILE *out;
    FILE *errs;
    cli_transport_f transport;
    void *transport_arg;
    const char *conf;    /* --conf, or NULL */
    const char *program; /* "carnot" */
    const char *user;    /* who runs it, by name */
    uid_t uid;
    int64_t now_s;
    int width; /* columns of out */
    int utf8;
    int colour;

    /* Of the running command: */
    const char *command; /* "job" */
    const char *help;    /* its text for --help */
    int json;            /* --json was given */
    int status;          /* what to return after CLI_STOP */
};

typedef int (*cli_command_f)(struct cli *c, int argc, char **argv);

/* Everything from the words behind the program's name to the exit code. */
int carnot_run(struct cli *c, int argc, char **argv);

/* One line on stderr: "carnot: ..."; returns status, so that a failure is one statement. */
int cli_fail(struct cli *c, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void cli_warn(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * The next option of the command, as getopt_long: -1 at the end (optind is the first operand), else
 * the option's value. Takes --json, --conf and --help itself. CLI_STOP: the command is to return
 * c->status at once; a message has been printed. Options of commands have values below CLI_JSON.
 */
int cli_option(struct cli *c, int argc, char **argv, const char *letters, const struct option *own);
enum { CLI_JSON = 0x4000, CLI_CONF, CLI_HELP, CLI_STOP };

/* Print json to c->out as --json does: keys in their order. Returns CLI_DONE. */
int cli_json(struct cli *c, const json_t *json);

/* A job as people type it: 81234, 81234_7, 81234+1, 81234.0 (a step stands for its job). */
struct cli_job {
    int64_t id;   /* of the job, or of the array; het components are counted on */
    int64_t task; /* array task, -1 = none */
};
/* 0, or -1 and a message was printed. */
int cli_job_parse(struct cli *c, const char *text, struct cli_job *out);

/* A time in the past as sacct takes it: --begin's syntax, "now-2days" and "yesterday" too;
 * an hour alone is the last one. 0, or -1 and e. */
int cli_since_parse(const char *text, int64_t now_s, int64_t *out_s, struct err *e);

int cmd_status(struct cli *c, int argc, char **argv);
int cmd_forecast(struct cli *c, int argc, char **argv);
int cmd_place(struct cli *c, int argc, char **argv);
int cmd_why(struct cli *c, int argc, char **argv);
int cmd_now(struct cli *c, int argc, char **argv);
int cmd_job(struct cli *c, int argc, char **argv);
int cmd_jobs(struct cli *c, int argc, char **argv);
int cmd_budget(struct cli *c, int argc, char **argv);
int cmd_nodes(struct cli *c, int argc, char **argv);
int cmd_log(struct cli *c, int argc, char **argv);
int cmd_switch(struct cli *c, int argc, char **argv);
int cmd_check(struct cli *c, int argc, char **argv);
int cmd_report(struct cli *c, int argc, char **argv);
int cmd_simulate(struct cli *c, int argc, char **argv);

extern const char cmd_status_help[], cmd_forecast_help[], cmd_place_help[], cmd_why_help[],
    cmd_now_help[], cmd_job_help[], cmd_jobs_help[], cmd_budget_help[], cmd_nodes_help[],
    cmd_switch_help[], cmd_check_help[], cmd_report_help[], cmd_log_help[], cmd_simulate_help[];

#endif
