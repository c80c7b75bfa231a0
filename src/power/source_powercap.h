/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAPL zones as the kernel's powercap tree shows them (Intel and AMD):
 * <sysroot>/sys/class/powercap/intel-rapl:P[:D]/{name,energy_uj,max_energy_range_uj}
 * and their memory-mapped twins intel-rapl-mmio:P.
 */
#ifndef CARNOT_POWER_SOURCE_POWERCAP_H
#define CARNOT_POWER_SOURCE_POWERCAP_H

#include "common/err.h"
#include "power/source.h"

/* Fill sources[0 .. max) with the zones of the tree, best first: packages and their
 * DRAM by MSR, then by mmio, then psys, then zones that lie inside others. Zones that cannot be
 * read now are included, with their error. Returns how many; 0 when the machine has none;
 * -1 and e when the tree is there but cannot be listed. sysroot "" is the running system. */
int source_powercap_probe(const char *sysroot, struct source sources[], int max, struct err *e);

#endif
