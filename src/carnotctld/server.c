/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One bufferevent a connection, in the main loop. munged answers within a millisecond; it is asked
 * in line.
 *
 * Anybody can connect. So connections stand in the order in which they last got somewhere (came, or
 * had a request served), and when there are too many, or too much lies in their buffers, the one
 * that got nowhere for longest goes: who asks and reads the answer is never crowded out by who does
 * not. A request is read when the answer before has gone out.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/resource.h>

#include "carnotctld/ops.h"
#include "carnotctld/server.h"
#include "common/channel.h"
#include "common/log.h"

#define CONNECTIONS_MAX 1024
#define DESCRIPTORS_KEPT 64 /* for ledger, board, logs, libslurm and munge */
#define BUFFERED_MAX (64u << 20)
#define IDLE_TIMEOUT_S 15

/* One connection; freed by close_connection. */
struct connection {
    struct ctl *ctl;
    struct in_addr far;
    struct bufferevent *bev;
    size_t buffered; /* as counted in server.buffered */
    TAILQ_ENTRY(connection) next;
};

static struct {
    struct evconnlistener *listener;
    TAILQ_HEAD(, connection) connections; /* the one that got nowhere for longest comes first */
    int n, max;
    size_t buffered; /* bytes in all of their buffers */
} server = {.connections = TAILQ_HEAD_INITIALIZER(server.connections)};

static void close_connection(struct connection *conn)
{
    TAILQ_REMOVE(&server.connections, conn, next);
    server.buffered -= conn->buffered;
    server.n--;
    bufferevent_free(conn->bev);
    free(conn);
}

/* Close who got nowhere until the rest fits. Returns whether keep, which may be NULL, is still
 * there. */
static int make_room(int max, const struct connection *keep)
{
    int kept = 1;
    while (server.n > max || server.buffered > BUFFERED_MAX) {
        struct connection *first = TAILQ_FIRST(&server.connections);
        kept &= first != keep;
        log_debug("too many connections, or too much in them: one is closed");
        close_connection(first);
    }
    return kept;
}

static void got_somewhere(struct connection *conn)
{
    TAILQ_REMOVE(&server.connections, conn, next);
    TAILQ_INSERT_TAIL(&server.connections, conn, next);
}

/* Count what lies in the buffers now. Returns whether the connection is still there. */
static int count_buffered(struct connection *conn)
{
    size_t now = evbuffer_get_length(bufferevent_get_input(conn->bev)) +
                 evbuffer_get_length(bufferevent_get_output(conn->bev));
    server.buffered += now - conn->buffered;
    conn->buffered = now;
    return make_room(server.max, conn);
}

static int send_answer(struct connection *conn, uid_t uid, const json_t *answer)
{
    char *cred = NULL;
    struct err e = {.text = ""};
    if (channel_seal(conn->ctl->set.munge_socket, uid, answer, &cred, &e) < 0) {
        log_err("munge: %s", e.text);
        return -1;
    }
    size_t len = strlen(cred);
    uint32_t header = htonl((uint32_t)len);
    int rc = bufferevent_write(conn->bev, &header, sizeof(header)) == 0 &&
                     bufferevent_write(conn->bev, cred, len) == 0
                 ? 0
                 : -1;
    free(cred);
    return rc;
}

static int serve(struct connection *conn, const char *cred, size_t len)
{
    json_t *request = NULL;
    struct channel_peer peer;
    struct err e = {.text = ""};
    if (channel_open(conn->ctl->set.munge_socket, cred, len, &request, &peer, &e) < 0) {
        log_debug("a request was refused: %s", e.text);
        return -1; /* nobody to answer to: only a credential says who asks */
    }
    peer.far = conn->far;
    json_t *answer = ops_answer(conn->ctl, request, &peer);
    json_decref(request);
    int rc = answer ? send_answer(conn, peer.uid, answer) : -1;
    json_decref(answer);
    return rc;
}

/* Serve what has come whole, as far as the answers go out. 0, or -1 when the connection is no good.
 */
static int serve_frames(struct connection *conn)
{
    struct evbuffer *in = bufferevent_get_input(conn->bev);
    while (evbuffer_get_length(bufferevent_get_output(conn->bev)) == 0) {
        uint32_t header;
        if (evbuffer_copyout(in, &header, sizeof(header)) < (ev_ssize_t)sizeof(header))
            return 0;
        size_t len = ntohl(header);
        if (len == 0 || len > CHANNEL_FRAME_MAX)
            return -1;
        if (evbuffer_get_length(in) < sizeof(header) + len)
            return 0;
        evbuffer_drain(in, sizeof(header));
        unsigned char *cred = evbuffer_pullup(in, (ev_ssize_t)len);
        if (!cred || serve(conn, (const char *)cred, len) < 0)
            return -1;
        evbuffer_drain(in, len);
        got_somewhere(conn);
    }
    return 0;
}

/* Something came, or the last answer has gone out. */
static void on_progress(struct bufferevent *bev, void *arg)
{
    struct connection *conn = arg;
    (void)bev;
    if (serve_frames(conn) < 0)
        close_connection(conn);
    else
        count_buffered(conn);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT))
        close_connection(arg);
}

static struct connection *new_connection(struct ctl *c, evutil_socket_t fd)
{
    struct connection *conn = calloc(1, sizeof(*conn));
    if (!conn)
        return NULL;
    conn->ctl = c;
    conn->bev = bufferevent_socket_new(c->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!conn->bev) {
        free(conn);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&server.connections, conn, next);
    server.n++;
    return conn;
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *addr, int len,
                      void *arg)
{
    struct timeval timeout = {IDLE_TIMEOUT_S, 0};
    (void)l;
    make_room(server.max - 1, NULL);
    struct connection *conn = new_connection(arg, fd);
    if (!conn) {
        evutil_closesocket(fd);
        return;
    }
    if (len == sizeof(struct sockaddr_in)) /* AF_INET is what we listen on */
        conn->far = ((const struct sockaddr_in *)(const void *)addr)->sin_addr;
    bufferevent_setcb(conn->bev, on_progress, on_progress, on_event, conn);
    bufferevent_set_timeouts(conn->bev, &timeout, &timeout);
    bufferevent_setwatermark(conn->bev, EV_READ, 0, CHANNEL_FRAME_MAX + 4);
    bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
}

/* Connections must leave descriptors for the rest: without one no board could be written. */
static int connections_max(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur >= CONNECTIONS_MAX + DESCRIPTORS_KEPT)
        return CONNECTIONS_MAX;
    return r.rlim_cur > 2 * DESCRIPTORS_KEPT ? (int)r.rlim_cur - DESCRIPTORS_KEPT
                                             : DESCRIPTORS_KEPT;
}

int server_start(struct ctl *c, struct err *e)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    char port[16];
    snprintf(port, sizeof(port), "%d", c->set.controller.port);
    int rc = getaddrinfo(c->set.controller.host, port, &hints, &found);
    if (rc != 0)
        return err_set(e, "controller.host %s: %s", c->set.controller.host, gai_strerror(rc));
    server.max = connections_max();
    server.listener = evconnlistener_new_bind(
        c->base, on_accept, c, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
        128, found->ai_addr, (int)found->ai_addrlen);
    freeaddrinfo(found);
    if (!server.listener)
        return err_errno(e, "cannot listen on %s port %d", c->set.controller.host,
                         c->set.controller.port);
    return 0;
}

void server_stop(void)
{
    while (!TAILQ_EMPTY(&server.connections))
        close_connection(TAILQ_FIRST(&server.connections));
    if (server.listener)
        evconnlistener_free(server.listener);
    server.listener = NULL;
}
