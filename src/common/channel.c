/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON in munge credentials, and the client's side of an exchange. The server's
 * side is carnotctld's event loop. Everything here blocks, the client at most
 * until its deadline; no state, any thread.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <munge.h>

#include "common/channel.h"
#include "common/clock.h"

#define HEADER_SIZE 4

/* What munge found wrong as an errno of ours. */
static int _munge_errno(munge_err_t rc)
{
    switch (rc) {
    case EMUNGE_SOCKET:
    case EMUNGE_TIMEOUT:
        return ENOTCONN;
    case EMUNGE_NO_MEMORY:
        return ENOMEM;
    case EMUNGE_BAD_LENGTH:
    case EMUNGE_OVERFLOW:
        return EMSGSIZE;
    default:
        return EACCES;
    }
}

/* ctx may be NULL; its text is the longer one. */
static int _fail_munge(munge_ctx_t ctx, munge_err_t rc, const char *what, struct err *e)
{
    const char *text = ctx ? munge_ctx_strerror(ctx) : NULL;

    (void)err_set(e, "cannot %s: munge: %s", what, text ? text : munge_strerror(rc));
    errno = _munge_errno(rc);
    return -1;
}

/* A context for munged's socket; "" or NULL is munge's default. */
static munge_ctx_t _create_context(const char *munge_socket, const char *what, struct err *e)
{
    munge_ctx_t ctx = munge_ctx_create();
    munge_err_t rc;

    if (!ctx) {
        (void)_fail_munge(NULL, EMUNGE_NO_MEMORY, what, e);
        return NULL;
    }
    if (!munge_socket || !*munge_socket)
        return ctx;
    rc = munge_ctx_set(ctx, MUNGE_OPT_SOCKET, munge_socket);
    if (rc == EMUNGE_SUCCESS)
        return ctx;
    (void)_fail_munge(ctx, rc, what, e);
    munge_ctx_destroy(ctx);
    return NULL;
}

int channel_seal(const char *munge_socket, uid_t restrict_uid, const json_t *msg, char **cred,
                 struct err *e)
{
    static const char *const what = "sign a message";
    munge_err_t rc = EMUNGE_SUCCESS;
    munge_ctx_t ctx;
    char *text, *sealed = NULL;
    size_t size;

    text = json_is_object(msg) ? json_dumps(msg, JSON_COMPACT) : NULL;
    if (!text) {
        errno = EINVAL;
        return err_set(e, "cannot %s: it is no JSON object", what);
    }
    size = strlen(text);
    ctx = _create_context(munge_socket, what, e);
    if (!ctx) {
        free(text);
        return -1;
    }
    if (restrict_uid != (uid_t)-1)
        rc = munge_ctx_set(ctx, MUNGE_OPT_UID_RESTRICTION, restrict_uid);
    if (rc == EMUNGE_SUCCESS && size > INT_MAX)
        rc = EMUNGE_BAD_LENGTH;
    if (rc == EMUNGE_SUCCESS)
        rc = munge_encode(&sealed, ctx, text, (int)size);
    if (rc != EMUNGE_SUCCESS) {
        free(sealed);
        sealed = NULL;
        (void)_fail_munge(ctx, rc, what, e);
    }
    munge_ctx_destroy(ctx);
    free(text);
    if (!sealed)
        return -1;
    *cred = sealed;
    return 0;
}

/* The payload as an object, or NULL. */
static json_t *_load_object(const char *text, int size, struct err *e)
{
    json_error_t problem;
    json_t *msg = NULL;

    if (text && size > 0) {
        msg = json_loadb(text, (size_t)size, JSON_REJECT_DUPLICATES, &problem);
        if (!msg)
            (void)err_set(e, "message is not JSON: %s", problem.text);
    } else {
        (void)err_set(e, "message is empty");
    }
    if (msg && !json_is_object(msg)) {
        (void)err_set(e, "message is no JSON object");
        json_decref(msg);
        msg = NULL;
    }
    if (!msg)
        errno = EBADMSG;
    return msg;
}

/* cred is terminated here. */
static int _open_terminated(munge_ctx_t ctx, const char *cred, json_t **msg,
                            struct channel_peer *peer, struct err *e)
{
    static const char *const what = "trust a message";
    struct channel_peer from = {.uid = (uid_t)-1, .gid = (gid_t)-1};
    void *payload = NULL; /* munge may allocate it also when it refuses the credential */
    int size = 0, saved;
    json_t *loaded = NULL;
    time_t encoded = 0;
    munge_err_t rc;

    rc = munge_decode(cred, ctx, &payload, &size, &from.uid, &from.gid);
    if (rc == EMUNGE_SUCCESS)
        rc = munge_ctx_get(ctx, MUNGE_OPT_ADDR4, &from.origin);
    if (rc == EMUNGE_SUCCESS)
        rc = munge_ctx_get(ctx, MUNGE_OPT_ENCODE_TIME, &encoded);
    from.encoded_s = (int64_t)encoded;
    if (rc == EMUNGE_SUCCESS)
        loaded = _load_object(payload, size, e);
    else
        (void)_fail_munge(ctx, rc, what, e);
    saved = errno;
    free(payload);
    errno = saved;
    if (!loaded)
        return -1;
    *msg = loaded;
    if (peer)
        *peer = from;
    return 0;
}

int channel_open(const char *munge_socket, const char *cred, size_t len, json_t **msg,
                 struct channel_peer *peer, struct err *e)
{
    munge_ctx_t ctx;
    char *text;
    int rc, saved;

    if (len == 0 || len > CHANNEL_FRAME_MAX || memchr(cred, '\0', len)) {
        errno = EBADMSG;
        return err_set(e, "message is no munge credential");
    }
    text = strndup(cred, len);
    if (!text)
        return err_errno(e, "cannot open a message");
    ctx = _create_context(munge_socket, "open a message", e);
    rc = ctx ? _open_terminated(ctx, text, msg, peer, e) : -1;
    saved = errno;
    if (ctx)
        munge_ctx_destroy(ctx);
    free(text);
    errno = saved;
    return rc;
}

/* A connection and until when. */
struct line {
    int fd;
    int64_t deadline_ms; /* of clock_system's mono_ms */
};

/* Until the descriptor is ready for events: 0, or -1 and errno ETIMEDOUT or another. */
static int _wait(const struct line *l, short events)
{
    struct pollfd p = {.fd = l->fd, .events = events};

    for (;;) {
        int64_t left_ms = l->deadline_ms - clock_mono_ms(&clock_system);
        int n = left_ms > 0 ? poll(&p, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms) : 0;

        if (n > 0)
            return 0; /* what is wrong with it, the next call says */
        if (n == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        if (errno != EINTR)
            return -1;
    }
}

static bool _is_transient(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static int _send_all(const struct line *l, const unsigned char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = send(l->fd, data, size, MSG_NOSIGNAL);

        if (n < 0 && (!_is_transient(errno) || _wait(l, POLLOUT) < 0))
            return -1;
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

static int _receive_all(const struct line *l, void *buf, size_t size)
{
    char *p = buf;

    while (size > 0) {
        ssize_t n = recv(l->fd, p, size, 0);

        if (n == 0) {
            errno = ECONNRESET;
            return -1;
        }
        if (n < 0 && (!_is_transient(errno) || _wait(l, POLLIN) < 0))
            return -1;
        if (n > 0) {
            p += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

/* One address: 0 and l->fd connected, or -1. */
static int _connect_address(struct line *l, const struct addrinfo *a)
{
    int one = 1, problem = 0, saved;
    socklen_t size = sizeof(problem);

    l->fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (l->fd < 0)
        return -1;
    /* a request is one write and waits for its answer: nothing to gather */
    (void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(l->fd, a->ai_addr, a->ai_addrlen) == 0)
        return 0;
    if ((errno == EINPROGRESS || errno == EINTR) && _wait(l, POLLOUT) == 0 &&
        getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &problem, &size) == 0) {
        if (problem == 0)
            return 0;
        errno = problem;
    }
    saved = errno;
    (void)close(l->fd);
    l->fd = -1;
    errno = saved;
    return -1;
}

static int _connect(struct line *l, const char *host, int port, struct err *e)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char service[16];
    int rc;

    (void)snprintf(service, sizeof(service), "%d", port);
    rc = getaddrinfo(host, service, &hints, &list);
    if (rc != 0) {
        if (rc != EAI_SYSTEM)
            errno = EHOSTUNREACH;
        return err_set(e, "cannot find host %s: %s", host, gai_strerror(rc));
    }
    rc = -1;
    errno = EHOSTUNREACH;
    for (const struct addrinfo *a = list; a && rc < 0; a = a->ai_next)
        rc = _connect_address(l, a);
    if (rc < 0)
        (void)err_errno(e, "cannot reach carnotctld at %s port %d", host, port);
    rc = rc < 0 ? errno : 0;
    freeaddrinfo(list);
    errno = rc;
    return rc ? -1 : 0;
}

static int _send_frame(const struct line *l, const char *cred)
{
    size_t size = strlen(cred);
    unsigned char *frame;
    int rc, saved;

    if (size == 0 || size > CHANNEL_FRAME_MAX) {
        errno = EMSGSIZE;
        return -1;
    }
    frame = malloc(HEADER_SIZE + size);
    if (!frame)
        return -1;
    for (int i = 0; i < HEADER_SIZE; i++)
        frame[i] = (unsigned char)(size >> (8 * (HEADER_SIZE - 1 - i)));
    memcpy(frame + HEADER_SIZE, cred, size);
    rc = _send_all(l, frame, HEADER_SIZE + size);
    saved = errno;
    free(frame);
    errno = saved;
    return rc;
}

/* A frame's body, not terminated, for the caller to free; NULL on error. */
static char *_receive_frame(const struct line *l, size_t *size)
{
    unsigned char header[HEADER_SIZE];
    size_t length = 0;
    char *body;
    int saved;

    if (_receive_all(l, header, sizeof(header)) < 0)
        return NULL;
    for (int i = 0; i < HEADER_SIZE; i++)
        length = length << 8 | header[i];
    if (length == 0 || length > CHANNEL_FRAME_MAX) {
        errno = EBADMSG;
        return NULL;
    }
    body = malloc(length);
    if (body && _receive_all(l, body, length) < 0) {
        saved = errno;
        free(body);
        errno = saved;
        return NULL;
    }
    *size = length;
    return body;
}

/* Open the answer and see who made it. */
static int _check_answer(const char *munge_socket, uid_t server_uid, const char *cred, size_t size,
                         json_t **answer, struct err *e)
{
    struct channel_peer peer;
    json_t *msg;

    if (channel_open(munge_socket, cred, size, &msg, &peer, e) < 0)
        return -1;
    if (server_uid != (uid_t)-1 && peer.uid != server_uid) {
        json_decref(msg);
        errno = EACCES;
        return err_set(e, "the answer is from uid %ld, carnotctld runs as uid %ld", (long)peer.uid,
                       (long)server_uid);
    }
    *answer = msg;
    return 0;
}

int channel_ask_uid(const char *host, int port, const char *munge_socket, uid_t server_uid,
                    const json_t *request, json_t **answer, int timeout_ms, struct err *e)
{
    struct line l = {.fd = -1, .deadline_ms = clock_mono_ms(&clock_system) + timeout_ms};
    char *cred = NULL, *body = NULL;
    size_t size = 0;
    int rc = -1, saved;

    if (_connect(&l, host, port, e) < 0 ||
        channel_seal(munge_socket, server_uid, request, &cred, e) < 0)
        goto done;
    if (_send_frame(&l, cred) < 0 || !(body = _receive_frame(&l, &size))) {
        (void)err_errno(e, "no answer from carnotctld at %s port %d", host, port);
        goto done;
    }
    rc = _check_answer(munge_socket, server_uid, body, size, answer, e);
done:
    saved = errno;
    if (l.fd >= 0)
        (void)close(l.fd);
    free(cred);
    free(body);
    errno = saved;
    return rc;
}

int channel_ask(const char *host, int port, const char *munge_socket, const json_t *request,
                json_t **answer, int timeout_ms, struct err *e)
{
    return channel_ask_uid(host, port, munge_socket, (uid_t)-1, request, answer, timeout_ms, e);
}
