/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * placement_decide(): how long may this job wait, where in that window is it best,
 * and do its budgets cover it. Pure; runs in slurmctld under the plugin's mutex.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "carbon/forecast.h"
#include "placement/placement.h"
#include "placement/search.h"

#define J_PER_KWH 3.6e6

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How long the job may wait from a_s on, and which layer said so. */
static int64_t allowance(const struct board_head *h, const struct placement_job *job,
                         int64_t limit_s, int64_t a_s, enum request_layer *layer)
{
    const struct request *r = &job->request;
    int64_t wait_s = 0;
    *layer = LAYER_NONE;
    if (r->delay != DELAY_UNSET) {
        *layer = r->layer[REQUEST_CARBON_DELAY];
        wait_s = r->delay == DELAY_FOR ? r->delay_s : r->delay == DELAY_SITE ? h->site_delay_s : 0;
    } else if (r->finish_by_s > 0) {
        wait_s = h->max_delay_s;
    } else if (!(job->flags & PLACEMENT_INTERACTIVE)) {
        wait_s = h->default_delay_s;
    }
    if (r->finish_by_s > 0) {
        int64_t room_s = r->finish_by_s - limit_s - a_s;
        if (r->delay == DELAY_UNSET || room_s < wait_s)
            *layer = r->layer[REQUEST_CARBON_FINISH_BY];
        wait_s = min64(wait_s, room_s);
    }
    if (job->deadline_s > 0)
        wait_s = min64(wait_s, job->deadline_s - limit_s - a_s);
    wait_s = min64(wait_s, h->max_delay_s);
    return wait_s > 0 ? wait_s : 0;
}

/* CPUs that one task keeps others from: its own, or those that go with its GPUs. */
static uint64_t cpus_held(const struct board_partition *p, const struct placement_price *price)
{
    uint64_t cpus = price->cpus;
    if (p && p->gpus_per_node && price->gpus) {
        uint64_t with_gpus = (uint64_t)price->gpus * p->cpus_per_node / p->gpus_per_node;
        cpus = with_gpus > cpus ? with_gpus : cpus;
    }
    return cpus;
}

/* CPUs that the job holds at once, and for how long: the tasks of an array run side by side as
 * far as %N and the partition allow, then in waves. */
static void occupation(const struct board_partition *p, const struct placement_job *job,
                       const struct placement_price *price, uint32_t *cpus, int64_t *hold_s)
{
    uint64_t tasks = job->tasks ? job->tasks : 1, at_once = tasks;
    uint64_t each = cpus_held(p, price), all = p ? (uint64_t)p->nodes * p->cpus_per_node : 0;
    if (job->tasks_at_once && job->tasks_at_once < at_once)
        at_once = job->tasks_at_once;
    if (tasks > 1 && each > 0 && each <= all && at_once > all / each)
        at_once = all / each;
    uint64_t waves = (tasks + at_once - 1) / at_once, want = each * at_once;
    *cpus = want > UINT32_MAX ? UINT32_MAX : (uint32_t)want;
    *hold_s = price->limit_s * (int64_t)(waves < 10000 ? waves : 10000);
}

static const struct board_partition *partition_of(const struct board *b,
                                                  const struct placement_job *job)
{
    return board_partition_find(b, job->partition);
}

static const char *account_of(const struct board *b, const struct placement_job *job)
{
    if (job->account && job->account[0])
        return job->account;
    const struct board_user *u = board_user_find(b, job->uid);
    return u ? u->default_account : "";
}

/* One budget: what is left of it for this user, against what the job needs. */
static int covers(const struct board *b, const struct lease_table *leases,
                  const struct placement_job *job, const struct board_budget *budget, int64_t now_s,
                  struct placement_decision *d)
{
    double need = budget->resource == 0 ? d->price.energy_all_uj : d->carbon_ug;
    int64_t left = budget->left;
    if (!isfinite(
            need)) /* carbon without a forecast: cannot be judged, energy budgets still hold */
        return 1;
    if (leases) {
        int64_t own, held = lease_held(leases, budget, job->uid, &own);
        double share = (double)budget->left * b->head.user_lease_share - (double)own;
        if (__builtin_sub_overflow(budget->left, held, &left))
            left = INT64_MIN;
        if (lease_doubtful(leases, job->uid, now_s * 1000) && share < (double)left)
            left = (int64_t)share;
    }
    if (need <= (double)left && !(job->flags & PLACEMENT_UNCOUNTED))
        return 1;
    d->verdict = VERDICT_REFUSE;
    d->code = job->flags & PLACEMENT_UNCOUNTED ? CODE_NO_BOARD : CODE_BUDGET_LEFT;
    d->budget = budget;
    d->budget_left = left;
    d->budget_need = need;
    return 0;
}

static void check_budgets(const struct board *b, const struct lease_table *leases,
                          const struct placement_job *job, int64_t now_s,
                          struct placement_decision *d)
{
    uint32_t n;
    const struct board_budget *g = board_budget_find(b, BOARD_ACCOUNT, account_of(b, job), 0, &n);
    for (uint32_t i = 0; i < n; i++)
        if (!covers(b, leases, job, &g[i], now_s, d))
            return;
    g = board_budget_find(b, BOARD_USER, "", job->uid, &n);
    for (uint32_t i = 0; i < n; i++)
        if (!covers(b, leases, job, &g[i], now_s, d))
            return;
}

/* Beyond the forecast every start costs the same: count only what it reaches. */
static int64_t counted_length(const struct board *b, int64_t from_s, int64_t limit_s)
{
    int64_t known_s = b->head.intensity_end_s - from_s;
    return known_s > 0 && limit_s > known_s ? known_s : limit_s;
}

/* Find the start; d->price and d->policy are set. */
static void choose(const struct board *b, const struct lease_table *leases,
                   const struct placement_job *job, int64_t a_s, int64_t wait_s,
                   struct placement_decision *d)
{
    static const double j_per_area = 1.0 / J_PER_KWH; /* W x s x g/kWh -> g */
    const struct board_partition *p = partition_of(b, job);
    double tasks = job->tasks ? job->tasks : 1;
    struct slots slots;
    uint32_t cpus;
    int64_t hold_s;
    occupation(p, job, &d->price, &cpus, &hold_s);
    slots_init(&slots, b, leases, p, cpus, a_s + wait_s + hold_s);

    struct search q = {
        .series = board_series(b),
        .slots = &slots,
        .from_s = a_s,
        .until_s = a_s + wait_s,
        .length_s = counted_length(b, a_s, d->price.limit_s),
        .hold_s = hold_s,
        .ug_per_area = d->price.power_w * b->head.pue * j_per_area * 1e6,
        .lambda_ug_per_s = d->policy == POLICY_BALANCED ? b->head.lambda_g_per_h * 1e6 / 3600.0 : 0,
    };
    struct search_result r;
    search_run(&q, &r);

    /* What lies behind the forecast costs the same wherever the job starts: its mean stands for it.
     */
    double beyond_ug = 0;
    if (q.length_s < d->price.limit_s)
        beyond_ug = q.ug_per_area * (double)(d->price.limit_s - q.length_s) *
                    series_mean(&q.series, a_s, b->head.intensity_end_s);
    double min_gain_ug = b->head.min_gain_g * 1e6;
    double gain_ug = (r.carbon_now_ug - r.carbon_ug) * tasks;
    double full_gain_ug = (r.carbon_now_ug - r.full_carbon_ug) * tasks;
    d->carbon_now_ug = (r.carbon_now_ug + beyond_ug) * tasks;
    if (r.start_s > a_s && gain_ug > 0 && gain_ug >= min_gain_ug) {
        d->verdict = VERDICT_DELAY;
        d->code = CODE_GREENER_LATER;
        d->start_s = r.start_s;
        d->latest_s = a_s + wait_s;
        d->carbon_ug = (r.carbon_ug + beyond_ug) * tasks;
        return;
    }
    d->carbon_ug = d->carbon_now_ug;
    if (wait_s > 0)
        d->code = r.full_start_s > a_s && full_gain_ug > 0 && full_gain_ug >= min_gain_ug
                      ? CODE_QUEUE_WAITS
                      : CODE_FLAT;
}

static int forecast_usable(const struct board *b)
{
    return b->n_points > 0 && b->head.forecast_quality != FORECAST_NONE;
}

void placement_decide(const struct board *b, const struct lease_table *leases,
                      const struct placement_job *job, int64_t now_s,
                      struct placement_decision *out)
{
    struct placement_decision d = {.carbon_ug = NAN, .carbon_now_ug = NAN};
    int64_t a_s = job->earliest_s > now_s ? job->earliest_s : now_s;

    placement_price(b, job, &d.price);
    d.policy = job->request.policy != POLICY_UNSET ? job->request.policy
                                                   : (enum placement_policy)b->head.policy;
    d.mode = board_mode(b, job->partition, account_of(b, job), job->uid);
    d.start_s = d.latest_s = a_s;

    int64_t wait_s = allowance(&b->head, job, d.price.limit_s, a_s, &d.layer);
    int wished = wait_s > 0;
    if (d.policy == POLICY_ASAP || (job->flags & PLACEMENT_IMMEDIATE))
        wait_s = 0;
    if (wished && (job->flags & PLACEMENT_IMMEDIATE))
        d.code = CODE_IMMEDIATE;
    /* A feed that ended too long ago says nothing of which hour is greener. */
    if (!forecast_usable(b) || b->head.forecast_quality == FORECAST_STALE) {
        if (wait_s > 0)
            d.code = CODE_FEED_STALE;
        wait_s = 0;
    }
    if (forecast_usable(b))
        choose(b, leases, job, a_s, wait_s, &d);
    check_budgets(b, leases, job, now_s, &d);
    if (d.verdict == VERDICT_REFUSE)
        d.start_s = d.latest_s = a_s;
    d.delay_s = d.start_s - a_s;
    *out = d;
}

void placement_occupation(const struct board *b, const struct placement_job *job,
                          const struct placement_price *price, uint32_t *cpus, int64_t *hold_s)
{
    occupation(partition_of(b, job), job, price, cpus, hold_s);
}

void placement_lease(const struct board *b, const struct placement_job *job,
                     const struct placement_decision *d, struct lease *out)
{
    const struct board_partition *p = partition_of(b, job);
    int64_t hold_s;
    memset(out, 0, sizeof(*out));
    occupation(p, job, &d->price, &out->cpus, &hold_s);
    out->uid = job->uid;
    out->start_s = d->start_s;
    out->end_s = d->start_s + hold_s;
    out->energy_uj = d->price.energy_all_uj < 9e18 ? (int64_t)d->price.energy_all_uj : INT64_MAX;
    out->carbon_ug =
        isfinite(d->carbon_ug) && d->carbon_ug < 9e18 ? (int64_t)ceil(d->carbon_ug) : 0;
    snprintf(out->account, sizeof(out->account), "%s", account_of(b, job));
    if (p)
        memcpy(out->partition, p->name, sizeof(out->partition));
}
