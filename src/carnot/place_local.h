/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dry run decided here, from a board file, instead of by carnotctld.
 */
#ifndef CARNOT_PLACE_LOCAL_H
#define CARNOT_PLACE_LOCAL_H

#include "carnot/cli.h"
#include "placement/place.h"

/* Read the board at path and decide. Warns when the board is too old to be obeyed by a
 * submission. A new reference, or NULL after a message; *status is the exit code then. */
json_t *place_local(struct cli *c, const char *path, const struct place_query *q, int *status);

#endif
