/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where Slurm puts the jobs of this node in the cgroup tree, found by looking:
 * v1 <mount>/cpuacct/slurm_<node>/uid_U/job_J (or plain "slurm"), v2
 * .../<node>_slurmstepd.scope/job_J (or plain "slurmstepd.scope"). With several slurmd on one
 * machine only this node's tree counts, and that there are others is remembered.
 *
 * Reads only. No allocation. One thread.
 */
#ifndef CARNOT_CARNOTD_CGROUP_H
#define CARNOT_CARNOTD_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "power/cpu_busy.h"

#define CGROUP_PATH_MAX 384

struct cgroup {
    char sysroot[CGROUP_PATH_MAX / 2];
    char node[64];
    char mount[CGROUP_PATH_MAX]; /* of the hierarchy with the CPU time */
    char root[CGROUP_PATH_MAX];  /* the directory above this node's jobs; "" not found (yet) */
    enum cpu_busy_kind kind;     /* of the jobs' files: CPU_BUSY_CPUACCT or _CPU_STAT; _NONE */
    bool others;                 /* trees of other nodes' slurmd were seen */
};

/* Look for the hierarchy and the root below sysroot. Finding none is no error: look again later,
 * slurmd makes its tree when it starts. */
void cgroup_init(struct cgroup *c, const char *sysroot, const char *node);

/* Look (again). Returns 1 when there is a root now, else 0. */
int cgroup_look(struct cgroup *c);

/* Is this node's tree still where it was? 1 or 0. */
int cgroup_is_there(const struct cgroup *c);

/* dir is the job's directory; uid is (uint32_t)-1 where the path does not tell. */
typedef void (*cgroup_job_cb)(uint32_t job_id, uint32_t uid, const char *dir, void *arg);

/* Call back for each job that has a directory now. How many, or -1 and errno. */
int cgroup_list(const struct cgroup *c, cgroup_job_cb cb, void *arg);

/* The directory that a job has or would have. 0, or -1 when that cannot be told (no root; v1 and no
 * uid). */
int cgroup_job_dir(const struct cgroup *c, uint32_t job_id, uint32_t uid, char *buf, size_t size);

/* How many CPUs the job's cpuset allows it; 0 when it is not confined to some. */
uint32_t cgroup_job_cpus(const struct cgroup *c, const char *job_dir);

/* "0-3,8" -> 5; 0 for what is no such list. Pure. */
uint32_t cgroup_count_cpus(const char *list);

#endif
