/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state file: what is not exactly what was written is refused, and a daemon that is killed at
 * any moment, with any state file that such a kill leaves, counts every joule once.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "carnotd/state_file.h"
#include "sampler_host.h"

#define ZONE "sys/class/powercap/intel-rapl:0/"
#define RANGE UINT64_C(65532610987)
/* One step of the 32-bit register behind the range, which the wrap takes as well. */
#define STEP UINT64_C(15)

static char state_path[PATH_MAX];
static char said[4096]; /* warnings and worse */
static uint64_t true_uj, raw_uj;

/* Calls that change a file, of this program: it is killed before the kill_at-th, or, with halfway,
 * in the middle of it if it writes. */
static int kill_at, steps, renames, exchanges, syncs, unlinks;
static bool halfway;

static void _step(void)
{
    if (++steps == kill_at && !halfway)
        (void)raise(SIGKILL);
}

ssize_t write(int fd, const void *data, size_t size)
{
    _step();
    if (steps == kill_at && halfway) {
        (void)syscall(SYS_write, fd, data, size / 2);
        (void)raise(SIGKILL);
    }
    return syscall(SYS_write, fd, data, size);
}

int ftruncate(int fd, off_t size)
{
    _step();
    return (int)syscall(SYS_ftruncate, fd, size);
}

int rename(const char *from, const char *to)
{
    _step();
    renames++;
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    _step();
    exchanges++;
    return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

int unlink(const char *path)
{
    _step();
    unlinks++;
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int fsync(int fd)
{
    _step();
    syncs++;
    return (int)syscall(SYS_fsync, fd);
}

static void _collect(int level, const char *line, void *arg)
{
    size_t used = strlen(said);

    (void)arg;
    if (level <= LOG_WARNING)
        (void)snprintf(said + used, sizeof(said) - used, "%s\n", line);
}

static void _start(const char *boot)
{
    log_set_handler(_collect, NULL);
    said[0] = '\0';
    host_start(boot, state_path, 0);
}

/* The machine draws so much more. */
static void _draw(uint64_t uj)
{
    true_uj += uj;
    raw_uj += uj;
    if (raw_uj > RANGE)
        raw_uj -= RANGE + STEP;
    fixture_write_u64(root, ZONE "energy_uj", raw_uj);
}

static void _setup(void)
{
    host_init("cgroup-v1");
    settings.node.log_max_bytes = 1 << 20;
    settings.node.interval_ms = 1000;
    settings.node.log_interval_ms = 10000;
    fixture_write(root, ZONE "name", "package-0\n");
    fixture_write_u64(root, ZONE "max_energy_range_uj", RANGE);
    true_uj = 0;
    raw_uj = RANGE - 1000000;
    _draw(0);
    (void)snprintf(state_path, sizeof(state_path), "%s/" STATE_FILE_NAME, unit_tmpdir());
    _start("boot-1");
}

static char *_read(const char *path, size_t *size)
{
    char *text = NULL;

    CU_ASSERT_FATAL(path_read(path, 8 << 20, &text, size, NULL) == 0);
    return text;
}

/* What the log's records say the package used; every line is whole, no number comes twice, and none
 * at or below after. The last record's number is returned in *last. */
static uint64_t _logged_uj(uint64_t after, uint64_t *last)
{
    char path[PATH_MAX], *text;
    uint64_t sum = 0;
    size_t size, i;

    (void)snprintf(path, sizeof(path), "%s/telemetry.jsonl", unit_tmpdir());
    text = _read(path, &size);
    *last = after;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *record = json_loads(line, 0, NULL), *entry;
        const json_t *seq = json_object_get(record, "seq");

        UNIT_OK(record != NULL, "every line is JSON: %s", line);
        if (seq) {
            UNIT_OK((uint64_t)json_integer_value(seq) > *last, "numbers count up: %.120s", line);
            *last = (uint64_t)json_integer_value(seq);
        }
        json_array_foreach(json_object_get(record, "sources"), i, entry)
        {
            if (strcmp(json_string_value(json_object_get(entry, "name")), "rapl:package-0") == 0)
                sum += (uint64_t)json_integer_value(json_object_get(entry, "uj"));
        }
        json_decref(record);
    }
    free(text);
    return sum;
}

/* The last record. */
static json_t *_last_record(void)
{
    char path[PATH_MAX], *text;
    json_t *last = NULL;
    size_t size;

    (void)snprintf(path, sizeof(path), "%s/telemetry.jsonl", unit_tmpdir());
    text = _read(path, &size);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (!strstr(line, "\"ev\":\"record\""))
            continue;
        json_decref(last);
        last = json_loads(line, 0, NULL);
    }
    free(text);
    return last;
}

static void _record(int64_t ms, uint64_t uj)
{
    host_pass(ms);
    _draw(uj);
    UNIT_INT(sampler_close(&sampler), 1, "a record");
}

/* Cut at every byte, and each byte changed: never taken for whole, whatever of it is left. */
static void test_damaged(void)
{
    struct err e;
    json_t *state;
    size_t size;
    char *text;

    _setup();
    _record(10000, 50000000);
    host_kill();
    text = _read(state_path, &size);
    state = state_file_parse(text, size, "n1", &e);
    UNIT_OK(state != NULL, "as it was written");
    json_decref(state);
    for (size_t n = 0; n < size; n++) {
        char *part = malloc(n ? n : 1); /* as large as what is read, for the sanitizer */

        memcpy(part, text, n);
        UNIT_OK(state_file_parse(part, n, "n1", &e) == NULL, "cut behind byte %zu", n);
        free(part);
    }
    for (size_t i = 0; i < size; i++) {
        text[i] ^= 1 << (i % 7);
        UNIT_OK(state_file_parse(text, size, "n1", &e) == NULL, "byte %zu", i);
        text[i] ^= 1 << (i % 7);
    }
    free(text);
}

/* The same text with a right checksum behind it. */
static json_t *_parse_sealed(const char *body, struct err *e)
{
    uint64_t sum = UINT64_C(14695981039346656037);
    char text[4096];

    for (const char *p = body; *p; p++)
        sum = (sum ^ (unsigned char)*p) * UINT64_C(1099511628211);
    (void)snprintf(text, sizeof(text), "%s,\"check\":\"%016" PRIx64 "\"}\n", body, sum);
    return state_file_parse(text, strlen(text), "n1", e);
}

#define HEAD                                                                                       \
    "{\"v\":1,\"node\":\"n1\",\"boot\":\"b\",\"seq\":7,\"wall_ms\":5,\"mono_ms\":9,"               \
    "\"idle_uj\":1,\"system_uj\":2,\"jobs_uj\":3"
#define COUNTS                                                                                     \
    "\"owed_uj\":0,\"first\":1,\"delta\":2,\"wrapped\":0,\"reset\":0,\"implausible\":0,"           \
    "\"stale\":0,\"missing\":0}]"
#define SOURCE HEAD ",\"sources\":[{\"name\":\"a\",\"path\":\"/p\",\"range\":5,\"total_uj\":3,"

/* Sealed, but not what the daemon writes. */
static void test_hostile(void)
{
    static const struct {
        const char *body;
        const char *fault; /* NULL: good */
    } rows[] = {
        {HEAD ",\"sources\":[]", NULL},
        {SOURCE COUNTS, NULL},
        {SOURCE "\"raw\":1,\"raw_ms\":9,\"changed_ms\":8," COUNTS, NULL},
        {SOURCE "\"raw\":1,\"raw_ms\":10,\"changed_ms\":8," COUNTS, "damaged"},
        {SOURCE "\"raw\":1,\"raw_ms\":8,\"changed_ms\":9," COUNTS, "damaged"},
        {SOURCE "\"raw\":-1,\"raw_ms\":8,\"changed_ms\":8," COUNTS, "damaged"},
        {SOURCE "\"raw\":1e3,\"raw_ms\":8,\"changed_ms\":8," COUNTS, "damaged"},
        {SOURCE "\"raw\":18446744073709551616,\"raw_ms\":8,\"changed_ms\":8," COUNTS, "damaged"},
        {SOURCE "\"raw\":1," COUNTS, "damaged"},
        {SOURCE "\"total_uj\":4," COUNTS, "damaged"},
        {SOURCE "\"owed_uj\":0}]", "damaged"},
        {HEAD ",\"sources\":{}", "damaged"},
        {HEAD ",\"sources\":[1]", "damaged"},
        {HEAD ",\"sources\":[{}]", "damaged"},
        {HEAD, "damaged"},
        {HEAD ",\"busy_us\":-4,\"sources\":[]", "damaged"},
        {"{\"v\":1,\"node\":\"n1\",\"boot\":3,\"seq\":7,\"wall_ms\":5,\"mono_ms\":9,\"sources\":[]",
         "damaged"},
        {"{\"v\":1,\"node\":\"n1\",\"boot\":\"b\",\"seq\":-7,\"wall_ms\":5,\"mono_ms\":9,"
         "\"sources\":[]",
         "damaged"},
        {"{\"v\":2,\"node\":\"n1\"", "another version"},
        {"{\"v\":1,\"node\":\"n2\"", "another node"},
        {"{\"v\":1,\"node\":[\"n1\"]", "another node"},
        {"{\"v\":1", "another node"},
        {"[", "damaged"},
        {"", "damaged"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err e = {""};
        json_t *state = _parse_sealed(rows[i].body, &e);

        UNIT_INT(state != NULL, rows[i].fault == NULL, "row %zu: %s", i, rows[i].body);
        UNIT_OK(!rows[i].fault || strstr(e.text, rows[i].fault), "row %zu: %s", i, e.text);
        json_decref(state);
    }
}

static void _check_file(const char *fault, const char *what)
{
    struct err e = {"untouched"};

    UNIT_OK(state_file_load(state_path, "n1", &e) == NULL, "%s", what);
    UNIT_OK(*fault ? strstr(e.text, fault) != NULL : e.text[0] == '\0', "%s: %s", what, e.text);
}

/* What stands at its place. */
static void test_place(void)
{
    char other[PATH_MAX];
    struct err e;
    json_t *state;

    (void)snprintf(state_path, sizeof(state_path), "%s/" STATE_FILE_NAME, unit_tmpdir());
    _check_file("", "nothing");
    _setup();
    _record(10000, 50000000);
    host_kill();
    state = state_file_load(state_path, "n1", &e);
    UNIT_OK(state != NULL, "sound");
    json_decref(state);
    (void)chmod(state_path, 0660);
    _check_file("others can write it", "writable for the group");
    (void)chmod(state_path, 0640);
    if (geteuid() == 0) {
        UNIT_INT(chown(state_path, 65534, 0), 0, "chown");
        _check_file("others can write it", "another user's");
        UNIT_INT(chown(state_path, 0, 0), 0, "chown");
    }
    UNIT_INT(truncate(state_path, 1 << 20), 0, "truncate");
    _check_file("too large", "large");
    (void)snprintf(other, sizeof(other), "%s/other", unit_tmpdir());
    UNIT_INT(rename(state_path, other), 0, "rename");
    UNIT_INT(symlink(other, state_path), 0, "symlink");
    _check_file("cannot be opened", "a link");
    (void)unlink(state_path);
    UNIT_INT(mkfifo(state_path, 0600), 0, "mkfifo");
    _check_file("no file", "a pipe");
    (void)unlink(state_path);
    UNIT_INT(mkdir(state_path, 0700), 0, "mkdir");
    _check_file("no file", "a directory");
    _start("boot-1");
    UNIT_OK(strstr(said, "is not used: it is no file"), "one warning: %s", said);
    _record(10000, 50000000);
    UNIT_OK(strstr(said, "after a restart some sources begin anew"), "said: %s", said);
    said[0] = '\0';
    _record(10000, 50000000);
    UNIT_STR(said, "", "once");
    host_kill();
}

/* Totals go on, and what a twin that stands by would have to tell does not count twice. */
static void test_totals(void)
{
    uint64_t last;
    json_t *r;

    _setup();
    _record(10000, 2000000000);
    _record(10000, 2000000000);
    host_kill();
    host_pass(20000);
    _draw(3000000000);
    _start("boot-1");
    UNIT_STR(said, "", "nothing to warn of");
    UNIT_INT(meter.sources[0].counter.total_uj, true_uj, "all of it");
    UNIT_INT(meter.sources[0].counter.count[COUNTER_WRAPPED], 1, "the wrap before");
    r = _last_record();
    UNIT_INT(json_integer_value(json_object_get(r, "uj")), 3000000000, "the gap's");
    UNIT_STR(json_string_value(json_object_get(r, "quality")), "measured", "kept");
    json_decref(r);
    UNIT_INT(_logged_uj(0, &last), true_uj, "once");
    /* another range: another zone, of which nothing is known */
    host_kill();
    host_pass(1000);
    _draw(1000000);
    fixture_write_u64(root, ZONE "max_energy_range_uj", RANGE + 5);
    _start("boot-1");
    UNIT_INT(meter.sources[0].counter.total_uj, 0, "from nothing");
    UNIT_INT(_logged_uj(0, &last), true_uj - 1000000, "what it did meanwhile is unknown");
    host_kill();
}

/* Away for longer than the range allows: not measured, and what the GPU's place took is not 0. */
static void test_too_long(void)
{
    json_t *r, *entry;

    _setup();
    fixture_write(root, "sys/class/powercap/intel-rapl:0:0/name", "dram\n");
    fixture_write_u64(root, "sys/class/powercap/intel-rapl:0:0/max_energy_range_uj", RANGE);
    fixture_write_u64(root, "sys/class/powercap/intel-rapl:0:0/energy_uj", 1000);
    host_kill();
    _start("boot-2");
    fixture_write_u64(root, "sys/class/powercap/intel-rapl:0:0/energy_uj", 5001000);
    _record(10000, 500000000);
    host_kill();
    host_pass(3600000 - 60000);
    _draw(500000000);
    fixture_write_u64(root, "sys/class/powercap/intel-rapl:0:0/energy_uj", 9001000);
    _start("boot-2");
    r = _last_record();
    UNIT_OK(json_is_true(json_object_get(r, "gap")), "a gap");
    UNIT_STR(json_string_value(json_object_get(r, "quality")), "modelled", "the CPUs");
    entry = json_array_get(json_object_get(r, "sources"), 0);
    UNIT_STR(json_string_value(json_object_get(entry, "name")), "rapl:package-0:dram", "named");
    UNIT_OK(json_is_null(json_object_get(entry, "uj")), "no figure, not 0");
    UNIT_STR(json_string_value(json_object_get(entry, "state")), "stale", "why");
    json_decref(r);
    _record(10000, 400000000);
    r = _last_record();
    UNIT_STR(json_string_value(json_object_get(r, "quality")), "measured", "and on");
    json_decref(r);
    host_kill();
}

/* Another boot knows nothing of the old one's counters, but numbers go on, with a log or without.
 */
static void test_boot(void)
{
    uint64_t last;

    _setup();
    _record(10000, 2000000000);
    _record(10000, 2000000000);
    host_kill();
    now.mono_ms = 1000;
    fixture_remove(unit_tmpdir(), "telemetry.jsonl");
    _start("boot-2");
    UNIT_STR(said, "", "that is no fault");
    UNIT_INT(meter.sources[0].counter.total_uj, 0, "from nothing");
    UNIT_INT(meter.sources[0].state, SOURCE_FIRST, "first");
    _record(10000, 1000000000);
    UNIT_INT(_logged_uj(2, &last), 1000000000, "its own");
    UNIT_INT(last, 3, "the number goes on");
    host_kill();
    /* a clock that is behind the file's */
    now.mono_ms = 500;
    _start("boot-2");
    UNIT_OK(strstr(said, "it is of the future"), "%s", said);
    host_kill();
}

/* Up to a kilowatt, or nothing. */
static void _run_for(int64_t ms)
{
    host_pass(ms);
    _draw((uint64_t)ms * (uint64_t)(rand() % 3 ? rand() % 1000000 : 0));
}

/* Records, kills, state files of a moment ago, damaged ones, logs that are lost: in the end the
 * records hold what the machine drew, to the microjoule. */
static void test_any_kill(void)
{
    const char *given = getenv("CARNOT_TEST_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 0) : 4711;
    uint64_t lost_uj = 0, last = 0, after = 0;
    char *older = NULL, path[PATH_MAX + 8];
    size_t size;

    (void)printf("# seed %u\n", seed);
    srand(seed);
    _setup();
    /* before a zone has moved it measures nothing, and the model stands in for it */
    _record(1000, 5000000);
    (void)snprintf(path, sizeof(path), "%s.tmp", state_path);
    for (int i = 0; i < 1000; i++) {
        int what = rand() % 10;

        _run_for(rand() % 1500 + 1);
        if (what < 4) {
            (void)sampler_tick(&sampler);
        } else if (what < 7) {
            free(older);
            older = access(state_path, F_OK) == 0 ? _read(state_path, &size) : NULL;
            (void)sampler_close(&sampler);
        } else {
            int left = rand() % 8;

            host_kill();
            if (left == 0 && older) /* killed before the rename */
                fixture_write(unit_tmpdir(), STATE_FILE_NAME, older);
            if (left <= 1)
                (void)path_write_atomic(path, "{\"v\":1,", 7, 0640, NULL);
            if (left == 2)
                CU_ASSERT_FATAL(truncate(state_path, rand() % 300) == 0);
            if (left == 3) {
                /* the log goes, what is in it was counted; without state, that would be lost */
                lost_uj += _logged_uj(after, &last);
                after = last;
                fixture_remove(unit_tmpdir(), "telemetry.jsonl");
            }
            _run_for(rand() % 5000 + 1);
            _start("boot-1");
            if (left == 2)
                UNIT_OK(strstr(said, "is not used: it is damaged"), "%s", said);
            free(older);
            older = NULL;
        }
    }
    _record(10000, 0);
    UNIT_INT(lost_uj + _logged_uj(after, &last), true_uj, "seed %u: every joule once", seed);
    free(older);
    host_kill();
}

/* Two closings and the end of a daemon that starts where the last one was killed. */
static void _live(void)
{
    _start("boot-1");
    _record(1000, 40000000);
    _record(1000, 70000000);
    host_pass(1000);
    _draw(90000000);
    (void)sampler_end(&sampler);
}

/* The same machine as the child's, whether or not it came so far. */
static void _live_on(void)
{
    host_pass(3000);
    _draw(40000000);
    _draw(70000000);
    _draw(90000000);
}

/* Killed before each call that changes a file, and in the middle of each that writes: every joule
 * is counted once, by totals as well as by records. */
static void test_each_kill(void)
{
    bool survived = false;
    uint64_t last;
    int status;

    _setup();
    _record(1000, 5000000);
    host_kill();
    for (int n = 2; !survived && n < 200; n++) {
        host_pass(500);
        _draw(1000000);
        (void)fflush(NULL);
        if (fork() == 0) {
            steps = 0;
            kill_at = n / 2;
            halfway = n % 2;
            _live();
            _exit(0);
        }
        CU_ASSERT_FATAL(wait(&status) > 0);
        UNIT_OK(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "n %d: %x", n, status);
        survived = n % 2 == 0 && WIFEXITED(status);
        _live_on();
        _start("boot-1");
        UNIT_STR(said, "", "n %d: the state is whole", n);
        UNIT_INT(meter.sources[0].counter.total_uj, true_uj, "n %d: the total", n);
        UNIT_INT(_logged_uj(0, &last), true_uj, "n %d: the records", n);
        host_kill();
    }
    UNIT_OK(survived, "to the end");
}

/* What holds a tick up on a slow disk is not in it: no file is made, removed or renamed over
 * another, and nothing waits until it is written. */
static void test_slow_disk(void)
{
    char other[PATH_MAX];

    _setup();
    for (int i = 0; i < 3; i++)
        _record(10000, 50000000);
    (void)snprintf(other, sizeof(other), "%s/telemetry.jsonl", unit_tmpdir());
    for (int i = 0; i < 2; i++) { /* there and back */
        if (syscall(SYS_renameat2, AT_FDCWD, state_path, AT_FDCWD, other, RENAME_EXCHANGE) < 0)
            unit_skip("files cannot change places here");
    }
    steps = renames = exchanges = syncs = unlinks = 0;
    for (int i = 0; i < 10; i++) {
        host_pass(10000);
        _draw(50000000);
        UNIT_INT(sampler_tick(&sampler), 1, "a record");
    }
    UNIT_INT(renames, 0, "over no file");
    UNIT_INT(exchanges, 10, "each record's state takes its place");
    UNIT_INT(syncs + unlinks, 0, "nothing that waits");
    UNIT_INT(steps, 30, "the record, the state, its place");
    (void)sampler_end(&sampler);
    UNIT_INT(syncs, 0, "no time has passed, no record");
    host_pass(1000);
    (void)sampler_end(&sampler);
    UNIT_OK(syncs > 0, "the last one is on the disk");
    host_kill();
}

static const struct unit_case cases[] = {
    {"damaged", test_damaged},     {"hostile", test_hostile},
    {"place", test_place},         {"totals", test_totals},
    {"too_long", test_too_long},   {"boot", test_boot},
    {"any_kill", test_any_kill},   {"each_kill", test_each_kill},
    {"slow_disk", test_slow_disk}, {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "state_file");
}
