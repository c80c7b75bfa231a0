/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random numbers that are the same on every machine for the same seed: splitmix64 (Steele, Lea,
 * Flood, OOPSLA 2014), and Marsaglia's polar method on it.
 */
#ifndef CARNOT_SIMULATE_RANDOM_H
#define CARNOT_SIMULATE_RANDOM_H

#include <math.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline void random_init(struct random *r, uint64_t seed)
{
    r->state = seed;
}

static inline uint64_t random_bits(struct random *r)
{
    uint64_t z = r->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* In [0, 1). */
static inline double random_share(struct random *r)
{
    return (double)(random_bits(r) >> 11) * 0x1p-53;
}

/* Mean 0, variance 1. */
static inline double random_normal(struct random *r)
{
    double u, v, s;
    do {
        u = 2 * random_share(r) - 1;
        v = 2 * random_share(r) - 1;
        s = u * u + v * v;
    } while (s >= 1 || s == 0);
    return u * sqrt(-2 * log(s) / s);
}

#endif
