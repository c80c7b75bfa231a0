/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The board's file format: what goes in comes out, and no cut, flip or forged field gets through or
 * brings the reader down.
 */
#include "config.h"

#include <stdlib.h>

#include "board_fixture.h"
#include "unit.h"

static void fill(struct fixture *f)
{
    fixture_init(f);
    f->budgets[0] = (struct board_budget){
        .scope = BOARD_ACCOUNT, .name = "bio", .granted = 100, .left = -5, .renews_s = 1};
    f->budgets[1] = (struct board_budget){
        .scope = BOARD_ACCOUNT, .resource = 1, .name = "bio", .granted = 100, .left = 7};
    f->budgets[2] =
        (struct board_budget){.scope = BOARD_USER, .name = "ada", .uid = 1000, .granted = 3};
    f->b.n_budgets = 3;
    f->switches[0] = (struct board_switch){.scope = BOARD_PARTITION, .mode = 0, .name = "debug"};
    f->switches[1] = (struct board_switch){.scope = BOARD_USER, .mode = 1, .uid = 1000};
    f->b.n_switches = 2;
    f->decisions[0] = 5;
    f->decisions[1] = 9;
    f->b.n_decisions = 2;
    fixture_past(f, 1000, NULL, 300, 200);
    fixture_past(f, 1000, "train", 30, 0);
    f->pasts[1].cpu_w = 4.5;
    f->pasts[1].gpu_w = 250;
    f->planned[FIXTURE_SLOTS + 3] = 77;
}

static void *encode(struct fixture *f, size_t *size)
{
    void *data = NULL;
    struct err e = {.text = ""};
    UNIT_INT(board_encode(&f->b, &data, size, &e), 0, "%s", e.text);
    return data;
}

static void test_round_trip(void)
{
    struct fixture f;
    struct board out;
    struct err e = {.text = ""};
    size_t size;
    uint32_t n;
    fill(&f);
    void *data = encode(&f, &size);
    UNIT_INT(board_decode(&out, data, size, &e), 0, "%s", e.text);
    free(data);
    UNIT_INT(memcmp(&out.head, &f.b.head, sizeof(out.head)), 0, "head");
    UNIT_INT(memcmp(out.points, f.points, 3 * sizeof(f.points[0])), 0, "points");
    UNIT_INT(memcmp(out.planned, f.planned, sizeof(f.planned)), 0, "planned");
    UNIT_INT(out.planned[FIXTURE_SLOTS + 3], 77, "a cell");
    UNIT_STR(board_partition_find(&out, "debug")->name, "debug", "by name");
    UNIT_STR(board_partition_find(&out, NULL)->name, "batch", "the default");
    UNIT_OK(board_partition_find(&out, "nope") == NULL, "none");
    UNIT_STR(board_partition_find(&out, "nope,debug")->name, "debug", "of a list");
    UNIT_OK(board_partition_find(&out, "debugger,bug,,") == NULL, "no part of a name");
    uint32_t i = 0;
    UNIT_OK(board_partition_each(&out, "debug,nope,batch", &i) &&
                board_partition_each(&out, "debug,nope,batch", &i) &&
                !board_partition_each(&out, "debug,nope,batch", &i),
            "two of three");
    UNIT_STR(board_user_find(&out, 1001)->name, "bob", "user");
    UNIT_OK(board_user_find(&out, 999) == NULL, "no user");
    UNIT_INT(board_decision_seen(&out, 9), 1, "seen");
    UNIT_INT(board_decision_seen(&out, 8), 0, "not seen");
    UNIT_OK(board_budget_find(&out, BOARD_ACCOUNT, "bio", 0, &n) == &out.budgets[0], "bio");
    UNIT_INT(n, 2, "two resources");
    UNIT_OK(board_budget_find(&out, BOARD_USER, "", 1000, &n) == &out.budgets[2], "ada");
    UNIT_OK(board_budget_find(&out, BOARD_ACCOUNT, "bi", 0, &n) == NULL && n == 0, "none");
    UNIT_INT(board_mode(&out, "batch", "", 1001), 1, "the cluster's");
    UNIT_INT(board_mode(&out, "debug", "", 1001), 0, "the partition's");
    UNIT_INT(board_mode(&out, "debug", "", 1000), 1, "the user's is narrower");
    UNIT_INT(board_mode(&out, "batch,debug", "", 1001), 0, "a list acts if all of it does");
    UNIT_INT(board_mode(&out, "batch,other", "", 1001), 1, "as here");
    UNIT_INT(board_exempt(&out, "batch", "bio", "urgent", 1000), 0, "nobody is exempt");
    board_free(&out);
    board_free(&out); /* twice is legal */
}

static void test_pasts(void)
{
    struct fixture f;
    struct board out;
    char longer[200], cut[BOARD_NAME_MAX];
    size_t size;
    fill(&f);
    void *data = encode(&f, &size);
    UNIT_INT(board_decode(&out, data, size, NULL), 0, "decodes");
    free(data);
    UNIT_DBL(board_past_find(&out, 1000, "train")->cpu_w, 4.5, 0, "by name");
    UNIT_DBL(board_past_find(&out, 1000, "train")->gpu_w, 250, 0, "its GPUs");
    UNIT_INT(board_past_find(&out, 1000, "other")->run_s[0], 300, "another name: the user's");
    UNIT_INT(board_past_find(&out, 1000, NULL)->run_s[1], 200, "no name: the user's");
    UNIT_OK(!board_past_find(&out, 1001, "train"), "another user");
    board_free(&out);
    UNIT_OK(!board_past_find(&out, 1000, "train"), "an empty board");

    UNIT_OK(board_name_hash("") == 0 && board_name_hash(NULL) == 0, "no name");
    UNIT_OK(board_name_hash("a") == 0xaf63dc4c8601ec8cULL, "FNV-1a's published value");
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    memcpy(cut, longer, sizeof(cut) - 1);
    cut[sizeof(cut) - 1] = '\0';
    UNIT_OK(board_name_hash(longer) == board_name_hash(cut), "as much as Slurm's list keeps");
    UNIT_OK(board_name_hash("a\xff") == board_name_hash("a?"), "and in its letters");
}

/* Every length that is not the whole: an error. */
static void test_cut(void)
{
    struct fixture f;
    struct board out;
    size_t size;
    fill(&f);
    char *data = encode(&f, &size);
    for (size_t n = 0; n < size; n++)
        if (!UNIT_INT(board_decode(&out, data, n, NULL), -1, "cut to %zu of %zu", n, size))
            board_free(&out);
    free(data);
}

/* Every single flipped bit: an error, since the checksum covers it or the header is checked. */
static void test_flip(void)
{
    struct fixture f;
    struct board out;
    size_t size;
    fill(&f);
    unsigned char *data = encode(&f, &size);
    for (size_t i = 0; i < size * 8; i += 7) {
        data[i / 8] ^= (unsigned char)(1u << i % 8);
        if (!UNIT_INT(board_decode(&out, data, size, NULL), -1, "bit %zu", i))
            board_free(&out);
        data[i / 8] ^= (unsigned char)(1u << i % 8);
    }
    free(data);
}

/* A forger writes a right checksum: each field is judged by itself. */
static void test_forged(void)
{
    struct fixture f;
    for (int i = 0; i < 33; i++) {
        struct board out;
        size_t size;
        fill(&f);
        switch (i) {
        case 0:
            memset(f.b.head.zone, 'x', sizeof(f.b.head.zone));
            break;
        case 1:
            f.b.head.policy = 0;
            break;
        case 2:
            f.b.head.mode = 2;
            break;
        case 3:
            f.b.head.lambda_g_per_h = -1;
            break;
        case 4:
            f.b.head.lambda_g_per_h = 0.0 / 0.0;
            break;
        case 5:
            f.b.head.overbook = 0;
            break;
        case 6:
            f.b.head.pue = 1e300;
            break;
        case 7:
            f.b.head.slot_s = 0;
            break;
        case 8:
            f.b.head.max_delay_s = INT64_MAX;
            break;
        case 9:
            f.b.head.slot_start_s = INT64_MIN;
            break;
        case 10:
            f.b.head.intensity_end_s = 0;
            break;
        case 11:
            f.points[1].t_s = f.points[0].t_s;
            break;
        case 12:
            f.points[1].g_per_kwh = -1;
            break;
        case 13:
            f.points[1].area = 1.0 / 0.0;
            break;
        case 14:
            memset(f.parts[1].name, 'x', sizeof(f.parts[1].name));
            break;
        case 15:
            f.parts[0].max_time_s = -1;
            break;
        case 16:
            f.budgets[0].scope = BOARD_CLUSTER;
            break;
        case 17:
            f.budgets[1].resource = 0; /* out of order: the same twice */
            break;
        case 18:
            f.users[1].uid = 1000;
            break;
        case 19:
            f.switches[0].scope = 9;
            break;
        case 20:
            f.decisions[1] = 5;
            break;
        case 21:
            f.b.head.published_ms = INT64_MAX;
            break;
        case 22:
            f.switches[0].mode = 3;
            break;
        case 23:
            f.switches[0] = (struct board_switch){.scope = BOARD_QOS, .mode = BOARD_ACT};
            break;
        case 24:
            f.switches[0] = (struct board_switch){.scope = BOARD_CLUSTER, .mode = BOARD_EXEMPT};
            break;
        case 25:
            f.pasts[0].n_runs = 0;
            break;
        case 26:
            f.pasts[0].n_runs = BOARD_PAST_RUNS + 1;
            break;
        case 27:
            f.pasts[0].run_s[1] = 0;
            break;
        case 28:
            f.pasts[1].run_s[1] = 7; /* behind the last */
            break;
        case 29:
            f.pasts[0].run_s[0] = 0x80000000;
            break;
        case 30:
            f.pasts[0].cpu_w = 0.0 / 0.0;
            break;
        case 31:
            f.pasts[0].name = UINT64_MAX; /* out of order */
            break;
        case 32:
            f.pasts[0].gpu_w = -1;
            break;
        default:
            break;
        }
        void *data = encode(&f, &size);
        if (!UNIT_INT(board_decode(&out, data, size, NULL), -1, "forgery %d", i))
            board_free(&out);
        free(data);
    }
}

static void test_counts(void)
{
    struct fixture f;
    void *data;
    size_t size;
    struct err e = {.text = ""};
    fill(&f);
    f.b.n_points = BOARD_POINTS_MAX + 1;
    UNIT_INT(board_encode(&f.b, &data, &size, &e), -1, "too many points");
    UNIT_OK(e.text[0], "says so");
}

static void test_load(void)
{
    struct board out;
    struct err e = {.text = ""};
    UNIT_INT(board_load(&out, "/nonexistent/board", &e), -1, "no file");
    UNIT_OK(strstr(e.text, "/nonexistent/board"), "names it: %s", e.text);
    UNIT_INT(board_load(&out, "/dev/null", &e), -1, "empty");
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {{"round_trip", test_round_trip},
                                             {"pasts", test_pasts},
                                             {"cut", test_cut},
                                             {"flip", test_flip},
                                             {"forged", test_forged},
                                             {"counts", test_counts},
                                             {"load", test_load},
                                             {NULL, NULL}};
    return unit_main(argc, argv, cases, "board");
}
