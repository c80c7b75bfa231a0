/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A job's AdminComment, where every tool of the site may write: what is taken for Carnot's note is
 * in range.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "placement/placement.h"

static int _is_amount(double micro)
{
    return isfinite(micro) && micro >= 0;
}

static void _check(const struct placement_note *n)
{
    if (n->id == 0 || n->latest_s < 0 || n->begin_s < 0 || n->wait_s < 0 || n->asked_s < 0 ||
        n->done_by_s < 0 || n->code < 0 || n->code >= CODE_N || n->layer > LAYER_FLAG ||
        n->policy > POLICY_GREENEST || n->action > ACTION_TERM ||
        strnlen(n->run, sizeof(n->run)) == sizeof(n->run) || !_is_amount(n->energy_uj) ||
        !_is_amount(n->carbon_ug) || !_is_amount(n->carbon_now_ug) || !_is_amount(n->likely_ug) ||
        !_is_amount(n->likely_now_ug))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct placement_note note, untouched;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    memset(&note, 0x5a, sizeof(note));
    untouched = note;
    if (placement_note_parse(text, &note))
        _check(&note);
    else if (memcmp(&note, &untouched, sizeof(note)) != 0)
        abort();
    free(text);
    return 0;
}
