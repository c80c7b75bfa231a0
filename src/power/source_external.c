/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files and commands. All but _read() and _close() runs in the reader's thread.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/path.h"
#include "power/integrator.h"
#include "power/slow_source.h"
#include "power/source_external.h"

#define ANSWER_MAX 128
#define COMMAND_MS 5000 /* it is killed then */
/* The figure may be of a chassis. */
#define CEILING_MW UINT64_C(100000000)
/* Power is not made up for a time in which so many readings failed. */
#define GAP_INTERVALS 4
#define MILLION 1000000

static const struct unit {
    const char *name;
    bool energy;
    uint64_t factor; /* microjoules or milliwatts in one */
} units[] = {
    {"W", false, 1000},
    {"mW", false, 1},
    {"kW", false, 1000000},
    {"uJ", true, 1},
    {"mJ", true, 1000},
    {"J", true, 1000000},
    {"kJ", true, 1000000000},
    {"Wh", true, UINT64_C(3600000000)},
    {"kWh", true, UINT64_C(3600000000000)},
};

struct external {
    char path[SOURCE_PATH_MAX];
    bool command;
    const struct unit *unit;
    struct integrator power;
};

int source_external_parse(const char *text, uint64_t *millionths)
{
    uint64_t value = 0;
    int digits = 0, decimals = -1;

    errno = EBADMSG;
    while (isspace((unsigned char)*text))
        text++;
    for (; isdigit((unsigned char)*text) || (*text == '.' && decimals < 0 && digits); text++) {
        if (*text == '.') {
            decimals = 0;
            continue;
        }
        digits++;
        if (decimals >= 6)
            continue; /* finer than a millionth */
        decimals += decimals >= 0;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
            return -1;
    }
    while (isspace((unsigned char)*text))
        text++;
    if (!digits || decimals == 0 || *text)
        return -1;
    for (int i = decimals < 0 ? 0 : decimals; i < 6; i++) {
        if (__builtin_mul_overflow(value, 10, &value))
            return -1;
    }
    *millionths = value;
    return 0;
}

/* What fd gives until its end, at most size - 1 bytes and until the deadline. */
static int _read_until(int fd, char *buf, size_t size, int64_t until_ms)
{
    size_t used = 0;
    ssize_t n = 1;

    while (used + 1 < size && n > 0) {
        struct pollfd p = {fd, POLLIN, 0};
        int64_t left_ms = until_ms - clock_mono_ms(&clock_system);

        if (left_ms <= 0 || poll(&p, 1, (int)left_ms) == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        n = read(fd, buf + used, size - 1 - used);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            used += (size_t)n;
    }
    buf[used] = '\0';
    return n < 0 ? -1 : 0;
}

static int _read_file(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), rc, saved;

    if (fd < 0)
        return -1;
    rc = _read_until(fd, buf, size, clock_mono_ms(&clock_system) + COMMAND_MS);
    saved = errno;
    (void)close(fd);
    errno = saved;
    return rc;
}

/* Wait for its end until the deadline, then kill it and its children. Its status, or -1. */
static int _wait(pid_t pid, bool kill_now, int64_t until_ms)
{
    const struct timespec pause = {0, 5 * 1000 * 1000};
    int status = -1;
    pid_t done = 0;

    while (!kill_now && done == 0 && clock_mono_ms(&clock_system) < until_ms) {
        done = waitpid(pid, &status, WNOHANG);
        if (done == 0)
            (void)nanosleep(&pause, NULL);
    }
    if (done == 0) {
        (void)kill(-pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    return status;
}

/* Start path in a process group of its own, with all signals as they come by default. */
static int _spawn(const char *path, int out, pid_t *pid)
{
    char *const args[] = {(char *)(uintptr_t)path, NULL};
    static char *const environment[] = {(char *)(uintptr_t) "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                                        (char *)(uintptr_t) "LC_ALL=C", NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    int rc;

    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&files, out, 1);
    (void)posix_spawnattr_init(&attr);
    (void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_RESETIDS | POSIX_SPAWN_SETPGROUP |
                                              POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    (void)posix_spawnattr_setsigmask(&attr, &none);
    (void)posix_spawnattr_setsigdefault(&attr, &all);
    rc = posix_spawn(pid, path, &files, &attr, args, environment);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&files);
    errno = rc;
    return rc ? -1 : 0;
}

/* Its output, if it ends well and in time. */
static int _run(const char *path, char *buf, size_t size)
{
    int64_t until_ms = clock_mono_ms(&clock_system) + COMMAND_MS;
    int ends[2], rc, saved;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    rc = _spawn(path, ends[1], &pid);
    saved = errno;
    (void)close(ends[1]);
    if (rc == 0) {
        rc = _read_until(ends[0], buf, size, until_ms);
        saved = errno;
        if (_wait(pid, rc < 0 || strlen(buf) + 1 == size, until_ms) != 0 && rc == 0) {
            rc = -1;
            saved = EIO;
        }
    }
    (void)close(ends[0]);
    errno = saved;
    return rc;
}

static void _fetch(void *arg, struct slow_value values[], int n)
{
    struct external *x = arg;
    char answer[ANSWER_MAX];
    uint64_t millionths;
    unsigned __int128 value;

    (void)n;
    errno = 0;
    if ((x->command ? _run(x->path, answer, sizeof(answer))
                    : _read_file(x->path, answer, sizeof(answer))) < 0 ||
        source_external_parse(answer, &millionths) < 0) {
        values[0].error = errno ? errno : EIO;
        return;
    }
    value = (unsigned __int128)millionths * x->unit->factor / MILLION;
    if (value > (x->unit->energy ? (uint64_t)INT64_MAX : CEILING_MW)) {
        values[0].error = EBADMSG;
        return;
    }
    if (!x->unit->energy)
        integrator_add(&x->power, (uint64_t)value);
    values[0].error = 0;
    values[0].uj = x->unit->energy ? (uint64_t)value : x->power.uj;
}

static unsigned _components(const char *covers)
{
    return strcmp(covers, "node") == 0
               ? (unsigned)COMPONENT_ALL
               : (strstr(covers, "cpu") ? (unsigned)COMPONENT_CPU : 0u) |
                     (strstr(covers, "dram") ? (unsigned)COMPONENT_DRAM : 0u) |
                     (strstr(covers, "gpu") ? (unsigned)COMPONENT_GPU : 0u);
}

static const struct unit *_find_unit(const char *name)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(units[i].name, name) == 0)
            return &units[i];
    }
    return NULL;
}

int source_external_open(const struct source_external *x, struct source *s, struct err *e)
{
    struct external *own = calloc(1, sizeof(*own));

    memset(s, 0, sizeof(*s));
    if (!own) {
        (void)err_errno(e, "no memory for source %s", x->path);
        goto error;
    }
    own->unit = _find_unit(x->unit);
    if (!own->unit || !_components(x->covers)) {
        (void)err_set(e, "%s: unit '%s' or coverage '%s' is not known", x->path, x->unit,
                      x->covers);
        goto error;
    }
    own->command = x->command;
    own->power.gap_ms = GAP_INTERVALS * x->interval_ms;
    if (path_format(own->path, sizeof(own->path), "%s", x->path) < 0) {
        (void)err_errno(e, "%s", x->path);
        goto error;
    }
    (void)snprintf(s->path, sizeof(s->path), "%s", x->path);
    source_set_name(s, x->command ? "command" : "file");
    s->quality = QUALITY_MEASURED;
    s->coverage = (struct coverage){_components(x->covers), COVERAGE_EVERYWHERE};
    s->meter = true;
    s->package = s->fd = s->rights = -1;
    s->sampled = !own->unit->energy;
    counter_init(&s->counter, 0, CEILING_MW, 0);
    return slow_source_start(s, x->interval_ms, 2 * x->interval_ms + COMMAND_MS, _fetch, free, own,
                             e);
error:
    free(own);
    return -1;
}
