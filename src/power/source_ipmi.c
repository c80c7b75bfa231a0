/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DCMI power, in whole watts. The controller chooses what it averages over, often seconds; where
 * nodes share power supplies it may say the chassis'. All but opening runs in the reader's
 * thread: controllers take from some milliseconds to seconds, and some never answer.
 *
 * The command: DCMI specification 1.5 rev. 1.0, 6.6.1 "Get Power Reading". The device:
 * linux/ipmi.h.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ipmi.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/path.h"
#include "power/integrator.h"
#include "power/slow_source.h"
#include "power/source_ipmi.h"

#define ANSWER_MS 5000
#define GAP_PERIODS 4
#define CEILING_MW UINT64_C(100000000)

#define NETFN_GROUP 0x2c
#define GROUP_DCMI 0xdc
#define GET_POWER_READING 0x02
#define MODE_NOW 0x01
#define REPLY_SIZE 19
#define STATE_ACTIVE 0x40 /* power is measured at present */
#define COMPLETED 0x00
#define INVALID_COMMAND 0xc1

struct ipmi {
    char path[SOURCE_PATH_MAX];
    int fd; /* -1 = closed */
    long request;
    struct integrator power;
};

static int _send(struct ipmi *d)
{
    struct ipmi_system_interface_addr to = {IPMI_SYSTEM_INTERFACE_ADDR_TYPE, IPMI_BMC_CHANNEL, 0};
    unsigned char body[] = {GROUP_DCMI, MODE_NOW, 0, 0};
    struct ipmi_req request = {
        .addr = (unsigned char *)&to,
        .addr_len = sizeof(to),
        .msgid = ++d->request,
        .msg = {NETFN_GROUP, GET_POWER_READING, sizeof(body), body},
    };

    return ioctl(d->fd, IPMICTL_SEND_COMMAND, &request);
}

/* The next message of the device. Its length, 0 when it is not the answer that is waited for (but
 * one of a request before, or an event); -1 and errno. */
static int _take(struct ipmi *d, unsigned char reply[], unsigned short size)
{
    struct ipmi_addr from;
    struct ipmi_recv message = {
        .addr = (unsigned char *)&from,
        .addr_len = sizeof(from),
        .msg = {.data = reply, .data_len = size},
    };

    if (ioctl(d->fd, IPMICTL_RECEIVE_MSG_TRUNC, &message) < 0 && errno != EMSGSIZE)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    return message.recv_type == IPMI_RESPONSE_RECV_TYPE && message.msgid == d->request
               ? message.msg.data_len
               : 0;
}

/* Ask and wait. The answer's length, or -1 and errno. */
static int _ask(struct ipmi *d, unsigned char reply[], unsigned short size)
{
    int64_t until_ms = clock_mono_ms(&clock_system) + ANSWER_MS, left_ms;
    int n = 0;

    if (_send(d) < 0)
        return -1;
    while (n == 0) {
        struct pollfd p = {d->fd, POLLIN, 0};

        left_ms = until_ms - clock_mono_ms(&clock_system);
        if (left_ms <= 0 || poll(&p, 1, (int)left_ms) == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        if (p.revents & (POLLERR | POLLHUP | POLLNVAL)) {
            errno = ENODEV;
            return -1;
        }
        if (p.revents & POLLIN)
            n = _take(d, reply, size);
    }
    return n;
}

/* The watts of an answer, as milliwatts. 0, or -1 and errno. */
static int _parse(const unsigned char reply[], int n, uint64_t *mw)
{
    unsigned watts;

    errno = n >= 1 && reply[0] == INVALID_COMMAND ? ENOTSUP : EIO;
    if (n < 1 || reply[0] != COMPLETED)
        return -1;
    errno = EBADMSG;
    if (n < REPLY_SIZE || reply[1] != GROUP_DCMI)
        return -1;
    errno = ENODATA;
    watts = reply[2] | (unsigned)reply[3] << 8;
    /* A controller without a figure says 0, or all ones. */
    if (!(reply[REPLY_SIZE - 1] & STATE_ACTIVE) || watts == 0 || watts == 0xffff)
        return -1;
    *mw = watts * UINT64_C(1000);
    return 0;
}

static int _open_device(const char *path)
{
    return open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

static void _fetch(void *arg, struct slow_value values[], int n)
{
    struct ipmi *d = arg;
    unsigned char reply[64];
    uint64_t mw;
    int got;

    (void)n;
    if (d->fd < 0)
        d->fd = _open_device(d->path);
    got = d->fd < 0 ? -1 : _ask(d, reply, sizeof(reply));
    if (got < 0 || _parse(reply, got, &mw) < 0) {
        values[0].error = errno;
        if (got < 0 && d->fd >= 0) {
            (void)close(d->fd);
            d->fd = -1;
        }
        return;
    }
    integrator_add(&d->power, mw);
    values[0].error = 0;
    values[0].uj = d->power.uj;
}

static void _release(void *arg)
{
    struct ipmi *d = arg;

    if (d->fd >= 0)
        (void)close(d->fd);
    free(d);
}

/* The device's path in path. 1, or 0 if there is none. */
static int _find(const char *sysroot, char *path, size_t size)
{
    static const char *const devices[] = {"/dev/ipmi0", "/dev/ipmi/0", "/dev/ipmidev/0"};

    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        if (path_format(path, size, "%s%s", sysroot, devices[i]) == 0 && access(path, F_OK) == 0)
            return 1;
    }
    return 0;
}

int source_ipmi_open(const char *sysroot, int64_t period_ms, bool wanted, struct source sources[],
                     int max, struct err *e)
{
    struct source *s = sources;
    struct ipmi *d;
    int fd;

    if (max < 1)
        return 0;
    memset(s, 0, sizeof(*s));
    if (!_find(sysroot, s->path, sizeof(s->path)))
        return 0;
    fd = _open_device(s->path);
    if (fd < 0 && !wanted)
        return 0;
    d = calloc(1, sizeof(*d));
    if (!d) {
        (void)err_errno(e, "no memory for %s", s->path);
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    d->fd = fd;
    d->power.gap_ms = GAP_PERIODS * period_ms;
    memcpy(d->path, s->path, sizeof(d->path));
    source_set_name(s, "ipmi:dcmi");
    s->quality = QUALITY_MEASURED;
    s->coverage = (struct coverage){COMPONENT_ALL, COVERAGE_EVERYWHERE};
    s->meter = true;
    s->package = s->fd = s->rights = -1;
    s->sampled = true;
    counter_init(&s->counter, 0, CEILING_MW, 0);
    if (slow_source_start(s, period_ms, 2 * period_ms + ANSWER_MS, _fetch, _release, d, e) < 0)
        return -1;
    return 1;
}
