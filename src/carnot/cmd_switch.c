/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot on, carnot off: act, or only observe.
 */
#include "config.h"

#include <string.h>

#include "carnot/answer.h"
#include "carnot/client.h"
#include "carnot/show.h"

const char cmd_switch_help[] =
    "Usage: carnot on|off [--partition P | --account A | --user U] [--now] [--json]\n"
    "       carnot off --all [--now]\n"
    "       carnot on|off --default [--partition P | --account A | --user U]\n"
    "on: Carnot acts. off: it only observes: it decides and logs, and changes nothing. For the\n"
    "whole cluster, or a part of it; the narrowest that names a job counts: user, account,\n"
    "partition, cluster. It lasts until switched again. For operators.\n"
    "  --default   take the switch away: what is wider counts again, at last carnot.yaml\n"
    "  --all       (off) the cluster and every part of it that has a switch of its own\n"
    "  --now       (off) let the jobs go that wait because of Carnot, one after another over\n"
    "              policy.off_stagger, none later than it would have started\n"
    "If carnotctld does not answer, remove the board file: then every job passes unchanged.\n";

static const struct option options[] = {{"partition", required_argument, NULL, 'p'},
                                        {"account", required_argument, NULL, 'A'},
                                        {"user", required_argument, NULL, 'u'},
                                        {"default", no_argument, NULL, 'd'},
                                        {"all", no_argument, NULL, 'a'},
                                        {"now", no_argument, NULL, 'n'},
                                        {NULL, 0, NULL, 0}};

struct wish {
    const char *mode, *scope, *name; /* scope NULL: not given */
    int all, now;
};

/* 0, or the exit code in c->status and -1. */
static int _parse(struct cli *c, int argc, char **argv, struct wish *w)
{
    const char *verb = argv[0];
    int o;

    while ((o = cli_option(c, argc, argv, "p:A:u:", options)) != -1) {
        if (o == CLI_STOP)
            return -1;
        if (o == 'd') {
            w->mode = "default";
        } else if (o == 'a' || o == 'n') {
            w->all |= o == 'a';
            w->now |= o == 'n';
        } else {
            c->status = CLI_USAGE;
            if (w->scope)
                return cli_fail(c, -1, "%s: one of --partition, --account, --user at a time", verb);
            w->scope = o == 'p' ? "partition" : o == 'A' ? "account" : "user";
            w->name = optarg;
            if (w->name[0] == '\0')
                return cli_fail(c, -1, "%s: --%s: the name is empty", verb, w->scope);
        }
    }
    c->status = CLI_USAGE;
    if (optind < argc)
        return cli_fail(c, -1, "%s takes no operand; see carnot help %s", verb, verb);
    if ((w->all || w->now) && strcmp(w->mode, "observe") != 0)
        return cli_fail(c, -1, "--all and --now go with carnot off only");
    if (w->all && w->scope)
        return cli_fail(c, -1, "%s: --all is the whole cluster: leave --%s out", verb, w->scope);
    return 0;
}

static void _print(struct cli *c, const struct wish *w, const json_t *answer)
{
    char until[SHOW_SIZE];

    fprintf(c->out, "%s%s%s: %s\n", w->all ? "cluster and every part of it" : w->scope,
            w->name[0] ? " " : "", w->name,
            strcmp(w->mode, "act") == 0       ? "Carnot acts"
            : strcmp(w->mode, "observe") == 0 ? "Carnot only observes"
                                              : "no switch of its own any more");
    if (w->now)
        fprintf(c->out, "%lld waiting jobs are let go, the last one at %s at the latest\n",
                (long long)answer_integer(answer, "let_go"),
                show_clock(until, sizeof(until), answer_time(answer, "until"), c->now_s));
}

int cmd_switch(struct cli *c, int argc, char **argv)
{
    struct wish w = {.mode = strcmp(argv[0], "on") == 0 ? "act" : "observe", .name = ""};
    json_t *request, *a;

    if (_parse(c, argc, argv, &w) < 0)
        return c->status;
    w.scope = w.scope ? w.scope : "cluster";
    request = client_request("switch");
    json_object_set_new(request, "mode", json_string(w.mode));
    json_object_set_new(request, "scope", json_string(w.scope));
    json_object_set_new(request, "name", json_string(w.name));
    if (w.all)
        json_object_set_new(request, "all", json_true());
    if (w.now)
        json_object_set_new(request, "now", json_true());
    if (client_ask(c, json_incref(request), &a) < 0) {
        json_decref(request);
        return CLI_FAILED;
    }
    if (c->json) {
        client_strip(request);
        client_strip(a);
        (void)json_object_del(request, "op");
        (void)json_object_update(request, a);
        cli_json(c, request);
    } else {
        _print(c, &w, a);
    }
    json_decref(request);
    json_decref(a);
    return CLI_DONE;
}
