/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Budgets: their calendar, what is granted, charged, reserved and over, and what
 * a change of period, an old record or a settlement does to each.
 */
#include "config.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ledger/ledger.h"
#include "unit.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define DAY 86400
#define T0 1795510800 /* 2026-11-24T09:00:00Z, a Tuesday */

static void _zone(const char *tz)
{
    setenv("TZ", tz, 1);
    tzset();
}

static ledger_t *_open(void)
{
    struct err e = {""};
    ledger_t *l = ledger_open(":memory:", &e);

    _zone("UTC");
    UNIT_OK(l != NULL, "%s", e.text);
    return l;
}

static void test_names(void)
{
    static const struct {
        const char *text;
        int scope, resource, period;
    } rows[] = {
        {"account", SCOPE_ACCOUNT, -1, -1},
        {"user", SCOPE_USER, -1, -1},
        {"energy", -1, RESOURCE_ENERGY, -1},
        {"carbon", -1, RESOURCE_CARBON, -1},
        {"once", -1, -1, PERIOD_ONCE},
        {"day", -1, -1, PERIOD_DAY},
        {"week", -1, -1, PERIOD_WEEK},
        {"month", -1, -1, PERIOD_MONTH},
        {"", -1, -1, -1},
        {"Month", -1, -1, -1},
        {"months", -1, -1, -1},
        {" day", -1, -1, -1},
        {"daily", -1, -1, -1},
        {NULL, -1, -1, -1},
    };

    for (size_t i = 0; i < N(rows); i++) {
        UNIT_INT(budget_scope_parse(rows[i].text), rows[i].scope, "row %zu", i);
        UNIT_INT(budget_resource_parse(rows[i].text), rows[i].resource, "row %zu", i);
        UNIT_INT(budget_period_parse(rows[i].text), rows[i].period, "row %zu", i);
    }
    for (int i = 0; i < 2; i++) {
        UNIT_INT(budget_scope_parse(budget_scope_name((enum budget_scope)i)), i, "scope");
        UNIT_INT(budget_resource_parse(budget_resource_name((enum budget_resource)i)), i, "res");
    }
    for (int i = 0; i < 4; i++)
        UNIT_INT(budget_period_parse(budget_period_name((enum budget_period)i)), i, "period");
    UNIT_STR(budget_period_name((enum budget_period)17), "?", "unknown");
}

static int64_t _utc(int year, int mon, int mday, int hour, int min)
{
    struct tm tm = {
        .tm_year = year - 1900, .tm_mon = mon - 1, .tm_mday = mday, .tm_hour = hour, .tm_min = min};

    return timegm(&tm);
}

static void test_bounds(void)
{
    const struct {
        const char *tz;
        enum budget_period period;
        int64_t t_s, start_s, next_s;
    } rows[] = {
        {"UTC", PERIOD_ONCE, T0, 0, 0},
        {"UTC", PERIOD_DAY, T0, _utc(2026, 11, 24, 0, 0), _utc(2026, 11, 25, 0, 0)},
        {"UTC", PERIOD_DAY, _utc(2026, 11, 24, 0, 0), _utc(2026, 11, 24, 0, 0),
         _utc(2026, 11, 25, 0, 0)},
        {"UTC", PERIOD_DAY, _utc(2026, 11, 25, 0, 0) - 1, _utc(2026, 11, 24, 0, 0),
         _utc(2026, 11, 25, 0, 0)},
        {"UTC", PERIOD_WEEK, T0, _utc(2026, 11, 23, 0, 0), _utc(2026, 11, 30, 0, 0)},
        {"UTC", PERIOD_WEEK, _utc(2026, 11, 23, 0, 0), _utc(2026, 11, 23, 0, 0),
         _utc(2026, 11, 30, 0, 0)},
        {"UTC", PERIOD_WEEK, _utc(2026, 11, 29, 23, 59), _utc(2026, 11, 23, 0, 0),
         _utc(2026, 11, 30, 0, 0)},
        {"UTC", PERIOD_WEEK, _utc(2027, 1, 1, 12, 0), _utc(2026, 12, 28, 0, 0),
         _utc(2027, 1, 4, 0, 0)},
        {"UTC", PERIOD_WEEK, 0, -3 * DAY, 4 * DAY},
        {"UTC", PERIOD_WEEK, -3 * DAY - 1, -10 * DAY, -3 * DAY},
        {"UTC", PERIOD_MONTH, T0, _utc(2026, 11, 1, 0, 0), _utc(2026, 12, 1, 0, 0)},
        {"UTC", PERIOD_MONTH, _utc(2026, 12, 31, 23, 59), _utc(2026, 12, 1, 0, 0),
         _utc(2027, 1, 1, 0, 0)},
        {"UTC", PERIOD_MONTH, _utc(2028, 2, 29, 12, 0), _utc(2028, 2, 1, 0, 0),
         _utc(2028, 3, 1, 0, 0)},
        /* 25 hours, 23 hours, and a month and a week with a change inside */
        {"Europe/Berlin", PERIOD_DAY, _utc(2026, 10, 25, 12, 0), _utc(2026, 10, 24, 22, 0),
         _utc(2026, 10, 25, 23, 0)},
        {"Europe/Berlin", PERIOD_DAY, _utc(2026, 3, 29, 12, 0), _utc(2026, 3, 28, 23, 0),
         _utc(2026, 3, 29, 22, 0)},
        {"Europe/Berlin", PERIOD_WEEK, _utc(2026, 3, 29, 12, 0), _utc(2026, 3, 22, 23, 0),
         _utc(2026, 3, 29, 22, 0)},
        {"Europe/Berlin", PERIOD_MONTH, _utc(2026, 10, 31, 22, 59), _utc(2026, 9, 30, 22, 0),
         _utc(2026, 10, 31, 23, 0)},
        {"Asia/Kolkata", PERIOD_DAY, T0, _utc(2026, 11, 23, 18, 30), _utc(2026, 11, 24, 18, 30)},
        /* midnight does not exist: the day begins at 01:00 */
        {"Africa/Cairo", PERIOD_DAY, _utc(2024, 4, 26, 12, 0), _utc(2024, 4, 25, 22, 0),
         _utc(2024, 4, 26, 21, 0)},
        /* 30 December 2011 does not exist */
        {"Pacific/Apia", PERIOD_DAY, _utc(2011, 12, 30, 9, 0), _utc(2011, 12, 29, 10, 0),
         _utc(2011, 12, 30, 10, 0)},
    };

    _zone("Europe/Berlin");
    if (strcmp(tzname[0], "CET") != 0)
        unit_skip("no time zone data");
    for (size_t i = 0; i < N(rows); i++) {
        int64_t start_s = 1, next_s = 1;

        _zone(rows[i].tz);
        budget_period_bounds(rows[i].period, rows[i].t_s, &start_s, &next_s);
        UNIT_INT(start_s, rows[i].start_s, "row %zu start", i);
        UNIT_INT(next_s, rows[i].next_s, "row %zu next", i);
    }
}

/* Every moment lies in exactly one period, and both sides of an edge agree on where it is. */
static void test_bounds_everywhere(void)
{
    static const char *const zones[] = {
        "UTC",
        "Europe/Berlin",
        "Europe/Lisbon",
        "Atlantic/Azores",
        "America/Havana",
        "America/Santiago",
        "America/Sao_Paulo",
        "America/Asuncion",
        "Africa/Cairo",
        "Africa/Casablanca",
        "Asia/Tehran",
        "Asia/Beirut",
        "Asia/Kathmandu",
        "Asia/Gaza",
        "Australia/Lord_Howe",
        "Pacific/Chatham",
        "Pacific/Apia",
        "Pacific/Kiritimati",
    };

    for (size_t z = 0; z < N(zones); z++) {
        _zone(zones[z]);
        for (int p = PERIOD_DAY; p <= PERIOD_MONTH; p++) {
            int64_t last_next_s = 0;

            for (int64_t t_s = _utc(2016, 12, 30, 0, 0); t_s < _utc(2020, 1, 5, 0, 0);
                 t_s += 1800) {
                int64_t start_s, next_s, before_s, same_s;

                budget_period_bounds((enum budget_period)p, t_s, &start_s, &next_s);
                if (!(start_s <= t_s && t_s < next_s))
                    UNIT_OK(0, "%s %d holds %lld", zones[z], p, (long long)t_s);
                if (next_s == last_next_s)
                    continue;
                last_next_s = next_s;
                budget_period_bounds((enum budget_period)p, next_s, &same_s, &before_s);
                UNIT_INT(same_s, next_s, "%s %d: begins where the last one ends", zones[z], p);
                budget_period_bounds((enum budget_period)p, start_s - 1, &before_s, &same_s);
                UNIT_INT(same_s, start_s, "%s %d: ends where the next one begins", zones[z], p);
            }
        }
    }
}

/* A budget of the list by its place, or all zero. */
static struct budget _budget(ledger_t *l, size_t i, int64_t now_s)
{
    struct budget *list = NULL, b = {0};
    struct err e = {""};
    size_t n = 0;

    UNIT_INT(budget_list(l, now_s, &list, &n, &e), 0, "%s", e.text);
    if (UNIT_OK(i < n, "there are %zu budgets", n))
        b = list[i];
    free(list);
    return b;
}

static void _grant(ledger_t *l, const char *account, enum budget_resource resource,
                   enum budget_period period, uint64_t granted, int64_t now_s)
{
    struct err e = {""};

    UNIT_INT(budget_set(l, SCOPE_ACCOUNT, account, resource, period, granted, now_s, &e), 0, "%s",
             e.text);
}

static void _job(ledger_t *l, uint32_t id, const char *account, const char *user, uint64_t uj,
                 uint64_t ug)
{
    struct ledger_job job = {
        .key = {id, 0, T0}, .reserved_uj = uj, .reserved_ug = ug, .live = 1, .array_task = -1};
    struct err e = {""};

    (void)snprintf(job.account, sizeof(job.account), "%s", account);
    (void)snprintf(job.user, sizeof(job.user), "%s", user);
    UNIT_INT(ledger_job_put(l, &job, &e), 0, "%s", e.text);
}

/* A record of one share on a node of its own sequence. */
static int _record(ledger_t *l, uint32_t id, int64_t end_s, uint64_t uj, uint64_t ug)
{
    static uint64_t seq;
    struct ledger_share share = {{id, 0, T0}, uj, ug, QUALITY_MEASURED, "cpu"};
    struct ledger_record r = {"n1", ++seq, end_s - 10, end_s, uj + 5, 3, 2, &share, 1};
    struct err e = {""};
    int rc = ledger_record_add(l, &r, &e);

    UNIT_OK(rc >= 0, "%s", e.text);
    return rc;
}

static void test_set_list_remove(void)
{
    static const struct {
        enum budget_scope scope;
        const char *name;
        enum budget_resource resource;
    } order[] = {
        {SCOPE_ACCOUNT, "bio", RESOURCE_ENERGY},  {SCOPE_ACCOUNT, "bio", RESOURCE_CARBON},
        {SCOPE_ACCOUNT, "chem", RESOURCE_ENERGY}, {SCOPE_USER, "Robert'); DROP TABLE budget;--", 0},
        {SCOPE_USER, "anna", RESOURCE_ENERGY},
    };
    ledger_t *l = _open();
    struct budget *list = NULL;
    struct err e = {""};
    size_t n = 99;

    UNIT_INT(budget_list(l, T0, &list, &n, &e), 0, "%s", e.text);
    UNIT_INT(n, 0, "none at first");
    free(list);
    for (size_t i = N(order); i-- > 0;)
        UNIT_INT(budget_set(l, order[i].scope, order[i].name, order[i].resource, PERIOD_MONTH,
                            1000 + i, T0, &e),
                 0, "%s", e.text);
    UNIT_INT(budget_list(l, T0, &list, &n, &e), 0, "%s", e.text);
    UNIT_INT(n, N(order), "all of them");
    for (size_t i = 0; i < n && i < N(order); i++) {
        UNIT_STR(list[i].name, order[i].name, "row %zu", i);
        UNIT_INT(list[i].scope, order[i].scope, "row %zu", i);
        UNIT_INT(list[i].resource, order[i].resource, "row %zu", i);
        UNIT_INT(list[i].granted, 1000 + i, "row %zu", i);
        UNIT_INT(list[i].charged + list[i].reserved + list[i].over, 0, "row %zu", i);
        UNIT_INT(list[i].renews_s, _utc(2026, 12, 1, 0, 0), "row %zu", i);
    }
    free(list);
    UNIT_INT(budget_remove(l, SCOPE_ACCOUNT, "bio", RESOURCE_CARBON, &e), 1, "%s", e.text);
    UNIT_INT(budget_remove(l, SCOPE_ACCOUNT, "bio", RESOURCE_CARBON, &e), 0, "gone already");
    UNIT_INT(budget_remove(l, SCOPE_USER, "bio", RESOURCE_ENERGY, &e), 0, "another scope");
    UNIT_STR(_budget(l, 1, T0).name, "chem", "the next one moved up");
    ledger_close(l);
}

static void test_bad_names(void)
{
    char name[LEDGER_NAME_MAX + 1];
    ledger_t *l = _open();
    struct err e = {""};

    memset(name, 'x', sizeof(name));
    name[LEDGER_NAME_MAX] = '\0';
    UNIT_INT(budget_set(l, SCOPE_USER, name, RESOURCE_ENERGY, PERIOD_DAY, 1, T0, &e), -1, "long");
    UNIT_INT(errno, EINVAL, "%s", e.text);
    UNIT_INT(budget_set(l, SCOPE_USER, "", RESOURCE_ENERGY, PERIOD_DAY, 1, T0, &e), -1, "empty");
    UNIT_INT(budget_set(l, SCOPE_USER, NULL, RESOURCE_ENERGY, PERIOD_DAY, 1, T0, &e), -1, "NULL");
    UNIT_INT(budget_remove(l, SCOPE_USER, name, RESOURCE_ENERGY, &e), -1, "long");
    name[LEDGER_NAME_MAX - 1] = '\0';
    UNIT_INT(budget_set(l, SCOPE_USER, name, RESOURCE_ENERGY, PERIOD_DAY, 1, T0, &e), 0, "fits");
    UNIT_STR(_budget(l, 0, T0).name, name, "whole");
    ledger_close(l);
}

/* Who is charged: the account, the user, both resources, nobody else. */
static void test_charge_holders(void)
{
    ledger_t *l = _open();
    struct err e = {""};

    _grant(l, "bio", RESOURCE_ENERGY, PERIOD_MONTH, 1000, T0);
    _grant(l, "bio", RESOURCE_CARBON, PERIOD_MONTH, 1000, T0);
    _grant(l, "chem", RESOURCE_ENERGY, PERIOD_MONTH, 1000, T0);
    UNIT_INT(budget_set(l, SCOPE_USER, "anna", RESOURCE_ENERGY, PERIOD_ONCE, 500, T0, &e), 0, "%s",
             e.text);
    UNIT_INT(budget_set(l, SCOPE_USER, "bio", RESOURCE_ENERGY, PERIOD_ONCE, 500, T0, &e), 0,
             "a user of an account's name");
    _job(l, 1, "bio", "anna", 100, 50);
    _job(l, 2, "bio", "ben", 100, 50);
    _job(l, 3, "", "anna", 100, 50);
    UNIT_INT(_record(l, 1, T0 + 10, 10, 1), 1, "counted");
    UNIT_INT(_record(l, 2, T0 + 10, 20, 2), 1, "counted");
    UNIT_INT(_record(l, 3, T0 + 10, 40, 4), 1, "counted");
    UNIT_INT(_budget(l, 0, T0).charged, 30, "account, energy");
    UNIT_INT(_budget(l, 1, T0).charged, 3, "account, carbon");
    UNIT_INT(_budget(l, 2, T0).charged, 0, "another account");
    UNIT_INT(_budget(l, 3, T0).charged, 50, "user anna");
    UNIT_INT(_budget(l, 4, T0).charged, 0, "user bio");
    UNIT_INT(_budget(l, 0, T0).reserved, 170, "what is left of both reservations");
    UNIT_INT(_budget(l, 1, T0).reserved, 97, "carbon too");
    UNIT_INT(_budget(l, 3, T0).reserved, 90 + 60, "user anna");
    ledger_close(l);
}

/* reserved + charged through a job's life: it never jumps, except by what is released at the end.
 */
static void test_reserved_life(void)
{
    struct job_key key = {7, 0, T0};
    ledger_t *l = _open();
    struct err e = {""};
    struct budget b;

    _grant(l, "bio", RESOURCE_ENERGY, PERIOD_MONTH, 1000, T0);
    _job(l, 7, "bio", "anna", 100, 0);
    for (int i = 1; i <= 12; i++) {
        (void)_record(l, 7, T0 + i, 10, 0);
        b = _budget(l, 0, T0);
        UNIT_INT(b.charged, 10 * i, "record %d", i);
        UNIT_INT(b.reserved, i < 10 ? 100 - 10 * i : 0, "record %d", i);
        UNIT_INT(b.over, i > 10 ? 10 * (i - 10) : 0, "record %d", i);
    }
    UNIT_INT(ledger_job_settle(l, key, 0, 0, &e), 1, "%s", e.text);
    UNIT_INT(_budget(l, 0, T0).charged, 120, "the settlement releases, it does not charge");
    /* a late record of a settled job is charged, and reserves nothing */
    (void)_record(l, 7, T0 + 30, 10, 0);
    UNIT_INT(_budget(l, 0, T0).charged, 130, "late");
    UNIT_INT(_budget(l, 0, T0).over, 30, "late");
    UNIT_INT(_budget(l, 0, T0).reserved, 0, "late");
    key.job_id = 8;
    _job(l, 8, "bio", "anna", 500, 0);
    (void)_record(l, 8, T0 + 40, 200, 0);
    UNIT_INT(_budget(l, 0, T0).reserved, 300, "a second job");
    UNIT_INT(ledger_job_settle(l, key, 0, 0, &e), 1, "%s", e.text);
    UNIT_INT(_budget(l, 0, T0).reserved, 0, "released");
    UNIT_INT(_budget(l, 0, T0).over, 30, "it kept within its own");
    ledger_close(l);
}

static void test_requeue_reserves_once(void)
{
    struct ledger_job second = {.key = {9, 1, T0}, .reserved_uj = 100, .live = 1};
    ledger_t *l = _open();
    struct err e = {""};

    _grant(l, "bio", RESOURCE_ENERGY, PERIOD_MONTH, 1000, T0);
    _job(l, 9, "bio", "anna", 100, 0);
    _job(l, 9, "bio", "anna", 100, 0);
    UNIT_INT(_budget(l, 0, T0).reserved, 100, "a put again is the same row");
    (void)_record(l, 9, T0 + 10, 30, 0);
    UNIT_INT(ledger_job_settle(l, (struct job_key){9, 0, T0}, 0, 0, &e), 1, "%s", e.text);
    (void)snprintf(second.account, sizeof(second.account), "bio");
    UNIT_INT(ledger_job_put(l, &second, &e), 0, "%s", e.text);
    UNIT_INT(_budget(l, 0, T0).reserved, 100, "the second run has its own");
    UNIT_INT(_budget(l, 0, T0).charged, 30, "the first was charged");
    /* a stale list cannot open the first run again */
    _job(l, 9, "bio", "anna", 100, 0);
    UNIT_INT(_budget(l, 0, T0).reserved, 100, "settled stays settled");
    ledger_close(l);
}

/* What the table budget_history holds for a period of bio's energy, -1 for nothing. */
static int64_t _history(const char *path, int64_t start_s)
{
    sqlite3_stmt *st = NULL;
    sqlite3 *db = NULL;
    int64_t charged = -1;

    UNIT_INT(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK, "open");
    sqlite3_prepare_v2(db,
                       "SELECT charged FROM budget_history WHERE scope = 0 AND name = 'bio' AND"
                       " resource = 0 AND period_start = ?1",
                       -1, &st, NULL);
    sqlite3_bind_int64(st, 1, start_s);
    if (sqlite3_step(st) == SQLITE_ROW)
        charged = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return charged;
}

static void test_periods(void)
{
    const int64_t day1 = T0, day2 = T0 + DAY, day3 = T0 + 2 * DAY, day4 = T0 + 3 * DAY;
    const int64_t midnight1 = _utc(2026, 11, 24, 0, 0);
    char path[128];
    ledger_t *l;
    struct err e = {""};

    _zone("UTC");
    (void)snprintf(path, sizeof(path), "%s/l.sqlite", unit_tmpdir());
    l = ledger_open(path, &e);
    UNIT_OK(l != NULL, "%s", e.text);
    _grant(l, "bio", RESOURCE_ENERGY, PERIOD_DAY, 1000, midnight1);
    _job(l, 1, "bio", "anna", 25, 0);
    (void)_record(l, 1, day1, 20, 0);
    UNIT_INT(_budget(l, 0, day1).charged, 20, "day 1");
    UNIT_INT(_budget(l, 0, day1).renews_s, midnight1 + DAY, "renews at midnight");
    UNIT_INT(_budget(l, 0, day2).charged, 0, "day 2 begins from zero without any record");
    UNIT_INT(_budget(l, 0, day2).renews_s, midnight1 + 2 * DAY, "and renews a day later");
    UNIT_INT(_budget(l, 0, day1).charged, 20, "looking changes nothing");
    (void)_record(l, 1, midnight1 + DAY - 1, 3, 0);
    (void)_record(l, 1, midnight1 + DAY, 7, 0); /* ends on the edge: of the new day */
    UNIT_INT(_budget(l, 0, day2).charged, 7, "day 2");
    UNIT_INT(_budget(l, 0, day2).over, 5, "over in the period in which it happened");
    UNIT_INT(_history(path, midnight1), 23, "day 1 is history");
    UNIT_INT(_budget(l, 0, day1).charged, 23, "a clock that stands before midnight sees its day");
    (void)_record(l, 1, day1 + 5, 100, 0);
    UNIT_INT(_budget(l, 0, day2).charged, 7, "a late record leaves day 2 alone");
    UNIT_INT(_history(path, midnight1), 123, "and joins its own day");
    UNIT_INT(_budget(l, 0, day1).over, 100, "over too");
    (void)_record(l, 1, day4, 1, 0);
    UNIT_INT(_history(path, midnight1 + DAY), 7, "day 2 is history");
    UNIT_INT(_history(path, midnight1 + 2 * DAY), -1, "day 3 had nothing");
    (void)_record(l, 1, day3, 11, 0);
    UNIT_INT(_history(path, midnight1 + 2 * DAY), 11, "until a late record");
    UNIT_INT(_budget(l, 0, day4).charged, 1, "day 4");
    ledger_close(l);
}

static void test_once(void)
{
    ledger_t *l = _open();

    _grant(l, "bio", RESOURCE_ENERGY, PERIOD_ONCE, 1000, T0);
    _job(l, 1, "bio", "anna", 0, 0);
    for (int i = 0; i < 5; i++)
        (void)_record(l, 1, T0 + i * 400LL * DAY, 10, 0);
    UNIT_INT(_budget(l, 0, T0 + 9000LL * DAY).charged, 50, "never renews");
    UNIT_INT(_budget(l, 0, T0).renews_s, 0, "never renews");
    ledger_close(l);
}

static void test_regrant(void)
{
    char path[128];
    ledger_t *l;
    struct err e = {""};

    _zone("UTC");
    (void)snprintf(path, sizeof(path), "%s/l.sqlite", unit_tmpdir());
    l = ledger_open(path, &e);
    _job(l, 1, "bio", "anna", 0, 0);
    (void)_record(l, 1, T0 - 1, 1, 0);
    _grant(l, "bio", RESOURCE_ENERGY, PERIOD_MONTH, 1000, T0);
    (void)_record(l, 1, T0 - 1, 2, 0);
    UNIT_INT(_budget(l, 0, T0).charged, 0, "charges count from the first grant on");
    (void)_record(l, 1, T0 + 10, 4, 0);
    _grant(l, "bio", RESOURCE_ENERGY, PERIOD_MONTH, 2000, T0 + 20);
    UNIT_INT(_budget(l, 0, T0).granted, 2000, "a new amount");
    UNIT_INT(_budget(l, 0, T0).charged, 4, "keeps what was charged");
    (void)_record(l, 1, T0 + 15, 8, 0);
    UNIT_INT(_budget(l, 0, T0).charged, 12, "and what comes late");
    _grant(l, "bio", RESOURCE_ENERGY, PERIOD_WEEK, 2000, T0 + 30);
    UNIT_INT(_budget(l, 0, T0 + 30).charged, 0, "a new period starts from zero");
    UNIT_INT(_history(path, _utc(2026, 11, 1, 0, 0)), 12, "the month is history");
    (void)_record(l, 1, T0 + 25, 16, 0);
    UNIT_INT(_budget(l, 0, T0 + 30).charged, 0, "what ended before the change is not its");
    (void)_record(l, 1, T0 + 35, 32, 0);
    UNIT_INT(_budget(l, 0, T0 + 30).charged, 32, "what ends after is");
    UNIT_INT(budget_remove(l, SCOPE_ACCOUNT, "bio", RESOURCE_ENERGY, &e), 1, "%s", e.text);
    UNIT_INT(_history(path, _utc(2026, 11, 23, 0, 0)), 32, "removed, not forgotten");
    _grant(l, "bio", RESOURCE_ENERGY, PERIOD_WEEK, 5, T0 + 60);
    UNIT_INT(_budget(l, 0, T0 + 60).charged, 0, "granted anew, counted anew");
    ledger_close(l);
}

static void test_saturates(void)
{
    ledger_t *l = _open();
    struct budget b;

    _grant(l, "bio", RESOURCE_ENERGY, PERIOD_MONTH, UINT64_MAX, T0);
    UNIT_INT(_budget(l, 0, T0).granted, INT64_MAX, "granted");
    for (uint32_t id = 1; id <= 5; id++)
        _job(l, id, "bio", "anna", UINT64_MAX - id, 0);
    UNIT_INT(_budget(l, 0, T0).reserved, INT64_MAX, "reserved");
    for (int i = 0; i < 3; i++)
        (void)_record(l, 1, T0 + 10 + i, INT64_MAX - 100, 0);
    b = _budget(l, 0, T0);
    UNIT_INT(b.charged, INT64_MAX, "charged");
    UNIT_INT(b.over, 0, "a job whose use stopped counting is not over");
    ledger_close(l);
    l = _open();
    _grant(l, "bio", RESOURCE_ENERGY, PERIOD_MONTH, 1, T0);
    for (uint32_t id = 1; id <= 3; id++)
        _job(l, id, "bio", "anna", (1ULL << 61) + id, 0);
    UNIT_INT(_budget(l, 0, T0).reserved, 3 * (1ULL << 61) + 6, "to the last microjoule");
    ledger_close(l);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"names", test_names},
        {"bounds", test_bounds},
        {"bounds_everywhere", test_bounds_everywhere},
        {"set_list_remove", test_set_list_remove},
        {"bad_names", test_bad_names},
        {"charge_holders", test_charge_holders},
        {"reserved_life", test_reserved_life},
        {"requeue_reserves_once", test_requeue_reserves_once},
        {"periods", test_periods},
        {"once", test_once},
        {"regrant", test_regrant},
        {"saturates", test_saturates},
        {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "budget");
}
