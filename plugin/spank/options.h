/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of options (placement/request.h) as SPANK options, and the names
 * under which Slurm carries their values from one process to the next.
 */
#ifndef CARNOT_PLUGIN_OPTIONS_H
#define CARNOT_PLUGIN_OPTIONS_H

#include <stddef.h>
#include <slurm/spank.h>

#define OPTIONS_NAME_SIZE 96

/* Only from slurm_spank_init. cb gets the enum request_option as its value. 0, or Slurm's error. */
int options_register(spank_t sp, spank_opt_cb_f cb);

/*
 * Variable number i, counted from 0, in which a job's environment carries what was asked for this
 * job on to whatever is submitted inside it: buf, or NULL behind the last one. Seen on 22.05:
 *   _SLURM_SPANK_OPTION_carnot_carbon_delay               set by sbatch, salloc, srun themselves
 *   SLURM_SPANK__SLURM_SPANK_OPTION_carnot_carbon_delay   the same, from the job's spank_job_env
 *   SLURM_SPANK_CARNOT_CARBON_DELAY                       from spank_job_control_setenv
 * The user's own CARNOT_CARBON_DELAY is not among them: it is meant to reach every job.
 */
const char *options_leak(char *buf, size_t size, size_t i);

#endif
