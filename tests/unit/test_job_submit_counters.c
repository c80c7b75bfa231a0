/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the job_submit plugin counts of itself, and the file that it writes it to: each call ends as
 * one thing, the histogram holds all of them, faults are said once.
 */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/path.h"
#include "common/when.h"
#include "slurmctld_host.h"
#include "unit.h"

static char plain[] = "#!/bin/sh\nsleep 1\n";
static char asks[] = "#!/bin/sh\n#CARNOT carbon-delay=5m\nsleep 1\n";
static char wrong[] = "#!/bin/sh\n#CARNOT carbon-delay=soon\n";
static char test_only[] = "sbatch --test-only job.sh";

static const char *file_path(void)
{
    static char path[600];
    snprintf(path, sizeof(path), "%s.plugin", host_board);
    return path;
}

static json_int_t number(const json_t *o, const char *key)
{
    json_t *v = json_object_get(o, key);
    return json_is_integer(v) ? json_integer_value(v) : -1;
}

static int submit(char *script, const char *account, const char *line)
{
    job_desc_msg_t d;
    char *msg = NULL;
    host_job_init(&d, script);
    d.account = (char *)(uintptr_t)account;
    d.submit_line = (char *)(uintptr_t)line;
    int rc = host_submit(&d, 1000, &msg);
    host_job_fini(&d, &msg);
    return rc;
}

struct wanted {
    json_int_t calls, boards;
    json_t *seen;
};

/* The file shows so many calls, and that a board has been read since: kept in ->seen. */
static int shows(void *arg)
{
    struct wanted *w = arg;
    json_t *o = json_load_file(file_path(), 0, NULL);
    if (number(json_object_get(o, "submit"), "calls") == w->calls &&
        number(o, "boards") >= w->boards) {
        w->seen = o;
        return 1;
    }
    json_decref(o);
    return 0;
}

static json_t *wait_for_calls(json_int_t calls, json_int_t boards)
{
    struct wanted w = {calls, boards, NULL};
    UNIT_OK(host_wait(shows, &w), "the file shows %lld calls", (long long)calls);
    return w.seen;
}

static json_int_t sum(const json_t *array)
{
    json_int_t all = 0;
    for (size_t i = 0; i < json_array_size(array); i++)
        all += json_integer_value(json_array_get(array, i));
    return all;
}

static void check_head(const json_t *o)
{
    int64_t ts_ms = 0, started_ms = 0;
    struct err e = {.text = ""};
    UNIT_INT(number(o, "v"), 1, "version of the file");
    UNIT_STR(json_string_value(json_object_get(o, "version")), PACKAGE_VERSION, "ours");
    UNIT_INT(number(o, "pid"), getpid(), "pid");
    UNIT_INT(when_parse_rfc3339(json_string_value(json_object_get(o, "ts")), &ts_ms, &e), 0, "%s",
             e.text);
    UNIT_INT(when_parse_rfc3339(json_string_value(json_object_get(o, "started")), &started_ms, &e),
             0, "%s", e.text);
    UNIT_OK(started_ms <= ts_ms && ts_ms / 1000 <= host_now_s(), "times");
    UNIT_INT(number(json_object_get(o, "board"), "seq"), 2, "the board in force");
    const json_t *times = json_object_get(o, "submit"), *n = json_object_get(times, "n");
    UNIT_INT(json_array_size(n), json_array_size(json_object_get(o, "steps_us")) + 1, "steps");
    UNIT_INT(sum(n), number(times, "calls"), "all calls are in the histogram");
    UNIT_OK(number(times, "max_us") >= 1, "some took time");
}

static void test_outcomes(void)
{
    static const struct {
        const char *key;
        json_int_t n;
    } wanted[] = {{"passed", 3},         {"delayed", 2},
                  {"refused", 1},        {"test_only", 1},
                  {"bad_option", 1},     {"again", 0},
                  {"observed", 0},       {"no_board", 0},
                  {"leases_taken", 2},   {"leases_open", 2},
                  {"leases_full", 0},    {"bad_boards", 0},
                  {"leases_expired", 0}, {"leases_acknowledged", 0}};
    struct fixture f;
    fixture_init(&f);
    f.budgets[0] = (struct board_budget){.scope = BOARD_ACCOUNT, .name = "none"};
    f.b.n_budgets = 1;
    host_start(&f);
    for (int i = 0; i < 3; i++)
        UNIT_INT(submit(plain, "", NULL), 0, "asks for nothing");
    UNIT_INT(submit(asks, "", NULL), 0, "waits");
    UNIT_INT(submit(asks, "", NULL), 0, "waits");
    UNIT_INT(submit(asks, "", test_only), 0, "only tests");
    UNIT_OK(submit(plain, "none", NULL) != 0, "an empty budget");
    UNIT_OK(submit(wrong, "", NULL) != 0, "a bad option");
    json_t *o = wait_for_calls(8, 1);
    check_head(o);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        UNIT_INT(number(o, wanted[i].key), wanted[i].n, "%s", wanted[i].key);
    json_int_t boards = number(o, "boards");
    json_decref(o);

    f.b.head.mode = 0;
    host_publish(&f, 3);
    json_decref(wait_for_calls(8, boards + 1));
    UNIT_INT(submit(asks, "", NULL), 0, "only observed");
    o = wait_for_calls(9, 1);
    UNIT_INT(number(o, "observed"), 1, "observed");
    json_decref(o);
    host_fini();
}

static void test_begins_anew(void)
{
    struct fixture f;
    fixture_init(&f);
    host_start(&f);
    UNIT_INT(submit(plain, "", NULL), 0, "one");
    host_fini();
    UNIT_INT(unlink(host_board), 0, "no board");
    UNIT_INT(host_init(), 0, "a second init in the same process");
    UNIT_INT(submit(plain, "", NULL), 0, "passes");
    UNIT_INT(submit(plain, "", NULL), 0, "passes");
    json_t *o = wait_for_calls(2, 0);
    UNIT_INT(number(o, "no_board"), 2, "counted anew");
    UNIT_OK(json_is_null(json_object_get(o, "board")), "no board is null");
    json_decref(o);
    host_fini();
}

static int said(void *arg)
{
    return host_logged() >= *(int *)arg;
}

/* Something in the way of the file: said once, and once when it is gone. */
static void test_disk(void)
{
    struct fixture f;
    int once = 1;
    fixture_init(&f);
    snprintf(host_board, sizeof(host_board), "%s/board", unit_tmpdir());
    UNIT_INT(mkdir(file_path(), 0755), 0, "a directory of that name");
    host_start(&f);
    UNIT_INT(submit(plain, "", NULL), 0, "passes");
    host_watch("carnot status"); /* of the line that it cannot be written */
    UNIT_INT(rmdir(file_path()), 0, "out of the way");
    json_decref(wait_for_calls(1, 1));
    UNIT_INT(host_logged(), 0, "nothing to say");
    UNIT_INT(unlink(file_path()), 0, "removed");
    UNIT_INT(mkdir(file_path(), 0755), 0, "in the way again");
    UNIT_OK(host_wait(said, &once), "that is said");
    struct timespec t = {5, 0};
    nanosleep(&t, NULL);
    UNIT_INT(host_logged(), 1, "once");
    host_fini();
}

/* A slurmctld that only stands by leaves the file to the one that works. */
static void test_stands_by(void)
{
    static const char theirs[] = "{\"v\":1,\"host\":\"other\"}\n";
    struct fixture f;
    struct err e = {.text = ""};
    char *data = NULL;
    size_t size = 0;
    struct timespec t = {3, 0};
    fixture_init(&f);
    host_start(&f);
    UNIT_INT(path_write_atomic(file_path(), theirs, sizeof(theirs) - 1, 0644, &e), 0, "%s", e.text);
    nanosleep(&t, NULL);
    UNIT_INT(path_read(file_path(), 65536, &data, &size, &e), 0, "%s", e.text);
    UNIT_STR(data, theirs, "not touched");
    free(data);
    UNIT_INT(submit(plain, "", NULL), 0, "a submission");
    json_decref(wait_for_calls(1, 1));
    host_fini();
}

/* More submissions than there is room for: each is accepted, and the log says it once. */
static void test_full(void)
{
    struct fixture f;
    int once = 1;
    fixture_init(&f);
    f.parts[0].nodes = 100000;
    host_start(&f);
    host_watch("wait for carnotctld");
    for (int i = 0; i < LEASE_MAX + 100; i++)
        if (!UNIT_INT(submit(asks, "", NULL), 0, "submission %d", i))
            break;
    json_t *o = wait_for_calls(LEASE_MAX + 100, 1);
    UNIT_INT(number(o, "leases_taken") + number(o, "leases_full"), LEASE_MAX + 100, "each counts");
    UNIT_OK(number(o, "leases_full") >= 100, "some found no room");
    UNIT_INT(number(o, "leases_open"), number(o, "leases_taken"), "all are open");
    json_decref(o);
    UNIT_OK(host_wait(said, &once), "that is said");
    UNIT_INT(host_logged(), 1, "once");
    host_fini();
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"outcomes", test_outcomes}, {"begins_anew", test_begins_anew},
        {"disk", test_disk},         {"stands_by", test_stands_by},
        {"full", test_full},         {NULL, NULL}};
    return unit_main(argc, argv, cases, "job_submit_counters");
}
