/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SPANK plugin's entry points: each looks where it runs and hands over, so
 * that code for a user's sbatch (submit.c) and code that is root on a node
 * (node.c) never mix. On the node every hook returns 0: from Slurm 25.05 on
 * anything else may fail the job or drain the node.
 */
#include "config.h"

/* what Slurm looks up by name; everything else stays hidden */
#pragma GCC visibility push(default)
#include <slurm/spank.h>
SPANK_PLUGIN(carnot, 1)
extern const char carnot_version[]; /* for carnot check, which reads the file */
const char carnot_version[] = PACKAGE_VERSION;
#pragma GCC visibility pop

#include "node.h"
#include "options.h"
#include "submit.h"

int slurm_spank_init(spank_t sp, int argc, char **argv)
{
    switch (spank_context()) {
    case S_CTX_LOCAL:
    case S_CTX_ALLOCATOR:
        submit_init();
        return options_register(sp, submit_option);
    case S_CTX_REMOTE:
        /* slurmstepd meets the options again, and complains of those that nobody knows */
        (void)options_register(sp, node_option);
        node_step_begins(sp, argc, argv);
        return 0;
    default:
        return 0;
    }
}

int slurm_spank_init_post_opt(spank_t sp, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    switch (spank_context()) {
    case S_CTX_LOCAL:
    case S_CTX_ALLOCATOR:
        submit_options_read(sp);
        return 0;
    default:
        return 0;
    }
}

int slurm_spank_job_prolog(spank_t sp, int argc, char **argv)
{
    node_job_begins(sp, argc, argv);
    return 0;
}

int slurm_spank_task_init(spank_t sp, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (spank_context() == S_CTX_REMOTE)
        node_task_environment(sp);
    return 0;
}

int slurm_spank_exit(spank_t sp, int argc, char **argv)
{
    if (spank_context() == S_CTX_REMOTE)
        node_step_ends(sp, argc, argv);
    return 0;
}

int slurm_spank_job_epilog(spank_t sp, int argc, char **argv)
{
    node_job_ends(sp, argc, argv);
    return 0;
}
