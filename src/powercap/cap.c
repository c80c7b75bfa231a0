/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Setting. The order is what makes it safe: an intent on the disk, then the limits, then on the
 * disk how they read back. With an intent alone a restore writes every limit in it.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "powercap/cap.h"
#include "powercap/journal.h"
#include "powercap/owners.h"

/* What goes to whom. */
struct plan {
    struct journal journal; /* its entries are in the order of to[] */
    struct limit *to[LIMITS_MAX];
    uint64_t want_uw[LIMITS_MAX];
    int candidates; /* limits that the request is about */
    int low;        /* of them: at or below what they would get already */
    int odd;        /* of them: switched off, or above their own maximum */
};

static void _answer(struct cap_answer *a, enum cap_result result)
{
    memset(a, 0, sizeof(*a));
    a->result = result;
}

static bool _is_meant(const struct limit *limit, const struct cap_request *r)
{
    if (r->cap.scope == POWER_CAP_NODE)
        return true;
    return (limit->gpus & r->gpus) != 0;
}

static int _too_little(const struct cap_request *r, const struct limit *limit, uint64_t share_uw,
                       struct err *why)
{
    char cap[POWER_CAP_TEXT_SIZE];

    return err_set(why, "%s would leave %s %" PRIu64 " W, and it takes at least %" PRIu64 " W",
                   power_cap_format(cap, sizeof(cap), &r->cap), limit->name, share_uw / 1000000,
                   (limit_floor_uw(limit) + 999999) / 1000000);
}

static void _add(struct plan *plan, struct limit *limit, uint64_t want_uw)
{
    struct journal_entry *entry = &plan->journal.v[plan->journal.n];

    plan->to[plan->journal.n] = limit;
    plan->want_uw[plan->journal.n++] = want_uw;
    entry->kind = limit->kind;
    memcpy(entry->id, limit->id, sizeof(entry->id));
    entry->old_uw = limit->now_uw;
    entry->actual_uw = 0;
}

/* 0 and *plan, or -1 and why. */
static int _plan(struct plan *plan, struct limits *l, const struct cap_request *r, struct err *why)
{
    uint64_t total_uw = 0;

    for (int i = 0; i < l->n; i++) {
        if (!_is_meant(&l->v[i], r))
            continue;
        plan->candidates++;
        if (limit_fault(&l->v[i]))
            plan->odd++;
        else
            total_uw += limit_weight_uw(&l->v[i]);
    }
    for (int i = 0; i < l->n; i++) {
        struct limit *limit = &l->v[i];
        uint64_t share_uw = r->cap.mw * 1000;

        if (!_is_meant(limit, r) || limit_fault(limit))
            continue;
        /* at most 10^9 mW times 10^8 mW */
        if (r->cap.scope == POWER_CAP_NODE)
            share_uw = r->cap.mw * (limit_weight_uw(limit) / 1000) / (total_uw / 1000) * 1000;
        if (share_uw < limit_floor_uw(limit))
            return _too_little(r, limit, share_uw, why);
        if (share_uw >= limit->now_uw)
            plan->low++;
        else
            _add(plan, limit, share_uw);
    }
    if (plan->journal.n > 0)
        return 0;
    if (plan->candidates == 0)
        return err_set(why, "nothing here has a limit that can be written");
    if (plan->low > 0)
        return err_set(why, "no limit here is above that");
    return err_set(why, "the limits here are switched off, or above the maximum that the hardware "
                        "reports: left alone");
}

/* Write all of the plan and read it back. 0, or -1 and e. */
static int _apply(struct plan *plan, const struct limits *l, struct cap_answer *a, struct err *e)
{
    for (int i = 0; i < plan->journal.n; i++) {
        const struct limit *limit = plan->to[i];
        uint64_t *actual_uw = &plan->journal.v[i].actual_uw, want_uw = plan->want_uw[i];

        if (limit_write(l, limit, want_uw) < 0 || limit_read(l, limit, actual_uw) < 0)
            return err_errno(e, "the limit of %s", limit->name);
        a->asked_mw += want_uw / 1000;
        a->actual_mw += *actual_uw / 1000;
        if (!limit_same(*actual_uw, want_uw)) {
            a->result = CAP_DIFFERS;
            (void)err_set(&a->why, "%s was told %" PRIu64 " mW and reads back %" PRIu64 " mW",
                          limit->name, want_uw / 1000, *actual_uw / 1000);
        }
    }
    a->limits = (uint32_t)plan->journal.n;
    return 0;
}

/* With a plan. What cannot be done whole is taken back. */
static void _set(const struct cap_place *p, struct plan *plan, const struct limits *l,
                 struct cap_answer *a)
{
    struct cap_answer back;
    struct err e;

    if (journal_write(&plan->journal, p->journal, &e) == 0 && _apply(plan, l, a, &e) == 0 &&
        journal_write(&plan->journal, p->journal, &e) == 0)
        return;
    cap_restore(p, &back);
    _answer(a, CAP_FAILED);
    a->why = e;
    if (back.result == CAP_FAILED)
        (void)err_set(&a->why, "%s; and %s", e.text, back.why.text);
}

void cap_set(const struct cap_place *p, const struct cap_request *r, struct cap_answer *a)
{
    struct plan plan = {.journal = {.job = r->job}};
    struct limits limits;
    struct err why = {""};

    cap_restore(p, a);
    if (a->result == CAP_FAILED)
        return;
    _answer(a, CAP_WAS_SET);
    (void)snprintf(plan.journal.boot, sizeof(plan.journal.boot), "%s", p->boot);
    if (owners_find(p->sysroot, &why)) {
        _answer(a, CAP_ASIDE);
        a->why = why;
        return;
    }
    limits_open(&limits, p->sysroot);
    if (_plan(&plan, &limits, r, &why) == 0) {
        _set(p, &plan, &limits, a);
    } else {
        _answer(a, CAP_REFUSED);
        a->why = why;
    }
    limits_close(&limits);
}
