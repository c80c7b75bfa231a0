/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The counters' memory: static, atomic, any thread.
 */
#include "config.h"

#include <stdatomic.h>
#include <time.h>

#include "counters.h"

const uint32_t counter_step_us[COUNTER_STEPS] = {
    1,    2,     5,     10,    20,     50,     100,    200,     500,     1000,    2000,
    5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000, 2000000, 5000000, 10000000};

const char *const counter_names[COUNTER_N] = {
    [COUNTER_PASSED] = "passed",
    [COUNTER_DELAYED] = "delayed",
    [COUNTER_REFUSED] = "refused",
    [COUNTER_AGAIN] = "again",
    [COUNTER_OBSERVED] = "observed",
    [COUNTER_TEST_ONLY] = "test_only",
    [COUNTER_NO_BOARD] = "no_board",
    [COUNTER_BAD_OPTION] = "bad_option",
    [COUNTER_BOARDS] = "boards",
    [COUNTER_BAD_BOARDS] = "bad_boards",
    [COUNTER_LEASES_OPEN] = "leases_open",
    [COUNTER_LEASES_TAKEN] = "leases_taken",
    [COUNTER_LEASES_ACKNOWLEDGED] = "leases_acknowledged",
    [COUNTER_LEASES_EXPIRED] = "leases_expired",
    [COUNTER_LEASES_FULL] = "leases_full",
};

static _Atomic uint64_t counts[COUNTER_N];
static struct {
    _Atomic uint64_t n[COUNTER_STEPS + 1];
    _Atomic uint64_t max_us;
} times[COUNTER_CALL_N];

static void set(_Atomic uint64_t *where, uint64_t value)
{
    atomic_store_explicit(where, value, memory_order_relaxed);
}

static uint64_t get(_Atomic uint64_t *where)
{
    return atomic_load_explicit(where, memory_order_relaxed);
}

static void add_one(_Atomic uint64_t *where)
{
    atomic_fetch_add_explicit(where, 1, memory_order_relaxed);
}

void counters_init(void)
{
    for (int i = 0; i < COUNTER_N; i++)
        set(&counts[i], 0);
    for (int i = 0; i < COUNTER_CALL_N; i++) {
        for (int k = 0; k <= COUNTER_STEPS; k++)
            set(&times[i].n[k], 0);
        set(&times[i].max_us, 0);
    }
}

void counters_add(enum counter which)
{
    add_one(&counts[which]);
}

void counters_leases(const struct lease_table *t)
{
    set(&counts[COUNTER_LEASES_OPEN], t->n);
    set(&counts[COUNTER_LEASES_TAKEN], t->taken);
    set(&counts[COUNTER_LEASES_ACKNOWLEDGED], t->acknowledged);
    set(&counts[COUNTER_LEASES_EXPIRED], t->expired);
    set(&counts[COUNTER_LEASES_FULL], t->full);
}

int64_t counters_begin(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void counters_end(enum counter_call which, int64_t began_ns)
{
    /* Rounded up, so that a step holds what took no longer than its end. */
    uint64_t took_us = (uint64_t)(counters_begin() - began_ns + 999) / 1000;
    uint64_t max_us = get(&times[which].max_us);
    int k = 0;
    while (k < COUNTER_STEPS && took_us > counter_step_us[k])
        k++;
    add_one(&times[which].n[k]);
    while (took_us > max_us &&
           !atomic_compare_exchange_weak_explicit(&times[which].max_us, &max_us, took_us,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

uint64_t counters_get(enum counter which)
{
    return get(&counts[which]);
}

void counters_times(enum counter_call which, struct counter_times *out)
{
    out->calls = 0;
    for (int k = 0; k <= COUNTER_STEPS; k++) {
        out->n[k] = get(&times[which].n[k]);
        out->calls += out->n[k];
    }
    out->max_us = get(&times[which].max_us);
}
