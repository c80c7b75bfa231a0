/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot: dispatch, help, options, errors; status, forecast, nodes, now, on and off.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cli_fake.h"
#include "common/path.h"
#include "unit.h"

#define STATUS                                                                                     \
    "{\"ok\":true,\"v\":1,\"version\":\"0.1.0\",\"cluster\":\"ai-1\",\"mode\":\"observe\","        \
    "\"uptime_s\":93784,\"board\":{\"seq\":88121,\"age_s\":2,\"path\":\"/var/lib/carnot/board\"}," \
    "\"feed\":{\"name\":\"csv\",\"zone\":\"DE\",\"quality\":\"feed\",\"age_s\":370,"               \
    "\"until\":\"2026-11-25T22:00:00Z\",\"g_per_kwh\":412.4},\"slurm\":{\"ok\":true,"              \
    "\"listed_age_s\":3,\"jobs\":812},\"plugin\":{\"version\":\"0.1.0\","                          \
    "\"slurm\":\"22.05\",\"refused\":2,\"no_board\":0,\"bad_boards\":3,\"submit\":"                \
    "{\"calls\":812,\"p50_us\":10,\"p99_us\":21,\"max_us\":310}},\"waiting\":38,\"running\":120,"  \
    "\"nodes\":{\"total\":96,\"reporting\":95},\"switches\":[{\"scope\":\"partition\","            \
    "\"name\":\"debug\",\"mode\":\"act\"}],\"let_go\":{\"left\":12,"                               \
    "\"until\":\"2026-11-24T10:10:00Z\",\"by\":\"root\"}}"

#define YOUNG                                                                                      \
    "{\"ok\":true,\"version\":\"0.1.0\",\"cluster\":\"ai-1\",\"mode\":\"act\",\"uptime_s\":1,"     \
    "\"board\":null,\"feed\":{\"name\":\"csv\",\"zone\":\"DE\",\"quality\":\"none\","              \
    "\"age_s\":null,\"until\":null,\"g_per_kwh\":null},\"slurm\":{\"ok\":false,\"error\":\"no "    \
    "\\u001b\","                                                                                   \
    "\"listed_age_s\":null,\"jobs\":null},\"waiting\":null,\"running\":null,\"nodes\":null}"

#define FORECAST                                                                                   \
    "{\"ok\":true,\"zone\":\"DE\",\"feed\":\"csv\",\"issued\":\"2026-11-24T08:00:00Z\","           \
    "\"quality\":\"feed\",\"slots\":[{\"time\":\"2026-11-24T10:00:00Z\",\"g_per_kwh\":400},"       \
    "{\"time\":\"2026-11-24T11:00:00Z\",\"g_per_kwh\":200.25},"                                    \
    "{\"time\":\"2026-11-24T12:00:00Z\",\"g_per_kwh\":null},"                                      \
    "{\"time\":\"2026-11-24T13:00:00Z\",\"g_per_kwh\":300}]}"

#define NODES                                                                                      \
    "{\"ok\":true,\"nodes\":[{\"node\":\"n1\",\"state\":\"ok\",\"last\":\"2026-11-24T09:59:48Z\"," \
    "\"age_s\":12,\"seq\":4711,\"energy_j\":16600000,\"jobs_j\":12000000,\"idle_j\":4000000,"      \
    "\"system_j\":600000,\"power_w\":412.3,\"quality\":\"measured\",\"coverage\":\"cpu,dram\","    \
    "\"version\":\"0.1.0\",\"troubles\":[{\"name\":\"rapl:package-1\",\"state\":\"missing\","      \
    "\"error\":\"Permission denied\"},{\"name\":\"psu\",\"state\":\"stale\",\"error\":\"\"}]},"    \
    "{\"node\":\"n2\",\"state\":\"silent\",\"last\":null,\"age_s\":7200,"                          \
    "\"seq\":0,\"energy_j\":null,\"jobs_j\":null,\"idle_j\":null,\"system_j\":null,"               \
    "\"power_w\":null,\"quality\":\"none\",\"coverage\":\"\",\"version\":null},"                   \
    "{\"node\":\"n3\",\"state\":\"ok\",\"last\":\"2026-11-24T09:59:48Z\",\"age_s\":3,"             \
    "\"power_w\":200,\"quality\":\"measured\",\"coverage\":\"cpu\",\"troubles\":[]}]}"

static const struct fake_answer answers[] = {
    {"status", STATUS},
    {"forecast", FORECAST},
    {"nodes", NODES},
    {"now", "{\"ok\":true,\"v\":1,\"sentence\":\"81234 waits no longer\"}"},
    {"switch", "{\"ok\":true}"},
    {NULL, NULL}};

static void test_dispatch(void)
{
    static const struct {
        const char *words;
        int status;
        const char *err; /* all of stderr */
    } rows[] = {
        {"", 2, "carnot: which command? carnot --help lists them\n"},
        {"nonsense", 2, "carnot: no command 'nonsense'; carnot --help lists them\n"},
        {"help nonsense", 2, "carnot: no command 'nonsense'; carnot --help lists them\n"},
        {"--nonsense status", 2,
         "carnot: '--nonsense' is no option here; carnot --help lists what there is\n"},
        {"--conf", 2, "carnot: '--conf' is no option here; carnot --help lists what there is\n"},
        {"status more", 2, "carnot: status takes no operand; see carnot help status\n"},
        {"status --nope", 2,
         "carnot: status: unknown or ambiguous option --nope; see carnot help status\n"},
        {"jobs -nq", 2, "carnot: jobs: unknown or ambiguous option -q; see carnot help jobs\n"},
        {"jobs -S", 2, "carnot: jobs: a value is missing behind -S; see carnot help jobs\n"},
        {"status --conf", 2,
         "carnot: status: a value is missing behind --conf; see carnot help status\n"},
        {"now", 2, "carnot: now: which job? squeue --me lists yours\n"},
        {"why", 2, "carnot: why: which job? squeue --me lists yours\n"},
        {"on --user a --account b", 2,
         "carnot: on: one of --partition, --account, --user at a time\n"},
        {"on --all", 2, "carnot: --all and --now go with carnot off only\n"},
        {"off --default --now", 2, "carnot: --all and --now go with carnot off only\n"},
        {"off --all --user a", 2, "carnot: off: --all is the whole cluster: leave --user out\n"},
        {"off --user=", 2, "carnot: off: --user: the name is empty\n"},
        {"forecast --next=5x", 2, NULL},
        {"nodes -o nope", 2, NULL},
        {"jobs -S tomorrowish", 2, NULL},
        {"status", 0, ""},
        {"--conf /nowhere status", 0, ""},
        {"-f /nowhere status", 0, ""},
        {"--conf=/nowhere status --json", 0, ""},
        {"--help", 0, ""},
        {"--version", 0, ""},
    };
    struct fake f;

    fake_init(&f, answers);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        UNIT_INT(fake_run(&f, rows[i].words), rows[i].status, "carnot %s", rows[i].words);
        if (rows[i].err)
            UNIT_STR(f.err, rows[i].err, "carnot %s", rows[i].words);
        else
            UNIT_OK(strchr(f.err, '\n') == strrchr(f.err, '\n') && f.err[0],
                    "carnot %s: one line: %s", rows[i].words, f.err);
        if (rows[i].status != 0)
            UNIT_STR(f.out, "", "carnot %s", rows[i].words);
    }
    fake_fini(&f);
}

static void test_help(void)
{
    static const char *const words[] = {"why",   "now",    "job", "jobs", "forecast", "status",
                                        "nodes", "budget", "on",  "off",  "check",    "place"};
    struct fake f;
    char line[64];

    fake_init(&f, answers);
    fake_run(&f, "--help");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        (void)snprintf(line, sizeof(line), "\n  %-9s ", words[i]);
        UNIT_OK(strstr(f.out, line) != NULL, "--help lists %s", words[i]);
    }
    UNIT_OK(strstr(f.out, "\nFor operators:\n  status") && strstr(f.out, "\nFor admins:\n  check"),
            "three groups: %s", f.out);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        char *by_help;

        (void)snprintf(line, sizeof(line), "help %s", words[i]);
        UNIT_INT(fake_run(&f, line), 0, "%s", line);
        UNIT_OK(strncmp(f.out, "Usage: carnot ", 14) == 0, "%s: %s", line, f.out);
        for (char *p = f.out; *p; p += strcspn(p, "\n") + 1)
            UNIT_OK(strcspn(p, "\n") <= 96, "%s: the line at byte %td is too long", line,
                    p - f.out);
        by_help = strdup(f.out);
        (void)snprintf(line, sizeof(line), "%s --help", words[i]);
        UNIT_INT(fake_run(&f, line), 0, "%s", line);
        UNIT_STR(f.out, by_help, "%s", line);
        free(by_help);
    }
    UNIT_STR(f.requests, "", "help asks nobody");
    fake_fini(&f);
}

/* Every option that --help names has its place in the man page. */
static void test_man_page(void)
{
    static const char *const words[] = {"why",   "now",    "job", "jobs",  "forecast", "status",
                                        "nodes", "budget", "on",  "check", "place"};
    char *page, *to, line[64], option[64];
    struct err e = {""};
    struct fake f;
    size_t size;

    if (path_read(FIXTURES "/../../docs/carnot.1", 1 << 20, &page, &size, &e) < 0)
        unit_skip(e.text);
    to = page;
    for (char *p = page; *p; p++) /* "\\-" is a dash, "\\fB" a font */
        if (*p == '\\' && p[1] == 'f')
            p += 2;
        else if (*p != '\\')
            *to++ = *p;
    *to = '\0';
    fake_init(&f, answers);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        (void)snprintf(line, sizeof(line), "help %s", words[i]);
        fake_run(&f, line);
        for (char *p = f.out; (p = strstr(p, "--")) != NULL; p++) {
            size_t n = 2 + strspn(p + 2, "abcdefghijklmnopqrstuvwxyz-");

            (void)snprintf(option, sizeof(option), "%.*s", (int)n, p);
            if (n > 2)
                UNIT_OK(strstr(page, option) != NULL, "%s of carnot %s", option, words[i]);
            p += n - 1;
        }
    }
    fake_fini(&f);
    free(page);
}

static void test_status(void)
{
    static const struct fake_answer young[] = {{"status", YOUNG}, {NULL, NULL}};
    struct fake f;

    fake_init(&f, answers);
    UNIT_INT(fake_run(&f, "status"), 0, "status");
    UNIT_STR(f.out,
             "carnot   0.1.0 on cluster ai-1, up 1d 2h\n"
             "mode     observe: decides and logs, changes nothing\n"
             "switch   partition debug: act\n"
             "let go   12 jobs are still to go, the last one at 11:10 (by root)\n"
             "board    number 88121, 2s old, /var/lib/carnot/board\n"
             "feed     csv, zone DE: now 412 gCO2e/kWh, forecast feed, 6 min old, reaches to "
             "tomorrow 23:00\n"
             "slurm    answers, job list 3s old, 812 jobs in it\n"
             "plugin   0.1.0 for Slurm 22.05, 812 calls, p99 <= 21 us, 2 refused, 3 bad boards\n"
             "jobs     38 wait for a greener grid, 120 run\n"
             "nodes    95 of 96 report\n",
             "status");
    UNIT_INT(fake_run(&f, "status --json"), 0, "status --json");
    UNIT_OK(fake_is_json(f.out), "status --json");
    UNIT_OK(strstr(f.out, "\"ok\": true,\n    \"listed") && !strstr(f.out, "{\n  \"ok\""),
            "Slurm's ok stays, ours goes: %s", f.out);
    UNIT_STR(f.requests, "{\"op\":\"status\",\"v\":1}\n{\"op\":\"status\",\"v\":1}\n", "requests");
    fake_fini(&f);

    fake_init(&f, young);
    UNIT_INT(fake_run(&f, "status"), 0, "young");
    UNIT_STR(f.out,
             "carnot   0.1.0 on cluster ai-1, up 1s\n"
             "mode     act\n"
             "board    none published yet\n"
             "feed     csv, zone DE: no intensity known, forecast none\n"
             "slurm    does not answer (no ?), job list not read yet\n"
             "plugin   has not written its counters within a minute\n"
             "jobs     - wait for a greener grid, - run\n"
             "nodes    - of - report\n",
             "what is not known is -, not 0");
    fake_fini(&f);
}

static void test_forecast(void)
{
    struct fake f;

    fake_init(&f, answers);
    f.cli.width = 40;
    UNIT_INT(fake_run(&f, "forecast"), 0, "forecast");
    UNIT_STR(f.out,
             "Zone DE, feed csv, forecast feed, issued 09:00\n"
             "  g/kWh\n"
             "    400 ████████                        \n"
             "        ████████                        \n"
             "        ████████                ████████\n"
             "        ████████                ████████\n"
             "    200 ████████████████        ████████\n"
             "        ████████████████        ████████\n"
             "        ████████████████        ████████\n"
             "        ████████████████        ████████\n"
             "        11:00   12:00   13:00   14:00\n"
             "Now 400 g/kWh; lowest 200 at 12:00.\n",
             "forecast");
    UNIT_INT(fake_run(&f, "forecast --table"), 0, "--table");
    UNIT_STR(f.out,
             "TIME   g/kWh\n"
             "11:00    400\n"
             "12:00    200\n"
             "13:00      -\n"
             "14:00    300\n",
             "--table");
    UNIT_INT(fake_run(&f, "forecast -nP --next 2h"), 0, "-nP --next");
    UNIT_STR(f.out, "2026-11-24T10:00:00Z|400\n2026-11-24T11:00:00Z|200\n", "-nP");
    UNIT_INT(fake_run(&f, "forecast --json --next 1h"), 0, "--json");
    UNIT_STR(f.out,
             "{\n  \"zone\": \"DE\",\n  \"feed\": \"csv\",\n"
             "  \"issued\": \"2026-11-24T08:00:00Z\",\n  \"quality\": \"feed\",\n"
             "  \"slots\": [\n    {\n      \"time\": \"2026-11-24T10:00:00Z\",\n"
             "      \"g_per_kwh\": 400\n    }\n  ]\n}\n",
             "--json");
    fake_fini(&f);
}

/* Whose the forecast is, and how far off such ones were: the lines behind the plot. */
static void test_forecast_words(void)
{
#define FORECAST_HEAD                                                                              \
    "{\"ok\":true,\"zone\":\"DE\",\"feed\":\"csv\",\"issued\":\"2026-11-24T08:00:00Z\","           \
    "\"slots\":[{\"time\":\"2026-11-24T10:00:00Z\",\"g_per_kwh\":400}],\"quality\":"
#define FROM "\"from\":\"2026-11-24T10:00:00Z\",\"until\":\"2026-11-24T14:00:00Z\""
    static const struct {
        const char *answer, *want;
    } rows[] = {
        {FORECAST_HEAD "\"feed\",\"parts\":[{\"source\":\"feed\"," FROM "},"
                       "{\"source\":\"profile\"," FROM ",\"known_s\":604800}],\"errors\":["
                       "{\"ahead_h\":1,\"source\":\"feed\",\"n\":40,\"within_g_per_kwh\":12.04},"
                       "{\"ahead_h\":3,\"source\":\"feed\",\"n\":4,\"within_g_per_kwh\":null},"
                       "{\"ahead_h\":24,\"source\":\"profile\",\"n\":40,\"within_g_per_kwh\":30}]}",
         "Until 15:00 the feed; then the usual day of its last week.\n"
         "Of five forecasts four were within 12.0 g/kWh for 1 h ahead, 30.0 for 24 h.\n"},
        {FORECAST_HEAD "\"feed\",\"parts\":[{\"source\":\"feed\"," FROM ",\"known_s\":null}],"
                       "\"errors\":[{\"ahead_h\":1,\"n\":0,\"within_g_per_kwh\":null}]}",
         "All of it is the feed.\nHow far off such forecasts were is not known yet.\n"},
        {FORECAST_HEAD "\"stale\",\"parts\":[{\"source\":\"profile\"," FROM
                       ",\"known_s\":172800}],\"errors\":[]}",
         "All of it is the usual day of its last week (2d 0h known).\n"
         "The feed ended too long ago: no job is made to wait.\n"},
        {FORECAST_HEAD "\"held\",\"parts\":[{\"source\":\"held\"," FROM "}]}",
         "All of it is its last value.\n"},
        {FORECAST_HEAD "\"average\",\"parts\":[{\"source\":\"average\"," FROM "}]}",
         "All of it is the zone's yearly average.\n"},
        {FORECAST_HEAD "\"feed\",\"parts\":3,\"errors\":{\"a\":[]}}", ""},
        {FORECAST_HEAD "\"feed\",\"parts\":[1,{\"source\":7}],\"errors\":[1,{\"ahead_h\":\"x\"}]}",
         "Until - -; then -.\nHow far off such forecasts were is not known yet.\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fake_answer one[] = {{"forecast", rows[i].answer}, {NULL, NULL}};
        struct fake f;
        const char *words;

        fake_init(&f, one);
        UNIT_INT(fake_run(&f, "forecast"), 0, "row %zu", i);
        words = strstr(f.out, "lowest 400 at 11:00.\n");
        if (UNIT_OK(words != NULL, "row %zu: %s", i, f.out))
            UNIT_STR(strchr(words, '\n') + 1, rows[i].want, "row %zu", i);
        fake_fini(&f);
    }
}

static void test_nodes(void)
{
    struct fake f;

    fake_init(&f, answers);
    UNIT_INT(fake_run(&f, "nodes"), 0, "nodes");
    UNIT_STR(f.out,
             "NODE  STATE    AGE    W   kWh  JOBS-kWh  IDLE-kWh  SYS-kWh  Q  COVERAGE\n"
             "n1    ok       12s  412  4.61      3.33      1.11    0.167  M  cpu,dram\n"
             "n2    silent  2h00    -     -         -         -        -  -  -\n"
             "n3    ok        3s  200     -         -         -        -  M  cpu\n",
             "nodes");
    UNIT_INT(fake_run(&f, "nodes --bad -nP -o node,last,quality"), 0, "--bad");
    UNIT_STR(f.out, "n1|2026-11-24T09:59:48Z|measured\nn2|-|none\n", "--bad");
    UNIT_INT(fake_run(&f, "nodes --bad -n -o node"), 0, "causes");
    UNIT_STR(f.out,
             "n1\nn2\n"
             "n1: rapl:package-1 is missing (Permission denied): its files are for root alone: run "
             "carnotd as root (systemctl cat carnotd)\n"
             "n1: psu is stale: its figure does not move: look at it there with carnotd --once\n"
             "n2: silent for 2h00: systemctl status carnotd there; its log says why\n",
             "causes");
    UNIT_INT(fake_run(&f, "nodes --units MJ -n -o node,MJ"), 0, "--units");
    UNIT_STR(f.out, "n1  16.6\nn2     -\nn3     -\n", "--units");
    UNIT_INT(fake_run(&f, "nodes --units MW"), 2, "--units");
    UNIT_STR(f.err, "carnot: --units=MW: accepted: kWh, MJ, J\n", "--units");
    UNIT_INT(fake_run(&f, "nodes --json --bad"), 0, "--json");
    UNIT_OK(fake_is_json(f.out) && f.out[0] == '[' && !strstr(f.out, "\"n3\""), "%s", f.out);
    fake_fini(&f);
}

/* Thousands of nodes come in pages. */
static void test_nodes_pages(void)
{
    static const struct fake_answer pages[] = {
        {"nodes", "{\"ok\":true,\"more\":true,\"nodes\":[{\"node\":\"n1\"},{\"node\":\"n2\"}]}"},
        {"nodes", "{\"ok\":true,\"more\":false,\"nodes\":[{\"node\":\"n3\"}]}"},
        {NULL, NULL}};
    struct fake f;

    fake_init(&f, pages);
    UNIT_INT(fake_run(&f, "nodes -nP -o node"), 0, "two pages");
    UNIT_STR(f.out, "n1\nn2\nn3\n", "two pages");
    UNIT_STR(f.requests, "{\"op\":\"nodes\",\"v\":1}\n{\"offset\":2,\"op\":\"nodes\",\"v\":1}\n",
             "two pages");
    fake_fini(&f);
}

static void test_now(void)
{
    struct fake f;

    fake_init(&f, answers);
    UNIT_INT(fake_run(&f, "now 81234"), 0, "now");
    UNIT_STR(f.out, "81234 waits no longer\n", "now");
    UNIT_INT(fake_run(&f, "now 81234+2 --json"), 0, "a component of a heterogeneous job");
    UNIT_STR(f.out, "{\n  \"sentence\": \"81234 waits no longer\"\n}\n", "--json");
    UNIT_STR(f.requests,
             "{\"job\":81234,\"op\":\"now\",\"v\":1}\n{\"job\":81236,\"op\":\"now\",\"v\":1}\n",
             "requests");
    fake_fini(&f);
}

static void test_job_ids(void)
{
    static const char *const bad[] = {
        "",   "0",       "x",           "-5",         "81234x", "81234_",  "1_2_3", "81234+",
        "+1", "81234 1", "99999999999", "5000000000", "0x10",   "81234_x", "_3"};
    struct fake f;

    fake_init(&f, answers);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char *argv[] = {(char *)"carnot", (char *)"now", (char *)"--", (char *)bad[i], NULL};

        UNIT_INT(fake_run_argv(&f, 4, argv), 2, "'%s'", bad[i]);
        UNIT_OK(strstr(f.err, "is no job id; accepted: 81234") != NULL, "'%s': %s", bad[i], f.err);
    }
    UNIT_STR(f.requests, "", "nobody is asked");
    UNIT_INT(fake_run(&f, "now 81234.0"), 0, "a step stands for its job");
    UNIT_INT(fake_run(&f, "now 81234.batch"), 0, "a step stands for its job");
    fake_fini(&f);
}

static void test_switch(void)
{
    static const struct {
        const char *words, *out, *request;
    } rows[] = {
        {"off", "cluster: Carnot only observes\n",
         "{\"mode\":\"observe\",\"name\":\"\",\"op\":\"switch\",\"scope\":\"cluster\",\"v\":1}\n"},
        {"on --partition debug", "partition debug: Carnot acts\n",
         "{\"mode\":\"act\",\"name\":\"debug\",\"op\":\"switch\",\"scope\":\"partition\",\"v\":1}"
         "\n"},
        {"on --default --account bio", "account bio: no switch of its own any more\n",
         "{\"mode\":\"default\",\"name\":\"bio\",\"op\":\"switch\",\"scope\":\"account\",\"v\":1}"
         "\n"},
        {"off --user=ada --json",
         "{\n  \"mode\": \"observe\",\n  \"scope\": \"user\",\n  \"name\": \"ada\"\n}\n",
         "{\"mode\":\"observe\",\"name\":\"ada\",\"op\":\"switch\",\"scope\":\"user\",\"v\":1}\n"},
        {"off --all --now",
         "cluster and every part of it: Carnot only observes\n"
         "38 waiting jobs are let go, the last one at 11:10 at the latest\n",
         "{\"all\":true,\"mode\":\"observe\",\"name\":\"\",\"now\":true,\"op\":\"switch\","
         "\"scope\":\"cluster\",\"v\":1}\n"},
        {"off --now --account bio --json",
         "{\n  \"mode\": \"observe\",\n  \"scope\": \"account\",\n  \"name\": \"bio\",\n"
         "  \"now\": true,\n  \"let_go\": 38,\n  \"until\": \"2026-11-24T10:10:00Z\"\n}\n",
         "{\"mode\":\"observe\",\"name\":\"bio\",\"now\":true,\"op\":\"switch\","
         "\"scope\":\"account\",\"v\":1}\n"},
    };

    static const struct fake_answer go[] = {
        {"switch", "{\"ok\":true,\"let_go\":38,\"until\":\"2026-11-24T10:10:00Z\"}"}, {NULL, NULL}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fake f;

        fake_init(&f, strstr(rows[i].words, "--now") ? go : answers);
        UNIT_INT(fake_run(&f, rows[i].words), 0, "%s", rows[i].words);
        UNIT_STR(f.out, rows[i].out, "%s", rows[i].words);
        UNIT_STR(f.requests, rows[i].request, "%s", rows[i].words);
        fake_fini(&f);
    }
}

/* A server that is away, refuses, or talks nonsense: exit 1 and one line. */
static void test_server_faults(void)
{
    static const struct {
        const char *answer, *err;
    } rows[] = {
        {NULL, "carnot: carnotctld at localhost:6822: nobody there\n"},
        {"{\"ok\":false,\"error\":\"only operators may do that\"}",
         "carnot: only operators may do that\n"},
        {"{\"ok\":false,\"error\":\"a \\u001b[31m\\nlie\"}", "carnot: a ?[31m?lie\n"},
        {"{\"ok\":false}", "carnot: carnotctld's answer is not to be understood; are its version "
                           "and ours the same? (carnot --version)\n"},
        {"{}", "carnot: carnotctld's answer is not to be understood; are its version and ours the "
               "same? (carnot --version)\n"},
    };
    static const char *const commands[] = {"status",
                                           "forecast",
                                           "nodes",
                                           "now 1",
                                           "why 1",
                                           "job 1",
                                           "job",
                                           "jobs",
                                           "budget list",
                                           "budget remove account a",
                                           "jobs -j 1",
                                           "off",
                                           "place --nodes 1 --time 5",
                                           "why 1_2"};
    static const char *const ops[] = {"status", "forecast", "nodes",       "now",  "why",
                                      "jobs",   "switch",   "budget.list", "place"};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fake_answer all[10] = {{NULL, NULL}};
        struct fake f;

        for (size_t k = 0; k < sizeof(ops) / sizeof(ops[0]); k++)
            all[k] = (struct fake_answer){ops[k], rows[i].answer};
        fake_init(&f, all);
        for (size_t k = 0; k < sizeof(commands) / sizeof(commands[0]); k++) {
            UNIT_INT(fake_run(&f, commands[k]), 1, "%s", commands[k]);
            UNIT_STR(f.err, rows[i].err, "%s", commands[k]);
            UNIT_STR(f.out, "", "%s", commands[k]);
        }
        fake_fini(&f);
    }
}

/* Times out of order, choices outside the window, and roles that are none. */
#define ODD_WINDOW                                                                                 \
    "{\"from\":\"2026-11-24T10:00:00Z\",\"until\":\"2099-11-24T10:00:00Z\","                       \
    "\"start\":\"1999-11-24T10:00:00Z\",\"end\":\"2999-11-24T10:00:00Z\",\"lambda_g_per_h\":1,"    \
    "\"window\":[{\"time\":\"2026-11-24T10:00:00Z\",\"g_per_kwh\":1},"                             \
    "{\"time\":\"2026-11-24T09:00:00Z\",\"g_per_kwh\":null},null,7],"                              \
    "\"alternatives\":[null,{},{\"start\":\"2098-11-24T10:00:00Z\",\"roles\":[1,\"best\","         \
    "\"least\",\"x\"]},{\"start\":\"x\",\"wait_s\":\"y\",\"roles\":[\"now\",\"chosen\"]}]}"

/* Answers of other shapes than documented: no crash, no invented figures. */
static void test_odd_answers(void)
{
    static const char *const odd[] = {
        "{\"ok\":true}",
        "{\"ok\":true,\"jobs\":7,\"nodes\":\"x\",\"slots\":{},\"budgets\":null,\"job\":[],"
        "\"board\":[],\"feed\":3,\"slurm\":null,\"switches\":1,\"place\":[1]}",
        "{\"ok\":true,\"jobs\":[1,null,{}],\"nodes\":[null,{}],\"slots\":[{},{\"time\":\"x\"}],"
        "\"budgets\":[{},5],\"job\":{},\"switches\":[{}],\"place\":{}}",
        "{\"ok\":true,\"jobs\":[{\"job_id\":\"x\",\"start\":5,\"energy_j\":\"much\"}],"
        "\"slots\":[{\"time\":\"2026-11-24T10:00:00Z\",\"g_per_kwh\":\"low\"}],"
        "\"budgets\":[{\"resource\":\"energy\",\"granted\":0,\"left\":0}],"
        "\"job\":{\"series\":[{\"time\":\"2026-11-24T10:00:00Z\"}],\"moves\":1e300,"
        "\"explain\":{\"alternatives\":7,\"window\":{}}}}",
        "{\"ok\":true,\"job\":{\"explain\":" ODD_WINDOW "},\"place\":{\"verdict\":\"run\"},"
        "\"explain\":" ODD_WINDOW "}",
    };
    static const char *const commands[] = {"status",
                                           "forecast",
                                           "forecast --table",
                                           "nodes",
                                           "nodes --bad",
                                           "now 1",
                                           "why 1",
                                           "why --explain 1",
                                           "job 1",
                                           "job",
                                           "jobs -a",
                                           "budget list",
                                           "jobs -j 1",
                                           "on",
                                           "place --nodes 1 --time 5",
                                           "place --nodes 1 --time 5 --explain"};
    static const char *const ops[] = {"status", "forecast", "nodes",       "now",  "why",
                                      "jobs",   "switch",   "budget.list", "place"};

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        struct fake_answer all[10] = {{NULL, NULL}};
        struct fake f;

        for (size_t k = 0; k < sizeof(ops) / sizeof(ops[0]); k++)
            all[k] = (struct fake_answer){ops[k], odd[i]};
        fake_init(&f, all);
        for (size_t k = 0; k < sizeof(commands) / sizeof(commands[0]); k++) {
            int status = fake_run(&f, commands[k]);

            UNIT_OK(status == 0 || status == 1, "%s: %d", commands[k], status);
            UNIT_OK(!strstr(f.out, "nan") && !strstr(f.out, "-9223372"), "row %zu, %s: %s", i,
                    commands[k], f.out);
        }
        fake_fini(&f);
    }
}

/* What others wrote must not drive the terminal of who looks. */
static void test_control_characters(void)
{
    static const struct fake_answer evil[] = {
        {"jobs", "{\"ok\":true,\"jobs\":[{\"job_id\":1,\"name\":\"a\\u001b[2Jb\\u009b1mc\\u007f\","
                 "\"user\":\"mrossi\",\"account\":\"grün\"}]}"},
        {NULL, NULL}};
    struct fake f;

    fake_init(&f, evil);
    UNIT_INT(fake_run(&f, "jobs -n -o name,account"), 0, "jobs");
    UNIT_STR(f.out, "a?[2Jb?1mc?  grün\n", "jobs");
    UNIT_INT(fake_run(&f, "jobs --json"), 0, "--json");
    for (const char *p = f.out; *p; p++)
        UNIT_OK((unsigned char)*p < 0x80 && (*p >= ' ' || *p == '\n'), "%#x", (unsigned)*p);
    UNIT_OK(strstr(f.out, "\\u009B") != NULL, "escaped, not lost: %s", f.out);
    fake_fini(&f);
}

/* A disk that is full must not look like a short list. */
static void test_full_disk(void)
{
    struct fake f;
    struct cli c;
    char *argv[] = {(char *)"carnot", (char *)"status", NULL};
    FILE *full = fopen("/dev/full", "w");

    if (!full)
        unit_skip("no /dev/full");
    fake_init(&f, answers);
    c = f.cli;
    c.out = full;
    c.errs = fopen("/dev/null", "w");
    UNIT_INT(carnot_run(&c, 2, argv), 1, "status > /dev/full");
    fclose(full);
    fclose(c.errs);
    fake_fini(&f);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"dispatch", test_dispatch},
                                             {"help", test_help},
                                             {"man_page", test_man_page},
                                             {"status", test_status},
                                             {"forecast", test_forecast},
                                             {"forecast_words", test_forecast_words},
                                             {"nodes", test_nodes},
                                             {"nodes_pages", test_nodes_pages},
                                             {"now", test_now},
                                             {"job_ids", test_job_ids},
                                             {"switch", test_switch},
                                             {"server_faults", test_server_faults},
                                             {"odd_answers", test_odd_answers},
                                             {"control_characters", test_control_characters},
                                             {"full_disk", test_full_disk},
                                             {NULL, NULL}};

    return unit_main(argc, argv, cases, "cmd_basics");
}
