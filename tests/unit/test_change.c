/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes of jobs that are there: what grows is priced against the budget, what does not passes,
 * and what was allowed is held until a list shows it.
 */
#include "config.h"

#include "board_fixture.h"
#include "placement/change.h"
#include "unit.h"

#define MINUTE_UJ INT64_C(600000000) /* one CPU of the fixture for a minute */

static struct fixture f;
static struct board_account accounts[2];
static struct board_job jobs[4];
static struct lease_table leases;

/* Job 7: two CPUs for ten minutes, account bio. Array 20: a record of three tasks and one that went
 * its own way, both without a budget of their account. */
static void set_up(int64_t left_uj)
{
    fixture_init(&f);
    lease_init(&leases);
    accounts[0] = (struct board_account){"art"};
    accounts[1] = (struct board_account){"bio"};
    jobs[0] = (struct board_job){.job_id = 7,
                                 .uid = 1000,
                                 .nodes = 1,
                                 .cpus = 2,
                                 .tasks = 1,
                                 .cpus_per_task = 2,
                                 .account = 1,
                                 .limit_s = 600};
    jobs[1] = (struct board_job){.job_id = 20,
                                 .array_job_id = 20,
                                 .uid = 1000,
                                 .nodes = 1,
                                 .cpus = 1,
                                 .tasks = 3,
                                 .account = 1,
                                 .limit_s = 60};
    jobs[2] = jobs[1];
    jobs[2].job_id = 21;
    jobs[2].tasks = 1;
    f.budgets[0] = (struct board_budget){
        .scope = BOARD_ACCOUNT, .name = "bio", .granted = INT64_MAX, .left = left_uj};
    f.b.budgets = f.budgets;
    f.b.n_budgets = 1;
    f.b.accounts = accounts;
    f.b.n_accounts = 2;
    f.b.jobs = jobs;
    f.b.n_jobs = 3;
}

static struct placement_growth decide(const struct placement_change *c)
{
    struct placement_growth g;
    placement_change_decide(&f.b, &leases, c, FIXTURE_NOW, &g);
    return g;
}

static void test_growth(void)
{
    static const struct {
        const char *what;
        struct placement_change c;
        double uj;
    } cases[] = {
        {"nothing", {.job_id = 7, .array_task = -1}, 0},
        {"a longer limit",
         {.job_id = 7, .array_task = -1, .limit_s = 660},
         2.0 * (double)MINUTE_UJ},
        {"a shorter one",
         {.job_id = 7, .array_task = -1, .limit_s = 60},
         -18.0 * (double)MINUTE_UJ},
        {"twice the nodes", {.job_id = 7, .array_task = -1, .nodes = 2}, 20.0 * (double)MINUTE_UJ},
        {"more CPUs", {.job_id = 7, .array_task = -1, .cpus = 3}, 10.0 * (double)MINUTE_UJ},
        {"processes of two CPUs",
         {.job_id = 7, .array_task = -1, .ntasks = 2},
         20.0 * (double)MINUTE_UJ},
        {"whole nodes", {.job_id = 7, .array_task = -1, .exclusive = 1}, 20.0 * (double)MINUTE_UJ},
        {"an array", {.job_id = 20, .array_task = -1, .limit_s = 120}, 4.0 * (double)MINUTE_UJ},
        {"a task by its own number",
         {.job_id = 21, .array_task = -1, .limit_s = 120},
         1.0 * (double)MINUTE_UJ},
        {"one task of it",
         {.job_id = 20, .array_task = 2, .limit_s = 120},
         1.0 * (double)MINUTE_UJ},
        {"its own account", {.job_id = 7, .array_task = -1, .account = "bio"}, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set_up(INT64_MAX);
        struct placement_growth g = decide(&cases[i].c);
        UNIT_DBL(g.energy_uj, cases[i].uj, 1, "%s", cases[i].what);
        UNIT_INT(g.verdict, VERDICT_RUN, "%s is covered", cases[i].what);
        if (cases[i].uj <= 0)
            continue;
        set_up((int64_t)cases[i].uj);
        UNIT_INT(decide(&cases[i].c).verdict, VERDICT_RUN, "%s: to the last joule", cases[i].what);
        set_up((int64_t)cases[i].uj - 1);
        g = decide(&cases[i].c);
        UNIT_INT(g.verdict, VERDICT_REFUSE, "%s: and not a microjoule more", cases[i].what);
        UNIT_INT(g.code, CODE_BUDGET_LEFT, "%s: why", cases[i].what);
    }
}

static void test_moves(void)
{
    char text[320];
    struct placement_change c = {.job_id = 20, .array_task = -1, .account = "art"};
    set_up(0);
    UNIT_INT(decide(&c).verdict, VERDICT_RUN, "out of an account that has nothing left");
    f.budgets[0] = (struct board_budget){
        .scope = BOARD_ACCOUNT, .name = "art", .granted = 100, .left = 4 * MINUTE_UJ - 1};
    struct placement_growth g = decide(&c);
    UNIT_INT(g.verdict, VERDICT_REFUSE, "into one with too little for all of it");
    placement_change_sentence(text, sizeof(text), &g);
    UNIT_OK(strstr(text, "account art has") && strstr(text, "more"), "%s", text);
    f.budgets[0].left++;
    UNIT_INT(decide(&c).verdict, VERDICT_RUN, "into one with enough");
    f.b.head.mode = 0;
    f.budgets[0].left = 0;
    UNIT_INT(decide(&c).verdict, VERDICT_RUN, "an observer refuses nothing");
}

static void test_unknown(void)
{
    struct placement_change c = {.job_id = 99, .array_task = -1, .limit_s = 60};
    char text[320];
    set_up(0);
    struct placement_growth g = decide(&c);
    UNIT_INT(g.verdict, VERDICT_REFUSE, "a job that no list has shown");
    UNIT_INT(g.code, CODE_NO_BOARD, "why");
    UNIT_OK(strstr(placement_change_sentence(text, sizeof(text), &g), "again"), "%s", text);
    f.b.n_budgets = 0;
    UNIT_INT(decide(&c).verdict, VERDICT_RUN, "without budgets nothing is refused");
    c.limit_s = 0;
    f.b.n_budgets = 1;
    UNIT_INT(decide(&c).verdict, VERDICT_RUN, "nor what grows nothing");
}

/* Two changes at once must not both get the last of a budget; a list that is younger ends a lease.
 */
static void test_lease(void)
{
    struct placement_change c = {.job_id = 7, .array_task = -1, .limit_s = 660};
    struct placement_change other = {.job_id = 20, .array_task = -1, .limit_s = 120};
    struct lease l;
    int64_t now_ms = FIXTURE_NOW * 1000LL;
    set_up(4 * MINUTE_UJ);
    struct placement_growth g = decide(&c);
    placement_change_lease(&c, &g, &l);
    UNIT_INT(lease_take(&leases, &l, now_ms), 0, "taken");
    UNIT_INT(decide(&other).verdict, VERDICT_REFUSE, "what is held is gone");
    placement_change_lease(&c, &g, &l);
    UNIT_INT(lease_take(&leases, &l, now_ms), 0, "asked again, once a record");
    UNIT_INT(leases.n, 1, "one lease");
    f.b.head.listed_ms = now_ms + 1000;
    lease_sweep(&leases, &f.b, now_ms + 1500);
    UNIT_INT(leases.n, 1, "a list of that moment may not have it yet");
    f.b.head.listed_ms = now_ms + 2500;
    lease_sweep(&leases, &f.b, now_ms + 3000);
    UNIT_INT(leases.n, 0, "a younger one has");
    UNIT_INT(decide(&other).verdict, VERDICT_RUN, "and its figures count");
    lease_take(&leases, &l, now_ms);
    f.b.head.listed_ms = 0;
    lease_sweep(&leases, &f.b, now_ms + LEASE_LIFE_MS);
    UNIT_INT(leases.n, 1, "without a list it is kept");
    f.b.head.listed_ms = now_ms + LEASE_LIFE_MS;
    lease_sweep(&leases, &f.b, now_ms + LEASE_LIFE_MS);
    UNIT_INT(leases.n, 0, "not for ever");
    UNIT_INT(lease_doubtful(&leases, 1000, now_ms + LEASE_LIFE_MS), 0, "and nobody is doubted");
}

/* The licence that Slurm's own limit counts a job by, after a change. */
static void test_watts(void)
{
    static const struct {
        const char *what;
        struct placement_change c;
        uint32_t w;
    } cases[] = {
        {"as it is", {.job_id = 7, .array_task = -1}, 20},
        {"more CPUs", {.job_id = 7, .array_task = -1, .cpus = 3}, 30},
        {"no more than there are", {.job_id = 7, .array_task = -1, .cpus = 300}, 1000},
        {"a longer limit", {.job_id = 7, .array_task = -1, .limit_s = 6000}, 20},
        {"an array's task", {.job_id = 20, .array_task = -1}, 10},
        {"an account without one", {.job_id = 7, .array_task = -1, .account = "art"}, 0},
    };
    uint32_t w = 77;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set_up(0);
        f.b.head.watts_total = 1000;
        f.budgets[0].native = 1;
        UNIT_INT(placement_change_watts(&f.b, &cases[i].c, &w), 0, "%s", cases[i].what);
        UNIT_INT(w, cases[i].w, "%s", cases[i].what);
    }
    struct placement_change unknown = {.job_id = 99, .array_task = -1};
    UNIT_INT(placement_change_watts(&f.b, &unknown, &w), -1, "not on the board");
    f.b.head.watts_total = 0;
    UNIT_INT(placement_change_watts(&f.b, &cases[0].c, &w), 0, "no licence");
    UNIT_INT(w, 0, "no watts");
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"growth", test_growth},   {"moves", test_moves},
                                             {"unknown", test_unknown}, {"lease", test_lease},
                                             {"watts", test_watts},     {NULL, NULL}};
    return unit_main(argc, argv, cases, "change");
}
