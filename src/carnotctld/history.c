/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pasts of the board, in its order, with the ends of their runs: a run that is settled late does
 * not pass for the last one.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "carnotctld/history.h"

/* A run shorter than this says nothing of its power: Slurm's start and end are whole seconds. */
#define POWER_LEAST_S 60
/* Weight of a new run in the mean of watts: the last four weigh two thirds. */
#define POWER_WEIGHT 0.25

static int in_list(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; p; p = strchr(p, ',')) {
        p += *p == ',';
        if (strncmp(p, word, n) == 0 && (p[n] == ',' || p[n] == '\0'))
            return 1;
    }
    return 0;
}

/* Runs that came to their own end, or to that of their limit. One that was cancelled, failed, lost
 * its node, was requeued or that Slurm forgot says how long it took to go wrong. */
static int counts(const struct ledger_past *run)
{
    return run->start_s > 0 && run->end_s >= run->start_s &&
           (strcmp(run->state, "COMPLETED") == 0 || strcmp(run->state, "TIMEOUT") == 0);
}

/* Measured watts of each GPU, with the CPUs that went with it, for the energy of both stands in one
 * sum; of each CPU where there was no GPU. A node's meter is shared out by CPU time, which says
 * nothing of GPUs. Over the time that records cover; 0 = not known. */
static double watts_each(const struct ledger_past *run)
{
    int64_t until_s = run->measured_until_s < run->end_s ? run->measured_until_s : run->end_s;
    int measured = run->quality == QUALITY_MEASURED || run->quality == QUALITY_SPLIT;
    int covered = run->gpus ? in_list(run->coverage, "gpu")
                            : in_list(run->coverage, "cpu") || in_list(run->coverage, "node");
    uint32_t each = run->gpus ? run->gpus : run->cpus;
    if (!measured || !covered || each == 0 || run->gpus == LEDGER_GPUS_UNKNOWN ||
        until_s - run->start_s < POWER_LEAST_S)
        return 0;
    double w = (double)run->energy_uj / 1e6 / (double)(until_s - run->start_s) / each;
    return w < 1e6 ? w : 0; /* what a board holds */
}

static size_t find(const struct ctl *c, uint32_t uid, uint64_t name)
{
    size_t low = 0, high = c->n_pasts;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (board_past_compare(&c->pasts[mid].past, uid, name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static int by_end(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Room for one more: memory, or the quarter that ended longest ago goes. 0 or -1. */
static int make_room(struct ctl *c)
{
    size_t kept = 0;
    if (!c->pasts && !(c->pasts = calloc(BOARD_PASTS_MAX, sizeof(*c->pasts))))
        return -1;
    if (c->n_pasts < BOARD_PASTS_MAX)
        return 0;
    int64_t *ends_s = malloc(c->n_pasts * sizeof(*ends_s));
    if (!ends_s)
        return -1;
    for (size_t i = 0; i < c->n_pasts; i++)
        ends_s[i] = c->pasts[i].end_s[0];
    qsort(ends_s, c->n_pasts, sizeof(*ends_s), by_end);
    int64_t oldest_s = ends_s[BOARD_PASTS_MAX / 4];
    free(ends_s);
    for (size_t i = 0, gone = 0; i < c->n_pasts; i++) {
        if (c->pasts[i].end_s[0] <= oldest_s && gone < BOARD_PASTS_MAX / 4)
            gone++;
        else
            c->pasts[kept++] = c->pasts[i];
    }
    c->n_pasts = kept;
    return 0;
}

static struct ctl_past *get(struct ctl *c, uint32_t uid, uint64_t name)
{
    size_t i = find(c, uid, name);
    if (i < c->n_pasts && board_past_compare(&c->pasts[i].past, uid, name) == 0)
        return &c->pasts[i];
    if (make_room(c) < 0)
        return NULL;
    i = find(c, uid, name);
    memmove(&c->pasts[i + 1], &c->pasts[i], (c->n_pasts++ - i) * sizeof(*c->pasts));
    memset(&c->pasts[i], 0, sizeof(*c->pasts));
    c->pasts[i].past.uid = uid;
    c->pasts[i].past.name = name;
    return &c->pasts[i];
}

/* Among its last runs in order of their ends; of two that end in one second the later settled one
 * is the last. 1, or 0: it is none of them, or there already (settled once more, for the disk had
 * not taken it; tasks that ran side by side count as one). */
static int add_run(struct ctl_past *p, int64_t length_s, int64_t end_s)
{
    uint32_t run_s = length_s < 1 ? 1 : length_s < INT32_MAX ? (uint32_t)length_s : INT32_MAX;
    uint32_t at = 0, last = BOARD_PAST_RUNS - 1;
    for (uint32_t i = 0; i < p->past.n_runs; i++) {
        if (p->end_s[i] == end_s && p->past.run_s[i] == run_s)
            return 0;
        at += p->end_s[i] > end_s;
    }
    if (at > last)
        return 0;
    for (uint32_t i = last; i > at; i--) {
        p->past.run_s[i] = p->past.run_s[i - 1];
        p->end_s[i] = p->end_s[i - 1];
    }
    p->past.run_s[at] = run_s;
    p->end_s[at] = end_s;
    p->past.n_runs += p->past.n_runs <= last;
    return 1;
}

static void note(struct ctl *c, uint32_t uid, uint64_t name, const struct ledger_past *run)
{
    struct ctl_past *p = get(c, uid, name);
    double w = watts_each(run);
    if (!p || !add_run(p, run->end_s - run->start_s, run->end_s) || w <= 0)
        return;
    double *mean_w = run->gpus ? &p->past.gpu_w : &p->past.cpu_w;
    *mean_w = *mean_w > 0 ? *mean_w + POWER_WEIGHT * (w - *mean_w) : w;
}

static void learn(struct ctl *c, const struct ledger_past *run)
{
    uint64_t name = board_name_hash(run->name);
    if (!counts(run))
        return;
    note(c, run->uid, 0, run);
    if (name)
        note(c, run->uid, name, run);
}

void history_note(struct ctl *c, const struct ledger_job *row)
{
    struct ledger_past run = {.uid = row->uid,
                              .cpus = row->cpus,
                              .gpus = row->gpus,
                              .start_s = row->start_s,
                              .end_s = row->end_s,
                              .measured_until_s = row->measured_until_s,
                              .energy_uj = row->energy_uj,
                              .quality = row->quality};
    memcpy(run.name, row->name, sizeof(run.name));
    memcpy(run.state, row->state, sizeof(run.state));
    memcpy(run.coverage, row->coverage, sizeof(run.coverage));
    learn(c, &run);
}

int history_load(struct ctl *c, struct err *e)
{
    struct ledger_past *runs = NULL;
    size_t n = 0;
    if (ledger_past_list(c->ledger, HISTORY_ROWS, &runs, &n, e) < 0)
        return -1;
    c->n_pasts = 0;
    for (size_t i = 0; i < n; i++)
        learn(c, &runs[i]);
    free(runs);
    return 0;
}

void history_free(struct ctl *c)
{
    free(c->pasts);
    c->pasts = NULL;
    c->n_pasts = 0;
}
