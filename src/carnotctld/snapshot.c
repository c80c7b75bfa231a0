/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking up and freeing a snapshot.
 */
#include "config.h"

#include <stdlib.h>

#include "carnotctld/snapshot.h"

struct placement_note *snapshot_note(const char *admin_comment)
{
    struct placement_note note, *copy;
    if (!admin_comment || !placement_note_parse(admin_comment, &note) ||
        !(copy = malloc(sizeof(*copy))))
        return NULL;
    *copy = note;
    return copy;
}

void snapshot_destroy(struct snapshot *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_jobs; i++) {
        free(s->jobs[i].note);
        free(s->jobs[i].licences);
        free(s->jobs[i].dependency);
    }
    free(s->jobs);
    free(s->parts);
    free(s->outages);
    free(s->usage);
    accounting_destroy(s->accounting);
    free(s);
}

static int by_id(const void *key, const void *record)
{
    uint32_t id = *(const uint32_t *)key, other = ((const struct slurm_job *)record)->job_id;
    return (id > other) - (id < other);
}

const struct slurm_job *snapshot_job(const struct snapshot *s, uint32_t job_id)
{
    return s && s->n_jobs ? bsearch(&job_id, s->jobs, s->n_jobs, sizeof(*s->jobs), by_id) : NULL;
}
