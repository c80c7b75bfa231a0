/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot-powercap itself, killed with SIGKILL before each of its steps in turn, setting and
 * restoring: whatever limit it has changed by then is in a journal, and the restores that follow,
 * of which one is killed as well, put everything back.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/cap_message.h"
#include "powercap_fixture.h"

#define STEPS_MAX 500
#define ALL "200 200 300 300"

static char state[PATH_MAX + 32], journal[PATH_MAX + 64];

static void set_up(void)
{
    char link[PATH_MAX + 64];

    powercap_machine(2);
    (void)snprintf(state, sizeof(state), "%s/state", unit_tmpdir());
    (void)snprintf(journal, sizeof(journal), "%s/journal", state);
    (void)snprintf(link, sizeof(link), "%s/libnvidia-ml.so.1", unit_tmpdir());
    UNIT_INT(symlink(FAKE_NVML_FILE, link), 0, "library");
    setenv("LD_LIBRARY_PATH", unit_tmpdir(), 1);
}

/* With these words, killed before step at (0: never). Its wait status. */
static int run(int at, const char *const words[])
{
    const char *argv[12] = {HELPER_FILE, "--sysroot", machine.root, "--state-dir", state};
    char number[16];
    int status = -1, n = 5;
    pid_t pid;

    for (int i = 0; words[i]; i++)
        argv[n++] = words[i];
    pid = fork();
    if (pid == 0) {
        (void)snprintf(number, sizeof(number), "%d", at);
        setenv("KILL_AT", number, 1);
        setenv("LD_PRELOAD", KILL_AT_FILE, 1);
        if (!freopen("/dev/null", "w", stderr))
            _exit(126);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    if (pid > 0)
        (void)waitpid(pid, &status, 0);
    return status;
}

static const char *const restore[] = {"restore", NULL};
static const char *const set[] = {"set", "job=7", "cap=node:500W", NULL};
static const char *const set_again[] = {"set", "job=8", "cap=gpu:200W", "gpus=3", NULL};

/* A restore that is killed, unless it takes fewer steps, and one that is not. */
static void restore_at_last(int at, int restore_at)
{
    int status = run(restore_at, restore);

    UNIT_OK(status == 0 || WIFSIGNALED(status), "restore %d: status %d", restore_at, status);
    UNIT_INT(run(0, restore), 0, "set %d, restore %d", at, restore_at);
    UNIT_STR(powercap_limits(), ALL, "set killed at %d", at);
    UNIT_OK(access(journal, F_OK) < 0, "set killed at %d: no journal is left", at);
}

/* Kill words at each step, until they come through; from is what limits are before them. */
static void kill_each(const char *const before[], const char *const words[], const char *after)
{
    int status = -1, at;

    for (at = 1; at < STEPS_MAX && status != 0; at++) {
        if (before)
            UNIT_INT(run(0, before), 0, "the first cap");
        status = run(at, words);
        UNIT_OK(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL), "status %d",
                status);
        if (strcmp(powercap_limits(), ALL) != 0)
            UNIT_OK(access(journal, F_OK) == 0, "step %d: journaled before it is changed", at);
        if (status == 0)
            UNIT_STR(powercap_limits(), after, "came through");
        restore_at_last(at, 1 + at % 11);
    }
    printf("# %d steps\n", at - 1);
    UNIT_OK(at > 10 && at < STEPS_MAX, "%d steps", at);
}

static void test_set(void)
{
    set_up();
    kill_each(NULL, set, "100 100 150 150");
}

static void test_set_again(void)
{
    set_up();
    kill_each(set, set_again, "200 200 200 200");
}

/* Restores, each killed a step later than the one before, until one comes through. */
static void test_restore(void)
{
    int status = -1, at;

    set_up();
    UNIT_INT(run(0, set), 0, "set");
    for (at = 1; at < STEPS_MAX && status != 0; at++) {
        status = run(at, restore);
        UNIT_OK(status == 0 || WIFSIGNALED(status), "restore %d: status %d", at, status);
        if (strcmp(powercap_limits(), ALL) != 0)
            UNIT_OK(access(journal, F_OK) == 0, "restore %d: the journal is still there", at);
    }
    printf("# %d steps\n", at - 1);
    restore_at_last(0, 0);
    /* from the start, one step later each time */
    for (int k = 1; k < at; k++) {
        UNIT_INT(run(0, set), 0, "set again");
        restore_at_last(0, k);
    }
}

static uid_t asker; /* who makes the socket */

/* Over a socket, as the service manager starts it; user may ask beside root. */
static void ask_of(const char *user, const char *message, const char *want)
{
    const char *const argv[] = {HELPER_FILE,   "--sysroot", machine.root,
                                "--state-dir", state,       user ? "--user" : NULL,
                                user,          NULL};
    char text[CAP_MESSAGE_MAX + 1];
    int pair[2], status;
    ssize_t n;
    pid_t pid;
    int made;

    (void)!seteuid(asker);
    made = socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
    (void)!seteuid(getuid());
    if (!UNIT_INT(made, 0, "sockets"))
        return;
    pid = fork();
    if (pid == 0) {
        (void)dup2(pair[1], STDIN_FILENO);
        (void)dup2(pair[1], STDOUT_FILENO);
        (void)close(pair[0]);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    (void)close(pair[1]);
    /* Whom it does not serve it leaves without listening. */
    n = send(pair[0], message, strlen(message), MSG_NOSIGNAL);
    UNIT_OK(n == (ssize_t)strlen(message) || (!want[0] && n < 0 && errno == EPIPE), "sent");
    n = recv(pair[0], text, sizeof(text) - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    UNIT_OK(strncmp(text, want, strlen(want)) == 0 && (want[0] || !text[0]), "%s: got %s", message,
            text);
    (void)close(pair[0]);
    (void)waitpid(pid, &status, 0);
}

static void ask(const char *message, const char *want)
{
    ask_of(NULL, message, want);
}

/* A socket says who made it. */
static void test_user(void)
{
    set_up();
    if (geteuid() != 0)
        unit_skip("only root can be somebody else");
    asker = 65534;
    ask("carnot1 set job=7 cap=gpu:250W gpus=1", "");
    ask_of("daemon", "carnot1 set job=7 cap=gpu:250W gpus=1", "");
    UNIT_STR(powercap_limits(), ALL, "nobody else may ask");
    ask_of("nobody", "carnot1 set job=7 cap=gpu:250W gpus=1", "carnot1 result=set limits=1 ");
    ask_of("nobody", "carnot1 restore", "carnot1 result=restore limits=1 ");
}

static void test_message(void)
{
    set_up();
    asker = geteuid();
    ask("carnot1 set job=7 cap=gpu:250W gpus=1",
        "carnot1 result=set limits=1 asked_mw=250000 actual_mw=250000 why=");
    UNIT_STR(powercap_limits(), "200 200 250 300", "set");
    ask("carnot1 set job=7", "");
    ask("carnot1 set job=7 cap=gpu:250W gpus=1 journal=/etc/passwd", "");
    ask("carnot1 set job=7 cap=gpu:250W gpus=1 cap=gpu:300W", "");
    ask("carnot2 restore", "");
    ask("", "");
    UNIT_STR(powercap_limits(), "200 200 250 300", "bad messages do nothing");
    ask("carnot1 restore", "carnot1 result=restore limits=1 ");
    UNIT_STR(powercap_limits(), ALL, "put back");
}

/* Who does not wait any more may have asked for a restore since: a set that comes late is none. */
static void test_hung_up(void)
{
    static const char message[] = "carnot1 set job=7 cap=node:500W";
    const char *const argv[] = {HELPER_FILE, "--sysroot", machine.root, "--state-dir", state, NULL};
    char lock[PATH_MAX + 64];
    int pair[2], status = 0, fd;
    pid_t pid;

    set_up();
    CU_ASSERT_FATAL(mkdir(state, 0700) == 0);
    (void)snprintf(lock, sizeof(lock), "%s/lock", state);
    fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(fd >= 0 && flock(fd, LOCK_EX) == 0);
    CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    pid = fork();
    if (pid == 0) {
        (void)dup2(pair[1], STDIN_FILENO);
        (void)dup2(pair[1], STDOUT_FILENO);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    (void)close(pair[1]);
    UNIT_INT(send(pair[0], message, sizeof(message) - 1, 0), sizeof(message) - 1, "asked");
    gpu_pause_ms(300); /* it waits for the lock */
    (void)close(pair[0]);
    (void)close(fd);
    (void)waitpid(pid, &status, 0);
    UNIT_OK(WIFEXITED(status) && WEXITSTATUS(status) == 1, "status %d", status);
    UNIT_STR(powercap_limits(), ALL, "nothing is set");
    UNIT_OK(access(journal, F_OK) < 0, "nor journaled");
}

/* Others may not write where the journal is. */
static void test_state_dir(void)
{
    set_up();
    CU_ASSERT_FATAL(mkdir(state, 0777) == 0 && chmod(state, 0777) == 0);
    UNIT_OK(run(0, set) != 0, "refused");
    UNIT_STR(powercap_limits(), ALL, "nothing is changed");
}

/* A driver that hangs ends the helper, and not the other way round. */
static void test_hang(void)
{
    int status;

    set_up();
    gpu_says(GPU_B ".set", "hang");
    status = run(0, set);
    UNIT_OK(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM, "status %d", status);
    UNIT_OK(access(journal, F_OK) == 0, "what it had changed is known");
    fixture_remove(machine.gpus, GPU_B ".set");
    UNIT_INT(run(0, restore), 0, "the next one");
    UNIT_STR(powercap_limits(), ALL, "puts it back");
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"set", test_set},         {"set_again", test_set_again}, {"restore", test_restore},
        {"hung_up", test_hung_up}, {"message", test_message},     {"user", test_user},
        {"state", test_state_dir}, {"hang", test_hang},           {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "powercap_kill");
}
