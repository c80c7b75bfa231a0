/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps and their shares. A step's end is told by SPANK; where it is not, a cgroup that has gone
 * says it, and without cgroups a long silence.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "carnotd/steps.h"

#define CAPACITY_FIRST 32
#define SILENT_MS (5 * 60 * 1000)

void steps_fini(struct steps *steps)
{
    for (int i = 0; i < steps->n; i++)
        job_cpu_close(&steps->v[i].cpu);
    free(steps->v);
    memset(steps, 0, sizeof(*steps));
}

bool step_is_extern(const char *name)
{
    return strcmp(name, "extern") == 0;
}

static struct step *_find(struct steps *steps, uint32_t job_id, const char *name)
{
    for (int i = 0; i < steps->n; i++) {
        if (steps->v[i].job_id == job_id && strcmp(steps->v[i].name, name) == 0)
            return &steps->v[i];
    }
    return NULL;
}

static struct step *_add(struct steps *steps)
{
    int capacity = steps->capacity ? 2 * steps->capacity : CAPACITY_FIRST;
    struct step *v;

    if (steps->n >= STEPS_MAX) {
        errno = ENOSPC;
        return NULL;
    }
    if (steps->n == steps->capacity) {
        v = realloc(steps->v, (size_t)capacity * sizeof(*v));
        if (!v)
            return NULL;
        steps->v = v;
        steps->capacity = capacity;
    }
    v = &steps->v[steps->n++];
    memset(v, 0, sizeof(*v));
    job_cpu_init(&v->cpu);
    return v;
}

struct step *steps_take(struct steps *steps, const struct cgroup *c, const struct job *job,
                        const char *name, bool whole, int64_t t_ms)
{
    struct step *step = _find(steps, job->id, name);
    size_t n = strlen(name);

    if (!step) {
        if (n >= sizeof(step->name)) {
            errno = EINVAL;
            return NULL;
        }
        step = _add(steps);
        if (!step)
            return NULL;
        step->job_id = job->id;
        memcpy(step->name, name, n + 1);
        (void)job_cpu_update_step(&step->cpu, c, job->id, job->uid, name);
        if (!whole)
            step->mark_us = job_cpu_total_us(&step->cpu);
    }
    step->asked_ms = t_ms;
    step->over = false;
    return step;
}

static void _remove(struct steps *steps, struct step *step)
{
    job_cpu_close(&step->cpu);
    *step = steps->v[--steps->n];
}

void steps_end(struct steps *steps, uint32_t job_id, const char *name)
{
    struct step *step = _find(steps, job_id, name);

    if (step)
        _remove(steps, step);
}

void steps_end_job(struct steps *steps, uint32_t job_id)
{
    for (int i = steps->n - 1; i >= 0; i--) {
        if (steps->v[i].job_id == job_id)
            _remove(steps, &steps->v[i]);
    }
}

static bool _shares(const struct step *step, uint32_t job_id)
{
    return step->job_id == job_id && !step->over && !step_is_extern(step->name);
}

/* Weigh the steps of the job that run. How many; *sum_us: their weights. */
static int _weigh(struct steps *steps, const struct cgroup *c, const struct job *job, int64_t t_ms,
                  uint64_t *sum_us)
{
    int n = 0;

    *sum_us = 0;
    for (int i = 0; i < steps->n; i++) {
        struct step *step = &steps->v[i];
        uint64_t total_us;
        int there;

        if (!_shares(step, job->id))
            continue;
        there = job_cpu_update_step(&step->cpu, c, job->id, job->uid, step->name);
        total_us = job_cpu_total_us(&step->cpu);
        step->weight_us = total_us - step->mark_us;
        step->mark_us = total_us;
        /* what it used before it went is still weighed */
        if (!there && step->weight_us == 0 &&
            (step->cpu.known || t_ms - step->asked_ms > SILENT_MS)) {
            step->over = true;
            continue;
        }
        *sum_us += step->weight_us;
        n++;
    }
    return n;
}

uint64_t steps_share(struct steps *steps, const struct cgroup *c, const struct job *job,
                     uint64_t uj, int64_t t_ms)
{
    uint64_t whole, at = 0, before = 0, sum_us;
    int n = _weigh(steps, c, job, t_ms, &sum_us);

    if (n == 0)
        return uj;
    whole = sum_us > 0 ? sum_us : (uint64_t)n;
    for (int i = 0; i < steps->n; i++) {
        struct step *step = &steps->v[i];
        uint64_t mark;

        if (!_shares(step, job->id))
            continue;
        /* the marks telescope, so that nothing is left over */
        at += sum_us > 0 ? step->weight_us : 1;
        mark = (uint64_t)((unsigned __int128)uj * at / whole);
        step->uj += mark - before;
        before = mark;
    }
    return 0;
}
