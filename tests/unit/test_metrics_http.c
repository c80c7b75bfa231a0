/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server of /metrics on loopback, asked by sockets of the test's own: what it answers, what it
 * refuses, how many it serves at once, and that handing it a text never waits for those who ask.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "carnotd/metrics_http.h"
#include "unit.h"

static char answer[METRICS_HTTP_MAX + 4096];
static int port;

/* A port that was free a moment ago. */
static int _free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
    CU_ASSERT_FATAL(getsockname(fd, (struct sockaddr *)&a, &size) == 0);
    (void)close(fd);
    return ntohs(a.sin_port);
}

static struct metrics_http *_serve(void)
{
    struct metrics_http_address at;
    struct metrics_http *h;
    struct err e = {""};
    char text[16];

    port = _free_port();
    (void)snprintf(text, sizeof(text), "%d", port);
    CU_ASSERT_FATAL(metrics_http_parse(&at, text, &e) == 0);
    h = metrics_http_open(&at, &e);
    if (!h)
        CU_FAIL_FATAL("it does not listen");
    return h;
}

static int _connect(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CU_ASSERT_FATAL(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
    return fd;
}

/* All that comes until the other end closes, or nothing came for so long: into answer. */
static ssize_t _receive(int fd, int wait_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    size_t used = 0;
    ssize_t n = 1;

    while (n > 0 && used < sizeof(answer) - 1 && poll(&p, 1, wait_ms) == 1) {
        n = recv(fd, answer + used, sizeof(answer) - 1 - used, 0);
        used += n > 0 ? (size_t)n : 0;
    }
    answer[used] = '\0';
    return n == 0 || used ? (ssize_t)used : -1;
}

/* Send text, take the answer: its status, 0 for none. */
static int _ask(const char *text)
{
    int fd = _connect(), status = 0;

    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
    (void)_receive(fd, 3000);
    (void)close(fd);
    return sscanf(answer, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

#define GET "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"

static const char *_body(void)
{
    const char *end = strstr(answer, "\r\n\r\n");

    return end ? end + 4 : "";
}

static void test_answers(void)
{
    struct metrics_http *h = _serve();

    UNIT_INT(_ask(GET "\r\n"), 503, "before there is anything");
    metrics_http_publish(h, false, "a 1\n", 4);
    metrics_http_publish(h, true, "a 2\n# EOF\n", 10);
    UNIT_INT(_ask(GET "\r\n"), 200, "%s", answer);
    UNIT_STR(_body(), "a 1\n", "the older format is for all");
    UNIT_OK(strstr(answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"), "%s",
            answer);
    UNIT_INT(_ask(GET "Accept: application/openmetrics-text;version=1.0.0,*/*;q=0.1\r\n\r\n"), 200,
             "%s", answer);
    UNIT_STR(_body(), "a 2\n# EOF\n", "OpenMetrics for those who want it");
    UNIT_OK(strstr(answer, "Content-Type: application/openmetrics-text; version=1.0.0;"), "%s",
            answer);
    UNIT_INT(_ask("HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), 200, "%s",
             answer);
    UNIT_STR(_body(), "", "a head has no body");
    metrics_http_publish(h, false, "a 3\n", 4);
    UNIT_INT(_ask(GET "\r\n"), 200, "%s", answer);
    UNIT_STR(_body(), "a 3\n", "the newest");
    metrics_http_publish(h, false, "", 0);
    UNIT_INT(_ask(GET "\r\n"), 503, "what did not fit is not there");
    metrics_http_close(h);
}

static void test_refusals(void)
{
    static const char *const bad[] = {
        "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET /metrics/../etc/passwd HTTP/1.1\r\nConnection: close\r\n\r\n",
        "POST /metrics HTTP/1.1\r\nConnection: close\r\nContent-Length: 3\r\n\r\na=b",
        "PUT /metrics HTTP/1.1\r\nConnection: close\r\nContent-Length: 9999999999\r\n\r\n",
        "DELETE /metrics HTTP/1.1\r\nConnection: close\r\n\r\n",
        "nonsense\r\n\r\n",
        "GET\r\n\r\n",
        "GET /metrics HTTP/99999999999.1\r\n\r\n",
    };
    struct metrics_http *h = _serve();
    char *large = malloc(20000);

    metrics_http_publish(h, false, "a 1\n", 4);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        UNIT_OK(_ask(bad[i]) != 200, "row %zu: %s", i, answer);
        UNIT_OK(!strstr(answer, "a 1\n"), "row %zu", i);
    }
    memcpy(large, GET "X: ", strlen(GET "X: "));
    memset(large + strlen(GET "X: "), 'x', 19990 - strlen(GET "X: "));
    strcpy(large + 19990, "\r\n\r\n");
    UNIT_OK(_ask(large) != 200, "a large head: %s", answer);
    free(large);
    UNIT_INT(_ask(GET "\r\n"), 200, "and it still serves");
    metrics_http_close(h);
}

/* Of many silent connections a few are taken; the rest is served when those have had their time. */
static void test_crowd(void)
{
    struct metrics_http *h = _serve();
    int fds[METRICS_HTTP_PEERS + 8], before = 0, after = 0, late;
    struct timespec began, now;

    metrics_http_publish(h, false, "a 1\n", 4);
    for (int fd = 0; fd < 256; fd++)
        before += lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF;
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        fds[i] = _connect();
    late = _connect();
    (void)!send(late, GET "\r\n", strlen(GET "\r\n"), MSG_NOSIGNAL);
    UNIT_INT(_receive(late, 500), -1, "a full house serves nobody more");
    for (int fd = 0; fd < 256; fd++)
        after += lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF;
    UNIT_OK(after - before <= METRICS_HTTP_PEERS + (int)(sizeof(fds) / sizeof(fds[0])) + 1,
            "descriptors: %d before, %d after", before, after);
    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    for (int i = 0; i < 1000; i++)
        metrics_http_publish(h, false, "a 2\n", 4);
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    UNIT_OK(now.tv_sec - began.tv_sec < 2, "the main thread does not wait for them");
    UNIT_OK(_receive(late, 14000) > 0 && strstr(answer, "a 2\n"), "and then: %s", answer);
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        (void)close(fds[i]);
    (void)close(late);
    UNIT_INT(_ask(GET "\r\n"), 200, "all are gone");
    metrics_http_close(h);
}

/* One byte now and then does not hold a place. */
static void test_drip(void)
{
    struct metrics_http *h = _serve();
    int fd = _connect(), sent = 0;

    metrics_http_publish(h, false, "a 1\n", 4);
    for (int i = 0; i < 28 && send(fd, "G", 1, MSG_NOSIGNAL) == 1; i++) {
        struct pollfd p = {.fd = fd, .events = POLLIN};

        sent++;
        if (poll(&p, 1, 500) == 1)
            break;
    }
    UNIT_OK(sent < 28, "after %d bytes it still listened", sent);
    (void)close(fd);
    metrics_http_close(h);
}

static void test_addresses(void)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {{"9822", "127.0.0.1:9822"},
                {"127.0.0.1:9822", "127.0.0.1:9822"},
                {"0.0.0.0:1", "0.0.0.0:1"},
                {"[::1]:65535", "[::1]:65535"},
                {"", NULL},
                {"0", NULL},
                {"65536", NULL},
                {"99999999999999999999", NULL},
                {"127.0.0.1", NULL},
                {"127.0.0.1:", NULL},
                {"127.0.0.1:0", NULL},
                {"127.0.0.1:65536", NULL},
                {"::1", NULL},
                {"[::1]", NULL},
                {"localhost:9822", NULL},
                {"9822x", NULL},
                {"-1", NULL},
                {"*:9822", NULL}};
    struct metrics_http_address at;
    struct err e;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        e.text[0] = '\0';
        UNIT_INT(metrics_http_parse(&at, rows[i].text, &e), rows[i].shown ? 0 : -1, "'%s'",
                 rows[i].text);
        if (rows[i].shown)
            UNIT_STR(at.text, rows[i].shown, "'%s'", rows[i].text);
        else
            UNIT_OK(strstr(e.text, "node.metrics_http"), "%s", e.text);
    }
}

/* A port that is taken is one error; who had it keeps it. */
static void test_taken(void)
{
    struct metrics_http *h = _serve();
    struct metrics_http_address at;
    struct err e = {""};
    char text[16];

    metrics_http_publish(h, false, "a 1\n", 4);
    (void)snprintf(text, sizeof(text), "%d", port);
    UNIT_INT(metrics_http_parse(&at, text, &e), 0, "%s", e.text);
    UNIT_OK(metrics_http_open(&at, &e) == NULL, "twice");
    UNIT_OK(strstr(e.text, "cannot listen on 127.0.0.1:") && strstr(e.text, "in use"), "%s",
            e.text);
    UNIT_INT(_ask(GET "\r\n"), 200, "the first one");
    metrics_http_close(h);
    metrics_http_close(NULL);
}

static const struct unit_case cases[] = {
    {"answers", test_answers},
    {"refusals", test_refusals},
    {"crowd", test_crowd},
    {"drip", test_drip},
    {"addresses", test_addresses},
    {"taken", test_taken},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "metrics_http");
}
