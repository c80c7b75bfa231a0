/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot on, carnot off: act, or only observe.
 */
#include "config.h"

#include <string.h>

#include "carnot/client.h"

const char cmd_switch_help[] =
    "Usage: carnot on|off [--partition P | --account A | --user U] [--json]\n"
    "       carnot on|off --default [--partition P | --account A | --user U]\n"
    "on: Carnot acts. off: it only observes: it decides and logs, and changes nothing. For the\n"
    "whole cluster, or a part of it; the narrowest that names a job counts: user, account,\n"
    "partition, cluster. It lasts until switched again. For operators.\n"
    "  --default   take the switch away: what is wider counts again, at last carnot.yaml\n";

static const struct option options[] = {{"partition", required_argument, NULL, 'p'},
                                        {"account", required_argument, NULL, 'A'},
                                        {"user", required_argument, NULL, 'u'},
                                        {"default", no_argument, NULL, 'd'},
                                        {NULL, 0, NULL, 0}};

int cmd_switch(struct cli *c, int argc, char **argv)
{
    const char *scope = NULL, *name = "", *mode = strcmp(argv[0], "on") == 0 ? "act" : "observe";
    json_t *request, *a;
    int o;

    while ((o = cli_option(c, argc, argv, "p:A:u:", options)) != -1) {
        if (o == CLI_STOP)
            return c->status;
        if (o == 'd') {
            mode = "default";
            continue;
        }
        if (scope)
            return cli_fail(c, CLI_USAGE, "%s: one of --partition, --account, --user at a time",
                            argv[0]);
        scope = o == 'p' ? "partition" : o == 'A' ? "account" : "user";
        name = optarg;
        if (name[0] == '\0')
            return cli_fail(c, CLI_USAGE, "%s: --%s: the name is empty", argv[0], scope);
    }
    if (optind < argc)
        return cli_fail(c, CLI_USAGE, "%s takes no operand; see carnot help %s", argv[0], argv[0]);
    scope = scope ? scope : "cluster";
    request = client_request("switch");
    json_object_set_new(request, "mode", json_string(mode));
    json_object_set_new(request, "scope", json_string(scope));
    json_object_set_new(request, "name", json_string(name));
    if (client_ask(c, json_incref(request), &a) < 0) {
        json_decref(request);
        return CLI_FAILED;
    }
    if (c->json) {
        client_strip(request);
        (void)json_object_del(request, "op");
        cli_json(c, request);
    } else {
        fprintf(c->out, "%s%s%s: %s\n", scope, name[0] ? " " : "", name,
                strcmp(mode, "act") == 0       ? "Carnot acts"
                : strcmp(mode, "observe") == 0 ? "Carnot only observes"
                                               : "no switch of its own any more");
    }
    json_decref(request);
    json_decref(a);
    return CLI_DONE;
}
