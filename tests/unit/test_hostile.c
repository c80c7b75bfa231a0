/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a user, or a broken disk, can put before the job_submit plugin: option environments,
 * scripts, array expressions, numbers, boards. Everything is refused with one sentence or accepted;
 * nothing is read beyond its end. Every buffer has its exact size, so that AddressSanitizer, with
 * which the whole plugin is built once more for this, sees one byte too many.
 */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "slurmctld_host.h"
#include "unit.h"

#define MIB (1u << 20)

static char plain[] = "#!/bin/sh\nsleep 1\n";
static char asks[] = "#!/bin/sh\n#CARNOT carbon-delay=5m\nsleep 1\n";

/* n bytes of c between two texts, in memory of just that size. */
static char *stuffed(const char *before, char c, size_t n, const char *behind)
{
    size_t a = strlen(before), b = strlen(behind);
    char *s = malloc(a + n + b + 1);
    memcpy(s, before, a);
    memset(s + a, c, n);
    memcpy(s + a + n, behind, b + 1);
    return s;
}

/* Submit; what comes back is a success, or a refusal with one short sentence. */
static int submit(job_desc_msg_t *d, const char *what)
{
    char *msg = NULL;
    int rc = host_submit(d, d->user_id, &msg);
    UNIT_OK(rc == 0 || (msg && msg[0]), "%s: a refusal says why", what);
    UNIT_OK(!msg || (strlen(msg) < 700 && !strchr(msg, '\n')), "%s: one sentence: %s", what, msg);
    UNIT_OK(!d->admin_comment || strlen(d->admin_comment) < 700, "%s: a short note", what);
    host_job_fini(d, &msg);
    return rc;
}

/* ---- environments ---- */

#define OPTION "_SLURM_SPANK_OPTION_carnot_"

struct environment {
    const char *what;
    const char *entries[4]; /* a value that begins with '*' stands for a megabyte */
    unsigned holes;         /* NULL entries behind each */
    unsigned times;         /* the whole so often; 0: once */
    int refused;
};

static const struct environment environments[] = {
    {"a flag", {OPTION "carbon_delay=5m"}, 0, 0, 0},
    {"a forged value", {OPTION "carbon_delay=soon"}, 0, 0, 1},
    {"a forged name", {OPTION "carbon_nonsense=5m"}, 0, 0, 1},
    {"no name", {OPTION "=5m"}, 0, 0, 1},
    {"no '='", {OPTION "carbon_delay"}, 0, 0, 1},
    {"nothing behind the prefix", {OPTION}, 0, 0, 1},
    {"a prefix cut short", {"_SLURM_SPANK_OPTION_carnot"}, 0, 0, 0},
    {"another plugin's", {"_SLURM_SPANK_OPTION_other_carbon_delay=soon"}, 0, 0, 0},
    {"twice", {OPTION "carbon_delay=5m", OPTION "carbon_delay=off"}, 0, 0, 0},
    {"ten thousand times", {OPTION "carbon_delay=5m"}, 0, 10000, 0},
    {"a megabyte as value", {OPTION "carbon_delay=", "*"}, 0, 0, 1},
    {"a megabyte as name", {OPTION, "*"}, 0, 0, 1},
    {"a megabyte of others", {"OTHER=", "*"}, 0, 0, 0},
    {"a megabyte in the environment", {"CARNOT_CARBON_DELAY=", "*"}, 0, 0, 1},
    {"a megabyte as run", {OPTION "carbon_run=", "*"}, 0, 0, 1},
    {"a megabyte of terminal", {"CARNOT_TTY=", "*"}, 0, 0, 0},
    {"ends in the middle", {"A=1", OPTION "carbon_delay=5m"}, 3, 0, 0},
    {"holes and a bad one behind them", {"A=1", OPTION "carbon_delay=soon"}, 2, 0, 1},
    {"nothing but holes", {""}, 100, 0, 0},
    {"empty entries", {"", "=", "==", "="}, 0, 100, 0},
    {"control characters", {OPTION "carbon_delay=\x01\n\t\x7f\xff"}, 0, 0, 1},
    {"a format", {OPTION "carbon_delay=%n%s%s%s%n"}, 0, 0, 1},
    {"more entries than are looked at", {"A=1"}, 0, 70000, 0},
};

/* The rows' entries in an array without an end mark, each and all of their exact size. */
static char **make_environment(const struct environment *row, uint32_t *n)
{
    unsigned times = row->times ? row->times : 1, at = 0, words = 0;
    while (words < 4 && row->entries[words] && row->entries[words][0] != '*')
        words++;
    int stuff = words < 4 && row->entries[words];
    *n = times * words * (1 + row->holes);
    char **env = calloc(*n, sizeof(*env));
    for (unsigned t = 0; t < times; t++)
        for (unsigned i = 0; i < words; i++) {
            int last = stuff && i + 1 == words;
            env[at] = stuffed(row->entries[i], 'x', last ? MIB : 0, "");
            at += 1 + row->holes;
        }
    return env;
}

static void test_environments(void)
{
    struct fixture f;
    fixture_init(&f);
    host_start(&f);
    for (size_t i = 0; i < sizeof(environments) / sizeof(environments[0]); i++) {
        const struct environment *row = &environments[i];
        job_desc_msg_t d;
        uint32_t n;
        char **env = make_environment(row, &n);
        host_job_init(&d, asks);
        d.spank_job_env = env;
        d.spank_job_env_size = n;
        d.environment = env;
        d.env_size = n;
        UNIT_INT(submit(&d, row->what) != 0, row->refused, "%s", row->what);
        for (uint32_t k = 0; k < n; k++) {
            /* All that there is before k, and an entry that nobody counted behind it. */
            if (n < 64) {
                d.spank_job_env_size = d.env_size = k;
                (void)submit(&d, row->what);
            }
        }
        for (uint32_t k = 0; k < n; k++)
            free(env[k]);
        free(env);
    }
    host_fini();
}

/* ---- scripts ---- */

static void test_scripts(void)
{
    static const struct {
        const char *before;
        char c;
        size_t n;
        const char *behind;
        int refused;
    } rows[] = {
        {"", '#', MIB, "", 0},
        {"#CARNOT", ' ', MIB, "", 1},
        {"#CARNOT ", 'x', MIB, "", 1},
        {"#CARNOT carbon-delay=", 'x', MIB, "", 1},
        {"#CARNOT carbon-delay='", 'x', MIB, "", 1},
        {"#CARNOT carbon-delay=5m", ' ', MIB, "carbon-delay=soon", 1},
        {"", '\n', MIB, "", 0},
        {"", '\n', MIB, "#CARNOT carbon-delay=soon", 0}, /* behind what is read */
        {"", '\n', 65536 - 25, "#CARNOT carbon-delay=soon", 1},
        {"", '\n', 65536 - 24, "#CARNOT carbon-delay=soon", 1},
        {"", '\n', 65536 - 10, "#CARNOT carbon-delay=5m\n", 1},
        {"", '\n', 65536 - 7, "#CARNOT", 0},
        {"", '\n', 65536 - 8, "#CARNOT=", 0},
        {"", ' ', MIB, "x", 0},
        {"", 'x', MIB, "", 0},
        {"#CARNOT", '\n', 0, "", 0},
        {"", 'x', 0, "", 0},
        {"#CARNOT \"", '"', 0, "", 1},
        {"#CARNOT carbon-delay=\"", '"', 0, "", 1},
        {"#CARNOT --", '-', 100000, "", 1},
        {"#CARNOT carbon-run=%s%n", 'x', 0, "\n", 1},
        {"", '\n', 65536 - 22, "#CARNOT carbon-delay=12h\n", 1}, /* 1 of 12h is read */
    };
    struct fixture f;
    fixture_init(&f);
    host_start(&f);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        job_desc_msg_t d;
        char *script = stuffed(rows[i].before, rows[i].c, rows[i].n, rows[i].behind), what[20];
        snprintf(what, sizeof(what), "script %zu", i);
        host_job_init(&d, script);
        UNIT_INT(submit(&d, what) != 0, rows[i].refused, "%s", what);
        free(script);
    }
    host_fini();
}

/* ---- texts and numbers of the description ---- */

#define TEXT(field)                                                                                \
    {                                                                                              \
#field, offsetof(job_desc_msg_t, field)                                                    \
    }

static void test_texts(void)
{
    static const struct {
        const char *name;
        size_t at;
    } fields[] = {TEXT(account),       TEXT(partition),     TEXT(array_inx),   TEXT(tres_per_job),
                  TEXT(tres_per_node), TEXT(tres_per_task), TEXT(submit_line), TEXT(reservation),
                  TEXT(dependency),    TEXT(name),          TEXT(licenses),    TEXT(wckey)};
    static const char *const texts[] = {"",
                                        ",",
                                        "%",
                                        "0-4294967294:1%4294967295",
                                        "0-18446744073709551615,1-99999999999999999999:0",
                                        "1-2-3:4:5%6%7",
                                        "-",
                                        "gpu",
                                        "gpu:",
                                        "gres/gpu:a100=4294967295,gpu:99999999999999999999",
                                        "gpu:-1,gpu:+2,:gpu:3,/gpu",
                                        "--test-only",
                                        "x--test-only --test-only--test-only",
                                        "%s%n%x\x01\xff\n"};
    static const char fill[] = {',', '-', '%', '1', ':', 'g', ' ', '\n', '\xff'};
    struct fixture f;
    fixture_init(&f);
    host_start(&f);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        size_t n_texts = sizeof(texts) / sizeof(texts[0]);
        for (size_t k = 0; k < n_texts + sizeof(fill); k++) {
            job_desc_msg_t d;
            char *text = k < n_texts ? stuffed(texts[k], 'x', 0, "")
                                     : stuffed("1", fill[k - n_texts], MIB, "");
            host_job_init(&d, asks);
            memcpy((char *)&d + fields[i].at, &text, sizeof(text));
            (void)submit(&d, fields[i].name);
            char *kept;
            memcpy(&kept, (char *)&d + fields[i].at, sizeof(kept));
            UNIT_OK(kept == text, "%s is the user's", fields[i].name);
            free(text);
        }
    }
    host_fini();
}

#define NUMBER(field)                                                                              \
    {                                                                                              \
        offsetof(job_desc_msg_t, field), sizeof(((job_desc_msg_t *)0)->field)                      \
    }

static const struct {
    size_t at, size;
} numbers[] = {NUMBER(min_nodes),       NUMBER(max_nodes),     NUMBER(num_tasks),
               NUMBER(min_cpus),        NUMBER(max_cpus),      NUMBER(cpus_per_task),
               NUMBER(ntasks_per_node), NUMBER(pn_min_cpus),   NUMBER(shared),
               NUMBER(time_limit),      NUMBER(time_min),      NUMBER(begin_time),
               NUMBER(deadline),        NUMBER(immediate),     NUMBER(bitflags),
               NUMBER(het_job_offset),  NUMBER(priority),      NUMBER(user_id),
               NUMBER(group_id),        NUMBER(pn_min_memory), NUMBER(fed_siblings_viable)};

/* What Slurm itself takes for "not set" and "no limit", and the ends of each type. */
static const uint64_t values[] = {0,
                                  1,
                                  2,
                                  0x7fff,
                                  0x8000,
                                  NO_VAL16,
                                  INFINITE16,
                                  0x7fffffff,
                                  0x80000000,
                                  0xfffffff0,
                                  NO_VAL - 1,
                                  NO_VAL,
                                  INFINITE,
                                  0x100000000,
                                  253402300799, /* the year 9999 */
                                  0x7fffffffffffffff,
                                  0x8000000000000000,
                                  NO_VAL64,
                                  INFINITE64};

static void set_number(job_desc_msg_t *d, size_t field, uint64_t value)
{
    /* Little and big ends alike: by the field's own type. */
    void *at = (char *)d + numbers[field].at;
    uint8_t v8 = (uint8_t)value;
    uint16_t v16 = (uint16_t)value;
    uint32_t v32 = (uint32_t)value;
    const void *from = numbers[field].size == 1   ? (void *)&v8
                       : numbers[field].size == 2 ? (void *)&v16
                       : numbers[field].size == 4 ? (void *)&v32
                                                  : (void *)&value;
    memcpy(at, from, numbers[field].size);
}

static void test_numbers(void)
{
    const size_t n = sizeof(numbers) / sizeof(numbers[0]);
    const size_t m = sizeof(values) / sizeof(values[0]);
    struct fixture f;
    job_desc_msg_t d;
    char what[80];
    fixture_init(&f);
    f.budgets[0] = (struct board_budget){
        .scope = BOARD_ACCOUNT, .name = "bio", .granted = INT64_MAX, .left = INT64_MAX};
    f.budgets[1] = (struct board_budget){
        .scope = BOARD_ACCOUNT, .resource = 1, .name = "bio", .granted = 5, .left = INT64_MIN};
    f.b.n_budgets = 2;
    host_start(&f);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < m; k++) {
            host_job_init(&d, asks);
            set_number(&d, i, values[k]);
            snprintf(what, sizeof(what), "number %zu = %llx", i, (unsigned long long)values[k]);
            (void)submit(&d, what);
        }
    srand(1);
    for (int round = 0; round < 20000; round++) {
        host_job_init(&d, round % 3 ? asks : plain);
        d.array_inx = (char *)(uintptr_t)(round % 5 ? NULL : "0-4294967294");
        d.tres_per_task = (char *)(uintptr_t)(round % 7 ? NULL : "gpu:4294967295");
        for (size_t i = 0; i < n; i++)
            if (rand() % 2)
                set_number(&d, i, values[(size_t)rand() % m]);
        snprintf(what, sizeof(what), "round %d", round);
        (void)submit(&d, what);
    }
    host_fini();
}

/* ---- the board's place ---- */

static int decides(void *arg)
{
    job_desc_msg_t d;
    char *msg = NULL;
    (void)arg;
    host_job_init(&d, asks);
    UNIT_INT(host_submit(&d, 1000, &msg), 0, "accepted");
    host_job_fini(&d, &msg);
    return d.begin_time > 0;
}

/* What is no file there must not hold the thread: the next board would never be seen, and slurmctld
 * would wait for the thread when it ends. */
static void test_pipe(void)
{
    struct fixture f;
    struct timespec t = {0, 700000000};
    fixture_init(&f);
    host_start(&f);
    UNIT_INT(unlink(host_board), 0, "the board is gone");
    UNIT_INT(mkfifo(host_board, 0644), 0, "a pipe in its place");
    nanosleep(&t, NULL);
    UNIT_INT(unlink(host_board), 0, "gone too");
    nanosleep(&t, NULL);
    UNIT_INT(decides(NULL), 0, "no board");
    host_publish(&f, 3);
    UNIT_OK(host_wait(decides, NULL), "the next board counts");
    host_fini();
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"environments", test_environments}, {"scripts", test_scripts}, {"texts", test_texts},
        {"numbers", test_numbers},           {"pipe", test_pipe},       {NULL, NULL}};
    return unit_main(argc, argv, cases, "hostile");
}
