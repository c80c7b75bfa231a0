/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dry run: its options, its answer from a board, and carnot place around both.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "carbon/forecast.h"
#include "cli_fake.h"
#include "common/path.h"
#include "placement/place.h"
#include "unit.h"

#define HOUR 3600LL

/* A day that is dirty but for two hours from 13:00 to 15:00 UTC (now is 10:00). */
static struct series_point points[3] = {
    {FAKE_NOW_S - HOUR, 400, 0}, {FAKE_NOW_S + 3 * HOUR, 100, 0}, {FAKE_NOW_S + 5 * HOUR, 400, 0}};
static const struct board_partition partitions[2] = {
    {.name = "batch", .is_default = 1, .nodes = 16, .cpus_per_node = 8, .max_time_s = 48 * HOUR},
    {.name = "whole", .exclusive = 1, .nodes = 16, .cpus_per_node = 8, .max_time_s = 48 * HOUR}};
static const struct board_budget budgets[1] = {{.scope = BOARD_ACCOUNT,
                                                .resource = 0,
                                                .name = "poor",
                                                .granted = 3600000000000,
                                                .left = 36000000000,
                                                .renews_s = FAKE_NOW_S + 7 * 24 * HOUR}};
static const struct board_user users[1] = {{.uid = 1001, .name = "ada", .default_account = "poor"}};
static const uint32_t planned[2 * 4];

static struct board _board(void)
{
    struct board b = {
        .head = {.published_ms = FAKE_NOW_S * 1000 - 2000,
                 .listed_ms = FAKE_NOW_S * 1000 - 2000,
                 .seq = 7,
                 .cluster = "ai-1",
                 .zone = "DE",
                 .feed = "csv",
                 .feed_until_s = FAKE_NOW_S + 24 * HOUR,
                 .issued_s = FAKE_NOW_S - HOUR,
                 .forecast_quality = FORECAST_FEED,
                 .mode = 1,
                 .policy = POLICY_BALANCED,
                 .lambda_g_per_h = 1,
                 .min_gain_g = 1,
                 .overbook = 1,
                 .pue = 1.2,
                 .user_lease_share = 0.5,
                 .cpu_max_w = 10,
                 .gpu_max_w = 300,
                 .site_delay_s = 4 * HOUR,
                 .max_delay_s = 168 * HOUR,
                 .max_age_ms = 60000,
                 .slot_s = 900,
                 .slot_start_s = FAKE_NOW_S,
                 .intensity_end_s = FAKE_NOW_S + 24 * HOUR},
        .points = points,
        .partitions = partitions,
        .budgets = budgets,
        .users = users,
        .planned = planned,
        .n_points = 3,
        .n_partitions = 2,
        .n_budgets = 1,
        .n_users = 1,
        .n_slots = 4,
    };

    (void)setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    series_sum(points, 3);
    return b;
}

/* 0, or the error of the first option that is refused. */
static int _parse(struct place_query *q, const char *const (*options)[2], struct err *e)
{
    place_query_init(q);
    for (; (*options)[0]; options++)
        if (place_parse(q, (*options)[0], (*options)[1], FAKE_NOW_S, e) < 0)
            return -1;
    return 0;
}

static void test_parse(void)
{
    static const char *const good[][2] = {{"nodes", "4"},
                                          {"cpus_per_node", "8"},
                                          {"gpus-per-node", "2"},
                                          {"array-tasks", "10"},
                                          {"time", "2:00:00"},
                                          {"partition", "a,b"},
                                          {"account", "bio"},
                                          {"user", "ada"},
                                          {"name", "my job"},
                                          {"carbon-finish-by", "08:00"},
                                          {"at", "2026-12-24T09:00:00"},
                                          {"carbon-delay", "12h"},
                                          {"energy-budget", "5kWh"},
                                          {"nodes", "5"},
                                          {NULL, NULL}};
    struct place_query q;
    struct err e = {""};

    (void)setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    UNIT_INT(_parse(&q, good, &e), 0, "%s", e.text);
    UNIT_INT(q.nodes, 5, "the later wins");
    UNIT_INT(q.cpus_per_node, 8, "underscores are dashes");
    UNIT_INT(q.gpus_per_node, 2, "gpus");
    UNIT_INT(q.array_tasks, 10, "tasks");
    UNIT_INT(q.limit_s, 2 * HOUR, "time");
    UNIT_STR(q.partition, "a,b", "partition");
    UNIT_STR(q.account, "bio", "account");
    UNIT_STR(q.user, "ada", "user");
    UNIT_STR(q.name, "my job", "name");
    UNIT_INT(q.at_s, 1798099200, "at: local");
    UNIT_INT(q.request.finish_by_s, 1798099200 + 23 * HOUR, "finish-by: the next one after at");
    UNIT_INT(q.request.delay_s, 12 * HOUR, "delay");
    UNIT_INT(q.request.energy_budget_uj, 18000000000000, "budget");
}

static void test_parse_bad(void)
{
    static const char *const bad[][2] = {{"nodes", "0"},
                                         {"nodes", "-1"},
                                         {"nodes", "1.5"},
                                         {"nodes", ""},
                                         {"nodes", "1000001"},
                                         {"nodes", "99999999999999999999"},
                                         {"nodes", "4 "},
                                         {"nodes", "0x4"},
                                         {"cpus-per-node", "all"},
                                         {"time", ""},
                                         {"time", "0"},
                                         {"time", "2x"},
                                         {"time", "-5"},
                                         {"partition", ""},
                                         {"name", ""},
                                         {"partition", "a b"},
                                         {"account", "a\nb"},
                                         {"user", "\x7f"},
                                         {"at", "someday"},
                                         {"at", ""},
                                         {"carbon-delay", "12x"},
                                         {"carbon-finish-by", ""},
                                         {"carbon-finish-by", "25:00"},
                                         {"carbon-policy", "green"},
                                         {"energy-budget", "5"},
                                         {"board", "x"},
                                         {"json", "1"},
                                         {"", "1"},
                                         {"node", "1"},
                                         {"nodess", "1"}};
    char text[400];
    struct place_query q, before;
    struct err e;

    place_query_init(&q);
    (void)place_parse(&q, "nodes", "3", FAKE_NOW_S, NULL);
    before = q;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        e.text[0] = '\0';
        UNIT_INT(place_parse(&q, bad[i][0], bad[i][1], FAKE_NOW_S, &e), -1, "%s=%s", bad[i][0],
                 bad[i][1]);
        UNIT_OK(strstr(e.text, "--") != NULL && !strchr(e.text, '\n'), "%s=%s: %s", bad[i][0],
                bad[i][1], e.text);
        UNIT_OK(memcmp(&q, &before, sizeof(q)) == 0, "%s=%s: unchanged", bad[i][0], bad[i][1]);
    }
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t i = 0; place_options[i].name; i++)
        UNIT_INT(place_parse(&q, place_options[i].name, text, FAKE_NOW_S, &e), -1, "%s, long",
                 place_options[i].name);
    UNIT_INT(place_parse(&q, "carbon-finish-by", text, FAKE_NOW_S, &e), -1, "finish-by, long");
    UNIT_OK(memcmp(&q, &before, sizeof(q)) == 0, "unchanged");
}

static void test_run(void)
{
    static const char *const delayed[][2] = {{"nodes", "2"},
                                             {"cpus-per-node", "8"},
                                             {"time", "2h"},
                                             {"carbon-delay", "8h"},
                                             {NULL, NULL}};
    struct board b = _board();
    struct place_answer a;
    struct place_query q;
    struct err e = {""};

    UNIT_INT(_parse(&q, delayed, &e), 0, "%s", e.text);
    UNIT_INT(place_run(&b, NULL, &q, FAKE_NOW_S, &a, &e), 0, "%s", e.text);
    UNIT_STR(a.verdict, "delay", "verdict");
    UNIT_INT(a.verdict_id, VERDICT_DELAY, "verdict");
    UNIT_INT(a.start_s, FAKE_NOW_S + 3 * HOUR, "into the dip");
    UNIT_INT(a.latest_s, FAKE_NOW_S + 8 * HOUR, "latest");
    UNIT_INT(a.delay_s, 3 * HOUR, "delay");
    UNIT_DBL(a.energy_j, 16 * 10 * 7200.0, 1e-6, "16 CPUs of 10 W for 2 h");
    UNIT_DBL(a.carbon_g, 0.32 * 100 * 1.2, 1e-6, "0.32 kWh at 100 g, PUE 1.2");
    UNIT_DBL(a.carbon_now_g, 0.32 * 400 * 1.2, 1e-6, "and at 400 g");
    UNIT_STR(a.policy, "balanced", "policy");
    UNIT_STR(a.feed, "csv", "feed");
    UNIT_STR(a.zone, "DE", "zone");
    UNIT_STR(a.quality, "feed", "quality");
    UNIT_STR(a.code, "GREENER_LATER", "code");
    UNIT_OK(strncmp(a.reason, "waits until 14:00 ", 18) == 0, "%s", a.reason);
    UNIT_INT(a.explain.start_s - a.start_s, 0, "what is explained is the decision");
    UNIT_INT(a.explain.end_s, a.start_s + 2 * HOUR, "end");
    UNIT_INT(a.explain.until_s - a.latest_s, 0, "its window");
    UNIT_INT(a.explain.n_starts, 3, "now, the dip, latest");
    UNIT_DBL(a.explain.starts[0].carbon_ug, a.carbon_now_g * 1e6, 1, "now");
    UNIT_DBL(a.explain.starts[1].carbon_ug, a.carbon_g * 1e6, 1, "the dip");
    UNIT_DBL(a.explain.starts[2].carbon_ug, a.carbon_now_g * 1e6, 1, "latest is dirty again");
    UNIT_INT(a.n_predicted, 1, "nothing is known of its length");
    UNIT_INT(a.predicted_s[0], 2 * HOUR, "but the limit");
}

/* By the last runs of a name, at the watts that they drew. */
static void test_name(void)
{
    static const char *const options[][2] = {
        {"nodes", "2"},         {"cpus-per-node", "8"}, {"time", "10h"}, {"name", "train"},
        {"carbon-delay", "8h"}, {"account", "bio"},     {NULL, NULL}};
    struct board b = _board();
    struct place_answer a;
    struct place_query q;
    struct err e = {""};

    UNIT_INT(_parse(&q, options, &e), 0, "%s", e.text);
    q.uid = b.users[0].uid;
    const struct board_past past = {.uid = b.users[0].uid,
                                    .name = board_name_hash("train"),
                                    .n_runs = 2,
                                    .run_s = {3600, 1800},
                                    .cpu_w = 5};
    b.pasts = &past;
    b.n_pasts = 1;
    UNIT_INT(place_run(&b, NULL, &q, FAKE_NOW_S, &a, &e), 0, "%s", e.text);
    UNIT_INT(a.n_predicted, 3, "two runs and the limit");
    UNIT_OK(a.predicted_s[0] == 3600 && a.predicted_s[1] == 1800 && a.predicted_s[2] == 10 * HOUR,
            "as known");
    UNIT_INT(a.start_s, FAKE_NOW_S + 3 * HOUR, "into the dip");
    UNIT_DBL(a.energy_j, 16 * 10 * 36000.0, 1e-6, "at most");
    UNIT_OK(a.likely_g < a.carbon_g / 2, "%g of %g", a.likely_g, a.carbon_g);
    UNIT_OK(a.likely_g < a.likely_now_g, "%g, at once %g", a.likely_g, a.likely_now_g);
    UNIT_DBL(a.explain.starts[0].carbon_ug, a.likely_now_g * 1e6, 1, "explained by what is likely");
    UNIT_DBL(a.explain.starts[1].carbon_ug, a.likely_g * 1e6, 1, "and this one");
}

/* Every code that a dry run can give, and that it always says something. */
static void test_codes(void)
{
    static const struct {
        const char *const options[8][2];
        const char *verdict, *code, *says;
    } rows[] = {
        {{{"nodes", "1"}, {"time", "2h"}}, "run", "NONE", "no delay was allowed"},
        {{{"nodes", "16"}, {"time", "2h"}, {"carbon-delay", "1h"}}, "run", "FLAT", "as Slurm"},
        {{{"nodes", "16"}, {"time", "2h"}, {"carbon-delay", "8h"}, {"carbon-policy", "asap"}},
         "run",
         "NONE",
         "starts as Slurm decides"},
        {{{"nodes", "16"}, {"time", "2h"}, {"carbon-delay", "site"}}, "delay", "GREENER_LATER", ""},
        {{{"nodes", "16"}, {"time", "2h"}, {"carbon-finish-by", "18:00"}},
         "delay",
         "GREENER_LATER",
         ""},
        {{{"nodes", "16"}, {"time", "2h"}, {"account", "poor"}},
         "refuse",
         "BUDGET_LEFT",
         "account poor has"},
        {{{"nodes", "16"}, {"time", "2h"}, {"user", "ada"}},
         "refuse",
         "BUDGET_LEFT",
         "account poor has"},
        {{{"nodes", "1"}, {"time", "30"}, {"account", "poor"}, {"array-tasks", "100"}},
         "refuse",
         "BUDGET_LEFT",
         "100 tasks"},
        {{{"nodes", "1"}, {"time", "30"}, {"account", "poor"}}, "run", "NONE", ""},
        {{{"nodes", "16"}, {"time", "2h"}, {"user", "nobody-known"}}, "run", "NONE", ""},
        {{{"nodes", "16"}, {"time", "2h"}, {"carbon-delay", "8h"}, {"at", "16:00"}},
         "run",
         "FLAT",
         ""},
    };
    struct board b = _board();

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct place_query q;
        struct place_answer a;
        struct err e = {""};

        UNIT_INT(_parse(&q, rows[i].options, &e), 0, "row %zu: %s", i, e.text);
        UNIT_INT(place_run(&b, NULL, &q, FAKE_NOW_S, &a, &e), 0, "row %zu: %s", i, e.text);
        UNIT_STR(a.verdict, rows[i].verdict, "row %zu: %s", i, a.reason);
        UNIT_STR(a.code, rows[i].code, "row %zu: %s", i, a.reason);
        UNIT_OK(a.reason[0] && strstr(a.reason, rows[i].says), "row %zu: %s", i, a.reason);
        UNIT_OK(a.latest_s >= a.start_s, "row %zu", i);
    }
}

static void test_run_bad(void)
{
    static const struct {
        const char *const options[8][2];
        const char *says;
    } rows[] = {
        {{{"time", "2h"}}, "--nodes is missing"},
        {{{"nodes", "2"}}, "--time is missing"},
        {{{"nodes", "2"}, {"time", "2h"}, {"partition", "nope"}}, "no partition nope"},
        {{{"nodes", "2"}, {"time", "2h"}, {"partition", "nope,,neither"}}, "no partition"},
        {{{"nodes", "2"}, {"time", "2h"}, {"carbon-policy", "greenest"}, {"carbon-delay", "off"}},
         "greenest"},
    };
    struct board b = _board();
    struct place_query q;
    struct place_answer a;
    struct err e = {""};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        UNIT_INT(_parse(&q, rows[i].options, &e), 0, "row %zu: %s", i, e.text);
        UNIT_INT(place_run(&b, NULL, &q, FAKE_NOW_S, &a, &e), -1, "row %zu", i);
        UNIT_OK(strstr(e.text, rows[i].says) != NULL, "row %zu: %s", i, e.text);
    }
    UNIT_INT(_parse(&q,
                    (const char *const[][2]){
                        {"nodes", "2"}, {"time", "2h"}, {"partition", "nope,batch"}, {NULL, NULL}},
                    &e),
             0, "%s", e.text);
    UNIT_INT(place_run(&b, NULL, &q, FAKE_NOW_S, &a, &e), 0, "one of the list is known");
}

/* Without any intensity the answer is "runs", grams are unknown, and nothing divides by zero. */
static void test_no_forecast(void)
{
    struct board b = _board();
    struct place_query q;
    struct place_answer a;
    struct err e = {""};

    b.n_points = 0;
    b.points = NULL;
    b.head.forecast_quality = FORECAST_NONE;
    UNIT_INT(_parse(&q,
                    (const char *const[][2]){{"nodes", "1000000"},
                                             {"cpus-per-node", "1000000"},
                                             {"time", "2h"},
                                             {"carbon-delay", "8h"},
                                             {"array-tasks", "1000000"},
                                             {NULL, NULL}},
                    &e),
             0, "%s", e.text);
    UNIT_INT(place_run(&b, NULL, &q, FAKE_NOW_S, &a, &e), 0, "%s", e.text);
    UNIT_STR(a.code, "FEED_STALE", "code");
    UNIT_OK(isnan(a.carbon_g) && isnan(a.carbon_now_g), "grams are not known");
    UNIT_INT(a.explain.n_steps, 0, "nothing to plot");
    UNIT_OK(isfinite(a.energy_j), "energy is");
}

/* A window of any length fits the plot. */
static void test_windows(void)
{
    static const char *const lengths[] = {"1", "10s", "1h", "1-0", "7-0", "365-0"};
    struct board b = _board();

    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < 5; k++) {
            struct place_query q;
            struct place_answer a;
            struct err e = {""};
            const char *const options[][2] = {{"nodes", "2"},
                                              {"time", lengths[i]},
                                              {"carbon-delay", lengths[k]},
                                              {"carbon-policy", "greenest"},
                                              {NULL, NULL}};

            UNIT_INT(_parse(&q, options, &e), 0, "%s", e.text);
            UNIT_INT(place_run(&b, NULL, &q, FAKE_NOW_S, &a, &e), 0, "%s", e.text);
            UNIT_OK(a.explain.n_steps >= 1 && a.explain.n_steps <= EXPLAIN_STEPS_MAX, "%s, %s: %zu",
                    lengths[i], lengths[k], a.explain.n_steps);
        }
}

/* The board as a file of this case; the path stays valid until the next call. */
static const char *_write(const struct board *b)
{
    static char path[512];
    struct err e = {""};
    void *data;
    size_t size;

    (void)path_format(path, sizeof(path), "%s/board", unit_tmpdir());
    UNIT_INT(board_encode(b, &data, &size, &e), 0, "%s", e.text);
    UNIT_INT(path_write_atomic(path, data, size, 0644, &e), 0, "%s", e.text);
    free(data);
    return path;
}

static void test_command(void)
{
    struct board b = _board();
    const char *path = _write(&b);
    char words[1024];
    struct fake f;

    fake_init(&f, (const struct fake_answer[]){{NULL, NULL}});
    (void)snprintf(
        words, sizeof(words),
        "place --nodes 2 --cpus-per-node=8 --time 2h --carbon-delay 8h --json --board %s", path);
    UNIT_INT(fake_run(&f, words), 0, "%s", f.err);
    UNIT_STR(f.err, "", "nothing to warn of");
    UNIT_STR(f.out,
             "{\n"
             "  \"verdict\": \"delay\",\n"
             "  \"start\": \"2026-11-24T13:00:00Z\",\n"
             "  \"latest_start\": \"2026-11-24T18:00:00Z\",\n"
             "  \"delay_s\": 10800,\n"
             "  \"energy_j\": 1152000.0,\n"
             "  \"carbon_g\": 38.4,\n"
             "  \"carbon_now_g\": 153.6,\n"
             "  \"likely_g\": 38.4,\n"
             "  \"likely_now_g\": 153.6,\n"
             "  \"policy\": \"balanced\",\n"
             "  \"feed\": \"csv\",\n"
             "  \"quality\": \"feed\",\n"
             "  \"code\": \"GREENER_LATER\",\n"
             "  \"reason\": \"waits until 14:00 (19:00 at the latest) for a greener grid: "
             "~38.4 gCO2e instead of ~154 gCO2e. Start now: carnot now JOBID\",\n"
             "  \"predicted_s\": [\n"
             "    7200\n"
             "  ]\n"
             "}\n",
             "--json");
    UNIT_STR(f.requests, "", "asks nobody");

    (void)setenv("CARNOT_BOARD", path, 1);
    f.cli.width = 48;
    UNIT_INT(
        fake_run(&f, "place --nodes 2 --cpus-per-node 8 --time 2h --carbon-delay 8h --explain"), 0,
        "%s", f.err);
    UNIT_STR(f.out,
             "waits until 14:00 (19:00 at the latest) for a greener grid: ~38.4 gCO2e instead of "
             "~154 gCO2e. Start now: carnot now JOBID  [GREENER_LATER]\n"
             "at most ~320 Wh and ~38.4 gCO2e (modelled, over the whole time limit)   policy "
             "balanced   feed csv, forecast feed\n"
             "  g/kWh\n"
             "    400 ████████████        ████████████████████\n"
             "        ████████████        ████████████████████\n"
             "        ████████████        ████████████████████\n"
             "    200 ████████████        ████████████████████\n"
             "        ████████████▄▄▄▄▄▄▄▄████████████████████\n"
             "        ████████████████████████████████████████\n"
             "            12:00   14:00   16:00   18:00\n"
             "        ○───────────●───────────────────○\n"
             "                    ▲▲▲▲▲▲▲▲\n"
             "├┤ may start now to 19:00; ○ other choices\n"
             "▲ runs 14:00 to 16:00 at most, at 100 g/kWh on average (zone DE)\n"
             "START  WAIT  gCO2e  SAVED  COST-g  NOTE\n"
             "11:00    0s    154      -     154  now, asap\n"
             "14:00  3h00   38.4    75%    41.4  chosen, bal+\n"
             "19:00  8h00    154     0%     162  latest\n"
             "Cost: the grams, and 1.00 g for each hour of wait, as balanced has it.\n",
             "for people");
    UNIT_INT(fake_run(&f, "place --nodes 16 --time 2h --account poor --json"), 1, "refused");
    UNIT_OK(fake_is_json(f.out) && strstr(f.out, "\"verdict\": \"refuse\""), "%s", f.out);
    UNIT_INT(fake_run(&f, "place --nodes 16 --time 2h --account poor"), 1, "refused");
    UNIT_OK(strncmp(f.out, "Refused: account poor has 10.0 Wh left until 1 Dec", 50) == 0, "%s",
            f.out);
    UNIT_INT(fake_run(&f, "place --nodes 2 --time 2h --json --explain"), 0, "--explain");
    UNIT_OK(fake_is_json(f.out) && strstr(f.out, "\"alternatives\": ["), "%s", f.out);
    UNIT_OK(strstr(f.out, "\"explain\": {\n    \"policy\": \"balanced\",\n    \"from\": "), "%s",
            f.out);
    fake_fini(&f);
}

/* The drawing without what only the sentence above it says: all behind the second line. */
static const char *_drawn(const char *out)
{
    for (int i = 0; i < 2 && out; i++)
        out = (out = strchr(out, '\n')) ? out + 1 : NULL;
    return out ? out : "";
}

#define JOB "place --nodes 2 --cpus-per-node 8 --time 2h --explain "

/* What is said of a job that does not wait, and of one that might not. */
static void test_explain(void)
{
    enum { MIN_GAIN = 1, LAMBDA = 2, FULL = 4, FLAT = 8, NOTHING = 16 };
    static const struct {
        const char *words;
        unsigned board;
        const char *says;
        int status;
    } rows[] = {
        {JOB "--carbon-delay 8h", MIN_GAIN,
         "START  WAIT  gCO2e  SAVED  COST-g  NOTE\n"
         "11:00    0s    154      -     154  now, chosen, all policies\n"
         "14:00  3h00   38.4    75%    86.4  least cost and grams\n"
         "19:00  8h00    154     0%     282  latest\n"
         "Cost: the grams, and 16.0 g for each hour of wait, as balanced has it.\n"
         "Does not wait: the best start, 14:00, would save 115 g, and a wait has to save 200 g.\n",
         0},
        {JOB "--carbon-delay 8h", LAMBDA,
         "11:00    0s    154      -     154  now, chosen, asap, balanced\n"
         "14:00  3h00   38.4    75%     518  greenest\n"
         "19:00  8h00    154     0%    1430  latest\n"
         "Cost: the grams, and 160 g for each hour of wait, as balanced has it.\n"
         "Does not wait: a start at 14:00 would save 115 g, but its 3h00 of wait count as 480 g.\n",
         0},
        {JOB "--carbon-delay 3h", FULL,
         "14:00  3h00   38.4    75%    86.4  slots full, least cost and grams\n"
         "Cost: the grams, and 16.0 g for each hour of wait, as balanced has it.\n"
         "Does not wait: the slots of the best start, 14:00, are full; it would save 115 g.\n",
         0},
        {JOB "--carbon-delay 8h", FLAT,
         "19:00  8h00    154     0%     282  latest\n"
         "Cost: the grams, and 16.0 g for each hour of wait, as balanced has it.\n"
         "Does not wait: nowhere in its window it would emit less.\n",
         0},
        {JOB "--carbon-delay 8h --carbon-policy asap", 0,
         "START  WAIT  gCO2e  SAVED  NOTE\n"
         "11:00    0s    154      -  now, chosen, asap\n"
         "14:00  3h00   38.4    75%  balanced, greenest\n"
         "19:00  8h00    154     0%  latest\n"
         "Does not wait: policy asap; a start at 14:00 would save 115 g.\n",
         0},
        {JOB, 0,
         "▲ runs 11:00 to 13:00 at most, at 400 g/kWh on average (zone DE)\n"
         "START  WAIT  gCO2e  SAVED  COST-g  NOTE\n"
         "11:00    0s    154      -     154  now, chosen, all policies\n"
         "Cost: the grams, and 16.0 g for each hour of wait, as balanced has it.\n",
         0},
        {JOB "--carbon-delay 8h --account poor", 0,
         "├┤ may start now to 19:00; ○ other choices\n"
         "START  WAIT  gCO2e  SAVED  COST-g  NOTE\n"
         "11:00    0s    154      -     154  now, asap\n"
         "14:00  3h00   38.4    75%    86.4  balanced, greenest\n"
         "19:00  8h00    154     0%     282  latest\n"
         "Cost: the grams, and 16.0 g for each hour of wait, as balanced has it.\n",
         1},
        {JOB "--carbon-delay 8h", NOTHING,
         "START  WAIT  gCO2e  SAVED  COST-g  NOTE\n"
         "11:00    0s      -      -       -  now, chosen, all policies\n"
         "Cost: the grams, and 16.0 g for each hour of wait, as balanced has it.\n",
         0},
    };
    static uint32_t taken[2 * 96];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct board b = _board();
        struct fake f;

        fake_init(&f, (const struct fake_answer[]){{NULL, NULL}});
        b.head.min_gain_g = rows[i].board & MIN_GAIN ? 200 : 1;
        b.head.lambda_g_per_h = rows[i].board & LAMBDA ? 10 : 1;
        b.head.lambda_exponent = 1;
        b.n_points = rows[i].board & FLAT ? 1 : rows[i].board & NOTHING ? 0 : 3;
        if (rows[i].board & NOTHING)
            b.head.forecast_quality = FORECAST_NONE;
        if (rows[i].board & FULL) {
            for (int k = 0; k < 96; k++)
                taken[k] = 16 * 8;
            b.planned = taken;
            b.n_slots = 96;
        }
        (void)setenv("CARNOT_BOARD", _write(&b), 1);
        UNIT_INT(fake_run(&f, rows[i].words), rows[i].status, "row %zu: %s", i, f.err);
        UNIT_OK(strlen(f.out) >= strlen(rows[i].says) &&
                    strcmp(f.out + strlen(f.out) - strlen(rows[i].says), rows[i].says) == 0,
                "row %zu ends with\n%sbut is\n%s", i, rows[i].says, f.out);
        UNIT_STR(f.err, "", "row %zu", i);
        fake_fini(&f);
    }
}

/* Where it cannot draw much: few columns, ASCII; a run that goes on behind the forecast. */
static void test_explain_narrow(void)
{
    struct board b = _board();
    struct fake f;

    fake_init(&f, (const struct fake_answer[]){{NULL, NULL}});
    (void)setenv("CARNOT_BOARD", _write(&b), 1);
    f.cli.width = 40;
    f.cli.utf8 = 0;
    UNIT_INT(fake_run(&f, JOB "--carbon-delay 8h --carbon-policy greenest"), 0, "%s", f.err);
    UNIT_STR(_drawn(f.out),
             "  g/kWh\n"
             "    400 #########       ################\n"
             "        #########       ################\n"
             "        ##########      ################\n"
             "    200 ##########      ################\n"
             "        ##########      ################\n"
             "        ################################\n"
             "           12:00    15:00     18:00\n"
             "        o--------*---------------o\n"
             "                 ^^^^^^^\n"
             "|-| may start now to 19:00; o other choices\n"
             "^ runs 14:00 to 16:00 at most, at 100 g/kWh on average (zone DE)\n"
             "START  WAIT  gCO2e  SAVED  NOTE\n"
             "11:00    0s    154      -  now, asap\n"
             "14:00  3h00   38.4    75%  chosen, bal+\n"
             "19:00  8h00    154     0%  latest\n",
             "narrow");
    for (const char *p = f.out; *p; p++)
        UNIT_OK((unsigned char)*p < 0x80, "ASCII only");
    UNIT_INT(fake_run(&f, "place --nodes 2 --time 7-00 --explain --carbon-delay 4h"), 0, "%s",
             f.err);
    UNIT_STR(_drawn(f.out),
             "  g/kWh\n"
             "    400 ####   #########################\n"
             "        ####   #########################\n"
             "        ####   #########################\n"
             "    200 ####  ##########################\n"
             "        ####  ##########################\n"
             "        ################################\n"
             "         12:00   18:00   Wed 25  06:00\n"
             "        *----o\n"
             "        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
             "|-| may start now to 15:00; o other choices\n"
             "^ runs 11:00 to Tue 1 Dec 11:00 at most, at 375 g/kWh on average (zone DE)\n"
             "The forecast ends tomorrow 11:00; what lies behind it counts the same for all.\n"
             "START  WAIT  gCO2e    SAVED  COST-g  NOTE\n"
             "11:00    0s   1510        -    1510  now, chosen+\n"
             "15:00  4h00   1520  -0.480%    1520  latest\n"
             "Cost: the grams, and 1.00 g for each hour of wait, as balanced has it.\n"
             "Does not wait: nowhere in its window it would emit less.\n",
             "long");
    fake_fini(&f);
}

static void test_command_faults(void)
{
    struct board b = _board();
    struct fake f;
    char words[1024];

    fake_init(&f, (const struct fake_answer[]){{"place", NULL}, {NULL, NULL}});
    b.head.published_ms -= 3 * HOUR * 1000;
    (void)snprintf(words, sizeof(words), "place --nodes 2 --time 2h --board %s", _write(&b));
    UNIT_INT(fake_run(&f, words), 0, "an old board is used all the same");
    UNIT_OK(strstr(f.err, "is 3h00 old; submissions obey a board for 60s only\n") ||
                strstr(f.err, "is 3h00 old; submissions obey a board for 1 min only\n"),
            "and warned of: %s", f.err);
    UNIT_INT(fake_run(&f, "place --nodes 2 --time 2h --board /nowhere"), 1, "no such board");
    UNIT_OK(strstr(f.err, "/nowhere") != NULL && f.out[0] == '\0', "%s", f.err);
    UNIT_INT(fake_run(&f, "place --nodes 2 --time 2h --board /dev/null"), 1, "no board");
    UNIT_INT(fake_run(&f, "place --nodes 2"), 2, "no time");
    UNIT_STR(f.err, "carnot: place: --time is missing; see carnot help place\n", "no time");
    UNIT_INT(fake_run(&f, "place --nodes 2 --time 2h --carbon-delay 12x"), 2, "a bad value");
    UNIT_OK(strncmp(f.err, "carnot: place: --carbon-delay", 29) == 0, "%s", f.err);
    UNIT_INT(fake_run(&f, "place job.sh"), 2, "a script without --");
    UNIT_INT(fake_run(&f, "place --nodes 2 -- job.sh"), 2, "both forms");
    UNIT_INT(fake_run(&f, "place --carbon 2"), 2, "ambiguous");
    UNIT_STR(f.requests, "", "nobody was asked");
    UNIT_INT(fake_run(&f, "place --nodes 2 --time 2h"), 1, "no server");
    (void)setenv("CARNOT_BOARD", "/nowhere", 1);
    UNIT_INT(fake_run(&f, "place --nodes 2 --time 2h"), 1, "CARNOT_BOARD that is not there");
    UNIT_STR(f.err, "carnot: carnotctld at localhost:6822: nobody there\n", "asks the server");
    fake_fini(&f);
}

/* What carnotctld answers is printed as it came. */
static void test_command_server(void)
{
    static const struct fake_answer answers[] = {
        {"place",
         "{\"ok\":true,\"place\":{\"verdict\":\"refuse\",\"start\":\"2026-11-24T10:00:00Z\","
         "\"latest_start\":\"2026-11-24T10:00:00Z\",\"delay_s\":0,\"energy_j\":1000,"
         "\"carbon_g\":null,\"carbon_now_g\":null,\"policy\":\"asap\",\"feed\":\"csv\","
         "\"quality\":\"none\",\"code\":\"BUDGET_LEFT\",\"reason\":\"nothing left\"}}"},
        {NULL, NULL}};
    struct fake f;

    fake_init(&f, answers);
    UNIT_INT(fake_run(&f, "place --time 2h --nodes=2 --carbon-finish-by 08:00 --at tomorrow"), 1,
             "refused");
    UNIT_STR(f.out,
             "Refused: nothing left  [BUDGET_LEFT]\n"
             "at most ~278 mWh (modelled, over the whole time limit)   policy asap   feed csv, "
             "forecast none\n",
             "for people");
    UNIT_STR(f.requests,
             "{\"at\":\"tomorrow\",\"carbon-finish-by\":\"08:00\",\"nodes\":\"2\",\"op\":\"place\","
             "\"time\":\"2h\",\"v\":1}\n",
             "request");
    UNIT_INT(fake_run(&f, "place --time 2h --nodes=2 --json"), 1, "--json");
    UNIT_OK(fake_is_json(f.out) && strncmp(f.out, "{\n  \"verdict\": \"refuse\"", 23) == 0, "%s",
            f.out);
    fake_fini(&f);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"parse", test_parse},
                                             {"parse_bad", test_parse_bad},
                                             {"run", test_run},
                                             {"name", test_name},
                                             {"codes", test_codes},
                                             {"run_bad", test_run_bad},
                                             {"no_forecast", test_no_forecast},
                                             {"windows", test_windows},
                                             {"command", test_command},
                                             {"explain", test_explain},
                                             {"explain_narrow", test_explain_narrow},
                                             {"command_faults", test_command_faults},
                                             {"command_server", test_command_server},
                                             {NULL, NULL}};

    return unit_main(argc, argv, cases, "cmd_place");
}
