/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot.yaml from anybody. Beyond not crashing: a refusal changes nothing and says why, and
 * what is accepted is accepted again when it is read over itself.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/settings.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings before, s;
    struct err e = {""};

    settings_init(&before);
    s = before;
    if (settings_parse(&s, "fuzz.yaml", (const char *)data, size, &e) < 0) {
        if (memcmp(&s, &before, sizeof(s)) != 0 || strncmp(e.text, "fuzz.yaml:", 10) != 0)
            abort();
        return 0;
    }
    if (s.controller.port < 1 || s.controller.port > 65535 || s.operators.n < 0 ||
        s.operators.n > SETTINGS_NAMES_MAX || s.power.cpu_max_mw < s.power.cpu_idle_mw ||
        s.node.interval_ms < 200 || s.node.log_interval_ms < s.node.interval_ms)
        abort();
    before = s;
    if (settings_parse(&s, "again", (const char *)data, size, &e) < 0 ||
        memcmp(&s, &before, sizeof(s)) != 0)
        abort();
    return 0;
}
