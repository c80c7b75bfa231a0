/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "carnotctld/runs.h"
#include "carnotctld/site_load.h"
#include "carnotctld/tracker.h"
#include "common/log.h"
#include "placement/allowance.h"
#include "placement/pause_rule.h"
#include "placement/scenarios.h"

#define KEY "site_load"
#define WEEK_H 168

int64_t site_load_slot_s(const struct ctl *c)
{
    return min64(PAUSE_HOUR_S, 4 * c->board.head.slot_s);
}

static double all_cpus(const struct snapshot *s)
{
    double most = s->cpus;
    for (size_t i = 0; s->cpus == 0 && i < s->n_parts; i++)
        most = fmax(most, (double)s->parts[i].nodes * (double)s->parts[i].cpus_per_node);
    return most;
}

/* What a pending job is likely to need, with what a paused one has run taken off. */
static double needs_cpu_s(const struct ctl *c, const struct slurm_job *job,
                          const struct ledger_job *row)
{
    struct placement_job pj;
    struct placement_price price;
    struct scenarios s;
    tracker_placement_job(job, &pj);
    placement_price(&c->board, &pj, &price);
    scenarios_of(&c->board, &pj, &price, &s);
    int64_t ran_s = row && row->pauses > 0 ? row->ran_s : 0;
    int64_t left_s = price.limit_s > ran_s ? min64(price.limit_s - ran_s, SCENARIOS_LIMIT_S) : 1;
    return (double)scenarios_left(s.length_s, s.n, ran_s, left_s) * price.cpus * pj.tasks;
}

static int read_back(const char *key, const char *value, void *arg)
{
    struct ctl_load *l = arg;
    long long until;
    double used;
    if (strcmp(key, KEY) == 0 && sscanf(value, "%lld %lf", &until, &used) == 2 && until > 0 &&
        isfinite(used) && used >= 0) {
        l->used_until = until;
        l->used_cpus = used;
    }
    return 0;
}

/* The simulator's mean: an hour more of 168. Now stands for hours in which nobody looked. A job
 * that is paused uses nothing, so that what runs just now says little. */
static void mean(struct ctl *c, double now_cpus, int64_t hour)
{
    struct ctl_load *l = &c->load;
    struct err e = {.text = ""};
    char value[64];
    if (l->used_until == 0 && ledger_kv_each(c->ledger, KEY, read_back, l, &e) < 0)
        log_err("ledger: %s", e.text);
    if (l->used_until == 0 || l->used_until > hour)
        *l = (struct ctl_load){.used_cpus = now_cpus, .used_until = hour - 1};
    if (l->used_until == hour)
        return;
    double stays = pow(1 - 1.0 / WEEK_H, (double)(hour - l->used_until));
    l->used_cpus = now_cpus + (l->used_cpus - now_cpus) * stays;
    l->used_until = hour;
    snprintf(value, sizeof(value), "%lld %.17g", (long long)hour, l->used_cpus);
    if (ledger_kv_set(c->ledger, KEY, value, &e) < 0)
        log_err("ledger: %s", e.text);
}

static void look(struct ctl *c, int64_t now_s)
{
    struct pause_site site = {.cpus = all_cpus(c->snap)};
    struct series believed = board_series(&c->board);
    int64_t slot_s = site_load_slot_s(c);
    double running = 0;
    for (size_t i = 0, at = 0; i < c->snap->n_jobs; i++) {
        const struct slurm_job *job = &c->snap->jobs[i];
        if (job->phase == PHASE_RUNNING)
            running += job->cpus;
        else if (job->phase == PHASE_PENDING && !job->held)
            site.queued_cpu_s += needs_cpu_s(c, job, runs_newest_along(c, &at, job->job_id));
    }
    mean(c, running, now_s / slot_s);
    site.used_cpus = c->load.used_cpus;
    c->load.threshold = pause_rule_threshold(&believed, now_s, slot_s, believed.end_s, &site);
    c->load.looked_s = now_s;
    c->load.version = c->feed_version;
    log_debug("threshold %.1f g/kWh: %.0f of %.0f CPUs in use, %.0f CPU hours queued",
              c->load.threshold, site.used_cpus, site.cpus, site.queued_cpu_s / PAUSE_HOUR_S);
}

double site_load_threshold(struct ctl *c)
{
    int64_t now_s = ctl_now_s(c), age_s = now_s - c->load.looked_s;
    if (c->load.looked_s == 0 || c->load.version != c->feed_version || age_s < 0 ||
        age_s >= site_load_slot_s(c) / 60)
        look(c, now_s);
    return c->load.threshold;
}
