/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prices of runs: as the job was told at its submission, anew when Slurm's list shows another size,
 * and what the energy would have emitted without a wait.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "carnotctld/enforcer.h"
#include "carnotctld/feed_watch.h"
#include "carnotctld/native.h"
#include "carnotctld/row_price.h"
#include "carnotctld/slurm_client.h"
#include "carnotctld/tracker.h"
#include "common/licences.h"

void tracker_placement_job(const struct slurm_job *job, struct placement_job *out)
{
    memset(out, 0, sizeof(*out));
    out->uid = job->uid;
    out->name = job->name;
    out->account = job->account;
    out->partition = job->partition;
    out->nodes = job->nodes;
    out->cpus = job->cpus;
    out->gpus = job->gpus;
    out->tasks = job->tasks;
    out->limit_s = job->limit_s > 0 ? job->limit_s : INT64_MAX / 2;
    out->flags = job->exclusive ? PLACEMENT_EXCLUSIVE : 0;
    request_init(&out->request);
}

void row_price(struct ctl *c, const struct slurm_job *job, const struct placement_note *note,
               struct ledger_job *row)
{
    double tasks = job->tasks, uj, ug, now_ug;
    if (note) {
        uj = note->energy_uj;
        ug = note->carbon_ug;
        now_ug = note->carbon_now_ug;
    } else {
        struct placement_job pj;
        struct placement_price p;
        tracker_placement_job(job, &pj);
        placement_price(&c->board, &pj, &p);
        int64_t from_s = ctl_now_s(c), length_s = p.limit_s;
        if (length_s > c->set.carbon.horizon_ms / 1000)
            length_s = c->set.carbon.horizon_ms / 1000;
        uj = p.energy_uj < 9e18 ? p.energy_uj : 9e18;
        ug = now_ug = (double)feed_watch_emissions_ug(c, from_s, from_s + length_s, (uint64_t)uj);
    }
    row->estimate_uj = (uint64_t)(uj * tasks < 9e18 ? uj * tasks + 0.5 : 9e18);
    row->estimate_ug = (uint64_t)(ug * tasks < 9e18 ? ug * tasks + 0.5 : 9e18);
    row->estimate_now_ug = (uint64_t)(now_ug * tasks < 9e18 ? now_ug * tasks + 0.5 : 9e18);
    row->reserved_uj = row->estimate_uj;
    row->reserved_ug = row->estimate_ug;
}

/* Where Slurm counts a pending job by fewer watts than it is priced for now, the licence is
 * corrected. */
static void ask_watts(const struct ctl *c, const struct slurm_job *job,
                      const struct ledger_job *row, const struct placement_job *pj, double power_w)
{
    struct slurm_order o = slurm_client_order_for(ORDER_LICENCES, row);
    if (job->phase != PHASE_PENDING || native_watts(c, job) == 0)
        return;
    uint32_t w = placement_watts(&c->board, pj, power_w, tracker_acting(c, row));
    if (w > job->watts && licences_set(job->licences, BOARD_WATTS, w, o.text, sizeof(o.text)) == 0)
        slurm_client_order(&o);
}

/* A reservation that has lent some of itself to an earlier run stays as much smaller. */
static uint64_t resized(uint64_t reserved, uint64_t was, uint64_t is)
{
    uint64_t lent = was > reserved ? was - reserved : 0;
    return is > lent ? is - lent : 0;
}

/* A job that has grown or shrunk, by a user's change or by what Slurm gave it in the end, sets
 * aside what it may use now. Grams follow energy. */
static void price_anew(struct ctl *c, const struct slurm_job *job, struct ledger_job *row)
{
    struct placement_job pj;
    struct placement_price p;
    tracker_placement_job(job, &pj);
    placement_price(&c->board, &pj, &p);
    double before_uj = (double)row->estimate_uj, ratio;
    double after_uj = p.energy_all_uj < 9e18 ? p.energy_all_uj : 9e18;
    ratio = before_uj > 0 ? after_uj / before_uj : 1;
    ask_watts(c, job, row, &pj, p.power_w);
    uint64_t was_uj = row->estimate_uj, was_ug = row->estimate_ug;
    row->estimate_uj = (uint64_t)after_uj;
    row->estimate_ug = (uint64_t)fmin((double)row->estimate_ug * ratio, 9e18);
    row->estimate_now_ug = (uint64_t)fmin((double)row->estimate_now_ug * ratio, 9e18);
    if (row->enforce_step != ENFORCE_HELD && row->enforce_step != ENFORCE_CLAIMED) {
        row->reserved_uj = resized(row->reserved_uj, was_uj, row->estimate_uj);
        row->reserved_ug = resized(row->reserved_ug, was_ug, row->estimate_ug);
    }
}

static int other_size(const struct ledger_job *before, const struct ledger_job *now)
{
    return before->nodes != now->nodes || before->cpus != now->cpus ||
           before->limit_s != now->limit_s || strcmp(before->partition, now->partition) != 0;
}

void row_price_change(struct ctl *c, const struct slurm_job *job, const struct ledger_job *before,
                      struct ledger_job *row)
{
    if (other_size(before, row))
        price_anew(c, job, row);
}

uint64_t tracker_asap_ug(const struct ctl *c, const struct ledger_job *row)
{
    if (row->start_s == 0 || row->energy_uj == 0)
        return 0;
    int64_t later_s = row->delay_s + row->paused_s;
    if (later_s == 0)
        return row->carbon_ug;
    int64_t end_s = row->end_s ? row->end_s : ctl_now_s(c);
    if (end_s <= row->start_s)
        end_s = row->start_s + 1;
    return feed_watch_emissions_ug(c, row->start_s - later_s, end_s - later_s, row->energy_uj);
}
