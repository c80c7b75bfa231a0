/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnotd --once: every source read once and shown, for admins and tests.
 */
#ifndef CARNOT_CARNOTD_ONCE_H
#define CARNOT_CARNOTD_ONCE_H

#include "carnotd/options.h"

/* Print a table, or JSON, to stdout. The exit code: 0, or 1 when it could not even look. */
int once_run(const struct options *o);

#endif
