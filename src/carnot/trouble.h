/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong with a node's power figures, and what to do about it, as sentences.
 */
#ifndef CARNOT_CARNOT_TROUBLE_H
#define CARNOT_CARNOT_TROUBLE_H

#include <jansson.h>

#include "carnot/cli.h"

/* Is something wrong with this node, a row of op "nodes"? 1 or 0. */
int trouble_any(const json_t *node);

/* One line for each thing that is wrong with these nodes: node, source, cause and cure. */
void trouble_print(struct cli *c, const json_t *nodes);

#endif
