/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The step out of slurmstepd's own title. Slurm hands plugins a pointer to its step record, whose
 * layout is private and moves with each release; the title is root's word as well, since nobody
 * else can write to this process.
 */
#include "config.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "self.h"

#define SLURMD "slurmd"
#define STEPD "slurmstepd"

/* Written when the plugin is loaded; the name at the first question at the latest. */
static char socket_path[SELF_PATH_MAX];
static char node_name[NODE_EVENT_NODE_MAX];

/* "" when it is not set or does not fit. */
static void _copy(char *to, size_t size, const char *name)
{
    const char *value = getenv(name);
    size_t n = value ? strlen(value) : 0;

    to[0] = '\0';
    if (n > 0 && n < size)
        memcpy(to, value, n + 1);
}

void self_init(void)
{
    _copy(socket_path, sizeof(socket_path), "CARNOTD_SOCKET");
    _copy(node_name, sizeof(node_name), "SLURMD_NODENAME");
}

const char *self_socket(void)
{
    return socket_path[0] ? socket_path : NULL;
}

/* Digits at the beginning: how many, and the number; 0 when that is no job's. */
static size_t _job_id(const char *text, size_t n, uint32_t *id)
{
    uint64_t value = 0;
    size_t i = 0;

    for (; i < n && i < 10 && text[i] >= '0' && text[i] <= '9'; i++)
        value = 10 * value + (uint64_t)(text[i] - '0');
    if (value == 0 || value >= NODE_EVENT_UNKNOWN)
        return 0;
    *id = (uint32_t)value;
    return i;
}

/* "[123.batch]", "[123.0]", "[123.0+1]" (a part of a heterogeneous step) */
static int _parse(struct energy_query *q, const char *text, size_t n)
{
    size_t job, step = 0;

    text++;
    n--;
    job = _job_id(text, n, &q->job_id);
    if (job == 0 || job >= n || text[job] != '.')
        return -1;
    text += job + 1;
    n -= job + 1;
    while (step < n && text[step] != ']' && text[step] != '+')
        step++;
    if (step == 0 || step == n || step >= sizeof(q->step))
        return -1;
    q->of = ENERGY_OF_STEP;
    memcpy(q->step, text, step);
    q->step[step] = '\0';
    return 0;
}

static bool _begins(const char *text, size_t n, const char *word)
{
    return n >= strlen(word) && memcmp(text, word, strlen(word)) == 0;
}

int self_query_from(struct energy_query *q, const char *title, size_t n)
{
    const char *end = memchr(title, '\0', n), *name = title, *begin;
    size_t left;

    memset(q, 0, sizeof(*q));
    if (end)
        n = (size_t)(end - title);
    for (size_t i = 0; i < n && title[i] != ' '; i++) {
        if (title[i] == '/')
            name = title + i + 1;
    }
    left = n - (size_t)(name - title);
    /* anything else (a debugger) might be either: then there is no value, rather than another's */
    if (_begins(name, left, SLURMD)) {
        q->of = ENERGY_OF_NODE;
        return 0;
    }
    if (!_begins(name, left, STEPD))
        return -1;
    begin = memchr(name, '[', left);
    return begin ? _parse(q, begin, n - (size_t)(begin - title)) : -1;
}

int self_query(struct energy_query *q)
{
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char title[256];
    ssize_t n = -1;

    if (fd >= 0) {
        n = read(fd, title, sizeof(title));
        (void)close(fd);
    }
    if (n <= 0 || self_query_from(q, title, (size_t)n) < 0)
        return -1;
    /* slurmd names itself after it has loaded its plugins */
    if (!node_name[0])
        _copy(node_name, sizeof(node_name), "SLURMD_NODENAME");
    memcpy(q->node, node_name, sizeof(node_name));
    return 0;
}
