/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counter arithmetic. Every rule here is one that some exporter got wrong:
 * wraps corrected on sums, unknown ranges taken as 0, unsigned underflow shown
 * as megawatts, a sensor that hangs shown as the last good value. Pure.
 */
#include "config.h"

#include <limits.h>
#include <string.h>

#include "power/counter.h"

/* Counters move in steps of about a millisecond and are read some time before or after the
 * clock is: that much more time is granted when a delta is judged. */
#define SLACK_MS 100
#define STEPS_OF_32_BITS UINT64_C(4294967295)

const char *counter_result_name(enum counter_result r)
{
    static const char *const names[COUNTER_RESULTS] = {"first", "delta",       "wrapped",
                                                       "reset", "implausible", "stale"};

    return (size_t)r < COUNTER_RESULTS ? names[r] : "?";
}

void counter_init(struct counter *c, uint64_t range_uj, uint64_t ceiling_mw, int64_t stale_ms)
{
    memset(c, 0, sizeof(*c));
    c->range_uj = range_uj;
    c->ceiling_mw = ceiling_mw;
    c->stale_ms = stale_ms;
}

int64_t counter_reach_ms(const struct counter *c)
{
    uint64_t reach = c->range_uj ? c->range_uj : c->unsure_uj;

    if (reach == 0 || c->ceiling_mw == 0)
        return INT64_MAX;
    reach /= c->ceiling_mw; /* uJ / mW = ms */
    return reach > INT64_MAX ? INT64_MAX : (int64_t)reach;
}

/* Could the node have drawn this much in elapsed_ms? mW x ms = uJ. */
static bool _is_plausible(const struct counter *c, uint64_t delta_uj, int64_t elapsed_ms)
{
    uint64_t most;

    if (c->ceiling_mw == 0)
        return true;
    if (elapsed_ms < 0)
        elapsed_ms = 0;
    if (__builtin_mul_overflow((uint64_t)elapsed_ms + SLACK_MS, c->ceiling_mw, &most))
        return true;
    return delta_uj <= most;
}

/* From last to raw, which is smaller, over the end of the range. The modulus is one step more
 * than the range, and a step is range / (2^32 - 1) in the 32-bit registers behind these zones. */
static uint64_t _wrapped_delta(const struct counter *c, uint64_t raw_uj)
{
    uint64_t step = (c->range_uj + STEPS_OF_32_BITS / 2) / STEPS_OF_32_BITS;

    return c->range_uj - c->last_uj + raw_uj + (step ? step : 1);
}

/* How long the energy of a move may have built up. A source that moves seldom moves far at once,
 * so it is judged by when it last moved; but one that stood still for hours has no hours' credit.
 */
static int64_t _window_ms(const struct counter *c, int64_t t_ms)
{
    int64_t elapsed_ms = t_ms - c->last_ms, still_ms = t_ms - c->changed_ms;

    if (c->stale_ms && still_ms > c->stale_ms)
        return elapsed_ms > c->stale_ms ? elapsed_ms : c->stale_ms;
    return still_ms;
}

static void _rebase(struct counter *c, uint64_t raw_uj, int64_t t_ms)
{
    if (!c->primed || raw_uj != c->last_uj)
        c->changed_ms = t_ms;
    c->primed = true;
    c->suspicious = false;
    c->last_uj = raw_uj;
    c->last_ms = t_ms;
}

/* An odd reading: once, it is a glitch, and the base stays; twice in line, the counter has
 * really moved there. */
static enum counter_result _doubt(struct counter *c, uint64_t raw_uj, int64_t t_ms)
{
    bool again = c->suspicious && raw_uj >= c->suspect_uj &&
                 _is_plausible(c, raw_uj - c->suspect_uj, t_ms - c->suspect_ms);

    if (again && (c->range_uj == 0 || raw_uj <= c->range_uj)) {
        _rebase(c, raw_uj, t_ms);
        return COUNTER_RESET;
    }
    c->suspicious = true;
    c->suspect_uj = raw_uj;
    c->suspect_ms = t_ms;
    return COUNTER_IMPLAUSIBLE;
}

static enum counter_result _judge(struct counter *c, uint64_t raw_uj, int64_t t_ms,
                                  uint64_t *delta_uj)
{
    int64_t elapsed_ms = t_ms - c->last_ms;
    enum counter_result result = COUNTER_DELTA;
    uint64_t delta;

    if (c->range_uj && raw_uj > c->range_uj)
        return _doubt(c, raw_uj, t_ms);
    if (!c->primed) {
        _rebase(c, raw_uj, t_ms);
        return COUNTER_FIRST;
    }
    if (elapsed_ms > counter_reach_ms(c)) {
        _rebase(c, raw_uj, t_ms);
        return COUNTER_STALE;
    }
    if (raw_uj == c->last_uj) {
        c->last_ms = t_ms;
        c->suspicious = false;
        return c->stale_ms && t_ms - c->changed_ms > c->stale_ms ? COUNTER_STALE : COUNTER_DELTA;
    }
    if (raw_uj > c->last_uj) {
        delta = raw_uj - c->last_uj;
        if (!_is_plausible(c, delta, _window_ms(c, t_ms)))
            return _doubt(c, raw_uj, t_ms);
    } else {
        result = COUNTER_WRAPPED;
        delta = c->range_uj && c->last_uj <= c->range_uj ? _wrapped_delta(c, raw_uj) : 0;
        if (delta == 0 || !_is_plausible(c, delta, elapsed_ms)) {
            _rebase(c, raw_uj, t_ms);
            return COUNTER_RESET;
        }
    }
    _rebase(c, raw_uj, t_ms);
    *delta_uj = delta;
    return result;
}

enum counter_result counter_update(struct counter *c, uint64_t raw_uj, int64_t t_ms,
                                   uint64_t *delta_uj)
{
    enum counter_result result;

    *delta_uj = 0;
    result = _judge(c, raw_uj, t_ms, delta_uj);
    if (__builtin_add_overflow(c->total_uj, *delta_uj, &c->total_uj))
        c->total_uj = UINT64_MAX;
    c->count[result]++;
    return result;
}

void counter_resume(struct counter *c, uint64_t raw_uj, int64_t t_ms)
{
    if (c->range_uj && raw_uj > c->range_uj)
        return;
    c->primed = false;
    _rebase(c, raw_uj, t_ms);
}

void counter_forget(struct counter *c)
{
    c->primed = false;
    c->suspicious = false;
}
