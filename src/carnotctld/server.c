/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One bufferevent a connection, in the main loop. munged answers within a millisecond; it is asked
 * in line.
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

#include "carnotctld/ops.h"
#include "carnotctld/server.h"
#include "common/channel.h"
#include "common/log.h"

#define CONNECTIONS_MAX 1024
#define IDLE_TIMEOUT_S 15

static struct evconnlistener *listener;
static int n_connections;

/* One connection; freed by close_connection. */
struct connection {
    struct ctl *ctl;
    struct bufferevent *bev;
};

static void close_connection(struct connection *conn)
{
    bufferevent_free(conn->bev);
    free(conn);
    n_connections--;
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
    json_t *answer = ops_answer(conn->ctl, request, &peer);
    json_decref(request);
    int rc = answer ? send_answer(conn, peer.uid, answer) : -1;
    json_decref(answer);
    return rc;
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct connection *conn = arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    for (;;) {
        uint32_t header;
        if (evbuffer_get_length(in) < sizeof(header))
            return;
        evbuffer_copyout(in, &header, sizeof(header));
        size_t len = ntohl(header);
        if (len == 0 || len > CHANNEL_FRAME_MAX) {
            close_connection(conn);
            return;
        }
        if (evbuffer_get_length(in) < sizeof(header) + len)
            return;
        evbuffer_drain(in, sizeof(header));
        unsigned char *cred = evbuffer_pullup(in, (ev_ssize_t)len);
        if (!cred || serve(conn, (const char *)cred, len) < 0) {
            close_connection(conn);
            return;
        }
        evbuffer_drain(in, len);
    }
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT))
        close_connection(arg);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *addr, int len,
                      void *arg)
{
    struct timeval timeout = {IDLE_TIMEOUT_S, 0};
    struct connection *conn = NULL;
    (void)l;
    (void)addr;
    (void)len;
    if (n_connections < CONNECTIONS_MAX)
        conn = calloc(1, sizeof(*conn));
    if (!conn) {
        evutil_closesocket(fd);
        return;
    }
    conn->ctl = arg;
    conn->bev = bufferevent_socket_new(conn->ctl->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!conn->bev) {
        evutil_closesocket(fd);
        free(conn);
        return;
    }
    n_connections++;
    bufferevent_setcb(conn->bev, on_read, NULL, on_event, conn);
    bufferevent_set_timeouts(conn->bev, &timeout, &timeout);
    bufferevent_setwatermark(conn->bev, EV_READ, 0, CHANNEL_FRAME_MAX + 4);
    bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
}

int server_start(struct ctl *c, struct err *e)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    char port[16];
    snprintf(port, sizeof(port), "%d", c->set.controller.port);
    int rc = getaddrinfo(c->set.controller.host, port, &hints, &found);
    if (rc != 0)
        return err_set(e, "controller.host %s: %s", c->set.controller.host, gai_strerror(rc));
    listener = evconnlistener_new_bind(
        c->base, on_accept, c, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
        128, found->ai_addr, (int)found->ai_addrlen);
    freeaddrinfo(found);
    if (!listener)
        return err_errno(e, "cannot listen on %s port %d", c->set.controller.host,
                         c->set.controller.port);
    return 0;
}

void server_stop(void)
{
    if (listener)
        evconnlistener_free(listener);
    listener = NULL;
}
