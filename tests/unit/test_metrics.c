/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The metrics of carnotd: read by a strict parser of the text format here (and by promtool, where
 * it is installed), monotonic over restarts, without a value where there is none.
 */
#include "config.h"

#include <ctype.h>
#include <inttypes.h>
#include <malloc.h>
#include <sys/stat.h>

#include "carnotd/metrics.h"
#include "sampler_host.h"

#define E0 "sys/class/powercap/intel-rapl:0/energy_uj"
#define FAMILIES_MAX 64

static struct metrics metrics;
static char state_path[PATH_MAX];
static int said;

static void _count(int level, const char *line, void *arg)
{
    (void)line;
    (void)arg;
    said += level <= LOG_WARNING;
}

static void _start(const char *boot)
{
    char setting[PATH_MAX + 16];
    struct err e = {""};

    log_set_handler(_count, NULL);
    (void)snprintf(state_path, sizeof(state_path), "%s/counters.json", unit_tmpdir());
    host_start(boot, state_path, 0);
    (void)snprintf(setting, sizeof(setting), "textfile:%s", unit_tmpdir());
    UNIT_INT(metrics_open(&metrics, setting, "n1", &e), 0, "%s", e.text);
}

static void _stop(void)
{
    metrics_close(&metrics);
    host_kill();
}

static void _setup(void)
{
    host_init("amd-1s");
    settings.node.log_max_bytes = 1 << 20;
    said = 0;
    fixture_write_u64(root, E0, 1000000);
    _start("boot-1");
}

/* So many ticks of a second, the package drawing so much in each. */
static void _run(int ticks, uint64_t uj)
{
    static uint64_t value;

    if (!value)
        value = 1000000;
    for (int i = 0; i < ticks; i++) {
        host_pass(1000);
        value += uj;
        fixture_write_u64(root, E0, value);
        (void)sampler_tick(&sampler);
        metrics_tick(&metrics, &sampler, 250, 0, 1);
    }
}

static char *_text(void)
{
    char path[PATH_MAX], *text = NULL;
    size_t size;

    (void)snprintf(path, sizeof(path), "%s/" METRICS_NAME, unit_tmpdir());
    CU_ASSERT_FATAL(path_read(path, 1 << 20, &text, &size, NULL) == 0);
    return text;
}

/* The value of a line that begins so, -1 without one. */
static double _value(const char *text, const char *series)
{
    size_t n = strlen(series);

    for (const char *p = text; p && *p; p = strchr(p, '\n'), p += p != NULL) {
        if (strncmp(p, series, n) == 0 && p[n] == ' ')
            return strtod(p + n + 1, NULL);
    }
    return -1;
}

/* {name="text",...}: what is behind it, NULL when it is wrong. Nothing here needs an escape. */
static const char *_skip_labels(const char *p)
{
    if (*p != '{')
        return p;
    do {
        p++;
        if (!islower((unsigned char)*p))
            return NULL;
        p += strspn(p, "abcdefghijklmnopqrstuvwxyz_");
        if (strncmp(p, "=\"", 2) != 0)
            return NULL;
        p += 2 + strcspn(p + 2, "\"\\\n");
        if (*p++ != '"')
            return NULL;
    } while (*p == ',');
    return *p == '}' ? p + 1 : NULL;
}

/* The family's name, with an ending where it is a histogram's. */
static bool _of_family(const char *name, size_t length, const char *family, const char *type)
{
    static const char *const endings[] = {"_bucket", "_sum", "_count"};
    size_t n = strlen(family);

    if (length < n || strncmp(name, family, n) != 0)
        return false;
    if (strcmp(type, "histogram") != 0)
        return length == n;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        if (length == n + strlen(endings[i]) && strncmp(name + n, endings[i], length - n) == 0)
            return true;
    }
    return false;
}

/* Each family once: HELP, TYPE, then its lines together; counters end in _total and only they do;
 * no series twice; every value a number; nothing else. Destroys text. */
static void _check_format(char *text)
{
    char *lines[2000], family[128] = "", type[16] = "";
    char families[FAMILIES_MAX][128];
    int n = 0, n_families = 0;

    UNIT_INT(text[strlen(text) - 1], '\n', "the last line is whole");
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        const char *behind;
        char *end;
        size_t length = strcspn(line, "{ ");

        if (strncmp(line, "# HELP ", 7) == 0) {
            UNIT_INT(sscanf(line + 7, "%127[a-z_] ", family), 1, "%s", line);
            for (int i = 0; i < n_families; i++)
                UNIT_OK(strcmp(families[i], family) != 0, "a family once: %s", line);
            (void)snprintf(families[n_families++ % FAMILIES_MAX], 128, "%s", family);
            type[0] = '\0';
            continue;
        }
        if (strncmp(line, "# TYPE ", 7) == 0) {
            char of[128];

            UNIT_INT(sscanf(line + 7, "%127[a-z_] %15s", of, type), 2, "%s", line);
            UNIT_STR(of, family, "%s", line);
            UNIT_OK(strcmp(type, "counter") == 0 || strcmp(type, "gauge") == 0 ||
                        strcmp(type, "histogram") == 0,
                    "%s", line);
            UNIT_INT(strcmp(type, "counter") == 0,
                     strlen(of) > 6 && strcmp(of + strlen(of) - 6, "_total") == 0, "%s", line);
            continue;
        }
        UNIT_OK(type[0] && _of_family(line, length, family, type), "of the family above: %s", line);
        behind = _skip_labels(line + length);
        if (!UNIT_OK(behind && *behind == ' ', "labels: %s", line))
            continue;
        UNIT_OK(isdigit((unsigned char)behind[1]), "a number: %s", line);
        (void)strtod(behind + 1, &end);
        UNIT_INT(*end, '\0', "nothing behind it: %s", line);
        line[behind - line] = '\0';
        for (int i = 0; i < n; i++)
            UNIT_OK(strcmp(lines[i], line) != 0, "a series once: %s", line);
        lines[n++ % 2000] = line;
    }
    UNIT_OK(n > 30 && n_families > 15, "%d series of %d families", n, n_families);
}

static void test_values(void)
{
    struct stat st;
    char path[PATH_MAX], *text;

    _setup();
    (void)snprintf(path, sizeof(path), "%s/" METRICS_NAME, unit_tmpdir());
    UNIT_INT(stat(path, &st), -1, "nothing before the first record");
    _run(30, 100000000);
    text = _text();
    UNIT_INT(stat(path, &st), 0, "there");
    UNIT_INT(st.st_mode & 07777, 0644, "node_exporter is another user");
    UNIT_DBL(_value(text, "carnot_source_joules_total{source=\"rapl:package-0\"}"), 3000, 0.5, "J");
    UNIT_DBL(_value(text, "carnot_source_watts{source=\"rapl:package-0\"}"), 100, 0.5, "W");
    UNIT_DBL(_value(text, "carnot_node_watts"), 100, 0.5, "W");
    UNIT_DBL(_value(text, "carnot_node_quality{quality=\"measured\"}"), 1, 0, "quality");
    UNIT_DBL(_value(text, "carnot_node_quality{quality=\"stale\"}"), 0, 0, "quality");
    UNIT_DBL(_value(text, "carnot_node_covered{component=\"cpu\"}"), 1, 0, "covered");
    UNIT_DBL(_value(text, "carnot_node_covered{component=\"gpu\"}"), 0, 0, "covered");
    UNIT_DBL(_value(text, "carnot_node_joules_total{part=\"idle\"}") +
                 _value(text, "carnot_node_joules_total{part=\"system\"}") +
                 _value(text, "carnot_node_joules_total{part=\"jobs\"}"),
             3000, 2.5, "the parts are the node, but for what is cut off each");
    UNIT_DBL(_value(text, "carnot_source_readings_total{source=\"rapl:package-0\",result="
                          "\"first\"}"),
             1, 0, "first");
    UNIT_DBL(_value(text, "carnotd_tick_seconds_count"), 30, 0, "ticks");
    UNIT_DBL(_value(text, "carnotd_tick_seconds_sum"), 0.0075, 1e-9, "their time");
    UNIT_DBL(_value(text, "carnotd_tick_seconds_bucket{le=\"0.0002\"}"), 0, 0, "longer");
    UNIT_DBL(_value(text, "carnotd_tick_seconds_bucket{le=\"0.0005\"}"), 30, 0, "shorter");
    UNIT_DBL(_value(text, "carnotd_records_unreported"), (double)sampler.seq - 1, 0, "spooled");
    _check_format(text);
    free(text);
    metrics_close(&metrics);
    UNIT_INT(stat(path, &st), -1, "what ended says nothing");
    _stop();
}

/* A source that fails has no watts, and is counted; totals never go back, also over a kill. */
static void test_failures(void)
{
    static const char *const total = "carnot_source_joules_total{source=\"rapl:package-0\"}";
    double before;
    char *text;

    _setup();
    _run(20, 50000000);
    fixture_write(root, E0, "none\n");
    for (int i = 0; i < 20; i++) {
        host_pass(1000);
        (void)sampler_tick(&sampler);
        metrics_tick(&metrics, &sampler, 250, 2, 1);
    }
    text = _text();
    before = _value(text, total);
    UNIT_DBL(before, 1000, 0.5, "what it gave");
    UNIT_DBL(_value(text, "carnot_source_watts{source=\"rapl:package-0\"}"), -1, 0, "no 0 W");
    UNIT_DBL(_value(text, "carnot_source_up{source=\"rapl:package-0\"}"), 0, 0, "down");
    UNIT_OK(_value(text, "carnot_source_readings_total{source=\"rapl:package-0\",result="
                         "\"missing\"}") >= 20,
            "counted");
    UNIT_DBL(_value(text, "carnotd_ticks_missed_total"), 40, 0, "missed");
    UNIT_DBL(_value(text, "carnot_node_quality{quality=\"modelled\"}"), 1, 0, "modelled");
    _check_format(text);
    free(text);
    _stop(); /* a kill would leave the file, which the next run replaces */
    _start("boot-1");
    _run(20, 50000000);
    text = _text();
    UNIT_OK(_value(text, total) > before, "on, not anew: %f", _value(text, total));
    UNIT_OK(_value(text, "carnot_node_joules_total{part=\"idle\"}") > 100, "these as well");
    free(text);
    _stop();
}

/* A place that cannot be written is said once, and costs nothing else. */
static void test_no_place(void)
{
    struct err e;

    _setup();
    metrics_close(&metrics);
    UNIT_INT(metrics_open(&metrics, "", "n1", &e), 0, "none");
    _run(20, 1000000);
    metrics_close(&metrics);
    UNIT_INT(metrics_open(&metrics, "http:1234", "n1", &e), -1, "unknown");
    UNIT_INT(metrics_open(&metrics, "textfile:/nonexistent/%n", "n1", &e), 0, "it may come");
    UNIT_STR(metrics.path, "/nonexistent/n1/" METRICS_NAME, "the node's name");
    said = 0;
    _run(40, 1000000);
    UNIT_INT(said, 1, "once");
    _stop();
}

static void test_promtool(void)
{
    char command[PATH_MAX + 64];

    if (system("command -v promtool >/dev/null 2>&1") != 0)
        unit_skip("promtool is not installed (package prometheus)");
    _setup();
    _run(30, 100000000);
    (void)snprintf(command, sizeof(command), "promtool check metrics <'%s/" METRICS_NAME "'",
                   unit_tmpdir());
    UNIT_INT(system(command), 0, "promtool");
    _stop();
}

#ifdef __GLIBC__
/* A file more takes nothing from the heap. */
static void test_no_allocation(void)
{
    struct mallinfo2 before;

    _setup();
    _run(11, 1000000);
    before = mallinfo2();
    for (int i = 0; i < 1000; i++) {
        now.mono_ms += 1000;
        now.wall_ms += 1000;
        sampler.seq++;
        sampler.start_mono_ms = now.mono_ms;
        metrics_tick(&metrics, &sampler, 1, 0, 1);
    }
    UNIT_INT(mallinfo2().uordblks, before.uordblks, "bytes in use");
    UNIT_INT(metrics.wrote_seq, sampler.seq, "written");
    _stop();
}
#endif

static const struct unit_case cases[] = {
    {"values", test_values},
    {"failures", test_failures},
    {"no_place", test_no_place},
    {"promtool", test_promtool},
#ifdef __GLIBC__
    {"no_allocation", test_no_allocation},
#endif
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "metrics");
}
