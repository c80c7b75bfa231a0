/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

#include "common/clock.h"
#include "power/child.h"

int child_spawn(const char *const args[], int in, int out, pid_t *pid)
{
    static char *const environment[] = {(char *)(uintptr_t) "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                                        (char *)(uintptr_t) "LC_ALL=C", NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    int rc;

    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)posix_spawn_file_actions_init(&files);
    if (in < 0)
        (void)posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    else
        (void)posix_spawn_file_actions_adddup2(&files, in, 0);
    (void)posix_spawn_file_actions_adddup2(&files, out, 1);
    (void)posix_spawnattr_init(&attr);
    (void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_RESETIDS | POSIX_SPAWN_SETPGROUP |
                                              POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    (void)posix_spawnattr_setsigmask(&attr, &none);
    (void)posix_spawnattr_setsigdefault(&attr, &all);
    rc = posix_spawn(pid, args[0], &files, &attr, (char *const *)(uintptr_t)args, environment);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&files);
    errno = rc;
    return rc ? -1 : 0;
}

int child_wait(pid_t pid, bool kill_now, int64_t until_ms)
{
    const struct timespec pause = {0, 5 * 1000 * 1000};
    int status = -1;
    pid_t done = 0;

    while (!kill_now && done == 0 && clock_mono_ms(&clock_system) < until_ms) {
        done = waitpid(pid, &status, WNOHANG);
        if (done == 0)
            (void)nanosleep(&pause, NULL);
    }
    if (done == 0) {
        (void)kill(-pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    return status;
}
