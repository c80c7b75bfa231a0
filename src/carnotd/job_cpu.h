/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPU time of one job, out of its cgroup, as a number that only grows:
 * also when Slurm removes the job's directory between two steps and makes it anew, when it counts
 * from 0 again. The last value read is kept when the directory is gone.
 */
#ifndef CARNOT_CARNOTD_JOB_CPU_H
#define CARNOT_CARNOTD_JOB_CPU_H

#include "carnotd/cgroup.h"

struct job_cpu {
    int fd;           /* of the file that is there now, -1 for none */
    bool known;       /* was ever read */
    bool resumed;     /* base_us is an earlier run's sum, and no file was read since */
    uint64_t base_us; /* of directories that are gone */
    uint64_t last_us; /* of the present one */
};

void job_cpu_init(struct job_cpu *j);
/* Go on from the sum of an earlier run of the daemon. A file that holds less belongs to a
 * directory that was made anew meanwhile: how much of it is in the sum cannot be told, so that
 * counting goes on from there. */
void job_cpu_resume(struct job_cpu *j, uint64_t total_us);
void job_cpu_close(struct job_cpu *j);

/* Read it if it can be read; opens the file when it has appeared. 1 when there was a file, 0
 * when there is none now. No allocation. */
int job_cpu_update(struct job_cpu *j, const struct cgroup *c, uint32_t job_id, uint32_t uid);
/* The same of one step of the job, by the name that Slurm gives its directory: "0", "batch". */
int job_cpu_update_step(struct job_cpu *j, const struct cgroup *c, uint32_t job_id, uint32_t uid,
                        const char *step);

/* All CPU time so far, microseconds. */
uint64_t job_cpu_total_us(const struct job_cpu *j);

#endif
