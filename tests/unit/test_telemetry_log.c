/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The telemetry log: lines as JSON, torn lines, rotation, and records read back in
 * order while all that happens.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "carnotd/line.h"
#include "carnotd/spool.h"
#include "carnotd/telemetry_log.h"
#include "node_fixture.h"

static struct telemetry_log tlog;

static void _open(uint64_t max_bytes, int keep)
{
    struct err e = {""};

    UNIT_INT(telemetry_log_open(&tlog, unit_tmpdir(), max_bytes, keep, &e), 0, "%s", e.text);
}

/* A record of about 100 bytes, or another line when seq is 0. */
static void _append(uint64_t seq)
{
    char text[256];
    struct err e = {""};
    int n;

    if (seq)
        n = snprintf(
            text, sizeof(text),
            "{\"v\":1,\"ts\":\"2026-11-24T09:12:03.114Z\",\"ev\":\"record\",\"node\":\"n1\","
            "\"boot\":\"b\",\"seq\":%" PRIu64 ",\"uj\":5}\n",
            seq);
    else
        n = snprintf(text, sizeof(text), "{\"v\":1,\"ev\":\"job.start\",\"job\":7}\n");
    UNIT_INT(telemetry_log_append(&tlog, text, (size_t)n, &e), 0, "%s", e.text);
}

static void test_line(void)
{
    char buf[512], small[20];
    struct line l;
    json_t *json;

    line_begin(&l, buf, sizeof(buf));
    line_u64(&l, "max", UINT64_MAX);
    line_i64(&l, "min", INT64_MIN);
    line_i64(&l, "zero", 0);
    line_str(&l, "text", "a\"b\\c\n\x01\xff~");
    line_str(&l, "none", NULL);
    line_bool(&l, "yes", true);
    line_array(&l, "empty");
    line_array_end(&l);
    line_array(&l, "list");
    line_object(&l);
    line_u64(&l, "a", 1);
    line_object_end(&l);
    line_object(&l);
    line_object_end(&l);
    line_array_end(&l);
    line_time(&l, "ts", 1795511523114);
    UNIT_INT(line_end(&l),
             strlen("{\"max\":18446744073709551615,\"min\":-9223372036854775808,"
                    "\"zero\":0,\"text\":\"a\\\"b\\\\c\\u000a\\u0001?~\",\"none\":"
                    "null,\"yes\":true,\"empty\":[],\"list\":[{\"a\":1},{}],\"ts\":"
                    "\"2026-11-24T09:12:03.114Z\"}\n"),
             "length");
    UNIT_OK(memcmp(buf,
                   "{\"max\":18446744073709551615,\"min\":-9223372036854775808,\"zero\":0,"
                   "\"text\":\"a\\\"b\\\\c\\u000a\\u0001?~\",\"none\":null,\"yes\":true,"
                   "\"empty\":[],\"list\":[{\"a\":1},{}],\"ts\":\"2026-11-24T09:12:03.114Z\"}\n",
                   l.used) == 0,
            "%.*s", (int)l.used, buf);
    json = json_loadb(strstr(buf, "\"zero\"") - 1, 0, 0, NULL);
    UNIT_OK(json == NULL, "half of it is no JSON");

    line_begin(&l, small, sizeof(small));
    line_str(&l, "key", "value");
    line_u64(&l, "number", 12345);
    UNIT_INT(line_end(&l), -1, "does not fit");
    line_begin(&l, small, sizeof(small));
    line_str(&l, "key", "value");
    UNIT_INT(line_end(&l), 16, "to the last byte but four");
}

static void test_torn_line(void)
{
    static const struct {
        const char *before, *after;
    } rows[] = {
        {"", ""},
        {"{\"a\":1}\n", "{\"a\":1}\n"},
        {"{\"a\":1}\n{\"torn\":", "{\"a\":1}\n"},
        {"{\"torn\":", ""},
        {"{\"a\":1}\n\n", "{\"a\":1}\n\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *text = NULL, path[PATH_MAX];
        size_t size;

        fixture_write(unit_tmpdir(), "telemetry.jsonl", rows[i].before);
        _open(1 << 20, 2);
        UNIT_INT(tlog.size, strlen(rows[i].after), "row %zu", i);
        telemetry_log_close(&tlog);
        (void)snprintf(path, sizeof(path), "%s/telemetry.jsonl", unit_tmpdir());
        UNIT_INT(path_read(path, 1 << 20, &text, &size, NULL), 0, "row %zu", i);
        UNIT_STR(text, rows[i].after, "row %zu", i);
        free(text);
    }
}

/* A torn line longer than what is read at a time. */
static void test_long_torn_line(void)
{
    char *text = malloc(20001);

    memset(text, 'x', 20000);
    text[20000] = '\0';
    text[3] = '\n';
    fixture_write(unit_tmpdir(), "telemetry.jsonl", text);
    _open(1 << 20, 2);
    UNIT_INT(tlog.size, 4, "cut");
    telemetry_log_close(&tlog);
    free(text);
}

static bool _exists(const char *name)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/%s", unit_tmpdir(), name);
    return access(path, F_OK) == 0;
}

/* Read everything above *after in batches of at most max; the numbers have to be in order. */
static int _drain(struct spool *spool, uint64_t *after, int max, uint64_t *lost_sum)
{
    int total = 0;

    for (;;) {
        uint64_t last, lost, want = 0;
        struct err e = {""};
        json_t *records, *record;
        size_t i;

        if (!UNIT_OK(spool_read(spool, *after, max, 1 << 20, &records, &last, &lost, &e) == 0, "%s",
                     e.text))
            return -1;
        if (json_array_size(records) == 0) {
            UNIT_INT(last, *after, "nothing new");
            json_decref(records);
            return total;
        }
        *lost_sum += lost;
        want = *after + lost + 1;
        json_array_foreach(records, i, record)
            UNIT_INT(json_integer_value(json_object_get(record, "seq")), want++, "in order");
        UNIT_INT(last, want - 1, "the last one");
        total += (int)json_array_size(records);
        *after = last;
        json_decref(records);
        spool_done(spool);
    }
}

static void test_rotation(void)
{
    uint64_t after = 0, lost = 0;
    struct spool spool;

    _open(1000, 3);
    spool_init(&spool, &tlog);
    for (uint64_t seq = 1; seq <= 200; seq++) {
        _append(seq);
        if (seq % 7 == 0)
            _append(0);
        if (seq % 11 == 0)
            (void)_drain(&spool, &after, 4, &lost);
    }
    (void)_drain(&spool, &after, 4, &lost);
    UNIT_INT(after, 200, "all of them");
    UNIT_INT(lost, 0, "none lost");
    UNIT_OK(_exists("telemetry.jsonl.3") && !_exists("telemetry.jsonl.4"), "three are kept");
    spool_fini(&spool);
    telemetry_log_close(&tlog);
}

/* A reader that comes late: what is still there, and how much is not. */
static void test_lost(void)
{
    uint64_t after = 10, lost = 0;
    struct spool spool;
    int n;

    _open(1000, 3);
    for (uint64_t seq = 1; seq <= 200; seq++)
        _append(seq);
    spool_init(&spool, &tlog);
    n = _drain(&spool, &after, 500, &lost);
    UNIT_INT(after, 200, "to the end");
    UNIT_INT((uint64_t)n + lost, 190, "what was read and what is lost");
    UNIT_OK(lost > 100, "%" PRIu64, lost);
    spool_fini(&spool);
    telemetry_log_close(&tlog);
}

/* Reading again without having said that it is done gives the same records; from any number. */
static void test_again(void)
{
    uint64_t last, lost, after;
    struct spool spool;
    json_t *records;

    _open(1000, 8);
    for (uint64_t seq = 1; seq <= 50; seq++)
        _append(seq);
    spool_init(&spool, &tlog);
    for (int i = 0; i < 3; i++) {
        UNIT_INT(spool_read(&spool, 20, 3, 1 << 20, &records, &last, &lost, NULL), 0, "%d", i);
        UNIT_INT(last, 23, "%d", i);
        json_decref(records);
    }
    spool_rewind(&spool);
    for (uint64_t from = 0; from <= 50; from++) {
        after = from;
        lost = 0;
        UNIT_INT(_drain(&spool, &after, 500, &lost), 50 - (int)from, "from %" PRIu64, from);
        UNIT_INT(lost, 0, "from %" PRIu64, from);
        spool_rewind(&spool);
    }
    spool_fini(&spool);
    telemetry_log_close(&tlog);
}

/* A file in the middle was deleted: the reader goes on behind the hole, and does not go round. */
static void test_hole(void)
{
    uint64_t after = 0, lost = 0;
    struct spool spool;

    _open(1000, 8);
    for (uint64_t seq = 1; seq <= 50; seq++)
        _append(seq);
    fixture_remove(unit_tmpdir(), "telemetry.jsonl.2");
    spool_init(&spool, &tlog);
    (void)_drain(&spool, &after, 500, &lost);
    UNIT_INT(after, 50, "to the end");
    UNIT_OK(lost > 0 && lost < 15, "%" PRIu64 " lost", lost);
    spool_fini(&spool);
    telemetry_log_close(&tlog);
}

static json_t *_last_record(void)
{
    json_t *record, *events;

    spool_tail(&tlog, &record, &events);
    json_decref(events);
    return record;
}

static void test_damage(void)
{
    uint64_t last, lost;
    struct spool spool;
    json_t *records;

    fixture_write(unit_tmpdir(), "telemetry.jsonl",
                  "{\"ev\":\"record\",\"seq\":1}\n"
                  "{\"ev\":\"record\",\"seq\":2,\"half\n"
                  "\n"
                  "not JSON\n"
                  "{\"ev\":\"source\",\"seq\":99}\n"
                  "{\"ev\":\"record\",\"seq\":3}\n"
                  "{\"ev\":\"record\",\"seq\":4}");
    _open(1 << 20, 2);
    spool_init(&spool, &tlog);
    UNIT_INT(spool_read(&spool, 0, 10, 1 << 20, &records, &last, &lost, NULL), 0, "read");
    UNIT_INT(json_array_size(records), 2, "the whole ones");
    UNIT_INT(last, 3, "the last whole one");
    json_decref(records);
    records = _last_record();
    UNIT_INT(json_integer_value(json_object_get(records, "seq")), 3, "also at start");
    json_decref(records);
    spool_fini(&spool);
    telemetry_log_close(&tlog);
}

/* The last record is in a rotated file when nothing but events came after it. */
static void test_last_record(void)
{
    json_t *last, *events;

    _open(300, 3);
    UNIT_OK(_last_record() == NULL, "none yet");
    _append(41);
    _append(42);
    for (int i = 0; i < 10; i++)
        _append(0);
    UNIT_OK(_exists("telemetry.jsonl.1"), "rotated");
    last = _last_record();
    UNIT_INT(json_integer_value(json_object_get(last, "seq")), 42, "the newest");
    json_decref(last);
    spool_tail(&tlog, &last, &events);
    UNIT_INT(json_array_size(events), 10, "and all that was said of jobs behind it");
    json_decref(last);
    json_decref(events);
    telemetry_log_close(&tlog);
}

/* The disk is full: the line is not there, neither is half of it, and later all is well again. */
static void test_full_disk(void)
{
    const struct rlimit little = {300, RLIM_INFINITY}, much = {RLIM_INFINITY, RLIM_INFINITY};
    struct err e = {""};
    json_t *last;
    char line[200];

    (void)signal(SIGXFSZ, SIG_IGN);
    _open(1 << 20, 2);
    _append(1);
    _append(2);
    memset(line, ' ', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    CU_ASSERT_FATAL(setrlimit(RLIMIT_FSIZE, &little) == 0);
    UNIT_INT(telemetry_log_append(&tlog, line, sizeof(line), &e), -1, "no room");
    CU_ASSERT_FATAL(setrlimit(RLIMIT_FSIZE, &much) == 0);
    UNIT_OK(strstr(e.text, "cannot write"), "%s", e.text);
    _append(3);
    telemetry_log_close(&tlog);
    _open(1 << 20, 2);
    last = _last_record();
    UNIT_INT(json_integer_value(json_object_get(last, "seq")), 3, "in line");
    json_decref(last);
    telemetry_log_close(&tlog);
}

/* Killed at any moment: every number that was told is there once, in order, none comes twice. */
static void test_kill(void)
{
    uint64_t told = 0, after = 0, lost = 0;
    struct spool spool;

    for (int round = 0; round < 20; round++) {
        int pipe_fd[2];
        uint64_t seq;
        pid_t child;

        CU_ASSERT_FATAL(pipe(pipe_fd) == 0);
        child = fork();
        if (child == 0) {
            json_t *last;

            _open(20000, 100);
            last = _last_record();
            seq = (uint64_t)json_integer_value(json_object_get(last, "seq"));
            for (;;) {
                _append(++seq);
                if (write(pipe_fd[1], &seq, sizeof(seq)) < 0)
                    _exit(1);
            }
        }
        (void)close(pipe_fd[1]);
        for (int i = 0; i < 20 + 37 * round; i++) {
            if (read(pipe_fd[0], &seq, sizeof(seq)) != (ssize_t)sizeof(seq))
                break;
        }
        (void)kill(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
        while (read(pipe_fd[0], &seq, sizeof(seq)) == (ssize_t)sizeof(seq))
            continue;
        (void)close(pipe_fd[0]);
        told = seq;
    }
    _open(20000, 100);
    spool_init(&spool, &tlog);
    (void)_drain(&spool, &after, 500, &lost);
    UNIT_OK(after >= told && after <= told + 1, "%" PRIu64 " told, %" PRIu64 " there", told, after);
    UNIT_INT(lost, 0, "no hole");
    spool_fini(&spool);
    telemetry_log_close(&tlog);
}

static const struct unit_case cases[] = {
    {"line", test_line},
    {"torn_line", test_torn_line},
    {"long_torn_line", test_long_torn_line},
    {"rotation", test_rotation},
    {"lost", test_lost},
    {"again", test_again},
    {"hole", test_hole},
    {"damage", test_damage},
    {"last_record", test_last_record},
    {"full_disk", test_full_disk},
    {"kill", test_kill},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "telemetry_log");
}
