/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A job's CPU time over all its directories. A kept descriptor of a removed
 * cgroup gives ENODEV, which is how we learn of it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "carnotd/job_cpu.h"
#include "common/path.h"

void job_cpu_init(struct job_cpu *j)
{
    j->fd = -1;
    j->known = false;
    j->resumed = false;
    j->base_us = 0;
    j->last_us = 0;
}

void job_cpu_resume(struct job_cpu *j, uint64_t total_us)
{
    j->known = true;
    j->resumed = true;
    j->base_us = total_us;
    j->last_us = 0;
}

void job_cpu_close(struct job_cpu *j)
{
    if (j->fd >= 0)
        (void)close(j->fd);
    j->fd = -1;
}

static int _read(struct job_cpu *j, enum cpu_busy_kind kind)
{
    const struct cpu_busy file = {kind, j->fd};
    uint64_t now_us;

    if (cpu_busy_read(&file, &now_us) < 0)
        return -1;
    if (j->resumed)
        j->base_us = now_us < j->base_us ? j->base_us - now_us : 0;
    else if (now_us < j->last_us)
        j->base_us += j->last_us; /* another directory of the same name */
    j->resumed = false;
    j->last_us = now_us;
    j->known = true;
    return 0;
}

static int _open(struct job_cpu *j, const struct cgroup *c, uint32_t job_id, uint32_t uid,
                 const char *step)
{
    char dir[CGROUP_PATH_MAX], path[CGROUP_PATH_MAX + 64];

    if (cgroup_job_dir(c, job_id, uid, dir, sizeof(dir)) < 0 ||
        path_format(path, sizeof(path), "%s%s%s/%s", dir, step ? "/step_" : "", step ? step : "",
                    c->kind == CPU_BUSY_CPUACCT ? "cpuacct.usage" : "cpu.stat") < 0)
        return -1;
    j->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return j->fd;
}

static int _update(struct job_cpu *j, const struct cgroup *c, uint32_t job_id, uint32_t uid,
                   const char *step)
{
    if (j->fd >= 0) {
        if (_read(j, c->kind) == 0)
            return 1;
        /* the directory is gone: what it said last stands, and the next one begins at 0 */
        job_cpu_close(j);
        j->base_us += j->last_us;
        j->last_us = 0;
    }
    if (_open(j, c, job_id, uid, step) < 0)
        return 0;
    if (_read(j, c->kind) == 0)
        return 1;
    job_cpu_close(j);
    return 0;
}

int job_cpu_update(struct job_cpu *j, const struct cgroup *c, uint32_t job_id, uint32_t uid)
{
    return _update(j, c, job_id, uid, NULL);
}

int job_cpu_update_step(struct job_cpu *j, const struct cgroup *c, uint32_t job_id, uint32_t uid,
                        const char *step)
{
    return _update(j, c, job_id, uid, step);
}

uint64_t job_cpu_total_us(const struct job_cpu *j)
{
    return j->base_us + j->last_us;
}
