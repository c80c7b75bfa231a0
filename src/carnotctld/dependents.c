/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's dependency text ("afterok:17(unfulfilled),after:18+5,singleton"), read for the ids in it
 * and nothing else: whether they are all needed or one will do is Slurm's to know, and the latest
 * of them is the safe guess.
 */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/dependents.h"
#include "carnotctld/runs.h"

#define DEPTH_MAX 8
#define UNLIMITED_S (365 * 86400LL)

struct parent {
    uint32_t job_id;
    int at_start; /* its start is enough */
};

/* The next parent behind *text, which moves on: 1, or 0 at the end. *at_start is the kind of the
 * clause that the text is in. */
static int next_parent(const char **text, int *at_start, struct parent *out)
{
    const char *p = *text;
    while (*p) {
        if (isalpha((unsigned char)*p)) {
            size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz");
            *at_start = n == strlen("after") && strncmp(p, "after", n) == 0;
            p += n;
        } else if (*p == '(') {
            p += strcspn(p, ")");
        } else if (*p == ':' && isdigit((unsigned char)p[1])) {
            char *end;
            unsigned long id = strtoul(p + 1, &end, 10);
            end += strspn(end, "+_0123456789");
            *text = end;
            *out = (struct parent){id > UINT32_MAX ? 0 : (uint32_t)id, *at_start};
            return 1;
        } else {
            p++;
        }
    }
    return 0;
}

static int64_t eligible(const struct ctl *c, const struct slurm_job *job, int depth);

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When this parent lets go. */
static int64_t lets_go(const struct ctl *c, const struct parent *p, int depth)
{
    const struct slurm_job *job = snapshot_job(c->snap, p->job_id);
    int64_t now_s = ctl_now_s(c), start_s;
    if (!job || job->phase == PHASE_ENDED)
        return now_s;
    if (job->phase == PHASE_PENDING) {
        const struct ledger_job *row = runs_newest(c, p->job_id);
        start_s = later(later(now_s, job->start_s), row && !row->released ? row->planned_s : 0);
        if (job->dependency && depth < DEPTH_MAX)
            start_s = later(start_s, eligible(c, job, depth + 1));
    } else {
        start_s = job->start_s;
    }
    if (p->at_start)
        return later(start_s, now_s);
    return later(start_s + (job->limit_s ? job->limit_s : UNLIMITED_S), now_s);
}

static int64_t eligible(const struct ctl *c, const struct slurm_job *job, int depth)
{
    int64_t at_s = ctl_now_s(c);
    const char *text = job->dependency;
    int at_start = 0;
    struct parent p;
    while (text && next_parent(&text, &at_start, &p))
        at_s = later(at_s, lets_go(c, &p, depth));
    return at_s;
}

int64_t dependents_eligible_s(const struct ctl *c, const struct slurm_job *job)
{
    return eligible(c, job, 0);
}

int64_t dependents_spent_s(const struct ctl *c, const struct slurm_job *job, int64_t at_least_s)
{
    int64_t spent_s = at_least_s;
    const char *text = job->dependency;
    int at_start = 0;
    struct parent p;
    while (text && next_parent(&text, &at_start, &p)) {
        const struct ledger_job *row = runs_newest(c, p.job_id);
        if (row)
            spent_s = later(spent_s, row->spent_s + row->delay_s);
    }
    return spent_s;
}
