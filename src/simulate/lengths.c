/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last runs of each kind of job, by hash: same key, limit and cores; same key and limit; same
 * key; all.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/lengths.h"
#include "simulate/random.h"

#define RUNS (LENGTHS_MAX - 1)
#define FEW 3
#define ROOM_FIRST 1024
#define RATIOS 256

struct past {
    uint64_t hash; /* 0: free */
    uint32_t n;    /* ever */
    float run_s[RUNS];
};

struct lengths {
    enum lengths_kind kind;
    struct past *table;
    size_t n, room; /* room is a power of two */
    /* Run times by limits of the last jobs of all, for who is new: as they came, and in order. */
    float ratios[RATIOS], sorted[RATIOS];
    size_t n_ratios; /* ever */
};

const char *lengths_name(enum lengths_kind k)
{
    static const char *const names[] = {"exact", "requested", "predicted", "mix"};
    return (unsigned)k < LENGTHS_N ? names[k] : "?";
}

lengths_t *lengths_create(enum lengths_kind kind)
{
    lengths_t *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    l->kind = kind;
    l->room = ROOM_FIRST;
    l->table = calloc(l->room, sizeof(*l->table));
    if (!l->table) {
        lengths_destroy(l);
        return NULL;
    }
    return l;
}

void lengths_destroy(lengths_t *l)
{
    int saved = errno;
    if (l)
        free(l->table);
    free(l);
    errno = saved;
}

static int64_t limit_of(const struct sim_job *job)
{
    return job->limit_s > 0 ? job->limit_s : job->run_s;
}

/* Levels of likeness, the closest first. */
#define LEVELS 3
static uint64_t hash_of(const struct sim_job *job, int level)
{
    struct random r;
    random_init(&r, (uint64_t)job->key << 2 | (uint64_t)level);
    uint64_t hash = random_bits(&r);
    if (level < 2) {
        random_init(&r, hash ^ (uint64_t)limit_of(job));
        hash = random_bits(&r);
    }
    if (level < 1) {
        random_init(&r, hash ^ job->cores);
        hash = random_bits(&r);
    }
    return hash ? hash : 1;
}

static struct past *find(struct past *table, size_t room, uint64_t hash)
{
    size_t i = hash & (room - 1);
    while (table[i].hash && table[i].hash != hash)
        i = (i + 1) & (room - 1);
    return &table[i];
}

static int grow(lengths_t *l)
{
    size_t room = 2 * l->room;
    struct past *table = calloc(room, sizeof(*table));
    if (!table)
        return -1;
    for (size_t i = 0; i < l->room; i++)
        if (l->table[i].hash)
            *find(table, room, l->table[i].hash) = l->table[i];
    free(l->table);
    l->table = table;
    l->room = room;
    return 0;
}

/* The first of n that is not below x. */
static size_t place_of(const float *sorted, size_t n, float x)
{
    size_t low = 0;
    while (n > 0) {
        size_t half = n / 2;
        if (sorted[low + half] < x) {
            low += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return low;
}

/* The newest ratio takes the place of the oldest. */
static void add_ratio(lengths_t *l, float ratio)
{
    float *oldest = &l->ratios[l->n_ratios % RATIOS], *sorted = l->sorted;
    size_t n = l->n_ratios < RATIOS ? l->n_ratios : RATIOS;
    if (n == RATIOS) {
        size_t gone = place_of(sorted, n--, *oldest);
        memmove(&sorted[gone], &sorted[gone + 1], (n - gone) * sizeof(*sorted));
    }
    size_t at = place_of(sorted, n, ratio);
    memmove(&sorted[at + 1], &sorted[at], (n - at) * sizeof(*sorted));
    sorted[at] = *oldest = ratio;
    l->n_ratios++;
}

int lengths_ended(lengths_t *l, const struct sim_job *job)
{
    if (l->kind < LENGTHS_PREDICTED)
        return 0;
    if (4 * (l->n + LEVELS) > 3 * l->room && grow(l) < 0)
        return -1;
    for (int level = 0; level < LEVELS; level++) {
        struct past *p = find(l->table, l->room, hash_of(job, level));
        l->n += p->hash == 0;
        p->hash = hash_of(job, level);
        p->run_s[p->n++ % RUNS] = (float)job->run_s;
    }
    add_ratio(l, (float)job->run_s / (float)limit_of(job));
    return 0;
}

/* Its last runs, at most `most`, newest first. */
static size_t last_runs(const lengths_t *l, const struct sim_job *job, int level, size_t most,
                        int64_t *out)
{
    const struct past *p = find(l->table, l->room, hash_of(job, level));
    size_t n = p->hash == 0 ? 0 : p->n < RUNS ? p->n : RUNS;
    if (n > most)
        n = most;
    for (size_t i = 0; i < n; i++)
        out[i] = scenarios_within(p->run_s[(p->n - 1 - i) % RUNS], limit_of(job));
    return n;
}

static size_t predicted(const lengths_t *l, const struct sim_job *job, int64_t *out)
{
    int64_t runs[2];
    size_t n = last_runs(l, job, LEVELS - 1, 2, runs);
    out[0] = scenarios_mean(runs, n, limit_of(job));
    return 1;
}

/* What shares of their limits jobs of late have used: RUNS quantiles. */
static size_t quantiles(const lengths_t *l, const struct sim_job *job, int64_t *out)
{
    size_t n = l->n_ratios < RATIOS ? l->n_ratios : RATIOS;
    if (n == 0)
        return 0;
    for (size_t i = 0; i < RUNS; i++)
        out[i] = scenarios_within(
            (double)l->sorted[n * (2 * i + 1) / (2 * RUNS)] * (double)limit_of(job), limit_of(job));
    return RUNS;
}

static size_t mix(const lengths_t *l, const struct sim_job *job, int64_t *out)
{
    size_t n = 0;
    for (int level = 0; level < LEVELS && n < FEW; level++)
        n = last_runs(l, job, level, RUNS, out);
    if (n < FEW)
        n = quantiles(l, job, out);
    return scenarios_mix(out, n, limit_of(job), out);
}

size_t lengths_of(const lengths_t *l, const struct sim_job *job, int64_t out[LENGTHS_MAX])
{
    if (l->kind == LENGTHS_MIX)
        return mix(l, job, out);
    if (l->kind == LENGTHS_PREDICTED)
        return predicted(l, job, out);
    out[0] = l->kind == LENGTHS_EXACT ? job->run_s : limit_of(job);
    return 1;
}

/* In hours: what people type as a limit. */
static const double typed_h[] = {0.25, 0.5, 1,  2,  4,   8,   12,  16,
                                 24,   48,  72, 96, 168, 336, 720, 2160};
#define N_TYPED (sizeof(typed_h) / sizeof(typed_h[0]))

static int64_t round_up(double length_s)
{
    for (size_t i = 0; i < N_TYPED; i++)
        if (typed_h[i] * 3600 >= length_s)
            return (int64_t)(typed_h[i] * 3600);
    return (int64_t)length_s + 1;
}

void lengths_draw_limits(struct workload *w, uint64_t seed)
{
    static const double used[] = {0.0005, 0.0044, 0.0195, 0.0453, 0.1326,
                                  0.2444, 0.3446, 0.476,  0.91};
    int64_t longest_s = 1;
    struct random r;
    random_init(&r, seed);
    for (size_t i = 0; i < w->n; i++)
        if (w->jobs[i].run_s > longest_s)
            longest_s = w->jobs[i].run_s;
    int64_t most_s = round_up((double)longest_s);
    for (size_t i = 0; i < w->n; i++) {
        double share = used[random_bits(&r) % (sizeof(used) / sizeof(used[0]))];
        int64_t limit_s = round_up((double)w->jobs[i].run_s / share);
        w->jobs[i].limit_s = limit_s < most_s ? limit_s : most_s;
    }
    w->has_limits = 1;
}
