/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * placement_decide(): where in the window that its allowance leaves is a job's best start,
 * and do its budgets cover it. Pure; runs in slurmctld under the plugin's mutex.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "carbon/forecast.h"
#include "common/units.h"
#include "placement/allowance.h"
#include "placement/decide.h"
#include "placement/placement.h"
#include "placement/scenarios.h"
#include "placement/search.h"

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

const char *placement_account(const struct board *b, const struct placement_job *job)
{
    if (job->account && job->account[0])
        return job->account;
    const struct board_user *u = board_user_find(b, job->uid);
    return u ? u->default_account : "";
}

double placement_task_carbon_ug(const struct placement_job *job, const struct placement_decision *d)
{
    return ceil(d->carbon_ug / (job->tasks ? job->tasks : 1));
}

/* What the job takes of a carbon budget; NAN without a forecast. */
static double carbon_held_ug(const struct placement_job *job, const struct placement_decision *d)
{
    return placement_task_carbon_ug(job, d) * (job->tasks ? job->tasks : 1);
}

/* The partitions that switches and exempt list are asked about; Slurm fills in the default later.
 */
static const char *partitions_of(const struct board *b, const struct placement_job *job)
{
    const struct board_partition *p = partition_of(b, job);
    return job->partition && job->partition[0] ? job->partition : p ? p->name : "";
}

static void refuse(struct placement_decision *d, enum placement_code code)
{
    d->verdict = VERDICT_REFUSE;
    d->code = code;
}

int placement_native(const struct board *b, const struct placement_job *job)
{
    uint32_t n;
    const struct board_budget *g =
        board_budget_find(b, BOARD_ACCOUNT, placement_account(b, job), 0, &n);
    for (uint32_t i = 0; i < n; i++)
        if (g[i].native)
            return 1;
    return 0;
}

uint32_t placement_watts(const struct board *b, const struct placement_job *job, double power_w,
                         int mode)
{
    double w = ceil(power_w);
    if (b->head.watts_total == 0 || mode != 1 || !placement_native(b, job))
        return 0;
    if (!(w >= 1))
        return 1;
    return w < b->head.watts_total ? (uint32_t)w : b->head.watts_total;
}

static void check_budgets(const struct board *b, const struct lease_table *leases,
                          const struct placement_job *job, int64_t now_s,
                          struct placement_decision *d)
{
    struct budgets_need need = {.account = placement_account(b, job),
                                .uid = job->uid,
                                .now_ms = now_s * 1000,
                                .account_uj = d->price.energy_all_uj,
                                .account_ug = carbon_held_ug(job, d),
                                .queues = 1,
                                .task_uj = d->price.energy_uj,
                                .task_ug = placement_task_carbon_ug(job, d),
                                .user_uj = d->price.energy_all_uj,
                                .user_ug = carbon_held_ug(job, d)};
    if ((job->flags & PLACEMENT_UNCOUNTED) &&
        budgets_any(b, need.account, need.uid, &d->lack.budget))
        refuse(d, CODE_NO_BOARD);
    else if (!budgets_cover(b, leases, &need, &d->lack))
        refuse(d, CODE_BUDGET_LEFT);
}

/* Beyond the forecast every start costs the same: count only what it reaches. */
static int64_t counted_length(const struct board *b, int64_t from_s, int64_t limit_s)
{
    int64_t known_s = b->head.intensity_end_s - from_s;
    return known_s > 0 && limit_s > known_s ? known_s : limit_s;
}

/* Micrograms that an hour of delay must save. With exponent 1 a large job's wait costs what the
 * waits of the small ones that it could be split into cost together. */
double placement_lambda_ug_per_s(const struct board_head *h, const struct placement_decision *d)
{
    if (d->policy != POLICY_BALANCED)
        return 0;
    double cpus = h->cpu_max_w > 0 ? d->price.power_all_w / h->cpu_max_w : 1;
    double size = cpus > 1 ? pow(cpus, h->lambda_exponent) : 1;
    return h->lambda_g_per_h * size * 1e6 / 3600.0;
}

/* Jobs that have one best start would all begin in one second: each begins a little later, as far
 * as its bound and the slots let it. */
static void stagger(const struct search *q, const struct board_head *h,
                    const struct placement_job *job, struct search_result *r)
{
    int64_t later_s = h->stagger_s > 0 ? job->stagger % (h->stagger_s + 1) : 0;
    int64_t start_s = min64(r->start_s + later_s, q->until_s);
    if (r->start_s <= q->from_s || start_s == r->start_s ||
        !slots_free(q->slots, start_s, start_s + q->hold_s))
        return;
    double carbon_ug = search_carbon_ug(q, start_s);
    if (carbon_ug >= r->carbon_now_ug)
        return;
    r->start_s = start_s;
    r->carbon_ug = carbon_ug;
}

static int enough(const struct board_head *h, double now_ug, double then_ug)
{
    double gain_ug = now_ug - then_ug;
    return gain_ug > 0 && gain_ug >= h->min_gain_g * 1e6;
}

/* A search, and the grams of what lies behind the forecast: that costs the same wherever the job
 * starts, and the forecast's mean stands for it. */
struct plan {
    struct search q;
    double beyond_ug;
};

/* Judge starts by these lengths and watts of one task. The grams are those of all tasks: where they
 * run in waves, one wave's watts for as long as all waves take. */
static void set_lengths(struct plan *p, const struct board *b, const struct placement_job *job,
                        const struct placement_price *price, const int64_t *length_s, uint32_t n,
                        double power_w)
{
    static const double j_per_area = 1.0 / J_PER_KWH; /* W x s x g/kWh -> g */
    struct search *q = &p->q;
    int64_t waves = q->hold_s / price->limit_s, beyond_s = 0;
    double mean_w = power_w * (job->tasks ? job->tasks : 1) / (double)waves;
    for (uint32_t i = 0; i < n; i++) {
        int64_t all_s = length_s[i] * waves, counted_s = counted_length(b, q->from_s, all_s);
        *(i == 0 ? &q->length_s : &q->further_s[i - 1]) = counted_s;
        beyond_s += all_s - counted_s;
    }
    q->n_further = n - 1;
    q->ug_per_area = mean_w * b->head.pue * j_per_area * 1e6;
    p->beyond_ug = 0;
    if (beyond_s > 0 && q->series.n > 0)
        p->beyond_ug = q->ug_per_area * (double)beyond_s / n *
                       series_mean(&q->series, q->from_s, b->head.intensity_end_s);
}

/* What is likely; d->price and d->policy are set. */
static void prepare(const struct board *b, const struct placement_job *job, int64_t a_s,
                    int64_t wait_s, const struct placement_decision *d, uint32_t *cpus,
                    struct plan *p)
{
    struct scenarios s;
    int64_t hold_s;
    occupation(partition_of(b, job), job, &d->price, cpus, &hold_s);
    p->q = (struct search){
        .series = board_series(b),
        .from_s = a_s,
        .until_s = a_s + wait_s,
        .hold_s = hold_s,
        .lambda_ug_per_s = placement_lambda_ug_per_s(&b->head, d),
    };
    scenarios_of(b, job, &d->price, &s);
    set_lengths(p, b, job, &d->price, s.length_s, s.n, s.power_w);
}

double placement_cost_ug(const struct board *b, const struct placement_job *job,
                         const struct placement_decision *d, int64_t now_s, int64_t start_s)
{
    uint32_t cpus;
    struct plan p;
    if (b->n_points == 0)
        return NAN;
    prepare(b, job, now_s, 0, d, &cpus, &p);
    return search_cost_ug(&p.q, start_s, search_carbon_ug(&p.q, start_s));
}

/* The same, with the slots as this job sees them. */
static void look(const struct board *b, const struct lease_table *leases,
                 const struct placement_job *job, int64_t a_s, int64_t wait_s,
                 const struct placement_decision *d, struct slots_space *space, struct slots *slots,
                 struct plan *p)
{
    uint32_t cpus;
    prepare(b, job, a_s, wait_s, d, &cpus, p);
    slots_init(slots, space, b, leases, partition_of(b, job), cpus, a_s + wait_s + p->q.hold_s);
    p->q.slots = slots;
}

/* Find the start; d->price and d->policy are set. */
static void choose(const struct board *b, const struct lease_table *leases,
                   const struct placement_job *job, int64_t a_s, int64_t wait_s,
                   struct placement_decision *d)
{
    /* Not on the stack: slurmctld has a new thread for each request, and the first touch of a page
     * of its stack costs more than the whole decision. */
    static struct slots_space space;
    struct slots slots;
    struct plan likely, most;
    look(b, leases, job, a_s, wait_s, d, &space, &slots, &likely);
    struct search_result r;
    search_run(&likely.q, &r);
    stagger(&likely.q, &b->head, job, &r);

    most = likely;
    set_lengths(&most, b, job, &d->price, &d->price.limit_s, 1, d->price.power_w);
    d->likely_now_ug = r.carbon_now_ug + likely.beyond_ug;
    d->carbon_now_ug = search_carbon_ug(&most.q, a_s) + most.beyond_ug;
    if (r.start_s > a_s && enough(&b->head, r.carbon_now_ug, r.carbon_ug)) {
        d->verdict = VERDICT_DELAY;
        d->code = CODE_GREENER_LATER;
        d->start_s = r.start_s;
        d->latest_s = a_s + wait_s;
        d->likely_ug = r.carbon_ug + likely.beyond_ug;
        d->carbon_ug = search_carbon_ug(&most.q, r.start_s) + most.beyond_ug;
        return;
    }
    d->likely_ug = d->likely_now_ug;
    d->carbon_ug = d->carbon_now_ug;
    if (wait_s > 0)
        d->code = r.full_start_s > a_s && enough(&b->head, r.carbon_now_ug, r.full_carbon_ug)
                      ? CODE_QUEUE_WAITS
                      : CODE_FLAT;
}

/* A later component of a heterogeneous job starts when the first one does, at its own cost. */
static void follow(const struct board *b, const struct lease_table *leases,
                   const struct placement_job *job, int64_t a_s, struct placement_decision *d)
{
    const struct placement_decision *leader = job->leader;
    struct placement_decision then = *d;
    d->code = leader->verdict == VERDICT_REFUSE ? CODE_NONE : leader->code;
    d->layer = leader->layer;
    d->mode = d->mode && leader->mode;
    if (leader->verdict != VERDICT_DELAY || leader->start_s <= a_s)
        return;
    if (b->n_points > 0)
        choose(b, leases, job, leader->start_s, 0, &then);
    d->verdict = VERDICT_DELAY;
    d->start_s = leader->start_s;
    d->latest_s = leader->latest_s;
    d->wait_s = leader->wait_s;
    d->bound_s = leader->bound_s;
    d->carbon_ug = then.carbon_ug;
    d->likely_ug = then.likely_ug;
}

/* A start that is likely to be greener may need more of a carbon budget than now, should the job
 * run to its limit: it is not refused for that, but starts at once. */
static void settle_budgets(const struct board *b, const struct lease_table *leases,
                           const struct placement_job *job, int64_t now_s, int64_t a_s,
                           struct placement_decision *d)
{
    struct placement_decision once = *d;
    check_budgets(b, leases, job, now_s, d);
    if (d->verdict != VERDICT_REFUSE || job->leader || !(once.carbon_ug > once.carbon_now_ug))
        return;
    once.verdict = VERDICT_RUN;
    once.code = CODE_FLAT;
    once.start_s = once.latest_s = a_s;
    once.delay_s = 0;
    once.carbon_ug = once.carbon_now_ug;
    once.likely_ug = once.likely_now_ug;
    check_budgets(b, leases, job, now_s, &once);
    if (once.verdict != VERDICT_REFUSE)
        *d = once;
}

static int forecast_usable(const struct board *b)
{
    return b->n_points > 0 && b->head.forecast_quality != FORECAST_NONE;
}

/* How long the job may wait in the end, and why no longer; d->price and d->policy are set. */
static int64_t allowed(const struct board *b, const struct placement_job *job, int64_t a_s,
                       int64_t now_s, struct placement_decision *d)
{
    allowance_find(b, job, a_s, now_s, d);
    int64_t open_s = d->bound_s == INT64_MAX ? d->wait_s : min64(d->wait_s, d->bound_s - a_s);
    int64_t last_s = allowance_before_outages(b, job, d->price.limit_s, a_s, a_s + open_s);
    int64_t wait_s = last_s > a_s ? last_s - a_s : 0;
    if (open_s > 0 && wait_s == 0)
        d->code = CODE_MAINT_AHEAD;
    if (d->policy == POLICY_ASAP || (job->flags & (PLACEMENT_IMMEDIATE | PLACEMENT_DEPENDENT)))
        wait_s = 0;
    if (open_s > 0 && (job->flags & PLACEMENT_IMMEDIATE))
        d->code = CODE_IMMEDIATE;
    else if (open_s > 0 && d->policy != POLICY_ASAP && (job->flags & PLACEMENT_DEPENDENT))
        d->code = CODE_DEP_END;
    if (board_exempt(b, partitions_of(b, job), placement_account(b, job), job->qos, job->uid)) {
        d->code = CODE_EXEMPT;
        d->wait_s = wait_s = 0;
    }
    /* A feed that ended too long ago says nothing of which hour is greener. */
    if (!forecast_usable(b) || b->head.forecast_quality == FORECAST_STALE) {
        if (wait_s > 0)
            d->code = CODE_FEED_STALE;
        wait_s = 0;
    }
    return wait_s;
}

static int64_t earliest(const struct placement_job *job, int64_t now_s)
{
    return job->earliest_s > now_s ? job->earliest_s : now_s;
}

void decide_start(const struct board *b, const struct lease_table *leases,
                  const struct placement_job *job, int64_t now_s, struct placement_decision *out)
{
    struct placement_decision d = {
        .carbon_ug = NAN, .carbon_now_ug = NAN, .likely_ug = NAN, .likely_now_ug = NAN};
    int64_t a_s = earliest(job, now_s);

    placement_price(b, job, &d.price);
    d.policy = job->request.policy != POLICY_UNSET ? job->request.policy
                                                   : (enum placement_policy)b->head.policy;
    d.mode = board_mode(b, partitions_of(b, job), placement_account(b, job), job->uid);
    d.start_s = d.latest_s = a_s;
    int64_t wait_s = allowed(b, job, a_s, now_s, &d);
    if (forecast_usable(b))
        choose(b, leases, job, a_s, wait_s, &d);
    if (job->leader)
        follow(b, leases, job, a_s, &d);
    d.delay_s = d.start_s - a_s;
    *out = d;
}

double decide_search(const struct board *b, const struct lease_table *leases,
                     const struct placement_job *job, int64_t now_s,
                     const struct placement_decision *d, struct slots_space *space,
                     struct slots *slots, struct search *q)
{
    struct placement_decision again = *d;
    int64_t a_s = earliest(job, now_s), wait_s = allowed(b, job, a_s, now_s, &again);
    struct plan p;
    look(b, leases, job, a_s, wait_s, d, space, slots, &p);
    *q = p.q;
    return forecast_usable(b) ? p.beyond_ug : NAN;
}

void placement_decide(const struct board *b, const struct lease_table *leases,
                      const struct placement_job *job, int64_t now_s,
                      struct placement_decision *out)
{
    struct placement_decision d;
    decide_start(b, leases, job, now_s, &d);
    settle_budgets(b, leases, job, now_s, earliest(job, now_s), &d);
    if (d.verdict == VERDICT_REFUSE) {
        d.start_s = d.latest_s = earliest(job, now_s);
        d.delay_s = 0;
    }
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
    out->energy_uj = lease_amount(d->price.energy_all_uj);
    out->carbon_ug = lease_amount(carbon_held_ug(job, d));
    out->account = board_name_hash(placement_account(b, job));
    out->partition = p ? board_name_hash(p->name) : 0;
}
