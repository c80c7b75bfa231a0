/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot check: Slurm's settings, one function a matter. Pure: k->slurm and k->set in, findings
 * out. Defaults are Slurm's own.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "carnot/check.h"

static const char *_get(const struct check *k, const char *key, const char *none)
{
    return slurmconf_or(&k->slurm, key, none);
}

static int _is(const struct check *k, const char *key, const char *none, const char *value)
{
    return strcasecmp(_get(k, key, none), value) == 0;
}

/* Is Slurm itself to count watts? */
static int _native(const struct check *k)
{
    return k->set.budget.native || strcasestr(_get(k, "Licenses", ""), "watts") != NULL;
}

static void _prolog_flags(struct check *k)
{
    /* Contain, X11, RunInJob and ForceRequeueOnFail imply Alloc. */
    static const char *const words[] = {"Alloc", "Contain", "X11", "RunInJob",
                                        "ForceRequeueOnFail"};
    const char *flags = _get(k, "PrologFlags", "");

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!slurmconf_has(flags, words[i]))
            continue;
        if (i > 0 && !_is(k, "ProctrackType", "proctrack/cgroup", "proctrack/cgroup"))
            check_ok(k, "slurm.prolog",
                     "PrologFlags=%s: jobs begin at allocation; without proctrack/cgroup their "
                     "containers are not seen by carnotd",
                     flags);
        else
            check_ok(k, "slurm.prolog", "PrologFlags=%s: jobs begin at allocation", flags);
        return;
    }
    check_warn(k, "slurm.prolog",
               "PrologFlags=%s: carnotd does not see an salloc before its first step", flags);
    check_cure(k, "set PrologFlags=%s%sAlloc (Contain implies it) and restart slurmctld", flags,
               flags[0] ? "," : "");
}

static void _processes(struct check *k)
{
    const char *track = _get(k, "ProctrackType", "proctrack/cgroup");
    const char *gather = _get(k, "JobAcctGatherType", "jobacct_gather/none");
    const char *cgroups = _get(k, "CgroupPlugin", "");

    if (strcasecmp(track, "proctrack/cgroup") != 0) {
        check_warn(k, "slurm.cgroup",
                   "ProctrackType=%s: CPU time of jobs is not known, energy is shared out by "
                   "allocated CPUs alone",
                   track);
        check_cure(k, "set ProctrackType=proctrack/cgroup and restart slurmctld and slurmd");
    } else if (strcasecmp(cgroups, "cgroup/v1") == 0 &&
               strcasecmp(gather, "jobacct_gather/cgroup") != 0) {
        check_warn(k, "slurm.cgroup",
                   "JobAcctGatherType=%s with cgroup v1: jobs have no CPU account that carnotd "
                   "could read",
                   gather);
        check_cure(k, "set JobAcctGatherType=jobacct_gather/cgroup and restart slurmctld and "
                      "slurmd");
    } else {
        check_ok(k, "slurm.cgroup", "ProctrackType=%s, JobAcctGatherType=%s", track, gather);
    }
}

static void _scheduler(struct check *k)
{
    const char *type = _get(k, "SchedulerType", "sched/backfill");
    const char *parameters = _get(k, "SchedulerParameters", "");
    int licenses = slurmconf_has(parameters, "bf_licenses");
    int goes_on = slurmconf_has(parameters, "bf_continue");

    if (!_native(k)) {
        check_ok(k, "slurm.backfill",
                 "SchedulerType=%s; no watts in Slurm, so bf_licenses and "
                 "bf_continue are not needed",
                 type);
    } else if (strcasecmp(type, "sched/backfill") != 0) {
        check_error(k, "slurm.backfill",
                    "SchedulerType=%s: jobs behind one that waits for watts "
                    "never start",
                    type);
        check_cure(k, "set SchedulerType=sched/backfill and SchedulerParameters=bf_licenses,"
                      "bf_continue");
    } else if (!licenses || !goes_on) {
        check_add(k, licenses ? CHECK_WARNING : CHECK_ERROR, "slurm.backfill",
                  "SchedulerParameters=%s has no %s: %s", parameters,
                  licenses ? "bf_continue" : "bf_licenses",
                  licenses ? "each change of a begin time ends the backfill cycle"
                           : "jobs that need watts starve");
        check_cure(k, "add %s to SchedulerParameters, then scontrol reconfigure",
                   licenses  ? "bf_continue"
                   : goes_on ? "bf_licenses"
                             : "bf_licenses,bf_continue");
    } else {
        check_ok(k, "slurm.backfill", "backfill plans with licences, and goes on after changes");
    }
}

/* Can the priority age of a wait be given back? */
static void _priority(struct check *k)
{
    const char *type = _get(k, "PriorityType", "priority/basic");
    const char *plugin = _get(k, "PrioritySiteFactorPlugin", "");
    int64_t weight = slurmconf_seconds(_get(k, "PriorityWeightAge", "0"));
    int64_t age_s = slurmconf_seconds(_get(k, "PriorityMaxAge", "7-0"));

    if (strcasecmp(type, "priority/multifactor") != 0)
        check_ok(k, "slurm.priority",
                 "PriorityType=%s knows no age: waiting costs a job nothing, "
                 "and nothing is given back",
                 type);
    else if (weight == 0)
        check_ok(k, "slurm.priority",
                 "PriorityWeightAge=0: waiting costs a job nothing, and "
                 "nothing is given back");
    else if (slurmconf_has(_get(k, "PriorityFlags", ""), "ACCRUE_ALWAYS"))
        check_ok(k, "slurm.priority",
                 "PriorityFlags=ACCRUE_ALWAYS: jobs grow older while they "
                 "wait, nothing is to be given back");
    else if (plugin[0] && strcasecmp(plugin, "site_factor/none") != 0) {
        check_warn(k, "slurm.priority",
                   "PrioritySiteFactorPlugin=%s sets what the priority age of "
                   "a wait would be given back by",
                   plugin);
        check_cure(k, "leave PrioritySiteFactorPlugin out, or let jobs lose their age while they "
                      "wait");
    } else if (age_s >= 0 && k->set.policy.max_delay_ms / 1000 > age_s) {
        check_warn(k, "slurm.priority",
                   "PriorityMaxAge is %" PRId64 " s, policy.max_delay %" PRId64
                   " s: of a longer wait not all can be given back",
                   age_s, k->set.policy.max_delay_ms / 1000);
        check_cure(k, "lower policy.max_delay in carnot.yaml, or raise PriorityMaxAge");
    } else
        check_ok(k, "slurm.priority",
                 "PriorityWeightAge=%" PRId64 ": the age of a wait can be "
                 "given back",
                 weight);
}

/* What carnotctld asks of Slurm before it lets it hold budgets: each that is missing is an error.
 */
static void _native_budgets(struct check *k)
{
    const char *enforce = _get(k, "AccountingStorageEnforce", "none");
    const struct {
        int good;
        const char *key, *cure;
    } needs[] = {
        {_is(k, "AccountingStorageType", "", "accounting_storage/slurmdbd"),
         "AccountingStorageType", "accounting_storage/slurmdbd"},
        {slurmconf_has(_get(k, "AccountingStorageTRES", ""), "license/watts"),
         "AccountingStorageTRES", "license/watts, behind what is there"},
        /* all has safe in it, and safe has limits */
        {slurmconf_has(enforce, "safe") || slurmconf_has(enforce, "all"),
         "AccountingStorageEnforce", "limits,safe"},
        {_is(k, "PriorityType", "priority/basic", "priority/multifactor"), "PriorityType",
         "priority/multifactor, which alone counts use"},
        {strcasestr(_get(k, "Licenses", ""), "watts") != NULL, "Licenses",
         "watts:TOTAL, behind what is there: what jobs may draw together"},
    };
    int errors = k->errors;

    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        if (needs[i].good)
            continue;
        check_error(k, "slurm.accounting", "budget.native: %s=%s: Slurm cannot hold budgets",
                    needs[i].key, _get(k, needs[i].key, ""));
        check_cure(k, "set %s=%s, and restart slurmctld; or budget.native: false", needs[i].key,
                   needs[i].cure);
    }
    if (slurmconf_seconds(_get(k, "PriorityDecayHalfLife", "7-0")) != 0) {
        check_warn(k, "slurm.accounting",
                   "budget.native: PriorityDecayHalfLife=%s: while carnotctld "
                   "is away, what was used is forgotten",
                   _get(k, "PriorityDecayHalfLife", "7-0"));
        check_cure(k, "set PriorityDecayHalfLife=0 where fair-share does not need it");
    }
    if (k->errors == errors)
        check_ok(k, "slurm.accounting", "Slurm can hold budgets, as budget.native says");
}

static void _accounting(struct check *k)
{
    if (k->set.budget.native)
        _native_budgets(k);
    else
        check_ok(k, "slurm.accounting", "AccountingStorageType=%s; budgets are Carnot's own",
                 _get(k, "AccountingStorageType", "accounting_storage/none"));
}

/* carnotctld must see each job at least once, also one that begins and ends between two looks. */
static void _job_age(struct check *k)
{
    int64_t age_s = slurmconf_seconds(_get(k, "MinJobAge", "300"));
    int64_t poll_ms = k->set.controller.poll_ms;

    if (age_s == 0 || age_s * 1000 >= 2 * poll_ms) {
        check_ok(k, "slurm.job-age", "MinJobAge is %" PRId64 " s, controller.poll %" PRId64 " ms",
                 age_s, poll_ms);
        return;
    }
    check_error(k, "slurm.job-age",
                "MinJobAge=%" PRId64 ": Slurm forgets ended jobs before carnotctld has seen them, "
                "which looks every %" PRId64 " ms",
                age_s, poll_ms);
    check_cure(k, "set MinJobAge to 300, or controller.poll in carnot.yaml to half of MinJobAge");
}

static void _energy(struct check *k)
{
    const char *type = _get(k, "AcctGatherEnergyType", "acct_gather_energy/none");

    if (strcasecmp(type, "acct_gather_energy/none") == 0)
        check_ok(k, "slurm.energy",
                 "AcctGatherEnergyType=%s: joules are in carnot jobs, not in "
                 "sacct",
                 type);
    else if (strcasecmp(type, "acct_gather_energy/carnot") == 0)
        check_ok(k, "slurm.energy", "AcctGatherEnergyType=%s: sacct shows carnotd's joules", type);
    else
        check_ok(k, "slurm.energy",
                 "AcctGatherEnergyType=%s charges each job with its whole "
                 "nodes: sacct and carnot jobs differ on shared nodes",
                 type);
}

/* Slurm compares the files of nodes and controller itself. */
static void _same_file(struct check *k)
{
    const char *hash = _get(k, "HASH_VAL", "");

    if (hash[0] && strncasecmp(hash, "Different", 9) == 0) {
        check_warn(k, "slurm.hash", "slurm.conf differs between this machine and slurmctld");
        check_cure(k, "copy it to all machines, then scontrol reconfigure");
    }
}

void check_slurm_settings(struct check *k)
{
    static void (*const matters[])(struct check *) = {
        _prolog_flags, _processes, _scheduler, _priority,
        _accounting,   _job_age,   _energy,    _same_file,
    };

    if (k->source == CHECK_NOTHING)
        return;
    for (size_t i = 0; i < sizeof(matters) / sizeof(matters[0]); i++)
        matters[i](k);
}
