/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that stay and are asked again and again: scripts that answer, refuse, die, hang, talk
 * too much and do not want to end.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

#include "node_fixture.h"
#include "power/helper.h"
#include "power/source_external.h"
#include "source_fixture.h"

static char path[PATH_MAX];

/* A helper of these lines of shell, which writes its pid to the file "pid". */
static struct helper *_helper(const char *script)
{
    const char *args[] = {path, "one argument", NULL};
    char text[2 * PATH_MAX];
    struct helper *h;

    (void)snprintf(text, sizeof(text), "#!/bin/sh\necho $$ >'%s/pid'\n%s\n", unit_tmpdir(), script);
    fixture_write(unit_tmpdir(), "helper", text);
    (void)snprintf(path, sizeof(path), "%s/helper", unit_tmpdir());
    (void)chmod(path, 0755);
    h = helper_create(args);
    CU_ASSERT_FATAL(h != NULL);
    return h;
}

/* Whether the helper runs, which may take a moment to end. */
static bool _ends(void)
{
    char *text = NULL, file[PATH_MAX];
    size_t size;
    pid_t pid;

    (void)snprintf(file, sizeof(file), "%s/pid", unit_tmpdir());
    CU_ASSERT_FATAL(path_read(file, 64, &text, &size, NULL) == 0);
    pid = (pid_t)strtol(text, NULL, 10);
    free(text);
    for (int i = 0; i < SOURCE_WAITS && kill(pid, 0) == 0; i++)
        source_pause();
    return kill(pid, 0) < 0;
}

/* Ask it: 0, or the errno; what it said is in buf. */
static int _ask(struct helper *h, char buf[16])
{
    return helper_ask(h, 2000, buf, 16) < 0 ? errno : 0;
}

static void test_answers(void)
{
    struct helper *h = _helper("n=0; while read -r line; do n=$((n + 1)); echo \"$n$1\" |"
                               " sed 's/one argument/.5/'; done");
    char buf[16];

    UNIT_INT(_ask(h, buf), 0, "asked");
    UNIT_STR(buf, "1.5", "with its argument");
    UNIT_INT(_ask(h, buf), 0, "asked again");
    UNIT_STR(buf, "2.5", "the same program");
    helper_destroy(h);
    UNIT_OK(_ends(), "it has ended");
}

static void test_errors(void)
{
    static const struct {
        const char *says;
        int error;
    } rows[] = {
        {"error 13", EACCES},
        {"error 110", ETIMEDOUT},
        {"error 0", EBADMSG},
        {"error 99999", EBADMSG},
        {"error", 0},
        {"error x", EBADMSG},
        {"error 13 why", EBADMSG},
    };
    char script[128], buf[16];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct helper *h;

        (void)snprintf(script, sizeof(script), "while read -r line; do echo '%s'; done",
                       rows[i].says);
        h = _helper(script);
        UNIT_INT(_ask(h, buf), rows[i].error, "%s", rows[i].says);
        UNIT_INT(_ask(h, buf), rows[i].error, "%s: it still runs", rows[i].says);
        helper_destroy(h);
    }
}

/* One that dies is started again, but not at once. */
static void test_dies(void)
{
    struct helper *h = _helper("read -r line; echo 100");
    char buf[16];
    int64_t died_ms;

    UNIT_INT(_ask(h, buf), 0, "it answers");
    UNIT_INT(_ask(h, buf), ECHILD, "it has ended");
    died_ms = clock_mono_ms(&clock_system);
    UNIT_INT(_ask(h, buf), ECHILD, "not at once");
    while (_ask(h, buf) == ECHILD && clock_mono_ms(&clock_system) - died_ms < 15000)
        source_pause();
    UNIT_STR(buf, "100", "it answers again");
    UNIT_OK(clock_mono_ms(&clock_system) - died_ms >= 5000, "after five seconds");
    helper_destroy(h);
}

static void test_hangs(void)
{
    struct helper *h = _helper("sleep 1000");
    int64_t began_ms = clock_mono_ms(&clock_system);
    char buf[16];

    UNIT_INT(_ask(h, buf), ETIMEDOUT, "it does not answer");
    UNIT_OK(clock_mono_ms(&clock_system) - began_ms < 6000, "nobody waits for it");
    UNIT_OK(_ends(), "it is killed");
    helper_destroy(h);
}

static void test_talks(void)
{
    struct helper *h = _helper("while :; do printf 12345678901234567890; done");
    char buf[16];

    UNIT_INT(_ask(h, buf), EBADMSG, "more than a line");
    UNIT_OK(_ends(), "it is killed");
    helper_destroy(h);
}

/* The end of its input is the sign to end; one that does not see it is killed. */
static void test_stubborn(void)
{
    struct helper *h = _helper("trap '' TERM HUP; read -r line; echo 1; sleep 1000");
    char buf[16];

    UNIT_INT(_ask(h, buf), 0, "it answers");
    helper_destroy(h);
    UNIT_OK(_ends(), "it is gone");
}

static void test_absent(void)
{
    const char *args[HELPER_ARGS_MAX + 1] = {"/nowhere/carnot-redfish"};
    struct helper *h = helper_create(args);
    char buf[16];

    CU_ASSERT_FATAL(h != NULL);
    UNIT_INT(_ask(h, buf), ENOENT, "not installed");
    UNIT_INT(_ask(h, buf), ENOENT, "said again, without a try");
    helper_destroy(h);
    for (int i = 0; i < HELPER_ARGS_MAX; i++)
        args[i] = "a";
    errno = 0;
    UNIT_OK(!helper_create(args) && errno == E2BIG, "too many arguments");
    helper_destroy(NULL);
}

/* As a source: watts are integrated, and 0 W is none. */
static void test_source(void)
{
    struct helper *h = _helper("while read -r line; do cat \"${0%/*}/says\"; done");
    const struct source_external x = {false, "shown", "W", "node", 50};
    const char *args[] = {path, NULL};
    struct source s;
    struct err e = {""};

    helper_destroy(h);
    fixture_write(unit_tmpdir(), "says", "200.5\n");
    CU_ASSERT_FATAL(source_external_open_helper(&x, "redfish", args, &s, &e) == 0);
    UNIT_STR(s.name, "redfish", "name");
    UNIT_STR(s.path, "shown", "path");
    UNIT_OK(source_becomes(&s, SOURCE_OK, 50000000), "200 W");
    fixture_write(unit_tmpdir(), "says", "0\n");
    UNIT_OK(source_fails(&s, ENODATA), "0 W");
    fixture_write(unit_tmpdir(), "says", "-5\n");
    UNIT_OK(source_fails(&s, EBADMSG), "less");
    fixture_write(unit_tmpdir(), "says", "4290000000\n");
    UNIT_OK(source_fails(&s, EBADMSG), "absurd");
    fixture_write(unit_tmpdir(), "says", "error 16\n");
    UNIT_OK(source_fails(&s, EBUSY), "its own reason");
    source_close(&s);
    UNIT_OK(_ends(), "it has ended");
}

static const struct unit_case cases[] = {
    {"answers", test_answers}, {"errors", test_errors}, {"dies", test_dies},
    {"hangs", test_hangs},     {"talks", test_talks},   {"stubborn", test_stubborn},
    {"absent", test_absent},   {"source", test_source}, {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "helper");
}
