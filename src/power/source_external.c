/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files, commands and helpers. All but opening runs in the reader's thread.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/path.h"
#include "power/child.h"
#include "power/helper.h"
#include "power/integrator.h"
#include "power/slow_source.h"
#include "power/source_external.h"

#define ANSWER_MAX 128
#define COMMAND_MS 5000 /* it is killed then */
#define HELPER_MS 35000 /* the same; a helper gives what it asks 30 s (helper/answer.h) */
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
    struct helper *helper; /* NULL = a command or file */
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

/* Its output, if it ends well and in time. */
static int _run(const char *path, char *buf, size_t size)
{
    const char *const args[] = {path, NULL};
    int64_t until_ms = clock_mono_ms(&clock_system) + COMMAND_MS;
    int ends[2], rc, saved;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    rc = child_spawn(args, -1, ends[1], &pid);
    saved = errno;
    (void)close(ends[1]);
    if (rc == 0) {
        rc = _read_until(ends[0], buf, size, until_ms);
        saved = errno;
        if (child_wait(pid, rc < 0 || strlen(buf) + 1 == size, until_ms) != 0 && rc == 0) {
            rc = -1;
            saved = EIO;
        }
    }
    (void)close(ends[0]);
    errno = saved;
    return rc;
}

static int _get(const struct external *x, char *answer, size_t size)
{
    if (x->helper)
        return helper_ask(x->helper, HELPER_MS, answer, size);
    return x->command ? _run(x->path, answer, size) : _read_file(x->path, answer, size);
}

static void _fetch(void *arg, struct slow_value values[], int n)
{
    struct external *x = arg;
    char answer[ANSWER_MAX];
    uint64_t millionths;
    unsigned __int128 value;

    (void)n;
    errno = 0;
    if (_get(x, answer, sizeof(answer)) < 0 || source_external_parse(answer, &millionths) < 0) {
        values[0].error = errno ? errno : EIO;
        return;
    }
    value = (unsigned __int128)millionths * x->unit->factor / MILLION;
    if (value > (x->unit->energy ? (uint64_t)INT64_MAX : CEILING_MW)) {
        values[0].error = EBADMSG;
        return;
    }
    /* a controller or PDU without a figure says 0: a node that runs draws something */
    if (x->helper && !x->unit->energy && value == 0) {
        values[0].error = ENODATA;
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

static void _release(void *arg)
{
    struct external *x = arg;

    helper_destroy(x->helper);
    free(x);
}

/* What is read, without its name and its helper; NULL and e. */
static struct external *_create(const struct source_external *x, struct err *e)
{
    struct external *own = calloc(1, sizeof(*own));

    if (!own) {
        (void)err_errno(e, "no memory for source %s", x->path);
        return NULL;
    }
    own->unit = _find_unit(x->unit);
    own->command = x->command;
    own->power.gap_ms = GAP_INTERVALS * x->interval_ms;
    if (!own->unit || !_components(x->covers))
        (void)err_set(e, "%s: unit '%s' or coverage '%s' is not known", x->path, x->unit,
                      x->covers);
    else if (path_format(own->path, sizeof(own->path), "%s", x->path) < 0)
        (void)err_errno(e, "%s", x->path);
    else
        return own;
    free(own);
    return NULL;
}

/* Takes own. */
static int _open(const struct source_external *x, const char *name, struct external *own,
                 struct source *s, struct err *e)
{
    memset(s, 0, sizeof(*s));
    (void)snprintf(s->path, sizeof(s->path), "%s", x->path);
    source_set_name(s, name);
    s->quality = QUALITY_MEASURED;
    s->coverage = (struct coverage){_components(x->covers), COVERAGE_EVERYWHERE};
    s->meter = true;
    s->package = s->fd = s->rights = -1;
    s->sampled = !own->unit->energy;
    counter_init(&s->counter, 0, CEILING_MW, 0);
    return slow_source_start(s, x->interval_ms,
                             2 * x->interval_ms + (own->helper ? HELPER_MS : COMMAND_MS), _fetch,
                             _release, own, e);
}

int source_external_open(const struct source_external *x, struct source *s, struct err *e)
{
    struct external *own = _create(x, e);

    return own ? _open(x, x->command ? "command" : "file", own, s, e) : -1;
}

int source_external_open_helper(const struct source_external *x, const char *name,
                                const char *const args[], struct source *s, struct err *e)
{
    struct external *own = _create(x, e);

    if (!own)
        return -1;
    own->helper = helper_create(args);
    if (own->helper)
        return _open(x, name, own, s, e);
    _release(own);
    return err_errno(e, "cannot set up %s", args[0]);
}
