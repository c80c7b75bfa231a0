/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accept, check who it is, take one message, answer if it is a question, close. A peer that says
 * nothing is dropped after a second; messages are small and whole, so that nothing is ever half
 * read. Each kind of complaint is logged once.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "carnotd/job_socket.h"
#include "common/log.h"
#include "common/path.h"

#define BACKLOG 64
static const struct timeval peer_limit = {1, 0};

static void _drop(struct job_socket_peer *peer)
{
    if (peer->event)
        event_free(peer->event);
    if (peer->fd >= 0)
        (void)close(peer->fd);
    peer->event = NULL;
    peer->fd = -1;
    /* room again for those who wait in the backlog */
    if (peer->socket && peer->socket->full) {
        peer->socket->full = false;
        (void)event_add(peer->socket->event, NULL);
    }
}

/* node as the message names it, "" where it does not */
static bool _is_for_us(struct job_socket *s, const char *node)
{
    if (!node[0] || strcmp(node, s->node) == 0)
        return true;
    if (!s->said_node)
        log_warn("%s: messages for node %s, and this is %s (see -N): ignored", s->path, node,
                 s->node);
    s->said_node = true;
    return false;
}

static void _take_message(struct job_socket *s, const char *text, size_t size)
{
    struct node_event ev;
    struct err e;

    if (node_event_parse(&ev, text, size, &e) < 0) {
        if (!s->said_message)
            log_warn("%s: a message is not understood: %s", s->path, e.text);
        s->said_message = true;
        return;
    }
    if (_is_for_us(s, ev.node))
        s->cb(&ev, s->arg);
}

/* A question is answered at once or not at all: whoever asks does not wait for long. */
static void _answer(struct job_socket *s, int fd, const char *text, size_t size)
{
    char reply[ENERGY_MESSAGE_MAX + 1];
    struct energy_query query;
    struct energy_answer answer;
    struct err e;
    int n;

    if (energy_query_parse(&query, text, size, &e) < 0) {
        if (!s->said_message)
            log_warn("%s: a question is not understood: %s", s->path, e.text);
        s->said_message = true;
        return;
    }
    if (!_is_for_us(s, query.node))
        return;
    s->ask(&query, &answer, s->arg);
    n = energy_answer_format(reply, sizeof(reply), &answer);
    if (n > 0)
        (void)!send(fd, reply, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void _on_peer(evutil_socket_t fd, short what, void *arg)
{
    struct job_socket_peer *peer = arg;
    char text[NODE_EVENT_MAX + 1];
    ssize_t n = -1;

    /* one byte more than is allowed, so that a longer message is seen to be one */
    if (what & EV_READ)
        n = recv(fd, text, sizeof(text), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR) && (what & EV_READ))
        return;
    if (n > 0 && peer->socket->ask && energy_query_is(text, (size_t)n)) {
        _answer(peer->socket, fd, text, (size_t)n);
        n = 0;
    }
    _drop(peer);
    if (n > 0)
        _take_message(peer->socket, text, (size_t)n);
}

static bool _is_root(struct job_socket *s, int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == 0)
        return true;
    if (!s->said_uid)
        log_warn("%s: refused a process that is not root's", s->path);
    s->said_uid = true;
    return false;
}

static struct job_socket_peer *_free_peer(struct job_socket *s)
{
    for (int i = 0; i < JOB_SOCKET_PEERS; i++) {
        if (s->peers[i].fd < 0)
            return &s->peers[i];
    }
    return NULL;
}

static void _on_connection(evutil_socket_t fd, short what, void *arg)
{
    struct job_socket *s = arg;
    struct job_socket_peer *peer = _free_peer(s);
    int peer_fd;

    (void)what;
    if (!peer) {
        s->full = true;
        (void)event_del(s->event);
        return;
    }
    peer_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (peer_fd < 0)
        return;
    if (!_is_root(s, peer_fd)) {
        (void)close(peer_fd);
        return;
    }
    peer->socket = s;
    peer->fd = peer_fd;
    peer->event =
        event_new(event_get_base(s->event), peer_fd, EV_READ | EV_PERSIST, _on_peer, peer);
    if (!peer->event || event_add(peer->event, &peer_limit) < 0) {
        _drop(peer);
        return;
    }
    /* the message is nearly always there already */
    _on_peer(peer_fd, EV_READ, peer);
}

/* A socket file of an earlier run is in the way; anything else at that path is not ours. */
static int _remove_stale(const struct sockaddr_un *address, struct err *e)
{
    struct stat st;
    int fd, rc;

    if (lstat(address->sun_path, &st) < 0)
        return errno == ENOENT ? 0 : err_errno(e, "cannot look at %s", address->sun_path);
    if (!S_ISSOCK(st.st_mode)) {
        errno = EEXIST;
        return err_set(e, "%s is there and is no socket", address->sun_path);
    }
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_errno(e, "cannot make a socket");
    rc = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    if (rc < 0 && errno == EACCES)
        (void)err_errno(e, "cannot find out who listens on %s", address->sun_path);
    (void)close(fd);
    if (rc < 0 && errno == EACCES)
        return -1;
    if (rc == 0 || errno == EAGAIN) {
        errno = EADDRINUSE;
        return err_set(e, "another carnotd listens on %s", address->sun_path);
    }
    if (unlink(address->sun_path) < 0 && errno != ENOENT)
        return err_errno(e, "cannot remove %s", address->sun_path);
    return 0;
}

static int _listen(const char *path, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char dir[sizeof(address.sun_path)];
    mode_t mask;
    char *slash;
    int fd, rc;

    if (path_format(address.sun_path, sizeof(address.sun_path), "%s", path) < 0)
        return err_errno(e, "socket %s", path);
    memcpy(dir, address.sun_path, sizeof(dir));
    slash = strrchr(dir, '/');
    if (slash && slash != dir) {
        *slash = '\0';
        if (path_mkdirs(dir, 0755, e) < 0)
            return -1;
    }
    if (_remove_stale(&address, e) < 0)
        return -1;
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_errno(e, "cannot make a socket");
    mask = umask(0177);
    rc = bind(fd, (const struct sockaddr *)&address, sizeof(address));
    (void)umask(mask);
    if (rc < 0 || listen(fd, BACKLOG) < 0) {
        (void)err_errno(e, "cannot listen on %s", path);
        (void)close(fd);
        return -1;
    }
    return fd;
}

int job_socket_open(struct job_socket *s, struct event_base *base, const char *path,
                    const char *node, job_socket_cb cb, void *arg, struct err *e)
{
    memset(s, 0, sizeof(*s));
    for (int i = 0; i < JOB_SOCKET_PEERS; i++)
        s->peers[i].fd = -1;
    s->node = node;
    s->cb = cb;
    s->arg = arg;
    s->fd = _listen(path, e);
    if (s->fd < 0)
        return -1;
    (void)path_format(s->path, sizeof(s->path), "%s", path);
    s->event = event_new(base, s->fd, EV_READ | EV_PERSIST, _on_connection, s);
    if (s->event && event_add(s->event, NULL) == 0)
        return 0;
    job_socket_close(s);
    errno = ENOMEM;
    return err_errno(e, "cannot watch %s", path);
}

void job_socket_close(struct job_socket *s)
{
    s->full = false;
    for (int i = 0; i < JOB_SOCKET_PEERS; i++)
        _drop(&s->peers[i]);
    if (s->event)
        event_free(s->event);
    s->event = NULL;
    if (s->fd >= 0) {
        (void)close(s->fd);
        (void)unlink(s->path);
    }
    s->fd = -1;
}
