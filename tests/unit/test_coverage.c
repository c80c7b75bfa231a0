/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sums that refuse to count a joule twice.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>

#include "power/coverage.h"
#include "unit.h"

#define ALL COVERAGE_EVERYWHERE

struct addend {
    struct coverage coverage;
    uint64_t uj;
    int rc;
    int error;
};

static void _add_all(const struct addend addends[], size_t n, uint64_t want_uj, const char *want,
                     const char *name)
{
    char text[COVERAGE_TEXT_SIZE];
    struct coverage_sum sum;

    coverage_sum_init(&sum);
    for (size_t i = 0; i < n; i++) {
        struct coverage_sum before = sum;

        errno = 0;
        UNIT_INT(coverage_sum_add(&sum, addends[i].coverage, addends[i].uj), addends[i].rc,
                 "%s, %zu", name, i);
        if (addends[i].rc == 0)
            continue;
        UNIT_INT(errno, addends[i].error, "%s, %zu", name, i);
        UNIT_OK(before.uj == sum.uj &&
                    coverage_sum_components(&before) == coverage_sum_components(&sum),
                "%s, %zu: a refusal changes nothing", name, i);
    }
    UNIT_INT(sum.uj, want_uj, "%s", name);
    UNIT_STR(coverage_format(text, sizeof(text), coverage_sum_components(&sum)), want, "%s", name);
}

static void test_sums(void)
{
    static const struct addend server[] = {
        {{COMPONENT_CPU, 1}, 100, 0, 0},
        {{COMPONENT_DRAM, 1}, 10, 0, 0},
        {{COMPONENT_CPU, 2}, 200, 0, 0},
        {{COMPONENT_CPU, 1}, 100, -1, EEXIST}, /* the mmio twin */
        {{COMPONENT_CPU | COMPONENT_DRAM | COMPONENT_BOARD, ALL}, 999, -1, EEXIST}, /* psys */
        {{COMPONENT_CPU, ALL}, 999, -1, EEXIST},                                    /* the model */
    };
    static const struct addend psys_alone[] = {
        {{COMPONENT_CPU | COMPONENT_DRAM | COMPONENT_BOARD, ALL}, 50, 0, 0},
        {{COMPONENT_CPU, ALL}, 7, -1, EEXIST},
        {{COMPONENT_GPU, 1}, 5, 0, 0},
        {{COMPONENT_GPU, 1}, 5, -1, EEXIST},
        {{COMPONENT_GPU, 2}, 5, 0, 0},
    };
    static const struct addend meter[] = {
        {{COMPONENT_ALL, ALL}, 500, 0, 0},
        {{COMPONENT_GPU, 1}, 5, -1, EEXIST}, /* the node's meter has the GPUs in it */
    };
    static const struct addend bad[] = {
        {{COMPONENT_NONE, ALL}, 1, -1, EINVAL},
        {{COMPONENT_CPU, 0}, 1, -1, EINVAL},
        {{16, ALL}, 1, -1, EINVAL},
        {{COMPONENT_CPU, 1}, UINT64_MAX, 0, 0},
        {{COMPONENT_CPU, 2}, 1, -1, EOVERFLOW},
    };

    _add_all(server, sizeof(server) / sizeof(server[0]), 310, "cpu,dram", "server");
    _add_all(psys_alone, sizeof(psys_alone) / sizeof(psys_alone[0]), 60, "node", "psys");
    _add_all(meter, sizeof(meter) / sizeof(meter[0]), 500, "node", "meter");
    _add_all(bad, sizeof(bad) / sizeof(bad[0]), UINT64_MAX, "cpu", "bad");
}

/* Any order, any sets: what is in the sum is disjoint. */
static void test_disjoint(void)
{
    uint32_t random = 1;

    for (int round = 0; round < 2000; round++) {
        uint64_t cells[COVERAGE_COMPONENTS] = {0};
        struct coverage_sum sum;

        coverage_sum_init(&sum);
        for (int i = 0; i < 12; i++) {
            struct coverage c;

            random = random * 1664525 + 1013904223;
            c.components = 1 + (random >> 28) % 15;
            c.domains = (random >> 8) % 256;
            if (coverage_sum_add(&sum, c, 1) < 0)
                continue;
            for (unsigned k = 0; k < COVERAGE_COMPONENTS; k++) {
                if (!(c.components & (1u << k)))
                    continue;
                if (cells[k] & c.domains) {
                    UNIT_OK(0, "round %d: counted twice", round);
                    return;
                }
                cells[k] |= c.domains;
            }
            UNIT_OK(coverage_sum_has(&sum, c), "round %d", round);
        }
    }
}

static void test_format(void)
{
    static const struct {
        unsigned components;
        const char *text;
    } rows[] = {
        {COMPONENT_NONE, ""},
        {COMPONENT_CPU, "cpu"},
        {COMPONENT_CPU | COMPONENT_DRAM, "cpu,dram"},
        {COMPONENT_CPU | COMPONENT_DRAM | COMPONENT_GPU, "cpu,dram,gpu"},
        {COMPONENT_CPU | COMPONENT_DRAM | COMPONENT_BOARD, "cpu,dram,board"},
        {COMPONENT_BOARD, "board"},
        {COMPONENT_ALL, "node"},
    };
    char text[COVERAGE_TEXT_SIZE], small[6];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        UNIT_STR(coverage_format(text, sizeof(text), rows[i].components), rows[i].text, "row %zu",
                 i);
    UNIT_STR(coverage_format(small, sizeof(small), COMPONENT_CPU | COMPONENT_DRAM), "cpu,d",
             "cut to fit");
    UNIT_OK(coverage_format(small, 0, 1) == small, "no room at all");
}

static const struct unit_case cases[] = {
    {"sums", test_sums}, {"disjoint", test_disjoint}, {"format", test_format}, {NULL, NULL}};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "coverage");
}
