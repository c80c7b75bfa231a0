/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot check: is everything as Carnot needs it? Looks, and changes nothing.
 */
#include "config.h"

#include <string.h>

#include "carnot/check.h"

const char cmd_check_help[] =
    "Usage: carnot check [-v] [--json]\n"
    "       carnot check --slurm [--plugin FILE]\n"
    "       carnot check --upgrade VERSION\n"
    "       carnot check --node[=NAME]\n"
    "Looks at Slurm's configuration, munge, clocks, versions, board, feed, ledger and rights, and\n"
    "prints what is wrong, each with its cure. Changes nothing. For admins, as root.\n"
    "  -v, --verbose      also what is right\n"
    "  --slurm            before slurm.conf is changed: would this slurmctld load the plugins?\n"
    "  --plugin FILE      with --slurm: this one instead of the installed ones\n"
    "  --upgrade VERSION  do the plugins fit that release of Slurm, as 24.11.5; what to do first\n"
    "  --node[=NAME]      on a compute node: carnotd, power, cgroups, log (NAME: Slurm's of it)\n"
    "  --json             an array of findings: level, code, what, cure\n"
    "Exit code: 0 nothing wrong, 1 warnings, 2 errors.\n";

enum { OPT_SLURM = 1, OPT_PLUGIN, OPT_UPGRADE, OPT_NODE };
static const struct option options[] = {{"verbose", no_argument, NULL, 'v'},
                                        {"slurm", no_argument, NULL, OPT_SLURM},
                                        {"plugin", required_argument, NULL, OPT_PLUGIN},
                                        {"upgrade", required_argument, NULL, OPT_UPGRADE},
                                        {"node", optional_argument, NULL, OPT_NODE},
                                        {NULL, 0, NULL, 0}};

struct wish {
    int verbose, slurm, node;
    const char *plugin, *upgrade, *node_name;
};

static void _controller(struct check *k)
{
    check_slurm_settings(k);
    check_job_submit(k);
    check_plugstack(k);
    check_gather(k);
    check_munge_slurm(k);
    check_carnotctld(k, 1);
    check_clock(k);
    if (k->configured) {
        check_board(k);
        check_ledger(k);
        check_disk(k, k->set.state_dir);
        check_disk(k, k->set.log_dir);
    }
    check_rights(k);
    check_neighbours(k);
}

static void _compute_node(struct check *k, const struct wish *w)
{
    check_plugstack(k);
    check_gather(k);
    check_munge_slurm(k);
    check_carnotctld(k, 0);
    check_clock(k);
    check_node(k, w->node_name);
}

/* The plugins alone: needs no carnot.yaml, and Slurm may be down. 0, or -1 after a message. */
static int _plugins(struct check *k, const struct wish *w)
{
    settings_init(&k->set);
    k->may_be_down = 1;
    check_slurm_source(k);
    if (w->slurm)
        check_trial(k, w->plugin);
    else if (check_upgrade(k, w->upgrade) < 0)
        return cli_fail(k->c, -1, "check: --upgrade=%.40s is no release: use 24.11 or 24.11.5",
                        w->upgrade);
    return 0;
}

static int _look(struct check *k, const struct wish *w)
{
    if (w->slurm || w->upgrade)
        return _plugins(k, w);
    check_settings(k);
    check_munge(k);
    check_slurm_source(k);
    if (w->node)
        _compute_node(k, w);
    else
        _controller(k);
    return 0;
}

static int _options(struct cli *c, int argc, char **argv, struct wish *w)
{
    int o;

    while ((o = cli_option(c, argc, argv, "v", options)) != -1) {
        switch (o) {
        case CLI_STOP:
            return -1;
        case 'v':
            w->verbose = 1;
            break;
        case OPT_SLURM:
            w->slurm = 1;
            break;
        case OPT_PLUGIN:
            w->plugin = optarg;
            break;
        case OPT_UPGRADE:
            w->upgrade = optarg;
            break;
        case OPT_NODE:
            w->node = 1;
            w->node_name = optarg;
            break;
        }
    }
    c->status = CLI_USAGE;
    if (optind < argc)
        return cli_fail(c, -1, "check takes no operand; see carnot help check");
    if (w->slurm + w->node + (w->upgrade != NULL) > 1)
        return cli_fail(c, -1, "check: one of --slurm, --upgrade, --node at a time");
    if (w->plugin && !w->slurm)
        return cli_fail(c, -1, "check: --plugin goes with --slurm");
    return 0;
}

int cmd_check(struct cli *c, int argc, char **argv)
{
    struct wish w = {0};
    struct check k = {.c = c};
    int status;

    if (_options(c, argc, argv, &w) < 0)
        return c->status;
    k.conf_path = settings_path(c->conf);
    k.findings = json_array();
    k.said = json_array();
    if (_look(&k, &w) < 0) {
        status = CLI_USAGE;
    } else {
        check_print(&k, w.verbose);
        status = check_status(&k);
    }
    slurmconf_fini(&k.slurm);
    json_decref(k.findings);
    json_decref(k.said);
    json_decref(k.status);
    return status;
}
