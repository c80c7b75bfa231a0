/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The acct_gather_energy plugin as slurmd and slurmstepd load it, against a carnotd that answers,
 * lies, closes, hangs, or is not there: no call may take longer than it is allowed to, and no sum
 * may ever go back.
 */
#include "config.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "compat/slurm_compat.h"
#include "meter.h"
#include "unit.h"

/* What a call may take: the limit, and what a busy machine adds. */
#define CALL_MAX_MS (METER_ASK_LIMIT_MS + 150)

/* ---- Slurm ---- */

static int n_info;

#define LOGGER(name, count)                                                                        \
    __attribute__((visibility("default"))) void name(const char *format, ...)                      \
    {                                                                                              \
        (void)format;                                                                              \
        (count)++;                                                                                 \
    }
static int n_other;
LOGGER(slurm_info, n_info)
LOGGER(slurm_error, n_other)
LOGGER(slurm_debug, n_other)

static int (*get_data)(enum acct_energy_type, void *), (*set_data)(enum acct_energy_type, void *);
static int (*update)(void), (*fini)(void);
static char *argv0;

static void *_symbol(void *so, const char *name)
{
    void *symbol = dlsym(so, name);

    UNIT_OK(symbol != NULL, "%s: Slurm refuses a plugin without it", name);
    return symbol;
}

static void _load(void)
{
    void *so = dlopen(PLUGIN_FILE, RTLD_NOW);

    if (!UNIT_OK(so != NULL, "%s", so ? "" : dlerror()))
        exit(1);
    UNIT_STR(_symbol(so, "plugin_type"), "acct_gather_energy/carnot", "type");
    UNIT_INT(*(uint32_t *)_symbol(so, "plugin_version"), SLURM_VERSION_NUMBER, "version");
    (void)_symbol(so, "plugin_name");
    (void)_symbol(so, "acct_gather_energy_p_conf_options");
    (void)_symbol(so, "acct_gather_energy_p_conf_set");
    (void)_symbol(so, "acct_gather_energy_p_conf_values");
    get_data = (int (*)(enum acct_energy_type, void *))(uintptr_t)_symbol(
        so, "acct_gather_energy_p_get_data");
    set_data = (int (*)(enum acct_energy_type, void *))(uintptr_t)_symbol(
        so, "acct_gather_energy_p_set_data");
    update = (int (*)(void))(uintptr_t)_symbol(so, "acct_gather_energy_p_update_node_energy");
    fini = (int (*)(void))(uintptr_t)_symbol(so, "fini");
    UNIT_INT(((int (*)(void))(uintptr_t)_symbol(so, "init"))(), SLURM_SUCCESS, "init");
}

/* As slurmstepd does with setproctitle. */
static void _be(const char *title)
{
    memcpy(argv0, title, strlen(title) + 1);
}

/* ---- carnotd ---- */

enum mode { ANSWER, CLOSE, HANG };

static enum mode mode;
static char reply[600];
static size_t reply_len;
static char asked[600]; /* the last question */
static int n_asked;
static int listener = -1;

static void *_serve(void *arg)
{
    (void)arg;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        ssize_t n;

        if (fd < 0)
            return NULL;
        n = recv(fd, asked, sizeof(asked) - 1, 0);
        asked[n > 0 ? n : 0] = '\0';
        n_asked++;
        if (mode == ANSWER)
            (void)!send(fd, reply, reply_len, MSG_NOSIGNAL);
        if (mode == HANG)
            continue; /* and keep it open */
        (void)close(fd);
    }
}

static void _reply(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void _reply(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    reply_len = (size_t)vsnprintf(reply, sizeof(reply), format, ap);
    va_end(ap);
    mode = ANSWER;
}

static int _listen(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    (void)snprintf(at.sun_path, sizeof(at.sun_path), "%.90s/n1.sock", unit_tmpdir());
    (void)unlink(at.sun_path);
    listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    return bind(listener, (struct sockaddr *)&at, sizeof(at)) == 0 ? listen(listener, 1) : -1;
}

/* carnotd is there, and the process is this one of Slurm's. */
static void _setup(const char *title)
{
    char path[200];
    pthread_t thread;

    (void)snprintf(path, sizeof(path), "%s/%%n.sock", unit_tmpdir());
    (void)setenv("CARNOTD_SOCKET", path, 1);
    (void)setenv("SLURMD_NODENAME", "n1", 1);
    _be(title);
    CU_ASSERT_FATAL(_listen() == 0);
    CU_ASSERT_FATAL(pthread_create(&thread, NULL, _serve, NULL) == 0);
    _load();
}

static void _pause_ms(long ms)
{
    const struct timespec t = {ms / 1000, (ms % 1000) * 1000000};

    (void)nanosleep(&t, NULL);
}

/* What a step's task is told next; no call takes longer than it may. */
static void _task(acct_gather_energy_t *task)
{
    int64_t begin_ms = clock_mono_ms(&clock_system);

    _pause_ms(METER_STEP_AGE_MS + 5);
    begin_ms = clock_mono_ms(&clock_system);
    UNIT_INT(get_data(ENERGY_DATA_NODE_ENERGY_UP, task), SLURM_SUCCESS, "always");
    UNIT_OK(clock_mono_ms(&clock_system) - begin_ms < CALL_MAX_MS, "in time");
}

static void test_node(void)
{
    acct_gather_energy_t e = {.consumed_energy = 0};
    time_t when = 0;
    uint16_t sensors = 0;

    _setup("/usr/sbin/slurmd -D");
    _reply("carnot1 answer=node run=7 uj=1000000000 mono_ms=10000");
    UNIT_INT(update(), SLURM_SUCCESS, "update");
    UNIT_STR(asked, "carnot1 query=node node=n1", "who asks");
    UNIT_INT(get_data(ENERGY_DATA_NODE_ENERGY, &e), SLURM_SUCCESS, "get");
    UNIT_INT(n_asked, 1, "not again in the same moment");
    UNIT_INT(e.consumed_energy, 1000, "J");
    UNIT_INT(e.current_watts, NO_VAL, "one answer says nothing about watts");
    _pause_ms(METER_NODE_AGE_MS);
    _reply("carnot1 answer=node run=7 uj=1500000000 mono_ms=12000");
    UNIT_INT(get_data(ENERGY_DATA_NODE_ENERGY, &e), SLURM_SUCCESS, "get");
    UNIT_INT(e.consumed_energy, 1500, "J");
    UNIT_INT(e.current_watts, 250, "W");
    UNIT_INT(e.ave_watts, 250, "W");
    UNIT_INT(get_data(ENERGY_DATA_LAST_POLL, &when), SLURM_SUCCESS, "get");
    UNIT_OK(time(NULL) - when < 10, "just now");
    UNIT_INT(get_data(ENERGY_DATA_SENSOR_CNT, &sensors), SLURM_SUCCESS, "get");
    UNIT_INT(sensors, 1, "one");
    UNIT_INT(get_data(ENERGY_DATA_STEP_PTR, &e), SLURM_ERROR, "not to be got");
    UNIT_INT(get_data(ENERGY_DATA_STRUCT, NULL), SLURM_ERROR, "nowhere to put it");
    UNIT_INT(set_data(ENERGY_DATA_STEP_PTR, &e), SLURM_SUCCESS, "ignored");
    UNIT_INT(set_data(ENERGY_DATA_RECONFIG, NULL), SLURM_SUCCESS, "ignored");
    UNIT_INT(fini(), SLURM_SUCCESS, "fini");
}

/* Slurm adds up what its tasks were told. */
static void test_tasks(void)
{
    acct_gather_energy_t one = {.consumed_energy = 0}, two = {.consumed_energy = 0};

    _setup("slurmstepd: [123.4]");
    _reply("carnot1 answer=step run=7 uj=10900000 mono_ms=10000");
    _task(&one);
    UNIT_STR(asked, "carnot1 query=step job=123 step=4 node=n1", "who asks");
    UNIT_INT(one.consumed_energy, 10, "J");
    _reply("carnot1 answer=step run=7 uj=20900000 mono_ms=12000");
    _task(&one);
    UNIT_INT(one.consumed_energy, 20, "J");
    UNIT_INT(one.current_watts, 5, "W");
    _reply("carnot1 answer=step run=7 uj=33100000 mono_ms=13000");
    _task(&two);
    UNIT_INT(two.consumed_energy, 13, "the first task has ended: the second goes on");
    UNIT_INT(one.consumed_energy + two.consumed_energy, 33, "together the step's");
    UNIT_INT(get_data(ENERGY_DATA_JOULES_TASK, &one), SLURM_SUCCESS, "nothing new");
    UNIT_INT(one.consumed_energy + two.consumed_energy, 33, "nothing twice");
}

static void test_nothing(void)
{
    acct_gather_energy_t e = {.consumed_energy = 0};

    _setup("slurmstepd: [123.batch]");
    _reply("carnot1 answer=none");
    _task(&e);
    UNIT_STR(asked, "carnot1 query=step job=123 step=batch node=n1", "who asks");
    UNIT_OK(e.consumed_energy == NO_VAL64, "no value, and not 0");
    _reply("carnot1 answer=step run=7 uj=5000000 mono_ms=10000");
    _task(&e);
    UNIT_INT(e.consumed_energy, 5, "J, once there is one");
    _reply("carnot1 answer=none");
    _task(&e);
    UNIT_INT(e.consumed_energy, 5, "and it stays");
}

/* carnotd starts again: it counts anew, the sum goes on. */
static void test_restart(void)
{
    acct_gather_energy_t e = {.consumed_energy = 0};

    _setup("slurmstepd: [123.0]");
    _reply("carnot1 answer=step run=7 uj=50000000 mono_ms=10000");
    _task(&e);
    mode = CLOSE;
    _task(&e);
    UNIT_INT(e.consumed_energy, 50, "the last value");
    _reply("carnot1 answer=step run=8 uj=3000000 mono_ms=12000");
    _task(&e);
    UNIT_INT(e.consumed_energy, 53, "on top");
    _reply("carnot1 answer=step run=8 uj=4000000 mono_ms=13000");
    _task(&e);
    UNIT_INT(e.consumed_energy, 54, "and on");
}

static void test_lies(void)
{
    static const char *const lies[] = {
        "carnot1 answer=step run=7 uj=49000000 mono_ms=11000",            /* back */
        "carnot1 answer=step run=7 uj=4000000000000000000 mono_ms=11000", /* beyond a MW */
        "carnot1 answer=step run=9 uj=4000000000000000000 mono_ms=11000", /* in a new run too */
        "carnot1 answer=step run=7 uj=18446744073709551615 mono_ms=11000",
        "carnot1 answer=step run=7 uj=60000000 mono_ms=9000", /* before */
        "carnot1 answer=step run=7 uj=60000000",
        "carnot1 answer=node run=7 uj=60000000 mono_ms=11000", /* not asked */
        "carnot1 answer=step run=7 uj=-1 mono_ms=11000",
        "carnot1 answer=step run=7 uj=60000000 uj=70000000 mono_ms=11000",
        "carnot2 answer=step run=7 uj=60000000 mono_ms=11000",
        "what?",
    };
    acct_gather_energy_t e = {.consumed_energy = 0};

    _setup("slurmstepd: [123.0]");
    _reply("carnot1 answer=step run=7 uj=50000000 mono_ms=10000");
    _task(&e);
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        _reply("%s", lies[i]);
        _task(&e);
        UNIT_INT(e.consumed_energy, 50, "'%s'", lies[i]);
    }
    memset(reply, 'x', sizeof(reply));
    reply_len = sizeof(reply);
    _task(&e);
    UNIT_INT(e.consumed_energy, 50, "longer than any answer");
    reply_len = 0;
    _task(&e);
    UNIT_INT(e.consumed_energy, 50, "empty");
    _reply("carnot1 answer=step run=7 uj=51000000 mono_ms=12000");
    _task(&e);
    UNIT_INT(e.consumed_energy, 51, "the truth again");
}

static void test_hangs(void)
{
    acct_gather_energy_t e = {.consumed_energy = 0};
    int64_t begin_ms;
    int before;

    _setup("slurmstepd: [123.0]");
    _reply("carnot1 answer=step run=7 uj=50000000 mono_ms=10000");
    _task(&e);
    mode = HANG;
    begin_ms = clock_mono_ms(&clock_system);
    for (int i = 0; i < 5; i++)
        _task(&e);
    UNIT_OK(clock_mono_ms(&clock_system) - begin_ms < 5 * METER_STEP_AGE_MS + 400,
            "only the first of them has waited");
    UNIT_INT(e.consumed_energy, 50, "the last value");
    _pause_ms(METER_PAUSE_MIN_MS);
    before = n_asked;
    _task(&e);
    _pause_ms(METER_PAUSE_MIN_MS + 100);
    _task(&e);
    UNIT_INT(n_asked, before + 1, "asked again after a second, and then not for two");
    _reply("carnot1 answer=step run=7 uj=51000000 mono_ms=12000");
    _pause_ms(METER_PAUSE_MIN_MS);
    _task(&e);
    UNIT_INT(e.consumed_energy, 51, "it answers again");
}

/* Nobody accepts, and the queue is full: connect() itself has nothing to wait for. */
static void test_full(void)
{
    acct_gather_energy_t e = {.consumed_energy = 0};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char path[200];

    (void)snprintf(path, sizeof(path), "%s/n1.sock", unit_tmpdir());
    (void)setenv("CARNOTD_SOCKET", path, 1);
    _be("slurmstepd: [123.0]");
    CU_ASSERT_FATAL(_listen() == 0);
    (void)snprintf(at.sun_path, sizeof(at.sun_path), "%.100s", path);
    for (int i = 0; i < 4; i++) {
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        (void)!connect(fd, (struct sockaddr *)&at, sizeof(at));
    }
    _load();
    _task(&e);
    UNIT_OK(e.consumed_energy == NO_VAL64, "no value");
}

static void test_absent(void)
{
    acct_gather_energy_t e = {.consumed_energy = 0};

    (void)setenv("CARNOTD_SOCKET", "/nowhere/%n", 1);
    (void)unsetenv("SLURMD_NODENAME");
    _be("slurmd");
    _load();
    for (int i = 0; i < 3; i++) {
        _pause_ms(METER_NODE_AGE_MS);
        UNIT_INT(get_data(ENERGY_DATA_NODE_ENERGY, &e), SLURM_SUCCESS, "get");
    }
    UNIT_OK(e.consumed_energy == NO_VAL64, "no value");
    UNIT_INT(e.current_watts, NO_VAL, "no value");
    UNIT_INT(n_info, 1, "said once");
}

static void test_path(void)
{
    static const char *const paths[] = {
        "/nowhere/01234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "012345678901234567890123456789",
        "/nowhere/%n", "%n", "", "/etc/passwd"};

    (void)unsetenv("SLURMD_NODENAME");
    _be("slurmd");
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        acct_gather_energy_t e = {.consumed_energy = 0};

        (void)setenv("CARNOTD_SOCKET", paths[i], 1);
        _load();
        if (i > 0)
            _pause_ms(METER_NODE_AGE_MS);
        UNIT_INT(get_data(ENERGY_DATA_NODE_ENERGY, &e), SLURM_SUCCESS, "'%s'", paths[i]);
        UNIT_OK(e.consumed_energy == NO_VAL64, "'%s'", paths[i]);
    }
}

static void *_many(void *arg)
{
    acct_gather_energy_t e = {.consumed_energy = 0};
    int64_t *worst_ms = arg;

    for (int i = 0; i < 20; i++) {
        int64_t begin_ms = clock_mono_ms(&clock_system), ms;

        (void)get_data(ENERGY_DATA_NODE_ENERGY, &e);
        ms = clock_mono_ms(&clock_system) - begin_ms;
        if (ms > *worst_ms)
            *worst_ms = ms;
        _pause_ms(10);
    }
    return NULL;
}

/* slurmd has many threads: while one waits, no other does; and nothing stays behind. */
static void test_threads(void)
{
    pthread_t threads[8];
    int64_t worst_ms[8] = {0};
    int n_tasks = 0;
    DIR *dir;

    _setup("slurmd");
    mode = HANG;
    for (int i = 0; i < 8; i++)
        (void)pthread_create(&threads[i], NULL, _many, &worst_ms[i]);
    for (int i = 0; i < 8; i++) {
        (void)pthread_join(threads[i], NULL);
        UNIT_OK(worst_ms[i] < CALL_MAX_MS, "thread %d: %" PRId64 " ms", i, worst_ms[i]);
    }
    UNIT_INT(fini(), SLURM_SUCCESS, "fini");
    dir = opendir("/proc/self/task");
    while (readdir(dir))
        n_tasks++;
    (void)closedir(dir);
    UNIT_INT(n_tasks - 2, 2, "this thread and our carnotd's");
}

static void test_titles(void)
{
    static const struct {
        const char *title;
        const char *question; /* NULL: none is asked */
    } rows[] = {
        {"slurmd", "carnot1 query=node node=n1"},
        {"/usr/sbin/slurmd", "carnot1 query=node node=n1"},
        {"slurmstepd: [7.extern]", "carnot1 query=step job=7 step=extern node=n1"},
        {"slurmstepd: [7.0+1]", "carnot1 query=step job=7 step=0 node=n1"},
        {"/x/slurmstepd: [7.1]", "carnot1 query=step job=7 step=1 node=n1"},
        {"valgrind", NULL},
        {"", NULL},
        {"/usr/sbin/slurmstepd", NULL},
        {"slurmstepd: [", NULL},
        {"slurmstepd: [7", NULL},
        {"slurmstepd: [7.", NULL},
        {"slurmstepd: [7.]", NULL},
        {"slurmstepd: [.0]", NULL},
        {"slurmstepd: [0.0]", NULL},
        {"slurmstepd: [x.0]", NULL},
        {"slurmstepd: [7.a/b]", NULL},
        {"slurmstepd: [99999999999.0]", NULL},
        {"slurmstepd: [7.01234567890123456]", NULL},
    };

    _setup("slurmstepd");
    _reply("carnot1 answer=none");
    /* who we are is kept once it is known: each row in a process of its own */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        acct_gather_energy_t e = {.consumed_energy = 0};
        void *so;

        asked[0] = '\0';
        _be(rows[i].title);
        so = dlopen(PLUGIN_FILE, RTLD_NOW | RTLD_NOLOAD);
        while (so && dlclose(so) == 0 && dlopen(PLUGIN_FILE, RTLD_NOW | RTLD_NOLOAD))
            (void)dlclose(so);
        _load();
        (void)get_data(ENERGY_DATA_STRUCT, &e);
        _pause_ms(5);
        UNIT_STR(asked, rows[i].question ? rows[i].question : "", "'%s'", rows[i].title);
    }
}

static const struct unit_case cases[] = {
    {"node", test_node},       {"tasks", test_tasks},   {"nothing", test_nothing},
    {"restart", test_restart}, {"lies", test_lies},     {"hangs", test_hangs},
    {"full", test_full},       {"absent", test_absent}, {"threads", test_threads},
    {"titles", test_titles},   {"path", test_path},     {NULL, NULL},
};

int main(int argc, char **argv)
{
    argv0 = argv[0];
    return unit_main(argc, argv, cases, "acct_gather");
}
