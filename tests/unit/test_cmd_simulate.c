/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot simulate: what it prints and writes for a small workload, each bad option, and files that
 * make no sense.
 */
#include "config.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli_fake.h"
#include "common/path.h"
#include "common/when.h"
#include "unit.h"

#define HOUR 3600LL
#define N(a) (sizeof(a) / sizeof((a)[0]))
#define TRACE_S 1640995200LL /* 2022-01-01T00:00:00Z */
#define TRACE_HOURS (21 * 24)

static const struct fake_answer none[] = {{NULL, NULL}};

static const char *_path(const char *name)
{
    static char paths[4][512];
    static int at;

    at = (at + 1) % 4;
    (void)snprintf(paths[at], sizeof(paths[at]), "%s/%s", unit_tmpdir(), name);
    return paths[at];
}

static void _write(const char *name, const char *text)
{
    struct err e = {""};

    UNIT_INT(path_write_unsynced(_path(name), text, strlen(text), 0644, &e), 0, "%s", e.text);
}

static char *_read(const char *name)
{
    struct err e = {""};
    char *text = NULL;
    size_t size;

    if (!UNIT_OK(path_read(_path(name), 1 << 24, &text, &size, &e) == 0, "%s", e.text))
        exit(1);
    return text;
}

static double _intensity(int hour)
{
    return 300 + 200 * cos(hour % 24 * 3.14159265358979 / 12) + hour % 7;
}

/* Three weeks of two zones, and ten days of jobs. */
static void _files(void)
{
    char *text = NULL, time[32];
    size_t size;
    FILE *f = open_memstream(&text, &size);

    fputs("time,zone,g_per_kwh\n", f);
    for (int h = 0; h < TRACE_HOURS; h++)
        fprintf(f, "%s,DE,%.6f\n%s,FR,60\n",
                when_format_rfc3339(time, sizeof(time), TRACE_S + h * HOUR), _intensity(h), time);
    fclose(f);
    _write("trace.csv", text);
    free(text);
    f = open_memstream(&text, &size);
    fputs("submit_s,run_s,limit_s,cores,user,name,id\n", f);
    for (int i = 0; i < 120; i++)
        fprintf(f, "%d,%d,%d,%d,u%d,n%d,%d\n", 5000 + i * 7200 + i % 5 * 100, 600 + i * 331 % 30000,
                40000, 1 + i * 7 % 6, i % 4, i % 9, 1000 + i);
    fclose(f);
    _write("jobs.csv", text);
    free(text);
}

/* "simulate --workload ... --carbon ... --zone DE" and these options. */
static int _run(struct fake *f, const char *options)
{
    char words[4096];

    (void)snprintf(words, sizeof(words), "simulate --workload %s --carbon %s --zone DE %s",
                   _path("jobs.csv"), _path("trace.csv"), options);
    return fake_run(f, words);
}

static void test_table(void)
{
    struct fake f;

    fake_init(&f, none);
    _files();
    UNIT_INT(_run(&f, "--nodes 4 --cores-per-node 4"), CLI_DONE, "%s", f.err);
    UNIT_OK(strstr(f.out, "120 jobs (0 left out)") != NULL, "%s", f.out);
    UNIT_OK(strstr(f.out, "4 nodes with 4 cores") != NULL, "%s", f.out);
    UNIT_OK(strstr(f.out, "from 2022-01-01T00:00:00") != NULL, "%s", f.out);
    UNIT_OK(strstr(f.out, "\nasap ") && strstr(f.out, "\nbalanced ") &&
                strstr(f.out, "\ngreenest "),
            "%s", f.out);
    UNIT_INT(_run(&f, "--unbounded -P -n -o POLICY,JOBS --policy ecovisor,wait-awhile,asap"),
             CLI_DONE, "%s", f.err);
    UNIT_STR(f.out, "asap|72\necovisor|72\nwait-awhile|72\n",
             "columns; jobs of the first day and of the last three do not count");
    UNIT_STR(f.err, "", "nothing to complain of");
    UNIT_INT(_run(&f, "--unbounded --start-weeks 3"), CLI_DONE, "%s", f.err);
    UNIT_OK(strstr(f.out, "3 starts from 2022-01-01T00:00:00") != NULL, "%s", f.out);
    fake_fini(&f);
}

static const char *const keys[] = {"workload", "jobs",   "left_out",    "carbon",   "zone",
                                   "start",    "starts", "cores",       "forecast", "lengths",
                                   "core_w",   "seed",   "requeueable", "policies", "limits_drawn"};
static const char *const policy_keys[] = {
    "policy",       "saving_percent",   "of_bound_percent",    "site_saving_percent",
    "added_wait_h", "added_wait_p95_h", "utilisation_percent", "site_saving_asleep_percent",
    "wait_h",       "bounded_slowdown", "late_jobs",           "added_wait_by_core_hours_h",
    "moves",        "pauses",           "unfairness",          "g_saved_per_hour_of_wait",
    "emitted_g",    "bound_g",          "makespan_h",          "core_hours",
    "jobs"};

static double _figure(json_t *root, const char *policy, const char *key)
{
    json_t *one;
    size_t i;

    json_array_foreach(json_object_get(root, "policies"), i,
                       one) if (strcmp(json_string_value(json_object_get(one, "policy")), policy) ==
                                0) return json_number_value(json_object_get(one, key));
    return NAN;
}

static void test_json(void)
{
    const char *options = "--nodes 4 --cores-per-node 4 --forecast api-like --lengths mix "
                          "--requeueable 0.5 --seed 9 --json";
    struct fake f;
    json_t *root, *one;
    char *first;
    size_t i;

    fake_init(&f, none);
    _files();
    UNIT_INT(_run(&f, options), CLI_DONE, "%s", f.err);
    first = strdup(f.out);
    root = json_loads(f.out, 0, NULL);
    UNIT_OK(root != NULL, "%s", f.out);
    for (i = 0; i < N(keys); i++)
        UNIT_OK(json_object_get(root, keys[i]) != NULL, "%s", keys[i]);
    UNIT_INT(json_array_size(json_object_get(root, "policies")), 3, "policies");
    json_array_foreach(json_object_get(root, "policies"), i, one) for (size_t k = 0;
                                                                       k < N(policy_keys); k++)
        UNIT_OK(json_object_get(one, policy_keys[k]) != NULL, "%s", policy_keys[k]);
    UNIT_INT(json_integer_value(json_object_get(root, "seed")), 9, "seed");
    UNIT_INT(json_integer_value(json_object_get(root, "cores")), 16, "cores");
    UNIT_DBL(_figure(root, "asap", "saving_percent"), 0, 1e-12, "asap saves nothing");
    UNIT_OK(_figure(root, "greenest", "saving_percent") > 5, "greenest does");
    UNIT_OK(_figure(root, "greenest", "bound_g") <= _figure(root, "greenest", "emitted_g"),
            "a bound is below");
    json_decref(root);
    UNIT_INT(_run(&f, options), CLI_DONE, "%s", f.err);
    UNIT_STR(f.out, first, "to the byte");
    UNIT_INT(_run(&f, "--nodes 4 --cores-per-node 4 --forecast api-like --lengths mix "
                      "--requeueable 0.5 --seed 10 --json"),
             CLI_DONE, "%s", f.err);
    UNIT_OK(strcmp(f.out, first) != 0, "another seed, other figures");
    free(first);
    UNIT_INT(_run(&f, "--unbounded --start-weeks 2 --json"), CLI_DONE, "%s", f.err);
    root = json_loads(f.out, 0, NULL);
    one = json_array_get(json_object_get(root, "policies"), 1);
    UNIT_OK(json_is_number(json_object_get(json_object_get(one, "saving_percent"), "mean")) &&
                json_is_number(json_object_get(json_object_get(one, "saving_percent"), "half95")),
            "%s", f.out);
    json_decref(root);
    fake_fini(&f);
}

/* Grams of a stretch, from the formula that the trace was written with. */
static double _grams(int64_t from_s, int64_t to_s, double watts)
{
    double g = 0;

    for (int64_t t_s = from_s; t_s < to_s;) {
        int64_t hour = (t_s - TRACE_S) / HOUR, next_s = TRACE_S + (hour + 1) * HOUR;

        next_s = next_s < to_s ? next_s : to_s;
        g += _intensity((int)hour) * watts * (double)(next_s - t_s) / 3.6e6;
        t_s = next_s;
    }
    return g;
}

static int64_t _time(const char *text)
{
    struct err e = {""};
    int64_t ms = 0;

    UNIT_INT(when_parse_rfc3339(text, &ms, &e), 0, "%s", e.text);
    return ms / 1000;
}

/* Rows of the schedule against the jobs and the trace; sums against the JSON. */
static void test_schedule(void)
{
    double grams[3] = {0}, ran_s[3][120] = {{0}};
    static const char *const names[] = {"asap", "balanced", "greenest"};
    char words[512], *text, *rest, *line, *first;
    struct fake f;
    json_t *root;

    fake_init(&f, none);
    _files();
    (void)snprintf(words, sizeof(words),
                   "--nodes 3 --cores-per-node 4 --core-power 25W --json --schedule %s",
                   _path("schedule.csv"));
    UNIT_INT(_run(&f, words), CLI_DONE, "%s", f.err);
    root = json_loads(f.out, 0, NULL);
    text = _read("schedule.csv");
    first = strdup(text);
    rest = text;
    UNIT_STR(strsep(&rest, "\n"), "job,submit,start,end,cores,joules,grams,policy", "header");
    while ((line = strsep(&rest, "\n")) && *line) {
        char submit[32], start[32], end[32], policy[32];
        unsigned job, cores;
        double joules, g;
        int64_t start_s, end_s;
        size_t p = 0;

        if (!UNIT_OK(sscanf(line, "%u,%31[^,],%31[^,],%31[^,],%u,%lf,%lf,%31s", &job, submit, start,
                            end, &cores, &joules, &g, policy) == 8,
                     "%s", line))
            continue;
        while (p < 2 && strcmp(policy, names[p]) != 0)
            p++;
        UNIT_STR(policy, names[p], "%s", line);
        UNIT_OK(job >= 1000 && job < 1120, "%s", line);
        job = (job - 1000) % 120;
        start_s = _time(start);
        end_s = _time(end);
        UNIT_INT(cores, 1 + job * 7 % 6, "%s", line);
        UNIT_INT(_time(submit), TRACE_S + job * 7200 + job % 5 * 100, "%s", line);
        UNIT_OK(_time(submit) <= start_s && start_s < end_s, "%s", line);
        UNIT_DBL(joules, 25.0 * cores * (double)(end_s - start_s), 1e-9 * joules, "%s", line);
        /* the trace has six decimals */
        UNIT_DBL(g, _grams(start_s, end_s, 25.0 * cores), 1e-7 * g, "%s", line);
        ran_s[p][job] += (double)(end_s - start_s);
        grams[p] += g;
    }
    for (size_t p = 0; p < 3; p++) {
        for (int i = 0; i < 120; i++)
            UNIT_DBL(ran_s[p][i], 600 + i * 331 % 30000, 0.1, "%s: job %d", names[p], i);
    }
    free(text);
    /* jobs of the first day and the last three do not count, so the sums do not agree; the same
     * without them is JSON's */
    for (size_t p = 1; p < 3; p++)
        UNIT_OK((grams[p] < grams[0]) == (_figure(root, names[p], "saving_percent") > 0), "%s",
                names[p]);
    json_decref(root);
    UNIT_INT(_run(&f, words), CLI_DONE, "%s", f.err);
    text = _read("schedule.csv");
    UNIT_STR(text, first, "to the byte");
    free(text);
    free(first);
    fake_fini(&f);
}

/* All jobs of a short workload count: sums of the schedule are the figures. */
static void test_schedule_sums(void)
{
    char words[512], *text, *rest, *line;
    double grams = 0;
    struct fake f;
    json_t *root;

    fake_init(&f, none);
    _files();
    _write("jobs.csv", "submit_s,run_s,cores\n0,7200,2\n100,20000,1\n50000,3000,4\n");
    (void)snprintf(words, sizeof(words), "--unbounded --policy wait-awhile --json --schedule %s",
                   _path("schedule.csv"));
    UNIT_INT(_run(&f, words), CLI_DONE, "%s", f.err);
    root = json_loads(f.out, 0, NULL);
    text = rest = _read("schedule.csv");
    while ((line = strsep(&rest, "\n"))) {
        double g;

        if (strstr(line, ",wait-awhile") &&
            sscanf(line, "%*[^,],%*[^,],%*[^,],%*[^,],%*[^,],%*[^,],%lf", &g) == 1)
            grams += g;
    }
    free(text);
    UNIT_DBL(_figure(root, "wait-awhile", "emitted_g"), grams, 1e-9 * grams, "grams");
    UNIT_DBL(_figure(root, "wait-awhile", "bound_g"), grams, 1e-9 * grams, "nothing is better");
    UNIT_DBL(_figure(root, "wait-awhile", "jobs"), 3, 0.1, "all count");
    json_decref(root);
    fake_fini(&f);
}

static void test_html(void)
{
    static const char *const all[] = {"asap",          "balanced",    "greenest",    "lowest-slot",
                                      "lowest-window", "carbon-time", "wait-awhile", "ecovisor"};
    const char *hostile = "<script>alert(1)</script>&\"'\xff.csv";
    char workload[700], html[512], trace[512], *page, *text;
    struct fake f;
    char *argv[] = {(char *)"carnot",
                    (char *)"simulate",
                    (char *)"--workload",
                    workload,
                    (char *)"--carbon",
                    trace,
                    (char *)"--zone",
                    (char *)"DE",
                    (char *)"--unbounded",
                    (char *)"--policy",
                    (char *)"asap,balanced,greenest,lowest-slot,lowest-window,carbon-time,"
                            "wait-awhile,ecovisor",
                    (char *)"--html",
                    html,
                    (char *)"--json",
                    NULL};

    fake_init(&f, none);
    _files();
    text = _read("jobs.csv");
    (void)snprintf(html, sizeof(html), "%s", _path("page.html"));
    (void)snprintf(trace, sizeof(trace), "%s", _path("trace.csv"));
    /* a slash ends a folder's name: the closing tag is one */
    (void)snprintf(workload, sizeof(workload), "%s/<script>alert(1)<", unit_tmpdir());
    UNIT_INT(path_mkdirs(workload, 0755, NULL), 0, "%s", workload);
    (void)snprintf(workload, sizeof(workload), "%s/%s", unit_tmpdir(), hostile);
    UNIT_INT(path_write_unsynced(workload, text, strlen(text), 0644, NULL), 0, "%s", workload);
    free(text);
    UNIT_INT(fake_run_argv(&f, (int)N(argv) - 1, argv), CLI_DONE, "%s", f.err);
    UNIT_OK(fake_is_json(f.out), "bytes that are no UTF-8: %s", f.out);
    page = _read("page.html");
    UNIT_OK(strncmp(page, "<!doctype html>", 15) == 0, "%.40s", page);
    UNIT_OK(strstr(page, "<script") == NULL && strstr(page, "&#60;script&#62;") != NULL, "escaped");
    for (size_t i = 0; i < N(all); i++)
        UNIT_OK(strstr(page, all[i]) != NULL, "%s", all[i]);
    UNIT_OK(strstr(page, "nan") == NULL && strstr(page, "inf,") == NULL, "only numbers");
    UNIT_OK(strstr(page, "src=") == NULL && strstr(page, "href=") == NULL, "loads nothing");
    UNIT_OK(strstr(page, "</html>") != NULL, "whole");
    free(page);
    argv[12] = (char *)"/nowhere/page.html";
    UNIT_INT(fake_run_argv(&f, (int)N(argv) - 1, argv), CLI_FAILED, "no such folder");
    UNIT_OK(strstr(f.err, "/nowhere/page.html") != NULL, "%s", f.err);
    fake_fini(&f);
}

static void test_bad_options(void)
{
    static const struct {
        const char *options, *says;
    } rows[] = {
        {"", "needs a machine: --nodes with --cores-per-node, or --unbounded"},
        {"--unbounded --nodes 4 --cores-per-node 4", "needs a machine"},
        {"--nodes 4", "--nodes needs --cores-per-node"},
        {"--nodes 0 --cores-per-node 4", "--nodes: '0'"},
        {"--nodes 4x --cores-per-node 4", "--nodes: '4x'"},
        {"--nodes 1.5 --cores-per-node 4", "--nodes: '1.5'"},
        {"--nodes 4 --cores-per-node -1", "--cores-per-node: '-1'"},
        {"--nodes 4 --cores-per-node nan", "--cores-per-node: 'nan'"},
        {"--nodes 1e9 --cores-per-node 4", "--nodes: '1e9'"},
        {"--nodes 4 --cores-per-node 4 --policy wait-awhile", "wait-awhile takes no notice"},
        {"--nodes 4 --cores-per-node 4 --policy asap,ecovisor", "ecovisor takes no notice"},
        {"--unbounded --policy green", "--policy: 'green' is none of asap, balanced, greenest"},
        {"--unbounded --policy asap,", "--policy: '' is none of"},
        {"--unbounded --policy asap,asap,asap,asap,asap,asap,asap,asap,asap,asap",
         "--policy: too long"},
        {"--unbounded --max-delay soon", "--max-delay: "},
        {"--unbounded --max-delay -5h", "--max-delay: "},
        {"--unbounded --max-delay 9000h", "--max-delay: more than a year"},
        {"--unbounded --max-delay 99999999999999999h", "--max-delay: "},
        {"--unbounded --lambda 5", "--lambda: "},
        {"--unbounded --lambda-exponent 3", "--lambda-exponent: '3'"},
        {"--unbounded --target-wait rule", "--target-wait: "},
        {"--unbounded --target-wait 10000h", "--target-wait: more than a year"},
        {"--unbounded --forecast crystal", "--forecast: 'crystal' is none of perfect, api-like"},
        {"--unbounded --lengths long", "--lengths: 'long' is none of exact, requested"},
        {"--unbounded --requeueable 1.1", "--requeueable: '1.1'"},
        {"--unbounded --requeueable inf", "--requeueable: 'inf'"},
        {"--unbounded --min-gain much", "--min-gain: "},
        {"--unbounded --overbook -1", "--overbook: '-1'"},
        {"--unbounded --core-power 5", "--core-power: "},
        {"--unbounded --seed -1", "--seed: '-1'"},
        {"--unbounded --seed 1e300", "--seed: '1e300'"},
        {"--unbounded --bound-steps 1e9", "--bound-steps: '1e9'"},
        {"--unbounded --start-weeks 0", "--start-weeks: '0'"},
        {"--unbounded --start-weeks 53", "--start-weeks: '53'"},
        {"--unbounded --start yesterday", "--start: "},
        {"--unbounded --workload-unit min", "--workload-unit: takes s or h"},
        {"--unbounded extra", "takes no operand"},
        {"--unbounded -o WRONG", "WRONG"},
    };
    struct fake f;

    fake_init(&f, none);
    _files();
    for (size_t i = 0; i < N(rows); i++) {
        UNIT_INT(_run(&f, rows[i].options), CLI_USAGE, "%s", rows[i].options);
        UNIT_OK(strstr(f.err, rows[i].says) != NULL, "%s: %s", rows[i].options, f.err);
        UNIT_STR(f.out, "", "%s", rows[i].options);
    }
    UNIT_INT(fake_run(&f, "simulate --unbounded --zone DE"), CLI_USAGE, "no files");
    UNIT_OK(strstr(f.err, "needs --workload, --carbon and --zone") != NULL, "%s", f.err);
    fake_fini(&f);
}

static void test_bad_files(void)
{
    static const struct {
        const char *jobs, *trace, *options, *says;
    } rows[] = {
        {NULL, NULL, "--unbounded --zone XX", "XX"},
        {NULL, NULL, "--unbounded --column nothing", "nothing"},
        {NULL, NULL, "--unbounded --carbon /nowhere/x", "/nowhere/x"},
        {NULL, NULL, "--unbounded --workload /nowhere/y", "/nowhere/y"},
        {NULL, NULL, "--unbounded --schedule /nowhere/z", "/nowhere/z"},
        {NULL, NULL, "--unbounded --start 9999-01-01T00:00:00Z", "--start lies too far"},
        {"submit_s,run_s,cores\n0,90000000,1\n", NULL, "--unbounded", "no job that ran"},
        {"submit_s,run_s,cores\n0,1,1\n99999999999,1,1\n", NULL, "--unbounded", "lies too far"},
        {"", NULL, "--unbounded", "no job in it"},
        {NULL, "time,zone,g_per_kwh\n2022-01-01T00:00:00Z,DE,-5\n", "--unbounded", "trace.csv:2: "},
        {NULL, NULL, "--unbounded --power-model /nowhere/m", "--power-model counts nodes"},
        {NULL, NULL, "--nodes 1 --cores-per-node 8 --power-model /nowhere/m", "/nowhere/m"},
    };
    struct fake f;

    fake_init(&f, none);
    for (size_t i = 0; i < N(rows); i++) {
        _files();
        if (rows[i].jobs)
            _write("jobs.csv", rows[i].jobs);
        if (rows[i].trace)
            _write("trace.csv", rows[i].trace);
        UNIT_INT(_run(&f, rows[i].options), CLI_FAILED, "row %zu: %s", i, rows[i].options);
        UNIT_OK(strstr(f.err, rows[i].says) != NULL, "row %zu: %s", i, f.err);
        UNIT_STR(f.out, "", "row %zu", i);
    }
    fake_fini(&f);
}

static void test_power_model(void)
{
    static const struct {
        const char *text, *suffix, *says; /* NULL: good */
    } rows[] = {
        {"name,node_idle_w,node_max_w\nbig,100,500\nsmall,20,100\n", "", NULL},
        {"name,node_idle_w,node_max_w\nbig,100,500\nsmall,20,100\n", ":small", NULL},
        {"name,node_idle_w,node_max_w\r\nbig,100,500\r\n", "", NULL},
        {"name,node_idle_w,node_max_w\nbig,100,500\n", ":medium", "no row medium"},
        {"name,node_idle_w,node_max_w\nbig,500,100\n", "", "no row"},
        {"name,node_idle_w,node_max_w\nbig,x,100\n", "", "no row"},
        {"name,node_idle_w,node_max_w\nbig,1,9999999999999999999999999\n", "", "no row"},
        {"name,node_idle_w\nbig,500\n", "", "the first line has to name"},
        {"", "", "the first line has to name"},
    };
    static const double core_w[] = {100, 20, 100};
    char words[600];
    struct fake f;

    fake_init(&f, none);
    _files();
    for (size_t i = 0; i < N(rows); i++) {
        _write("model.csv", rows[i].text);
        (void)snprintf(words, sizeof(words),
                       "--nodes 4 --cores-per-node 4 --json --power-model %s%s", _path("model.csv"),
                       rows[i].suffix);
        UNIT_INT(_run(&f, words), rows[i].says ? CLI_FAILED : CLI_DONE, "row %zu: %s", i, f.err);
        if (rows[i].says) {
            UNIT_OK(strstr(f.err, rows[i].says) != NULL, "row %zu: %s", i, f.err);
        } else {
            json_t *root = json_loads(f.out, 0, NULL);

            UNIT_DBL(json_number_value(json_object_get(root, "core_w")), core_w[i], 1e-9, "row %zu",
                     i);
            UNIT_OK(_figure(root, "greenest", "site_saving_percent") <
                        _figure(root, "greenest", "saving_percent"),
                    "idle nodes stay on, row %zu", i);
            json_decref(root);
        }
    }
    fake_fini(&f);
}

static const struct unit_case cases[] = {
    {"table", test_table},
    {"json", test_json},
    {"schedule", test_schedule},
    {"schedule_sums", test_schedule_sums},
    {"html", test_html},
    {"bad_options", test_bad_options},
    {"bad_files", test_bad_files},
    {"power_model", test_power_model},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "cmd_simulate");
}
