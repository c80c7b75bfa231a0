/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users by setresuid(), which glibc carries to all threads; capabilities by libcap, for this thread
 * alone: the kernel takes all of them from the others when they cease to be root.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carnotd/rights.h"
#include "common/log.h"
#include "common/path.h"

/* The account: its group, and the groups that a site gave it (GPUs' devices). */
static int _become_in_part(struct rights *r, struct err *e)
{
    const struct passwd *pw = getpwuid(r->uid);

    if (!pw)
        return err_set(e, "node.user: uid %u has no account on this host", (unsigned)r->uid);
    r->gid = pw->pw_gid;
    if (initgroups(pw->pw_name, pw->pw_gid) < 0 || setresgid(pw->pw_gid, 0, 0) < 0 ||
        setresuid(r->uid, 0, 0) < 0)
        return err_set(e,
                       "cannot become user %s: %s: give carnotd CAP_SETUID and CAP_SETGID, or set "
                       "node.user: root",
                       pw->pw_name, strerror(errno));
    r->drops = true;
    return 0;
}

/* What could be had by running something. Without CAP_SETPCAP the set stays as it was, and is of no
 * use: new privileges are off. */
static void _empty_bounding_set(void)
{
    for (cap_value_t cap = 0; cap_get_bound(cap) >= 0; cap++) {
        if (cap != CAP_PERFMON)
            (void)cap_drop_bound(cap);
    }
}

int rights_begin(struct rights *r, const struct settings *s, bool forgives, struct err *e)
{
    *r = (struct rights){.uid = geteuid(), .gid = getegid(), .forgives = forgives};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_errno(e, "cannot do without new privileges");
    if (settings_node_uid(s, &r->uid, e) < 0)
        return -1;
    if (geteuid() != 0) {
        if (s->node.user[0] && r->uid != geteuid())
            return err_set(e, "node.user is %s, but this runs as uid %u: start it as root",
                           s->node.user, (unsigned)geteuid());
        r->uid = geteuid();
        return 0;
    }
    if (r->uid == 0) {
        if (!s->node.user[0])
            log_info("running as root: there is no system account carnot (see node.user)");
        return 0;
    }
    _empty_bounding_set();
    return _become_in_part(r, e);
}

/* One of carnotd's files, as root left it: nobody else has a name for it. */
static int _is_ours(int dir, const char *name, const char *const names[])
{
    struct stat st;

    for (int i = 0; names[i]; i++) {
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
                   st.st_nlink == 1 && st.st_uid == 0;
    }
    return 0;
}

/* Look at all that is in there, or give it away: nobody but root could have put it there. */
static int _each_file(const struct rights *r, const char *path, const char *const names[],
                      bool give, struct err *e)
{
    DIR *d = opendir(path);
    const struct dirent *entry;
    int rc = 0;

    if (!d)
        return err_errno(e, "cannot list %s", path);
    while (rc == 0 && (entry = readdir(d))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (!_is_ours(dirfd(d), entry->d_name, names))
            rc = err_set(e,
                         "%s is root's and holds %s, which is not carnotd's: name a directory of "
                         "carnotd's own, or give it this one (chown)",
                         path, entry->d_name);
        else if (give && fchownat(dirfd(d), entry->d_name, r->uid, r->gid, AT_SYMLINK_NOFOLLOW) < 0)
            rc = err_errno(e, "cannot give %s/%s to carnotd's user", path, entry->d_name);
    }
    (void)closedir(d);
    return rc;
}

/* The directory comes last: killed before that, all is done again. */
static int _hand_over(const struct rights *r, const char *path, const char *const names[],
                      struct err *e)
{
    if (_each_file(r, path, names, false, e) < 0 || _each_file(r, path, names, true, e) < 0)
        return -1;
    if (lchown(path, r->uid, r->gid) < 0)
        return err_errno(e, "cannot give %s to carnotd's user", path);
    return 0;
}

/* What is above it has to let the user through. */
static int _make(const char *path, struct err *e)
{
    char above[SETTINGS_PATH_MAX];
    char *slash;

    if (path_format(above, sizeof(above), "%s", path) < 0)
        return err_errno(e, "cannot make directory %s", path);
    slash = strrchr(above, '/');
    if (slash && slash != above) {
        *slash = '\0';
        if (path_mkdirs(above, 0755, e) < 0)
            return -1;
    }
    return path_mkdirs(path, 0750, e);
}

int rights_directory(const struct rights *r, const char *path, const char *const names[],
                     struct err *e)
{
    struct stat st;

    if (_make(path, e) < 0)
        return -1;
    if (path_is_secure(path, r->uid, e) == 0) {
        if (!r->forgives)
            return -1;
        log_warn("%s", e->text);
    }
    if (stat(path, &st) < 0)
        return err_errno(e, "cannot look at %s", path);
    return r->drops && st.st_uid == 0 ? _hand_over(r, path, names, e) : 0;
}

int rights_socket_directory(const struct rights *r, const char *socket, struct err *e)
{
    char dir[SETTINGS_PATH_MAX];
    struct stat st;
    char *slash;

    if (path_format(dir, sizeof(dir), "%s", socket) < 0)
        return err_errno(e, "socket %s", socket);
    slash = strrchr(dir, '/');
    if (!slash || slash == dir)
        return 0;
    *slash = '\0';
    if (stat(dir, &st) == 0)
        return 0;
    if (path_mkdirs(dir, 0755, e) < 0)
        return -1;
    if (r->drops && lchown(dir, r->uid, r->gid) < 0)
        return err_errno(e, "cannot give %s to carnotd's user", dir);
    return 0;
}

void rights_enter(const struct rights *r)
{
    if (r->drops && setegid(r->gid) == 0)
        (void)!seteuid(r->uid);
}

void rights_leave(const struct rights *r)
{
    int saved = errno;

    if (r->drops && seteuid(0) == 0)
        (void)!setegid(0);
    errno = saved;
}

/* CAP_PERFMON and no other, where it is had. 0, 1 with it, or -1. */
static int _keep_perfmon(bool had)
{
    const cap_value_t perfmon = CAP_PERFMON;
    cap_t caps = cap_init();
    int rc = -1;

    if (caps && (!had || (cap_set_flag(caps, CAP_PERMITTED, 1, &perfmon, CAP_SET) == 0 &&
                          cap_set_flag(caps, CAP_EFFECTIVE, 1, &perfmon, CAP_SET) == 0)))
        rc = cap_set_proc(caps);
    (void)cap_free(caps);
    return rc < 0 ? -1 : had;
}

static bool _has_perfmon(void)
{
    cap_flag_value_t value = CAP_CLEAR;
    cap_t caps = cap_get_proc();

    if (caps)
        (void)cap_get_flag(caps, CAP_PERFMON, CAP_PERMITTED, &value);
    (void)cap_free(caps);
    return value == CAP_SET;
}

int rights_drop(struct rights *r, struct err *e)
{
    bool perfmon = _has_perfmon();
    uid_t real, effective, saved;

    if (!r->drops)
        return 0;
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setresgid(r->gid, r->gid, r->gid) < 0 ||
        setresuid(r->uid, r->uid, r->uid) < 0 || _keep_perfmon(perfmon) < 0 ||
        prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
        return err_errno(e, "cannot give up root's rights");
    if (getresuid(&real, &effective, &saved) < 0 || real != r->uid || effective != r->uid ||
        saved != r->uid || setuid(0) == 0)
        return err_set(e, "root's rights did not go away");
    r->perfmon = perfmon;
    log_info("running as uid %u, gid %u, %s", (unsigned)r->uid, (unsigned)r->gid,
             perfmon ? "with CAP_PERFMON" : "without capabilities");
    return 0;
}
