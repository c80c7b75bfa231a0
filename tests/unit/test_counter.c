/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counter arithmetic: each table is the story of one counter, reading by reading.
 */
#include "config.h"

#include <inttypes.h>
#include <stdint.h>

#include "power/counter.h"
#include "unit.h"

#define INTEL UINT64_C(262143328850)
#define AMD UINT64_C(65532610987)
#define MAX_STEPS 12

struct step {
    int64_t t_ms;
    uint64_t raw_uj;
    enum counter_result result;
    uint64_t delta_uj;
};

struct story {
    const char *name;
    uint64_t range_uj, ceiling_mw;
    int64_t stale_ms;
    struct step steps[MAX_STEPS]; /* t_ms 0 ends, but for the first */
};

static const struct story stories[] = {
    {"plain",
     INTEL,
     400000,
     0,
     {{0, 1000, COUNTER_FIRST, 0},
      {1000, 101000, COUNTER_DELTA, 100000},
      {2000, 101000, COUNTER_DELTA, 0},
      {3000, 301000, COUNTER_DELTA, 200000}}},
    {"Intel wraps: one step of 61 uJ more than the range",
     INTEL,
     400000,
     0,
     {{0, INTEL - 1000, COUNTER_FIRST, 0}, {1000, 2000, COUNTER_WRAPPED, 3061}}},
    {"AMD wraps each 234 s at 280 W, its step is 15 uJ",
     AMD,
     600000,
     0,
     {{0, 65000000000, COUNTER_FIRST, 0},
      {10000, 2267389013, COUNTER_WRAPPED, 2800000000 + 15},
      {20000, 5067389013, COUNTER_DELTA, 2800000000}}},
    {"at the range exactly, then from 0",
     1000,
     100,
     0,
     {{0, 1000, COUNTER_FIRST, 0}, {1, 0, COUNTER_WRAPPED, 1}}},
    {"a reset: what a wrap would make of it is more than anything draws",
     INTEL,
     400000,
     0,
     {{0, 5000000000, COUNTER_FIRST, 0},
      {1000, 1000000, COUNTER_RESET, 0},
      {2000, 201000000, COUNTER_DELTA, 200000000}}},
    {"no range: a decrease is never guessed",
     0,
     400000,
     0,
     {{0, 5000, COUNTER_FIRST, 0},
      {1000, 4000, COUNTER_RESET, 0},
      {2000, 5000, COUNTER_DELTA, 1000}}},
    {"no range and no ceiling",
     0,
     0,
     0,
     {{0, 5000, COUNTER_FIRST, 0},
      {1000, INT64_MAX, COUNTER_DELTA, INT64_MAX - 5000},
      {2000, 0, COUNTER_RESET, 0}}},
    {"a spike is not believed, and forgotten",
     INTEL,
     400000,
     0,
     {{0, 1000, COUNTER_FIRST, 0},
      {1000, 100000000000, COUNTER_IMPLAUSIBLE, 0},
      {2000, 201000, COUNTER_DELTA, 200000},
      {3000, 301000, COUNTER_DELTA, 100000}}},
    {"a jump that stays is a reset",
     INTEL,
     400000,
     0,
     {{0, 1000, COUNTER_FIRST, 0},
      {1000, 100000000000, COUNTER_IMPLAUSIBLE, 0},
      {2000, 100000200000, COUNTER_RESET, 0},
      {3000, 100000400000, COUNTER_DELTA, 200000}}},
    {"noise: no reading fits the one before",
     INTEL,
     400000,
     0,
     {{0, 1000, COUNTER_FIRST, 0},
      {1000, 100000000000, COUNTER_IMPLAUSIBLE, 0},
      {2000, 50000000000, COUNTER_IMPLAUSIBLE, 0},
      {3000, 200000000000, COUNTER_IMPLAUSIBLE, 0}}},
    {"0xffffffff where a reading should be",
     1000000,
     400000,
     0,
     {{0, UINT32_MAX, COUNTER_IMPLAUSIBLE, 0},
      {1000, UINT32_MAX, COUNTER_IMPLAUSIBLE, 0},
      {2000, 5, COUNTER_FIRST, 0},
      {3000, UINT32_MAX, COUNTER_IMPLAUSIBLE, 0},
      {4000, 10, COUNTER_STALE, 0},
      {4001, 11, COUNTER_DELTA, 1}}},
    {"a glitch to 0 costs what is around it and no more",
     INTEL,
     400000,
     0,
     {{0, 200000000000, COUNTER_FIRST, 0},
      {1000, 0, COUNTER_RESET, 0},
      {2000, 200000200000, COUNTER_IMPLAUSIBLE, 0},
      {3000, 200000300000, COUNTER_RESET, 0},
      {4000, 200000400000, COUNTER_DELTA, 100000}}},
    {"read too late for AMD's range: perhaps more than one wrap",
     AMD,
     600000,
     0,
     {{0, 1000, COUNTER_FIRST, 0},
      {109000, 2000, COUNTER_DELTA, 1000},
      {109000 + 109222, 5000, COUNTER_STALE, 0},
      {230000, 6000, COUNTER_DELTA, 1000}}},
    {"a sensor that hangs",
     INTEL,
     400000,
     10000,
     {{0, 1000, COUNTER_FIRST, 0},
      {1000, 2000, COUNTER_DELTA, 1000},
      {11000, 2000, COUNTER_DELTA, 0},
      {11001, 2000, COUNTER_STALE, 0},
      {20000, 2000, COUNTER_STALE, 0},
      {21000, 3000, COUNTER_DELTA, 1000},
      {22000, 3000, COUNTER_DELTA, 0}}},
    {"what hung for an hour has no hour's credit",
     INTEL,
     400000,
     10000,
     {{0, 1000, COUNTER_FIRST, 0},
      {600000, 1000, COUNTER_STALE, 0},
      {601000, 10000001000, COUNTER_IMPLAUSIBLE, 0}}},
    {"a counter of whole joules moves seldom, and far",
     UINT64_C(4294967295000000),
     100000,
     10000,
     {{0, 7000000, COUNTER_FIRST, 0},
      {100, 7000000, COUNTER_DELTA, 0},
      {200, 7000000, COUNTER_DELTA, 0},
      {300, 37000000, COUNTER_DELTA, 30000000}}},
    {"the clock stands still", INTEL, 400000, 0, {{0, 1000, COUNTER_FIRST, 0}}},
};

static void test_stories(void)
{
    for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
        const struct story *story = &stories[i];
        uint64_t total_uj = 0, delta_uj, readings = 0, counted = 0;
        struct counter c;

        counter_init(&c, story->range_uj, story->ceiling_mw, story->stale_ms);
        for (int k = 0; k < MAX_STEPS && (k == 0 || story->steps[k].t_ms); k++) {
            const struct step *step = &story->steps[k];
            enum counter_result result = counter_update(&c, step->raw_uj, step->t_ms, &delta_uj);

            UNIT_INT(result, step->result, "%s, reading %d", story->name, k);
            UNIT_INT(delta_uj, step->delta_uj, "%s, reading %d", story->name, k);
            total_uj += step->delta_uj;
            readings++;
        }
        UNIT_INT(c.total_uj, total_uj, "%s: total", story->name);
        for (int k = 0; k < COUNTER_RESULTS; k++)
            counted += c.count[k];
        UNIT_INT(counted, readings, "%s: each reading is counted", story->name);
    }
}

/* Whatever comes: the total only grows, and never by more than the ceiling allows. */
static void test_noise(void)
{
    uint64_t random = 88172645463325252u, before = 0, delta_uj;
    struct counter c;
    int64_t t_ms = 0;

    counter_init(&c, AMD, 600000, 10000);
    for (int i = 0; i < 200000; i++) {
        int64_t good_ms = c.last_ms;

        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        t_ms += (int64_t)(random >> 54);
        (void)counter_update(&c, random % (random & 4096 ? AMD + 1 : UINT64_MAX), t_ms, &delta_uj);
        if (c.total_uj < before || c.total_uj - before != delta_uj)
            break;
        if (delta_uj > 600000 * (uint64_t)(10000 + t_ms - good_ms + 200))
            break;
        before = c.total_uj;
    }
    UNIT_INT(c.count[COUNTER_FIRST] + c.count[COUNTER_DELTA] + c.count[COUNTER_WRAPPED] +
                 c.count[COUNTER_RESET] + c.count[COUNTER_IMPLAUSIBLE] + c.count[COUNTER_STALE],
             200000, "stopped at a reading that broke the rule, %" PRIu64 " uJ", delta_uj);
    UNIT_OK(c.count[COUNTER_RESET] > 0 && c.count[COUNTER_IMPLAUSIBLE] > 0,
            "noise has some of each");
}

/* Steady power is seen whole, whatever the range, when it is read often enough. */
static void test_steady(void)
{
    static const uint64_t ranges[] = {AMD, INTEL, 1000000000};

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        uint64_t step = (ranges[i] + UINT32_MAX / 2) / UINT32_MAX, raw = 5, delta_uj;
        struct counter c;

        if (step == 0)
            step = 1;
        counter_init(&c, ranges[i], 600000, 10000);
        (void)counter_update(&c, raw, 0, &delta_uj);
        for (int t = 1; t <= 36000; t++) {
            raw = (raw + 280000000) % (ranges[i] + step);
            (void)counter_update(&c, raw, t * INT64_C(1000), &delta_uj);
        }
        UNIT_INT(c.total_uj, 36000 * INT64_C(280000000), "280 W for ten hours, range %" PRIu64,
                 ranges[i]);
    }
}

static void test_resume(void)
{
    uint64_t delta_uj;
    struct counter c;

    counter_init(&c, AMD, 600000, 10000);
    counter_resume(&c, 1000, 50000);
    UNIT_INT(counter_update(&c, 3000001000, 60000, &delta_uj), COUNTER_DELTA, "goes on");
    UNIT_INT(delta_uj, 3000000000, "what was missed");

    counter_init(&c, AMD, 600000, 10000);
    counter_resume(&c, 1000, 50000);
    UNIT_INT(counter_update(&c, 2000, 50000 + 200000, &delta_uj), COUNTER_STALE, "away too long");

    counter_init(&c, AMD, 600000, 10000);
    counter_resume(&c, AMD + 1, 50000);
    UNIT_INT(counter_update(&c, 2000, 51000, &delta_uj), COUNTER_FIRST, "nonsense is not taken up");

    counter_forget(&c);
    UNIT_INT(counter_update(&c, 9000, 52000, &delta_uj), COUNTER_FIRST, "forgotten");
}

static void test_reach(void)
{
    struct counter c;

    counter_init(&c, AMD, 600000, 0);
    UNIT_INT(counter_reach_ms(&c), 109221, "65.5 kJ at 600 W");
    counter_init(&c, 0, 600000, 0);
    UNIT_INT(counter_reach_ms(&c), INT64_MAX, "no range");
    counter_init(&c, AMD, 0, 0);
    UNIT_INT(counter_reach_ms(&c), INT64_MAX, "no ceiling");
}

static const struct unit_case cases[] = {
    {"stories", test_stories}, {"noise", test_noise}, {"steady", test_steady},
    {"resume", test_resume},   {"reach", test_reach}, {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "counter");
}
