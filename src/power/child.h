/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that a source runs, never with more rights than carnotd goes on with
 * (POSIX_SPAWN_RESETIDS). No shell; an environment of PATH and LC_ALL alone; a process group
 * of their own, which is killed whole. For a slow_reader's thread: waits.
 */
#ifndef CARNOT_POWER_CHILD_H
#define CARNOT_POWER_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Start args[0] with these arguments (NULL behind the last), in as its standard input (-1:
 * /dev/null) and out as its standard output. 0 and *pid, or -1 and errno. */
int child_spawn(const char *const args[], int in, int out, pid_t *pid);

/* Wait for its end until until_ms of clock_system's monotonic clock; then, or at once with
 * kill_now, kill it and its children. Its status as of waitpid(). */
int child_wait(pid_t pid, bool kill_now, int64_t until_ms);

#endif
