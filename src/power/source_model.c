/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The utilisation model. mW x ms = uJ, so the idle part is exact. Pure.
 */
#include "config.h"

#include <string.h>

#include "power/source_model.h"

static const struct source_ops model_ops = {NULL, NULL, NULL};

void source_model_init(struct source *s)
{
    memset(s, 0, sizeof(*s));
    s->ops = &model_ops;
    s->fd = -1;
    s->rights = -1;
    s->package = -1;
    s->quality = QUALITY_MODELLED;
    s->coverage.components = COMPONENT_CPU;
    s->coverage.domains = COVERAGE_EVERYWHERE;
    source_set_name(s, "model:cpu");
    counter_init(&s->counter, 0, 0, 0);
    s->state = SOURCE_FIRST;
}

static uint64_t _saturate(unsigned __int128 value)
{
    return value > UINT64_MAX ? UINT64_MAX : (uint64_t)value;
}

uint64_t model_idle_uj(const struct power_model *m, uint32_t cpus, int64_t dt_ms)
{
    if (dt_ms <= 0)
        return 0;
    return _saturate((unsigned __int128)m->idle_mw * cpus * (uint64_t)dt_ms);
}

uint64_t model_active_uj(const struct power_model *m, uint64_t busy_us)
{
    if (m->max_mw <= m->idle_mw)
        return 0;
    return _saturate((unsigned __int128)(m->max_mw - m->idle_mw) * busy_us / 1000);
}
