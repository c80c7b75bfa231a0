/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot job, jobs and why: what is said of a job, and what is not claimed.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cli_fake.h"
#include "unit.h"

/* One that waited for the grid and has ended; measured. */
#define DONE                                                                                       \
    "{\"job_id\":81234,\"array_job_id\":null,\"array_task\":null,\"restart\":0,"                   \
    "\"user\":\"mrossi\",\"account\":\"bio\",\"partition\":\"gpu\",\"name\":\"lm-7b\","            \
    "\"nodes\":4,\"submit\":\"2026-11-24T03:12:00Z\",\"start\":\"2026-11-24T07:15:00Z\","          \
    "\"end\":\"2026-11-24T09:09:00Z\",\"state\":\"COMPLETED\",\"energy_j\":16600000,"              \
    "\"carbon_g\":1450,\"carbon_if_asap_g\":2300,\"delay_s\":14580,\"quality\":\"measured\","      \
    "\"coverage\":\"cpu,dram\",\"run\":\"lm-7b\",\"estimate_j\":30000000,"                         \
    "\"limit_energy_j\":18000000,\"limit_carbon_g\":null,\"not_before\":\"2026-11-24T07:15:00Z\"," \
    "\"latest\":\"2026-11-24T19:00:00Z\"}"
/* A task of an array, tiny, shared node, never waited. */
#define TASK                                                                                       \
    "{\"job_id\":81241,\"array_job_id\":81240,\"array_task\":7,\"restart\":2,"                     \
    "\"user\":\"mrossi\",\"account\":\"bio\",\"partition\":\"cpu\",\"name\":\"prep\","             \
    "\"nodes\":1,\"submit\":\"2026-11-24T08:00:00Z\",\"start\":\"2026-11-24T08:00:05Z\","          \
    "\"end\":\"2026-11-24T08:00:46Z\",\"state\":\"FAILED\",\"energy_j\":14760,"                    \
    "\"carbon_g\":1.1,\"carbon_if_asap_g\":1.1,\"delay_s\":0,\"quality\":\"modelled\","            \
    "\"coverage\":\"cpu\",\"run\":\"night\",\"estimate_j\":20000,\"limit_energy_j\":null,"         \
    "\"limit_carbon_g\":null,\"not_before\":null,\"latest\":null}"
/* Runs, and no node has reported yet. */
#define RUNNING                                                                                    \
    "{\"job_id\":81251,\"array_job_id\":null,\"array_task\":null,\"restart\":0,"                   \
    "\"user\":\"ada\",\"account\":\"chem\",\"partition\":\"cpu\",\"name\":\"a-very-long-name-it-"  \
    "is\","                                                                                        \
    "\"nodes\":2,\"submit\":\"2026-11-24T09:49:00Z\",\"start\":\"2026-11-24T09:50:00Z\","          \
    "\"end\":null,\"state\":\"RUNNING\",\"energy_j\":null,\"carbon_g\":null,"                      \
    "\"carbon_if_asap_g\":null,\"delay_s\":null,\"quality\":\"none\",\"coverage\":\"\","           \
    "\"run\":\"a-very-long-name-it-is\",\"estimate_j\":7200000,\"limit_energy_j\":null,"           \
    "\"limit_carbon_g\":null,\"not_before\":null,\"latest\":null}"
/* Waits for the grid. */
#define PENDING                                                                                    \
    "{\"job_id\":81300,\"array_job_id\":null,\"array_task\":null,\"restart\":0,"                   \
    "\"user\":\"mrossi\",\"account\":\"bio\",\"partition\":\"cpu\",\"name\":\"sim\","              \
    "\"nodes\":1,\"submit\":\"2026-11-24T09:59:00Z\",\"start\":null,\"end\":null,"                 \
    "\"state\":\"PENDING\",\"energy_j\":null,\"carbon_g\":null,\"carbon_if_asap_g\":null,"         \
    "\"delay_s\":null,\"quality\":\"none\",\"coverage\":\"\",\"run\":\"sim\","                     \
    "\"estimate_j\":360000,\"limit_energy_j\":null,\"limit_carbon_g\":null,"                       \
    "\"not_before\":\"2026-11-24T12:15:00Z\",\"latest\":\"2026-11-25T03:00:00Z\"}"

#define JOBS(rows) "{\"ok\":true,\"v\":1,\"jobs\":[" rows "]}"

static const struct fake_answer all[] = {{"jobs", JOBS(PENDING "," RUNNING "," TASK "," DONE)},
                                         {NULL, NULL}};

static void test_job(void)
{
    static const struct {
        const char *words, *row, *out;
    } rows[] = {
        {"job 81234", JOBS(DONE),
         "Job ID: 81234  lm-7b   user mrossi   account bio\n"
         "State:  COMPLETED 08:15-10:09 (1:54:00) on 4 nodes\n"
         "Energy: 4.61 kWh  (16.6 MJ)   mean 2.43 kW\n"
         "Quality: measured by hardware counters\n"
         "         contains: CPU, memory. Not: GPU, board, network, storage\n"
         "CO2e:   1.45 kg (location-based, interval by interval, PUE in)\n"
         "Waited: 4h03 for the grid, 0s for Slurm. Started at once: 2.30 kg. Saved 850 g (37 %)\n"
         "Limit:  5.00 kWh of its own (--energy-budget), 92 % used\n"},
        {"job 81240_7", JOBS(TASK),
         "Job ID: 81240_7  prep   user mrossi   account bio   run night\n"
         "State:  FAILED 09:00-09:00 (0:00:41) on 1 node   (requeued 2 times; this is the last "
         "run)\n"
         "Energy: 4.10 Wh  (14800 J)   mean 360 W\n"
         "Quality: modelled from CPU use, not measured\n"
         "         contains: CPU. Not: memory, GPU, board, network, storage\n"
         "CO2e:   1.10 g (location-based, interval by interval, PUE in)\n"
         "Waited: 0s for the grid, 5s for Slurm\n"},
        {"job 81251", JOBS(RUNNING),
         "Job ID: 81251  a-very-long-name-it-is   user ada   account chem\n"
         "State:  RUNNING since 10:50 on 2 nodes\n"
         "Energy: - (no report from its nodes yet)\n"},
        {"job 81300", JOBS(PENDING),
         "Job ID: 81300  sim   user mrossi   account bio\n"
         "State:  PENDING, for 1 node\n"
         "Energy: none yet; at most ~100 Wh by its time limit (modelled)\n"
         "Waits:  until 13:15, tomorrow 04:00 at the latest; more: carnot why\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fake_answer answers[] = {{"jobs", rows[i].row}, {NULL, NULL}};
        struct fake f;

        fake_init(&f, answers);
        UNIT_INT(fake_run(&f, rows[i].words), 0, "%s", rows[i].words);
        UNIT_STR(f.out, rows[i].out, "%s", rows[i].words);
        UNIT_STR(f.err, "", "%s", rows[i].words);
        fake_fini(&f);
    }
}

/* A job that was requeued: its runs in order, and what they used together. */
static void test_job_runs(void)
{
    static const struct fake_answer runs[] = {
        {"jobs", JOBS("{\"job_id\":6,\"submit\":\"2026-11-24T08:00:00Z\",\"restart\":1,"
                      "\"start\":\"2026-11-24T09:00:00Z\",\"end\":\"2026-11-24T09:30:00Z\","
                      "\"state\":\"COMPLETED\",\"energy_j\":7200,\"carbon_g\":2,\"delay_s\":0},"
                      "{\"job_id\":6,\"submit\":\"2026-11-24T07:00:00Z\",\"restart\":0,"
                      "\"start\":\"2026-11-24T07:15:00Z\",\"end\":\"2026-11-24T08:00:00Z\","
                      "\"state\":\"REQUEUED\",\"energy_j\":3600,\"carbon_g\":1,\"delay_s\":0}")},
        {NULL, NULL}};
    struct fake f;

    fake_init(&f, runs);
    UNIT_INT(fake_run(&f, "job 6"), 0, "job");
    UNIT_OK(strstr(f.out, "Runs:   08:15-09:00 REQUEUED  1.00 Wh  1.00 gCO2e\n"
                          "        10:00-10:30 COMPLETED  2.00 Wh  2.00 gCO2e\n"
                          "        together 3.00 Wh, 3.00 gCO2e\n") != NULL,
            "%s", f.out);
    fake_fini(&f);
}

/* The newest run of an id, one task of an array, my last. */
static void test_job_choice(void)
{
    static const struct fake_answer mixed[] = {
        {"jobs", JOBS("{\"job_id\":5,\"submit\":\"2026-11-01T00:00:00Z\",\"restart\":3,"
                      "\"name\":\"reused\"},"
                      "{\"job_id\":5,\"submit\":\"2026-11-23T00:00:00Z\",\"restart\":0,"
                      "\"name\":\"first\"},"
                      "{\"job_id\":5,\"submit\":\"2026-11-23T00:00:00Z\",\"restart\":1,"
                      "\"name\":\"second\"},"
                      "{\"job_id\":9,\"array_job_id\":5,\"array_task\":4,"
                      "\"submit\":\"2026-11-22T00:00:00Z\",\"restart\":0,\"name\":\"four\"}")},
        {NULL, NULL}};
    static const struct fake_answer none[] = {{"jobs", JOBS("")}, {NULL, NULL}};
    struct fake f;

    fake_init(&f, mixed);
    UNIT_INT(fake_run(&f, "job 5"), 0, "job");
    UNIT_OK(strstr(f.out, "Job ID: 5  second ") && strstr(f.out, "requeued 1 time;"), "%s", f.out);
    UNIT_OK(strstr(f.out, "Array:  1 more tasks are known: carnot jobs -j 5\n") != NULL, "%s",
            f.out);
    UNIT_INT(fake_run(&f, "job 5_4"), 0, "task");
    UNIT_OK(strstr(f.out, "Job ID: 5_4  four ") != NULL, "%s", f.out);
    UNIT_INT(fake_run(&f, "job 5_6"), 1, "no such task");
    UNIT_STR(f.err,
             "carnot: no task 6 of job 5 is known; it may wait in its array still: carnot job 5\n",
             "no such task");
    UNIT_INT(fake_run(&f, "job --json 5"), 0, "--json");
    UNIT_OK(fake_is_json(f.out) && f.out[0] == '{' && strstr(f.out, "\"second\""), "%s", f.out);
    UNIT_INT(fake_run(&f, "job --json 5 5_4"), 0, "two");
    UNIT_OK(fake_is_json(f.out) && f.out[0] == '[', "%s", f.out);
    fake_fini(&f);

    fake_init(&f, mixed);
    UNIT_INT(fake_run(&f, "job"), 0, "my last");
    UNIT_OK(strstr(f.out, "  second ") != NULL, "%s", f.out);
    UNIT_STR(f.requests, "{\"op\":\"jobs\",\"since_s\":1794909600,\"user\":\"mrossi\",\"v\":1}\n",
             "a week back");
    fake_fini(&f);

    fake_init(&f, none);
    UNIT_INT(fake_run(&f, "job"), 1, "never any");
    UNIT_STR(f.err, "carnot: no job of mrossi is known to Carnot yet\n", "never any");
    UNIT_STR(f.requests,
             "{\"op\":\"jobs\",\"since_s\":1794909600,\"user\":\"mrossi\",\"v\":1}\n"
             "{\"op\":\"jobs\",\"user\":\"mrossi\",\"v\":1}\n",
             "a week back, then all");
    UNIT_INT(fake_run(&f, "job 7"), 1, "not seen");
    UNIT_STR(f.err, "carnot: no job 7 that you may see; carnot jobs lists yours\n", "not seen");
    fake_fini(&f);
}

static void test_jobs(void)
{
    struct fake f;

    fake_init(&f, all);
    UNIT_INT(fake_run(&f, "jobs -a"), 0, "-a");
    UNIT_STR(f.out,
             "JOBID    USER    NAME        ST  NODES  ELAPSED      kWh  gCO2e  SAVED  WAIT  Q\n"
             "81234    mrossi  lm-7b       CD      4  1:54:00     4.61   1450    37%  4h03  M\n"
             "81240_7  mrossi  prep        F       1  0:00:41  0.00410   1.10      -    0s  E\n"
             "81251    ada     a-very-lo+  R       2  0:10:00        -      -      -     -  -\n"
             "81300    mrossi  sim         PD      1        -        -      -      -     -  -\n",
             "-a");
    UNIT_INT(fake_run(&f, "jobs"), 0, "mine");
    UNIT_OK(!strstr(f.out, "ada") && !strstr(f.out, "81251") && strstr(f.out, "81300"), "%s",
            f.out);
    UNIT_INT(fake_run(&f, "jobs -A chem,bio -u ada,mrossi -nP -o jobid,account,kWh,start,state"), 0,
             "lists");
    UNIT_STR(f.out,
             "81234|bio|4.61|2026-11-24T07:15:00Z|COMPLETED\n"
             "81240_7|bio|0.00410|2026-11-24T08:00:05Z|FAILED\n"
             "81251|chem|-|2026-11-24T09:50:00Z|RUNNING\n"
             "81300|bio|-|-|PENDING\n",
             "lists");
    UNIT_INT(fake_run(&f, "jobs -a -E 09:50 -n -o jobid --units=J"), 0, "-E");
    UNIT_STR(f.out, "81234\n81240_7\n", "-E");
    UNIT_INT(fake_run(&f, "jobs -a --units=J -n -o jobid,J,est-J"), 0, "-units");
    UNIT_OK(strstr(f.out, "81234    16600000  30000000\n") != NULL, "%s", f.out);
    UNIT_INT(fake_run(&f, "jobs -o nope"), 2, "no such column");
    fake_fini(&f);
}

/* Small jobs are shown in a unit that suits them all; scripts always get the same one. */
static void test_jobs_small(void)
{
    static const struct fake_answer tiny[] = {
        {"jobs", JOBS("{\"job_id\":9,\"array_job_id\":7,\"array_task\":2,\"submit\":"
                      "\"2026-11-24T09:00:00Z\",\"energy_j\":4.7,\"carbon_g\":0.000518},"
                      "{\"job_id\":7,\"array_job_id\":7,\"array_task\":3,\"submit\":"
                      "\"2026-11-24T09:00:00Z\",\"energy_j\":6.7,\"carbon_g\":0.000745},"
                      "{\"job_id\":6,\"submit\":\"2026-11-24T09:00:00Z\",\"energy_j\":null}")},
        {NULL, NULL}};
    struct fake f;

    fake_init(&f, tiny);
    f.cli.uid = 0;
    UNIT_INT(fake_run(&f, "jobs -u root,mrossi,"), 0, "nobody's");
    UNIT_INT(fake_run(&f, "jobs"), 0, "small");
    UNIT_STR(f.out,
             "JOBID  USER  NAME  ST  NODES  ELAPSED   mWh  mgCO2e  SAVED  WAIT  Q\n"
             "6      -     -     -       -        -     -       -      -     -  -\n"
             "7_2    -     -     -       -        -  1.31   0.518      -     -  -\n"
             "7_3    -     -     -       -        -  1.86   0.745      -     -  -\n",
             "small");
    UNIT_INT(fake_run(&f, "jobs -nP"), 0, "for a script");
    UNIT_OK(strstr(f.out, "|0.00000131|0.000518|") != NULL, "%s", f.out);
    UNIT_INT(fake_run(&f, "jobs -o jobid,kWh"), 0, "columns by name");
    UNIT_INT(fake_run(&f, "jobs -n --units=J"), 0, "asked for");
    UNIT_OK(strstr(f.out, "  4.70  ") != NULL, "%s", f.out);
    fake_fini(&f);
}

/* A long list comes in pages; one that never ends does not hang us. */
static void test_jobs_pages(void)
{
    static const struct fake_answer pages[] = {
        {"jobs", "{\"ok\":true,\"more\":true,\"jobs\":[{\"job_id\":3},{\"job_id\":2}]}"},
        {"jobs", "{\"ok\":true,\"more\":false,\"jobs\":[{\"job_id\":1}]}"},
        {NULL, NULL}};
    static const struct fake_answer endless[] = {
        {"jobs", "{\"ok\":true,\"more\":true,\"jobs\":[{\"job_id\":3},{\"job_id\":2}]}"},
        {"jobs", "{\"ok\":true,\"more\":true,\"jobs\":[]}"},
        {NULL, NULL}};
    static const struct fake_answer broken[] = {
        {"jobs", "{\"ok\":true,\"more\":true,\"jobs\":[{\"job_id\":3},{\"job_id\":2}]}"},
        {"jobs", "{\"ok\":false,\"error\":\"no more\"}"},
        {NULL, NULL}};
    struct fake f;

    fake_init(&f, pages);
    UNIT_INT(fake_run(&f, "jobs -anP -o jobid"), 0, "two pages");
    UNIT_STR(f.out, "1\n2\n3\n", "two pages");
    UNIT_STR(f.requests,
             "{\"op\":\"jobs\",\"since_s\":1795428000,\"v\":1}\n"
             "{\"offset\":2,\"op\":\"jobs\",\"since_s\":1795428000,\"v\":1}\n",
             "two pages");
    fake_fini(&f);
    fake_init(&f, endless);
    UNIT_INT(fake_run(&f, "jobs -anP -o jobid"), 0, "endless");
    UNIT_STR(f.out, "2\n3\n", "endless");
    fake_fini(&f);
    fake_init(&f, broken);
    UNIT_INT(fake_run(&f, "jobs -anP -o jobid"), 1, "half a list is no list");
    UNIT_STR(f.out, "", "half a list");
    fake_fini(&f);
}

static void test_jobs_json(void)
{
    static const struct fake_answer none[] = {{"jobs", JOBS("")}, {NULL, NULL}};
    struct fake f;
    json_t *json;

    fake_init(&f, all);
    UNIT_INT(fake_run(&f, "jobs -a --json"), 0, "--json");
    json = json_loads(f.out, 0, NULL);
    UNIT_INT(json_array_size(json), 4, "an array: %s", f.out);
    UNIT_INT(json_integer_value(json_object_get(json_array_get(json, 3), "energy_j")), 16600000,
             "joules");
    UNIT_OK(json_is_null(json_object_get(json_array_get(json, 1), "energy_j")), "no data is null");
    json_decref(json);
    fake_fini(&f);

    fake_init(&f, none);
    UNIT_INT(fake_run(&f, "jobs --json"), 0, "none");
    UNIT_STR(f.out, "[]\n", "none");
    UNIT_INT(fake_run(&f, "jobs"), 0, "none");
    UNIT_STR(f.out, "JOBID  NAME  ST  NODES  ELAPSED  kWh  gCO2e  SAVED  WAIT  Q\n", "none");
    fake_fini(&f);
}

/* What the server is asked: one's own by default, everybody's for root. */
static void test_jobs_requests(void)
{
    static const struct {
        const char *words;
        uid_t uid;
        const char *request;
    } rows[] = {
        {"jobs", 1000, "{\"op\":\"jobs\",\"since_s\":1795428000,\"user\":\"mrossi\",\"v\":1}\n"},
        {"jobs", 0, "{\"op\":\"jobs\",\"since_s\":1795428000,\"v\":1}\n"},
        {"jobs -a", 1000, "{\"op\":\"jobs\",\"since_s\":1795428000,\"v\":1}\n"},
        {"jobs -u ada", 0, "{\"op\":\"jobs\",\"since_s\":1795428000,\"user\":\"ada\",\"v\":1}\n"},
        {"jobs -u ada,bob", 1000, "{\"op\":\"jobs\",\"since_s\":1795428000,\"v\":1}\n"},
        {"jobs -A bio", 1000,
         "{\"account\":\"bio\",\"op\":\"jobs\",\"since_s\":1795428000,\"v\":1}\n"},
        {"jobs -X -S now-7days", 0, "{\"op\":\"jobs\",\"since_s\":1794909600,\"v\":1}\n"},
        {"jobs -S yesterday", 0, "{\"op\":\"jobs\",\"since_s\":1795388400,\"v\":1}\n"},
        {"jobs -S 08:00", 0, "{\"op\":\"jobs\",\"since_s\":1795503600,\"v\":1}\n"},
        {"jobs -S 23:00", 0, "{\"op\":\"jobs\",\"since_s\":1795471200,\"v\":1}\n"},
        {"jobs -S 2026-11-01", 0, "{\"op\":\"jobs\",\"since_s\":1793487600,\"v\":1}\n"},
        {"jobs -j 5,6_1", 1000,
         "{\"job\":5,\"op\":\"jobs\",\"v\":1}\n{\"job\":6,\"op\":\"jobs\",\"v\":1}\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fake f;

        fake_init(&f, all);
        f.cli.uid = rows[i].uid;
        fake_run(&f, rows[i].words);
        UNIT_STR(f.requests, rows[i].request, "%s", rows[i].words);
        fake_fini(&f);
    }
}

#define SERIES                                                                                     \
    "\"series\":[{\"time\":\"2026-11-24T09:00:00Z\",\"g_per_kwh\":412},"                           \
    "{\"time\":\"2026-11-24T12:00:00Z\",\"g_per_kwh\":259},"                                       \
    "{\"time\":\"2026-11-24T15:00:00Z\",\"g_per_kwh\":350}]"
#define WAITS                                                                                      \
    "{\"ok\":true,\"job\":{\"job_id\":81300,\"code\":\"GREENER_LATER\",\"sentence\":\"waits "      \
    "until 13:15 (20:00 at the latest) for a greener grid\",\"slurm_state\":\"PENDING\","          \
    "\"slurm_reason\":\"BeginTime\",\"slurm_start\":\"2026-11-24T12:15:00Z\","                     \
    "\"not_before\":\"2026-11-24T12:15:00Z\",\"latest\":\"2026-11-24T19:00:00Z\","                 \
    "\"layer\":\"script\",\"policy\":\"balanced\",\"g_now\":2340,\"g\":1470,"                      \
    "\"estimate_j\":16900000,\"zone\":\"DE\",\"feed\":\"csv\",\"feed_age_s\":370,\"moves\":"       \
    "1,\"likely_g\":1100,\"likely_now_g\":1900,\"length\":{\"likely_s\":4200,"                     \
    "\"limit_s\":14400,\"predicted_s\":[4560,3840,14400],\"runs_s\":[4560,3840],\"runs_of\":"      \
    "\"train\",\"cpu_w\":null}," SERIES "}}"
#define NOT_CARNOT                                                                                 \
    "{\"ok\":true,\"job\":{\"job_id\":81260,\"code\":\"NOT_CARNOT\",\"sentence\":null,"            \
    "\"slurm_state\":\"PENDING\",\"slurm_reason\":\"Priority\","                                   \
    "\"slurm_start\":\"2026-11-24T15:40:00Z\",\"not_before\":null,\"latest\":null,"                \
    "\"layer\":null,\"policy\":null,\"g_now\":null,\"g\":null,\"zone\":\"DE\",\"feed\":null,"      \
    "\"feed_age_s\":null,\"moves\":0,\"series\":[]}}"

static void test_why(void)
{
    static const struct {
        const char *answer, *words, *out;
    } rows[] = {
        {WAITS, "why 81300",
         "81300 waits until 13:15 (20:00 at the latest) for a greener grid  [GREENER_LATER]\n"
         "  asked     by a #CARNOT line of the script   policy balanced\n"
         "  grid DE   now 412, 259 g/kWh at 13:15   10:00 ████████▁▁▁▁▁▁▁▁▅▅▅▅▅▅▅▅ 19:00\n"
         "  feed      csv, 6 min old\n"
         "  length    ~1h10 (last 2 runs of train: 1h16, 1h04; limit 4h00)\n"
         "  this job  ~4.69 kWh at most, modelled   ~1.10 kgCO2e, at once ~1.90 kg\n"
         "  slurm     PENDING (BeginTime), expected start 13:15\n"
         "  moved     once, when the forecast or the queue changed\n"
         "  instead   carnot now 81300\n"},
        {NOT_CARNOT, "why 81260",
         "81260 Carnot does not hold this job. Slurm says: Priority           [NOT_CARNOT]\n"
         "  slurm     PENDING (Priority), expected start 16:40\n"},
    };
    struct fake f;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fake_answer answers[] = {{"why", rows[i].answer}, {NULL, NULL}};

        fake_init(&f, answers);
        UNIT_INT(fake_run(&f, rows[i].words), 0, "row %zu", i);
        UNIT_STR(f.out, rows[i].out, "row %zu", i);
        UNIT_INT(fake_run(&f, "why 1 --json"), 0, "row %zu", i);
        UNIT_OK(fake_is_json(f.out) && f.out[0] == '{', "row %zu: %s", i, f.out);
        UNIT_INT(fake_run(&f, "why 1 x 2"), 2, "one bad id of three");
        UNIT_OK(strchr(f.out, '[') != strrchr(f.out, '['), "the others are answered: %s", f.out);
        fake_fini(&f);
    }
}

#define EXPLAINED(drawing)                                                                         \
    "{\"ok\":true,\"job\":{\"job_id\":81300,\"code\":\"GREENER_LATER\",\"sentence\":\"waits "      \
    "until 13:15\",\"zone\":\"DE\",\"series\":[]" drawing "}}"
#define WINDOW                                                                                     \
    ",\"explain\":{\"policy\":\"balanced\",\"from\":\"2026-11-24T10:00:00Z\","                     \
    "\"until\":\"2026-11-24T19:00:00Z\",\"start\":\"2026-11-24T12:15:00Z\","                       \
    "\"end\":\"2026-11-24T14:15:00Z\",\"forecast_until\":\"2026-11-25T10:00:00Z\","                \
    "\"lambda_g_per_h\":20,\"min_gain_g\":50,\"window\":["                                         \
    "{\"time\":\"2026-11-24T10:00:00Z\",\"g_per_kwh\":400},"                                       \
    "{\"time\":\"2026-11-24T12:15:00Z\",\"g_per_kwh\":200},"                                       \
    "{\"time\":\"2026-11-24T16:00:00Z\",\"g_per_kwh\":null},"                                      \
    "{\"time\":\"2026-11-24T18:00:00Z\",\"g_per_kwh\":300}],\"alternatives\":["                    \
    "{\"start\":\"2026-11-24T10:00:00Z\",\"wait_s\":0,\"carbon_g\":2340,\"saved_g\":0,"            \
    "\"cost_g\":2340,\"room\":true,\"roles\":[\"now\",\"asap\"]},"                                 \
    "{\"start\":\"2026-11-24T12:15:00Z\",\"wait_s\":8100,\"carbon_g\":1470,\"saved_g\":870,"       \
    "\"cost_g\":1515,\"room\":true,\"roles\":[\"chosen\"]},"                                       \
    "{\"start\":\"2026-11-24T17:00:00Z\",\"wait_s\":25200,\"carbon_g\":900,\"saved_g\":1440,"      \
    "\"cost_g\":1404,\"room\":false,\"roles\":[\"greenest\",\"best\",\"least\"]},"                 \
    "{\"start\":\"2026-11-24T19:00:00Z\",\"wait_s\":32400,\"carbon_g\":null,\"saved_g\":null,"     \
    "\"cost_g\":null,\"room\":true,\"roles\":[\"latest\",\"news\"]}]}"

/* The larger drawing comes behind the short form, which stays as it is. */
static void test_why_explain(void)
{
    static const struct {
        const char *drawing, *out, *err;
    } rows[] = {
        {EXPLAINED(WINDOW),
         "81300 waits until 13:15                                          [GREENER_LATER]\n"
         "  g/kWh\n"
         "    400 ████████████████                                                        \n"
         "        ████████████████                                         ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄\n"
         "        ████████████████▅                                        ███████████████\n"
         "    200 ████████████████████████████████████████████             ███████████████\n"
         "        ████████████████████████████████████████████             ███████████████\n"
         "        ████████████████████████████████████████████             ███████████████\n"
         "               12:00         14:00          16:00         18:00         20:00\n"
         "        ○───────────────●─────────────────────────────────○─────────────○\n"
         "                        ▲▲▲▲▲▲▲▲▲▲▲▲▲▲▲\n"
         "├┤ may start now to 20:00; ○ other choices\n"
         "▲ runs 13:15 to 15:15 at most, at 200 g/kWh on average (zone DE)\n"
         "START  WAIT  gCO2e  SAVED  COST-g  NOTE\n"
         "11:00    0s   2340      -    2340  now, asap\n"
         "13:15  2h15   1470    37%    1520  chosen\n"
         "18:00  7h00    900    62%    1400  slots full, greenest, least cost\n"
         "20:00  9h00      -      -       -  latest\n"
         "Cost: the grams, and 20.0 g for each hour of wait, as balanced has it.\n",
         ""},
        {EXPLAINED(",\"explain\":null"),
         "81300 waits until 13:15                                          [GREENER_LATER]\n"
         "  explain   nothing to draw: Carnot does not make this job wait\n",
         ""},
        {EXPLAINED(""),
         "81300 waits until 13:15                                          [GREENER_LATER]\n",
         "carnot: this carnotctld does not explain\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fake_answer answers[] = {{"why", rows[i].drawing}, {NULL, NULL}};
        struct fake f;

        fake_init(&f, answers);
        UNIT_INT(fake_run(&f, "why --explain 81300"), 0, "row %zu", i);
        UNIT_STR(f.out, rows[i].out, "row %zu", i);
        UNIT_STR(f.err, rows[i].err, "row %zu", i);
        UNIT_STR(f.requests, "{\"explain\":true,\"job\":81300,\"op\":\"why\",\"v\":1}\n", "row %zu",
                 i);
        UNIT_INT(fake_run(&f, "why 81300"), 0, "row %zu", i);
        UNIT_STR(f.out,
                 "81300 waits until 13:15                                          "
                 "[GREENER_LATER]\n",
                 "row %zu: the short form", i);
        UNIT_INT(fake_run(&f, "why --json --explain 81300"), 0, "row %zu", i);
        UNIT_OK(fake_is_json(f.out), "row %zu: %s", i, f.out);
        UNIT_INT(strstr(f.out, "\"explain\": ") != NULL, i < 2, "row %zu: %s", i, f.out);
        UNIT_INT(fake_run(&f, "why --explain=x 81300"), 2, "takes no value");
        fake_fini(&f);
    }
}

/* A task of an array is asked for by the id that Slurm gave it. */
static void test_why_task(void)
{
    static const struct fake_answer answers[] = {
        {"jobs", JOBS(TASK)}, {"why", NOT_CARNOT}, {NULL, NULL}};
    struct fake f;

    fake_init(&f, answers);
    UNIT_INT(fake_run(&f, "why 81240_7"), 0, "task");
    UNIT_STR(f.requests,
             "{\"job\":81240,\"op\":\"jobs\",\"v\":1}\n{\"job\":81241,\"op\":\"why\",\"v\":1}\n",
             "its own id");
    UNIT_OK(strncmp(f.out, "81240_7 ", 8) == 0, "as it was typed: %s", f.out);
    fake_fini(&f);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"job", test_job},
                                             {"job_choice", test_job_choice},
                                             {"job_runs", test_job_runs},
                                             {"jobs", test_jobs},
                                             {"jobs_small", test_jobs_small},
                                             {"jobs_pages", test_jobs_pages},
                                             {"jobs_json", test_jobs_json},
                                             {"jobs_requests", test_jobs_requests},
                                             {"why", test_why},
                                             {"why_explain", test_why_explain},
                                             {"why_task", test_why_task},
                                             {NULL, NULL}};

    return unit_main(argc, argv, cases, "cmd_jobs");
}
