/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fork, exec, two pipes and a deadline; see the header.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <linux/close_range.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carnot/child.h"
#include "common/clock.h"
#include "common/path.h"

struct stream {
    int fd;
    char *text;
    size_t n, max;
};

/* What happens in the child; never returns. The pipe tells the parent why exec failed. */
static void __attribute__((noreturn))
_become(const struct child_order *o, int out, int errs, int failed)
{
    static const struct rlimit none = {0, 0};
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC), saved;

    (void)setpgid(0, 0);
    (void)setrlimit(RLIMIT_CORE, &none);
    for (const char *const *p = o->env; p && *p; p++)
        (void)putenv((char *)(uintptr_t)*p);
    /* what was open in whoever started us is nobody's business there */
    (void)close_range(CHILD_KEEP, ~0u, CLOSE_RANGE_CLOEXEC);
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        dup2(errs, STDERR_FILENO) >= 0 &&
        (o->keep_fd < 0 || (o->keep_fd == CHILD_KEEP ? fcntl(CHILD_KEEP, F_SETFD, 0)
                                                     : dup2(o->keep_fd, CHILD_KEEP)) >= 0))
        (void)execvp(o->argv[0], (char *const *)(uintptr_t)o->argv);
    saved = errno;
    if (write(failed, &saved, sizeof(saved)) < 0) {
        /* the exit code says it too */
    }
    _exit(127);
}

/* Read what is there; closes the stream at its end. */
static void _drain(struct stream *s)
{
    char block[4096];
    ssize_t n = read(s->fd, block, sizeof(block));

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        (void)close(s->fd);
        s->fd = -1;
        return;
    }
    if ((size_t)n > s->max - s->n)
        n = (ssize_t)(s->max - s->n);
    memcpy(s->text + s->n, block, (size_t)n);
    s->n += (size_t)n;
}

/* Until both streams are closed: 0; -1 when the time is over. */
static int _listen(struct stream s[2], int64_t deadline_ms)
{
    while (s[0].fd >= 0 || s[1].fd >= 0) {
        struct pollfd p[2] = {{.fd = s[0].fd, .events = POLLIN}, {.fd = s[1].fd, .events = POLLIN}};
        int64_t left_ms = deadline_ms - clock_mono_ms(&clock_system);

        if (left_ms <= 0)
            return -1;
        if (poll(p, 2, (int)left_ms) < 0 && errno != EINTR)
            return -1;
        for (int i = 0; i < 2; i++)
            if (s[i].fd >= 0 && (p[i].revents & (POLLIN | POLLHUP | POLLERR)))
                _drain(&s[i]);
    }
    return 0;
}

/* A child may close its output and live on. */
static int _wait(pid_t pid, int64_t deadline_ms, int late)
{
    int status;

    for (;;) {
        pid_t got = waitpid(pid, &status, late ? 0 : WNOHANG);

        if (got == pid)
            break;
        if (got < 0 && errno != EINTR)
            return -1;
        if (got == 0 && clock_mono_ms(&clock_system) >= deadline_ms)
            late = 1;
        if (late)
            (void)kill(-pid, SIGKILL);
        else if (got == 0)
            (void)usleep(2000);
    }
    if (late)
        return -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static pid_t _start(const struct child_order *o, struct stream s[2], int *failed)
{
    int pipes[3][2];
    pid_t pid;
    int n = 0, saved;

    for (; n < 3; n++)
        if (pipe2(pipes[n], O_CLOEXEC) < 0)
            break;
    pid = n == 3 ? fork() : -1;
    if (pid == 0) {
        /* low numbers are about to be taken by dup2 */
        int out = fcntl(pipes[0][1], F_DUPFD_CLOEXEC, 10);
        int errs = fcntl(pipes[1][1], F_DUPFD_CLOEXEC, 10);
        int why = fcntl(pipes[2][1], F_DUPFD_CLOEXEC, 10);

        _become(o, out, errs, why);
    }
    saved = errno;
    for (int i = 0; i < n; i++) {
        (void)close(pipes[i][1]);
        if (pid < 0)
            (void)close(pipes[i][0]);
    }
    errno = saved;
    if (pid < 0)
        return -1;
    (void)setpgid(pid, pid); /* whoever is first */
    s[0].fd = pipes[0][0];
    s[1].fd = pipes[1][0];
    *failed = pipes[2][0];
    return pid;
}

int child_run(const struct child_order *o, struct child_result *r, struct err *e)
{
    int64_t deadline_ms = clock_mono_ms(&clock_system) + o->timeout_ms;
    struct stream s[2] = {{.fd = -1, .max = o->output_max}, {.fd = -1, .max = o->output_max}};
    int failed = -1, problem = 0, late;
    pid_t pid = -1;

    *r = (struct child_result){0};
    s[0].text = r->out = calloc(1, o->output_max + 1);
    s[1].text = r->errs = calloc(1, o->output_max + 1);
    if (r->out && r->errs)
        pid = _start(o, s, &failed);
    if (pid < 0) {
        problem = errno;
        child_fini(r);
        errno = problem;
        return err_errno(e, "cannot run %s", o->argv[0]);
    }
    late = _listen(s, deadline_ms) < 0;
    if (late)
        (void)kill(-pid, SIGKILL);
    r->status = _wait(pid, deadline_ms, late);
    for (int i = 0; i < 2; i++)
        if (s[i].fd >= 0)
            (void)close(s[i].fd);
    if (read(failed, &problem, sizeof(problem)) != sizeof(problem))
        problem = 0;
    (void)close(failed);
    if (problem == 0)
        return 0;
    child_fini(r);
    errno = problem;
    return err_errno(e, "cannot run %s", o->argv[0]);
}

void child_fini(struct child_result *r)
{
    free(r->out);
    free(r->errs);
    *r = (struct child_result){0};
}

char *child_why(const struct child_result *r, char *buf, size_t size)
{
    size_t n = strcspn(r->errs, "\n");

    if (r->status == -1)
        (void)snprintf(buf, size, "it did not end in time");
    else if (n > 0)
        (void)snprintf(buf, size, "%.*s", (int)n, r->errs);
    else if (r->status > 128)
        (void)snprintf(buf, size, "it crashed (%s)", strsignal(r->status - 128));
    else
        (void)snprintf(buf, size, "it ended with exit code %d", r->status);
    return buf;
}

static int __attribute__((noreturn)) _try_to_read(const char *path, const struct passwd *pw)
{
    if (initgroups(pw->pw_name, pw->pw_gid) < 0 || setgid(pw->pw_gid) < 0 || setuid(pw->pw_uid) < 0)
        _exit(2);
    _exit(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) >= 0 ? 0 : 1);
}

int child_can_read(const char *path, uid_t uid)
{
    const struct passwd *pw;
    int status;
    pid_t pid;

    if (uid == geteuid())
        return access(path, R_OK) == 0;
    pw = geteuid() == 0 ? getpwuid(uid) : NULL;
    if (!pw)
        return -1;
    pid = fork();
    if (pid == 0)
        _try_to_read(path, pw);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) > 1)
        return -1;
    return WEXITSTATUS(status) == 0;
}

int child_find(char *buf, size_t size, const char *name, const char *sibling, const char *installed)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (n > 0) {
        self[n] = '\0';
        if (path_format(buf, size, "%s/%s%s", dirname(self), sibling, name) == 0 &&
            access(buf, X_OK) == 0)
            return 0;
    }
    return path_format(buf, size, "%s/%s", installed, name) == 0 && access(buf, X_OK) == 0 ? 0 : -1;
}
