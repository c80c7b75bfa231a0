/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnotd as a daemon: its parts, started in order and stopped in the reverse, and the loop that
 * drives them.
 */
#ifndef CARNOT_CARNOTD_DAEMON_H
#define CARNOT_CARNOTD_DAEMON_H

#include "carnotd/options.h"

/* Run until SIGTERM or SIGINT. The exit code: 0 after an orderly end, 1 when it could not start. */
int daemon_run(const struct options *o);

#endif
