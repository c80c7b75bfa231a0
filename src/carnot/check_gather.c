/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot check: Carnot's joules in Slurm's own accounting (acct_gather_energy/carnot), which is
 * optional. Where slurm.conf names it: is it there, for this Slurm, and does Slurm make use of it?
 */
#include "config.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#include "carnot/check.h"

int check_gather_named(const struct check *k)
{
    const char *list = slurmconf_or(&k->slurm, "AcctGatherEnergyType", "");

    return slurmconf_has(list, "carnot") || slurmconf_has(list, CHECK_GATHER_TYPE);
}

/* slurmctld and slurmd look for it when they start, and end without it. */
static void _file(struct check *k)
{
    char path[PATH_MAX];

    if (check_plugin_path(k, CHECK_GATHER, path, sizeof(path)) < 0) {
        check_error(k, "plugin.file",
                    "%s is not there, but AcctGatherEnergyType names carnot: slurmctld and slurmd "
                    "will not start again",
                    path);
        check_cure(k, "install it on every node and the controller, or set "
                      "AcctGatherEnergyType=acct_gather_energy/none");
        return;
    }
    check_plugin_fits(k, path, 0, CHECK_ERROR, "AcctGatherEnergyType");
    check_secure(k, "rights.plugin", path, check_slurm_user(k));
}

/* Slurm adds up what all of them say. */
static void _alone(struct check *k)
{
    const char *list = slurmconf_or(&k->slurm, "AcctGatherEnergyType", "");

    if (!strchr(list, ','))
        return;
    check_error(k, "gather.alone",
                "AcctGatherEnergyType=%s: Slurm adds up several meters of the same joules", list);
    check_cure(k, "set AcctGatherEnergyType=" CHECK_GATHER_TYPE);
}

static void _asked(struct check *k)
{
    const char *gather = slurmconf_or(&k->slurm, "JobAcctGatherType", "jobacct_gather/none");
    const char *often = slurmconf_or(&k->slurm, "JobAcctGatherFrequency", "30");

    if (strcasecmp(gather, "jobacct_gather/none") == 0) {
        check_warn(k, "gather.jobs", "JobAcctGatherType=%s: Slurm asks for no job's energy",
                   gather);
        check_cure(k, "set JobAcctGatherType=jobacct_gather/cgroup");
    } else if (strcmp(often, "0") == 0 || slurmconf_has(often, "task=0")) {
        check_warn(k, "gather.jobs",
                   "JobAcctGatherFrequency=%s: Slurm asks for a step's energy at its end alone",
                   often);
        check_cure(k, "set JobAcctGatherFrequency=task=30");
    } else {
        check_ok(k, "gather.jobs", "%s, JobAcctGatherFrequency=%s: sstat has joules", gather,
                 often);
    }
    if (slurmconf_seconds(slurmconf_or(&k->slurm, "AcctGatherNodeFreq", "0")) <= 0) {
        check_warn(k, "gather.nodes", "AcctGatherNodeFreq=0: scontrol show node has no watts");
        check_cure(k, "set AcctGatherNodeFreq=30");
    } else {
        check_ok(k, "gather.nodes", "AcctGatherNodeFreq=%s",
                 slurmconf_or(&k->slurm, "AcctGatherNodeFreq", "0"));
    }
}

/* Without an extern step slurmctld charges a job with its srun steps, and leaves the script out. */
static void _whole_jobs(struct check *k)
{
    const char *flags = slurmconf_or(&k->slurm, "PrologFlags", "");

    if (slurmconf_has(flags, "Contain") || slurmconf_has(flags, "X11")) {
        check_ok(k, "gather.contain", "PrologFlags=%s: a job's joules are those of all of it",
                 flags);
        return;
    }
    check_warn(k, "gather.contain",
               "PrologFlags=%s: without Contain a job's own line in sacct, and sreport, count "
               "srun steps alone",
               flags);
    check_cure(k, "set PrologFlags=%s%sContain and restart slurmctld and slurmd", flags,
               flags[0] ? "," : "");
}

void check_gather(struct check *k)
{
    if (k->source == CHECK_NOTHING || !check_gather_named(k))
        return;
    _file(k);
    _alone(k);
    _asked(k);
    _whole_jobs(k);
}
