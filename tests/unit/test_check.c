/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot check: the files it reads (slurm.conf, plugstack.conf, plugins), what it makes of Slurm's
 * settings, programs that misbehave, and the command as a whole where there is no Slurm.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carnot/answer.h"
#include "carnot/check.h"
#include "carnot/lines.h"
#include "carnot/sofile.h"
#include "cli_fake.h"
#include "common/path.h"
#include "unit.h"

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

static char *file(char *buf, const char *name, const char *text)
{
    struct err e = {""};

    (void)snprintf(buf, PATH_MAX, "%s/%s", unit_tmpdir(), name);
    if (path_write_atomic(buf, text, strlen(text), 0644, &e) < 0)
        UNIT_OK(0, "%s", e.text);
    return buf;
}

/* ---- slurm.conf ---- */

static void test_slurmconf(void)
{
    static const struct {
        const char *text, *key, *value; /* value NULL: not there */
    } rows[] = {
        {"JobSubmitPlugins=lua,carnot", "JobSubmitPlugins", "lua,carnot"},
        {"jobsubmitplugins=carnot\n", "JobSubmitPlugins", "carnot"},
        {"A=1\nA=2\n", "A", "2"},
        {"A = 1", "A", "1"},
        {"A=1 B=2 C=3", "B", "2"},
        {"A=\"one two\" B=2", "A", "one two"},
        {"A=\"one two\" B=2", "B", "2"},
        {"# A=1", "A", NULL},
        {"A=1 # B=2", "B", NULL},
        {"A=x\\#y", "A", "x#y"},
        {"A=1,\\\n2", "A", "1,2"},
        {"A=1\\", "A", "1"},
        {"A=1\r\nB=2\r\n", "A", "1"},
        {"", "A", NULL},
        {"A=", "A", NULL},
        {"A=(null)", "A", NULL},
        {"NodeName=n1 CPUs=4 State=UNKNOWN", "State", NULL},
        {"PartitionName=x Nodes=ALL MinJobAge=3", "MinJobAge", NULL},
        {"nodename=n1 CPUs=4", "CPUs", NULL},
        {"SlurmctldHost=a(10.0.0.1)", "SlurmctldHost", "a(10.0.0.1)"},
        {"  \t\n\n  A=1\n", "A", "1"},
    };
    char path[PATH_MAX];

    for (size_t i = 0; i < N(rows); i++) {
        struct slurmconf s = {0};
        struct err e = {""};

        UNIT_INT(slurmconf_read(&s, file(path, "slurm.conf", rows[i].text), &e), 0, "row %zu: %s",
                 i, e.text);
        UNIT_STR(slurmconf_or(&s, rows[i].key, "-"), rows[i].value ? rows[i].value : "-", "row %zu",
                 i);
        slurmconf_fini(&s);
    }
}

static void test_slurmconf_bad(void)
{
    static const char *const rows[] = {
        "JobSubmitPlugins carnot",
        "JobSubmitPlugins",
        "=carnot",
        "A=1 B",
        "A=1 =2",
        "A=\"open",
        "A=1 B=\"open 2",
        "\xff\xfe=1",
        "A-B=1",
        "include",
        "include /nowhere/at/all.conf",
        "include slurm.conf",
        "Include=x\nfoo",
        "A=1\n\nnonsense here\n",
        "@!",
        "A=1 ,B=2",
        "Node Name=x",
        "  '",
        "<xml/>",
        "A:1",
        "{\"A\": 1}",
        "A=1 # fine\n%",
    };
    char path[PATH_MAX];

    for (size_t i = 0; i < N(rows); i++) {
        struct slurmconf s = {0};
        struct err e = {""};

        UNIT_INT(slurmconf_read(&s, file(path, "slurm.conf", rows[i]), &e), -1, "row %zu", i);
        UNIT_OK(e.text[0] && strstr(e.text, "slurm.conf"), "row %zu names the file: %s", i, e.text);
        UNIT_OK(s.n == 0 && !s.pairs, "row %zu leaves nothing", i);
    }
}

static void test_include(void)
{
    struct slurmconf s = {0};
    struct err e = {""};
    char path[PATH_MAX], dir[PATH_MAX];

    (void)snprintf(dir, sizeof(dir), "%s/conf.d", unit_tmpdir());
    UNIT_INT(mkdir(dir, 0755), 0, "%s", dir);
    file(path, "conf.d/b.conf", "B=2\n");
    file(path, "conf.d/c.conf", "C=3\nA=9\n");
    file(path, "slurm.conf", "A=1\nInclude conf.d/*.conf\ninclude conf.d/*.nothing\n");
    UNIT_INT(slurmconf_read(&s, path, &e), 0, "%s", e.text);
    UNIT_STR(slurmconf_or(&s, "B", "-"), "2", "relative to the file");
    UNIT_STR(slurmconf_or(&s, "A", "-"), "9", "the later one counts");
    slurmconf_fini(&s);
    file(path, "slurm.conf", "A=1\ninclude slurm.conf\n");
    UNIT_INT(slurmconf_read(&s, path, &e), -1, "itself");
    UNIT_INT(errno, ELOOP, "%s", e.text);
}

static void test_shown(void)
{
    static const char text[] = "Configuration data as of 2026-11-27T04:39:11\n"
                               "JobSubmitPlugins        = carnot\n"
                               "MinJobAge               = 300 sec\n"
                               "PriorityFlags           = \n"
                               "Licenses                = (null)\n"
                               "SlurmctldHost[0]        = vm(127.0.0.1)\n"
                               "\nCgroup Support Configuration:\n"
                               "CgroupPlugin            = cgroup/v1\n"
                               "NoEnd                   = x";
    static const char *const bad[] = {"", "\n\n\n", "no equals sign here", "= 3", "\xff\xff"};
    struct slurmconf s = {0};
    struct err e = {""};

    UNIT_INT(slurmconf_parse_shown(&s, text, sizeof(text) - 1, &e), 0, "%s", e.text);
    UNIT_STR(slurmconf_or(&s, "jobsubmitplugins", "-"), "carnot", "key");
    UNIT_STR(slurmconf_or(&s, "MinJobAge", "-"), "300 sec", "blanks in a value");
    UNIT_STR(slurmconf_or(&s, "PriorityFlags", "-"), "-", "empty");
    UNIT_STR(slurmconf_or(&s, "Licenses", "-"), "-", "(null)");
    UNIT_STR(slurmconf_or(&s, "SlurmctldHost[0]", "-"), "vm(127.0.0.1)", "index");
    UNIT_STR(slurmconf_or(&s, "CgroupPlugin", "-"), "cgroup/v1", "second part");
    UNIT_STR(slurmconf_or(&s, "NoEnd", "-"), "x", "no newline");
    slurmconf_fini(&s);
    for (size_t i = 0; i < N(bad); i++)
        UNIT_INT(slurmconf_parse_shown(&s, bad[i], strlen(bad[i]), &e), -1, "row %zu", i);
}

static void test_lists(void)
{
    static const struct {
        const char *list, *word;
        int has, last;
        const char *put_last;
    } rows[] = {
        {NULL, "carnot", 0, 0, "carnot"},
        {"", "carnot", 0, 0, "carnot"},
        {"lua", "carnot", 0, 0, "lua,carnot"},
        {"carnot", "carnot", 1, 1, "carnot"},
        {"lua,carnot", "carnot", 1, 1, "lua,carnot"},
        {"carnot,lua", "carnot", 1, 0, "lua,carnot"},
        {"carnot,lua,carnot", "carnot", 1, 1, "lua,carnot"},
        {"Carnot", "carnot", 1, 1, "carnot"},
        {"carnot2", "carnot", 0, 0, "carnot2,carnot"},
        {"a, b ,c", "b", 1, 0, "a,c,b"},
        {",,", "carnot", 0, 0, "carnot"},
        {"bf_interval=30,bf_continue", "bf_interval", 1, 0, "bf_continue,bf_interval"},
        {"xbf_continue", "bf_continue", 0, 0, "xbf_continue,bf_continue"},
    };
    char buf[128], small[6];

    for (size_t i = 0; i < N(rows); i++) {
        UNIT_INT(slurmconf_has(rows[i].list, rows[i].word), rows[i].has, "row %zu", i);
        UNIT_INT(slurmconf_is_last(rows[i].list, rows[i].word), rows[i].last, "row %zu", i);
        UNIT_STR(slurmconf_put_last(buf, sizeof(buf), rows[i].list, rows[i].word), rows[i].put_last,
                 "row %zu", i);
    }
    UNIT_STR(slurmconf_without(buf, sizeof(buf), "a, b,,c", "b"), "a,c", "without");
    UNIT_STR(slurmconf_without(buf, sizeof(buf), "b", "b"), "", "without");
    UNIT_STR(slurmconf_put_last(small, sizeof(small), "longer,list", "x"), "longe", "cut");
}

static void test_numbers(void)
{
    static const struct {
        const char *text;
        int64_t s;
    } times[] = {{"300", 300},
                 {"300 sec", 300},
                 {"7-00:00:00", 604800},
                 {"7-0", 604800},
                 {"00:05:00", 300},
                 {"0", 0},
                 {"UNLIMITED", -1},
                 {"INFINITE", -1},
                 {"", -1},
                 {NULL, -1},
                 {"x", -1},
                 {"-5", -1},
                 {"3 min", -1},
                 {"300 seconds", -1},
                 {"1-2-3", -1},
                 {"99999999999999999999", -1}};
    static const struct {
        const char *text;
        uint32_t version;
        int parts; /* 0: none */
    } versions[] = {{"22.05.8", 0x160508, 3},
                    {"22.05", 0x160500, 2},
                    {"24.11.5", 0x180b05, 3},
                    {"slurm-wlm 22.05.8", 0x160508, 3},
                    {"slurm 24.11.5-1", 0x180b05, 3},
                    {"26.05.0~rc1", 0x1a0500, 3},
                    {"22.5.8\n", 0x160508, 3},
                    {"22", 0, 0},
                    {"", 0, 0},
                    {"x", 0, 0},
                    {"22.", 0, 0},
                    {"22.05.", 0, 0},
                    {"22.05.8.1", 0, 0},
                    {"22..8", 0, 0},
                    {"22.05x", 0, 0},
                    {"999.05", 0, 0},
                    {"22.05.9999", 0, 0}};
    char text[32];

    for (size_t i = 0; i < N(times); i++)
        UNIT_INT(slurmconf_seconds(times[i].text), times[i].s, "time %zu", i);
    for (size_t i = 0; i < N(versions); i++) {
        uint32_t version = 0;
        int parts = 0;

        UNIT_INT(slurmconf_version(versions[i].text, &version, &parts), versions[i].parts ? 0 : -1,
                 "version %zu", i);
        UNIT_INT(version, versions[i].version, "version %zu", i);
        UNIT_INT(parts, versions[i].parts, "version %zu", i);
    }
    UNIT_STR(slurmconf_version_text(text, sizeof(text), 0x160508), "22.05.8", "text");
    UNIT_OK(check_fits(0x160508, 0x160508, 0) && !check_fits(0x160508, 0x160509, 0), "all three");
    UNIT_OK(check_fits(0x160508, 0x160509, 1) && !check_fits(0x160508, 0x170508, 1), "two");
}

/* ---- plugstack.conf ---- */

static void test_plugstack(void)
{
    static const char *const bad[] = {
        "",     "optional",      "optional ", "required", "Optional a.so", "mandatory a.so",
        "a.so", "optional:a.so", "include",   "-",        "optionala.so"};
    struct plugstack p = {0};
    struct err e = {""};
    const struct plugstack_entry *entry;
    char path[PATH_MAX], buf[64];

    file(path, "more.conf", "required /x/earplug.so a=1 # comment\n");
    file(path, "plugstack.conf",
         "# first\ninclude more.conf\n\toptional  spank_carnot.so   socket=/run/%n/s  x\n"
         "optional spank_carnot.so\n");
    UNIT_INT(plugstack_read(&p, path, &e), 0, "%s", e.text);
    UNIT_INT(p.n, 3, "entries");
    UNIT_OK(p.entries[0].required && strcmp(p.entries[0].args, "a=1") == 0, "the included one");
    entry = plugstack_find(&p, 0, "spank_carnot.so");
    UNIT_OK(entry == &p.entries[1] && entry->number == 3 && !entry->required, "the first");
    UNIT_STR(plugstack_arg(entry, "socket", buf, sizeof(buf)), "/run/%n/s", "socket");
    UNIT_OK(!plugstack_arg(entry, "sock", buf, sizeof(buf)), "whole keys only");
    UNIT_OK(!plugstack_arg(entry, "x", buf, sizeof(buf)), "a word without a value");
    UNIT_OK(plugstack_find(&p, 2, "spank_carnot.so") == &p.entries[2], "the second");
    UNIT_OK(plugstack_find(&p, 3, "spank_carnot.so") == NULL, "no third");
    UNIT_OK(plugstack_find(&p, 0, "carnot.so") == NULL, "whole names only");
    for (size_t i = 0; i < N(bad); i++)
        UNIT_INT(plugstack_line(&p, bad[i], "f", 1, &e), -1, "row %zu", i);
    UNIT_INT(p.n, 3, "bad lines add nothing");
    plugstack_fini(&p);
    UNIT_INT(plugstack_read(&p, "/nowhere", &e), -1, "none");
    UNIT_INT(errno, ENOENT, "none");
}

/* ---- a plugin's file ---- */

static char *plugin(size_t *size)
{
    struct err e = {""};
    char *data = NULL;

    if (path_read(PLUGIN_FILE, 64 << 20, &data, size, &e) < 0)
        unit_skip(e.text);
    return data;
}

static void test_sofile(void)
{
    size_t size;
    char *data = plugin(&size);
    struct sofile s = {0};
    struct err e = {""};

    UNIT_INT(sofile_parse(&s, data, size, &e), 0, "%s", e.text);
    UNIT_STR(s.type, "job_submit/carnot", "type");
    UNIT_STR(s.release, PACKAGE_VERSION, "release");
    UNIT_OK(s.version >> 16 >= 20 && s.name[0], "version %#x of '%s'", s.version, s.name);
    UNIT_OK(sofile_exports(&s, "job_submit") && sofile_exports(&s, "job_modify"), "entries");
    UNIT_OK(!sofile_exports(&s, "placement_decide"), "hidden");
    UNIT_OK(!sofile_exports(&s, "slurm_xstrdup"), "needed is not exported");
    sofile_fini(&s);
    free(data);
}

/* Cut at every length, and each byte of what is looked at changed: an error or an answer. */
static void test_sofile_bad(void)
{
    static const char *const rows[] = {"", "x",
                                       "\x7f"
                                       "ELF",
                                       "#!/bin/sh\n",
                                       "\x7f"
                                       "ELF\2\1\1"};
    size_t size, step;
    char *data = plugin(&size);
    struct sofile s = {0};
    struct err e = {""};

    for (size_t i = 0; i < N(rows); i++) {
        UNIT_INT(sofile_parse(&s, rows[i], strlen(rows[i]), &e), -1, "row %zu", i);
        UNIT_OK(e.text[0] != '\0', "row %zu says what", i);
    }
    step = size / 500 + 1;
    for (size_t n = 0; n < size; n += n < 256 ? 1 : step) {
        char *cut = malloc(n ? n : 1); /* of its own, so that a sanitizer sees what is beyond */

        memcpy(cut, data, n);
        if (sofile_parse(&s, cut, n, &e) == 0) {
            (void)sofile_exports(&s, "job_submit");
            sofile_fini(&s);
        }
        free(cut);
    }
    for (size_t at = 0; at < sizeof(long) * 16; at++)
        for (int bits = 0x01; bits <= 0xff; bits = bits << 1 | 1) {
            data[at] = (char)(data[at] ^ bits);
            if (sofile_parse(&s, data, size, &e) == 0) {
                (void)sofile_exports(&s, "job_submit");
                sofile_fini(&s);
            }
            data[at] = (char)(data[at] ^ bits);
        }
    UNIT_INT(sofile_parse(&s, data, size, &e), 0, "and whole again: %s", e.text);
    sofile_fini(&s);
    free(data);
}

/* ---- other programs ---- */

static void test_child(void)
{
    static const struct {
        const char *script;
        int status;
        const char *out, *why;
    } rows[] = {
        {"echo hello", 0, "hello\n", "it ended with exit code 0"},
        {"echo no >&2; echo more >&2; exit 3", 3, "", "no"},
        {"exit 7", 7, "", "it ended with exit code 7"},
        {"kill -SEGV $$", 128 + 11, "", NULL},
        {"kill -KILL $$", 128 + 9, "", NULL},
        {"sleep 30", -1, "", "it did not end in time"},
        {"exec >&- 2>&-; sleep 30", -1, "", "it did not end in time"},
        {"sleep 30 & echo x; wait", -1, "x\n", "it did not end in time"},
        {"read x && exit 1; exit 0", 0, "", NULL},
        {"printf 0123456789abcdef; printf 0123456789abcdef", 0, "0123456789abcdef0123", NULL},
        {"echo $CHECK_TEST", 0, "set\n", NULL},
        {"cat <&3", 0, "kept", NULL},
        {"ls /proc/self/fd | tr '\\n' ' '", 0, "0 1 2 3 4 ", NULL}, /* 4: ls reads the directory */
    };
    static const char *const env[] = {"CHECK_TEST=set", NULL};
    char path[PATH_MAX], why[128];

    file(path, "kept", "kept");
    for (size_t i = 0; i < N(rows); i++) {
        const char *argv[] = {"/bin/sh", "-c", rows[i].script, NULL};
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        const struct child_order order = {.argv = argv,
                                          .env = env,
                                          .keep_fd = fd,
                                          .timeout_ms = rows[i].status == -1 ? 1000 : 15000,
                                          .output_max = 20};
        struct child_result r;
        struct err e = {""};

        UNIT_INT(child_run(&order, &r, &e), 0, "row %zu: %s", i, e.text);
        UNIT_INT(r.status, rows[i].status, "row %zu", i);
        UNIT_STR(r.out, rows[i].out, "row %zu", i);
        if (rows[i].why)
            UNIT_STR(child_why(&r, why, sizeof(why)), rows[i].why, "row %zu", i);
        child_fini(&r);
        (void)close(fd);
    }
}

static void test_child_missing(void)
{
    static const char *const argv[] = {"/nowhere/program", NULL};
    const struct child_order order = {
        .argv = argv, .keep_fd = -1, .timeout_ms = 5000, .output_max = 20};
    struct child_result r;
    struct err e = {""};
    char path[PATH_MAX];

    UNIT_INT(child_run(&order, &r, &e), -1, "no such program");
    UNIT_STR(e.text, "cannot run /nowhere/program: No such file or directory", "says so");
    UNIT_INT(child_find(path, sizeof(path), "no-such-thing", "", "/nowhere"), -1, "in no place");
    file(path, "readable", "x");
    UNIT_INT(child_can_read(path, geteuid()), 1, "ours");
    if (geteuid() == 0) {
        UNIT_INT(chmod(path, 0600), 0, "chmod");
        UNIT_INT(child_can_read(path, 65534), 0, "nobody cannot");
        UNIT_INT(child_can_read("/etc/passwd", 65534), 1, "nobody can");
        UNIT_INT(child_can_read(path, 4242424), -1, "no such user");
    }
}

/* ---- what is made of Slurm's settings ---- */

/* The level of the finding with that code, "" when there is none. */
static const char *level(const struct check *k, const char *code)
{
    json_t *finding;
    size_t i;

    json_array_foreach(k->findings, i, finding) if (strcmp(answer_show(finding, "code"), code) ==
                                                    0) return answer_show(finding, "level");
    return "";
}

/* Of several with that code: "" where all are ok. */
static const char *worst(const struct check *k, const char *code)
{
    const char *found = "";
    json_t *finding;
    size_t i;

    json_array_foreach(k->findings, i, finding)
    {
        const char *is = answer_show(finding, "level");

        if (strcmp(answer_show(finding, "code"), code) == 0 && strcmp(is, "ok") != 0 &&
            strcmp(found, "error") != 0)
            found = is;
    }
    return found;
}

static void begin(struct check *k, struct cli *c, const char *lines)
{
    struct err e = {""};
    char path[PATH_MAX];

    *k = (struct check){.c = c, .source = CHECK_FILE};
    k->findings = json_array();
    k->said = json_array();
    settings_init(&k->set);
    k->configured = 1;
    UNIT_INT(slurmconf_read(&k->slurm, file(path, "slurm.conf", lines), &e), 0, "%s", e.text);
}

static void end(struct check *k)
{
    slurmconf_fini(&k->slurm);
    json_decref(k->findings);
    json_decref(k->said);
}

#define WATTS "Licenses=watts:4000\n"
#define DBD "AccountingStorageType=accounting_storage/slurmdbd\n"
#define TRES "AccountingStorageTRES=cpu,license/watts\nPriorityDecayHalfLife=0\n"
#define AGE "PriorityType=priority/multifactor\nPriorityWeightAge=100\n"

static void test_settings(void)
{
    static const struct {
        const char *lines, *code, *level;
    } rows[] = {
        {"", "slurm.prolog", "warning"},
        {"PrologFlags=NoHold", "slurm.prolog", "warning"},
        {"PrologFlags=Alloc", "slurm.prolog", "ok"},
        {"PrologFlags=contain", "slurm.prolog", "ok"},
        {"PrologFlags=Serial,X11", "slurm.prolog", "ok"},
        {"", "slurm.cgroup", "ok"},
        {"ProctrackType=proctrack/linuxproc", "slurm.cgroup", "warning"},
        {"ProctrackType=proctrack/cgroup\nCgroupPlugin=cgroup/v1", "slurm.cgroup", "warning"},
        {"CgroupPlugin=cgroup/v1\nJobAcctGatherType=jobacct_gather/cgroup", "slurm.cgroup", "ok"},
        {"CgroupPlugin=cgroup/v2", "slurm.cgroup", "ok"},
        {"SchedulerType=sched/builtin", "slurm.backfill", "ok"},
        {WATTS "SchedulerType=sched/builtin", "slurm.backfill", "error"},
        {WATTS, "slurm.backfill", "error"},
        {WATTS "SchedulerParameters=bf_continue", "slurm.backfill", "error"},
        {WATTS "SchedulerParameters=bf_licenses", "slurm.backfill", "warning"},
        {WATTS "SchedulerParameters=bf_licenses,bf_continue", "slurm.backfill", "ok"},
        {"", "slurm.priority", "ok"},
        {"PriorityType=priority/multifactor", "slurm.priority", "ok"},
        {AGE, "slurm.priority", "ok"},
        {AGE "PriorityMaxAge=1-0", "slurm.priority", "warning"},
        {AGE "PriorityMaxAge=1-0\nPriorityFlags=ACCRUE_ALWAYS", "slurm.priority", "ok"},
        {AGE "PrioritySiteFactorPlugin=site_factor/x", "slurm.priority", "warning"},
        {"", "slurm.accounting", "ok"},
        {"", "slurm.job-age", "ok"},
        {"MinJobAge=0", "slurm.job-age", "ok"},
        {"MinJobAge=10", "slurm.job-age", "ok"},
        {"MinJobAge=9", "slurm.job-age", "error"},
        {"MinJobAge=2", "slurm.job-age", "error"},
        {"MinJobAge=nonsense", "slurm.job-age", "error"},
        {"", "slurm.energy", "ok"},
        {"AcctGatherEnergyType=acct_gather_energy/rapl", "slurm.energy", "ok"},
        {"HASH_VAL=Match", "slurm.hash", ""},
        {"HASH_VAL=\"Different Ours=1 Slurmctld=2\"", "slurm.hash", "warning"},
    };
    struct fake f;

    fake_init(&f, NULL);
    for (size_t i = 0; i < N(rows); i++) {
        struct check k;

        begin(&k, &f.cli, rows[i].lines);
        check_slurm_settings(&k);
        UNIT_STR(level(&k, rows[i].code), rows[i].level, "row %zu: %s", i, rows[i].lines);
        end(&k);
    }
    fake_fini(&f);
}

/* budget.native, and one after another of what it needs taken away. */
static void test_native(void)
{
    static const struct {
        const char *lines, *level;
    } rows[] = {
        {WATTS DBD TRES AGE "AccountingStorageEnforce=limits,safe", ""},
        {WATTS DBD TRES AGE "AccountingStorageEnforce=all", ""},
        {"", "error"},
        {WATTS DBD TRES AGE "AccountingStorageEnforce=limits", "error"},
        {WATTS DBD TRES AGE, "error"},
        {WATTS DBD TRES "AccountingStorageEnforce=safe", "error"},
        {WATTS DBD AGE "PriorityDecayHalfLife=0\nAccountingStorageEnforce=safe", "error"},
        {WATTS TRES AGE "AccountingStorageEnforce=safe", "error"},
        {DBD TRES AGE "AccountingStorageEnforce=safe", "error"},
        {WATTS DBD TRES AGE "AccountingStorageEnforce=safe\nPriorityDecayHalfLife=1-0", "warning"},
    };
    struct fake f;

    fake_init(&f, NULL);
    for (size_t i = 0; i < N(rows); i++) {
        struct check k;

        begin(&k, &f.cli, rows[i].lines);
        k.set.budget.native = 1;
        check_slurm_settings(&k);
        UNIT_STR(worst(&k, "slurm.accounting"), rows[i].level, "row %zu: %s", i, rows[i].lines);
        UNIT_STR(level(&k, "slurm.backfill"), "error", "bf_licenses is needed then");
        end(&k);
    }
    fake_fini(&f);
}

#define GATHER "AcctGatherEnergyType=acct_gather_energy/carnot\n"

/* Carnot's joules in Slurm's accounting: nothing is said where slurm.conf does not name them. */
static void test_gather(void)
{
    static const struct {
        const char *lines, *code, *level;
    } rows[] = {
        {"", "gather.jobs", ""},
        {"AcctGatherEnergyType=acct_gather_energy/rapl\n", "gather.jobs", ""},
        {GATHER, "plugin.file", "error"},
        {GATHER, "gather.jobs", "warning"},
        {GATHER "JobAcctGatherType=jobacct_gather/cgroup\n", "gather.jobs", "ok"},
        {GATHER "JobAcctGatherType=jobacct_gather/linux\nJobAcctGatherFrequency=task=0,energy=5\n",
         "gather.jobs", "warning"},
        {GATHER "JobAcctGatherType=jobacct_gather/linux\nJobAcctGatherFrequency=0\n", "gather.jobs",
         "warning"},
        {GATHER, "gather.nodes", "warning"},
        {GATHER "AcctGatherNodeFreq=30\n", "gather.nodes", "ok"},
        {GATHER "PrologFlags=Alloc\n", "gather.contain", "warning"},
        {GATHER "PrologFlags=Alloc,Contain\n", "gather.contain", "ok"},
        {GATHER "PrologFlags=X11\n", "gather.contain", "ok"},
        {GATHER, "gather.alone", ""},
        {"AcctGatherEnergyType=rapl,carnot\n", "gather.alone", "error"},
    };
    struct fake f;

    fake_init(&f, NULL);
    for (size_t i = 0; i < N(rows); i++) {
        char lines[400];
        struct check k;

        (void)snprintf(lines, sizeof(lines), "PluginDir=/nowhere\n%s", rows[i].lines);
        begin(&k, &f.cli, lines);
        check_gather(&k);
        UNIT_STR(level(&k, rows[i].code), rows[i].level, "row %zu: %s", i, rows[i].lines);
        end(&k);
    }
    fake_fini(&f);
}

static void test_cures(void)
{
    struct check k;
    struct fake f;
    json_t *finding;
    size_t i;

    fake_init(&f, NULL);
    begin(&k, &f.cli,
          "JobSubmitPlugins=carnot,lua\nPluginDir=/nowhere:/nowhere/else\n" WATTS
          "MinJobAge=1\nProctrackType=x\nPlugStackConfig=/nowhere/plugstack.conf");
    check_slurm_settings(&k);
    check_job_submit(&k);
    check_plugstack(&k);
    UNIT_STR(level(&k, "jobsubmit.order"), "warning", "order");
    UNIT_STR(level(&k, "plugin.file"), "error", "the plugin that is named is not there");
    UNIT_STR(level(&k, "plugstack"), "warning", "no plugstack.conf");
    json_array_foreach(k.findings, i, finding)
    {
        int ok = strcmp(answer_show(finding, "level"), "ok") == 0;

        UNIT_INT(json_object_size(finding), 4, "level, code, what, cure");
        UNIT_OK(ok == (strcmp(answer_show(finding, "cure"), "-") == 0),
                "a cure for whatever is wrong, and nothing else: %s", answer_show(finding, "what"));
    }
    UNIT_INT(check_status(&k), 2, "errors");
    end(&k);
    fake_fini(&f);
}

static void test_room(void)
{
    UNIT_INT(check_room(0), CHECK_ERROR, "none");
    UNIT_INT(check_room(500ull << 20), CHECK_WARNING, "little");
    UNIT_INT(check_room(50ull << 30), CHECK_OK, "enough");
}

static void test_maps(void)
{
    static const struct {
        const char *maps, *path;
        int deleted;
    } rows[] = {
        {"", NULL, 0},
        {"7f00-7f01 r-xp 0 fe:00 12 /usr/lib/libc.so.6\n", NULL, 0},
        {"7f00-7f01 rw-p 0 00:00 0\n7f02-7f03 r--p 0 fe:00 1 /p/c.so\n", "/p/c.so", 0},
        {"7f00-7f01 r--p 0 fe:00 1    /a dir/with (it)/c.so", "/a dir/with (it)/c.so", 0},
        {"7f00-7f01 r--p 0 fe:00 1 /p/c.so (deleted)\n", "/p/c.so", 1},
        {"7f00-7f01 r--p 0 fe:00 1 /p/xc.so\n7f00-7f01 r--p 0 fe:00 1 /p/c.so.1\n", NULL, 0},
        {"7f00-7f01 r--p 0 fe:00 1 /c.so/x\n", NULL, 0},
        {"7f00-7f01 r--p 0 00:00 0 [heap]\nc.so\n", NULL, 0},
    };

    for (size_t i = 0; i < N(rows); i++) {
        char buf[64] = "";
        int deleted = 0;

        UNIT_INT(check_maps_find(rows[i].maps, "c.so", buf, sizeof(buf), &deleted),
                 rows[i].path != NULL, "row %zu", i);
        if (rows[i].path) {
            UNIT_STR(buf, rows[i].path, "row %zu", i);
            UNIT_INT(deleted, rows[i].deleted, "row %zu", i);
        }
    }
}

static void test_last_seq(void)
{
    static const struct {
        const char *text;
        uint64_t seq;
    } rows[] = {
        {"", 0},
        {"{\"ev\":\"start\"}\n", 0},
        {"{\"ev\":\"record\",\"seq\":7}\n", 7},
        {"4711}]}\n{\"ev\":\"record\",\"seq\":7}\n{\"ev\":\"record\",\"seq\":8}\n", 8},
        {"{\"ev\":\"record\",\"seq\":7}\n{\"ev\":\"job.end\",\"job\":5}\n", 7},
        {"{\"ev\":\"record\",\"seq\":7}\n{\"ev\":\"record\",\"seq\":8", 7}, /* torn */
        {"{\"ev\":\"record\"}\n{\"seq\":9}\n", 0},
    };

    for (size_t i = 0; i < N(rows); i++)
        UNIT_INT(check_last_seq(rows[i].text), rows[i].seq, "row %zu", i);
}

/* ---- the command ---- */

/* The code that a call in the source adds, or NULL: its first literal is one. */
static const char *code_of(const char *call, char *buf, size_t size)
{
    static const char *const names[] = {"ok(", "warn(", "error(", "say(", "secure(", "add("};
    const char *text, *stop;
    size_t n;

    for (size_t i = 0; i < N(names); i++)
        if (strncmp(call + strlen("check_"), names[i], strlen(names[i])) == 0) {
            stop = strchr(call, ';');
            text = strchr(call, '"');
            n = text ? strspn(text + 1, "abcdefghijklmnopqrstuvwxyz.-") : 0;
            if (!text || !stop || text > stop || text[n + 1] != '"')
                return NULL;
            (void)snprintf(buf, size, "%.*s", (int)n, text + 1);
            return buf;
        }
    return NULL;
}

/* Every code that is used is in the man page's list. */
static void test_codes(void)
{
    static const char *const files[] = {"auth",  "gather", "live",  "node",  "plugin",
                                        "slurm", "source", "state", "trial", "upgrade"};
    char path[PATH_MAX], code[64], *page, *source, *to;
    struct err e = {""};
    int found = 0;
    size_t size;

    if (path_read(FIXTURES "/../../docs/carnot.1", 1 << 20, &page, &size, &e) < 0)
        unit_skip(e.text);
    to = page;
    for (char *p = page; *p; p++)
        if (*p != '\\')
            *to++ = *p;
    *to = '\0';
    for (size_t i = 0; i < N(files); i++) {
        (void)snprintf(path, sizeof(path), FIXTURES "/../../src/carnot/check_%s.c", files[i]);
        if (path_read(path, 1 << 20, &source, &size, &e) < 0)
            unit_skip(e.text);
        for (char *p = source; (p = strstr(p, "check_")) != NULL; p++)
            if (code_of(p, code, sizeof(code))) {
                UNIT_OK(strstr(page, code) != NULL, "%s of %s", code, path);
                found++;
            }
        free(source);
    }
    UNIT_OK(found > 60, "%d found", found);
    free(page);
}

static void test_usage(void)
{
    static const struct {
        const char *words, *err;
    } rows[] = {
        {"check more", "carnot: check takes no operand; see carnot help check\n"},
        {"check --slurm --node", "carnot: check: one of --slurm, --upgrade, --node at a time\n"},
        {"check --slurm --upgrade 24.11",
         "carnot: check: one of --slurm, --upgrade, --node at a time\n"},
        {"check --plugin x", "carnot: check: --plugin goes with --slurm\n"},
        {"check --upgrade",
         "carnot: check: a value is missing behind --upgrade; see carnot help check\n"},
        {"check --upgrade new",
         "carnot: check: --upgrade=new is no release: use 24.11 or 24.11.5\n"},
        {"check --upgrade 24", "carnot: check: --upgrade=24 is no release: use 24.11 or 24.11.5\n"},
    };
    struct fake f;

    (void)setenv("SLURM_CONF", "/nowhere/slurm.conf", 1);
    fake_init(&f, NULL);
    for (size_t i = 0; i < N(rows); i++) {
        UNIT_INT(fake_run(&f, rows[i].words), 2, "%s", rows[i].words);
        UNIT_STR(f.err, rows[i].err, "%s", rows[i].words);
        UNIT_STR(f.out, "", "%s", rows[i].words);
    }
    fake_fini(&f);
}

/* No Slurm, no carnot.yaml, nobody answers: findings, and an end. */
static void test_nothing_there(void)
{
    static const struct fake_answer nobody[] = {{NULL, NULL}};
    static const char *const commands[] = {"check", "check --node", "check --slurm",
                                           "check --upgrade 24.11"};
    struct fake f;

    (void)setenv("SLURM_CONF", "/nowhere/slurm.conf", 1);
    fake_init(&f, nobody);
    for (size_t i = 0; i < N(commands); i++) {
        char words[96];

        (void)snprintf(words, sizeof(words), "--conf /nowhere/carnot.yaml %s", commands[i]);
        UNIT_INT(fake_run(&f, words), 2, "%s", words);
        UNIT_OK(strstr(f.out, i < 2 ? "[carnot.conf]\n" : "[slurm.conf]\n"), "%s: %s", words,
                f.out);
        UNIT_OK(!strstr(f.out, "\nok: "), "%s: only what is wrong: %s", words, f.out);
        UNIT_STR(f.err, "", "%s", words);
        (void)snprintf(words, sizeof(words), "--conf /nowhere/carnot.yaml %s --json", commands[i]);
        UNIT_INT(fake_run(&f, words), 2, "%s", words);
        UNIT_OK(fake_is_json(f.out) && f.out[0] == '[', "%s: %s", words, f.out);
    }
    fake_fini(&f);
}

/* What carnotctld answers, as findings. */
static void test_answers(void)
{
#define HEAD "{\"ok\":true,\"version\":\"" PACKAGE_VERSION "\",\"mode\":\"act\",\"cluster\":\"x\","
#define FEED(age, until)                                                                           \
    "\"feed\":{\"name\":\"csv\",\"zone\":\"DE\",\"age_s\":" age ",\"until\":" until "},"
#define SLURM "\"slurm\":{\"ok\":true,\"listed_age_s\":1}}"
#define NODE(name, state, quality, version)                                                        \
    "{\"node\":\"" name "\",\"state\":\"" state "\",\"quality\":\"" quality                        \
    "\",\"version\":\"" version "\"}"
    static const struct {
        const char *status, *nodes, *code, *level;
    } rows[] = {
        {NULL, NULL, "carnotctld", "error"},
        {"{\"ok\":false,\"error\":\"not you\"}", NULL, "carnotctld", "error"},
        {HEAD FEED("60", "\"2999-01-01T00:00:00Z\"") SLURM, "[]", "carnotctld", "ok"},
        {HEAD FEED("60", "\"2999-01-01T00:00:00Z\"") SLURM, "[]", "carnot.version", "ok"},
        {"{\"ok\":true,\"version\":\"9.9\"}", "[]", "carnot.version", "warning"},
        {"{\"ok\":true,\"version\":\"9.9\"}", "[]", "carnotctld.slurm", "error"},
        {HEAD FEED("60", "\"2999-01-01T00:00:00Z\"") SLURM, "[]", "feed", "ok"},
        {HEAD FEED("99999", "\"2999-01-01T00:00:00Z\"") SLURM, "[]", "feed", "warning"},
        {HEAD FEED("60", "\"2020-01-01T00:00:00Z\"") SLURM, "[]", "feed", "error"},
        {HEAD FEED("null", "null") SLURM, "[]", "feed", "error"},
        {HEAD SLURM, "[]", "feed", "error"},
        {HEAD SLURM, "[]", "nodes", "warning"},
        {HEAD SLURM, NULL, "nodes", "warning"},
        {HEAD SLURM, "[" NODE("n1", "ok", "measured", PACKAGE_VERSION) "]", "nodes", "ok"},
        {HEAD SLURM, "[" NODE("n1", "silent", "measured", "") "]", "nodes", "warning"},
        {HEAD SLURM, "[" NODE("n1", "ok", "stale", PACKAGE_VERSION) "]", "nodes.sources",
         "warning"},
        {HEAD SLURM, "[" NODE("n1", "ok", "measured", "9.9") "]", "nodes.version", "warning"},
        {HEAD SLURM, "[" NODE("n1", "ok", "measured", PACKAGE_VERSION) "]", "nodes.version", ""},
        {HEAD "\"time\":\"2020-01-01T00:00:00Z\"," SLURM, "[]", "clock.controller", "error"},
    };

    for (size_t i = 0; i < N(rows); i++) {
        char nodes[512];
        struct fake_answer answers[] = {{"status", rows[i].status}, {"nodes", nodes}, {NULL, NULL}};
        struct check k;
        struct fake f;

        (void)snprintf(nodes, sizeof(nodes), "{\"ok\":true,\"nodes\":%s}",
                       rows[i].nodes ? rows[i].nodes : "");
        if (!rows[i].nodes)
            answers[1].json = NULL;
        fake_init(&f, answers);
        begin(&k, &f.cli, "");
        check_carnotctld(&k, 1);
        check_clock(&k);
        UNIT_STR(level(&k, rows[i].code), rows[i].level, "row %zu", i);
        json_decref(k.status);
        end(&k);
        fake_fini(&f);
    }
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"slurmconf", test_slurmconf},
                                             {"slurmconf_bad", test_slurmconf_bad},
                                             {"include", test_include},
                                             {"shown", test_shown},
                                             {"lists", test_lists},
                                             {"numbers", test_numbers},
                                             {"plugstack", test_plugstack},
                                             {"sofile", test_sofile},
                                             {"sofile_bad", test_sofile_bad},
                                             {"child", test_child},
                                             {"child_missing", test_child_missing},
                                             {"settings", test_settings},
                                             {"native", test_native},
                                             {"gather", test_gather},
                                             {"cures", test_cures},
                                             {"room", test_room},
                                             {"maps", test_maps},
                                             {"last_seq", test_last_seq},
                                             {"codes", test_codes},
                                             {"usage", test_usage},
                                             {"nothing_there", test_nothing_there},
                                             {"answers", test_answers},
                                             {NULL, NULL}};

    return unit_main(argc, argv, cases, "check");
}
