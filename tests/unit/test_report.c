/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot report: sums, waits and the page on what waiting would have done, against rows of the
 * test's making and figures that were reckoned by hand.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "carnot/would_have.h"
#include "cli_fake.h"
#include "unit.h"

#define S(x) #x
#define ROW(id, user, account, start, end, delay, rest)                                            \
    "{\"job_id\":" S(id) ",\"user\":\"" user "\",\"account\":\"" account                           \
                         "\",\"partition\":\"batch\",\"run\":\"r,1\",\"nodes\":2,\"start_s\":" S(  \
                             start) ",\"end_s\":" S(end) ",\"delay_s\":" S(delay) "," rest "}"
#define KNOWN(j, split, modelled, g, asap)                                                         \
    "\"energy_j\":" S(j) ",\"split_j\":" S(split) ",\"modelled_j\":" S(                            \
        modelled) ",\"carbon_g\":" S(g) ",\"carbon_if_asap_g\":" S(asap) ",\"model_w\":100,"       \
                                                                         "\"exempt\":false"
#define UNKNOWN                                                                                    \
    "\"energy_j\":null,\"split_j\":null,\"modelled_j\":null,\"carbon_g\":null,"                    \
    "\"carbon_if_asap_g\":null,\"model_w\":100,\"exempt\":true"

/* 1795500000 is 4 h before the fake's now. Two pieces. */
static const struct fake_answer answers[] = {
    {"ended", "{\"ok\":true,\"rows\":[" ROW(
                  1, "bob", "bio", 1795500000, 1795503600, 3600,
                  KNOWN(7200000, 0, 1800000, 600,
                        800)) "," ROW(2, "ada", "bio", 1795500000, 1795503600, 0,
                                      KNOWN(3600000, 900000, 0, 400, 400)) "],\"next\":\"1.2.3\"}"},
    {"ended", "{\"ok\":true,\"rows\":[" ROW(3, "ada", "chem", 1795500000, 1795501800, 60,
                                            UNKNOWN) "],\"next\":null}"},
    {"policy", "{\"ok\":true,\"v\":1,\"cluster\":\"ai-1\",\"zone\":\"DE\",\"feed\":\"csv\","
               "\"policy\":\"balanced\","
               "\"lambda_g_per_h\":1,\"lambda_exponent\":1,\"min_gain_g\":50,\"default_delay_s\":0,"
               "\"max_delay_s\":604800,\"pue\":1.2,\"cpu_max_w\":10}"},
    {"intensity", "{\"ok\":true,\"zone\":\"DE\",\"points\":[[1795490000,400],[1795500000,400]],"
                  "\"next_s\":1795500001}"},
    {"intensity",
     "{\"ok\":true,\"zone\":\"DE\",\"points\":[[1795500000,400],[1795507200,100],[1795520000,400]],"
     "\"next_s\":null}"},
    {"nodes", "{\"ok\":true,\"nodes\":[{\"node\":\"n1\",\"energy_j\":9000000,\"idle_j\":1800000},"
              "{\"node\":\"n2\",\"energy_j\":null,\"idle_j\":null}],\"more\":false}"},
    {NULL, NULL}};

static void test_usage(void)
{
    struct fake f;

    fake_init(&f, answers);
    UNIT_INT(fake_run(&f, "report"), 0, "%s", f.err);
    UNIT_STR(f.out,
             "ACCOUNT  JOBS  NODE-H   kWh  MEAS%  kgCO2e  ONCE-kg  SAVED    WAIT    P95\n"
             "bio         2    4.00  3.00   83.3    1.00     1.20    17%  30 min   1h00\n"
             "chem        1    1.00     -      -       -        -      -   1 min  1 min\n"
             "(all)       3    5.00  3.00   83.3    1.00     1.20    17%  20 min   1h00\n",
             "by account");
    UNIT_OK(strstr(f.requests, "\"since_s\":1794909600,\"until_s\":1795514400"), "a week: %s",
            f.requests);
    UNIT_OK(strstr(f.requests, "\"after\":\"1.2.3\""), "piece by piece: %s", f.requests);
    fake_fini(&f);

    fake_init(&f, answers);
    UNIT_INT(fake_run(&f, "report --by run --csv -A bio -u ada -S 2026-11-24 -E now"), 0, "%s",
             f.err);
    UNIT_STR(f.out,
             "run,jobs,jobs_without_energy,node_hours,energy_j,modelled_j,carbon_g,"
             "carbon_if_asap_g,saved_g,delay_mean_s,delay_p95_s\n"
             "\"r,1\",3,1,5,10800000,1800000,1000,1200,200,1220,3600\n",
             "CSV");
    UNIT_OK(strstr(f.requests, "{\"account\":\"bio\",\"op\":\"ended\"") &&
                strstr(f.requests, "\"user\":\"ada\""),
            "filters: %s", f.requests);
    fake_fini(&f);

    fake_init(&f, answers);
    UNIT_INT(fake_run(&f, "report --by user --json"), 0, "%s", f.err);
    UNIT_OK(fake_is_json(f.out), "JSON");
    UNIT_OK(strstr(f.out, "\"user\": \"ada\",\n    \"jobs\": 2,\n    \"jobs_without_energy\": 1,"),
            "%s", f.out);
    fake_fini(&f);
}

static void test_waiting(void)
{
    struct fake f;

    fake_init(&f, answers);
    UNIT_INT(fake_run(&f, "report --waiting"), 0, "%s", f.err);
    UNIT_STR(f.out,
             "USER   JOBS  WAITED    P50    P95    MAX\n"
             "ada       2       1     0s  1 min  1 min\n"
             "bob       1       1   1h00   1h00   1h00\n"
             "(all)     3       2  1 min   1h00   1h00\n",
             "in the order of names");
    fake_fini(&f);

    fake_init(&f, answers);
    UNIT_INT(fake_run(&f, "report --waiting --csv"), 0, "%s", f.err);
    UNIT_STR(f.out,
             "user,jobs,jobs_that_waited,delay_p50_s,delay_p95_s,delay_max_s\n"
             "ada,2,1,0,60,60\nbob,1,1,3600,3600,3600\n",
             "CSV has no row for all");
    fake_fini(&f);
}

/* At most 80 columns and 40 lines, whatever the terminal. */
static void check_page(const char *text)
{
    int lines = 0, column = 0, widest = 0;

    for (const char *p = text; *p; p++) {
        lines += *p == '\n';
        column = *p == '\n' ? 0 : column + (((unsigned char)*p & 0xc0) != 0x80);
        widest = column > widest ? column : widest;
    }
    UNIT_OK(lines <= 40, "%d lines", lines);
    UNIT_OK(widest <= 80, "%d columns: %s", widest, text);
}

static void test_page(void)
{
    struct fake f;

    fake_init(&f, answers);
    UNIT_INT(fake_run(&f, "report --would-have"), 0, "%s", f.err);
    check_page(f.out);
    /* Job 1 could have begun an hour before it did, at 1795496400: with 2 h allowed it ends before
     * the grid gets green at 1795507200. Job 2 starts in 2 h: saved 1 kWh x 0.3 x 1.2 = 360 g of
     * 1440 g. With 4 h both do, 1080 of 1440. Job 3 is exempt. */
    UNIT_OK(
        strstr(f.out,
               "If jobs might have waited         at most 2h       at most 4h      at most 12h\n"
               "  CO2e saved                            25 %             75 %             75 %\n"
               "  added wait, mean                      1h00             2h30             2h30\n"
               "  added wait, 95th perc.                2h00             3h00             3h00\n"
               "  jobs that had waited                  50 %            100 %            100 %\n"),
        "%s", f.out);
    UNIT_OK(strstr(f.out, "1 exempt jobs would not have waited."), "%s", f.out);
    UNIT_OK(strstr(f.out, "Idle nodes: 500 Wh, 20 % of all"), "%s", f.out);
    UNIT_OK(strstr(f.out, "Not measured: 1 of 3 jobs"), "%s", f.out);
    UNIT_OK(strstr(f.out, "policy.default_delay: 4h in"), "half of the best: %s", f.out);
    UNIT_OK(!strstr(f.out, "power saving"), "idle nodes are the smaller lever: %s", f.out);
    fake_fini(&f);

    fake_init(&f, answers);
    f.cli.utf8 = 0;
    UNIT_INT(fake_run(&f, "report --would-have --allowances 30m"), 0, "%s", f.err);
    check_page(f.out);
    UNIT_OK(strstr(f.out, "Let no job wait: it would save less than 0.5 %. See to the idle"), "%s",
            f.out);
    UNIT_OK(strstr(f.out, "(SuspendProgram) would win more"), "%s", f.out);
    fake_fini(&f);

    fake_init(&f, answers);
    UNIT_INT(fake_run(&f, "report --would-have --allowances 2h,4h --json"), 0, "%s", f.err);
    UNIT_OK(fake_is_json(f.out), "JSON");
    UNIT_OK(strstr(f.out, "\"saved_share\": 0.25,"), "%s", f.out);
    fake_fini(&f);
}

/* No job, no node, no intensity: no figure, and no crash. */
static void test_nothing(void)
{
    static const struct fake_answer none[] = {
        {"ended", "{\"ok\":true,\"rows\":[],\"next\":null}"},
        {"policy", "{\"ok\":true,\"cluster\":\"ai-1\",\"zone\":\"DE\",\"feed\":\"csv\","
                   "\"lambda_g_per_h\":1,\"lambda_exponent\":1,\"min_gain_g\":50,\"pue\":1,"
                   "\"cpu_max_w\":8}"},
        {"intensity", "{\"ok\":true,\"points\":[],\"next_s\":null}"},
        {"nodes", "{\"ok\":false,\"error\":\"only operators may do this\"}"},
        {NULL, NULL}};
    static const char *const words[] = {
        "report",        "report --waiting",    "report --csv",
        "report --json", "report --would-have", "report --would-have --json"};
    struct fake f;

    fake_init(&f, none);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        UNIT_INT(fake_run(&f, words[i]), 0, "%s: %s", words[i], f.err);
        UNIT_STR(f.err, "", "%s", words[i]);
        if (strstr(words[i], "--json"))
            UNIT_OK(fake_is_json(f.out), "%s", words[i]);
        else
            check_page(f.out);
    }
    UNIT_INT(fake_run(&f, "report --would-have"), 0, "%s", f.err);
    UNIT_OK(strstr(f.out, "Let carnotctld watch") && strstr(f.out, "Idle nodes: not known"), "%s",
            f.out);
    fake_fini(&f);
}

static void test_bad(void)
{
    static const struct {
        const char *words, *says;
    } rows[] = {
        {"report --by color", "--by takes account, user, run or partition"},
        {"report --by user --waiting", "one of --by, --waiting, --would-have at a time"},
        {"report --csv --json", "--json or --csv, not both"},
        {"report -S now -E yesterday", "the period ends before it begins"},
        {"report -S soonish", "soonish"},
        {"report --would-have --allowances 1h,2h,3h,4h", "at most 3"},
        {"report --would-have --allowances 5", "5"},
        {"report --would-have --allowances 1s", "out of range"},
        {"report --would-have --allowances ,", "report:"},
        {"report all", "takes no operand"},
    };
    struct fake f;

    fake_init(&f, answers);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        UNIT_INT(fake_run(&f, rows[i].words), 2, "%s", rows[i].words);
        UNIT_OK(strstr(f.err, rows[i].says), "%s: %s", rows[i].words, f.err);
    }
    UNIT_STR(f.requests, "", "nobody is asked");
    fake_fini(&f);
}

/* A green hour each day at another hour: the ratio of sums, and its interval over days. */
static void test_interval(void)
{
    struct series_point points[7] = {{0, 400, 0}};
    struct report_job jobs[3];
    struct report r = {.jobs = jobs, .n = 3};
    struct would_have_terms terms = {0, 1, 0, 1, 10};
    struct would_have w;

    for (int day = 0; day < 3; day++) {
        /* saves 300 of 400 g on the first two days, 200 on the third */
        points[2 * day + 1] = (struct series_point){day * 86400 + 7200, day < 2 ? 100 : 200, 0};
        points[2 * day + 2] = (struct series_point){day * 86400 + 10800, 400, 0};
        jobs[day] = (struct report_job){.partition = day ? "a" : "b",
                                        .start_s = day * 86400 + 3600,
                                        .end_s = day * 86400 + 7200,
                                        .energy_j = 3.6e6};
    }
    series_sum(points, 7);
    struct series s = {points, 7, 400000};

    UNIT_INT(would_have_run(&s, &terms, &r, 7200, &w), 0, "run");
    UNIT_INT(w.jobs * 10 + w.waited, 33, "all of them");
    UNIT_DBL(w.once_g, 1200, 1e-6, "at once");
    UNIT_DBL(w.saved_g, 800, 1e-6, "saved");
    UNIT_DBL(w.delay_mean_s, 3600, 1e-9, "an hour each");
    /* residuals 300 - 2/3 x 400 = 33.3 twice, 200 - 266.7 = -66.7; t(2) = 4.303 */
    UNIT_DBL(w.interval, 4.303 * sqrt(6666.67 * 3 / 2) / 1200, 1e-4, "interval");
    UNIT_INT(w.days, 3, "days");
    UNIT_STR(w.partition, "a", "which saves most");
    UNIT_DBL(w.partition_share, 500.0 / 800, 1e-9, "its part");
    r.n = 1;
    UNIT_INT(would_have_run(&s, &terms, &r, 7200, &w), 0, "run");
    UNIT_OK(isnan(w.interval), "one day says nothing of days");
    terms.lambda_g_per_h = 301; /* of one CPU of 10 W: this job has a hundred of them */
    terms.lambda_exponent = 0;
    UNIT_INT(would_have_run(&s, &terms, &r, 7200, &w), 0, "run");
    UNIT_INT(w.waited, 0, "an hour is not worth 300 g then");
    terms.lambda_g_per_h = 2.9;
    terms.lambda_exponent = 1;
    UNIT_INT(would_have_run(&s, &terms, &r, 7200, &w), 0, "run");
    UNIT_INT(w.waited, 1, "290 g an hour for a hundred CPUs");
    terms.lambda_g_per_h = 3.1;
    UNIT_INT(would_have_run(&s, &terms, &r, 7200, &w), 0, "run");
    UNIT_INT(w.waited, 0, "310 g");
    jobs[0].start_s = -10;
    UNIT_INT(would_have_run(&s, &terms, &r, 7200, &w), 0, "run");
    UNIT_INT(w.unknown * 10 + w.jobs, 10, "before anything is known of the grid");
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"usage", test_usage}, {"waiting", test_waiting},
                                             {"page", test_page},   {"nothing", test_nothing},
                                             {"bad", test_bad},     {"interval", test_interval},
                                             {NULL, NULL}};
    return unit_main(argc, argv, cases, "report");
}
