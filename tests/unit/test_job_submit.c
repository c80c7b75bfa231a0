/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The built job_submit plugin under a scripted slurmctld: what it does to a description, what it
 * says, that hostile descriptions pass or are refused with one sentence, and that eight threads at
 * once never oversell a budget while boards are published. Built a second time with
 * ThreadSanitizer.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "board_fixture.h"
#include "common/path.h"
#include "compat/slurm_compat.h"
#include "unit.h"

/* What slurmctld offers its plugins. */
__attribute__((visibility("default"))) char *slurm_xstrdup(const char *str)
{
    return strdup(str);
}

__attribute__((visibility("default"))) void slurm_xfree(void **p)
{
    free(*p);
    *p = NULL;
}

static int n_logged; /* lines about absence, for "says so once" */
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void take_log(const char *format)
{
    pthread_mutex_lock(&log_lock);
    n_logged += strstr(format, "absent") != NULL;
    pthread_mutex_unlock(&log_lock);
}

static int logged(void)
{
    pthread_mutex_lock(&log_lock);
    int n = n_logged;
    pthread_mutex_unlock(&log_lock);
    return n;
}

#define LOGGER(name)                                                                               \
    __attribute__((visibility("default"))) void name(const char *format, ...)                      \
    {                                                                                              \
        take_log(format);                                                                          \
    }
LOGGER(slurm_info)
LOGGER(slurm_error)
LOGGER(slurm_debug)

typedef int (*submit_f)(job_desc_msg_t *, uint32_t, char **);
static submit_f submit;
static int (*plugin_init)(void), (*plugin_fini)(void);
static char board_path[512];

#ifdef PLUGIN_FILE
static void open_plugin(void)
{
    void *so = dlopen(PLUGIN_FILE, RTLD_NOW);
    if (!UNIT_OK(so != NULL, "%s", so ? "" : dlerror()))
        exit(1);
    submit = (submit_f)(uintptr_t)dlsym(so, "job_submit");
    plugin_init = (int (*)(void))(uintptr_t)dlsym(so, "init");
    plugin_fini = (int (*)(void))(uintptr_t)dlsym(so, "fini");
    UNIT_STR(dlsym(so, "plugin_type"), "job_submit/carnot", "type");
    UNIT_INT(*(uint32_t *)dlsym(so, "plugin_version"), SLURM_VERSION_NUMBER, "version");
    UNIT_OK(dlsym(so, "job_modify") != NULL, "job_modify");
    UNIT_OK(dlsym(so, "placement_decide") == NULL, "nothing else is exported");
}
#else
extern int init(void);
extern int fini(void);
extern int job_submit(job_desc_msg_t *job_desc, uint32_t submit_uid, char **err_msg);
static void open_plugin(void)
{
    submit = job_submit;
    plugin_init = init;
    plugin_fini = fini;
}
#endif

static int64_t now_s(void)
{
    return time(NULL);
}

/* Publish a board of now: the dip is 70 s away. */
static void publish(struct fixture *f, uint64_t seq)
{
    void *data = NULL;
    size_t size;
    struct err e = {.text = ""};
    int64_t shift = now_s() - FIXTURE_NOW;
    struct fixture g = *f;
    g.b.points = g.points;
    g.b.partitions = g.parts;
    g.b.budgets = g.budgets;
    g.b.users = g.users;
    g.b.switches = g.switches;
    g.b.decisions = g.decisions;
    g.b.planned = g.planned;
    for (uint32_t i = 0; i < g.b.n_points; i++)
        g.points[i].t_s += shift;
    g.b.head.seq = seq;
    g.b.head.published_ms = g.b.head.listed_ms = now_s() * 1000 + 999;
    g.b.head.slot_start_s += shift;
    g.b.head.intensity_end_s += shift;
    UNIT_INT(board_encode(&g.b, &data, &size, &e), 0, "%s", e.text);
    UNIT_INT(path_write_atomic(board_path, data, size, 0644, &e), 0, "%s", e.text);
    free(data);
}

static void start(struct fixture *f)
{
    snprintf(board_path, sizeof(board_path), "%s/board", unit_tmpdir());
    setenv("CARNOT_BOARD", board_path, 1);
    setenv("TZ", "UTC", 1);
    open_plugin();
    if (f)
        publish(f, 1);
    UNIT_INT(plugin_init(), 0, "init");
    /* listed_ms must be later than init's clock: wait for a board that is */
    if (f) {
        struct timespec t = {1, 0};
        nanosleep(&t, NULL);
        publish(f, 2);
        t = (struct timespec){0, 600000000};
        nanosleep(&t, NULL);
    }
}

static void job_init(job_desc_msg_t *d, char *script)
{
    memset(d, 0, sizeof(*d));
    d->time_limit = 1;
    d->min_nodes = d->max_nodes = d->num_tasks = d->min_cpus = NO_VAL;
    d->cpus_per_task = d->ntasks_per_node = d->pn_min_cpus = NO_VAL16;
    d->shared = NO_VAL16;
    d->het_job_offset = NO_VAL;
    d->user_id = 1000;
    d->script = script;
}

static void job_fini(job_desc_msg_t *d, char **msg)
{
    free(d->admin_comment);
    d->admin_comment = NULL;
    free(*msg);
    *msg = NULL;
}

static char plain[] = "#!/bin/sh\nsleep 1\n";
static char asks[] = "#!/bin/sh\n#SBATCH -n1\n#CARNOT carbon-delay=5m\nsleep 1\n";
static char *tty[] = {"CARNOT_TTY=1"};

static void test_decides(void)
{
    struct fixture f;
    job_desc_msg_t d;
    char *msg = NULL;
    fixture_init(&f);
    start(&f);

    job_init(&d, plain);
    UNIT_INT(submit(&d, 1000, &msg), 0, "asks for nothing");
    UNIT_OK(!msg && !d.admin_comment && d.begin_time == 0, "and gets nothing");

    job_init(&d, asks);
    UNIT_INT(submit(&d, 1000, &msg), 0, "asks");
    UNIT_OK(d.begin_time >= now_s() + 65 && d.begin_time <= now_s() + 71, "begins in the dip");
    UNIT_OK(!msg, "nobody reads: nothing is said");
    UNIT_OK(d.admin_comment && strstr(d.admin_comment, "code=GREENER_LATER"), "noted");
    job_fini(&d, &msg);

    job_init(&d, asks);
    d.spank_job_env = tty;
    d.spank_job_env_size = 1;
    d.admin_comment = strdup("theirs");
    msg = strdup("lua says hello");
    UNIT_INT(submit(&d, 1000, &msg), 0, "asks, from a terminal");
    UNIT_OK(strstr(msg, "lua says hello\ncarnot: waits until") == msg, "%s", msg);
    UNIT_OK(strncmp(d.admin_comment, "theirs carnot:v=1,", 18) == 0, "%s", d.admin_comment);
    job_fini(&d, &msg);
    plugin_fini();
}

static void test_bad_option(void)
{
    static char wrong[] = "#!/bin/sh\n#CARNOT carbon-delya=5m\n";
    static char *forged[] = {"_SLURM_SPANK_OPTION_carnot_carbon_delay=soon"};
    struct fixture f;
    job_desc_msg_t d;
    char *msg = NULL;
    fixture_init(&f);
    start(&f);
    job_init(&d, wrong);
    UNIT_OK(submit(&d, 1000, &msg) != 0, "refused");
    UNIT_OK(msg && strstr(msg, "carbon-delay") && !strchr(msg, '\n'), "one sentence: %s", msg);
    job_fini(&d, &msg);
    job_init(&d, plain);
    d.spank_job_env = forged;
    d.spank_job_env_size = 1;
    UNIT_OK(submit(&d, 1000, &msg) != 0, "a forged flag too");
    UNIT_OK(msg && strstr(msg, "soon"), "%s", msg);
    job_fini(&d, &msg);
    plugin_fini();
}

/* Odd sizes, missing ends, huge counts: never a crash. */
static void test_hostile(void)
{
    struct fixture f;
    job_desc_msg_t d;
    char *msg = NULL, *holes[] = {NULL, "", "=", "CARNOT_CARBON_DELAY", NULL};
    static char big[300000];
    fixture_init(&f);
    start(&f);
    memset(big, '#', sizeof(big) - 1);
    job_init(&d, big);
    d.environment = holes;
    d.env_size = 5;
    d.spank_job_env = holes;
    d.spank_job_env_size = 5;
    d.min_nodes = d.num_tasks = 0xfffffff0;
    d.cpus_per_task = 0xfff0;
    d.time_limit = INFINITE;
    d.array_inx = "0-4294967295:1,9999999999999999999999,-,%,a%b";
    d.tres_per_node = "gpu:,gpu:a100:99999999999,gres:gpu=4294967295,,;gpu";
    d.submit_line = "sbatch --test-only";
    d.partition = ",,,";
    UNIT_INT(submit(&d, 1000, &msg), 0, "passes");
    job_fini(&d, &msg);
    job_init(&d, NULL);
    d.spank_job_env_size = 1000000; /* without an array */
    d.env_size = 1000000;
    UNIT_INT(submit(&d, 4294967295u, &msg), 0, "interactive");
    job_fini(&d, &msg);
    plugin_fini();
}

static void test_absent(void)
{
    struct fixture f;
    job_desc_msg_t d;
    char *msg = NULL;
    struct timespec wait = {0, 700000000};
    fixture_init(&f);
    start(NULL);
    job_init(&d, asks);
    UNIT_INT(submit(&d, 1000, &msg), 0, "no board: passes");
    UNIT_OK(!d.begin_time && !d.admin_comment, "unchanged");
    UNIT_INT(logged(), 1, "said once");
    nanosleep(&wait, NULL);
    UNIT_INT(logged(), 1, "still once");
    publish(&f, 1);
    nanosleep(&wait, NULL);
    UNIT_INT(truncate(board_path, 100), 0, "cut short under the plugin");
    nanosleep(&wait, NULL);
    UNIT_INT(submit(&d, 1000, &msg), 0, "a broken file leaves the board before in force");
    UNIT_OK(d.begin_time > 0, "it decided");
    UNIT_INT(logged(), 2, "and is said once");
    job_fini(&d, &msg);
    UNIT_INT(unlink(board_path), 0, "the red card");
    nanosleep(&wait, NULL);
    job_init(&d, asks);
    UNIT_INT(submit(&d, 1000, &msg), 0, "removed: passes");
    UNIT_OK(!d.begin_time, "unchanged");
    f.b.head.max_age_ms = 500;
    publish(&f, 2);
    nanosleep(&wait, NULL);
    nanosleep(&wait, NULL);
    nanosleep(&wait, NULL);
    UNIT_INT(submit(&d, 1000, &msg), 0, "too old: passes");
    UNIT_OK(!d.begin_time, "unchanged");
    plugin_fini();
}

static void test_observe(void)
{
    struct fixture f;
    job_desc_msg_t d;
    char *msg = NULL;
    fixture_init(&f);
    f.b.head.mode = 0;
    f.budgets[0] = (struct board_budget){.scope = BOARD_ACCOUNT, .name = "bio"};
    f.b.n_budgets = 1;
    start(&f);
    job_init(&d, asks);
    d.spank_job_env = tty;
    d.spank_job_env_size = 1;
    UNIT_INT(submit(&d, 1000, &msg), 0, "an empty budget refuses nobody while observing");
    UNIT_OK(!d.begin_time, "and nobody waits");
    UNIT_OK(msg && strstr(msg, "only observing"), "%s", msg);
    UNIT_OK(strstr(d.admin_comment, "code=OBSERVE"), "%s", d.admin_comment);
    job_fini(&d, &msg);
    plugin_fini();
}

/* slurmctld starts the plugin anew when it is reconfigured: what was promised is not known until
 * the next list. */
static void test_begins_anew(void)
{
    struct fixture f;
    job_desc_msg_t d;
    char *msg = NULL;
    struct timespec wait = {1, 600000000};
    fixture_init(&f);
    f.budgets[0] = (struct board_budget){.scope = BOARD_ACCOUNT,
                                         .name = "bio",
                                         .granted = 10 * 600 * 1000000LL,
                                         .left = 10 * 600 * 1000000LL};
    f.b.n_budgets = 1;
    start(&f);
    nanosleep(&wait, NULL);
    plugin_fini();
    UNIT_INT(plugin_init(), 0, "a second init in the same process");
    job_init(&d, plain);
    d.account = "bio";
    UNIT_INT(submit(&d, 1000, &msg), EAGAIN, "a job on a budget is to be sent again");
    UNIT_OK(msg && strstr(msg, "submit again"), "%s", msg);
    job_fini(&d, &msg);
    job_init(&d, asks);
    d.user_id = 4711;
    UNIT_INT(submit(&d, 4711, &msg), 0, "one without a budget passes");
    UNIT_OK(d.begin_time > 0, "and is decided");
    job_fini(&d, &msg);
    publish(&f, 3);
    nanosleep(&wait, NULL);
    job_init(&d, plain);
    d.account = "bio";
    UNIT_INT(submit(&d, 1000, &msg), 0, "after the next list it is accepted");
    job_fini(&d, &msg);
    plugin_fini();
}

#define THREADS 8
#define EACH 40

static int accepted, tests_done;
static pthread_mutex_t count_lock = PTHREAD_MUTEX_INITIALIZER;

static void *submitter(void *arg)
{
    int me = (int)(intptr_t)arg;
    for (int i = 0; i < EACH; i++) {
        job_desc_msg_t d;
        char *msg = NULL;
        job_init(&d, asks);
        d.submit_line = (me + i) % 2 ? "sbatch job.sh" : "sbatch --test-only job.sh";
        d.account = "bio";
        int rc = submit(&d, 1000, &msg);
        pthread_mutex_lock(&count_lock);
        if ((me + i) % 2)
            accepted += rc == 0;
        else
            tests_done++;
        pthread_mutex_unlock(&count_lock);
        UNIT_OK(rc == 0 || strstr(msg, "account bio has"), "%s", msg);
        job_fini(&d, &msg);
    }
    return NULL;
}

/* 320 submissions from eight threads, half of them only tests, boards all the while: ten jobs fit.
 */
static void test_threads(void)
{
    struct fixture f;
    pthread_t threads[THREADS];
    fixture_init(&f);
    f.budgets[0] = (struct board_budget){.scope = BOARD_ACCOUNT,
                                         .name = "bio",
                                         .granted = 10 * 600 * 1000000LL,
                                         .left = 10 * 600 * 1000000LL};
    f.b.n_budgets = 1;
    start(&f);
    for (intptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, submitter, (void *)i);
    for (uint64_t seq = 3; seq < 23; seq++) {
        struct timespec t = {0, 20000000};
        publish(&f, seq);
        nanosleep(&t, NULL);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    UNIT_INT(accepted, 10, "jobs accepted");
    UNIT_INT(tests_done, THREADS * EACH / 2, "tests answered");
    plugin_fini();
    UNIT_INT(plugin_init(), 0, "a second init in the same process");
    plugin_fini();
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"decides", test_decides}, {"bad_option", test_bad_option},
        {"hostile", test_hostile}, {"absent", test_absent},
        {"observe", test_observe}, {"begins_anew", test_begins_anew},
        {"threads", test_threads}, {NULL, NULL}};
    return unit_main(argc, argv, cases, "job_submit");
}
