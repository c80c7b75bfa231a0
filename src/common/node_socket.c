/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every wait ends at a time that the caller names, whatever interrupts it.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/node_socket.h"

#define RETRY_MS 5
#define WAIT_MAX_MS 1000

/* The path with %n replaced. 0, or -1 when it does not fit or no name is known. */
static int _expand(char *buf, size_t size, const char *path, const char *node)
{
    size_t used = 0;

    for (; *path; path++) {
        bool is_node = path[0] == '%' && path[1] == 'n';
        const char *part = is_node ? node : path;
        size_t n = is_node ? strlen(node) : 1;

        if ((is_node && n == 0) || used + n >= size) {
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(buf + used, part, n);
        used += n;
        path += is_node;
    }
    buf[used] = '\0';
    if (used > 0)
        return 0;
    errno = ENOENT;
    return -1;
}

static int _address(struct sockaddr_un *to, const char *path, const char *node)
{
    if (!path || !*path)
        path = NODE_SOCKET_DEFAULT;
    memset(to, 0, sizeof(*to));
    to->sun_family = AF_UNIX;
    return _expand(to->sun_path, sizeof(to->sun_path), path, node);
}

/* connect() to a full queue says EAGAIN and nothing can be waited for: try again until end_ms. */
static int _connect(int fd, const struct sockaddr_un *to, int64_t end_ms)
{
    const struct timespec pause = {0, RETRY_MS * 1000000};

    while (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0) {
        if ((errno != EAGAIN && errno != EINTR) || clock_mono_ms(&clock_system) >= end_ms)
            return -1;
        (void)nanosleep(&pause, NULL);
    }
    return 0;
}

int node_socket_open(const char *path, const char *node, int64_t end_ms)
{
    struct sockaddr_un to;
    int fd, saved;

    if (_address(&to, path, node) < 0)
        return -1;
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || _connect(fd, &to, end_ms) == 0)
        return fd;
    saved = errno;
    (void)close(fd);
    errno = saved;
    return -1;
}

/* Until fd is ready or the time is over; 0 or -1. */
static int _wait(int fd, short events, int64_t end_ms)
{
    int64_t left_ms = end_ms - clock_mono_ms(&clock_system);
    struct pollfd p = {.fd = fd, .events = events};

    if (left_ms <= 0) {
        errno = ETIMEDOUT;
        return -1;
    }
    (void)poll(&p, 1, left_ms < WAIT_MAX_MS ? (int)left_ms : WAIT_MAX_MS);
    return 0;
}

int node_socket_send(int fd, const char *text, size_t len, int64_t end_ms)
{
    while (send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        if ((errno != EAGAIN && errno != EINTR) || _wait(fd, POLLOUT, end_ms) < 0)
            return -1;
    }
    return 0;
}

ssize_t node_socket_receive(int fd, char *buf, size_t size, int64_t end_ms)
{
    ssize_t n;

    /* MSG_TRUNC: the length that the message has, not what fitted */
    while ((n = recv(fd, buf, size, MSG_DONTWAIT | MSG_TRUNC)) < 0) {
        if ((errno != EAGAIN && errno != EINTR) || _wait(fd, POLLIN, end_ms) < 0)
            return -1;
    }
    return n;
}
