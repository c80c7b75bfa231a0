/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Job and step edges for carnotd, as one message each over its unix socket.
 * Runs as root in slurmstepd, which also runs SPANK prologs and epilogs: short,
 * bounded, silent unless Slurm logs debug messages. Only what Slurm itself says
 * is believed; the job's environment, which is the user's, is not read.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <slurm/slurm.h>

#include "common/clock.h"
#include "common/node_event.h"
#include "common/node_socket.h"
#include "node.h"
#include "options.h"
#include "placement/request.h"

int node_option(int option, const char *value, int remote)
{
    (void)option;
    (void)value;
    (void)remote;
    return 0;
}

/* Text into a field of the event, which stays "unknown" when it does not fit. */
static void _copy(char *to, size_t size, const char *from)
{
    size_t n = from ? strlen(from) : 0;

    if (n < size) {
        memcpy(to, from ? from : "", n);
        to[n] = '\0';
    }
}

/* "4" or "4(x2)": the same on each node; "4,2" says nothing about this one. */
static uint32_t _number(const char *text, const char *may_follow)
{
    char *end;
    unsigned long value;

    if (!text || *text < '0' || *text > '9')
        return NODE_EVENT_UNKNOWN;
    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno || value >= NODE_EVENT_UNKNOWN || (*end && *end != *may_follow) || strchr(text, ','))
        return NODE_EVENT_UNKNOWN;
    return (uint32_t)value;
}

static uint32_t _item(spank_t sp, enum spank_item item)
{
    uint32_t value = NODE_EVENT_UNKNOWN;

    if (spank_get_item(sp, item, &value) != ESPANK_SUCCESS)
        return NODE_EVENT_UNKNOWN;
    return value;
}

static void _begin_event(struct node_event *ev, spank_t sp, enum node_event_kind kind)
{
    uid_t uid = (uid_t)-1;

    node_event_init(ev);
    ev->kind = kind;
    ev->t_ms = clock_wall_ms(&clock_system);
    ev->job_id = _item(sp, S_JOB_ID);
    if (spank_get_item(sp, S_JOB_UID, &uid) == ESPANK_SUCCESS)
        ev->uid = (uint32_t)uid;
    _copy(ev->node, sizeof(ev->node), getenv("SLURMD_NODENAME"));
}

/* The plugin's argument, else what the environment says; NULL for the default. */
static const char *_socket_path(int argc, char **argv)
{
    const char *path = getenv("CARNOTD_SOCKET");

    for (int i = 0; i < argc; i++) {
        if (argv[i] && strncmp(argv[i], "socket=", 7) == 0)
            path = argv[i] + 7;
    }
    return path;
}

/* The message without what is a nicety, should some of that be in no form we know. */
static int _format(char *buf, size_t size, struct node_event *ev)
{
    int len = node_event_format(buf, size, ev);

    if (len < 0) {
        ev->node[0] = ev->cores[0] = ev->gpus[0] = '\0';
        len = node_event_format(buf, size, ev);
    }
    return len;
}

static void _tell(struct node_event *ev, int argc, char **argv)
{
    int64_t end_ms = clock_mono_ms(&clock_system) + NODE_TELL_LIMIT_MS;
    char text[NODE_EVENT_MAX + 1], node[NODE_EVENT_NODE_MAX];
    int fd = -1, len;

    /* the message may have to do without the name, the path cannot */
    memcpy(node, ev->node, sizeof(node));
    len = _format(text, sizeof(text), ev);
    if (len >= 0)
        fd = node_socket_open(_socket_path(argc, argv), node, end_ms);
    if (fd < 0 || node_socket_send(fd, text, (size_t)len, end_ms) < 0)
        slurm_debug("carnot: carnotd was not told of '%s' of job %u: %s",
                    node_event_kind_name(ev->kind), ev->job_id, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
}

/* The power cap that job_submit has passed on (placement/request.h). A user who forges it gets no
 * more by that than by asking for it. */
static void _read_cap(struct node_event *ev)
{
    const size_t mark = sizeof(REQUEST_CAP_EXCLUSIVE) - 1;
    const char *text = getenv("SPANK_CARNOT_POWER_CAP");
    size_t n = text ? strlen(text) : 0;
    char cap[POWER_CAP_TEXT_SIZE];

    if (n > mark && strcmp(text + n - mark, REQUEST_CAP_EXCLUSIVE) == 0) {
        ev->exclusive = 1;
        n -= mark;
    }
    if (n == 0 || n >= sizeof(cap))
        return;
    memcpy(cap, text, n);
    cap[n] = '\0';
    (void)power_cap_parse(&ev->cap, cap);
}

/* Prolog and epilog: the environment is slurmd's own, not the job's. */
static void _job_edge(spank_t sp, enum node_event_kind kind, int argc, char **argv)
{
    const char *gpus = getenv("SLURM_JOB_GPUS");
    struct node_event ev;

    _begin_event(&ev, sp, kind);
    ev.ncpus = _number(getenv("SLURM_JOB_CPUS_PER_NODE"), "(");
    /* the epilog of a run that is requeued is told the count of the next run (22.05) */
    if (kind == NODE_EVENT_START) {
        ev.restart = _number(getenv("SLURM_JOB_RESTART_COUNT"), "");
        _read_cap(&ev);
    }
    /* where GPUs have no numbers ("gpu:a100:2") there is nothing to say */
    if (gpus && gpus[strspn(gpus, "0123456789,-")] == '\0')
        _copy(ev.gpus, sizeof(ev.gpus), gpus);
    _tell(&ev, argc, argv);
}

/* Slurm's special steps have numbers at the end of the range. */
static void _step_name(char *buf, size_t size, uint32_t step)
{
    if (step == SLURM_BATCH_SCRIPT)
        _copy(buf, size, "batch");
    else if (step == SLURM_EXTERN_CONT)
        _copy(buf, size, "extern");
    else if (step == SLURM_INTERACTIVE_STEP)
        _copy(buf, size, "interactive");
    else
        (void)snprintf(buf, size, "%u", step);
}

static void _step_edge(spank_t sp, enum node_event_kind kind, int argc, char **argv)
{
    uint32_t step = _item(sp, S_JOB_STEPID), task;
    struct node_event ev;
    char *cores = NULL;
    uint16_t ncpus = 0;

    _begin_event(&ev, sp, kind);
    _step_name(ev.step, sizeof(ev.step), step);
    /* in the other steps it counts what the step got, not the job */
    if (step == SLURM_BATCH_SCRIPT && spank_get_item(sp, S_JOB_NCPUS, &ncpus) == ESPANK_SUCCESS &&
        ncpus > 0)
        ev.ncpus = ncpus;
    if (spank_get_item(sp, S_JOB_ALLOC_CORES, &cores) == ESPANK_SUCCESS && cores &&
        cores[strspn(cores, "0123456789,-")] == '\0')
        _copy(ev.cores, sizeof(ev.cores), cores);
    /* S_SLURM_RESTART_COUNT stays 0 after a requeue (22.05): only the prolog knows */
    task = _item(sp, S_JOB_ARRAY_TASK_ID);
    if (task != NO_VAL && task != NODE_EVENT_UNKNOWN) {
        ev.array_task_id = task;
        ev.array_job_id = _item(sp, S_JOB_ARRAY_ID);
    }
    _tell(&ev, argc, argv);
}

void node_job_begins(spank_t sp, int argc, char **argv)
{
    _job_edge(sp, NODE_EVENT_START, argc, argv);
}

void node_step_begins(spank_t sp, int argc, char **argv)
{
    _step_edge(sp, NODE_EVENT_STEP, argc, argv);
}

void node_step_ends(spank_t sp, int argc, char **argv)
{
    _step_edge(sp, NODE_EVENT_STEP_END, argc, argv);
}

void node_job_ends(spank_t sp, int argc, char **argv)
{
    _job_edge(sp, NODE_EVENT_END, argc, argv);
}

void node_task_environment(spank_t sp)
{
    char name[OPTIONS_NAME_SIZE];

    for (size_t i = 0; options_leak(name, sizeof(name), i); i++)
        (void)spank_unsetenv(sp, name);
}
