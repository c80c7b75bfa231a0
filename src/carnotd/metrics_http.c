/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libevent's evhttp on a loop of its own. It has no limit on connections, so a reference is kept to
 * each, which holds its descriptor open until it is over, or too old: there are never more of them
 * than places. At the limit the listener rests, and the kernel's queue holds who comes next. Logs
 * nothing: what strangers send is no news.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "carnotd/metrics_http.h"

#define BACKLOG 16
#define HEADERS_MAX 8192
#define BODY_MAX 1024
#define TIMEOUT_S 5 /* without a byte */
#define STACK_SIZE (256 << 10)

static const struct timeval age_max = {10, 0}; /* of a connection, whatever it says */

static const char *const content_types[2] = {
    "text/plain; version=0.0.4; charset=utf-8",
    "application/openmetrics-text; version=1.0.0; charset=utf-8"};

struct peer {
    struct metrics_http *h;
    struct bufferevent *bev; /* NULL: free */
    struct event *old;
};

struct metrics_http {
    pthread_t thread;
    bool running;
    int stop_fd; /* readable: end */
    /* The thread's. */
    struct event_base *base;
    struct event *stop;
    struct evhttp *http;
    struct evconnlistener *listener; /* http's */
    struct peer peers[METRICS_HTTP_PEERS];
    int n_peers;
    /* Of both. */
    pthread_mutex_t lock;
    char *text[2]; /* METRICS_HTTP_MAX bytes each, by openmetrics */
    size_t size[2];
};

int metrics_http_parse(struct metrics_http_address *to, const char *text, struct err *e)
{
    char full[sizeof("127.0.0.1:65535")];
    struct sockaddr *sa = (struct sockaddr *)&to->address;
    const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
    const char *given = text;
    int port = 0;

    memset(to, 0, sizeof(*to));
    to->size = sizeof(to->address);
    if (text[0] && strspn(text, "0123456789") == strlen(text) && strlen(text) <= 5) {
        (void)snprintf(full, sizeof(full), "127.0.0.1:%s", text);
        given = full;
    }
    if (strlen(given) < sizeof(to->text) && evutil_parse_sockaddr_port(given, sa, &to->size) == 0)
        port = ntohs(sa->sa_family == AF_INET6 ? in6->sin6_port : in->sin_port);
    if (port == 0) {
        errno = EINVAL;
        return err_set(e,
                       "node.metrics_http: '%s' is not good here: use a port, or an address and a "
                       "port as in 127.0.0.1:9822 or [::1]:9822",
                       text);
    }
    (void)snprintf(to->text, sizeof(to->text), "%s", given);
    return 0;
}

/* ---- in the thread ---- */

static void _release(struct peer *peer)
{
    struct bufferevent *bev = peer->bev;

    if (!bev)
        return;
    (void)event_del(peer->old);
    peer->bev = NULL;
    (void)bufferevent_decref(bev);
    peer->h->n_peers--;
    (void)evconnlistener_enable(peer->h->listener);
}

/* evhttp, if it has it still, sees its end. */
static void _on_old(evutil_socket_t fd, short what, void *arg)
{
    struct peer *peer = arg;

    (void)fd;
    (void)what;
    (void)shutdown(bufferevent_getfd(peer->bev), SHUT_RDWR);
    _release(peer);
}

/* Its place may be another one's by now. */
static void _on_close(struct evhttp_connection *connection, void *arg)
{
    struct peer *peer = arg;

    if (peer->bev == evhttp_connection_get_bufferevent(connection))
        _release(peer);
}

static struct peer *_find(struct metrics_http *h, const struct bufferevent *bev)
{
    for (int i = 0; i < METRICS_HTTP_PEERS; i++) {
        if (h->peers[i].bev == bev)
            return &h->peers[i];
    }
    return NULL;
}

static struct bufferevent *_on_connection(struct event_base *base, void *arg)
{
    struct metrics_http *h = arg;
    struct peer *peer = _find(h, NULL);
    struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

    if (!bev || !peer)
        return bev;
    bufferevent_incref(bev);
    peer->bev = bev;
    (void)event_add(peer->old, &age_max);
    if (++h->n_peers == METRICS_HTTP_PEERS)
        (void)evconnlistener_disable(h->listener);
    return bev;
}

/* Who said something is let go as soon as evhttp has done with it. */
static void _watch(struct metrics_http *h, struct evhttp_request *req)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(req);
    struct peer *peer = _find(h, evhttp_connection_get_bufferevent(connection));

    if (peer)
        evhttp_connection_set_closecb(connection, _on_close, peer);
}

static void _on_request(struct evhttp_request *req, void *arg)
{
    struct metrics_http *h = arg;
    const char *accept = evhttp_find_header(evhttp_request_get_input_headers(req), "Accept");
    int openmetrics = accept && strcasestr(accept, "application/openmetrics-text") != NULL;
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    struct evbuffer *out = evhttp_request_get_output_buffer(req);
    char length[24];
    size_t size;
    int rc;

    _watch(h, req);
    (void)pthread_mutex_lock(&h->lock);
    size = h->size[openmetrics];
    rc = evbuffer_add(out, h->text[openmetrics], size);
    (void)pthread_mutex_unlock(&h->lock);
    if (rc < 0 || size == 0) {
        evhttp_send_error(req, HTTP_SERVUNAVAIL, "No record yet");
        return;
    }
    (void)snprintf(length, sizeof(length), "%zu", size);
    (void)evhttp_add_header(headers, "Content-Type", content_types[openmetrics]);
    (void)evhttp_add_header(headers, "Content-Length", length);
    if (evhttp_request_get_command(req) == EVHTTP_REQ_HEAD)
        (void)evbuffer_drain(out, size); /* evhttp would send it */
    evhttp_send_reply(req, HTTP_OK, "OK", out);
}

static void _on_other(struct evhttp_request *req, void *arg)
{
    _watch(arg, req);
    evhttp_send_error(req, HTTP_NOTFOUND, NULL);
}

static void _on_stop(evutil_socket_t fd, short what, void *arg)
{
    struct metrics_http *h = arg;

    (void)fd;
    (void)what;
    (void)event_base_loopbreak(h->base);
}

static void *_run(void *arg)
{
    struct metrics_http *h = arg;

    (void)event_base_dispatch(h->base);
    return NULL;
}

/* ---- in the main thread ---- */

static int _make_loop(struct metrics_http *h)
{
    h->base = event_base_new();
    h->stop = h->base ? event_new(h->base, h->stop_fd, EV_READ, _on_stop, h) : NULL;
    h->http = h->base ? evhttp_new(h->base) : NULL;
    if (!h->stop || !h->http || event_add(h->stop, NULL) < 0)
        return -1;
    evhttp_set_allowed_methods(h->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    evhttp_set_max_headers_size(h->http, HEADERS_MAX);
    evhttp_set_max_body_size(h->http, BODY_MAX);
    evhttp_set_timeout(h->http, TIMEOUT_S);
    evhttp_set_bevcb(h->http, _on_connection, h);
    evhttp_set_gencb(h->http, _on_other, h);
    for (int i = 0; i < METRICS_HTTP_PEERS; i++) {
        h->peers[i].h = h;
        h->peers[i].old = evtimer_new(h->base, _on_old, &h->peers[i]);
        if (!h->peers[i].old)
            return -1;
    }
    return evhttp_set_cb(h->http, "/metrics", _on_request, h);
}

static int _listen(struct metrics_http *h, const struct metrics_http_address *at)
{
    h->listener = evconnlistener_new_bind(
        h->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
        BACKLOG, (const struct sockaddr *)&at->address, at->size);
    if (!h->listener)
        return -1;
    if (evhttp_bind_listener(h->http, h->listener))
        return 0;
    evconnlistener_free(h->listener);
    h->listener = NULL;
    return -1;
}

/* Signals are the main thread's. */
static int _start(struct metrics_http *h)
{
    pthread_attr_t attr;
    sigset_t all, old;

    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, STACK_SIZE);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    errno = pthread_create(&h->thread, &attr, _run, h);
    h->running = errno == 0;
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    (void)pthread_attr_destroy(&attr);
    return h->running ? 0 : -1;
}

struct metrics_http *metrics_http_open(const struct metrics_http_address *at, struct err *e)
{
    struct metrics_http *h = calloc(1, sizeof(*h));

    if (!h) {
        (void)err_errno(e, "no memory for metrics");
        return NULL;
    }
    (void)pthread_mutex_init(&h->lock, NULL);
    h->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    for (int i = 0; i < 2; i++)
        h->text[i] = malloc(METRICS_HTTP_MAX);
    errno = ENOMEM;
    if (h->stop_fd >= 0 && h->text[0] && h->text[1] && _make_loop(h) == 0 && _listen(h, at) == 0 &&
        _start(h) == 0)
        return h;
    (void)err_errno(e, "node.metrics_http: cannot listen on %s", at->text);
    metrics_http_close(h);
    return NULL;
}

void metrics_http_publish(struct metrics_http *h, bool openmetrics, const char *text, size_t size)
{
    if (size > METRICS_HTTP_MAX || pthread_mutex_trylock(&h->lock) != 0)
        return;
    memcpy(h->text[openmetrics], text, size);
    h->size[openmetrics] = size;
    (void)pthread_mutex_unlock(&h->lock);
}

void metrics_http_close(struct metrics_http *h)
{
    static const uint64_t one = 1;

    if (!h)
        return;
    if (h->running) {
        (void)!write(h->stop_fd, &one, sizeof(one));
        (void)pthread_join(h->thread, NULL);
    }
    for (int i = 0; i < METRICS_HTTP_PEERS; i++) {
        _release(&h->peers[i]);
        if (h->peers[i].old)
            event_free(h->peers[i].old);
        h->peers[i].old = NULL;
    }
    if (h->http)
        evhttp_free(h->http); /* and the listener */
    if (h->stop)
        event_free(h->stop);
    if (h->base)
        event_base_free(h->base);
    if (h->stop_fd >= 0)
        (void)close(h->stop_fd);
    free(h->text[0]);
    free(h->text[1]);
    (void)pthread_mutex_destroy(&h->lock);
    free(h);
}
