/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot check --slurm: would this slurmctld load our plugin? Its file is read first. Then
 * slurmctld's own program is run with nothing to do but print its version, and with the plugin put
 * into it by the dynamic linker, every symbol bound at once: what is missing, mismatched or
 * crashes shows in that process, and in no other.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "carnot/check.h"
#include "carnot/child.h"
#include "carnot/sofile.h"
#include "common/path.h"

#define TRIAL_TIMEOUT_MS 15000

struct trial {
    const char *file; /* name in PluginDir */
    const char *type; /* what plugin_type has to be */
    const char *host; /* the program that loads it */
    const char *built_for;
    const char *const *entries; /* what it has to export */
    int is_spank;
    const char *line; /* of slurm.conf; NULL: JobSubmitPlugins with what is there already */
};

static const char *const job_submit_entries[] = {"init",       "fini",       "plugin_name",
                                                 "job_submit", "job_modify", NULL};
static const char *const spank_entries[] = {"slurm_spank_init",       "slurm_spank_init_post_opt",
                                            "slurm_spank_job_prolog", "slurm_spank_job_epilog",
                                            "spank_plugin_version",   NULL};

static const char *const gather_entries[] = {"init",
                                             "fini",
                                             "acct_gather_energy_p_update_node_energy",
                                             "acct_gather_energy_p_get_data",
                                             "acct_gather_energy_p_set_data",
                                             "acct_gather_energy_p_conf_options",
                                             "acct_gather_energy_p_conf_set",
                                             "acct_gather_energy_p_conf_values",
                                             NULL};

static const struct trial trials[] = {
    {"job_submit_carnot.so", "job_submit/carnot", "slurmctld", SLURM_PREFIX "/sbin/slurmctld",
     job_submit_entries, 0, NULL},
    {"spank_carnot.so", "spank", "sbatch", SLURM_PREFIX "/bin/sbatch", spank_entries, 1, NULL},
    {CHECK_GATHER, CHECK_GATHER_TYPE, "slurmctld", SLURM_PREFIX "/sbin/slurmctld", gather_entries,
     0, "AcctGatherEnergyType=" CHECK_GATHER_TYPE},
};

#define N_TRIALS (sizeof(trials) / sizeof(trials[0]))

/* The program to try with: the one that runs, else the one that would. */
static void _host(const struct check *k, const struct trial *t, char *buf, size_t size)
{
    char link[64], real[PATH_MAX];
    ssize_t n;

    (void)snprintf(link, sizeof(link), "/proc/%ld/exe", (long)k->slurmctld);
    n = k->slurmctld && !t->is_spank ? readlink(link, real, sizeof(real) - 1) : -1;
    real[n > 0 ? n : 0] = '\0';
    /* a slurmctld that was replaced since it began is not what starts next */
    if (n > 0 && access(real, X_OK) == 0)
        (void)snprintf(buf, size, "%s", real);
    else
        (void)snprintf(buf, size, "%s", access(t->built_for, X_OK) == 0 ? t->built_for : t->host);
}

/* Run host -V, with the plugin in fd put into it (-1: without). 0 and *r, or -1 and e. */
static int _run(const struct check *k, const char *host, int fd, struct child_result *r,
                struct err *e)
{
    char conf[PATH_MAX + 16];
    const char *argv[] = {host, "-V", NULL};
    /* By its descriptor: a path with a blank or a colon cannot be written there. */
    const char *env[] = {"LC_ALL=C", "LD_BIND_NOW=1", conf,
                         fd >= 0 ? "LD_PRELOAD=/proc/self/fd/3" : NULL, NULL};
    const struct child_order order = {.argv = argv,
                                      .env = env,
                                      .keep_fd = fd,
                                      .timeout_ms = TRIAL_TIMEOUT_MS,
                                      .output_max = 8192};

    (void)snprintf(conf, sizeof(conf), "SLURM_CONF=%s", k->slurm_conf);
    return child_run(&order, r, e);
}

/* "/proc/self/fd/3: undefined symbol: x" with the file's own name. buf has room for both. */
static char *_readable(char *buf, size_t size, const char *text, const char *path)
{
    static const char by_number[] = "/proc/self/fd/3";
    const char *at = strstr(text, by_number);

    if (at)
        (void)snprintf(buf, size, "%.*s%s%s", (int)(at - text), text, path, at + strlen(by_number));
    else
        (void)snprintf(buf, size, "%s", text);
    return buf;
}

/* The version that host prints of itself; 0 after a finding that it does not. */
static uint32_t _host_version(struct check *k, const char *host)
{
    struct child_result r;
    struct err e = {""};
    char why[512];
    uint32_t version = 0;
    int parts;

    if (_run(k, host, -1, &r, &e) < 0) {
        check_error(k, "trial.host", "%s", e.text);
        check_cure(k, "run this where slurmctld is installed");
        return 0;
    }
    if (r.status != 0 || slurmconf_version(r.out, &version, &parts) < 0 || parts < 3) {
        version = 0;
        check_error(k, "trial.host", "%s -V says no version: %s", host,
                    child_why(&r, why, sizeof(why)));
        check_cure(k, "see that %s runs at all", host);
    }
    child_fini(&r);
    return version;
}

/* Load it. 1 it went well, 0 after a finding. */
static int _load(struct check *k, const char *host, const char *path)
{
    char why[512], text[PATH_MAX + 512];
    struct child_result r;
    struct err e = {""};
    int fd = open(path, O_RDONLY | O_CLOEXEC), ok;

    if (fd < 0 || _run(k, host, fd, &r, &e) < 0) {
        check_error(k, "trial.load", "%s: %s", path, fd < 0 ? strerror(errno) : e.text);
        check_cure(k, "run this as root where slurmctld is installed");
        if (fd >= 0)
            (void)close(fd);
        return 0;
    }
    (void)close(fd);
    /* The linker leaves out what it cannot load, with a line that says so: silence is needed. */
    ok = r.status == 0 && r.errs[0] == '\0';
    if (!ok) {
        (void)_readable(text, sizeof(text), child_why(&r, why, sizeof(why)), path);
        check_error(k, "trial.load", "%s does not load %s: %s", host, path, text);
        check_cure(k, "do not add it; install the plugin that was built for this very Slurm");
    } else {
        check_ok(k, "trial.load", "%s loads %s, every symbol of it is found", host, path);
    }
    child_fini(&r);
    return ok;
}

/* What the file says about itself. 1 good, 0 after findings. */
static int _look(struct check *k, const struct trial *t, const char *path, const struct sofile *so,
                 uint32_t slurm)
{
    char ours[32], theirs[32];
    int good = 1;

    if (strcmp(so->type, t->type) != 0) {
        check_error(k, "trial.type", "%s is of type '%s', not %s", path, so->type, t->type);
        check_cure(k, "name %s with --plugin", t->file);
        return 0;
    }
    for (const char *const *p = t->entries; *p; p++)
        if (!sofile_exports(so, *p)) {
            check_error(k, "trial.entry", "%s has no %s", path, *p);
            check_cure(k, "install it again: this is no whole build");
            good = 0;
        }
    if (!check_fits(so->version, slurm, t->is_spank)) {
        check_error(k, "plugin.release", "%s is for Slurm %s, this is %s: %s", path,
                    slurmconf_version_text(ours, sizeof(ours), so->version),
                    slurmconf_version_text(theirs, sizeof(theirs), slurm),
                    t->is_spank ? "Slurm would not load it" : "slurmctld would not start with it");
        check_cure(k, "do not add it; install Carnot's plugins for Slurm %s", theirs);
        good = 0;
    }
    return good;
}

/* Would Slurm find this very file? */
static int _in_place(struct check *k, const struct trial *t, const char *path)
{
    char found[PATH_MAX], a[PATH_MAX], b[PATH_MAX];

    if (check_plugin_path(k, t->file, found, sizeof(found)) == 0 && realpath(found, a) &&
        realpath(path, b) && strcmp(a, b) == 0)
        return 1;
    check_error(k, "trial.place", "%s is not where slurmctld looks, which is %s", path, found);
    check_cure(k, "copy it there, and check again");
    return 0;
}

static void _conclude(struct check *k, const struct trial *t, const char *path)
{
    char wanted[512];

    if (t->is_spank)
        check_say(k, "slurm.safe", "safe to add: optional %s (plugstack.conf)", path);
    else if (t->line)
        check_say(k, "slurm.safe", "safe to add: %s, once it is on every node too", t->line);
    else
        check_say(k, "slurm.safe", "safe to add: JobSubmitPlugins=%s",
                  slurmconf_put_last(wanted, sizeof(wanted),
                                     slurmconf_or(&k->slurm, "JobSubmitPlugins", ""), "carnot"));
}

static void _try(struct check *k, const struct trial *t, const char *path)
{
    char host[PATH_MAX];
    struct sofile so = {0};
    struct err e = {""};
    uint32_t slurm;
    int errors = k->errors;

    if (sofile_read(&so, path, &e) < 0) {
        check_error(k, "plugin.file", "%s", e.text);
        check_cure(k, "install it, or name another one with --plugin FILE");
        return;
    }
    check_secure(k, "rights.plugin", path, check_slurm_user(k));
    _host(k, t, host, sizeof(host));
    slurm = _host_version(k, host);
    /* What is wrong already is not run. */
    if (slurm && k->errors == errors && _look(k, t, path, &so, slurm) && _load(k, host, path) &&
        (t->is_spank || _in_place(k, t, path)))
        _conclude(k, t, path);
    sofile_fini(&so);
}

/* A file named on the command line is tried as what its name or its type says that it is. */
static const struct trial *_kind(const char *path)
{
    const struct trial *t = &trials[0];
    struct sofile so = {0};

    if (sofile_read(&so, path, NULL) == 0) {
        for (size_t i = 0; i < N_TRIALS; i++)
            t = strcmp(so.type, trials[i].type) == 0 ? &trials[i] : t;
    }
    sofile_fini(&so);
    return t;
}

void check_trial(struct check *k, const char *plugin)
{
    char path[PATH_MAX];

    if (plugin) {
        _try(k, _kind(plugin), plugin);
        return;
    }
    for (size_t i = 0; i < N_TRIALS; i++) {
        int there = check_plugin_path(k, trials[i].file, path, sizeof(path)) == 0;

        /* a site may do without it */
        if (there || !trials[i].line)
            _try(k, &trials[i], path);
    }
}
