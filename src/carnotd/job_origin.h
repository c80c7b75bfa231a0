/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose job is it that has a directory in the cgroup tree, but was not announced?
 * Looks at the processes in it and at the slurmstepd above them.
 */
#ifndef CARNOT_CARNOTD_JOB_ORIGIN_H
#define CARNOT_CARNOTD_JOB_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

struct job_origin {
    bool found;   /* a process of the job was found */
    uint32_t uid; /* who it runs as */
    bool foreign; /* its slurmstepd serves another cluster than we do */
};

/* Look at the job in this cgroup directory. Where $SLURM_CONF is set for us, a job counts as
 * foreign unless its slurmstepd has the same: two clusters on one machine may have nodes of one
 * name, and so one cgroup tree. slurmstepd's environment is root's; the job's own is not believed.
 * sysroot as everywhere. Not on a tick: reads /proc. */
void job_origin_look(struct job_origin *o, const char *sysroot, const char *job_dir);

/* Does a slurmstepd of this job run on this machine, whatever its cgroup? By the name that
 * slurmstepd gives itself ("slurmstepd: [123.batch]"), of root's processes alone. For machines
 * without cgroups; looks at every process. 1 or 0. */
int job_origin_stepd_runs(const char *sysroot, uint32_t job_id);

#endif
