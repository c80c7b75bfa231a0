/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's place in the cgroup tree, in the shapes that releases and builds give it, and the
 * CPU time of jobs whose directories come and go.
 */
#include "config.h"

#include <fcntl.h>

#include "carnotd/cgroup.h"
#include "carnotd/job_cpu.h"
#include "carnotd/job_origin.h"
#include "node_fixture.h"
#include "power/cpu_busy.h"

static char fixture[PATH_MAX];

static const char *_fixture(const char *machine)
{
    (void)snprintf(fixture, sizeof(fixture), "%s/%s", FIXTURES, machine);
    return fixture;
}

static void test_roots(void)
{
    static const struct {
        const char *machine, *node, *root;
        enum cpu_busy_kind kind;
        bool others;
    } rows[] = {
        {"cgroup-v1", "n1", "cpuacct/slurm_n1", CPU_BUSY_CPUACCT, true},
        {"cgroup-v1", "n12", "cpuacct/slurm_n12", CPU_BUSY_CPUACCT, true},
        {"cgroup-v1", "n3", "", CPU_BUSY_CPUACCT, true},
        {"cgroup-v2", "n1", "system.slice/n1_slurmstepd.scope", CPU_BUSY_CPU_STAT, true},
        {"cgroup-v2", "n2", "system.slice/n2_slurmstepd.scope", CPU_BUSY_CPU_STAT, true},
        {"cgroup-v2-plain", "n1", "system.slice/slurmstepd.scope", CPU_BUSY_CPU_STAT, false},
        {"intel-2s", "n1", "", CPU_BUSY_NONE, false},
    };
    struct cgroup c;
    char root[PATH_MAX + 128];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cgroup_init(&c, _fixture(rows[i].machine), rows[i].node);
        (void)snprintf(root, sizeof(root), "%s/sys/fs/cgroup/%s", fixture, rows[i].root);
        UNIT_STR(c.root, rows[i].root[0] ? root : "", "row %zu", i);
        UNIT_INT(c.kind, rows[i].kind, "row %zu: kind", i);
        UNIT_INT(c.others, rows[i].others, "row %zu: others", i);
        UNIT_INT(cgroup_is_there(&c), rows[i].root[0] != '\0', "row %zu: there", i);
    }
}

/* slurmd starts after us, and its tree goes when it ends. */
static void test_root_appears(void)
{
    const char *root = fixture_copy("intel-2s");
    struct cgroup c;

    cgroup_init(&c, root, "n1");
    UNIT_INT(cgroup_look(&c), 0, "no hierarchy");
    fixture_write(root, "sys/fs/cgroup/cpuacct/cgroup.procs", "");
    UNIT_INT(cgroup_look(&c), 0, "no root");
    fixture_write(root, "sys/fs/cgroup/cpuacct/site/slurm/slurm_n1/cgroup.procs", "");
    UNIT_INT(cgroup_look(&c), 1, "below a directory of the site");
    fixture_write(root, "sys/fs/cgroup/cpuacct/slurm_n2/cgroup.procs", "");
    UNIT_INT(cgroup_look(&c), 1, "still ours");
    UNIT_INT(c.others, 1, "and not alone any more");
    fixture_remove(root, "sys/fs/cgroup/cpuacct/site");
    UNIT_INT(cgroup_is_there(&c), 0, "gone");
    UNIT_INT(cgroup_look(&c), 0, "gone");
}

static char listed[512];

static void _on_job(uint32_t job_id, uint32_t uid, const char *dir, void *arg)
{
    const struct cgroup *c = arg;
    size_t used = strlen(listed);

    (void)snprintf(listed + used, sizeof(listed) - used, "%u/%d/%u ", job_id, (int)uid,
                   cgroup_job_cpus(c, dir));
}

static void test_list(void)
{
    struct cgroup c;

    cgroup_init(&c, _fixture("cgroup-v1"), "n1");
    UNIT_INT(cgroup_list(&c, _on_job, &c), 3, "v1");
    UNIT_OK(strstr(listed, "5/1000/5 ") && strstr(listed, "6/1000/0 ") && strstr(listed, "7/0/0 "),
            "%s", listed);
    listed[0] = '\0';
    cgroup_init(&c, _fixture("cgroup-v2"), "n1");
    UNIT_INT(cgroup_list(&c, _on_job, &c), 2, "v2");
    UNIT_OK(strstr(listed, "7/-1/4 ") && strstr(listed, "8/-1/4 "), "%s", listed);
    cgroup_init(&c, _fixture("cgroup-v1"), "n3");
    UNIT_INT(cgroup_list(&c, _on_job, &c), -1, "no root");
}

static void test_cpu_lists(void)
{
    static const struct {
        const char *text;
        uint32_t n;
    } rows[] = {{"0", 1},     {"0-3", 4}, {"0-3,8", 5}, {"0-3,8\n", 5}, {"1,3,5", 3},
                {"", 0},      {"\n", 0},  {"a", 0},     {"0-", 0},      {"3-1", 0},
                {"0,,1", 0},  {",0", 0},  {"0-3x", 0},  {"0 1", 0},     {"0-99999999", 0},
                {"0-1-2", 0}, {"-5", 0},  {"5,", 0}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        UNIT_INT(cgroup_count_cpus(rows[i].text), rows[i].n, "'%s'", rows[i].text);
}

static void test_cpu_time(void)
{
    struct job_cpu job;
    struct cgroup c;

    job_cpu_init(&job);
    cgroup_init(&c, _fixture("cgroup-v1"), "n1");
    UNIT_INT(job_cpu_update(&job, &c, 5, 1000), 1, "v1");
    UNIT_INT(job_cpu_total_us(&job), 3000000, "nanoseconds to microseconds");
    job_cpu_close(&job);
    job_cpu_init(&job);
    UNIT_INT(job_cpu_update(&job, &c, 5, 1001), 0, "not this user's");
    UNIT_INT(job_cpu_update(&job, &c, 5, UINT32_MAX), 0, "whose?");
    UNIT_INT(job.known, 0, "nothing known");
    cgroup_init(&c, _fixture("cgroup-v2"), "n1");
    UNIT_INT(job_cpu_update(&job, &c, 7, UINT32_MAX), 1, "v2 has no users in its paths");
    UNIT_INT(job_cpu_total_us(&job), 2500000, "microseconds");
    job_cpu_close(&job);
}

#define JOB "sys/fs/cgroup/system.slice/n1_slurmstepd.scope/job_7"

static void test_comes_and_goes(void)
{
    const char *root = fixture_copy("cgroup-v2");
    struct job_cpu job;
    struct cgroup c;

    job_cpu_init(&job);
    cgroup_init(&c, root, "n1");
    (void)job_cpu_update(&job, &c, 7, 0);
    UNIT_INT(job_cpu_total_us(&job), 2500000, "first step");
    fixture_write(root, JOB "/cpu.stat", "usage_usec 3000000\nuser_usec 1\n");
    (void)job_cpu_update(&job, &c, 7, 0);
    UNIT_INT(job_cpu_total_us(&job), 3000000, "goes on");
    fixture_remove(root, JOB);
    (void)close(job.fd);
    job.fd = open("/dev/null", O_RDONLY); /* the kernel's answer would be ENODEV */
    UNIT_INT(job_cpu_update(&job, &c, 7, 0), 0, "between two steps");
    UNIT_INT(job_cpu_total_us(&job), 3000000, "what it said last is kept");
    UNIT_INT(job_cpu_update(&job, &c, 7, 0), 0, "still");
    fixture_write(root, JOB "/cpu.stat", "usage_usec 10\n");
    UNIT_INT(job_cpu_update(&job, &c, 7, 0), 1, "second step");
    UNIT_INT(job_cpu_total_us(&job), 3000010, "on top");
    fixture_write(root, JOB "/cpu.stat", "garbage\n");
    UNIT_INT(job_cpu_update(&job, &c, 7, 0), 0, "no number");
    UNIT_INT(job_cpu_total_us(&job), 3000010, "changes nothing");
    job_cpu_close(&job);
}

static void test_resume(void)
{
    static const struct {
        uint64_t before, in_file, total;
    } rows[] = {
        {1000000, 2500000, 2500000}, /* it went on meanwhile */
        {2500000, 2500000, 2500000},
        {4000000, 2500000, 4000000}, /* of two directories, or of a new one: cannot be told */
        {0, 2500000, 2500000},
    };
    struct cgroup c;

    cgroup_init(&c, _fixture("cgroup-v2"), "n1");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct job_cpu job;

        job_cpu_init(&job);
        job_cpu_resume(&job, rows[i].before);
        UNIT_INT(job_cpu_total_us(&job), rows[i].before, "row %zu: before", i);
        (void)job_cpu_update(&job, &c, 7, 0);
        UNIT_INT(job_cpu_total_us(&job), rows[i].total, "row %zu", i);
        job_cpu_close(&job);
    }
}

static void test_busy_files(void)
{
    static const struct {
        enum cpu_busy_kind kind;
        const char *text;
        int rc;
        uint64_t us;
    } rows[] = {
        {CPU_BUSY_CPUACCT, "9000000000\n", 0, 9000000},
        {CPU_BUSY_CPUACCT, "999", 0, 0},
        {CPU_BUSY_CPUACCT, "", -1, 0},
        {CPU_BUSY_CPUACCT, "-5", -1, 0},
        {CPU_BUSY_CPUACCT, "99999999999999999999", -1, 0},
        {CPU_BUSY_CPU_STAT, "usage_usec 12\nuser_usec 1\n", 0, 12},
        {CPU_BUSY_CPU_STAT, "user_usec 1\nusage_usec 12\n", -1, 0},
        {CPU_BUSY_CPU_STAT, "usage_usec", -1, 0},
        {CPU_BUSY_CPU_STAT, "usage_usec x\n", -1, 0},
        {CPU_BUSY_PROC, "cpu  1 2 3 4 5 6 7 8 9 10\n", 0, (1 + 2 + 3 + 6 + 7) * 10000},
        {CPU_BUSY_PROC, "cpu  1 2 3 4 5 6 7\n", 0, 190000},
        {CPU_BUSY_PROC, "cpu0 1 2 3 4 5 6 7 8\n", -1, 0},
        {CPU_BUSY_PROC, "cpu  1 2 3", -1, 0},
        {CPU_BUSY_NONE, "1", -1, 0},
    };
    struct cpu_busy busy;
    uint64_t us;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        us = 0;
        UNIT_INT(cpu_busy_parse(rows[i].kind, rows[i].text, 100, &us), rows[i].rc, "row %zu", i);
        if (rows[i].rc == 0)
            UNIT_INT(us, rows[i].us, "row %zu", i);
    }
    UNIT_INT(cpu_busy_open(&busy, _fixture("cgroup-v1")), 0, "v1");
    UNIT_INT(cpu_busy_read(&busy, &us), 0, "v1");
    UNIT_INT(us, 9000000, "v1");
    cpu_busy_close(&busy);
    UNIT_INT(cpu_busy_open(&busy, _fixture("intel-2s")), 0, "/proc/stat");
    UNIT_INT(busy.kind, CPU_BUSY_PROC, "/proc/stat");
    cpu_busy_close(&busy);
    UNIT_INT(cpu_busy_open(&busy, _fixture("broken-zones")), -1, "nothing at all");
    UNIT_INT(cpu_busy_read(&busy, &us), -1, "nothing at all");
}

#define PROCS "sys/fs/cgroup/cpuacct/slurm_n1/uid_1000/job_5/step_0/task_0/cgroup.procs"

/* A job that nobody announced: from its process up to the slurmstepd that runs it. */
static void test_origin(void)
{
    static const char *const stepd = "Name:\tslurmstepd\nState:\tS\nPid:\t100\nPPid:\t1\n"
                                     "Uid:\t0\t0\t0\t0\n";
    const char *root = fixture_copy("cgroup-v1");
    char dir[PATH_MAX + 128];
    struct job_origin origin;

    (void)snprintf(dir, sizeof(dir), "%s/sys/fs/cgroup/cpuacct/slurm_n1/uid_1000/job_5", root);
    (void)unsetenv("SLURM_CONF");
    job_origin_look(&origin, root, dir);
    UNIT_INT(origin.found, 0, "no process");
    fixture_write(root, PROCS, "102\n103\n");
    fixture_write(root, "proc/102/status", "Name:\tsh\nPPid:\t101\nUid:\t1000\t1000\t1000\t1000\n");
    fixture_write(root, "proc/101/status",
                  "Name:\tslurmstepd\nPPid:\t100\nUid:\t1000\t1000\t1000\t1000\n");
    fixture_write(root, "proc/100/status", stepd);
    job_origin_look(&origin, root, dir);
    UNIT_INT(origin.found, 1, "a process");
    UNIT_INT(origin.uid, 1000, "its user");
    UNIT_INT(origin.foreign, 0, "nothing to compare with");
    (void)setenv("SLURM_CONF", "/etc/a.conf", 1);
    job_origin_look(&origin, root, dir);
    UNIT_INT(origin.foreign, 1, "it does not say whom it serves");
    fixture_write(root, "proc/100/environ", "SLURM_CONF=/etc/b.conf");
    fixture_write(root, "proc/101/environ", "SLURM_CONF=/etc/a.conf");
    job_origin_look(&origin, root, dir);
    UNIT_INT(origin.foreign, 1, "another cluster's, whatever a user's process says");
    fixture_write(root, "proc/100/environ", "SLURM_CONF=/etc/a.conf");
    job_origin_look(&origin, root, dir);
    UNIT_INT(origin.foreign, 0, "ours");
}

static const struct unit_case cases[] = {
    {"roots", test_roots},       {"root_appears", test_root_appears},
    {"list", test_list},         {"cpu_lists", test_cpu_lists},
    {"cpu_time", test_cpu_time}, {"comes_and_goes", test_comes_and_goes},
    {"resume", test_resume},     {"busy_files", test_busy_files},
    {"origin", test_origin},     {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "cgroup");
}
