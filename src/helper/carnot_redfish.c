/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot-redfish: started by carnotd, it asks a management controller for the node's power or
 * energy (answer.h). By hand: echo | carnot-redfish --url https://HOST --credentials FILE
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "helper/answer.h"
#include "helper/redfish.h"

struct asked {
    struct redfish r;
    struct bmc *b;
    bool found; /* the path was found, not given: it may move */
};

static const struct option table[] = {
    {"url", required_argument, NULL, 'u'},  {"path", required_argument, NULL, 'p'},
    {"unit", required_argument, NULL, 'U'}, {"credentials", required_argument, NULL, 'c'},
    {"ca", required_argument, NULL, 'a'},   {"insecure", no_argument, NULL, 'i'},
    {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
};

static int _get(void *arg, int64_t until_ms, double *value, struct err *e)
{
    struct asked *a = arg;
    int rc = redfish_get(&a->r, a->b, until_ms, value, e);

    if (rc < 0 && errno == ENOENT && a->found)
        a->r.path[0] = '\0'; /* looked for anew when asked next */
    return rc;
}

static int _usage(FILE *f)
{
    (void)fputs("Usage: carnot-redfish --url https://HOST[:PORT] [--path PATH] [--unit W|J|kWh]\n"
                "           [--credentials FILE] [--ca FILE] [--insecure]\n"
                "For each line of standard input prints what the controller says, or an errno.\n",
                f);
    return f == stdout ? 0 : 2;
}

static int _run(const struct bmc_options *o, struct asked *a)
{
    struct err e = {""};
    int rc;

    a->found = !a->r.path[0];
    a->b = bmc_open(o, &e);
    if (!a->b) {
        (void)fprintf(stderr, "carnot-redfish: %s\n", e.text);
        return 1;
    }
    rc = answer_run("carnot-redfish", _get, a);
    bmc_close(a->b);
    return rc;
}

int main(int argc, char **argv)
{
    struct bmc_options o = {NULL, NULL, NULL, false};
    struct asked a = {.r = {.unit = "W"}};
    const char *path = NULL;
    struct err e = {""};
    int c;

    while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (c) {
        case 'u':
            o.url = optarg;
            break;
        case 'p':
            path = optarg;
            break;
        case 'U':
            a.r.unit = optarg;
            break;
        case 'c':
            o.credentials = optarg;
            break;
        case 'a':
            o.ca = optarg;
            break;
        case 'i':
            o.insecure = true;
            break;
        case 'h':
            return _usage(stdout);
        default:
            return _usage(stderr);
        }
    }
    if (optind != argc || !o.url ||
        (strcmp(a.r.unit, "W") != 0 && strcmp(a.r.unit, "J") != 0 && strcmp(a.r.unit, "kWh") != 0))
        return _usage(stderr);
    if (strncmp(o.url, "https://", 8) != 0 && !(o.insecure && strncmp(o.url, "http://", 7) == 0)) {
        (void)fputs("carnot-redfish: only https://, and with --insecure http://\n", stderr);
        return 2;
    }
    if (path && redfish_set_path(&a.r, path, &e) < 0) {
        (void)fprintf(stderr, "carnot-redfish: %s: %s\n", path, e.text);
        return 2;
    }
    return _run(&o, &a);
}
