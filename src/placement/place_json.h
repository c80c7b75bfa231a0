/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dry run's answer and explanations as JSON: the one place that carnotctld and the command line
 * share.
 */
#ifndef CARNOT_PLACEMENT_PLACE_JSON_H
#define CARNOT_PLACEMENT_PLACE_JSON_H

#include <jansson.h>
#include "placement/place.h"

/* What op "place" answers (docs/formats.md): {"place":{...},"zone":...,"explain":{...}}; a new
 * reference, or NULL when memory is short. */
json_t *place_json(const struct place_answer *a);

/* The object "explain" in it, and in what op "why" answers. Likewise. */
json_t *explain_json(const struct explain *x);

#endif
