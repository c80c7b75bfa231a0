/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is this address that of the node? By the addresses that Slurm has for its nodes (NodeAddr and
 * NodeHostname), looked up in a thread of its own: both slurmctld and the resolver may take their
 * time. Nothing is looked up before somebody asks.
 */
#ifndef CARNOT_CARNOTCTLD_NODE_ADDRESS_H
#define CARNOT_CARNOTCTLD_NODE_ADDRESS_H

#include <netinet/in.h>
#include "common/err.h"

/* Start the thread. 0 or -1. */
int node_address_start(struct err *e);
void node_address_stop(void); /* joins; a look-up under way is waited for */

/* 1 yes; 0 no, nor of any other node if Slurm does not know it; -1 not known yet: it is being
 * looked up, ask again later. All addresses of this host are one. Main loop; does not block. */
int node_address_is(const char *node, struct in_addr address);

/* Does it say nothing of where it is from: loopback (Debian's /etc/hosts gives a host's own name
 * such an address, and munged takes that), or none? */
int node_address_is_vague(struct in_addr address);

#endif
