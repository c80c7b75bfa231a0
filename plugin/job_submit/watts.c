/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user's own watts are always taken out where the licence is Carnot's: what a job asks for is
 * what it is priced for, no less (it would slip under its budget) and no more.
 */
#include "config.h"

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

/* Replace the description's licences. 0, or -1 and a sentence. */
static int set_watts(job_desc_msg_t *desc, uint32_t w, struct err *e)
{
    char *joined = NULL;
    if (watts_join(desc->licenses, w, &joined) < 0)
        return w == 0 ? 0
                      : err_set(e, "the budget of the account counts watts as a licence, which "
                                   "cannot be joined to a choice of licences: ask for one of them "
                                   "instead of '|'");
    slurm_xfree((void **)&desc->licenses);
    desc->licenses = joined;
    return 0;
}

int watts_apply(const struct board *b, const struct placement_job *job,
                const struct placement_decision *d, job_desc_msg_t *desc, struct err *e)
{
    uint32_t w = placement_watts(b, job, d->price.power_w, d->mode);
    if (b->head.watts_total == 0 || d->mode != 1)
        return 0;
    if (w == 0 && licences_count(desc->licenses, BOARD_WATTS) == 0)
        return 0;
    return set_watts(desc, w, e);
}

int watts_change(const struct board *b, const struct placement_change *change, job_desc_msg_t *desc,
                 struct err *e)
{
    uint32_t w;
    if (!desc->licenses || b->head.watts_total == 0)
        return 0;
    if (placement_change_watts(b, change, &w) < 0)
        return err_set(e, "this job is too new for other licences: try again in a few seconds");
    if (set_watts(desc, w, e) < 0)
        return -1;
    if (!desc->licenses) /* of an update, none at all is "": NULL leaves them as they are */
        desc->licenses = slurm_xstrdup("");
    return 0;
}
