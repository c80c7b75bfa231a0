/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps of jobs whose slurmstepd asks for its energy (docs/formats.md), and how a job's
 * energy is shared out over those that run: by the CPU time that each used since the last time,
 * from its cgroup; in equal parts when none used any, or that cannot be read. The shares add up to
 * what the job got, to the microjoule.
 *
 * The extern step is the whole job for Slurm: it gets no share. Allocates when a step is added.
 * One thread.
 */
#ifndef CARNOT_CARNOTD_STEPS_H
#define CARNOT_CARNOTD_STEPS_H

#include <stdbool.h>
#include <stdint.h>

#include "carnotd/cgroup.h"
#include "carnotd/job_cpu.h"
#include "carnotd/jobs.h"

#define STEPS_MAX 4096

struct step {
    uint32_t job_id;
    char name[NODE_EVENT_STEP_MAX];
    struct job_cpu cpu;
    uint64_t mark_us;   /* cpu's total at the last sharing */
    uint64_t weight_us; /* used since then */
    uint64_t uj;        /* its shares so far */
    int64_t asked_ms;   /* monotonic: last question */
    bool over;          /* has gone: no shares any more, unless it asks again */
};

struct steps {
    struct step *v; /* n of them, in no order */
    int n;
    int capacity;
};

void steps_fini(struct steps *steps);

/* The step, made if it was not there; it asks now. whole: all CPU time of it counts, else only
 * what it uses from now on. NULL and errno (ENOMEM, ENOSPC). Pointers hold until the next call. */
struct step *steps_take(struct steps *steps, const struct cgroup *c, const struct job *job,
                        const char *name, bool whole, int64_t t_ms);

/* Slurm's extern step, which stands for the job. */
bool step_is_extern(const char *name);

/* Share uj out over the steps of a job that run. What is left: 0, or uj when there is none. */
uint64_t steps_share(struct steps *steps, const struct cgroup *c, const struct job *job,
                     uint64_t uj, int64_t t_ms);

/* A step, or all steps of a job, have ended. */
void steps_end(struct steps *steps, uint32_t job_id, const char *name);
void steps_end_job(struct steps *steps, uint32_t job_id);

#endif
