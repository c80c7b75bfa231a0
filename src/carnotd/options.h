/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnotd's command line.
 */
#ifndef CARNOT_CARNOTD_OPTIONS_H
#define CARNOT_CARNOTD_OPTIONS_H

#include <stdbool.h>

#include "common/settings.h"

struct options {
    const char *config; /* -f, NULL: settings_path() decides */
    char node[SETTINGS_NAME_MAX];
    bool is_host;                    /* node is this machine's own name */
    char sysroot[SETTINGS_PATH_MAX]; /* without a slash at its end; "" = the running system */
    const char *topology;            /* XML file, NULL: look at the machine */
    bool once, json, check_config, verbose, force;
};

/* Fill *o. -1: go on; else the exit code (0 after --help and --version, 2 after bad usage, which is
 * explained on stderr). */
int options_parse(struct options *o, int argc, char **argv);

#endif
