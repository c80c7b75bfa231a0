/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The socket for job edges: who may speak, what is understood, and that nobody can block it.
 */
#include "config.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "carnotd/job_socket.h"
#include "common/log.h"
#include "node_fixture.h"

static struct event_base *base;
static struct job_socket jobs;
static struct node_event last;
static int n_events, n_warnings;

static void _on_event(const struct node_event *ev, void *arg)
{
    UNIT_OK(arg == &n_events, "the argument");
    last = *ev;
    n_events++;
}

static void _on_log(int level, const char *line, void *arg)
{
    (void)line;
    (void)arg;
    n_warnings += level <= LOG_WARNING;
}

static const char *_path(void)
{
    static char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/run/carnotd.sock", unit_tmpdir());
    return path;
}

static void _open(void)
{
    struct err e = {""};

    if (geteuid() != 0)
        unit_skip("only root may speak to the socket");
    log_set_handler(_on_log, NULL);
    base = event_base_new();
    CU_ASSERT_FATAL(base != NULL);
    UNIT_INT(job_socket_open(&jobs, base, _path(), "n1", _on_event, &n_events, &e), 0, "%s",
             e.text);
}

static void _close(void)
{
    job_socket_close(&jobs);
    event_base_free(base);
}

static int _connect(int type)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    (void)snprintf(to.sun_path, sizeof(to.sun_path), "%.100s", _path());
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static void _say(const char *text, size_t size)
{
    int fd = _connect(SOCK_SEQPACKET);

    if (UNIT_OK(fd >= 0, "connect"))
        UNIT_INT(send(fd, text, size, MSG_NOSIGNAL), size, "send");
    (void)close(fd);
}

static void _loop(int ms)
{
    const struct timeval tv = {ms / 1000, (ms % 1000) * 1000};

    (void)event_base_loopexit(base, &tv);
    (void)event_base_dispatch(base);
}

#define START "carnot1 event=start job=123 uid=1000 node=n1 ncpus=4"

static void test_messages(void)
{
    char text[600];
    struct stat st;

    _open();
    UNIT_INT(stat(_path(), &st), 0, "there");
    UNIT_INT(st.st_mode & 0777, 0600, "for root alone");
    _say(START, strlen(START));
    _loop(50);
    UNIT_INT(n_events, 1, "understood");
    UNIT_INT(last.job_id, 123, "the job");
    UNIT_INT(last.ncpus, 4, "its CPUs");
    for (int i = 0; i < 100; i++) {
        _say(START, strlen(START));
        if (i % 20 == 19)
            _loop(20);
    }
    UNIT_INT(n_events, 101, "many");
    UNIT_INT(n_warnings, 0, "in silence");
    memset(text, 'x', sizeof(text));
    _say(text, sizeof(text));
    _say("", 0);
    _say("carnot1 event=start job=0", 25);
    _say("carnot2 event=start job=5", 25);
    _loop(50);
    UNIT_INT(n_events, 101, "not understood");
    UNIT_INT(n_warnings, 1, "and said once");
    _say("carnot1 event=start job=5 node=n2", 33);
    _say("carnot1 event=start job=5 node=n3", 33);
    _loop(50);
    UNIT_INT(n_events, 101, "not for us");
    UNIT_INT(n_warnings, 2, "and said once");
    _say("carnot1 event=start job=5", 25);
    _loop(50);
    UNIT_INT(n_events, 102, "no node is named: for us");
    _close();
    UNIT_INT(stat(_path(), &st), -1, "removed");
}

/* Those who connect and say nothing keep nobody else out for longer than a second. */
static void test_silent_peers(void)
{
    int fds[3 * JOB_SOCKET_PEERS / 2];
    const int n = (int)(sizeof(fds) / sizeof(fds[0]));

    _open();
    for (int i = 0; i < n; i++)
        fds[i] = _connect(SOCK_SEQPACKET);
    _loop(100);
    UNIT_INT(jobs.full, 1, "all places are taken");
    _say(START, strlen(START));
    _loop(200);
    UNIT_INT(n_events, 0, "it has to wait");
    _loop(2400);
    UNIT_INT(n_events, 1, "and is heard");
    UNIT_INT(jobs.full, 0, "room again");
    for (int i = 0; i < n; i++)
        (void)close(fds[i]);
    _close();
}

static void test_others(void)
{
    pid_t child;
    int status;

    _open();
    UNIT_INT(_connect(SOCK_STREAM), -1, "no stream");
    CU_ASSERT_FATAL(chmod(_path(), 0666) == 0 && chmod(unit_tmpdir(), 0755) == 0);
    child = fork();
    if (child == 0) {
        int fd;

        if (setgid(65534) < 0 || setuid(65534) < 0)
            _exit(9);
        fd = _connect(SOCK_SEQPACKET);
        _exit(fd >= 0 && send(fd, START, strlen(START), MSG_NOSIGNAL) > 0 ? 0 : 1);
    }
    (void)waitpid(child, &status, 0);
    UNIT_INT(status, 0, "somebody made the file open to all");
    _loop(100);
    UNIT_INT(n_events, 0, "and still nobody but root is heard");
    UNIT_INT(n_warnings, 1, "said once");
    _close();
}

/* What lies at the path: an old socket is replaced, a live one and other files are left alone. */
static void test_path(void)
{
    struct job_socket second;
    struct err e = {""};
    int fd;
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    if (geteuid() != 0)
        unit_skip("only root may speak to the socket");
    CU_ASSERT_FATAL(path_mkdirs(unit_tmpdir(), 0755, NULL) == 0);
    fixture_write(unit_tmpdir(), "run/x", "");
    fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    (void)snprintf(at.sun_path, sizeof(at.sun_path), "%.100s", _path());
    CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
    (void)close(fd);
    _open();
    _say(START, strlen(START));
    _loop(50);
    UNIT_INT(n_events, 1, "in the place of the dead one");
    UNIT_INT(job_socket_open(&second, base, _path(), "n1", _on_event, NULL, &e), -1, "twice");
    UNIT_OK(strstr(e.text, "another carnotd listens"), "%s", e.text);
    _say(START, strlen(START));
    _loop(50);
    UNIT_INT(n_events, 2, "the first one is still there");
    _close();
    fixture_write(unit_tmpdir(), "run/carnotd.sock", "precious");
    base = event_base_new();
    UNIT_INT(job_socket_open(&second, base, _path(), "n1", _on_event, NULL, &e), -1, "a file");
    UNIT_OK(strstr(e.text, "is no socket"), "%s", e.text);
    UNIT_INT(access(_path(), F_OK), 0, "untouched");
    UNIT_INT(
        job_socket_open(&second, base,
                        "/tmp/"
                        "0123456789012345678901234567890123456789012345678901234567890123456789"
                        "012345678901234567890123456789012345678901234567890123456789",
                        "n1", _on_event, NULL, &e),
        -1, "too long");
    UNIT_INT(errno, ENAMETOOLONG, "%s", e.text);
    event_base_free(base);
}

static const struct unit_case cases[] = {{"messages", test_messages},
                                         {"silent_peers", test_silent_peers},
                                         {"others", test_others},
                                         {"path", test_path},
                                         {NULL, NULL}};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "job_socket");
}
