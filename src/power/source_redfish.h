/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The node's power or energy as its management controller says it over the network (Redfish). The
 * program carnot-redfish speaks to it; see src/helper.
 */
#ifndef CARNOT_POWER_SOURCE_REDFISH_H
#define CARNOT_POWER_SOURCE_REDFISH_H

#include "common/settings.h"
#include "power/source.h"

/* Are node.redfish and its siblings good together? 0, or -1 and e. */
int source_redfish_check(const struct settings *s, struct err *e);

/* Fill in at most one source, "redfish", a meter of the node, which a thread of its own asks every
 * node.redfish_interval. How many: 0 without node.redfish; -1 and e. */
int source_redfish_open(const struct settings *s, struct source sources[], int max, struct err *e);

#endif
