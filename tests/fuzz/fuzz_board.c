/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A board that somebody else wrote: what board_decode() takes is what job_submit decides by, inside
 * slurmctld. So it is looked up in and decided by as well. Size and checksum are made right here,
 * for no fuzzer finds them.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "placement/admit.h"
#include "placement/board.h"

/* Of board.c's header: where these stand, and what the checksum is of. */
#define AT_SIZE 16
#define AT_CHECKSUM 24
#define CHECKSUM_FROM 32

#define CPUS_MAX 0xfffffffcu /* Slurm's NO_VAL is more */
#define LIMIT_MAX_S (INT32_MAX * INT64_C(60))

static void _mend(unsigned char *board, size_t size)
{
    uint64_t sum = UINT64_C(14695981039346656037), whole = size, word;

    if (size < CHECKSUM_FROM)
        return;
    memcpy(board + AT_SIZE, &whole, sizeof(whole));
    for (size_t at = CHECKSUM_FROM; at + 8 <= size; at += 8) {
        memcpy(&word, board + at, 8);
        sum = (sum ^ word) * UINT64_C(1099511628211);
    }
    memcpy(board + AT_CHECKSUM, &sum, sizeof(sum));
}

static void _look(const struct board *b)
{
    uint32_t n;

    for (uint32_t i = 0; i < b->n_budgets; i++) {
        const struct board_budget *v = &b->budgets[i];

        if (!board_budget_find(b, v->scope, v->name, v->uid, &n) || n < 1)
            abort();
    }
    for (uint32_t i = 0; i < b->n_jobs; i++) {
        const struct board_job *v = &b->jobs[i];

        if (!board_job_find(b, v->array_job_id ? v->array_job_id : v->job_id, &n) || n < 1)
            abort();
        (void)board_job_account(b, v);
    }
    for (uint32_t i = 0; i < b->n_users; i++)
        if (board_user_find(b, b->users[i].uid) != &b->users[i])
            abort();
    for (uint32_t i = 0; i < b->n_runs; i++)
        (void)board_run_waited(board_run_find(b, b->runs[i].uid, b->runs[i].name),
                               b->head.published_ms / 1000);
    for (uint32_t i = 0; i < b->n_decisions; i++)
        if (!board_decision_seen(b, b->decisions[i]))
            abort();
}

static struct admit admit;

/* A job of whom the board knows something, asking for what makes most of it count. */
static void _decide(const struct board *b, const char *delay, uint32_t cpus, int64_t limit_s)
{
    struct placement_job job = {.tasks = 1 + cpus / 4,
                                .nodes = cpus / 16,
                                .cpus = cpus,
                                .gpus = cpus / 8,
                                .limit_s = limit_s,
                                .stagger = cpus,
                                .name = "relax",
                                .account = b->n_accounts ? b->accounts[0].name : "",
                                .partition = b->n_partitions ? b->partitions[0].name : ""};
    struct placement_note note;
    struct admit_outcome out;
    char text[1024];

    job.uid = b->n_pasts ? b->pasts[0].uid : b->n_users ? b->users[0].uid : 0;
    request_init(&job.request);
    if (request_set(&job.request, REQUEST_CARBON_DELAY, delay, LAYER_FLAG, 0, NULL) < 0 ||
        request_set(&job.request, REQUEST_ENERGY_BUDGET, "1MWh", LAYER_FLAG, 0, NULL) < 0 ||
        request_set(&job.request, REQUEST_CARBON_REQUEUE, "1", LAYER_FLAG, 0, NULL) < 0)
        abort();
    if (b->n_runs)
        (void)request_set(&job.request, REQUEST_CARBON_RUN, b->runs[0].name, LAYER_FLAG, 0, NULL);
    admit_init(&admit, b->head.published_ms - 1000);
    admit_job(&admit, b, &job, 0x1234, 0, b->head.published_ms, &out);
    (void)board_mode(b, job.partition, job.account, job.uid);
    (void)board_exempt(b, job.partition, job.account, "normal", job.uid);
    (void)placement_watts(b, &job, out.d.price.power_w, 1);
    placement_sentence(text, 320, b, &job, &out.d, b->head.published_ms / 1000);
    placement_comment(text, sizeof(text), 0x1234, &job, &out.d);
    if (placement_note_parse(text, &note) && note.id != 0x1234)
        abort();
}

/* scontrol update of each job that the board shows. */
static void _change(const struct board *b, uint32_t cpus, int64_t limit_s)
{
    for (uint32_t i = 0; i < b->n_jobs; i++) {
        const struct board_job *job = &b->jobs[i];
        const struct placement_change change = {
            .job_id = job->array_job_id ? job->array_job_id : job->job_id,
            .array_task = i % 2 ? -1 : (int64_t)i,
            .partition = b->n_partitions ? b->partitions[0].name : NULL,
            .cpus = cpus,
            .ntasks = cpus,
            .limit_s = limit_s,
            .exclusive = i % 3 == 0};
        struct placement_growth growth;
        char text[512];
        uint32_t watts;

        admit_change(&admit, b, &change, 0, b->head.published_ms, &growth);
        (void)placement_change_watts(b, &change, &watts);
        if (growth.verdict == VERDICT_REFUSE)
            (void)placement_change_sentence(text, sizeof(text), &growth);
    }
}

static void _encode(const struct board *b)
{
    struct board again;
    struct err e;
    void *data;
    size_t size;

    if (board_encode(b, &data, &size, &e) < 0 || board_decode(&again, data, size, &e) < 0)
        abort();
    free(data);
    board_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *board = malloc(size + 1);
    struct err e = {""};
    struct board b;

    if (!board)
        return 0;
    memcpy(board, data, size);
    _mend(board, size);
    if (board_decode(&b, board, size, &e) == 0) {
        _look(&b);
        _decide(&b, "12h", 0, 0);
        _decide(&b, "7d", 100, 3600);
        _decide(&b, "site", CPUS_MAX, LIMIT_MAX_S);
        _change(&b, 100, 3600);
        _change(&b, CPUS_MAX, LIMIT_MAX_S);
        _encode(&b);
        board_free(&b);
    } else if (!e.text[0]) {
        abort();
    }
    free(board);
    return 0;
}
