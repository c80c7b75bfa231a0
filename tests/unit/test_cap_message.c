/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power caps as users write them, and the messages between carnotd and its helper.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/cap_message.h"
#include "unit.h"

static void test_cap(void)
{
    static const struct {
        const char *text;
        enum power_cap_scope scope;
        uint64_t mw;
        const char *again;
    } good[] = {
        {"node:1800W", POWER_CAP_NODE, 1800000, "node:1800000mW"},
        {"node:1.8kW", POWER_CAP_NODE, 1800000, "node:1800000mW"},
        {"gpu:300W", POWER_CAP_GPU, 300000, "gpu:300000mW"},
        {"gpu:1W", POWER_CAP_GPU, 1000, "gpu:1000mW"},
        {"node:1MW", POWER_CAP_NODE, 1000000000, "node:1000000000mW"},
    };
    static const struct {
        const char *text, *fault;
    } bad[] = {
        {"350W", "say whose power"},    {"350", "not a power cap"},
        {"", "not a power cap"},        {"node", "not a power cap"},
        {"node:", "not a power cap"},   {"node:350", "not a power cap"},
        {":350W", "not a power cap"},   {"gpus:350W", "not a power cap"},
        {"Node:350W", "not a power"},   {"node:-350W", "not a power cap"},
        {"node: 350W", "not a power"},  {"node:350W ", "not a power cap"},
        {"node:350J", "not a power"},   {"node:nanW", "not a power cap"},
        {"node:0W", "too little"},      {"gpu:999mW", "too little"},
        {"node:1.1MW", "too much"},     {"node:99999999999999999999MW", "too much"},
        {"gpu:300W,node:1kW", "not a"}, {"node:gpu:300W", "not a power cap"},
    };
    struct power_cap cap;
    char text[POWER_CAP_TEXT_SIZE];

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        UNIT_OK(power_cap_parse(&cap, good[i].text) == NULL, "%s", good[i].text);
        UNIT_INT(cap.scope, good[i].scope, "%s", good[i].text);
        UNIT_INT(cap.mw, good[i].mw, "%s", good[i].text);
        UNIT_STR(power_cap_format(text, sizeof(text), &cap), good[i].again, "%s", good[i].text);
    }
    cap = (struct power_cap){POWER_CAP_GPU, 7};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *fault = power_cap_parse(&cap, bad[i].text);

        UNIT_OK(fault && strstr(fault, bad[i].fault), "%s: %s", bad[i].text, fault ? fault : "ok");
        UNIT_OK(cap.scope == POWER_CAP_GPU && cap.mw == 7, "%s: unchanged", bad[i].text);
    }
    UNIT_STR(power_cap_format(text, sizeof(text), &(struct power_cap){POWER_CAP_NONE, 0}), "",
             "none");
}

static void test_request(void)
{
    static const char *const good[] = {
        "carnot1 restore",
        "carnot1 set job=81234 cap=node:1800000mW",
        "carnot1 set job=4294967294 cap=gpu:300000mW gpus=9223372036854775807",
    };
    static const char *const bad[] = {
        "",
        "carnot1",
        "carnot1 ",
        "carnot2 restore",
        "restore",
        "carnot1 restore ",
        "carnot1 restore job=7",
        "carnot1 reset",
        "carnot1 set",
        "carnot1 set job=7",
        "carnot1 set cap=node:1kW",
        "carnot1 set job=0 cap=node:1kW",
        "carnot1 set job=4294967295 cap=node:1kW",
        "carnot1 set job=-7 cap=node:1kW",
        "carnot1 set job=7 job=8 cap=node:1kW",
        "carnot1 set job=7 cap=node:1kW cap=node:2kW",
        "carnot1 set job=7 cap=1kW",
        "carnot1 set job=7 cap=node:1kW gpus=1",
        "carnot1 set job=7 cap=gpu:1kW",
        "carnot1 set job=7 cap=gpu:1kW gpus=0",
        "carnot1 set job=7 cap=gpu:1kW gpus=9223372036854775808",
        "carnot1 set job=7 cap=gpu:1kW gpus=0,1",
        "carnot1 set job=7 cap=node:1kW root=/tmp",
        "carnot1 set job=7  cap=node:1kW",
        "carnot1 set job=7 cap=node:1kW\n",
        "carnot1 set\tjob=7 cap=node:1kW",
    };
    struct cap_request r;
    char text[CAP_MESSAGE_MAX + 1], huge[CAP_MESSAGE_MAX + 2];
    struct err e;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        UNIT_INT(cap_request_parse(&r, good[i], strlen(good[i]), &e), 0, "%s", good[i]);
        UNIT_INT(cap_request_format(text, sizeof(text), &r), strlen(good[i]), "%s", good[i]);
        UNIT_STR(text, good[i], "back");
        UNIT_INT(cap_request_format(text, strlen(good[i]), &r), -1, "%s: no room", good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(&r, 0, sizeof(r));
        UNIT_INT(cap_request_parse(&r, bad[i], strlen(bad[i]), &e), -1, "%s", bad[i]);
        UNIT_INT(r.verb, CAP_VERB_NONE, "%s: unchanged", bad[i]);
    }
    memset(huge, 'x', sizeof(huge));
    UNIT_INT(cap_request_parse(&r, huge, sizeof(huge), &e), -1, "too long");
    UNIT_INT(cap_request_parse(&r, "carnot1 restore\0 job=7", 22, &e), -1, "a NUL in it");
    r = (struct cap_request){.verb = CAP_SET, .job = 7};
    UNIT_INT(cap_request_format(text, sizeof(text), &r), -1, "no cap");
}

static void test_answer(void)
{
    static const char *const good[] = {
        "carnot1 result=set limits=2 asked_mw=600000 actual_mw=600000 why=",
        "carnot1 result=differs limits=2 asked_mw=600000 actual_mw=1 why=a b=c why=not",
        "carnot1 result=restore limits=0 asked_mw=0 actual_mw=0 why=",
        "carnot1 result=aside limits=0 asked_mw=0 actual_mw=0 why=eard",
        "carnot1 result=refused limits=0 asked_mw=0 actual_mw=0 why=x",
        "carnot1 result=failed limits=0 asked_mw=0 actual_mw=0 why=x",
    };
    static const char *const bad[] = {
        "",
        "carnot1 result=set limits=2",
        "carnot1 limits=2 why=",
        "carnot1 result= why=",
        "carnot1 result=done why=",
        "carnot1 result=set limits=-1 why=",
        "carnot1 result=set limits=4294967296 why=",
        "carnot1 result=set colour=red why=",
        "carnot1 result=set limits=1 why=\n",
        "carnot9 result=set limits=1 why=",
    };
    struct cap_answer a;
    char text[CAP_MESSAGE_MAX + 1];
    struct err e;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        UNIT_INT(cap_answer_parse(&a, good[i], strlen(good[i]), &e), 0, "%s", good[i]);
        UNIT_INT(cap_answer_format(text, sizeof(text), &a), strlen(good[i]), "%s", good[i]);
        UNIT_STR(text, good[i], "back");
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        UNIT_INT(cap_answer_parse(&a, bad[i], strlen(bad[i]), &e), -1, "%s", bad[i]);
    memset(&a, 0, sizeof(a));
    UNIT_INT(cap_answer_format(text, sizeof(text), &a), -1, "no result");
    a.result = CAP_FAILED;
    memset(a.why.text, 'x', sizeof(a.why.text) - 1);
    a.limits = UINT32_MAX;
    a.asked_mw = a.actual_mw = INT64_MAX;
    UNIT_OK(cap_answer_format(text, sizeof(text), &a) > 0, "the longest");
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"cap", test_cap},
        {"request", test_request},
        {"answer", test_answer},
        {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "cap_message");
}
