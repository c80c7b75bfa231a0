/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking up and freeing a snapshot.
 */
#include "config.h"

#include <stdlib.h>

#include "carnotctld/snapshot.h"

void snapshot_destroy(struct snapshot *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_jobs; i++) {
        free(s->jobs[i].admin_comment);
        free(s->jobs[i].dependency);
    }
    free(s->jobs);
    free(s->parts);
    free(s->outages);
    free(s->usage);
    accounting_destroy(s->accounting);
    free(s);
}

const struct slurm_job *snapshot_job(const struct snapshot *s, uint32_t job_id)
{
    size_t low = 0, high = s ? s->n_jobs : 0;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->jobs[mid].job_id < job_id)
            low = mid + 1;
        else
            high = mid;
    }
    return s && low < s->n_jobs && s->jobs[low].job_id == job_id ? &s->jobs[low] : NULL;
}
