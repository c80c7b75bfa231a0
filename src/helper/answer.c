/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "helper/answer.h"

/* What power/source_external.h takes, with room to spare. */
#define MOST 1e12

/* By its kind, as texts may hold times and sizes that are others each time. */
static void _tell(const char *program, int *told, int error, const char *text)
{
    if (*told != error)
        (void)fprintf(stderr, "%s: %s\n", program, error ? text : "there is a figure again");
    *told = error;
}

int answer_run(const char *program, answer_f get, void *arg)
{
    int told = 0;
    ssize_t n;
    char c;

    (void)signal(SIGPIPE, SIG_IGN); /* there may be a session to end */
    while ((n = read(STDIN_FILENO, &c, 1)) == 1 || (n < 0 && errno == EINTR)) {
        struct err e = {""};
        double value = 0;
        int rc, error;

        if (n != 1 || c != '\n')
            continue;
        errno = EIO;
        rc = get(arg, clock_mono_ms(&clock_system) + ANSWER_MS, &value, &e);
        if (rc == 0 && !(value >= 0 && value <= MOST)) { /* or no number */
            rc = err_set(&e, "%g is not believed", value);
            errno = EBADMSG;
        }
        error = rc == 0 ? 0 : errno ? errno : EIO;
        if (error)
            (void)printf("error %d\n", error);
        else
            (void)printf("%.6f\n", value);
        if (fflush(stdout) != 0)
            return 1;
        _tell(program, &told, error, e.text);
    }
    return 0;
}

bool answer_is_late(void)
{
    struct pollfd p = {STDIN_FILENO, POLLIN, 0};
    struct stat st;

    /* a pipe that was written and closed, as from a shell, still waits for its answer */
    return fstat(STDIN_FILENO, &st) == 0 && S_ISSOCK(st.st_mode) && poll(&p, 1, 0) == 1 &&
           p.revents & (POLLHUP | POLLERR);
}
