/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot check: JobSubmitPlugins, plugstack.conf, and the plugins' files, which are read and not
 * loaded.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "carnot/check.h"
#include "carnot/sofile.h"
#include "common/path.h"

#define JOB_SUBMIT "job_submit_carnot.so"
#define SPANK "spank_carnot.so"
#define RELEASE_MASK 0xffff00u /* major.minor: all that Slurm asks of SPANK plugins */

int check_fits(uint32_t built_for, uint32_t slurm, int is_spank)
{
    uint32_t mask = is_spank ? RELEASE_MASK : 0xffffffu;

    return (built_for & mask) == (slurm & mask);
}

void check_plugin_fits(struct check *k, const char *path, int is_spank, enum check_level level,
                       const char *named_in)
{
    const char *running = slurmconf_get(&k->slurm, "SLURM_VERSION");
    char ours[32], theirs[32];
    struct sofile so;
    struct err e = {""};
    uint32_t slurm;
    int parts;

    if (sofile_read(&so, path, &e) < 0) {
        check_add(k, level, "plugin.file", "%s", e.text);
        check_cure(k, "install it again");
        return;
    }
    if (!running || slurmconf_version(running, &slurm, &parts) < 0) {
        check_ok(k, "plugin.release", "%s is for Slurm %s", path,
                 slurmconf_version_text(ours, sizeof(ours), so.version));
    } else if (!check_fits(so.version, slurm, is_spank)) {
        check_add(k, level, "plugin.release", "%s is for Slurm %s, %s runs: %s", path,
                  slurmconf_version_text(ours, sizeof(ours), so.version),
                  slurmconf_version_text(theirs, sizeof(theirs), slurm),
                  is_spank ? "Slurm does not load it" : "slurmctld will not start again");
        check_cure(k, "install Carnot's plugins for Slurm %s; until then take carnot out of %s",
                   theirs, named_in);
    } else {
        check_ok(k, "plugin.release", "%s is for Slurm %s, which runs", path,
                 slurmconf_version_text(ours, sizeof(ours), so.version));
    }
    if (so.release[0] && strcmp(so.release, PACKAGE_VERSION) != 0) {
        check_warn(k, "carnot.version", "%s is of Carnot %s, this command of %s", path, so.release,
                   PACKAGE_VERSION);
        check_cure(k, "install the same release of all of Carnot's packages on this machine");
    }
    sofile_fini(&so);
}

/* Has the running slurmctld the file that is installed? */
static void _loaded(struct check *k, const char *path)
{
    char loaded[PATH_MAX], real[PATH_MAX];
    int deleted = 0;
    int rc = check_slurmctld_loaded(k, JOB_SUBMIT, loaded, sizeof(loaded), &deleted);

    if (rc < 0)
        check_ok(k, "jobsubmit.loaded",
                 "which plugin slurmctld has loaded cannot be seen from "
                 "here");
    else if (rc == 0) {
        check_error(k, "jobsubmit.loaded", "slurmctld has not loaded %s", JOB_SUBMIT);
        check_cure(k, "see its log for the reason, then: systemctl restart slurmctld");
    } else if (deleted || !realpath(path, real) || strcmp(loaded, real) != 0) {
        check_warn(k, "jobsubmit.loaded", "slurmctld runs with %s%s, installed is %s", loaded,
                   deleted ? " as it was before it was replaced" : "", path);
        check_cure(k, "carnot check --slurm, then: systemctl restart slurmctld");
    } else
        check_ok(k, "jobsubmit.loaded", "slurmctld has loaded %s", loaded);
}

static void _order(struct check *k, const char *list)
{
    char wanted[512];

    (void)slurmconf_put_last(wanted, sizeof(wanted), list, "carnot");
    if (slurmconf_is_last(list, "carnot") && strlen(wanted) == strlen(list)) {
        check_ok(k, "jobsubmit.order", "JobSubmitPlugins=%s", list);
        return;
    }
    check_warn(
        k, "jobsubmit.order",
        "JobSubmitPlugins=%s: carnot has to be last, and once, to see what the others change",
        list);
    check_cure(k, "set JobSubmitPlugins=%s, then scontrol reconfigure", wanted);
}

void check_job_submit(struct check *k)
{
    const char *list = slurmconf_or(&k->slurm, "JobSubmitPlugins", "");
    char path[PATH_MAX], wanted[512];
    int there;

    if (k->source == CHECK_NOTHING)
        return;
    there = check_plugin_path(k, JOB_SUBMIT, path, sizeof(path)) == 0;
    if (!slurmconf_has(list, "carnot")) {
        check_warn(k, "jobsubmit", "JobSubmitPlugins=%s: without carnot no submission is decided",
                   list);
        check_cure(k, "carnot check --slurm, then set JobSubmitPlugins=%s",
                   slurmconf_put_last(wanted, sizeof(wanted), list, "carnot"));
        if (there)
            check_plugin_fits(k, path, 0, CHECK_WARNING, "JobSubmitPlugins");
        return;
    }
    _order(k, list);
    if (!there) {
        check_error(k, "plugin.file",
                    "%s is not there, but JobSubmitPlugins names carnot: "
                    "slurmctld will not start again",
                    path);
        check_cure(k, "install it, or take carnot out of JobSubmitPlugins");
        return;
    }
    check_plugin_fits(k, path, 0, CHECK_ERROR, "JobSubmitPlugins");
    check_secure(k, "rights.plugin", path, check_slurm_user(k));
    if (k->source == CHECK_RUNNING)
        _loaded(k, path);
}

/* Does SPANK tell carnotd where carnotd listens? */
static void _socket(struct check *k, const struct plugstack_entry *entry)
{
    char given[PATH_MAX];
    const char *said = plugstack_arg(entry, "socket", given, sizeof(given));

    if (!k->configured)
        return;
    if (!said)
        said = "/run/carnot/carnotd.sock";
    if (strcmp(said, k->set.node.socket) == 0) {
        check_ok(k, "plugstack.socket", "SPANK and carnotd meet at %s", said);
        return;
    }
    check_warn(k, "plugstack.socket", "%s:%d: SPANK talks to %s, carnotd listens at %s",
               entry->file, entry->number, said, k->set.node.socket);
    check_cure(k, "put socket=%s behind the plugin there, or set node.socket in carnot.yaml",
               k->set.node.socket);
}

static void _entry(struct check *k, const struct plugstack_entry *entry)
{
    enum check_level level = entry->required ? CHECK_ERROR : CHECK_WARNING;
    char path[PATH_MAX];

    check_ok(k, "plugstack", "%s:%d loads %s", entry->file, entry->number, entry->plugin);
    if (entry->required) {
        check_warn(k, "plugstack.required", "%s:%d: required: jobs fail where it cannot be loaded",
                   entry->file, entry->number);
        check_cure(k, "write optional instead of required");
    }
    _socket(k, entry);
    if (check_plugin_path(k, entry->plugin, path, sizeof(path)) < 0) {
        check_add(k, level, "plugin.file", "%s is not there, but %s:%d names it", path, entry->file,
                  entry->number);
        check_cure(k, "install it on every machine where jobs are submitted or run, or correct "
                      "the path");
        return;
    }
    check_plugin_fits(k, path, 1, level, "plugstack.conf");
    check_secure(k, "rights.plugin", path, check_slurm_user(k));
}

/* EAR sets frequencies and caps itself; that it is there is to be known before Carnot does. */
static void _others(struct check *k, const struct plugstack *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const char *slash = strrchr(p->entries[i].plugin, '/');
        const char *name = slash ? slash + 1 : p->entries[i].plugin;

        if (strncmp(name, "ear", 3) == 0)
            check_ok(k, "others.caps",
                     "%s:%d loads %s: EAR sets frequencies and power caps, "
                     "Carnot leaves them alone",
                     p->entries[i].file, p->entries[i].number, name);
    }
}

/* The path that Slurm takes: beside slurm.conf unless that says otherwise. */
static int _plugstack_path(const struct check *k, char *buf, size_t size)
{
    const char *given = slurmconf_get(&k->slurm, "PlugStackConfig");
    const char *slash = strrchr(k->slurm_conf, '/');

    if (given)
        return path_format(buf, size, "%s", given);
    if (!slash)
        return path_format(buf, size, "/etc/slurm/plugstack.conf");
    return path_format(buf, size, "%.*s/plugstack.conf", (int)(slash - k->slurm_conf),
                       k->slurm_conf);
}

void check_plugstack(struct check *k)
{
    struct plugstack p = {0};
    struct err e = {""};
    const struct plugstack_entry *entry;
    char path[PATH_MAX];

    if (k->source == CHECK_NOTHING || _plugstack_path(k, path, sizeof(path)) < 0)
        return;
    if (plugstack_read(&p, path, &e) < 0 && errno != ENOENT) {
        check_error(k, "plugstack", "%s", e.text);
        check_cure(k, "correct that line: Slurm's commands may refuse to run with it");
        return;
    }
    entry = plugstack_find(&p, 0, SPANK);
    if (!entry) {
        check_warn(k, "plugstack",
                   "%s does not load %s: users have no flags, and carnotd is not "
                   "told when jobs begin and end",
                   path, SPANK);
        check_cure(k,
                   "write into it: optional %s, on every machine where jobs are submitted or "
                   "run",
                   SPANK);
    } else {
        check_secure(k, "rights.plugstack", path, check_slurm_user(k));
        _entry(k, entry);
        entry = plugstack_find(&p, (size_t)(entry - p.entries) + 1, SPANK);
        if (entry) {
            check_warn(k, "plugstack.twice", "%s:%d loads %s a second time", entry->file,
                       entry->number, entry->plugin);
            check_cure(k, "remove that line");
        }
    }
    _others(k, &p);
    plugstack_fini(&p);
}
