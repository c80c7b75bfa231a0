/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits from a ledger: what is ordered of slurmdbd for a tree of accounts, as usage and use go on.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/accounts.h"
#include "carnotctld/limits.h"
#include "carnotctld/native.h"
#include "carnotctld/slurm_client.h"
#include "unit.h"

#define NOW 1700000000LL
#define WMIN 60000000ULL /* uJ of a watt-minute */

/* ---- the slurmdbd of the test: the last order of each account ---- */

static struct {
    char account[LEDGER_NAME_MAX];
    int64_t limit;
} orders[8];
static int n_orders;

int limits_order(const char *cluster, const char *account, int64_t limit_wmin)
{
    UNIT_STR(cluster, "sandbox", "cluster");
    snprintf(orders[n_orders % 8].account, sizeof(orders[0].account), "%s", account);
    orders[n_orders++ % 8].limit = limit_wmin;
    return 0;
}

int limits_ok(char *error, size_t size)
{
    snprintf(error, size, "%s", "");
    return 1;
}

static int n_pokes;

void slurm_client_poke_accounting(void)
{
    n_pokes++;
}

static int64_t now_ms = NOW * 1000;

static int64_t fake_ms(void *arg)
{
    (void)arg;
    return now_ms;
}

static const struct clock_ops fake_clock = {.wall_ms = fake_ms, .mono_ms = fake_ms};

/* ---- root > lab > team1, team2 ---- */

static struct ctl ctl;
static struct snapshot snap;
static struct accounting_usage usage[2];

static struct accounting *tree(void)
{
    static const char *const pairs[][2] = {{"lab", "root"}, {"team1", "lab"}, {"team2", "lab"}};
    struct accounting *a = calloc(1, sizeof(*a));
    a->kept = 1;
    a->watts_total = 1000;
    snprintf(a->cluster, sizeof(a->cluster), "sandbox");
    a->users = calloc(2, sizeof(*a->users));
    a->accounts = calloc(3, sizeof(*a->accounts));
    a->qos = calloc(1, sizeof(*a->qos));
    a->users[a->n_users++] =
        (struct accounting_user){.uid = 5, .name = "games", .default_account = "team1"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(a->accounts[i].child, LEDGER_NAME_MAX, "%s", pairs[i][0]);
        snprintf(a->accounts[i].parent, LEDGER_NAME_MAX, "%s", pairs[i][1]);
    }
    a->n_accounts = 3;
    return a;
}

static void setup(int native)
{
    struct err e = {.text = ""};
    memset(&ctl, 0, sizeof(ctl));
    memset(&snap, 0, sizeof(snap));
    n_orders = n_pokes = 0;
    now_ms = NOW * 1000;
    settings_init(&ctl.set);
    ctl.set.budget.native = native;
    ctl.clock = &fake_clock;
    ctl.board.head.mode = 1;
    ctl.ledger = ledger_open(":memory:", &e);
    UNIT_OK(ctl.ledger != NULL, "%s", e.text);
    snap.accounting = tree();
    accounts_take(&ctl, &snap);
    usage[0] = (struct accounting_usage){.account = "lab", .limit_wmin = -1};
    snap.usage = usage;
    snap.n_usage = 1;
    ctl.snap = &snap;
}

static void teardown(void)
{
    native_fini(&ctl);
    accounts_fini(&ctl);
    ledger_close(ctl.ledger);
}

static void grant(const char *account, uint64_t wmin)
{
    struct err e = {.text = ""};
    UNIT_INT(budget_set(ctl.ledger, SCOPE_ACCOUNT, account, RESOURCE_ENERGY, PERIOD_ONCE,
                        wmin * WMIN, NOW - 10, &e),
             0, "%s", e.text);
}

/* A run of 40 W for ten minutes, reserved for in full. */
static struct ledger_job job(uint32_t id, const char *account)
{
    struct ledger_job j = {.key = {id, 0, NOW}, .array_task = -1, .tasks = 1, .live = 1};
    snprintf(j.user, sizeof(j.user), "games");
    snprintf(j.account, sizeof(j.account), "%s", account);
    snprintf(j.state, sizeof(j.state), "PENDING");
    j.watts = 40;
    j.limit_s = 600;
    j.reserved_uj = j.estimate_uj = 400 * WMIN;
    return j;
}

static void put(const struct ledger_job *j)
{
    struct err e = {.text = ""};
    UNIT_INT(ledger_job_put(ctl.ledger, j, &e), 0, "%s", e.text);
}

static double reserved_wmin(void)
{
    struct budget *all = NULL;
    size_t n = 0;
    struct err e = {.text = ""};
    UNIT_INT(budget_list(ctl.ledger, NOW, &all, &n, &e), 0, "%s", e.text);
    double sum = n ? (double)all[0].reserved / (double)WMIN : -1;
    free(all);
    return sum;
}

static void test_off(void)
{
    setup(0);
    grant("lab", 1000);
    native_run(&ctl);
    UNIT_INT(n_orders, 0, "no order");
    UNIT_INT(native_on(&ctl), 0, "off");
    UNIT_OK(ledger_tree_parent(ctl.ledger, "team1") == NULL, "no tree");
    teardown();
    setup(1);
    snprintf(ctl.accounting->unsuited, sizeof(ctl.accounting->unsuited), "no licence");
    grant("lab", 1000);
    native_run(&ctl);
    UNIT_INT(n_orders, 0, "no order where Slurm is not set up");
    teardown();
}

static void test_children(void)
{
    setup(1);
    grant("lab", 1000);
    native_run(&ctl);
    UNIT_INT(n_orders, 1, "one order");
    UNIT_STR(orders[0].account, "lab", "for lab");
    UNIT_INT(orders[0].limit, 996, "what is granted, but for the margin");
    struct ledger_job j = job(1, "team1");
    put(&j);
    UNIT_DBL(reserved_wmin(), 0, 0, "Slurm holds back what waits");
    snprintf(j.state, sizeof(j.state), "RUNNING");
    j.start_s = NOW;
    put(&j);
    UNIT_DBL(reserved_wmin(), 400, 0, "a child's job is reserved for from its start");
    usage[0].limit_wmin = 996;
    usage[0].running_ws = 400 * 60;
    native_run(&ctl);
    UNIT_INT(n_orders, 1, "a start changes nothing: Slurm counts it too");
    /* after two of ten minutes; Slurm keeps 80 */
    UNIT_INT(ledger_job_end(ctl.ledger, j.key, "COMPLETED", NOW + 120, NULL), 0, "end");
    UNIT_DBL(reserved_wmin(), 80, 0, "after the end, the part of the limit that it ran");
    usage[0].running_ws = 0;
    usage[0].used_ws = 80 * 60;
    native_run(&ctl);
    UNIT_INT(n_orders, 1, "nor does an end");
    /* it used 10 */
    struct ledger_share share = {
        .key = j.key, .energy_uj = 10 * WMIN, .quality = QUALITY_MODELLED, .coverage = "cpu"};
    struct ledger_record r = {.node = "n1",
                              .seq = 1,
                              .start_s = NOW,
                              .end_s = NOW + 120,
                              .node_uj = 10 * WMIN,
                              .shares = &share,
                              .n_shares = 1};
    struct err e = {.text = ""};
    UNIT_INT(ledger_record_add(ctl.ledger, &r, &e), 1, "%s", e.text);
    UNIT_INT(ledger_job_settle(ctl.ledger, j.key, 0, 0, &e), 1, "%s", e.text);
    native_run(&ctl);
    UNIT_INT(n_orders, 2, "what was measured raises the limit");
    UNIT_INT(orders[1].limit, 80 + 990 - 4, "used and left");
    teardown();
}

static void test_down_at_once_up_in_steps(void)
{
    setup(1);
    grant("lab", 1000);
    native_run(&ctl);
    usage[0].limit_wmin = 996;
    now_ms += 60000;
    grant("lab", 900);
    native_run(&ctl);
    UNIT_INT(n_orders, 2, "down at once");
    UNIT_INT(orders[1].limit, 896, "to what is granted");
    usage[0].limit_wmin = 896;
    now_ms += 15000;
    grant("lab", 905);
    native_run(&ctl);
    UNIT_INT(n_orders, 2, "half a per cent more is not worth a change yet");
    now_ms += 30000;
    native_run(&ctl);
    UNIT_INT(n_orders, 3, "but later it is");
    UNIT_INT(orders[2].limit, 901, "all of it");
    usage[0].limit_wmin = 896;
    native_run(&ctl);
    UNIT_INT(n_orders, 3, "an order under way is not given again");
    now_ms += 11000;
    native_run(&ctl);
    UNIT_INT(n_orders, 3, "nor when it is slow and small");
    teardown();
}

static void test_taken_away(void)
{
    struct accounting_name *names = NULL;
    size_t n;
    struct err e = {.text = ""};
    setup(1);
    grant("lab", 1000);
    UNIT_INT(native_watched(&ctl, &names, &n, &e), 0, "%s", e.text);
    UNIT_INT(n, 1, "lab's usage is asked for");
    free(names);
    native_run(&ctl);
    usage[0].limit_wmin = 996;
    UNIT_INT(budget_remove(ctl.ledger, SCOPE_ACCOUNT, "lab", RESOURCE_ENERGY, &e), 1, "%s", e.text);
    native_run(&ctl);
    UNIT_INT(n_orders, 2, "an order");
    UNIT_INT(orders[1].limit, -1, "to take the limit away");
    native_run(&ctl);
    UNIT_INT(n_orders, 2, "once");
    /* carnotctld starts anew: it knows from its settings */
    native_fini(&ctl);
    ctl.limits_loaded = 0;
    ctl.set.budget.native = 0;
    UNIT_INT(native_watched(&ctl, &names, &n, &e), 0, "%s", e.text);
    UNIT_INT(n, 1, "still asked for, as a limit may be there");
    free(names);
    native_run(&ctl);
    UNIT_INT(n_orders, 3, "and taken away");
    usage[0].limit_wmin = -1;
    native_run(&ctl);
    UNIT_INT(native_watched(&ctl, &names, &n, &e), 0, "%s", e.text);
    UNIT_INT(n, 0, "then forgotten");
    free(names);
    teardown();
}

static void test_board(void)
{
    setup(1);
    grant("lab", 1000);
    native_run(&ctl);
    size_t n = 1;
    struct board_budget *b = calloc(1, sizeof(*b));
    b[0] = (struct board_budget){.scope = BOARD_ACCOUNT, .name = "lab", .granted = 7, .left = 3};
    UNIT_INT(native_budgets(&ctl, &b, &n), 0, "budgets");
    UNIT_INT(n, 3, "one for each team");
    for (size_t i = 0; i < n; i++) {
        UNIT_INT(b[i].native, 1, "Slurm's to hold");
        UNIT_INT(b[i].granted, 7, "as lab's");
    }
    UNIT_STR(b[1].name, "team1", "by its name");
    free(b);
    teardown();
}

static void test_unknown_user(void)
{
    setup(1);
    struct slurm_job jobs[1] = {{.job_id = 1, .uid = 5}};
    snap.jobs = jobs;
    snap.n_jobs = 1;
    now_ms += 20000;
    accounts_take(&ctl, &snap);
    UNIT_INT(n_pokes, 0, "a user who is known");
    jobs[0].uid = 6;
    accounts_take(&ctl, &snap);
    accounts_take(&ctl, &snap);
    UNIT_INT(n_pokes, 1, "another one is asked for, and not at every list");
    teardown();
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"off", test_off},
                                             {"children", test_children},
                                             {"steps", test_down_at_once_up_in_steps},
                                             {"taken_away", test_taken_away},
                                             {"board", test_board},
                                             {"unknown_user", test_unknown_user},
                                             {NULL, NULL}};
    return unit_main(argc, argv, cases, "native");
}
