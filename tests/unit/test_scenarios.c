/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lengths that are likely: the rule, what a board says of a job, and decisions by it. Grams go by
 * what is likely; whatever is promised or held goes by the limit.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "board_fixture.h"
#include "placement/scenarios.h"
#include "unit.h"

#define LIMIT_S 1000

static void test_rule(void)
{
    int64_t runs[SCENARIOS_MAX + 3], out[SCENARIOS_MAX];
    const int64_t two[] = {60, 5000};
    UNIT_INT(scenarios_within(-1e300, 60), 1, "a second at least");
    UNIT_INT(scenarios_within(0.0 / 0.0, 60) >= 1, 1, "whatever the number");
    UNIT_INT(scenarios_within(59.6, 60), 60, "rounded");
    UNIT_INT(scenarios_within(1e300, 60), 60, "the limit at most");
    UNIT_INT(scenarios_mean(NULL, 0, 60), 60, "no run: the limit");
    UNIT_INT(scenarios_mean(two, 1, 100), 60, "one");
    UNIT_INT(scenarios_mean(two, 2, 100), 80, "two, each the limit at most");
    UNIT_INT(scenarios_mix(NULL, 0, 60, out), 1, "no run");
    UNIT_INT(out[0], 60, "the limit");
    UNIT_INT(scenarios_mix(two, 2, 3600, out), 3, "two runs and the limit");
    UNIT_OK(out[0] == 60 && out[1] == 3600 && out[2] == 3600, "as long as may be");
    UNIT_INT(scenarios_mix(two, 2, 30 * 86400, out), 3, "a long limit");
    UNIT_OK(out[1] == 5000 && out[2] == SCENARIOS_LIMIT_S, "is believed for 96 hours");
    for (int i = 0; i < SCENARIOS_MAX + 3; i++)
        runs[i] = i + 1;
    UNIT_INT(scenarios_mix(runs, SCENARIOS_MAX + 3, 60, out), SCENARIOS_MAX, "no more than fit");
    UNIT_OK(out[SCENARIOS_MAX - 1] == 60 && out[0] == 1, "the first of them and the limit");
}

static void test_left(void)
{
    const int64_t lengths[] = {100, 300, 1000}, no_limit = INT64_MAX / 2;
    UNIT_INT(scenarios_left(lengths, 3, 0, 1000), 466, "nothing has run: the mean");
    UNIT_INT(scenarios_left(lengths, 3, 100, 900), 550, "of those that it has not outlived");
    UNIT_INT(scenarios_left(lengths, 3, 999, 1), 1, "of one");
    UNIT_INT(scenarios_left(lengths, 3, 1000, 5000), 1000, "of none: as much again");
    UNIT_INT(scenarios_left(lengths, 3, 1000, 20), 20, "the limit at most");
    UNIT_INT(scenarios_left(lengths, 3, 0, 60), 60, "from the beginning, too");
    UNIT_INT(scenarios_left(&no_limit, 1, 7200, INT64_MAX), no_limit - 7200, "no limit");
}

static struct scenarios likely(const struct fixture *f, const struct placement_job *job)
{
    struct placement_price price;
    struct scenarios s;
    placement_price(&f->b, job, &price);
    scenarios_of(&f->b, job, &price, &s);
    return s;
}

static void test_board(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    fixture_init(&f);
    job.limit_s = LIMIT_S;
    struct scenarios s = likely(&f, &job);
    UNIT_OK(!s.past && s.n == 1 && s.length_s[0] == LIMIT_S, "nothing known: the limit");
    fixture_past(&f, 1000, NULL, 300, 200);
    fixture_past(&f, 1000, "train", 30, 0);
    job.name = "train";
    s = likely(&f, &job);
    UNIT_OK(s.n == 2 && s.length_s[0] == 30 && s.length_s[1] == LIMIT_S, "its name first");
    job.name = "eval";
    s = likely(&f, &job);
    UNIT_OK(s.n == 3 && s.length_s[0] == 300 && s.length_s[1] == 200, "else all of the user's");
    job.name = "";
    UNIT_INT(likely(&f, &job).n, 3, "no name is no name");
    job.uid = 1001;
    job.name = "train";
    UNIT_INT(likely(&f, &job).n, 1, "another user's name");
    job.uid = 1000;
    job.limit_s = 20;
    s = likely(&f, &job);
    UNIT_OK(s.length_s[0] == 20 && s.length_s[1] == 20, "no longer than its limit");
    job.limit_s = 0;
    UNIT_INT(likely(&f, &job).length_s[1], 60, "which may be the partition's default");
}

static void test_power(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    fixture_init(&f);
    job.cpus = 3;
    fixture_past(&f, 1000, NULL, 60, 60);
    UNIT_DBL(likely(&f, &job).power_w, 30, 1e-9, "not measured: as priced");
    f.pasts[0].cpu_w = 4;
    UNIT_DBL(likely(&f, &job).power_w, 12, 1e-9, "as measured");
    struct placement_decision d;
    placement_decide(&f.b, NULL, &job, FIXTURE_NOW, &d);
    UNIT_DBL(d.likely_ug, d.carbon_ug * 0.4, 1e-6, "in what is likely");
    UNIT_DBL(d.likely_now_ug, d.carbon_now_ug * 0.4, 1e-6, "and at once");
    UNIT_DBL(d.price.energy_uj, 3 * 10 * 60 * 1e6, 1e-3, "not in what is reserved");
    f.pasts[0].cpu_w = 400;
    UNIT_DBL(likely(&f, &job).power_w, 30, 1e-9, "as priced at most");
    f.pasts[0].cpu_w = 4;
    job.gpus = 1;
    UNIT_DBL(likely(&f, &job).power_w, 330, 1e-9, "CPUs say nothing of GPUs");
    f.pasts[0].gpu_w = 150;
    UNIT_DBL(likely(&f, &job).power_w, 150, 1e-9, "a GPU with its CPUs");
    f.pasts[0].gpu_w = 700;
    UNIT_DBL(likely(&f, &job).power_w, 330, 1e-9, "as priced at most");
}

/* 400 g/kWh, and 100 in [now + 70, now + 130): with the whole limit any start up to 70 s emits the
 * same, half a minute is best within the dip. */
static void test_start(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    struct placement_decision d, whole;
    struct lease lease;
    char text[640];
    fixture_init(&f);
    job.name = "train";
    job.limit_s = LIMIT_S;
    placement_decide(&f.b, NULL, &job, FIXTURE_NOW, &whole);
    UNIT_INT(whole.verdict * 100 + whole.code, CODE_FLAT, "by the limit there is nothing to gain");
    UNIT_DBL(whole.likely_now_ug, whole.carbon_now_ug, 0, "and nothing else known");

    fixture_past(&f, 1000, "train", 30, 20);
    placement_decide(&f.b, NULL, &job, FIXTURE_NOW, &d);
    UNIT_INT(d.verdict, VERDICT_DELAY, "by its like there is");
    UNIT_INT(d.start_s - FIXTURE_NOW, 70, "in the dip");
    UNIT_INT(d.latest_s - FIXTURE_NOW, 300, "no later than it allowed");
    double most = 60 * 100 + 940 * 400;
    UNIT_DBL(d.likely_ug, (30 * 100 + 20 * 100 + most) / 3 * 10 / 3.6, 1, "the mean of three");
    UNIT_DBL(d.likely_now_ug, (30 * 400 + 20 * 400 + most) / 3 * 10 / 3.6, 1, "and at once");
    UNIT_DBL(d.carbon_ug, most * 10 / 3.6, 1, "to its limit");
    UNIT_DBL(d.carbon_now_ug, whole.carbon_now_ug, 1e-6, "as without a past");
    UNIT_DBL(d.price.energy_uj, whole.price.energy_uj, 0, "its price");
    placement_lease(&f.b, &job, &d, &lease);
    UNIT_INT(lease.end_s - lease.start_s, LIMIT_S, "its slots are held for the limit");
    UNIT_INT(lease.energy_uj, (int64_t)d.price.energy_uj, "and its energy");
    placement_sentence(text, sizeof(text), &f.b, &job, &d, FIXTURE_NOW);
    UNIT_OK(strstr(text, "~358 mgCO2e instead of ~372 mgCO2e"), "what is likely is said: %s", text);

    UNIT_DBL(placement_cost_ug(&f.b, &job, &d, FIXTURE_NOW, d.start_s), d.likely_ug, 1e-6,
             "the planner judges by the same");
    struct placement_note n;
    placement_comment(text, sizeof(text), 7, &job, &d);
    UNIT_INT(placement_note_parse(text, &n), 1, "noted");
    UNIT_DBL(n.likely_ug, d.likely_ug, 1, "likely");
    UNIT_DBL(n.likely_now_ug, d.likely_now_ug, 1, "at once");
    UNIT_DBL(n.carbon_ug, d.carbon_ug, 1, "what is reserved");
}

/* A short past moves no bound. */
static void test_bounds(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    struct placement_decision d;
    fixture_init(&f);
    fixture_past(&f, 1000, NULL, 30, 20);
    job.limit_s = LIMIT_S;
    job.deadline_s = FIXTURE_NOW + LIMIT_S + 60;
    placement_decide(&f.b, NULL, &job, FIXTURE_NOW, &d);
    UNIT_OK(d.start_s - FIXTURE_NOW <= 60 && d.latest_s - FIXTURE_NOW <= 60, "deadline less limit");
    job.deadline_s = FIXTURE_NOW + LIMIT_S + 80;
    placement_decide(&f.b, NULL, &job, FIXTURE_NOW, &d);
    UNIT_INT(d.start_s - FIXTURE_NOW, 70, "just reached");
    UNIT_INT(d.latest_s - FIXTURE_NOW, 80, "and no more");
    job.deadline_s = 0;
    /* Slots are free for its likely length, not for its limit: the dip is planned full. */
    f.planned[(70 + LIMIT_S) / 5 - 1 < FIXTURE_SLOTS ? (70 + LIMIT_S) / 5 - 1 : 199] = 16;
    placement_decide(&f.b, NULL, &job, FIXTURE_NOW, &d);
    UNIT_INT(d.verdict * 100 + d.code, CODE_QUEUE_WAITS, "room is needed for the limit");
}

/* The greener start would need more of a carbon budget, should the job run to its limit. */
static void test_budget(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    struct placement_decision d;
    fixture_init(&f);
    fixture_past(&f, 1000, NULL, 60, 60);
    /* 200 g/kWh, 100 in the dip, and 250 where a long run that starts later ends */
    f.points[0].g_per_kwh = f.points[2].g_per_kwh = 200;
    f.points[3] = (struct series_point){FIXTURE_NOW + LIMIT_S, 250, 0};
    series_sum(f.points, 4);
    f.b.n_points = 4;
    job.limit_s = LIMIT_S;
    placement_decide(&f.b, NULL, &job, FIXTURE_NOW, &d);
    UNIT_INT(d.start_s - FIXTURE_NOW, 70, "likely to be greener");
    UNIT_OK(d.carbon_ug > d.carbon_now_ug, "but not if it runs to its limit");
    f.budgets[0] = (struct board_budget){.scope = BOARD_ACCOUNT,
                                         .resource = 1,
                                         .name = "bio",
                                         .granted = (int64_t)d.carbon_now_ug + 100,
                                         .left = (int64_t)d.carbon_now_ug + 100};
    f.b.n_budgets = 1;
    placement_decide(&f.b, NULL, &job, FIXTURE_NOW, &d);
    UNIT_INT(d.verdict * 100 + d.code, CODE_FLAT, "not refused for a guess: it starts at once");
    UNIT_INT(d.start_s - FIXTURE_NOW, 0, "now");
    UNIT_DBL(d.carbon_ug, d.carbon_now_ug, 0, "for what that needs");
    f.budgets[0].left = 100;
    placement_decide(&f.b, NULL, &job, FIXTURE_NOW, &d);
    UNIT_INT(d.verdict, VERDICT_REFUSE, "too little for either");
    f.budgets[0].left = f.budgets[0].granted = (int64_t)(2 * d.carbon_now_ug);
    placement_decide(&f.b, NULL, &job, FIXTURE_NOW, &d);
    UNIT_INT(d.verdict, VERDICT_DELAY, "enough for both: it waits");
}

/* Tasks in waves: each wave is as long as the one before. */
static void test_waves(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    struct placement_decision d;
    fixture_init(&f);
    fixture_past(&f, 1000, NULL, 10, 10);
    f.b.head.overbook = 1000;
    job.limit_s = 100;
    job.tasks = 6;
    job.tasks_at_once = 2;
    placement_decide(&f.b, NULL, &job, FIXTURE_NOW, &d);
    /* at once: 2 tasks at 10 W; 30 s twice (three waves), and 300 s of which 60 in the dip */
    double now = (2 * 30 * 400 + (240 * 400 + 60 * 100)) / 3.0 * 20 / 3.6;
    UNIT_DBL(d.likely_now_ug, now, 1, "three waves");
    UNIT_INT(d.start_s - FIXTURE_NOW, 70, "into the dip");
}

/* Random steps, slots and pasts against a look at every second: cost and room as documented. */
static void test_search(void)
{
    struct fixture f;
    srand(11);
    for (int round = 0; round < 300; round++) {
        struct placement_job job = fixture_job();
        struct placement_decision d;
        fixture_init(&f);
        fixture_past(&f, 1000, NULL, 1 + (uint32_t)rand() % 90, (uint32_t)rand() % 90);
        int64_t t = FIXTURE_NOW - rand() % 100;
        for (int i = 0; i < 30; i++, t += 1 + rand() % 40)
            f.points[i] = (struct series_point){t, rand() % 500, 0};
        series_sum(f.points, 30);
        f.b.n_points = 30;
        for (int i = 0; i < FIXTURE_SLOTS; i++)
            f.planned[i] = round % 3 && rand() % 6 == 0 ? 16 : 0;
        job.limit_s = 1 + rand() % 120;
        job.request.delay_s = rand() % 400;
        f.b.head.lambda_g_per_h = rand() % 3;
        placement_decide(&f.b, NULL, &job, FIXTURE_NOW, &d);
        double best = INFINITY;
        for (int64_t w = 0; w <= job.request.delay_s; w++) {
            int open = 1;
            for (int64_t at = w; at < w + job.limit_s; at++)
                open &= at / 5 >= FIXTURE_SLOTS || f.planned[at / 5] == 0;
            double cost = placement_cost_ug(&f.b, &job, &d, FIXTURE_NOW, FIXTURE_NOW + w);
            if ((open || w == 0) && cost < best)
                best = cost;
        }
        double got = placement_cost_ug(&f.b, &job, &d, FIXTURE_NOW, d.start_s);
        UNIT_DBL(got, best, best * 1e-6 + 1e-6, "round %d", round);
    }
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"rule", test_rule},     {"left", test_left},
                                             {"board", test_board},   {"power", test_power},
                                             {"start", test_start},   {"bounds", test_bounds},
                                             {"budget", test_budget}, {"waves", test_waves},
                                             {"search", test_search}, {NULL, NULL}};
    return unit_main(argc, argv, cases, "scenarios");
}
