/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The built job_submit plugin under a scripted slurmctld: what it does to a description, what it
 * says, that hostile descriptions pass or are refused with one sentence, and that eight threads at
 * once never oversell a budget while boards are published. Built a second time with
 * ThreadSanitizer.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "slurmctld_host.h"
#include "unit.h"

static char plain[] = "#!/bin/sh\nsleep 1\n";
static char asks[] = "#!/bin/sh\n#SBATCH -n1\n#CARNOT carbon-delay=5m\nsleep 1\n";
static char *tty[] = {"CARNOT_TTY=1"};

static void test_decides(void)
{
    struct fixture f;
    job_desc_msg_t d;
    char *msg = NULL;
    fixture_init(&f);
    host_start(&f);

    host_job_init(&d, plain);
    UNIT_INT(host_submit(&d, 1000, &msg), 0, "asks for nothing");
    UNIT_OK(!msg && !d.admin_comment && d.begin_time == 0, "and gets nothing");

    host_job_init(&d, asks);
    UNIT_INT(host_submit(&d, 1000, &msg), 0, "asks");
    UNIT_OK(d.begin_time >= host_now_s() + 65 && d.begin_time <= host_now_s() + 71,
            "begins in the dip");
    UNIT_OK(!msg, "nobody reads: nothing is said");
    UNIT_OK(d.admin_comment && strstr(d.admin_comment, "code=GREENER_LATER"), "noted");
    host_job_fini(&d, &msg);

    host_job_init(&d, asks);
    d.spank_job_env = tty;
    d.spank_job_env_size = 1;
    d.admin_comment = strdup("theirs");
    msg = strdup("lua says hello");
    UNIT_INT(host_submit(&d, 1000, &msg), 0, "asks, from a terminal");
    UNIT_OK(strstr(msg, "lua says hello\ncarnot: waits until") == msg, "%s", msg);
    UNIT_OK(strncmp(d.admin_comment, "theirs carnot:v=1,", 18) == 0, "%s", d.admin_comment);
    host_job_fini(&d, &msg);
    host_fini();
}

/* A limit in which the dip is lost, and short runs of one name before. */
static void test_name(void)
{
    static char endless[1 << 20], known[] = "train", unknown[] = "eval", none[] = "";
    char *const names[] = {NULL, none, unknown, endless, known};
    struct fixture f;
    char *msg = NULL;
    fixture_init(&f);
    fixture_past(&f, 1000, known, 30, 20);
    memset(endless, 0xff, sizeof(endless) - 1);
    host_start(&f);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        job_desc_msg_t d;
        host_job_init(&d, asks);
        d.time_limit = 20;
        d.name = names[i];
        UNIT_INT(host_submit(&d, 1000, &msg), 0, "name %zu", i);
        UNIT_INT(d.begin_time > 0, names[i] == known, "name %zu: waits by its like alone", i);
        host_job_fini(&d, &msg);
    }
    host_fini();
}

/* Licences of a job under a budget that Slurm's limit holds. */
static void test_watts(void)
{
    static const struct {
        const char *account, *asked, *want;
    } rows[] = {
        {"bio", NULL, "watts:20"},
        {"bio", "other:2", "other:2,watts:20"},
        {"bio", "watts:1", "watts:20"},
        {"bio", "watts:9;other", "other,watts:20"},
        {"chem", NULL, NULL},
        {"chem", "other:2", "other:2"},
        {"chem", "watts:7,other", "other"},
        {"chem", "watts:7", NULL},
        {"chem", "a|watts:7", "a|watts:7"},
    };
    struct fixture f;
    job_desc_msg_t d;
    char *msg = NULL;
    fixture_init(&f);
    f.b.head.watts_total = 1000;
    f.budgets[0] = (struct board_budget){
        .scope = BOARD_ACCOUNT, .name = "bio", .native = 1, .granted = 3000 * 1000000LL};
    f.b.n_budgets = 1;
    host_start(&f);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        host_job_init(&d, plain);
        d.min_cpus = 2;
        d.account = (char *)(uintptr_t)rows[i].account;
        d.licenses = rows[i].asked ? strdup(rows[i].asked) : NULL;
        UNIT_INT(host_submit(&d, 1000, &msg), 0, "row %zu: %s", i, msg ? msg : "");
        UNIT_STR(d.licenses ? d.licenses : "-", rows[i].want ? rows[i].want : "-", "row %zu", i);
        free(d.licenses);
        host_job_fini(&d, &msg);
    }
    host_job_init(&d, plain);
    d.account = (char *)(uintptr_t) "bio";
    d.licenses = strdup("a|b");
    UNIT_INT(host_submit(&d, 1000, &msg), ESLURM_INVALID_LICENSES, "a choice cannot be joined");
    UNIT_OK(msg && strstr(msg, "choice of licences"), "%s", msg ? msg : "");
    UNIT_STR(d.licenses, "a|b", "left alone");
    free(d.licenses);
    host_job_fini(&d, &msg);

    f.b.head.mode = 0;
    host_publish(&f, 3);
    struct timespec t = {0, 600000000};
    nanosleep(&t, NULL);
    host_job_init(&d, plain);
    d.account = (char *)(uintptr_t) "bio";
    UNIT_INT(host_submit(&d, 1000, &msg), 0, "only observing");
    UNIT_OK(!d.licenses, "nothing is added");
    host_job_fini(&d, &msg);
    host_fini();
}

/* What becomes of the entry that the nodes go by. */
static const char *cap_entry(const char *script, const char *entry, uint16_t shared)
{
    static char kept[64];
    char *env[] = {tty[0], strdup(entry), NULL};
    job_desc_msg_t d;
    char *msg = NULL;
    host_job_init(&d, (char *)(uintptr_t)script);
    d.spank_job_env = env;
    d.spank_job_env_size = 2;
    d.shared = shared;
    UNIT_INT(host_submit(&d, 1000, &msg), 0, "%s: %s", entry, msg ? msg : "passes");
    UNIT_INT(msg && strstr(msg, "add --exclusive"), shared && strstr(env[1], "mW"), "%s: %s", entry,
             msg ? msg : "");
    (void)snprintf(kept, sizeof(kept), "%s", env[1]);
    free(env[1]);
    host_job_fini(&d, &msg);
    return kept;
}

static void test_power_cap(void)
{
    static const char line[] = "#!/bin/sh\n#CARNOT power-cap=node:1.8kW\n";
    const uint16_t any = NO_VAL16;
    struct fixture f;
    job_desc_msg_t d;
    char *msg = NULL, *forged[] = {(char *)(uintptr_t) "CARNOT_POWER_CAP=gpu:1kW,exclusive"};
    fixture_init(&f);
    f.b.head.mode = 1;
    host_start(&f);
    UNIT_STR(cap_entry(plain, "CARNOT_POWER_CAP=", any), "CARNOT_POWER_CAP=", "none");
    UNIT_STR(cap_entry(line, "CARNOT_POWER_CAP=", any), "CARNOT_POWER_CAP=node:1800000mW", "line");
    UNIT_STR(cap_entry(line, "CARNOT_POWER_CAP=gpu:300000mW", any),
             "CARNOT_POWER_CAP=node:1800000mW", "line over environment");
    UNIT_STR(cap_entry(plain, "CARNOT_POWER_CAP=gpu:300000mW", 0),
             "CARNOT_POWER_CAP=gpu:300000mW,exclusive", "whole nodes");
    host_job_init(&d, (char *)(uintptr_t)line);
    UNIT_INT(host_submit(&d, 1000, &msg), 0, "from a portal: %s", msg ? msg : "passes");
    if (UNIT_INT(d.spank_job_env_size, 1, "it gets an entry") && d.spank_job_env) {
        UNIT_STR(d.spank_job_env[0], "CARNOT_POWER_CAP=node:1800000mW", "with its cap");
        free(d.spank_job_env[0]);
        free(d.spank_job_env);
    }
    host_job_fini(&d, &msg);
    host_job_init(&d, plain);
    UNIT_INT(host_submit(&d, 1000, &msg), 0, "nothing asked");
    UNIT_OK(!d.spank_job_env && d.spank_job_env_size == 0, "nothing given");
    host_job_fini(&d, &msg);
    host_job_init(&d, plain);
    d.spank_job_env = forged;
    d.spank_job_env_size = 1;
    UNIT_OK(host_submit(&d, 1000, &msg) != 0 && msg && strstr(msg, "not a power cap"), "forged: %s",
            msg ? msg : "passes");
    host_job_fini(&d, &msg);
    f.b.head.mode = 0;
    host_publish(&f, 3);
    struct timespec t = {0, 600000000};
    nanosleep(&t, NULL);
    UNIT_STR(cap_entry(line, "CARNOT_POWER_CAP=gpu:300000mW", 0),
             "CARNOT_POWER_CAP=", "only observing");
    host_fini();
}

/* What becomes of a job that asks to be paused: Slurm must queue it again, and the note says so; or
 * one sentence why not. */
static void test_requeue(void)
{
    static char both[] = "#!/bin/sh\n#CARNOT carbon-delay=5m carbon-requeue\nsleep 1\n";
    static char alone[] = "#!/bin/sh\n#CARNOT carbon-requeue\nsleep 1\n";
    static char *flags[] = {"CARNOT_TTY=1", "_SLURM_SPANK_OPTION_carnot_carbon_requeue=",
                            "_SLURM_SPANK_OPTION_carnot_carbon_delay=5m"};
    static const struct {
        char *script;
        uint16_t requeue, want;
        const char *says; /* NULL: it works */
    } rows[] = {{both, NO_VAL16, 1, NULL},
                {both, 1, 1, NULL},
                {plain, NO_VAL16, 1, NULL},
                {both, 0, 0, "--no-requeue"},
                {alone, NO_VAL16, NO_VAL16, "--carbon-delay or --carbon-finish-by"},
                {NULL, NO_VAL16, NO_VAL16, "only a batch job"},
                {asks, NO_VAL16, NO_VAL16, NULL}};
    struct fixture f;
    job_desc_msg_t d;
    char *msg = NULL;
    fixture_init(&f);
    host_start(&f);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int by_flag = rows[i].script == plain || !rows[i].script, asked = rows[i].script != asks;
        host_job_init(&d, rows[i].script);
        d.requeue = rows[i].requeue;
        d.spank_job_env = by_flag ? flags : tty;
        d.spank_job_env_size = by_flag ? 3 : 1;
        UNIT_INT(host_submit(&d, 1000, &msg), 0, "row %zu: %s", i, msg ? msg : "");
        UNIT_INT(d.requeue, rows[i].want, "row %zu", i);
        UNIT_INT(d.admin_comment && strstr(d.admin_comment, ",requeue="), asked && !rows[i].says,
                 "row %zu: %s", i, d.admin_comment ? d.admin_comment : "");
        if (rows[i].says)
            UNIT_OK(msg && strstr(msg, rows[i].says), "row %zu: %s", i, msg ? msg : "");
        else
            UNIT_OK(!msg || !strstr(msg, "requeue"), "row %zu: %s", i, msg ? msg : "");
        host_job_fini(&d, &msg);
    }
    host_fini();
}

static int component(job_desc_msg_t *d, uint32_t offset, char **msg)
{
    host_job_init(d, offset == 0 ? asks : NULL);
    d->het_job_offset = offset;
    d->spank_job_env = tty;
    d->spank_job_env_size = 1;
    return host_submit(d, 1000, msg);
}

/* sbatch ... : ...: only the first component has the script, and it speaks for all. */
static void test_heterogeneous(void)
{
    struct fixture f;
    job_desc_msg_t d;
    char *msg = NULL;
    fixture_init(&f);
    host_start(&f);
    UNIT_INT(component(&d, 0, &msg), 0, "first");
    UNIT_OK(msg && strstr(msg, "waits until"), "one line: %s", msg);
    int64_t begin_s = d.begin_time;
    host_job_fini(&d, &msg);
    for (uint32_t i = 1; i < 3; i++) {
        UNIT_INT(component(&d, i, &msg), 0, "component %u", i);
        UNIT_INT(d.begin_time, begin_s, "begins with the first");
        UNIT_OK(!msg, "says nothing");
        UNIT_OK(d.admin_comment && strstr(d.admin_comment, "code=GREENER_LATER") &&
                    strstr(d.admin_comment, "layer=script"),
                "%s", d.admin_comment);
        host_job_fini(&d, &msg);
    }
    host_job_init(&d, plain);
    UNIT_INT(host_submit(&d, 1000, &msg), 0, "another job in between");
    UNIT_INT(component(&d, 3, &msg), 0, "a component without a first");
    UNIT_OK(d.begin_time == 0 && !d.admin_comment, "is nobody's");
    host_job_fini(&d, &msg);
    host_fini();
}

static void test_bad_option(void)
{
    static char wrong[] = "#!/bin/sh\n#CARNOT carbon-delya=5m\n";
    static char *forged[] = {"_SLURM_SPANK_OPTION_carnot_carbon_delay=soon"};
    struct fixture f;
    job_desc_msg_t d;
    char *msg = NULL;
    fixture_init(&f);
    host_start(&f);
    host_job_init(&d, wrong);
    UNIT_OK(host_submit(&d, 1000, &msg) != 0, "refused");
    UNIT_OK(msg && strstr(msg, "carbon-delay") && !strchr(msg, '\n'), "one sentence: %s", msg);
    host_job_fini(&d, &msg);
    host_job_init(&d, plain);
    d.spank_job_env = forged;
    d.spank_job_env_size = 1;
    UNIT_OK(host_submit(&d, 1000, &msg) != 0, "a forged flag too");
    UNIT_OK(msg && strstr(msg, "soon"), "%s", msg);
    host_job_fini(&d, &msg);
    host_fini();
}

/* Odd sizes, missing ends, huge counts: never a crash. */
static void test_hostile(void)
{
    struct fixture f;
    job_desc_msg_t d;
    char *msg = NULL, *holes[] = {NULL, "", "=", "CARNOT_CARBON_DELAY", NULL};
    static char big[300000];
    fixture_init(&f);
    host_start(&f);
    memset(big, '#', sizeof(big) - 1);
    host_job_init(&d, big);
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
    UNIT_INT(host_submit(&d, 1000, &msg), 0, "passes");
    host_job_fini(&d, &msg);
    host_job_init(&d, NULL);
    d.spank_job_env_size = 1000000; /* without an array */
    d.env_size = 1000000;
    UNIT_INT(host_submit(&d, 4294967295u, &msg), 0, "interactive");
    host_job_fini(&d, &msg);
    host_fini();
}

static void test_absent(void)
{
    struct fixture f;
    job_desc_msg_t d;
    char *msg = NULL;
    struct timespec wait = {0, 700000000};
    fixture_init(&f);
    host_start(NULL);
    host_job_init(&d, asks);
    UNIT_INT(host_submit(&d, 1000, &msg), 0, "no board: passes");
    UNIT_OK(!d.begin_time && !d.admin_comment, "unchanged");
    UNIT_INT(host_logged(), 1, "said once");
    nanosleep(&wait, NULL);
    UNIT_INT(host_logged(), 1, "still once");
    host_publish(&f, 1);
    nanosleep(&wait, NULL);
    UNIT_INT(truncate(host_board, 100), 0, "cut short under the plugin");
    nanosleep(&wait, NULL);
    UNIT_INT(host_submit(&d, 1000, &msg), 0, "a broken file leaves the board before in force");
    UNIT_OK(d.begin_time > 0, "it decided");
    UNIT_INT(host_logged(), 2, "and is said once");
    host_job_fini(&d, &msg);
    UNIT_INT(unlink(host_board), 0, "the red card");
    nanosleep(&wait, NULL);
    host_job_init(&d, asks);
    UNIT_INT(host_submit(&d, 1000, &msg), 0, "removed: passes");
    UNIT_OK(!d.begin_time, "unchanged");
    f.b.head.max_age_ms = 500;
    host_publish(&f, 2);
    nanosleep(&wait, NULL);
    nanosleep(&wait, NULL);
    nanosleep(&wait, NULL);
    UNIT_INT(host_submit(&d, 1000, &msg), 0, "too old: passes");
    UNIT_OK(!d.begin_time, "unchanged");
    host_fini();
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
    host_start(&f);
    host_job_init(&d, asks);
    d.spank_job_env = tty;
    d.spank_job_env_size = 1;
    UNIT_INT(host_submit(&d, 1000, &msg), 0, "an empty budget refuses nobody while observing");
    UNIT_OK(!d.begin_time, "and nobody waits");
    UNIT_OK(msg && strstr(msg, "only observing"), "%s", msg);
    UNIT_OK(strstr(d.admin_comment, "code=OBSERVE"), "%s", d.admin_comment);
    host_job_fini(&d, &msg);
    host_fini();
}

/* A job on bio's budget. */
static int is_accepted(void *arg)
{
    job_desc_msg_t d;
    char *msg = NULL;
    (void)arg;
    host_job_init(&d, plain);
    d.account = (char *)(uintptr_t) "bio";
    int rc = host_submit(&d, 1000, &msg);
    host_job_fini(&d, &msg);
    return rc == 0;
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
    host_start(&f);
    nanosleep(&wait, NULL);
    host_fini();
    UNIT_INT(host_init(), 0, "a second init in the same process");
    host_job_init(&d, plain);
    d.account = "bio";
    UNIT_INT(host_submit(&d, 1000, &msg), EAGAIN, "a job on a budget is to be sent again");
    UNIT_OK(msg && strstr(msg, "submit again"), "%s", msg);
    host_job_fini(&d, &msg);
    host_job_init(&d, asks);
    d.user_id = 4711;
    UNIT_INT(host_submit(&d, 4711, &msg), 0, "one without a budget passes");
    UNIT_OK(d.begin_time > 0, "and is decided");
    host_job_fini(&d, &msg);
    host_publish(&f, 3);
    UNIT_OK(host_wait(is_accepted, NULL), "after the next list it is accepted");
    host_fini();
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
        host_job_init(&d, asks);
        d.submit_line = (me + i) % 2 ? "sbatch job.sh" : "sbatch --test-only job.sh";
        d.account = "bio";
        int rc = host_submit(&d, 1000, &msg);
        pthread_mutex_lock(&count_lock);
        if ((me + i) % 2)
            accepted += rc == 0;
        else
            tests_done++;
        pthread_mutex_unlock(&count_lock);
        UNIT_OK(rc == 0 || strstr(msg, "account bio has"), "%s", msg);
        host_job_fini(&d, &msg);
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
    host_start(&f);
    for (intptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, submitter, (void *)i);
    for (uint64_t seq = 3; seq < 23; seq++) {
        struct timespec t = {0, 20000000};
        host_publish(&f, seq);
        nanosleep(&t, NULL);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    UNIT_INT(accepted, 10, "jobs accepted");
    UNIT_INT(tests_done, THREADS * EACH / 2, "tests answered");
    host_fini();
    UNIT_INT(host_init(), 0, "a second init in the same process");
    host_fini();
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"decides", test_decides},
                                             {"name", test_name},
                                             {"bad_option", test_bad_option},
                                             {"power_cap", test_power_cap},
                                             {"requeue", test_requeue},
                                             {"watts", test_watts},
                                             {"heterogeneous", test_heterogeneous},
                                             {"hostile", test_hostile},
                                             {"absent", test_absent},
                                             {"observe", test_observe},
                                             {"begins_anew", test_begins_anew},
                                             {"threads", test_threads},
                                             {NULL, NULL}};
    return unit_main(argc, argv, cases, "job_submit");
}
