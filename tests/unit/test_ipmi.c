/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DCMI's power reading against a management controller of the test's making. The device is a FIFO,
 * whose bytes say that an answer is there; ioctl() is the kernel's as linux/ipmi.h describes it.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/ipmi.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>

#include "common/clock.h"
#include "node_fixture.h"
#include "power/meter.h"
#include "power/source_ipmi.h"
#include "source_fixture.h"

#define PERIOD_MS 50

enum mood { ANSWERS, OLD_ANSWER_FIRST, SILENT, NO_COMMAND, BUSY, SHORT, GONE };

/* The controller; lock guards it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum mood mood;
static unsigned watts, state = 0x40;
static int sent, received;
static long asked[64]; /* message ids, in a ring */
static char bad[128];  /* what was wrong with a request */

static void _set(enum mood m, unsigned w)
{
    (void)pthread_mutex_lock(&lock);
    mood = m;
    watts = w;
    (void)pthread_mutex_unlock(&lock);
}

static int _send(int fd, const struct ipmi_req *r)
{
    const struct ipmi_system_interface_addr *to = (const void *)r->addr;
    static const unsigned char body[] = {0xdc, 0x01, 0x00, 0x00};

    if (r->addr_len != sizeof(*to) || to->addr_type != 0x0c || to->channel != 0x0f || to->lun != 0)
        (void)snprintf(bad, sizeof(bad), "the address");
    if (r->msg.netfn != 0x2c || r->msg.cmd != 0x02 || r->msg.data_len != sizeof(body) ||
        memcmp(r->msg.data, body, sizeof(body)) != 0)
        (void)snprintf(bad, sizeof(bad), "the command");
    if (mood == GONE) {
        errno = ENODEV;
        return -1;
    }
    asked[sent++ % 64] = r->msgid;
    if (mood != SILENT &&
        write(fd, mood == OLD_ANSWER_FIRST ? "xx" : "x", mood == OLD_ANSWER_FIRST ? 2 : 1) < 0)
        return -1;
    return 0;
}

static int _receive(int fd, struct ipmi_recv *r)
{
    unsigned char reply[19] = {0x00, 0xdc, (unsigned char)watts, (unsigned char)(watts >> 8)};
    unsigned short n = sizeof(reply);
    char byte;

    if (read(fd, &byte, 1) != 1)
        return -1; /* EAGAIN */
    r->recv_type = IPMI_RESPONSE_RECV_TYPE;
    r->msgid = asked[(sent - 1) % 64];
    if (mood == OLD_ANSWER_FIRST && received++ % 2 == 0) {
        r->msgid -= 1;
        reply[2] = 99;
    }
    reply[18] = (unsigned char)state;
    if (mood == NO_COMMAND || mood == BUSY) {
        reply[0] = mood == BUSY ? 0xc0 : 0xc1;
        n = 1;
    }
    if (mood == SHORT)
        n = 18;
    if (n > r->msg.data_len)
        (void)snprintf(bad, sizeof(bad), "no room");
    memcpy(r->msg.data, reply, n);
    r->msg.data_len = n;
    return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    void *arg;
    int rc = -1;

    va_start(args, request);
    arg = va_arg(args, void *);
    va_end(args);
    (void)pthread_mutex_lock(&lock);
    if (request == IPMICTL_SEND_COMMAND)
        rc = _send(fd, arg);
    else if (request == IPMICTL_RECEIVE_MSG_TRUNC)
        rc = _receive(fd, arg);
    else
        errno = ENOTTY;
    (void)pthread_mutex_unlock(&lock);
    return rc;
}

static void _make_device(const char *name)
{
    char path[PATH_MAX];

    fixture_write(unit_tmpdir(), name, "");
    (void)snprintf(path, sizeof(path), "%s/%s", unit_tmpdir(), name);
    (void)unlink(path);
    CU_ASSERT_FATAL(mkfifo(path, 0600) == 0);
}

static struct source _open(void)
{
    struct source s;
    struct err e = {""};

    UNIT_INT(source_ipmi_open(unit_tmpdir(), PERIOD_MS, true, &s, 1, &e), 1, "%s", e.text);
    return s;
}

static void test_reading(void)
{
    int64_t began_ms = clock_mono_ms(&clock_boottime);
    uint64_t most;
    struct source s;

    _make_device("dev/ipmi0");
    _set(ANSWERS, 400);
    s = _open();
    UNIT_STR(s.name, "ipmi:dcmi", "its name");
    UNIT_INT(s.meter, 1, "a meter");
    UNIT_INT(s.coverage.components, COMPONENT_ALL, "of the node");
    UNIT_OK(source_becomes(&s, SOURCE_OK, 100000000), "400 W");
    most = (uint64_t)(clock_mono_ms(&clock_boottime) - began_ms + 100) * 400000;
    UNIT_OK(s.counter.total_uj <= most, "no more than the time gives: %" PRIu64,
            s.counter.total_uj);
    _set(OLD_ANSWER_FIRST, 400);
    began_ms = clock_mono_ms(&clock_boottime);
    most = s.counter.total_uj;
    UNIT_OK(source_becomes(&s, SOURCE_OK, s.counter.total_uj + 100000000), "400 W");
    most += (uint64_t)(clock_mono_ms(&clock_boottime) - began_ms + 200) * 400000;
    UNIT_OK(s.counter.total_uj <= most, "answers to older requests are none: %" PRIu64,
            s.counter.total_uj);
    source_close(&s);
    UNIT_STR(bad, "", "every request was right");
}

/* What the controller says instead of watts is no value, and never 0 W. */
static void test_no_value(void)
{
    struct source s;

    _make_device("dev/ipmi0");
    _set(ANSWERS, 300);
    s = _open();
    UNIT_OK(source_becomes(&s, SOURCE_OK, 1), "it answers");
    _set(NO_COMMAND, 300);
    UNIT_OK(source_fails(&s, ENOTSUP), "a controller without DCMI");
    UNIT_INT(s.state, SOURCE_MISSING, "gives no energy");
    _set(BUSY, 300);
    UNIT_OK(source_fails(&s, EIO), "one that is busy");
    _set(SHORT, 300);
    UNIT_OK(source_fails(&s, EBADMSG), "half an answer");
    _set(ANSWERS, 0);
    UNIT_OK(source_fails(&s, ENODATA), "0 W");
    _set(ANSWERS, 0xffff);
    UNIT_OK(source_fails(&s, ENODATA), "all ones");
    state = 0;
    _set(ANSWERS, 300);
    (void)nanosleep(&(struct timespec){0, 200 * 1000 * 1000}, NULL);
    UNIT_OK(source_fails(&s, ENODATA), "power is not measured at present");
    state = 0x40;
    _set(GONE, 300);
    UNIT_OK(source_fails(&s, ENODEV), "the driver is gone");
    _set(ANSWERS, 300);
    UNIT_OK(source_fails(&s, 0), "and is back");
    UNIT_OK(source_becomes(&s, SOURCE_OK, s.counter.total_uj + 1), "with energy");
    source_close(&s);
}

/* One that never answers holds nobody up. */
static void test_hang(void)
{
    int64_t began_ms = clock_mono_ms(&clock_boottime);
    struct source s;

    _make_device("dev/ipmi0");
    _set(SILENT, 300);
    s = _open();
    source_update(&s, began_ms);
    UNIT_OK(clock_mono_ms(&clock_boottime) - began_ms < 1000, "nobody waits");
    UNIT_OK(source_fails(&s, ETIMEDOUT), "it is said");
    _set(ANSWERS, 300);
    UNIT_OK(source_fails(&s, 0), "a later answer counts");
    source_close(&s);
}

/* Asked unless there is another meter of the node, or if it is named. */
static void test_when(void)
{
    struct settings settings;
    struct meter meter;
    struct err e = {""};

    settings_init(&settings);
    _set(ANSWERS, 300);
    CU_ASSERT_FATAL(meter_open_settings(&meter, unit_tmpdir(), &settings, &e) == 0);
    UNIT_INT(meter.n, 1, "no device: the model alone");
    meter_close(&meter);
    _make_device("dev/ipmi/0");
    CU_ASSERT_FATAL(meter_open_settings(&meter, unit_tmpdir(), &settings, &e) == 0);
    UNIT_STR(meter.sources[0].name, "ipmi:dcmi", "found");
    meter_close(&meter);
    fixture_write(unit_tmpdir(), "sys/cray/pm_counters/energy", "100 J 1 us\n");
    CU_ASSERT_FATAL(meter_open_settings(&meter, unit_tmpdir(), &settings, &e) == 0);
    UNIT_STR(meter.sources[0].name, "cray:node", "a meter that costs nothing");
    UNIT_INT(meter.n, 2, "is enough");
    meter_close(&meter);
    fixture_remove(unit_tmpdir(), "sys/cray");
    fixture_remove(unit_tmpdir(), "dev/ipmi");
    fixture_write(unit_tmpdir(), "dev/ipmi/0/no", "device");
    CU_ASSERT_FATAL(meter_open_settings(&meter, unit_tmpdir(), &settings, &e) == 0);
    UNIT_INT(meter.n, 1, "one that may not be opened is passed over");
    meter_close(&meter);
    settings.node.sources.n = 1;
    (void)snprintf(settings.node.sources.name[0], SETTINGS_NAME_MAX, "ipmi");
    CU_ASSERT_FATAL(meter_open_settings(&meter, unit_tmpdir(), &settings, &e) == 0);
    UNIT_STR(meter.sources[0].name, "ipmi:dcmi", "named");
    meter_close(&meter);
}

static const struct unit_case cases[] = {
    {"reading", test_reading},
    {"no_value", test_no_value},
    {"hang", test_hang},
    {"when", test_when},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "ipmi");
}
