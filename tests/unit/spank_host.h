/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays Slurm to the built SPANK plugin: opens it as Slurm does, offers the
 * functions that it calls (the program is linked with -export-dynamic), answers
 * from a script and notes what was asked. One plugin, one thread.
 */
#ifndef CARNOT_TESTS_SPANK_HOST_H
#define CARNOT_TESTS_SPANK_HOST_H

#include <stdint.h>
#include <sys/types.h>
#include <slurm/spank.h>

#define HOST_OPTIONS 16
#define HOST_LINES 96
#define HOST_LINE 256

struct host_option {
    char name[64], arginfo[64], usage[128];
    int has_arg, val;
    spank_opt_cb_f cb;
};

struct host_lines {
    int n;
    char line[HOST_LINES][HOST_LINE];
};

struct spank_host {
    /* the script */
    spank_context_t context;
    int refuse_option; /* what spank_option_register returns */
    int refuse_items;  /* spank_get_item knows nothing, as in old releases */
    uint32_t job_id, step_id, array_id, array_task;
    uid_t uid;
    uint16_t ncpus;
    const char *cores; /* may be NULL */

    /* the notes */
    int n_options;
    struct host_option option[HOST_OPTIONS];
    struct host_lines control; /* job control environment: NAME=value, -NAME where unset */
    struct host_lines unset;   /* taken out of the task's environment */
    struct host_lines error;   /* slurm_error */
};

/* Shared with the children that host_submit makes. All zero at host_open. */
extern struct spank_host *host;

/* Open the plugin; returns 0, or -1 and prints why. */
int host_open(const char *path);

/* Call slurm_spank_<hook>; what it returned, or -1000 when the plugin has none. */
int host_call(const char *hook, int argc, char **argv);

/* Does the plugin export a symbol of this name? */
int host_exports(const char *symbol);

/*
 * A submission as sbatch (S_CTX_ALLOCATOR) or srun (S_CTX_LOCAL) does it, in a child: init, each
 * "name=value" through the option's callback, init_post_opt, exit. Returns the exit status of the
 * child: 0 when it came to its end.
 */
int host_submit(spank_context_t context, const char *const options[], int n);

#endif
