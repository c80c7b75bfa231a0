/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/path.h"
#include "power/child.h"
#include "power/helper.h"

#define PAUSE_MS 5000 /* before it is started again; doubled each time */
#define PAUSE_MOST_MS (5 * 60 * 1000)
#define GRACE_MS 1000
#define ERRNO_MOST 4095 /* MAX_ERRNO of linux/err.h */

struct helper {
    int fd; /* our end; -1 = it does not run */
    pid_t pid;
    int64_t pause_ms;      /* before the next start */
    int64_t not_before_ms; /* no start before that */
    int refused;           /* errno of the last start, 0 when it worked */
    char *args[HELPER_ARGS_MAX];
};

int helper_path(char path[HELPER_PATH_MAX], const char *name, struct err *e)
{
    const char *dir = getenv("CARNOT_LIBEXECDIR");

    if (path_format(path, HELPER_PATH_MAX, "%s/%s", dir && *dir ? dir : PKGLIBEXECDIR, name) < 0)
        return err_errno(e, "%s", name);
    return 0;
}

struct helper *helper_create(const char *const args[])
{
    struct helper *h = calloc(1, sizeof(*h));
    int saved;

    if (!h)
        return NULL;
    h->fd = -1;
    h->pause_ms = PAUSE_MS;
    for (int i = 0; args[i]; i++) {
        errno = E2BIG;
        h->args[i] = i + 1 < HELPER_ARGS_MAX ? strdup(args[i]) : NULL;
        if (!h->args[i]) {
            saved = errno;
            helper_destroy(h);
            errno = saved;
            return NULL;
        }
    }
    return h;
}

static void _stop(struct helper *h, bool now)
{
    if (h->fd < 0)
        return;
    (void)close(h->fd);
    h->fd = -1;
    (void)child_wait(h->pid, now, clock_mono_ms(&clock_system) + GRACE_MS);
}

/* It has to be started anew, but not at once. */
static void _fail(struct helper *h)
{
    _stop(h, true);
    h->not_before_ms = clock_mono_ms(&clock_system) + h->pause_ms;
    h->pause_ms = h->pause_ms * 2 < PAUSE_MOST_MS ? h->pause_ms * 2 : PAUSE_MOST_MS;
}

static int _start(struct helper *h)
{
    int ends[2];

    if (clock_mono_ms(&clock_system) < h->not_before_ms) {
        errno = h->refused ? h->refused : ECHILD;
        return -1;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    h->refused =
        child_spawn((const char *const *)h->args, ends[1], ends[1], &h->pid) < 0 ? errno : 0;
    (void)close(ends[1]);
    if (!h->refused) {
        h->fd = ends[0];
        return 0;
    }
    (void)close(ends[0]);
    _fail(h);
    errno = h->refused;
    return -1;
}

/* One line without its end, until the deadline. 0; -1 and errno: ETIMEDOUT, EBADMSG when it is too
 * long, ECHILD at the end. */
static int _read_line(int fd, int64_t until_ms, char *buf, size_t size)
{
    size_t used = 0;

    for (;;) {
        struct pollfd p = {fd, POLLIN, 0};
        int64_t left_ms = until_ms - clock_mono_ms(&clock_system);
        ssize_t n;

        errno = ETIMEDOUT;
        if (left_ms <= 0 || poll(&p, 1, (int)left_ms) == 0)
            return -1;
        n = recv(fd, buf + used, size - used, MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        errno = ECHILD;
        if (n <= 0)
            return -1;
        used += (size_t)n;
        if (buf[used - 1] == '\n') {
            buf[used - 1] = '\0';
            return 0;
        }
        errno = EBADMSG;
        if (used == size)
            return -1;
    }
}

/* The errno of "error N", EBADMSG for what is none; 0 when the line is another one. */
static int _error_of(const char *line)
{
    char *end;
    long n;

    if (strncmp(line, "error ", 6) != 0)
        return 0;
    n = strtol(line + 6, &end, 10);
    return *end || n < 1 || n > ERRNO_MOST ? EBADMSG : (int)n;
}

int helper_ask(struct helper *h, int64_t deadline_ms, char *buf, size_t size)
{
    int64_t until_ms = clock_mono_ms(&clock_system) + deadline_ms;
    int saved;

    if (h->fd < 0 && _start(h) < 0)
        return -1;
    errno = ECHILD;
    if (send(h->fd, "\n", 1, MSG_NOSIGNAL) != 1 || _read_line(h->fd, until_ms, buf, size) < 0) {
        saved = errno == EPIPE ? ECHILD : errno;
        _fail(h);
        errno = saved;
        return -1;
    }
    errno = _error_of(buf);
    if (errno)
        return -1;
    h->pause_ms = PAUSE_MS;
    return 0;
}

void helper_destroy(struct helper *h)
{
    if (!h)
        return;
    _stop(h, false);
    for (int i = 0; i < HELPER_ARGS_MAX; i++)
        free(h->args[i]);
    free(h);
}
