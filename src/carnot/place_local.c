/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dry run decided here, from a board file: needs no daemon and no network.
 */
#include "config.h"

#include <stdlib.h>

#include "carnot/place_local.h"
#include "carnot/show.h"
#include "placement/place_json.h"

static void _warn_age(struct cli *c, const char *path, const struct board *b)
{
    int64_t age_ms = c->now_s * 1000 - b->head.published_ms;
    char age[SHOW_SIZE], allowed[SHOW_SIZE];

    if (age_ms > b->head.max_age_ms)
        cli_warn(c, "%s is %s old; submissions obey a board for %s only", path,
                 show_span(age, sizeof(age), age_ms / 1000),
                 show_span(allowed, sizeof(allowed), b->head.max_age_ms / 1000));
}

json_t *place_local(struct cli *c, const char *path, const struct place_query *q, int *status)
{
    struct board b;
    struct err e = {""};
    struct place_answer *a = calloc(1, sizeof(*a));
    json_t *out = NULL;

    *status = CLI_FAILED;
    if (!a) {
        cli_fail(c, 0, "no memory");
        return NULL;
    }
    if (board_load(&b, path, &e) < 0) {
        cli_fail(c, 0, "%s", e.text);
        free(a);
        return NULL;
    }
    _warn_age(c, path, &b);
    if (place_run(&b, NULL, q, c->now_s, a, &e) < 0)
        *status = cli_fail(c, CLI_USAGE, "place: %s", e.text);
    else
        out = place_json(a);
    board_free(&b);
    free(a);
    return out;
}
