/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/path.h"
#include "helper/answer.h"
#include "helper/bmc.h"
#include "helper/credentials.h"

#define SESSIONS "/redfish/v1/SessionService/Sessions"
#define BODY_MAX (1024 * 1024)
#define CONNECT_MS 5000
#define REQUEST_MS 10000
#define LOGOUT_MS 1500
#define REFUSED_MS (10 * 60 * 1000)
#define BUSY_S 60 /* where it does not say how long */
#define BUSY_MOST_S 600

enum auth { AUTH_NONE, AUTH_SESSION, AUTH_BASIC };

struct bmc {
    const struct bmc_options *o;
    CURL *curl;
    enum auth auth; /* what the next request is made with */
    char token[512];
    char session[BMC_PATH_MAX]; /* "" = none that has to be ended */
    uint64_t refused_stamp;     /* of the credentials that were refused, */
    int64_t refused_ms;         /* until then; 0 = they were not */
    int64_t busy_ms;
    /* Of the running request. */
    char *body;
    size_t used;
    char new_token[512], location[BMC_PATH_MAX];
    long retry_after_s; /* -1 = not said */
    bool closing;       /* nobody waits for an answer */
};

static size_t _on_body(char *data, size_t one, size_t n, void *arg)
{
    struct bmc *b = arg;

    (void)one;
    if (n > BODY_MAX - b->used)
        return 0;
    memcpy(b->body + b->used, data, n);
    b->used += n;
    return n;
}

/* The value of "Name: value\r\n" in buf; what does not fit or is not printable is none. */
static void _take_header(const char *line, size_t n, const char *name, char *buf, size_t size)
{
    size_t skip = strlen(name);

    if (n <= skip || strncasecmp(line, name, skip) != 0 || line[skip] != ':')
        return;
    for (line += skip + 1, n -= skip + 1; n > 0 && (*line == ' ' || *line == '\t'); n--)
        line++;
    while (n > 0 && isspace((unsigned char)line[n - 1]))
        n--;
    buf[0] = '\0';
    if (n >= size)
        return;
    for (size_t i = 0; i < n; i++) {
        if (line[i] <= ' ' || line[i] > '~')
            return;
    }
    memcpy(buf, line, n);
    buf[n] = '\0';
}

static size_t _on_header(char *line, size_t one, size_t n, void *arg)
{
    struct bmc *b = arg;
    char seconds[8] = "";

    (void)one;
    _take_header(line, n, "X-Auth-Token", b->new_token, sizeof(b->new_token));
    _take_header(line, n, "Location", b->location, sizeof(b->location));
    _take_header(line, n, "Retry-After", seconds, sizeof(seconds));
    if (isdigit((unsigned char)seconds[0]))
        b->retry_after_s = strtol(seconds, NULL, 10);
    return n;
}

static int _on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct bmc *bmc = arg;

    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return !bmc->closing && answer_is_late();
}

static int _errno_of(CURLcode rc)
{
    switch (rc) {
    case CURLE_OPERATION_TIMEDOUT:
        return ETIMEDOUT;
    case CURLE_COULDNT_RESOLVE_HOST:
        return EHOSTUNREACH;
    case CURLE_COULDNT_CONNECT:
        return ECONNREFUSED;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return EKEYREJECTED;
    case CURLE_WRITE_ERROR:
        return EFBIG;
    case CURLE_ABORTED_BY_CALLBACK:
        return EINTR;
    default:
        return EIO;
    }
}

static void _set_tls(const struct bmc *b)
{
    const struct bmc_options *o = b->o;

    if (o->insecure) {
        (void)curl_easy_setopt(b->curl, CURLOPT_SSL_VERIFYPEER, 0L);
        (void)curl_easy_setopt(b->curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (o->ca) {
        /* these and no others */
        (void)curl_easy_setopt(b->curl, CURLOPT_CAINFO, o->ca);
        (void)curl_easy_setopt(b->curl, CURLOPT_CAPATH, NULL);
    }
}

/* Header lines of a request, for curl_slist_free_all(); NULL without memory. */
static struct curl_slist *_headers(const struct bmc *b, bool body)
{
    struct curl_slist *list = curl_slist_append(NULL, "Accept: application/json"), *more;
    char token[sizeof(b->token) + 16];

    more = list ? curl_slist_append(list, "OData-Version: 4.0") : NULL;
    if (more && body)
        more = curl_slist_append(list, "Content-Type: application/json");
    if (more && b->auth == AUTH_SESSION) {
        (void)snprintf(token, sizeof(token), "X-Auth-Token: %s", b->token);
        more = curl_slist_append(list, token);
    }
    if (!more)
        curl_slist_free_all(list);
    return more ? list : NULL;
}

/* What all requests have in common. text has room for CURL_ERROR_SIZE. */
static void _prepare(struct bmc *b, const char *url, int64_t for_ms, char *text)
{
    curl_easy_reset(b->curl);
    (void)curl_easy_setopt(b->curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(b->curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(b->curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(b->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    (void)curl_easy_setopt(b->curl, CURLOPT_TIMEOUT_MS, (long)for_ms);
    (void)curl_easy_setopt(b->curl, CURLOPT_ERRORBUFFER, text);
    (void)curl_easy_setopt(b->curl, CURLOPT_WRITEFUNCTION, _on_body);
    (void)curl_easy_setopt(b->curl, CURLOPT_WRITEDATA, b);
    (void)curl_easy_setopt(b->curl, CURLOPT_HEADERFUNCTION, _on_header);
    (void)curl_easy_setopt(b->curl, CURLOPT_HEADERDATA, b);
    (void)curl_easy_setopt(b->curl, CURLOPT_XFERINFOFUNCTION, _on_progress);
    (void)curl_easy_setopt(b->curl, CURLOPT_XFERINFODATA, b);
    (void)curl_easy_setopt(b->curl, CURLOPT_NOPROGRESS, 0L);
    _set_tls(b);
    b->used = 0;
    b->new_token[0] = b->location[0] = '\0';
    b->retry_after_s = -1;
}

/* One request. Its HTTP status; -1, errno and e when there was no answer. */
static int _request(struct bmc *b, const char *method, const char *path, const char *body,
                    const struct credentials *basic, int64_t for_ms, struct err *e)
{
    char url[BMC_PATH_MAX + 256], text[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = _headers(b, body != NULL);
    long status = 0;
    CURLcode rc;

    errno = ENOMEM;
    if (!headers || path_format(url, sizeof(url), "%s%s", b->o->url, path) < 0) {
        curl_slist_free_all(headers);
        return err_errno(e, "%s", path);
    }
    _prepare(b, url, for_ms, text);
    (void)curl_easy_setopt(b->curl, CURLOPT_CUSTOMREQUEST, method);
    (void)curl_easy_setopt(b->curl, CURLOPT_HTTPHEADER, headers);
    if (body)
        (void)curl_easy_setopt(b->curl, CURLOPT_POSTFIELDS, body);
    if (basic) {
        (void)curl_easy_setopt(b->curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        (void)curl_easy_setopt(b->curl, CURLOPT_USERNAME, basic->user);
        (void)curl_easy_setopt(b->curl, CURLOPT_PASSWORD, basic->password);
    }
    rc = curl_easy_perform(b->curl);
    (void)curl_easy_getinfo(b->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_reset(b->curl); /* text and headers go */
    curl_slist_free_all(headers);
    if (rc == CURLE_OK)
        return (int)status;
    (void)err_set(e, "%s: %s", url,
                  rc == CURLE_WRITE_ERROR ? "the answer is too large"
                  : text[0]               ? text
                                          : curl_easy_strerror(rc));
    errno = _errno_of(rc);
    return -1;
}

/* How long a request that begins now may take: more than nothing. -1 when there is no time. */
static int64_t _time_for(int64_t until_ms, struct err *e)
{
    int64_t left_ms = until_ms - clock_mono_ms(&clock_system);

    if (left_ms > 0)
        return left_ms < REQUEST_MS ? left_ms : REQUEST_MS;
    errno = ETIMEDOUT;
    return err_set(e, "it takes too long");
}

/* What an answer other than 200 means. Returns -1, errno and e. */
static int _judge(struct bmc *b, int status, const char *path, struct err *e)
{
    long s = b->retry_after_s < 0 ? BUSY_S : b->retry_after_s;

    if (status == 503 || status == 429) {
        s = s < BUSY_MOST_S ? s : BUSY_MOST_S;
        b->busy_ms = clock_mono_ms(&clock_system) + s * 1000;
        errno = EBUSY;
        return err_set(e, "%s%s: HTTP %d: it is busy and left alone for %ld s", b->o->url, path,
                       status, s);
    }
    errno = status == 401 || status == 403 ? EACCES : status == 404 || status == 410 ? ENOENT : EIO;
    return err_set(e, "%s%s: HTTP %d%s", b->o->url, path, status,
                   errno == EACCES ? ": it refuses the user or the password" : "");
}

static void _refuse(struct bmc *b)
{
    b->auth = AUTH_NONE;
    b->session[0] = '\0';
    b->refused_stamp = b->o->credentials ? credentials_stamp(b->o->credentials) : 0;
    b->refused_ms = clock_mono_ms(&clock_system) + REFUSED_MS;
}

/* Where the session is, to end it: Location is a path or a whole URL. */
static void _take_session(struct bmc *b)
{
    size_t n = strlen(b->o->url);
    const char *path = strncmp(b->location, b->o->url, n) == 0 ? b->location + n : b->location;

    b->session[0] = '\0';
    if (bmc_is_path(path))
        memmove(b->session, path, strlen(path) + 1);
    memcpy(b->token, b->new_token, sizeof(b->token));
    b->auth = AUTH_SESSION;
}

/* A session, or the knowledge that there are none here. 0, or -1, errno and e. */
static int _login(struct bmc *b, const struct credentials *c, int64_t until_ms, struct err *e)
{
    int64_t for_ms = _time_for(until_ms, e);
    json_t *json = json_pack("{s:s, s:s}", "UserName", c->user, "Password", c->password);
    char *body = json ? json_dumps(json, JSON_COMPACT) : NULL;
    int status = -1, saved;

    json_decref(json);
    b->auth = AUTH_NONE;
    if (!body) {
        errno = EINVAL;
        return err_set(e, "%s: user and password have to be UTF-8", b->o->credentials);
    }
    if (for_ms > 0)
        status = _request(b, "POST", SESSIONS, body, NULL, for_ms, e);
    saved = errno;
    explicit_bzero(body, strlen(body));
    free(body);
    errno = saved;
    if (status < 0)
        return -1;
    if ((status == 200 || status == 201) && b->new_token[0])
        _take_session(b);
    else if (status == 400 || status == 404 || status == 405 || status == 501)
        b->auth = AUTH_BASIC;
    else
        return _judge(b, status, SESSIONS, e);
    return 0;
}

/* One GET with what authentication there is. Its status, or -1. */
static int _try(struct bmc *b, const char *path, int64_t until_ms, bool *logged_in, struct err *e)
{
    struct credentials c = {.user = ""};
    int64_t for_ms;
    int status = -1, saved, rc = 0;

    if (b->o->credentials && b->auth != AUTH_SESSION) {
        rc = credentials_read(b->o->credentials, &c, e);
        if (rc == 0 && b->auth == AUTH_NONE) {
            *logged_in = true;
            rc = _login(b, &c, until_ms, e);
            if (rc < 0 && errno == EACCES) {
                _refuse(b);
                errno = EACCES;
            }
        }
    }
    for_ms = rc == 0 ? _time_for(until_ms, e) : -1;
    if (for_ms > 0)
        status = _request(b, "GET", path, NULL, b->auth == AUTH_BASIC ? &c : NULL, for_ms, e);
    saved = errno;
    explicit_bzero(&c, sizeof(c));
    errno = saved;
    return status;
}

/* It has asked to be left alone, or would be asked in vain. */
static int _is_closed(const struct bmc *b, struct err *e)
{
    int64_t now_ms = clock_mono_ms(&clock_system);

    if (now_ms < b->busy_ms) {
        errno = EBUSY;
        return err_set(e, "%s: it is busy and left alone", b->o->url);
    }
    if (now_ms < b->refused_ms &&
        b->refused_stamp == (b->o->credentials ? credentials_stamp(b->o->credentials) : 0)) {
        errno = EACCES;
        return err_set(e,
                       "%s: it refuses the user or the password: tried again in ten minutes, or "
                       "when the file changes",
                       b->o->url);
    }
    return 0;
}

int bmc_get(struct bmc *b, const char *path, int64_t until_ms, json_t **json, struct err *e)
{
    bool logged_in = false;
    json_error_t why;
    int status;

    if (_is_closed(b, e) < 0)
        return -1;
    status = _try(b, path, until_ms, &logged_in, e);
    if (status == 401 && b->auth == AUTH_SESSION && !logged_in) {
        b->auth = AUTH_NONE; /* the session has ended */
        b->session[0] = '\0';
        status = _try(b, path, until_ms, &logged_in, e);
    }
    if (status < 0)
        return -1;
    if (status != 200) {
        if (status == 401)
            _refuse(b);
        return _judge(b, status, path, e);
    }
    *json = json_loadb(b->body, b->used, JSON_REJECT_DUPLICATES, &why);
    if (json_is_object(*json))
        return 0;
    json_decref(*json);
    *json = NULL;
    errno = EBADMSG;
    return err_set(e, "%s%s: the answer is no JSON object", b->o->url, path);
}

struct bmc *bmc_open(const struct bmc_options *o, struct err *e)
{
    struct bmc *b = calloc(1, sizeof(*b));

    if (b) {
        b->o = o;
        b->body = malloc(BODY_MAX);
        b->curl = curl_global_init(CURL_GLOBAL_DEFAULT) == 0 ? curl_easy_init() : NULL;
    }
    if (b && b->body && b->curl)
        return b;
    bmc_close(b);
    (void)err_set(e, "cannot set up libcurl");
    return NULL;
}

void bmc_close(struct bmc *b)
{
    struct err e;

    if (!b)
        return;
    b->closing = true;
    if (b->auth == AUTH_SESSION && b->session[0])
        (void)_request(b, "DELETE", b->session, NULL, NULL, LOGOUT_MS, &e);
    curl_easy_cleanup(b->curl);
    free(b->body);
    explicit_bzero(b, sizeof(*b));
    free(b);
}
