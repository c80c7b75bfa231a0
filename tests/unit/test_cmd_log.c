/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot log: logs with rotated files, torn and broken lines; filters, sums, and a log that goes
 * on.
 */
#include "config.h"

#include <pthread.h>
#include <unistd.h>

#include "carnot/log_reader.h"
#include "cli_fake.h"
#include "node_fixture.h"

static const struct fake_answer nobody[] = {{NULL, NULL}};
static char dir[PATH_MAX];

/* Two nodes' worth of a second each: job 7 has 60 J of 100, idle 30, system 10. */
static const char *record(int second, const char *node, int job)
{
    static char text[1024];
    (void)snprintf(
        text, sizeof(text),
        "{\"v\":1,\"ts\":\"2026-11-24T09:00:%02d.000Z\",\"ev\":\"record\",\"node\":\"%s\",\"seq\":%"
        "d,"
        "\"start\":\"2026-11-24T09:00:%02d.000Z\",\"dt_ms\":1000,\"uj\":100000000,"
        "\"idle_uj\":30000000,\"system_uj\":10000000,\"quality\":\"measured\",\"coverage\":"
        "\"cpu,dram\",\"sources\":[{\"name\":\"rapl:package-0\",\"uj\":100000000,\"state\":\"ok\"},"
        "{\"name\":\"nvml:gpu-0\",\"uj\":null,\"state\":\"stale\"}],\"jobs\":[{\"job\":%d,\"uid\":"
        "1000,"
        "\"cpus\":1,\"uj\":60000000,\"idle_uj\":20000000,\"active_uj\":40000000,\"quality\":"
        "\"split\","
        "\"coverage\":\"cpu,dram\"}]}\n",
        second, node, second, second - 1, job);
    return text;
}

static void set_up(void)
{
    char text[4096];
    (void)snprintf(dir, sizeof(dir), "%s/log", unit_tmpdir());
    (void)path_mkdirs(dir, 0755, NULL);
    fixture_write(dir, "telemetry.jsonl.10", record(1, "n1", 7));
    fixture_write(dir, "telemetry.jsonl.2", record(2, "n1", 7));
    (void)snprintf(text, sizeof(text),
                   "{\"v\":1,\"ev\":\"start\",\"node\":\"n1\"}\nno json\n%s%s{\"v\":1,\"ts\"",
                   record(3, "n1", 7), "");
    fixture_write(dir, "telemetry.jsonl", text);
}

static int run(struct fake *f, const char *options)
{
    char line[PATH_MAX + 256];
    fake_init(f, nobody);
    (void)snprintf(line, sizeof(line), "log %s %s", options, dir);
    return fake_run(f, line);
}

static void test_rows(void)
{
    struct fake f;
    set_up();
    UNIT_INT(run(&f, "-nP -o time,node,span,W,q,coverage,jobs"), 0, "rows");
    UNIT_STR(f.out,
             "2026-11-24T09:00:01.000Z|n1|1.00|100|M|cpu,dram|1\n"
             "2026-11-24T09:00:02.000Z|n1|1.00|100|M|cpu,dram|1\n"
             "2026-11-24T09:00:03.000Z|n1|1.00|100|M|cpu,dram|1\n",
             "oldest first, the torn line left out");
    UNIT_STR(f.err, "carnot: log: 1 lines are no JSON and were left out\n", "and the broken one");
    fake_fini(&f);
    UNIT_INT(run(&f, "-n -o W,kWh,idle-kWh,system-kWh -j 7 --units J"), 2, "J is no kWh");
    fake_fini(&f);
    UNIT_INT(run(&f, "-nP -o J,idle-J,system-J,q -j 7 --units J -S 2026-11-24T10:00:02"), 0,
             "a job");
    UNIT_STR(f.out, "60.0|20.0|-|S\n", "its part, of records after that");
    fake_fini(&f);
    UNIT_INT(run(&f, "-nP -o sources -E 2026-11-24T10:00:01"), 0, "sources");
    UNIT_STR(f.out, "rapl:package-0,nvml:gpu-0=stale\n", "with what is wrong");
    fake_fini(&f);
    UNIT_INT(run(&f, "-nP -N n2"), 0, "another node");
    UNIT_STR(f.out, "", "has nothing here");
    fake_fini(&f);
}

static void test_summary(void)
{
    struct fake f;
    set_up();
    UNIT_INT(run(&f, "--summary -nP --units J -o what,node,J,W,share"), 0, "sums");
    UNIT_STR(
        f.out,
        "7|n1|180|60.0|60%\nidle|n1|90.0|30.0|30%\nsystem|n1|30.0|10.0|10%\nnode|n1|300|100|100%\n",
        "jobs, idle, system: the node");
    fake_fini(&f);
    UNIT_INT(run(&f, "--summary --json"), 0, "json");
    UNIT_OK(fake_is_json(f.out) && strstr(f.out, "\"energy_j\": 180"), "%s", f.out);
    fake_fini(&f);
}

static void test_json(void)
{
    struct fake f;
    set_up();
    UNIT_INT(run(&f, "--json -S 2026-11-24T10:00:02"), 0, "json");
    UNIT_STR(f.out, record(3, "n1", 7), "the line itself");
    fake_fini(&f);
}

static void test_bad(void)
{
    struct fake f;
    set_up();
    UNIT_INT(run(&f, "--summary --follow"), 2, "no end");
    fake_fini(&f);
    UNIT_INT(run(&f, "-S never"), 2, "no time");
    fake_fini(&f);
    UNIT_INT(run(&f, "-j none"), 2, "no job");
    fake_fini(&f);
    UNIT_INT(run(&f, "-o nope"), 2, "no column");
    fake_fini(&f);
    fixture_remove(dir, "telemetry.jsonl");
    UNIT_INT(run(&f, ""), 1, "no log");
    UNIT_OK(strstr(f.err, "telemetry.jsonl") != NULL, "%s", f.err);
    fake_fini(&f);
}

/* ---- a log that goes on, and is rotated meanwhile ---- */

static int seen[8], n_seen;

static int see(const char *line, const json_t *value, void *arg, struct err *e)
{
    (void)line;
    (void)arg;
    if (n_seen < 8)
        seen[n_seen++] = (int)json_integer_value(json_object_get(value, "seq"));
    return n_seen == 5 ? err_set(e, "enough") : 0;
}

static void append(const char *text)
{
    char path[PATH_MAX + 32];
    (void)snprintf(path, sizeof(path), "%s/telemetry.jsonl", dir);
    FILE *f = fopen(path, "a");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        CU_FAIL_FATAL("cannot write");
}

static void *writer(void *arg)
{
    char from[PATH_MAX + 32], to[PATH_MAX + 32];
    (void)arg;
    usleep(500000);
    append(",\"seq\":4}\n"); /* the torn line is whole now */
    append("{\"seq\":5}\n{\"seq\"");
    usleep(500000);
    append(":6}\n");
    (void)snprintf(from, sizeof(from), "%s/telemetry.jsonl", dir);
    (void)snprintf(to, sizeof(to), "%s/telemetry.jsonl.1", dir);
    UNIT_INT(rename(from, to), 0, "rotated");
    append("{\"seq\":7}\n");
    return NULL;
}

static void test_follow(void)
{
    struct log_reader r = {.cb = see};
    struct err e = {""};
    pthread_t thread;
    set_up();
    fixture_remove(dir, "telemetry.jsonl.2");
    fixture_remove(dir, "telemetry.jsonl.10");
    fixture_write(dir, "telemetry.jsonl", "{\"seq\":3}\n");
    UNIT_INT(pthread_create(&thread, NULL, writer, NULL), 0, "writer");
    append("{\"x\":0");
    UNIT_INT(log_reader_read(&r, dir, &e), 0, "%s", e.text);
    UNIT_INT(log_reader_follow(&r, dir, &e), -1, "until it has enough");
    UNIT_STR(e.text, "enough", "why");
    UNIT_OK(n_seen == 5 && seen[1] == 4 && seen[2] == 5 && seen[3] == 6 && seen[4] == 7,
            "%d: %d %d %d %d %d", n_seen, seen[0], seen[1], seen[2], seen[3], seen[4]);
    (void)pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"rows", test_rows},     {"summary", test_summary},
                                             {"json", test_json},     {"bad", test_bad},
                                             {"follow", test_follow}, {NULL, NULL}};
    return unit_main(argc, argv, cases, "cmd_log");
}
