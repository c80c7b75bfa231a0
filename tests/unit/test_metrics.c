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

static void _open(const char *file, const char *http, int result)
{
    struct err e = {""};

    (void)snprintf(settings.node.metrics, sizeof(settings.node.metrics), "%s", file);
    (void)snprintf(settings.node.metrics_http, sizeof(settings.node.metrics_http), "%s", http);
    UNIT_INT(metrics_open(&metrics, &settings, "n1", &e), result, "%s: %s", http, e.text);
}

static void _start(const char *boot)
{
    char setting[PATH_MAX + 16];

    log_set_handler(_count, NULL);
    (void)snprintf(state_path, sizeof(state_path), "%s/counters.json", unit_tmpdir());
    host_start(boot, state_path, 0);
    (void)snprintf(setting, sizeof(setting), "textfile:%s", unit_tmpdir());
    _open(setting, "", 0);
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
    _setup();
    metrics_close(&metrics);
    _open("", "", 0);
    _run(20, 1000000);
    metrics_close(&metrics);
    _open("http:1234", "", -1);
    _open("textfile:/nonexistent/%n", "", 0);
    UNIT_STR(metrics.path, "/nonexistent/n1/" METRICS_NAME, "the node's name");
    said = 0;
    _run(40, 1000000);
    UNIT_INT(said, 1, "once");
    _stop();
}

/* The text in this format into NAME of the case's directory. */
static void _save(const char *name, bool openmetrics)
{
    char path[PATH_MAX];
    struct err e = {""};

    (void)snprintf(path, sizeof(path), "%s/%s", unit_tmpdir(), name);
    UNIT_INT(metrics_format(&metrics, &sampler, 1, openmetrics), 0, "it fits");
    UNIT_INT(path_write_alone(path, metrics.text, metrics.used, 0600, 0, &e), 0, "%s", e.text);
}

/* One cap in force, and two that could not be put back. */
static const struct caps capped = {.socket = "/run/x",
                                   .limits = 4,
                                   .failing = true,
                                   .counts[CAP_WAS_SET] = 1,
                                   .counts[CAP_FAILED] = 2};

/* A minute with a job, both its formats in files. */
static void _make_both(void)
{
    _setup();
    metrics.jobs = true;
    metrics.caps = &capped;
    (void)sampler_event(&sampler,
                        &(struct node_event){.kind = NODE_EVENT_START, .job_id = 77, .uid = 1000});
    _run(60, 100000000);
    metrics.wrote_ms -= 10000; /* as behind a record, when there are watts */
    _save("text", false);
    _save("openmetrics", true);
}

static void test_promtool(void)
{
    char command[PATH_MAX + 64];

    if (system("command -v promtool >/dev/null 2>&1") != 0)
        unit_skip("promtool is not installed (package prometheus)");
    _make_both();
    (void)snprintf(command, sizeof(command), "promtool check metrics <'%s/text'", unit_tmpdir());
    UNIT_INT(system(command), 0, "promtool");
    _stop();
}

/* The parser that Prometheus' own Python client has for OpenMetrics: stricter than the server. */
static void test_openmetrics(void)
{
    static const char *const program =
        "from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse\n"
        "families = list(parse(open(\"openmetrics\").read()))\n"
        "types = {f.name: f.type for f in families}\n"
        "assert types[\"carnot_node_joules\"] == \"counter\", types\n"
        "assert types[\"carnot_source\"] == \"info\" and types[\"carnotd\"] == \"info\", types\n"
        "assert types[\"carnotd_tick_seconds\"] == \"histogram\", types\n"
        "units = {f.name: f.unit for f in families}\n"
        "assert units[\"carnot_node_watts\"] == \"watts\", units\n"
        "jobs = [s for f in families if f.name == \"carnot_job_joules\" for s in f.samples]\n"
        "assert [s.labels for s in jobs] == [{\"jobid\": \"77\"}] and jobs[0].value > 0, jobs\n"
        "assert sum(len(f.samples) for f in families) > 30\n";
    struct err e = {""};
    char path[PATH_MAX], command[PATH_MAX + 64];

    if (system("/usr/bin/python3 -c 'import prometheus_client.openmetrics.parser' 2>/dev/null") !=
        0)
        unit_skip("no OpenMetrics parser (package python3-prometheus-client)");
    _make_both();
    (void)snprintf(path, sizeof(path), "%s/judge.py", unit_tmpdir());
    UNIT_INT(path_write_alone(path, program, strlen(program), 0600, 0, &e), 0, "%s", e.text);
    (void)snprintf(command, sizeof(command), "cd '%s' && /usr/bin/python3 judge.py", unit_tmpdir());
    UNIT_INT(system(command), 0, "the parser");
    /* and it is no parser that takes anything */
    UNIT_OK(
        system("cd '/' && /usr/bin/python3 -c 'from prometheus_client.openmetrics.parser import "
               "text_string_to_metric_families as p; list(p(\"# TYPE a counter\\na 1\\n# EOF"
               "\\n\"))' 2>/dev/null") != 0,
        "a counter without _total");
    _stop();
}

/* Both formats by the parser above: what differs is heads and the end. */
static void test_formats(void)
{
    char *older, *newer;

    _make_both();
    CU_ASSERT_FATAL(metrics_format(&metrics, &sampler, 1, false) == 0);
    older = strdup(metrics.text);
    CU_ASSERT_FATAL(metrics_format(&metrics, &sampler, 1, true) == 0);
    newer = strdup(metrics.text);
    UNIT_OK(strstr(older, "# TYPE carnot_node_joules_total counter\n"), "the older one");
    UNIT_OK(strstr(older, "# TYPE carnotd_info gauge\n") && !strstr(older, "# UNIT"), "its heads");
    UNIT_OK(strstr(newer, "# TYPE carnot_node_joules counter\n# UNIT carnot_node_joules joules\n"),
            "the newer one");
    UNIT_OK(strstr(newer, "# TYPE carnotd info\n"), "infos");
    UNIT_STR(newer + strlen(newer) - 6, "# EOF\n", "its end");
    UNIT_DBL(_value(newer, "carnot_job_joules_total{jobid=\"77\"}"),
             _value(older, "carnot_job_joules_total{jobid=\"77\"}"), 0, "one figure");
    UNIT_OK(_value(newer, "carnot_job_joules_total{jobid=\"77\"}") > 0, "the job's");
    UNIT_DBL(_value(newer, "carnotd_cap_limits"), 4, 0, "limits that are lowered");
    UNIT_DBL(_value(newer, "carnotd_cap_restore_failing"), 1, 0, "an alert");
    UNIT_DBL(_value(newer, "carnotd_caps_total{result=\"set\"}"), 1, 0, "set");
    UNIT_DBL(_value(newer, "carnotd_caps_total{result=\"failed\"}"), 2, 0, "failed");
    UNIT_DBL(_value(newer, "carnotd_caps_total{result=\"aside\"}"), 0, 0, "aside");
    UNIT_DBL(_value(newer, "carnotd_caps_total{result=\"none\"}"), -1, 0, "no result");
    metrics.jobs = false;
    metrics.caps = &(const struct caps){.socket = ""};
    CU_ASSERT_FATAL(metrics_format(&metrics, &sampler, 1, false) == 0);
    UNIT_OK(!strstr(metrics.text, "carnotd_cap"), "no caps, no series");
    UNIT_OK(!strstr(metrics.text, "77") && !strstr(metrics.text, "jobid"), "none unless wanted");
    _check_format(older);
    free(older);
    free(newer);
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
    {"formats", test_formats},
    {"promtool", test_promtool},
    {"openmetrics", test_openmetrics},
#ifdef __GLIBC__
    {"no_allocation", test_no_allocation},
#endif
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "metrics");
}
