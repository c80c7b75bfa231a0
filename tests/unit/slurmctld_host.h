/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A slurmctld of the test's making for the job_submit plugin: its allocator and its log, the plugin
 * itself (the built one with PLUGIN_FILE, else the one linked in), boards of now, descriptions.
 */
#ifndef CARNOT_TESTS_SLURMCTLD_HOST_H
#define CARNOT_TESTS_SLURMCTLD_HOST_H

#include <time.h>
#include "board_fixture.h"
#include "compat/slurm_compat.h"

/* The plugin's entry points, after host_start. */
extern int (*host_submit)(job_desc_msg_t *, uint32_t, char **);
extern int (*host_init)(void), (*host_fini)(void);

extern char host_board[512]; /* path of the board */

static inline int64_t host_now_s(void)
{
    return time(NULL);
}

/* Lines in the log so far that hold the word: each counts that was given to host_watch. */
void host_watch(const char *word);
int host_logged(void);

/* Publish a board of now: the dip is 70 s away. */
void host_publish(struct fixture *f, uint64_t seq);

/* Load the plugin and init it; with f, when this returns a board is in force whose list is newer
 * than the plugin's start. */
void host_start(struct fixture *f);

/* One task of one minute by uid 1000, nothing else given. */
void host_job_init(job_desc_msg_t *d, char *script);
/* Free what the plugin left in them. */
void host_job_fini(job_desc_msg_t *d, char **msg);

/* Until the condition holds: 1, or 0 after ten seconds. */
int host_wait(int (*holds)(void *arg), void *arg);

#endif
