/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions about energy and their answers as text: what is written is read back, and what is
 * written otherwise is not believed.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "common/energy_query.h"
#include "unit.h"

static void test_query(void)
{
    struct energy_query q = {.of = ENERGY_OF_STEP, .job_id = 123, .step = "batch", .node = "n1"};
    struct energy_query back;
    char text[ENERGY_MESSAGE_MAX + 1];
    int n = energy_query_format(text, sizeof(text), &q);

    UNIT_STR(text, "carnot1 query=step job=123 step=batch node=n1", "a step");
    UNIT_INT(energy_query_is(text, (size_t)n), 1, "a question");
    UNIT_INT(energy_query_parse(&back, text, (size_t)n, NULL), 0, "read back");
    UNIT_INT(back.of, ENERGY_OF_STEP, "of");
    UNIT_INT(back.job_id, 123, "job");
    UNIT_STR(back.step, "batch", "step");
    UNIT_STR(back.node, "n1", "node");
    q = (struct energy_query){.of = ENERGY_OF_NODE};
    n = energy_query_format(text, sizeof(text), &q);
    UNIT_STR(text, "carnot1 query=node", "a node without a name");
    UNIT_INT(energy_query_parse(&back, text, (size_t)n, NULL), 0, "read back");
    UNIT_INT(back.of, ENERGY_OF_NODE, "of");
    UNIT_STR(back.node, "", "no name");
    q = (struct energy_query){.of = ENERGY_OF_STEP, .job_id = 1, .step = "a b"};
    UNIT_INT(energy_query_format(text, sizeof(text), &q), -1, "nothing that is not read back");
    q = (struct energy_query){.of = ENERGY_OF_NODE};
    UNIT_INT(energy_query_format(text, 10, &q), -1, "no room");
    UNIT_INT(energy_query_is("carnot1 event=start job=5", 25), 0, "an edge is no question");
    UNIT_INT(energy_query_is("carnot1", 7), 0, "nor is less");
}

static void test_bad_query(void)
{
    static const char *const bad[] = {
        "",
        "carnot1 query=",
        "carnot1 query=cluster",
        "carnot2 query=node",
        "carnot1 query=node node=",
        "carnot1 query=node node=../n1",
        "carnot1 query=node node=n1 node=n1",
        "carnot1 query=node  node=n1",
        "carnot1 query=node node",
        "carnot1 query=node =n1",
        "carnot1 query=node node=n1\n",
        "carnot1 query=step",
        "carnot1 query=step job=5",
        "carnot1 query=step step=0",
        "carnot1 query=step job=0 step=0",
        "carnot1 query=step job=-1 step=0",
        "carnot1 query=step job=4294967295 step=0",
        "carnot1 query=step job=99999999999999999999999 step=0",
        "carnot1 query=step job=5 step=../../x",
        "carnot1 query=step job=5 step=0123456789012345",
        "carnot1 query=step job=5x step=0",
        "carnot1 query=node a=1 b=1 c=1 d=1 e=1 f=1 g=1 h=1 i=1 j=1 k=1 l=1 m=1 n=1 o=1 p=1",
    };
    struct energy_query q = {.job_id = 77};
    struct err e;
    char longer[ENERGY_MESSAGE_MAX + 20];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        UNIT_INT(energy_query_parse(&q, bad[i], strlen(bad[i]), &e), -1, "'%s'", bad[i]);
        UNIT_INT(q.job_id, 77, "untouched by '%s'", bad[i]);
    }
    memset(longer, 'x', sizeof(longer));
    memcpy(longer, "carnot1 query=node a=", 21);
    UNIT_INT(energy_query_parse(&q, longer, sizeof(longer), &e), -1, "too long");
    UNIT_INT(energy_query_parse(&q, "carnot1 query=node\0x", 20, &e), -1, "a NUL in it");
    UNIT_INT(energy_query_parse(&q, "carnot1 query=node new=thing", 28, &e), 0, "a newer key");
}

static void test_answer(void)
{
    struct energy_answer a = {ENERGY_OF_STEP, 1764000000123, 81234567, 93211002}, back;
    char text[ENERGY_MESSAGE_MAX + 1];
    int n = energy_answer_format(text, sizeof(text), &a);

    UNIT_STR(text, "carnot1 answer=step run=1764000000123 uj=81234567 mono_ms=93211002", "a step");
    UNIT_INT(energy_answer_parse(&back, text, (size_t)n, NULL), 0, "read back");
    UNIT_OK(back.of == a.of && back.run == a.run && back.uj == a.uj && back.mono_ms == a.mono_ms,
            "the same");
    a = (struct energy_answer){.of = ENERGY_OF_NONE};
    n = energy_answer_format(text, sizeof(text), &a);
    UNIT_STR(text, "carnot1 answer=none", "nothing");
    UNIT_INT(energy_answer_parse(&back, text, (size_t)n, NULL), 0, "read back");
    UNIT_INT(back.of, ENERGY_OF_NONE, "nothing");
    a = (struct energy_answer){ENERGY_OF_NODE, 0, 1, 1};
    UNIT_INT(energy_answer_format(text, sizeof(text), &a), -1, "run 0 is none");
}

static void test_bad_answer(void)
{
    static const char *const bad[] = {
        "",
        "carnot1 answer=",
        "carnot1 answer=all run=1 uj=1 mono_ms=1",
        "carnot1 answer=node",
        "carnot1 answer=node run=1 uj=1",
        "carnot1 answer=node run=1 mono_ms=1",
        "carnot1 answer=node uj=1 mono_ms=1",
        "carnot1 answer=node run=0 uj=1 mono_ms=1",
        "carnot1 answer=node run=1 uj=-1 mono_ms=1",
        "carnot1 answer=node run=1 uj=1e9 mono_ms=1",
        "carnot1 answer=node run=1 uj= mono_ms=1",
        "carnot1 answer=node run=1 uj=18446744073709551615 mono_ms=1",
        "carnot1 answer=node run=1 uj=18446744073709551616 mono_ms=1",
        "carnot1 answer=node run=1 uj=1 uj=2 mono_ms=1",
        "carnot1 answer=node run=1 uj=1 mono_ms=9223372036854775807",
        "carnot1 query=node",
    };
    struct energy_answer a = {.uj = 77};
    struct err e;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        UNIT_INT(energy_answer_parse(&a, bad[i], strlen(bad[i]), &e), -1, "'%s'", bad[i]);
        UNIT_INT(a.uj, 77, "untouched by '%s'", bad[i]);
    }
}

/* Any change of one byte is read as something legal or not at all; with sanitizers, and nothing is
 * read beyond the end. */
static void test_changed_bytes(void)
{
    static const char good[] = "carnot1 answer=node run=17 uj=123 mono_ms=456";
    struct energy_answer a;

    for (size_t at = 0; at < sizeof(good) - 1; at++) {
        for (int c = 0; c < 256; c++) {
            char text[sizeof(good)];

            memcpy(text, good, sizeof(good));
            text[at] = (char)c;
            if (energy_answer_parse(&a, text, sizeof(good) - 1, NULL) == 0)
                UNIT_OK(a.of == ENERGY_OF_NONE || (a.run > 0 && a.uj <= ENERGY_UJ_MAX), "%s", text);
        }
        (void)energy_answer_parse(&a, good, at, NULL);
    }
}

static const struct unit_case cases[] = {
    {"query", test_query},           {"bad_query", test_bad_query},         {"answer", test_answer},
    {"bad_answer", test_bad_answer}, {"changed_bytes", test_changed_bytes}, {NULL, NULL}};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "energy_query");
}
