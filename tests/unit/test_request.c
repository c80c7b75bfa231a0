/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What users may write, and what they may not: one table of good values, a
 * longer one of bad ones, and the three sources they come from.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "placement/request.h"
#include "unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW 1764000000 /* 2025-11-24T16:00:00Z */
#define NAME_63 "123456789012345678901234567890123456789012345678901234567890123"
#define TEXT_127 NAME_63 "4" NAME_63

static const struct good {
    enum request_option option;
    const char *value;
    int64_t want;
} good[] = {
    {REQUEST_CARBON_DELAY, "90", 90 * 60},
    {REQUEST_CARBON_DELAY, "12:00:00", 12 * 3600},
    {REQUEST_CARBON_DELAY, "1-00", 86400},
    {REQUEST_CARBON_DELAY, "12h", 12 * 3600},
    {REQUEST_CARBON_DELAY, "366d", 366 * 86400},
    {REQUEST_CARBON_DELAY, "0", 0},
    {REQUEST_CARBON_DELAY, "off", 0},
    {REQUEST_CARBON_FINISH_BY, "now+4hours", NOW + 4 * 3600},
    {REQUEST_CARBON_FINISH_BY, "2025-11-24T17:00:00", NOW + 3600},
    {REQUEST_CARBON_FINISH_BY, "2025-11-24T18:00:00+01:00", NOW + 3600},
    {REQUEST_CARBON_FINISH_BY, "17:00", NOW + 3600},
    {REQUEST_CARBON_FINISH_BY, "2001-01-01", 978307200},
    {REQUEST_CARBON_FINISH_BY, "1970-01-01T00:00:00Z", 1},
    {REQUEST_CARBON_POLICY, "asap", POLICY_ASAP},
    {REQUEST_CARBON_POLICY, "balanced", POLICY_BALANCED},
    {REQUEST_CARBON_POLICY, "greenest", POLICY_GREENEST},
    {REQUEST_CARBON_BUDGET, "500g", 500000000},
    {REQUEST_CARBON_BUDGET, "1.5kg", 1500000000},
    {REQUEST_CARBON_BUDGET, "10kt", 10000000000000000},
    {REQUEST_ENERGY_BUDGET, "5kWh", 18000000000000},
    {REQUEST_ENERGY_BUDGET, "18MJ", 18000000000000},
    {REQUEST_ENERGY_BUDGET, "1GWh", 3600000000000000000},
    {REQUEST_BUDGET_ACTION, "warn", ACTION_WARN},
    {REQUEST_BUDGET_ACTION, "term", ACTION_TERM},
    {REQUEST_CARBON_REQUEUE, "1", 1},
    {REQUEST_CARBON_REQUEUE, "0", 0},
};

static const struct bad {
    enum request_option option;
    const char *value;
    const char *says; /* part of the sentence */
} bad[] = {
    {REQUEST_CARBON_DELAY, "12x", "--carbon-delay=12x: not a duration; accepted: 90 (minutes)"},
    {REQUEST_CARBON_DELAY, "", "--carbon-delay=: a value is needed"},
    {REQUEST_CARBON_DELAY, NULL, "a value is needed"},
    {REQUEST_CARBON_DELAY, "-5", "not a duration"},
    {REQUEST_CARBON_DELAY, "12 h", "not a duration"},
    {REQUEST_CARBON_DELAY, "Off", "not a duration"},
    {REQUEST_CARBON_DELAY, "yes", "not a duration"},
    {REQUEST_CARBON_DELAY, "367d", "too long"},
    {REQUEST_CARBON_DELAY, "99999999999999999999999", "too long"},
    {REQUEST_CARBON_DELAY, "18446744073709551615", "too long"},
    {REQUEST_CARBON_DELAY, "9223372036854775807d", "too long"},
    {REQUEST_CARBON_DELAY, "1e3h", "not a duration"},
    {REQUEST_CARBON_DELAY, "nan", "not a duration"},
    {REQUEST_CARBON_DELAY, "\033[31m1h", "--carbon-delay=?[31m1h: not a duration"},
    {REQUEST_CARBON_DELAY, "1h\nsbatch: all is well", "1h?sbatch: all is well"},
    {REQUEST_CARBON_DELAY, "\xc3\xa9", "??"},
    {REQUEST_CARBON_DELAY, TEXT_127 "8", "too long"},
    {REQUEST_CARBON_FINISH_BY, "25:00", "--carbon-finish-by=25:00: not a time"},
    {REQUEST_CARBON_FINISH_BY, "soon", "not a time; accepted: 08:00"},
    {REQUEST_CARBON_FINISH_BY, "now+", "not a time"},
    {REQUEST_CARBON_FINISH_BY, "now+99999999999999999999hours", "not a time"},
    {REQUEST_CARBON_FINISH_BY, "2025-02-30", "not a time"},
    {REQUEST_CARBON_FINISH_BY, "99999-01-01", "not a time"},
    {REQUEST_CARBON_POLICY, "green", "not a policy; accepted: asap, balanced or greenest"},
    {REQUEST_CARBON_POLICY, "ASAP", "not a policy"},
    {REQUEST_CARBON_POLICY, "asap ", "not a policy"},
    {REQUEST_CARBON_BUDGET, "500", "not a mass"},
    {REQUEST_CARBON_BUDGET, "5kWh", "not a mass"},
    {REQUEST_CARBON_BUDGET, "0g", "no job runs on nothing"},
    {REQUEST_CARBON_BUDGET, "11kt", "too much"},
    {REQUEST_CARBON_BUDGET, "99999999999999999999kt", "too much"},
    {REQUEST_ENERGY_BUDGET, "5", "not an energy"},
    {REQUEST_ENERGY_BUDGET, "5 kWh", "not an energy"},
    {REQUEST_ENERGY_BUDGET, "5kwh", "not an energy"},
    {REQUEST_ENERGY_BUDGET, "-5kWh", "not an energy"},
    {REQUEST_ENERGY_BUDGET, "5,5kWh", "not an energy"},
    {REQUEST_ENERGY_BUDGET, "0.000kWh", "no job runs on nothing"},
    {REQUEST_ENERGY_BUDGET, "2GWh", "too much"},
    {REQUEST_ENERGY_BUDGET, "0x10J", "not an energy"},
    {REQUEST_BUDGET_ACTION, "kill", "not an action; accepted: warn or term"},
    {REQUEST_CARBON_REQUEUE, "yes", "--carbon-requeue=yes: neither yes nor no; accepted: 1 or 0"},
    {REQUEST_CARBON_REQUEUE, "01", "neither yes nor no"},
    {REQUEST_CARBON_REQUEUE, "-1", "neither yes nor no"},
    {REQUEST_CARBON_REQUEUE, TEXT_127 "8", "too long"},
    {REQUEST_CARBON_RUN, "a b", "not a name"},
    {REQUEST_CARBON_RUN, "a;rm", "not a name"},
    {REQUEST_CARBON_RUN, "a,b", "not a name"},
    {REQUEST_CARBON_RUN, "a=b", "not a name"},
    {REQUEST_CARBON_RUN, "a\tb", "a?b: not a name"},
    {REQUEST_CARBON_RUN, NAME_63 "4", "too long"},
};

static int64_t _value(const struct request *r, enum request_option option)
{
    switch (option) {
    case REQUEST_CARBON_DELAY:
        return r->delay_s;
    case REQUEST_CARBON_FINISH_BY:
        return r->finish_by_s;
    case REQUEST_CARBON_POLICY:
        return r->policy;
    case REQUEST_CARBON_BUDGET:
        return (int64_t)r->carbon_budget_ug;
    case REQUEST_ENERGY_BUDGET:
        return (int64_t)r->energy_budget_uj;
    case REQUEST_CARBON_REQUEUE:
        return r->requeue;
    default:
        return r->action;
    }
}

static void test_good(void)
{
    for (size_t i = 0; i < COUNT(good); i++) {
        struct request r;
        struct err e = {""};

        request_init(&r);
        UNIT_INT(request_set(&r, good[i].option, good[i].value, LAYER_FLAG, NOW, &e), 0, "%s: %s",
                 good[i].value, e.text);
        UNIT_INT(_value(&r, good[i].option), good[i].want, "%s", good[i].value);
        UNIT_INT(r.layer[good[i].option], LAYER_FLAG, "%s", good[i].value);
        UNIT_INT(request_any(&r), 1, "%s", good[i].value);
    }
}

static void test_bad(void)
{
    CU_ASSERT(COUNT(bad) > COUNT(good));
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct request r, before;
        struct err e = {""};

        request_init(&r);
        before = r;
        UNIT_INT(request_set(&r, bad[i].option, bad[i].value, LAYER_FLAG, NOW, &e), -1, "row %zu",
                 i);
        UNIT_OK(strstr(e.text, bad[i].says), "row %zu: %s", i, e.text);
        UNIT_OK(strstr(e.text, "; accepted: "), "row %zu: %s", i, e.text);
        UNIT_OK(memcmp(&r, &before, sizeof(r)) == 0, "row %zu changed the request", i);
        UNIT_INT(request_set(&r, bad[i].option, bad[i].value, LAYER_FLAG, NOW, NULL), -1, "row %zu",
                 i);
    }
}

static void test_delay_words(void)
{
    static const struct {
        const char *value;
        enum request_delay want;
    } rows[] = {{"off", DELAY_OFF}, {"0", DELAY_OFF}, {"site", DELAY_SITE}, {"5m", DELAY_FOR}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request r;

        request_init(&r);
        UNIT_INT(r.delay, DELAY_UNSET, "row %zu", i);
        CU_ASSERT(request_set(&r, REQUEST_CARBON_DELAY, rows[i].value, LAYER_FLAG, NOW, NULL) == 0);
        UNIT_INT(r.delay, rows[i].want, "row %zu", i);
    }
}

/* One that stands for itself, wherever it comes from. */
static void test_flag(void)
{
    static const struct {
        const char *env, *script, *spank;
        int want;
    } rows[] = {
        {NULL, NULL, NULL, 0},
        {"CARNOT_CARBON_REQUEUE=1", NULL, NULL, 1},
        {"CARNOT_CARBON_REQUEUE=", NULL, NULL, 0},
        {NULL, "#CARNOT carbon-requeue\n", NULL, 1},
        {NULL, "#CARNOT --carbon-requeue carbon-delay=1h\n", NULL, 1},
        {NULL, "#CARNOT carbon-delay=1h carbon_requeue=1", NULL, 1},
        {"CARNOT_CARBON_REQUEUE=1", "#CARNOT carbon-requeue=0\n", NULL, 0},
        {NULL, NULL, "_SLURM_SPANK_OPTION_carnot_carbon_requeue=", 1},
        {NULL, NULL, "_SLURM_SPANK_OPTION_carnot_carbon_requeue", 1},
        {NULL, NULL, "_SLURM_SPANK_OPTION_carnot_carbon_requeue=(null)", 1},
        {NULL, NULL, "_SLURM_SPANK_OPTION_carnot_carbon_requeue=1", 1},
        {NULL, "#CARNOT carbon-requeue=0\n", "_SLURM_SPANK_OPTION_carnot_carbon_requeue=", 1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char *env[] = {(char *)(uintptr_t)rows[i].env},
             *spank[] = {(char *)(uintptr_t)rows[i].spank};
        struct request r;
        struct err e = {""};

        request_init(&r);
        UNIT_INT(request_from_environment(&r, env, 1, NOW, &e), 0, "row %zu: %s", i, e.text);
        if (rows[i].script)
            UNIT_INT(request_from_script(&r, rows[i].script, strlen(rows[i].script), NOW, &e), 0,
                     "row %zu: %s", i, e.text);
        UNIT_INT(request_from_spank(&r, spank, 1, NOW, &e), 0, "row %zu: %s", i, e.text);
        UNIT_INT(r.requeue, rows[i].want, "row %zu", i);
    }
}

static void test_run_name(void)
{
    struct request r;

    request_init(&r);
    CU_ASSERT(request_set(&r, REQUEST_CARBON_RUN, NAME_63, LAYER_FLAG, NOW, NULL) == 0);
    UNIT_STR(r.run, NAME_63, "longest");
    CU_ASSERT(request_set(&r, REQUEST_CARBON_RUN, "lm-7b_v1.2+x@y/z:9", LAYER_FLAG, NOW, NULL) ==
              0);
    UNIT_STR(r.run, "lm-7b_v1.2+x@y/z:9", "every sign");
}

static void test_layers(void)
{
    struct request r;
    struct err e;

    request_init(&r);
    CU_ASSERT(request_any(&r) == 0);
    CU_ASSERT(request_set(&r, REQUEST_CARBON_DELAY, "2h", LAYER_SCRIPT, NOW, &e) == 0);
    CU_ASSERT(request_set(&r, REQUEST_CARBON_DELAY, "1h", LAYER_ENVIRONMENT, NOW, &e) == 0);
    UNIT_INT(r.delay_s, 7200, "the environment is weaker than the script");
    UNIT_INT(r.layer[REQUEST_CARBON_DELAY], LAYER_SCRIPT, "layer");
    CU_ASSERT(request_set(&r, REQUEST_CARBON_DELAY, "3h", LAYER_FLAG, NOW, &e) == 0);
    CU_ASSERT(request_set(&r, REQUEST_CARBON_DELAY, "4h", LAYER_FLAG, NOW, &e) == 0);
    UNIT_INT(r.delay_s, 4 * 3600, "the later flag wins");
    CU_ASSERT(request_set(&r, REQUEST_CARBON_DELAY, "5x", LAYER_ENVIRONMENT, NOW, &e) == -1);
    UNIT_OK(strncmp(e.text, "CARNOT_CARBON_DELAY=5x: ", 24) == 0, "%s", e.text);
    CU_ASSERT(request_set(&r, REQUEST_CARBON_DELAY, "5x", LAYER_SCRIPT, NOW, &e) == -1);
    UNIT_OK(strncmp(e.text, "carbon-delay=5x: ", 17) == 0, "%s", e.text);
    CU_ASSERT(request_set(&r, REQUEST_N_OPTIONS, "1", LAYER_FLAG, NOW, &e) == -1);
    CU_ASSERT(request_set(&r, (enum request_option)1000, "1", LAYER_FLAG, NOW, &e) == -1);
    UNIT_STR(request_layer_name(LAYER_NONE), "site", "name");
    UNIT_STR(request_layer_name(LAYER_SCRIPT), "script", "name");
    UNIT_STR(request_layer_name((enum request_layer)77), "site", "name");
    UNIT_STR(placement_policy_name((enum placement_policy)77), "", "name");
    UNIT_INT(placement_policy_parse(NULL), -1, "NULL");
    UNIT_INT(placement_policy_parse(""), -1, "empty is not UNSET");
}

static void test_check(void)
{
    static const struct {
        const char *policy, *delay;
        int want;
    } rows[] = {{"greenest", "off", -1}, {"greenest", "0", -1},  {"greenest", "1h", 0},
                {"greenest", NULL, 0},   {"balanced", "off", 0}, {NULL, "off", 0}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request r;
        struct err e = {""};

        request_init(&r);
        if (rows[i].policy)
            CU_ASSERT(
                request_set(&r, REQUEST_CARBON_POLICY, rows[i].policy, LAYER_FLAG, NOW, NULL) == 0);
        if (rows[i].delay)
            CU_ASSERT(request_set(&r, REQUEST_CARBON_DELAY, rows[i].delay, LAYER_ENVIRONMENT, NOW,
                                  NULL) == 0);
        UNIT_INT(request_check(&r, &e), rows[i].want, "row %zu", i);
        if (rows[i].want < 0)
            UNIT_OK(strstr(e.text, "--carbon-policy=greenest") &&
                        strstr(e.text, "CARNOT_CARBON_DELAY=off"),
                    "row %zu: %s", i, e.text);
    }
}

static void test_find(void)
{
    for (size_t i = 0; i < REQUEST_N_OPTIONS; i++) {
        const struct request_option_desc *d = &request_options[i];
        char line[64];

        UNIT_INT(d->option, i, "the table's order is the enum's");
        UNIT_OK(request_option_find(d->name, strlen(d->name)) == d, "%s", d->name);
        UNIT_OK(strncmp(d->env, "CARNOT_", 7) == 0, "%s", d->name);
        /* one line each in sbatch --help */
        UNIT_OK(snprintf(line, sizeof(line), "--%s=%s", d->name, d->arginfo) <= 24, "%s", line);
        UNIT_INT(request_is_flag(d), d->option == REQUEST_CARBON_REQUEUE, "%s", d->name);
        UNIT_OK(strlen(d->help) <= 50, "%s", d->help);
    }
    CU_ASSERT(request_option_find("carbon_delay", 12) == &request_options[REQUEST_CARBON_DELAY]);
    CU_ASSERT(request_option_find("carbon-delay=1", 12) == &request_options[REQUEST_CARBON_DELAY]);
    CU_ASSERT(request_option_find("carbon-dela", 11) == NULL);
    CU_ASSERT(request_option_find("", 0) == NULL);
    CU_ASSERT(request_option_find(NULL, 0) == NULL);
}

/* The script in a block of exactly its size, so that a sanitizer sees each read beyond it. */
static int _script(struct request *r, const char *text, size_t size, struct err *e)
{
    char *copy = malloc(size ? size : 1);
    int rc;

    CU_ASSERT_FATAL(copy != NULL);
    memcpy(copy, text, size);
    e->text[0] = '\0';
    rc = request_from_script(r, copy, size, NOW, e);
    free(copy);
    return rc;
}

static void test_script_good(void)
{
    static const struct {
        const char *text;
        int64_t delay_s;
        const char *run;
    } rows[] = {
        {"#!/bin/sh\n#CARNOT carbon-delay=1h carbon-run=a\nsrun x\n", 3600, "a"},
        {"#!/bin/sh\n#CARNOT --carbon-delay=1h\t--carbon_run=a\n", 3600, "a"},
        {"#!/bin/sh\r\n#SBATCH -n1\r\n\r\n#CARNOT carbon-delay=1h carbon-run=a\r\necho\r\n", 3600,
         "a"},
        {"#CARNOT carbon-delay=1h", 3600, ""},
        {"#CARNOT\tcarbon-delay=1h # carbon-run=a", 3600, ""},
        {"#CARNOT carbon-delay=\"1h\" carbon-run='a'", 3600, "a"},
        {"#CARNOT carbon-finish-by=\"2025-11-24 17:00\" carbon-run=a", 0, "a"},
        {"#CARNOT carbon-delay=1h\n#CARNOT carbon-delay=2h\n", 7200, ""},
        {"\n  \n\t# text\n#CARNOT carbon-run=a", 0, "a"},
        {"#CARNOT\n#CARNOT   \n#CARNOT # nothing\n#CARNOT", 0, ""},
        {"#CARNOTX carbon-dilly=1\n# CARNOT rubbish\n##CARNOT rubbish\n#carnot rubbish", 0, ""},
        {"echo\n#CARNOT carbon-delay=1h rubbish", 0, ""},
        {"#!/bin/sh\nset -e # \n#CARNOT rubbish", 0, ""},
        {"", 0, ""},
        {"#", 0, ""},
        {"#CARNO", 0, ""},
        {"\n\n\n", 0, ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request r;
        struct err e;

        request_init(&r);
        UNIT_INT(_script(&r, rows[i].text, strlen(rows[i].text), &e), 0, "row %zu: %s", i, e.text);
        UNIT_INT(r.delay_s, rows[i].delay_s, "row %zu", i);
        UNIT_STR(r.run, rows[i].run, "row %zu", i);
    }
}

static void test_script_bad(void)
{
    static const struct {
        const char *text;
        const char *says;
    } rows[] = {
        {"#!/bin/sh\n\n#CARNOT carbon-delya=1h\n",
         "script line 3: unknown option 'carbon-delya'; did you mean carbon-delay?"},
        {"#CARNOT carbon-dela=1h", "did you mean carbon-delay?"},
        {"#CARNOT carbonn-dellay=1h", "did you mean carbon-delay?"},
        {"#CARNOT energy-bugdet=1J", "did you mean energy-budget?"},
        {"#CARNOT carbon_runs=a", "did you mean carbon-run?"},
        {"#CARNOT delay=1h", "unknown option 'delay'; accepted: carbon-delay, carbon-finish-by"},
        {"#CARNOT =1h", "unknown option ''"},
        {"#CARNOT --", "unknown option ''"},
        {"#CARNOT ---carbon-delay=1h", "unknown option '-carbon-delay'; did you mean"},
        {"#CARNOT carbon-delay", "carbon-delay needs a value, as in carbon-delay=...; accepted"},
        {"#CARNOT carbon-delay 1h", "carbon-delay needs a value"},
        {"#CARNOT carbon-delay= 1h", "script line 1: carbon-delay=: a value is needed"},
        {"#CARNOT carbon-delay=", "a value is needed"},
        {"#CARNOT carbon-delay=\"\"", "a value is needed"},
        {"#CARNOT carbon-delay=\"1h", "a quote that does not end"},
        {"#CARNOT carbon-delay='1h\n#'", "a quote that does not end"},
        {"#CARNOT carbon-delay=\"1h\"x", "a quote that does not end"},
        {"#CARNOT carbon-delay=1h,carbon-run=a", "carbon-delay=1h,carbon-run=a: not a duration"},
        {"#CARNOT carbon-delay=1h;", "1h;: not a duration"},
        {"#CARNOT carbon-delay=1h#", "1h#: not a duration"},
        {"#CARNOT carbon-run=\x01\x1b[2J", "carbon-run=??[2J: not a name"},
        {"#CARNOT carbon-run=" TEXT_127 "8" TEXT_127, "too long"},
        {"#CARNOT " TEXT_127 TEXT_127 "=1", "unknown option '1234"},
        {"#CARNOT \x01\x02=1", "unknown option '?\?'"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request r, before;
        struct err e;

        request_init(&r);
        CU_ASSERT(request_set(&r, REQUEST_CARBON_RUN, "kept", LAYER_FLAG, NOW, NULL) == 0);
        before = r;
        UNIT_INT(_script(&r, rows[i].text, strlen(rows[i].text), &e), -1, "row %zu", i);
        UNIT_OK(strstr(e.text, rows[i].says), "row %zu: %s", i, e.text);
        UNIT_OK(strncmp(e.text, "script line ", 12) == 0, "row %zu: %s", i, e.text);
        UNIT_OK(memcmp(&r, &before, sizeof(r)) == 0, "row %zu changed the request", i);
    }
}

/* A script with a #CARNOT line of len bytes whose last one is byte number end. */
static char *_long_script(size_t end, const char *line, size_t size)
{
    char *text = malloc(size);

    CU_ASSERT_FATAL(text != NULL);
    memset(text, '#', size);
    for (size_t i = 99; i < size; i += 100)
        text[i] = '\n';
    memcpy(text + end - strlen(line), line, strlen(line));
    text[end - strlen(line) - 1] = '\n';
    return text;
}

static void test_script_limit(void)
{
    static const char line[] = "#CARNOT carbon-delay=12h";
    static const struct {
        int shift; /* of the line's end from the scan limit */
        char after;
        int rc;
        int64_t delay_s;
    } rows[] = {
        {0, 'h', -1, 0},                             /* a thirteenth letter behind the limit */
        {-1, '\n', 0, 12 * 3600},                    /* ends before it */
        {1, '\n', -1, 0},                            /* would be read as carbon-delay=12 */
        {2, '\n', -1, 0},         {200, '\n', 0, 0}, /* begins behind it */
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t end = (size_t)(REQUEST_SCRIPT_SCAN_MAX + rows[i].shift);
        size_t size = REQUEST_SCRIPT_SCAN_MAX + 1000;
        char *text = _long_script(end, line, size);
        struct request r;
        struct err e;

        text[end] = rows[i].after;
        request_init(&r);
        UNIT_INT(_script(&r, text, size, &e), rows[i].rc, "row %zu: %s", i, e.text);
        UNIT_INT(r.delay_s, rows[i].delay_s, "row %zu", i);
        if (rows[i].rc < 0)
            UNIT_OK(strstr(e.text, "first 64 KiB"), "row %zu: %s", i, e.text);
        free(text);
    }
}

static void test_script_nul(void)
{
    static const char text[] = "#CARNOT carbon-delay=1h\0#CARNOT rubbish";
    struct request r;
    struct err e;

    request_init(&r);
    UNIT_INT(_script(&r, text, sizeof(text), &e), 0, "%s", e.text);
    UNIT_INT(r.delay_s, 3600, "ends at the NUL");
    UNIT_INT(request_from_script(&r, NULL, 0, NOW, &e), 0, "no script");
    UNIT_INT(request_from_script(&r, NULL, 100, NOW, &e), 0, "no script, whatever its size");
}

static void test_environment(void)
{
    char *env[] = {"PATH=/bin",
                   "CARNOT_CONF=/etc/carnot.yaml",
                   "CARNOT_QUIET=1",
                   NULL,
                   "CARNOT_CARBON_DELAY=1h",
                   "CARNOT_CARBON_DELAYS=rubbish",
                   "XCARNOT_CARBON_DELAY=rubbish",
                   "SPANK_CARNOT_CARBON_RUN=a",
                   "CARNOT_ENERGY_BUDGET=",
                   "CARNOT_CARBON_POLICY"};
    char *bad_env[] = {"CARNOT_CARBON_DELAY=1h", "SPANK_CARNOT_CARBON_POLICY=green", NULL};
    char *until_null[] = {"CARNOT_CARBON_DELAY=1h", NULL, "CARNOT_CARBON_DELAY=rubbish"};
    struct request r, before;
    struct err e = {""};

    request_init(&r);
    UNIT_INT(request_from_environment(&r, env, COUNT(env), NOW, &e), 0, "%s", e.text);
    UNIT_INT(r.delay_s, 3600, "delay");
    UNIT_STR(r.run, "a", "run");
    UNIT_INT(r.layer[REQUEST_CARBON_DELAY], LAYER_ENVIRONMENT, "layer");
    UNIT_INT(r.layer[REQUEST_ENERGY_BUDGET], LAYER_NONE, "empty is not given");
    UNIT_INT(r.layer[REQUEST_CARBON_POLICY], LAYER_NONE, "no value is not given");
    before = r;
    UNIT_INT(request_from_environment(&r, bad_env, SIZE_MAX, NOW, &e), -1, "bad");
    UNIT_OK(strncmp(e.text, "CARNOT_CARBON_POLICY=green: not a policy", 40) == 0, "%s", e.text);
    CU_ASSERT(memcmp(&r, &before, sizeof(r)) == 0);
    UNIT_INT(request_from_environment(&r, until_null, SIZE_MAX, NOW, &e), 0, "%s", e.text);
    UNIT_INT(request_from_environment(&r, NULL, SIZE_MAX, NOW, &e), 0, "no environment");
    UNIT_INT(request_from_environment(&r, NULL, 7, NOW, &e), 0, "no environment");
}

static void test_spank(void)
{
    char *env[] = {"CARNOT_TTY=1",
                   NULL,
                   "_SLURM_SPANK_OPTION_pyxis_container_image=x",
                   "_SLURM_SPANK_OPTION_carnot_carbon_delay=2h",
                   "_SLURM_SPANK_OPTION_carnot_carbon_delay=3h",
                   "_SLURM_SPANK_OPTION_carnot_carbon_finish_by=now+1hour"};
    static const struct {
        char *entry;
        const char *says;
    } rows[] = {
        {"_SLURM_SPANK_OPTION_carnot_carbon_delay=\033", "--carbon-delay=?: not a duration"},
        {"_SLURM_SPANK_OPTION_carnot_carbon_delay=", "a value is needed"},
        {"_SLURM_SPANK_OPTION_carnot_carbon_delay", "a value is needed"},
        {"_SLURM_SPANK_OPTION_carnot_carbon_delax=1", "did you mean carbon-delay?"},
        {"_SLURM_SPANK_OPTION_carnot_=1", "unknown option ''"},
        {"_SLURM_SPANK_OPTION_carnot_", "unknown option ''"},
        {"_SLURM_SPANK_OPTION_carnot_" TEXT_127 "=1", "unknown option '123"},
        {"_SLURM_SPANK_OPTION_carnot_carbon_run=" TEXT_127 TEXT_127, "too long"},
    };
    struct request r, before;
    struct err e = {""};

    request_init(&r);
    UNIT_INT(request_from_spank(&r, env, COUNT(env), NOW, &e), 0, "%s", e.text);
    UNIT_INT(r.delay_s, 3 * 3600, "the later wins");
    UNIT_INT(r.finish_by_s, NOW + 3600, "finish-by");
    before = r;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *one[] = {rows[i].entry, NULL};

        UNIT_INT(request_from_spank(&r, one, SIZE_MAX, NOW, &e), -1, "row %zu", i);
        UNIT_OK(strstr(e.text, rows[i].says), "row %zu: %s", i, e.text);
        UNIT_OK(memcmp(&r, &before, sizeof(r)) == 0, "row %zu changed the request", i);
    }
}

static void test_terminal(void)
{
    char *yes[] = {"A=B", NULL, "CARNOT_TTY=1"};
    char *no[] = {"CARNOT_TTY=1", "CARNOT_TTY=0"};
    char *odd[] = {"CARNOT_TTY=11", "XCARNOT_TTY=1", "CARNOT_TTY"};

    UNIT_INT(request_from_terminal(yes, COUNT(yes)), 1, "yes");
    UNIT_INT(request_from_terminal(yes, SIZE_MAX), 0, "ends at the NULL");
    UNIT_INT(request_from_terminal(no, COUNT(no)), 0, "the last counts");
    UNIT_INT(request_from_terminal(odd, COUNT(odd)), 0, "odd");
    UNIT_INT(request_from_terminal(NULL, 0), 0, "nothing");
}

static const struct unit_case cases[] = {
    {"good", test_good},
    {"bad", test_bad},
    {"delay-words", test_delay_words},
    {"flag", test_flag},
    {"run-name", test_run_name},
    {"layers", test_layers},
    {"check", test_check},
    {"find", test_find},
    {"script-good", test_script_good},
    {"script-bad", test_script_bad},
    {"script-limit", test_script_limit},
    {"script-nul", test_script_nul},
    {"environment", test_environment},
    {"spank", test_spank},
    {"terminal", test_terminal},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    setenv("TZ", "UTC", 1);
    tzset();
    return unit_main(argc, argv, cases, "request");
}
