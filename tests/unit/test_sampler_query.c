/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the sampler says when Slurm's accounting asks between two records: never less than before,
 * the steps' shares add up to the job, and in the end to what the records say.
 */
#include "config.h"

#include <inttypes.h>

#include "sampler_host.h"

/* Four CPUs of 2 W idle and 10 W busy; a record every ten seconds and at edges. */
static void _setup(void)
{
    log_set_handler(host_quiet, NULL);
    host_init("cgroup-v1");
    settings.node.log_max_bytes = 1 << 20;
    settings.power.cpu_idle_mw = 2000;
    settings.power.cpu_max_mw = 10000;
    settings.node.interval_ms = 1000;
    settings.node.log_interval_ms = 10000;
    host_start("boot-1", NULL, 0);
}

static void _event(enum node_event_kind kind, uint32_t job, uint32_t cpus, const char *step)
{
    struct node_event ev;

    node_event_init(&ev);
    ev.kind = kind;
    ev.job_id = job;
    ev.uid = 1000;
    ev.ncpus = cpus;
    if (step)
        (void)snprintf(ev.step, sizeof(ev.step), "%s", step);
    (void)sampler_event(&sampler, &ev);
}

/* The CPU time so far of a job, or of one of its steps. */
static void _used(uint32_t job, const char *step, uint64_t us)
{
    char file[200];

    (void)snprintf(file, sizeof(file),
                   "sys/fs/cgroup/cpuacct/slurm_n1/uid_1000/job_%u%s%s/cpuacct.usage", job,
                   step ? "/step_" : "", step ? step : "");
    fixture_write_u64(root, file, us * 1000);
}

/* Microjoules of a step, or of the node with job 0; -1 when nothing is known. */
static int64_t _ask(uint32_t job, const char *step)
{
    struct energy_query q = {.of = job ? ENERGY_OF_STEP : ENERGY_OF_NODE, .job_id = job};
    struct energy_answer a;

    if (step)
        (void)snprintf(q.step, sizeof(q.step), "%s", step);
    sampler_query(&sampler, &q, &a);
    if (a.of == ENERGY_OF_NONE)
        return -1;
    UNIT_INT(a.of, q.of, "an answer to the question");
    UNIT_INT(a.run, sampler.run, "of this run");
    return (int64_t)a.uj;
}

/* A new estimate is made for the next question. */
static void _later(void)
{
    host_pass(SAMPLER_ESTIMATE_MS);
}

static void _tick(int64_t ms)
{
    host_pass(ms);
    (void)sampler_tick(&sampler);
}

static uint64_t _job_uj(uint32_t id)
{
    struct job *job = jobs_find(&sampler.jobs, id);

    return job ? job->total_uj : 0;
}

static void test_node(void)
{
    _setup();
    _tick(3000);
    UNIT_INT(_ask(0, NULL), 24000000, "before the first record: four idle CPUs for 3 s");
    host_pass(100);
    UNIT_INT(_ask(0, NULL), 24000000, "estimated a moment ago");
    _later();
    UNIT_INT(_ask(0, NULL), 26400000, "and now");
    _tick(10000);
    _later();
    UNIT_INT(_ask(0, NULL), 8 * 13500000, "over a record");
    UNIT_INT(_ask(42, "0"), -1, "no such job");
    UNIT_INT(sampler.steps.n, 0, "and no step is kept for it");
    host_kill();
}

/* A job alone with its batch step: the step has it all, also what came before it asked. */
static void test_batch(void)
{
    _setup();
    _event(NODE_EVENT_START, 42, 1, NULL);
    _tick(100);
    UNIT_INT(_ask(42, "batch"), 0, "just begun");
    _used(42, NULL, 1000000);
    _used(42, "batch", 1000000);
    _tick(1000);
    UNIT_INT(_ask(42, "batch"), 10000000, "one second of one busy CPU");
    _event(NODE_EVENT_STEP_END, 42, 1, "batch");
    UNIT_INT(sampler.steps.n, 0, "ended");
    _event(NODE_EVENT_END, 42, 1, NULL);
    _tick(1000);
    UNIT_INT(_ask(42, "batch"), -1, "the job has gone");
    host_kill();
}

static void test_steps(void)
{
    int64_t batch, first, second;

    _setup();
    _event(NODE_EVENT_START, 42, 2, NULL);
    _tick(2000);
    (void)_ask(42, "extern");
    _tick(2000);
    UNIT_INT(_ask(42, "extern"), 4 * 2000000 + 4 * 2000000 - 4 * 2000000, "2 CPUs, idle");
    batch = _ask(42, "batch");
    UNIT_INT(batch, _ask(42, "extern"), "what had no step goes to the first that comes");
    _used(42, NULL, 3000000);
    _used(42, "0", 2000000);
    _used(42, "1", 1000000);
    (void)_ask(42, "0");
    (void)_ask(42, "1");
    _tick(2000);
    first = _ask(42, "0");
    second = _ask(42, "1");
    UNIT_INT(_ask(42, "batch"), batch, "the batch step sleeps");
    UNIT_INT(first + second + batch, _ask(42, "extern"), "they add up to the job");
    UNIT_INT((first + 1) / 2, (second * 2 + 1) / 2, "by CPU time: two to one");
    _event(NODE_EVENT_STEP_END, 42, 2, "1");
    _tick(2000);
    UNIT_OK(_ask(42, "0") > first, "an idle second goes on to those that live");
    UNIT_INT(_ask(42, "0") + second + _ask(42, "batch"), _ask(42, "extern"), "all of it");
    host_kill();
}

/* A cgroup that goes ends its step, where SPANK says nothing. */
static void test_gone(void)
{
    int64_t first;

    _setup();
    _event(NODE_EVENT_START, 42, 1, NULL);
    _used(42, NULL, 1000);
    _used(42, "0", 1000);
    _tick(1000);
    (void)_ask(42, "batch");
    (void)_ask(42, "0");
    fixture_remove(root, "sys/fs/cgroup/cpuacct/slurm_n1/uid_1000/job_42/step_0");
    _tick(1000);
    first = _ask(42, "0");
    /* on a file system a removed file can still be read: the descriptor stands for the cgroup */
    UNIT_OK(first >= 0, "still known");
    host_kill();
}

/* Without cgroups nobody knows what a step used: equal parts. */
static void test_equal(void)
{
    _setup();
    _event(NODE_EVENT_START, 42, 2, NULL);
    _tick(1000);
    (void)_ask(42, "0");
    (void)_ask(42, "1");
    _tick(1000);
    (void)_ask(42, "0");
    UNIT_OK(_ask(42, "0") >= _ask(42, "1"), "the first had the beginning");
    _tick(1000);
    UNIT_INT(_ask(42, "0") + _ask(42, "1"), _ask(42, "extern"), "to the microjoule");
    host_kill();
}

/* A job gets busy in the middle of an interval: the other's share so far is less than was said. */
static void test_monotone(void)
{
    int64_t said;

    _setup();
    _event(NODE_EVENT_START, 1, 1, NULL);
    _event(NODE_EVENT_START, 2, 1, NULL);
    _tick(1000);
    _used(1, NULL, 1000000);
    _used(2, NULL, 0);
    host_pass(1000);
    said = _ask(1, "extern");
    UNIT_OK(said > 0, "busy");
    fixture_write_u64(root, "sys/fs/cgroup/cpuacct/cpuacct.usage", 90000000000);
    _used(2, NULL, 9000000);
    _later();
    UNIT_OK(_ask(1, "extern") >= said, "never less");
    _tick(10000);
    _later();
    UNIT_OK(_ask(1, "extern") >= said, "nor after the record");
    UNIT_OK((uint64_t)_ask(1, "extern") >= _job_uj(1), "nor less than the record");
    host_kill();
}

/* Random jobs and steps: shares add up to what was told of the job, and that ends as the records
 * have it. */
static void test_property(void)
{
    uint64_t used[3][3] = {{0}}, whole[3] = {0};

    _setup();
    srandom(4);
    for (uint32_t job = 1; job <= 3; job++)
        _event(NODE_EVENT_START, job, 1, NULL);
    for (int round = 0; round < 300; round++) {
        _tick(random() % 1500);
        for (uint32_t job = 1; job <= 3; job++) {
            int64_t sum = 0, extern_uj;

            for (int step = 0; step < 3; step++) {
                char name[4];

                used[job - 1][step] += (uint64_t)(random() % 300000);
                whole[job - 1] += used[job - 1][step];
                (void)snprintf(name, sizeof(name), "%d", step);
                _used(job, name, used[job - 1][step]);
            }
            whole[job - 1] = used[job - 1][0] + used[job - 1][1] + used[job - 1][2];
            _used(job, NULL, whole[job - 1]);
            for (int step = 0; step < 3; step++)
                (void)_ask(job, step == 0 ? "0" : step == 1 ? "1" : "2");
            extern_uj = _ask(job, "extern");
            for (int i = 0; i < sampler.steps.n; i++)
                sum += sampler.steps.v[i].job_id == job ? (int64_t)sampler.steps.v[i].uj : 0;
            UNIT_INT(sum, extern_uj, "job %u, round %d", job, round);
            UNIT_OK((uint64_t)extern_uj >= _job_uj(job), "job %u, round %d", job, round);
        }
    }
    host_pass(1);
    (void)sampler_close(&sampler);
    for (uint32_t job = 1; job <= 3; job++) {
        uint64_t told = (uint64_t)_ask(job, "extern");

        UNIT_OK(told - _job_uj(job) <= 10000000, "job %u: %" PRIu64 " told, %" PRIu64 " in records",
                job, told, _job_uj(job));
    }
    host_kill();
}

/* Another run of the daemon has another name. */
static void test_run(void)
{
    uint64_t run;

    _setup();
    run = sampler.run;
    UNIT_OK(run > 0, "named");
    _tick(10000);
    host_kill();
    host_pass(5000);
    host_start("boot-1", NULL, 0);
    UNIT_OK(sampler.run != run, "anew");
    _later();
    UNIT_INT(_ask(0, NULL), 8 * 5000000 + 8 * SAMPLER_ESTIMATE_MS * 1000,
             "and counts from the last record on");
    host_kill();
}

static const struct unit_case cases[] = {
    {"node", test_node},         {"batch", test_batch}, {"steps", test_steps},
    {"gone", test_gone},         {"equal", test_equal}, {"monotone", test_monotone},
    {"property", test_property}, {"run", test_run},     {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "sampler_query");
}
