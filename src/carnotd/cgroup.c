/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's directories in the cgroup tree. The layout differs by cgroup version,
 * by whether Slurm was built for several slurmd a host, and by site settings, so
 * that it is discovered by name at bounded depth and never taken for granted.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "carnotd/cgroup.h"
#include "carnotd/dir.h"
#include "common/path.h"

#define LOOK_DEPTH 4
#define LOOK_DIRS_MAX 2048
#define CPUS_MAX 65536

enum match { MATCH_NONE = 0, MATCH_OTHER, MATCH_PLAIN, MATCH_NODE };

struct look {
    struct cgroup *c;
    char path[CGROUP_PATH_MAX]; /* of the directory that is being listed */
    int depth;
    int dirs; /* listed so far */
    enum match best;
    char root[CGROUP_PATH_MAX];
    bool others;
};

static bool _ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool _is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

/* Is word in text, as a whole word: n1 is in "slurm_n1" and not in "slurm_n12"? */
static bool _has_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    const char *at = text;

    while (n && (at = strstr(at, word))) {
        if ((at == text || !_is_word(at[-1])) && !_is_word(at[n]))
            return true;
        at++;
    }
    return false;
}

static enum match _match(const char *name, const char *node)
{
    if (strcmp(name, "slurm") == 0 || strcmp(name, "slurmstepd.scope") == 0)
        return MATCH_PLAIN;
    if (!strstr(name, "slurm") || _ends_with(name, ".service") || _ends_with(name, ".socket"))
        return MATCH_NONE;
    if (_has_word(name, node))
        return MATCH_NODE;
    if (strncmp(name, "slurm_", 6) == 0 || _ends_with(name, "_slurmstepd.scope"))
        return MATCH_OTHER;
    return MATCH_NONE;
}

static int _look_entry(const char *name, void *arg)
{
    struct look *look = arg;
    size_t before = strlen(look->path);
    enum match match = _match(name, look->c->node);
    size_t n = strlen(name);

    if (before + 1 + n >= sizeof(look->path))
        return 0;
    look->path[before] = '/';
    memcpy(look->path + before + 1, name, n + 1);
    if (match == MATCH_OTHER) {
        look->others = true;
    } else if (match > look->best) {
        look->best = match;
        memcpy(look->root, look->path, sizeof(look->root));
    } else if (match == MATCH_NONE && look->depth + 1 < LOOK_DEPTH && look->dirs < LOOK_DIRS_MAX) {
        look->depth++;
        look->dirs++;
        (void)dir_each(look->path, _look_entry, look);
        look->depth--;
    }
    look->path[before] = '\0';
    return 0;
}

static void _find_mount(struct cgroup *c)
{
    static const struct {
        const char *dir, *file;
        enum cpu_busy_kind kind;
    } mounts[] = {
        {"sys/fs/cgroup", "cgroup.controllers", CPU_BUSY_CPU_STAT},
        {"sys/fs/cgroup/cpu,cpuacct", "cgroup.procs", CPU_BUSY_CPUACCT},
        {"sys/fs/cgroup/cpuacct", "cgroup.procs", CPU_BUSY_CPUACCT},
    };
    char path[CGROUP_PATH_MAX];

    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
        if (path_format(path, sizeof(path), "%s/%s/%s", c->sysroot, mounts[i].dir, mounts[i].file) <
                0 ||
            access(path, F_OK) < 0)
            continue;
        c->kind = mounts[i].kind;
        (void)path_format(c->mount, sizeof(c->mount), "%s/%s", c->sysroot, mounts[i].dir);
        return;
    }
    c->kind = CPU_BUSY_NONE;
}

void cgroup_init(struct cgroup *c, const char *sysroot, const char *node)
{
    memset(c, 0, sizeof(*c));
    if (path_format(c->sysroot, sizeof(c->sysroot), "%s", sysroot) < 0)
        c->sysroot[0] = '\0';
    (void)path_format(c->node, sizeof(c->node), "%s", node);
    (void)cgroup_look(c);
}

int cgroup_look(struct cgroup *c)
{
    struct look look = {.c = c, .best = MATCH_OTHER};

    c->root[0] = '\0';
    c->others = false;
    _find_mount(c);
    if (c->kind == CPU_BUSY_NONE)
        return 0;
    memcpy(look.path, c->mount, sizeof(look.path));
    (void)dir_each(c->mount, _look_entry, &look);
    memcpy(c->root, look.root, sizeof(c->root));
    c->others = look.others;
    return c->root[0] != '\0';
}

int cgroup_is_there(const struct cgroup *c)
{
    return c->root[0] && access(c->root, F_OK) == 0;
}

/* The number behind a prefix: "job_123" -> 123. 1 or 0. */
static int _number_after(const char *name, const char *prefix, uint32_t *out)
{
    size_t n = strlen(prefix);
    uint64_t value = 0;

    if (strncmp(name, prefix, n) != 0 || !name[n])
        return 0;
    for (const char *p = name + n; *p; p++) {
        if (*p < '0' || *p > '9')
            return 0;
        value = value * 10 + (uint64_t)(*p - '0');
        if (value >= UINT32_MAX)
            return 0;
    }
    *out = (uint32_t)value;
    return 1;
}

struct list {
    cgroup_job_cb cb;
    void *arg;
    char path[CGROUP_PATH_MAX];
    uint32_t uid;
    int n;
};

static int _list_entry(const char *name, void *arg)
{
    struct list *list = arg;
    size_t before = strlen(list->path), n = strlen(name);
    uint32_t number;

    if (before + 1 + n >= sizeof(list->path))
        return 0;
    list->path[before] = '/';
    memcpy(list->path + before + 1, name, n + 1);
    if (_number_after(name, "job_", &number)) {
        list->n++;
        list->cb(number, list->uid, list->path, list->arg);
    } else if (list->uid == UINT32_MAX && _number_after(name, "uid_", &number)) {
        list->uid = number;
        (void)dir_each(list->path, _list_entry, list);
        list->uid = UINT32_MAX;
    }
    list->path[before] = '\0';
    return 0;
}

int cgroup_list(const struct cgroup *c, cgroup_job_cb cb, void *arg)
{
    struct list list = {.cb = cb, .arg = arg, .uid = UINT32_MAX};

    if (!c->root[0]) {
        errno = ENOENT;
        return -1;
    }
    memcpy(list.path, c->root, sizeof(list.path));
    if (dir_each(list.path, _list_entry, &list) < 0)
        return -1;
    return list.n;
}

int cgroup_job_dir(const struct cgroup *c, uint32_t job_id, uint32_t uid, char *buf, size_t size)
{
    if (!c->root[0] || (c->kind == CPU_BUSY_CPUACCT && uid == UINT32_MAX)) {
        errno = ENOENT;
        return -1;
    }
    if (c->kind == CPU_BUSY_CPUACCT)
        return path_format(buf, size, "%s/uid_%u/job_%u", c->root, uid, job_id);
    return path_format(buf, size, "%s/job_%u", c->root, job_id);
}

uint32_t cgroup_count_cpus(const char *list)
{
    uint32_t n = 0;
    char *end;

    while (*list >= '0' && *list <= '9') {
        unsigned long first = strtoul(list, &end, 10), last = first;

        if (*end == '-' && end[1] >= '0' && end[1] <= '9')
            last = strtoul(end + 1, &end, 10);
        if (last < first || last >= CPUS_MAX)
            return 0;
        n += (uint32_t)(last - first + 1);
        if (*end == '\0' || *end == '\n')
            return n;
        if (*end != ',')
            return 0;
        list = end + 1;
    }
    return 0;
}

uint32_t cgroup_job_cpus(const struct cgroup *c, const char *job_dir)
{
    const char *below = job_dir + strlen(c->mount);
    char path[CGROUP_PATH_MAX + 64], text[1024];
    ssize_t n;
    int fd, rc;

    if (strncmp(job_dir, c->mount, strlen(c->mount)) != 0)
        return 0;
    /* v1 keeps CPU sets in a hierarchy of their own, of the same shape */
    if (c->kind == CPU_BUSY_CPUACCT)
        rc = path_format(path, sizeof(path), "%s/sys/fs/cgroup/cpuset%s/cpuset.cpus", c->sysroot,
                         below);
    else
        rc = path_format(path, sizeof(path), "%s/cpuset.cpus", job_dir);
    fd = rc < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return 0;
    n = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    return cgroup_count_cpus(text);
}
