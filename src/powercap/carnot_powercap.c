/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot-powercap: the only program of Carnot's that may write power limits. It does one thing and
 * ends: set or restore, as its words say, or as one message on its standard input says, which is
 * answered there (the service manager starts it so for each connection of carnotd's). What hangs in
 * a driver ends it after CAP_HELPER_MS; the journal knows what is to be put back then.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/path.h"
#include "common/user.h"
#include "powercap/cap.h"
#include "powercap/journal.h"

#define STATE_DIR LOCALSTATEDIR "/lib/carnot-powercap"
#define PATH_SIZE 512

struct options {
    const char *sysroot, *state_dir, *user;
};

static void _help(void)
{
    (void)fputs("Usage: carnot-powercap [--sysroot DIR] [--state-dir DIR] restore\n"
                "       carnot-powercap [...] set job=ID cap=node:POWER\n"
                "       carnot-powercap [...] set job=ID cap=gpu:POWER gpus=BITS\n"
                "       carnot-powercap [...]                  one such message on standard input\n"
                "\n"
                "Lowers power limits (RAPL, NVIDIA GPUs) and puts them back; carnotd asks it to.\n"
                "\n"
                "      --sysroot DIR    look at the /sys and /proc below DIR\n"
                "      --user NAME      may ask through a socket, beside root: carnotd's user\n"
                "      --state-dir DIR  where the journal is (default: " STATE_DIR ")\n"
                "  -h, --help\n"
                "  -V, --version\n",
                stdout);
}

/* -1: go on; else the exit code. */
static int _options(struct options *o, int argc, char **argv)
{
    static const struct option table[] = {
        {"sysroot", required_argument, NULL, 'r'}, {"state-dir", required_argument, NULL, 's'},
        {"user", required_argument, NULL, 'u'},    {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},       {NULL, 0, NULL, 0}};
    int opt;

    while ((opt = getopt_long(argc, argv, "+hV", table, NULL)) != -1) {
        if (opt == 'r') {
            o->sysroot = optarg;
        } else if (opt == 's') {
            o->state_dir = optarg;
        } else if (opt == 'u') {
            o->user = optarg;
        } else if (opt == 'h') {
            _help();
            return 0;
        } else if (opt == 'V') {
            (void)puts("carnot-powercap " PACKAGE_VERSION);
            return 0;
        } else {
            return 2; /* getopt has said what */
        }
    }
    return -1;
}

/* The words as the message that they would be. 0 or -1. */
static int _words(struct cap_request *r, char **words, struct err *e)
{
    char text[CAP_MESSAGE_MAX + 1];
    size_t used = (size_t)snprintf(text, sizeof(text), "carnot1");

    for (; *words && used < sizeof(text); words++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, " %s", *words);
    return cap_request_parse(r, text, used, e);
}

/* Through a socket only root and that user may ask; a pipe or terminal gives no rights that its
 * user lacks. */
static bool _may_ask(const char *user)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    uid_t uid;

    if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return errno == ENOTSOCK;
    return peer.uid == 0 || peer.uid == geteuid() ||
           (user && user_uid(user, &uid) == 0 && peer.uid == uid);
}

/* Who asked through a socket and has hung up may have asked for a restore since. Only under the
 * lock does that tell anything: whoever asks for one after hanging up then comes behind us. */
static bool _has_hung_up(void)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLRDHUP};
    int type;
    socklen_t size = sizeof(type);

    return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
           poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLRDHUP)) != 0;
}

static int _message(struct cap_request *r, const char *user, struct err *e)
{
    char text[CAP_MESSAGE_MAX + 1];
    ssize_t n;

    if (!_may_ask(user))
        return err_set(e, "refused a process that is neither root's nor carnotd's");
    do {
        n = read(STDIN_FILENO, text, sizeof(text));
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_errno(e, "cannot read the message");
    if (n > 0 && text[n - 1] == '\n')
        n--;
    return cap_request_parse(r, text, (size_t)n, e);
}

static int _boot(char *boot, size_t size, const char *sysroot, struct err *e)
{
    char path[PATH_SIZE], *text = NULL;
    size_t n;
    int rc = 0;

    if (path_format(path, sizeof(path), "%s/proc/sys/kernel/random/boot_id", sysroot) < 0)
        return err_errno(e, "%s", sysroot);
    if (path_read(path, size - 1, &text, &n, e) < 0)
        return -1;
    text[strcspn(text, "\n")] = '\0';
    if (!text[0] || strchr(text, ' '))
        rc = err_set(e, "%s is no id of a boot", path);
    else
        (void)snprintf(boot, size, "%s", text);
    free(text);
    return rc;
}

/* One at a time: whoever comes second waits, and alarm() ends that too. */
static int _lock(const char *dir, struct err *e)
{
    char path[PATH_SIZE];
    int fd;

    if (path_mkdirs(dir, 0700, e) < 0)
        return -1;
    if (path_is_secure(dir, geteuid(), e) == 0)
        return -1;
    if (path_format(path, sizeof(path), "%s/lock", dir) < 0)
        return err_errno(e, "%s", dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) < 0)
        return err_errno(e, "cannot lock %s", path);
    return fd; /* stays locked until the process ends */
}

/* asked: by a message on standard input. */
static int _do(const struct options *o, const struct cap_request *r, bool asked,
               struct cap_answer *a, struct err *e)
{
    char journal[PATH_SIZE], boot[JOURNAL_BOOT_SIZE];
    struct cap_place place = {.sysroot = o->sysroot, .journal = journal, .boot = boot};

    if (path_format(journal, sizeof(journal), "%s/journal", o->state_dir) < 0)
        return err_errno(e, "%s", o->state_dir);
    /* nothing was ever set on this node: leave no directory behind */
    if (r->verb == CAP_RESTORE && access(o->state_dir, F_OK) < 0 && errno == ENOENT) {
        a->result = CAP_RESTORED;
        return 0;
    }
    if (_boot(boot, sizeof(boot), o->sysroot, e) < 0 || _lock(o->state_dir, e) < 0)
        return -1;
    if (r->verb == CAP_SET && asked && _has_hung_up())
        return err_set(e, "nobody waits for it any more");
    if (r->verb == CAP_SET)
        cap_set(&place, r, a);
    else
        cap_restore(&place, a);
    return 0;
}

static void _log(const struct cap_request *r, const struct cap_answer *a)
{
    char cap[POWER_CAP_TEXT_SIZE];
    int level = a->result == CAP_FAILED    ? LOG_ERR
                : a->result == CAP_DIFFERS ? LOG_WARNING
                                           : LOG_INFO;

    if (r->verb == CAP_SET)
        log_msg(level, "job %u, %s: %s, %u limits%s%s", r->job,
                power_cap_format(cap, sizeof(cap), &r->cap), cap_result_name(a->result), a->limits,
                a->why.text[0] ? ": " : "", a->why.text);
    else if (a->limits > 0 || a->why.text[0])
        log_msg(level, "%s, %u limits%s%s", cap_result_name(a->result), a->limits,
                a->why.text[0] ? ": " : "", a->why.text);
}

int main(int argc, char **argv)
{
    struct options o = {.sysroot = "", .state_dir = STATE_DIR};
    struct cap_request request = {.verb = CAP_VERB_NONE};
    struct cap_answer answer = {.result = CAP_FAILED};
    char text[CAP_MESSAGE_MAX + 1];
    struct err e = {""};
    int rc = _options(&o, argc, argv), n;

    if (rc >= 0)
        return rc;
    log_init("carnot-powercap", LOG_INFO);
    (void)signal(SIGPIPE, SIG_IGN); /* who asked may be gone */
    (void)alarm(CAP_HELPER_MS / 1000);
    rc = optind < argc ? _words(&request, argv + optind, &e) : _message(&request, o.user, &e);
    if (rc < 0) {
        log_err("%s", e.text);
        return 2;
    }
    if (_do(&o, &request, optind == argc, &answer, &e) < 0)
        answer.why = e;
    _log(&request, &answer);
    n = cap_answer_format(text, sizeof(text), &answer);
    if (n > 0 && optind == argc && write(STDOUT_FILENO, text, (size_t)n) != n)
        log_err("cannot answer: %s", strerror(errno));
    return answer.result == CAP_FAILED || answer.result == CAP_REFUSED ||
           answer.result == CAP_ASIDE;
}
