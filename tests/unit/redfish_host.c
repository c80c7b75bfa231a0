/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef HAVE_OPENSSL
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#endif

#include "redfish_host.h"
#include "unit.h"

/* "carnot:s3cret word" */
#define BASIC "Authorization: Basic Y2Fybm90OnMzY3JldCB3b3Jk"
#define DOCUMENTS 16

/* lock guards all of it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char path[128], json[2048];
} documents[DOCUMENTS];
static enum redfish_mood mood;
static bool has_sessions = true;
static int session; /* its number; the token is "token-N" */
static struct redfish_counts counts;

static int listener;
static bool tls;

struct stream {
    int fd;
#ifdef HAVE_OPENSSL
    SSL *ssl;
#endif
};

#ifdef HAVE_OPENSSL
static SSL_CTX *context;

static bool _accept(struct stream *s)
{
    s->ssl = tls ? SSL_new(context) : NULL;
    return !tls || (SSL_set_fd(s->ssl, s->fd) == 1 && SSL_accept(s->ssl) == 1);
}

static ssize_t _read(struct stream *s, void *buf, size_t n)
{
    return s->ssl ? SSL_read(s->ssl, buf, (int)n) : read(s->fd, buf, n);
}

static bool _write(struct stream *s, const char *data, size_t n)
{
    return (s->ssl ? SSL_write(s->ssl, data, (int)n) : send(s->fd, data, n, MSG_NOSIGNAL)) ==
           (ssize_t)n;
}

static void _end(struct stream *s)
{
    if (s->ssl)
        (void)SSL_shutdown(s->ssl);
    SSL_free(s->ssl);
    (void)close(s->fd);
}

static void _take_certificate(const char *certificate, const char *key)
{
    context = SSL_CTX_new(TLS_server_method());
    CU_ASSERT_FATAL(context &&
                    SSL_CTX_use_certificate_file(context, certificate, SSL_FILETYPE_PEM) == 1 &&
                    SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1);
}

int redfish_host_certificate(const char *name, const char *certificate, const char *key)
{
    X509_EXTENSION *names;
    EVP_PKEY *pair;
    X509 *x;
    FILE *f;

    /* the thread may be in the library when the case ends */
    (void)OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL);
    pair = EVP_EC_gen("P-256");
    x = X509_new();
    CU_ASSERT_FATAL(pair && x && X509_set_version(x, 2) == 1);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    (void)X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    (void)X509_set_pubkey(x, pair);
    (void)X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                                     (const unsigned char *)"bmc", -1, -1, 0);
    (void)X509_set_issuer_name(x, X509_get_subject_name(x));
    names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, name);
    CU_ASSERT_FATAL(names && X509_add_ext(x, names, -1) == 1 && X509_sign(x, pair, EVP_sha256()));
    X509_EXTENSION_free(names);
    f = fopen(certificate, "w");
    CU_ASSERT_FATAL(f && PEM_write_X509(f, x) == 1 && fclose(f) == 0);
    f = fopen(key, "w");
    CU_ASSERT_FATAL(f && PEM_write_PrivateKey(f, pair, NULL, NULL, 0, NULL, NULL) == 1 &&
                    fclose(f) == 0);
    X509_free(x);
    EVP_PKEY_free(pair);
    return 0;
}
#else
static bool _accept(struct stream *s)
{
    (void)s;
    return true;
}

static ssize_t _read(struct stream *s, void *buf, size_t n)
{
    return read(s->fd, buf, n);
}

static bool _write(struct stream *s, const char *data, size_t n)
{
    return send(s->fd, data, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static void _end(struct stream *s)
{
    (void)close(s->fd);
}

static void _take_certificate(const char *certificate, const char *key)
{
    (void)certificate;
    (void)key;
    CU_FAIL_FATAL("built without OpenSSL");
}

int redfish_host_certificate(const char *name, const char *certificate, const char *key)
{
    (void)name;
    (void)certificate;
    (void)key;
    return -1;
}
#endif

/* A request with its body, as far as Content-Length says. */
static bool _read_request(struct stream *s, char *buf, size_t size)
{
    size_t used = 0, all = 0;

    while (!all || used < all) {
        ssize_t n = used + 1 < size ? _read(s, buf + used, size - 1 - used) : -1;
        const char *end, *length;

        if (n <= 0)
            return false;
        used += (size_t)n;
        buf[used] = '\0';
        end = strstr(buf, "\r\n\r\n");
        length = strcasestr(buf, "\r\nContent-Length: ");
        if (end)
            all = (size_t)(end + 4 - buf) +
                  (length && length < end ? strtoul(length + 18, NULL, 10) : 0);
    }
    return true;
}

static void _answer(struct stream *s, const char *status, const char *headers, const char *body)
{
    char head[512];
    int n = snprintf(head, sizeof(head),
                     "HTTP/1.1 %s\r\nConnection: close\r\nContent-Type: application/json\r\n"
                     "%sContent-Length: %zu\r\n\r\n",
                     status, headers, strlen(body));

    (void)(_write(s, head, (size_t)n) && _write(s, body, strlen(body)));
}

/* Until the other side has gone, or the mood is another. */
static void _hang(struct stream *s)
{
    struct pollfd p = {s->fd, POLLIN, 0};

    while (poll(&p, 1, 20) == 0) {
        bool still;

        (void)pthread_mutex_lock(&lock);
        still = mood == HANGS;
        (void)pthread_mutex_unlock(&lock);
        if (!still)
            return;
    }
}

static void _be_huge(struct stream *s)
{
    static char body[2 * 1024 * 1024];

    memset(body, ' ', sizeof(body) - 1);
    body[0] = '{';
    _answer(s, "200 OK", "", body);
}

/* What is not a document. */
static void _misbehave(struct stream *s, enum redfish_mood how)
{
    static const char half[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"PowerControl\": [";

    if (how == HANGS)
        _hang(s);
    else if (how == HALF)
        (void)_write(s, half, strlen(half));
    else if (how == HUGE_ANSWER)
        _be_huge(s);
    else if (how == REDIRECTS)
        _answer(s, "302 Found", "Location: /elsewhere\r\n", "{}");
    else if (how == FAILS)
        _answer(s, "500 Internal Server Error", "", "{}");
    else
        _answer(s, "503 Service Unavailable", "Retry-After: 2\r\n", "{}");
}

/* The documents of a session's begin. */
static void _login(struct stream *s, const char *request)
{
    json_t *json = json_loads(strstr(request, "\r\n\r\n"), 0, NULL);
    const char *user = json_string_value(json_object_get(json, "UserName"));
    const char *password = json_string_value(json_object_get(json, "Password"));
    bool good = user && password && strcmp(user, "carnot") == 0 &&
                strcmp(password, REDFISH_HOST_PASSWORD) == 0;
    char headers[128];

    (void)pthread_mutex_lock(&lock);
    session += good;
    counts.logins += good;
    counts.refused += !good;
    (void)snprintf(headers, sizeof(headers),
                   "X-Auth-Token: token-%d\r\nLocation: /redfish/v1/SessionService/Sessions/%d\r\n",
                   session, session);
    (void)pthread_mutex_unlock(&lock);
    _answer(s, good ? "201 Created" : "401 Unauthorized", good ? headers : "", "{}");
    json_decref(json);
}

/* lock is held. */
static const char *_document(const char *request)
{
    for (int i = 0; i < DOCUMENTS; i++) {
        size_t n = strlen(documents[i].path);

        if (n && strncmp(request + 4, documents[i].path, n) == 0 && request[4 + n] == ' ')
            return documents[i].json;
    }
    return NULL;
}

static void _get(struct stream *s, const char *request)
{
    char token[64], json[2048];
    enum redfish_mood how;
    const char *document;
    bool allowed;

    (void)pthread_mutex_lock(&lock);
    (void)snprintf(token, sizeof(token), "X-Auth-Token: token-%d\r\n", session);
    allowed = has_sessions ? session > 0 && strstr(request, token) : strstr(request, BASIC) != NULL;
    counts.refused += !allowed;
    document = _document(request);
    (void)snprintf(json, sizeof(json), "%s", document ? document : "{}");
    how = mood;
    (void)pthread_mutex_unlock(&lock);
    if (!allowed)
        _answer(s, "401 Unauthorized", "", "{}");
    else if (how != ANSWERS)
        _misbehave(s, how);
    else
        _answer(s, document ? "200 OK" : "404 Not Found", "", json);
}

static void _serve(struct stream *s, const char *request)
{
    bool sessions, ends = strncmp(request, "DELETE ", 7) == 0;

    (void)pthread_mutex_lock(&lock);
    counts.requests++;
    counts.logouts += ends;
    sessions = has_sessions;
    (void)pthread_mutex_unlock(&lock);
    if (ends)
        _answer(s, "204 No Content", "", "");
    else if (strncmp(request, "POST ", 5) != 0)
        _get(s, request);
    else if (sessions)
        _login(s, request);
    else
        _answer(s, "404 Not Found", "", "{}");
}

static void *_run(void *arg)
{
    char request[8192];

    for (;;) {
        struct stream s = {.fd = accept(listener, NULL, NULL)};

        if (s.fd < 0)
            return arg;
        if (_accept(&s) && _read_request(&s, request, sizeof(request)))
            _serve(&s, request);
        _end(&s);
    }
}

int redfish_host_start(const char *certificate, const char *key)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(a);
    pthread_t thread;

    (void)signal(SIGPIPE, SIG_IGN);
    tls = certificate != NULL;
    if (tls)
        _take_certificate(certificate, key);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(listener >= 0 && bind(listener, (struct sockaddr *)&a, sizeof(a)) == 0 &&
                    listen(listener, 16) == 0 &&
                    getsockname(listener, (struct sockaddr *)&a, &length) == 0);
    CU_ASSERT_FATAL(pthread_create(&thread, NULL, _run, NULL) == 0);
    (void)pthread_detach(thread);
    return ntohs(a.sin_port);
}

void redfish_host_document(const char *path, const char *json)
{
    int i = 0;

    (void)pthread_mutex_lock(&lock);
    while (i < DOCUMENTS - 1 && documents[i].path[0] && strcmp(documents[i].path, path) != 0)
        i++;
    (void)snprintf(documents[i].path, sizeof(documents[i].path), "%s", json ? path : "-");
    (void)snprintf(documents[i].json, sizeof(documents[i].json), "%s", json ? json : "");
    (void)pthread_mutex_unlock(&lock);
}

void redfish_host_mood(enum redfish_mood how)
{
    (void)pthread_mutex_lock(&lock);
    mood = how;
    (void)pthread_mutex_unlock(&lock);
}

void redfish_host_sessions(bool has)
{
    (void)pthread_mutex_lock(&lock);
    has_sessions = has;
    session++;
    (void)pthread_mutex_unlock(&lock);
}

struct redfish_counts redfish_host_counts(void)
{
    struct redfish_counts now;

    (void)pthread_mutex_lock(&lock);
    now = counts;
    (void)pthread_mutex_unlock(&lock);
    return now;
}
