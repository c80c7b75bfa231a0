/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workloads: what each format gives, what is dropped, what is refused and in which words, and
 * the figures of real archives.
 */
#include "config.h"

#include <errno.h>

#include "simulate/workload.h"
#include "table_file.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define SACCT "JobIDRaw|Submit|Start|End|ElapsedRaw|TimelimitRaw|AllocCPUS|User|JobName|State\n"
#define GAIA "arrival_time,length,cpus\n"
#define OURS "submit_s,run_s,limit_s,cores,user,name\n"

/* A line of SWF: the nine fields that count. */
#define SWF(id, submit, run, allocated, requested, limit, status, user, exe)                       \
    id " " submit " 3 " run " " allocated " -1 -1 " requested " " limit " -1 " status " " user     \
       " 1 " exe " -1 -1 -1 -1"

/* "id:submit+run/limit*cores@user.key" by job, then "-dropped" where there are any. */
static char *_print(char *buf, size_t size, const struct workload *w)
{
    size_t used = 0;

    buf[0] = '\0';
    for (size_t i = 0; i < w->n && used < size; i++) {
        const struct sim_job *j = &w->jobs[i];

        used +=
            (size_t)snprintf(buf + used, size - used, "%s%llu:%lld+%lld/%lld*%u@%u.%u",
                             i ? " " : "", (unsigned long long)j->id, (long long)j->submit_s,
                             (long long)j->run_s, (long long)j->limit_s, j->cores, j->user, j->key);
    }
    if (w->dropped && used < size)
        (void)snprintf(buf + used, size - used, " -%zu", w->dropped);
    return buf;
}

struct good {
    const char *text, *want;
};

static void _good(const struct good *rows, size_t n)
{
    char got[512];

    for (size_t i = 0; i < n; i++) {
        struct workload w = {0};
        struct err e = {""};

        if (!UNIT_OK(workload_load(&w, table_file(rows[i].text, strlen(rows[i].text)), 3600, &e) ==
                         0,
                     "row %zu: %s", i, e.text))
            continue;
        UNIT_STR(_print(got, sizeof(got), &w), rows[i].want, "row %zu", i);
        workload_fini(&w);
        UNIT_OK(!w.jobs && !w.n, "fini leaves it zeroed");
    }
}

static void _bad(const struct good *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct sim_job job = {1, 2, 3, 4, 5, 6, 7};
        struct workload w = {&job, 1, 2, 3, 4, 5, 6};
        struct err e = {""};
        const char *path = table_file(rows[i].text, strlen(rows[i].text));

        errno = 0;
        UNIT_INT(workload_load(&w, path, 3600, &e), -1, "row %zu", i);
        UNIT_INT(errno, EINVAL, "row %zu", i);
        UNIT_OK(table_error_is(e.text, rows[i].want), "row %zu: %s", i, e.text);
        UNIT_OK(w.jobs == &job && w.n == 1 && w.dropped == 2, "row %zu left it alone", i);
        UNIT_INT(workload_load(&w, path, 3600, NULL), -1, "row %zu without err", i);
    }
}

static void test_swf(void)
{
    static const struct good rows[] = {
        {"; Version: 2.2\n;\n" SWF("7", "100", "60", "4", "8", "90", "1", "3", "1") "\n",
         "7:100+60/90*4@0.0"},
        /* no header, a first id of 0, columns behind, CRLF, tabs, no newline at the end */
        {SWF("0", "5", "6", "1", "1", "-1", "1", "3", "1") " {12,12} q_2w 1:ppn=12\r\n"
                                                           "\t " SWF("1", "5", "6", "1", "1", "0",
                                                                     "0", "4", "1"),
         "0:5+6/0*1@0.0 1:5+6/0*1@1.1"},
        /* allocated, else requested; run past the limit stays; a decimal is rounded, never to 0 */
        {SWF("1", "0", "9", "-1", "2", "5", "1", "3", "1") "\n" SWF("2", "1.4", "0.2", "0", "2",
                                                                    "5.6", "5", "3", "1"),
         "1:0+9/5*2@0.0 2:1+1/6*2@0.0"},
        /* no run, no cores, no submission; they take no number of a user */
        {SWF("1", "0", "-1", "1", "1", "5", "5", "9", "1") "\n" SWF(
             "2", "0", "0", "1", "1", "5", "5", "9",
             "1") "\n" SWF("3", "0", "5", "-1", "-1", "5", "1", "9",
                           "1") "\n" SWF("4", "-1", "5", "1", "1", "5", "1", "9",
                                         "1") "\n" SWF("5", "0", "5", "1", "1", "5", "1", "8",
                                                       "1") "\n" SWF("6", "0", "99999999999999",
                                                                     "1", "1", "5", "1", "8",
                                                                     "1") "\n" SWF("7", "0", "5",
                                                                                   "99999999999999",
                                                                                   "1", "5", "1",
                                                                                   "8", "1"),
         "5:0+5/5*1@0.0 -6"},
        /* bursts of a job that was swapped out are not jobs of their own */
        {SWF("1", "0", "9", "1", "1", "5", "1", "3",
             "1") "\n" SWF("1", "0", "4", "1", "1", "5", "2", "3",
                           "1") "\n" SWF("1", "-1", "5", "1", "1", "5", "3", "3", "1"),
         "1:0+9/5*1@0.0"},
        /* by submission, those of one second in their order; numbers by that of the file */
        {SWF("1", "30", "1", "1", "1", "5", "1", "3",
             "1") "\n" SWF("2", "10", "1", "1", "1", "5", "1", "4",
                           "1") "\n" SWF("3", "20", "1", "1", "1", "5", "1", "3",
                                         "2") "\n" SWF("4", "10", "1", "1", "1", "5", "1", "4",
                                                       "1") "\n" SWF("5", "10", "1", "1", "1", "5",
                                                                     "1", "3", "1"),
         "2:10+1/5*1@1.1 4:10+1/5*1@1.1 5:10+1/5*1@0.0 3:20+1/5*1@0.2 1:30+1/5*1@0.0"},
    };

    _good(rows, N(rows));
}

static void test_swf_bad(void)
{
    static const struct good rows[] = {
        {"1 2 3\n", "table:1: no workload: expected SWF"},
        {"; only\n; remarks\n", "table: no job in it"},
        {SWF("1", "0", "9", "1", "1", "5", "1", "3", "1") "\n1 2 3 4\n",
         "table:2: a line of SWF has 18 numbers"},
        {SWF("1", "0", "x", "1", "1", "5", "1", "3", "1"), "table:1: 'x', field 4, is no number"},
        {SWF("1", "0", "--1", "1", "1", "5", "1", "3", "1"), "table:1: '--1', field 4"},
        {SWF("1", "0", "nan", "1", "1", "5", "1", "3", "1"), "table:1: 'nan', field 4"},
        {SWF("1", "0", "1", "1", "1", "5", "1", "\x1b[2J", "1"), "table:1: '?[2J', field 12"},
        {SWF("1", "0", "-1", "1", "1", "5", "5", "3", "1"), "table: no job that ran among 1 rows"},
    };

    _bad(rows, N(rows));
}

static void test_csv(void)
{
    static const struct good rows[] = {
        {OURS "100,60,90,4,ann,train\n100,60,,4,bob,train\n101,60,0,4,ann,eval\n",
         "1:100+60/90*4@0.0 2:100+60/0*4@1.1 3:101+60/0*4@0.2"},
        /* any order, more columns than are known, an id, remarks, quotes, no limit */
        {"\xef\xbb\xbf# made by hand\ncores,x,id,run_s,name,submit_s\n\n# more\n"
         "2,,77,5,\"a, b\",0\n2,,78,5,a,0\n",
         "77:0+5/0*2@0.0 78:0+5/0*2@0.1"},
        {"submit_s,run_s,cores\n0,5,1\n0,0,1\n0,,1\n,5,1\n0,5,0\n0,-5,1\n0,5,1\n",
         "1:0+5/0*1@0.0 7:0+5/0*1@0.0 -5"},
        /* hours; a core is not shared out */
        {GAIA "0.0,4.1625,128\n0.7811111111111111,0.0001,1.5\n",
         "1:0+14985/0*128@0.0 2:2812+1/0*2@0.0"},
        {"cpus,length,arrival_time,user\n1,1,1,x\n", "1:3600+3600/0*1@0.0"},
    };

    _good(rows, N(rows));
}

static void test_csv_bad(void)
{
    static const struct good rows[] = {
        {"", "table: no job in it: expected SWF, CSV with a header"},
        {"# nothing\n\n", "table: no job in it"},
        {"hello\n", "table:1: no workload: expected SWF"},
        {"{\"jobs\": [\n", "table:1: no workload: expected SWF"},
        {"a,b,c\n1,2,3\n", "table:1: the header has no submit_s: it is submit_s,run_s"},
        {"submit_s,run_s\n", "table:1: the header has no cores"},
        {"arrival_time,cpus\n", "table:1: the header has no length"},
        {"submit_s;run_s;cores\n", "table:1: no workload"},
        {"1,2,3,4\n", "table:1: the header has no submit_s"},
        {OURS, "table: no job that ran among 0 rows"},
        {OURS "1,2,3,4,u\n", "table:2: a row of 5 fields, the header has 6"},
        {OURS "1,2,3,4,u,n,m\n", "table:2: a row of 7 fields"},
        {OURS "1,2,3,4,u,n\n\n1,x,3,4,u,n\n", "table:4: 'x', for run_s, is no number"},
        {OURS "1,1e3,3,4,u,n\n", "table:2: '1e3', for run_s"},
        {OURS "inf,1,3,4,u,n\n", "table:2: 'inf', for submit_s"},
        {OURS "1,1,3,0x4,u,n\n", "table:2: '0x4', for cores"},
        {"submit_s,run_s,cores,id\n1,1,1,a\n", "table:2: 'a', for id"},
        {GAIA "0,\x1b,1\n", "table:2: '?', for run_s"},
    };

    _bad(rows, N(rows));
}

static void test_sacct(void)
{
    static const struct good rows[] = {
        /* local time, RFC 3339, an offset without a colon, seconds since the epoch */
        {SACCT
         "7|2026-01-24T10:00:00|2026-01-24T11:00:00|2026-01-24T12:00:00|3600|90|8|ann|a|COMPLETED\n"
         "8|2026-01-24T09:00:00Z|x|x|60|UNLIMITED|1|bob|a|COMPLETED\n",
         "table:3: 'x' is no Start"},
        {SACCT "7|2026-01-24T10:00:00|||3600|90|8|ann|a|COMPLETED\n"
               "8|2026-01-24T09:00:01Z|Unknown|None|60|UNLIMITED|1|bob|a|FAILED\n"
               "9|2026-01-24T10:00:02+0100|||60|Partition_Limit|1|bob|a|NODE_FAIL\n"
               "10|2026-01-24T10:00:03+01:00|||60||1|ann|a|TIMEOUT\n"
               "11|1769245204|||60||1|ann|a|CANCELLED by 1002\n",
         "7:1769245200+3600/5400*8@0.0 8:1769245201+60/0*1@1.1 9:1769245202+60/0*1@1.1 "
         "10:1769245203+60/0*1@0.0 11:1769245204+60/0*1@0.0"},
        /* the other columns: tasks, components, steps, words for time, cores out of the TRES */
        {"JobID|Submit|Elapsed|Timelimit|AllocTRES\n"
         "81_7|1000|1-00:00:01|12:00:00|billing=8,cpu=16,mem=320G,node=1\n"
         "81_7.batch|1000|1-00:00:01||cpu=16\n"
         "81_7.extern|x|x|x|x\n"
         "82+1|1001|00:49:22|2-00:00:00|cpu=2\n"
         "83|1002|49:22|UNLIMITED|gres/gpu=2\n",
         "81:1000+86401/43200*16@0.0 82:1001+2962/172800*2@0.0 -1"},
        /* start and end alone; NCPUS; a | at the end as --parsable writes */
        {"Start|End|Submit|JobID|NCPUS|\n2000|2100|1000|5|3|\n2000|Unknown|1000|6|3|\n",
         "5:1000+100/0*3@0.0 -1"},
        /* what has not ended or never ran, and a name that breaks its row */
        {SACCT "1|1000|||60|1|1|u|a|RUNNING\n2|1000|||0|1|0|u|a|PENDING\n"
               "3|1000|||0|1|0|u|a|CANCELLED by 7\n4|1000|||60|1|1|u|a|b|COMPLETED\n"
               "5|1000|||60|1|1|u|new\nline|COMPLETED\n6|1000|||60|1|1|v|a|COMPLETED\n",
         "6:1000+60/60*1@0.0 -6"},
    };

    _good(rows + 1, N(rows) - 1);
    _bad(rows, 1);
}

static void test_sacct_bad(void)
{
    static const struct good rows[] = {
        {"1479763|part1|qos1|2022-02-21T14:37:02+0100|00:49:22|8\n",
         "table:1: the first line must be sacct's header: sacct -aX --parsable2 "
         "--format=JobIDRaw,"},
        {"JobID|Submit|Elapsed\n", "table:1: the first line must be sacct's header"},
        {"JobID|Submit|Start|NCPUS\n", "table:1: the first line must be sacct's header"},
        {"Submit|Elapsed|NCPUS\n", "table:1: the first line must be sacct's header"},
        {"JobID|Elapsed|NCPUS\n", "table:1: the first line must be sacct's header"},
        {SACCT "1|noon|||60|1|1|u|a|COMPLETED\n", "table:2: 'noon' is no Submit"},
        {SACCT "1|2026-01-24|||60|1|1|u|a|COMPLETED\n", "table:2: '2026-01-24' is no Submit"},
        {SACCT "1|2026-13-24T10:00:00|||60|1|1|u|a|COMPLETED\n", "table:2: '2026-13-24T"},
        {SACCT "1|2026-01-24T10:00:00+01000000000000000000000000000|||60|1|1|u|a|COMPLETED\n",
         "table:2: '2026-01-24T"},
        {SACCT "1|1000|||x|1|1|u|a|COMPLETED\n", "table:2: 'x' is no ElapsedRaw"},
        {SACCT "1|1000|||60|x|1|u|a|COMPLETED\n", "table:2: 'x' is no TimelimitRaw"},
        {SACCT "1|1000|||60|1|x|u|a|COMPLETED\n", "table:2: 'x' is no AllocCPUS"},
        {"JobID|Submit|Elapsed|NCPUS\n1|1000|3600|1\n", "table:2: '3600' is no Elapsed"},
        {"JobID|Submit|Elapsed|NCPUS\n1|1000|1:2:3:4|1\n", "table:2: '1:2:3:4' is no Elapsed"},
        {"JobID|Submit|Elapsed|AllocTRES\n1|1000|01:00:00|cpu=x\n",
         "table:2: 'cpu=x' is no AllocTRES"},
        {SACCT "1|1000|||60|1|1|u|a|PENDING\n", "table: no job that ran among 1 rows"},
    };

    _bad(rows, N(rows));
}

static void test_gzip(void)
{
    static const char text[] = GAIA "0,1,1\n1,2,3\n";
    struct workload w = {0};
    struct err e = {""};
    char got[128];

    UNIT_INT(workload_load(&w, table_file_gz(text, strlen(text), 0), 1, &e), 0, "%s", e.text);
    UNIT_STR(_print(got, sizeof(got), &w), "1:0+1/0*1@0.0 2:1+2/0*3@0.0", "as it is");
    workload_fini(&w);
    for (size_t cut = 1; cut < 30; cut++) {
        UNIT_INT(workload_load(&w, table_file_gz(text, strlen(text), cut), 1, &e), -1, "%zu", cut);
        UNIT_OK(strstr(e.text, ": ") && !w.jobs, "cut by %zu: %s", cut, e.text);
    }
    UNIT_INT(workload_load(&w, table_file("\x1f\x8b\x08\0\0\0\0\0\0\3garbage", 17), 1, &e), -1,
             "garbage");
    UNIT_OK(table_error_is(e.text, "table:1: the compressed file is broken"), "%s", e.text);
}

static void test_bytes(void)
{
    struct workload w = {0};
    struct err e = {""};
    char *text = malloc(3u << 20);
    unsigned seed = 12345;

    memset(text, 'x', 3u << 20);
    UNIT_INT(workload_load(&w, table_file(text, 3u << 20), 1, &e), -1, "one long line");
    UNIT_OK(table_error_is(e.text, "table:1: a line of more than 1048576 bytes"), "%s", e.text);
    UNIT_INT(workload_load(&w, table_file(GAIA "0,1\0,1\n", sizeof(GAIA) + 6), 1, &e), -1, "NUL");
    UNIT_OK(table_error_is(e.text, "table:2: '1?', for run_s"), "%s", e.text);
    /* bytes of the formats' own kind, in any order: no crash, and an error that says where */
    for (int round = 0; round < 300; round++) {
        static const char kinds[] = "0123456789-.,|;:#\" \t\n\r\\xJobID\x80\xff";
        size_t size = 0;

        size += (size_t)sprintf(text, "%s", round % 3 == 0 ? OURS : round % 3 == 1 ? SACCT : "");
        while (size < 700)
            text[size++] = kinds[(seed = seed * 1103515245 + 12345) / 65536 % sizeof(kinds)];
        if (workload_load(&w, table_file(text, size), 1, &e) < 0)
            UNIT_OK(table_error_is(e.text, "table"), "round %d: %s", round, e.text);
        workload_fini(&w);
    }
    free(text);
}

static void test_file(void)
{
    struct workload w = {0};
    struct err e = {""};
    const char *path = table_file(GAIA "1,1,1\n", sizeof(GAIA) + 5);

    UNIT_INT(workload_load(&w, "/nowhere/x", 1, &e), -1, "none");
    UNIT_INT(errno, ENOENT, "%s", e.text);
    UNIT_INT(workload_load(&w, unit_tmpdir(), 1, &e), -1, "a directory");
    UNIT_INT(errno, EISDIR, "%s", e.text);
    UNIT_INT(workload_load(&w, path, 0, &e), -1, "no unit");
    UNIT_INT(workload_load(&w, path, -1, &e), -1, "a negative unit");
    UNIT_INT(workload_load(&w, path, 0.0 / 0.0, &e), -1, "no number");
    UNIT_INT(workload_load(&w, path, 60, &e), 0, "%s", e.text);
    UNIT_INT(w.jobs[0].submit_s, 60, "in units of a minute");
    UNIT_INT(w.has_users, 0, "no users");
    UNIT_INT(w.has_limits, 0, "no limits");
    UNIT_INT(w.n_users, 1, "all of one");
    workload_fini(&w);
    workload_fini(&w);
}

/* Many jobs in no order, many users: the order is stable, and numbers hold. */
static void test_many(void)
{
    char *text = NULL;
    size_t size = 0, n = 50000;
    FILE *out = open_memstream(&text, &size);
    struct workload w = {0};
    struct err e = {""};

    (void)fprintf(out, OURS);
    for (size_t i = 0; i < n; i++)
        (void)fprintf(out, "%zu,1,1,1,u%zu,n%zu\n", i * 7919 % 1000, i % 5000, i % 2);
    (void)fclose(out);
    UNIT_INT(workload_load(&w, table_file(text, size), 1, &e), 0, "%s", e.text);
    UNIT_INT(w.n, n, "all");
    UNIT_INT(w.n_users, 5000, "users");
    UNIT_INT(w.n_keys, 5000, "each has one name"); /* 5000 is even */
    for (size_t i = 0; i < w.n; i++) {
        UNIT_OK(
            !i || w.jobs[i - 1].submit_s < w.jobs[i].submit_s ||
                (w.jobs[i - 1].submit_s == w.jobs[i].submit_s && w.jobs[i - 1].id < w.jobs[i].id),
            "job %zu", i);
        UNIT_INT(w.jobs[i].submit_s, (w.jobs[i].id - 1) * 7919 % 1000, "job %zu is whole", i);
        UNIT_INT(w.jobs[i].user, (w.jobs[i].id - 1) % 5000, "job %zu", i);
        UNIT_INT(w.jobs[i].key, w.jobs[i].user, "job %zu", i);
    }
    workload_fini(&w);
    free(text);
}

static void test_recorded(void)
{
    static const struct {
        const char *name;
        double unit_s;
        size_t n, dropped, users, keys;
        int has_users, has_limits;
        double core_h;
    } rows[] = {
        /* 17,900 rows, two with a negative run time */
        {"workloads/metacentrum-wagap-2013.swf.gz", 1, 17898, 2, 75, 75, 1, 1, 2679793},
        /* 18,239 rows, 173 that ran for 0 s */
        {"workloads/nasa-ipsc-1993-cln.swf.gz", 1, 18066, 173, 69, 654, 1, 0, 131733},
        {"workloads/lanl-mustang-2015-100k.csv.gz", 3600, 100000, 0, 1, 1, 0, 0, 4547545},
        {"workloads/alibaba-pai-100k.csv.gz", 3600, 99998, 0, 1, 1, 0, 0, 1011246},
        {"workloads/alibaba-pai-1k.csv", 1, 1000, 0, 1, 1, 0, 0, 3193},
    };
    char path[512];

    for (size_t i = 0; i < N(rows); i++) {
        struct workload w = {0};
        struct err e = {""};
        double core_s = 0;

        if (!unit_testdata(path, sizeof(path), rows[i].name))
            unit_skip("no test data: set CARNOT_TESTDATA");
        if (!UNIT_OK(workload_load(&w, path, rows[i].unit_s, &e) == 0, "%s", e.text))
            continue;
        for (size_t j = 0; j < w.n; j++)
            core_s += (double)w.jobs[j].run_s * w.jobs[j].cores;
        UNIT_INT(w.n, rows[i].n, "%s", rows[i].name);
        UNIT_INT(w.dropped, rows[i].dropped, "%s", rows[i].name);
        UNIT_INT(w.n_users, rows[i].users, "%s", rows[i].name);
        UNIT_INT(w.n_keys, rows[i].keys, "%s", rows[i].name);
        UNIT_INT(w.has_users, rows[i].has_users, "%s", rows[i].name);
        UNIT_INT(w.has_limits, rows[i].has_limits, "%s", rows[i].name);
        UNIT_DBL(core_s / 3600, rows[i].core_h, 1, "%s", rows[i].name);
        workload_fini(&w);
    }
}

static void test_recorded_sacct(void)
{
    char path[512];
    struct workload w = {0};
    struct err e = {""};

    if (!unit_testdata(path, sizeof(path), "sysfs-samples/slurm-sacct-pipe.txt"))
        unit_skip("no test data: set CARNOT_TESTDATA");
    UNIT_INT(workload_load(&w, path, 1, &e), -1, "it has no header");
    UNIT_OK(strstr(e.text, "slurm-sacct-pipe.txt:1: the first line must be sacct's header") &&
                strstr(e.text, "--format=JobIDRaw,Submit,"),
            "%s", e.text);
}

/* The same file, with the header that belongs to it. */
static void test_recorded_sacct_header(void)
{
    static const char head[] = "JobID|Partition|QOS|Account|Group|GID|User|UID|Submit|Start|End|"
                               "Elapsed|ElapsedRaw|ExitCode|"
                               "State|AllocTRES|NodeList|JobName|WorkDir\n";
    char path[512], *body, *text;
    size_t size;
    struct workload w = {0};
    struct err e = {""};

    if (!unit_testdata(path, sizeof(path), "sysfs-samples/slurm-sacct-pipe.txt"))
        unit_skip("no test data: set CARNOT_TESTDATA");
    UNIT_INT(path_read(path, 1u << 20, &body, &size, &e), 0, "%s", e.text);
    if (asprintf(&text, "%s%s", head, body) < 0)
        exit(1);
    UNIT_INT(workload_load(&w, table_file(text, strlen(text)), 1, &e), 0, "%s", e.text);
    UNIT_OK(w.n >= 5 && w.jobs[0].submit_s == 1645450622, "2022-02-21T14:37:02+0100: %lld",
            (long long)w.jobs[0].submit_s);
    UNIT_INT(w.jobs[0].run_s, 3000, "elapsed");
    UNIT_INT(w.jobs[0].cores, 8, "of the TRES");
    workload_fini(&w);
    free(text);
    free(body);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"swf", test_swf},
        {"swf_bad", test_swf_bad},
        {"csv", test_csv},
        {"csv_bad", test_csv_bad},
        {"sacct", test_sacct},
        {"sacct_bad", test_sacct_bad},
        {"gzip", test_gzip},
        {"bytes", test_bytes},
        {"file", test_file},
        {"many", test_many},
        {"recorded", test_recorded},
        {"recorded_sacct", test_recorded_sacct},
        {"recorded_sacct_header", test_recorded_sacct_header},
        {NULL, NULL},
    };

    (void)setenv("TZ", "Europe/Berlin", 1); /* local times of sacct */
    return unit_main(argc, argv, cases, "workload");
}
