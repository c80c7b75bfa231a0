/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Credentials and the client's side of an exchange, against a munged of our own and servers
 * that answer, lie, dribble, hang and hang up.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/clock.h"
#include "common/path.h"
#include "unit.h"

#define ANYBODY ((uid_t)-1)
#define NOBODY 65534

static char munge_socket[128];

static const char *find_munged(void)
{
    static const char *const paths[] = {"/usr/sbin/munged", "/usr/local/sbin/munged"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (access(paths[i], X_OK) == 0)
            return paths[i];
    }
    return NULL;
}

static void run_munged(const char *munged)
{
    char key[128], pid[128], log[128], seed[128], sock[160];
    const char *dir = unit_tmpdir();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    (void)snprintf(key, sizeof(key), "--key-file=%s/key", dir);
    (void)snprintf(pid, sizeof(pid), "--pid-file=%s/pid", dir);
    (void)snprintf(log, sizeof(log), "--log-file=%s/log", dir);
    (void)snprintf(seed, sizeof(seed), "--seed-file=%s/seed", dir);
    (void)snprintf(sock, sizeof(sock), "--socket=%s", munge_socket);
    (void)dup2(null, 1);
    (void)dup2(null, 2);
    (void)execl(munged, munged, "--foreground", "--force", key, pid, log, seed, sock, (char *)NULL);
    _exit(127);
}

/* A munged with a key of its own in the case's directory; it ends with the case. */
static void start_munged(void)
{
    const char *munged = find_munged();
    char key[128], bytes[128];
    struct err e = {""};

    if (!munged)
        unit_skip("munged is not installed");
    (void)chmod(unit_tmpdir(), 0755); /* another user asks it as well */
    (void)snprintf(key, sizeof(key), "%s/key", unit_tmpdir());
    (void)snprintf(munge_socket, sizeof(munge_socket), "%s/munge.socket", unit_tmpdir());
    memset(bytes, (int)getpid(), sizeof(bytes));
    if (path_write_atomic(key, bytes, sizeof(bytes), 0600, &e) < 0)
        unit_skip(e.text);
    if (fork() == 0)
        run_munged(munged);
    for (int i = 0; i < 500; i++) {
        json_t *msg = json_object();
        char *cred = NULL;
        int rc = channel_seal(munge_socket, ANYBODY, msg, &cred, &e);

        json_decref(msg);
        free(cred);
        if (rc == 0)
            return;
        (void)usleep(10000);
    }
    unit_skip("munged does not start here");
}

/* {"n": n} in a credential, for the caller to free. */
static char *seal_number(int n, uid_t only)
{
    json_t *msg = json_pack("{s:i}", "n", n);
    struct err e = {""};
    char *cred = NULL;

    UNIT_INT(channel_seal(munge_socket, only, msg, &cred, &e), 0, "%s", e.text);
    json_decref(msg);
    return cred;
}

static void test_seal_and_open(void)
{
    struct channel_peer peer;
    struct err e = {""};
    json_t *msg = NULL;
    char *cred;

    start_munged();
    cred = seal_number(5, ANYBODY);
    UNIT_INT(channel_open(munge_socket, cred, strlen(cred), &msg, &peer, &e), 0, "%s", e.text);
    UNIT_INT(json_integer_value(json_object_get(msg, "n")), 5, "payload");
    UNIT_INT(peer.uid, getuid(), "uid");
    UNIT_OK(llabs(peer.encoded_s - (int64_t)time(NULL)) < 60, "made just now");
    UNIT_INT(peer.gid, getgid(), "gid");
    json_decref(msg);
    msg = NULL;
    UNIT_INT(channel_open(munge_socket, cred, strlen(cred), &msg, &peer, &e), -1, "replayed");
    UNIT_INT(errno, EACCES, "replayed");
    UNIT_OK(strstr(e.text, "munge: "), "%s", e.text);
    UNIT_OK(msg == NULL, "nothing changes");
    free(cred);
}

static void test_restricted(void)
{
    struct err e = {""};
    json_t *msg = NULL;
    char *cred;

    if (getuid() != 0)
        unit_skip("needs root to become another user");
    start_munged();
    cred = seal_number(5, NOBODY);
    UNIT_INT(channel_open(munge_socket, cred, strlen(cred), &msg, NULL, &e), -1, "not for us");
    UNIT_INT(errno, EACCES, "not for us");
    UNIT_INT(setresuid(NOBODY, NOBODY, NOBODY), 0, "setuid");
    UNIT_INT(channel_open(munge_socket, cred, strlen(cred), &msg, NULL, &e), 0, "%s", e.text);
    json_decref(msg);
    free(cred);
}

static void test_open_garbage(void)
{
    static const char *const rows[] = {"",
                                       "x",
                                       "MUNGE:",
                                       "MUNGE::",
                                       "MUNGE:AAAA:",
                                       "MUNGE:%%%%:",
                                       "{\"n\":1}",
                                       "\xff\xfe\xfd",
                                       "MUNGE:AwQDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA:"};
    struct err e = {""};
    json_t *msg = NULL;
    char *cred;

    start_munged();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        UNIT_INT(channel_open(munge_socket, rows[i], strlen(rows[i]), &msg, NULL, &e), -1, "%s",
                 rows[i]);
    UNIT_INT(channel_open(munge_socket, "MUNGE\0:", 7, &msg, NULL, &e), -1, "NUL inside");
    UNIT_INT(channel_open(munge_socket, "", (size_t)CHANNEL_FRAME_MAX + 1, &msg, NULL, &e), -1,
             "too long to look at");
    cred = seal_number(5, ANYBODY);
    UNIT_INT(channel_open(munge_socket, cred, strlen(cred) / 2, &msg, NULL, &e), -1, "cut");
    cred[strlen(cred) / 2] ^= 1;
    UNIT_INT(channel_open(munge_socket, cred, strlen(cred), &msg, NULL, &e), -1, "changed");
    UNIT_INT(channel_open(munge_socket, cred, strlen(cred), &msg, NULL, NULL), -1, "without err");
    UNIT_OK(msg == NULL, "nothing changes");
    free(cred);
}

static void test_seal_errors(void)
{
    struct err e = {""};
    json_t *list = json_array(), *msg = json_object();
    char *cred = NULL, *big = malloc(3 << 20);

    UNIT_INT(channel_seal("", ANYBODY, list, &cred, &e), -1, "no object");
    UNIT_INT(errno, EINVAL, "no object");
    UNIT_INT(channel_seal("", ANYBODY, NULL, &cred, &e), -1, "NULL");
    UNIT_INT(channel_seal("/nonexistent/munge", ANYBODY, msg, &cred, &e), -1, "no munged");
    UNIT_INT(errno, ENOTCONN, "no munged");
    start_munged();
    memset(big, 'x', (3 << 20) - 1);
    big[(3 << 20) - 1] = '\0';
    (void)json_object_set_new(msg, "big", json_string(big));
    UNIT_INT(channel_seal(munge_socket, ANYBODY, msg, &cred, &e), -1, "more than munge takes");
    UNIT_INT(errno, EMSGSIZE, "more than munge takes: %s", e.text);
    UNIT_OK(cred == NULL, "nothing changes");
    json_decref(list);
    json_decref(msg);
    free(big);
}

/* munge payloads that no client of ours makes; encoded by the munge command. */
static void test_foreign_payload(void)
{
    static const char *const rows[] = {"[1]",
                                       "1",
                                       "\"a\"",
                                       "null",
                                       "{",
                                       "{}x",
                                       "",
                                       "{\"a\":1,\"a\":2}",
                                       "{\"a\":\"\xff\"}",
                                       "{\"a\":}",
                                       "{\"a\":1e999}"};

    start_munged();
    if (access("/usr/bin/munge", X_OK) < 0)
        unit_skip("the munge command is not installed");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char path[128], command[512], *cred = NULL;
        struct err e = {""};
        json_t *msg = NULL;
        size_t size = 0;

        (void)snprintf(path, sizeof(path), "%s/payload", unit_tmpdir());
        UNIT_INT(path_write_atomic(path, rows[i], strlen(rows[i]), 0600, &e), 0, "%s", e.text);
        (void)snprintf(command, sizeof(command), "munge --socket=%s -i %s -o %s.cred", munge_socket,
                       path, path);
        UNIT_INT(system(command), 0, "%s", command);
        (void)snprintf(path, sizeof(path), "%s/payload.cred", unit_tmpdir());
        UNIT_INT(path_read(path, 65536, &cred, &size, &e), 0, "%s", e.text);
        UNIT_INT(channel_open(munge_socket, cred, strcspn(cred, "\n"), &msg, NULL, &e), -1, "%s",
                 rows[i]);
        UNIT_INT(errno, EBADMSG, "%s: %s", rows[i], e.text);
        free(cred);
    }
}

typedef void (*serve_f)(int fd);

/* A server on a free port of the loopback, for one connection; returns the port. */
static int start_server(serve_f serve)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, size) < 0 || listen(fd, 4) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &size) < 0)
        unit_skip("no loopback to listen on");
    if (fork() == 0) {
        int client = accept(fd, NULL, NULL);

        serve(client);
        _exit(0);
    }
    (void)close(fd);
    return ntohs(a.sin_port);
}

static void read_exactly(int fd, void *buf, size_t size)
{
    if (recv(fd, buf, size, MSG_WAITALL) != (ssize_t)size)
        _exit(1);
}

/* The request of a client, opened. */
static json_t *read_request(int fd)
{
    unsigned char header[4];
    static char body[65536];
    json_t *msg = NULL;
    size_t size;

    read_exactly(fd, header, sizeof(header));
    size = (size_t)header[0] << 24 | (size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3];
    if (size == 0 || size > sizeof(body))
        _exit(1);
    read_exactly(fd, body, size);
    if (channel_open(munge_socket, body, size, &msg, NULL, NULL) < 0)
        _exit(1);
    return msg;
}

/* A frame as it is given, pause_us between its bytes. */
static void send_frame(int fd, const char *body, size_t size, unsigned pause_us)
{
    unsigned char header[4] = {(unsigned char)(size >> 24), (unsigned char)(size >> 16),
                               (unsigned char)(size >> 8), (unsigned char)size};

    (void)send(fd, header, sizeof(header), MSG_NOSIGNAL);
    for (size_t i = 0; body && i < size; i += pause_us ? 1 : size) {
        (void)send(fd, body + i, pause_us ? 1 : size, MSG_NOSIGNAL);
        (void)usleep(pause_us);
    }
}

static void answer(int fd, unsigned pause_us)
{
    json_t *msg = read_request(fd);
    char *cred = NULL;

    (void)json_object_set_new(msg, "ok", json_true());
    if (channel_seal(munge_socket, ANYBODY, msg, &cred, NULL) < 0)
        _exit(1);
    send_frame(fd, cred, strlen(cred), pause_us);
}

static void serve_answer(int fd)
{
    answer(fd, 0);
}

static void serve_slow_answer(int fd)
{
    answer(fd, 200);
}

static void serve_as_nobody(int fd)
{
    if (setresuid(NOBODY, NOBODY, NOBODY) < 0)
        _exit(1);
    answer(fd, 0);
}

static void serve_hangup(int fd)
{
    (void)close(fd);
}

static void serve_nothing(int fd)
{
    (void)fd;
    (void)sleep(60);
}

static void serve_dribble(int fd)
{
    json_decref(read_request(fd));
    for (;;) { /* an answer that never ends, and never pauses for long either */
        static const unsigned char header[4] = {0, 0x10, 0, 0};
        static int sent;

        (void)send(fd, sent < 4 ? header + sent : (const unsigned char *)"x", 1, MSG_NOSIGNAL);
        sent++;
        (void)usleep(20000);
    }
}

static void serve_zero(int fd)
{
    json_decref(read_request(fd));
    send_frame(fd, NULL, 0, 0);
    (void)sleep(60);
}

static void serve_huge(int fd)
{
    json_decref(read_request(fd));
    send_frame(fd, NULL, 0xffffffff, 0);
    (void)sleep(60);
}

static void serve_one_too_many(int fd)
{
    json_decref(read_request(fd));
    send_frame(fd, NULL, (size_t)CHANNEL_FRAME_MAX + 1, 0);
    (void)sleep(60);
}

static void serve_cut(int fd)
{
    json_decref(read_request(fd));
    send_frame(fd, NULL, 100, 0);
    (void)send(fd, "MUNGE:", 6, MSG_NOSIGNAL);
}

static void serve_garbage(int fd)
{
    json_decref(read_request(fd));
    send_frame(fd, "HTTP/1.1 200 OK", 15, 0);
}

/* What the client sent, back to it: a replay. */
static void serve_echo(int fd)
{
    static char buf[65536];
    ssize_t n;

    (void)usleep(50000);
    n = recv(fd, buf, sizeof(buf), 0);
    if (n > 4) {
        json_t *msg = NULL;

        (void)channel_open(munge_socket, buf + 4, (size_t)n - 4, &msg, NULL, NULL);
        (void)send(fd, buf, (size_t)n, MSG_NOSIGNAL);
    }
}

/* Ask port; returns channel_ask_uid's value, errno kept, in *ms how long it took. */
static int ask(int port, uid_t server_uid, json_t **got, int timeout_ms, int64_t *ms, struct err *e)
{
    json_t *request = json_pack("{s:i}", "n", 7);
    int64_t before = clock_mono_ms(&clock_system);
    int saved, rc;

    rc = channel_ask_uid("127.0.0.1", port, munge_socket, server_uid, request, got, timeout_ms, e);
    saved = errno;
    *ms = clock_mono_ms(&clock_system) - before;
    json_decref(request);
    errno = saved;
    return rc;
}

static void check_answer(serve_f serve, uid_t server_uid)
{
    struct err e = {""};
    json_t *got = NULL;
    int64_t ms;

    UNIT_INT(ask(start_server(serve), server_uid, &got, 5000, &ms, &e), 0, "%s", e.text);
    UNIT_INT(json_integer_value(json_object_get(got, "n")), 7, "what we sent");
    UNIT_OK(json_is_true(json_object_get(got, "ok")), "and an answer");
    json_decref(got);
}

static void test_ask(void)
{
    start_munged();
    check_answer(serve_answer, ANYBODY);
    check_answer(serve_slow_answer, ANYBODY);
    check_answer(serve_answer, getuid());
}

static void test_ask_localhost(void)
{
    json_t *request = json_pack("{s:i}", "n", 7), *got = NULL;
    struct err e = {""};

    start_munged();
    UNIT_INT(
        channel_ask("localhost", start_server(serve_answer), munge_socket, request, &got, 5000, &e),
        0, "%s", e.text);
    json_decref(got);
    json_decref(request);
}

static void test_ask_impostor(void)
{
    struct err e = {""};
    json_t *got = NULL;
    int64_t ms;

    if (getuid() != 0)
        unit_skip("needs root to become another user");
    start_munged();
    check_answer(serve_as_nobody, ANYBODY);
    check_answer(serve_as_nobody, NOBODY);
    /* it cannot even read what is not for it */
    UNIT_INT(ask(start_server(serve_as_nobody), 0, &got, 5000, &ms, &e), -1, "restricted");
    UNIT_OK(got == NULL, "nothing changes");
}

/* A server of the wrong user that answers without having read the request. */
static void serve_lie(int fd)
{
    json_t *msg = json_pack("{s:b}", "ok", 1);
    char *cred = NULL;

    if (setresuid(NOBODY, NOBODY, NOBODY) < 0 ||
        channel_seal(munge_socket, ANYBODY, msg, &cred, NULL) < 0)
        _exit(1);
    send_frame(fd, cred, strlen(cred), 0);
    (void)sleep(60);
}

static void test_ask_liar(void)
{
    struct err e = {""};
    json_t *got = NULL;
    int64_t ms;

    if (getuid() != 0)
        unit_skip("needs root to become another user");
    start_munged();
    UNIT_INT(ask(start_server(serve_lie), 0, &got, 5000, &ms, &e), -1, "not by root");
    UNIT_INT(errno, EACCES, "not by root");
    UNIT_OK(strstr(e.text, "from uid 65534, carnotctld runs as uid 0"), "%s", e.text);
    UNIT_OK(got == NULL, "nothing changes");
}

static void test_ask_failures(void)
{
    static const struct {
        const char *name;
        serve_f serve;
        int error;
    } rows[] = {
        {"hangup", serve_hangup, ECONNRESET},  {"zero", serve_zero, EBADMSG},
        {"huge", serve_huge, EBADMSG},         {"one too many", serve_one_too_many, EBADMSG},
        {"cut", serve_cut, ECONNRESET},        {"garbage", serve_garbage, EACCES},
        {"echo", serve_echo, EACCES},          {"nothing", serve_nothing, ETIMEDOUT},
        {"dribble", serve_dribble, ETIMEDOUT},
    };

    start_munged();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err e = {""};
        json_t *got = NULL;
        int64_t ms = 0;
        int rc = ask(start_server(rows[i].serve), ANYBODY, &got, 400, &ms, &e);

        UNIT_INT(errno, rows[i].error, "%s: %s", rows[i].name, e.text);
        UNIT_INT(rc, -1, "%s", rows[i].name);
        UNIT_OK(got == NULL && e.text[0], "%s", rows[i].name);
        UNIT_OK(ms < 2000 && (rows[i].error != ETIMEDOUT || ms >= 400), "%s took %lld ms",
                rows[i].name, (long long)ms);
    }
}

static void test_ask_nobody_there(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(a);
    json_t *request = json_object(), *got = NULL;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct err e = {""};

    /* bound and not listening: nobody else gets the port meanwhile */
    UNIT_OK(bind(fd, (struct sockaddr *)&a, size) == 0 &&
                getsockname(fd, (struct sockaddr *)&a, &size) == 0,
            "bind");
    UNIT_INT(channel_ask("127.0.0.1", ntohs(a.sin_port), "", request, &got, 1000, &e), -1, "down");
    UNIT_INT(errno, ECONNREFUSED, "down");
    UNIT_OK(strstr(e.text, "cannot reach carnotctld at 127.0.0.1 port "), "%s", e.text);
    UNIT_INT(channel_ask("", 6822, "", request, &got, 1000, NULL), -1, "no host");
    UNIT_INT(channel_ask("no host", 6822, "", request, &got, 1000, &e), -1, "no such host");
    UNIT_INT(errno, EHOSTUNREACH, "no such host: %s", e.text);
    json_decref(request);
    (void)close(fd);
}

static void on_signal(int number)
{
    (void)number;
}

/* A timer that interrupts every call must neither fail nor prolong the exchange. */
static void test_ask_interrupted(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct err e = {""};
    json_t *got = NULL;
    int64_t ms = 0;
    pid_t self = getpid();

    start_munged();
    UNIT_INT(sigaction(SIGUSR1, &action, NULL), 0, "sigaction");
    if (fork() == 0) {
        for (int i = 0; i < 200; i++) {
            (void)kill(self, SIGUSR1);
            (void)usleep(5000);
        }
        _exit(0);
    }
    UNIT_INT(ask(start_server(serve_nothing), ANYBODY, &got, 300, &ms, &e), -1, "hangs");
    UNIT_INT(errno, ETIMEDOUT, "hangs: %s", e.text);
    UNIT_OK(ms >= 300 && ms < 1500, "%lld ms", (long long)ms);
    check_answer(serve_slow_answer, ANYBODY);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"seal_and_open", test_seal_and_open},
        {"restricted", test_restricted},
        {"open_garbage", test_open_garbage},
        {"seal_errors", test_seal_errors},
        {"foreign_payload", test_foreign_payload},
        {"ask", test_ask},
        {"ask_localhost", test_ask_localhost},
        {"ask_impostor", test_ask_impostor},
        {"ask_liar", test_ask_liar},
        {"ask_failures", test_ask_failures},
        {"ask_nobody_there", test_ask_nobody_there},
        {"ask_interrupted", test_ask_interrupted},
        {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "channel");
}
