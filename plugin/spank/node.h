/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plugin on a compute node, as root: tells carnotd when jobs and steps
 * begin and end. Nothing here can fail a job; each call returns within
 * NODE_TELL_LIMIT_MS plus scheduling.
 */
#ifndef CARNOT_PLUGIN_NODE_H
#define CARNOT_PLUGIN_NODE_H

#include <slurm/spank.h>

#define NODE_TELL_LIMIT_MS 200

/*
 * argv are the plugin's arguments in plugstack.conf: socket=PATH, where %n stands for the node's
 * name. Without it $CARNOTD_SOCKET, without that the default (common/node_socket.h). Seen on 22.05:
 * prolog and epilog run in a slurmstepd whose environment Slurm has emptied (SLURMD_NODENAME is
 * there, CARNOTD_SOCKET is not), so a socket elsewhere, or several slurmd on a host, need socket=.
 */
void node_job_begins(spank_t sp, int argc, char **argv);  /* prolog */
void node_step_begins(spank_t sp, int argc, char **argv); /* init in slurmstepd */
void node_step_ends(spank_t sp, int argc, char **argv);   /* exit in slurmstepd */
void node_job_ends(spank_t sp, int argc, char **argv);    /* epilog */

/* Take out of a task's environment what a submission inside it would inherit. Runs as the user. */
void node_task_environment(spank_t sp);

/* SPANK's callback in slurmstepd: the options were for job_submit. 0. */
int node_option(int option, const char *value, int remote);

#endif
