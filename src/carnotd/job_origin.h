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

#endif
