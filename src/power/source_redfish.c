/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "power/helper.h"
#include "power/source_external.h"
#include "power/source_redfish.h"

static const char *_host_of(const char *url)
{
    return strncmp(url, "https://", 8) == 0  ? url + 8
           : strncmp(url, "http://", 7) == 0 ? url + 7
                                             : "";
}

int source_redfish_check(const struct settings *s, struct err *e)
{
    const char *url = s->node.redfish, *host = _host_of(url), *p = host;
    char quoted[ERR_QUOTE_SIZE];

    if (!url[0])
        return 0;
    for (; *p; p++) {
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]%", *p))
            break;
    }
    /* a name and password in it would be for all to see */
    if (!*host || *p)
        return err_set(e,
                       "node.redfish: '%s' is not good here: use https://HOST or "
                       "https://HOST:PORT, and node.redfish_path for a path",
                       err_quote(quoted, sizeof(quoted), url));
    if (strncmp(url, "http:", 5) == 0 && !s->node.redfish_insecure)
        return err_set(e,
                       "node.redfish: '%s' would send the password in clear: use https://, or "
                       "node.redfish_insecure: true",
                       err_quote(quoted, sizeof(quoted), url));
    return 0;
}

int source_redfish_open(const struct settings *s, struct source sources[], int max, struct err *e)
{
    const struct source_external x = {false, s->node.redfish, s->node.redfish_unit, "node",
                                      s->node.redfish_interval_ms};
    const char *args[HELPER_ARGS_MAX] = {NULL};
    char program[HELPER_PATH_MAX];
    int n = 0;

    if (!s->node.redfish[0] || max < 1)
        return 0;
    if (source_redfish_check(s, e) < 0 || helper_path(program, "carnot-redfish", e) < 0)
        return -1;
    args[n++] = program;
    args[n++] = "--url";
    args[n++] = s->node.redfish;
    args[n++] = "--unit";
    args[n++] = s->node.redfish_unit;
    if (s->node.redfish_path[0]) {
        args[n++] = "--path";
        args[n++] = s->node.redfish_path;
    }
    if (s->node.redfish_credentials[0]) {
        args[n++] = "--credentials";
        args[n++] = s->node.redfish_credentials;
    }
    if (s->node.redfish_ca[0]) {
        args[n++] = "--ca";
        args[n++] = s->node.redfish_ca;
    }
    if (s->node.redfish_insecure)
        args[n++] = "--insecure";
    return source_external_open_helper(&x, "redfish", args, sources, e) < 0 ? -1 : 1;
}
