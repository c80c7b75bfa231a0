/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encoding, checking and looking up of the board. Pure but for board_load.
 *
 * The sections are plain arrays of fixed-size records in a fixed order, each a multiple of
 * eight bytes, so that a decoded board is one copy of the bytes with pointers into it.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/path.h"
#include "placement/board.h"
#include "placement/request.h"

#define BOARD_VERSION 4u
#define BOARD_BYTE_ORDER 0x01020304u

static const char board_magic[8] = {'C', 'A', 'R', 'N', 'O', 'T', 'B', 'D'};

/* What stands before the sections. */
struct board_header {
    char magic[8];
    uint32_t version;
    uint32_t byte_order;
    uint64_t size;     /* of the whole encoding */
    uint64_t checksum; /* FNV-1a of the 64-bit words behind this field */
    uint32_t head_size;
    uint32_t n_points, n_partitions, n_budgets, n_users, n_switches, n_decisions, n_slots;
    uint32_t n_accounts, n_jobs, n_runs, n_outages;
    uint32_t n_pasts, padding;
};

/* Where each section begins; the last is the end. */
enum {
    AT_HEAD,
    AT_POINTS,
    AT_PARTITIONS,
    AT_BUDGETS,
    AT_USERS,
    AT_SWITCHES,
    AT_DECISIONS,
    AT_ACCOUNTS,
    AT_JOBS,
    AT_RUNS,
    AT_OUTAGES,
    AT_PASTS,
    AT_PLANNED,
    AT_END,
    AT_N
};

#define CHECKSUM_FROM (offsetof(struct board_header, checksum) + sizeof(uint64_t))

/* FNV-1a's constants (draft-eastlake-fnv), over words instead of bytes: it guards against torn and
 * mixed-up files, not against an attacker, who could not write the file in the first place. */
static uint64_t checksum(const unsigned char *data, size_t size)
{
    uint64_t h = 14695981039346656037ULL;
    for (size_t i = 0; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, data + i, 8);
        h = (h ^ word) * 1099511628211ULL;
    }
    return h;
}

static size_t round8(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

/* Offsets of the sections for these counts, which are bounded already: no overflow is possible. */
static void layout(const struct board_header *h, size_t at[AT_N])
{
    at[AT_HEAD] = sizeof(*h);
    at[AT_POINTS] = at[AT_HEAD] + sizeof(struct board_head);
    at[AT_PARTITIONS] = at[AT_POINTS] + h->n_points * sizeof(struct series_point);
    at[AT_BUDGETS] = at[AT_PARTITIONS] + h->n_partitions * sizeof(struct board_partition);
    at[AT_USERS] = at[AT_BUDGETS] + h->n_budgets * sizeof(struct board_budget);
    at[AT_SWITCHES] = at[AT_USERS] + h->n_users * sizeof(struct board_user);
    at[AT_DECISIONS] = at[AT_SWITCHES] + h->n_switches * sizeof(struct board_switch);
    at[AT_ACCOUNTS] = at[AT_DECISIONS] + h->n_decisions * sizeof(uint64_t);
    at[AT_JOBS] = at[AT_ACCOUNTS] + h->n_accounts * sizeof(struct board_account);
    at[AT_RUNS] = at[AT_JOBS] + h->n_jobs * sizeof(struct board_job);
    at[AT_OUTAGES] = at[AT_RUNS] + h->n_runs * sizeof(struct board_run);
    at[AT_PASTS] = at[AT_OUTAGES] + h->n_outages * sizeof(struct board_outage);
    at[AT_PLANNED] = at[AT_PASTS] + h->n_pasts * sizeof(struct board_past);
    at[AT_END] = at[AT_PLANNED] + round8((size_t)h->n_partitions * h->n_slots * sizeof(uint32_t));
}

static int check_counts(const struct board_header *h, struct err *e)
{
    if (h->n_points > BOARD_POINTS_MAX || h->n_partitions > BOARD_PARTITIONS_MAX ||
        h->n_budgets > BOARD_BUDGETS_MAX || h->n_users > BOARD_USERS_MAX ||
        h->n_switches > BOARD_SWITCHES_MAX || h->n_decisions > BOARD_DECISIONS_MAX ||
        h->n_slots > BOARD_SLOTS_MAX || h->n_accounts > BOARD_ACCOUNTS_MAX ||
        h->n_jobs > BOARD_JOBS_MAX || h->n_runs > BOARD_RUNS_MAX ||
        h->n_outages > BOARD_OUTAGES_MAX || h->n_pasts > BOARD_PASTS_MAX) {
        errno = EFBIG;
        return err_set(e, "a section of the board is larger than it may be");
    }
    return 0;
}

int board_encode(const struct board *b, void **data, size_t *size, struct err *e)
{
    struct board_header h = {.version = BOARD_VERSION,
                             .byte_order = BOARD_BYTE_ORDER,
                             .head_size = sizeof(struct board_head),
                             .n_points = b->n_points,
                             .n_partitions = b->n_partitions,
                             .n_budgets = b->n_budgets,
                             .n_users = b->n_users,
                             .n_switches = b->n_switches,
                             .n_decisions = b->n_decisions,
                             .n_slots = b->n_slots,
                             .n_accounts = b->n_accounts,
                             .n_jobs = b->n_jobs,
                             .n_runs = b->n_runs,
                             .n_outages = b->n_outages,
                             .n_pasts = b->n_pasts};
    size_t at[AT_N];
    if (check_counts(&h, e) < 0)
        return -1;
    layout(&h, at);
    if (at[AT_END] > BOARD_SIZE_MAX) {
        errno = EFBIG;
        return err_set(e, "the board would take %zu bytes, more than %u", at[AT_END],
                       BOARD_SIZE_MAX);
    }
    const void *from[AT_END] = {&b->head,    b->points,    b->partitions, b->budgets, b->users,
                                b->switches, b->decisions, b->accounts,   b->jobs,    b->runs,
                                b->outages,  b->pasts,     b->planned};
    unsigned char *out = calloc(1, at[AT_END]);
    if (!out)
        return err_errno(e, "board");
    memcpy(h.magic, board_magic, sizeof(h.magic));
    h.size = at[AT_END];
    for (int i = AT_HEAD; i < AT_END; i++) {
        size_t bytes = at[i + 1] - at[i];
        if (i == AT_PLANNED)
            bytes = (size_t)b->n_partitions * b->n_slots * sizeof(uint32_t);
        if (bytes)
            memcpy(out + at[i], from[i], bytes);
    }
    memcpy(out, &h, sizeof(h));
    h.checksum = checksum(out + CHECKSUM_FROM, at[AT_END] - CHECKSUM_FROM);
    memcpy(out, &h, sizeof(h));
    *data = out;
    *size = at[AT_END];
    return 0;
}

static int terminated(const char name[BOARD_NAME_MAX])
{
    return memchr(name, '\0', BOARD_NAME_MAX) != NULL;
}

static int bad(struct err *e, const char *what)
{
    errno = EINVAL;
    return err_set(e, "the board is broken: %s", what);
}

static int within(double x, double low, double high)
{
    return isfinite(x) && x >= low && x <= high;
}

/* Seconds that a decision adds up must not overflow, whatever the file says. */
static int sane_time(int64_t s)
{
    return s >= 0 && s <= 253402300799LL; /* the year 9999 */
}

static int check_head(const struct board *b, struct err *e)
{
    const struct board_head *h = &b->head;
    const int64_t month_s = 31 * 86400;
    if (!terminated(h->cluster) || !terminated(h->zone) || !terminated(h->feed))
        return bad(e, "a name without an end");
    if (h->policy < POLICY_ASAP || h->policy > POLICY_GREENEST || h->mode < 0 || h->mode > 1)
        return bad(e, "unknown mode or policy");
    if (!within(h->lambda_g_per_h, 0, 1e9) || !within(h->lambda_exponent, 0, 2) ||
        !within(h->min_gain_g, 0, 1e12) || !within(h->overbook, 1e-3, 1e3) ||
        !within(h->pue, 1, 10) || !within(h->user_lease_share, 1e-6, 1) ||
        !within(h->cpu_max_w, 0, 1e6) || !within(h->gpu_max_w, 0, 1e6))
        return bad(e, "a number of the policy is out of range");
    if (h->default_delay_s < 0 || h->default_delay_s > month_s || h->site_delay_s < 0 ||
        h->site_delay_s > month_s || h->max_delay_s < 0 || h->max_delay_s > month_s)
        return bad(e, "a delay is out of range");
    if (h->slot_s < 1 || h->slot_s > BOARD_SLOT_MAX_S || h->stagger_s < 0 || h->stagger_s > 86400 ||
        !sane_time(h->slot_start_s) || !sane_time(h->intensity_end_s) ||
        !sane_time(h->feed_until_s) || !sane_time(h->issued_s) ||
        !sane_time(h->published_ms / 1000) || !sane_time(h->listed_ms / 1000) ||
        h->max_age_ms < 0 || h->max_age_ms > month_s * 1000)
        return bad(e, "a time is out of range");
    return 0;
}

static int check_points(const struct board *b, struct err *e)
{
    for (uint32_t i = 0; i < b->n_points; i++) {
        const struct series_point *p = &b->points[i];
        if (!sane_time(p->t_s) || !within(p->g_per_kwh, 0, SERIES_G_PER_KWH_MAX) ||
            !within(p->area, 0, 1e18))
            return bad(e, "an intensity is out of range");
        if (i > 0 && p->t_s <= b->points[i - 1].t_s)
            return bad(e, "the intensities are not in order");
    }
    if (b->n_points > 0 && b->head.intensity_end_s <= b->points[b->n_points - 1].t_s)
        return bad(e, "the intensity ends before its last step");
    return 0;
}

static int check_records(const struct board *b, struct err *e)
{
    for (uint32_t i = 0; i < b->n_partitions; i++) {
        const struct board_partition *p = &b->partitions[i];
        if (!terminated(p->name) || p->default_time_s < 0 || p->max_time_s < 0 ||
            p->default_time_s > INT32_MAX * 60LL || p->max_time_s > INT32_MAX * 60LL)
            return bad(e, "a partition");
    }
    for (uint32_t i = 0; i < b->n_budgets; i++) {
        const struct board_budget *g = &b->budgets[i];
        if (!terminated(g->name) || (g->scope != BOARD_ACCOUNT && g->scope != BOARD_USER) ||
            g->resource < 0 || g->resource > 1 || g->native > 1 || g->granted < 0 ||
            !sane_time(g->renews_s))
            return bad(e, "a budget");
        if (i > 0) {
            const struct board_budget *before = &b->budgets[i - 1];
            int order = board_budget_compare(before, g->scope, g->name, g->uid);
            if (order > 0 || (order == 0 && before->resource >= g->resource))
                return bad(e, "the budgets are not in order");
        }
    }
    for (uint32_t i = 0; i < b->n_users; i++) {
        const struct board_user *u = &b->users[i];
        if (!terminated(u->name) || !terminated(u->default_account) ||
            (i > 0 && u->uid <= b->users[i - 1].uid))
            return bad(e, "a user");
    }
    for (uint32_t i = 0; i < b->n_switches; i++) {
        const struct board_switch *s = &b->switches[i];
        int listed = s->mode == BOARD_EXEMPT; /* of the exempt list */
        if (!terminated(s->name) || s->mode < BOARD_OBSERVE || s->mode > BOARD_EXEMPT ||
            s->scope < (listed ? BOARD_PARTITION : BOARD_CLUSTER) ||
            s->scope > (listed ? BOARD_QOS : BOARD_USER))
            return bad(e, "a switch");
    }
    for (uint32_t i = 1; i < b->n_decisions; i++)
        if (b->decisions[i] <= b->decisions[i - 1])
            return bad(e, "the decisions are not in order");
    return 0;
}

static int check_jobs(const struct board *b, struct err *e)
{
    for (uint32_t i = 0; i < b->n_accounts; i++)
        if (!terminated(b->accounts[i].name))
            return bad(e, "an account");
    for (uint32_t i = 0; i < b->n_jobs; i++) {
        const struct board_job *j = &b->jobs[i];
        if (j->partition >= (int64_t)b->n_partitions || j->account >= (int64_t)b->n_accounts ||
            j->partition < -1 || j->account < -1 || j->limit_s < 0 ||
            j->limit_s > INT32_MAX * 60LL || (i > 0 && board_job_compare(&b->jobs[i - 1], j) >= 0))
            return bad(e, "a job");
    }
    for (uint32_t i = 0; i < b->n_runs; i++) {
        const struct board_run *r = &b->runs[i];
        if (!terminated(r->name) || r->waited_s < 0 || !sane_time(r->waited_s) ||
            !sane_time(r->waiting_since_s) ||
            (i > 0 && board_run_compare(&b->runs[i - 1], r->uid, r->name) >= 0))
            return bad(e, "a run");
    }
    for (uint32_t i = 0; i < b->n_outages; i++) {
        const struct board_outage *o = &b->outages[i];
        if (!sane_time(o->start_s) || !sane_time(o->end_s) || o->partition < -1 ||
            o->partition >= (int64_t)b->n_partitions)
            return bad(e, "an outage");
    }
    return 0;
}

static int check_pasts(const struct board *b, struct err *e)
{
    for (uint32_t i = 0; i < b->n_pasts; i++) {
        const struct board_past *p = &b->pasts[i];
        if (p->n_runs < 1 || p->n_runs > BOARD_PAST_RUNS || !within(p->cpu_w, 0, 1e6) ||
            !within(p->gpu_w, 0, 1e6))
            return bad(e, "a past");
        for (uint32_t k = 0; k < BOARD_PAST_RUNS; k++)
            if ((p->run_s[k] > 0) != (k < p->n_runs) || p->run_s[k] > INT32_MAX)
                return bad(e, "a past run");
        if (i > 0 && board_past_compare(&b->pasts[i - 1], p->uid, p->name) >= 0)
            return bad(e, "the pasts are not in order");
    }
    return 0;
}

/* The board whose bytes these are, and its own from here on; nothing is checked yet. */
static struct board sections_of(const struct board_header *h, const size_t at[AT_N],
                                unsigned char *copy)
{
    struct board b = {.points = (const void *)(copy + at[AT_POINTS]),
                      .partitions = (const void *)(copy + at[AT_PARTITIONS]),
                      .budgets = (const void *)(copy + at[AT_BUDGETS]),
                      .users = (const void *)(copy + at[AT_USERS]),
                      .switches = (const void *)(copy + at[AT_SWITCHES]),
                      .decisions = (const void *)(copy + at[AT_DECISIONS]),
                      .accounts = (const void *)(copy + at[AT_ACCOUNTS]),
                      .jobs = (const void *)(copy + at[AT_JOBS]),
                      .runs = (const void *)(copy + at[AT_RUNS]),
                      .outages = (const void *)(copy + at[AT_OUTAGES]),
                      .pasts = (const void *)(copy + at[AT_PASTS]),
                      .planned = (const void *)(copy + at[AT_PLANNED]),
                      .n_points = h->n_points,
                      .n_partitions = h->n_partitions,
                      .n_budgets = h->n_budgets,
                      .n_users = h->n_users,
                      .n_switches = h->n_switches,
                      .n_decisions = h->n_decisions,
                      .n_slots = h->n_slots,
                      .n_accounts = h->n_accounts,
                      .n_jobs = h->n_jobs,
                      .n_runs = h->n_runs,
                      .n_outages = h->n_outages,
                      .n_pasts = h->n_pasts,
                      .buffer = copy};
    memcpy(&b.head, copy + at[AT_HEAD], sizeof(b.head));
    return b;
}

int board_decode(struct board *out, const void *data, size_t size, struct err *e)
{
    struct board_header h;
    size_t at[AT_N];
    if (size < sizeof(h))
        return bad(e, "cut short");
    memcpy(&h, data, sizeof(h));
    if (memcmp(h.magic, board_magic, sizeof(h.magic)) != 0)
        return bad(e, "this file is no board");
    if (h.version != BOARD_VERSION || h.byte_order != BOARD_BYTE_ORDER ||
        h.head_size != sizeof(struct board_head))
        return bad(e, "written by another version of Carnot");
    if (h.size != size)
        return bad(e, "cut short");
    if (check_counts(&h, e) < 0)
        return -1;
    layout(&h, at);
    if (at[AT_END] != size)
        return bad(e, "its sections do not add up to its size");
    unsigned char *copy = malloc(size);
    if (!copy)
        return err_errno(e, "board");
    memcpy(copy, data, size);
    if (checksum(copy + CHECKSUM_FROM, size - CHECKSUM_FROM) != h.checksum) {
        free(copy);
        return bad(e, "wrong checksum");
    }
    struct board b = sections_of(&h, at, copy);
    if (check_head(&b, e) < 0 || check_points(&b, e) < 0 || check_records(&b, e) < 0 ||
        check_jobs(&b, e) < 0 || check_pasts(&b, e) < 0) {
        free(copy);
        errno = EINVAL;
        return -1;
    }
    /* what follows from the rest is not believed: with areas that shrink, waiting earns grams */
    series_sum((struct series_point *)(void *)(copy + at[AT_POINTS]), b.n_points);
    *out = b;
    return 0;
}

int board_load(struct board *out, const char *path, struct err *e)
{
    char *data = NULL;
    size_t size = 0;
    if (path_read(path, BOARD_SIZE_MAX, &data, &size, e) < 0)
        return -1;
    int rc = board_decode(out, data, size, e);
    if (rc < 0)
        err_prefix(e, "%s", path);
    free(data);
    return rc;
}

void board_free(struct board *b)
{
    int saved = errno;
    free(b->buffer);
    memset(b, 0, sizeof(*b));
    errno = saved;
}
