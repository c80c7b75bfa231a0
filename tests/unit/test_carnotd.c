/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program itself: its command line, one look at recorded machines, and the daemon
 * started, asked, killed and stopped.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "node_fixture.h"

#define ARGS_MAX 16

static char out[1 << 16]; /* what the last run wrote, both streams */

static void _file(char *buf, size_t size, const char *name)
{
    (void)snprintf(buf, size, "%s/%s", unit_tmpdir(), name);
}

/* In the child: stdout and stderr to a file of the case. */
static void _redirect(const char *name)
{
    char path[PATH_MAX];
    int fd;

    _file(path, sizeof(path), name);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(99);
}

static pid_t _spawn(const char *log, const char *const args[])
{
    pid_t child = fork();

    if (child == 0) {
        (void)unsetenv("CARNOT_CONF");
        (void)unsetenv("NOTIFY_SOCKET");
        _redirect(log);
        (void)execv(CARNOTD_FILE, (char *const *)(uintptr_t)args);
        _exit(98);
    }
    return child;
}

static void _read_out(const char *name)
{
    char path[PATH_MAX], *text = NULL;
    size_t size;

    out[0] = '\0';
    _file(path, sizeof(path), name);
    if (path_read(path, sizeof(out) - 1, &text, &size, NULL) == 0)
        memcpy(out, text, size + 1);
    free(text);
}

/* Run it to its end with these arguments (the last one NULL): the exit code; output in out. */
static int _run(const char *const args[])
{
    char path[PATH_MAX];
    int status = -1;

    _file(path, sizeof(path), "out");
    (void)unlink(path);
    (void)waitpid(_spawn("out", args), &status, 0);
    _read_out("out");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define RUN(...) _run((const char *const[ARGS_MAX]){"carnotd", __VA_ARGS__, NULL})

static void test_command_line(void)
{
    UNIT_INT(RUN("--help"), 0, "help");
    UNIT_OK(strstr(out, "--sysroot DIR"), "%s", out);
    UNIT_INT(RUN("--version"), 0, "version");
    UNIT_STR(out, "carnotd " PACKAGE_VERSION "\n", "version");
    UNIT_INT(RUN("--nonsense"), 2, "unknown");
    UNIT_INT(RUN("argument"), 2, "argument");
    UNIT_INT(RUN("-N", "../etc"), 2, "no name");
    UNIT_INT(RUN("-N", ""), 2, "empty name");
    UNIT_INT(RUN("--json"), 2, "json alone");
    UNIT_OK(strstr(out, "--json goes with --once"), "%s", out);
    UNIT_INT(RUN("--once", "--sysroot", "/no/such/dir"), 1, "no such tree");
    UNIT_OK(strstr(out, "/no/such/dir"), "%s", out);
    UNIT_INT(RUN("--once", "--topology", "/no/such/file"), 1, "no such file");
    UNIT_INT(RUN("-f", "/no/such/file"), 1, "no configuration");
    UNIT_OK(strstr(out, "/no/such/file"), "%s", out);
}

static json_t *_once(const char *machine)
{
    char path[PATH_MAX];
    json_t *json;

    (void)snprintf(path, sizeof(path), "%s/%s", FIXTURES, machine);
    UNIT_INT(RUN("--once", "--sysroot", path, "--json", "-N", "n1"), 0, "%s", machine);
    json = json_loads(out, 0, NULL);
    UNIT_OK(json != NULL, "%s: %s", machine, out);
    return json;
}

static const json_t *_source(const json_t *json, const char *name)
{
    const json_t *source;
    size_t i;

    json_array_foreach(json_object_get(json, "sources"), i, source)
    {
        if (strcmp(json_string_value(json_object_get(source, "name")), name) == 0)
            return source;
    }
    return NULL;
}

static void _check_source(const json_t *json, const char *name, json_int_t value, json_int_t range,
                          const char *state, int counted, int package)
{
    const json_t *s = _source(json, name), *v;

    if (!UNIT_OK(s != NULL, "%s is listed", name))
        return;
    v = json_object_get(s, "value");
    UNIT_INT(json_is_integer(v) ? json_integer_value(v) : -1, value, "%s: value", name);
    v = json_object_get(s, "range");
    UNIT_INT(json_is_integer(v) ? json_integer_value(v) : -1, range, "%s: range", name);
    UNIT_STR(json_string_value(json_object_get(s, "unit")), "uJ", "%s: unit", name);
    UNIT_STR(json_string_value(json_object_get(s, "state")), state, "%s: state", name);
    UNIT_INT(json_is_true(json_object_get(s, "counted")), counted, "%s: counted", name);
    v = json_object_get(s, "package");
    UNIT_INT(json_is_integer(v) ? json_integer_value(v) : -1, package, "%s: package", name);
    UNIT_OK(json_object_get(s, "coverage") && json_object_get(s, "quality") &&
                json_object_get(s, "rights"),
            "%s: all keys", name);
}

static void test_once(void)
{
    json_t *json = _once("intel-2s");

    _check_source(json, "rapl:package-0", 1000000000, 262143328850, "ok", 1, 0);
    _check_source(json, "rapl:package-1", 1000000001, 262143328850, "ok", 1, 1);
    _check_source(json, "rapl:package-1:dram", 500000001, 65712999613, "ok", 1, 1);
    _check_source(json, "rapl-mmio:package-0", 1000000005, 262143328850, "ok", 0, 0);
    _check_source(json, "rapl:psys", 60293987000000, 4294967295000000, "ok", 0, -1);
    _check_source(json, "model:cpu", -1, -1, "ok", 0, -1);
    json_decref(json);
    json = _once("client-norange");
    _check_source(json, "rapl:package-0", 7000000000, -1, "ok", 1, 0);
    _check_source(json, "rapl:package-0:uncore", 1000000000, 262143328850, "ok", 0, 0);
    json_decref(json);
    json = _once("broken-zones");
    _check_source(json, "rapl:package-1", -1, 262143328850, "missing", 0, -1);
    _check_source(json, "rapl:package-3", -1, -1, "missing", 0, -1);
    json_decref(json);
    json = _once("cgroup-v2");
    UNIT_STR(json_string_value(json_object_get(json_object_get(json, "cgroup"), "version")), "v2",
             "cgroup");
    _check_source(json, "model:cpu", -1, -1, "ok", 1, -1);
    json_decref(json);
    UNIT_INT(RUN("--once"), 0, "this machine, as a table");
    UNIT_OK(strstr(out, "SOURCE") && strstr(out, "model:cpu"), "%s", out);
}

static void _configure(const char *interval)
{
    char text[3 * PATH_MAX];
    const char *dir = unit_tmpdir();

    (void)snprintf(text, sizeof(text),
                   "controller:\n  host: 127.0.0.1\n  port: 1\n"
                   "node:\n  interval: %s\n  log_interval: 400ms\n  report_interval: 400ms\n"
                   "  state_dir: %s/state\n  log_dir: %s/log\n  socket: %s/run/%%n.sock\n",
                   interval, dir, dir, dir);
    fixture_write(dir, "carnot.yaml", text);
}

static void test_check_config(void)
{
    char path[PATH_MAX];

    _configure("200ms");
    _file(path, sizeof(path), "carnot.yaml");
    UNIT_INT(RUN("--check-config", "-f", path), 0, "%s", out);
    fixture_write(unit_tmpdir(), "carnot.yaml", "node:\n  sources: [perf, rappl]\n");
    UNIT_INT(RUN("--check-config", "-f", path), 1, "no such kind");
    UNIT_OK(strstr(out, "'rappl'"), "%s", out);
    fixture_write(unit_tmpdir(), "carnot.yaml",
                  "node:\n  sources: [hwmon, powercap]\n  metrics: textfile:/tmp\n");
    UNIT_INT(RUN("--check-config", "-f", path), 0, "%s", out);
    _configure("20");
    UNIT_INT(RUN("--check-config", "-f", path), 1, "no unit");
    UNIT_OK(strstr(out, "carnot.yaml:5:"), "%s", out);
    UNIT_INT(RUN("-f", path), 1, "it does not start either");
}

static void _sleep_ms(int ms)
{
    (void)nanosleep(&(struct timespec){ms / 1000, (ms % 1000) * 1000000L}, NULL);
}

static bool _tell(const char *text)
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

/* A daemon that listens. */
static pid_t _start(void)
{
    char config[PATH_MAX], root[PATH_MAX];
    pid_t child;

    _file(config, sizeof(config), "carnot.yaml");
    _file(root, sizeof(root), "amd-1s");
    child = _spawn("log.txt", (const char *const[]){"carnotd", "-f", config, "-N", "n1",
                                                    "--sysroot", root, NULL});
    for (int i = 0; i < 500 && !_tell("carnot1 event=end job=4000000000"); i++)
        _sleep_ms(10);
    return child;
}

static int _stop(pid_t child, int signal)
{
    int status = -1;

    (void)kill(child, signal);
    /* twice, as impatient people do */
    _sleep_ms(20);
    (void)kill(child, signal);
    (void)waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Every line of the log is JSON, numbers count up by one, records add up. How many records, and
 * what the jobs got. */
static int _check_log(json_int_t *jobs_uj)
{
    char path[PATH_MAX], *text = NULL;
    json_int_t seq = 0;
    size_t size, i;
    int n = 0;

    *jobs_uj = 0;
    _file(path, sizeof(path), "log/telemetry.jsonl");
    CU_ASSERT_FATAL(path_read(path, 64 << 20, &text, &size, NULL) == 0);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *record = json_loads(line, 0, NULL), *job;
        const char *ev = json_string_value(json_object_get(record, "ev"));
        json_int_t sum = json_integer_value(json_object_get(record, "idle_uj")) +
                         json_integer_value(json_object_get(record, "system_uj"));

        UNIT_OK(ev != NULL, "%s", line);
        if (ev && strcmp(ev, "record") == 0) {
            json_array_foreach(json_object_get(record, "jobs"), i, job)
            {
                sum += json_integer_value(json_object_get(job, "uj"));
                *jobs_uj += json_integer_value(json_object_get(job, "uj"));
            }
            UNIT_INT(json_integer_value(json_object_get(record, "seq")), ++seq, "%s", line);
            UNIT_INT(json_integer_value(json_object_get(record, "uj")), sum, "%s", line);
            n++;
        }
        json_decref(record);
    }
    free(text);
    return n;
}

static void _need_root(void)
{
    if (geteuid() != 0)
        unit_skip("only root may speak to the socket");
}

static void test_daemon(void)
{
    const char *root = fixture_copy("amd-1s");
    json_int_t jobs_uj;
    char config[PATH_MAX];
    pid_t child;

    _need_root();
    _configure("200ms");
    _file(config, sizeof(config), "carnot.yaml");
    child = _start();
    UNIT_OK(_tell("carnot1 event=start job=7 uid=1000 node=n1 ncpus=2"), "told");
    fixture_write_u64(root, "sys/class/powercap/intel-rapl:0/energy_uj", 65020000000);
    UNIT_INT(RUN("-f", config, "-N", "n1"), 1, "a second one for the same node");
    UNIT_OK(strstr(out, "another carnotd runs for node n1"), "%s", out);
    _sleep_ms(600);
    fixture_write(unit_tmpdir(), "carnot.yaml", "node:\n  nonsense: 5\n");
    (void)kill(child, SIGHUP);
    _sleep_ms(200);
    _configure("300ms");
    (void)kill(child, SIGHUP);
    _sleep_ms(200);
    fixture_write_u64(root, "sys/class/powercap/intel-rapl:0/energy_uj", 65040000000);
    UNIT_OK(_tell("carnot1 event=end job=7 uid=1000 node=n1 ncpus=2"), "told");
    _sleep_ms(100);
    UNIT_INT(_stop(child, SIGTERM), 0, "an orderly end");
    UNIT_OK(_check_log(&jobs_uj) >= 3, "records");
    UNIT_INT(jobs_uj > 0 && jobs_uj <= 40000000, 1, "what the job got of 40 J: %lld",
             (long long)jobs_uj);
    _read_out("log.txt");
    UNIT_OK(strstr(out, "the old one stays") && strstr(out, "nonsense"), "%s", out);
    UNIT_OK(strstr(out, "read again"), "%s", out);
    UNIT_OK(strstr(out, "SIGTERM: ending"), "%s", out);
    _read_out("log/telemetry.jsonl");
    UNIT_OK(strstr(out, "\"ev\":\"stop\"") && strstr(out, "\"ev\":\"start\"") &&
                strstr(out, "\"ev\":\"job.start\"") && strstr(out, "\"ev\":\"job.end\""),
            "%s", out);
}

/* Killed at any moment, often: numbers go on, every line is whole, and what the counter went on by
 * is in the records, once. */
static void test_kill(void)
{
    const char *root = fixture_copy("amd-1s"), *rounds = getenv("CARNOT_TEST_KILLS");
    json_int_t jobs_uj;
    int n = rounds ? atoi(rounds) : 12;

    _need_root();
    _configure("200ms");
    for (int i = 0; i < n; i++) {
        pid_t child = _start();

        (void)_tell("carnot1 event=start job=7 uid=1000 node=n1 ncpus=2");
        fixture_write_u64(root, "sys/class/powercap/intel-rapl:0/energy_uj",
                          65000000000 + (uint64_t)i * 1000000);
        _sleep_ms((i * 137) % 450);
        if (i % 3 == 0)
            (void)_tell("carnot1 event=end job=7 uid=1000 node=n1");
        UNIT_INT(_stop(child, SIGKILL), 1000 + SIGKILL, "round %d", i);
    }
    UNIT_INT(_stop(_start(), SIGTERM), 0, "the last one");
    UNIT_OK(_check_log(&jobs_uj) > n / 2, "records");
}

static const struct unit_case cases[] = {
    {"command_line", test_command_line},
    {"once", test_once},
    {"check_config", test_check_config},
    {"daemon", test_daemon},
    {"kill", test_kill},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "carnotd");
}
