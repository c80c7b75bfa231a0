/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user's own watts are always taken out where the licence is Carnot's: what a job asks for is
 * what it is priced for, no less (it would slip under its budget) and no more.
 */
#include "config.h"

#include <math.h>

#include "common/licences.h"
#include "watts.h"

#define LICENCES_MAX 2048

int watts_join(const char *licences, uint32_t w, char **out)
{
    char joined[LICENCES_MAX];
    if (licences_set(licences, BOARD_WATTS, w, joined, sizeof(joined)) < 0)
        return -1;
    *out = joined[0] ? slurm_xstrdup(joined) : NULL;
    return 0;
}

uint32_t watts_needed(const struct board *b, const struct placement_job *job,
                      const struct placement_decision *d)
{
    double w = ceil(d->price.power_w);
    if (b->head.watts_total == 0 || d->mode != 1 || !placement_native(b, job))
        return 0;
    if (!(w >= 1))
        return 1;
    return w < b->head.watts_total ? (uint32_t)w : b->head.watts_total;
}

int watts_apply(const struct board *b, const struct placement_job *job,
                const struct placement_decision *d, job_desc_msg_t *desc, struct err *e)
{
    uint32_t w = watts_needed(b, job, d);
    char *joined = NULL;
    if (b->head.watts_total == 0 || d->mode != 1)
        return 0;
    if (w == 0 && licences_count(desc->licenses, BOARD_WATTS) == 0)
        return 0;
    if (watts_join(desc->licenses, w, &joined) < 0)
        return w == 0 ? 0
                      : err_set(e, "the budget of the account counts watts as a licence, which "
                                   "cannot be joined to a choice of licences: ask for one of them "
                                   "instead of '|'");
    slurm_xfree((void **)&desc->licenses);
    desc->licenses = joined;
    return 0;
}
