/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot budget: what is asked of carnotctld, and what is shown.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cli_fake.h"
#include "unit.h"

#define BIO                                                                                        \
    "{\"scope\":\"account\",\"name\":\"bio\",\"resource\":\"energy\",\"period\":\"month\","        \
    "\"granted\":1800000000,\"charged\":1620000000,\"reserved\":50400000,\"left\":129600000,"      \
    "\"over\":43200000,\"renews\":\"2026-11-30T23:00:00Z\"}"
#define ADA                                                                                        \
    "{\"scope\":\"user\",\"name\":\"ada\",\"resource\":\"energy\",\"period\":\"once\","            \
    "\"granted\":3600000,\"charged\":0,\"reserved\":0,\"left\":3600000,\"over\":0,"                \
    "\"renews\":null}"
#define BIO_CARBON                                                                                 \
    "{\"scope\":\"account\",\"name\":\"bio\",\"resource\":\"carbon\",\"period\":\"week\","         \
    "\"granted\":200000,\"charged\":210000.5,\"reserved\":0,\"left\":-10000.5,\"over\":10000.5,"   \
    "\"renews\":\"2026-11-29T23:00:00Z\"}"
#define LIST(rows) "{\"ok\":true,\"v\":1,\"budgets\":[" rows "]}"

static const struct fake_answer answers[] = {{"budget.list", LIST(BIO "," ADA "," BIO_CARBON)},
                                             {"budget.set", "{\"ok\":true}"},
                                             {"budget.remove", "{\"ok\":true}"},
                                             {NULL, NULL}};

static void test_list(void)
{
    static const struct fake_answer none[] = {{"budget.list", LIST("")}, {NULL, NULL}};
    struct fake f;
    json_t *json;

    fake_init(&f, answers);
    UNIT_INT(fake_run(&f, "budget list"), 0, "list");
    UNIT_STR(f.out,
             "SCOPE    NAME  PERIOD   kWh  USED-kWh  HELD-kWh  LEFT-kWh  LEFT%  \n"
             "account  bio   month    500       450      14.0      36.0     7%  ▊\n"
             "user     ada   once    1.00         0         0      1.00   100%  ██████████\n"
             "\n"
             "SCOPE    NAME  PERIOD   kg  USED-kg  HELD-kg  LEFT-kg  LEFT%  \n"
             "account  bio   week    200      210        0    -10.0    -5%   \n",
             "list");
    UNIT_INT(fake_run(&f, "budget list account bio -o name,over-kWh,over-kg,renews -n"), 2,
             "a unit that one of the tables has not");
    UNIT_INT(fake_run(&f, "budget"), 0, "list is what is meant");
    UNIT_INT(fake_run(&f, "budget list user -nP"), 0, "a scope");
    UNIT_STR(f.out, "user|ada|once|1.00|0|0|1.00|100%\n", "a scope");
    UNIT_INT(fake_run(&f, "budget list account bio --units MJ -o name,MJ,renews"), 2, "carbon");
    UNIT_INT(fake_run(&f, "budget list user ada --units MJ -n -o name,MJ,renews"), 0, "units");
    UNIT_STR(f.out, "ada  3.60  -\n", "units");
    UNIT_INT(fake_run(&f, "budget list --json account"), 0, "--json");
    json = json_loads(f.out, 0, NULL);
    UNIT_INT(json_array_size(json), 2, "%s", f.out);
    UNIT_DBL(json_number_value(json_object_get(json_array_get(json, 1), "left")), -10000.5, 1e-9,
             "grams");
    json_decref(json);
    f.cli.utf8 = 0;
    UNIT_INT(fake_run(&f, "budget list user -n"), 0, "ASCII");
    UNIT_STR(f.out, "user  ada  once  1.00  0  0  1.00  100%  ##########\n", "ASCII");
    fake_fini(&f);

    fake_init(&f, none);
    UNIT_INT(fake_run(&f, "budget list"), 0, "none");
    UNIT_STR(f.out, "No budgets are set that you may see.\n", "none");
    UNIT_INT(fake_run(&f, "budget list --json"), 0, "none");
    UNIT_STR(f.out, "[]\n", "none");
    UNIT_INT(fake_run(&f, "budget list -nP"), 0, "none");
    UNIT_STR(f.out, "", "none");
    fake_fini(&f);
}

static void test_set(void)
{
    static const struct {
        const char *words, *out, *request;
    } rows[] = {
        {"budget set account bio --energy 500kWh --period month",
         "account bio: 500 kWh a month; 450 kWh charged, 14.0 kWh reserved, 36.0 kWh left until "
         "1 Dec\n",
         "{\"amount_uj\":1800000000000000,\"name\":\"bio\",\"op\":\"budget.set\","
         "\"period\":\"month\",\"resource\":\"energy\",\"scope\":\"account\",\"v\":1}\n"},
        {"budget --period=week set --carbon=200kg account bio",
         "account bio: 200 kgCO2e a week; 210 kg charged, 0 g reserved, -10.0 kg left until "
         "30 Nov\n",
         "{\"amount_ug\":200000000000,\"name\":\"bio\",\"op\":\"budget.set\",\"period\":\"week\","
         "\"resource\":\"carbon\",\"scope\":\"account\",\"v\":1}\n"},
        {"budget set user ada --energy 1kWh --period once",
         "user ada: 1.00 kWh once; 0 Wh charged, 0 Wh reserved, 1.00 kWh left\n",
         "{\"amount_uj\":3600000000000,\"name\":\"ada\",\"op\":\"budget.set\",\"period\":\"once\","
         "\"resource\":\"energy\",\"scope\":\"user\",\"v\":1}\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fake f;

        fake_init(&f, answers);
        UNIT_INT(fake_run(&f, rows[i].words), 0, "%s: %s", rows[i].words, f.err);
        UNIT_STR(f.out, rows[i].out, "%s", rows[i].words);
        UNIT_OK(strncmp(f.requests, rows[i].request, strlen(rows[i].request)) == 0, "%s: %s",
                rows[i].words, f.requests);
        fake_fini(&f);
    }
}

static void test_remove(void)
{
    struct fake f;

    fake_init(&f, answers);
    UNIT_INT(fake_run(&f, "budget remove account bio --carbon"), 0, "named");
    UNIT_STR(f.out, "account bio has no carbon budget any more: its jobs are not limited by one\n",
             "named");
    UNIT_STR(f.requests,
             "{\"name\":\"bio\",\"op\":\"budget.remove\",\"resource\":\"carbon\","
             "\"scope\":\"account\",\"v\":1}\n",
             "named");
    UNIT_INT(fake_run(&f, "budget remove account bio"), 1, "which of two");
    UNIT_STR(f.err, "carnot: account bio has two budgets: say --energy or --carbon\n", "two");
    UNIT_INT(fake_run(&f, "budget remove user ada"), 0, "the only one");
    UNIT_STR(f.out, "user ada has no energy budget any more: its jobs are not limited by one\n",
             "the only one");
    UNIT_INT(fake_run(&f, "budget remove user bob"), 1, "none");
    UNIT_STR(f.err, "carnot: user bob has no budget; carnot budget list shows all\n", "none");
    fake_fini(&f);
}

static void test_bad(void)
{
    static const char *const bad[] = {
        "budget nope",
        "budget set",
        "budget set account",
        "budget set account bio extra --energy 1kWh --period month",
        "budget set partition bio --energy 1kWh --period month",
        "budget set account bio --energy 1kWh",
        "budget set account bio --period month",
        "budget set account bio --energy 1kWh --carbon 1kg --period month",
        "budget set account bio --energy 1kg --period month",
        "budget set account bio --carbon 1kWh --period month",
        "budget set account bio --energy -1kWh --period month",
        "budget set account bio --energy 5000GWh --period month",
        "budget set account bio --energy 1kWh --period year",
        "budget set account bio --energy --period month",
        "budget remove",
        "budget remove account",
        "budget remove account bio --energy --carbon",
        "budget remove account bio --period month",
        "budget list a b c",
        "budget list --energy 1kWh",
        "budget list --units W",
        "budget list -o nope",
    };
    struct fake f;

    fake_init(&f, answers);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        UNIT_INT(fake_run(&f, bad[i]), 2, "%s", bad[i]);
        UNIT_OK(strncmp(f.err, "carnot: ", 8) == 0 && strchr(f.err, '\n') == strrchr(f.err, '\n'),
                "%s: one line: %s", bad[i], f.err);
    }
    UNIT_OK(strstr(f.requests, "budget.set") == NULL && strstr(f.requests, "budget.remove") == NULL,
            "nothing was changed: %s", f.requests);
    fake_fini(&f);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"list", test_list},
                                             {"set", test_set},
                                             {"remove", test_remove},
                                             {"bad", test_bad},
                                             {NULL, NULL}};

    return unit_main(argc, argv, cases, "cmd_budget");
}
