/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sampler on machines of our own, with a clock that stands still until it is told: what
 * jobs get, what a record says, and that a record is exact however jobs come and go.
 */
#include "config.h"

#include <inttypes.h>
#include <jansson.h>
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>

#include "carnotd/sampler_private.h"
#include "sampler_host.h"

static void _start(const char *boot)
{
    log_set_handler(host_quiet, NULL);
    host_start(boot, NULL, 0);
}

static void _setup(const char *machine)
{
    host_init(machine);
    settings.power.cpu_idle_mw = 2000;
    settings.power.cpu_max_mw = 10000;
    settings.node.interval_ms = 1000;
    settings.node.log_interval_ms = 10000;
    _start("boot-1");
}

static void _event(enum node_event_kind kind, uint32_t job, uint32_t cpus)
{
    struct node_event ev;

    node_event_init(&ev);
    ev.kind = kind;
    ev.job_id = job;
    ev.uid = 1000;
    ev.ncpus = cpus;
    ev.t_ms = clock_wall_ms(sampler.clock);
    if (kind == NODE_EVENT_STEP || kind == NODE_EVENT_STEP_END)
        (void)snprintf(ev.step, sizeof(ev.step), "0");
    (void)sampler_event(&sampler, &ev);
}

/* The CPU time of a job so far, by its cgroup (v1). */
static void _used(uint32_t job, uint64_t us)
{
    char file[160];

    (void)snprintf(file, sizeof(file),
                   "sys/fs/cgroup/cpuacct/slurm_n1/uid_1000/job_%u/cpuacct.usage", job);
    fixture_write_u64(root, file, us * 1000);
}

static void _machine_used(uint64_t us)
{
    fixture_write_u64(root, "sys/fs/cgroup/cpuacct/cpuacct.usage", us * 1000);
}

/* All records of the log: a new array, each of them checked to add up. */
static json_t *_records(void)
{
    json_t *records = json_array(), *entry;
    char *text = NULL, path[PATH_MAX];
    int64_t last_seq = 0;
    size_t size, i;

    (void)snprintf(path, sizeof(path), "%s/telemetry.jsonl", unit_tmpdir());
    CU_ASSERT_FATAL(path_read(path, 64 << 20, &text, &size, NULL) == 0);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *record = json_loads(line, 0, NULL);
        json_int_t sum;

        UNIT_OK(record != NULL, "every line is JSON: %s", line);
        if (strcmp(json_string_value(json_object_get(record, "ev")), "record") != 0) {
            json_decref(record);
            continue;
        }
        sum = json_integer_value(json_object_get(record, "idle_uj")) +
              json_integer_value(json_object_get(record, "system_uj"));
        json_array_foreach(json_object_get(record, "jobs"), i, entry)
        {
            sum += json_integer_value(json_object_get(entry, "uj"));
            UNIT_INT(json_integer_value(json_object_get(entry, "uj")),
                     json_integer_value(json_object_get(entry, "idle_uj")) +
                         json_integer_value(json_object_get(entry, "active_uj")) +
                         json_integer_value(json_object_get(entry, "gpu_uj")),
                     "a job's parts: %s", line);
        }
        UNIT_INT(sum, json_integer_value(json_object_get(record, "uj")), "conservation: %s", line);
        UNIT_INT(json_integer_value(json_object_get(record, "seq")), last_seq + 1, "%s", line);
        last_seq = json_integer_value(json_object_get(record, "seq"));
        (void)json_array_append_new(records, record);
    }
    free(text);
    return records;
}

static json_int_t _number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? json_integer_value(value) : -1;
}

static const char *_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "(none)";
}

/* The entry of a job in a record, NULL when it is not in it. */
static json_t *_job(const json_t *record, uint32_t id)
{
    json_t *entry;
    size_t i;

    json_array_foreach(json_object_get(record, "jobs"), i, entry)
    {
        if (_number(entry, "job") == (json_int_t)id)
            return entry;
    }
    return NULL;
}

/* A job's CPU time is asked for when it counts, and now and then for jobs that end without a word.
 */
static void test_seldom(void)
{
    const char *const dir = "sys/fs/cgroup/cpuacct/slurm_n1/uid_1000/job_42";
    const struct job *job;

    _setup("cgroup-v1");
    host_pass(3000);
    _used(42, 0);
    _event(NODE_EVENT_START, 42, 2);
    job = &sampler.jobs.v[0];
    _used(42, 1000000);
    for (int i = 0; i < 4; i++) {
        host_pass(1000);
        (void)sampler_tick(&sampler);
        UNIT_INT(job_cpu_total_us(&job->cpu), 0, "not on each tick");
    }
    host_pass(1000);
    (void)sampler_tick(&sampler);
    UNIT_INT(job_cpu_total_us(&job->cpu), 1000000, "every five seconds");
    _used(42, 1500000);
    _event(NODE_EVENT_STEP_END, 42, 2);
    UNIT_INT(job_cpu_total_us(&job->cpu), 1500000, "when a step ends");
    host_pass(1000);
    _used(42, 2000000);
    UNIT_INT(sampler_close(&sampler), 1, "closed");
    UNIT_INT(job_cpu_total_us(&job->cpu), 2000000, "for a record");
    host_pass(1000);
    _used(42, 2500000);
    sampler_estimate(&sampler);
    UNIT_INT(job_cpu_total_us(&job->cpu), 2500000, "for a question");
    host_pass(5000);
    (void)sampler_tick(&sampler);
    fixture_remove(root, dir);
    host_pass(1000);
    UNIT_INT(sampler_close(&sampler), 1, "closed");
    UNIT_INT(job_cpu_total_us(&job->cpu), 2500000, "what it said last stands");
    host_kill();
}

/* One job, modelled: who gets what, edge by edge. */
static void test_one_job(void)
{
    json_t *records, *r, *job;

    _setup("cgroup-v1");
    host_pass(3000);
    (void)sampler_tick(&sampler);
    _event(NODE_EVENT_START, 42, 2);
    host_pass(1000);
    _used(42, 1500000);
    (void)sampler_tick(&sampler);
    host_pass(1000);
    _used(42, 2000000);
    _event(NODE_EVENT_END, 42, 2);
    host_pass(10000);
    (void)sampler_tick(&sampler);
    records = _records();
    UNIT_INT(json_array_size(records), 3, "before, during, after");
    r = json_array_get(records, 0);
    UNIT_INT(_number(r, "uj"), 4 * 2 * 3000000, "four idle CPUs for three seconds at 2 W");
    UNIT_INT(_number(r, "idle_uj"), 24000000, "nobody's");
    UNIT_INT(json_array_size(json_object_get(r, "jobs")), 0, "nobody");
    r = json_array_get(records, 1);
    job = _job(r, 42);
    UNIT_INT(_number(r, "dt_ms"), 2000, "from edge to edge");
    UNIT_INT(_number(job, "idle_uj"), 2 * 2 * 2000000, "two CPUs for two seconds at 2 W");
    UNIT_INT(_number(job, "active_uj"), 8 * 2000000, "two seconds of CPU time at 8 W");
    UNIT_INT(_number(job, "cpu_ms"), 2000, "and that time");
    UNIT_STR(_text(job, "quality"), "modelled", "job");
    UNIT_STR(_text(r, "quality"), "modelled", "record");
    UNIT_STR(_text(r, "coverage"), "cpu", "record");
    UNIT_STR(_text(r, "method"), "cores+cputime", "record");
    UNIT_INT(_number(r, "system_uj"), 0, "other nodes' slurmd run here: nothing is the system's");
    r = json_array_get(records, 2);
    UNIT_INT(json_array_size(json_object_get(r, "jobs")), 0, "gone");
    json_decref(records);
    host_kill();
}

/* The record, key by key as docs/formats.md has it. */
static void test_format(void)
{
    static const char *const want =
        "{\"v\":1,\"ts\":\"2026-11-24T09:12:03.000Z\",\"ev\":\"record\",\"node\":\"n1\",\"boot\":"
        "\"boot-1\",\"seq\":2,\"start\":\"2026-11-24T09:12:01.000Z\",\"dt_ms\":2000,\"uj\":"
        "20000000,\"idle_uj\":12000000,\"system_uj\":0,\"quality\":\"modelled\",\"coverage\":"
        "\"cpu\","
        "\"method\":\"cores+cputime\",\"sources\":[{\"name\":\"model:cpu\",\"uj\":20000000,"
        "\"state\":\"ok\"}],\"jobs\":[{\"job\":42,\"uid\":1000,\"cpus\":1,\"uj\":8000000,\"idle_"
        "uj\":"
        "4000000,\"active_uj\":4000000,\"cpu_ms\":500,\"quality\":\"modelled\",\"coverage\":"
        "\"cpu\","
        "\"begun\":\"2026-11-24T09:12:01.000Z\",\"cpu_total_us\":500000}],\"mono_ms\":5003000,"
        "\"busy_us\":9000000}\n";
    char *text = NULL, path[PATH_MAX], *line;
    size_t size;

    _setup("cgroup-v1");
    host_pass(1000);
    _event(NODE_EVENT_START, 42, 1);
    host_pass(2000);
    _used(42, 500000);
    _event(NODE_EVENT_END, 42, 1);
    (void)snprintf(path, sizeof(path), "%s/telemetry.jsonl", unit_tmpdir());
    CU_ASSERT_FATAL(path_read(path, 1 << 20, &text, &size, NULL) == 0);
    line = strstr(text, "\"seq\":2");
    while (line && line > text && line[-1] != '\n')
        line--;
    if (line)
        line[strcspn(line, "\n") + 1] = '\0';
    UNIT_STR(line, want, "record");
    free(text);
    host_kill();
}

/* However much CPU time is claimed, a modelled job draws what its CPUs can draw, no more. */
static void test_clamped(void)
{
    json_t *records, *job;

    _setup("cgroup-v1");
    host_pass(1000);
    _event(NODE_EVENT_START, 42, 2);
    host_pass(1000);
    _used(42, 900000000);
    _event(NODE_EVENT_END, 42, 2);
    records = _records();
    job = _job(json_array_get(records, 1), 42);
    UNIT_INT(_number(job, "uj"), 2 * 10 * 1000000, "two CPUs at 10 W for a second");
    json_decref(records);
    host_kill();
}

#define E0 "sys/class/powercap/intel-rapl:0/energy_uj"

static void _use_counters(void)
{
    fixture_write(root, "sys/class/powercap/intel-rapl:0/name", "package-0\n");
    fixture_write(root, "sys/class/powercap/intel-rapl:0/max_energy_range_uj", "65532610987\n");
    fixture_write(root, E0, "65532000000\n");
}

/* Counters: measured, then split; the idle watts of the configuration bound the idle part. */
static void test_measured(void)
{
    json_t *records, *r, *job;

    _setup("cgroup-v1");
    host_kill();
    _use_counters();
    fixture_remove(root, "sys/fs/cgroup/cpuacct/slurm_n2");
    fixture_remove(root, "sys/fs/cgroup/cpuacct/slurm_n12");
    _start("boot-2");
    host_pass(1000);
    _event(NODE_EVENT_START, 42, 1);
    host_pass(2000);
    /* 611 mJ to the range and one step of 15 uJ: 100 J over a wrap */
    fixture_write_u64(root, E0, 100000000 - 610987 - 15 - 1);
    _used(42, 1500000);
    _machine_used(9000000 + 2000000);
    _event(NODE_EVENT_END, 42, 1);
    records = _records();
    r = json_array_get(records, json_array_size(records) - 1);
    UNIT_INT(_number(r, "uj"), 99999999, "over the wrap");
    UNIT_STR(_text(r, "quality"), "measured", "record");
    job = _job(r, 42);
    UNIT_STR(_text(job, "quality"), "split", "job");
    UNIT_INT(_number(job, "idle_uj"), 4000000, "one of four CPUs, 16 J being idle");
    UNIT_INT(_number(job, "active_uj"), (99999999 - 16000000) * INT64_C(3) / 4,
             "three quarters of the CPU time");
    UNIT_INT(_number(r, "idle_uj"), 12000000, "the other three");
    UNIT_STR(_text(json_array_get(json_object_get(r, "sources"), 0), "state"), "wrapped", "source");
    UNIT_STR(_text(json_array_get(json_object_get(r, "sources"), 0), "name"), "rapl:package-0",
             "source");
    json_decref(records);
    host_kill();
}

/* Messages that come twice, too late, too early, or not at all. */
static void test_odd_messages(void)
{
    json_t *records;

    _setup("cgroup-v1");
    host_pass(1000);
    _event(NODE_EVENT_END, 42, 2);
    UNIT_INT(sampler.jobs.n, 0, "an end without a beginning");
    _event(NODE_EVENT_START, 42, 2);
    host_pass(1000);
    _event(NODE_EVENT_START, 42, 3);
    UNIT_INT(sampler.jobs.n, 1, "twice");
    UNIT_INT(sampler.jobs.v[0].cpus, 3, "the newer word on it");
    host_pass(1000);
    _event(NODE_EVENT_END, 42, 2);
    _event(NODE_EVENT_END, 42, 2);
    UNIT_INT(sampler.jobs.n, 0, "ended");
    _event(NODE_EVENT_STEP_END, 42, NODE_EVENT_UNKNOWN);
    UNIT_INT(sampler.jobs.n, 0, "a step that ends after its job");
    host_pass(1000);
    _event(NODE_EVENT_STEP, 43, NODE_EVENT_UNKNOWN);
    UNIT_INT(sampler.jobs.n, 1, "salloc without a prolog: the step begins the job");
    UNIT_INT(sampler.jobs.v[0].cpus_guessed, 1, "with a guess");
    host_pass(1000);
    _event(NODE_EVENT_STEP, 43, 4);
    UNIT_INT(sampler.jobs.v[0].cpus, 4, "the batch step knows");
    UNIT_INT(sampler.jobs.v[0].cpus_guessed, 0, "for sure");
    records = _records();
    json_decref(records);
    host_kill();
}

/* Begun and ended within a few milliseconds, and requeued at once. */
static void test_quick_edges(void)
{
    json_t *records, *r;

    _setup("cgroup-v1");
    host_pass(1000);
    _event(NODE_EVENT_START, 1, 1);
    host_pass(5);
    UNIT_INT(sampler_edge_wait_ms(&sampler), -1, "nothing waits");
    _event(NODE_EVENT_START, 2, 1);
    UNIT_INT(sampler_edge_wait_ms(&sampler), SAMPLER_EDGE_MS - 5, "too close to the last record");
    _event(NODE_EVENT_END, 1, 1);
    UNIT_INT(sampler.jobs.n, 2, "it is to get its share yet");
    host_pass(SAMPLER_EDGE_MS);
    UNIT_INT(sampler_edge_wait_ms(&sampler), 0, "now");
    UNIT_INT(sampler_tick(&sampler), 1, "closed");
    UNIT_INT(sampler.jobs.n, 1, "gone");
    records = _records();
    r = json_array_get(records, 1);
    UNIT_INT(_number(_job(r, 1), "idle_uj"), 2 * (SAMPLER_EDGE_MS + 5) * 1000, "its 25 ms");
    UNIT_OK(!_job(r, 2), "the other begins with the next record");
    json_decref(records);
    host_pass(2);
    _event(NODE_EVENT_END, 2, 1);
    _event(NODE_EVENT_START, 2, 4);
    UNIT_INT(sampler.jobs.n, 1, "requeued and back");
    UNIT_INT(sampler.jobs.v[0].cpus, 4, "a new run");
    UNIT_INT(sampler.jobs.v[0].total_uj, 0, "from nothing");
    json_decref(_records());
    host_kill();
}

/* kill -9: the next run gives the gap to whoever ran across it, and the numbers go on. */
static void test_resume(void)
{
    json_t *records, *r;

    _setup("cgroup-v1");
    host_pass(1000);
    _used(42, 0);
    _used(43, 0);
    _event(NODE_EVENT_START, 42, 2);
    _event(NODE_EVENT_START, 43, 1);
    host_pass(10000);
    _used(42, 1000000);
    _used(43, 7000000);
    (void)sampler_tick(&sampler);
    host_pass(500);
    host_kill();
    host_pass(59500);
    _used(42, 31000000);
    fixture_remove(root, "sys/fs/cgroup/cpuacct/slurm_n1/uid_1000/job_43");
    _start("boot-1");
    records = _records();
    r = json_array_get(records, json_array_size(records) - 1);
    UNIT_OK(json_is_true(json_object_get(r, "gap")), "marked");
    UNIT_INT(_number(r, "dt_ms"), 60000, "since the last record");
    UNIT_INT(_number(_job(r, 42), "cpu_ms"), 30000, "30 s of CPU time meanwhile");
    UNIT_INT(_number(_job(r, 42), "uj"), 2 * 2 * 60000000 + 8 * 30000000, "its share of the gap");
    UNIT_INT(_number(_job(r, 42), "cpus"), 2, "known from the last record");
    UNIT_OK(!_job(r, 43), "ended meanwhile");
    json_decref(records);
    host_pass(1000);
    _used(42, 31500000);
    _event(NODE_EVENT_END, 42, 2);
    records = _records();
    r = json_array_get(records, json_array_size(records) - 1);
    UNIT_INT(_number(_job(r, 42), "cpu_ms"), 500, "and on from there");
    UNIT_OK(!json_object_get(r, "gap"), "no gap any more");
    json_decref(records);
    host_kill();
}

static void _joules(const char *file, uint64_t joules)
{
    char path[96], text[64];

    (void)snprintf(path, sizeof(path), "sys/cray/pm_counters/%s", file);
    (void)snprintf(text, sizeof(text), "%" PRIu64 " J 1571230862955436 us\n", joules);
    fixture_write(root, path, text);
}

/* A node with a meter and two GPUs: one job computes on a GPU, the other on its CPUs. Who holds
 * which is still known after a kill. */
static void test_gpus(void)
{
    struct node_event ev;
    json_t *records, *r;

    _setup("cgroup-v1");
    host_kill();
    _joules("energy", 1000);
    _joules("accel0_energy", 100);
    _joules("accel1_energy", 100);
    _start("boot-2");
    _used(42, 0);
    _used(43, 0);
    node_event_init(&ev);
    ev.kind = NODE_EVENT_START;
    ev.job_id = 42;
    ev.uid = 1000;
    ev.ncpus = 1;
    (void)snprintf(ev.gpus, sizeof(ev.gpus), "1");
    (void)sampler_event(&sampler, &ev);
    _event(NODE_EVENT_START, 43, 2);
    host_pass(1000);
    (void)sampler_tick(&sampler);
    for (int i = 1; i <= 10; i++) {
        host_pass(1000);
        _joules("energy", 1000 + 100 * (uint64_t)i);
        _joules("accel0_energy", 100 + 10 * (uint64_t)i);
        _joules("accel1_energy", 100 + 50 * (uint64_t)i);
        _used(43, 2000000 * (uint64_t)i);
        (void)sampler_tick(&sampler);
    }
    records = _records();
    r = json_array_get(records, json_array_size(records) - 1);
    UNIT_STR(_text(r, "coverage"), "node", "all of it");
    UNIT_OK(_number(_job(r, 42), "gpu_uj") > 0, "a GPU's joules");
    UNIT_INT(_number(_job(r, 42), "gpu_uj"), _number(r, "uj") / 2, "half of the node's");
    UNIT_INT(_number(_job(r, 42), "gpus"), 2, "the second device");
    UNIT_INT(_number(_job(r, 42), "active_uj"), 0, "it used no CPU time");
    UNIT_INT(_number(_job(r, 43), "gpu_uj"), -1, "the other holds none");
    UNIT_OK(_number(r, "idle_uj") >= _number(r, "uj") / 10, "the first device is nobody's");
    json_decref(records);
    host_kill();
    _start("boot-2");
    for (int i = 0; i < sampler.jobs.n; i++)
        if (sampler.jobs.v[i].id == 42)
            UNIT_INT(sampler.jobs.v[i].gpus, 2, "still known");
    UNIT_INT(sampler.jobs.n, 2, "both");
    host_kill();
}

/* Killed before the first record that names the job, or after the one that ended it. */
static void test_resume_edges(void)
{
    _setup("cgroup-v1");
    _used(42, 0);
    _used(43, 0);
    host_pass(1000);
    _event(NODE_EVENT_START, 43, 1);
    host_pass(1000);
    _event(NODE_EVENT_START, 42, 3);
    host_pass(1000);
    _event(NODE_EVENT_END, 43, 1);
    host_kill();
    host_pass(1000);
    _start("boot-1");
    UNIT_INT(sampler.jobs.n, 1, "one of them runs, though both have a directory");
    UNIT_INT(sampler.jobs.v[0].id, 42, "which");
    UNIT_INT(sampler.jobs.v[0].cpus, 3, "as it was told");
    UNIT_INT(sampler.jobs.v[0].cpus_guessed, 0, "for sure");
    json_decref(_records());
    host_kill();
}

/* Without cgroups it is slurmstepd that shows which jobs have outlived us. */
static void test_resume_processes(void)
{
    _setup("amd-1s");
    host_pass(1000);
    _event(NODE_EVENT_START, 42, 3);
    _event(NODE_EVENT_START, 43, 1);
    host_pass(1000);
    (void)sampler_tick(&sampler);
    host_kill();
    host_pass(1000);
    fixture_write(root, "proc/77/cmdline", "slurmstepd: [42.batch]");
    fixture_write(root, "proc/78/cmdline", "slurmstepd: [430.batch]");
    _start("boot-1");
    if (geteuid() == 0) {
        UNIT_INT(sampler.jobs.n, 1, "one of them");
        UNIT_INT(jobs_find(&sampler.jobs, 42) != NULL, 1, "that one");
    }
    for (int i = 0; i < 20; i++) {
        host_pass(61000);
        (void)sampler_tick(&sampler);
    }
    UNIT_INT(sampler.jobs.n, geteuid() == 0, "as long as it is there");
    fixture_remove(root, "proc/77");
    for (int i = 0; i < 20; i++) {
        host_pass(61000);
        (void)sampler_tick(&sampler);
    }
    UNIT_INT(sampler.jobs.n, 0, "and not much longer");
    json_decref(_records());
    host_kill();
}

/* Counters tell what a gap took; jobs that ended in it leave their part to the system. */
static void test_resume_measured(void)
{
    json_t *records, *r;

    _setup("cgroup-v1");
    host_kill();
    _use_counters();
    fixture_remove(root, "sys/fs/cgroup/cpuacct/slurm_n2");
    fixture_remove(root, "sys/fs/cgroup/cpuacct/slurm_n12");
    _start("boot-2");
    host_pass(1000);
    _used(42, 0);
    _event(NODE_EVENT_START, 42, 2);
    host_pass(10000);
    fixture_write_u64(root, E0, 65532000000 + 100000);
    (void)sampler_tick(&sampler);
    host_kill();
    host_pass(20000);
    fixture_write_u64(root, E0, 1000000000 - 510987 - 16);
    _used(42, 5000000);
    _machine_used(9000000 + 20000000);
    _start("boot-2");
    records = _records();
    r = json_array_get(records, json_array_size(records) - 1);
    UNIT_INT(_number(r, "uj"), 999999999, "over a wrap that nobody saw");
    UNIT_INT(_number(_job(r, 42), "idle_uj"), 80000000, "two CPUs of four, 20 s, 2 W");
    UNIT_INT(_number(_job(r, 42), "active_uj"), (999999999 - 160000000) / 4,
             "a quarter of the CPU time of the machine");
    UNIT_STR(_text(r, "quality"), "measured", "quality");
    json_decref(records);
    host_kill();
    /* away for longer than the counter reaches: 65.5 kJ at 1500 W */
    host_pass(100000);
    fixture_write_u64(root, E0, 1000000001);
    _start("boot-2");
    records = _records();
    r = json_array_get(records, json_array_size(records) - 1);
    UNIT_STR(_text(r, "quality"), "modelled", "what the counter cannot tell is modelled");
    json_decref(records);
    host_kill();
}

/* Another boot: no gap, and no jobs; numbers go on. Nor where nobody looked for an hour. */
static void test_resume_boot(void)
{
    json_t *records;

    _setup("cgroup-v1");
    _used(42, 0);
    _event(NODE_EVENT_START, 42, 2);
    host_pass(10000);
    (void)sampler_tick(&sampler);
    host_pass(10000);
    (void)sampler_tick(&sampler);
    host_kill();
    now.wall_ms += 60000;
    now.mono_ms = 20000;
    _start("boot-2");
    UNIT_INT(sampler.jobs.n, 0, "jobs do not outlive the machine");
    host_pass(10000);
    (void)sampler_tick(&sampler);
    records = _records();
    UNIT_INT(_number(json_array_get(records, json_array_size(records) - 1), "dt_ms"), 10000,
             "from the start");
    json_decref(records);
    host_kill();
    host_pass(2 * 3600000);
    _start("boot-2");
    host_pass(10000);
    (void)sampler_tick(&sampler);
    records = _records();
    UNIT_INT(_number(json_array_get(records, json_array_size(records) - 1), "dt_ms"), 10000,
             "not the two hours");
    json_decref(records);
    host_kill();
}

/* Numbers that others have seen are never given again, even if the log was lost. */
static void test_numbers(void)
{
    _setup("cgroup-v1");
    host_pass(10000);
    (void)sampler_tick(&sampler);
    UNIT_INT(sampler.seq, 1, "the first");
    sampler_skip_to(&sampler, 4710);
    sampler_skip_to(&sampler, 12);
    host_pass(10000);
    (void)sampler_tick(&sampler);
    UNIT_INT(sampler.seq, 4711, "behind what is taken");
    host_kill();
    fixture_remove(unit_tmpdir(), "telemetry.jsonl");
    host_start("boot-1", NULL, 4700);
    host_pass(10000);
    (void)sampler_tick(&sampler);
    UNIT_INT(sampler.seq, 4701, "behind what was acknowledged");
    host_kill();
}

/* The disk is full: energy is not lost, it comes with the next record, jobs' shares included. */
static void test_full_disk(void)
{
    struct rlimit limit = {0, RLIM_INFINITY};
    json_t *records, *r;

    (void)signal(SIGXFSZ, SIG_IGN);
    _setup("cgroup-v1");
    host_pass(1000);
    _used(42, 0);
    _event(NODE_EVENT_START, 42, 2);
    limit.rlim_cur = tlog.size + 10;
    CU_ASSERT_FATAL(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    for (int i = 0; i < 20; i++) {
        host_pass(1000);
        (void)sampler_tick(&sampler);
    }
    _event(NODE_EVENT_END, 42, 2);
    UNIT_INT(sampler.jobs.n, 1, "waits for its record");
    limit.rlim_cur = RLIM_INFINITY;
    CU_ASSERT_FATAL(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    host_pass(1000);
    UNIT_INT(sampler_tick(&sampler), 1, "written");
    UNIT_INT(sampler.jobs.n, 0, "and gone");
    records = _records();
    r = json_array_get(records, json_array_size(records) - 1);
    UNIT_INT(_number(r, "dt_ms"), 21000, "all the time");
    UNIT_INT(_number(_job(r, 42), "idle_uj"), 2 * 2 * 21000000, "and all its share");
    json_decref(records);
    host_kill();
}

/* Nobody said that the job began; a process of it is in the tree. */
static void test_discovery(void)
{
    json_t *records, *job;

    _setup("cgroup-v1");
    UNIT_INT(sampler.jobs.n, 0, "directories without processes are no jobs");
    fixture_write(root, "sys/fs/cgroup/cpuacct/slurm_n1/uid_1000/job_5/step_0/cgroup.procs", "7\n");
    fixture_write(root, "proc/7/status", "Name:\tsh\nPPid:\t1\nUid:\t1000\t1000\t1000\t1000\n");
    host_pass(6000);
    (void)sampler_tick(&sampler);
    UNIT_INT(sampler.jobs.n, 1, "found");
    host_pass(6000);
    _used(5, 3000000 + 2000000);
    (void)sampler_tick(&sampler);
    (void)sampler_close(&sampler);
    records = _records();
    job = _job(json_array_get(records, json_array_size(records) - 1), 5);
    UNIT_INT(_number(job, "cpus"), 5, "from its CPU set");
    UNIT_INT(_number(job, "cpu_ms"), 2000, "from when it was found on");
    json_decref(records);
    _event(NODE_EVENT_END, 5, 5);
    UNIT_INT(sampler.jobs.n, 1, "waits");
    host_pass(100);
    (void)sampler_tick(&sampler);
    UNIT_INT(sampler.jobs.n, 0, "ended");
    host_pass(6000);
    (void)sampler_tick(&sampler);
    UNIT_INT(sampler.jobs.n, 0, "its directory outlives it, and is not taken for a new job");
    host_kill();
}

/* Its end was never told: what has had no process for long has ended. */
static void test_gone(void)
{
    _setup("cgroup-v1");
    _used(42, 0);
    host_pass(1000);
    _event(NODE_EVENT_START, 42, 2);
    fixture_remove(root, "sys/fs/cgroup/cpuacct/slurm_n1/uid_1000/job_42");
    (void)close(sampler.jobs.v[0].cpu.fd);
    sampler.jobs.v[0].cpu.fd = -1;
    for (int i = 0; i < 14 * 6; i++) {
        host_pass(10000);
        (void)sampler_tick(&sampler);
    }
    UNIT_INT(sampler.jobs.n, 1, "it may be between two steps");
    for (int i = 0; i < 3 * 6; i++) {
        host_pass(10000);
        (void)sampler_tick(&sampler);
    }
    UNIT_INT(sampler.jobs.n, 0, "not for a quarter of an hour");
    host_kill();
}

/* No cgroups: shares by CPUs alone, and said so. */
static void test_without_cgroups(void)
{
    json_t *records, *r, *job;

    _setup("amd-1s");
    host_pass(1000);
    _event(NODE_EVENT_START, 42, 1);
    _event(NODE_EVENT_START, 43, 3);
    host_pass(1000);
    (void)sampler_tick(&sampler);
    host_pass(1000);
    fixture_write_u64(root, E0, 65100000000);
    _event(NODE_EVENT_END, 42, 1);
    records = _records();
    r = json_array_get(records, json_array_size(records) - 1);
    UNIT_INT(_number(r, "uj"), 100000000, "measured");
    UNIT_STR(_text(r, "quality"), "measured", "the node");
    UNIT_STR(_text(r, "method"), "cores", "the split");
    job = _job(r, 42);
    UNIT_STR(_text(job, "quality"), "modelled", "the job");
    UNIT_OK(json_is_null(json_object_get(job, "cpu_ms")), "unknown is not 0");
    UNIT_INT(_number(job, "active_uj") * 3, _number(_job(r, 43), "active_uj"), "one to three");
    json_decref(records);
    host_kill();
}

/* Anything may happen, in any order: every record adds up, and energy is neither made nor lost. */
static void test_any_order(void)
{
    uint64_t random = 88172645463325252u, used[8] = {0}, raw = 65000000000;
    json_t *records, *r;
    json_int_t total = 0;
    size_t i;

    _setup("cgroup-v1");
    host_kill();
    _use_counters();
    fixture_write_u64(root, E0, raw);
    settings.node.log_interval_ms = 3000;
    _start("boot-2");
    for (int round = 0; round < 3000; round++) {
        uint32_t job = 100 + (uint32_t)(random >> 40) % 8;

        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        host_pass((int64_t)(random >> 54) % 1000);
        raw = (raw + (random >> 44) % 90000000) % 65532611002;
        fixture_write_u64(root, E0, raw);
        used[job - 100] += (random >> 30) % 3000000;
        switch (random % 5) {
        case 0:
            _event(NODE_EVENT_START, job, 1 + (uint32_t)(random >> 20) % 4);
            break;
        case 1:
            _event(NODE_EVENT_END, job, NODE_EVENT_UNKNOWN);
            break;
        case 2:
            _used(job, used[job - 100]);
            _event(NODE_EVENT_STEP_END, job, NODE_EVENT_UNKNOWN);
            break;
        case 3:
            _used(job, used[job - 100]);
            _machine_used(9000000 + used[job - 100] * 3);
            break;
        default:
            (void)sampler_tick(&sampler);
        }
        if (round % 500 == 499) {
            host_kill();
            _start("boot-2");
        }
    }
    host_pass(1000);
    (void)sampler_close(&sampler);
    records = _records();
    json_array_foreach(records, i, r)
    {
        if (strcmp(_text(r, "quality"), "modelled") != 0)
            total += _number(r, "uj");
    }
    UNIT_OK(json_array_size(records) > 500, "%zu records", json_array_size(records));
    /* the first reading of the first run begins the count; all later ones are in some record */
    UNIT_INT((uint64_t)total % 65532611002, (raw + 65532611002 - 65000000000) % 65532611002,
             "what the counter went on by");
    json_decref(records);
    host_kill();
}

/* ---- allocations ---- */

static volatile unsigned long allocations;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void *, size_t),
                                              void (*free_hook)(const volatile void *));

static void _on_malloc(const volatile void *p, size_t size)
{
    (void)p;
    (void)size;
    allocations++;
}

static void _on_free(const volatile void *p)
{
    (void)p;
}

static void _count_allocations(void)
{
    (void)__sanitizer_install_malloc_and_free_hooks(_on_malloc, _on_free);
}
#else
/* The C library's own, under the names by which it lets programs wrap them. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

__attribute__((visibility("default"))) void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t n, size_t size)
{
    allocations++;
    return __libc_calloc(n, size);
}

__attribute__((visibility("default"))) void *realloc(void *p, size_t size)
{
    allocations++;
    return __libc_realloc(p, size);
}

static void _count_allocations(void)
{
}
#endif

/* A tick takes nothing from the heap, whether it writes a record or not: 32 jobs, 7 zones. */
static void test_no_allocation(void)
{
    unsigned long before;

    _setup("intel-2s");
    host_kill();
    fixture_write(root, "sys/fs/cgroup/cpuacct/cgroup.procs", "");
    for (uint32_t job = 1; job <= 32; job++)
        _used(job, 1000);
    _start("boot-2");
    for (uint32_t job = 1; job <= 32; job++)
        _event(NODE_EVENT_START, job, 1);
    host_pass(1000);
    (void)sampler_tick(&sampler);
    _count_allocations();
    before = allocations;
    free(malloc(1));
    UNIT_OK(allocations > before, "allocations are seen");
    before = allocations;
    for (int i = 0; i < 1000; i++) {
        host_pass(1000);
        (void)sampler_tick(&sampler);
    }
    UNIT_INT(allocations - before, 0, "in 1,000 ticks");
    UNIT_OK(sampler.seq > 99, "with %" PRIu64 " records among them", sampler.seq);
    host_kill();
}

static const struct unit_case cases[] = {
    {"one_job", test_one_job},
    {"format", test_format},
    {"clamped", test_clamped},
    {"measured", test_measured},
    {"odd_messages", test_odd_messages},
    {"quick_edges", test_quick_edges},
    {"resume", test_resume},
    {"gpus", test_gpus},
    {"resume_edges", test_resume_edges},
    {"resume_processes", test_resume_processes},
    {"resume_measured", test_resume_measured},
    {"resume_boot", test_resume_boot},
    {"numbers", test_numbers},
    {"full_disk", test_full_disk},
    {"discovery", test_discovery},
    {"gone", test_gone},
    {"without_cgroups", test_without_cgroups},
    {"seldom", test_seldom},
    {"any_order", test_any_order},
    {"no_allocation", test_no_allocation},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "sampler");
}
