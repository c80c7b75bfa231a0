/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports to a controller that is played here: channel_ask_uid() below stands in for the network.
 * It counts each record once, as the real one does, loses answers, refuses, is away.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "carnotd/reporter.h"
#include "common/channel.h"
#include "common/log.h"
#include "node_fixture.h"

static struct {
    pthread_mutex_t lock;
    uint64_t acked;   /* of the node, as its ledger has it */
    uint64_t counted; /* records that were taken */
    int calls;
    int batch_max;       /* records in the largest request */
    bool away;           /* nobody listens */
    bool lose_answer;    /* the records are taken, the answer does not arrive */
    uint64_t hold_at;    /* wants this one and later ones again in a moment */
    uint64_t refuse_at;  /* stops there, with an error */
    const char *refusal; /* {"ok":false} with this */
    bool gap;            /* a number was passed over */
} controller = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int _answer(json_t **answer, const char *error)
{
    *answer = json_pack("{s:b, s:I}", "ok", 1, "acked", (json_int_t)controller.acked);
    if (error)
        (void)json_object_set_new(*answer, "error", json_string(error));
    return 0;
}

/* What counts, out of a request. */
static const char *_count(const json_t *request)
{
    json_t *record;
    size_t i;

    json_array_foreach(json_object_get(request, "records"), i, record)
    {
        uint64_t seq = (uint64_t)json_integer_value(json_object_get(record, "seq"));

        if (seq <= controller.acked)
            continue;
        if (controller.hold_at && seq >= controller.hold_at)
            return NULL;
        if (controller.refuse_at && seq >= controller.refuse_at)
            return "it makes no sense";
        if (seq != controller.acked + 1)
            controller.gap = true;
        controller.acked = seq;
        controller.counted++;
    }
    return NULL;
}

int channel_ask_uid(const char *host, int port, const char *munge_socket, uid_t server_uid,
                    const json_t *request, json_t **answer, int timeout_ms, struct err *e)
{
    const char *error;
    int n, rc;

    (void)munge_socket;
    (void)timeout_ms;
    (void)pthread_mutex_lock(&controller.lock);
    controller.calls++;
    UNIT_INT(server_uid, 0, "only the controller's own user is believed");
    n = (int)json_array_size(json_object_get(request, "records"));
    if (n > controller.batch_max)
        controller.batch_max = n;
    if (controller.away) {
        (void)pthread_mutex_unlock(&controller.lock);
        errno = ECONNREFUSED;
        return err_errno(e, "cannot reach carnotctld at %s port %d", host, port);
    }
    UNIT_STR(json_string_value(json_object_get(request, "op")), "report", "op");
    UNIT_STR(json_string_value(json_object_get(request, "node")), "n1", "node");
    UNIT_STR(json_string_value(json_object_get(request, "boot")), "boot-1", "boot");
    UNIT_STR(json_string_value(json_object_get(request, "version")), PACKAGE_VERSION, "version");
    if (controller.refusal) {
        *answer = json_pack("{s:b, s:s}", "ok", 0, "error", controller.refusal);
        rc = 0;
    } else {
        error = _count(request);
        rc = _answer(answer, error);
    }
    if (controller.lose_answer) {
        json_decref(*answer);
        *answer = NULL;
        errno = ETIMEDOUT;
        rc = err_errno(e, "no answer from carnotctld");
    }
    (void)pthread_mutex_unlock(&controller.lock);
    return rc;
}

static struct telemetry_log tlog;
static struct reporter reporter;
static struct settings settings;
static uint64_t seq;
static char logged[16][200];
static _Atomic int n_logged;

static void _on_log(int level, const char *line, void *arg)
{
    (void)arg;
    if (level > LOG_INFO || n_logged >= 16)
        return;
    (void)snprintf(logged[n_logged], sizeof(logged[0]), "%s", line);
    n_logged++;
}

static void _append(int n)
{
    char text[200];

    while (n-- > 0) {
        int size =
            snprintf(text, sizeof(text),
                     "{\"v\":1,\"ev\":\"record\",\"node\":\"n1\",\"seq\":%" PRIu64 "}\n", ++seq);

        UNIT_INT(telemetry_log_append(&tlog, text, (size_t)size, NULL), 0, "append");
    }
}

static uint64_t file_max = 4000; /* so that the log is rotated now and then */

static void _start(void)
{
    char state[PATH_MAX];
    struct err e = {""};

    log_set_handler(_on_log, NULL);
    settings_init(&settings);
    settings.node.report_interval_ms = 50;
    (void)snprintf(state, sizeof(state), "%s/state", unit_tmpdir());
    CU_ASSERT_FATAL(telemetry_log_open(&tlog, unit_tmpdir(), file_max, 100, &e) == 0);
    UNIT_INT(reporter_init(&reporter, &settings, state, "n1", "boot-1", &tlog, &e), 0, "%s",
             e.text);
}

static void _stop(void)
{
    reporter_fini(&reporter);
    telemetry_log_close(&tlog);
}

static int _send(void)
{
    struct err e = {""};

    return reporter_send(&reporter, 1000, &e);
}

static void test_all_well(void)
{
    file_max = 1 << 20;
    _start();
    UNIT_INT(_send(), 0, "nothing to send");
    UNIT_INT(controller.calls, 0, "and nothing sent");
    _append(3);
    UNIT_INT(_send(), 0, "sent");
    UNIT_INT(controller.acked, 3, "there");
    UNIT_INT(controller.calls, 1, "in one report");
    _append(1234);
    UNIT_INT(_send(), 0, "sent");
    UNIT_INT(controller.counted, 1237, "all, once");
    UNIT_INT(controller.calls, 4, "in batches");
    UNIT_INT(controller.batch_max, REPORTER_BATCH_RECORDS, "of that many");
    UNIT_INT(_send(), 0, "nothing new");
    UNIT_INT(controller.calls, 4, "no report");
    _stop();
    _start();
    UNIT_INT(reporter.acked, 1237, "remembered");
    UNIT_INT(_send(), 0, "nothing new");
    UNIT_INT(controller.calls, 4, "no report");
    _stop();
}

/* Away, back, answers lost, our memory lost: each record counts once. */
static void test_once(void)
{
    char path[PATH_MAX];

    _start();
    _append(10);
    controller.away = true;
    UNIT_INT(_send(), -1, "away");
    _append(100);
    UNIT_INT(_send(), -1, "away");
    controller.away = false;
    controller.lose_answer = true;
    UNIT_INT(_send(), -1, "no answer");
    UNIT_INT(_send(), -1, "no answer");
    controller.lose_answer = false;
    _append(5);
    UNIT_INT(_send(), 0, "at last");
    UNIT_INT(controller.acked, 115, "all there");
    UNIT_INT(controller.counted, 115, "each once");
    UNIT_INT(controller.gap, 0, "none passed over");
    _stop();
    (void)snprintf(path, sizeof(path), "%s/state/acked", unit_tmpdir());
    CU_ASSERT_FATAL(unlink(path) == 0);
    _start();
    UNIT_INT(reporter.acked, 0, "forgotten");
    _append(1);
    UNIT_INT(_send(), 0, "sent again from the beginning");
    UNIT_INT(controller.counted, 116, "each once");
    _stop();
}

static void test_hold(void)
{
    _start();
    _append(10);
    controller.hold_at = 6;
    UNIT_INT(_send(), 1, "not yet");
    UNIT_INT(reporter.acked, 5, "as far as it goes");
    UNIT_INT(_send(), 1, "still not");
    controller.hold_at = 0;
    UNIT_INT(_send(), 0, "now");
    UNIT_INT(controller.counted, 10, "each once");
    controller.refuse_at = 12;
    _append(5);
    UNIT_INT(_send(), -1, "stopped");
    UNIT_INT(reporter.acked, 11, "as far as it goes");
    controller.refuse_at = 0;
    controller.refusal = "you are not this node";
    UNIT_INT(_send(), -1, "refused");
    controller.refusal = NULL;
    UNIT_INT(_send(), 0, "taken");
    UNIT_INT(controller.counted, 15, "each once");
    _stop();
}

/* The log was lost and numbers began again: the controller's are higher. */
static void test_skip(void)
{
    _start();
    controller.acked = 5000;
    _append(3);
    UNIT_INT(_send(), 0, "nothing is left to send");
    UNIT_INT(reporter_take_skip(&reporter), 5000, "go on behind that");
    UNIT_INT(reporter_take_skip(&reporter), 0, "said once");
    seq = 5000;
    _append(2);
    UNIT_INT(_send(), 0, "sent");
    UNIT_INT(controller.acked, 5002, "and counted");
    _stop();
}

static void test_bad_memory(void)
{
    static const char *const texts[] = {"", "\n", "abc", "12x", "-"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fixture_write(unit_tmpdir(), "state/acked", texts[i]);
        _start();
        UNIT_INT(reporter.acked, 0, "'%s'", texts[i]);
        _stop();
    }
    fixture_write(unit_tmpdir(), "state/acked", "77\n");
    _start();
    UNIT_INT(reporter.acked, 77, "a good one");
    _stop();
}

static bool _wait_for(uint64_t acked, int ms)
{
    const struct timespec pause = {0, 5000000};

    for (int i = 0; i < ms / 5; i++) {
        bool there;

        (void)pthread_mutex_lock(&controller.lock);
        there = controller.acked >= acked;
        (void)pthread_mutex_unlock(&controller.lock);
        if (there)
            return true;
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

/* The thread: by itself, when woken, and when told to stop; it speaks when something changes. */
static void test_thread(void)
{
    _start();
    UNIT_INT(reporter_start(&reporter, NULL), 0, "start");
    _append(3);
    UNIT_OK(_wait_for(3, 3000), "within the interval");
    (void)pthread_mutex_lock(&controller.lock);
    controller.away = true;
    (void)pthread_mutex_unlock(&controller.lock);
    _append(1);
    while (n_logged == 0)
        (void)nanosleep(&(struct timespec){0, 5000000}, NULL);
    (void)pthread_mutex_lock(&controller.lock);
    controller.away = false;
    (void)pthread_mutex_unlock(&controller.lock);
    UNIT_OK(_wait_for(4, 5000), "after a second's pause");
    _append(1);
    settings.node.report_interval_ms = 3600000;
    reporter_configure(&reporter, &settings);
    UNIT_OK(_wait_for(5, 3000), "the old interval still holds once");
    _append(1);
    reporter_wake(&reporter);
    UNIT_OK(_wait_for(6, 3000), "woken");
    _append(1);
    _stop();
    UNIT_INT(controller.acked, 7, "the last one on the way out");
    UNIT_INT(controller.counted, 7, "each once");
    UNIT_INT(n_logged, 2, "lost, and back: '%s' '%s' '%s'", logged[0], logged[1], logged[2]);
}

static const struct unit_case cases[] = {
    {"all_well", test_all_well},
    {"once", test_once},
    {"hold", test_hold},
    {"skip", test_skip},
    {"bad_memory", test_bad_memory},
    {"thread", test_thread},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "reporter");
}
