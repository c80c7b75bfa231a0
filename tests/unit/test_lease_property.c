/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leases under random interleavings: the code that the plugin runs (admit), the real encoding of
 * boards, and small models of slurmctld and carnotctld around them. Users submit, are refused
 * afterwards, test, pretend to test; lists are read, applied and published late, boards are lost or
 * read in the wrong order; slurmctld is reconfigured or killed, carnotctld is killed.
 *
 * After each step: no budget is oversold by what was decided, no lease outlives its life and the
 * list after it, nothing is decided on a budget before its leases are known again. And in every
 * lull: no lease is left, what fits is accepted, what does not is refused.
 *
 * $CARNOT_LEASE_SEED runs one seed and says what happens, $CARNOT_LEASE_RUNS changes how many run.
 */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "board_fixture.h"
#include "placement/admit.h"
#include "unit.h"

#define RUNS 1500
#define STEPS 150
#define JOBS_MAX 600
#define USERS 4
#define FLIGHT_MS 3000 /* between the plugin's answer and Slurm's */
#define SETTLE_MS 10000

enum { BIO, GEO, NONE, ACCOUNTS };
static const char *const accounts[ACCOUNTS] = {"bio", "geo", "none"};

enum place { FLYING, PENDING, RUNNING, ENDED, LOST };

/* A submission that was not refused, and what carnotctld's ledger says of it. */
struct request_model {
    enum place place;
    int fate;    /* Slurm accepts it when it lands */
    int is_test; /* and only tests: it vanishes then */
    int past;    /* nobody has decided on it: the board was too old, or it pretended to be a test */
    int saved;   /* slurmctld has written it down */
    char note[640];
    uint32_t uid, tasks;
    int account;
    uint64_t price[2]; /* as decided, all tasks; uJ and ug */
    int64_t submit_ms, begin_ms, end_ms;
    int row, live, settled; /* the ledger */
    uint64_t reserved[2], used[2], over[2];
};

struct listed {
    size_t n;
    int64_t listed_ms;
    enum place place[JOBS_MAX]; /* LOST: not in the list */
};

struct grant {
    int scope, resource, account;
    uint32_t uid;
    uint64_t granted;
};

static struct world {
    uint64_t random;
    int64_t now_ms;
    struct request_model jobs[JOBS_MAX];
    size_t n;
    struct admit admit;
    struct fixture fixture;
    struct grant grants[4];
    /* carnotctld */
    int up, has_list, has_snap;
    struct listed list, snap; /* read, and applied */
    uint64_t seq;
    /* the board's file, and what the plugin read of it */
    void *file;
    size_t file_size;
    struct board boards[2]; /* in force, and the one before */
    int accepted, refused, passed;
} w;

static int verbose;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    va_list ap;
    if (!verbose)
        return;
    printf("# %8.3f ", (double)(w.now_ms - FIXTURE_NOW * 1000LL) / 1e3);
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    putchar('\n');
}

/* splitmix64 */
static uint64_t draw(void)
{
    uint64_t z = w.random += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static unsigned below(unsigned n)
{
    return (unsigned)(draw() % n);
}

static int chance(unsigned percent)
{
    return below(100) < percent;
}

/* ---- what is granted ---- */

static int concerns(const struct grant *g, const struct request_model *j)
{
    return g->scope == BOARD_USER ? g->uid == j->uid : g->account == j->account;
}

/* Charged and reserved of one row; over: what it used beyond its price is nobody's decision. */
static uint64_t holds(const struct request_model *j, int resource)
{
    uint64_t used = j->used[resource] - j->over[resource];
    return used > j->reserved[resource] ? used : j->reserved[resource];
}

/* What the ledger says is left. */
static int64_t left(const struct grant *g)
{
    int64_t sum = (int64_t)g->granted;
    for (size_t i = 0; i < w.n; i++)
        if (w.jobs[i].row && concerns(g, &w.jobs[i]))
            sum -= (int64_t)(holds(&w.jobs[i], g->resource) + w.jobs[i].over[g->resource]);
    return sum;
}

/* What was decided and holds, or can still come to hold, a part of the grant. */
static uint64_t committed(const struct grant *g)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < w.n; i++) {
        const struct request_model *j = &w.jobs[i];
        if (j->past || !concerns(g, j))
            continue;
        if (j->row)
            sum += holds(j, g->resource);
        else if (j->place != LOST)
            sum += j->price[g->resource];
    }
    return sum;
}

/* ---- carnotctld ---- */

static void read_list(void)
{
    if (!w.up)
        return;
    w.list.n = w.n;
    w.list.listed_ms = w.now_ms;
    for (size_t i = 0; i < w.n; i++)
        w.list.place[i] = w.jobs[i].place == FLYING ? LOST : w.jobs[i].place;
    w.has_list = 1;
    say("list of %zu", w.n);
}

static void new_row(struct request_model *j)
{
    struct placement_note note;
    j->row = j->live = 1;
    if (placement_note_parse(j->note, &note)) {
        j->reserved[0] = (uint64_t)(note.energy_uj * j->tasks + 0.5);
        j->reserved[1] = (uint64_t)(note.carbon_ug * j->tasks + 0.5);
        return;
    }
    /* enforcer_admit */
    int covered = 1;
    for (int i = 0; i < 4; i++)
        if (concerns(&w.grants[i], j) &&
            left(&w.grants[i]) < (int64_t)j->price[w.grants[i].resource])
            covered = 0;
    for (int r = 0; covered && r < 2; r++)
        j->reserved[r] = j->price[r];
    if (!covered && j->place == PENDING)
        j->begin_ms = INT64_MAX;
}

/* tracker_apply */
static void apply_list(void)
{
    if (!w.has_list)
        return;
    for (size_t i = 0; i < w.n; i++) {
        struct request_model *j = &w.jobs[i];
        enum place place = i < w.list.n ? w.list.place[i] : LOST;
        if (place != LOST && !j->row)
            new_row(j);
        if (j->live && (place == ENDED || (place == LOST && j->submit_ms < w.list.listed_ms))) {
            j->live = 0;
            j->end_ms = w.now_ms;
        }
    }
    w.snap = w.list;
    w.has_snap = 1;
    w.has_list = 0;
    say("applied");
}

static void settle(void)
{
    for (size_t i = 0; w.up && i < w.n; i++) {
        struct request_model *j = &w.jobs[i];
        if (j->row && !j->live && !j->settled && w.now_ms >= j->end_ms + SETTLE_MS) {
            j->settled = 1;
            j->reserved[0] = j->reserved[1] = 0;
        }
    }
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void publish(void)
{
    struct board b = w.fixture.b;
    struct board_budget budgets[4];
    uint64_t ids[JOBS_MAX];
    struct err e = {.text = ""};
    if (!w.up || !w.has_snap)
        return;
    for (int i = 0; i < 4; i++) {
        const struct grant *g = &w.grants[i];
        budgets[i] = (struct board_budget){.scope = g->scope,
                                           .resource = g->resource,
                                           .uid = g->uid,
                                           .granted = (int64_t)g->granted,
                                           .left = left(g)};
        if (g->scope == BOARD_ACCOUNT)
            snprintf(budgets[i].name, sizeof(budgets[i].name), "%s", accounts[g->account]);
    }
    b.budgets = budgets;
    b.n_budgets = 4;
    b.decisions = ids;
    for (size_t i = 0; i < w.snap.n; i++) {
        struct placement_note note;
        if (w.snap.place[i] != LOST && placement_note_parse(w.jobs[i].note, &note))
            ids[b.n_decisions++] = note.id;
    }
    qsort(ids, b.n_decisions, sizeof(ids[0]), by_value);
    b.head.published_ms = w.now_ms;
    b.head.listed_ms = w.snap.listed_ms;
    b.head.seq = ++w.seq;
    free(w.file);
    UNIT_INT(board_encode(&b, &w.file, &w.file_size, &e), 0, "%s", e.text);
    say("board %" PRIu64 ", left %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, w.seq,
        budgets[0].left, budgets[1].left, budgets[2].left, budgets[3].left);
}

static void kill_carnotctld(void)
{
    w.up = !w.up;
    w.has_list = w.has_snap = 0;
    say("carnotctld %s", w.up ? "starts" : "is killed");
}

/* ---- slurmctld and the plugin in it ---- */

static void load_board(void)
{
    struct board b;
    struct err e = {.text = ""};
    if (!w.file)
        return;
    UNIT_INT(board_decode(&b, w.file, w.file_size, &e), 0, "%s", e.text);
    if (b.head.seq == w.boards[0].head.seq) {
        board_free(&b);
        return;
    }
    board_free(&w.boards[1]);
    w.boards[1] = w.boards[0];
    w.boards[0] = b;
    say("plugin reads board %" PRIu64, b.head.seq);
}

static void forget_boards(void)
{
    board_free(&w.boards[0]);
    board_free(&w.boards[1]);
    load_board();
}

static void land(struct request_model *j)
{
    j->place = j->fate && !j->is_test ? PENDING : LOST;
    say("request %td lands: %s", j - w.jobs, j->place == PENDING ? "a job" : "no job");
}

static void land_all(int64_t before_ms)
{
    for (size_t i = 0; i < w.n; i++)
        if (w.jobs[i].place == FLYING && w.jobs[i].submit_ms <= before_ms)
            land(&w.jobs[i]);
}

static void start_plugin(void)
{
    admit_init(&w.admit, w.now_ms);
    forget_boards();
}

/* Slurm holds its locks while it reads its configuration anew: no request is half-way. */
static void reconfigure(void)
{
    land_all(w.now_ms);
    say("reconfigured");
    start_plugin();
}

static void kill_slurmctld(void)
{
    for (size_t i = 0; i < w.n; i++)
        if (w.jobs[i].place == FLYING || !w.jobs[i].saved)
            w.jobs[i].place = LOST;
    say("slurmctld is killed");
    w.now_ms += 1000;
    start_plugin();
}

static void save(void)
{
    for (size_t i = 0; i < w.n; i++)
        w.jobs[i].saved = w.jobs[i].place != FLYING;
}

/* What the plugin checked a moment ago must hold now: no lease past its life and a list after it.
 */
static void check_leases(const struct board *b)
{
    for (uint32_t i = 0; i < w.admit.leases.n; i++) {
        const struct lease *l = &w.admit.leases.leases[i];
        UNIT_OK(w.now_ms < l->expires_ms || b->head.listed_ms < l->expires_ms,
                "a lease is kept for ever");
    }
}

struct wish {
    uint32_t uid;
    int account, fate, is_test, claims_test;
    const char *partition;
    unsigned cpus, minutes, tasks;
    int delay, reordered;
};

/* A wish that would be decided with this board: accepted? */
static struct request_model *submit(const struct wish *q, enum placement_code *code)
{
    struct placement_job job = {.uid = q->uid,
                                .account = accounts[q->account],
                                .partition = q->partition,
                                .cpus = q->cpus,
                                .limit_s = q->minutes * 60,
                                .tasks = q->tasks};
    struct request_model *j = &w.jobs[w.n];
    const struct board *b = &w.boards[q->reordered && w.boards[1].buffer];
    struct admit_outcome o = {.id = 0};
    struct placement_price price;
    *code = CODE_NONE;
    if (w.n == JOBS_MAX)
        return NULL;
    request_init(&job.request);
    if (q->delay) {
        job.request.delay = DELAY_FOR;
        job.request.delay_s = 300;
    }
    memset(j, 0, sizeof(*j));
    *j = (struct request_model){.place = FLYING,
                                .fate = q->fate,
                                .is_test = q->is_test,
                                .uid = q->uid,
                                .account = q->account,
                                .tasks = q->tasks,
                                .submit_ms = w.now_ms};
    int present = b->buffer && w.now_ms - b->head.published_ms <= b->head.max_age_ms;
    if (present) {
        admit_job(&w.admit, b, &job, draw() | 1, q->claims_test, w.now_ms, &o);
        check_leases(b);
        *code = o.d.code;
        if (o.d.verdict == VERDICT_REFUSE) {
            w.refused++;
            return NULL;
        }
        UNIT_OK(!o.binding || o.d.verdict == VERDICT_DELAY ||
                    b->head.listed_ms >= w.admit.started_ms || o.not_before_s,
                "decided on a budget before its leases were known again");
    }
    placement_price(&w.fixture.b, &job, &price);
    j->past = !present || o.not_before_s > 0;
    j->begin_ms = o.not_before_s ? o.not_before_s * 1000 : w.now_ms;
    j->price[0] = (uint64_t)price.energy_all_uj;
    j->price[1] = present ? (uint64_t)(placement_task_carbon_ug(&job, &o.d) * job.tasks) : 0;
    if (!j->past && (o.binding || request_any(&job.request)))
        placement_comment(j->note, sizeof(j->note), o.id, &job, &o.d);
    w.accepted += !j->past;
    w.passed += !present;
    w.n++;
    return j;
}

static void submit_any(void)
{
    enum placement_code code;
    unsigned kind = below(100);
    struct wish q = {.uid = 1000 + below(USERS),
                     .account = (int)below(ACCOUNTS),
                     .fate = kind < 70,
                     .is_test = kind >= 85,
                     .claims_test = kind >= 80, /* of the last, 80 to 84 only pretend */
                     .partition = kind < 75   ? ""
                                  : kind < 78 ? "nope"
                                              : "batch",
                     .cpus = 1 + below(4),
                     .minutes = 1 + below(20),
                     .tasks = chance(20) ? 2 + below(9) : 1,
                     .delay = chance(30),
                     .reordered = chance(10)};
    q.fate |= kind >= 80 && kind < 85;
    if (kind < 3)
        q.partition = "new"; /* Slurm has it, the board does not yet */
    struct request_model *j = submit(&q, &code);
    say("uid %u, account %s, board %d: %s %s%s", q.uid, accounts[q.account], q.reordered,
        j ? "accepted" : "refused", placement_code_name(code), j && j->past ? ", undecided" : "");
}

static void flood(void)
{
    enum placement_code code;
    struct wish q = {.uid = 1000 + below(USERS),
                     .account = (int)below(2),
                     .partition = "",
                     .cpus = 4,
                     .minutes = 10,
                     .tasks = 1};
    int n = 0;
    for (int i = 0; i < 20; i++)
        n += submit(&q, &code) != NULL;
    say("uid %u floods account %s: %d of 20", q.uid, accounts[q.account], n);
}

/* Jobs start, consume no more than their price but for a few, and end. */
static void run_jobs(void)
{
    for (size_t i = 0; i < w.n; i++) {
        struct request_model *j = &w.jobs[i];
        if (j->place == PENDING && w.now_ms >= j->begin_ms && chance(10))
            j->place = RUNNING;
        else if (j->place == RUNNING && chance(10))
            j->place = ENDED;
        if (j->place == RUNNING && j->row && w.up && !j->settled)
            for (int r = 0; r < 2; r++) {
                j->used[r] += j->price[r] / (2 + below(8));
                if (j->used[r] > j->price[r])
                    j->over[r] = j->used[r] - j->price[r];
            }
    }
}

/* ---- one run ---- */

static void start_world(uint64_t seed)
{
    free(w.file);
    board_free(&w.boards[0]);
    board_free(&w.boards[1]);
    memset(&w, 0, sizeof(w));
    w.random = seed;
    w.now_ms = FIXTURE_NOW * 1000LL;
    fixture_init(&w.fixture);
    w.fixture.b.head.cpu_max_w = 3.3333;
    w.fixture.users[0].default_account[0] = '\0';
    w.grants[0] = (struct grant){BOARD_ACCOUNT, 0, BIO, 0, 1000000ULL * (20000 + below(200000))};
    w.grants[1] = (struct grant){BOARD_ACCOUNT, 1, BIO, 0, 1000000ULL * (2 + below(20))};
    w.grants[2] = (struct grant){BOARD_ACCOUNT, 0, GEO, 0, 1000000ULL * (5000 + below(50000))};
    w.grants[3] = (struct grant){BOARD_USER, 0, NONE, 1002, 1000000ULL * (5000 + below(50000))};
    w.up = 1;
    admit_init(&w.admit, w.now_ms);
    read_list();
    apply_list();
    publish();
    load_board();
}

/* Who holds what of a budget: for the reader of a failed seed. */
static void explain(const struct grant *g)
{
    for (size_t i = 0; verbose && i < w.n; i++) {
        const struct request_model *j = &w.jobs[i];
        int r = g->resource;
        if (concerns(g, j) && (j->row || j->place != LOST))
            say("request %zu: place %d, price %" PRIu64 ", row %d, reserved %" PRIu64
                ", used %" PRIu64 ", over %" PRIu64 "%s",
                i, (int)j->place, j->price[r], j->row, j->reserved[r], j->used[r], j->over[r],
                j->past ? ", undecided" : "");
    }
}

static int check_budgets(void)
{
    int ok = 1;
    for (int i = 0; i < 4; i++) {
        const struct grant *g = &w.grants[i];
        uint64_t sum = committed(g);
        if (sum > g->granted)
            explain(g);
        ok &= UNIT_OK(sum <= g->granted, "budget %d is oversold: %" PRIu64 " of %" PRIu64, i, sum,
                      g->granted);
    }
    return ok;
}

/* A lull: everything is listed and published, no lease is left, and the budgets are exact. */
static void lull(void)
{
    enum placement_code code;
    say("lull");
    w.up = 1;
    w.now_ms += FLIGHT_MS;
    land_all(w.now_ms);
    w.now_ms += LEASE_LIFE_MS + LEASE_DOUBT_MS;
    for (int i = 0; i < 2; i++) { /* doubts begin when leases are swept */
        read_list();
        apply_list();
        w.now_ms += SETTLE_MS;
        settle();
        publish();
        load_board();
        struct wish nothing = {.uid = 1003, .account = NONE, .cpus = 1, .minutes = 1, .tasks = 1};
        if (submit(&nothing, &code))
            land(&w.jobs[w.n - 1]);
        UNIT_INT(w.admit.leases.n, 0, "leases in a lull");
        w.now_ms += LEASE_DOUBT_MS;
    }
    read_list();
    apply_list();
    publish();
    load_board();
    for (int a = 0; a < 2; a++) {
        struct wish q = {.uid = 1000, .account = a, .fate = 1, .cpus = 1, .minutes = 1, .tasks = 1};
        double need_uj = 3.3333e6 * 60, need_ug = need_uj / 3.6e12 * 400e6;
        int fits = need_uj <= (double)left(&w.grants[a == BIO ? 0 : 2]) &&
                   (a != BIO || need_ug <= (double)left(&w.grants[1]));
        UNIT_INT(submit(&q, &code) != NULL, fits, "account %s: what fits is accepted, no more (%s)",
                 accounts[a], placement_code_name(code));
    }
}

static void step(void)
{
    static void (*const events[])(void) = {read_list, apply_list, publish, load_board,
                                           run_jobs,  settle,     save};
    unsigned kind = below(100);
    if (kind < 40)
        submit_any();
    else if (kind < 45 && w.n)
        land_all(w.now_ms - below(FLIGHT_MS));
    else if (kind < 92)
        events[below(sizeof(events) / sizeof(events[0]))]();
    else if (kind < 94)
        flood();
    else if (kind == 94)
        w.now_ms += 1000 * (5 + below(60));
    else if (kind == 95)
        kill_carnotctld();
    else if (kind == 96)
        reconfigure();
    else if (kind == 97)
        kill_slurmctld();
    else if (kind == 98 && chance(20))
        lull();
    w.now_ms += below(500);
    land_all(w.now_ms - FLIGHT_MS);
}

static int run(uint64_t seed)
{
    int ok = 1;
    start_world(seed);
    for (int i = 0; ok && i < STEPS; i++) {
        step();
        ok = check_budgets();
    }
    lull();
    ok = check_budgets() && ok && CU_get_number_of_failure_records() == 0;
    if (!ok)
        printf("# run again with CARNOT_LEASE_SEED=%" PRIu64 "\n", seed);
    return ok;
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static void test_interleavings(void)
{
    uint64_t seed = from_environment("CARNOT_LEASE_SEED", 0);
    uint64_t runs = from_environment("CARNOT_LEASE_RUNS", RUNS);
    int accepted = 0, refused = 0, passed = 0;
    if (seed) {
        verbose = 1;
        run(seed);
        return;
    }
    for (seed = 1; seed <= runs && run(seed); seed++) {
        accepted += w.accepted;
        refused += w.refused;
        passed += w.passed;
    }
    printf("# %" PRIu64 " runs: %d decided, %d refused, %d passed without a board\n", seed - 1,
           accepted, refused, passed);
    UNIT_OK((uint64_t)accepted > 10 * runs && (uint64_t)refused > runs,
            "and the runs say something");
}

/* ---- by hand ---- */

/* A board as soon as may be. */
static void look_around(void)
{
    read_list();
    apply_list();
    settle();
    publish();
    load_board();
}

/* A board that is young enough, but knows nothing of what came since: carnotctld is away. Then it
 * is there again and slow. */
static void test_no_list(void)
{
    enum placement_code code;
    struct wish q = {.uid = 1000, .account = GEO, .fate = 1, .cpus = 1, .minutes = 10, .tasks = 1};
    int accepted = 0;
    start_world(1);
    w.grants[2].granted = 10 * 1999980000ULL;
    look_around();
    kill_carnotctld();
    for (int i = 0; i < 59; i++, w.now_ms += 1000) {
        accepted += submit(&q, &code) != NULL;
        land_all(w.now_ms);
    }
    UNIT_INT(accepted, 10, "no more than fit, in 59 s without a list");
    kill_carnotctld();
    look_around();
    UNIT_OK(submit(&q, &code) == NULL && code == CODE_BUDGET_LEFT, "nor when they are listed");
    check_budgets();
}

/* Requests of one user that never become jobs, for ten minutes; another user of the account gets
 * his jobs, once the first leases have run out. */
static void test_flood(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        enum placement_code code;
        int asked = 0, accepted = 0;
        struct wish bad = {.uid = 1000, .account = GEO, .partition = "", .tasks = 1};
        struct wish good = {
            .uid = 1001, .account = GEO, .fate = 1, .cpus = 1, .minutes = 1, .tasks = 1};
        start_world(seed);
        w.grants[2].granted = 20 * 199998000ULL;
        int64_t start_ms = w.now_ms, next_ms = start_ms;
        look_around();
        while (w.now_ms < start_ms + 600000 && w.n < JOBS_MAX - 2) {
            bad.cpus = 1 + below(4);
            bad.minutes = 1 + below(4);
            submit(&bad, &code);
            land_all(w.now_ms);
            if (w.now_ms >= next_ms) {
                look_around();
                next_ms = w.now_ms + 1000 + below(2000);
                if (w.now_ms >= start_ms + LEASE_LIFE_MS + 5000 && asked < 9 && ++asked)
                    accepted += submit(&good, &code) != NULL;
            }
            w.now_ms += 200 + below(2000);
        }
        UNIT_INT(accepted, 9, "jobs of another user, of %d, with seed %" PRIu64, asked, seed);
        check_budgets();
    }
}

static enum placement_code ask(uint32_t uid, int account, int delay_s)
{
    struct placement_job job = {
        .uid = uid, .account = accounts[account], .cpus = 1, .limit_s = 60, .tasks = 1};
    struct admit_outcome o;
    request_init(&job.request);
    job.request.delay = delay_s ? DELAY_FOR : DELAY_UNSET;
    job.request.delay_s = delay_s;
    admit_job(&w.admit, &w.boards[0], &job, draw() | 1, 0, w.now_ms, &o);
    return o.d.verdict == VERDICT_REFUSE ? o.d.code : CODE_NONE;
}

/* More submissions wait for carnotctld than the table holds. */
static void test_full(void)
{
    int accepted = 0;
    start_world(1);
    w.grants[0].granted = w.grants[1].granted = UINT64_MAX / 4;
    w.grants[2].granted = 10 * 199998000ULL;
    w.fixture.parts[0].nodes = 100000; /* room in the dip for all */
    look_around();
    for (int i = 0; i < LEASE_MAX + 10; i++)
        ask(1000, NONE, 300);
    UNIT_INT(w.admit.leases.n, LEASE_MAX / 2, "one user holds half of the table");
    for (int i = 0; i < 20; i++)
        accepted += ask(1001, GEO, 0) == CODE_NONE;
    UNIT_INT(accepted, 10, "another gets what his budget has, and no more");
    UNIT_INT(ask(1000, BIO, 0), CODE_NO_BOARD, "nothing is promised that no lease holds");
    for (uint32_t uid = 2000; uid < 2020; uid++)
        UNIT_INT(ask(uid, BIO, 0), CODE_NONE, "a first job of uid %u", uid);
}

/* Prices that are no whole numbers of microjoules or micrograms: what is reserved in the end is
 * what was promised. */
static void test_rounding(void)
{
    static const double watts[] = {3.3333, 1.0 / 3, 2.5e-8, 2.00000001, 1.0000731707, 123.456789};
    for (size_t i = 0; i < sizeof(watts) / sizeof(watts[0]); i++) {
        enum placement_code code;
        struct wish q = {.uid = 1000, .fate = 1, .cpus = 1, .minutes = 1, .tasks = 3};
        double uj = 3 * watts[i] * 60e6, ug = uj * 1.23 / 3.6e12 * 400e6;
        int accepted = 0;
        start_world(1);
        w.fixture.b.head.cpu_max_w = watts[i];
        w.fixture.b.head.pue = 1.23;
        w.grants[0].granted = UINT64_MAX / 4;
        w.grants[1].granted = (uint64_t)(10 * ceil(ug));
        w.grants[2].granted = (uint64_t)(10 * ceil(uj));
        look_around();
        for (int n = 0; n < 24; n++) {
            q.account = n % 2 ? GEO : BIO;
            accepted += submit(&q, &code) != NULL;
        }
        land_all(w.now_ms);
        look_around();
        check_budgets();
        UNIT_OK(accepted >= 10 && accepted <= 20, "%g W: %d accepted", watts[i], accepted);
        for (int g = 0; g < 3; g++)
            UNIT_OK(left(&w.grants[g]) >= 0, "%g W: budget %d has %" PRId64 " left", watts[i], g,
                    left(&w.grants[g]));
    }
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"interleavings", test_interleavings},
                                             {"no_list", test_no_list},
                                             {"flood", test_flood},
                                             {"full", test_full},
                                             {"rounding", test_rounding},
                                             {NULL, NULL}};
    return unit_main(argc, argv, cases, "lease_property");
}
