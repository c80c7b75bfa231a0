/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The node's power or energy as the outlets of PDUs measure it (SNMP). The program carnot-snmp
 * speaks to them; see src/helper.
 */
#ifndef CARNOT_POWER_SOURCE_SNMP_H
#define CARNOT_POWER_SOURCE_SNMP_H

#include "common/settings.h"
#include "power/source.h"

/* Is node.snmp a list of at most four AGENT/OID? 0, or -1 and e. */
int source_snmp_check(const struct settings *s, struct err *e);

/* What it is, as one text: "pdu-a/1.3.6.1.2,pdu-b/1.3.6.1.2"; "" for none. Returns buf. */
char *source_snmp_text(const struct settings *s, char buf[SOURCE_PATH_MAX]);

/* Fill in at most one source, "snmp", a meter of the node, which a thread of its own asks every
 * node.snmp_interval: the sum of all objects, or nothing if one of them is missing. How many: 0
 * without node.snmp; -1 and e. */
int source_snmp_open(const struct settings *s, struct source sources[], int max, struct err *e);

#endif
