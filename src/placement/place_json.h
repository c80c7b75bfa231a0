/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dry run's answer as JSON: the one place that carnotctld and the command line share.
 */
#ifndef CARNOT_PLACEMENT_PLACE_JSON_H
#define CARNOT_PLACEMENT_PLACE_JSON_H

#include <jansson.h>
#include "placement/place.h"

/* What op "place" answers (docs/formats.md):
 * {"place":{...},"end":...,"zone":...,"window":[...],"alternatives":[...]}; a new reference, or
 * NULL when memory is short. */
json_t *place_json(const struct place_answer *a);

#endif
