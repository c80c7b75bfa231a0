/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * getopt_long and the default of the node's name.
 */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "carnotd/options.h"
#include "common/node_event.h"
#include "common/path.h"

enum { OPT_SYSROOT = 256, OPT_ONCE, OPT_JSON, OPT_CHECK, OPT_TOPOLOGY, OPT_FORCE };

static const struct option table[] = {
    {"conf", required_argument, NULL, 'f'},
    {"node", required_argument, NULL, 'N'},
    {"verbose", no_argument, NULL, 'v'},
    {"sysroot", required_argument, NULL, OPT_SYSROOT},
    {"topology", required_argument, NULL, OPT_TOPOLOGY},
    {"once", no_argument, NULL, OPT_ONCE},
    {"json", no_argument, NULL, OPT_JSON},
    {"force", no_argument, NULL, OPT_FORCE},
    {"check-config", no_argument, NULL, OPT_CHECK},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static void _help(void)
{
    (void)fputs(
        "Usage: carnotd [-f FILE] [-N NODE] [-v] [--force]\n"
        "       carnotd --once [--json] [--sysroot DIR] [--topology FILE]\n"
        "       carnotd --check-config [-f FILE]\n"
        "\n"
        "Reads the power of this node, shares it out over its jobs, and reports to carnotctld.\n"
        "Runs in the foreground until SIGTERM; SIGHUP reads the configuration again.\n"
        "\n"
        "  -f, --conf FILE      configuration, instead of $CARNOT_CONF or the installed "
        "carnot.yaml\n"
        "  -N, --node NODE      Slurm's name of this node (default: the host's, to the first dot)\n"
        "  -v, --verbose        log more\n"
        "      --once           read every source once, print it, and end; needs no configuration\n"
        "      --json           with --once: as JSON\n"
        "      --sysroot DIR    look at the /sys and /proc below DIR\n"
        "      --topology FILE  take the machine's shape from hwloc XML\n"
        "      --force          warn of directories that others can change, instead of refusing "
        "them\n"
        "      --check-config   exit 0 when the configuration is right, else say what is not: 1\n"
        "  -h, --help\n"
        "  -V, --version\n",
        stdout);
}

static int _bad(const char *what, const char *value)
{
    (void)fprintf(stderr, "carnotd: %s%s (see carnotd --help)\n", what, value);
    return 2;
}

/* "n1.cluster.example" -> "n1" into buf. */
static void _host_name(char *buf, size_t size)
{
    char host[256] = "";

    if (gethostname(host, sizeof(host) - 1) < 0 || !host[0])
        (void)snprintf(host, sizeof(host), "localhost");
    host[strcspn(host, ".")] = '\0';
    (void)snprintf(buf, size, "%.*s", (int)(size - 1), host);
}

/* The name ends up in paths: no way through it. */
static bool _is_node_name(const char *name)
{
    static const char *const fit =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    return name[0] && name[0] != '.' && name[strspn(name, fit)] == '\0' &&
           strlen(name) < NODE_EVENT_NODE_MAX;
}

static int _take(struct options *o, int opt, const char *value)
{
    size_t n;

    switch (opt) {
    case 'f':
        o->config = value;
        break;
    case 'N':
        if (!_is_node_name(value))
            return _bad("this is no name of a node: ", value);
        (void)snprintf(o->node, sizeof(o->node), "%s", value);
        break;
    case 'v':
        o->verbose = true;
        break;
    case OPT_SYSROOT:
        if (path_format(o->sysroot, sizeof(o->sysroot), "%s", value) < 0)
            return _bad("too long for a path: ", value);
        for (n = strlen(o->sysroot); n > 0 && o->sysroot[n - 1] == '/'; n--)
            o->sysroot[n - 1] = '\0';
        break;
    case OPT_TOPOLOGY:
        o->topology = value;
        break;
    case OPT_FORCE:
        o->force = true;
        break;
    case OPT_ONCE:
        o->once = true;
        break;
    case OPT_JSON:
        o->json = true;
        break;
    case OPT_CHECK:
        o->check_config = true;
        break;
    case 'h':
        _help();
        return 0;
    case 'V':
        (void)puts("carnotd " PACKAGE_VERSION);
        return 0;
    default:
        return 2; /* getopt has said what */
    }
    return -1;
}

int options_parse(struct options *o, int argc, char **argv)
{
    char host[SETTINGS_NAME_MAX];
    int opt, rc;

    memset(o, 0, sizeof(*o));
    while ((opt = getopt_long(argc, argv, "f:N:vhV", table, NULL)) != -1) {
        rc = _take(o, opt, optarg);
        if (rc >= 0)
            return rc;
    }
    if (optind < argc)
        return _bad("unexpected argument: ", argv[optind]);
    if (o->json && !o->once)
        return _bad("--json goes with ", "--once");
    _host_name(host, sizeof(host));
    if (!o->node[0])
        (void)snprintf(o->node, sizeof(o->node), "%s", host);
    o->is_host = strcmp(o->node, host) == 0;
    return -1;
}
