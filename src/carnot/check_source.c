/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot check: carnot.yaml, slurm.conf, and what can be seen of the running slurmctld. libslurm
 * ends its process where there is no slurm.conf, and waits long for a slurmctld that is away: it
 * lives in a helper (slurm_facts.c), so that neither reaches us, nor its load time other commands.
 */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "carnot/check.h"
#include "common/path.h"
#include "common/user.h"

#define FACTS_MAX_BYTES (8u << 20)
#define PROC_MAX_BYTES (1u << 20)

void check_settings(struct check *k)
{
    struct err e = {""};

    settings_init(&k->set);
    if (settings_load(&k->set, k->conf_path, &e) < 0) {
        check_error(k, "carnot.conf", "%s", e.text);
        check_cure(k, "write it (an example is installed with Carnot's documentation), or name it "
                      "with --conf FILE or CARNOT_CONF");
        return;
    }
    k->configured = 1;
    check_ok(k, "carnot.conf", "%s is valid", k->conf_path);
    if (settings_controller_uid(&k->set, &k->owner, &e) < 0) {
        check_error(k, "carnot.user", "%s: %s", k->conf_path, e.text);
        check_cure(k, "set controller.user to a user of this machine");
        k->owner = 0;
    }
}

/* Where Slurm looks for its file. "" when there is none. */
static void _find_file(struct check *k)
{
    static const char *const places[] = {"/etc/slurm/slurm.conf", "/etc/slurm-llnl/slurm.conf",
                                         "/run/slurm/conf/slurm.conf"};
    const char *named = getenv("SLURM_CONF");

    if (named && named[0]) {
        (void)path_format(k->slurm_conf, sizeof(k->slurm_conf), "%s", named);
        return;
    }
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (access(places[i], R_OK) == 0) {
            (void)path_format(k->slurm_conf, sizeof(k->slurm_conf), "%s", places[i]);
            return;
        }
}

int check_facts(const char *program, const char *a, const char *b, struct child_result *r,
                struct err *e)
{
    char path[PATH_MAX], why[256];
    const char *argv[] = {path, a, b, NULL};
    const struct child_order order = {.argv = argv,
                                      .keep_fd = -1,
                                      .timeout_ms = CHECK_FACTS_S * 1000,
                                      .output_max = FACTS_MAX_BYTES};

    if (child_find(path, sizeof(path), program, "", PKGLIBEXECDIR) < 0)
        return err_set(e, "%s/%s is not installed", PKGLIBEXECDIR, program);
    if (child_run(&order, r, e) < 0)
        return -1;
    if (r->status == 0)
        return 0;
    (void)err_set(e, "%s", child_why(r, why, sizeof(why)));
    child_fini(r);
    return -1;
}

/* Ask slurmctld. 0 or -1 and e. */
static int _ask(struct check *k, struct err *e)
{
    struct child_result r;
    int rc;

    if (check_facts("carnot-slurm-facts", "config", NULL, &r, e) < 0)
        return -1;
    rc = slurmconf_parse_shown(&k->slurm, r.out, strlen(r.out), e);
    child_fini(&r);
    return rc;
}

/* Is the process called slurmctld? */
static int _is_slurmctld(pid_t pid)
{
    char path[64], *text;
    size_t size;
    int is;

    (void)snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
    if (path_read(path, 64, &text, &size, NULL) < 0)
        return 0;
    is = strncmp(text, "slurmctld", 9) == 0;
    free(text);
    return is;
}

/* By its pid file; slurmctld writes one in the foreground too. */
static pid_t _find_slurmctld(const struct check *k)
{
    const char *path = slurmconf_or(&k->slurm, "SlurmctldPidFile", "/var/run/slurmctld.pid");
    size_t size;
    char *text;
    long pid;

    if (path_read(path, 64, &text, &size, NULL) < 0)
        return 0;
    pid = strtol(text, NULL, 10);
    free(text);
    return pid > 1 && pid <= INT_MAX && _is_slurmctld((pid_t)pid) ? (pid_t)pid : 0;
}

/* What slurmctld runs with and what its file says may differ until it reads the file again. */
static void _compare(struct check *k)
{
    static const char *const keys[] = {"JobSubmitPlugins", "PlugStackConfig", "PluginDir"};
    struct slurmconf file = {0};
    struct err e = {""};

    if (slurmconf_read(&file, k->slurm_conf, &e) < 0) {
        check_warn(k, "slurm.conf", "slurmctld answers, but its file cannot be read here: %s",
                   e.text);
        check_cure(k, "name the file with SLURM_CONF, and run this as root");
        return;
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *written = slurmconf_get(&file, keys[i]);
        const char *runs = slurmconf_or(&k->slurm, keys[i], "");

        if (!written ? strcmp(keys[i], "JobSubmitPlugins") != 0 || !runs[0]
                     : strcmp(written, runs) == 0)
            continue;
        check_warn(k, "slurm.reread", "%s says %s=%s, slurmctld runs with '%s'", k->slurm_conf,
                   keys[i], written ? written : "", runs);
        check_cure(k, "scontrol reconfigure; before 23.11 restart slurmctld where that does not "
                      "help");
    }
    slurmconf_fini(&file);
}

/* What the file says, where slurmctld does not. */
static void _read(struct check *k)
{
    struct err e = {""};

    if (!k->slurm_conf[0]) {
        check_error(k, "slurm.conf", "no slurm.conf: not in /etc/slurm, and SLURM_CONF is not set");
        check_cure(k, "run this on the controller, or set SLURM_CONF");
    } else if (slurmconf_read(&k->slurm, k->slurm_conf, &e) < 0) {
        check_error(k, "slurm.conf", "%s", e.text);
        check_cure(k, "correct that line, or name another file with SLURM_CONF");
    } else {
        k->source = CHECK_FILE;
    }
}

void check_slurm_source(struct check *k)
{
    struct err e = {""};

    _find_file(k);
    if (k->no_munge) {
        /* libslurm would try for half a minute */
        check_warn(k, "slurm.answers", "slurmctld was not asked, since munge does not work here");
        check_cure(k, "what follows is from its file");
        _read(k);
    } else if (_ask(k, &e) < 0 && k->may_be_down) {
        check_ok(k, "slurm.answers", "slurmctld does not answer, its file is read: %s", e.text);
        _read(k);
    } else if (e.text[0]) {
        check_error(k, "slurm.answers", "slurmctld does not answer: %s", e.text);
        check_cure(k, "is it running? (systemctl status slurmctld); what follows is from its file");
        _read(k);
    } else {
        const char *own = slurmconf_get(&k->slurm, "SLURM_CONF");

        k->source = CHECK_RUNNING;
        if (own && !k->slurm_conf[0])
            (void)path_format(k->slurm_conf, sizeof(k->slurm_conf), "%s", own);
        check_ok(k, "slurm.answers", "slurmctld answers: Slurm %s, cluster %s",
                 slurmconf_or(&k->slurm, "SLURM_VERSION", "?"),
                 slurmconf_or(&k->slurm, "ClusterName", "?"));
        _compare(k);
    }
    k->slurmctld = _find_slurmctld(k);
}

int check_slurmctld_environ(const struct check *k, const char *name, char *buf, size_t size)
{
    char path[64], *text;
    size_t n = strlen(name), total;
    int found = 0;

    (void)snprintf(path, sizeof(path), "/proc/%ld/environ", (long)k->slurmctld);
    if (!k->slurmctld || path_read(path, PROC_MAX_BYTES, &text, &total, NULL) < 0)
        return -1;
    for (const char *p = text; p < text + total && !found; p += strlen(p) + 1)
        if (strncmp(p, name, n) == 0 && p[n] == '=')
            found = path_format(buf, size, "%s", p + n + 1) == 0;
    free(text);
    return found;
}

int check_maps_find(const char *maps, const char *name, char *buf, size_t size, int *deleted)
{
    static const char gone[] = " (deleted)";
    size_t name_n = strlen(name), gone_n = strlen(gone);

    for (const char *line = maps; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t n = strcspn(line, "\n");
        const char *path = memchr(line, '/', n), *end = line + n;

        if (!path)
            continue;
        *deleted = (size_t)(end - path) > gone_n && memcmp(end - gone_n, gone, gone_n) == 0;
        end -= *deleted ? gone_n : 0;
        if ((size_t)(end - path) <= name_n || end[-(ptrdiff_t)name_n - 1] != '/' ||
            memcmp(end - name_n, name, name_n) != 0)
            continue;
        (void)snprintf(buf, size, "%.*s", (int)(end - path), path);
        return 1;
    }
    return 0;
}

int check_slurmctld_loaded(const struct check *k, const char *name, char *buf, size_t size,
                           int *deleted)
{
    char path[64], *text;
    size_t total;
    int rc;

    (void)snprintf(path, sizeof(path), "/proc/%ld/maps", (long)k->slurmctld);
    if (!k->slurmctld || path_read(path, PROC_MAX_BYTES, &text, &total, NULL) < 0)
        return -1;
    rc = check_maps_find(text, name, buf, size, deleted);
    free(text);
    return rc;
}

uid_t check_slurm_user(const struct check *k)
{
    const char *text = slurmconf_or(&k->slurm, "SlurmUser", "root");
    size_t n = strcspn(text, "(");
    char name[SETTINGS_NAME_MAX];
    uid_t uid;

    /* "slurm(64030)" where slurmctld shows it */
    (void)snprintf(name, sizeof(name), "%.*s", (int)n, text);
    if (user_uid(name, &uid) == 0)
        return uid;
    text += text[n] ? n + 1 : 0;
    return isdigit((unsigned char)*text) ? (uid_t)strtoul(text, NULL, 10) : 0;
}

int check_plugin_path(const struct check *k, const char *name, char *buf, size_t size)
{
    const char *dirs = slurmconf_or(&k->slurm, "PluginDir", SLURMPLUGINDIR);
    char first[PATH_MAX] = "";

    if (name[0] == '/')
        return path_format(buf, size, "%s", name) == 0 && access(buf, F_OK) == 0 ? 0 : -1;
    for (const char *p = dirs; *p; p += strspn(p, ":")) {
        size_t n = strcspn(p, ":");

        if (path_format(buf, size, "%.*s/%s", (int)n, p, name) == 0 && access(buf, F_OK) == 0)
            return 0;
        if (!first[0])
            (void)path_format(first, sizeof(first), "%.*s/%s", (int)n, p, name);
        p += n;
    }
    (void)path_format(buf, size, "%s", first);
    return -1;
}
