/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The built SPANK plugin under a scripted Slurm: what it registers, what it
 * refuses and passes on, and that nothing about carnotd can hurt a job.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <slurm/slurm.h>

#include "common/clock.h"
#include "common/node_event.h"
#include "placement/request.h"
#include "spank_host.h"
#include "unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LIMIT_MS 200
#define SLACK_MS 400 /* a busy machine, sanitizers */

static void _open(spank_context_t context)
{
    CU_ASSERT_FATAL(host_open(SPANK_PLUGIN_FILE) == 0);
    host->context = context;
}

static int _has(const struct host_lines *lines, const char *line)
{
    for (int i = 0; i < lines->n; i++) {
        if (strcmp(lines->line[i], line) == 0)
            return 1;
    }
    return 0;
}

static void test_exports(void)
{
    static const char *const hidden[] = {"request_set",      "options_register", "node_job_begins",
                                         "submit_init",      "err_set",          "request_options",
                                         "units_parse_wait", "spank_options"};

    _open(S_CTX_ALLOCATOR);
    for (size_t i = 0; i < COUNT(hidden); i++)
        UNIT_OK(!host_exports(hidden[i]), "%s", hidden[i]);
    CU_ASSERT(host_exports("plugin_name") && host_exports("plugin_type"));
    CU_ASSERT(host_exports("plugin_version") && host_exports("spank_plugin_version"));
}

static void test_registration(void)
{
    static const struct {
        spank_context_t context;
        int options;
    } rows[] = {{S_CTX_ALLOCATOR, REQUEST_N_OPTIONS},
                {S_CTX_LOCAL, REQUEST_N_OPTIONS},
                {S_CTX_REMOTE, REQUEST_N_OPTIONS},
                {S_CTX_SLURMD, 0},
                {S_CTX_JOB_SCRIPT, 0},
                {S_CTX_ERROR, 0}};

    setenv("CARNOTD_SOCKET", "/nonexistent/carnotd.sock", 1);
    _open(S_CTX_ALLOCATOR);
    for (size_t i = 0; i < COUNT(rows); i++) {
        host->context = rows[i].context;
        host->n_options = 0;
        UNIT_INT(host_call("init", 0, NULL), 0, "row %zu", i);
        UNIT_INT(host->n_options, rows[i].options, "row %zu", i);
        for (int j = 0; j < host->n_options; j++) {
            UNIT_STR(host->option[j].name, request_options[j].name, "row %zu", i);
            UNIT_STR(host->option[j].usage, request_options[j].help, "row %zu", i);
            UNIT_STR(host->option[j].arginfo, request_options[j].arginfo, "row %zu", i);
            UNIT_INT(host->option[j].has_arg, j != REQUEST_CARBON_REQUEUE, "row %zu", i);
        }
    }
    host->refuse_option = ESPANK_BAD_ARG;
    host->context = S_CTX_ALLOCATOR;
    UNIT_OK(host_call("init", 0, NULL) != 0, "a submission without our options is an error");
    host->context = S_CTX_REMOTE;
    UNIT_INT(host_call("init", 0, NULL), 0, "a node never is");
}

static void test_flags(void)
{
    static const struct {
        const char *options[3];
        const char *says; /* NULL: accepted */
    } rows[] = {
        {{NULL}, NULL},
        {{"carbon-delay=12h"}, NULL},
        {{"carbon-delay=off", "carbon-policy=asap"}, NULL},
        {{"carbon-finish-by=08:00", "carbon-run=a", "energy-budget=5kWh"}, NULL},
        {{"carbon-delay=1h", "carbon-delay=2h"}, NULL},
        {{"carbon-delay=12x"}, "carnot: --carbon-delay=12x: not a duration; accepted: 90"},
        {{"carbon-delay="}, "carnot: --carbon-delay=: a value is needed"},
        {{"carbon-delay=12x", "carbon-delay=1h"}, "--carbon-delay=12x"},
        {{"carbon-delay=12x", "carbon-policy=y"}, "--carbon-delay=12x"},
        {{"carbon-policy=green"}, "carnot: --carbon-policy=green: not a policy; accepted: asap"},
        {{"carbon-policy=greenest", "carbon-delay=off"}, "cannot go with --carbon-delay=off"},
        {{"budget-action=halt"}, "warn or term"},
        {{"energy-budget=5"}, "not an energy"},
        {{"carbon-budget=5"}, "not a mass"},
        {{"carbon-run=a b\n"}, "carnot: --carbon-run=a b?: not a name"},
        {{"carbon-finish-by=soon"}, "not a time"},
    };

    _open(S_CTX_ALLOCATOR);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int n = 0;

        while (n < 3 && rows[i].options[n])
            n++;
        for (int context = S_CTX_LOCAL; context <= S_CTX_ALLOCATOR; context += 2) {
            UNIT_INT(host_submit((spank_context_t)context, rows[i].options, n), !!rows[i].says,
                     "row %zu context %d", i, context);
            UNIT_INT(host->error.n, !!rows[i].says, "row %zu: one sentence or none", i);
            if (rows[i].says)
                UNIT_OK(strstr(host->error.line[0], rows[i].says), "row %zu: %s", i,
                        host->error.line[0]);
        }
    }
}

static void test_environment(void)
{
    _open(S_CTX_ALLOCATOR);
    setenv("CARNOT_CARBON_DELAY", "4h", 1);
    setenv("CARNOT_ENERGY_BUDGET", "", 1);
    UNIT_INT(host_submit(S_CTX_LOCAL, NULL, 0), 0, "good");
    UNIT_OK(_has(&host->control, "CARNOT_CARBON_DELAY=4h"), "passed on");
    UNIT_OK(_has(&host->control, "-CARNOT_ENERGY_BUDGET"), "empty");
    UNIT_OK(_has(&host->control, "-CARNOT_CARBON_RUN"), "not given");

    setenv("CARNOT_CARBON_POLICY", "green", 1);
    UNIT_INT(host_submit(S_CTX_ALLOCATOR, NULL, 0), 1, "bad");
    UNIT_INT(host->error.n, 1, "one sentence");
    UNIT_OK(strstr(host->error.line[0], "carnot: CARNOT_CARBON_POLICY=green: not a policy;"), "%s",
            host->error.line[0]);
    UNIT_INT(host->control.n, 0, "nothing is passed on");

    setenv("CARNOT_CARBON_POLICY", "greenest", 1);
    UNIT_INT(host_submit(S_CTX_ALLOCATOR, (const char *const[]){"carbon-delay=off"}, 1), 1,
             "a flag against the environment");
    UNIT_OK(strstr(host->error.line[0], "CARNOT_CARBON_POLICY=greenest cannot go with --carbon"),
            "%s", host->error.line[0]);

    setenv("CARNOT_CARBON_POLICY", "green", 1);
    setenv("SLURM_JOB_ID", "7", 1);
    UNIT_INT(host_submit(S_CTX_LOCAL, NULL, 0), 0, "srun in a job submits nothing");
    UNIT_INT(host->control.n, 0, "and passes nothing on");
    UNIT_INT(host_submit(S_CTX_ALLOCATOR, NULL, 0), 1, "sbatch in a job does");
}

/* What the nodes go by: the flag, else the environment, else an entry that job_submit may fill. */
static void test_power_cap(void)
{
    _open(S_CTX_ALLOCATOR);
    UNIT_INT(host_submit(S_CTX_ALLOCATOR, NULL, 0), 0, "none");
    UNIT_OK(_has(&host->control, "CARNOT_POWER_CAP="), "an empty entry");
    setenv("CARNOT_POWER_CAP", "gpu:300W", 1);
    UNIT_INT(host_submit(S_CTX_ALLOCATOR, NULL, 0), 0, "environment");
    UNIT_OK(_has(&host->control, "CARNOT_POWER_CAP=gpu:300000mW"), "passed on");
    UNIT_INT(host_submit(S_CTX_ALLOCATOR, (const char *const[]){"power-cap=node:1.8kW"}, 1), 0,
             "flag");
    UNIT_OK(_has(&host->control, "CARNOT_POWER_CAP=node:1800000mW"), "goes before");
    UNIT_INT(host_submit(S_CTX_ALLOCATOR, (const char *const[]){"power-cap=350W"}, 1), 1, "bad");
    UNIT_OK(strstr(host->error.line[0], "carnot: --power-cap=350W: say whose power: of the node or "
                                        "each GPU; accepted: node:1800W or gpu:300W"),
            "%s", host->error.line[0]);
}

static void test_hostile_environment(void)
{
    static char huge[1 << 20];

    memset(huge, 'x', sizeof(huge) - 1);
    _open(S_CTX_ALLOCATOR);
    setenv("CARNOT_CARBON_RUN", huge, 1);
    UNIT_INT(host_submit(S_CTX_ALLOCATOR, NULL, 0), 1, "huge");
    UNIT_OK(strstr(host->error.line[0], "xxx...: too long"), "%s", host->error.line[0]);
    setenv("CARNOT_CARBON_RUN", "\033]0;owned\007", 1);
    UNIT_INT(host_submit(S_CTX_ALLOCATOR, NULL, 0), 1, "control bytes");
    UNIT_OK(strstr(host->error.line[0], "CARNOT_CARBON_RUN=?]0;owned?: not a name"), "%s",
            host->error.line[0]);
    unsetenv("CARNOT_CARBON_RUN");
    setenv("CARNOT_CARBON_RUNS", huge, 1);
    UNIT_INT(host_submit(S_CTX_ALLOCATOR, NULL, 0), 0, "not ours");
    clearenv();
    UNIT_INT(host_submit(S_CTX_ALLOCATOR, NULL, 0), 0, "none at all");
}

static void test_quiet(void)
{
    int out = open("/dev/null", O_WRONLY), saved = dup(STDERR_FILENO);
    static const struct {
        const char *quiet, *want;
    } rows[] = {{NULL, "CARNOT_TTY=0"},
                {"0", "CARNOT_TTY=1"},
                {"1", "CARNOT_TTY=0"},
                {"", "CARNOT_TTY=0"},
                {"yes", "CARNOT_TTY=0"}};

    _open(S_CTX_ALLOCATOR);
    CU_ASSERT_FATAL(out >= 0 && saved >= 0 && dup2(out, STDERR_FILENO) >= 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsetenv("CARNOT_QUIET");
        if (rows[i].quiet)
            setenv("CARNOT_QUIET", rows[i].quiet, 1);
        UNIT_INT(host_submit(S_CTX_LOCAL, NULL, 0), 0, "row %zu", i);
        UNIT_OK(_has(&host->control, rows[i].want), "row %zu", i);
    }
    CU_ASSERT(dup2(saved, STDERR_FILENO) >= 0);
    (void)close(out);
    (void)close(saved);
}

static void test_terminal(void)
{
    int leader = posix_openpt(O_RDWR | O_NOCTTY), terminal, saved = dup(STDERR_FILENO);

    if (leader < 0 || grantpt(leader) < 0 || unlockpt(leader) < 0)
        unit_skip("no pseudo terminal can be made here");
    terminal = open(ptsname(leader), O_RDWR | O_NOCTTY);
    if (terminal < 0)
        unit_skip("no pseudo terminal can be opened here");
    _open(S_CTX_ALLOCATOR);
    CU_ASSERT(dup2(terminal, STDERR_FILENO) >= 0);
    UNIT_INT(host_submit(S_CTX_LOCAL, NULL, 0), 0, "srun");
    UNIT_OK(_has(&host->control, "CARNOT_TTY=1"), "a person reads it");
    setenv("CARNOT_QUIET", "1", 1);
    UNIT_INT(host_submit(S_CTX_LOCAL, NULL, 0), 0, "srun");
    UNIT_OK(_has(&host->control, "CARNOT_TTY=0"), "who wants it quiet");
    CU_ASSERT(dup2(saved, STDERR_FILENO) >= 0);
    (void)close(terminal);
    (void)close(leader);
    (void)close(saved);
}

/* Every name under which Slurm 22.05 was seen to hand our options to nested submissions. */
static const char *const leaks[] = {
    "_SLURM_SPANK_OPTION_carnot_carbon_delay",
    "_SLURM_SPANK_OPTION_carnot_carbon_finish_by",
    "_SLURM_SPANK_OPTION_carnot_carbon_policy",
    "_SLURM_SPANK_OPTION_carnot_carbon_budget",
    "_SLURM_SPANK_OPTION_carnot_energy_budget",
    "_SLURM_SPANK_OPTION_carnot_budget_action",
    "_SLURM_SPANK_OPTION_carnot_carbon_run",
    "_SLURM_SPANK_OPTION_carnot_carbon_requeue",
    "SLURM_SPANK__SLURM_SPANK_OPTION_carnot_carbon_delay",
    "SLURM_SPANK__SLURM_SPANK_OPTION_carnot_carbon_run",
    "SLURM_SPANK_CARNOT_CARBON_DELAY",
    "SLURM_SPANK_CARNOT_CARBON_RUN",
    "SLURM_SPANK_CARNOT_POWER_CAP",
    "SLURM_SPANK_CARNOT_TTY",
};

static void test_leaks(void)
{
    static const char *const kept[] = {"CARNOT_CARBON_DELAY", "_SLURM_SPANK_OPTION_pyxis_image",
                                       "SLURM_SPANK_CARNOT", "SLURM_JOB_ID"};

    _open(S_CTX_ALLOCATOR);
    for (size_t i = 0; i < COUNT(leaks); i++)
        setenv(leaks[i], "1h", 1);
    for (size_t i = 0; i < COUNT(kept); i++)
        setenv(kept[i], "1h", 1);
    UNIT_INT(host_call("init", 0, NULL), 0, "init");
    for (size_t i = 0; i < COUNT(leaks); i++)
        UNIT_OK(!getenv(leaks[i]), "%s is inherited", leaks[i]);
    for (size_t i = 0; i < COUNT(kept); i++)
        UNIT_OK(getenv(kept[i]), "%s is gone", kept[i]);

    host->context = S_CTX_REMOTE;
    UNIT_INT(host_call("task_init", 0, NULL), 0, "task_init");
    for (size_t i = 0; i < COUNT(leaks); i++)
        UNIT_OK(_has(&host->unset, leaks[i]), "%s reaches the task", leaks[i]);
    for (size_t i = 0; i < COUNT(kept); i++)
        UNIT_OK(!_has(&host->unset, kept[i]), "%s is kept from the task", kept[i]);
    UNIT_INT(host->unset.n, 3 * REQUEST_N_OPTIONS + 1, "all of them");
}

/* carnotd's end: listens at DIR/NAME; the path goes to path. */
static int _listen(char *path, size_t size, const char *name, int backlog)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    (void)snprintf(path, size, "%s/%s", unit_tmpdir(), name);
    (void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    CU_ASSERT_FATAL(fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0);
    CU_ASSERT_FATAL(listen(fd, backlog) == 0);
    return fd;
}

/* What came, parsed; 0, or -1 when nothing did. */
static int _receive(int listener, struct node_event *ev)
{
    char text[NODE_EVENT_MAX + 100];
    int fd = accept(listener, NULL, NULL);
    struct err e = {""};
    ssize_t n;

    if (fd < 0)
        return -1;
    n = recv(fd, text, sizeof(text), 0);
    (void)close(fd);
    if (!UNIT_OK(n > 0, "an empty message"))
        return -1;
    UNIT_INT(node_event_parse(ev, text, (size_t)n, &e), 0, "%s", e.text);
    return 0;
}

static void _script_step(uint32_t step)
{
    host->context = S_CTX_REMOTE;
    host->job_id = 123;
    host->step_id = step;
    host->uid = 1000;
    host->ncpus = 4;
    host->cores = "0-1";
    host->array_task = NO_VAL;
}

static void test_job_events(void)
{
    static const struct {
        const char *hook, *cpus, *restart, *gpus;
        enum node_event_kind kind;
        uint32_t want_cpus, want_restart;
        const char *want_gpus;
    } rows[] = {
        {"job_prolog", "4", "0", "0,1", NODE_EVENT_START, 4, 0, "0,1"},
        {"job_prolog", "4(x2)", "3", NULL, NODE_EVENT_START, 4, 3, ""},
        {"job_prolog", "4(x2),2", NULL, "gpu:a100:2", NODE_EVENT_START, NODE_EVENT_UNKNOWN,
         NODE_EVENT_UNKNOWN, ""},
        {"job_prolog", "4,2", "-1", "0-", NODE_EVENT_START, NODE_EVENT_UNKNOWN, NODE_EVENT_UNKNOWN,
         ""},
        {"job_prolog", "99999999999999999999", "1x", "", NODE_EVENT_START, NODE_EVENT_UNKNOWN,
         NODE_EVENT_UNKNOWN, ""},
        {"job_epilog", "4", "1", NULL, NODE_EVENT_END, 4, NODE_EVENT_UNKNOWN, ""},
    };
    char path[100], argument[160];
    char *argv[] = {"rubbish", argument};
    int fd = _listen(path, sizeof(path), "n1.sock", 8);

    (void)snprintf(argument, sizeof(argument), "socket=%s/%%n.sock", unit_tmpdir());
    setenv("SLURMD_NODENAME", "n1", 1);
    setenv("CARNOTD_SOCKET", "/nonexistent/carnotd.sock", 1);
    _open(S_CTX_JOB_SCRIPT);
    host->job_id = 123;
    host->uid = 1000;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct node_event ev;
        int64_t now_ms = clock_wall_ms(&clock_system);

        setenv("SLURM_JOB_CPUS_PER_NODE", rows[i].cpus, 1);
        unsetenv("SLURM_JOB_RESTART_COUNT");
        unsetenv("SLURM_JOB_GPUS");
        if (rows[i].restart)
            setenv("SLURM_JOB_RESTART_COUNT", rows[i].restart, 1);
        if (rows[i].gpus)
            setenv("SLURM_JOB_GPUS", rows[i].gpus, 1);
        UNIT_INT(host_call(rows[i].hook, 2, argv), 0, "row %zu", i);
        if (!UNIT_INT(_receive(fd, &ev), 0, "row %zu", i))
            continue;
        UNIT_INT(ev.kind, rows[i].kind, "row %zu", i);
        UNIT_INT(ev.job_id, 123, "row %zu", i);
        UNIT_INT(ev.uid, 1000, "row %zu", i);
        UNIT_INT(ev.ncpus, rows[i].want_cpus, "row %zu", i);
        UNIT_INT(ev.restart, rows[i].want_restart, "row %zu", i);
        UNIT_STR(ev.gpus, rows[i].want_gpus, "row %zu", i);
        UNIT_OK(ev.t_ms >= now_ms && ev.t_ms < now_ms + 10000, "row %zu", i);
    }
    (void)close(fd);
}

/* As job_submit has passed it on; the flag, which it may have refused, says nothing. */
static void test_cap_event(void)
{
    static const struct {
        const char *value;
        enum power_cap_scope scope;
        uint64_t mw;
        uint32_t exclusive;
    } rows[] = {
        {"node:300000mW,exclusive", POWER_CAP_NODE, 300000, 1},
        {"gpu:300000mW", POWER_CAP_GPU, 300000, NODE_EVENT_UNKNOWN},
        {"", POWER_CAP_NONE, 0, NODE_EVENT_UNKNOWN},
        {"300W", POWER_CAP_NONE, 0, NODE_EVENT_UNKNOWN},
        {",exclusive", POWER_CAP_NONE, 0, NODE_EVENT_UNKNOWN},
        {"node:300W,exclusive,exclusive", POWER_CAP_NONE, 0, 1},
        {"node:00000000000000000000000000000000000300W", POWER_CAP_NONE, 0, NODE_EVENT_UNKNOWN},
    };
    struct node_event ev;
    char path[100];
    int fd = _listen(path, sizeof(path), "carnotd.sock", 8);

    setenv("CARNOTD_SOCKET", path, 1);
    setenv("SPANK__SLURM_SPANK_OPTION_carnot_power_cap", "gpu:1W", 1);
    _open(S_CTX_JOB_SCRIPT);
    host->job_id = 123;
    for (size_t i = 0; i < COUNT(rows); i++) {
        setenv("SPANK_CARNOT_POWER_CAP", rows[i].value, 1);
        UNIT_INT(host_call("job_prolog", 0, NULL), 0, "row %zu", i);
        if (!UNIT_INT(_receive(fd, &ev), 0, "row %zu", i))
            continue;
        UNIT_INT(ev.cap.scope, rows[i].scope, "row %zu", i);
        UNIT_INT(ev.cap.mw, rows[i].mw, "row %zu", i);
        UNIT_INT(ev.exclusive, rows[i].exclusive, "row %zu", i);
        UNIT_INT(host_call("job_epilog", 0, NULL), 0, "row %zu", i);
        UNIT_INT(_receive(fd, &ev), 0, "row %zu", i);
        UNIT_INT(ev.cap.scope, POWER_CAP_NONE, "row %zu: not at the end", i);
    }
    (void)close(fd);
}

static void test_step_events(void)
{
    static const struct {
        uint32_t step;
        const char *name;
        uint32_t ncpus;
    } rows[] = {{SLURM_BATCH_SCRIPT, "batch", 4},
                {SLURM_EXTERN_CONT, "extern", NODE_EVENT_UNKNOWN},
                {SLURM_INTERACTIVE_STEP, "interactive", NODE_EVENT_UNKNOWN},
                {0, "0", NODE_EVENT_UNKNOWN},
                {4294967200u, "4294967200", NODE_EVENT_UNKNOWN}};
    struct node_event ev;
    char path[100];
    int fd = _listen(path, sizeof(path), "carnotd.sock", 8);

    setenv("CARNOTD_SOCKET", path, 1);
    setenv("SLURMD_NODENAME", "n1", 1);
    /* the user's, not slurmd's: not to be believed */
    setenv("SLURM_JOB_GPUS", "7", 1);
    setenv("SLURM_RESTART_COUNT", "7", 1);
    _open(S_CTX_REMOTE);
    for (size_t i = 0; i < COUNT(rows); i++) {
        _script_step(rows[i].step);
        host->n_options = 0;
        UNIT_INT(host_call("init", 0, NULL), 0, "row %zu", i);
        UNIT_INT(_receive(fd, &ev), 0, "row %zu", i);
        UNIT_INT(ev.kind, NODE_EVENT_STEP, "row %zu", i);
        UNIT_STR(ev.step, rows[i].name, "row %zu", i);
        UNIT_STR(ev.cores, "0-1", "row %zu", i);
        UNIT_STR(ev.node, "n1", "row %zu", i);
        UNIT_STR(ev.gpus, "", "row %zu", i);
        UNIT_INT(ev.ncpus, rows[i].ncpus, "row %zu", i);
        UNIT_INT(ev.restart, NODE_EVENT_UNKNOWN, "row %zu", i);
        UNIT_INT(ev.array_task_id, NODE_EVENT_UNKNOWN, "row %zu", i);
        UNIT_INT(host_call("init_post_opt", 0, NULL), 0, "row %zu", i);
        UNIT_INT(host_call("exit", 0, NULL), 0, "row %zu", i);
        UNIT_INT(_receive(fd, &ev), 0, "row %zu", i);
        UNIT_INT(ev.kind, NODE_EVENT_STEP_END, "row %zu", i);
        UNIT_INT(_receive(fd, &ev), -1, "row %zu: no third", i);
    }
    host->n_options = 0;
    host->array_id = 120;
    host->array_task = 3;
    UNIT_INT(host_call("init", 0, NULL), 0, "array");
    UNIT_INT(_receive(fd, &ev), 0, "array");
    UNIT_INT(ev.array_job_id, 120, "array");
    UNIT_INT(ev.array_task_id, 3, "array");
    (void)close(fd);
}

/* Call every hook of the node side; each returns 0, and soon. */
static void _all_hooks(int argc, char **argv, const char *what)
{
    static const struct {
        spank_context_t context;
        const char *hook;
    } rows[] = {{S_CTX_JOB_SCRIPT, "job_prolog"}, {S_CTX_REMOTE, "init"},
                {S_CTX_REMOTE, "init_post_opt"},  {S_CTX_REMOTE, "task_init"},
                {S_CTX_REMOTE, "exit"},           {S_CTX_JOB_SCRIPT, "job_epilog"},
                {S_CTX_SLURMD, "init"},           {S_CTX_SLURMD, "exit"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t from_ms = clock_mono_ms(&clock_system), took_ms;

        host->n_options = host->unset.n = 0;
        host->context = rows[i].context;
        UNIT_INT(host_call(rows[i].hook, argc, argv), 0, "%s: %s", what, rows[i].hook);
        took_ms = clock_mono_ms(&clock_system) - from_ms;
        UNIT_OK(took_ms < LIMIT_MS + SLACK_MS, "%s: %s took %lld ms", what, rows[i].hook,
                (long long)took_ms);
        UNIT_INT(host->error.n, 0, "%s: %s is silent", what, rows[i].hook);
    }
    for (int i = 0; i < host->n_options; i++)
        UNIT_INT(host->option[i].cb(host->option[i].val, "rubbish", 1), 0, "%s", what);
}

static void test_no_daemon(void)
{
    char path[100], *argv[] = {path};
    char long_path[400] = "socket=/", *long_argv[] = {long_path, NULL};
    int fd;

    _open(S_CTX_REMOTE);
    _script_step(0);
    setenv("SLURMD_NODENAME", "n1", 1);
    (void)snprintf(path, sizeof(path), "socket=%s/none.sock", unit_tmpdir());
    _all_hooks(1, argv, "no socket");
    fd = _listen(path, sizeof(path), "gone.sock", 1);
    (void)close(fd);
    setenv("CARNOTD_SOCKET", path, 1);
    _all_hooks(0, NULL, "nobody listens");
    memset(long_path + 8, 'x', sizeof(long_path) - 9);
    _all_hooks(2, long_argv, "a path that fits no address");
    _all_hooks(1, (char *[]){"socket="}, "an empty path");
    _all_hooks(1, (char *[]){"socket=/dev/null"}, "no socket at all");
    unsetenv("SLURMD_NODENAME");
    _all_hooks(1, (char *[]){"socket=/tmp/%n/x"}, "no node name");
    host->refuse_items = 1;
    _all_hooks(0, NULL, "Slurm says nothing");
}

/* A carnotd that hangs: its queue is full, nobody accepts. */
static void test_full_socket(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd, filler[64], n = 0;
    char path[100];

    fd = _listen(path, sizeof(path), "full.sock", 0);
    (void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
    for (; n < (int)COUNT(filler); n++) {
        filler[n] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (connect(filler[n], (const struct sockaddr *)&to, sizeof(to)) < 0)
            break;
    }
    UNIT_OK(n < (int)COUNT(filler) && errno == EAGAIN, "the queue is full");
    setenv("CARNOTD_SOCKET", path, 1);
    setenv("SLURMD_NODENAME", "n1", 1);
    _open(S_CTX_REMOTE);
    _script_step(0);
    _all_hooks(0, NULL, "full");
    for (; n >= 0; n--)
        (void)close(filler[n]);
    (void)close(fd);
}

/* What cannot be written is left out; the event still comes. */
static void test_odd_values(void)
{
    static const char *const nodes[] = {"n1/../../x", "n 1", "", "n1\nevent=end"};
    static const char *const cores[] = {"0-", "a", NULL, "", "0 uid=0"};
    struct node_event ev;
    char path[100];
    int fd = _listen(path, sizeof(path), "odd.sock", 8);

    setenv("CARNOTD_SOCKET", path, 1);
    _open(S_CTX_REMOTE);
    for (size_t i = 0; i < COUNT(nodes) + COUNT(cores); i++) {
        _script_step(SLURM_BATCH_SCRIPT);
        setenv("SLURMD_NODENAME", i < COUNT(nodes) ? nodes[i] : "n1", 1);
        if (i >= COUNT(nodes))
            host->cores = cores[i - COUNT(nodes)];
        UNIT_INT(host_call("exit", 0, NULL), 0, "row %zu", i);
        UNIT_INT(_receive(fd, &ev), 0, "row %zu", i);
        UNIT_INT(ev.kind, NODE_EVENT_STEP_END, "row %zu", i);
        UNIT_INT(ev.job_id, 123, "row %zu", i);
        UNIT_OK(!ev.node[0] || strcmp(ev.node, "n1") == 0, "row %zu: %s", i, ev.node);
        UNIT_OK(!ev.cores[0] || strcmp(ev.cores, "0-1") == 0, "row %zu: %s", i, ev.cores);
    }
    (void)close(fd);
}

static const struct unit_case cases[] = {
    {"exports", test_exports},
    {"registration", test_registration},
    {"flags", test_flags},
    {"environment", test_environment},
    {"power-cap", test_power_cap},
    {"cap-event", test_cap_event},
    {"hostile-environment", test_hostile_environment},
    {"quiet", test_quiet},
    {"terminal", test_terminal},
    {"leaks", test_leaks},
    {"job-events", test_job_events},
    {"step-events", test_step_events},
    {"no-daemon", test_no_daemon},
    {"full-socket", test_full_socket},
    {"odd-values", test_odd_values},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < COUNT(leaks); i++)
        unsetenv(leaks[i]);
    for (size_t i = 0; i < REQUEST_N_OPTIONS; i++)
        unsetenv(request_options[i].env);
    unsetenv("SLURM_JOB_ID");
    unsetenv("CARNOT_QUIET");
    unsetenv("CARNOTD_SOCKET");
    return unit_main(argc, argv, cases, "spank");
}
