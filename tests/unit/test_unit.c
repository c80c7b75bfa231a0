/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runner itself: what it has to call a failure. This program runs itself with --inner,
 * where the cases below misbehave each in its way.
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static char self[512];

static void inner_good(void)
{
    CU_ASSERT_EQUAL(1, 1);
    UNIT_OK(access(unit_tmpdir(), W_OK) == 0, "directory");
}

static void inner_bad(void)
{
    CU_ASSERT_EQUAL(1, 2);
    UNIT_INT(1, 2, "row %d", 7);
    UNIT_STR("a", NULL, "row %d", 8);
    UNIT_DBL(1.0, 2.0, 0.5, "row %d", 9);
    CU_ASSERT_FATAL(0);
    abort();
}

static void inner_exit(void)
{
    exit(EXIT_SUCCESS);
}

static void inner_loop(void)
{
    for (;;)
        (void)pause();
}

/* As inner_loop, and a process that keeps the report's pipe open. */
static void inner_hold(void)
{
    (void)fork();
    inner_loop();
}

static void inner_killed(void)
{
    (void)raise(SIGKILL);
}

static void inner_skip(void)
{
    unit_skip("no such hardware");
}

static void inner_skip_late(void)
{
    CU_ASSERT(0);
    unit_skip("no such hardware");
}

/* Leaves a process and files behind, which must not outlive the case. */
static void inner_litter(void)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/dir", unit_tmpdir());
    (void)mkdir(path, 0700);
    (void)printf("# %d %s\n", (int)getpid(), unit_tmpdir());
    if (fork() == 0)
        inner_loop();
}

static const struct unit_case inner[] = {
    {"good", inner_good},     {"bad", inner_bad},
    {"exit", inner_exit},     {"loop", inner_loop},
    {"hold", inner_hold},     {"killed", inner_killed},
    {"skip", inner_skip},     {"skip_late", inner_skip_late},
    {"litter", inner_litter}, {NULL, NULL},
};

/* Run ourselves with these arguments; returns the exit status, what it prints in out. */
static int run(const char *args, char *out, size_t size)
{
    char command[768];
    size_t used;
    int status;
    FILE *f;

    (void)snprintf(command, sizeof(command), "CARNOT_UNIT_TIMEOUT=1 %s --inner %s 2>&1", self,
                   args);
    f = popen(command, "r");
    if (!f)
        return -1;
    used = fread(out, 1, size - 1, f);
    out[used] = '\0';
    status = pclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_outcomes(void)
{
    static const char *const bad_lines[] = {": CU_ASSERT_EQUAL(1,2)\n", ": 1 is 1, not 2 [row 7]\n",
                                            " is \"a\", not \"(null)\" [row 8]\n",
                                            ": 1.0 is 1, not 2 [row 9]\n", NULL};
    static const struct {
        const char *args;
        int status;
        const char *out; /* somewhere in what is printed */
        const char *const *more;
    } rows[] = {
        {"good", 0, "1..1\nok 1 - inner:good\n", NULL},
        {"inner:good", 0, "1..1\nok 1 - inner:good\n", NULL},
        {"inner:good skip", 0,
         "1..2\nok 1 - inner:good\nok 2 - inner:skip # SKIP no such hardware\n", NULL},
        {"bad", 1, "not ok 1 - inner:bad\n# test_unit.c:", bad_lines},
        {"exit", 1, "not ok 1 - inner:exit\n# the code under test called exit(0)\n", NULL},
        {"killed", 1, "not ok 1 - inner:killed\n# killed by signal 9", NULL},
        {"skip_late", 1, "not ok 1 - inner:skip_late\n", NULL},
        {"bad good", 1, "ok 1 - inner:good\n", NULL},
        {"--list", 0, "inner:good\ninner:bad\n", NULL},
        {"goo", 2, "no such case", NULL},
        {"outer:good", 2, "no such case", NULL},
    };
    static char out[8192];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        UNIT_INT(run(rows[i].args, out, sizeof(out)), rows[i].status, "%s", rows[i].args);
        UNIT_OK(strstr(out, rows[i].out), "%s: %s", rows[i].args, out);
        for (const char *const *line = rows[i].more; line && *line; line++)
            UNIT_OK(strstr(out, *line), "%s: %s", *line, out);
    }
}

static void test_timeout(void)
{
    static char out[8192];

    UNIT_INT(run("loop", out, sizeof(out)), 1, "loop");
    UNIT_OK(strstr(out, "not ok 1 - inner:loop\n# timeout after 1 s\n"), "%s", out);
    UNIT_INT(run("hold", out, sizeof(out)), 1, "hold");
    UNIT_OK(strstr(out, "not ok 1 - inner:hold\n# timeout after 1 s\n"), "%s", out);
}

static void test_litter(void)
{
    static char out[8192];
    char dir[256] = "";
    const char *note;
    int group = 0;

    UNIT_INT(run("litter", out, sizeof(out)), 0, "litter");
    note = strstr(out, "# ");
    UNIT_OK(note && sscanf(note, "# %d %255s", &group, dir) == 2, "%s", out);
    UNIT_OK(dir[0] && access(dir, F_OK) < 0, "%s is gone", dir);
    UNIT_OK(group && kill(-group, 0) < 0, "process group %d is gone", group);
}

static void test_testdata(void)
{
    char path[256];

    (void)setenv("CARNOT_TESTDATA", unit_tmpdir(), 1);
    UNIT_OK(unit_testdata(path, sizeof(path), "none.csv") == NULL, "none");
    UNIT_OK(unit_testdata(path, sizeof(path), ".") == path, "there");
    UNIT_OK(unit_testdata(path, 5, ".") == NULL, "too long");
}

static void test_clock(void)
{
    struct unit_clock clock = {1000, 5};
    struct clock_ops ops = unit_clock_ops(&clock);

    clock.wall_ms -= 400;
    UNIT_INT(clock_wall_ms(&ops), 600, "stepped back");
    UNIT_INT(clock_mono_ms(&ops), 5, "frozen");
    UNIT_OK(clock_wall_ms(&clock_system) > 1700000000000, "the system's");
    UNIT_OK(clock_mono_ms(&clock_system) <= clock_mono_ms(&clock_system), "never back");
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"outcomes", test_outcomes}, {"timeout", test_timeout}, {"litter", test_litter},
        {"testdata", test_testdata}, {"clock", test_clock},     {NULL, NULL},
    };
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (argc > 1 && strcmp(argv[1], "--inner") == 0)
        return unit_main(argc - 1, argv + 1, inner, "inner");
    self[n > 0 ? n : 0] = '\0';
    return unit_main(argc, argv, cases, "unit");
}
