/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot check --upgrade: which plugins a Slurm of another release would load, and in which order
 * to change what. A job_submit plugin that is missing or of another release is fatal to slurmctld.
 */
#include "config.h"

#include <limits.h>
#include <stdio.h>

#include "carnot/check.h"
#include "carnot/sofile.h"

static const char job_submit[] = "job_submit_carnot.so", spank[] = "spank_carnot.so";

/* Does the plugin fit? level: of a finding that it does not. Of a job_submit plugin Slurm wants all
 * three numbers, and of two alone not all can be told. 1, 0. */
static int _fits(struct check *k, const char *name, int is_spank, enum check_level level,
                 uint32_t version, int parts, const char *text)
{
    char path[PATH_MAX], ours[32];
    struct sofile so = {0};
    struct err e = {""};
    int fits;

    (void)check_plugin_path(k, name, path, sizeof(path));
    if (sofile_read(&so, path, &e) < 0) {
        check_add(k, level, "plugin.file", "%s", e.text);
        check_cure(k, "install Carnot's plugins for Slurm %s", text);
        return 0;
    }
    (void)slurmconf_version_text(ours, sizeof(ours), so.version);
    fits = check_fits(so.version, version, is_spank || parts < 3);
    if (!fits) {
        check_add(k, level, "upgrade.plugin", "%s is for Slurm %s: %s", path, ours,
                  is_spank ? "a Slurm of that release does not load it"
                           : "a slurmctld of that release does not start with it");
        check_cure(k, "install Carnot's plugins for Slurm %s in the same step as Slurm itself",
                   text);
    } else if (!is_spank && parts < 3) {
        check_warn(k, "upgrade.plugin",
                   "%s is for Slurm %s, and no other %u.%02u: slurmctld wants "
                   "all three numbers",
                   path, ours, version >> 16, version >> 8 & 0xff);
        check_cure(k, "ask again with the whole number: carnot check --upgrade %s", ours);
    } else {
        check_ok(k, "upgrade.plugin", "%s is for Slurm %s: it fits", path, ours);
    }
    sofile_fini(&so);
    return fits;
}

/* As docs/admin.md has it. */
static void _steps(struct check *k, const char *text)
{
    const char *list = slurmconf_or(&k->slurm, "JobSubmitPlugins", "");
    char with[512], without[512];
    int named = slurmconf_has(list, "carnot"), n = 1;

    (void)slurmconf_put_last(with, sizeof(with), list, "carnot");
    (void)slurmconf_without(without, sizeof(without), list, "carnot");
    if (named)
        check_say(k, "upgrade.step",
                  "%d. JobSubmitPlugins=%s; scontrol reconfigure: jobs pass "
                  "unchanged, those that wait keep their begin times",
                  n++, without);
    check_say(k, "upgrade.step",
              "%d. upgrade Slurm to %s, slurmdbd first, and install Carnot's "
              "plugins for it",
              n++, text);
    check_say(k, "upgrade.step", "%d. carnot check --slurm: it has to say that they are safe", n++);
    check_say(k, "upgrade.step", "%d. %s%s%srestart carnotctld, which uses libslurm", n++,
              named ? "JobSubmitPlugins=" : "", named ? with : "",
              named ? "; scontrol reconfigure; " : "");
    check_say(k, "upgrade.step",
              "%d. slurmd, and %s, on nodes and login nodes, in any order: it is "
              "optional in plugstack.conf",
              n, spank);
}

int check_upgrade(struct check *k, const char *text)
{
    enum check_level level;
    uint32_t version;
    int parts, fits;

    if (text[0] < '0' || text[0] > '9' || slurmconf_version(text, &version, &parts) < 0)
        return -1;
    level = slurmconf_has(slurmconf_or(&k->slurm, "JobSubmitPlugins", ""), "carnot")
                ? CHECK_ERROR
                : CHECK_WARNING;
    fits = _fits(k, job_submit, 0, level, version, parts, text);
    fits &= _fits(k, spank, 1, CHECK_WARNING, version, parts, text);
    if (check_gather_named(k))
        fits &= _fits(k, CHECK_GATHER, 0, CHECK_ERROR, version, parts, text);
    if (fits)
        check_say(k, "upgrade.fits", "the plugins fit Slurm %s%s", text,
                  parts < 3 ? ", if the last number is the same" : "");
    else
        _steps(k, text);
    return 0;
}
