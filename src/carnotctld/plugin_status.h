/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the plugin in slurmctld says of itself: it writes its counters beside the board.
 */
#ifndef CARNOT_CARNOTCTLD_PLUGIN_STATUS_H
#define CARNOT_CARNOTCTLD_PLUGIN_STATUS_H

#include <jansson.h>
#include "carnotctld/ctl.h"

/* The key `plugin` of the answer to "status" (docs/formats.md); null when the plugin has written
 * nothing within a minute, or something that is no such file. Reads a small file each time. */
json_t *plugin_status_json(const struct ctl *c);

#endif
