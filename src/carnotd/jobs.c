/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of jobs: a plain array, since a node runs some tens at most and all
 * are visited on each tick anyway.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "carnotd/jobs.h"

#define CAPACITY_FIRST 32

void jobs_fini(struct jobs *jobs)
{
    for (int i = 0; i < jobs->n; i++)
        job_cpu_close(&jobs->v[i].cpu);
    free(jobs->v);
    memset(jobs, 0, sizeof(*jobs));
}

struct job *jobs_find(struct jobs *jobs, uint32_t id)
{
    for (int i = 0; i < jobs->n; i++) {
        if (jobs->v[i].id == id)
            return &jobs->v[i];
    }
    return NULL;
}

static int _grow(struct jobs *jobs)
{
    int capacity = jobs->capacity ? 2 * jobs->capacity : CAPACITY_FIRST;
    struct job *v;

    if (jobs->n >= JOBS_MAX) {
        errno = ENOSPC;
        return -1;
    }
    v = realloc(jobs->v, (size_t)capacity * sizeof(*v));
    if (!v)
        return -1;
    jobs->v = v;
    jobs->capacity = capacity;
    return 0;
}

struct job *jobs_add(struct jobs *jobs, uint32_t id, enum job_by by)
{
    struct job *job;

    if (jobs_find(jobs, id)) {
        errno = EEXIST;
        return NULL;
    }
    if (jobs->n == jobs->capacity && _grow(jobs) < 0)
        return NULL;
    job = &jobs->v[jobs->n++];
    memset(job, 0, sizeof(*job));
    job->id = id;
    job->uid = UINT32_MAX;
    job->cpus = 1;
    job->cpus_guessed = true;
    job->by = by;
    job_cpu_init(&job->cpu);
    return job;
}

void jobs_remove(struct jobs *jobs, struct job *job)
{
    job_cpu_close(&job->cpu);
    *job = jobs->v[--jobs->n];
}

/* "0-1,3" as bits; devices beyond the 62nd are left out, since JSON's numbers have a sign. */
static uint64_t _bits(const char *list)
{
    uint64_t bits = 0;

    while (*list) {
        char *end;
        unsigned long first = strtoul(list, &end, 10), last = first;

        if (end == list)
            return bits;
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        for (unsigned long i = first; i <= last && i < 63; i++)
            bits |= UINT64_C(1) << i;
        list = *end == ',' ? end + 1 : end;
    }
    return bits;
}

void job_learn(struct job *job, const struct node_event *ev)
{
    uint32_t cores;

    if (ev->kind == NODE_EVENT_START)
        job->begun_ms = ev->t_ms;
    if (ev->gpus[0])
        job->gpus = _bits(ev->gpus);
    if (ev->uid != NODE_EVENT_UNKNOWN)
        job->uid = ev->uid;
    if (ev->ncpus != NODE_EVENT_UNKNOWN && ev->ncpus > 0) {
        job->cpus = ev->ncpus;
        job->cpus_guessed = false;
        return;
    }
    /* cores may have several CPUs each: better than nothing, and still a guess */
    cores = cgroup_count_cpus(ev->cores);
    if (job->cpus_guessed && cores > job->cpus)
        job->cpus = cores;
}

const char *job_by_name(enum job_by by)
{
    static const char *const names[] = {"spank", "log", "cgroup"};

    return (size_t)by < sizeof(names) / sizeof(names[0]) ? names[by] : "?";
}
