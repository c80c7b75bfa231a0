/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plugin inside sbatch, salloc and srun, as the user who submits.
 */
#ifndef CARNOT_PLUGIN_SUBMIT_H
#define CARNOT_PLUGIN_SUBMIT_H

#include <slurm/spank.h>

/* Before options are read: forget what an enclosing job asked for. */
void submit_init(void);

/* SPANK's callback for one option on the command line or in an #SBATCH line. Always 0: a fault is
 * remembered for submit_options_read, because Slurm adds a sentence of its own to any other value.
 */
int submit_option(int option, const char *value, int remote);

/* All options are in: check them and the CARNOT_* environment, and pass the latter on to
 * job_submit. Prints one sentence and ends the process when something is wrong. */
void submit_options_read(spank_t sp);

#endif
