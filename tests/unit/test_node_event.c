/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages from the SPANK plugin to carnotd: what is written is read again, and
 * nothing else is.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/node_event.h"
#include "unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TEN "1234567890"

/* From a block of exactly its size, so that a sanitizer sees each read beyond it. */
static int _parse(struct node_event *ev, const char *text, size_t size, struct err *e)
{
    char *copy = malloc(size ? size : 1);
    int rc;

    CU_ASSERT_FATAL(copy != NULL);
    memcpy(copy, text, size);
    rc = node_event_parse(ev, copy, size, e);
    free(copy);
    return rc;
}

static struct node_event _event(enum node_event_kind kind)
{
    struct node_event ev;

    node_event_init(&ev);
    ev.kind = kind;
    ev.job_id = 123;
    ev.uid = 1000;
    ev.t_ms = 1764000000123;
    if (kind == NODE_EVENT_STEP || kind == NODE_EVENT_STEP_END)
        strcpy(ev.step, "batch");
    return ev;
}

static void test_round(void)
{
    static const char *const want[] = {
        NULL,
        "carnot1 event=start job=123 uid=1000 t_ms=1764000000123",
        "carnot1 event=step job=123 step=batch uid=1000 t_ms=1764000000123",
        "carnot1 event=stepend job=123 step=batch uid=1000 t_ms=1764000000123",
        "carnot1 event=end job=123 uid=1000 t_ms=1764000000123",
    };

    for (size_t kind = 1; kind < COUNT(want); kind++) {
        struct node_event ev = _event((enum node_event_kind)kind), got;
        char text[NODE_EVENT_MAX + 1];
        struct err e = {""};
        int len = node_event_format(text, sizeof(text), &ev);

        UNIT_INT(len, strlen(want[kind]), "kind %zu", kind);
        UNIT_STR(text, want[kind], "kind %zu", kind);
        UNIT_INT(_parse(&got, text, strlen(text), &e), 0, "%s", e.text);
        UNIT_OK(memcmp(&got, &ev, sizeof(ev)) == 0, "kind %zu", kind);
    }
}

static void test_all_fields(void)
{
    static const char want[] =
        "carnot1 event=step job=123 step=4294967200 uid=0 node=n1-a.b_c ncpus=4 "
        "cap=gpu:300000mW exclusive=1 cores=0-3,8 gpus=0,1 restart=0 array_job=120 array_task=0 "
        "t_ms=1764000000123";
    struct node_event ev = _event(NODE_EVENT_STEP), got;
    char text[NODE_EVENT_MAX + 1];
    struct err e = {""};

    strcpy(ev.step, "4294967200");
    strcpy(ev.node, "n1-a.b_c");
    strcpy(ev.cores, "0-3,8");
    strcpy(ev.gpus, "0,1");
    ev.cap = (struct power_cap){POWER_CAP_GPU, 300000};
    ev.exclusive = 1;
    ev.uid = 0;
    ev.ncpus = 4;
    ev.restart = 0;
    ev.array_job_id = 120;
    ev.array_task_id = 0;
    UNIT_INT(node_event_format(text, sizeof(text), &ev), strlen(want), "length");
    UNIT_STR(text, want, "text");
    UNIT_INT(_parse(&got, text, strlen(text), &e), 0, "%s", e.text);
    CU_ASSERT(memcmp(&got, &ev, sizeof(ev)) == 0);
}

/* The longest event fits, lists left out whole where they do not. */
static void test_longest(void)
{
    struct node_event ev = _event(NODE_EVENT_STEP), got;
    char text[NODE_EVENT_MAX + 1];
    struct err e = {""};

    memset(ev.step, 'x', sizeof(ev.step) - 1);
    memset(ev.node, 'x', sizeof(ev.node) - 1);
    memset(ev.cores, '1', sizeof(ev.cores) - 1);
    memset(ev.gpus, '2', sizeof(ev.gpus) - 1);
    ev.job_id = ev.uid = ev.ncpus = ev.restart = UINT32_MAX - 1;
    ev.array_job_id = ev.array_task_id = UINT32_MAX - 1;
    ev.exclusive = UINT32_MAX - 1;
    ev.cap = (struct power_cap){POWER_CAP_NODE, POWER_CAP_MAX_MW};
    ev.t_ms = 253402300799999;
    UNIT_OK(node_event_format(text, sizeof(text), &ev) > 0, "longest");
    UNIT_INT(_parse(&got, text, strlen(text), &e), 0, "%s", e.text);
    UNIT_STR(got.cores, ev.cores, "cores fit");
    UNIT_STR(got.gpus, "", "gpus do not");
    UNIT_INT(got.array_task_id, ev.array_task_id, "what follows is there");
    UNIT_INT(got.t_ms, ev.t_ms, "to the end");
}

static void test_refuses_to_write(void)
{
    char text[NODE_EVENT_MAX + 1] = "kept";
    struct node_event ev;

    for (int i = 0; i < 11; i++) {
        ev = _event(i == 3 ? NODE_EVENT_STEP : NODE_EVENT_START);
        switch (i) {
        case 0:
            ev.kind = NODE_EVENT_NONE;
            break;
        case 1:
            ev.kind = (enum node_event_kind)5;
            break;
        case 2:
            strcpy(ev.step, "batch"); /* a job has none */
            break;
        case 3:
            ev.step[0] = '\0';
            break;
        case 4:
            ev.job_id = 0;
            break;
        case 5:
            ev.job_id = NODE_EVENT_UNKNOWN;
            break;
        case 6:
            ev.t_ms = -1;
            break;
        case 7:
            strcpy(ev.node, "../n1");
            break;
        case 8:
            strcpy(ev.cores, "0-3 uid=0");
            break;
        case 9:
            memset(ev.node, 'x', sizeof(ev.node)); /* not terminated */
            break;
        default:
            strcpy(ev.gpus, "0-");
        }
        UNIT_INT(node_event_format(text, sizeof(text), &ev), -1, "row %d", i);
        UNIT_STR(text, "kept", "row %d", i);
    }
    ev = _event(NODE_EVENT_START);
    UNIT_INT(node_event_format(text, 20, &ev), -1, "too small");
    UNIT_STR(text, "kept", "too small");
}

static void test_newer(void)
{
    static const char text[] = "carnot1 event=end job=7 mood=fine t_ms=1 empty=";
    struct node_event ev;
    struct err e = {""};

    UNIT_INT(_parse(&ev, text, strlen(text), &e), 0, "%s", e.text);
    UNIT_INT(ev.job_id, 7, "job");
    UNIT_INT(ev.uid, NODE_EVENT_UNKNOWN, "what is not said is not known");
}

static void test_bad(void)
{
    static const char *const rows[] = {
        "",
        "c",
        "carnot1",
        "carnot1 ",
        "carnot2 event=end job=7",
        "carnot10 event=end job=7",
        " carnot1 event=end job=7",
        "CARNOT1 event=end job=7",
        "carnot1 job=7",
        "carnot1 event=end",
        "carnot1 event= job=7",
        "carnot1 event=halt job=7",
        "carnot1 event=end job=0",
        "carnot1 event=end job=",
        "carnot1 event=end job=-7",
        "carnot1 event=end job=+7",
        "carnot1 event=end job=0x7",
        "carnot1 event=end job=7.5",
        "carnot1 event=end job=4294967295",
        "carnot1 event=end job=4294967303",
        "carnot1 event=end job=99999999999999999999999",
        "carnot1 event=end job=7 job=8",
        "carnot1 event=end event=start job=7",
        "carnot1 event=end job=7 step=batch",
        "carnot1 event=step job=7",
        "carnot1 event=stepend job=7",
        "carnot1 event=step job=7 step=",
        "carnot1 event=step job=7 step=0/../1",
        "carnot1 event=step job=7 step=1234567890123456",
        "carnot1 event=end job=7 node=..",
        "carnot1 event=end job=7 node=.n",
        "carnot1 event=end job=7 node=a/b",
        "carnot1 event=end job=7 node=%n",
        "carnot1 event=end job=7 cores=",
        "carnot1 event=end job=7 cores=-1",
        "carnot1 event=end job=7 cores=1-",
        "carnot1 event=end job=7 cores=1,,2",
        "carnot1 event=end job=7 cores=a",
        "carnot1 event=end job=7 t_ms=253402300800000",
        "carnot1 event=end job=7 t_ms=-1",
        "carnot1  event=end job=7",
        "carnot1 event=end  job=7",
        "carnot1 event=end job=7 ",
        "carnot1 event=end job=7\n",
        "carnot1 event=end job=7 =x",
        "carnot1 event=end job=7 alone",
        "carnot1 event=end job=7 x=\x1b",
        "carnot1 event=end job=7 x=\xc3\xa9",
        "carnot1 event=end job=7 node=" TEN TEN TEN TEN TEN TEN TEN,
    };
    struct node_event ev = _event(NODE_EVENT_START), before = ev;
    struct err e;

    for (size_t i = 0; i < COUNT(rows); i++) {
        e.text[0] = '\0';
        UNIT_INT(_parse(&ev, rows[i], strlen(rows[i]), &e), -1, "row %zu: %s", i, rows[i]);
        UNIT_OK(e.text[0], "row %zu has no sentence", i);
        UNIT_OK(memcmp(&ev, &before, sizeof(ev)) == 0, "row %zu changed the event", i);
    }
    UNIT_INT(_parse(&ev, "carnot1 event=end job=7\0", 24, &e), -1, "a NUL");
    UNIT_INT(node_event_parse(&ev, NULL, 0, &e), -1, "NULL");
}

/* Each prefix of a good message, and each with one byte changed: an error, or an event. */
static void test_mangled(void)
{
    static const char text[] = "carnot1 event=step job=123 step=batch uid=1000 node=n1 ncpus=4 "
                               "cores=0-3 gpus=0,1 restart=0 t_ms=1764000000123";
    char copy[sizeof(text)];
    struct node_event ev;
    char big[NODE_EVENT_MAX + 1];

    for (size_t n = 0; n < sizeof(text); n++)
        (void)_parse(&ev, text, n, NULL);
    for (size_t i = 0; i + 1 < sizeof(text); i++) {
        for (int c = 0; c < 256; c += 3) {
            memcpy(copy, text, sizeof(text));
            copy[i] = (char)c;
            if (_parse(&ev, copy, sizeof(text) - 1, NULL) == 0)
                UNIT_OK(node_event_format(big, sizeof(big), &ev) > 0, "%s", copy);
        }
    }
    memset(big, 'x', sizeof(big));
    memcpy(big, "carnot1 event=end job=7 x=", 26);
    UNIT_INT(_parse(&ev, big, NODE_EVENT_MAX, NULL), 0, "the longest");
    UNIT_INT(_parse(&ev, big, NODE_EVENT_MAX + 1, NULL), -1, "one more");
}

static const struct unit_case cases[] = {
    {"round", test_round},     {"all-fields", test_all_fields},
    {"longest", test_longest}, {"refuses-to-write", test_refuses_to_write},
    {"newer", test_newer},     {"bad", test_bad},
    {"mangled", test_mangled}, {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "node_event");
}
