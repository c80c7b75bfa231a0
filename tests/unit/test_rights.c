/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnotd started as root for the account nobody: who it is then, in all its threads; what it goes
 * on reading that only root may open; whose its files are; which directories it refuses.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "node_fixture.h"

#define E0 "sys/class/powercap/intel-rapl:0/energy_uj"
#define PERFMON (UINT64_C(1) << 38) /* CAP_PERFMON of linux/capability.h */

static const char *root; /* the machine */
static char config[PATH_MAX + 64], out[1 << 16];
static uid_t nobody;

static char *_file(const char *name)
{
    static char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/%s", unit_tmpdir(), name);
    return path;
}

static void _sleep_ms(int ms)
{
    (void)nanosleep(&(struct timespec){ms / 1000, (ms % 1000) * 1000000L}, NULL);
}

static void _configure(const char *user, const char *more)
{
    char text[4 * PATH_MAX];
    const char *dir = unit_tmpdir();

    (void)snprintf(text, sizeof(text),
                   "controller:\n  host: 127.0.0.1\n  port: 1\n"
                   "node:\n  interval: 200ms\n  log_interval: 400ms\n  report_interval: 400ms\n"
                   "  state_dir: %s/state\n  log_dir: %s/log\n  socket: %s/run/n1.sock\n"
                   "  user: %s\n%s",
                   dir, dir, dir, user, more);
    fixture_write(dir, "carnot.yaml", text);
}

/* A machine whose counter root alone may open, as kernels have it. */
static void _setup(void)
{
    const struct passwd *pw = getpwnam("nobody");

    if (geteuid() != 0)
        unit_skip("only root can become somebody else");
    if (!pw || pw->pw_uid == 0)
        unit_skip("there is no account nobody");
    nobody = pw->pw_uid;
    CU_ASSERT_FATAL(chmod(unit_tmpdir(), 0755) == 0);
    root = fixture_copy("amd-1s");
    CU_ASSERT_FATAL(chmod(root, 0755) == 0);
    fixture_write_u64(root, E0, 1000000);
    (void)snprintf(config, sizeof(config), "%s/" E0, root);
    CU_ASSERT_FATAL(chmod(config, 0400) == 0);
    (void)snprintf(config, sizeof(config), "%s", _file("carnot.yaml"));
    _configure("nobody", "");
}

static pid_t _spawn(const char *option)
{
    pid_t child = fork();

    if (child == 0) {
        int fd = open(_file("out"), O_WRONLY | O_CREAT | O_APPEND, 0644);

        (void)unsetenv("NOTIFY_SOCKET");
        if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
            _exit(99);
        (void)execl(CARNOTD_FILE, "carnotd", "-f", config, "-N", "n1", "--sysroot", root, option,
                    (char *)NULL);
        _exit(98);
    }
    return child;
}

static void _read_out(const char *name)
{
    char *text = NULL;
    size_t size;

    out[0] = '\0';
    if (path_read(_file(name), sizeof(out) - 1, &text, &size, NULL) == 0)
        memcpy(out, text, size + 1);
    free(text);
}

/* Run until it says that it cannot start; what it said is in out. */
static int _refused(void)
{
    int status = -1;
    pid_t child;

    (void)unlink(_file("out"));
    child = _spawn(NULL);
    for (int i = 0; i < 500 && waitpid(child, &status, WNOHANG) == 0; i++)
        _sleep_ms(10);
    if (status == -1) {
        (void)kill(child, SIGKILL);
        (void)waitpid(child, &status, 0);
    }
    _read_out("out");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool _told(const char *text)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    bool done;

    (void)snprintf(to.sun_path, sizeof(to.sun_path), "%.80s/run/n1.sock", unit_tmpdir());
    done = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
           send(fd, text, strlen(text), MSG_NOSIGNAL) > 0;
    (void)close(fd);
    return done;
}

static pid_t _start(const char *option)
{
    pid_t child = _spawn(option);

    for (int i = 0; i < 1000; i++) {
        _read_out("out");
        if (strstr(out, "records to"))
            break;
        _sleep_ms(10);
    }
    UNIT_OK(strstr(out, "records to") != NULL, "it runs: %s", out);
    return child;
}

static void _stop(pid_t child)
{
    int status = -1;

    (void)kill(child, SIGTERM);
    (void)waitpid(child, &status, 0);
    UNIT_INT(status, 0, "an orderly end");
    (void)unlink(_file("out"));
}

/* Each of the process's threads has this on the line of its status. How many threads. */
static int _each_thread(pid_t pid, const char *key, const char *want, uint64_t allowed)
{
    char path[512], *text, *line;
    const struct dirent *entry;
    size_t size;
    int n = 0;
    DIR *d;

    (void)snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
    d = opendir(path);
    while (d && (entry = readdir(d))) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "/proc/%ld/task/%s/status", (long)pid, entry->d_name);
        if (path_read(path, 1 << 16, &text, &size, NULL) < 0)
            continue;
        line = strstr(text, key);
        if (UNIT_OK(line != NULL, "%s", key)) {
            line += strlen(key);
            line[strcspn(line, "\n")] = '\0';
            if (want)
                UNIT_STR(line, want, "%s of thread %s", key, entry->d_name);
            else
                UNIT_INT(strtoull(line, NULL, 16) & ~allowed, 0, "%s of thread %s: %s", key,
                         entry->d_name, line);
        }
        free(text);
        n++;
    }
    if (d)
        (void)closedir(d);
    return n;
}

static void _check_owner(const char *name, uid_t uid, unsigned mode)
{
    struct stat st;

    if (UNIT_OK(stat(_file(name), &st) == 0, "%s is there", name)) {
        UNIT_INT(st.st_uid, uid, "%s: owner", name);
        UNIT_INT(st.st_mode & 07777, mode, "%s: mode", name);
    }
}

/* Records that say the package was measured, and what they add up to. */
static unsigned long long _measured_uj(int *n)
{
    unsigned long long uj, sum = 0;

    *n = 0;
    _read_out("log/telemetry.jsonl");
    for (char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n")) {
        const char *at = strstr(line, "\"uj\":");

        if (strstr(line, "\"ev\":\"record\"") && strstr(line, "\"quality\":\"measured\"") && at &&
            sscanf(at + 5, "%llu", &uj) == 1) {
            sum += uj;
            ++*n;
        }
    }
    return sum;
}

static void test_user(void)
{
    char who[64];
    unsigned long long uj;
    pid_t child;
    int n;

    _setup();
    child = _start(NULL);
    (void)snprintf(who, sizeof(who), "\t%u\t%u\t%u\t%u", nobody, nobody, nobody, nobody);
    UNIT_OK(_each_thread(child, "\nUid:", who, 0) >= 2, "the reporter's thread as well");
    (void)_each_thread(child, "\nCapEff:\t", NULL, PERFMON);
    (void)_each_thread(child, "\nCapPrm:\t", NULL, PERFMON);
    (void)_each_thread(child, "\nCapInh:\t", NULL, 0);
    (void)_each_thread(child, "\nCapAmb:\t", NULL, 0);
    (void)_each_thread(child, "\nNoNewPrivs:", "\t1", 0);
    _check_owner("state", nobody, 0750);
    _check_owner("log", nobody, 0750);
    _check_owner("log/telemetry.jsonl", nobody, 0640);
    _check_owner("state/carnotd.lock", nobody, 0640);
    _check_owner("run/n1.sock", nobody, 0600);
    _check_owner("run", nobody, 0755);
    UNIT_OK(_told("carnot1 event=start job=7 uid=1000 node=n1 ncpus=2"), "root is heard");
    /* written in place, so that it is empty for a moment: the descriptor is not given up for that
     */
    for (int i = 1; i <= 10; i++) {
        fixture_write_u64(root, E0, 1000000 + (uint64_t)i * 2000000);
        _sleep_ms(150);
    }
    _stop(child);
    uj = _measured_uj(&n);
    UNIT_OK(uj >= 10000000 && n >= 2, "%d records of what root alone may open: %llu uJ", n, uj);
    UNIT_OK(uj <= 20000000, "and no more than that: %llu", uj);
    child = _start(NULL);
    UNIT_OK(strstr(out, "running as uid") != NULL, "%s", out);
    UNIT_INT(_refused(), 1, "a second one");
    UNIT_OK(strstr(out, "another carnotd runs for node n1") != NULL, "%s", out);
    _stop(child);
    UNIT_OK(access(_file("run/n1.sock"), F_OK) < 0, "its socket goes with it");
    CU_ASSERT_FATAL(chown(_file("run"), 0, 0) == 0);
    child = _start(NULL);
    _check_owner("run/n1.sock", 0, 0600);
    UNIT_OK(_told("carnot1 event=start job=8 uid=1000 node=n1 ncpus=2"), "root is heard");
    _stop(child);
    child = _start(NULL);
    UNIT_OK(_told("carnot1 event=start job=9 uid=1000 node=n1 ncpus=2"),
            "what was left is no harm");
    _stop(child);
}

static void test_insecure(void)
{
    pid_t child;

    _setup();
    CU_ASSERT_FATAL(mkdir(_file("log"), 0777) == 0 && chmod(_file("log"), 0777) == 0);
    UNIT_INT(_refused(), 1, "a log that others can change");
    UNIT_OK(strstr(out, "can be changed by everybody: chmod go-w"), "%s", out);
    child = _start("--force");
    UNIT_OK(strstr(out, "can be changed by everybody"), "said: %s", out);
    _stop(child);
    CU_ASSERT_FATAL(chmod(_file("log"), 0750) == 0 && chown(_file("log"), 12345, 0) == 0);
    UNIT_INT(_refused(), 1, "somebody else's log");
    UNIT_OK(strstr(out, "belongs to uid 12345"), "%s", out);
    _configure("root", "");
    UNIT_INT(_refused(), 1, "root does not write there either");
}

/* From root to its own user with all that it wrote; and nothing that is not its own. */
static void test_hand_over(void)
{
    struct stat st;
    pid_t child;
    int n;

    _setup();
    _configure("root", "");
    child = _start(NULL);
    (void)_each_thread(child, "\nUid:", "\t0\t0\t0\t0", 0);
    (void)_each_thread(child, "\nNoNewPrivs:", "\t1", 0);
    fixture_write_u64(root, E0, 9000000);
    _sleep_ms(600);
    _stop(child);
    _check_owner("log/telemetry.jsonl", 0, 0640);
    _configure("nobody", "");
    fixture_write(unit_tmpdir(), "log/other", "not ours\n");
    UNIT_INT(_refused(), 1, "other things in there");
    UNIT_OK(strstr(out, "holds other, which is not carnotd's"), "%s", out);
    _check_owner("log", 0, 0750);
    _check_owner("log/telemetry.jsonl", 0, 0640);
    CU_ASSERT_FATAL(unlink(_file("log/other")) == 0);
    CU_ASSERT_FATAL(symlink("/etc/passwd", _file("log/telemetry.jsonl.1")) == 0);
    UNIT_INT(_refused(), 1, "a link");
    CU_ASSERT_FATAL(unlink(_file("log/telemetry.jsonl.1")) == 0);
    CU_ASSERT_FATAL(link(config, _file("log/telemetry.jsonl.1")) == 0);
    UNIT_INT(_refused(), 1, "a second name of some file of root's");
    UNIT_INT(stat(config, &st), 0, "which is there");
    UNIT_INT(st.st_uid, 0, "and root's");
    CU_ASSERT_FATAL(unlink(_file("log/telemetry.jsonl.1")) == 0);
    child = _start(NULL);
    _check_owner("log", nobody, 0750);
    _check_owner("log/telemetry.jsonl", nobody, 0640);
    _check_owner("state/counters.json", nobody, 0640);
    _stop(child);
    (void)_measured_uj(&n);
    _read_out("log/telemetry.jsonl");
    UNIT_OK(strstr(out, "\"seq\":3"), "numbers go on");
}

static void test_no_such_user(void)
{
    _setup();
    _configure("no-such-user", "");
    UNIT_INT(_refused(), 1, "nobody is called so");
    UNIT_OK(strstr(out, "node.user: there is no user no-such-user"), "%s", out);
}

/* What the site has carnotd run is run as its user from the first time on. */
static void test_command(void)
{
    char more[PATH_MAX + 128];
    pid_t child;

    _setup();
    fixture_write(unit_tmpdir(), "watts.sh",
                  "#!/bin/sh\necho \"$(id -u) $(id -ru)\" >>\"${0%/*}/who/ids\"\necho 100\n");
    CU_ASSERT_FATAL(chmod(_file("watts.sh"), 0755) == 0);
    CU_ASSERT_FATAL(mkdir(_file("who"), 0777) == 0 && chmod(_file("who"), 0777) == 0);
    (void)snprintf(more, sizeof(more), "  command: %s\n  command_interval: 1s\n",
                   _file("watts.sh"));
    _configure("nobody", more);
    child = _start(NULL);
    _sleep_ms(1600);
    _stop(child);
    _read_out("who/ids");
    (void)snprintf(more, sizeof(more), "%u %u\n", nobody, nobody);
    UNIT_OK(strncmp(out, more, strlen(more)) == 0, "its first run: %s", out);
    UNIT_OK(!strstr(out, "0 0"), "and none as root: %s", out);
}

static const struct unit_case cases[] = {
    {"user", test_user},           {"insecure", test_insecure},
    {"hand_over", test_hand_over}, {"no_such_user", test_no_such_user},
    {"command", test_command},     {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "rights");
}
