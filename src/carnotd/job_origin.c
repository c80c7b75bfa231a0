/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a cgroup directory to a process, and from there up to slurmstepd. Only
 * for jobs that nobody announced, which is rare.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carnotd/cgroup.h"
#include "carnotd/dir.h"
#include "carnotd/job_origin.h"
#include "common/path.h"

#define STEP_DEPTH 4
#define PARENTS_MAX 64
#define PIDS_MAX 16

struct walk {
    const char *sysroot;
    char path[CGROUP_PATH_MAX + 64];
    int depth;
    struct job_origin *o;
};

struct process {
    long parent;
    uint32_t uid;
    bool is_stepd;
};

/* A small file as text. Length or -1. */
static ssize_t _read_text(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t n;

    if (fd < 0)
        return -1;
    n = read(fd, buf, size - 1);
    (void)close(fd);
    if (n >= 0)
        buf[n] = '\0';
    return n;
}

/* The number behind "Key:\t" in /proc/PID/status, -1 without one. */
static long _status_number(const char *status, const char *key)
{
    const char *at = strstr(status, key);

    return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

static int _read_process(const char *sysroot, long pid, struct process *p)
{
    char path[CGROUP_PATH_MAX], status[2048];

    if (path_format(path, sizeof(path), "%s/proc/%ld/status", sysroot, pid) < 0 ||
        _read_text(path, status, sizeof(status)) <= 0)
        return -1;
    p->parent = _status_number(status, "\nPPid:\t");
    p->uid = (uint32_t)_status_number(status, "\nUid:\t");
    p->is_stepd = strncmp(status, "Name:\tslurmstepd", 16) == 0;
    return 0;
}

/* Does /proc/PID/environ hold SLURM_CONF with this value? Nothing to compare with is a yes, and so
 * is one that root alone may read, when we are not root: two clusters on one machine are a test's.
 */
static bool _serves_us(const char *sysroot, long pid)
{
    const char *ours = getenv("SLURM_CONF");
    char path[CGROUP_PATH_MAX], environment[16384];
    ssize_t n;

    if (!ours || !*ours)
        return true;
    if (path_format(path, sizeof(path), "%s/proc/%ld/environ", sysroot, pid) < 0)
        return false;
    n = _read_text(path, environment, sizeof(environment));
    if (n < 0 && errno == EACCES)
        return true;
    for (ssize_t at = 0; at < n; at += (ssize_t)strlen(environment + at) + 1) {
        if (strncmp(environment + at, "SLURM_CONF=", 11) == 0)
            return strcmp(environment + at + 11, ours) == 0;
    }
    return false;
}

/* Up from a process of the job to the slurmstepd that runs it. */
static void _inspect(struct walk *w, long pid)
{
    struct process p;

    if (_read_process(w->sysroot, pid, &p) < 0)
        return;
    /* slurmstepd may sit in the job's cgroup as well; it says nothing about the user */
    if (!p.is_stepd) {
        w->o->found = true;
        w->o->uid = p.uid;
    }
    for (int i = 0; i < PARENTS_MAX && pid > 1; i++) {
        if (p.is_stepd && p.uid == 0) {
            w->o->foreign = !_serves_us(w->sysroot, pid);
            return;
        }
        pid = p.parent;
        if (_read_process(w->sysroot, pid, &p) < 0)
            return;
    }
}

static void _inspect_dir(struct walk *w)
{
    char text[512], *at = text, *end;
    size_t before = strlen(w->path);
    ssize_t n;

    if (path_format(w->path + before, sizeof(w->path) - before, "/cgroup.procs") < 0)
        return;
    n = _read_text(w->path, text, sizeof(text));
    w->path[before] = '\0';
    for (int i = 0; n > 0 && i < PIDS_MAX && !w->o->found; i++) {
        long pid = strtol(at, &end, 10);

        if (end == at)
            return;
        _inspect(w, pid);
        at = end;
    }
}

static int _walk(const char *name, void *arg)
{
    struct walk *w = arg;
    size_t before = strlen(w->path);

    if (path_format(w->path + before, sizeof(w->path) - before, "/%s", name) < 0) {
        w->path[before] = '\0';
        return 0;
    }
    _inspect_dir(w);
    w->depth++;
    if (!w->o->found && w->depth < STEP_DEPTH)
        (void)dir_each(w->path, _walk, w);
    w->depth--;
    w->path[before] = '\0';
    return w->o->found;
}

void job_origin_look(struct job_origin *o, const char *sysroot, const char *job_dir)
{
    struct walk w = {.sysroot = sysroot, .o = o};

    o->found = false;
    o->foreign = true; /* until its slurmstepd is known */
    o->uid = UINT32_MAX;
    if (!getenv("SLURM_CONF"))
        o->foreign = false;
    if (path_format(w.path, sizeof(w.path), "%s", job_dir) < 0)
        return;
    _inspect_dir(&w);
    if (!o->found)
        (void)dir_each(w.path, _walk, &w);
}

struct search {
    const char *sysroot;
    char title[40]; /* how its name begins */
};

static int _is_stepd_of(const char *pid, void *arg)
{
    const struct search *search = arg;
    char path[CGROUP_PATH_MAX], text[64];
    struct stat st;

    if (pid[0] < '0' || pid[0] > '9' ||
        path_format(path, sizeof(path), "%s/proc/%s/cmdline", search->sysroot, pid) < 0)
        return 0;
    return _read_text(path, text, sizeof(text)) > 0 &&
           strncmp(text, search->title, strlen(search->title)) == 0 && stat(path, &st) == 0 &&
           st.st_uid == 0;
}

int job_origin_stepd_runs(const char *sysroot, uint32_t job_id)
{
    struct search search = {.sysroot = sysroot};
    char path[CGROUP_PATH_MAX];

    (void)snprintf(search.title, sizeof(search.title), "slurmstepd: [%u.", job_id);
    if (path_format(path, sizeof(path), "%s/proc", sysroot) < 0)
        return 0;
    return dir_each(path, _is_stepd_of, &search) == 1;
}
