/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision: the one clear dip, policies, bounds, slots, budgets and leases by hand; the best
 * start against a search of every second; published best windows of real grids.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "board_fixture.h"
#include "grid.h"

static struct placement_decision decide(const struct fixture *f, const struct placement_job *job)
{
    struct placement_decision d;
    placement_decide(&f->b, NULL, job, FIXTURE_NOW, &d);
    return d;
}

static void test_dip(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    fixture_init(&f);
    struct placement_decision d = decide(&f, &job);
    UNIT_INT(d.verdict, VERDICT_DELAY, "waits");
    UNIT_INT(d.start_s - FIXTURE_NOW, 70, "for the dip");
    UNIT_INT(d.latest_s - FIXTURE_NOW, 300, "no longer than allowed");
    UNIT_INT(d.code, CODE_GREENER_LATER, "code");
    UNIT_DBL(d.price.energy_uj, 10 * 60 * 1e6, 1, "10 W for a minute");
    UNIT_DBL(d.carbon_ug, 600 / 3.6e6 * 100 * 1e6, 1e-3, "there");
    UNIT_DBL(d.carbon_now_ug, 600 / 3.6e6 * 400 * 1e6, 1e-3, "now");
    job.limit_s = 20;
    d = decide(&f, &job);
    UNIT_INT(d.start_s - FIXTURE_NOW, 70, "a shorter one starts at the first best second");
    job.limit_s = 100;
    d = decide(&f, &job);
    UNIT_INT(d.start_s - FIXTURE_NOW, 30, "a longer one as early as holds the whole dip");
}

/* What does not wait, and why. */
static void test_no_wait(void)
{
    struct fixture f;
    struct placement_job job;
    struct placement_decision d;

    fixture_init(&f);
    job = fixture_job();
    job.request.policy = POLICY_ASAP;
    UNIT_INT(decide(&f, &job).verdict, VERDICT_RUN, "asap");

    job = fixture_job();
    job.request.delay = DELAY_UNSET;
    d = decide(&f, &job);
    UNIT_INT(d.verdict * 100 + d.code, CODE_NONE, "asked for nothing");

    job.request.delay = DELAY_OFF;
    UNIT_INT(decide(&f, &job).verdict, VERDICT_RUN, "off");

    job = fixture_job();
    job.flags = PLACEMENT_IMMEDIATE;
    d = decide(&f, &job);
    UNIT_INT(d.verdict * 100 + d.code, CODE_IMMEDIATE, "immediate");

    job = fixture_job();
    f.b.head.default_delay_s = 300;
    job.request.delay = DELAY_UNSET;
    UNIT_INT(decide(&f, &job).verdict, VERDICT_DELAY, "the site's default");
    job.flags = PLACEMENT_INTERACTIVE;
    UNIT_INT(decide(&f, &job).verdict, VERDICT_RUN, "not without a flag when interactive");

    job = fixture_job();
    f.b.head.min_gain_g = 1;
    d = decide(&f, &job);
    UNIT_INT(d.verdict * 100 + d.code, CODE_FLAT, "saves less than the minimum");
    f.b.head.min_gain_g = 0.5; /* one task saves 0.05 g */
    job.tasks = 16;            /* counted over all tasks */
    UNIT_INT(decide(&f, &job).verdict, VERDICT_DELAY, "sixteen tasks save enough");

    fixture_init(&f);
    job = fixture_job();
    f.b.head.forecast_quality = FORECAST_STALE;
    d = decide(&f, &job);
    UNIT_INT(d.verdict * 100 + d.code, CODE_FEED_STALE, "a stale feed holds nobody");
    f.b.n_points = 0;
    d = decide(&f, &job);
    UNIT_INT(d.verdict * 100 + d.code, CODE_FEED_STALE, "no forecast");
    UNIT_OK(isnan(d.carbon_ug), "no grams without one");
}

/* Later components of a heterogeneous job: one start, one line, each its own energy. */
static void test_leader(void)
{
    struct fixture f;
    struct placement_job first = fixture_job(), second = fixture_job();
    char text[640];
    fixture_init(&f);
    struct placement_decision leader = decide(&f, &first), d;
    second.flags = PLACEMENT_IMMEDIATE;
    second.leader = &leader;
    second.cpus = 3;
    d = decide(&f, &second);
    UNIT_INT(d.verdict * 100 + d.code, VERDICT_DELAY * 100 + CODE_GREENER_LATER, "waits as well");
    UNIT_INT(d.start_s - FIXTURE_NOW, 70, "as long");
    UNIT_INT(d.delay_s, 70, "and says so");
    UNIT_INT(d.latest_s - leader.latest_s, 0, "with the same promise");
    UNIT_DBL(d.carbon_ug, 3 * leader.carbon_ug, 1e-3, "its own grams there");
    UNIT_DBL(d.carbon_now_ug, 3 * leader.carbon_now_ug, 1e-3, "and at once");
    UNIT_STR(placement_sentence(text, sizeof(text), &f.b, &second, &d, FIXTURE_NOW), "", "silent");

    second.earliest_s = FIXTURE_NOW + 100;
    d = decide(&f, &second);
    UNIT_INT(d.verdict * 100 + d.start_s - FIXTURE_NOW, 100, "a later --begin of its own stands");
    second.earliest_s = 0;
    leader.mode = 0;
    d = decide(&f, &second);
    UNIT_INT(d.mode, 0, "only observed where the first is");
    leader = (struct placement_decision){.mode = 1, .code = CODE_FLAT, .start_s = FIXTURE_NOW};
    d = decide(&f, &second);
    UNIT_INT(d.verdict * 100 + d.code, CODE_FLAT, "at once with one that does not wait");
}

static void test_bounds(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    fixture_init(&f);
    job.request.delay_s = 69;
    UNIT_INT(decide(&f, &job).start_s - FIXTURE_NOW, 69, "part of the dip is better than none");
    job.request.delay_s = 9;
    UNIT_INT(decide(&f, &job).verdict, VERDICT_RUN, "out of reach");
    job.request.delay_s = 300;
    job.deadline_s = FIXTURE_NOW + 60 + 70;
    UNIT_INT(decide(&f, &job).latest_s - FIXTURE_NOW, 70, "deadline minus limit");
    job.deadline_s = FIXTURE_NOW + 10;
    UNIT_INT(decide(&f, &job).verdict, VERDICT_RUN, "a deadline that cannot be met");
    job.deadline_s = 0;
    job.request.delay = DELAY_UNSET;
    job.request.finish_by_s = FIXTURE_NOW + 60 + 75;
    job.request.layer[REQUEST_CARBON_FINISH_BY] = LAYER_SCRIPT;
    struct placement_decision d = decide(&f, &job);
    UNIT_INT(d.latest_s - FIXTURE_NOW, 75, "finish-by minus limit");
    UNIT_INT(d.layer, LAYER_SCRIPT, "which decided");
    job.request.finish_by_s = 1;
    UNIT_INT(decide(&f, &job).verdict, VERDICT_RUN, "finish-by in the past: at once");
    job = fixture_job();
    job.earliest_s = FIXTURE_NOW + 100;
    d = decide(&f, &job);
    UNIT_INT(d.start_s - FIXTURE_NOW, 100, "--begin is the lower bound");
    UNIT_INT(d.verdict, VERDICT_RUN, "and inside the dip there is nothing better");
    job = fixture_job();
    job.request.delay_s = INT64_MAX;
    job.limit_s = INT64_MAX / 2;
    d = decide(&f, &job);
    UNIT_OK(d.latest_s - FIXTURE_NOW <= 7 * 86400, "huge numbers are bounded");
}

/* Longer than the forecast: decided by what is known, priced whole. */
static void test_beyond(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    fixture_init(&f);
    f.b.head.intensity_end_s = FIXTURE_NOW + 200;
    job.limit_s = 1000;
    struct placement_decision d = decide(&f, &job);
    double mean = (140.0 * 400 + 60 * 100) / 200;
    UNIT_DBL(d.carbon_now_ug, 10 * 1000 / 3.6e6 * mean * 1e6, 1, "the mean goes on");
    UNIT_OK(d.carbon_ug <= d.carbon_now_ug, "never worse than at once");
}

static void test_lambda(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    fixture_init(&f);
    f.b.head.lambda_g_per_h = 2; /* 70 s cost 39 mg; the dip saves 50 */
    UNIT_INT(decide(&f, &job).start_s - FIXTURE_NOW, 70, "worth it");
    f.b.head.lambda_g_per_h = 4;
    UNIT_INT(decide(&f, &job).verdict, VERDICT_RUN, "not worth the delay");
    job.request.policy = POLICY_GREENEST;
    UNIT_INT(decide(&f, &job).start_s - FIXTURE_NOW, 70, "greenest does not count delay");
}

/* Twenty jobs, each told of those before it: never more at once than fit, and not all at the same
 * time. */
static void test_slots(void)
{
    static struct lease_table t;
    struct fixture f;
    struct placement_job job = fixture_job();
    int at_dip = 0;
    fixture_init(&f);
    lease_init(&t);
    job.flags = PLACEMENT_EXCLUSIVE;
    job.nodes = 1;
    job.limit_s = 20;
    for (int i = 0; i < 20; i++) {
        struct placement_decision d;
        struct lease l;
        placement_decide(&f.b, &t, &job, FIXTURE_NOW, &d);
        placement_lease(&f.b, &job, &d, &l);
        l.id = (uint64_t)i + 1;
        UNIT_INT(lease_take(&t, &l, FIXTURE_NOW * 1000LL), 0, "lease %d", i);
        UNIT_INT(l.cpus, 4, "a whole node");
        if (d.verdict == VERDICT_DELAY)
            at_dip++;
    }
    for (int64_t s = 0; s < 300; s += 5) {
        uint32_t cpus = 0;
        for (uint32_t i = 0; i < t.n; i++)
            if (t.leases[i].start_s > FIXTURE_NOW && t.leases[i].start_s <= FIXTURE_NOW + s &&
                t.leases[i].end_s > FIXTURE_NOW + s)
                cpus += t.leases[i].cpus;
        UNIT_OK(cpus <= 16, "%u CPUs planned at +%d", cpus, (int)s);
    }
    UNIT_OK(at_dip >= 12 && at_dip < 20, "%d wait for the dip", at_dip);
    struct placement_decision d;
    placement_decide(&f.b, &t, &job, FIXTURE_NOW, &d);
    for (uint32_t i = 0; i < FIXTURE_SLOTS; i++)
        f.planned[i] = 16;
    placement_decide(&f.b, NULL, &job, FIXTURE_NOW, &d);
    UNIT_INT(d.verdict * 100 + d.code, CODE_QUEUE_WAITS, "full: the queue decides");
}

static void test_price(void)
{
    static const struct {
        const char *what;
        struct placement_job job;
        uint32_t nodes, cpus;
        int64_t limit_s;
        double power_w;
    } rows[] = {
        {"nothing set", {.tasks = 1}, 1, 1, 60, 10},
        {"six CPUs", {.cpus = 6}, 2, 6, 60, 60},
        {"two nodes", {.nodes = 2}, 2, 2, 60, 20},
        {"two nodes alone", {.nodes = 2, .flags = PLACEMENT_EXCLUSIVE}, 2, 8, 60, 80},
        {"limit", {.limit_s = 7200}, 1, 1, 7200, 10},
        {"no default: the maximum", {.partition = "debug"}, 1, 1, 365 * 86400, 10},
        {"unknown partition", {.partition = "x", .limit_s = 60}, 1, 1, 60, 10},
        {"a list",
         {.partition = "x,batch", .nodes = 1, .flags = PLACEMENT_EXCLUSIVE},
         1,
         4,
         60,
         40},
        {"the dearest of a list",
         {.partition = "batch,debug,x", .nodes = 1},
         1,
         1,
         365 * 86400,
         10},
        {"in whatever order", {.partition = "debug,batch"}, 1, 1, 365 * 86400, 10},
        {"no part of a name", {.partition = "batchdebug,debu,atch"}, 1, 1, 365 * 86400, 10},
        {"GPUs", {.gpus = 2}, 1, 1, 60, 610},
        {"huge",
         {.nodes = UINT32_MAX, .flags = PLACEMENT_EXCLUSIVE},
         UINT32_MAX,
         UINT32_MAX,
         60,
         4294967295.0 * 10},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct placement_price p;
        placement_price(&f.b, &rows[i].job, &p);
        UNIT_INT(p.nodes, rows[i].nodes, "%s", rows[i].what);
        UNIT_INT(p.cpus, rows[i].cpus, "%s", rows[i].what);
        UNIT_INT(p.limit_s, rows[i].limit_s, "%s", rows[i].what);
        UNIT_DBL(p.power_w, rows[i].power_w, 1e-6, "%s", rows[i].what);
    }
}

static void add_budget(struct fixture *f, int resource, int64_t left)
{
    f->budgets[f->b.n_budgets++] = (struct board_budget){
        .scope = BOARD_ACCOUNT, .resource = resource, .name = "bio", .granted = left, .left = left};
}

static void test_budget(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    fixture_init(&f);
    add_budget(&f, 0, 600 * 1000000LL);
    UNIT_INT(decide(&f, &job).verdict, VERDICT_DELAY, "just enough");
    f.budgets[0].left--;
    struct placement_decision d = decide(&f, &job);
    UNIT_INT(d.verdict, VERDICT_REFUSE, "one microjoule short, by the user's default account");
    UNIT_INT(d.code, CODE_BUDGET_LEFT, "code");
    UNIT_OK(d.lack.budget == &f.budgets[0], "which");
    job.account = "chem";
    UNIT_INT(decide(&f, &job).verdict, VERDICT_DELAY, "another account");
    job.account = "bio";
    f.budgets[0].left = 6000 * 1000000LL;
    job.tasks = 10;
    UNIT_INT(decide(&f, &job).verdict, VERDICT_DELAY, "ten tasks");
    job.tasks = 11;
    UNIT_INT(decide(&f, &job).verdict, VERDICT_REFUSE, "eleven");
    job.tasks = 1;
    add_budget(&f, 1, 17000);
    UNIT_INT(decide(&f, &job).verdict, VERDICT_DELAY, "carbon is counted at the start it gets");
    job.request.delay = DELAY_OFF;
    UNIT_INT(decide(&f, &job).verdict, VERDICT_REFUSE, "at once it would cost too much carbon");
    job.flags = PLACEMENT_UNCOUNTED;
    f.b.n_budgets = 1;
    UNIT_INT(decide(&f, &job).code, CODE_NO_BOARD, "not before the leases are known again");
}

/* Where Slurm's own limit holds a budget, jobs wait for it instead of being refused. */
static void test_native(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    struct placement_price p;
    fixture_init(&f);
    add_budget(&f, 0, 600 * 1000000LL);
    UNIT_INT(placement_native(&f.b, &job), 0, "not Slurm's to hold");
    f.budgets[0].native = 1;
    f.budgets[0].left = -5;
    UNIT_INT(placement_native(&f.b, &job), 1, "Slurm's, by the user's default account");
    UNIT_INT(decide(&f, &job).verdict, VERDICT_DELAY, "nothing is left: it waits in the queue");
    job.tasks = 50;
    UNIT_OK(decide(&f, &job).verdict != VERDICT_REFUSE, "an array task by task");
    job.limit_s = 61;
    struct placement_decision d = decide(&f, &job);
    UNIT_INT(d.code, CODE_BUDGET_LEFT, "what can never fit is refused");
    UNIT_INT(d.lack.left, 600 * 1000000LL, "against all that is granted");
    UNIT_DBL(d.lack.need, 610e6, 1, "by what one task needs");
    job.account = "chem";
    UNIT_INT(placement_native(&f.b, &job), 0, "another account");

    f.b.head.cpu_max_w = 0.3;
    placement_price(&f.b, &job, &p);
    UNIT_DBL(p.power_w, 0.3, 1e-9, "priced as it is");
    f.b.head.watts_total = 100;
    placement_price(&f.b, &job, &p);
    UNIT_DBL(p.power_w, 1, 0, "where Slurm counts: at least a watt");
    f.b.head.cpu_max_w = 10.2;
    placement_price(&f.b, &job, &p);
    UNIT_DBL(p.power_w, 11, 0, "and whole ones");
    UNIT_DBL(p.energy_uj, 61 * 11e6, 1, "energy as well");
}

static void test_lease(void)
{
    static struct lease_table t;
    struct fixture f;
    struct placement_job job = fixture_job();
    struct placement_decision d;
    const int64_t now_ms = FIXTURE_NOW * 1000LL;
    int accepted = 0;
    fixture_init(&f);
    add_budget(&f, 0, 10 * 600 * 1000000LL);
    lease_init(&t);
    for (uint64_t id = 1; id <= 50; id++) {
        struct lease l;
        lease_sweep(&t, &f.b, now_ms);
        placement_decide(&f.b, &t, &job, FIXTURE_NOW, &d);
        if (d.verdict == VERDICT_REFUSE)
            continue;
        accepted++;
        placement_lease(&f.b, &job, &d, &l);
        l.id = id;
        lease_take(&t, &l, now_ms);
    }
    UNIT_INT(accepted, 10, "exactly ten between two boards");
    f.decisions[0] = 3;
    f.b.n_decisions = 1;
    f.budgets[0].left -= 600 * 1000000LL;
    lease_sweep(&t, &f.b, now_ms);
    UNIT_INT(t.n, 9, "the board holds what it has seen");
    placement_decide(&f.b, &t, &job, FIXTURE_NOW, &d);
    UNIT_INT(d.verdict, VERDICT_REFUSE, "held once, by board or lease");
    lease_sweep(&t, &f.b, now_ms + LEASE_LIFE_MS);
    UNIT_INT(t.n, 9, "an old list does not tell that they are no jobs");
    f.b.head.listed_ms = now_ms + LEASE_LIFE_MS;
    lease_sweep(&t, &f.b, now_ms + LEASE_LIFE_MS);
    UNIT_INT(t.n, 0, "by a list after their time unseen ones expire");
    UNIT_INT(lease_doubtful(&t, 1000, now_ms + LEASE_LIFE_MS), 1, "and are remembered");
    UNIT_INT(lease_doubtful(&t, 1001, now_ms + LEASE_LIFE_MS), 0, "of that user alone");
    /* Nine jobs' worth is left, half of it for who is doubtful: four. */
    accepted = 0;
    for (uint64_t id = 100; id < 120; id++) {
        struct lease l;
        placement_decide(&f.b, &t, &job, FIXTURE_NOW + LEASE_LIFE_MS / 1000, &d);
        if (d.verdict == VERDICT_REFUSE)
            continue;
        accepted++;
        placement_lease(&f.b, &job, &d, &l);
        l.id = id;
        lease_take(&t, &l, now_ms + LEASE_LIFE_MS);
    }
    UNIT_INT(accepted, 4, "one user cannot lock the others out again");
    job.uid = 1001;
    job.account = "bio";
    placement_decide(&f.b, &t, &job, FIXTURE_NOW + LEASE_LIFE_MS / 1000, &d);
    UNIT_OK(d.verdict != VERDICT_REFUSE, "another user of the account still can");
    lease_sweep(&t, &f.b, now_ms + LEASE_LIFE_MS - 50);
    UNIT_INT(t.n, 4, "a submission that comes late with its time ends no lease");
    lease_sweep(&t, &f.b, now_ms - 86400000LL);
    UNIT_INT(t.n, 4, "nor does a clock that steps back");
    lease_sweep(&t, &f.b, now_ms - 86400000LL + LEASE_LIFE_MS);
    UNIT_INT(t.n, 0, "but it makes none eternal");
}

/* Random steps, windows and slots against a search of every second. */
static void test_search(void)
{
    struct fixture f;
    srand(7);
    for (int round = 0; round < 300; round++) {
        struct placement_job job = fixture_job();
        struct placement_decision d;
        fixture_init(&f);
        int64_t t = FIXTURE_NOW - rand() % 100;
        for (int i = 0; i < 30; i++, t += 1 + rand() % 40)
            f.points[i] = (struct series_point){t, rand() % 500, 0};
        series_sum(f.points, 30);
        f.b.n_points = 30;
        for (int i = 0; i < FIXTURE_SLOTS; i++)
            f.planned[i] = rand() % 4 == 0 ? 16 : 0;
        if (round % 3 == 0)
            memset(f.planned, 0, sizeof(f.planned));
        job.limit_s = 1 + rand() % 90;
        job.request.delay_s = rand() % 400;
        f.b.head.lambda_g_per_h = rand() % 3;
        d = decide(&f, &job);
        struct series s = board_series(&f.b);
        double best = INFINITY;
        for (int64_t w = 0; w <= job.request.delay_s; w++) {
            int64_t start = FIXTURE_NOW + w;
            int open = 1;
            for (int64_t at = start; at < start + job.limit_s; at++)
                if ((at - FIXTURE_NOW) / 5 < FIXTURE_SLOTS &&
                    f.planned[(at - FIXTURE_NOW) / 5] + 1 > 16)
                    open = 0;
            if (!open && w > 0)
                continue;
            double cost =
                series_emissions_ug(&s, start, start + job.limit_s, 1e7 * (double)job.limit_s) +
                f.b.head.lambda_g_per_h * 1e6 / 3600 * (double)w;
            best = cost < best ? cost : best;
        }
        double got =
            d.carbon_ug + f.b.head.lambda_g_per_h * 1e6 / 3600 * (double)(d.start_s - FIXTURE_NOW);
        UNIT_DBL(got, best, best * 1e-6 + 1e-6, "round %d", round);
    }
}

/* greenest on a real year is the published best window (data/README: oracle files). */
static void test_oracle(void)
{
    static struct series_point points[GRID_2022_HOURS];
    struct series year = grid_2022(points, "DE");
    struct fixture f;
    FILE *oracle = grid_open("carbon/oracle-2022-DE-job6h-slack24h.csv.gz");
    char line[1024], header[1024], copy[1024];
    int column = -1, rows = 0;
    if (!fgets(header, sizeof(header), oracle))
        unit_skip("cannot read the oracle");
    for (int i = 0; i < 12 && column < 0; i++) {
        snprintf(copy, sizeof(copy), "%s", header);
        char *name = grid_field(copy, i);
        if (name && strcmp(name, "non_interrupt") == 0)
            column = i;
    }
    if (!UNIT_OK(column >= 0, "the oracle has a column non_interrupt"))
        return;
    for (int hour = 0; fgets(line, sizeof(line), oracle) && hour + 30 < (int)year.n; hour++) {
        double want = atof(grid_field(line, column));
        if (hour % 13 != 0)
            continue;
        struct placement_job job = fixture_job();
        struct placement_decision d;
        int64_t now = points[hour].t_s;
        fixture_init(&f);
        f.b.points = points + hour;
        f.b.n_points = 31;
        f.b.head.intensity_end_s = now + 31 * 3600;
        f.b.head.policy = POLICY_GREENEST;
        job.limit_s = 6 * 3600;
        job.request.delay_s = 24 * 3600;
        placement_decide(&f.b, NULL, &job, now, &d);
        double got = d.carbon_ug / 1e6 / 10e-3; /* 10 W: g per kW */
        UNIT_DBL(got, want, 1e-6 * want, "hour %d", hour);
        rows++;
    }
    pclose(oracle);
    UNIT_OK(rows > 600, "%d rows", rows);
}

static void test_note(void)
{
    static const char *const bad[] = {NULL,
                                      "",
                                      "carnot:",
                                      "carnot:v=2,id=1",
                                      "carnot:v=1,",
                                      "carnot:v=1,id=0",
                                      "carnot:v=1,id=xyz",
                                      "carnot:v=1,id",
                                      "carnot:v=1,id=1,t=-5",
                                      "carnot:v=1,id=1,j=nan",
                                      "carnot:v=1,id=1,g=1e99",
                                      "carnot:v=1,id=1,latest=9e9x"};
    struct fixture f;
    struct placement_job job = fixture_job();
    struct placement_note n;
    char text[640], mixed[1024];
    fixture_init(&f);
    job.tasks = 4;
    job.request.energy_budget_uj = 18000000;
    job.request.action = ACTION_TERM;
    strcpy(job.request.run, "lm-7b");
    struct placement_decision d = decide(&f, &job);
    placement_comment(text, sizeof(text), 0xabcdef, &job, &d);
    UNIT_OK(!strstr(text, "left") && !strstr(text, "bio"), "nothing of budgets: %s", text);
    snprintf(mixed, sizeof(mixed), "JS1:H4sIA;%s other", text);
    UNIT_INT(placement_note_parse(mixed, &n), 1, "found among others'");
    UNIT_OK(n.id == 0xabcdef, "id");
    UNIT_INT(n.begin_s, d.start_s, "begin");
    UNIT_INT(n.latest_s, d.latest_s, "latest");
    UNIT_INT(n.asked_s, FIXTURE_NOW, "asked");
    UNIT_DBL(n.energy_uj, 6e8, 1, "energy of one task");
    UNIT_DBL(n.carbon_ug, d.carbon_ug / 4, 1, "grams of one task");
    UNIT_INT(n.energy_budget_uj, 18000000, "its own budget");
    UNIT_INT(n.action, ACTION_TERM, "action");
    UNIT_INT(n.layer, LAYER_FLAG, "layer");
    UNIT_STR(n.run, "lm-7b", "run");
    UNIT_INT(n.requeue, 0, "it did not ask to be paused");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        UNIT_INT(placement_note_parse(bad[i], &n), 0, "bad note %zu", i);

    job.request.requeue = 1;
    placement_comment(text, sizeof(text), 1, &job, &d);
    UNIT_INT(placement_note_parse(text, &n), 1, "%s", text);
    UNIT_INT(n.requeue, 1, "may be paused");
    UNIT_INT(n.done_by_s, 0, "whenever its waits let it");
    job.request.finish_by_s = FIXTURE_NOW + 7200;
    d = decide(&f, &job);
    placement_comment(text, sizeof(text), 1, &job, &d);
    UNIT_INT(placement_note_parse(text, &n), 1, "%s", text);
    UNIT_INT(n.done_by_s, FIXTURE_NOW + 7200, "done by then");
}

static void test_unpausable(void)
{
    static const struct {
        unsigned flags;
        enum request_delay delay;
        const char *says;
    } rows[] = {{0, DELAY_FOR, NULL},
                {PLACEMENT_INTERACTIVE, DELAY_FOR, "only a batch job"},
                {PLACEMENT_NO_REQUEUE, DELAY_FOR, "--no-requeue"},
                {PLACEMENT_IMMEDIATE, DELAY_FOR, "never made to wait"},
                {0, DELAY_OFF, "--carbon-delay"}};
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct placement_job job = fixture_job();
        job.flags |= rows[i].flags;
        job.request.delay = rows[i].delay;
        struct placement_decision d = decide(&f, &job);
        UNIT_OK(!placement_unpausable(&job, &d), "row %zu: not asked for", i);
        job.request.requeue = 1;
        const char *says = placement_unpausable(&job, &d);
        UNIT_OK(rows[i].says ? says && strstr(says, rows[i].says) : !says, "row %zu: %s", i,
                says ? says : "works");
    }
}

static void test_sentence(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    char text[640];
    setenv("TZ", "UTC", 1);
    fixture_init(&f);
    struct placement_decision d = decide(&f, &job);
    placement_sentence(text, sizeof(text), &f.b, &job, &d, FIXTURE_NOW);
    UNIT_STR(
        text,
        "waits until 22:14:30 (22:18:20 at the latest) for a greener grid: ~16.7 mgCO2e instead "
        "of ~66.7 mgCO2e. Start now: carnot now JOBID",
        "wait");
    add_budget(&f, 0, 36 * 1000000LL);
    f.budgets[0].renews_s = FIXTURE_NOW + 86400;
    d = decide(&f, &job);
    placement_sentence(text, sizeof(text), &f.b, &job, &d, FIXTURE_NOW);
    UNIT_STR(text,
             "account bio has 10.0 mWh left until 15 Nov, this job needs about 167 mWh (1 node x 1 "
             "min x "
             "10.0 W). Shorten --time, or ask an operator for a larger budget",
             "refusal");
}

/* Tasks that do not fit at once run one wave after the other, and are priced where they run. */
static void test_waves(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    fixture_init(&f);
    job.tasks = 8;
    job.tasks_at_once = 4; /* two waves of a minute: one in the dip, one behind it */
    struct placement_decision d = decide(&f, &job);
    UNIT_DBL(d.price.energy_all_uj, 8 * 600e6, 1, "all tasks");
    UNIT_DBL(d.carbon_now_ug, 8 * 600 / 3.6e6 * (70 * 400 + 50 * 100) / 120 * 1e6, 1e-2,
             "at once: most of the second wave is in the dip");
    UNIT_DBL(d.carbon_ug, 8 * 600 / 3.6e6 * (60 * 100 + 60 * 400) / 120 * 1e6, 1e-2, "later");
}

static void test_stagger(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    int seen[6] = {0}, kinds = 0;
    fixture_init(&f);
    f.b.head.stagger_s = 5;
    job.limit_s = 20;
    for (uint32_t i = 0; i < 60; i++) {
        job.stagger = i * 2654435761u;
        struct placement_decision d = decide(&f, &job);
        int64_t later = d.start_s - FIXTURE_NOW - 70;
        if (UNIT_OK(later >= 0 && later <= 5, "within five seconds: %lld", (long long)later))
            seen[later]++;
        UNIT_DBL(d.carbon_ug, 200 / 3.6e6 * 100 * 1e6, 1e-3, "at the same grams");
    }
    for (int i = 0; i < 6; i++)
        kinds += seen[i] > 0;
    UNIT_INT(kinds, 6, "all of them used");
    job.request.delay_s = 72; /* the bound holds */
    for (uint32_t i = 0; i < 20; i++) {
        job.stagger = i;
        UNIT_OK(decide(&f, &job).start_s <= FIXTURE_NOW + 72, "never past the latest start");
    }
}

/* With exponent 1 nothing changes for those who split a job; with 0 a large one waits for less. */
static void test_size(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    fixture_init(&f);
    f.b.head.lambda_g_per_h = 4; /* one CPU: not worth it (see test_lambda) */
    f.b.head.lambda_exponent = 1;
    for (job.cpus = 1; job.cpus <= 16; job.cpus *= 2)
        UNIT_INT(decide(&f, &job).verdict, VERDICT_RUN, "%u CPUs", job.cpus);
    job.cpus = 1;
    job.tasks = 16;
    UNIT_INT(decide(&f, &job).verdict, VERDICT_RUN, "nor as tasks of an array");
    job.tasks = 1;
    job.cpus = 16;
    f.b.head.lambda_exponent = 0;
    UNIT_INT(decide(&f, &job).verdict, VERDICT_DELAY, "a large one by itself");
}

static void test_outage(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    struct board_outage out = {FIXTURE_NOW + 100, FIXTURE_NOW + 3600, -1, 0};
    fixture_init(&f);
    f.b.outages = &out;
    f.b.n_outages = 1;
    struct placement_decision d = decide(&f, &job);
    UNIT_OK(d.start_s + 60 <= out.start_s, "over before it");
    out.start_s = FIXTURE_NOW + 60;
    d = decide(&f, &job);
    UNIT_INT(d.verdict * 100 + d.code, CODE_MAINT_AHEAD, "fits before it only at once");
    out.start_s = FIXTURE_NOW + 30;
    UNIT_INT(decide(&f, &job).verdict, VERDICT_DELAY, "Slurm keeps it until after anyway");
    out.start_s = FIXTURE_NOW + 60;
    out.partition = 1;
    UNIT_INT(decide(&f, &job).verdict, VERDICT_DELAY, "of another partition");
}

/* What is planned later is not planned now; what is shared is spent once. */
static void test_allowance(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    struct board_run run = {.uid = 1000, .name = "lm-7b", .waited_s = 100};
    fixture_init(&f);
    job.flags = PLACEMENT_DEPENDENT;
    struct placement_decision d = decide(&f, &job);
    UNIT_INT(d.verdict * 100 + d.code, CODE_DEP_END, "its parents come first");
    UNIT_INT(d.wait_s, 300, "and then it may wait");
    job.flags = 0;
    f.b.runs = &run;
    f.b.n_runs = 1;
    snprintf(job.request.run, sizeof(job.request.run), "lm-7b");
    UNIT_INT(decide(&f, &job).latest_s - FIXTURE_NOW, 200, "its run has waited already");
    run.waiting_since_s = FIXTURE_NOW - 150;
    d = decide(&f, &job);
    UNIT_INT(d.wait_s, 50, "and waits still");
    UNIT_INT(d.latest_s - FIXTURE_NOW, 50, "as long as that");
    snprintf(job.request.run, sizeof(job.request.run), "other");
    UNIT_INT(decide(&f, &job).latest_s - FIXTURE_NOW, 300, "another run");
    job.spent_s = 250;
    UNIT_INT(decide(&f, &job).wait_s, 50, "parents have spent the most of it");
    job.spent_s = 1000;
    UNIT_INT(decide(&f, &job).wait_s, 0, "all of it");
}

/* The exempt list names jobs in four ways; they do not wait, whatever was asked. */
static void test_exempt(void)
{
    static const struct {
        struct board_switch s;
        const char *partition, *account, *qos;
        int exempt;
    } rows[] = {
        {{.scope = BOARD_USER, .uid = 1000}, NULL, NULL, NULL, 1},
        {{.scope = BOARD_USER, .uid = 1001}, NULL, NULL, NULL, 0},
        {{.scope = BOARD_ACCOUNT, .name = "bio"}, NULL, NULL, NULL, 1}, /* ada's default */
        {{.scope = BOARD_ACCOUNT, .name = "bio"}, NULL, "chem", NULL, 0},
        {{.scope = BOARD_PARTITION, .name = "batch"}, NULL, NULL, NULL, 1}, /* the default */
        {{.scope = BOARD_PARTITION, .name = "debug"}, "batch,debug", NULL, NULL, 1},
        {{.scope = BOARD_PARTITION, .name = "debug"}, "batch", NULL, NULL, 0},
        {{.scope = BOARD_QOS, .name = "urgent"}, NULL, NULL, "urgent", 1},
        {{.scope = BOARD_QOS, .name = "urgent"}, NULL, NULL, NULL, 0},
    };
    struct fixture f;
    char text[640];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct placement_job job = fixture_job();
        fixture_init(&f);
        f.switches[0] = rows[i].s;
        f.switches[0].mode = BOARD_EXEMPT;
        f.b.n_switches = 1;
        job.partition = rows[i].partition;
        job.account = rows[i].account;
        job.qos = rows[i].qos;
        struct placement_decision d = decide(&f, &job);
        UNIT_INT(d.verdict, rows[i].exempt ? VERDICT_RUN : VERDICT_DELAY, "row %zu", i);
        UNIT_INT(d.code, rows[i].exempt ? CODE_EXEMPT : CODE_GREENER_LATER, "row %zu", i);
        UNIT_INT(d.mode, 1, "row %zu: it is no switch", i);
        placement_sentence(text, sizeof(text), &f.b, &job, &d, FIXTURE_NOW);
        UNIT_OK((text[0] == '\0') == rows[i].exempt, "row %zu: nothing is said: %s", i, text);
    }
    struct placement_job job = fixture_job();
    add_budget(&f, 0, 36 * 1000000LL);
    f.switches[0] = (struct board_switch){.scope = BOARD_USER, .mode = BOARD_EXEMPT, .uid = 1000};
    UNIT_INT(decide(&f, &job).verdict, VERDICT_REFUSE, "budgets hold all the same");
}

/* A job that names no partition is the default one's, and a list is as careful as can be. */
static void test_switches(void)
{
    struct fixture f;
    struct placement_job job = fixture_job();
    fixture_init(&f);
    f.b.head.mode = 0;
    f.switches[0] = (struct board_switch){.scope = BOARD_PARTITION, .mode = 1, .name = "batch"};
    f.b.n_switches = 1;
    UNIT_INT(decide(&f, &job).mode, 1, "switched on for the default partition");
    job.partition = "debug";
    UNIT_INT(decide(&f, &job).mode, 0, "not for another");
    job.partition = "debug,batch";
    UNIT_INT(decide(&f, &job).mode, 0, "nor for both");
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"dip", test_dip},
                                             {"no_wait", test_no_wait},
                                             {"bounds", test_bounds},
                                             {"beyond", test_beyond},
                                             {"lambda", test_lambda},
                                             {"slots", test_slots},
                                             {"price", test_price},
                                             {"budget", test_budget},
                                             {"lease", test_lease},
                                             {"search", test_search},
                                             {"oracle", test_oracle},
                                             {"note", test_note},
                                             {"unpausable", test_unpausable},
                                             {"waves", test_waves},
                                             {"stagger", test_stagger},
                                             {"size", test_size},
                                             {"outage", test_outage},
                                             {"allowance", test_allowance},
                                             {"sentence", test_sentence},
                                             {"exempt", test_exempt},
                                             {"switches", test_switches},
                                             {"leader", test_leader},
                                             {"native", test_native},
                                             {NULL, NULL}};
    return unit_main(argc, argv, cases, "decide");
}
