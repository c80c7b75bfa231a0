/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The jobs that a simulation replays, from a file of any of these formats, told apart by content
 * and not by name (docs/formats.md):
 *
 *   SWF     Parallel Workloads Archive: lines of at least 18 numbers, comments with ;
 *   CSV     a header with submit_s,run_s,cores and any of limit_s,user,name,id, in any order; or
 *           with arrival_time,length,cpus, both times in units of unit_s
 *   sacct   what sacct --parsable2 prints, with its header: JobIDRaw or JobID, Submit, ElapsedRaw
 *           or Elapsed or Start and End, TimelimitRaw or Timelimit, AllocCPUS or NCPUS or
 *           AllocTRES, User, JobName, State; rows of steps are no jobs
 *
 * Files compressed with gzip are read as they are.
 */
#ifndef CARNOT_SIMULATE_WORKLOAD_H
#define CARNOT_SIMULATE_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>
#include "common/err.h"

#define WORKLOAD_JOBS_MAX 20000000 /* a small compressed file can unfold into anything */

struct sim_job {
    int64_t submit_s; /* on the workload's own clock; sorted, stable */
    int64_t run_s;    /* > 0; may be above limit_s: not every site ends jobs there */
    int64_t limit_s;  /* requested; 0 = the workload does not say */
    uint32_t cores;   /* > 0 */
    uint32_t user;    /* numbered from 0 in order of appearance; all 0 where there are none */
    uint32_t key;     /* same user and job name (SWF: executable number), numbered likewise */
    uint64_t id;      /* as the file says, else the row's number from 1 */
};

struct workload {
    struct sim_job *jobs; /* owned */
    size_t n;             /* >= 1 */
    size_t dropped;       /* rows without a run time or cores: cancelled before they ran, broken */
    uint32_t n_users, n_keys;
    int has_users, has_limits; /* does any job have one? */
};

/* Read path. unit_s: the seconds in one unit of arrival_time and length, 3600 where they are
 * hours; > 0. 0, or -1 (EINVAL, ENOMEM, EFBIG, or what the file system says), e "FILE:LINE: ..."
 * with what was expected, and *w untouched; a file in which no job ran is an error too. What *w
 * held before is overwritten, not freed. Blocks on the disk; memory grows with the jobs, not with
 * the bytes of the file. */
int workload_load(struct workload *w, const char *path, double unit_s, struct err *e);

void workload_fini(struct workload *w); /* legal on a zeroed workload; leaves it zeroed */

#endif
