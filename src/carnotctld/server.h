/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TCP side: accepts connections, reads frames, hands the JSON in them to ops, writes the
 * answers. Everything from the network is hostile until munge says who it is from; sizes, times
 * and numbers of connections are bounded.
 */
#ifndef CARNOT_CARNOTCTLD_SERVER_H
#define CARNOT_CARNOTCTLD_SERVER_H

#include "carnotctld/ctl.h"

int server_start(struct ctl *c, struct err *e); /* listens; 0 or -1 */
void server_stop(void);

#endif
