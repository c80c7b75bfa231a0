/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boards made by hand: each word of the header wrong in turn, each byte of a small board changed,
 * each length that it can be cut to, with the checksum made right again. A board is refused with a
 * sentence, or accepted and then good for decisions; nothing is read beyond its end, which
 * AddressSanitizer watches: data of exact size, the whole built with it once more.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "board_fixture.h"
#include "unit.h"

#define SLOTS 6
#define SIZE_AT 16
#define CHECKSUM_AT 24
#define SUMMED_FROM 32
#define HEADER_MAX 128 /* the header and the first words of the head */

/* FNV-1a over 64-bit words, as docs/formats.md leaves it to src/placement/board.c. */
static void make_sum_right(unsigned char *data, size_t size)
{
    uint64_t h = 14695981039346656037ULL, word;
    if (size < SUMMED_FROM)
        return;
    for (size_t i = SUMMED_FROM; i + 8 <= size; i += 8) {
        memcpy(&word, data + i, 8);
        h = (h ^ word) * 1099511628211ULL;
    }
    memcpy(data + CHECKSUM_AT, &h, 8);
}

/* A board with a record in each section, as small as can be. */
static unsigned char *small_board(size_t *size)
{
    struct fixture f;
    struct err e = {.text = ""};
    void *data = NULL;
    fixture_init(&f);
    f.budgets[0] = (struct board_budget){
        .scope = BOARD_ACCOUNT, .name = "bio", .granted = INT64_MAX, .left = 600000000};
    f.budgets[1] = (struct board_budget){
        .scope = BOARD_USER, .uid = 1000, .granted = INT64_MAX, .left = INT64_MAX};
    f.b.n_budgets = 2;
    f.switches[0] = (struct board_switch){.scope = BOARD_PARTITION, .mode = 1, .name = "debug"};
    f.b.n_switches = 1;
    f.decisions[0] = 7;
    f.decisions[1] = 9;
    f.b.n_decisions = 2;
    fixture_past(&f, 1000, NULL, 30, 20);
    f.pasts[0].cpu_w = 4;
    f.b.n_slots = SLOTS;
    UNIT_INT(board_encode(&f.b, &data, size, &e), 0, "%s", e.text);
    return data;
}

/* Decisions of all kinds: whatever an accepted board says, they end and can be written down. */
static void use(const struct board *b, const char *what)
{
    static struct lease_table leases;
    struct lease lease;
    char text[640];
    lease_init(&leases);
    for (int i = 0; i < 6; i++) {
        struct placement_decision d;
        struct placement_job job = fixture_job();
        job.request.policy = (enum placement_policy)(POLICY_ASAP + i % 3);
        job.tasks = i == 3 ? UINT32_MAX : 1;
        job.limit_s = i == 4 ? INT64_MAX / 2 : 60;
        job.partition = i == 5 ? "debug" : NULL;
        job.gpus = i == 2 ? 8 : 0;
        lease_sweep(&leases, b, FIXTURE_NOW * 1000LL);
        placement_decide(b, &leases, &job, FIXTURE_NOW, &d);
        placement_sentence(text, sizeof(text), b, &job, &d, FIXTURE_NOW);
        UNIT_OK(strlen(text) < sizeof(text), "%s: a sentence", what);
        placement_comment(text, sizeof(text), 1, &job, &d);
        placement_lease(b, &job, &d, &lease);
        lease.id = (uint64_t)i + 1;
        (void)lease_take(&leases, &lease, FIXTURE_NOW * 1000LL);
    }
    (void)board_decision_seen(b, 8);
    (void)board_mode(b, "debug", "bio", 1000);
}

/* Decode size bytes that lie in memory of just that size. 1 if it was accepted. */
static int judge(const unsigned char *data, size_t size, const char *what)
{
    struct board b;
    struct err e = {.text = ""};
    unsigned char *exact = malloc(size ? size : 1);
    memcpy(exact, data, size);
    int rc = board_decode(&b, exact, size, &e);
    free(exact);
    if (rc < 0)
        return !UNIT_OK(e.text[0], "%s: a refusal says why", what);
    use(&b, what);
    board_free(&b);
    return 1;
}

static void test_header(void)
{
    size_t size;
    unsigned char *data = small_board(&size);
    int accepted = 0, tried = 0;
    char what[80];
    UNIT_INT(judge(data, size, "as it is"), 1, "as it is");
    for (size_t at = 0; at < HEADER_MAX; at += 4) {
        uint32_t was, made[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0, 0, 0};
        memcpy(&was, data + at, 4);
        made[5] = was + 1;
        made[6] = was - 1;
        made[7] = was ^ 0x01000000;
        for (int k = 0; k < 16; k++) {
            unsigned char *copy = malloc(size);
            memcpy(copy, data, size);
            memcpy(copy + at, &made[k / 2], 4);
            if (k % 2)
                make_sum_right(copy, size);
            snprintf(what, sizeof(what), "word %zu = %x, sum %s", at, made[k / 2],
                     k % 2 ? "right" : "as it was");
            int changed = memcmp(copy, data, size) != 0;
            int rc = judge(copy, size, what);
            if (at < SUMMED_FROM && changed)
                UNIT_INT(rc, 0, "%s", what);
            accepted += rc && changed;
            tried += changed;
            free(copy);
        }
    }
    UNIT_OK(accepted > 0 && accepted < tried, "%d of %d accepted", accepted, tried);
    free(data);
}

static void test_bytes(void)
{
    static const unsigned char made[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    size_t size;
    unsigned char *data = small_board(&size);
    int accepted = 0, refused = 0;
    char what[80];
    for (size_t at = 0; at < size; at++) {
        unsigned char was = data[at];
        for (size_t k = 0; k < sizeof(made); k++) {
            uint64_t sum;
            memcpy(&sum, data + CHECKSUM_AT, 8);
            data[at] = made[k];
            make_sum_right(data, size);
            snprintf(what, sizeof(what), "byte %zu = %x", at, made[k]);
            if (judge(data, size, what))
                accepted++;
            else
                refused++;
            data[at] = was;
            memcpy(data + CHECKSUM_AT, &sum, 8);
        }
    }
    UNIT_OK(accepted > 0 && refused > 0, "%d accepted, %d refused", accepted, refused);
    free(data);
}

/* Words of the sections pairwise at their ends: sums of them must not overflow. */
static void test_words(void)
{
    static const uint64_t made[] = {0,
                                    1,
                                    0x7fffffffffffffff,
                                    0x8000000000000000,
                                    0xffffffffffffffff,
                                    253402300799,       /* the year 9999 */
                                    0x3ff0000000000000, /* 1.0 */
                                    0x7ff0000000000000, /* infinite */
                                    0x7fefffffffffffff, /* the largest */
                                    0x41cdcd6500000000, /* 1e9 */
                                    0x0000000100000001};
    const int n = (int)(sizeof(made) / sizeof(made[0]));
    size_t size;
    unsigned char *data = small_board(&size), *copy = malloc(size);
    int accepted = 0;
    char what[80];
    srand(1);
    for (int round = 0; round < 20000; round++) {
        memcpy(copy, data, size);
        int words = 1 + round % 3;
        for (int i = 0; i < words; i++)
            memcpy(copy + SUMMED_FROM + 8 * ((size_t)rand() % ((size - SUMMED_FROM) / 8)),
                   &made[rand() % n], 8);
        make_sum_right(copy, size);
        snprintf(what, sizeof(what), "round %d", round);
        accepted += judge(copy, size, what);
    }
    UNIT_OK(accepted > 0, "%d accepted", accepted);
    free(copy);
    free(data);
}

/* Cut to each length; once more with size and checksum of the header made right for it. */
static void test_cut(void)
{
    size_t size;
    unsigned char *data = small_board(&size);
    char what[80];
    for (size_t n = 0; n < size; n++) {
        snprintf(what, sizeof(what), "cut to %zu of %zu", n, size);
        UNIT_INT(judge(data, n, what), 0, "%s", what);
        if (n >= SUMMED_FROM) {
            unsigned char *copy = malloc(n);
            uint64_t claimed = n;
            memcpy(copy, data, n);
            memcpy(copy + SIZE_AT, &claimed, 8);
            make_sum_right(copy, n);
            UNIT_INT(judge(copy, n, what), 0, "%s, and says so", what);
            free(copy);
        }
    }
    free(data);
}

/* Areas that shrink would have a wait earn grams, and a lease hold less than nothing. */
static void test_areas(void)
{
    struct placement_job job = fixture_job();
    struct placement_decision d;
    struct fixture f;
    struct lease lease;
    struct err e = {.text = ""};
    struct board b;
    void *data;
    size_t size;
    fixture_init(&f);
    f.points[0].area = 1e18;
    f.points[1].area = 1e9;
    f.points[2].area = 0;
    UNIT_INT(board_encode(&f.b, &data, &size, &e), 0, "%s", e.text);
    UNIT_INT(board_decode(&b, data, size, &e), 0, "%s", e.text);
    UNIT_DBL(b.points[0].area, 0, 0, "summed anew");
    UNIT_DBL(b.points[2].area, 670 * 400 + 60 * 100, 0, "summed anew");
    placement_decide(&b, NULL, &job, FIXTURE_NOW, &d);
    placement_lease(&b, &job, &d, &lease);
    UNIT_OK(d.carbon_ug > 0 && d.carbon_now_ug >= d.carbon_ug, "%g ug", d.carbon_ug);
    UNIT_OK(lease.carbon_ug > 0, "it holds %lld ug", (long long)lease.carbon_ug);
    board_free(&b);
    free(data);
    UNIT_INT(lease_amount(-1e25), 0, "never less than nothing");
    UNIT_INT(lease_amount(0.0 / 0.0), 0, "no number");
    UNIT_INT(lease_amount(1e25), INT64_MAX, "more than fits");
    UNIT_INT(lease_amount(1.5e6), 1500000, "as it is");
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"header", test_header}, {"bytes", test_bytes},
                                             {"words", test_words},   {"cut", test_cut},
                                             {"areas", test_areas},   {NULL, NULL}};
    return unit_main(argc, argv, cases, "board_hostile");
}
