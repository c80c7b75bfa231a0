/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The node's power as its baseboard management controller says it: DCMI's Get Power Reading over
 * the kernel's IPMI device.
 */
#ifndef CARNOT_POWER_SOURCE_IPMI_H
#define CARNOT_POWER_SOURCE_IPMI_H

#include "power/source.h"

/* Find /dev/ipmi0 (or /dev/ipmi/0, /dev/ipmidev/0) below sysroot and start a thread that asks its
 * controller every period_ms; it may take seconds to answer, and is asked once more when it has not
 * after five. Fills in at most one source, "ipmi:dcmi", a meter of the node. How many; -1 and e
 * without memory or threads. A device that may not be opened is a source that is missing if it is
 * wanted, and no source if not. */
int source_ipmi_open(const char *sysroot, int64_t period_ms, bool wanted, struct source sources[],
                     int max, struct err *e);

#endif
